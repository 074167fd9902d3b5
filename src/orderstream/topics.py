"""The four topics: what is there, what is missing, what differs from what the guarantees need (interface 1)."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from orderstream.connection import connection
from orderstream.settings import Settings
from orderstream.trouble import UnavailableError

PARTITIONS: Final = 12
DAY_MS: Final = 24 * 3600 * 1000
START_SECONDS: Final = 10.0


class TopicsMissingError(Exception):
    """Topics are not there, and the worker makes none by itself."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = list(names)


class Topic(NamedTuple):
    """A topic as it is on the brokers."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


class TopicState(NamedTuple):
    """What the brokers have of the four topics."""

    topics: Mapping[str, Topic]
    missing: Sequence[str]
    brokers: int
    problems: Sequence[str]


async def inspected(settings: Settings) -> TopicState:
    """Look at the four topics. Raises `UnavailableError`."""
    async with _admin(settings) as admin:
        return await _state(admin, settings)


async def created(settings: Settings) -> tuple[Sequence[str], TopicState]:
    """Make what is missing; the names made, and the state afterwards. Raises `UnavailableError`."""
    async with _admin(settings) as admin:
        before = await _state(admin, settings)
        if before.missing:
            replication = min(3, before.brokers)
            known = [topic.partitions for name, topic in before.topics.items() if name in _inputs(settings)]
            new = [_new(name, settings, known[0] if known else PARTITIONS, replication) for name in before.missing]
            response = await admin.create_topics(new)
            for _, code, *_ in response.topic_errors:
                if code:
                    raise UnavailableError("kafka", for_code(code).__name__)
        return before.missing, await _state(admin, settings)


def _inputs(settings: Settings) -> tuple[str, str]:
    return settings.topic_create, settings.topic_update


def _names(settings: Settings) -> tuple[str, ...]:
    return (*_inputs(settings), settings.topic_status, settings.topic_rejected)


def _new(name: str, settings: Settings, partitions: int, replication: int) -> NewTopic:
    config = {
        "cleanup.policy": "delete",
        "min.insync.replicas": str(max(1, replication - 1)),
        "retention.ms": str(14 * DAY_MS),
    }
    if name == settings.topic_rejected:  # the original bytes and all headers must fit
        config["max.message.bytes"] = str(4 * settings.max_value_bytes)
        config["retention.ms"] = str(30 * DAY_MS)
    return NewTopic(name, partitions, replication, topic_configs=config)


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**connection(settings), request_timeout_ms=10_000)
    try:
        async with asyncio.timeout(START_SECONDS):  # for all addresses together
            await admin.start()
        yield admin
    except (KafkaError, TimeoutError, OSError) as error:
        raise UnavailableError("kafka", type(error).__name__) from None
    finally:
        await admin.close()


async def _state(admin: AIOKafkaAdminClient, settings: Settings) -> TopicState:
    names = _names(settings)
    cluster = await admin.describe_cluster()
    there = set(await admin.list_topics())
    described = await admin.describe_topics([name for name in names if name in there]) if there else []
    configs = await _configs(admin, [one["topic"] for one in described])
    topics = {
        one["topic"]: Topic(
            one["topic"], len(one["partitions"]), len(one["partitions"][0]["replicas"]), configs[one["topic"]]
        )
        for one in described
    }
    brokers = len(cluster["brokers"])
    missing = [name for name in names if name not in topics]
    return TopicState(topics, missing, brokers, _problems(settings, topics, brokers))


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    if not names:
        return {}
    responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    resources: list[Any] = [resource for response in responses for resource in response.resources]
    return {name: {entry[0]: entry[1] for entry in entries} for *_, name, entries in resources}


def _problems(settings: Settings, topics: Mapping[str, Topic], brokers: int) -> list[str]:
    counts = {name: topics[name].partitions for name in _inputs(settings) if name in topics}
    problems = []
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
        problems.append(f"the input topics must have equally many partitions: {listed}")
    return problems + [problem for topic in topics.values() for problem in _topic_problems(topic, brokers)]


def _topic_problems(topic: Topic, brokers: int) -> list[str]:
    wanted = min(3, brokers)
    in_sync = max(1, wanted - 1)
    problems = []
    if topic.replication < wanted:
        problems.append(f"{topic.name} has {topic.replication} replicas; {wanted} brokers could hold {wanted}")
    if int(topic.config.get("min.insync.replicas", "1")) < in_sync:
        problems.append(f"{topic.name} has min.insync.replicas below {in_sync}: an acknowledged record may be lost")
    if topic.config.get("cleanup.policy", "delete") != "delete":
        problems.append(f"{topic.name} has cleanup.policy {topic.config['cleanup.policy']}; it must be delete")
    return problems
