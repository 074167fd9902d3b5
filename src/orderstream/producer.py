"""Messages sent to the two input topics, each acknowledged by all in-sync replicas."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, TypeAlias

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from orderstream.commands import Kind
from orderstream.connection import connection
from orderstream.kafka import stopped
from orderstream.messages import Message
from orderstream.order import Position
from orderstream.settings import Settings
from orderstream.topics import TopicsMissingError, inspected
from orderstream.trouble import UnavailableError

ANSWER_SECONDS: Final = 10.0  # for the acknowledgements of what was sent together
MAX_BYTES: Final = 64 * 2**20  # of a message; what is too much the broker decides


class NotSent(NamedTuple):
    """A message that was not acknowledged; after a time-out it may have arrived all the same."""

    reason: str


Answer: TypeAlias = Position | NotSent


class Publisher:
    """Sends messages in their order."""

    def __init__(self, producer: AIOKafkaProducer, topics: dict[Kind, str]) -> None:
        self._producer, self._topics = producer, topics

    async def send(self, messages: Sequence[Message]) -> list[Answer]:
        """Where each message stands now, or why not."""
        sent = [await self._hand_over(message) for message in messages]
        waited_for = [each for each in sent if not isinstance(each, NotSent)]
        if waited_for:
            await asyncio.wait(waited_for, timeout=ANSWER_SECONDS)
        return [each if isinstance(each, NotSent) else _answer(each) for each in sent]

    async def _hand_over(self, message: Message) -> "asyncio.Future[RecordMetadata] | NotSent":
        topic, headers = self._topics[message.kind], list(message.headers)
        try:
            sent: asyncio.Future[RecordMetadata] = await self._producer.send(
                topic, message.value, key=message.key, headers=headers
            )
        except KafkaError as error:
            return NotSent(type(error).__name__)
        return sent


def _answer(sent: "asyncio.Future[RecordMetadata]") -> Answer:
    if not sent.done():
        return NotSent(f"no answer within {ANSWER_SECONDS:.0f} s; it may have arrived all the same")
    error = sent.exception()
    if error is not None:
        return NotSent(type(error).__name__)
    at = sent.result()
    return Position(at.topic, at.partition, at.offset)


@asynccontextmanager
async def publisher(settings: Settings) -> AsyncIterator[Publisher]:
    """A publisher to the topics of these settings. Raises `UnavailableError` and `TopicsMissingError`."""
    topics = {Kind.CREATE: settings.topic_create, Kind.UPDATE: settings.topic_update}
    missing = [topic for topic in (await inspected(settings)).missing if topic in topics.values()]
    if missing:  # a producer would make them, with one partition
        raise TopicsMissingError(missing)
    producer = AIOKafkaProducer(
        **connection(settings),
        acks="all",
        enable_idempotence=True,
        max_request_size=MAX_BYTES,
        request_timeout_ms=int(ANSWER_SECONDS * 1000),
    )
    try:
        await producer.start()
        yield Publisher(producer, topics)
    except KafkaError as error:
        raise UnavailableError("kafka", type(error).__name__) from None
    finally:
        await stopped(producer)
