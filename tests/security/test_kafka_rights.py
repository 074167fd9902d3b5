"""With the rights of `deploy/security/kafka-acls.sh` all works; without one of them it is said which."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

import pytest
import pytest_asyncio

from orderstream.cli.topic_report import check_stream
from orderstream.kafka_trouble import GRANT
from orderstream.settings import Settings
from orderstream.topics import created, inspected
from orderstream.trouble import UnavailableError
from tests import load
from tests.conftest import Servers, fresh_settings
from tests.security.acls import Acl, grant, revoke, written
from tests.security.servers import ADMINISTRATOR, SecureKafka, SecureMongo
from tests.worker import DEADLINE, Worker, caught_up, documents, read, send, started, until

WORKER: Final = written(Settings(), "orderstream")
SETUP: Final = written(Settings(), "orderstream-setup")


def named(acls: list[Acl], *operations: str) -> pytest.MarkDecorator:
    """A case for each of these rights, known by its place among all of the user."""
    places = [place for place, acl in enumerate(acls) if acl.operation in operations and acl.resource == "topic"]
    return pytest.mark.parametrize("place", places, ids=[str(acls[place]) for place in places])


@pytest_asyncio.fixture(name="granted", scope="module", loop_scope="session")
async def _granted(kafka: SecureKafka, mongo: SecureMongo) -> AsyncIterator[Settings]:
    """Topics and a group for which everything is granted; a test that takes a right away gives it back."""
    plain = await fresh_settings(Servers(kafka.plain, mongo.url(ADMINISTRATOR)))
    for user in ("orderstream", "orderstream-setup"):
        await grant(kafka.plain, written(plain, user))
    yield plain


def secure(plain: Settings, kafka: SecureKafka, user: str) -> Settings:
    """The same as this user."""
    return plain.model_copy(update=kafka.login(user, "SCRAM-SHA-512"))


@named(WORKER, "Read", "Write", "DescribeConfigs")
async def test_a_right_of_the_worker_is_missed_at_its_start(place: int, granted: Settings, kafka: SecureKafka) -> None:
    settings, acl = secure(granted, kafka, "orderstream"), written(granted, "orderstream")[place]

    async def told() -> str:
        state = await inspected(settings)
        return "; ".join(state.problems)

    await revoke(kafka.plain, [acl])
    await until_told(told, acl.operation, acl.name, GRANT)
    await grant(kafka.plain, [acl])
    await until_told(told)


@named(SETUP, "Describe", "DescribeConfigs")
async def test_a_right_of_the_command_topics_is_missed(place: int, granted: Settings, kafka: SecureKafka) -> None:
    settings, acl = secure(granted, kafka, "orderstream-setup"), written(granted, "orderstream-setup")[place]

    async def told() -> str:
        _, state = await created(settings)
        return "; ".join(state.problems)

    await revoke(kafka.plain, [acl])
    await until_told(told, acl.operation, acl.name, GRANT)
    await grant(kafka.plain, [acl])
    await until_told(told)


async def test_the_right_on_the_group_is_missed_by_the_command_topics(granted: Settings, kafka: SecureKafka) -> None:
    settings, acl = secure(granted, kafka, "orderstream-setup"), written(granted, "orderstream-setup")[-1]

    async def told() -> str:
        return "" if await check_stream(settings, adopt=False) else "not sound"

    await revoke(kafka.plain, [acl])
    await until_told(told, "Describe", f"consumer group {settings.group}", GRANT)
    await grant(kafka.plain, [acl])
    await until_told(told)


async def test_rights_to_create_topics_are_missed_all_together(granted: Settings, kafka: SecureKafka) -> None:
    names = {name: f"new-{getattr(granted, name)}" for name in Settings.model_fields if name.startswith("topic_")}
    settings = secure(granted.model_copy(update=names), kafka, "orderstream-setup")
    acls = written(settings, "orderstream-setup")
    await grant(kafka.plain, [acl for acl in acls if acl.operation != "Create"])

    async def told() -> str:
        made, _ = await created(settings)
        return "" if [*made] == [*names.values()] else f"made {made}"

    await until_told(told, *(f"Create topic {name}" for name in names.values()), GRANT)
    await grant(kafka.plain, [acl for acl in acls if acl.operation == "Create"])
    await until_told(told)


async def until_told(ask: Callable[[], Awaitable[str]], *parts: str) -> None:
    """Ask until all of this is told, or nothing at all: rights come and go with a moment's delay."""
    text = ""
    try:
        async with asyncio.timeout(DEADLINE):
            while True:
                try:
                    text = await ask()
                except UnavailableError as error:
                    text = f"{error.reason}; {error.remedy}"
                if all(part in text for part in parts) and bool(parts) == bool(text):
                    return
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(text) from None


async def test_a_worker_says_which_right_it_lacks_and_goes_on_when_it_has_it(
    granted: Settings, kafka: SecureKafka
) -> None:
    rights = {str(acl): acl for acl in written(granted, "orderstream")}
    group = f"Read group {granted.group}"
    await revoke(kafka.plain, [rights[group]])
    worker = await started(secure(granted, kafka, "orderstream"))
    try:
        await until(partial(tells, worker, "Read consumer group"), "nothing is told at the start")
        await grant(kafka.plain, [rights[group]])
        await worker.saw("partitions.assigned")
        for right in (f"Write topic {granted.topic_status}", f"Read topic {granted.topic_create}", group):
            await send(granted, load.creates(1, keys=1))
            await caught_up(granted)
            worker.log.clear()
            await revoke(kafka.plain, [rights[right]])
            await send(granted, load.creates(1, keys=1))
            await until(partial(tells, worker, right.replace("group", "consumer group")), f"{right} is not told")
            await grant(kafka.plain, [rights[right]])
            await caught_up(granted)
            assert not {"partition.unreadable", "worker.failed"} & {line["event"] for line in worker.log}
    finally:
        await worker.kill()

    assert 6 == len(await documents(granted)) == len({event.key for event in await read(granted, granted.topic_status)})


def tells(worker: Worker, right: str) -> bool:
    """Whether it has said that Kafka does not give it this right, and what to do."""
    lines = [line for line in worker.log if line["event"] == "kafka.unavailable" and line.get("remedy") == GRANT]
    return any(right in line["reason"] for line in lines)
