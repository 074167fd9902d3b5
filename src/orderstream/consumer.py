"""A topic read without a consumer group: nothing is committed, nobody's partitions move."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError

from orderstream.connection import connection
from orderstream.settings import Settings
from orderstream.topics import TopicsMissingError, inspected
from orderstream.trouble import UnavailableError

Records: TypeAlias = AsyncIterator["ConsumerRecord[bytes, bytes]"]


@asynccontextmanager
async def following(settings: Settings, topic: str, *, from_start: bool) -> AsyncIterator[Records]:
    """The records of one of our topics, without end; those that come from now on, or all that it holds first.

    Raises `UnavailableError` and `TopicsMissingError`.
    """
    state = await inspected(settings)
    if topic in state.missing:  # a consumer would make it, with one partition
        raise TopicsMissingError([topic])
    consumer = AIOKafkaConsumer(
        topic,
        **connection(settings),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest" if from_start else "latest",
    )
    try:
        await _start(consumer)
        yield aiter(consumer)
    except KafkaError as error:
        raise UnavailableError("kafka", type(error).__name__) from None
    finally:
        await consumer.stop()


async def _start(consumer: AIOKafkaConsumer) -> None:
    await consumer.start()
    for partition in consumer.assignment():  # "now" is this moment, not that of the first fetch
        await consumer.position(partition)
