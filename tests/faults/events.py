"""Status events as a subscriber finds them, against those that the model expects."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tests.faults.history import Found

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"


class Told(NamedTuple):
    """An event as it stands in the topic."""

    record: Found
    said: Mapping[str, Any]

    @property
    def sequence(self) -> int:
        """Its number within the order."""
        number: int = self.said["data"]["sequence"]
        return number


def parsed(records: Iterable[Found]) -> list[Told]:
    """Events by partition and offset."""
    in_order = sorted(records, key=lambda record: (record.partition, record.offset))
    return [Told(record, json.loads(record.value or b"")) for record in in_order]


def in_sequence(events: Sequence[Told], expected: Sequence[Mapping[str, Any]], allowed: int | None) -> Iterator[str]:
    """What is wrong with the events of one order; *allowed*: repeats of the first one, None: of all of them."""
    if len({event.record.partition for event in events}) > 1:
        yield "its events stand in several partitions"
    yield from _order(events, len(expected))
    yield from _bytes(events)
    for event in events:
        if event.sequence <= len(expected):
            yield from _content(event, expected[event.sequence - 1])
    if allowed is not None:
        yield from _repeats(events, allowed)


def _order(events: Sequence[Told], expected: int) -> Iterator[str]:
    last = 0
    for event in events:
        if event.sequence > last + 1:
            yield f"event {event.sequence} stands after event {last}, at {event.record.position}"
        last = max(last, event.sequence)
    if last != expected:
        yield f"its last event is {last} instead of {expected}"


def _bytes(events: Sequence[Told]) -> Iterator[str]:
    first: dict[int, Found] = {}
    for event in events:
        before = first.setdefault(event.sequence, event.record)
        if (before.key, before.value) != (event.record.key, event.record.value):
            yield f"event {event.sequence} was repeated with other bytes, at {event.record.position}"


def _content(event: Told, expected: Mapping[str, Any]) -> Iterator[str]:
    for path, said, wanted in _different(event.said, expected):
        yield f"event {event.sequence} at {event.record.position} says {path} = {said!r} instead of {wanted!r}"
    if event.record.key != event.said["subject"].encode():
        yield f"event {event.sequence} has another key than its order's id"
    wanted_headers = {
        "content-type": CONTENT_TYPE,
        "dialect": expected["data"]["dialect"],
        "tenant": expected["data"]["tenant"],
        "correlation-id": expected["data"]["correlation_id"],
    }
    for name, text in wanted_headers.items():
        if event.record.header(name) != text:
            yield f"event {event.sequence} has the header {name} {event.record.header(name)!r} instead of {text!r}"


def _different(
    said: Mapping[str, Any], wanted: Mapping[str, Any], place: str = ""
) -> Iterator[tuple[str, object, object]]:
    for name in sorted(said.keys() | wanted.keys()):
        ours, theirs = said.get(name), wanted.get(name)
        if name == "data" and isinstance(ours, dict) and isinstance(theirs, dict):
            yield from _different(ours, theirs, "data.")
        elif ours != theirs or (name in said) != (name in wanted):
            yield place + name, ours, theirs


def _repeats(events: Sequence[Told], allowed: int) -> Iterator[str]:
    for sequence, count in Counter(event.sequence for event in events).items():
        if count > 1 + (allowed if sequence == 1 else 0):
            yield f"event {sequence} was published {count} times, and nothing had happened"
