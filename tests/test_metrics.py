"""Metrics: the names that are fixed, labels of closed sets, and what each number counts (interface 7)."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import pytest
from structlog.testing import capture_logs

from orderstream.answers import Circumstances, Decided, Item
from orderstream.batch import decide
from orderstream.commands import Record
from orderstream.decode import Contracts, decode
from orderstream.logs import LogObserver
from orderstream.metrics import NOT_YET, Metrics, State
from orderstream.observers import Observers
from orderstream.order import Order
from orderstream.trouble import UnavailableError
from orderstream.workers import Worker, Workers
from tests.builders import NOW, a_message, a_record

NAMES: Final = {
    "messages": ("dialect", "operation", "outcome"),
    "rejections": ("dialect", "code"),
    "events": ("type",),
    "repeats": ("reason",),
    "batch_messages": (),
    "step_seconds": ("step",),
    "end_to_end_seconds": (),
    "consumer_lag": ("topic", "partition"),
    "parked_updates": (),
    "retries": ("system",),
    "partition_standing": ("topic", "partition"),
    "ready": (),
}
W: Final = a_message("order.create", {"orderRef": "W"})
SHIPPED: Final = a_message("order.patch", {"orderStatus": "SHIPPED"}, 0, order_ref="W")
UNKNOWN: Final = a_message("order.patch", {"orderStatus": "FAX"}, 1, order_ref="W")
EARLY: Final = a_message("order.patch", {"orderStatus": "SHIPPED"}, 2, order_ref="another")


def decided(*records: Record, stored: Iterable[Order] = ()) -> Decided:
    return decide([Item(record, decode(record, Contracts())) for record in records], stored, Circumstances(now=NOW))


def counted(*batches: Decided, state: State = NOT_YET, seconds_later: float = 1) -> Metrics:
    """Metrics that have seen these batches, so many seconds after the time of their records."""
    metrics = Metrics(lambda: NOW + timedelta(seconds=seconds_later))
    for batch in batches:
        metrics.batch_done(batch, {"load": 0.25, "write": 0.5})
    metrics.text(state)
    return metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"orderstream_{name}", labels)


def series(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """The values of a metric by their labels, without those that are 0."""
    return {labels: number for labels, number in all_series(metrics, name).items() if number}


def all_series(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    samples = (sample for family in metrics.registry.collect() for sample in family.samples)
    return {tuple(one.labels.values()): one.value for one in samples if one.name == f"orderstream_{name}"}


def test_the_names_are_those_of_the_interface_and_no_label_is_free_text() -> None:
    state = State(ready=True, parked=0, lag={("t", 0): 1}, standing={("t", 0): False})
    metrics = counted(decided(W, SHIPPED, UNKNOWN), decided(W, stored=[]), state=state)
    found = {family.name: family for family in metrics.registry.collect() if family.name.startswith("orderstream_")}

    assert {f"orderstream_{name}" for name in NAMES} == found.keys()
    for name, labels in NAMES.items():
        for sample in found[f"orderstream_{name}"].samples:
            assert {*labels} == sample.labels.keys() - {"le"}


def test_messages_are_counted_by_dialect_operation_and_outcome() -> None:
    metrics = counted(decided(W, SHIPPED, UNKNOWN, EARLY))

    assert {
        ("wishlist", "order.create", "applied"): 1,
        ("wishlist", "order.patch", "applied"): 1,
        ("wishlist", "order.patch", "rejected"): 1,
        ("wishlist", "order.patch", "parked"): 1,
    } == series(metrics, "messages_total")
    assert {("wishlist", "FIELD_ENUM"): 1} == series(metrics, "rejections_total")


def test_what_was_decided_before_is_counted_as_repeated_and_not_as_rejected_again() -> None:
    first = decided(W, SHIPPED, a_message("entry.update", {"quantity": 1}, 1, order_ref="W", entry_ref="9"))
    again = decided(*(answer.record for answer in first.answers), stored=[write.after for write in first.writes])

    metrics = counted(first, again)

    assert 3 == sum(number for labels, number in series(metrics, "messages_total").items() if "repeated" in labels)
    assert {("wishlist", "ENTRY_NOT_FOUND"): 1} == series(metrics, "rejections_total")


def test_every_counter_begins_at_0_so_that_the_first_burst_is_an_increase() -> None:
    before, after = counted(), counted(decided(W, SHIPPED, UNKNOWN, EARLY), decided(W, stored=[]))

    for name in ("messages_total", "rejections_total", "events_total", "repeats_total", "retries_total"):
        assert {0} == {*all_series(before, name).values()}
        assert all_series(before, name).keys() == all_series(after, name).keys()


@pytest.mark.parametrize("text", ["wish list", "", "jane@example.com", "x" * 1000, "\udcff"])
def test_unknown_values_of_labels_become_other(text: str) -> None:
    record = a_record(value={}, headers={"message-type": "order-update"})
    sent = tuple((name, text.encode(errors="surrogateescape")) for name in ("dialect", "operation"))

    metrics = counted(decided(record._replace(headers=(*record.headers, *sent))))

    assert {("other", "other", "rejected"): 1} == series(metrics, "messages_total")


def test_a_create_needs_no_operation_to_be_counted_as_one() -> None:
    metrics = counted(decided(a_record(value=b"{", headers={"dialect": "wishlist", "message-type": "order-create"})))

    assert {("wishlist", "order.create", "rejected"): 1} == series(metrics, "messages_total")


def test_events_are_counted_by_type_and_repeats_by_reason() -> None:
    first = decided(W, SHIPPED)
    stored = [write.after for write in first.writes]
    redelivered = decided(SHIPPED, stored=stored)  # nothing is known to be out, so the first event goes before it
    equal = decided(W._replace(position=W.position._replace(offset=9)), stored=stored)

    metrics = counted(first, redelivered, equal)

    assert {"order.created": 3, "order.status-changed": 2} == {
        type_: number for (type_,), number in series(metrics, "events_total").items()
    }
    repeats = {("redelivery",): 1, ("earlier-unacknowledged",): 1, ("equal-create",): 1}
    assert repeats == series(metrics, "repeats_total")


def test_only_first_events_are_timed_from_the_time_of_their_record() -> None:
    first = decided(W, SHIPPED)
    again = decided(W, SHIPPED, stored=[write.after for write in first.writes])

    metrics = counted(first, again, seconds_later=1.5)

    assert (2, 3.0) == tuple(value(metrics, f"end_to_end_seconds_{part}") for part in ("count", "sum"))


def test_a_record_from_the_future_takes_no_time() -> None:
    assert 0 == value(counted(decided(W), seconds_later=-60), "end_to_end_seconds_sum")


def test_batches_are_measured_by_messages_and_by_seconds_of_their_steps() -> None:
    metrics = counted(decided(W, SHIPPED), decided())

    assert (1, 2) == (value(metrics, "batch_messages_count"), value(metrics, "batch_messages_sum"))  # none in the other
    assert (2, 1.0) == tuple(value(metrics, f"step_seconds_{part}", step="write") for part in ("count", "sum"))


def test_retries_are_counted_by_who_was_at_fault() -> None:
    observers = Observers(lambda: NOW)
    with capture_logs():
        observers.unavailable(UnavailableError("mongo", "away"), 1)
        observers.unavailable(UnavailableError("mongo", "away"), 2)
        observers.failed(0, "a fault", 1)
        observers.fault("another")

    assert {("mongo",): 2, ("worker",): 2} == series(observers.metrics, "retries_total")


def test_gauges_show_this_moment_and_nothing_of_a_partition_that_was_taken_away() -> None:
    metrics = counted(state=State(ready=True, parked=3, lag={("t", 0): 7, ("t", 1): 0}, standing={("t", 0): True}))
    assert {("t", "0"): 7, ("t", "1"): 0} == all_series(metrics, "consumer_lag")
    assert {("t", "0"): 1} == series(metrics, "partition_standing")
    assert (1, 3) == (value(metrics, "ready"), value(metrics, "parked_updates"))

    metrics.text(NOT_YET)

    assert [{}, {}] == [all_series(metrics, name) for name in ("consumer_lag", "partition_standing")]
    assert 0 == value(metrics, "ready")


async def test_a_process_of_several_that_does_not_answer_is_not_ready() -> None:
    dead = Worker(2, LogObserver())
    dead._listener.close()

    assert b'orderstream_ready{worker="2"} 0.0\n' in await Workers([dead]).metrics()


def test_memory_is_told_under_the_usual_name() -> None:
    assert b"\nprocess_resident_memory_bytes " in Metrics(lambda: NOW).text(NOT_YET)
