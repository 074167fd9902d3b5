"""The four topics: what is there, what is missing, what differs from what the guarantees need (interface 1)."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, NoError, TopicAuthorizationFailedError, for_code

from orderstream.connection import connection
from orderstream.kafka_trouble import GRANT, Right, explained, refused, unavailable
from orderstream.settings import Settings
from orderstream.topic_ids import topic_identities

PARTITIONS: Final = 12
DAY_MS: Final = 24 * 3600 * 1000
START_SECONDS: Final = 10.0
LOOKS: Final = 100  # at topics that were made


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
    config: Mapping[str, str] | None  # None where it may not be seen


class TopicState(NamedTuple):
    """What the brokers have of the four topics."""

    topics: Mapping[str, Topic]
    missing: Sequence[str]
    brokers: int
    problems: Sequence[str]


async def partition_counts(settings: Settings, topics: Mapping[str, Right]) -> Mapping[str, int]:
    """How many partitions these topics have, with what we want to do there.

    Raises `UnavailableError` and `TopicsMissingError`.
    """
    found = await topic_identities(connection(settings), topics)
    if missing := [name for name in topics if name not in found]:
        raise TopicsMissingError(missing)
    return {name: one.partitions for name, one in found.items()}


async def inspected(settings: Settings) -> TopicState:
    """Look at the four topics, as the worker needs them. Raises `UnavailableError`."""
    rights: dict[str, Right] = dict.fromkeys(_inputs(settings), "Read")
    rights.update(dict.fromkeys(_outputs(settings), "Write"))
    async with _admin(settings) as admin:
        return await _state(admin, settings, rights)


async def created(settings: Settings) -> tuple[Sequence[str], TopicState]:
    """Make what is missing; the names made, and the state afterwards. Raises `UnavailableError`."""
    rights: dict[str, Right] = dict.fromkeys(_names(settings), "Describe")
    async with _admin(settings) as admin:
        before = await _state(admin, settings, rights)
        if not before.missing:
            return (), before
        replication = min(3, before.brokers)
        known = [topic.partitions for name, topic in before.topics.items() if name in _inputs(settings)]
        new = [_new(name, settings, known[0] if known else PARTITIONS, replication) for name in before.missing]
        response = await admin.create_topics(new)
        _see({name: for_code(code) for name, code, *_ in response.topic_errors if code})
        return before.missing, await _state_once_told(admin, settings, rights)


async def _state_once_told(admin: AIOKafkaAdminClient, settings: Settings, rights: Mapping[str, Right]) -> TopicState:
    """When a broker tells of all topics: a moment after they were made, and at most some seconds."""
    for _ in range(LOOKS):
        state = await _state(admin, settings, rights)
        if not state.missing:
            break
        await asyncio.sleep(0.05)
    return state


def _see(errors: Mapping[str, type[KafkaError]]) -> None:
    """Raises `UnavailableError` when topics could not be made."""
    denied = [name for name, error in errors.items() if error is TopicAuthorizationFailedError]
    if denied:
        raise refused(dict.fromkeys(denied, "Create"))
    for name, error in errors.items():
        raise unavailable(error(name))


def _inputs(settings: Settings) -> tuple[str, str]:
    return settings.topic_create, settings.topic_update


def _outputs(settings: Settings) -> tuple[str, str]:
    return settings.topic_status, settings.topic_rejected


def _names(settings: Settings) -> tuple[str, ...]:
    return (*_inputs(settings), *_outputs(settings))


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
        raise await explained(error, connection(settings)) from None
    finally:
        await admin.close()


async def _state(admin: AIOKafkaAdminClient, settings: Settings, rights: Mapping[str, Right]) -> TopicState:
    names = _names(settings)
    there = await topic_identities(connection(settings), rights)
    cluster = await admin.describe_cluster()
    described = await admin.describe_topics(list(there)) if there else []
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


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> Mapping[str, Mapping[str, str] | None]:
    if not names:
        return {}
    responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    resources: list[Any] = [resource for response in responses for resource in response.resources]
    return {
        name: {entry[0]: entry[1] for entry in entries} if for_code(code) is NoError else None
        for code, _, _, name, entries in resources
    }


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
    if topic.config is None:
        return [
            *problems,
            f"{topic.name} cannot be checked: Kafka does not let the user DescribeConfigs there; {GRANT}",
        ]
    if int(topic.config.get("min.insync.replicas", "1")) < in_sync:
        problems.append(f"{topic.name} has min.insync.replicas below {in_sync}: an acknowledged record may be lost")
    if topic.config.get("cleanup.policy", "delete") != "delete":
        problems.append(f"{topic.name} has cleanup.policy {topic.config['cleanup.policy']}; it must be delete")
    return problems
