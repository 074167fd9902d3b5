"""A lane: partition *n* of both input topics, one batch at a time, step by step (design 3)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_tb
from typing import Final

from tenacity import AsyncRetrying, RetryCallState, retry_if_not_exception_type, wait_random_exponential

from orderstream.batch import (
    AnotherRecordError,
    Answer,
    BelowFloorError,
    Circumstances,
    Decided,
    Item,
    NotLookedUpError,
    decide,
)
from orderstream.commands import Command, Kind, Operation, Record
from orderstream.decode import Contracts, decode
from orderstream.dialects import DIALECTS
from orderstream.failpoints import Step, nothing
from orderstream.identity import document_id
from orderstream.ledger import Partition, Progress
from orderstream.order import Order, Position
from orderstream.ports import Observer, Orders, Outputs, Written
from orderstream.trouble import UnavailableError

BATCH_RECORDS: Final = 500
BATCH_BYTES: Final = 4 * 2**20  # of values
LONGEST_PAUSE: Final = 5.0  # seconds between two tries


class _DecideAgainError(Exception):
    """Something was not as it was loaded."""


@dataclass(slots=True)
class _Trial:
    """What the tries at one batch have taught so far."""

    blind: bool = True
    numbers: dict[Position, int] = field(default_factory=dict)
    attempts: dict[Position, int] = field(default_factory=dict)
    unstorable: set[Position] = field(default_factory=set)

    def learn(self, written: Written, decided: Decided) -> None:
        """Take the next generated number where one was taken; refuse what cannot be stored."""
        if written.done:
            return
        for write in decided.writes:
            if write.before is None and not set(written.taken).isdisjoint(write.after.lookup_keys):
                cause = write.after.history[0].cause
                self.attempts[cause] = self.attempts.get(cause, 0) + 1
        for id_ in written.unstorable:
            applied = [a.record.position for a in decided.answers if a.order_id == id_ and a.verdict == "applied"]
            self.unstorable.update(applied[-1:])
        raise _DecideAgainError


class Lane:
    """All messages of one order meet here; belongs to one assignment and ends with it."""

    def __init__(
        self,
        number: int,
        start: Mapping[Partition, int],
        orders: Orders,
        outputs: Outputs,
        observer: Observer,
        contracts: Contracts,
        committed: Callable[[Collection[Partition]], Awaitable[Mapping[Partition, int]]],
        reached: Callable[[Step], None] = nothing,
    ) -> None:
        self.number = number
        self.committed = dict(start)  # as the group has it
        self.finished = dict(start)  # below it every record is written and answered
        self.standing: str | None = None  # why the lane does not move
        self._orders, self._outputs, self._observer = orders, outputs, observer
        self._contracts, self._group_committed, self._reached = contracts, committed, reached
        self._waiting: deque[Record] = deque()
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work on what `accept` brings."""
        self._task = asyncio.create_task(self.run(), name=f"lane-{self.number}")

    def accept(self, records: Iterable[Record]) -> None:
        """Take over records of its partitions, in their order; never waits."""
        for record in records:
            self._waiting.append(record)
            self._waiting_bytes += len(record.value or b"")
        self._wake.set()

    @property
    def has_room(self) -> bool:
        """Whether more records may be handed over."""
        full = len(self._waiting) >= BATCH_RECORDS or self._waiting_bytes >= BATCH_BYTES
        return not (full or self._stopping or self.standing)

    async def drain(self, seconds: float) -> None:
        """Finish the batch in hand and end; what waits is dropped, Kafka still has it."""
        self._stopping = True
        self._wake.set()
        if self._task:
            _, late = await asyncio.wait([self._task], timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def run(self) -> None:
        """Batch after batch, until drained."""
        try:
            while not self._stopping:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting and not self._stopping:
                    await self._handle(self._take())
        except BelowFloorError as error:
            if not await self._is_late(error.position):
                self._stand(error.position, str(error))
        except AnotherRecordError as error:
            self._stand(error.position, str(error))

    async def _is_late(self, position: Position) -> bool:
        """Whether the group has gone past this record: then the lane is of yesterday and throws its batch away."""
        committed = await self._group_committed({position[:2]})
        return position.offset < committed.get(position[:2], 0)

    def _stand(self, position: Position, reason: str) -> None:
        self.standing = reason
        self._waiting.clear()
        self._observer.stopped(self.number, position, reason)

    def _take(self) -> list[Record]:
        """The next batch: creates before updates, each in the order of offsets."""
        taken: list[Record] = []
        size = 0
        while self._waiting and len(taken) < BATCH_RECORDS and size < BATCH_BYTES:
            record = self._waiting.popleft()
            taken.append(record)
            size += len(record.value or b"")
        self._waiting_bytes -= size
        return sorted(taken, key=lambda record: record.kind is Kind.UPDATE)

    async def _handle(self, records: Sequence[Record]) -> None:
        """See a batch through, whatever it takes; what was decided before a fault is found in the ledgers."""
        while records:
            trial = _Trial()
            async for attempt in self._patiently():
                with attempt:
                    done = await self._try(records, trial)
            records = records[done:]

    async def _try(self, records: Sequence[Record], trial: _Trial) -> int:
        """One attempt: every step once; gives how many of the records it has seen through."""
        watch = _StopWatch(self._reached)
        try:
            decided = await self._settle(records, trial, watch)
            with watch("publish"):
                await self._publish(decided)
        except Exception:
            trial.blind = False  # whatever was written is found by looking
            raise
        self._advance(decided.answers)
        self._well()
        self._observer.batch_done(self.number, decided, watch.seconds)
        self._reached("finish")
        return len(decided.answers)

    async def _settle(self, records: Sequence[Record], trial: _Trial, watch: "_StopWatch") -> Decided:
        """Decode, load, decide and write."""
        with watch("decode"):
            items = [Item(record, decode(record, self._contracts)) for record in records]
        with watch("load"):
            stored = await self._load(items, trial)
            progress = await self._progress(stored)
        with watch("decide"):
            about = Circumstances(
                rules=self._contracts.rules,
                progress=progress,
                numbers=trial.numbers,
                attempts=trial.attempts,
                unstorable=frozenset(trial.unstorable),
                blind=trial.blind,
            )
            decided = decide(items, stored, about)
        with watch("write"):
            await self._confirm(decided.absent)
            trial.learn(await self._orders.write(decided.writes), decided)
        return decided

    async def _load(self, items: Sequence[Item], trial: _Trial) -> list[Order]:
        """The orders that the batch touches; new ones are not looked for at the first try."""
        commands = [item.judged for item in items if isinstance(item.judged, Command)]
        creates = [command for command in commands if command.operation is Operation.CREATE]
        counted = [c.position for c in creates if DIALECTS[c.dialect].counted and c.position not in trial.numbers]
        if counted:
            trial.numbers.update(zip(counted, await self._orders.take_numbers(len(counted)), strict=True))
        looked_up = [command for command in commands if not (trial.blind and command.operation is Operation.CREATE)]
        keys = {key for command in looked_up for key in (*command.keys, *command.brought)}
        ids = [] if trial.blind else [document_id(command.at, command.position) for command in creates]
        return await self._orders.load(keys, ids) if keys or ids else []

    async def _progress(self, stored: Sequence[Order]) -> Progress:
        """How far this lane is, and how far others are whose records these orders have seen."""
        seen = {decision.position[:2] for order in stored for decision in order.ledger.decisions}
        foreign = seen - self.finished.keys()
        others = await self._group_committed(foreign) if foreign else {}
        return Progress(published={**others, **self.finished}, committed={**others, **self.committed})

    async def _confirm(self, absent: Sequence[str]) -> None:
        """No refusal rests on an order that a majority does not know yet."""
        confirmed = await asyncio.gather(*(self._orders.is_absent(key) for key in dict.fromkeys(absent)))
        if not all(confirmed):
            raise _DecideAgainError

    async def _publish(self, decided: Decided) -> None:
        rejected = [answer for answer in decided.answers if answer.verdict == "rejected"]
        if decided.events or rejected:
            await self._outputs.publish(decided.events, rejected)

    def _advance(self, answers: Iterable[Answer]) -> None:
        for answer in answers:
            position = answer.record.position
            self.finished[position[:2]] = position.offset + 1

    def _patiently(self) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_not_exception_type((BelowFloorError, AnotherRecordError, asyncio.CancelledError)),
            wait=wait_random_exponential(multiplier=0.05, max=LONGEST_PAUSE),
            before_sleep=self._say,
        )

    def _say(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        match error:
            case UnavailableError():
                self.standing = str(error)
                self._observer.unavailable(error, state.attempt_number)
            case Exception() if not isinstance(error, _DecideAgainError | NotLookedUpError):
                self.standing = f"{type(error).__name__}, a fault of the worker itself, at {_place(error)}"
                self._observer.failed(self.number, self.standing, state.attempt_number)

    def _well(self) -> None:
        self.standing = None
        self._observer.available("mongo")
        self._observer.available("kafka")


def _place(error: Exception) -> str:
    """Where a fault of ours came from, without its text: that may hold anything."""
    frames = [frame for frame in extract_tb(error.__traceback__) if "orderstream" in frame.filename]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))


class _StopWatch:
    """Seconds by step of one batch, over all tries."""

    def __init__(self, reached: Callable[[Step], None]) -> None:
        self.seconds: dict[str, float] = {}
        self._reached = reached

    @contextmanager
    def __call__(self, step: Step) -> Iterator[None]:
        clock = asyncio.get_running_loop().time
        started = clock()
        try:
            yield
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + clock() - started
        self._reached(step)
