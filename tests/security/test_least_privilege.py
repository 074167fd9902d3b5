"""A worker and commands with exactly the rights that `deploy/security` grants, in Kafka and MongoDB together."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio
from aiokafka import ConsumerRecord
from pydantic import SecretStr

from orderstream.commands import Kind, Record
from orderstream.consumer import following, history
from orderstream.kafka_trouble import GRANT
from orderstream.messages import Message
from orderstream.order import Position
from orderstream.producer import publisher
from orderstream.settings import Settings
from orderstream.trouble import UnavailableError
from tests import load
from tests.builders import a_create, a_message
from tests.conftest import Servers, fresh_settings
from tests.security.acls import grant, written
from tests.security.conftest import USERS
from tests.security.roles import a_user
from tests.security.servers import ADMINISTRATOR, SecureKafka, SecureMongo
from tests.worker import Sent, a_worker, caught_up, documents, read, send

TROUBLE: Final = {"commit.failed", "topics.unfit", "worker.failed", "batch.failed", "partition.stopped"}


class Played(NamedTuple):
    """What a worker has done, and what it said."""

    plain: Settings
    log: list[dict[str, Any]]


@pytest_asyncio.fixture(name="played", scope="module", loop_scope="session")
async def _played(kafka: SecureKafka, mongo: SecureMongo) -> Played:
    """A create, an update, a message that is wrong, and an update that waits for its create."""
    plain = await fresh_settings(Servers(kafka.plain, mongo.url(ADMINISTRATOR)))
    for user in USERS:
        await grant(kafka.plain, written(plain, user))
    url = await a_user(mongo, plain.mongo_database, "orderstream-worker")
    settings = logged_in(plain, kafka, "orderstream").model_copy(update={"mongo_url": SecretStr(url)})
    async with a_worker(settings) as worker:
        await play(plain)
        assert 0 == await worker.stop()
    return Played(plain, worker.log)


async def play(plain: Settings) -> None:
    """In three steps, so that the update is read before its create."""
    (create,) = load.creates(1, keys=1)
    wish = a_create("wishlist", {"orderRef": "W1"}, tenant="acme")
    early = a_message("order.patch", {"email": "a@example.com"}, order_ref="W1")._replace(key=wish.key)
    await send(plain, [sent(early), create, create._replace(value=b"no JSON")])
    await caught_up(plain)
    (order,) = await documents(plain)
    id_ = order["refs"]["order_id"]
    await send(plain, [sent(wish), *load.updates([id_], {id_: create.key or b""}, 3)])
    await caught_up(plain)


def sent(record: Record) -> Sent:
    return Sent(record.kind.value.removeprefix("order-"), record.key, record.value, record.headers)


def logged_in(plain: Settings, kafka: SecureKafka, user: str) -> Settings:
    """The same as this user of Kafka."""
    return plain.model_copy(update=kafka.login(user, "SCRAM-SHA-256"))


async def test_a_worker_with_exactly_its_rights_does_all_its_work(played: Played) -> None:
    orders = {order["dialect"]: order for order in await documents(played.plain)}

    assert {"b2b-commerce", "wishlist"} == orders.keys()
    assert 2 == orders["wishlist"]["revision"]
    assert 1 < orders["b2b-commerce"]["revision"]
    assert 1 == len(await read(played.plain, played.plain.topic_rejected))


async def test_a_worker_with_exactly_its_rights_has_no_trouble(played: Played) -> None:
    events = {line["event"] for line in played.log}

    assert {"order.parked", "order.rejected", "batch.done", "worker.stopped"} <= events
    assert set() == {event for event in events if event in TROUBLE or event.endswith("available")}


async def published(settings: Settings) -> object:
    message = Message(kind=Kind.CREATE, key=b"k", headers=(), value=b"{}")
    async with publisher(settings) as to:
        (answer,) = await to.send([message])
    return answer


async def first_event(settings: Settings) -> object:
    async with following(settings, settings.topic_status, from_start=True) as records:
        return await anext(records)


async def first_rejection(settings: Settings) -> object:
    async with history(settings, settings.topic_rejected, since=None) as records:
        return await anext(aiter(records))


COMMANDS: Final[Mapping[str, Callable[[Settings], Awaitable[object]]]] = {
    "orderstream-producer": published,
    "orderstream-reader": first_event,
    "orderstream-support": first_rejection,
}


@pytest.mark.parametrize("user", COMMANDS)
async def test_a_command_needs_no_other_rights(user: str, played: Played, kafka: SecureKafka) -> None:
    done = await COMMANDS[user](logged_in(played.plain, kafka, user))

    assert isinstance(done, Position | ConsumerRecord)


@pytest.mark.parametrize("user", COMMANDS)
async def test_a_command_says_which_right_it_lacks(user: str, plain: Settings, kafka: SecureKafka) -> None:
    missing = "; nor ".join(map(str, written(plain, user)))

    with pytest.raises(UnavailableError) as caught:
        await COMMANDS[user](logged_in(plain, kafka, user))

    assert (f"does not let the user {missing}", GRANT) == (caught.value.reason, caught.value.remedy)
