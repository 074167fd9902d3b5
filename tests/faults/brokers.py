"""What is asked of the brokers beside sending and reading."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from orderstream.settings import Settings

PARTITIONS: Final = 6


@asynccontextmanager
async def admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """An administrator's client."""
    client = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap, request_timeout_ms=10_000)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


def topics(settings: Settings) -> tuple[str, str, str, str]:
    """The four topics."""
    return settings.topic_create, settings.topic_update, settings.topic_status, settings.topic_rejected


async def make_topics(settings: Settings) -> None:
    """The topics of a round, on three brokers as they should be."""
    config = {"min.insync.replicas": "2"}
    async with admin(settings) as client:
        await client.create_topics([NewTopic(name, PARTITIONS, 3, topic_configs=config) for name in topics(settings)])


async def remove_topics(settings: Settings) -> None:
    """Rounds come by the hundred."""
    async with admin(settings) as client:
        await client.delete_topics(list(topics(settings)))


async def coordinator(settings: Settings) -> int:
    """The index of the broker that coordinates the group."""
    async with admin(settings) as client:
        node: int = await client.find_coordinator(settings.group)
    return node - 1


async def leader(settings: Settings, topic: str, partition: int) -> int:
    """The index of the broker that leads a partition."""
    async with admin(settings) as client:
        (described,) = await client.describe_topics([topic])
    leaders: dict[int, int] = {one["partition"]: one["leader"] for one in described["partitions"]}
    return leaders[partition] - 1


async def committed(settings: Settings) -> Mapping[tuple[str, int], int]:
    """The group's offsets."""
    async with admin(settings) as client:
        offsets = await client.list_consumer_group_offsets(settings.group)
    return {(partition.topic, partition.partition): one.offset for partition, one in offsets.items()}
