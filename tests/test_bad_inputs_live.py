"""Bad inputs on real servers, between good messages of their own partitions: once in peace, once with crashes."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
import pytest_asyncio

from orderstream.headers import CREDENTIALS
from tests.bad_inputs import CASES
from tests.bad_inputs.cases import Case, Input, Refused
from tests.bad_inputs.play import Delivered, Played, in_order, played, prepare, send_all
from tests.conftest import Servers, fresh_settings
from tests.test_bad_inputs import assert_told
from tests.worker import a_worker, caught_up

KILLS: Final[Mapping[str, Mapping[str, str]]] = {
    "in peace": {},
    "killed": {"create": "write:2:kill", "update": "publish:2:kill"},
}
TROUBLE: Final = {"batch.failed", "partition.stopped", "partition.unreadable", "worker.failed"}
CUT: Final = 64 * 1024
ASSIGNED: Final = {"orderLines", "shipTo"}  # members in which the worker puts ids
NORMALISED: Final = {"attributeGroups", "shipments", "fulfilledItems", "customer"}


@pytest_asyncio.fixture(name="world", scope="module", params=KILLS)
async def _world(request: pytest.FixtureRequest, servers: Servers) -> Played:
    """What is left when all creates are handled, and then all updates."""
    settings = await fresh_settings(servers)
    await prepare(settings)
    positions: dict[tuple[str, int], str] = {}
    log: list[Mapping[str, Any]] = []
    for topic in ("create", "update"):
        positions |= await send_all(settings, topic, CASES.values())
        if topic in KILLS[request.param]:
            async with a_worker(settings, failpoint=KILLS[request.param][topic]) as dying, asyncio.timeout(60):
                assert await dying.process.wait() < 0
        async with a_worker(settings) as worker:
            await caught_up(settings)
            assert await worker.stop() == 0
            log += worker.log
    return await played(settings, positions, log)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_comes_to_what_the_contracts_say(case: Case, world: Played) -> None:
    for number, sent in enumerate(case.inputs):
        position = world.positions[case.name, number]
        if isinstance(sent.outcome, Refused):
            assert_rejected(sent, position, world)
        elif sent.outcome == "parked":
            assert position in world.waiting
        else:
            assert sent.outcome == world.decisions[position]
        if sent.topic == "create" and sent.outcome == "applied":
            assert_stored(sent, world.orders[position])


def assert_rejected(sent: Input, position: str, world: Played) -> None:
    """With its original bytes and headers, but no credentials; if several times, the same each time."""
    records = world.rejected[position]
    headers = dict(records[0].headers)

    assert_told(sent, headers)
    assert (sent.value or b"")[: CUT if "rejection-truncated" in headers else None] == (records[0].value or b"")
    assert (sent.key or b"")[: CUT if "rejection-headers-dropped" in headers else None] == (records[0].key or b"")
    dropped = len(kept(sent)) - len([one for one in records[0].headers if one in kept(sent)])
    assert dropped == int(headers.get("rejection-headers-dropped", 0))
    assert [without_time(records[0])] * len(records) == [without_time(record) for record in records]
    assert position not in world.orders
    assert position not in world.events


def kept(sent: Input) -> list[tuple[str, bytes | None]]:
    """The headers that go with a rejection."""
    return [one for one in sent.headers if one[0].lower() not in CREDENTIALS and not one[0].startswith("rejection-")]


def without_time(record: Delivered) -> tuple[object, ...]:
    return record.key, record.value, [one for one in record.headers if one[0] != "rejection-time"]


def assert_stored(sent: Input, order: Mapping[str, Any]) -> None:
    """What was sent stands in the document as it was."""
    said = json.loads(sent.value or b"")
    for member in said.keys() - ASSIGNED - NORMALISED:
        assert json.dumps(said[member]) == json.dumps(order["body"][member])
    assert (order["record_key"] or "").encode() == (sent.key if is_short_text(sent.key) else b"")


def is_short_text(key: bytes | None) -> bool:
    return len((key or b"").decode(errors="replace")) <= 512 and b"\xff" not in (key or b"")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_its_neighbours_are_handled(case: Case, world: Played) -> None:
    assert {f"{case.name} before", f"{case.name} after"} <= world.by_ref.keys()
    if in_order(case, "update"):
        body = world.by_ref[case.name]["body"]
        assert ("good", "good") == (body["cancelReason"], body["returnReason"])


def test_nothing_else_comes_of_them(world: Played) -> None:
    sent = [one for case in CASES.values() for topic in ("create", "update") for one in in_order(case, topic)]
    refused = [one for one in sent if isinstance(one.outcome, Refused)]
    created = [one for one in sent if (one.topic, one.outcome) == ("create", "applied")]

    assert (len(refused), len(created)) == (len(world.rejected), len(world.orders))
    assert all(position in world.events for position in world.orders)


def test_no_lane_has_trouble_with_any_of_them(world: Played) -> None:
    assert set() == TROUBLE & {line["event"] for line in world.log}
