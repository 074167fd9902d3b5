"""Kafka and MongoDB in containers that live for one run of the tests, where a Docker engine answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from docker.errors import DockerException
from pymongo import AsyncMongoClient
from testcontainers.community.kafka import KafkaContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from tests.worker import DEADLINE

KAFKA: Final = "confluentinc/cp-kafka:7.6.0"
MONGO: Final = "mongo:8.0"
MONGO_PORT: Final = 27017
ENGINE_SECONDS: Final = 3
START_SECONDS: Final = 120


def docker_answers() -> bool:
    """Whether there is an engine to start containers with."""
    try:
        client = DockerClient(timeout=ENGINE_SECONDS).client
    except DockerException:
        return False
    client.close()  # it has asked for the engine's version
    return True


@asynccontextmanager
async def containers() -> AsyncIterator[tuple[str, str]]:
    """The addresses of Kafka and MongoDB, ready for use; images are fetched that are not there."""
    kafka = _kafka()
    try:
        kafka.start(timeout=START_SECONDS)  # `with` would give it 30
        with _mongo() as mongo:
            # Direct, as the replica set's only member calls itself by a name that means something else out here.
            address = f"{mongo.get_container_host_ip()}:{mongo.get_exposed_port(MONGO_PORT)}"
            url = f"mongodb://{address}/?directConnection=true"
            await _make_replica_set(url)
            yield kafka.get_bootstrap_server(), url
    finally:
        kafka.stop()


def _kafka() -> KafkaContainer:
    kafka = KafkaContainer(KAFKA).with_kraft()
    kafka.with_env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
    kafka.with_env("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1")
    return kafka.with_env("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1")


def _mongo() -> DockerContainer:
    mongo = DockerContainer(MONGO).with_command(["--replSet", "rs0", "--bind_ip_all"])
    return mongo.with_exposed_ports(MONGO_PORT).waiting_for(LogMessageWaitStrategy("Waiting for connections"))


async def _make_replica_set(url: str) -> None:
    alone = {"_id": "rs0", "members": [{"_id": 0, "host": f"localhost:{MONGO_PORT}"}]}
    async with AsyncMongoClient[dict[str, object]](url) as client:
        await client.admin.command("replSetInitiate", alone)
        async with asyncio.timeout(DEADLINE):
            while not (await client.admin.command("hello"))["isWritablePrimary"]:
                await asyncio.sleep(0.05)
