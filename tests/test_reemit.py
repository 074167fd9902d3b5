"""An order's events published again on real servers: the same ids and bytes, dropped by those who know them."""

import asyncio
import json

from aiokafka import AIOKafkaProducer

from orderstream.answers import Write
from orderstream.cli.show import stored_orders
from orderstream.order import Order
from orderstream.settings import Settings
from orderstream.status_event import event_of
from orderstream.topics import inspected
from tests.builders import Given, a_create, an_update
from tests.programs import run, running
from tests.worker import Sent, a_worker, caught_up, read, send, sequences

HEADERS = {"dialect": "wishlist", "tenant": "acme", "correlation-id": "c-1", "traceparent": "00-1-1-01"}
UPDATE = {**HEADERS, "message-type": "order-update", "operation": "order.patch", "order-ref": "W-1"}


def a_message(topic: str, headers: dict[str, str], value: dict[str, str]) -> Sent:
    return Sent(
        topic, b"W-1", json.dumps(value).encode(), tuple((name, text.encode()) for name, text in headers.items())
    )


async def keep(settings: Settings, *orders: Order) -> None:
    async with stored_orders(settings) as store:
        await store.prepare(settings.group)
        assert (await store.write([Write(None, order) for order in orders])).done


def an_order(reference: str, *statuses: str) -> Order:
    given = Given(a_create("wishlist", {"orderRef": reference, "orderStatus": "CREATED"}))
    for status in statuses:
        given.when(an_update(given.order, "order.patch", {"orderStatus": status}))
    order = given.order
    return order._replace(
        id=f"{len(statuses):024x}", lookup_keys=tuple(key for key in order.lookup_keys if reference in key)
    )


async def test_the_bytes_are_those_of_the_first_time_and_subscribers_drop_them(settings: Settings) -> None:
    async with a_worker(settings):
        await send(settings, [a_message("create", {**HEADERS, "message-type": "order-create"}, {"orderRef": "W-1"})])
        await caught_up(settings)
        await send(settings, [a_message("update", UPDATE, {"orderStatus": status}) for status in ("COMPLETE", "OTHER")])
        await caught_up(settings)
        ran = await run(settings, "reemit", "W-1")

    assert (0, "") == (ran.code, ran.err)
    assert ran.out.startswith("wishlist order W-1 of acme, id ")
    assert ran.out.endswith(": 3 events published again\n")
    records = await read(settings, settings.topic_status)
    first, again = records[:3], records[3:]
    assert [(each.partition, each.key, each.value) for each in first] == [(e.partition, e.key, e.value) for e in again]
    without_trace = [[header for header in each.headers if header[0] != "traceparent"] for each in first]
    assert without_trace == [list(each.headers) for each in again]
    assert ["W-1", "W-1", "W-1", "LAST"] == await tailed(settings, first[0].partition)


async def tailed(settings: Settings, partition: int) -> list[str]:
    """What `tail` shows of this partition, up to an event that is put at its end."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    await producer.send_and_wait(settings.topic_status, event_of(an_order("LAST"), 1).value, partition=partition)
    await producer.stop()
    shown: list[str] = []
    async with asyncio.timeout(60), running(settings, "tail", "--from-start", "--json") as tail:
        assert tail.stdout
        while "LAST" not in shown:
            shown.append(json.loads(await tail.stdout.readline())["data"]["refs"]["order_ref"])
    return shown


async def test_all_events_of_each_order_go_out_in_their_sequence(settings: Settings) -> None:
    long = an_order("LONG", *(("COMPLETE", "CREATED") * 600)[:1100])
    await keep(settings, long, short := an_order("SHORT", "COMPLETE"))

    ran = await run(settings, "reemit", "SHORT", long.id, "LONG")

    assert (0, ["2 events published again", "1101 events published again"]) == (
        ran.code,
        [line.split(": ")[1] for line in ran.out.splitlines()],
    )
    records = await read(settings, settings.topic_status)
    assert {short.id: [1, 2], long.id: [*range(1, 1102)]} == sequences(records)
    assert {event_of(long, 7).value} < {record.value for record in records}


async def test_orders_that_are_not_found_are_named_and_the_others_done(settings: Settings) -> None:
    await keep(settings, order := an_order("R-1"))

    ran = await run(settings, "reemit", "nobody", "R-1", "no body", "--tenant", "example-retailer")

    assert 1 == ran.code
    assert f"wishlist order R-1 of example-retailer, id {order.id}: 1 event published again\n" == ran.out
    assert [
        "orderstream: no order is known as nobody, tenant example-retailer",
        "orderstream: no order is known as no body, tenant example-retailer",
        "orderstream: 2 of 3 could not be done",
    ] == ran.err.splitlines()
    assert {order.id: [1]} == sequences(await read(settings, settings.topic_status))


async def test_it_makes_no_topic(settings: Settings) -> None:
    absent = settings.model_copy(update={"topic_status": f"{settings.topic_status}-absent"})
    await keep(settings, an_order("R-1"))

    ran = await run(absent, "reemit", "R-1")

    assert (1, "", 1) == (ran.code, ran.out, len(ran.err.splitlines()))
    assert f"{absent.topic_status}; `orderstream topics` makes" in ran.err
    assert [absent.topic_status] == (await inspected(absent)).missing
