"""Messages sent to the two input topics, each acknowledged by all in-sync replicas."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from orderstream.commands import Kind
from orderstream.connection import connection
from orderstream.kafka import stopped
from orderstream.kafka_trouble import unavailable
from orderstream.messages import Message
from orderstream.order import Position
from orderstream.settings import Settings
from orderstream.topics import partition_counts

ANSWER_SECONDS: Final = 10.0  # for the acknowledgements of what was sent together
MAX_BYTES: Final = 64 * 2**20  # of a message; what is too much the broker decides


class NotSent(NamedTuple):
    """A message that was not acknowledged; after a time-out it may have arrived all the same."""

    reason: str


Answer: TypeAlias = Position | NotSent


class Publisher:
    """Sends messages in their order."""

    def __init__(self, producer: AIOKafkaProducer, topics: Mapping[Kind, str], counts: Mapping[str, int]) -> None:
        self._producer, self._topics, self._counts = producer, topics, counts

    async def send(self, messages: Sequence[Message]) -> list[Answer]:
        """Where each message stands now, or why not."""
        sent = [await self._hand_over(message) for message in messages]
        waited_for = [each for each in sent if not isinstance(each, NotSent)]
        if waited_for:
            await asyncio.wait(waited_for, timeout=ANSWER_SECONDS)
        return [each if isinstance(each, NotSent) else _answer(each) for each in sent]

    async def _hand_over(self, message: Message) -> "asyncio.Future[RecordMetadata] | NotSent":
        topic, headers, wanted = self._topics[message.kind], list(message.headers), message.partition
        partition = wanted if wanted is not None and wanted < self._counts[topic] else None
        try:
            sent: asyncio.Future[RecordMetadata] = await self._producer.send(
                topic, message.value, key=message.key, headers=headers, partition=partition
            )
        except KafkaError as error:
            return NotSent(unavailable(error, "Write").reason)
        return sent


def _answer(sent: "asyncio.Future[RecordMetadata]") -> Answer:
    if not sent.done():
        return NotSent(f"no answer within {ANSWER_SECONDS:.0f} s; it may have arrived all the same")
    error = sent.exception()
    if error is not None:
        return NotSent(unavailable(error, "Write").reason)
    at = sent.result()
    return Position(at.topic, at.partition, at.offset)


@asynccontextmanager
async def publisher(settings: Settings) -> AsyncIterator[Publisher]:
    """A publisher to the topics of these settings. Raises `UnavailableError` and `TopicsMissingError`."""
    topics = {Kind.CREATE: settings.topic_create, Kind.UPDATE: settings.topic_update}
    counts = await partition_counts(settings, dict.fromkeys(topics.values(), "Write"))  # a producer would make them
    producer = AIOKafkaProducer(
        **connection(settings),
        acks="all",
        enable_idempotence=True,
        max_request_size=MAX_BYTES,
        request_timeout_ms=int(ANSWER_SECONDS * 1000),
    )
    try:
        await producer.start()
        yield Publisher(producer, topics, counts)
    except KafkaError as error:
        raise unavailable(error, "Write") from None
    finally:
        await stopped(producer)
