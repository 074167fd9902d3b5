"""What is peculiar to the dialect `shopping-cart` (contracts/shopping-cart.md)."""

from collections.abc import Mapping

import pytest

from orderstream.commands import Address, Command
from orderstream.decide import meet, update
from orderstream.decode import Contracts, decode
from orderstream.dialect import AS_THE_CONTRACTS_SAY, Canonical, Example
from orderstream.dialects.shopping_cart import DIALECT, EXAMPLES
from orderstream.fold import created
from orderstream.identity import Identities
from orderstream.json_text import Json, JsonObject
from orderstream.order import NEW, Order, Position, Status
from orderstream.outcomes import Applied, Outcome, Refusal, Unchanged
from tests.builders import a_record, a_sample

KEY = "550e8400-e29b-41d4-a716-446655440000"
OTHER_KEY = "c56a4180-65aa-42ec-a945-5fd21dec0538"
CREATE = {"dialect": "shopping-cart", "message-type": "order-create", "idempotency-key": KEY}
PATCH = {"dialect": "shopping-cart", "message-type": "order-update", "operation": "order.patch", "order-id": "100482"}
MINIMAL: JsonObject = {
    "requesterId": 1048576,
    "userId": 20017,
    "facilityId": 3391,
    "shippingAddressId": 880012,
    "billingAddressId": 880013,
    "shippingMethod": "FedEx Ground",
}
IDS = Identities("6740c0de0000000000000001", Position("order-create", 0, 7), number=100482)
LATER_IDS = Identities("6740c0de0000000000000001", Position("order-update", 0, 9))


def create(value: JsonObject | None = None, **headers: str | None) -> Command | Refusal:
    return sent({**MINIMAL, **(value or {})}, CREATE, headers)


def patch(value: JsonObject, **headers: str | None) -> Command | Refusal:
    return sent(value, PATCH, headers)


def sent(value: JsonObject, headers: Mapping[str, str], changed: Mapping[str, str | None]) -> Command | Refusal:
    record = a_record(value=value, headers=headers, **changed)  # type: ignore[arg-type]  # nothing but headers
    return decode(record, Contracts())


def replace(value: JsonObject) -> Command | Refusal:
    return patch({**MINIMAL, **value}, operation="order.replace")


def accepted(outcome: Command | Refusal) -> Command:
    assert isinstance(outcome, Command), outcome
    return outcome


def problems(outcome: Command | Outcome) -> list[tuple[str, str]]:
    assert isinstance(outcome, Refusal), outcome
    return [(problem.code.value, problem.path) for problem in outcome.problems]


def an_order(value: JsonObject | None = None) -> Order:
    return created(accepted(create(value)), DIALECT, AS_THE_CONTRACTS_SAY, IDS)


def updated(order: Order, command: Command | Refusal, *elsewhere: str) -> Outcome:
    return update(order, accepted(command), DIALECT, AS_THE_CONTRACTS_SAY, LATER_IDS, elsewhere.__contains__)


def body_after(order: Order, command: Command | Refusal) -> JsonObject:
    outcome = updated(order, command)
    assert isinstance(outcome, Applied), outcome
    return outcome.order.body


# Accepted and rejected (section 5)


@pytest.mark.parametrize("member", ["lineItems", "items", "cart", "orderLines", "cartId", "orderId"])  # A1
def test_an_order_has_no_lines_names_no_cart_and_does_not_bring_its_id(member: str) -> None:
    assert [("FIELD_UNKNOWN", member)] == problems(create({member: []}))
    assert [("FIELD_UNKNOWN", member)] == problems(patch({member: []}))


@pytest.mark.parametrize(
    ("member", "code"),
    [
        (0, "FIELD_RANGE"),
        (100_000_000, "FIELD_RANGE"),  # inside int64: the narrower rule holds (A2)
        (2**63, "FIELD_RANGE"),
        (1.0, "FIELD_TYPE"),  # an integer has no fraction, not even an empty one
        (True, "FIELD_TYPE"),
        (None, "FIELD_NULL"),
    ],
)
def test_ids_of_the_customer_profile_are_integers_from_1_to_99999999(member: Json, code: str) -> None:
    assert [(code, "facilityId")] == problems(create({"facilityId": member}))


