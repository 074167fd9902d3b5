"""The order as a MongoDB document and back (interface 2)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import bson
import pytest
from bson import Decimal128, ObjectId
from hypothesis import example, given
from hypothesis import strategies as st

from orderstream.dialects import DIALECTS
from orderstream.documents import MAX_BYTES, UnstorableError, encode, to_document, to_order
from orderstream.json_text import JsonObject
from orderstream.order import Decision, Order, Position, Seen
from orderstream.problems import Code, Problem
from tests.builders import NOW, READERS_CODEC, Given, a_create, an_update

MEMBERS: Final = {
    "_id", "dialect", "tenant", "refs", "lookup_keys", "idempotency_key", "record_key", "status", "customer",
    "currency", "totals", "placed_at", "created_at", "updated_at", "deleted_at", "revision", "sequence", "history",
    "warnings", "body", "ledger",
}  # fmt: skip
CHANGE: Final = {"sequence", "revision", "at", "from", "to", "native", "refs", "cause", "correlation_id"}
PLACE: Final = Position("t", 0, 0)
KEY: Final = "5C7D6F0A-3E1B-4C52-9A64-2D8F71B0C3E9"


def stored(order: Order) -> dict[str, Any]:
    """What MongoDB gives back."""
    return bson.decode(encode(order), READERS_CODEC)


def an_order(dialect: str = "wishlist", members: JsonObject | None = None, **headers: str | None) -> Order:
    return Given(a_create(dialect, members, **headers)).order


AN_ORDER: Final = an_order()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_document_has_the_members_of_the_interface_and_no_others(dialect: str) -> None:
    document = stored(an_order(dialect))

    assert set(document) == MEMBERS
    assert set(document["status"]) == {"order", "payment", "fulfilment", "native"}
    assert [set(change) for change in document["history"]] == [CHANGE]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_order_comes_back_as_it_was(dialect: str) -> None:
    orders = Given(a_create(dialect, idempotency_key=KEY, source_version="7", correlation_id="c"))
    orders.when(an_update(orders.order, "order.replace", {}, replay_of="t/0/1"))
    orders.when(an_update(orders.order, "order.patch", {"status": 7}))

    assert to_order(stored(orders.order)) == orders.order


def test_large_integers_count_after_they_were_stored() -> None:
    orders = Given(a_create("b2b-commerce", {"lineItems": [{"quantity": 2**40, "price": 1}]}))
    orders.orders = {orders.order.id: to_order(stored(orders.order))}  # MongoDB gives them in a type of their own
    orders.when(an_update(orders.order, "order.patch", {"paymentStatus": "paid"}))

    assert (2, Decimal(2**40)) == (orders.order.revision, orders.order.totals["items"])


@given(st.decimals(allow_nan=False, allow_infinity=False).filter(lambda number: len(number.as_tuple().digits) <= 34))
@example(Decimal("-0.00"))
@example(Decimal("1E+3"))
@example(Decimal("9999999999999999999.99"))
@example(Decimal("0.05"))
def test_a_total_is_the_decimal_that_the_driver_makes_of_it(number: Decimal) -> None:
    order = AN_ORDER._replace(totals={"items": number})

    assert Decimal128(number).bid == stored(order)["totals"]["items"].bid


@pytest.mark.parametrize("number", [0, -0.0, 1.0, 2**31, 2**63 - 1, -(2**63), 0.1, 1e300, 5e-324, 123456789012345.6])
def test_numbers_of_a_body_keep_their_kind(number: float) -> None:
    order = an_order("configurator", {"metadata": {"n": number}})

    (kept,) = stored(order)["body"]["metadata"].values()
    assert repr(float(number)) == repr(float(kept))
    assert isinstance(kept, float) == isinstance(number, float)


@pytest.mark.parametrize("text", ["\0", "a.b", "\N{GRINNING FACE}", "", "x" * 100_000])
def test_texts_of_a_body_are_kept_whatever_is_in_them(text: str) -> None:
    order = an_order("configurator", {"metadata": {"t": text}})

    assert to_order(stored(order)).body["metadata"] == {"t": text}


@pytest.mark.parametrize("key", ["a.b", "a$b", ".", "ключ", "x" * 256])
def test_keys_of_free_maps_are_kept_as_they_are(key: str) -> None:
    order = an_order("configurator", {"metadata": {key: 1}})

    assert to_order(stored(order)).body["metadata"] == {key: 1}


def test_ids_times_and_amounts_have_types_of_their_own() -> None:
    document = stored(an_order(members={"totalAmount": 137.75, "totalAmountInCent": 13775}))

    assert isinstance(document["_id"], ObjectId)
    assert document["created_at"] == NOW
    assert document["created_at"].tzinfo is UTC
    assert document["totals"] == {"grand": Decimal128("137.75"), "items": Decimal128("5")}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2026-11-20T09:12:44.120+11:00", datetime(2026, 11, 19, 22, 12, 44, 120_000, UTC)),
        ("2026-11-20T09:12:44.123987Z", datetime(2026, 11, 20, 9, 12, 44, 123_000, UTC)),  # MongoDB knows milliseconds
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999Z", datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)),
    ],
)
def test_the_time_of_placing_is_kept_in_utc(sent: str, expected: datetime) -> None:
    assert expected == stored(an_order(members={"created_at": sent}))["placed_at"]


def test_a_time_comes_back_as_the_order_had_it() -> None:
    order = an_order(members={"created_at": "2026-11-20T09:12:44.123987Z"})

    assert to_order(stored(order)) == order


def test_what_an_event_needs_stands_in_its_history_entry() -> None:
    orders = Given(a_create("wishlist", correlation_id="c-1"))
    orders.when(an_update(orders.order, "order.patch", {"orderStatus": "SHIPPED"}, NOW + timedelta(seconds=1)))

    _, change = stored(orders.order)["history"]
    assert change == {
        "sequence": 2,
        "revision": 2,
        "at": NOW + timedelta(seconds=1),
        "from": {"order": "created", "payment": "unpaid", "fulfilment": "unfulfilled"},
        "to": {"order": "in_progress", "payment": "unpaid", "fulfilment": "shipped"},
        "native": {"orderStatus": "SHIPPED"},
        "refs": {"order_id": orders.order.id, "order_ref": "WEB-2026-1042"},
        "cause": "order-update/0/1",
        "correlation_id": None,
    }


def test_a_refusal_is_kept_with_its_codes_and_no_value_of_the_message() -> None:
    orders = Given(a_create("wishlist"))
    orders.when(an_update(orders.order, "entry.update", {"gtin": "s3cret"}, entry_ref="none"))

    document = stored(orders.order)
    (_, decision) = document["ledger"]["decisions"]
    assert (decision["outcome"], decision["problems"][0]["code"]) == ("rejected", "ENTRY_NOT_FOUND")
    assert "s3cret" not in repr(document)


def test_a_decision_that_says_little_takes_little_room() -> None:
    orders = Given(a_create("wishlist"))
    before = len(encode(orders.order))

    orders.when(an_update(orders.order, "order.patch", {"orderStatus": "AWAITING_PAYMENT"}))

    assert len(encode(orders.order)) - before < 250


@pytest.mark.parametrize(
    "decision",
    [
        Decision(Position("a/b", 7, 2**40), b"\0" * 8, "unchanged", NOW, reason="because", sequences=(1,)),
        Decision(PLACE, b"12345678", "rejected", NOW, problems=(Problem(Code.FIELD_TYPE, "a", "b"),), problem_count=9),
        Decision(PLACE, b"12345678", "applied", NOW, revision=3, sequences=(2,), keys=("k",), replay_of="t/1/2"),
        Decision(PLACE, b"12345678", "applied", NOW, counts_from=Position("u", 1, 9)),
    ],
)  # fmt: skip
def test_every_member_of_a_decision_comes_back(decision: Decision) -> None:
    order = an_order()
    ledger = order.ledger._replace(
        decisions=(decision,), seen=(Seen(KEY, b"said"),), dropped={("a/b", 3): 2**40}, source_version=2**63 - 1
    )

    assert to_order(stored(order._replace(ledger=ledger))).ledger == ledger


def test_an_order_of_12_mib_can_be_stored_and_a_larger_one_cannot() -> None:
    order = an_order("configurator")
    room = MAX_BYTES - len(bson.encode({**to_document(order), "ledger": None}))
    large = order._replace(body={**order.body, "name": "x" * room})
    too_large = order._replace(body={**order.body, "name": "x" * (room + 100)})

    assert MAX_BYTES < len(encode(large)) < 13 * 2**20
    with pytest.raises(UnstorableError):
        encode(too_large)


def test_the_ledger_does_not_count() -> None:
    order = an_order("configurator")
    long = Decision(PLACE, b"12345678", "applied", NOW, keys=("k" * 1_000_000,))
    ledger = order.ledger._replace(decisions=(long,) * 3)
    full = order._replace(body={**order.body, "name": "x" * (11 * 2**20)}, ledger=ledger)

    assert len(encode(full)) > MAX_BYTES


def test_what_bson_cannot_hold_is_unstorable() -> None:
    order = an_order("configurator")
    deep: JsonObject = {}
    for _ in range(5_000):
        deep = {"a": deep}

    for body in ({"a": 2**64}, {"a": "\ud800"}, {"a\0b": 1}, deep):
        with pytest.raises(UnstorableError):
            encode(order._replace(body=body))  # type: ignore[arg-type]
