"""Who has sent a rejected message again, kept so that nobody sends it twice: in a real MongoDB, by both drivers."""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from orderstream.mongo import MongoOrders
from orderstream.mongo_replays import CLAIM, MongoReplays
from orderstream.order import Position
from orderstream.replays import Note
from tests.builders import NOW
from tests.conftest import Servers

IDS = [Position("order-create", 3, offset) for offset in range(3)]
SENT = Position("order-create", 3, 99)


@pytest_asyncio.fixture(name="replays", params=["motor", "pymongo"])
async def _replays(servers: Servers, request: pytest.FixtureRequest) -> AsyncIterator[MongoReplays]:
    orders = MongoOrders(servers.mongo, f"test-{uuid.uuid4().hex[:8]}", request.param)
    yield orders.replays
    await orders.close()


def notes(after: timedelta = timedelta(0), who: str = "jane") -> list[Note]:
    return [Note(id_, NOW, 1, who, NOW + after, None) for id_ in IDS]


async def test_what_was_claimed_is_noted(replays: MongoReplays) -> None:
    assert {} == await replays.load(IDS)

    assert set(IDS) == await replays.claim(notes(), "a")

    assert {note.id: note for note in notes()} == await replays.load(IDS)


async def test_two_who_claim_at_once_do_not_both_have_it(replays: MongoReplays) -> None:
    assert {IDS[0]} == await replays.claim(notes()[:1], "a")

    assert set(IDS[1:]) == await replays.claim(notes(timedelta(seconds=1)), "b")


async def test_a_claim_of_somebody_who_did_not_go_on_can_be_taken_over(replays: MongoReplays) -> None:
    await replays.claim(notes(), "a")

    assert set() == await replays.claim(notes(CLAIM - timedelta(seconds=1)), "b")
    assert set(IDS) == await replays.claim(notes(CLAIM, "joe"), "c")
    assert {"joe"} == {note.who for note in (await replays.load(IDS)).values()}


async def test_what_was_sent_is_never_claimed_again(replays: MongoReplays) -> None:
    await replays.claim(notes(), "a")
    await replays.acknowledge({IDS[0]: SENT})

    assert SENT == (await replays.load(IDS))[IDS[0]].position
    assert set(IDS[1:]) == await replays.claim(notes(2 * CLAIM), "b")


async def test_nothing_to_note_is_no_trouble(replays: MongoReplays) -> None:
    await replays.acknowledge({})

    assert {} == await replays.load([])
