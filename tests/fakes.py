"""Plain fakes of what the pipeline needs from the world, with faults on order, and a clock that does not wait."""

import asyncio
from collections import Counter
from collections.abc import Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, TypeVar

import bson

from orderstream.answers import Answer, Decided, Write
from orderstream.documents import CODEC, UnstorableError, encode, to_order
from orderstream.ledger import Partition
from orderstream.order import Order, Position
from orderstream.parking import Changes
from orderstream.ports import Fence, FencedError, TooLargeError, WaitingRecord, Written
from orderstream.status_event import Event
from orderstream.trouble import System, UnavailableError
from orderstream.waiting_documents import to_waiting_document, to_waiting_record

T = TypeVar("T")


class Fault(NamedTuple):
    """What goes wrong at the *nth* call of a method: *error* is raised before or after it took effect."""

    method: str
    nth: int
    when: Literal["before", "after"]
    error: BaseException


class Faults:
    """Faults in the order of the calls, counted over all lives of the lanes."""

    def __init__(self, *planned: Fault) -> None:
        self.planned = {(fault.method, fault.nth): fault for fault in planned}
        self._calls: Counter[str] = Counter()

    @contextmanager
    def __call__(self, method: str) -> Iterator[None]:
        self._calls[method] += 1
        fault = self.planned.pop((method, self._calls[method]), None)
        if fault and fault.when == "before":
            raise fault.error
        yield
        if fault:
            raise fault.error


class MemoryOrders:
    """Orders in memory, as bytes; proved to be like MongoDB by test_orders_contract."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self._orders: dict[str, bytes] = {}
        self._holders: dict[str, str] = {}
        self._waiting: dict[Position, bytes] = {}
        self._epochs: Counter[int] = Counter()
        self._last_number = 0

    @property
    def all(self) -> list[Order]:
        """Every order, by id."""
        return [_decoded(stored) for _, stored in sorted(self._orders.items())]

    async def load(self, keys: Collection[str], ids: Collection[str] = (), most: int | None = None) -> list[Order]:
        """Every order that one of the keys or ids finds."""
        with self.faults("load"):
            found = {*(self._holders[key] for key in keys if key in self._holders), *ids}
            stored = [self._orders[id_] for id_ in sorted(found) if id_ in self._orders]
            if most is not None and sum(map(len, stored)) > most:
                raise TooLargeError
            return [_decoded(one) for one in stored]

    async def are_absent(self, keys: Sequence[str]) -> bool:
        """Whether no order has any of these keys."""
        with self.faults("are_absent"):
            return self._holders.keys().isdisjoint(keys)

    async def write(self, writes: Sequence[Write], *, alone: bool = False) -> Written:
        """Each order by itself; a fault of "store" comes between two of them."""
        with self.faults("write"), self.faults("write alone" if alone else "write together"):
            unstorable = tuple(write.after.id for write in writes if _is_unstorable(write.after))
            if unstorable:
                return Written(done=False, unstorable=unstorable)
            results = [self._store(write) for write in writes]
        taken = tuple(result for result in results if isinstance(result, str))
        return Written(done=all(result is True for result in results), taken=taken)

    async def take_numbers(self, count: int) -> range:
        """The next ones."""
        with self.faults("take_numbers"):
            self._last_number += count
            return range(self._last_number - count + 1, self._last_number + 1)

    async def raise_epoch(self, lane: int) -> int:
        """One more."""
        with self.faults("raise_epoch"):
            self._epochs[lane] += 1
            return self._epochs[lane]

    async def epoch_of(self, lane: int) -> int:
        """The epoch as it is now."""
        with self.faults("epoch_of"):
            return self._epochs[lane]

    async def waiting(self, lane: int) -> list[WaitingRecord]:
        """What waits, by position."""
        with self.faults("waiting"):
            stored = (bson.decode(self._waiting[position], CODEC) for position in sorted(self._waiting))
            return [to_waiting_record(document) for document in stored if document["lane"] == lane]

    async def write_fenced(self, fence: Fence, writes: Sequence[Write], waits: Changes) -> Written:
        """All or nothing."""
        with self.faults("write_fenced"):
            if self._epochs[fence.lane] != fence.epoch:
                raise FencedError
            unstorable = tuple(write.after.id for write in writes if _is_unstorable(write.after))
            if unstorable:
                return Written(done=False, unstorable=unstorable)
            before = dict(self._orders), dict(self._holders)
            for write in writes:
                result = self._store(write)
                if result is not True:
                    self._orders, self._holders = before
                    return Written(done=False, taken=(result,) if isinstance(result, str) else ())
            for position, waiting in waits.items():
                self._waiting.pop(position, None)
                if waiting:
                    self._waiting[position] = bson.encode(to_waiting_document(waiting))
            return Written(done=True)

    def _store(self, write: Write) -> bool | str:
        """Whether it is stored, or the key that another order has."""
        with self.faults("store"):
            id_, stored = write.after.id, self._orders.get(write.after.id)
            version = None if stored is None else _decoded(stored).ledger.version
            if version != (write.before and write.before.ledger.version):
                return False
            taken = next((key for key in write.after.lookup_keys if self._holders.get(key, id_) != id_), None)
            if taken is not None:
                return taken
            self._orders[id_] = encode(write.after)
            self._holders = {key: holder for key, holder in self._holders.items() if holder != id_}
            self._holders |= dict.fromkeys(write.after.lookup_keys, id_)
            return True


def _decoded(stored: bytes) -> Order:
    return to_order(bson.decode(stored, CODEC))


def _is_unstorable(order: Order) -> bool:
    try:
        encode(order)
    except UnstorableError:
        return True
    return False


class RecordingOutputs:
    """Keeps what was published; a fault of "publish" may lose it or only its acknowledgement."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self.events: list[Event] = []
        self.rejected: list[Answer] = []

    async def publish(self, events: Sequence[Event], rejected: Sequence[Answer]) -> None:
        """All of them."""
        with self.faults("publish"):
            self.events += events
            self.rejected += rejected


