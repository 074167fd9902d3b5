"""A worker process on real servers: every sample, a large fold, kills, stops, and the traps of batch subscribers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from orderstream.settings import Settings
from tests import load
from tests.builders import samples
from tests.load import Expected
from tests.worker import Sent, a_worker, caught_up, documents, read, send, until

EVENT_MEMBERS = {
    "order_id", "dialect", "tenant", "refs", "sequence", "revision", "from", "to", "changed", "native", "cause",
    "correlation_id",
}  # fmt: skip
DOCUMENT_MEMBERS = {
    "_id", "dialect", "tenant", "refs", "lookup_keys", "idempotency_key", "record_key", "status", "customer",
    "currency", "totals", "placed_at", "created_at", "updated_at", "deleted_at", "revision", "sequence", "history",
    "warnings", "body", "ledger",
}  # fmt: skip


def from_sample(path: Path, **changed: str) -> Sent:
    """A sample as a message; *changed* headers are put over its own."""
    message = json.loads(path.read_text())
    headers = {**message["headers"], **{name.replace("_", "-"): text for name, text in changed.items()}}
    topic = "update" if headers.get("message-type") == "order-update" else "create"
    return Sent(
        topic,
        message["key"].encode(),
        json.dumps(message["value"]).encode(),
        tuple((name, text.encode()) for name, text in headers.items()),
    )


async def test_a_create_becomes_a_document_and_an_event(settings: Settings) -> None:
    async with a_worker(settings):
        (cause,) = await send(settings, [from_sample(samples("b2b-commerce")[0])])
        await caught_up(settings)

    (document,), (event,) = await documents(settings), await read(settings, settings.topic_status)
    data = json.loads(event.value or b"")["data"]
    assert DOCUMENT_MEMBERS == set(document)
    assert EVENT_MEMBERS == set(data)
    assert (str(document["_id"]), cause) == (data["order_id"], data["cause"])


class Outcome(NamedTuple):
    """What the worker left behind of a load."""

    documents: Mapping[str, Mapping[str, Any]]
    events: Mapping[str, Sequence[Mapping[str, Any]]]  # per order, as they stand in the topic


async def outcome(settings: Settings) -> Outcome:
    """Documents by id, and the events of each order; repeats must be bytes for bytes the same."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    bytes_of: dict[str, bytes] = {}
    for record in await read(settings, settings.topic_status):
        event = json.loads(record.value or b"")
        assert bytes_of.setdefault(event["id"], record.value or b"") == record.value
        found.setdefault(event["subject"], []).append(event["data"])
    return Outcome({str(document["_id"]): document for document in await documents(settings)}, found)


def without_repeats(events: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """What a subscriber sees that drops what he has seen; gaps are not forgiven."""
    last, statuses = 0, []
    for event in events:
        if event["sequence"] > last:
            assert event["sequence"] == last + 1
            last = event["sequence"]
            statuses.append(tuple(event["to"].values()))
    return statuses


def assert_folded(result: Outcome, expected: Mapping[str, Expected]) -> None:
    """Documents and events are what the plain fold of the messages says."""
    assert result.documents.keys() == expected.keys()
    for id_, order in expected.items():
        document = result.documents[id_]
        assert {**order.body, "id": id_} == document["body"]
        assert order.status == tuple(document["status"][part] for part in ("order", "payment", "fulfilment"))
        assert (order.revision, len(order.events)) == (document["revision"], document["sequence"])
        assert list(order.events) == without_repeats(result.events[id_])


async def created_orders(settings: Settings, messages: Sequence[Sent], causes: Sequence[str]) -> dict[str, Sent]:
    """The id that each create was given, found by the position of its record."""
    by_cause = dict(zip(causes, messages, strict=True))
    events = (json.loads(record.value or b"")["data"] for record in await read(settings, settings.topic_status))
    return {event["order_id"]: by_cause[event["cause"]] for event in events if event["sequence"] == 1}


async def test_20000_creates_and_20000_updates_of_5000_keys_end_as_their_fold(settings: Settings) -> None:
    async with a_worker(settings) as worker:
        messages = load.creates(20_000, keys=5_000)
        created = await created_orders_when_done(settings, messages)
        changes = load.updates(list(created), {id_: one.key or b"" for id_, one in created.items()}, 20_000)
        await send(settings, changes)
        await caught_up(settings)
        assert await worker.stop() == 0

    result = await outcome(settings)

    assert_folded(result, load.folded(created, changes))
    assert all(len(events) == result.documents[id_]["sequence"] for id_, events in result.events.items())  # no repeat


async def created_orders_when_done(settings: Settings, messages: Sequence[Sent]) -> dict[str, Sent]:
    """Send creates, wait until they are handled, and give the id of each."""
    causes = await send(settings, messages)
    await caught_up(settings)
    return await created_orders(settings, messages, causes)


async def test_three_kills_lose_nothing_and_repeat_only_the_same_bytes(settings: Settings) -> None:
    messages = load.creates(15_000, keys=1_500)
    causes = await send(settings, messages)
    await killed_in_the_middle(settings, times=2)
    async with a_worker(settings):
        await caught_up(settings)
    created = await created_orders(settings, messages, causes)
    changes = load.updates(list(created), {id_: one.key or b"" for id_, one in created.items()}, 15_000)
    await send(settings, changes)
    await killed_in_the_middle(settings, times=1)
    async with a_worker(settings) as worker:
        await caught_up(settings)
        assert await worker.stop() == 0

    assert_folded(await outcome(settings), load.folded(created, changes))


async def killed_in_the_middle(settings: Settings, times: int) -> None:
    """Start a worker and kill it as soon as it has done some batches, so many times."""
    for _ in range(times):
        async with a_worker(settings) as worker:
            await until(lambda: sum(line["event"] == "batch.done" for line in worker.log) >= 2, "no batch done")
            await worker.kill()


async def test_a_clean_stop_in_the_middle_repeats_nothing(settings: Settings) -> None:
    messages = load.creates(20_000, keys=1_500)
    await send(settings, messages)
    for _ in range(2):
        async with a_worker(settings) as worker:
            await until(lambda: any(line["event"] == "batch.done" for line in worker.log), "no batch done")
            assert await worker.stop() == 0
    async with a_worker(settings) as worker:
        await caught_up(settings)
        await worker.stop()

    events = await read(settings, settings.topic_status)

    assert len(messages) == len(events)


async def test_workers_that_come_and_go_repeat_nothing(settings: Settings) -> None:
    messages = load.creates(20_000, keys=1_500)
    async with a_worker(settings) as first:
        await send(settings, messages[:10_000])
        async with a_worker(settings) as second:
            await send(settings, messages[10_000:])
            await until(lambda: any(line["event"] == "batch.done" for line in second.log), "no batch done")
            assert await first.stop() == 0
            await caught_up(settings)
            assert await second.stop() == 0

    events = await read(settings, settings.topic_status)

    assert len(messages) == len(events)
    assert len(messages) == len(await documents(settings))
