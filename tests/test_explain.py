"""What happened to one order, told to people and programs out of real servers."""

import json
import re
from collections.abc import AsyncIterator, Collection
from re import Pattern
from typing import Any, get_args

import pytest
from aiokafka import AIOKafkaProducer

from orderstream.answers import Write
from orderstream.cli.explain import explain, look_up
from orderstream.cli.show import Target, stored_orders
from orderstream.commands import Command, Record
from orderstream.decode import Contracts, decode
from orderstream.json_text import JsonObject
from orderstream.mongo import Driver
from orderstream.order import Order, Position
from orderstream.parking import Mark, Parked, Waiting
from orderstream.ports import Fence, WaitingRecord
from orderstream.problems import Code, Problem
from orderstream.rejected import rejected_message
from orderstream.settings import Settings
from orderstream.terminal import FailedError
from orderstream.topics import TopicsMissingError
from orderstream.trouble import UnavailableError
from tests.builders import NOW, Given, a_create, an_update
from tests.programs import run
from tests.worker import Sent, a_worker, caught_up, send

REF = "WEB-2026-1042"
KEY = f"wishlist/example-retailer/order-ref/{REF}"
NAMED = Target(REF, None, None)
PAID: JsonObject = {"paymentStatus": "PAID"}
MISTYPED = (Problem(Code.FIELD_TYPE, "email", "must be a text"), Problem(Code.FIELD_UNKNOWN, "x", "is not known"))
NOT_FOUND = Problem(Code.ORDER_NOT_FOUND, "headers.order-ref", "names no order of this tenant")


def a_paid_order() -> Order:
    given = Given(a_create("wishlist"))
    given.when(an_update(given.order, "order.patch", PAID))
    return given.order


def an_early_update(offset: int = 7, partition: int = 0) -> Record:
    record = an_update(a_paid_order(), "order.patch", PAID, order_id=None, order_ref=REF)
    return record._replace(position=Position("order-update", partition, offset))


def parked(record: Record) -> Parked:
    command = decode(record, Contracts())
    assert isinstance(command, Command)
    return Parked(record, command, NOW)


async def keep(settings: Settings, order: Order | None = None, *waiting: Waiting) -> None:
    async with stored_orders(settings) as orders:
        await orders.prepare(settings.group)
        if order:
            assert (await orders.write([Write(None, order)])).done
        for one in waiting:
            fence = Fence(0, await orders.raise_epoch(0))
            assert (await orders.write_fenced(fence, (), {one.record.position: one})).done


async def refuse(settings: Settings, *records: Record) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    try:
        for record in records:
            message = rejected_message(record, MISTYPED, 2, NOW, 2**20)
            topic, headers = settings.topic_rejected, list(message.headers)
            await producer.send_and_wait(topic, message.value, key=message.key, headers=headers)
    finally:
        await producer.stop()


async def told(
    settings: Settings, capsys: pytest.CaptureFixture[str], target: Target = NAMED, *, rejected: bool = False
) -> list[str]:
    await explain(settings, target, as_json=False, rejected=rejected)
    return [line for line in capsys.readouterr().out.splitlines() if line]


async def answered(
    settings: Settings, capsys: pytest.CaptureFixture[str], target: Target = NAMED, *, rejected: bool = False
) -> dict[str, Any]:
    await explain(settings, target, as_json=True, rejected=rejected)
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