class MemoryGroup:
    """A consumer group with one member, as long as nobody says otherwise."""

    def __init__(self, faults: Faults | None = None) -> None:
        self.faults = faults or Faults()
        self.offsets: dict[Partition, int] = {}
        self.is_mine = True
        self.ends: dict[Partition, bool] = {}

    async def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """Of these partitions."""
        with self.faults("committed"):
            return {partition: self.offsets.get(partition, 0) for partition in partitions}

    async def confirms(self, offsets: Mapping[Partition, int]) -> bool:  # noqa: ARG002  # any offsets
        """As long as the partitions are ours."""
        with self.faults("confirms"):
            return self.is_mine

    async def is_at_end(self, partition: Partition) -> bool:
        """Unless somebody says otherwise."""
        return self.ends.get(partition, True)


class RecordingObserver:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.batches: list[Decided] = []
        self.unavailabilities: list[System] = []
        self.faults: list[str] = []
        self.stops: list[tuple[Position, str]] = []

    def batch_done(self, lane: int, decided: Decided, seconds: Mapping[str, float]) -> None:  # noqa: ARG002
        """Kept."""
        self.batches.append(decided)

    def unavailable(self, error: UnavailableError, attempt: int) -> None:  # noqa: ARG002
        """Kept."""
        self.unavailabilities.append(error.system)

    def available(self, system: System) -> None:
        """Not kept: it is told after every batch."""

    def failed(self, lane: int, reason: str, attempt: int) -> None:  # noqa: ARG002
        """Kept."""
        self.faults.append(reason)

    def stopped(self, lane: int, position: Position, reason: str) -> None:  # noqa: ARG002
        """Kept."""
        self.stops.append((position, reason))


class JumpingLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next thing to do: pauses between tries and patience cost no time."""

    _now = 0.0

    def time(self) -> float:
        """Seconds that would have passed."""
        return self._now

    def _run_once(self) -> None:
        ready: Any = getattr(self, "_ready")  # noqa: B009  # asyncio's own, which its types do not show
        scheduled: Any = getattr(self, "_scheduled")  # noqa: B009
        times = [timer.when() for timer in scheduled if not timer.cancelled()]
        if times and not ready:
            self._now = max(self._now, min(times))
        super()._run_once()  # type: ignore[misc]


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run it on a clock that jumps."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(coroutine)
