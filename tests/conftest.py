"""Real servers for the tests: named ones, else Docker, else local child processes; a run that finds none fails."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import pytest_asyncio

from orderstream.local import local_servers
from orderstream.settings import Settings, read_settings
from orderstream.topics import created
from tests.faults.brokers import remove_topics


class Servers(NamedTuple):
    """Where Kafka and MongoDB are."""

    kafka: str
    mongo: str


@asynccontextmanager
async def _servers() -> AsyncIterator[Servers]:
    kafka, mongo = os.environ.get("ORDERSTREAM_KAFKA_BOOTSTRAP"), os.environ.get("ORDERSTREAM_MONGO_URL")
    if kafka and mongo:
        yield Servers(kafka, mongo)
        return
    from tests.containers import containers, docker_answers  # a second, which named servers spare

    if docker_answers():
        async with containers() as addresses:
            yield Servers(*addresses)
        return
    async with local_servers(report=print) as servers:
        yield Servers(servers.kafka.bootstrap, servers.mongo.url)


@pytest_asyncio.fixture(name="servers", scope="session")
async def _servers_fixture() -> AsyncIterator[Servers]:
    async with _servers() as servers:
        yield servers


@pytest_asyncio.fixture(name="settings")
async def _settings(servers: Servers) -> AsyncIterator[Settings]:
    """Topics, group and database of one test; hundreds of tests' topics would be too many open files for a broker."""
    settings = await fresh_settings(servers)
    yield settings
    await remove_topics(settings)


async def fresh_settings(servers: Servers) -> Settings:
    """Topics, group and database that nothing else uses; the topics are there."""
    mine = uuid.uuid4().hex[:8]
    settings = read_settings(
        {
            "ORDERSTREAM_KAFKA_BOOTSTRAP": servers.kafka,
            "ORDERSTREAM_MONGO_URL": servers.mongo,
            "ORDERSTREAM_MONGO_DATABASE": f"test-{mine}",
            "ORDERSTREAM_GROUP": f"test-{mine}",
            "ORDERSTREAM_TOPIC_CREATE": f"create-{mine}",
            "ORDERSTREAM_TOPIC_UPDATE": f"update-{mine}",
            "ORDERSTREAM_TOPIC_STATUS": f"status-{mine}",
            "ORDERSTREAM_TOPIC_REJECTED": f"rejected-{mine}",
            "ORDERSTREAM_HTTP_PORT": "0",
        }
    )
    await created(settings)
    return settings
