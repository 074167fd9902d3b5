"""Log lines: who sent a message is told by ids, never by values; people get a form of their own (interface 8)."""

import io
import json
import logging
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import redirect_stdout
from typing import Any, Final

import pytest
import structlog
from structlog.testing import capture_logs

from orderstream.answers import Circumstances, Decided, Item
from orderstream.batch import decide
from orderstream.commands import Record
from orderstream.console import Console
from orderstream.decode import Contracts, decode
from orderstream.logs import LogObserver, set_up
from orderstream.order import Order
from tests.builders import NOW, a_message

TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT: Final = f"00-{TRACE}-00f067aa0ba902b7-01"
WHO: Final = {"correlation_id": "c-1", "traceparent": TRACEPARENT}
TOLD: Final = {"dialect": "wishlist", "tenant": "acme", "correlation_id": "c-1", "trace_id": TRACE}

W: Final = a_message("order.create", {"orderRef": "W"})
SHIPPED: Final = a_message("order.patch", {"orderStatus": "SHIPPED"}, 0, order_ref="W", **WHO)
CANCELLED: Final = a_message("order.patch", {"orderStatus": "CANCELLED"}, 1, order_ref="W")
FAX: Final = a_message("order.patch", {"orderStatus": "FAX"}, 7, order_ref="W", **WHO)


def decided(*records: Record, stored: Iterable[Order] = ()) -> Decided:
    return decide([Item(record, decode(record, Contracts())) for record in records], stored, Circumstances(now=NOW))


def logged(*batches: Decided, event: str) -> list[MutableMapping[str, Any]]:
    """The lines of this event that batches leave in the log."""
    with capture_logs() as lines:
        observer = LogObserver()
        for batch in batches:
            observer.batch_done(0, batch, {})
    return [line for line in lines if line["event"] == event]


def test_batches_of_a_lane_are_told_at_once_and_then_together_once_a_second() -> None:
    now = 10.0
    observer, batch = LogObserver(lambda: now), decided(W, SHIPPED)

    def counts() -> list[tuple[int, int, int, int]]:
        told = [(line["partition"], line["batches"], line["messages"], line["events"]) for line in lines]
        lines.clear()
        return told

    with capture_logs() as lines:
        for _ in range(3):
            observer.batch_done(3, batch, {"load": 0.25})
        observer.batch_done(4, batch, {})
        first = counts()
        now = 11.0
        observer.tell_batches()
        (together,) = lines
        lines.clear()
        observer.batch_done(3, batch, {})
        observer.tell_batches()
        held_back = counts()
        observer.tell_batches(at_the_end=True)
        last = counts()

    assert [(3, 1, 2, 2), (4, 1, 2, 2)] == first
    assert ({"applied": 4}, {"load": 500.0}) == (together["outcomes"], together["milliseconds"])
    assert [] == held_back
    assert [(3, 1, 2, 2)] == last


def test_a_rejection_tells_who_sent_what_where_and_in_which_trace() -> None:
    (line,) = logged(decided(FAX), event="order.rejected")

    assert {"topic": "order-update", "partition": 0, "offset": 7, **TOLD} == {
        name: line[name] for name in ("topic", "partition", "offset", *TOLD)
    }
    assert ("FIELD_ENUM", ["orderStatus"], "warning") == (line["code"], line["paths"], line["log_level"])
    assert "FAX" not in repr(line)


def test_an_update_that_waits_tells_who_sent_it() -> None:
    (line,) = logged(decided(SHIPPED), event="order.parked")

    assert {"topic": "order-update", "partition": 0, "offset": 0, **TOLD} == {
        name: told for name, told in line.items() if name not in ("event", "log_level")
    }


@pytest.mark.parametrize(
    "text", ["", "jane@example.com", TRACEPARENT.upper(), f"{TRACEPARENT}-more", f"00-{'0' * 32}-00f067aa0ba902b7-01"]
)
def test_what_is_no_trace_context_is_not_logged(text: str) -> None:
    wrong = a_message("order.patch", {"orderStatus": "FAX"}, 7, order_ref="W", traceparent=text)

    (line,) = logged(decided(wrong), event="order.rejected")

    assert "trace_id" not in line
    assert not text or text not in repr(line)


