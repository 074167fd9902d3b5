"""One Kafka, one MongoDB with logins for all tests of this folder."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from orderstream.settings import Settings
from tests.conftest import Servers, fresh_settings
from tests.security.servers import ADMINISTRATOR, SecureKafka, SecureMongo, kafka_with_logins, mongo_with_logins

USERS = ("orderstream", "orderstream-setup", "orderstream-producer", "orderstream-reader", "orderstream-support")


@pytest_asyncio.fixture(name="kafka", scope="package", loop_scope="session")
async def _kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecureKafka]:
    async with kafka_with_logins(tmp_path_factory.mktemp("kafka") / "data", USERS) as kafka:
        yield kafka


@pytest_asyncio.fixture(name="mongo", scope="package", loop_scope="session")
async def _mongo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecureMongo]:
    async with mongo_with_logins(tmp_path_factory.mktemp("mongo") / "data") as mongo:
        yield mongo


@pytest_asyncio.fixture(name="plain")
async def _plain(kafka: SecureKafka, mongo: SecureMongo) -> Settings:
    """Topics, group and database of one test, as the tests themselves reach them."""
    return await fresh_settings(Servers(kafka.plain, mongo.url(ADMINISTRATOR)))
