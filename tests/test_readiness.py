"""A worker that cannot work says why, in words that tell one cause from another."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from orderstream import health as health_module
from orderstream.app import Assembly
from orderstream.health import Health
from orderstream.local import LocalServers, local_servers
from orderstream.mongo import Driver, MongoOrders
from orderstream.readiness import Readiness, judged, of_partitions, together
from orderstream.settings import Settings
from orderstream.topics import created
from orderstream.trouble import UnavailableError
from tests import load
from tests.conftest import Servers, fresh_settings
from tests.http_client import ask, port_of, until_ready, until_told
from tests.test_stream import make_again
from tests.test_watch import a_worker_in_this_process
from tests.worker import DEADLINE, a_worker, caught_up, send, started

TOKEN = "open sesame!"


def test_partitions_with_the_same_reason_are_told_together() -> None:
    told = of_partitions([(3, "mongo: AutoReconnect"), (1, "mongo: AutoReconnect"), (2, "its lane is being opened")])

    assert ["partitions 1, 3: mongo: AutoReconnect", "partition 2: its lane is being opened"] == list(told)


def test_standby_is_ready() -> None:
    assert Readiness("standby") == judged([], standby=True)
    assert Readiness("not ready", ("MongoDB has no primary",)) == judged(["MongoDB has no primary"], standby=True)


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        (Readiness("ready"), Readiness("ready"), Readiness("ready")),
        (Readiness("ready"), Readiness("standby"), Readiness("ready")),
        (Readiness("standby"), Readiness("standby"), Readiness("standby")),
        (Readiness("ready"), Readiness("not ready", ("x",)), Readiness("not ready", ("worker 2: x",))),
    ],
)
def test_workers_are_ready_when_each_is(first: Readiness, second: Readiness, both: Readiness) -> None:
    assert both == together({1: first, 2: second})


# The group and its partitions


async def test_a_worker_without_topics_says_which_and_is_ready_when_they_are_there(settings: Settings) -> None:
    others = settings.model_copy(update={"topic_create": f"{settings.topic_create}-2"})
    worker = await started(others)
    try:
        port = await port_of(worker)
        told = await until_told(port, f"Kafka has no topic {others.topic_create}; run `orderstream topics`")
        alive = await ask(port, "/health/live")
        await created(others)
        await until_ready(port)
        assert 0 == await worker.stop()
    finally:
        await worker.kill()

    assert (1, 200) == (len(told.json["reasons"]), alive.status)


async def test_a_worker_for_whom_no_partition_was_left_is_on_standby(servers: Servers) -> None:
    settings = await fresh_settings(servers)
    single = settings.model_copy(
        update={name: f"{getattr(settings, name)}-1" for name in ("topic_create", "topic_update")}
    )
    await make_with_one_partition(single, single.topic_create, single.topic_update)
    async with a_worker(single) as first, a_worker(single) as second:
        ports = [await port_of(first), await port_of(second)]
        async with asyncio.timeout(DEADLINE):
            while {"ready", "standby"} != {(await ask(port, "/health/ready")).json["status"] for port in ports}:
                await asyncio.sleep(0.1)

        assert {200} == {(await ask(port, "/health/ready")).status for port in ports}


async def make_with_one_partition(settings: Settings, *topics: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1) for topic in topics])
    finally:
        await admin.close()


async def test_a_partition_that_is_not_what_it_was_stands(settings: Settings) -> None:
    async with a_worker(settings) as worker:
        await send(settings, load.creates(20, keys=6))
        await caught_up(settings)
        await worker.stop()
    await make_again(settings)
    async with a_worker(settings) as worker:
        told = await until_told(await port_of(worker), "the topic was deleted and made again")

    assert any(reason.startswith("partition") for reason in told.json["reasons"])


async def reasons_of(parts: Assembly, settings: Settings, holds: str) -> tuple[str, ...]:
    """Why a worker in this process is not ready, as soon as one of the reasons holds this."""
    orders = MongoOrders(settings.mongo_url.get_secret_value(), settings.mongo_database, settings.mongo_driver)
    health = Health(orders, parts.group, parts.lanes)
    health.runs()
    looking = asyncio.create_task(health.keep_looking())
    try:
        async with asyncio.timeout(DEADLINE):
            while holds not in " ".join(found := (await health.readiness()).reasons):
                await asyncio.sleep(0.05)
    finally:
        looking.cancel()
        await orders.close()
    return found


async def test_a_worker_that_has_no_partitions_yet_waits_for_the_group(settings: Settings) -> None:
    async with a_worker_in_this_process(settings) as parts:
        await parts.lanes.on_partitions_revoked(set())

        assert ("the group has not given it its partitions yet",) == await reasons_of(parts, settings, "not given")


async def test_a_consumer_that_reads_nothing_of_what_is_there_is_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_module, "STARVED_SECONDS", 2.5)
    async with a_worker_in_this_process(settings) as parts:
        assert parts.subscriber.consumer
        parts.subscriber.consumer.pause(TopicPartition(settings.topic_create, 4))
        await send(settings, load.creates(60, keys=60))

        told = await reasons_of(parts, settings, "has records, none is read")

        assert (f"partition 4: {settings.topic_create} has records, none is read",) == told


async def test_a_worker_that_stands_still_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_module, "STUCK_SECONDS", -1)
    async with a_worker_in_this_process(settings) as parts:
        assert ("it has stood still for 0 s",) == await reasons_of(parts, settings, "stood still")


async def test_a_partition_that_cannot_be_read_is_told(settings: Settings) -> None:
    async with a_worker_in_this_process(settings) as parts:
        parts.group.unreadable[TopicPartition(settings.topic_update, 5)] = asyncio.get_running_loop().time() + 3_600

        assert (f"partition 5: {settings.topic_update} cannot be read",) == await reasons_of(parts, settings, "read")


async def test_a_lane_with_a_fault_is_told(settings: Settings) -> None:
    async with a_worker_in_this_process(settings) as parts:
        parts.lanes.open[7].standing = "a fault of the worker itself: KeyError at fold.py:1"

        told = await reasons_of(parts, settings, "fault")

        assert ("partition 7: a fault of the worker itself: KeyError at fold.py:1",) == told


# The servers; these are our own, to be stopped


@pytest_asyncio.fixture(name="own", scope="module", loop_scope="session")
async def _own() -> AsyncIterator[LocalServers]:
    async with local_servers(report=print) as servers:
        yield servers


@pytest.mark.parametrize("driver", ["pymongo", "motor"])
async def test_a_frozen_a_primary_less_and_a_gone_mongodb_are_told_apart(own: LocalServers, driver: Driver) -> None:
    orders = MongoOrders(own.mongo.url, "readiness", driver)
    await orders.ping()

    own.mongo.suspend(0)
    frozen = await why_silent(orders)
    own.mongo.resume(0)
    await own.mongo.step_down()
    primary_less = await why_silent(orders)
    own.mongo.kill(0)
    gone = await until_silent(orders, "cannot be reached")
    await own.mongo.restart(0)
    await until_answers(orders)
    await orders.close()

    assert ["has not answered within 2 s", "has no primary", "cannot be reached"] == [frozen, primary_less, gone]


async def why_silent(orders: MongoOrders) -> str:
    with pytest.raises(UnavailableError) as raised:
        await orders.ping()
    return raised.value.reason


async def until_silent(orders: MongoOrders, reason: str) -> str:
    """Ask until it is this reason: the driver learns of it by and by."""
    async with asyncio.timeout(DEADLINE):
        while (found := await why_silent(orders)) != reason:
            await asyncio.sleep(0.1)
    return found


async def until_answers(orders: MongoOrders) -> None:
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                return await orders.ping()
            except UnavailableError:
                await asyncio.sleep(0.1)


async def test_a_worker_tells_which_server_is_away_and_answers_at_once(own: LocalServers) -> None:
    settings = await fresh_settings(Servers(own.kafka.bootstrap, own.mongo.url))
    async with a_worker(settings, http_token=TOKEN) as worker:
        port = await port_of(worker)
        await until_ready(port)

        own.mongo.suspend(0)
        frozen = await until_told(port, "MongoDB has not answered within 2 s")
        began = asyncio.get_running_loop().time()
        alive, again = await ask(port, "/health/live"), await ask(port, "/health/ready")
        took = asyncio.get_running_loop().time() - began
        slow = await ask(port, f"/orders/{'0' * 24}", TOKEN)
        own.mongo.resume(0)
        await until_ready(port)

        own.mongo.kill(0)
        await until_told(port, "MongoDB cannot be reached")
        read = await ask(port, f"/orders/{'0' * 24}", TOKEN)
        await own.mongo.restart(0)
        await until_ready(port)

        own.kafka.kill(0)
        kafka = await until_told(port, "Kafka ")
        await own.kafka.restart(0)
        await until_ready(port)

    assert ([200, 503], True) == ([alive.status, again.status], took < 1)
    assert [(503, "application/problem+json")] * 2 == [
        (one.status, one.headers["content-type"]) for one in (slow, read)
    ]
    assert [False, False] == [
        any("Kafka" in reason for reason in frozen.json["reasons"]),
        any("MongoDB" in reason for reason in kafka.json["reasons"]),
    ]


async def test_a_worker_is_alive_before_mongodb_is_there(own: LocalServers) -> None:
    settings = await fresh_settings(Servers(own.kafka.bootstrap, own.mongo.url))
    own.mongo.kill(0)
    worker = await started(settings)
    try:
        port = await port_of(worker)
        await until_told(port, "it has not started: mongo")
        await until_told(port, "MongoDB cannot be reached")
        alive = await ask(port, "/health/live")
        await own.mongo.restart(0)
        await until_ready(port)
    finally:
        await worker.kill()

    assert 200 == alive.status


async def test_a_worker_that_waits_for_a_server_ends_when_it_is_asked_to(own: LocalServers) -> None:
    settings = await fresh_settings(Servers(own.kafka.bootstrap, own.mongo.url))
    own.mongo.kill(0)
    worker = await started(settings)
    try:
        await worker.saw("mongo.unavailable")
        code = await worker.stop()
    finally:
        await worker.kill()
        await own.mongo.restart(0)

    assert 0 == code
