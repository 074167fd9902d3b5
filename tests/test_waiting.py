"""Updates that come before their create, on real servers: parked, taken along, expired, over kills and restarts."""

import asyncio
import json
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from pymongo import AsyncMongoClient

from orderstream.settings import Settings
from tests.worker import DEADLINE, Sent, a_worker, caught_up, documents, read, send, until

WISHLIST = (("dialect", b"wishlist"), ("tenant", b"acme"))


def a_create(ref: str) -> Sent:
    """A wishlist order of this reference."""
    body = {"orderRef": ref, "orderStatus": "CREATED"}
    return Sent("create", ref.encode(), json.dumps(body).encode(), (*WISHLIST, ("message-type", b"order-create")))


def an_update(ref: str, status: str, **headers: str) -> Sent:
    """A patch of the status, addressed by reference."""
    texts = {"message-type": "order-update", "operation": "order.patch", "order-ref": ref, **headers}
    bytes_ = tuple((name.replace("_", "-"), text.encode()) for name, text in texts.items())
    return Sent("update", ref.encode(), json.dumps({"orderStatus": status}).encode(), (*WISHLIST, *bytes_))


def fulfilments(events: list["ConsumerRecord[bytes, bytes]"]) -> list[str]:
    """What the events say of the fulfilment, in their order."""
    return [json.loads(event.value or b"")["data"]["to"]["fulfilment"] for event in events]


async def test_updates_wait_for_their_create_and_are_applied_in_their_order(settings: Settings) -> None:
    async with a_worker(settings) as worker:
        await send(settings, [an_update("A", "IN_PROGRESS"), an_update("A", "SHIPPED")])
        await worker.saw("order.parked")
        await caught_up(settings)
        await send(settings, [a_create("A"), an_update("A", "COMPLETE")])
        await caught_up(settings)

    assert ["unfulfilled", "in_process", "shipped", "fulfilled"] == fulfilments(
        await read(settings, settings.topic_status)
    )
    assert [] == await read(settings, settings.topic_rejected)


async def test_an_update_whose_create_never_comes_is_refused_when_its_time_is_over(settings: Settings) -> None:
    async with a_worker(settings, park_seconds="2") as worker:
        (position,) = await send(settings, [an_update("B", "SHIPPED")])
        await worker.saw("order.park-expired")

    (rejected,) = await read(settings, settings.topic_rejected)
    headers = dict(rejected.headers)
    assert (position, "ORDER_NOT_FOUND") == (headers["rejection-id"].decode(), headers["rejection-code"].decode())
    assert rejected.value == an_update("B", "SHIPPED").value


async def test_what_waits_outlives_the_worker(settings: Settings) -> None:
    async with a_worker(settings) as worker:
        await send(settings, [an_update("C", "SHIPPED")])
        await caught_up(settings)
        await worker.kill()
    async with a_worker(settings):
        await send(settings, [a_create("C")])
        await caught_up(settings)

    assert ["unfulfilled", "shipped"] == fulfilments(await read(settings, settings.topic_status))


@pytest.mark.parametrize("step", ["write", "publish", "finish"])
async def test_a_kill_while_updates_are_taken_along_loses_none(step: str, settings: Settings) -> None:
    async with a_worker(settings, failpoint=f"{step}:2:kill") as worker:
        await send(settings, [an_update("D", "IN_PROGRESS"), an_update("D", "SHIPPED")])
        await caught_up(settings)
        await send(settings, [a_create("D")])
        await until(lambda: worker.process.returncode is not None, "the worker lives on")
    async with a_worker(settings):
        await caught_up(settings)
        await until_marks_are_gone(settings)

    events = await read(settings, settings.topic_status)
    seen = {json.loads(event.value or b"")["id"]: event.value for event in events}
    assert ["unfulfilled", "in_process", "shipped"] == [
        json.loads(value or b"")["data"]["to"]["fulfilment"] for _, value in sorted(seen.items())
    ]
    (order,) = await documents(settings)
    assert (3, 3) == (order["revision"], order["sequence"])


async def until_marks_are_gone(settings: Settings) -> None:
    """Wait until the collection `waiting` is empty."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(settings.mongo_url.get_secret_value())
    try:
        async with asyncio.timeout(DEADLINE):
            while await client[settings.mongo_database]["waiting"].count_documents({}):
                await asyncio.sleep(0.1)
    finally:
        await client.close()


async def test_an_order_id_that_nobody_could_know_is_refused_at_once(settings: Settings) -> None:
    headers = {"dialect": "b2b-commerce", "order-id": "64f0a1b2c3d4e5f60718293a", "operation": "order.patch"}
    texts = tuple((name, text.encode()) for name, text in {**headers, "message-type": "order-update"}.items())
    async with a_worker(settings):
        await send(settings, [Sent("update", b"k", b'{"orderStatus": "cancelled"}', texts)])
        await caught_up(settings)

    (rejected,) = await read(settings, settings.topic_rejected)
    assert b"ORDER_NOT_FOUND" == dict(rejected.headers)["rejection-code"]