async def test_people_see_first_what_the_order_is_and_its_state(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(settings, order := a_paid_order())

    title, state, head, *_ = await told(settings, capsys)

    status = "order created, payment paid, fulfilment unfulfilled"
    assert f"wishlist order {REF} of example-retailer: {status}" == title
    assert f"id {order.id}, revision 2, 2 status events, last changed 2026-11-21T10:15:30.123Z" == state
    assert ["time", "message", "rev", "what became of it"] == re.split(" {2,}", head)


async def test_people_see_what_became_of_each_message(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    await keep(settings, order := a_paid_order())

    _, _, _, create, paid, *_ = await told(settings, capsys)

    assert "2026-11-21T10:15:30.123Z  order-create/0/1  1    applied: order created, payment unpaid" in create
    assert create.endswith(f"; event {order.id}:1")
    assert paid.endswith(f"order-update/0/1  2    applied: payment unpaid → paid; event {order.id}:2")


async def test_people_see_that_a_deleted_order_is_deleted(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    given = Given(a_create("wishlist"))
    given.when(an_update(given.order, "order.delete"))
    await keep(settings, given.order)

    title, *_, last, _ = await told(settings, capsys)

    assert "of example-retailer: deleted 2026-11-21T10:15:30.123Z, before that order created, payment unpaid" in title
    assert f"order-update/0/1  2    applied: deleted; event {given.order.id}:2" in last


async def test_people_see_why_nothing_changed_and_what_was_wrong(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    given = Given(a_create("wishlist"), a_create("wishlist"))
    given.when(an_update(given.order, "order.patch", {"totalAmount": 1}, replay_of="order-update/0/\x1b"))
    await keep(settings, given.order)

    *_, repeat, wrong, _ = await told(settings, capsys)

    assert f"unchanged: it repeats the create; event {given.order.id}:1 went out again" in repeat
    assert r"rejected: RULE_VIOLATION at totalAmount; replay of order-update/0/\x1b" in wrong


async def test_people_are_told_what_is_no_longer_kept(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    given = Given(a_create("wishlist"))
    for number in range(53):
        given.when(an_update(given.order, "order.patch", {"email": str(number)}))
    await keep(settings, given.order)

    _, _, _, create, first, *_, forgotten, _ = await told(settings, capsys)

    assert create.endswith(f"fulfilment unfulfilled; event {given.order.id}:1; details no longer kept")
    assert first.endswith("order-update/0/4   5    applied: no status changed")
    assert (
        "up to order-create/0/1, order-update/0/3, only those with an event are sure to be told; 3 changes" in forgotten
    )


@pytest.mark.parametrize("driver", get_args(Driver))
async def test_updates_that_wait_are_told_before_their_order_comes(
    settings: Settings, capsys: pytest.CaptureFixture[str], driver: Driver
) -> None:
    settings = settings.model_copy(update={"mongo_driver": driver})
    await keep(settings, None, parked(an_early_update(7)), parked(an_early_update(8)))

    for target in (NAMED, Target(REF, "wishlist", None), Target(REF, None, "example-retailer")):
        title, _, first, second, _ = await told(settings, capsys, target)

        assert f"no order is known as {target}, but 2 updates wait for it since 2026-11-21T10:15:30.123Z" == title
        assert first.endswith(f"parked since 2026-11-21T10:15:30.123Z, waits for {KEY}")
        assert "order-update/0/8" in second


async def test_an_update_that_waits_is_found_by_its_position_which_the_log_has(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(settings, None, parked(an_early_update(7)), parked(an_early_update(8)), Mark(an_early_update(9), None))

    title, _, waits, _ = await told(settings, capsys, Target("order-update/0/8", None, None))

    assert "order-update/0/8 waits for its order since 2026-11-21T10:15:30.123Z" == title
    assert waits.endswith(f"waits for {KEY}")
    with pytest.raises(FailedError):
        await explain(settings, Target("order-update/0/9", None, None), as_json=False, rejected=False)


@pytest.mark.parametrize(
    "target", [Target("WEB", None, None), Target(REF, "subscription", None), Target(REF, None, "other")]
)
async def test_what_waits_for_another_order_is_not_told(settings: Settings, target: Target) -> None:
    await keep(settings, None, parked(an_early_update()), Mark(an_early_update(8), None, problems=(NOT_FOUND,)))

    with pytest.raises(FailedError) as raised:
        await explain(settings, target, as_json=False, rejected=False)

    assert f"no order is known as {target}, and no update waits for it; --rejected looks into" in str(raised.value)


async def test_an_update_in_another_lane_than_its_order_says_why_it_waits(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(settings, a_paid_order(), parked(an_early_update(partition=3)))

    _, _, waits, *_, last, _ = await told(settings, capsys)

    assert "1 update waits for it since 2026-11-21T10:15:30.123Z" == waits
    assert "order-update/3/7       parked since" in last
    assert "it waits in another partition than its order's create: its producer used another record key" in last


async def test_an_update_that_waited_in_vain_is_told_until_it_stands_in_the_rejected_topic(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(settings, None, Mark(an_early_update(), None, problems=(NOT_FOUND,), problem_count=1))

    title, _, row, _ = await told(settings, capsys)

    assert f"no order is known as {REF}; messages that name it were refused" == title
    assert "rejected: ORDER_NOT_FOUND at headers.order-ref; its event or rejection may not be out yet" in row


async def test_an_update_that_no_order_took_is_told_of_the_order_that_it_named(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(settings, a_paid_order(), Mark(an_early_update(), None, problems=(NOT_FOUND,), problem_count=1))

    *_, last, _ = await told(settings, capsys)

    assert "order-update/0/7       rejected: ORDER_NOT_FOUND at headers.order-ref" in last


async def test_refused_messages_are_told_when_asked_for(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    await keep(settings, a_paid_order())
    other = an_update(a_paid_order(), "order.patch", {}, order_id="6" * 24)._replace(key=b"other")
    await refuse(settings, an_early_update(7), an_early_update(7), other)

    quiet, loud = await told(settings, capsys), await told(settings, capsys, rejected=True)

    rows = [line for line in loud if "order-update/0/7" in line]
    assert ["rejected: FIELD_TYPE at email, FIELD_UNKNOWN at x; named it at headers.order-ref"] == [
        row.split("  ", 2)[2].strip() for row in rows
    ]
    assert len(quiet) + 1 == len(loud)
    assert f"stand in {settings.topic_rejected} and are not told" in quiet[-1]
    assert f"{settings.topic_rejected} was searched, 3 messages, for ids and references" in loud[-1]


async def test_an_order_whose_create_was_refused_is_told_from_the_rejected_topic(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await refuse(settings, a_create("wishlist"))

    answer = await answered(settings, capsys, rejected=True)

    assert (None, 1) == (answer["order"], answer["refused_searched"])
    (message,) = answer["messages"]
    assert ("rejected", "rejected-topic", ["orderRef"]) == (
        message["decision"],
        message["source"],
        message["found_by"],
    )
    assert ["FIELD_TYPE", "FIELD_UNKNOWN"] == [problem["code"] for problem in message["problems"]]


async def test_nothing_at_all_is_one_sentence(settings: Settings) -> None:
    await keep(settings)

    with pytest.raises(FailedError) as raised:
        await explain(settings, NAMED, as_json=True, rejected=True)

    topic = settings.topic_rejected
    expected = f"no order is known as {REF}, no update waits for it, and none of 0 messages in {topic} names it"
    assert expected == str(raised.value)


async def test_what_mongodb_knows_is_told_when_kafka_is_away(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await keep(settings, a_paid_order())
    away = settings.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
    absent = settings.model_copy(update={"topic_rejected": "absent"})

    with pytest.raises(UnavailableError):
        await explain(away, NAMED, as_json=False, rejected=True)
    assert "order-update/0/1  2    applied" in capsys.readouterr().out
    with pytest.raises(TopicsMissingError):
        await explain(absent, NAMED, as_json=True, rejected=True)
    assert json.loads(capsys.readouterr().out)["refused_searched"] is None


class _InMotion:
    """A store in which the create comes and takes the update along while it is asked."""

    def __init__(self) -> None:
        self._order = a_paid_order()
        self._came = False

    async def load(self, keys: Collection[str], ids: Collection[str] = ()) -> list[Order]:  # noqa: ARG002
        return [self._order] if self._came and not self._order_keys().isdisjoint(keys) else []

    def _order_keys(self) -> set[str]:
        return set(self._order.lookup_keys)

    async def load_shared(self, ref: str) -> list[Order]:  # noqa: ARG002
        return []

    async def scopes(self, dialect: str | None) -> AsyncIterator[str]:  # noqa: ARG002
        yield "wishlist/example-retailer"

    async def waiting_for(
        self,
        keys: Collection[str | Pattern[str]],  # noqa: ARG002
        order_id: str | None,  # noqa: ARG002
    ) -> list[WaitingRecord]:
        waiting = [] if self._came else [WaitingRecord(an_early_update(1), NOW, None)]
        self._came = True
        return waiting


async def test_an_update_that_is_taken_along_meanwhile_is_not_lost_from_sight() -> None:
    known = await look_up(_InMotion(), NAMED)

    assert known.order
    assert [1, 1] == [decision.position.offset for decision in known.order.ledger.decisions]
    assert [] == known.waiting


async def test_what_a_worker_did_is_told(settings: Settings) -> None:
    headers = {"dialect": "wishlist", "tenant": "acme"}
    update = {**headers, "message-type": "order-update", "operation": "order.patch", "order-ref": "W-1"}
    async with a_worker(settings):
        positions = await send(settings, [a_message("update", update, {"orderStatus": "COMPLETE"})])
        await caught_up(settings)
        waits = await run(settings, "explain", "W-1", "--json")
        positions += await send(
            settings,
            [
                a_message("create", {**headers, "message-type": "order-create"}, {"orderRef": "W-1"}),
                a_message("update", update, {"email": 1}),
            ],
        )
        await caught_up(settings)
        came = await run(settings, "explain", "W-1", "--json", "--rejected")

    assert [(positions[0], "parked")] == decisions(waits.out)
    expected = [(positions[1], "applied"), (positions[0], "applied"), (positions[2], "rejected")]
    assert expected == decisions(came.out)
    taken = next(each for each in json.loads(came.out)["messages"] if each["position"] == positions[0])
    assert (positions[1], 2) == (taken["waited_until"], taken["revision"])


def a_message(topic: str, headers: dict[str, str], value: JsonObject) -> Sent:
    sent = tuple((name, text.encode()) for name, text in headers.items())
    return Sent(topic, b"W-1", json.dumps(value).encode(), sent)


def decisions(out: str) -> list[tuple[str, str]]:
    return [(each["position"], each["decision"]) for each in json.loads(out)["messages"]]
