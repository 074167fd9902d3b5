"""Whether a history left behind what the undisturbed run did, and what the model expects."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bson import decode

from orderstream.answers import Answer
from orderstream.commands import Kind, Record
from orderstream.documents import Document
from orderstream.rejected import rejected_message
from orderstream.status_event import Event
from tests.builders import NOW, READERS_CODEC
from tests.faults.checker import judged
from tests.faults.history import Found, History
from tests.histories.scene import Remains
from tests.histories.world import World

BROKER_LIMIT: Final = 1_000_000
CUT: Final = 400  # characters of a value that differs


def differences(world: World, left: Remains, calm: Remains, *, may_repeat: bool) -> list[str]:
    """In sentences: *left* against itself, against the *calm* run, and against the model."""
    return [
        *left.faults,
        *_unsteady(left),
        *_from_calm(world, left, calm),
        *([] if world.quarrels else judged(_history(world, left, may_repeat=may_repeat)).violations),
    ]


def _unsteady(left: Remains) -> Iterator[str]:
    """What a subscriber must never see, whatever the outcome."""
    told: dict[str, list[Event]] = {}
    for event in left.events:
        before = told.setdefault(event.order_id, [])
        if event.sequence > len(before) + 1:
            yield f"event {event.sequence} of {event.order_id} stands after event {len(before)}"
        elif event.sequence == len(before) + 1:
            before.append(event)
        elif event.value != before[event.sequence - 1].value:
            yield f"event {event.sequence} of {event.order_id} was repeated with other bytes"
    rejected: dict[str, Found] = {}
    for found in _rejections(left):
        if rejected.setdefault(found.topic, found) != found:
            yield f"the rejection of {found.topic} was repeated with other words"


def _from_calm(world: World, left: Remains, calm: Remains) -> Iterator[str]:
    yield from _differ("document", _documents(left), _documents(calm))
    yield from _differ("events of", _events(left), _events(calm))
    yield from _differ("rejection of", _by_position(left), _by_position(calm))
    ends = {partition: len(log) for partition, log in world.logs.items()}
    yield from _differ("offset of", left.committed, ends)
    yield from _differ("checkpoint of", left.kept, ends)
    known = _decisions(calm)
    yield from _differ(
        "decision on", _decisions(left), {position: known.get(position) for position in _decisions(left)}
    )
    if left.waiting:
        yield f"{left.waiting} updates still wait, or are marked"


def _differ(what: str, found: Mapping[Any, object], wanted: Mapping[Any, object]) -> Iterator[str]:
    for name in sorted(found.keys() | wanted.keys()):
        if found.get(name) != wanted.get(name):
            yield f"{what} {name}: {str(found.get(name))[:CUT]}, undisturbed: {str(wanted.get(name))[:CUT]}"


def _documents(left: Remains) -> dict[str, object]:
    return {id_: _plain(_decoded(stored)) for id_, stored in left.documents.items()}


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without the ledger, without keys of lines, which hang on it, and without a number from the counter."""
    number = {"order_id": None} if document["dialect"] == "shopping-cart" else {}
    changes = [{**change, "refs": {**change["refs"], **number}} for change in document["history"]]
    hanging = ("/entry-id/", f"/order-id/{document['refs']['order_id']}" if number else "/entry-id/")
    return {
        **{name: member for name, member in document.items() if name != "ledger"},
        "lookup_keys": {key for key in document["lookup_keys"] if not any(part in key for part in hanging)},
        "refs": {**document["refs"], **number},
        "history": changes,
        "body": {**document["body"], "orderId": None} if number else document["body"],
    }


def _decisions(left: Remains) -> dict[str, object]:
    """What the ledgers say of each record, but for what hangs on when it was decided."""
    decided: dict[str, object] = {}
    for stored in left.documents.values():
        for decision in _decoded(stored)["ledger"]["decisions"]:
            kept = {name: one for name, one in decision.items() if name not in ("revision", "counts_from")}
            decided[decision["position"]] = kept
    return decided


def _events(left: Remains) -> dict[str, list[object]]:
    """Each order's events, each once."""
    told: dict[str, dict[int, object]] = {}
    for event in left.events:
        said = json.loads(event.value)
        if said["data"]["dialect"] == "shopping-cart":
            del said["data"]["refs"]["order_id"]
        told.setdefault(event.order_id, {})[event.sequence] = said
    return {id_: list(events.values()) for id_, events in told.items()}


def _by_position(left: Remains) -> dict[str, Found]:
    return {found.topic: found for found in _rejections(left)}


def _rejections(left: Remains) -> list[Found]:
    """As they stand in the topic, but for the time; in place of the topic's name the original's position."""
    return [_rejection(answer)._replace(topic=str(answer.record.position)) for answer in left.rejected]


def _rejection(answer: Answer, offset: int = 0) -> Found:
    told = rejected_message(answer.record, answer.problems, answer.problem_count, NOW, BROKER_LIMIT)
    return Found("rejected", 0, offset, 0, told.key, told.value, told.headers)


def _history(world: World, left: Remains, *, may_repeat: bool) -> History:
    sendings = [sending for log in world.logs.values() for sending in log]
    return History(
        entries={sending.entry.id: sending.entry for sending in sendings},
        acknowledged={sending.entry.id: str(sending.record.position) for sending in sendings},
        creates=[_found(sending.record) for sending in sendings if sending.record.kind is Kind.CREATE],
        updates=[_found(sending.record) for sending in sendings if sending.record.kind is Kind.UPDATE],
        events=[_event(event, offset) for offset, event in enumerate(left.events)],
        rejections=[_rejection(answer, offset) for offset, answer in enumerate(left.rejected)],
        documents=[_decoded(stored) for stored in left.documents.values()],
        waiting=left.waiting,
        committed=left.committed,
        ends={partition: len(log) for partition, log in world.logs.items()},
        may_repeat=may_repeat,
    )


def _decoded(stored: bytes) -> Document:
    return decode(stored, READERS_CODEC)


def _found(record: Record) -> Found:
    topic, partition, offset = record.position
    return Found(topic, partition, offset, int(record.at.timestamp() * 1000), record.key, record.value, record.headers)


def _event(event: Event, offset: int) -> Found:
    return Found("status", 0, offset, 0, event.order_id.encode(), event.value, event.headers)
