"""The one place that knows Kafka's records: input records as values, events and rejections sent (design 3)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError

from orderstream.answers import Answer
from orderstream.commands import Kind, Record
from orderstream.kafka_trouble import explained, unavailable
from orderstream.order import Position
from orderstream.rejected import rejected_message
from orderstream.status_event import Event

SEND_SECONDS: Final = 30.0  # until a producer that does not answer is replaced
STOP_SECONDS: Final = 5.0
BROKER_LIMIT: Final = 1_048_588  # bytes of a record batch that a topic admits by default
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_MS: Final = 253_402_300_799_999  # the end of year 9999, the last that BSON's readers can show


def to_record(raw: "ConsumerRecord[bytes, bytes]", kind: Kind, topic: str) -> Record:
    """The record as a value, of *topic* as positions name it; an impossible time becomes the nearest possible one."""
    return Record(
        kind=kind,
        position=Position(topic, raw.partition, raw.offset),
        at=EPOCH + timedelta(milliseconds=min(max(raw.timestamp, 0), LATEST_MS)),
        key=raw.key,
        value=raw.value,
        headers=tuple(raw.headers),
    )


class KafkaOutputs:
    """Events and rejections through one idempotent producer, which is replaced when it hangs or fails."""

    def __init__(
        self,
        connection: dict[str, Any],
        status_topic: str,
        rejected_topic: str,
        now: Callable[[], datetime],
        max_rejected_bytes: int = BROKER_LIMIT,
    ) -> None:
        self._connection = connection
        self._status_topic, self._rejected_topic = status_topic, rejected_topic
        self._now, self._max_rejected_bytes = now, max_rejected_bytes
        self._producer: AIOKafkaProducer | None = None
        self._changing = asyncio.Lock()

    async def publish(self, events: Sequence[Event], rejected: Sequence[Answer]) -> None:
        """Return when all in-sync replicas have all of them. Raises `UnavailableError`."""
        producer = await self._started()
        try:
            async with asyncio.timeout(SEND_SECONDS):
                sent = [await self._send_event(producer, event) for event in events]
                sent += [await self._send_rejected(producer, answer) for answer in rejected]
                await asyncio.gather(*sent)
        except (KafkaError, TimeoutError) as error:
            await self._discard(producer)
            raise unavailable(error, "Write") from None

    async def stop(self) -> None:
        """Let go of the producer; nothing of a finished batch is left in it."""
        if self._producer:
            await self._discard(self._producer)

    async def _send_event(self, producer: AIOKafkaProducer, event: Event) -> Awaitable[object]:
        key = event.order_id.encode()
        sent: Awaitable[object] = await producer.send(
            self._status_topic, event.value, key=key, headers=list(event.headers)
        )
        return sent

    async def _send_rejected(self, producer: AIOKafkaProducer, answer: Answer) -> Awaitable[object]:
        message = rejected_message(
            answer.record, answer.problems, answer.problem_count, self._now(), self._max_rejected_bytes
        )
        sent: Awaitable[object] = await producer.send(
            self._rejected_topic, message.value, key=message.key, headers=list(message.headers)
        )
        return sent

    async def _started(self) -> AIOKafkaProducer:
        async with self._changing:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self._connection,
                    acks="all",
                    enable_idempotence=True,
                    max_batch_size=128 * 1024,
                    max_request_size=2 * self._max_rejected_bytes,
                    request_timeout_ms=10_000,
                )
                try:
                    async with asyncio.timeout(SEND_SECONDS):
                        await producer.start()
                except (KafkaError, TimeoutError) as error:
                    await stopped(producer)
                    raise await explained(error, self._connection, "Write") from None
                self._producer = producer
            return self._producer

    async def _discard(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
        await stopped(producer)


async def stopped(producer: AIOKafkaProducer) -> None:
    """An idempotent producer may wait for ever while Kafka is away: it gets a moment and is then let go."""
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await producer.stop()
    except (KafkaError, TimeoutError):
        await producer.client.close()
