"""A line of the log for people: time, level and event, then what is bound to it (interface 8)."""

import json
import re
from collections.abc import Iterable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final

COLOURS: Final = {"debug": "2", "warning": "33", "error": "31", "critical": "31"}  # as terminals number them

_PLAIN = re.compile(r"[^\s\"=]+")


class Console:
    """The last of structlog's processors; in *colour* only for a terminal."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def __call__(self, _: object, __: str, event: MutableMapping[str, Any]) -> str:
        """The event as one line."""
        name, level = str(event.pop("event")), str(event.pop("level"))
        time = datetime.fromisoformat(event.pop("timestamp")).astimezone(UTC)
        bound = " ".join(f"{key}={_shown(value)}" for key, value in event.items())
        head = f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03}Z {level:<7} {name:<20}"
        return f"{self._coloured(head, level)} {bound}".rstrip()

    def _coloured(self, text: str, level: str) -> str:
        colour = COLOURS.get(level) if self._colour else None
        return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def _shown(value: object) -> str:
    """`decode:1.2,load:3.4` for a mapping, `0,1,2` for a list; a text in quotes where it would run into the rest."""
    match value:
        case None | bool() | int() | float():
            return json.dumps(value)
        case Mapping():
            return ",".join(f"{_shown(key)}:{_shown(one)}" for key, one in value.items()) or "-"
        case str():
            return _text(value)
        case Iterable():
            return ",".join(map(_shown, value)) or "-"
    return _text(str(value))


def _text(text: str) -> str:
    """What a terminal would obey, or what does not show, is escaped."""
    if not text.isprintable():
        return json.dumps(text).replace("\x7f", "\\u007f")
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
