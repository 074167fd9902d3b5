"""FastStream's subscription to both input topics: polled lane by lane, decoding and acknowledging nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError
from faststream import AckPolicy
from faststream._internal.broker.registrator import Registrator
from faststream._internal.endpoint.subscriber.call_item import CallsCollection
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER
from faststream.kafka.schemas import Topic
from faststream.kafka.subscriber.config import KafkaSubscriberConfig, KafkaSubscriberSpecificationConfig
from faststream.kafka.subscriber.specification import KafkaSubscriberSpecification
from faststream.kafka.subscriber.usecase import BatchSubscriber

from orderstream.cancellation import cancel_until_ended
from orderstream.kafka_trouble import unavailable
from orderstream.lanes import Lanes, Polled
from orderstream.ports import Observer
from orderstream.trouble import UnavailableError

STOP_SECONDS: Final = 10.0
RETRY_SECONDS: Final = 2.0  # between two tries to begin again
CONSUMER: Final[Mapping[str, object]] = {
    "auto_offset_reset": "none",  # where a lane goes on is ours to say, and nothing is skipped in silence
    "check_crcs": True,
    "isolation_level": "read_committed",  # an order of an aborted transaction is no order
    "partition_assignment_strategy": (RangePartitionAssignor,),  # partition n of both topics to one worker
    "max_poll_interval_ms": 24 * 3600 * 1000,  # while MongoDB is away we read nothing and stay a member
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 3_000,
    "rebalance_timeout_ms": 20_000,  # longer than a lane may take to drain
    "request_timeout_ms": 25_000,  # of a connection that has fallen silent; longer than a rebalance may take
    "metadata_max_age_ms": 10_000,  # a topic that is made again is noticed soon
    "fetch_max_bytes": 16 * 2**20,
    "max_partition_fetch_bytes": 2**20,
    "fetch_max_wait_ms": 200,
}


class LaneSubscriber(BatchSubscriber):
    """Reads only what a lane has room for, so that a full lane or a broken partition holds up nobody else."""

    def __init__(
        self, broker: KafkaBroker, lanes: Lanes, topics: Sequence[str], group: str, observer: Observer
    ) -> None:
        calls: CallsCollection[Any] = CallsCollection()
        outer: Any = broker.config
        declared = [Topic(name, declare=False) for name in topics]
        config = KafkaSubscriberConfig(
            topics=declared,
            connection_args=dict(CONSUMER),
            group_id=group,
            listener=lanes,
            _outer_config=outer,
            _ack_policy=AckPolicy.MANUAL,
        )
        specification = KafkaSubscriberSpecification(
            _outer_config=outer,
            calls=calls,
            specification_config=KafkaSubscriberSpecificationConfig(topics=declared, title_=None, description_=None),
        )
        super().__init__(config, specification, calls, batch_timeout_ms=0, max_records=None)
        self._parser, self._decoder = _parse, _decode
        self._lanes, self._observer = lanes, observer
        self._replacing: asyncio.Task[None] | None = None
        self._polled: Polled = []
        Registrator.subscriber(broker, self)
        self.add_call(parser_=None, decoder_=None, dependencies_=())
        self(self.hand_over)

    async def start(self) -> None:
        """Start consuming, and committing what the lanes finish. Raises `UnavailableError`."""
        try:
            await super().start()
        except KafkaError as error:
            await super().stop()
            raise unavailable(error, "Read") from None
        self._lanes.start_committing()

    async def stop(self) -> None:
        """Stop consuming, and trying to."""
        if self._replacing and self._replacing is not asyncio.current_task():
            await cancel_until_ended([self._replacing])
        await super().stop()

    async def replace_consumer(self) -> None:
        """Begin again with another one; this one gets a moment to say goodbye."""
        await self._lanes.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self.stop()
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self.start()
            except UnavailableError as error:
                self._observer.unavailable(error, attempt)
                await asyncio.sleep(RETRY_SECONDS)

    async def _ensure_topics(self) -> None:
        """No topic is made silently."""

    async def get_msg(self, consumer: AIOKafkaConsumer) -> tuple[ConsumerRecord, ...]:
        """Records of lanes with room; empty when nothing came for a moment."""
        try:
            self._polled = await self._lanes.poll(consumer)
        except GroupAuthorizationFailedError as error:
            self._observer.unavailable(unavailable(error, "Read"), 1)
            self._replacing = asyncio.create_task(self.replace_consumer())  # aiokafka's never recovers from that
            await asyncio.Event().wait()  # until that stops us
        return tuple(record for _, records in self._polled for record in records)

    async def hand_over(self, body: bytes) -> None:  # noqa: ARG002  # the lanes know what was polled
        """The handler: cannot fail and does not wait."""
        self._lanes.hand_over(self._polled)


async def _parse(records: tuple[ConsumerRecord, ...]) -> KafkaMessage:
    """No header is read here: one that cannot be decoded would lose the whole batch."""
    return KafkaMessage(raw_message=records, body=b"", consumer=FAKE_CONSUMER)


async def _decode(message: KafkaMessage) -> bytes:
    return message.body
