"""Wrongs to plant in a clean history, and what the checker must say of each."""

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bson import Decimal128, ObjectId

from tests.faults.history import Found, History


def an_event_is_lost(history: History) -> History:
    lost = next(place for place, event in enumerate(history.events) if _sequence(event) > 1)
    return replace(history, events=_without(history.events, lost))


def the_last_event_of_an_order_is_lost(history: History) -> History:
    subject = _subject_with_events(history, 3)
    lost = max(place for place, event in enumerate(history.events) if event.key == subject)
    return replace(history, events=_without(history.events, lost))


def an_event_is_repeated_with_another_body(history: History) -> History:
    event = history.events[0]
    said = (event.value or b"").replace(b'"revision":1,', b'"revision":2,')
    return replace(history, events=[*history.events, moved(event._replace(value=said), 10_000)])


def an_event_is_repeated_and_nothing_had_happened(history: History) -> History:
    again = next(event for event in history.events if _sequence(event) == 2)
    return replace(history, events=[*history.events, moved(again, 10_000)])


def two_events_of_an_order_are_swapped(history: History) -> History:
    subject = _subject_with_events(history, 3)
    first, second = [place for place, event in enumerate(history.events) if event.key == subject][1:3]
    events = list(history.events)
    one, other = events[first], events[second]
    events[first], events[second] = moved(other, one.offset), moved(one, other.offset)
    return replace(history, events=events)


def an_event_is_about_no_order(history: History) -> History:
    event = history.events[0]
    said = {**json.loads(event.value or b""), "subject": "0" * 24}
    return replace(history, events=[*history.events, moved(event._replace(value=_bytes(said)), 10_000)])


def an_event_has_another_cause(history: History) -> History:
    return _with_event(history, 5, lambda data: data | {"cause": "order-update/0/0"})


def an_event_tells_of_another_status(history: History) -> History:
    return _with_event(history, 5, lambda data: data | {"to": {**data["to"], "payment": "refunded "}})


def a_rejection_is_lost(history: History) -> History:
    return replace(history, rejections=_without(history.rejections, 3))


def a_rejection_has_other_bytes(history: History) -> History:
    first, *rest = history.rejections
    return replace(history, rejections=[first._replace(value=(first.value or b"") + b" "), *rest])


def a_rejection_has_lost_a_header(history: History) -> History:
    first, *rest = history.rejections
    kept = tuple(header for header in first.headers if header[0] != "correlation-id")
    return replace(history, rejections=[first._replace(headers=kept), *rest])


def a_rejection_has_another_code(history: History) -> History:
    first, *rest = history.rejections
    changed = tuple({**dict(first.headers), "rejection-code": b"UNSTORABLE"}.items())
    return replace(history, rejections=[first._replace(headers=changed), *rest])


def a_rejection_is_repeated_and_nothing_had_happened(history: History) -> History:
    return replace(history, rejections=[*history.rejections, history.rejections[0]])


def a_right_message_is_rejected(history: History) -> History:
    right = json.loads(history.events[0].value or b"")["data"]["cause"]
    first, *rest = history.rejections
    changed = tuple({**dict(first.headers), "rejection-id": right.encode()}.items())
    return replace(history, rejections=[first, first._replace(headers=changed), *rest])


def a_document_is_lost(history: History) -> History:
    return replace(history, documents=history.documents[1:])


def a_document_is_there_twice(history: History) -> History:
    twin = {**history.documents[0], "_id": ObjectId()}
    return replace(history, documents=[*history.documents, twin])


def a_document_is_off_by_one_revision(history: History) -> History:
    return _with_document(history, lambda document: document | {"revision": document["revision"] - 1})


def an_update_of_a_document_is_lost(history: History) -> History:
    member = {"shopping-cart": "shippingMethod", "configurator": "name", "subscription": "orderTotal"}
    chosen = next(place for place, document in enumerate(history.documents) if document["dialect"] in member)
    name = member[history.documents[chosen]["dialect"]]
    return _with_document(history, lambda document: document | {"body": {**document["body"], name: "earlier"}}, chosen)


def a_document_has_another_status(history: History) -> History:
    return _with_document(history, lambda document: document | {"status": {**document["status"], "order": "other"}})


def a_document_has_another_total(history: History) -> History:
    chosen = next(place for place, document in enumerate(history.documents) if document["totals"])
    wrong = {"grand": Decimal128("1.01")}
    return _with_document(history, lambda document: document | {"totals": {**document["totals"], **wrong}}, chosen)


def a_document_was_updated_at_another_time(history: History) -> History:
    late = timedelta(milliseconds=1)
    return _with_document(history, lambda document: document | {"updated_at": document["updated_at"] + late})


