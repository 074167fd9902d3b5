"""The rules file: values that the seeds' lists abridge, each with its meaning, and relaxed bounds (interface 6)."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, get_args

from orderstream.dialect import Dialect, Meaning, Rules
from orderstream.dialects import DIALECTS
from orderstream.order import FulfilmentStatus, OrderStatus, PaymentStatus

PREFIX: Final = "ORDERSTREAM_"
_CANONICAL: Final = {
    "order": get_args(OrderStatus),
    "payment": get_args(PaymentStatus),
    "fulfilment": get_args(FulfilmentStatus),
}


class SettingError(Exception):
    """A setting is wrong; the text names it, and is one line."""


def read_rules(file: Path) -> Mapping[str, Rules]:
    """What the file says of each dialect. Raises `SettingError`."""
    try:
        content = tomllib.loads(file.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _wrong(f"cannot be read: {error.strerror if isinstance(error, OSError) else error}") from None
    return {name: _rules(name, members) for name, members in content.items()}


def _rules(name: str, members: object) -> Rules:
    if name not in DIALECTS:
        raise _wrong(f"[{name}] is no dialect; the dialects are {', '.join(DIALECTS)}")
    if not isinstance(members, dict):
        raise _wrong(f"{name} must be a table")
    added: dict[str, Mapping[str, Meaning]] = {}
    relaxed: set[str] = set()
    for member, content in members.items():
        if member in DIALECTS[name].vocabularies:
            added[member] = _vocabulary(f"{name}.{member}", content)
        elif member in DIALECTS[name].bounds:
            relaxed |= _relaxed(f"{name}.{member}", member, content)
        else:
            raise _wrong(f"{name}.{member} is not known; {_known(DIALECTS[name])}")
    return Rules(added, frozenset(relaxed))


def _known(dialect: Dialect) -> str:
    known = [*dialect.vocabularies, *dialect.bounds]
    return f"{dialect.name} knows {', '.join(known)}" if known else f"{dialect.name} has nothing to configure"


def _vocabulary(place: str, content: object) -> Mapping[str, Meaning]:
    if not isinstance(content, dict):
        raise _wrong(f"[{place}] must be a table")
    return {value: _meaning(f"{place}.{value}", meant) for value, meant in content.items()}


def _meaning(place: str, meant: object) -> Meaning:
    if not isinstance(meant, dict) or not meant:
        raise _wrong(f'{place} must say what it means, as {{ order = "in_progress" }}')
    for kind, value in meant.items():
        if kind not in _CANONICAL:
            raise _wrong(f"{place}: {kind} is none of {', '.join(_CANONICAL)}")
        if value not in _CANONICAL[kind]:
            raise _wrong(f"{place}.{kind} must be one of {', '.join(_CANONICAL[kind])}")
    known: dict[str, Any] = meant
    return Meaning(**known)


def _relaxed(place: str, bound: str, content: object) -> set[str]:
    if not isinstance(content, bool):
        raise _wrong(f"{place} must be true or false")
    return {bound} if content else set()


def _wrong(message: str) -> SettingError:
    return SettingError(f"{PREFIX}RULES_FILE: {message}")
