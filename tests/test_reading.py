"""An order as it is shown: interface 2 in JSON, its lines by name, its secrets masked."""

import orjson
import pytest

from orderstream.dialects import DIALECTS
from orderstream.json_text import Json, JsonObject
from orderstream.order import Order
from orderstream.reading import entries, history, masked, readable
from tests.builders import NOW, Given, a_create, an_example, an_update

SHOWN = {
    "_id", "dialect", "tenant", "refs", "idempotency_key", "record_key", "status", "customer", "currency", "totals",
    "placed_at", "created_at", "updated_at", "deleted_at", "revision", "sequence", "history", "warnings", "body",
}  # fmt: skip


def an_order(dialect: str, members: JsonObject | None = None) -> Order:
    return Given(a_create(dialect, members)).order


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_order_is_shown_without_what_is_the_workers_own(dialect: str) -> None:
    order = Given(an_example(dialect)).order

    shown = orjson.loads(orjson.dumps(readable(order)))

    assert SHOWN == shown.keys()
    assert (order.id, order.body) == (shown["_id"], shown["body"])


def test_decimals_and_times_are_texts() -> None:
    shown = readable(an_order("subscription", {"orderTotal": 1e21, "taxTotal": 1e-7}))

    assert {"grand": "1000000000000000000000", "tax": "0.0000001", "shipping": "4.5"} == shown["totals"]
    assert ("2026-11-21T10:15:30.123Z", None) == (shown["created_at"], shown["deleted_at"])


def test_the_history_tells_causes_as_positions() -> None:
    shown = history(an_order("wishlist"))

    assert [("order-create/0/1", None, "2026-11-21T10:15:30.123Z")] == [
        (each["cause"], each["from"], each["at"]) for each in shown["history"]
    ]
    assert {"_id", "dialect", "tenant", "refs"} == shown["order"].keys()


def test_a_card_is_masked_wherever_an_order_is_shown() -> None:
    given = Given(a_create("subscription"))
    payment: JsonObject = {
        "paymentIdentifier": {"cardIdentifier": 4111111111111111},
        "paymentToken": {"token": "tok-9"},
        "paymentMethod": "Visa",
    }
    given.when(an_update(given.order, "order.patch", {"payments": [payment]}))

    shown = orjson.dumps(readable(given.order))

    assert b'"cardIdentifier":"****1111"' in shown
    assert b'"token":"****ok-9"' in shown
    assert b"41111" not in shown


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("12345", "****2345"),
        ("1234", "****"),
        ("", "****"),
        (98765, "****8765"),
        (True, "****"),
        (None, None),
        ({"a": ["123456"], "b": None}, {"a": ["****3456"], "b": None}),
    ],
)
def test_four_characters_of_a_secret_are_shown_where_there_are_more(secret: Json, shown: Json) -> None:
    assert {"x": [{"token": shown, "other": secret}]} == masked({"x": [{"token": secret, "other": secret}]}, {"token"})


def test_lines_are_named_by_id_and_by_reference() -> None:
    lines: list[Json] = [{"id": "L-1", "entryRef": "1", "quantity": 1}, {"id": "1", "entryRef": "ref:x", "quantity": 2}]
    order = an_order("wishlist", {"orderLines": lines})

    named = {name: entries(order, name)["entries"] for name in ("L-1", "1", "ref:1", "ref:ref:x", "0", "x")}

    first, second = lines
    assert {"L-1": [first], "1": [second], "ref:1": [first], "ref:ref:x": [second], "0": [], "x": []} == named


def test_a_reference_that_is_a_number_names_its_line() -> None:
    given = Given(a_create("subscription"))
    given.when(an_update(given.order, "order.patch", {"items": [{"lineItemId": 7, "title": "Beans"}]}))

    assert ["Beans"] == [line["title"] for line in entries(given.order, "ref:7")["entries"]]


def test_lines_without_id_are_named_by_their_place() -> None:
    order = an_order("b2b-commerce")

    assert (order.body["lineItems"], []) == (entries(order, "0")["entries"], entries(order, "1")["entries"])


def test_a_dialect_without_lines_shows_none() -> None:
    assert [] == entries(an_order("shopping-cart"))["entries"]


def test_a_deleted_order_says_when() -> None:
    given = Given(a_create("wishlist"))
    given.when(an_update(given.order, "order.delete", {}, NOW))

    assert "2026-11-21T10:15:30.123Z" == readable(given.order)["deleted_at"]
