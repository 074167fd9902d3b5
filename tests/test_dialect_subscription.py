"""What is peculiar to the dialect `subscription` (contracts/subscription.md)."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

import pytest

from orderstream.commands import Address, Command, Operation
from orderstream.decode import Contracts, decode
from orderstream.dialect import AS_THE_CONTRACTS_SAY, Example, Rules
from orderstream.dialects.subscription import DIALECT, EXAMPLES
from orderstream.dialects.subscription_models import STATUS
from orderstream.identity import Identities
from orderstream.json_text import Json, JsonObject
from orderstream.order import NEW, OrderStatus, PaymentStatus, Position, Status, Warned
from orderstream.outcomes import Refusal
from tests.builders import HERE, a_record, a_sample

ACCOUNT = "5f328bf0b5f328bf0b5f328b"
ID, OTHER_ID = "60b5b8b08766410008dd72be", "60b5b8b08766410008dd72ff"
NUMBER = "2468-1668-79485"
CREATE = {"dialect": "subscription", "message-type": "order-create", "site-account": ACCOUNT}
PATCH = {**CREATE, "message-type": "order-update", "operation": "order.patch"}
BY_ID = {"order-id": ID}
MINIMAL: JsonObject = {
    "cartId": "5e4876e10cfe1d8902005d33",
    "channel": 12,
    "customerUserId": "5e3598e3007c5e00080d2bb8",
    "orderCurrency": "USD",
    "orderTotal": 125.99,
    "shipTo": [],
    "status": "ORDER_CREATED",
    "taxTotal": 5.23,
}
IDS = Identities("6740c0de0000000000000001", Position("order-create", 0, 7))
LATER_IDS = Identities("6740c0de0000000000000002", Position("order-update", 0, 9))


Headers: TypeAlias = Mapping[str, str]


def created(value: JsonObject | None = None, headers: Headers | None = None) -> Command | Refusal:
    return decode(a_record(value={**MINIMAL, **(value or {})}, headers={**CREATE, **(headers or {})}), Contracts())


def patched(value: JsonObject, headers: Headers | None = None) -> Command | Refusal:
    return decode(a_record(value=value, headers={**PATCH, **(BY_ID if headers is None else headers)}), Contracts())


def accepted(outcome: Command | Refusal) -> Command:
    assert isinstance(outcome, Command), outcome
    return outcome


def problems(outcome: Command | Refusal) -> list[tuple[str, str]]:
    assert isinstance(outcome, Refusal), outcome
    return [(problem.code.value, problem.path) for problem in outcome.problems]


def sample_value(name: str) -> JsonObject:
    value: JsonObject = json.loads((HERE / "samples/subscription" / f"{name}.json").read_text())["value"]
    return value


def a_body(**members: Json) -> JsonObject:
    return DIALECT.assign({**MINIMAL, **members}, {}, IDS)


# Status


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("ORDER_CREATED", Status("created", "other", "other")),
        ("ORDER_CONFIRMED", Status("confirmed", "other", "other")),
        ("ORDER_CANCELLED", Status("cancelled", "other", "other")),
        ("ORDER_PARTIALLY_SHIPPED", Status("in_progress", "other", "partially_shipped")),
        ("ORDER_SHIPPED", Status("in_progress", "other", "shipped")),
        ("ORDER_PARTIALLY_DELIVERED", Status("in_progress", "other", "partially_delivered")),
        ("ORDER_DELIVERED", Status("completed", "other", "delivered")),
        ("ORDER_RETURNED", Status("returned", "other", "returned")),
        ("ORDER_PARTIALLY_RETURNED", Status("partially_returned", "other", "partially_returned")),
        ("ORDER_PAYMENT_AUTHORIZED", Status("other", "authorized", "other")),  # unless it was on hold
        ("ORDER_PAYMENT_INVALID", Status("on_hold", "declined", "other")),
        ("ORDER_FULFILLED", Status("completed", "other", "fulfilled")),
        ("ORDER_PARTIALLY_FULFILLED", Status("in_progress", "other", "partially_fulfilled")),
        ("ORDER_REFUNDED", Status("other", "refunded", "other")),
    ],
)
def test_each_status_means_what_the_contract_says(value: str, expected: Status) -> None:
    before = Status("other", "other", "other")

    assert expected == DIALECT.status(before, a_body(status=value), AS_THE_CONTRACTS_SAY)


def test_there_are_fourteen_statuses_and_no_file_adds_to_them() -> None:
    assert (len(STATUS), DIALECT.vocabularies, DIALECT.bounds) == (14, frozenset(), ("allow_zero_tax",))


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("on_hold", "created"),  # the only status that an authorized payment changes
        ("confirmed", "confirmed"),
        ("in_progress", "in_progress"),
    ],
)
def test_an_authorized_payment_takes_an_order_off_hold(before: OrderStatus, expected: str) -> None:
    body = a_body(status="ORDER_PAYMENT_AUTHORIZED")

    assert expected == DIALECT.status(Status(before, "declined", "unfulfilled"), body, AS_THE_CONTRACTS_SAY).order


@pytest.mark.parametrize(
    ("texts", "before", "expected"),
    [
        (["Pending"], "unknown", "pending"),
        (["Captured", "Pending"], "unknown", "pending"),  # any of them
        (["Captured"], "unknown", "unknown"),  # other texts change nothing
        (["pending"], "unknown", "unknown"),  # values are case-sensitive
        (["Pending"], "authorized", "authorized"),  # only while nothing is known
        ([], "unknown", "unknown"),
    ],
)
def test_a_pending_payment_counts_while_nothing_else_is_known(
    texts: list[str], before: PaymentStatus, expected: str
) -> None:
    body = a_body(payments=[{"paymentStatus": text} for text in texts])

    assert expected == DIALECT.status(Status("created", before, "unfulfilled"), body, AS_THE_CONTRACTS_SAY).payment


def test_the_status_of_a_shipment_changes_nothing() -> None:
    body = a_body(shipTo=[{"shipmentStatus": "Delivered"}])

    assert DIALECT.status(NEW, body, AS_THE_CONTRACTS_SAY) == NEW


def test_the_native_status_is_the_dialects_own() -> None:
    assert DIALECT.native(a_body(status="ORDER_REFUNDED")) == {"status": "ORDER_REFUNDED"}


# What is accepted and what is not (section 5)


def test_a_response_sent_as_create_is_refused_for_every_reason() -> None:
    outcome = decode(a_sample("subscription/seed-response-as-create"), Contracts())

    read_only = {*sample_value("seed-response-as-create")} - {*MINIMAL, "tags", "statusLog", "customerAccountId"}
    read_only -= {"customerEmail", "customerPhone", "events"}
    expected = {("FIELD_MISSING", "cartId"), ("FIELD_TYPE", "events[0]"), ("FIELD_READ_ONLY", "shipTo[0]._id")}
    assert {*expected, *(("FIELD_READ_ONLY", name) for name in read_only)} == set(problems(outcome))


def test_an_order_that_was_read_can_be_sent_back_as_replace() -> None:
    body = DIALECT.assign(accepted(decode(a_sample("subscription/create-full"), Contracts())).value, {}, IDS)
    read = {name: member for name, member in body.items() if name != "cartId"}

    command = accepted(patched(read, {"operation": "order.replace"}))

    assert read == command.value
    assert Address("order-id", IDS.document, "_id") in command.addresses


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"taxTotal": 0}, ("FIELD_RANGE", "taxTotal")),
        ({"taxTotal": -0.01}, ("FIELD_RANGE", "taxTotal")),
        ({"taxTotal": "5"}, ("FIELD_TYPE", "taxTotal")),
        ({"orderTotal": 0}, ("FIELD_RANGE", "orderTotal")),
        ({"cartId": "c" * 25}, ("FIELD_LENGTH", "cartId")),
        ({"customerUserId": "u" * 23}, ("FIELD_LENGTH", "customerUserId")),
        ({"customerAccountId": "ab"}, ("FIELD_LENGTH", "customerAccountId")),
        ({"customerAccountId": "a" * 513}, ("FIELD_LENGTH", "customerAccountId")),  # ids have at most 512
        ({"customerEmail": "a@"}, ("FIELD_LENGTH", "customerEmail")),
        ({"orderReference": "r" * 513}, ("FIELD_LENGTH", "orderReference")),
        ({"orderReference": None}, ("FIELD_NULL", "orderReference")),  # nothing is nullable here
        ({"orderCurrency": "EURO"}, ("FIELD_LENGTH", "orderCurrency")),
        ({"notes": ""}, ("FIELD_LENGTH", "notes")),
        ({"status": "order_created"}, ("FIELD_ENUM", "status")),
        ({"status": None}, ("FIELD_NULL", "status")),
        ({"events": [{"$set": 1}]}, ("FIELD_FORMAT", "events[0].$set")),
        ({"events": ["ORDER_CREATED"]}, ("FIELD_TYPE", "events[0]")),  # A9: objects on create
        ({"shipTo": [{"gift": {"$": 1}}]}, ("FIELD_FORMAT", "shipTo[0].gift.$")),
        ({"shipTo": [{"_id": ID}]}, ("FIELD_READ_ONLY", "shipTo[0]._id")),
        ({"shipTo": [{"promisedDeliveryDate": "14.06.2024"}]}, ("FIELD_FORMAT", "shipTo[0].promisedDeliveryDate")),
        ({"payments": []}, ("FIELD_READ_ONLY", "payments")),  # A14: with an update
        ({"shipmentStatus": "Pending"}, ("FIELD_UNKNOWN", "shipmentStatus")),
    ],
)
def test_a_create_is_refused(members: JsonObject, expected: tuple[str, str]) -> None:
    assert [expected] == problems(created(members))


@pytest.mark.parametrize(
    "members",
    [
        {"cartId": "not hexadecimal, but 24 !", "customerUserId": "ü" * 24},  # A4: 24 characters of any kind
        {"customerAccountId": "abc"},  # A5
        {"orderTotal": 1, "shipTo": [{"price": 9, "total": 2}]},  # A7: no sums are checked
        {"shipTo": [{"shipmentStatus": "Delivered"}]},  # A8
        {"customerEmail": "abc"},  # A13
        {"orderReference": ""},  # stored, but no reference
        {"shipTo": [{"shipToType": "PICKUP", "locker": {"code": None}}]},  # open objects keep what else they bring
    ],
)
def test_a_create_is_accepted_as_it_is(members: JsonObject) -> None:
    members = {name: member[:24] if name == "cartId" else member for name, member in members.items()}  # type: ignore[index]

    command = accepted(created(members))

    assert {**MINIMAL, **members} == command.value
    assert command.warnings == ()


def test_an_update_may_bring_anything_as_event() -> None:
    assert accepted(patched({"events": ["<any>", 1, None]})).value == {"events": ["<any>", 1, None]}


def test_several_problems_are_reported_together() -> None:
    value: JsonObject = {"taxTotal": 0, "orderTotal": 0, "items": [{"sku": 1.5, "_id": None}], "cartId": "c" * 24}

    assert problems(patched(value, {"site-account": "short"})) == [
        ("HEADER_INVALID", "headers.site-account"),
        ("FIELD_TYPE", "items[0].sku"),
        ("FIELD_NULL", "items[0]._id"),
        ("FIELD_RANGE", "taxTotal"),
        ("FIELD_RANGE", "orderTotal"),
        ("FIELD_READ_ONLY", "cartId"),
        ("IDENTITY_MISSING", "headers.order-id"),
    ]


@pytest.mark.parametrize(
    ("tax", "expected"),
    [
        (0, None),  # the one bound that configuration relaxes
        (0.0, None),
        (-0.01, [("FIELD_RANGE", "taxTotal")]),
    ],
)
def test_a_tax_of_zero_can_be_allowed(tax: float, expected: list[tuple[str, str]] | None) -> None:
    contracts = Contracts(rules={"subscription": Rules(relaxed=frozenset({"allow_zero_tax"}))})

    outcome = decode(a_record(value={"taxTotal": tax}, headers={**PATCH, **BY_ID}), contracts)

    assert expected == (problems(outcome) if isinstance(outcome, Refusal) else None)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ({"zipCode": 2139, "country": "USA"}, "02139"),  # a number has lost its zero
        ({"zipCode": 2139, "country": "US"}, "02139"),
        ({"zipCode": 98004, "country": "USA"}, "98004"),
        ({"zipCode": 2139, "country": "CH"}, "2139"),  # only American ones are known to have five digits
        ({"zipCode": 2139}, "2139"),
    ],
)
def test_a_numeric_zip_code_becomes_text(address: JsonObject, expected: str) -> None:
    command = accepted(created({"shipTo": [{}, {"address": address}]}))

    assert command.value["shipTo"] == [{}, {"address": {**address, "zipCode": expected}}]
    assert command.warnings == (Warned("VALUE_NORMALISED", "shipTo[1].address.zipCode"),)


@pytest.mark.parametrize(
    ("member", "given", "normal", "place"),
    [
        ("shipTo", {"shipmentMethodId": 10000001}, {"shipmentMethodId": "10000001"}, "shipmentMethodId"),
        ("items", {"sku": 1538910}, {"sku": "1538910"}, "sku"),
        ("payments", {"billToAddress": {"zipCode": 7}}, {"billToAddress": {"zipCode": "7"}}, "billToAddress.zipCode"),
        (
            "payments",
            {"paymentIdentifier": {"cardIdentifier": 42}},
            {"paymentIdentifier": {"cardIdentifier": "42"}},
            "paymentIdentifier.cardIdentifier",
        ),
        ("payments", {"paymentToken": {"token": 12}}, {"paymentToken": {"token": "12"}}, "paymentToken.token"),
    ],
)
def test_a_code_sent_as_integer_becomes_text(member: str, given: Json, normal: Json, place: str) -> None:
    command = accepted(patched({member: [given]}))

    assert command.value == {member: [normal]}
    assert command.warnings == (Warned("VALUE_NORMALISED", f"{member}[0].{place}"),)


def test_a_code_sent_as_text_stays_as_it_is() -> None:
    address: JsonObject = {"zipCode": "2139", "country": "USA"}
    command = accepted(patched({"shipTo": [{"address": address, "shipmentMethodId": ""}], "items": [{"sku": "007"}]}))

    assert command.value == {"shipTo": [{"address": address, "shipmentMethodId": ""}], "items": [{"sku": "007"}]}
    assert command.warnings == ()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (b"1.0", "FIELD_TYPE"),  # not an integer
        (b"1e3", "FIELD_TYPE"),
        (b"true", "FIELD_TYPE"),
        (b"[1]", "FIELD_TYPE"),
        (b"null", "FIELD_NULL"),
        (b"20000000000000000000", "FIELD_RANGE"),  # outside int64
        (b"123456789012345678901", "FIELD_RANGE"),  # no double holds it
    ],
)
def test_a_code_is_text_or_an_integer(code: bytes, expected: str) -> None:
    record = a_record(value=b'{"items": [{"sku": %s}]}' % code, headers={**PATCH, **BY_ID})

    assert [(expected, "items[0].sku")] == problems(decode(record, Contracts()))


@pytest.mark.parametrize("junk", [1, "text", None, [], [1, None, "text", []], [{"address": 5}], [{"address": [{}]}]])
def test_normalising_bears_any_json(junk: Json) -> None:
    value: JsonObject = {"shipTo": junk, "items": junk, "payments": junk}

    assert DIALECT.normalise(value, Operation.PATCH) == (value, ())


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ({"payments": [{"paymentToken": {"token": "****5689"}}]}, "payments[0].paymentToken.token"),
        (
            {"payments": [{"paymentIdentifier": {"cardIdentifier": "****"}}]},
            "payments[0].paymentIdentifier.cardIdentifier",
        ),
        ({"events": [{"data": {"token": "****abcd"}}]}, "events[0].data.token"),  # reads mask it there too
    ],
)
def test_a_mask_cannot_be_written_back(member: JsonObject, expected: str) -> None:
    assert [("FIELD_FORMAT", expected)] == problems(patched(member))


def test_stars_elsewhere_are_no_mask() -> None:
    assert accepted(patched({"notes": "****", "payments": [{"paymentToken": {"token": "12****"}}]}))
    assert DIALECT.secret == ("cardIdentifier", "token")


@pytest.mark.parametrize(
    ("member", "code", "place"),
    [
        ({"customerPhone": {"$kind": 1}}, "FIELD_FORMAT", "customerPhone.$kind"),
        ({"shipTo": [{"address": {"geo": {"": 1}}}]}, "FIELD_FORMAT", "shipTo[0].address.geo.*"),
        ({"payments": [{"extra": [{"$where": 1}]}]}, "FIELD_FORMAT", "payments[0].extra[0].$where"),
        ({"items": [{"extra": {"$where": 1}}]}, "FIELD_FORMAT", "items[0].extra.$where"),
        ({"attributes": [{"$a": 1}]}, "FIELD_FORMAT", "attributes[0].$a"),
        ({"items": [{"reservedLocation": [{"$a": 1}]}]}, "FIELD_FORMAT", "items[0].reservedLocation[0].$a"),
        ({"customerPhone": {"kind": 1}}, "FIELD_TYPE", "customerPhone.kind"),  # a listed member has its type
        ({"items": [{"quantity": "10"}]}, "FIELD_TYPE", "items[0].quantity"),
        ({"payments": [{"shipToId": ["1"]}]}, "FIELD_TYPE", "payments[0].shipToId[0]"),
        ({"items": [{"_id": "i" * 513}]}, "FIELD_LENGTH", "items[0]._id"),
    ],
)
def test_open_objects_have_rules_too(member: JsonObject, code: str, place: str) -> None:
    assert [(code, place)] == problems(patched(member))


@pytest.mark.parametrize("name", ["createdAt", "updatedAt", "revision", "totalQuantity"])
def test_what_the_worker_counts_is_checked_and_not_a_change(name: str) -> None:
    good: Json = "2021-06-01T04:33:52.118Z" if name.endswith("At") else 1

    assert problems(patched({name: good})) == [("EMPTY_UPDATE", "value")]
    assert problems(patched({name: True, "notes": "x"})) == [("FIELD_TYPE", name)]


@pytest.mark.parametrize("missing", ["channel", "customerUserId", "orderCurrency", "orderTotal", "shipTo", "status"])
def test_a_replace_needs_what_a_create_needs_without_the_cart(missing: str) -> None:
    value = {name: member for name, member in MINIMAL.items() if name not in (missing, "cartId")}

    assert problems(patched(value, {**BY_ID, "operation": "order.replace"})) == [("FIELD_MISSING", missing)]


# Headers and identity


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("site-account", "a" * 25, "HEADER_INVALID"),
        ("site-account", None, "HEADER_MISSING"),
        ("site-date", "yesterday", "HEADER_INVALID"),
        ("site-date", "2024-06-01T00:00:00", "HEADER_INVALID"),  # no offset
        ("order-ref", "SUB-1", "HEADER_INVALID"),  # a create has its reference in the value
    ],
)
def test_the_site_context_is_checked(name: str, text: str | None, expected: str) -> None:
    headers = {**CREATE, name: text}
    sent = {name: text for name, text in headers.items() if text is not None}

    assert [(expected, f"headers.{name}")] == problems(decode(a_record(value=MINIMAL, headers=sent), Contracts()))


def test_the_account_is_the_tenant_and_the_rest_is_the_site() -> None:
    command = accepted(created(headers={"site-channel": "13", "site-stage": "prod", "site-date": "2024-06-01"}))

    assert command.tenant == ACCOUNT
    assert command.site == {"channel": "13", "stage": "prod", "date": "2024-06-01"}


@pytest.mark.parametrize(
    ("value", "key", "expected"),
    [
        ({}, None, [("cart-id", MINIMAL["cartId"])]),
        ({"orderReference": ""}, None, [("cart-id", MINIMAL["cartId"])]),  # an empty reference is none
        ({"orderReference": "SUB-1"}, None, [("order-ref", "SUB-1")]),
        ({}, "2C1D0E9F-8A7B-4C6D-9E5F-4A3B2C1D0E9F", [("idempotency-key", "2c1d0e9f-8a7b-4c6d-9e5f-4a3b2c1d0e9f")]),
        (
            {"orderReference": "SUB-1"},
            "2c1d0e9f-8a7b-4c6d-9e5f-4a3b2c1d0e9f",
            [("idempotency-key", "2c1d0e9f-8a7b-4c6d-9e5f-4a3b2c1d0e9f"), ("order-ref", "SUB-1")],
        ),
    ],
)
def test_a_create_is_known_by_key_or_reference_or_else_by_its_cart(
    value: JsonObject, key: str | None, expected: list[tuple[str, str]]
) -> None:
    headers = {"idempotency-key": key} if key else {}

    assert expected == [address[:2] for address in accepted(created(value, headers)).addresses]


@pytest.mark.parametrize(
    ("headers", "value", "expected"),
    [
        ({"order-id": ID.upper()}, {}, [("order-id", ID, "headers.order-id")]),
        ({"order-id": NUMBER}, {}, [("order-number", NUMBER, "headers.order-id")]),
        ({"order-ref": "SUB-1"}, {}, [("order-ref", "SUB-1", "headers.order-ref")]),
        ({}, {"_id": ID.upper()}, [("order-id", ID, "_id")]),
        ({}, {"orderId": NUMBER}, [("order-number", NUMBER, "orderId")]),
        (  # whether these name one order is told by the order
            {"order-id": ID},
            {"orderId": NUMBER},
            [("order-id", ID, "headers.order-id"), ("order-number", NUMBER, "orderId")],
        ),
        (  # a reference that the order is given
            {"order-id": ID},
            {"orderReference": "SUB-1"},
            [("order-id", ID, "headers.order-id"), ("order-ref", "SUB-1", "orderReference")],
        ),
    ],
)
def test_an_update_names_its_order(headers: Headers, value: JsonObject, expected: list[tuple[str, str, str]]) -> None:
    command = accepted(patched({"notes": "x", **value}, headers))

    assert expected == [address[:3] for address in command.addresses]


def test_only_a_reference_can_be_known_before_the_order_is_stored() -> None:
    command = accepted(patched({"orderId": NUMBER, "notes": "x"}, {**BY_ID, "order-ref": "SUB-1"}))

    assert [(address.kind, address.guessable, address.member) for address in command.addresses] == [
        ("order-id", False, None),
        ("order-number", False, None),
        ("order-ref", True, "orderReference"),
    ]


@pytest.mark.parametrize(
    ("headers", "value", "expected"),
    [
        ({}, {}, ("IDENTITY_MISSING", "headers.order-id")),
        ({}, {"orderReference": "SUB-1"}, ("IDENTITY_MISSING", "headers.order-id")),  # adds one, names none
        ({"order-id": "2468-1668"}, {}, ("HEADER_INVALID", "headers.order-id")),  # named, though wrongly
        ({"order-ref": "r" * 513}, {}, ("HEADER_INVALID", "headers.order-ref")),
        ({}, {"_id": "60b5"}, ("FIELD_FORMAT", "_id")),
        ({}, {"orderId": "2468-1668-7948५"}, ("FIELD_FORMAT", "orderId")),  # a digit, but not one of ours
        ({"order-id": ID}, {"_id": OTHER_ID}, ("IDENTITY_CONFLICT", "_id")),
        ({"order-id": NUMBER}, {"orderId": "2468-1668-79486"}, ("IDENTITY_CONFLICT", "orderId")),
        ({"order-ref": "SUB-1"}, {"orderReference": "SUB-2"}, ("IDENTITY_CONFLICT", "orderReference")),
    ],
)
def test_an_update_that_does_not_name_one_order_is_refused(
    headers: Headers, value: JsonObject, expected: tuple[str, str]
) -> None:
    assert [expected] == problems(patched({"notes": "x", **value}, headers))


def test_ids_of_parts_are_kept_in_lower_case() -> None:
    command = accepted(patched({"items": [{"_id": ID.upper()}, {"_id": "Line-1"}]}))

    assert command.value == {"items": [{"_id": ID}, {"_id": "Line-1"}]}
    assert command.warnings == ()


def test_an_id_is_compared_in_lower_case_whatever_else_is_wrong() -> None:
    assert problems(patched({"_id": ID.upper(), "notes": ""})) == [("FIELD_LENGTH", "notes")]


# What is stored


def test_the_ids_of_a_new_order_come_from_the_records_position() -> None:
    body = a_body(shipTo=[{"shipToId": 1}, {"shipToId": 2}])

    assert (body["_id"], body["orderId"]) == (IDS.document, IDS.order_number())
    assert body["shipTo"] == [
        {"shipToId": 1, "_id": IDS.hex24("shipTo[0]")},
        {"shipToId": 2, "_id": IDS.hex24("shipTo[1]")},
    ]
    assert body == a_body(shipTo=[{"shipToId": 1}, {"shipToId": 2}])


LINES: list[Json] = [{"lineItemId": 1, "quantity": 2}, {"title": "no number"}, {"lineItemId": 3}, {"lineItemId": 3}]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (LINES, [0, 1, 2, 3]),  # nothing differs, so nothing changes
        ([{"lineItemId": 1, "quantity": 5}], [0]),  # the same line, changed
        ([{"lineItemId": 3}, {"lineItemId": 1}], [2, 0]),  # the same lines, moved
        ([{"title": "another"}], [None]),
        ([{"lineItemId": 1, "_id": "brought"}, {"lineItemId": 1}], ["brought", 0]),
        ([{"_id": IDS.hex24("items[0]")}, {"lineItemId": 1}], [0, None]),  # no id is given twice
        ([{"lineItemId": 1}, {"lineItemId": 1}], [0, None]),
        ([{"lineItemId": 1, "_id": ""}], [0]),  # empty is none
    ],
)
def test_a_line_keeps_its_id(sent: list[Json], expected: list[int | str | None]) -> None:
    before = a_body(items=LINES)

    lines: Any = DIALECT.assign({**before, "items": sent}, before, LATER_IDS)["items"]

    stored = {IDS.hex24(f"items[{index}]"): index for index in range(4)}
    new = {LATER_IDS.hex24(f"items[{index}]"): None for index in range(4)}
    assert expected == [{**stored, **new, "brought": "brought"}[line["_id"]] for line in lines]


def test_an_equal_update_assigns_nothing_new() -> None:
    before = a_body(shipTo=[{"price": 1}], items=[{}], payments=[{"amount": 1}, {"amount": 1}])
    again: JsonObject = {"shipTo": [{"price": 1}], "items": [{}], "payments": [{"amount": 1}, {"amount": 1}]}

    assert before == DIALECT.assign({**before, **again}, before, LATER_IDS)


def test_another_payment_in_the_same_place_gets_another_id() -> None:
    before = a_body(payments=[{"billToId": 1, "amount": 1}])

    after = DIALECT.assign({**before, "payments": [{"billToId": 1, "amount": 2}]}, before, LATER_IDS)

    assert after["payments"] == [{"billToId": 1, "amount": 2, "_id": LATER_IDS.hex24("payments[0]")}]


def test_a_replace_keeps_the_ids_and_what_a_read_does_not_show() -> None:
    before = a_body(orderReference="SUB-1", notes="Gift wrap")
    left = {name: member for name, member in before.items() if name in DIALECT.kept}

    after = DIALECT.assign({**left, "orderReference": ""}, before, LATER_IDS)

    assert after == {
        "_id": IDS.document,
        "orderId": IDS.order_number(),
        "cartId": MINIMAL["cartId"],
        "orderReference": "SUB-1",  # an empty reference is no reference
        "notes": "Gift wrap",
    }


def test_an_order_is_addressed_by_its_ids_and_its_reference() -> None:
    body = a_body(orderReference="SUB-1", items=[{}])

    assert [address[:3] for address in DIALECT.keys(body)] == [
        ("order-id", IDS.document, "_id"),
        ("order-number", IDS.order_number(), "orderId"),
        ("order-ref", "SUB-1", "orderReference"),
    ]
    assert [address.kind for address in DIALECT.keys(a_body(orderReference=""))] == ["order-id", "order-number"]


def test_the_refs_are_the_ids_people_use() -> None:
    expected = {"order_id": IDS.document, "order_number": IDS.order_number(), "cart_id": MINIMAL["cartId"]}

    assert expected == DIALECT.refs(a_body(orderReference=""))
    assert {**expected, "order_ref": "SUB-1"} == DIALECT.refs(a_body(orderReference="SUB-1"))


def test_a_full_order_has_its_common_members() -> None:
    value = accepted(decode(a_sample("subscription/seed-response-as-full-update"), Contracts())).value
    common = DIALECT.canonical(value)

    assert common.customer == {
        "id": "5e3598e3007c5e00080d2bb8",
        "user_id": "5e3598e3007c5e00080d2bb8",
        "account_id": "5e3598e3007c5e00080d2bb8",
        "email": "ino@fabric.inc",
        "phone": {"number": "555-555-5555", "kind": "mobile"},
    }
    assert common.totals == {
        "grand": Decimal("125.33"),
        "tax": Decimal("5.23"),
        "shipping": Decimal("24.87"),
        "items": Decimal(10),
    }
    assert (common.currency, common.placed_at) == ({"code": "USD"}, None)


def test_sums_are_made_of_decimals_and_missing_ones_are_left_out() -> None:
    body = a_body(shipTo=[{"price": 0.1}, {"price": 0.2}, {}])

    assert DIALECT.canonical(body).totals == {
        "grand": Decimal("125.99"),
        "tax": Decimal("5.23"),
        "shipping": Decimal("0.3"),
    }
    assert DIALECT.canonical(body).customer == dict.fromkeys(("id", "user_id"), MINIMAL["customerUserId"])


@pytest.mark.parametrize(
    ("currency", "code"),
    [
        ("USD", "USD"),
        ("usd", "USD"),
        ("U$D", None),
        ("12 ", None),
        ("Ünö", None),  # letters, but not of a currency code
    ],
)
def test_the_currency_is_canonical_when_it_has_three_letters(currency: str, code: str | None) -> None:
    body = a_body(orderCurrency=currency, shipTo=[{}])

    assert {"code": code} == DIALECT.canonical(body).currency
    assert list(DIALECT.warnings(body, {})) == ([] if code else [Warned("CURRENCY_NOT_ISO", "orderCurrency")])


@pytest.mark.parametrize(
    ("channel", "site", "expected"),
    [
        (13, {"channel": "13"}, []),
        (13.0, {"channel": "13"}, []),  # the same number
        (13, {}, []),
        (13, {"stage": "prod"}, []),
        (13, {"channel": "12"}, ["channel"]),
        (13, {"channel": "web"}, ["channel"]),
        (13, {"channel": "sNaN"}, ["channel"]),  # a number to the reader of decimals
    ],
)
def test_another_channel_in_the_site_context_is_told(
    channel: float, site: Mapping[str, str], expected: list[str]
) -> None:
    warnings = DIALECT.warnings(a_body(channel=channel, shipTo=[{}]), site)

    assert [Warned("CHANNEL_MISMATCH", place) for place in expected] == list(warnings)


def test_an_order_without_destination_is_told() -> None:
    assert list(DIALECT.warnings(a_body(shipTo=[]), {})) == [Warned("NO_SHIP_TO", "shipTo")]


# Examples


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_an_example_is_accepted(example: Example) -> None:
    assert accepted(decode(a_record(value=example.value, headers=example.headers, key=example.key), Contracts()))


def test_the_examples_tell_a_story() -> None:
    first, *_ = EXAMPLES
    updates = [example for example in EXAMPLES if example.headers["message-type"] == "order-update"]
    body, status, seen = DIALECT.assign(first.value, {}, IDS), NEW, []
    for update in updates:
        body = {**body, **update.value}
        status = DIALECT.status(status, body, AS_THE_CONTRACTS_SAY)
        seen.append(status)

    assert seen == [
        Status("confirmed", "pending", "unfulfilled"),
        Status("confirmed", "authorized", "unfulfilled"),
        Status("in_progress", "authorized", "shipped"),
        Status("completed", "authorized", "delivered"),
    ]
