"""Topics that are made again, offsets that somebody sets, partitions that are added: noticed, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete

from orderstream.settings import Settings
from orderstream.topics import created
from tests import load
from tests.programs import Ran, run
from tests.worker import Worker, a_worker, caught_up, documents, read, send, until

KEYS = 6  # in several partitions


@asynccontextmanager
async def an_admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def make_again(settings: Settings) -> None:
    """Delete the topic of creates, and make it again."""
    async with an_admin(settings) as admin:
        await admin.delete_topics([settings.topic_create])
        while settings.topic_create in await admin.list_topics():
            await asyncio.sleep(0.1)
    while settings.topic_create not in (await created(settings))[1].topics:
        await asyncio.sleep(0.1)


async def set_offsets(settings: Settings, choose: Callable[[int], int]) -> None:
    """As a tool for operators does it, given where each partition of creates ends."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap, group_id=settings.group, enable_auto_commit=False
    )
    partitions = [TopicPartition(settings.topic_create, number) for number in range(12)]
    consumer.assign(partitions)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(partitions)
        await consumer.commit({partition: choose(end) for partition, end in ends.items()})
    finally:
        await consumer.stop()


async def adopted(settings: Settings) -> Ran:
    """What `orderstream topics --adopt` says."""
    return await run(settings, "topics", "--adopt")


async def worked_on(settings: Settings, count: int) -> None:
    """A worker has handled so many creates, and has ended."""
    async with a_worker(settings) as worker:
        await send(settings, load.creates(count, keys=KEYS))
        await caught_up(settings)
        assert 0 == await worker.stop()


def number_of(positions: Sequence[str]) -> int:
    """The partition in which all of them stand."""
    (number,) = {position.split("/")[1] for position in positions}
    return int(number)


def lines(worker: Worker, event: str) -> list[dict[str, Any]]:
    return [line for line in worker.log if line.get("event") == event]


async def test_a_topic_that_is_made_again_stands_until_it_is_adopted(settings: Settings) -> None:
    await worked_on(settings, 30)
    await make_again(settings)
    await send(settings, load.creates(20, keys=KEYS, seed=2))
    async with a_worker(settings) as worker:
        await worker.saw("partition.stopped")
        stood = await documents(settings)
        told = await run(settings, "topics")
        await adopted(settings)
        await caught_up(settings)

    assert 30 == len(stood)
    assert (1, True) == (told.code, "the topic was deleted and made again" in told.err)
    assert 50 == len(orders := await documents(settings))
    assert 20 == sum(order["history"][0]["cause"].startswith(f"{settings.topic_create}@2/") for order in orders)
    assert 50 == len(await read(settings, settings.topic_status))


async def test_a_topic_that_is_made_again_under_a_running_worker_is_noticed(settings: Settings) -> None:
    async with a_worker(settings) as worker:
        await send(settings, load.creates(30, keys=KEYS))
        await caught_up(settings)
        await make_again(settings)
        await send(settings, load.creates(60, keys=KEYS, seed=2))
        await worker.saw("partition.stopped")
        stood = await documents(settings)
        await adopted(settings)
        await caught_up(settings)

    assert (30, 90) == (len(stood), len(await documents(settings)))
    assert 90 == len(await read(settings, settings.topic_status))


async def test_a_group_set_back_to_the_beginning_decides_nothing_again(settings: Settings) -> None:
    await worked_on(settings, 30)
    before = await documents(settings)
    await set_offsets(settings, lambda _: 0)
    async with a_worker(settings) as worker:
        await worker.saw("offset.overruled")
        await send(settings, load.creates(10, keys=KEYS, seed=2))
        await caught_up(settings)

    assert 40 == len(after := await documents(settings))
    assert all(order in after for order in before)
    assert 40 == len(await read(settings, settings.topic_status))


async def test_a_group_set_to_the_end_skips_nothing(settings: Settings) -> None:
    await worked_on(settings, 30)
    await send(settings, load.creates(20, keys=KEYS, seed=2))
    await set_offsets(settings, lambda end: end)
    async with a_worker(settings) as worker:
        await worker.saw("offset.overruled")
        await until_orders(settings, 50)

    assert 50 == len(await read(settings, settings.topic_status))


async def until_orders(settings: Settings, count: int) -> None:
    """Wait for as many orders."""
    async with asyncio.timeout(60):
        while len(await documents(settings)) < count:
            await asyncio.sleep(0.2)


async def test_records_that_are_gone_before_they_were_read_are_told(settings: Settings) -> None:
    await worked_on(settings, 30)
    partition = number_of(await send(settings, load.creates(20, keys=1, seed=2)))
    async with an_admin(settings) as admin:
        await admin.delete_records({TopicPartition(settings.topic_create, partition): RecordsToDelete(-1)})
    async with a_worker(settings) as worker:
        await worker.saw("partition.stopped")
        (stopped,) = lines(worker, "partition.stopped")
        await adopted(settings)
        await send(settings, load.creates(5, keys=1, seed=3))
        await until_orders(settings, 35)

    assert partition == stopped["partition"]
    assert "are gone, and were not read" in stopped["reason"]


async def test_partitions_that_are_added_stop_all_of_the_topic_until_they_are_adopted(settings: Settings) -> None:
    await worked_on(settings, 30)
    async with an_admin(settings) as admin:
        await admin.create_partitions(
            {name: NewPartitions(16) for name in (settings.topic_create, settings.topic_update)}
        )
    await send(settings, load.creates(20, keys=KEYS, seed=2))
    async with a_worker(settings) as worker:
        await worker.saw("partition.stopped")
        stood = await documents(settings)
        await adopted(settings)
        await caught_up(settings)

    assert (30, 50) == (len(stood), len(await documents(settings)))
    assert "had 12 partitions and has 16" in lines(worker, "partition.stopped")[0]["reason"]


async def test_another_database_under_a_group_that_has_read_stands(settings: Settings) -> None:
    await worked_on(settings, 30)
    other = settings.model_copy(update={"mongo_database": f"{settings.mongo_database}-other"})
    async with a_worker(other) as worker:
        await worker.saw("partition.stopped")

    assert [] == await documents(other)


async def test_partitions_that_stand_do_not_hold_up_the_others(settings: Settings) -> None:
    await worked_on(settings, 30)
    await set_offsets(settings, lambda end: end)
    async with an_admin(settings) as admin:
        number = number_of(await send(settings, load.creates(1, keys=1, seed=2)))
        await admin.delete_records({TopicPartition(settings.topic_create, number): RecordsToDelete(-1)})
    async with a_worker(settings) as worker:
        await worker.saw("partition.stopped")
        await send(settings, load.creates(40, keys=KEYS * 4, seed=3))
        await until(lambda: sum(line["messages"] for line in lines(worker, "batch.done")) > 20, "no lane goes on")

    assert {number} == {line["partition"] for line in lines(worker, "partition.stopped")}
