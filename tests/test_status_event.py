"""The status event: exactly the members and headers of interface 3, and the same bytes each time."""

import json
from datetime import timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from orderstream.dialects import DIALECTS
from orderstream.order import Order
from orderstream.status_event import Event, event_of
from tests.builders import NOW, Given, a_create, a_message, an_update

STATUS = {"order", "payment", "fulfilment"}


def envelope(event: Event) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(event.value)
    return value


def texts(event: Event) -> dict[str, str]:
    return {name: value.decode() for name, value in event.headers}


def an_order_of_three() -> Order:
    """Created, shipped, deleted."""
    orders = Given(a_message("order.create", {"orderRef": "W", "orderStatus": "CREATED"}))
    orders.when(a_message("order.patch", {"orderStatus": "SHIPPED"}, order_ref="W", correlation_id="c-1"))
    orders.when(a_message("order.delete", {}, order_ref="W"))
    return orders.order


def test_a_change_of_status_is_told_with_all_its_members() -> None:
    order = an_order_of_three()

    event = envelope(event_of(order, 2))

    assert event == {
        "specversion": "1.0",
        "id": f"{order.id}:2",
        "type": "order.status-changed",
        "source": "/orderstream/wishlist/acme",
        "subject": order.id,
        "time": "2026-11-21T10:15:30.123Z",
        "datacontenttype": "application/json",
        "data": {
            "order_id": order.id,
            "dialect": "wishlist",
            "tenant": "acme",
            "refs": {"order_id": order.id, "order_ref": "W"},
            "sequence": 2,
            "revision": 2,
            "from": {"order": "created", "payment": "unknown", "fulfilment": "unfulfilled"},
            "to": {"order": "in_progress", "payment": "unknown", "fulfilment": "shipped"},
            "changed": ["order", "fulfilment"],
            "native": {"orderStatus": "SHIPPED"},
            "cause": "order-update/0/1",
            "correlation_id": "c-1",
        },
    }


def test_a_new_and_a_deleted_order_change_all_three() -> None:
    first, _, last = (envelope(event_of(an_order_of_three(), number)) for number in (1, 2, 3))

    assert (first["type"], first["data"]["from"], set(first["data"]["to"])) == ("order.created", None, STATUS)
    assert (last["type"], last["data"]["to"], set(last["data"]["from"])) == ("order.deleted", None, STATUS)
    assert first["data"]["changed"] == last["data"]["changed"] == ["order", "payment", "fulfilment"]


def test_the_key_is_the_order_and_the_headers_say_what_is_known() -> None:
    order = an_order_of_three()

    known, unknown = event_of(order, 2, "00-trace"), event_of(order, 3)

    assert known.order_id == order.id
    assert texts(known) == {
        "content-type": "application/cloudevents+json; charset=utf-8",
        "dialect": "wishlist",
        "tenant": "acme",
        "correlation-id": "c-1",
        "traceparent": "00-trace",
    }
    assert set(texts(unknown)) == {"content-type", "dialect", "tenant"}


def test_an_event_has_the_same_bytes_whatever_becomes_of_the_order() -> None:
    orders = Given(a_create("subscription", {"orderReference": ""}))
    before = [event_of(orders.order, 1).value]

    orders.when(an_update(orders.order, "order.patch", {"status": "ORDER_SHIPPED"}, order_ref="R"))
    orders.when(an_update(orders.order, "order.patch", {"status": "ORDER_DELIVERED"}))

    assert before == [event_of(orders.order, 1).value]
    assert "order_ref" not in envelope(event_of(orders.order, 1))["data"]["refs"]
    assert envelope(event_of(orders.order, 2))["data"]["refs"]["order_ref"] == "R"


@pytest.mark.parametrize(
    ("tenant", "source"),
    [
        ("acme", "/orderstream/b2b-commerce/acme"),
        ("a/b c?é", "/orderstream/b2b-commerce/a%2Fb%20c%3F%C3%A9"),
        (None, "/orderstream/b2b-commerce"),
    ],
)
def test_the_source_is_percent_encoded(tenant: str | None, source: str) -> None:
    event = event_of(Given(a_create("b2b-commerce", tenant=tenant)).order, 1)

    assert envelope(event)["source"] == source
    assert texts(event).get("tenant") == tenant == envelope(event)["data"]["tenant"]


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (timedelta(), "2026-11-21T10:15:30.123Z"),
        (timedelta(microseconds=877_000), "2026-11-21T10:15:31.000Z"),
        (timedelta(milliseconds=-123), "2026-11-21T10:15:30.000Z"),
    ],
)
def test_times_have_milliseconds_and_are_utc(later: timedelta, expected: str) -> None:
    event = event_of(Given(a_create("configurator", None, NOW + later)).order, 1)

    assert envelope(event)["time"] == expected


@pytest.mark.parametrize("dialect", DIALECTS)
def test_events_carry_ids_and_statuses_and_no_personal_data(dialect: str) -> None:
    order = Given(a_create(dialect)).order

    event = envelope(event_of(order, 1))

    assert set(event["data"]["refs"]) <= {"order_id", "order_number", "order_ref"}
    assert set(event["data"]["native"]) <= {"status", "orderStatus", "paymentStatus"}
    assert "@" not in json.dumps(event)


def test_an_envelope_is_a_cloudevent() -> None:
    schema = {
        "required": ["id", "source", "specversion", "type"],
        "properties": {
            "id": {"type": "string", "minLength": 1},
            "source": {"type": "string", "pattern": "^/[!-~]+$"},
            "specversion": {"const": "1.0"},
            "type": {"type": "string", "minLength": 1},
            "subject": {"type": "string", "minLength": 1},
            "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
        },
    }

    for number in (1, 2, 3):
        Draft202012Validator(schema).validate(envelope(event_of(an_order_of_three(), number)))
