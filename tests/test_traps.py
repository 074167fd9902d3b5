"""What batch subscribers are known to lose is not lost here (design 6), on real servers."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr

from orderstream.local import MongoReplicaSet
from orderstream.settings import Settings
from tests import load
from tests.worker import Sent, a_worker, caught_up, documents, read, send


def between_good_ones(bad: Sent) -> list[Sent]:
    """*bad* in the middle of good messages of its own partition."""
    first, second = (message._replace(key=bad.key) for message in load.creates(2, keys=1))
    return [first, bad, second]


def a_create(**changed: object) -> Sent:
    """A good create of another order, with something changed."""
    return load.creates(3, keys=1)[2]._replace(**changed)  # type: ignore[arg-type]


GOOD = a_create().headers
TRAPS = {
    # header of no meaning to us: the message is good all the same
    "undecodable header": (a_create(headers=(*GOOD, ("x-trace", b"\xff\xfe"))), 3),
    "null header": (a_create(headers=(*GOOD, ("x-trace", None))), 3),
    # rejected alone
    "undecodable header of the contract": (a_create(headers=(*GOOD, ("operation", b"\xff\xfe"))), 2),
    "invalid JSON": (a_create(value=b'{"customer": '), 2),
    "null value": (a_create(value=None), 2),
    "invalid UTF-8": (a_create(value=b'{"customer": "\xff"}'), 2),
}


@pytest.mark.parametrize("name", TRAPS)
async def test_a_bad_message_costs_its_neighbours_nothing(name: str, settings: Settings) -> None:
    bad, orders = TRAPS[name]
    async with a_worker(settings):
        await send(settings, between_good_ones(bad))
        await caught_up(settings)

    assert orders == len(await documents(settings))
    assert orders == len(await read(settings, settings.topic_status))
    assert 3 - orders == len(await read(settings, settings.topic_rejected))


@pytest.mark.parametrize("step", ["decode", "load", "decide", "write", "publish", "finish"])
async def test_a_step_that_raises_is_done_again(step: str, settings: Settings) -> None:
    async with a_worker(settings, failpoint=f"{step}:1:raise"):
        await send(settings, load.creates(50, keys=5))
        await caught_up(settings)

    assert 50 == len(await documents(settings))
    assert 50 == len({event.key for event in await read(settings, settings.topic_status)})


async def test_mongodb_away_for_20_seconds_is_waited_for(settings: Settings, tmp_path: Path) -> None:
    mongo = MongoReplicaSet(tmp_path / "mongo")
    await mongo.start()
    try:
        mine = settings.model_copy(update={"mongo_url": SecretStr(mongo.url)})
        async with a_worker(mine) as worker:
            await send(mine, load.creates(100, keys=20))
            await caught_up(mine)
            mongo.kill(0)
            await send(mine, load.creates(100, keys=20, seed=3))
            await worker.saw("mongo.unavailable")
            await asyncio.sleep(20)  # the length of the outage is what is tested
            await mongo.restart(0)
            await caught_up(mine)
            await worker.saw("mongo.available")
        orders = await documents(mine)
    finally:
        await mongo.stop()

    assert 200 == len(orders)
    assert 200 == len({event.key for event in await read(settings, settings.topic_status)})
    assert [] == await read(settings, settings.topic_rejected)