def test_a_message_under_another_key_is_told_once_for_its_order_and_batch() -> None:
    other, third = SHIPPED._replace(key=b"jane@example.com"), CANCELLED._replace(key=b"third")
    batch = decided(W, other, third)

    (line,) = logged(batch, event="order.key-changed")

    assert (batch.answers[0].order_id, 0, "warning") == (line["order_id"], line["offset"], line["log_level"])
    assert "jane" not in repr(line)


def test_a_key_that_is_no_text_is_another_key() -> None:
    assert 1 == len(logged(decided(W, SHIPPED._replace(key=b"\xff")), event="order.key-changed"))


def test_the_key_rule_kept_or_broken_long_ago_is_not_told() -> None:
    kept, broken = decided(W, SHIPPED), decided(W, SHIPPED._replace(key=b"other"))
    again = decided(SHIPPED._replace(key=b"other"), CANCELLED, stored=[write.after for write in broken.writes])
    unknown = decided(W._replace(key=b"\xff"), SHIPPED)  # the order's own key is none that could be compared

    assert [] == logged(kept, again, unknown, event="order.key-changed")


def test_an_equal_create_under_another_key_is_told_too() -> None:
    again = W._replace(key=b"other", position=W.position._replace(offset=9))

    (line,) = logged(decided(W, again), event="order.key-changed")

    assert ("order-create", 9) == (line["topic"], line["offset"])


def shown(**bound: object) -> str:
    """What the console shows of what is bound to a line."""
    event = {"event": "batch.done", "level": "info", "timestamp": "2026-11-21T10:15:30.123456Z", **bound}
    return Console(colour=False)(None, "", event)


def test_the_console_begins_with_time_level_and_event() -> None:
    assert "2026-11-21 10:15:30.123Z info    batch.done           messages=3" == shown(messages=3)
    assert "2026-11-21 10:15:30.123Z info    batch.done" == shown()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"),
        (None, "null"),
        (True, "true"),
        ("order-create/3/17", "order-create/3/17"),
        ("the topic is not there", '"the topic is not there"'),
        ("", '""'),
        ("Müller", "Müller"),
        ({"applied": 15, "rejected": 2}, "applied:15,rejected:2"),
        ({}, "-"),
        ([0, 1, 2], "0,1,2"),
        ("red \x1b[31m", '"red \\u001b[31m"'),
        ("two\nlines", '"two\\nlines"'),
        ("left\u202e\x9b\x7f", '"left\\u202e\\u009b\\u007f"'),
    ],
)
def test_the_console_shows_values_as_people_write_them_and_obeys_none(value: object, text: str) -> None:
    assert shown(x=value).endswith(f" x={text}")


def test_only_a_terminal_gets_colours() -> None:
    event = {"event": "partition.stopped", "level": "error", "timestamp": "2026-11-21T10:15:30Z"}

    assert Console(colour=True)(None, "", dict(event)).startswith("\x1b[31m2026")
    assert Console(colour=False)(None, "", dict(event)).startswith("2026")


@pytest.fixture(name="restored")
def _restored() -> Iterator[None]:
    """The logging of the test run, as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.mark.usefixtures("restored")
def test_of_a_librarys_line_only_its_template_and_its_place_are_kept() -> None:
    with redirect_stdout(io.StringIO()) as output:
        set_up("debug", "json")
        logging.getLogger("pymongo").warning("command %s failed", "insert jane@example.com")
        logging.getLogger("pymongo").warning("jane@example.com")
        logging.getLogger("pymongo").info("it works")
    first, second = map(json.loads, output.getvalue().splitlines())

    assert ("library.log", "pymongo", "command %s failed") == (first["event"], first["logger"], first["template"])
    assert "template" not in second
    assert "jane" not in output.getvalue()
