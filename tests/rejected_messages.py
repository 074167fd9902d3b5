"""Builders of rejections: a record as it comes to stand in the topic of rejected messages, and is read back."""

from collections.abc import Iterable
from datetime import datetime

from aiokafka import AIOKafkaProducer

from orderstream.cli.rejected_replay import replay
from orderstream.commands import Kind, Record
from orderstream.decode import Contracts, decode
from orderstream.order import Position
from orderstream.outcomes import Refusal
from orderstream.problems import Code, Problem, header
from orderstream.rejected import RejectedMessage, rejected_message
from orderstream.rejections import Choice, Rejection, rejection
from orderstream.replays import message
from orderstream.settings import Settings
from tests.builders import NOW

ALL_WISHLIST = Choice(dialect="wishlist")
LIMIT = 1_048_588  # bytes that a topic admits by default
NOT_FOUND = Problem(Code.ORDER_NOT_FOUND, header("order-id"), "names no order of this tenant")


def as_sent(record: Record, at: datetime = NOW, *given: Problem, limit: int = LIMIT) -> RejectedMessage:
    """The rejected message; its problems are the given ones, else its own, else that its order is not there."""
    judged = decode(record, Contracts())
    found = given or (judged.problems if isinstance(judged, Refusal) else (NOT_FOUND,))
    return rejected_message(record, found, len(found), at, limit)


def as_read(record: Record, at: datetime = NOW, *given: Problem, limit: int = LIMIT) -> Rejection:
    """The same, read back."""
    message = as_sent(record, at, *given, limit=limit)
    stands = Position("order-rejected", record.position.partition, record.position.offset)
    return rejection(stands, message.key, message.value, message.headers)


def rejected_again(first: Rejection, offset: int, at: datetime = NOW, *given: Problem) -> Rejection:
    """The replay of a rejection, at another offset of its topic, as it was rejected in its turn."""
    kind = Kind.UPDATE if first.id.topic == Kind.UPDATE else Kind.CREATE
    again = message(first, kind)
    position = first.id._replace(offset=offset)
    return as_read(Record(kind, position, at, again.key, again.value, again.headers), at, *given)


async def put(settings: Settings, *records: Record, at: datetime = NOW, problems: Iterable[Problem] = ()) -> None:
    """Let the rejections of these records stand in the topic of rejected messages."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, acks="all")
    await producer.start()
    for record in records:
        message = as_sent(record, at, *problems)
        await producer.send_and_wait(
            settings.topic_rejected, message.value, key=message.key, headers=list(message.headers)
        )
    await producer.stop()


def of(settings: Settings, record: Record, offset: int = 0) -> Record:
    """The record as it stood in the topics of this test."""
    topic = settings.topic_update if record.kind is Kind.UPDATE else settings.topic_create
    return record._replace(position=Position(topic, 3, offset))


async def replayed(settings: Settings, choice: Choice = ALL_WISHLIST, **how: bool) -> None:
    """Replay in this process."""
    await replay(settings, choice, None, **{"dry_run": False, "edit": False, "force": False, **how})
