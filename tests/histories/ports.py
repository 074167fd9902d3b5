"""The ports of one process: the fakes that all processes share, at the other end of its wire."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from orderstream.answers import Answer, Write
from orderstream.ledger import Partition
from orderstream.order import Order
from orderstream.parking import Changes
from orderstream.ports import Fence, WaitingRecord, Written
from orderstream.status_event import Event
from orderstream.trouble import UnavailableError
from tests.fakes import MemoryOrders, RecordingOutputs
from tests.histories.group import Group, Membership
from tests.histories.process import Process
from tests.histories.wire import Request, Wire


class WiredOrders:
    """MongoDB as this process has it."""

    def __init__(self, orders: MemoryOrders, wire: Wire) -> None:
        self._orders, self._wire = orders, wire

    async def load(self, keys: Collection[str], ids: Collection[str], most: int | None = None) -> list[Order]:
        """Changes nothing."""
        return await self._wire.ask(_read("loads"), partial(self._orders.load, keys, ids, most))

    async def are_absent(self, keys: Sequence[str]) -> bool:
        """Changes nothing."""
        return await self._wire.ask(_read("has nobody", *keys), partial(self._orders.are_absent, keys))

    async def write(self, writes: Sequence[Write], *, alone: bool = False) -> Written:  # noqa: ARG002  # always is
        """Any of the orders may be stored when it breaks off."""
        if not writes:
            return Written(done=True)
        some = partial(self._orders.write, self._wire.trouble.some(writes))
        return await self._wire.ask(Request("mongo", "writes", (writes,)), partial(self._orders.write, writes), some)

    async def take_numbers(self, count: int) -> range:
        """Numbers may be lost."""
        return await self._wire.ask(Request("mongo", "takes numbers"), partial(self._orders.take_numbers, count))

    async def raise_epoch(self, lane: int) -> int:
        """It may be raised and nobody knows to what."""
        return await self._wire.ask(Request("mongo", "raises epoch", (lane,)), partial(self._orders.raise_epoch, lane))

    async def epoch_of(self, lane: int) -> int:
        """Changes nothing."""
        return await self._wire.ask(_read("looks at epoch", lane), partial(self._orders.epoch_of, lane))

    async def waiting(self, lane: int) -> list[WaitingRecord]:
        """Changes nothing."""
        return await self._wire.ask(_read("loads what waits for", lane), partial(self._orders.waiting, lane))

    async def write_fenced(self, fence: Fence, writes: Sequence[Write], waits: Changes) -> Written:
        """A transaction: all or nothing, and over before a later one of the lane, which changes the same document."""
        values = (fence, writes, dict(waits))
        request = Request("mongo", "writes fenced", values, may_be_late=False)
        return await self._wire.ask(request, partial(self._orders.write_fenced, fence, writes, waits))


class WiredOutputs:
    """The output topics as this process has them."""

    def __init__(self, outputs: RecordingOutputs, wire: Wire) -> None:
        self._outputs, self._wire = outputs, wire

    async def publish(self, events: Sequence[Event], rejected: Sequence[Answer]) -> None:
        """When it breaks off, the first events of every order may be out, and any rejections."""
        some = partial(self._outputs.publish, self._beginnings(events), self._wire.trouble.some(rejected))
        request = Request("kafka", "publishes", (events, rejected))
        await self._wire.ask(request, partial(self._outputs.publish, events, rejected), some)

    def _beginnings(self, events: Sequence[Event]) -> list[Event]:
        """An order's events stand in one partition, where they arrive in their order or not at all."""
        by_order: dict[str, list[Event]] = defaultdict(list)
        for event in events:
            by_order[event.order_id].append(event)
        left = {id_: self._wire.trouble.chance.randint(0, len(mine)) for id_, mine in by_order.items()}
        return [event for id_, mine in by_order.items() for event in mine[: left[id_]]]


class WiredGroup:
    """The group as this process, its member, has it, and the checkpoints that lie in MongoDB."""

    def __init__(self, group: Group, wire: Wire, process: Process, end_of: Callable[[Partition], int]) -> None:
        self.membership = Membership(process.name, 0)
        self.handed: dict[Partition, int] = {}  # how far the lanes have been given records
        self._group, self._wire, self._process, self._end_of = group, wire, process, end_of

    async def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """The checkpoints; changes nothing."""

        async def kept() -> Mapping[Partition, int]:
            return {partition: self._group.kept[partition] for partition in partitions}

        return await self._wire.ask(_read("asks for checkpoints"), kept)

    async def keep(self, offsets: Mapping[Partition, int]) -> None:
        """Checkpoints only grow, whoever sets them."""
        asked = dict(offsets)

        async def keep() -> None:
            self._group.keep(asked)

        await self._wire.ask(Request("mongo", "keeps", (asked,)), keep)

    async def confirms(self, offsets: Mapping[Partition, int]) -> bool:
        """A commit; it cannot come after a later one of the same member, who has one connection."""
        if self._process.is_cut_off:
            raise UnavailableError("kafka", "cut off")
        mine, asked = self.membership, dict(offsets)

        async def commit() -> bool:
            return self._group.commit(mine, asked)

        return await self._wire.ask(Request("kafka", "commits", (asked,), may_be_late=False), commit)

    async def is_at_end(self, partition: Partition) -> bool:
        """Known without asking."""
        return self.handed[partition] >= self._end_of(partition)


def _read(what: str, *values: object) -> Request:
    return Request("mongo", what, values, changes=False)
