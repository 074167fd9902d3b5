"""Status events for subscribers in Python: read strictly, each once, gaps told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord

from orderstream.consumer import following
from orderstream.events import NotAnEventError, Received, Sequences, StatusEvent, Unreadable, events, status_event
from orderstream.order import NEW, Order, Position
from orderstream.settings import Settings
from orderstream.status_event import event_of
from orderstream.topics import TopicsMissingError, inspected
from tests.builders import NOW, Given, a_create, an_update


def an_order(*statuses: str) -> Order:
    """A wishlist order that had these statuses one after the other; "deleted" ends it."""
    given = Given(a_create("wishlist", {"orderStatus": "CREATED"}))
    for status in statuses:
        if status == "deleted":
            given.when(an_update(given.order, "order.delete"))
        else:
            given.when(an_update(given.order, "order.patch", {"orderStatus": status}))
    return given.order


def value(order: Order, sequence: int = 1) -> bytes:
    return event_of(order, sequence).value


def the_event(order: Order, sequence: int = 1) -> StatusEvent:
    return status_event(value(order, sequence))


def a_record(value: bytes | None, offset: int = 0) -> "ConsumerRecord[bytes, bytes]":
    return ConsumerRecord("status", 3, offset, 0, 0, None, value, None, 0, 0, ())


async def arriving(values: Iterable[bytes | None]) -> AsyncIterator["ConsumerRecord[bytes, bytes]"]:
    for offset, each in enumerate(values):
        yield a_record(each, offset)


async def received(*values: bytes | None) -> list[Received | Unreadable]:
    return [each async for each in events(arriving(values), Sequences())]


def test_an_event_of_the_worker_is_read() -> None:
    order = an_order("COMPLETE")

    event = the_event(order, 2)

    assert (order.id, 2, 2, order.tenant) == (event.order_id, event.sequence, event.revision, event.tenant)
    assert (NEW, order.status, ("order", "fulfilment")) == (event.before, event.after, event.changed)
    assert (NOW, order.history[1].cause) == (event.time, event.cause)


def test_a_new_order_has_no_status_before_and_a_deleted_one_none_after() -> None:
    order = an_order("deleted")

    first, last = the_event(order, 1), the_event(order, 2)

    assert ("order.created", None) == (first.type, first.before)
    assert ("order.deleted", None) == (last.type, last.after)


def changed(**members: object) -> Callable[[dict[str, Any]], None]:
    return lambda event: event.update(members)


def data(**members: object) -> Callable[[dict[str, Any]], None]:
    return lambda event: event["data"].update(members)


@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (changed(specversion="2.0"), "specversion"),
        (changed(type="order.changed"), "type"),
        (changed(type="order.deleted"), "type does not go with from and to"),
        (changed(subject="6" * 24), "different events"),
        (changed(id="x"), "different events"),
        (changed(time="2026-11-21T10:15:30"), "time"),
        (changed(data=None), "data"),
        (data(sequence="1"), "data.sequence"),
        (data(sequence=0), "data.sequence"),
        (data(revision=True), "data.revision"),
        (data(to=None), "type does not go with from and to"),
        (data(to={"order": "secret", "payment": "paid", "fulfilment": "ready"}), "data.to.order"),
        (data(changed=["native"]), "data.changed.0"),
        (data(cause="order-update"), "data.cause"),
        (data(refs={"order_id": 7}), "data.refs.order_id"),
        (lambda event: event["data"].pop("cause"), "data.cause"),
    ],
)
def test_what_differs_from_an_event_is_refused_with_its_place(
    spoil: Callable[[dict[str, Any]], None], place: str
) -> None:
    event = json.loads(value(an_order()))
    spoil(event)

    with pytest.raises(NotAnEventError) as raised:
        status_event(json.dumps(event).encode())

    assert place in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("raw", [None, b"", b"{", b"[]", b"\xff"])
def test_bytes_that_are_no_event_are_refused(raw: bytes | None) -> None:
    with pytest.raises(NotAnEventError):
        status_event(raw)


def test_a_member_of_a_later_version_is_passed_over() -> None:
    event = {**json.loads(value(an_order())), "traceparent": "00-1-1-00"}

    assert the_event(an_order()) == status_event(json.dumps(event).encode())


def test_nothing_is_missing_before_the_first_event_that_is_seen() -> None:
    assert [] == list(Sequences().admit(the_event(an_order("IN_PROGRESS", "COMPLETE"), 3)) or ())


def test_events_that_did_not_come_are_told() -> None:
    order, seen = an_order("IN_PROGRESS", "SHIPPED", "COMPLETE"), Sequences()
    seen.admit(the_event(order, 1))

    assert range(2, 4) == seen.admit(the_event(order, 4))


def test_a_subscriber_goes_on_where_it_was() -> None:
    order = an_order("IN_PROGRESS")

    assert None is Sequences({order.id: 2}).admit(the_event(order, 2))


async def test_a_repeat_is_dropped() -> None:
    order = an_order("IN_PROGRESS")

    came = await received(value(order, 1), value(order, 2), value(order, 1), value(order, 2))

    assert [1, 2] == [each.event.sequence for each in came if isinstance(each, Received)]


async def test_a_record_that_is_no_event_does_not_end_the_subscription() -> None:
    unreadable, event = await received(b"{}", value(an_order()))

    assert isinstance(unreadable, Unreadable)
    assert (Position("status", 3, 0), Position("status", 3, 1)) == (unreadable.position, event.position)


async def put(settings: Settings, *values: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap) as producer:
        for each in values:
            await producer.send_and_wait(settings.topic_status, each, partition=0)


async def test_a_subscriber_reads_all_that_the_topic_holds(settings: Settings) -> None:
    order = an_order("IN_PROGRESS")
    await put(settings, value(order, 1), value(order, 1), value(order, 2))

    async with asyncio.timeout(30), following(settings, settings.topic_status, from_start=True) as records:
        subscription = events(records, Sequences())
        first, second = await anext(subscription), await anext(subscription)

    assert [(0, 0), (0, 2)] == [each.position[1:] for each in (first, second)]


async def test_a_subscriber_reads_what_comes_from_now_on(settings: Settings) -> None:
    order = an_order("IN_PROGRESS", "COMPLETE")
    await put(settings, value(order, 1))

    async with asyncio.timeout(30), following(settings, settings.topic_status, from_start=False) as records:
        await put(settings, value(order, 3))
        came = await anext(events(records, Sequences()))

    assert isinstance(came, Received)
    assert (3, range(3, 3)) == (came.event.sequence, came.missing)


async def test_a_subscriber_makes_no_topic(settings: Settings) -> None:
    absent = settings.model_copy(update={"topic_status": f"{settings.topic_status}-absent"})

    with pytest.raises(TopicsMissingError):
        async with following(absent, absent.topic_status, from_start=True):
            pass

    assert [absent.topic_status] == (await inspected(absent)).missing
