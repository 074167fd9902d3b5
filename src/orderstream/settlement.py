"""One attempt at a batch: decode, load, decide, write (design 3)."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from orderstream.answers import Answer, Circumstances, Decided, Item, Write
from orderstream.batch import decide
from orderstream.commands import Command, Operation, Record
from orderstream.decode import Contracts, decode
from orderstream.dialects import DIALECTS
from orderstream.failpoints import Step, nothing
from orderstream.identity import document_id
from orderstream.ledger import Partition, Progress
from orderstream.order import Order, Position
from orderstream.parking import Changes, Mark, Parked, Waiting, related
from orderstream.ports import FencedError, Group, Observer, Orders, Outputs, TooLargeError, Written
from orderstream.waiting import WaitingUpdates

Traced: TypeAlias = Callable[[Decided, Mapping[str, float]], AbstractContextManager[Decided]]

MOST_LOADED: Final = 2 * 2**20  # bytes of orders in a batch of several records: ten times as many in memory
BREATH_SECONDS: Final = 0.05  # of work without a pause
SILENCE_SECONDS: Final = 5.0  # without a word from the group, half a session: look before writing


class DecideAgainError(Exception):
    """Something was not as it was loaded."""


@dataclass(slots=True)
class Trial:
    """What the tries at one batch have taught so far."""

    blind: bool = True
    told: Position | None = None  # the first record, if its outputs are acknowledged as far as it has come
    numbers: dict[Position, int] = field(default_factory=dict)
    attempts: dict[Position, int] = field(default_factory=dict)
    unstorable: set[Position] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)  # keys of orders that were not looked up and stood in the way
    limit: int | None = None  # how many records may be decided together

    def learn(self, written: Written, decided: Decided) -> None:
        """Take the next generated number where one was taken; refuse what cannot be stored."""
        if written.done:
            return
        self.taken.update(written.taken)
        for write in decided.writes:
            if write.before is None and not set(written.taken).isdisjoint(write.after.lookup_keys):
                cause = write.after.history[0].cause
                self.attempts[cause] = self.attempts.get(cause, 0) + 1
        for id_ in written.unstorable:
            self._refuse_what_is_too_much(id_, decided)
        raise DecideAgainError

    def _refuse_what_is_too_much(self, order_id: str, decided: Decided) -> None:
        """The message after which no document can hold the order; to find it alone, the batch is halved."""
        applied = [place for place, answer in enumerate(decided.answers) if _grew(answer, order_id)]
        if len(applied) > 1:
            self.limit = min(applied[len(applied) // 2], self.limit or len(decided.answers))
        else:
            grown = [answer for answer in (*decided.answers, *decided.taken) if _grew(answer, order_id)]
            self.unstorable.update(answer.record.position for answer in grown[-1:])


def _grew(answer: Answer, order_id: str) -> bool:
    return answer.order_id == order_id and answer.verdict == "applied" and not answer.repeated


def untraced(decided: Decided, seconds: Mapping[str, float]) -> AbstractContextManager[Decided]:  # noqa: ARG001
    """As it is published when nobody collects traces."""
    return nullcontext(decided)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all lanes of a worker share."""

    orders: Orders
    outputs: Outputs
    observer: Observer
    group: Group
    contracts: Contracts
    create_topic: str
    park_seconds: float
    now: Callable[[], datetime]
    reached: Callable[[Step], None] = nothing
    traced: Traced = untraced


