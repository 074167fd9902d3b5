"""Between a process and the servers: a request may be lost, be carried out and not be answered, in part, or late."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from random import Random
from typing import Final, NamedTuple, NoReturn, TypeVar

from orderstream.ports import FencedError
from orderstream.trouble import System, UnavailableError
from tests.histories.process import Process
from tests.histories.story import Story

T = TypeVar("T")

TRAVELS: Final = (0.0, 0.0, 0.0, 0.002, 0.05, 0.6)  # seconds there, and back
LATE_SECONDS: Final = 20.0  # at most, until a request that was given up is carried out all the same
STALLS: Final = (1.0, 7.0, 14.0, 18.0, 25.0)  # seconds; a session is 10
RATES: Final = (0.0, 0.05, 0.1, 0.2, 0.3)  # of requests that meet with trouble
CRASHING: Final = (0.0, 0.3, 0.7)  # of these, how many end with the process
STALLING: Final = (0.0, 0.01, 0.03)  # of requests, there and back
WEAK: Final = ("publishes", "writes", "writes fenced", "keeps", "commits", "loads")  # one of them meets with more


class Fate(StrEnum):
    """What becomes of a request that gets no answer."""

    LOST = "lost"
    UNANSWERED = "carried out, not answered"
    PARTLY = "carried out in part"
    LATE = "given up, on its way"


class Request(NamedTuple):
    """What is asked of a server; *values* are for the story."""

    system: System
    what: str
    values: tuple[object, ...] = ()
    changes: bool = True  # whether it matters that it is carried out
    may_be_late: bool = True


class Blow(NamedTuple):
    """A request meets its fate, and the process may end with it."""

    fate: Fate
    crashes: bool


class Trouble:
    """Blows by chance, in every history others; none when it is over."""

    def __init__(self, chance: Random, story: Story) -> None:
        self.chance = chance
        self.underway: set[asyncio.Task[None]] = set()
        self._rate, self._crashing = chance.choice(RATES), chance.choice(CRASHING)
        self._stalling, self._weak = chance.choice(STALLING), chance.choice(WEAK)
        self._story = story

    @property
    def is_over(self) -> bool:
        """Whether nothing happens any more, or ever did."""
        return self._rate == self._stalling == 0

    def end(self) -> None:
        """From now on everything goes well."""
        self._rate = self._stalling = 0.0

    def blow(self, request: Request, *, divisible: bool) -> Blow | None:
        """What becomes of the request, None: nothing special."""
        if self.chance.random() >= self._rate * (3 if request.what == self._weak else 1):
            return None
        late, partly = request.changes and request.may_be_late, request.changes and divisible
        fates = [Fate.LOST, *[Fate.UNANSWERED] * request.changes, *[Fate.LATE] * late, *[Fate.PARTLY] * partly]
        blow = Blow(self.chance.choice(fates), self.chance.random() < self._crashing)
        self._story.count(blow.fate)
        return blow

    def breaks(self) -> bool:
        """Whether something goes wrong inside the process, between two steps."""
        return self.chance.random() < self._rate / 3

    def stall(self) -> float:
        """For how many seconds the process stands still here."""
        return self.chance.choice(STALLS) if self.chance.random() < self._stalling else 0.0

    def some(self, of: Sequence[T]) -> list[T]:
        """Any part of them."""
        return [one for one in of if self.chance.random() < 0.5]

    def later(self, effect: Callable[[], Awaitable[object]]) -> None:
        """Carry it out when nobody waits for it any more."""
        task = asyncio.create_task(self._after(self.chance.uniform(0, LATE_SECONDS), effect))
        self.underway.add(task)
        task.add_done_callback(self.underway.discard)

    async def _after(self, seconds: float, effect: Callable[[], Awaitable[object]]) -> None:
        await asyncio.sleep(seconds)
        self._story.tell("servers", "carry out what was given up")
        with suppress(FencedError):
            await effect()


class Wire:
    """What one process asks goes through here."""

    def __init__(self, process: Process, trouble: Trouble, story: Story) -> None:
        self.trouble = trouble
        self._process, self._story = process, story

    async def ask(
        self, request: Request, effect: Callable[[], Awaitable[T]], part: Callable[[], Awaitable[object]] | None = None
    ) -> T:
        """The answer to a request, which is carried out by *effect* or in *part*. Raises `UnavailableError`."""
        await self._stumble()
        blow = self.trouble.blow(request, divisible=part is not None)
        await self._travel()
        if blow:
            self._story.tell(self._process.name, request.what, *request.values, "-- is", blow.fate)
            await self._carry_out(blow.fate, effect, part)
            await self._fail(blow, request.system)
        try:
            answer = await effect()
        except FencedError:
            self._story.count("fenced")
            self._story.tell(self._process.name, request.what, *request.values, "-- is fenced")
            raise
        self._story.tell(self._process.name, request.what, *request.values, "--", answer)
        await self._travel()
        await self._stumble()
        return answer

    async def _stumble(self) -> None:
        """The process may stand still here, and wake up in another world."""
        if seconds := self.trouble.stall():
            self._process.freeze(seconds)
        await self._process.awake()

    async def _carry_out(
        self, fate: Fate, effect: Callable[[], Awaitable[object]], part: Callable[[], Awaitable[object]] | None
    ) -> None:
        with suppress(FencedError):
            if fate is Fate.UNANSWERED:
                await effect()
            elif fate is Fate.PARTLY and part:
                await part()
            elif fate is Fate.LATE:
                self.trouble.later(effect)

    async def _fail(self, blow: Blow, system: System) -> NoReturn:
        await self._process.awake()
        if blow.crashes:
            self._process.crash()
            raise asyncio.CancelledError
        raise UnavailableError(system, blow.fate)

    async def _travel(self) -> None:
        seconds = self.trouble.chance.choice(TRAVELS)
        if seconds:
            await asyncio.sleep(seconds)