@pytest.mark.parametrize(
    "members",
    [
        {"notes": None},  # the only nullable member (A6)
        {"notes": ""},  # no minimum is stated (A7)
        {"notes": "\N{PACKAGE}" * 200},  # code points count, not bytes
        {"shippingMethod": " "},  # nothing is trimmed, no list is given
        {"shippingMethod": "x" * 5000},
        {"useShippingAccount": False},
    ],
)
def test_only_stated_limits_reject_and_nothing_is_changed(members: JsonObject) -> None:
    order = an_order(members)

    assert {"orderId": 100482, **MINIMAL, **members} == order.body
    assert order.warnings == ()


def test_an_absent_carrier_account_stays_absent() -> None:  # A8
    assert "useShippingAccount" not in an_order().body


def test_all_problems_of_a_message_are_reported_together() -> None:
    value: JsonObject = {"userId": "20017", "shippingMethod": "", "notes": "n" * 201, "sku": "A-1"}

    outcome = create(value, idempotency_key="order-1", order_id="7", tenant=" ")

    assert problems(outcome) == [
        ("HEADER_INVALID", "headers.idempotency-key"),
        ("HEADER_INVALID", "headers.order-id"),
        ("HEADER_INVALID", "headers.tenant"),
        ("FIELD_TYPE", "userId"),
        ("FIELD_LENGTH", "shippingMethod"),
        ("FIELD_LENGTH", "notes"),
        ("FIELD_UNKNOWN", "sku"),
    ]


# Identity


def test_a_create_needs_an_idempotency_key_and_an_update_does_not() -> None:
    assert problems(create(idempotency_key=None)) == [("HEADER_MISSING", "headers.idempotency-key")]
    assert accepted(patch({"notes": "x"})).idempotency_key is None


@pytest.mark.parametrize(
    "key",
    [
        "550E8400-E29B-41D4-A716-446655440000",  # any case (A5)
        "00000000-0000-0000-0000-000000000000",  # no version is stated
        "018f3c1e-7b2a-7c3d-9e4f-5a6b7c8d9e0f",
    ],
)
def test_the_idempotency_key_of_the_create_is_the_reference_of_the_order(key: str) -> None:
    command = accepted(create(idempotency_key=key))

    order = created(command, DIALECT, AS_THE_CONTRACTS_SAY, IDS)

    assert [address.kind for address in command.addresses] == ["idempotency-key", "order-ref"]
    assert {"headers.idempotency-key"} == {address.path for address in command.addresses}
    assert {"order_id": "100482", "order_ref": key.lower()} == order.refs
    assert key.lower() == order.idempotency_key


@pytest.mark.parametrize("key", ["{550e8400-e29b-41d4-a716-446655440000}", "550e8400e29b41d4a716446655440000", ""])
def test_a_uuid_has_hyphens_and_no_braces(key: str) -> None:
    assert problems(create(idempotency_key=key)) == [("HEADER_INVALID", "headers.idempotency-key")]


def test_an_order_is_found_by_its_number_and_by_the_key_of_its_create() -> None:
    assert (
        f"shopping-cart//idempotency-key/{KEY}",
        f"shopping-cart//order-ref/{KEY}",
        "shopping-cart//order-id/100482",
    ) == an_order().lookup_keys


@pytest.mark.parametrize("number", ["1", "9223372036854775807"])  # A3
def test_an_update_may_name_any_positive_int64(number: str) -> None:
    command = accepted(patch({"notes": "x"}, order_id=number))

    assert (Address("order-id", number, "headers.order-id", guessable=True),) == command.addresses


@pytest.mark.parametrize("number", ["0", "-1", "+1", "01", "1.0", " 1", "9223372036854775808", ""])
def test_another_order_id_is_invalid_and_not_also_missing(number: str) -> None:
    assert problems(patch({"notes": "x"}, order_id=number)) == [("HEADER_INVALID", "headers.order-id")]