class Settlement:
    """What a lane does with a batch until every order is stored."""

    def __init__(
        self,
        around: Surroundings,
        parked: WaitingUpdates,
        finished: Mapping[Partition, int],
        committed: Mapping[Partition, int],
    ) -> None:
        self.heard = asyncio.get_running_loop().time()  # when the group was last heard of
        self._fitting: int | None = None  # records of whose orders memory has room; None: of any batch's
        self._around, self._parked = around, parked
        self._finished, self._committed = finished, committed  # as the lane moves on

    async def settle(
        self,
        records: Sequence[Record],
        trial: Trial,
        expired: Sequence[Parked],
        untold: Sequence[Mark],
        watch: "StopWatch",
    ) -> Decided:
        """Decode, load, decide and write."""
        with watch("decode"):
            judged = await self._judged(records[: self._fitting][: trial.limit])
        with watch("load"):
            items, stored = await self._load_what_fits(judged, trial, [*expired, *untold])
            progress = await self._progress(stored, trial)
        with watch("decide"):
            about = Circumstances(
                rules=self._around.contracts.rules,
                progress=progress,
                numbers=trial.numbers,
                attempts=trial.attempts,
                unstorable=frozenset(trial.unstorable),
                blind=trial.blind,
                now=self._around.now(),
                waiting=self._parked.entries,
                expired=expired,
                untold=untold,
            )
            decided = decide(items, stored, about)
        with watch("write"):
            await self._confirm(decided.absent)
            await self._beware_of_a_pause()
            trial.learn(await self._write(decided, trial), decided)
        return decided

    async def _judged(self, records: Sequence[Record]) -> list[Item]:
        """A message can be made to take a second: between two of them others have their turn, heartbeats first."""
        items: list[Item] = []
        clock = asyncio.get_running_loop().time
        began = clock()
        for record in records:
            items.append(Item(record, decode(record, self._around.contracts)))
            if clock() - began > BREATH_SECONDS:
                await asyncio.sleep(BREATH_SECONDS / 10)
                began = clock()
        return items

    async def _beware_of_a_pause(self) -> None:
        """A process that stood still for long may have lost its partitions without knowing."""
        now = asyncio.get_running_loop().time()
        if now - self.heard > SILENCE_SECONDS:
            if await self._parked.is_fenced():
                raise FencedError
            self.heard = now

    async def _write(self, decided: Decided, trial: Trial) -> Written:
        """Orders in one bulk, then those with updates that waited in one transaction with them.

        A second try may fail as the first: it must not take other lanes with it.
        """
        plain = [write for write in decided.writes if not write.waits]
        written = await self._around.orders.write(plain, alone=not trial.blind)
        with_waits = [write for write in decided.writes if write.waits]
        waits: Changes = {**decided.waits, **{at: one for write in with_waits for at, one in write.waits.items()}}
        if written.done and waits:
            return await self._write_fenced(with_waits, waits)
        return written

    async def _write_fenced(self, writes: Sequence[Write], waits: Changes) -> Written:
        written = await self._around.orders.write_fenced(self._parked.fence, writes, waits)
        if written.done:
            self._parked.learn(waits)
        return written

    async def _load_what_fits(
        self, items: Sequence[Item], trial: Trial, waiting: Sequence[Waiting]
    ) -> tuple[Sequence[Item], list[Order]]:
        """As many records as memory has room for their orders, and these; the rest is for the next batch."""
        while True:
            try:
                stored = await self._load(items, trial, waiting)
            except TooLargeError:
                self._fitting = len(items) // 2
                items = items[: self._fitting]
            else:
                self._fitting = self._fitting and max(self._fitting, 2 * len(items))
                return items, stored

    async def _load(self, items: Sequence[Item], trial: Trial, waiting: Sequence[Waiting]) -> list[Order]:
        """The orders that the batch touches; new ones are not looked for at the first try."""
        commands = [item.judged for item in items if isinstance(item.judged, Command)]
        creates = [command for command in commands if command.operation is Operation.CREATE]
        counted = [c.position for c in creates if DIALECTS[c.dialect].counted and c.position not in trial.numbers]
        if counted:
            trial.numbers.update(zip(counted, await self._around.orders.take_numbers(len(counted)), strict=True))
        looked_up = [command for command in commands if not (trial.blind and command.operation is Operation.CREATE)]
        keys = trial.taken.union(*((*command.keys, *command.brought) for command in looked_up))
        ids = [] if trial.blind else [document_id(command.at, command.position) for command in creates]
        if self._parked.entries:
            near = keys.union(*(command.keys for command in creates))
            keys |= related(self._parked.entries, near) - near
            keys.update(key for one in waiting if isinstance(one, Parked) for key in one.command.keys)
            ids += [one.order_id for one in waiting if isinstance(one, Mark) and one.order_id]
        most = MOST_LOADED if len(items) > 1 else None
        return await self._around.orders.load(keys, ids, most) if keys or ids else []

    async def _progress(self, stored: Sequence[Order], trial: Trial) -> Progress:
        """How far this lane is, and how far others are whose records these orders have seen."""
        seen = {decision.position[:2] for order in stored for decision in order.ledger.decisions}
        foreign = seen - self._finished.keys()
        others = await self._around.group.committed(foreign) if foreign else {}
        return Progress({**others, **self._finished}, {**others, **self._committed}, trial.told)

    async def _confirm(self, absent: Sequence[str]) -> None:
        """No refusal rests on an order that a majority does not know yet."""
        if absent and not await self._around.orders.are_absent(list(dict.fromkeys(absent))):
            raise DecideAgainError


class StopWatch:
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
