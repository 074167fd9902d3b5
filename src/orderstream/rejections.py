"""Rejected messages as they are read back from their topic (interface 4; pure)."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Final, NamedTuple

import orjson

from orderstream.commands import Headers, Operation
from orderstream.dialect import Message
from orderstream.dialects import DIALECTS
from orderstream.json_text import MalformedJsonError, TooLargeError, parse
from orderstream.order import Position
from orderstream.problems import Code, Problem

OURS: Final = "rejection-"
REPLAY_OF: Final = "replay-of"


class NotARejectionError(ValueError):
    """The record is no rejected message of interface 4."""


class Rejection(NamedTuple):
    """A rejected message; its key, value and headers are the original ones."""

    id: Position  # of the message that was rejected
    stands: Position  # in the topic of rejected messages
    at: datetime  # when it was rejected
    attempt: int
    problems: tuple[Problem, ...]  # at least one; as many as the header holds
    problem_count: int  # of all
    replay_of: Position | None  # the first original, if this is a replay
    key: bytes | None
    value: bytes | None
    headers: Headers  # without those of the rejection
    cut: str | None  # what did not fit into the topic, if anything did not

    @property
    def origin(self) -> Position:
        """The first original, the same for all its replays."""
        return self.replay_of or self.id

    @property
    def code(self) -> Code:
        """The code by which it is counted."""
        return self.problems[0].code

    def says(self, name: str) -> str | None:
        """An original header as text."""
        return _texts(self.headers).get(name)

    @property
    def dialect(self) -> str | None:
        """As the message says, right or wrong."""
        return self.says("dialect")

    @property
    def tenant(self) -> str | None:
        """As the message says: in a header, or where its dialect allows that in the value."""
        texts = _texts(self.headers)
        named = texts.get("site-account", texts.get("tenant"))
        return named if named is not None else _tenant_in_value(texts, self.value)


def rejection(stands: Position, key: bytes | None, value: bytes | None, headers: Headers) -> Rejection:
    """The rejected message in a record of its topic. Raises `NotARejectionError`."""
    ours = _texts(tuple(header for header in headers if header[0].startswith(OURS)))
    original = tuple(header for header in headers if not header[0].startswith(OURS))
    try:
        listed = orjson.loads(ours["rejection-problems"])
        problems = tuple(Problem(Code(one["code"]), one["path"], one["message"]) for one in listed)
        return Rejection(
            id=Position.parse(ours["rejection-id"]),
            stands=stands,
            at=datetime.fromisoformat(ours["rejection-time"]),
            attempt=int(ours["rejection-attempt"]),
            problems=problems or (Problem(Code(ours["rejection-code"]), "value", ""),),
            problem_count=int(ours["rejection-problem-count"]),
            replay_of=_position(_texts(original).get(REPLAY_OF)),
            key=key,
            value=None if ours.get("rejection-null-value") == "true" else value,
            headers=original,
            cut=_cut(ours),
        )
    except (KeyError, TypeError, ValueError):
        raise NotARejectionError from None


class Choice(NamedTuple):
    """Which rejections are meant; None and no ids: any."""

    ids: frozenset[Position] = frozenset()
    code: str | None = None
    dialect: str | None = None
    tenant: str | None = None

    def admits(self, rejection: Rejection) -> bool:
        """Whether it is one of them, whatever its id."""
        return (
            self.code in (None, rejection.code)
            and self.dialect in (None, rejection.dialect)
            and (self.tenant is None or self.tenant == rejection.tenant)
        )


class Recent:
    """Tells repeats: the worker may send a rejection again, but soon; keeps *size* ids or more, in some 20 MB."""

    def __init__(self, size: int = 100_000) -> None:
        self._size = size
        self._ids: dict[int, None] = {}

    def is_new(self, id_: Position) -> bool:
        """Whether it did not come before."""
        short = int.from_bytes(blake2b(str(id_).encode(), digest_size=8).digest())
        if short in self._ids:
            return False
        self._ids[short] = None
        if len(self._ids) > 2 * self._size:
            self._ids = dict.fromkeys(list(self._ids)[self._size :])
        return True


def _texts(headers: Headers) -> Mapping[str, str]:
    """Of a header that is there twice the first."""
    return {name: value.decode(errors="replace") for name, value in reversed(headers) if value is not None}


def _position(text: str | None) -> Position | None:
    """What is no position was not sent by a replay."""
    try:
        return None if text is None else Position.parse(text)
    except ValueError:
        return None


def _cut(ours: Mapping[str, str]) -> str | None:
    if ours.get("rejection-truncated") == "true":
        return "its value or key was too long for the topic and is cut"
    if "rejection-headers-dropped" in ours:
        return f"{ours['rejection-headers-dropped']} of its headers were too long for the topic and are gone"
    return None


def _tenant_in_value(texts: Mapping[str, str], value: bytes | None) -> str | None:
    dialect = DIALECTS.get(texts.get("dialect", ""))
    if dialect is None:
        return None
    try:
        return dialect.tenant(Message(Operation.CREATE, texts, parse(value or b""), texts))
    except (MalformedJsonError, TooLargeError):
        return None
