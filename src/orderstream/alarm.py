"""Whether too many messages of a dialect are rejected (interface 8; pure)."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeAlias

WINDOW_SECONDS: Final = 60.0
LEAST: Final = 20  # rejections within the window, below which nobody is woken
SHARE: Final = 0.1  # of the dialect's messages
CALM: Final = 0.5  # of both bounds: below, it is over; in between it stays as it is

Turn: TypeAlias = Literal["high", "normal"]


class Rate(NamedTuple):
    """What came of a dialect's messages within the window."""

    messages: int
    rejections: int

    def reaches(self, part: float) -> bool:
        """Whether the rejections reach this part of both bounds."""
        return self.rejections >= part * LEAST and self.rejections >= part * SHARE * self.messages


@dataclass(slots=True)
class _Dialect:
    seconds: deque[tuple[float, Rate]] = field(default_factory=deque)
    is_high: bool = False

    def rate(self, now: float) -> Rate:
        while self.seconds and self.seconds[0][0] <= now - WINDOW_SECONDS:
            self.seconds.popleft()
        return Rate(sum(rate.messages for _, rate in self.seconds), sum(rate.rejections for _, rate in self.seconds))


class Alarm:
    """Counts by dialect; tells once that rejections are high, and once that they are no more."""

    def __init__(self) -> None:
        self._dialects: dict[str, _Dialect] = {}

    def count(self, dialect: str, messages: int, rejections: int, now: float) -> None:
        """Messages of a dialect and how many of them were rejected, at *now*, in seconds of any clock."""
        seconds = self._dialects.setdefault(dialect, _Dialect()).seconds
        known = seconds[-1][1] if seconds and seconds[-1][0] == float(int(now)) else None
        if known:
            seconds.pop()
        before = known or Rate(0, 0)
        seconds.append((float(int(now)), Rate(before.messages + messages, before.rejections + rejections)))

    def turns(self, now: float) -> list[tuple[str, Turn, Rate]]:
        """The dialects whose rejections have become high, or normal again, since the last call."""
        turned: list[tuple[str, Turn, Rate]] = []
        for name, dialect in self._dialects.items():
            rate = dialect.rate(now)
            is_high = rate.reaches(CALM if dialect.is_high else 1)
            if is_high != dialect.is_high:
                dialect.is_high = is_high
                turned.append((name, "high" if is_high else "normal", rate))
        return turned
