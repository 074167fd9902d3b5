"""Whether a message that never reached an order was meant for it."""

import json
from collections.abc import Mapping

import pytest

from orderstream.dialects import DIALECTS
from orderstream.json_text import JsonObject
from orderstream.mentions import Sent, Sought, found_by, sought, sought_as
from orderstream.problems import Code, Problem
from tests.builders import Given, a_create, an_example

REF = "WEB-2026-1042"  # of the first example of wishlist, which is also its record key
TENANT = "example-retailer"
KEY = "0f5f9a3e-6a54-4c0e-9a53-3f7f1d1c2b4a"
UPDATE = {"dialect": "wishlist", "tenant": TENANT, "operation": "order.patch"}
CREATE = {"dialect": "wishlist", "tenant": TENANT}


def the_order() -> Sought:
    lines: JsonObject = {"orderLines": [{"id": "L-1", "quantity": 1}]}
    return sought(Given(a_create("wishlist", lines, idempotency_key=KEY)).order)


def a_message(
    headers: Mapping[str, str], value: object = None, key: str = "another", wrong: tuple[str, ...] = ()
) -> Sent:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    sent = tuple((name, text.encode()) for name, text in headers.items())
    return Sent(key.encode(), raw, sent, tuple(Problem(Code.HEADER_INVALID, path, "") for path in wrong))


@pytest.mark.parametrize(
    ("message", "paths"),
    [
        (a_message({**UPDATE, "order-ref": REF}), ("headers.order-ref",)),
        (a_message({**UPDATE, "entry-id": "L-1"}), ("headers.entry-id",)),
        (a_message({**UPDATE, "order-ref": REF}, b'{"orderRef": not json'), ("headers.order-ref",)),
        (a_message({**CREATE, "idempotency-key": KEY.upper()}), ("headers.idempotency-key",)),
        (a_message(CREATE, {"orderRef": REF}), ("orderRef",)),
        (a_message({"order-ref": REF}), ("headers.order-ref",)),  # its dialect and tenant may be what is wrong
        (a_message({**UPDATE, "dialect": "wishlisst", "order-ref": REF}), ("headers.order-ref",)),
    ],
)
def test_a_message_that_names_the_order_was_meant_for_it(message: Sent, paths: tuple[str, ...]) -> None:
    assert paths == found_by(message, the_order())


@pytest.mark.parametrize(
    "message",
    [
        a_message({**UPDATE, "order-ref": "WEB-1"}),
        a_message({**UPDATE, "tenant": "another", "order-ref": REF}),
        a_message({**UPDATE, "dialect": "b2b-commerce", "order-ref": REF}),
        a_message(UPDATE, {"notes": REF, "id": "ord-1"}),
        a_message(UPDATE, {"orderLines": [{"orderRef": REF}]}),
        a_message({**UPDATE, "idempotency-key": "5c7d6f0a-3e1b-4c52-9a64-2d8f71b0c3e9"}),
        a_message(UPDATE, ["id", REF]),
    ],
)
def test_a_message_that_names_another_or_none_was_not(message: Sent) -> None:
    assert () == found_by(message, the_order())


@pytest.mark.parametrize(
    ("message", "is_meant"),
    [
        (a_message(UPDATE, b"{not json", REF), True),
        (a_message({**UPDATE, "order-id": "?"}, {}, REF, wrong=("headers.order-id",)), True),
        (a_message({**UPDATE, "order-ref": "WEB-1"}, {}, REF), False),
        (a_message(CREATE, {"orderRef": "WEB-1"}, REF), False),
        (a_message({**CREATE, "idempotency-key": "5c7d6f0a-3e1b-4c52-9a64-2d8f71b0c3e9"}, {}, REF), False),
        (a_message({**UPDATE, "tenant": "another"}, {}, REF), False),
    ],
)
def test_the_record_key_counts_where_no_other_order_is_named(message: Sent, is_meant: bool) -> None:  # noqa: FBT001  # of a table
    assert (("key",) if is_meant else ()) == found_by(message, the_order())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_order_of_each_dialect_is_found_by_the_id_in_a_header(dialect: str) -> None:
    order = Given(an_example(dialect)).order

    message = a_message({"dialect": dialect, "order-id": str(order.refs["order_id"])})

    assert ("headers.order-id",) == found_by(message, sought(order))


def test_an_id_that_is_unique_in_its_dialect_counts_in_every_tenant() -> None:
    order = Given(an_example("configurator")).order

    message = a_message({"dialect": "configurator", "tenant": "x", "order-id": str(order.refs["order_id"]).upper()})

    assert ("headers.order-id",) == found_by(message, sought(order))


def test_an_order_that_is_not_stored_is_found_by_what_it_is_called() -> None:
    called = sought_as("WEB-9", "wishlist", None)

    assert ("headers.order-ref",) == found_by(a_message({**UPDATE, "order-ref": "WEB-9"}), called)
    assert ("orderRef",) == found_by(a_message(CREATE, {"orderRef": "WEB-9", "email": "x"}), called)
    assert ("orderRef",) == found_by(a_message(CREATE, rb'{"orderRef": "WEB\u002d9"}'), called)
    assert ("key",) == found_by(a_message(CREATE, {}, "WEB-9"), called)
    assert () == found_by(a_message({**CREATE, "dialect": "subscription"}, {}, "WEB-9"), called)


def test_an_order_that_is_not_stored_is_found_in_the_tenant_that_is_given() -> None:
    message = a_message({**UPDATE, "order-ref": "WEB-9"})

    assert found_by(message, sought_as("WEB-9", None, TENANT))
    assert not found_by(message, sought_as("WEB-9", None, "another"))
