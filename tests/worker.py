"""A real worker process, and what it makes of the topics: what the tests on real servers are written with."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import AsyncMongoClient

from orderstream.commands import Headers
from orderstream.settings import Settings

DEADLINE = 60.0  # seconds for anything that must come to pass


class Sent(NamedTuple):
    """A message to send; *topic* is "create" or "update"."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers


def environment(settings: Settings, **more: str) -> dict[str, str]:
    """The environment of a worker with these settings."""
    ours = {f"ORDERSTREAM_{name.upper()}": value for name, value in _texts(settings).items()}
    return {**os.environ, **ours, **{f"ORDERSTREAM_{name.upper()}": value for name, value in more.items()}}


def _texts(settings: Settings) -> Mapping[str, str]:
    given = settings.model_dump(exclude_unset=True)
    return {
        name: value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        for name, value in given.items()
    }


class Worker:
    """`orderstream run` as a child process, and its log."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.log: list[dict[str, Any]] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout
        async for line in self.process.stdout:
            with contextlib.suppress(json.JSONDecodeError):
                self.log.append(json.loads(line))

    async def saw(self, event: str) -> None:
        """Wait until the log has this event."""
        await until(lambda: any(line.get("event") == event for line in self.log), f"no {event} in the log")

    async def kill(self) -> None:
        """SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        await self._reading

    async def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(DEADLINE):
            code = await self.process.wait()
        await self._reading
        return code


@asynccontextmanager
async def a_worker(settings: Settings, **more: str) -> AsyncIterator[Worker]:
    """A worker that has its partitions; killed at the end if it still runs."""
    worker = await started(settings, **more)
    try:
        await worker.saw("partitions.assigned")
        yield worker
    finally:
        if worker.process.returncode is None:
            await worker.kill()


async def started(settings: Settings, **more: str) -> Worker:
    """A worker process, not waited for."""
    command = Path(sys.executable).with_name("orderstream")
    process = await asyncio.create_subprocess_exec(
        command, "run", env=environment(settings, **more), stdout=asyncio.subprocess.PIPE, limit=2**24
    )
    return Worker(process)


async def until(condition: Callable[[], object], otherwise: str, seconds: float = DEADLINE) -> None:
    """Wait for a condition in this process."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(otherwise) from None


async def send(settings: Settings, messages: Iterable[Sent]) -> list[str]:
    """Send in order; gives each message's position."""
    topics = {"create": settings.topic_create, "update": settings.topic_update}
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap, acks="all", enable_idempotence=True, linger_ms=5,
        max_request_size=8 * 2**20,
    )  # fmt: skip
    await producer.start()
    try:
        sent = [
            await producer.send(topics[one.topic], one.value, key=one.key, headers=list(one.headers))
            for one in messages
        ]
        acknowledged = await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return [f"{one.topic}/{one.partition}/{one.offset}" for one in acknowledged]


async def read(settings: Settings, topic: str) -> list["ConsumerRecord[bytes, bytes]"]:
    """Everything that a topic holds now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
        if not partitions:
            partitions = await _partitions(consumer, topic)
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        records: list[ConsumerRecord[bytes, bytes]] = []
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for found in (await consumer.getmany(timeout_ms=200)).values():
                records += found
        return records
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    consumer.subscribe([topic])
    await consumer._client.force_metadata_update()
    numbers = consumer.partitions_for_topic(topic) or set()
    consumer.unsubscribe()
    return [TopicPartition(topic, number) for number in sorted(numbers)]


async def caught_up(settings: Settings, seconds: float = DEADLINE) -> None:
    """Wait until the group has committed the end of both input topics."""
    ends = await input_ends(settings)
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        async with asyncio.timeout(seconds):
            while True:
                committed = await admin.list_consumer_group_offsets(settings.group)
                if all(
                    partition in committed and committed[partition].offset >= end for partition, end in ends.items()
                ):
                    return
                await asyncio.sleep(0.1)
    finally:
        await admin.close()


async def input_ends(settings: Settings) -> dict[TopicPartition, int]:
    """Where the partitions of the input topics end that hold anything."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap)
    await consumer.start()
    try:
        topics = (settings.topic_create, settings.topic_update)
        partitions = [partition for topic in topics for partition in await _partitions(consumer, topic)]
        ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
    return {partition: end for partition, end in ends.items() if end}


async def documents(settings: Settings) -> list[dict[str, Any]]:
    """All orders of the database."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(settings.mongo_url.get_secret_value())
    try:
        return await client[settings.mongo_database]["orders"].find().to_list()
    finally:
        await client.close()


def sequences(events: Sequence["ConsumerRecord[bytes, bytes]"]) -> dict[str, list[int]]:
    """Per order the sequence numbers, as a subscriber sees them."""
    seen: dict[str, list[int]] = {}
    for event in events:
        assert event.value
        seen.setdefault((event.key or b"").decode(), []).append(json.loads(event.value)["data"]["sequence"])
    return seen
