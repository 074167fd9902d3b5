"""What is peculiar to the dialect `wishlist` (contracts/wishlist.md)."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeAlias

import pytest

from orderstream.commands import Address, Command, Operation
from orderstream.decode import Contracts, decode
from orderstream.dialect import AS_THE_CONTRACTS_SAY, Example
from orderstream.dialects.wishlist import DIALECT, EXAMPLES
from orderstream.identity import Identities
from orderstream.json_text import Json, JsonObject
from orderstream.order import NEW, Position, Status, Warned
from orderstream.outcomes import Refusal
from tests.builders import HERE, a_record, a_sample

Headers: TypeAlias = Mapping[str, str]

CREATE = {"dialect": "wishlist", "message-type": "order-create", "tenant": "example-retailer"}
UPDATE = {**CREATE, "message-type": "order-update"}
REF = "WEB-1001"
BY_REF = {"order-ref": REF}
IDS = Identities("6740c0de0000000000000001", Position("order-create", 0, 7))
LATER_IDS = Identities("6740c0de0000000000000002", Position("order-update", 0, 9))
OTHER = Status("other", "other", "other")  # what no message of a table but `OTHER` gives


def created(**members: Json) -> Command | Refusal:
    return decode(a_record(value={"orderRef": REF, **members}, headers=CREATE), Contracts())


def updated(operation: str, value: JsonObject, headers: Headers = BY_REF) -> Command | Refusal:
    return decode(a_record(value=value, headers={**UPDATE, "operation": operation, **headers}), Contracts())


def patched(**members: Json) -> Command | Refusal:
    return updated("order.patch", members)


def accepted(outcome: Command | Refusal) -> Command:
    assert isinstance(outcome, Command), outcome
    return outcome


def problems(outcome: Command | Refusal) -> list[tuple[str, str]]:
    assert isinstance(outcome, Refusal), outcome
    return [(problem.code.value, problem.path) for problem in outcome.problems]


def sample_value(name: str) -> JsonObject:
    value: JsonObject = json.loads((HERE / "samples/wishlist" / f"{name}.json").read_text())["value"]
    return value


def a_body(**members: Json) -> JsonObject:
    return DIALECT.assign(accepted(created(**members)).value, {}, IDS)


def status_of(before: Status = OTHER, /, **members: Json) -> Status:
    return DIALECT.status(before, a_body(**members), AS_THE_CONTRACTS_SAY)


def broken_rules(order: JsonObject) -> list[str]:
    found = DIALECT.rules(order, True, AS_THE_CONTRACTS_SAY)  # noqa: FBT003  # the signature of all dialects
    return [problem.path for problem in found]


def warnings_of(**members: Json) -> list[Warned]:
    return list(DIALECT.warnings(a_body(**members), {}))


# Status


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("CREATED", Status("created", "other", "other")),
        ("AWAITING_PAYMENT", Status("created", "unpaid", "other")),
        ("MANUAL_VERIFY", Status("on_hold", "other", "other")),
        ("DISPUTED", Status("on_hold", "other", "other")),
        ("IN_PROGRESS", Status("in_progress", "other", "in_process")),
        ("AWAITING_SHIPMENT", Status("in_progress", "other", "ready")),
        ("AWAITING_PICKUP", Status("in_progress", "other", "ready")),
        ("PARTIALLY_SHIPPED", Status("in_progress", "other", "partially_shipped")),
        ("SHIPPED", Status("in_progress", "other", "shipped")),
        ("COMPLETE", Status("completed", "other", "fulfilled")),
        ("CANCELLED", Status("cancelled", "other", "other")),
        ("DECLINED", Status("declined", "other", "other")),
        ("PARTIALLY_RETURNED", Status("partially_returned", "other", "partially_returned")),
        ("RETURNED", Status("returned", "other", "returned")),
        ("OTHER", Status("other", "other", "other")),
    ],
)
def test_each_order_status_means_what_the_contract_says(value: str, expected: Status) -> None:
    assert expected == status_of(orderStatus=value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("AUTHORIZED", "authorized"),
        ("DECLINED", "declined"),
        ("FRAUD_DETECTED", "fraud"),
        ("MANUAL_VERIFY", "under_review"),
        ("NOT_PAID", "unpaid"),
        ("OTHER", "other"),
        ("PAID", "paid"),
        ("PARTIALLY_PAID", "partially_paid"),
        ("PARTIALLY_REFUNDED", "partially_refunded"),
        ("REFUNDED", "refunded"),
        ("VOIDED", "voided"),
    ],
)
def test_each_payment_status_counts_more_than_the_order_status(value: str, expected: str) -> None:
    assert expected == status_of(NEW, paymentStatus=value, orderStatus="AWAITING_PAYMENT").payment


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("DELIVERED", "delivered"),
        ("IN_PROCESS", "in_process"),
        ("PARTIALLY_SHIPPED", "partially_shipped"),
        ("READY_TO_SHIP", "ready"),
        ("SHIPPED", "shipped"),
    ],
)
def test_each_delivery_status_counts_more_than_the_rest(value: str, expected: str) -> None:
    found = status_of(NEW, deliveryStatus=value, shippingState="OTHER", orderStatus="RETURNED")

    assert expected == found.fulfilment


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("CREATED", "unfulfilled"),
        ("DELIVERED", "delivered"),
        ("OTHER", "other"),
        ("PACKED", "in_process"),
        ("PICKED", "in_process"),
        ("READY_FOR_SHIPPING", "ready"),
        ("SHIPPED", "shipped"),
    ],
)
def test_each_shipping_state_counts_more_than_the_order_status(value: str, expected: str) -> None:
    assert expected == status_of(NEW, shippingState=value, orderStatus="RETURNED").fulfilment


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, "created"),
        ({"confirmed": True}, "confirmed"),
        ({"confirmed": True, "cancelled": True}, "cancelled"),
        ({"confirmed": True, "cancelled": True, "returned": True}, "returned"),
        ({"returned": False, "cancelled": False, "confirmed": False}, "created"),  # only true counts
        ({"cancelled": True, "orderStatus": "OTHER"}, "cancelled"),  # a status that says nothing
        ({"orderStatus": "OTHER"}, "other"),
        ({"cancelled": True, "returned": True, "orderStatus": "AWAITING_PAYMENT"}, "created"),  # as in the seed
    ],
)
def test_flags_count_only_where_the_order_status_says_nothing(members: JsonObject, expected: str) -> None:
    assert expected == status_of(**members).order


def test_the_status_of_a_shipment_changes_nothing() -> None:
    assert status_of(NEW, shipments=[{"shipmentStatus": "DELIVERED"}]) == NEW


def test_native_values_are_the_four_statuses_and_the_three_flags_as_far_as_they_are_there() -> None:
    body = a_body(orderStatus="OTHER", cancelled=False, email="a@example.com", shippingState="PACKED")

    assert DIALECT.native(body) == {"orderStatus": "OTHER", "shippingState": "PACKED", "cancelled": False}


# Identity


def test_a_create_without_id_and_reference_could_never_be_addressed() -> None:
    outcome = decode(a_record(value={"email": "a@example.com"}, headers=CREATE), Contracts())

    assert problems(outcome) == [("IDENTITY_MISSING", "id")]


@pytest.mark.parametrize("tenant", ["", "  ", "x" * 513])
def test_the_tenant_is_a_text_that_is_not_blank(tenant: str) -> None:
    outcome = decode(a_record(value={"orderRef": REF}, headers={**CREATE, "tenant": tenant}), Contracts())

    assert problems(outcome) == [("HEADER_INVALID", "headers.tenant")]


@pytest.mark.parametrize("operation", ["order.patch", "order.replace", "order.delete", "entry.create", "entry.delete"])
def test_every_message_needs_a_tenant(operation: str) -> None:
    headers = {**UPDATE, "operation": operation, "order-id": "o-1"}
    record = a_record(value={}, headers=headers, tenant=None, entry_id="e-1" if operation == "entry.delete" else None)

    assert ("HEADER_MISSING", "headers.tenant") in problems(decode(record, Contracts()))


@pytest.mark.parametrize(
    ("operation", "value", "headers", "path"),
    [
        ("order.patch", {"email": ""}, {"entry-id": "e-1"}, "headers.entry-id"),
        ("order.delete", {}, {"entry-ref": "1"}, "headers.entry-ref"),
        ("entry.create", {}, {"entry-id": "e-1"}, "headers.entry-id"),  # a new line is named by the value
        ("entry.create", {}, {"entry-ref": "1"}, "headers.entry-ref"),
        ("entry.update", {"quantity": 1}, {"entry-id": ""}, "headers.entry-id"),  # wrong, and so not also missing
        ("entry.delete", {}, {"entry-ref": "x" * 513}, "headers.entry-ref"),
    ],
)
def test_an_address_header_that_is_not_used_or_wrong(
    operation: str, value: JsonObject, headers: Headers, path: str
) -> None:
    assert problems(updated(operation, value, {**BY_REF, **headers})) == [("HEADER_INVALID", path)]


def test_a_create_has_no_address_header_and_is_not_named_by_one() -> None:
    outcome = decode(a_record(value={}, headers=CREATE, order_ref=REF), Contracts())

    assert problems(outcome) == [("HEADER_INVALID", "headers.order-ref"), ("IDENTITY_MISSING", "id")]


@pytest.mark.parametrize(
    ("operation", "value", "headers", "missing"),
    [
        ("order.patch", {"email": ""}, {}, ["order-id"]),
        ("order.replace", {"email": ""}, {}, ["order-id"]),
        ("order.delete", {}, {}, ["order-id"]),
        ("entry.create", {"id": "e-1"}, {}, ["order-id"]),  # a new line's id names no order yet
        ("entry.update", {"quantity": 1}, {}, ["order-id", "entry-id"]),
        ("entry.update", {"quantity": 1, "entryRef": "1"}, {}, ["order-id"]),  # a reference repeats between orders
        ("entry.update", {"quantity": 1, "orderId": "o-1"}, {}, ["entry-id"]),
        ("entry.delete", {}, {"entry-ref": "1"}, ["order-id"]),
        ("entry.delete", {}, {"order-id": "o-1"}, ["entry-id"]),
    ],
)
def test_what_an_update_must_name(operation: str, value: JsonObject, headers: Headers, missing: list[str]) -> None:
    expected = [("IDENTITY_MISSING", f"headers.{name}") for name in missing]

    assert expected == problems(updated(operation, value, headers))


@pytest.mark.parametrize(
    ("operation", "headers", "missing"),
    [("order.delete", {}, "headers.order-id"), ("entry.delete", BY_REF, "headers.entry-id")],
)
def test_the_value_of_a_delete_names_nothing(operation: str, headers: Headers, missing: str) -> None:
    outcome = updated(operation, {"id": "x-1"}, headers)

    assert problems(outcome) == [("FIELD_UNKNOWN", "id"), ("IDENTITY_MISSING", missing)]


@pytest.mark.parametrize(
    ("operation", "value", "headers", "path"),
    [
        ("order.patch", {"id": "o-2", "email": ""}, {"order-id": "o-1"}, "id"),
        ("order.replace", {"orderRef": "R-2", "email": ""}, {"order-ref": "R-1"}, "orderRef"),
        ("entry.create", {"orderId": "o-2"}, {"order-id": "o-1"}, "orderId"),
        ("entry.update", {"orderRef": "R-2", "quantity": 1}, {"order-ref": "R-1", "entry-ref": "1"}, "orderRef"),
        ("entry.update", {"id": "e-2", "quantity": 1}, {"entry-id": "e-1"}, "id"),
        ("entry.update", {"entryRef": "2", "quantity": 1}, {**BY_REF, "entry-ref": "1"}, "entryRef"),
    ],
)
def test_an_address_given_twice_must_agree(operation: str, value: JsonObject, headers: Headers, path: str) -> None:
    assert problems(updated(operation, value, headers)) == [("IDENTITY_CONFLICT", path)]


@pytest.mark.parametrize(
    ("members", "paths"),
    [
        ({"orderLines": [{"orderRef": REF}, {"orderRef": "R-2"}]}, ["orderLines[1].orderRef"]),
        ({"shipments": [{"orderRef": "R-2"}]}, ["shipments[0].orderRef"]),
        ({"shipments": [{"shipmentLines": [{"orderRef": "R-2"}]}]}, ["shipments[0].shipmentLines[0].orderRef"]),
        ({"id": "o-1", "orderLines": [{"orderId": "o-2"}]}, ["orderLines[0].orderId"]),
        ({"orderLines": [{"orderId": "o-2"}]}, ["orderLines[0].orderId"]),  # the id of this one is not given yet
    ],
)
def test_lines_and_shipments_name_the_order_they_stand_in(members: JsonObject, paths: list[str]) -> None:
    expected = [("IDENTITY_CONFLICT", path) for path in paths]

    assert expected == problems(created(**members))


def test_the_lines_of_a_patch_name_the_order_of_its_header() -> None:
    outcome = patched(orderLines=[{"orderRef": "R-2"}])

    assert problems(outcome) == [("IDENTITY_CONFLICT", "orderLines[0].orderRef")]


def test_lines_may_not_name_two_orders_even_where_the_order_has_no_reference() -> None:
    body: JsonObject = {"id": "o-1", "orderLines": [{"id": "1", "orderRef": "R-1"}, {"id": "2", "orderRef": "R-2"}]}

    found = broken_rules(body)

    assert found == ["orderLines[1].orderRef"]


def test_a_create_is_named_by_its_id_and_then_its_reference() -> None:
    found = accepted(created(id="o-1")).addresses

    assert found == (
        Address("order-id", "o-1", "id", guessable=True),
        Address("order-ref", REF, "orderRef", guessable=True, member="orderRef"),
    )


@pytest.mark.parametrize(
    ("operation", "value", "headers", "expected"),
    [
        ("order.patch", {"email": ""}, {"order-id": "o-1"}, [("order-id", "headers.order-id")]),
        ("order.patch", {"email": "", "id": "o-1"}, {}, [("order-id", "id")]),
        ("order.delete", {}, BY_REF, [("order-ref", "headers.order-ref")]),
        ("entry.create", {"id": "e-1", "orderRef": REF}, {}, [("order-ref", "orderRef")]),
        ("entry.update", {"id": "e-1", "quantity": 1}, {}, [("entry-id", "id")]),
        ("entry.delete", {}, {"entry-id": "e-1"}, [("entry-id", "headers.entry-id")]),
        (  # the header leads where both say the same, and the line comes last
            "entry.update",
            {"orderId": "o-1", "orderRef": REF, "quantity": 1},
            {"order-id": "o-1", "entry-id": "e-1"},
            [("order-id", "headers.order-id"), ("order-ref", "orderRef"), ("entry-id", "headers.entry-id")],
        ),
    ],
)
def test_how_an_update_names_its_order(
    operation: str, value: JsonObject, headers: Headers, expected: list[tuple[str, str]]
) -> None:
    found = accepted(updated(operation, value, headers)).addresses

    assert expected == [(address.kind, address.path) for address in found]


@pytest.mark.parametrize("text", ["a/b c?=", "\N{SNOWMAN}" * 512])  # ids are opaque
def test_an_id_is_any_text_up_to_512_characters(text: str) -> None:
    assert [text] == [address.value for address in accepted(updated("entry.delete", {}, {"entry-id": text})).addresses]


@pytest.mark.parametrize("member", ["id", "orderRef", "cartId", "customerRef"])
def test_an_id_or_reference_has_at_most_512_characters(member: str) -> None:
    assert problems(created(**{member: "x" * 513})) == [("FIELD_LENGTH", member)]


@pytest.mark.parametrize(
    ("operation", "value", "headers"),
    [
        ("order.patch", {"id": "o-1", "orderRef": REF}, {}),
        ("order.replace", {}, BY_REF),
        ("order.replace", {"orderRef": REF}, {}),
        ("entry.update", {"id": "e-1", "entryRef": "1", "orderId": "o-1", "orderRef": REF}, {}),
    ],
)
def test_an_update_with_nothing_but_addresses_is_empty(operation: str, value: JsonObject, headers: Headers) -> None:
    assert problems(updated(operation, value, headers)) == [("EMPTY_UPDATE", "value")]


def test_a_new_line_may_say_nothing_but_which_order_it_belongs_to() -> None:
    assert accepted(updated("entry.create", {"orderRef": REF}, {})).value == {"orderRef": REF}


# Values


GROUP: JsonObject = {"attribute_group": "gift", "attributes": {"to": {"attribute_value": "Ann", "value_type": "BLOB"}}}


def test_an_array_of_attribute_groups_becomes_a_map() -> None:
    command = accepted(created(attributeGroups=[GROUP, {"attribute_group": "tax"}]))

    assert command.value["attributeGroups"] == {"gift": GROUP, "tax": {"attribute_group": "tax"}}
    assert command.warnings == (Warned("VALUE_NORMALISED", "attributeGroups"),)


def test_a_map_of_attribute_groups_stays_as_it_is_whatever_its_keys_are() -> None:
    command = accepted(created(attributeGroups={"any key": GROUP}))

    assert command.value["attributeGroups"] == {"any key": GROUP}
    assert command.warnings == ()


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([{"is_obsolete": True}], [("FIELD_MISSING", "attributeGroups[0].attribute_group")]),
        ([GROUP, GROUP], [("RULE_VIOLATION", "attributeGroups[1].attribute_group")]),
        ([GROUP, None], [("FIELD_NULL", "attributeGroups[1]")]),
        ([{"attribute_group": "$x"}], [("FIELD_FORMAT", "attributeGroups[0].attribute_group")]),  # it becomes a key
        ([{"attribute_group": ""}], [("FIELD_FORMAT", "attributeGroups[0].attribute_group")]),
        ([{**GROUP, "attributes": {"$x": {}}}], [("FIELD_FORMAT", "attributeGroups[0].attributes.$x")]),
        ({"$x": {}}, [("FIELD_FORMAT", "attributeGroups.$x")]),
        ({"g": {"attributes": {"$x": {}}}}, [("FIELD_FORMAT", "attributeGroups.g.attributes.$x")]),
        ({"g": {"attributes": {"x": {"value_type": ""}}}}, [
            ("FIELD_LENGTH", "attributeGroups.g.attributes.x.value_type"),
        ]),
        ("gift", [("FIELD_TYPE", "attributeGroups")]),
        ([GROUP, GROUP, {"attribute_group": 1}], [  # all of it together
            ("FIELD_TYPE", "attributeGroups[2].attribute_group"),
            ("RULE_VIOLATION", "attributeGroups[1].attribute_group"),
        ]),
    ],
)  # fmt: skip
def test_attribute_groups_that_cannot_be_kept(groups: Json, expected: list[tuple[str, str]]) -> None:
    assert expected == problems(created(attributeGroups=groups))


def shipped(quantity: Json) -> JsonObject:
    return {"shipments": [{"shipmentLines": [{"quantityShipped": quantity}]}]}


QUANTITY = "shipments[0].shipmentLines[0].quantityShipped"


@pytest.mark.parametrize(
    ("given", "kept", "said", "standing"),
    [
        ("2", 2, ["VALUE_NORMALISED"], []),
        ("007", 7, ["VALUE_NORMALISED"], []),
        (2, 2, [], []),
        ("string", "string", [], ["QUANTITY_NOT_NUMERIC"]),  # the seed's own value
        ("", "", [], ["QUANTITY_NOT_NUMERIC"]),
        ("2.0", "2.0", [], ["QUANTITY_NOT_NUMERIC"]),  # an integer has no fraction
        ("9223372036854775808", "9223372036854775808", [], ["QUANTITY_NOT_NUMERIC"]),  # beyond int64
        pytest.param("9" * 5000, "9" * 5000, [], ["QUANTITY_NOT_NUMERIC"], id="more digits than Python reads"),
    ],
)
def test_a_shipped_quantity_is_a_number_wherever_its_text_is_one(
    given: Json, kept: Json, said: list[str], standing: list[str]
) -> None:
    command = accepted(created(**shipped(given)))

    assert shipped(kept)["shipments"] == command.value["shipments"]
    assert tuple(Warned(code, QUANTITY) for code in said) == command.warnings
    assert [Warned(code, QUANTITY) for code in standing] == warnings_of(**shipped(given))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (-1, "FIELD_RANGE"),
        ("-1", "FIELD_RANGE"),  # what it says, not how
        (1.5, "FIELD_TYPE"),
        (True, "FIELD_TYPE"),
        (None, "FIELD_NULL"),
    ],
)
def test_a_shipped_quantity_is_a_text_or_a_count(given: Json, code: str) -> None:
    assert problems(created(**shipped(given))) == [(code, QUANTITY)]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"shipments": {"shipmentRef": "S-1"}}, ("FIELD_TYPE", "shipments")),  # A4: only an array
        ({"shipments": [{"shipmentStatus": "LOST"}]}, ("FIELD_ENUM", "shipments[0].shipmentStatus")),
        ({"orderLines": [{"totalAmountExTaxInCent": 1}]}, ("FIELD_UNKNOWN", "orderLines[0].totalAmountExTaxInCent")),
        ({"refundAmount": 1}, ("FIELD_UNKNOWN", "refundAmount")),  # that one is for lines
        ({"createdAt": "2024-06-27T14:39:07Z"}, ("FIELD_UNKNOWN", "createdAt")),  # a corrected spelling
        ({"processedAt": "2024-06-27"}, ("FIELD_FORMAT", "processedAt")),  # a date is no date-time here
        ({"itemsShipped": -1}, ("FIELD_RANGE", "itemsShipped")),
        ({"orderLines": [{"id": "1"}, {"id": "2"}, {"id": "1"}]}, ("RULE_VIOLATION", "orderLines[2].id")),
        ({"orderLines": [{"entryRef": "1"}, {"entryRef": "1"}]}, ("RULE_VIOLATION", "orderLines[1].entryRef")),
    ],
)
def test_a_value_that_the_contract_rejects(members: JsonObject, expected: tuple[str, str]) -> None:
    assert [expected] == problems(created(**members))


@pytest.mark.parametrize(
    "members",
    [
        {"couponDiscountsInCent": 0.5, "handlingCostExTaxInCent": 0.5},  # numbers, unlike their siblings
        {"totalAmount": -5, "orderLines": [{"totalAmount": -1.5, "totalAmountInCent": -150}]},  # a refund line
        {"email": "nobody", "ipAddress": "here", "billingAddress": {"countryCode": "Atlantis"}},  # no form is stated
        {"shipments": [{"shipmentStatus": "READY_TO_SHIP"}, {"shipmentStatus": "READY_FOR_SHIPPING"}]},
        {"shippingAddress": {"id": "a-1"}, "billingAddress": {"id": "a-1"}},  # of the seed's responses
        {"updated_at": "2024-06-27t14:39:07.123456789+05:30", "id": "o-1"},  # A10: assigned, and yet sent
    ],
)
def test_a_value_that_the_contract_accepts_as_it_is(members: JsonObject) -> None:
    command = accepted(created(**members))

    assert command.value == {"orderRef": REF, **members}
    assert command.warnings == ()


# Amounts


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"totalAmount": 10, "totalAmountInCent": 1002}, "totalAmount"),
        ({"shippingCostIncTax": 10, "shippingCostIncTaxCent": 998}, "shippingCostIncTax"),  # its name lacks "In"
        ({"couponDiscounts": 10, "couponDiscountsInCent": 1001.5}, "couponDiscounts"),
        ({"shipmentMode": {"shipmentCost": 1, "shipmentCostInCent": 0}}, "shipmentMode.shipmentCost"),
        ({"appliedTaxes": [{}, {"amount": 1, "amountInCent": 1}]}, "appliedTaxes[1].amount"),
        ({"orderLines": [{"basePriceExTax": 1, "basePriceExTaxInCent": 1}]}, "orderLines[0].basePriceExTax"),
        (
            {"orderLines": [{"appliedDiscounts": [{"amountInCent": 1, "amount": 1}]}]},
            "orderLines[0].appliedDiscounts[0].amount",
        ),
        ({"totalAmount": 1500, "totalAmountInCent": 1500}, "totalAmount"),  # no currency: cents
        ({"totalAmount": 1500, "totalAmountInCent": 1500, "currencyCode": "AUD"}, "totalAmount"),
    ],
)
def test_an_amount_and_its_twin_must_say_the_same(members: JsonObject, path: str) -> None:
    assert problems(created(**members)) == [("RULE_VIOLATION", path)]


@pytest.mark.parametrize(
    "members",
    [
        {"totalAmount": 10, "totalAmountInCent": 1001},  # one unit away is right
        {"totalAmount": 0.285, "totalAmountInCent": 28},
        {"totalAmount": 90071992547409.91, "totalAmountInCent": 9007199254740991},
        {"totalAmount": 1500, "totalAmountInCent": 1500, "currencyCode": "jpy"},
        {"totalAmount": 1500, "totalAmountInCent": 150000, "currencyCode": "JPY"},  # the name's own meaning
        {"totalAmount": 1.5, "totalAmountInCent": 1500, "currencyCode": "KWD"},
        {"totalAmount": 1.5, "totalAmountInCent": 15000, "currencyCode": "CLF"},
        {"totalAmountInCent": 5},  # alone
        {"handlingCost": 1, "handlingCostExTaxInCent": 7},  # not each other's twins
    ],
)
def test_an_amount_and_its_twin_that_agree(members: JsonObject) -> None:
    assert members.items() <= accepted(created(**members)).value.items()


def test_a_patch_leaves_the_currency_to_the_whole_order_but_rejects_what_no_currency_makes_right() -> None:
    assert accepted(patched(totalAmount=1500, totalAmountInCent=1500)).operation is Operation.PATCH
    assert problems(patched(totalAmount=10, totalAmountInCent=5000)) == [("RULE_VIOLATION", "totalAmount")]
    assert problems(updated("order.replace", {"totalAmount": 1500, "totalAmountInCent": 1500})) == [
        ("RULE_VIOLATION", "totalAmount"),
    ]


def test_a_line_of_its_own_is_judged_by_the_same_rule() -> None:
    outcome = updated("entry.update", {"entryRef": "1", "refundAmount": 10, "refundAmountInCent": 5000})

    assert problems(outcome) == [("RULE_VIOLATION", "refundAmount")]


def test_the_twin_of_a_patched_amount_is_judged_on_the_whole_order() -> None:
    body = a_body(totalAmount=10, totalAmountInCent=1000) | {"totalAmount": 12}

    found = broken_rules(body)

    assert found == ["totalAmount"]


@pytest.mark.parametrize(
    ("members", "grand"),
    [
        ({"totalAmount": 10.5}, "10.5"),
        ({"totalAmountInCent": 1050}, "10.5"),
        ({"totalAmount": 10.5, "totalAmountInCent": 1051}, "10.51"),  # the integer leads
        ({"totalAmount": 1500, "totalAmountInCent": 1500, "currencyCode": "JPY"}, "1500"),
        ({"totalAmount": 1500, "totalAmountInCent": 150000, "currencyCode": "JPY"}, "1500"),
        ({"totalAmount": 1.2345, "totalAmountInCent": 1234, "currencyCode": "KWD"}, "1.234"),
        ({"totalAmountInCent": 1500, "currencyCode": "JPY"}, "15"),  # no twin says otherwise
        ({"totalAmount": 0, "totalAmountInCent": 0, "currencyCode": "JPY"}, "0"),
        ({"totalAmountInCent": -(2**63)}, "-92233720368547758.08"),
    ],
)
def test_the_canonical_amount(members: JsonObject, grand: str) -> None:
    assert Decimal(grand) == DIALECT.canonical(a_body(**members)).totals["grand"]


# The order


def test_the_canonical_members_of_a_full_order() -> None:
    found = DIALECT.canonical(DIALECT.assign(sample_value("create-full"), {}, IDS))

    assert found.customer == {
        "id": "cus-204",
        "ref": "CRM-204",
        "email": "avery@example.com",
        "locale": "en_AU",
        "ip": {"address": "203.0.113.7", "country": "Australia", "country_code": "AU"},
    }
    assert found.currency == {"code": "AUD"}
    assert found.totals == {
        "grand": Decimal("114.85"),
        "tax": Decimal("9.54"),
        "discount": Decimal(5),
        "shipping": Decimal("9.95"),
        "refunded": Decimal(0),
        "items": Decimal(2),
    }
    assert found.placed_at
    assert found.placed_at.isoformat() == "2024-06-27T14:39:07.843000+00:00"


def test_the_canonical_members_of_an_order_that_says_nothing() -> None:
    assert DIALECT.canonical(a_body()) == ({}, {"code": None}, {}, None)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("aud", "AUD"),
        ("XXX", "XXX"),  # three letters are enough
        ("AU", None),
        ("A1D", None),
        ("ÄUD", None),
    ],
)
def test_a_currency_is_three_letters_in_upper_case(given: str, code: str | None) -> None:
    assert DIALECT.canonical(a_body(currencyCode=given)).currency == {"code": code}


def test_taxes_are_summed_each_as_its_twin_says() -> None:
    taxes: Json = [{"amount": 0.1}, {"amountInCent": 20}, {"amount": 0.3, "amountInCent": 31}, {"name": "none"}]

    assert DIALECT.canonical(a_body(appliedTaxes=taxes)).totals == {"tax": Decimal("0.61")}


def test_references_and_keys_of_a_full_order() -> None:
    body = DIALECT.assign(sample_value("create-full"), {}, IDS)

    line = IDS.hex24("orderLines[0]")
    assert DIALECT.refs(body) == {"order_id": IDS.document, "order_ref": "WEB-2024-1001", "cart_id": "cart-5512"}
    assert [(key.kind, key.value, key.path) for key in DIALECT.keys(body)] == [
        ("order-id", IDS.document, "id"),
        ("order-ref", "WEB-2024-1001", "orderRef"),
        ("entry-id", line, "orderLines[0].id"),
    ]


def test_an_empty_cart_id_is_no_reference() -> None:
    assert DIALECT.refs(a_body(id="o-1", cartId="")) == {"order_id": "o-1", "order_ref": REF}


def test_ids_that_the_message_does_not_bring_are_assigned_by_position() -> None:
    body = a_body(orderLines=[{"entryRef": "1"}, {"id": "e-2"}, {}])

    assert body["id"] == IDS.document
    assert body["orderLines"] == [
        {"id": IDS.hex24("orderLines[0]"), "entryRef": "1"},
        {"id": "e-2"},
        {"id": IDS.hex24("orderLines[2]")},
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"id": "e-1", "quantity": 9}, {"id": "e-1", "entryRef": "1", "quantity": 9}),  # keeps its reference
        ({"entryRef": "1", "quantity": 9}, {"id": "e-1", "entryRef": "1", "quantity": 9}),  # keeps its id
        ({"gtin": "40"}, {"id": "e-0", "gtin": "40"}),  # equal at the same place
        ({"gtin": "41"}, {"id": LATER_IDS.hex24("orderLines[0]"), "gtin": "41"}),  # another line
        ({"entryRef": "7"}, {"id": LATER_IDS.hex24("orderLines[0]"), "entryRef": "7"}),
    ],
)
def test_a_line_that_is_sent_again_keeps_its_names(line: JsonObject, expected: JsonObject) -> None:
    before = a_body(orderLines=[{"id": "e-0", "gtin": "40"}, {"id": "e-1", "entryRef": "1", "quantity": 1}])

    found = DIALECT.assign({**before, "orderLines": [line]}, before, LATER_IDS)["orderLines"]

    assert [expected] == found


def test_an_id_that_another_line_brings_is_not_given_twice() -> None:
    before = a_body(orderLines=[{"id": "e-0"}])

    found = DIALECT.assign({**before, "orderLines": [{}, {"id": "e-0"}]}, before, LATER_IDS)["orderLines"]

    assert found == [{"id": LATER_IDS.hex24("orderLines[0]")}, {"id": "e-0"}]


def test_a_replaced_order_keeps_its_id() -> None:
    assert DIALECT.assign({"email": ""}, a_body(), LATER_IDS)["id"] == IDS.document


def test_a_replace_keeps_statuses_flags_ids_and_the_time_of_creation() -> None:
    assert set(DIALECT.kept) == {
        "orderStatus", "paymentStatus", "deliveryStatus", "shippingState", "cancelled", "confirmed", "returned",
        "id", "orderRef", "created_at",
    }  # fmt: skip


@pytest.mark.parametrize("operation", ["order.patch", "order.replace"])
@pytest.mark.parametrize("name", ["create-full", "seed-create-request", "create-attribute-groups-as-array"])
def test_an_order_that_was_read_back_can_be_sent_as_an_update(operation: str, name: str) -> None:
    body = DIALECT.assign(accepted(decode(a_sample(f"wishlist/{name}"), Contracts())).value, {}, IDS)

    command = accepted(updated(operation, body, {}))

    assert command.value == body
    assert DIALECT.assign(command.value, body, LATER_IDS) == body


# Warnings


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"acceptsMarketing": False}, [("DEPRECATED_FIELD", "acceptsMarketing")]),
        ({"currencyCode": "AU"}, [("CURRENCY_NOT_ISO", "currencyCode")]),
        ({"currencyCode": ""}, [("CURRENCY_NOT_ISO", "currencyCode")]),
        ({"currencyCode": "aud"}, []),
        ({"cancelled": True, "orderStatus": "SHIPPED"}, [("STATUS_FLAG_CONFLICT", "cancelled")]),
        ({"returned": True, "orderStatus": "CANCELLED"}, [("STATUS_FLAG_CONFLICT", "returned")]),
        ({"returned": True, "orderStatus": "PARTIALLY_RETURNED"}, []),
        ({"cancelled": True, "orderStatus": "CANCELLED"}, []),
        ({"cancelled": True, "returned": True, "orderStatus": "OTHER"}, []),
        ({"cancelled": True, "returned": True}, []),  # there is nothing that they contradict
        ({"cancelled": False, "orderStatus": "CANCELLED"}, []),
        ({"orderLines": [{"gtin": "40"}, {"quantity": 1}]}, [("LINE_WITHOUT_PRODUCT", "orderLines[1]")]),
        ({"orderLines": [{"productId": ""}]}, [("LINE_WITHOUT_PRODUCT", "orderLines[0]")]),
        ({"orderLines": []}, []),  # an order without lines is nothing odd here
    ],
)
def test_what_an_order_is_warned_about(members: JsonObject, expected: list[tuple[str, str]]) -> None:
    assert expected == [tuple(warned) for warned in warnings_of(**members)]


@pytest.mark.parametrize(
    ("line", "dangling"),
    [
        ({"entryRef": "1"}, []),
        ({"entryId": "e-1"}, []),
        ({"entryId": "e-2", "entryRef": "1"}, ["entryId"]),
        ({"entryId": "e-2", "entryRef": "2"}, ["entryId", "entryRef"]),
        ({"entryRef": ""}, []),  # an empty reference is no reference
    ],
)
def test_a_shipment_line_may_point_at_a_line_that_the_order_lacks(line: JsonObject, dangling: list[str]) -> None:
    found = warnings_of(
        orderLines=[{"id": "e-1", "entryRef": "1", "gtin": "40"}, {"gtin": "41"}],
        shipments=[{"shipmentLines": [line]}],
    )

    assert [Warned("DANGLING_REFERENCE", f"shipments[0].shipmentLines[0].{name}") for name in dangling] == found


def test_the_sample_of_the_seed_is_accepted_with_its_oddities_named() -> None:
    body = DIALECT.assign(accepted(decode(a_sample("wishlist/seed-create-request"), Contracts())).value, {}, IDS)

    assert [warned.code for warned in DIALECT.warnings(body, {})] == [
        "DEPRECATED_FIELD",
        "CURRENCY_NOT_ISO",
        "STATUS_FLAG_CONFLICT",
        "STATUS_FLAG_CONFLICT",
        "QUANTITY_NOT_NUMERIC",
    ]


# All of it


def test_everything_that_is_wrong_with_a_message_is_told_together() -> None:
    outcome = created(
        channel="STORE",
        email=None,
        orderLines=[{"entryRef": "1", "quantity": "2"}, {"entryRef": "1", "orderRef": "R-2"}, 3],
        totalAmount=10,
        totalAmountInCent=5000,
        wrong=True,
    )

    assert problems(outcome) == [
        ("FIELD_TYPE", "orderLines[0].quantity"),
        ("FIELD_TYPE", "orderLines[2]"),
        ("FIELD_NULL", "email"),
        ("FIELD_ENUM", "channel"),
        ("FIELD_UNKNOWN", "wrong"),
        ("RULE_VIOLATION", "totalAmount"),
        ("RULE_VIOLATION", "orderLines[1].entryRef"),
        ("IDENTITY_CONFLICT", "orderLines[1].orderRef"),
    ]


def test_a_rule_leaves_out_members_that_are_wrong_themselves() -> None:
    outcome = created(
        id=7,
        orderLines=[{"orderId": "o-1"}],
        totalAmount=1500,
        totalAmountInCent=1500,  # right in some currency
        currencyCode=7,
        wrappingCost="10",
        wrappingCostInCent=5000,
    )

    assert problems(outcome) == [("FIELD_TYPE", "currencyCode"), ("FIELD_TYPE", "id"), ("FIELD_TYPE", "wrappingCost")]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_the_examples_are_right(example: Example) -> None:
    accepted(decode(a_record(value=example.value, headers=example.headers, key=example.key), Contracts()))


@pytest.mark.parametrize("operation", list(Operation))
@pytest.mark.parametrize(
    "members",
    [
        {"orderLines": 1, "shipments": "x", "attributeGroups": True},
        {"orderLines": [1, [], None], "shipments": [1, {"shipmentLines": 1}], "attributeGroups": [[], {}]},
        {"shipments": [{"shipmentLines": [1, {"quantityShipped": {}}]}], "orderLines": [{"id": {}, "entryRef": []}]},
        {"id": [], "orderRef": {}, "orderId": 1, "entryRef": True, "currencyCode": [], "totalAmountInCent": {}},
    ],
)
def test_nothing_raises_on_values_of_the_wrong_shape(operation: Operation, members: JsonObject) -> None:
    headers = {**(CREATE if operation is Operation.CREATE else UPDATE), "operation": operation.value}

    assert problems(decode(a_record(value=members, headers=headers), Contracts()))