def a_document_has_lost_a_decision(history: History) -> History:
    return _with_decisions(history, lambda decisions: decisions[1:])


def a_document_has_a_message_decided_twice(history: History) -> History:
    return _with_decisions(history, lambda decisions: [*decisions, decisions[0]])


def a_document_remembers_another_decision(history: History) -> History:
    return _with_decisions(history, lambda decisions: [decisions[0] | {"outcome": "rejected"}, *decisions[1:]])


def an_id_was_given_away_twice(history: History) -> History:
    carts = [place for place, document in enumerate(history.documents) if document["dialect"] == "shopping-cart"]
    taken = history.documents[carts[0]]["refs"]["order_id"]
    return _with_document(
        history, lambda document: document | {"refs": {**document["refs"], "order_id": taken}}, carts[1]
    )


def an_offset_is_not_committed(history: History) -> History:
    (partition, offset), *rest = history.committed.items()
    return replace(history, committed={partition: offset - 1, **dict(rest)})


def an_update_still_waits(history: History) -> History:
    return replace(history, waiting=1)


def an_acknowledged_message_is_not_in_its_topic(history: History) -> History:
    return replace(history, creates=history.creates[:-1])


def an_event_tells_a_secret(history: History) -> History:
    return _with_event(history, 5, lambda data: data | {"native": {"status": "CANARY 1"}})


def the_log_tells_a_secret(history: History) -> History:
    return replace(history, logs=['{"event": "order.rejected", "notes": "CANARY 7"}'])


WRONGS: Mapping[Callable[[History], History], str] = {
    an_event_is_lost: "stands after event",
    the_last_event_of_an_order_is_lost: "its last event is",
    an_event_is_repeated_with_another_body: "was repeated with other bytes",
    an_event_is_repeated_and_nothing_had_happened: "event 2 was published 2 times",
    two_events_of_an_order_are_swapped: "event 3 stands after event 1",
    an_event_is_about_no_order: "has events and is no order",
    an_event_has_another_cause: "says data.cause",
    an_event_tells_of_another_status: "says data.to",
    a_rejection_is_lost: "and is not",
    a_rejection_has_other_bytes: "its rejection has other bytes",
    a_rejection_has_lost_a_header: "its rejection has other headers",
    a_rejection_has_another_code: "it was rejected UNSTORABLE instead of",
    a_rejection_is_repeated_and_nothing_had_happened: "was rejected 2 times",
    a_right_message_is_rejected: "and is right",
    a_document_is_lost: "has 0 documents instead of one",
    a_document_is_there_twice: "has 2 documents instead of one",
    a_document_is_off_by_one_revision: "revision is",
    an_update_of_a_document_is_lost: "body is",
    a_document_has_another_status: "status is",
    a_document_has_another_total: "totals is",
    a_document_was_updated_at_another_time: "updated_at is",
    a_document_has_lost_a_decision: "decisions of",
    a_document_has_a_message_decided_twice: "was decided twice",
    a_document_remembers_another_decision: "was rejected instead of",
    an_id_was_given_away_twice: "2 orders of shopping-cart have the order_id",
    an_offset_is_not_committed: "and is committed up to",
    an_update_still_waits: "updates still wait",
    an_acknowledged_message_is_not_in_its_topic: "where it is not",
    an_event_tells_a_secret: "tells a subscriber what must stay in the order",
    the_log_tells_a_secret: "the log tells",
}


def _sequence(event: Found) -> int:
    number: int = json.loads(event.value or b"")["data"]["sequence"]
    return number


def _subject_with_events(history: History, count: int) -> bytes | None:
    keys = [event.key for event in history.events]
    return next(key for key in keys if keys.count(key) >= count)


def moved(record: Found, offset: int) -> Found:
    """The record at another offset."""
    return record._replace(offset=offset)


def _without(records: Sequence[Found], place: int) -> list[Found]:
    return [*records[:place], *records[place + 1 :]]


def _bytes(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said).encode()


def _with_event(history: History, place: int, change: Callable[[dict[str, Any]], dict[str, Any]]) -> History:
    event = history.events[place]
    said = json.loads(event.value or b"")
    changed = event._replace(value=_bytes({**said, "data": change(said["data"])}))
    return replace(history, events=[*history.events[:place], changed, *history.events[place + 1 :]])


def _with_document(history: History, change: Callable[[dict[str, Any]], dict[str, Any]], place: int = 0) -> History:
    documents = [dict(document) for document in history.documents]
    documents[place] = change(documents[place])
    return replace(history, documents=documents)


def _with_decisions(
    history: History, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], place: int = 0
) -> History:
    document = deepcopy(dict(history.documents[place]))
    document["ledger"]["decisions"] = change(document["ledger"]["decisions"])
    return replace(history, documents=[document, *history.documents[1:]])
