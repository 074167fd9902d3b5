"""A lane on fakes: whatever fails at whatever step, nothing is lost and nothing is decided twice (design 2 and 3)."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderstream.answers import Circumstances, Item, Write
from orderstream.batch import decide
from orderstream.commands import Kind, Record
from orderstream.decode import Contracts, decode
from orderstream.documents import encode
from orderstream.failpoints import Step
from orderstream.json_text import JsonObject
from orderstream.ledger import Partition
from orderstream.order import Decision, Ledger, Order, Position
from orderstream.pipeline import BATCH_RECORDS, Lane
from orderstream.settlement import Surroundings
from orderstream.trouble import UnavailableError
from tests.builders import NOW, a_create, a_message, an_update, pairs
from tests.fakes import Fault, Faults, MemoryGroup, MemoryOrders, RecordingObserver, RecordingOutputs, at_once

CREATES: Final[Partition] = ("order-create", 0)
UPDATES: Final[Partition] = ("order-update", 0)
PARK_SECONDS: Final = 600.0
PATIENCE: Final = 100_000.0  # seconds on the clock that jumps
MOST_LIVES: Final = 50

Sizes: TypeAlias = tuple[int, int]  # how many creates and updates are handed over together


def in_topic(records: Iterable[Record]) -> list[Record]:
    """The records at offsets 0, 1, 2 …"""
    return [record._replace(position=record.position._replace(offset=offset)) for offset, record in enumerate(records)]


class Bench:
    """Partition 0 of both topics, and the world around the lanes that live and die on it."""

    def __init__(self, creates: Iterable[Record] = (), updates: Iterable[Record] = (), *faults: Fault) -> None:
        self.logs = {CREATES: in_topic(creates), UPDATES: in_topic(updates)}
        self.faults = Faults(*faults)
        self.orders, self.outputs = MemoryOrders(self.faults), RecordingOutputs(self.faults)
        self.group, self.observer = MemoryGroup(self.faults), RecordingObserver()
        self.group.offsets = dict.fromkeys(self.logs, 0)
        self.meanwhile: dict[Step, Callable[[], object]] = {}
        self.lane: Lane
        self.lives = 0

    def open_lane(self, start: Mapping[Partition, int] | None = None) -> Lane:
        """A lane where the group has committed."""
        self.lives += 1
        assert self.lives < MOST_LIVES
        self.lane = Lane(0, start or self.group.offsets, self._surroundings())
        self.lane.start()
        return self.lane

    async def live(self, *portions: Sizes) -> "Bench":
        """One life of a lane: it gets portions of what it has not finished, each when the one before is finished."""
        self.open_lane()
        try:
            for sizes in portions or [(BATCH_RECORDS, BATCH_RECORDS)]:
                ends = self._accept(sizes)
                await self.until(lambda ends=ends: self.is_dead or self.lane.finished == ends)  # type: ignore[misc]
        finally:
            is_killed = self.is_dead
            await self.lane.drain(PATIENCE)
            if not is_killed:
                with suppress(KILL):  # which may come then too
                    await self.lane.forget()
        return self

    async def survive(self, portions: Iterable[Sizes] = ()) -> "Bench":
        """Life after life until everything is finished and nothing waits."""
        left = list(portions)
        while not self.is_done:
            await self.live(*left)
            left = []
        return self

    async def grow_old(self) -> "Bench":
        """A life that is long enough for everything that waits to be over."""
        while await self._entries():
            self.open_lane()
            await asyncio.wait([self.task], timeout=3 * PARK_SECONDS)
            await self.lane.drain(PATIENCE)
        return self

    async def _entries(self) -> Sequence[object]:
        return await self.orders.waiting(0)

    @property
    def task(self) -> "asyncio.Task[None]":
        task = self.lane._task
        assert task
        return task

    @property
    def is_dead(self) -> bool:
        return self.task.done()

    @property
    def is_done(self) -> bool:
        return all(self.group.offsets[partition] == len(log) for partition, log in self.logs.items())

    @property
    def order(self) -> Order:
        (order,) = self.orders.all
        return order

    def seen(self) -> dict[str, list[bytes]]:
        """What a subscriber makes of the events who drops what he has seen; repeats must have the same bytes."""
        seen: dict[str, list[bytes]] = {}
        for event in self.outputs.events:
            mine = seen.setdefault(event.order_id, [])
            if event.sequence > len(mine):
                assert event.sequence == len(mine) + 1
                mine.append(event.value)
            assert mine[event.sequence - 1] == event.value
        return seen

    def rejected(self) -> dict[Position, list[tuple[str, str]]]:
        """Every rejection once; repeats must say the same."""
        found: dict[Position, list[tuple[str, str]]] = {}
        for answer in self.outputs.rejected:
            told = pairs(answer.problems)
            assert found.setdefault(answer.record.position, told) == told
        return found

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.01)

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            orders=self.orders,
            outputs=self.outputs,
            observer=self.observer,
            group=self.group,
            contracts=Contracts(),
            create_topic=CREATES[0],
            park_seconds=PARK_SECONDS,
            now=lambda: NOW + timedelta(seconds=asyncio.get_running_loop().time()),
            reached=self._reach,
        )

    def _reach(self, step: Step) -> None:
        self.meanwhile.pop(step, lambda: None)()
        with self.faults(f"after {step}"):
            if step == "finish":
                self._commit()

    def _commit(self) -> None:
        """The committer beside the lanes; a fault leaves the offsets where they were."""
        try:
            with self.faults("commit"):
                self.group.offsets = dict(self.lane.finished)
                self.lane.committed.update(self.lane.finished)
        except UnavailableError:
            pass

    def _accept(self, sizes: Sizes) -> dict[Partition, int]:
        ends = {}
        for (partition, log), size in zip(self.logs.items(), sizes, strict=True):
            start = self.lane.finished[partition]
            self.lane.accept(log[start : start + size])
            ends[partition] = min(start + size, len(log))
        return ends


def statuses(*texts: str, ref: str = "W") -> list[Record]:
    return [a_message("order.patch", {"orderStatus": text}, order_ref=ref) for text in texts]


W: Final = a_message("order.create", {"orderRef": "W"})
WRONG: Final = a_message("order.patch", {"channel": "FAX"}, order_ref="W")
KILL: Final = asyncio.CancelledError
MONGO: Final = UnavailableError("mongo", "away")
KAFKA: Final = UnavailableError("kafka", "away")


def test_a_lane_writes_publishes_and_then_counts_the_records_as_finished() -> None:
    bench = at_once(Bench([W], [*statuses("SHIPPED"), WRONG]).live())

    assert (bench.order.revision, [len(seen) for seen in bench.seen().values()]) == (2, [2])
    assert bench.rejected() == {Position("order-update", 0, 1): [("FIELD_ENUM", "channel")]}
    assert bench.lane.finished == bench.group.offsets == {CREATES: 1, UPDATES: 2}


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault(method, nth, when, MONGO) for method in ("load", "write", "store") for nth in (1, 2)
          for when in ("before", "after")),
        *(Fault(method, 1, when, MONGO) for method in ("raise_epoch", "waiting") for when in ("before", "after")),
        *(Fault("publish", nth, when, KAFKA) for nth in (1, 2) for when in ("before", "after")),
        Fault("confirms", 1, "before", KAFKA),
    ],
    ids=lambda fault: f"{fault.method}-{fault.nth}-{fault.when}",
)  # fmt: skip
def test_trouble_is_retried_and_changes_nothing(fault: Fault) -> None:
    creates, updates = [W, W], [*statuses("SHIPPED"), WRONG, *statuses("COMPLETE")]
    calm = at_once(Bench(creates, updates).live((2, 1), (0, 2)))

    bench = at_once(Bench(creates, updates, fault).live((2, 1), (0, 2)))

    assert bench.faults.planned == {}
    assert (untold(calm), calm.seen(), calm.rejected()) == (untold(bench), bench.seen(), bench.rejected())
    assert bench.observer.unavailabilities == [fault.error.system]  # type: ignore[attr-defined]
    assert bench.lane.standing is None


def test_what_cannot_be_written_together_with_other_lanes_is_written_alone() -> None:
    in_company = [Fault("write together", nth, "before", MONGO) for nth in (1, 2)]

    bench = at_once(Bench([W], statuses("SHIPPED"), *in_company).live())

    assert [2] == [len(seen) for seen in bench.seen().values()]
    assert in_company[1:] == [*bench.faults.planned.values()]


def untold(bench: Bench) -> dict[str, tuple[Order, dict[Position, Decision]]]:
    """The orders without what depends on how often they were written."""
    return {
        order.id: (
            order._replace(ledger=Ledger(said=order.ledger.said, source_version=order.ledger.source_version)),
            {one.position: one._replace(revision=0, counts_from=None) for one in order.ledger.decisions},
        )
        for order in bench.orders.all
    }


@pytest.mark.parametrize("step", ["decode", "load", "decide", "write", "publish", "finish"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_lane_that_dies_after_any_step_leaves_everything_to_the_next(step: str, nth: int) -> None:
    creates, updates = [W], [*statuses("SHIPPED"), WRONG, *statuses("COMPLETE")]
    calm = at_once(Bench(creates, updates).live())

    bench = at_once(Bench(creates, updates, Fault(f"after {step}", nth, "before", KILL())).survive([(1, 2), (0, 1)]))

    assert bench.faults.planned == {}
    assert bench.lives == 2
    assert (untold(calm), calm.seen(), calm.rejected()) == (untold(bench), bench.seen(), bench.rejected())


def test_a_crash_between_the_writes_of_a_batch_is_mended() -> None:
    creates = [a_message("order.create", {"orderRef": ref}) for ref in "ABC"]
    calm = at_once(Bench(creates).live())

    bench = at_once(Bench(creates, [], Fault("store", 2, "after", KILL())).survive())

    assert (untold(calm), calm.seen()) == (untold(bench), bench.seen())


def test_offsets_advance_only_when_everything_is_published() -> None:
    bench = Bench([W], statuses("SHIPPED"), Fault("publish", 1, "before", KILL()))

    at_once(bench.live())

    assert bench.order.revision == 2
    assert bench.group.offsets == bench.lane.finished == {CREATES: 0, UPDATES: 0}


def test_what_was_not_committed_is_answered_again_with_the_same_bytes() -> None:
    bench = Bench([W], [WRONG], Fault("commit", 1, "before", MONGO))

    at_once(bench.survive())

    first, second = bench.outputs.events
    assert first == second._replace(again=None)
    assert second.again == "redelivery"
    assert len(bench.outputs.rejected) == 2


@pytest.mark.parametrize("step", ["decode", "load", "decide", "write", "publish"])
def test_a_fault_of_the_worker_is_told_and_tried_again(step: str) -> None:
    bench = Bench([W], statuses("SHIPPED"), Fault(f"after {step}", 1, "before", ZeroDivisionError("secret")))

    at_once(bench.live())

    (reason,) = bench.observer.faults
    assert reason.startswith("a fault of the worker itself: ZeroDivisionError at ")
    assert "secret" not in reason
    assert ([len(seen) for seen in bench.seen().values()], bench.lane.finished[UPDATES]) == ([2], 1)


def test_a_lane_that_is_drained_finishes_the_batch_in_hand_and_drops_the_rest() -> None:
    creates = [a_message("order.create", {"orderRef": f"{number}"}) for number in range(BATCH_RECORDS + 1)]
    bench = Bench(creates, [], *(Fault("publish", nth, "before", KAFKA) for nth in range(1, 20)))  # time to drain

    async def drained() -> None:
        bench.open_lane().accept(bench.logs[CREATES])
        await bench.until(lambda: len(bench.observer.unavailabilities) > 0)
        await bench.lane.drain(PATIENCE)

    at_once(drained())

    assert bench.lane.finished[CREATES] == len(bench.orders.all) == len(bench.outputs.events) == BATCH_RECORDS


def test_a_lane_that_cannot_finish_is_let_go_when_its_time_is_over() -> None:
    bench = Bench([W], [], *(Fault("publish", nth, "before", KAFKA) for nth in range(1, 1000)))

    async def drained() -> None:
        bench.open_lane().accept(bench.logs[CREATES])
        await bench.until(lambda: len(bench.observer.unavailabilities) > 0)
        await bench.lane.drain(8)

    at_once(drained())

    assert (bench.is_dead, bench.lane.finished[CREATES]) == (True, 0)
    assert bench.lane.standing == "kafka: away"


def test_a_full_lane_has_no_room() -> None:
    async def full() -> tuple[bool, bool]:
        lane = Bench().open_lane()
        before = lane.wants(Kind.CREATE)
        lane.accept(in_topic([W] * BATCH_RECORDS))
        return before, lane.wants(Kind.CREATE)

    assert at_once(full()) == (True, False)


def test_creates_are_decided_before_the_updates_that_came_with_them() -> None:
    bench = Bench([W], statuses("SHIPPED"))

    async def mixed() -> None:
        bench.open_lane().accept([*bench.logs[UPDATES], *bench.logs[CREATES]])
        await bench.until(lambda: bench.lane.finished == {CREATES: 1, UPDATES: 1})
        await bench.lane.drain(PATIENCE)

    at_once(mixed())

    (batch,) = bench.observer.batches
    assert [(answer.record.kind, answer.verdict) for answer in batch.answers] == [
        (Kind.CREATE, "applied"), (Kind.UPDATE, "applied"),
    ]  # fmt: skip


# What a lane finds in the store


def test_of_orders_that_are_too_large_together_a_few_are_loaded_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    creates = [a_message("order.create", {"orderRef": f"W{number}"}) for number in range(8)]
    updates = [a_message("order.patch", {"orderStatus": "SHIPPED"}, order_ref=f"W{number}") for number in range(8)]
    bench = at_once(Bench(creates, updates).live((8, 0)))
    loaded = sum(len(encode(order)) for order in bench.orders.all)
    monkeypatch.setattr("orderstream.settlement.MOST_LOADED", loaded // 2)

    at_once(bench.live((0, 8)))

    assert {"shipped"} == {order.status.fulfilment for order in bench.orders.all}
    assert [4, 4] == [len(batch.answers) for batch in bench.observer.batches[1:]]


def test_an_order_that_another_lane_changed_meanwhile_is_decided_again() -> None:
    bench = at_once(Bench([W], statuses("SHIPPED")).live((1, 0)))
    foreign = statuses("DISPUTED")[0]._replace(position=Position("order-update", 5, 3))
    item = Item(foreign, decode(foreign, Contracts()))
    (write,) = decide([item], bench.orders.all, Circumstances()).writes
    bench.meanwhile["load"] = lambda: bench.orders._store(write)

    at_once(bench.live())

    assert [change.cause.partition for change in bench.order.history] == [0, 5, 0]
    assert bench.order.status == ("in_progress", "unknown", "shipped")


def test_an_order_that_was_created_meanwhile_is_found() -> None:
    bench = Bench([W])
    foreign = W._replace(position=Position("order-create", 5, 3))
    (write,) = decide([Item(foreign, decode(foreign, Contracts()))], [], Circumstances()).writes
    bench.meanwhile["load"] = lambda: bench.orders._store(write)

    at_once(bench.live())

    assert [answer.verdict for answer in bench.observer.batches[0].answers] == ["unchanged"]
    assert len(bench.orders.all) == 1


def test_a_generated_number_that_is_taken_is_replaced_by_the_next() -> None:
    number = at_once(Bench([a_create("subscription")]).live()).order.refs["order_number"]
    bench = Bench([a_create("subscription")])
    thief = at_once(Bench([a_create("subscription", {"orderReference": "R"}, NOW + timedelta(days=1))]).live()).order
    key = f"subscription/{thief.tenant}/order-number/{number}"
    bench.orders._store(Write(None, thief._replace(lookup_keys=(key,))))

    at_once(bench.live())

    (created,) = [order for order in bench.orders.all if order.id != thief.id]
    assert created.refs["order_number"] == created.body["orderId"] != number


def test_an_order_that_no_document_can_hold_costs_only_its_own_message() -> None:
    members = [
        "cancelReason", "paymentMethod", "paymentProvider", "returnReason",  # stored once
        "email", "customerLocale", "ipAddress", "ipAddressCountry", "taxCategoryCode",
    ]  # fmt: skip
    patches = [a_message("order.patch", {name: "x" * 1_040_000}, order_ref="W") for name in members]
    bench = Bench(
        [W, a_message("order.create", {"orderRef": "V"})],
        [*patches, *statuses("SHIPPED"), *statuses("SHIPPED", ref="V")],
    )

    at_once(bench.survive([(2, 14)]))

    assert bench.rejected() == {Position("order-update", 0, 8): [("UNSTORABLE", "value")]}
    assert [order.status.fulfilment for order in bench.orders.all] == ["shipped", "shipped"]


def test_numbers_are_taken_once_for_each_new_order() -> None:
    creates = [
        a_create("shopping-cart", idempotency_key=f"{number:08x}-0000-4000-8000-000000000000") for number in range(3)
    ]

    bench = at_once(Bench(creates, [], Fault("write", 1, "after", MONGO)).live())

    assert {"1", "2", "3"} == {order.refs["order_id"] for order in bench.orders.all}
    assert all(order.body["orderId"] == int(str(order.refs["order_id"])) for order in bench.orders.all)


def test_a_named_owner_that_is_not_the_orders_is_refused_and_holds_up_nobody() -> None:
    bench = Bench([a_create("configurator")])
    at_once(bench.live())
    bench.logs[UPDATES] = in_topic([an_update(bench.order, "order.patch", {"name": "x"}, tenant="another")])

    at_once(bench.live())

    assert list(bench.rejected().values()) == [[("ORDER_NOT_FOUND", "headers.order-id")]]


# What never comes again comes again


def test_a_lane_stands_where_a_position_was_another_record() -> None:
    bench = at_once(Bench([W], statuses("SHIPPED")).live())
    bench.group.offsets[UPDATES] = 0
    bench.logs[UPDATES] = in_topic(statuses("COMPLETE"))

    at_once(bench.live())

    ((position, reason),) = bench.observer.stops
    assert position == Position("order-update", 0, 0)
    assert "was the topic made again?" in reason
    assert bench.lane.standing == reason
    assert bench.order.status.fulfilment == "shipped"


def test_a_late_lane_throws_away_what_others_have_done_long_ago() -> None:
    updates = [a_message("order.patch", {"totalItems": number}, order_ref="W") for number in range(60)]
    bench = at_once(Bench([W], updates).live(*[(1, 1)] * 61))
    committed = bench.group.offsets

    async def late() -> None:
        bench.open_lane({CREATES: 1, UPDATES: 0}).accept(bench.logs[UPDATES][:1])
        await bench.until(lambda: bench.is_dead)

    at_once(late())

    assert (bench.observer.stops, bench.group.offsets, bench.lane.finished[UPDATES]) == ([], committed, 0)


def test_a_late_lane_ends_though_nobody_says_at_once_that_it_is_late() -> None:
    updates = [a_message("order.patch", {"totalItems": number}, order_ref="W") for number in range(60)]
    bench = at_once(Bench([W], updates, Fault("committed", 1, "before", MONGO)).live(*[(1, 1)] * 61))

    async def late() -> None:
        bench.open_lane({CREATES: 1, UPDATES: 0}).accept(bench.logs[UPDATES][:1])
        await bench.until(lambda: bench.is_dead)

    at_once(late())

    assert bench.faults.planned == {}
    assert (bench.observer.stops, bench.task.exception()) == ([], None)


def test_a_lane_stands_where_offsets_went_back() -> None:
    updates = [a_message("order.patch", {"totalItems": number}, order_ref="W") for number in range(60)]
    bench = at_once(Bench([W], updates).live(*[(1, 1)] * 61))
    bench.group.offsets = {CREATES: 1, UPDATES: 0}

    at_once(bench.live((0, 1)))

    ((position, reason),) = bench.observer.stops
    assert (position, bench.order.revision) == (Position("order-update", 0, 0), 61)
    assert "older than the ledger" in reason


def test_a_lane_that_the_group_does_not_confirm_does_nothing() -> None:
    bench = Bench([W])
    bench.group.is_mine = False

    at_once(bench.live())

    assert (bench.orders.all, bench.is_dead, bench.observer.stops) == ([], True, [])


# Updates that wait


def test_what_came_before_its_create_is_taken_along_in_another_life() -> None:
    bench = Bench([W], statuses("IN_PROGRESS", "SHIPPED"))

    at_once(bench.live((0, 2)))
    parked = at_once(bench._entries())
    at_once(bench.live())
    at_once(bench.grow_old())

    assert len(parked) == 2
    assert [change.cause for change in bench.order.history] == [
        ("order-create", 0, 0),
        ("order-update", 0, 0),
        ("order-update", 0, 1),
    ]
    assert len(bench.outputs.events) == 3


def test_an_update_waits_its_time_and_not_longer() -> None:
    bench = Bench([], statuses("SHIPPED"))

    at_once(bench.live())
    at_once(bench.grow_old())

    assert list(bench.rejected().values()) == [[("ORDER_NOT_FOUND", "headers.order-ref")]]
    assert at_once(bench._entries()) == []


@pytest.mark.parametrize("partition", [CREATES, UPDATES])
@pytest.mark.parametrize(
    ("is_at_end", "read_until", "entries"),
    [
        (True, timedelta(), 0),
        (False, timedelta(), 1),  # its create, or an update that brings its address, may be in the backlog
        (False, timedelta(seconds=PARK_SECONDS - 1), 1),
        (False, timedelta(seconds=PARK_SECONDS), 0),
    ],
)
def test_an_update_waits_until_both_topics_are_read_as_far_as_it_may_wait(
    partition: Partition,
    is_at_end: bool,  # noqa: FBT001
    read_until: timedelta,
    entries: int,
) -> None:
    create, update = (
        one._replace(at=NOW + read_until) for one in (a_message("order.create", {"orderRef": "V"}), WRONG)
    )
    bench = Bench([create], [*statuses("SHIPPED"), update])
    bench.group.ends[partition] = is_at_end

    async def old() -> None:
        await bench.live((0, 1))
        bench.open_lane().accept(bench.logs[CREATES] if partition == CREATES else bench.logs[UPDATES][1:])
        await asyncio.wait([bench.task], timeout=3 * PARK_SECONDS)
        await bench.lane.drain(PATIENCE)

    at_once(old())

    waiting = Position(*UPDATES, 0)
    assert entries == len(at_once(bench._entries())) == 1 - len({waiting} & bench.rejected().keys())


@pytest.mark.parametrize(("bound", "most"), [("MOST_WAITING", 1), ("MOST_WAITING_BYTES", 30)])
def test_no_more_updates_are_read_while_too_many_wait_and_creates_are_to_come(
    bound: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"orderstream.waiting.{bound}", most)
    bench = Bench([W], [*statuses("SHIPPED"), a_message("order.patch", {"email": "x"}, order_ref="V")])
    bench.group.ends[CREATES] = False
    wanted: list[bool] = []

    async def backlog() -> None:
        lane = bench.open_lane()
        for number, partition in enumerate((UPDATES, CREATES)):
            lane.accept(bench.logs[partition])
            await bench.until(lambda: lane.finished[partition] == len(bench.logs[partition]))  # noqa: B023
            await asyncio.sleep(PARK_SECONDS / 2)
            wanted.extend(lane.wants(kind) for kind in (Kind.CREATE, Kind.UPDATE))
            bench.group.ends[CREATES] = bool(number)
        await lane.drain(PATIENCE)

    at_once(backlog())

    assert ([True, False, True, True], {}) == (wanted, bench.rejected())
    assert bench.order.status.fulfilment == "shipped"


def test_the_oldest_updates_make_room_when_too_many_wait_and_all_creates_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("orderstream.waiting.MOST_WAITING", 2)
    updates = [a_message("order.patch", {"email": "x"}, order_ref=f"{ref}") for ref in range(5)]
    bench = Bench([], updates)

    for _ in updates:
        at_once(bench.live((0, 1)))

    assert [(*UPDATES, offset) for offset in range(3)] == sorted(bench.rejected())
    assert [3, 4] == [waiting.record.position.offset for waiting in at_once(bench.orders.waiting(0))]


def test_clean_stops_repeat_nothing() -> None:
    wrong = a_message("entry.update", {"quantity": 1}, order_ref="W", entry_ref="9")
    bench = Bench([W], [*statuses("IN_PROGRESS", "SHIPPED"), wrong, *statuses("COMPLETE"), WRONG])

    for portion in ((0, 2), (0, 1), (1, 0), (0, 1), (0, 1)):
        at_once(bench.live(portion))
    at_once(bench.live())

    assert [event.sequence for event in bench.outputs.events] == [1, 2, 3, 4]
    assert [answer.record.position.offset for answer in bench.outputs.rejected] == [2, 4]
    assert {event.again for event in bench.outputs.events} == {None}


def test_what_waits_for_a_large_order_is_taken_along_in_portions_that_repeat_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("orderstream.batch.MOST_FOLDED", 1)  # byte: one update is enough
    wrong = a_message("entry.update", {"quantity": 1}, order_ref="W", entry_ref="9")
    bench = Bench([W], [*statuses("IN_PROGRESS", "SHIPPED"), wrong, *statuses("COMPLETE")])

    at_once(bench.live((0, 4), (1, 0)))
    at_once(bench.grow_old())

    assert [event.sequence for event in bench.outputs.events] == [1, 2, 3, 4]
    assert [answer.record.position.offset for answer in bench.outputs.rejected] == [2]
    assert [len(batch.taken) for batch in bench.observer.batches[1:]] == [1, 1, 1, 1]
    assert [answer.repeated for batch in bench.observer.batches for answer in batch.answers] == [False] * 5


@pytest.mark.parametrize("method", ["write_fenced", "publish"])
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("folded", [1, 2**20])
def test_a_crash_while_updates_wait_loses_none_of_them(
    method: str, nth: int, when: str, folded: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orderstream.batch.MOST_FOLDED", folded)
    updates = [*statuses("SHIPPED"), a_message("entry.update", {"quantity": 1}, order_ref="W", entry_ref="9")]
    calm = at_once(at_once(Bench([W], updates).live((1, 2))).grow_old())

    bench = Bench([W], updates, Fault(method, nth, when, KILL()))  # type: ignore[arg-type]
    at_once(bench.survive([(0, 1), (0, 1), (1, 0)]))
    at_once(bench.grow_old())

    assert (untold(calm), calm.seen(), calm.rejected()) == (untold(bench), bench.seen(), bench.rejected())
    assert at_once(bench._entries()) == []


def test_a_fenced_lane_that_still_owns_its_partition_begins_again() -> None:
    bench = Bench([W], statuses("SHIPPED"))
    at_once(bench.live((0, 1)))

    async def fenced() -> None:
        lane = bench.open_lane()
        await bench.until(lambda: bool(lane._parked.entries))
        await bench.orders.raise_epoch(0)
        bench.lane.accept(bench.logs[CREATES])
        await bench.until(lambda: bench.lane.finished[CREATES] == 1)
        await bench.lane.drain(PATIENCE)

    at_once(fenced())

    assert bench.order.status.fulfilment == "shipped"


def test_a_line_that_a_waiting_update_brings_may_be_another_orders() -> None:
    taken = a_message("order.create", {"orderRef": "V", "orderLines": [{"id": "7"}]})
    bench = Bench([taken, W], [a_message("entry.create", {"id": "7"}, order_ref="W")])

    at_once(bench.live((1, 1), (1, 0)))

    assert list(bench.rejected().values()) == [[("DUPLICATE_ENTRY", "id")]]


def test_an_update_that_waits_and_is_still_to_come_again_is_decided_in_its_turn() -> None:
    bench = Bench([W], statuses("IN_PROGRESS", "SHIPPED"), Fault("commit", 1, "before", KAFKA))

    at_once(bench.live((0, 2)))
    at_once(bench.live((1, 1), (0, 1)))

    assert [change.cause.offset for change in bench.order.history] == [0, 0, 1]
    assert [change.native["orderStatus"] for change in bench.order.history[1:]] == ["IN_PROGRESS", "SHIPPED"]


def test_a_refusal_because_of_another_order_stands_when_that_one_changes_in_the_same_batch() -> None:
    creates = [a_message("order.create", {"orderRef": ref, "orderLines": [{"id": ref}]}) for ref in "AB"]
    updates = [
        a_message("entry.update", {"quantity": 2}, order_ref="B", entry_id="A"),
        a_message("entry.delete", {}, order_ref="A", entry_id="A"),
        a_message("order.patch", {"orderLines": [{"id": "A"}]}, order_ref="B"),
    ]

    bench = at_once(Bench(creates, updates).live((2, 0), (0, 3)))

    assert list(bench.rejected().values()) == [[("IDENTITY_CONFLICT", "headers.entry-id")]]
    assert [order.revision for order in bench.orders.all] == [2, 2]


# Histories with crashes


REFS: Final = ("A", "B", "C")
SEEN: Final = "11111111-1111-4111-8111-111111111111"
FIRST: Final = [
    {"orderRef": ref, "orderLines": [{"id": f"own-{ref}", "productRef": "p"}], "orderStatus": "CREATED"} for ref in REFS
]
STATUSES: Final = st.sampled_from(["SHIPPED", "COMPLETE", "CREATED", "FAX"])
BESIDES: Final = st.fixed_dictionaries(
    {
        "source_version": st.none() | st.sampled_from("1234"),
        "idempotency_key": st.none() | st.sampled_from([SEEN, SEEN.replace("1", "2")]),
    }
)


@st.composite
def updates_of(draw: st.DrawFn, lines: Sequence[str], refs: Sequence[str] = REFS) -> Record:
    """An update of one of the orders, or of none."""
    ref = draw(st.sampled_from(refs))
    line = draw(st.sampled_from([one.replace("?", ref) for one in lines]))
    choices: list[tuple[str, JsonObject, dict[str, str]]] = [
        ("order.patch", {"orderStatus": draw(STATUSES)}, {"order_ref": ref}),
        ("order.replace", {"orderStatus": draw(STATUSES)}, {"order_ref": ref}),
        ("order.patch", {"orderLines": [{"id": line}]}, {"order_ref": ref}),
        ("order.delete", {}, {"order_ref": ref}),
        ("entry.create", {"id": line, "quantity": 1}, {"order_ref": ref}),
        ("entry.update", {"quantity": 2}, {"order_ref": ref, "entry_id": line}),
        ("entry.delete", {}, {"order_ref": ref, "entry_id": line}),
        ("entry.delete", {}, {"entry_id": f"own-{ref}"}),
    ]
    operation, value, named = draw(st.sampled_from(choices))
    return a_message(operation, value, **named, **draw(BESIDES))


CREATES_AGAIN: Final = st.lists(
    st.sampled_from([*FIRST, {**FIRST[0], "email": "x"}, {"orderRef": "D", "channel": "FAX"}]).map(
        lambda value: a_message("order.create", value)  # type: ignore[arg-type]
    ),
    max_size=4,
)
KILLS: Final = st.lists(
    st.builds(
        Fault,
        st.sampled_from(
            ["after load", "after decide", "write", "store", "write_fenced", "publish", "commit", "after finish"]
        ),
        st.integers(1, 12),
        st.sampled_from(["before", "after"]),
        st.sampled_from([KILL(), KILL(), MONGO, KAFKA]),
    ),
    max_size=6,
    unique_by=lambda fault: (fault.method, fault.nth),
)
PORTIONS: Final = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6)), max_size=12)


@settings(max_examples=60, deadline=None)
@given(CREATES_AGAIN, st.lists(updates_of(["7", "8", "own-A"]), max_size=25), PORTIONS, KILLS)
def test_crashes_change_nothing_where_orders_quarrel_about_lines(
    creates: list[Record], updates: list[Record], portions: list[Sizes], kills: list[Fault]
) -> None:
    firsts = [a_message("order.create", value) for value in FIRST]  # type: ignore[arg-type]
    calm = at_once(Bench([*firsts, *creates], updates).survive([(3, 0), *[(1, 1)] * 30]))

    bench = Bench([*firsts, *creates], updates, *kills)
    at_once(bench.survive([(3, 0)]))
    at_once(bench.survive(portions))

    assert (untold(calm), calm.seen(), calm.rejected()) == (untold(bench), bench.seen(), bench.rejected())


@settings(max_examples=60, deadline=None)
@given(
    CREATES_AGAIN, st.lists(updates_of(["7-?", "8-?", "own-?"], ["A", "B", "C", "none"]), max_size=25), PORTIONS, KILLS
)
def test_crashes_change_nothing_where_updates_come_before_their_creates(
    creates: list[Record], updates: list[Record], portions: list[Sizes], kills: list[Fault]
) -> None:
    firsts = [a_message("order.create", value) for value in FIRST]  # type: ignore[arg-type]
    calm = at_once(at_once(Bench([*firsts, *creates], updates).survive([(9, 0)])).grow_old())

    bench = Bench([*firsts, *creates], updates, *kills)
    at_once(bench.survive(portions))
    at_once(bench.grow_old())

    assert (untold(calm), calm.seen(), calm.rejected()) == (untold(bench), bench.seen(), bench.rejected())
