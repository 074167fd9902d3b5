"""Rejected messages sent again: which, and as what (interface 4 and 5; pure)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from orderstream.checkpoint import topic_and_life
from orderstream.commands import Command, Headers, Kind
from orderstream.messages import Message
from orderstream.order import Order, Position
from orderstream.rejections import REPLAY_OF, Choice, Rejection

MAX_BYTES: Final = 256 * 2**20  # of the values that one replay holds in memory


class TooManyError(Exception):
    """What was chosen does not fit into memory."""


class Note(NamedTuple):
    """What is kept of a replay; *position* is where the replayed message stands, None as long as that is not known."""

    id: Position  # of the rejected message that was sent again
    rejected_at: datetime  # the first time, of the first original
    attempt: int  # of the rejected message
    who: str
    at: datetime
    position: Position | None


class _Newest(NamedTuple):
    """The newest attempt known of a message; *rejection* is None where it was not chosen."""

    age: tuple[int, datetime]
    rejection: Rejection | None


class Chosen:
    """Of all attempts of a message the newest one, if that is chosen; to be fed with a topic's rejections."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._newest: dict[Position, _Newest] = {}
        self._bytes = 0
        self._asked: set[Position] = set()  # origins of the ids
        self.unknown = set(choice.ids)

    def add(self, rejection: Rejection) -> None:
        """Consider one. Raises `TooManyError`."""
        if rejection.id in self._choice.ids:
            self._asked.add(rejection.origin)
            self.unknown.discard(rejection.id)
        admitted = self._choice.admits(rejection) and (not self._choice.ids or self._may_be_asked(rejection))
        if not admitted and rejection.replay_of is None:
            return
        known, age = self._newest.get(rejection.origin), (rejection.attempt, rejection.at)
        if known is None or known.age <= age:
            self._keep(rejection.origin, _Newest(age, rejection if admitted else None))

    def _may_be_asked(self, rejection: Rejection) -> bool:
        """A replay may be read before the message that it replays, and that be asked for."""
        return rejection.id in self._choice.ids or rejection.replay_of is not None

    def _keep(self, origin: Position, newest: _Newest) -> None:
        before = self._newest.get(origin)
        self._newest[origin] = newest
        self._bytes += _size(newest) - (_size(before) if before else 0)
        if self._bytes > MAX_BYTES:
            raise TooManyError

    def rejections(self, kinds: Mapping[str, Kind]) -> list[Rejection]:
        """Those to send: creates first, then as the first originals stood in their topics."""
        found = [
            newest.rejection
            for origin, newest in self._newest.items()
            if newest.rejection and (not self._choice.ids or origin in self._asked)
        ]
        return sorted(found, key=lambda one: (kinds.get(topic_of(one.id)) is Kind.UPDATE, one.origin))


def _size(newest: _Newest) -> int:
    return len(newest.rejection.value or b"") if newest.rejection else 0


def topic_of(position: Position) -> str:
    """The topic to send to, whatever life of it the position was in."""
    return topic_and_life(position.topic)[0]


def unfit(rejection: Rejection, kinds: Mapping[str, Kind]) -> str | None:
    """Why it cannot be sent again, if it cannot."""
    if rejection.cut:
        return rejection.cut
    if topic_of(rejection.id) not in kinds:
        return "it comes from a topic that these settings do not name"
    if rejection.key is None and rejection.value is None:
        return "it has neither key nor value, which cannot be sent; --edit can give it both"
    return None


def message(rejection: Rejection, kind: Kind) -> Message:
    """The original, and what says that it is sent again."""
    original = tuple(header for header in rejection.headers if header[0] != REPLAY_OF)
    ours = (
        ("rejection-attempt", str(rejection.attempt).encode()),
        (REPLAY_OF, str(rejection.origin).encode()),
    )
    return Message(
        kind=kind,
        key=rejection.key,
        headers=(*original, *ours),
        value=rejection.value,
        partition=rejection.id.partition,
    )


def is_older(command: Command, orders: Iterable[Order], rejected_at: datetime) -> bool:
    """Whether its order has been changed since it was rejected."""
    named = set(command.keys)
    return any(order.updated_at > rejected_at for order in orders if not named.isdisjoint(order.lookup_keys))


def trace(headers: Headers) -> tuple[bytes | None, bytes | None]:
    """What tells a replay from any other message: its first original, and which attempt failed before it."""
    said = dict(headers)
    return said.get(REPLAY_OF), said.get("rejection-attempt")
