"""A lane: partition *n* of both input topics, one batch at a time, step by step (design 3)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from traceback import extract_tb
from typing import Final, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_not_exception_type, wait_random_exponential

from orderstream.answers import AnotherRecordError, Answer, BelowFloorError, Decided, NotLookedUpError
from orderstream.cancellation import cancel_until_ended
from orderstream.commands import Kind, Record
from orderstream.ledger import Partition
from orderstream.order import Position
from orderstream.parking import Mark, Parked
from orderstream.patience import Patience
from orderstream.ports import FencedError
from orderstream.settlement import DecideAgainError, Settlement, StopWatch, Surroundings, Trial
from orderstream.trouble import UnavailableError
from orderstream.waiting import WaitingUpdates

BATCH_RECORDS: Final = 500
BATCH_BYTES: Final = 4 * 2**20  # of values
LONGEST_PAUSE: Final = 5.0  # seconds between two tries
LOOK_AFTER_SECONDS: Final = 1.0  # between two looks at what waits
FORGET_SECONDS: Final = 3.0  # for the last marks, when the partition goes to somebody else

T = TypeVar("T")


class _LostError(Exception):
    """The group has given the partition to somebody else."""


class Lane:
    """All messages of one order meet here; belongs to one assignment and ends with it."""

    def __init__(self, number: int, start: Mapping[Partition, int], around: Surroundings) -> None:
        self.number = number
        self.committed = dict(start)  # as the group has it
        self.finished = dict(start)  # below it every record is written and answered
        self.standing: str | None = None  # why the lane does not move
        self._around, self._observer = around, around.observer
        self._parked = WaitingUpdates(number, around.orders, around.contracts, around.park_seconds)
        self._settlement = Settlement(around, self._parked, self.finished, self.committed)
        self._patience = Patience(around, self._parked, self.finished)
        self._looked = 0.0  # when what waits was last looked after
        self._records: deque[Record] = deque()
        self._record_bytes = 0
        self._wake = asyncio.Event()
        self._is_open = False  # fenced, known to be the owner, and its waiting updates loaded
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work on what `accept` brings."""
        self._task = asyncio.create_task(self.run(), name=f"lane-{self.number}")

    def hear(self) -> None:
        """The group has answered: this worker is still its member."""
        self._settlement.heard = asyncio.get_running_loop().time()

    def accept(self, records: Iterable[Record]) -> None:
        """Take over records of its partitions, in their order; never waits."""
        for record in records:
            self._records.append(record)
            self._record_bytes += len(record.value or b"")
        self._wake.set()

    def wants(self, kind: Kind) -> bool:
        """Whether more records of this kind may be handed over: no updates while too many wait for creates to come."""
        full = len(self._records) >= BATCH_RECORDS or self._record_bytes >= BATCH_BYTES
        ahead = kind is Kind.UPDATE and self._patience.creates_first
        return not (full or ahead or self._stopping or self.standing)

    @property
    def parked(self) -> int:
        """How many of its updates wait for their create."""
        return self._parked.parked

    async def drain(self, seconds: float) -> None:
        """Finish the batch in hand and end; what waits is dropped, Kafka still has it."""
        self._stopping = True
        self._wake.set()
        if self._task:
            _, late = await asyncio.wait([self._task], timeout=seconds)
            await cancel_until_ended(late)

    async def forget(self) -> None:
        """Remove marks that are over: the next owner would publish them once more."""
        with suppress(UnavailableError, FencedError, TimeoutError):  # so be it then
            async with asyncio.timeout(FORGET_SECONDS):
                await self._parked.forget(self.committed)

    async def run(self) -> None:
        """Batch after batch, until drained."""
        try:
            await self._patient(self._open_if_need_be)
            while not self._stopping:
                await self._wait()
                while self._records and not self._stopping:
                    await self._handle(self._take())
                    await self._look_after_now_and_then()
        except BelowFloorError as error:
            if not await self._patient(partial(self._is_late, error.position)):
                self._stand(error.position, str(error))
        except AnotherRecordError as error:
            self._stand(error.position, str(error))
        except _LostError:
            self._stopping = True

    async def _open_if_need_be(self) -> None:
        """All of it or, when it broke off or a fence failed, all of it again."""
        if not self._is_open:
            await self._open()
            self._is_open = True

    async def _open(self) -> None:
        """Shut out earlier owners of what waits, make sure of being the owner, and load it."""
        await self._parked.raise_fence()
        if not await self._around.group.confirms(self.finished):
            raise _LostError
        await self._parked.load()
        if self._parked.untold:
            self._wake.set()

    async def _wait(self) -> None:
        """Until records come; what waits is looked after meanwhile."""
        if self._parked.untold:
            await self._patient(lambda: self._try([], Trial(blind=False)))
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AFTER_SECONDS if self._parked.entries else None):
                await self._wake.wait()
        self._wake.clear()
        await self._look_after_now_and_then()

    async def _look_after_now_and_then(self) -> None:
        """Under load too: a lane that is never at rest must not keep what waits for ever."""
        now = asyncio.get_running_loop().time()
        if self._parked.entries and (now >= self._looked + LOOK_AFTER_SECONDS or self._parked.excess()):
            self._looked = now
            await self._patient(self._look_after)

    async def _look_after(self) -> None:
        """Remove marks that are over, and end the wait of updates that have waited long enough."""
        await self._parked.forget(self.committed)
        if ended := await self._patience.ended(self._records):
            await self._try([], Trial(blind=False), ended)

    async def _is_late(self, position: Position) -> bool:
        """Whether the group has gone past this record: then the lane is of yesterday and throws its batch away."""
        committed = await self._around.group.committed({position[:2]})
        return position.offset < committed.get(position[:2], 0)

    def _stand(self, position: Position, reason: str) -> None:
        self.standing = reason
        self._records.clear()
        self._observer.stopped(self.number, position, reason)

    def _take(self) -> list[Record]:
        """The next batch: creates before updates, each in the order of offsets."""
        taken: list[Record] = []
        size = 0
        while self._records and len(taken) < BATCH_RECORDS and size < BATCH_BYTES:
            record = self._records.popleft()
            taken.append(record)
            size += len(record.value or b"")
        self._record_bytes -= size
        return sorted(taken, key=lambda record: record.kind is Kind.UPDATE)

    async def _handle(self, records: Sequence[Record]) -> None:
        """See a batch through, whatever it takes; what was decided before a fault is found in the ledgers."""
        told: Position | None = None
        while records:
            decided = await self._patient(partial(self._try, records, Trial(blind=told is None, told=told)))
            records, told = records[len(decided.answers) :], decided.unfinished

    async def _patient(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeat *call* until it succeeds; a lane that is fenced begins again as at its assignment."""
        async for attempt in self._patiently():
            with attempt:
                try:
                    await self._open_if_need_be()
                    done = await call()
                except FencedError:
                    self._is_open = False
                    raise
                self.standing = None
                return done
        raise AssertionError("tries never end")

    async def _try(self, records: Sequence[Record], trial: Trial, expired: Sequence[Parked] = ()) -> Decided:
        """One attempt: every step once; the records that it answers are seen through."""
        watch = StopWatch(self._around.reached)
        try:
            untold = self._parked.untold
            decided = await self._settlement.settle(records, trial, expired, untold, watch)
            with watch("publish"), self._around.traced(decided, watch.seconds) as told:
                await self._publish(told)
        except Exception:
            trial.blind = False  # whatever was written is found by looking
            raise
        self._parked.tell([*untold, *_marks(decided)])
        self._advance(decided.answers)
        self._well()
        self._observer.batch_done(self.number, decided, watch.seconds)
        self._around.reached("finish")
        return decided

    async def _publish(self, decided: Decided) -> None:
        rejected = [answer for answer in (*decided.answers, *decided.taken) if answer.verdict == "rejected"]
        if decided.events or rejected:
            await self._around.outputs.publish(decided.events, rejected)

    def _advance(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            position = answer.record.position
            self.finished[position[:2]] = position.offset + 1
            self._patience.read(answer.record)

    def _patiently(self) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_not_exception_type(
                (BelowFloorError, AnotherRecordError, _LostError, asyncio.CancelledError)
            ),
            wait=wait_random_exponential(multiplier=0.05, max=LONGEST_PAUSE),
            before_sleep=self._say,
        )

    def _say(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        match error:
            case UnavailableError():
                self.standing = str(error)
                self._observer.unavailable(error, state.attempt_number)
            case Exception() if not isinstance(error, DecideAgainError | NotLookedUpError | FencedError):
                self.standing = f"a fault of the worker itself: {place_of(error)}"
                self._observer.failed(self.number, self.standing, state.attempt_number)

    def _well(self) -> None:
        self.standing = None
        self._observer.available("mongo")
        self._observer.available("kafka")


def _marks(decided: Decided) -> list[Mark]:
    """What this batch has decided of updates that waited; their outputs went out with it."""
    changes = (decided.waits, *(write.waits for write in decided.writes))
    return [one for waits in changes for one in waits.values() if isinstance(one, Mark)]


def place_of(error: Exception) -> str:
    """What kind of fault of ours, and where it came from, without its text: that may hold anything."""
    frames = [frame for frame in extract_tb(error.__traceback__) if "orderstream" in frame.filename]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}"
