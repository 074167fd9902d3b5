"""A topic read from its start or a moment to its present end, without a group: on a real Kafka."""

from datetime import timedelta

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from orderstream.consumer import history
from orderstream.settings import Settings
from tests.builders import NOW

MINUTE = timedelta(minutes=1)


async def sent(settings: Settings, values: range, *, transaction: str | None = None) -> None:
    """The number *n* as a record of *n* minutes after NOW, over all partitions."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, acks="all", transactional_id=transaction)
    await producer.start()
    try:
        if transaction:
            await producer.begin_transaction()
        for value in values:
            at = int((NOW + value * MINUTE).timestamp() * 1000)
            text = str(value).encode()
            await producer.send_and_wait(settings.topic_rejected, text, partition=value % 3, timestamp_ms=at)
        if transaction:
            await producer.commit_transaction()
    finally:
        await producer.stop()


async def test_all_that_the_topic_holds_is_read_once_and_then_it_ends(settings: Settings) -> None:
    await sent(settings, range(20))

    async with history(settings, settings.topic_rejected, since=None) as records:
        assert 20 == records.total
        await sent(settings, range(20, 25))  # not there yet when the reading began
        read = [int(record.value or b"") async for record in records]

    assert list(range(20)) == sorted(read)
    assert all(sorted(of) == of for of in ([n for n in read if n % 3 == part] for part in range(3)))


async def test_it_can_begin_at_a_moment(settings: Settings) -> None:
    await sent(settings, range(20))

    async with history(settings, settings.topic_rejected, since=NOW + 15 * MINUTE) as records:
        assert (5, [15, 16, 17, 18, 19]) == (
            records.total,
            sorted([int(record.value or b"") async for record in records]),
        )


async def test_nothing_comes_of_an_empty_topic_or_a_later_moment(settings: Settings) -> None:
    async with history(settings, settings.topic_rejected, since=None) as records:
        assert [] == [record async for record in records]

    await sent(settings, range(5))
    async with history(settings, settings.topic_rejected, since=NOW + 60 * MINUTE) as records:
        assert (0, []) == (records.total, [record async for record in records])


async def test_the_marks_of_a_transaction_do_not_keep_it_from_ending(settings: Settings) -> None:
    await sent(settings, range(6), transaction=settings.group)

    async with history(settings, settings.topic_rejected, since=None) as records:
        assert list(range(6)) == sorted([int(record.value or b"") async for record in records])


async def test_no_group_is_made(settings: Settings) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    before = await admin.list_consumer_groups()

    await sent(settings, range(3))
    async with history(settings, settings.topic_rejected, since=None) as records:
        assert 3 == len([record async for record in records])

    assert set() == set(await admin.list_consumer_groups()) - set(before)
    await admin.close()