@pytest.mark.parametrize("ref", [None, ""])  # an empty reference is no reference
def test_an_update_must_name_its_order(ref: str | None) -> None:
    assert problems(patch({"notes": "x"}, order_id=None, order_ref=ref)) == [("IDENTITY_MISSING", "headers.order-id")]


def test_two_addresses_are_looked_up_id_first_and_must_name_one_order() -> None:
    command = patch({"notes": "x"}, order_ref=OTHER_KEY)

    assert [address.kind for address in accepted(command).addresses] == ["order-id", "order-ref"]
    assert problems(updated(an_order(), command)) == [("IDENTITY_CONFLICT", "headers.order-ref")]


@pytest.mark.parametrize("operation", ["order.delete", "entry.create", "entry.update", "entry.delete"])
def test_there_are_no_deletes_and_no_entries(operation: str) -> None:
    outcome = patch({"quantity": 1}, operation=operation)

    assert problems(outcome) == [("UNSUPPORTED_OPERATION", "headers.operation")]


def test_the_tenant_is_optional() -> None:
    assert (accepted(create()).tenant, accepted(create(tenant="acme")).tenant) == (None, "acme")


# The order


def test_a_full_order_becomes_what_every_dialect_shares() -> None:
    command = accepted(decode(a_sample("shopping-cart/create-full"), Contracts()))

    order = created(command, DIALECT, AS_THE_CONTRACTS_SAY, IDS)

    customer = {"id": "1048576", "user_id": "20017", "account_id": "3391"}
    assert Canonical(customer=customer, currency={"code": None}, totals={}) == DIALECT.canonical(order.body)
    assert {"orderId": 100482, **command.value} == order.body
    assert (order.status, order.native, order.warnings) == (NEW, {}, ())


@pytest.mark.parametrize("status", [NEW, Status("completed", "paid", "fulfilled")])
def test_no_message_changes_the_status(status: Status) -> None:  # A9
    assert status == DIALECT.status(status, an_order().body, AS_THE_CONTRACTS_SAY)


def test_a_patch_leaves_what_it_does_not_name_and_null_clears_only_the_notes() -> None:
    order = an_order({"notes": "Dock 4", "useShippingAccount": True})

    after = body_after(order, patch({"notes": None, "shippingMethod": "FedEx 2Day"}))

    expected = {"orderId": 100482, **MINIMAL, "useShippingAccount": True, "shippingMethod": "FedEx 2Day"}
    assert expected == after
    assert problems(patch({"shippingMethod": None})) == [("FIELD_NULL", "shippingMethod")]


def test_a_replace_removes_what_it_leaves_out_but_not_the_order_id() -> None:
    order = an_order({"notes": "Dock 4", "useShippingAccount": True})

    assert body_after(order, replace({"notes": "Dock 7"})) == {"orderId": 100482, **MINIMAL, "notes": "Dock 7"}


@pytest.mark.parametrize(
    "command", [patch({"notes": "Dock 4"}), replace({"notes": "Dock 4"})], ids=["patch", "replace"]
)
def test_an_update_that_says_the_same_changes_nothing(command: Command | Refusal) -> None:
    assert Unchanged("nothing differs") == updated(an_order({"notes": "Dock 4"}), command)


def test_the_same_create_again_is_answered_again() -> None:  # A4
    assert Unchanged("it repeats the create", again=True) == meet(an_order(), accepted(create()))


def test_a_known_key_with_another_value_is_a_conflict() -> None:  # A4
    outcome = meet(an_order(), accepted(create({"notes": "Dock 4"})))

    assert problems(outcome) == [("IDEMPOTENCY_CONFLICT", "headers.idempotency-key")]


def test_the_number_comes_from_the_counter_and_stays() -> None:
    body = DIALECT.assign(MINIMAL, {}, IDS)

    assert DIALECT.counted
    assert 100482 == body["orderId"] == DIALECT.assign(MINIMAL, body, LATER_IDS)["orderId"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_the_examples_are_accepted(example: Example) -> None:
    accepted(decode(a_record(value=example.value, headers=example.headers, key=example.key), Contracts()))
