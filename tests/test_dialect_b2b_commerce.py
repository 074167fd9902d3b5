"""What is peculiar to `b2b-commerce`: status by lines, blank rows, two-letter currencies, either/or addresses."""

from typing import Any

import pytest

from orderstream.commands import Command
from orderstream.decode import Contracts, decode
from orderstream.dialect import AS_THE_CONTRACTS_SAY
from orderstream.dialects.b2b_commerce import DIALECT
from orderstream.order import NEW, Status
from orderstream.outcomes import Refusal
from tests.builders import a_create

LINE: dict[str, Any] = {"quantity": 10, "price": 1}
ORDER_STATUS = {
    "pending": NEW,
    "fulfilled": Status("completed", "unknown", "fulfilled"),
    "cancelled": Status("cancelled", "unknown", "unfulfilled"),
}
BY_LINES = {
    # orderStatus pending: the lines tell the fulfilment
    "unfulfilled": [{**LINE, "fulfilledQuantity": 0}, LINE],
    "partially_fulfilled": [{**LINE, "fulfilledQuantity": 10}, LINE],
    "fulfilled": [{**LINE, "fulfilledQuantity": 10}, {**LINE, "fulfilledQuantity": 12}],
    # above that: lines that came back
    "partially_returned": [{**LINE, "returned": True}, LINE],
    "returned": [{**LINE, "returned": True}, {**LINE, "returned": True}],
}
ADDRESS = {"address1": "1 Main St", "city": "Elizabeth", "country": "US"}


def body(**members: Any) -> dict[str, Any]:  # noqa: ANN401  # any JSON
    """A valid order, with members put over it."""
    return {"customer": "c" * 24, "paymentStatus": "unpaid", "orderStatus": "pending", "lineItems": [LINE], **members}


def status(**members: Any) -> Status:  # noqa: ANN401  # any JSON
    """The canonical status of such an order, when it is new."""
    return DIALECT.status(NEW, body(**members), AS_THE_CONTRACTS_SAY)


def refused(members: dict[str, Any]) -> list[tuple[str, str]]:
    """Codes and paths for which a create with these members is refused."""
    outcome = decode(a_create("b2b-commerce", members), Contracts())
    return [(problem.code.value, problem.path) for problem in outcome.problems] if isinstance(outcome, Refusal) else []


def warned(members: dict[str, Any]) -> set[tuple[str, str]]:
    """Warnings of a create with these members: of the message, and of the order as it stands."""
    command = decode(a_create("b2b-commerce", members), Contracts())
    assert isinstance(command, Command), command
    return {*map(tuple, command.warnings), *map(tuple, DIALECT.warnings(command.value, {}))}  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ORDER_STATUS)
def test_each_order_status_has_its_meaning(value: str) -> None:
    assert ORDER_STATUS[value] == status(orderStatus=value)._replace(payment="unknown")


@pytest.mark.parametrize("value", ["unpaid", "authorized", "declined", "paid", "refunded"])
def test_each_payment_status_means_itself(value: str) -> None:
    assert value == status(paymentStatus=value).payment


@pytest.mark.parametrize("fulfilment", BY_LINES)
def test_the_lines_of_a_pending_order_tell_its_fulfilment(fulfilment: str) -> None:
    assert fulfilment == status(lineItems=BY_LINES[fulfilment]).fulfilment


def test_a_cancelled_order_keeps_its_fulfilment() -> None:
    before = Status("completed", "paid", "fulfilled")

    after = DIALECT.status(before, body(orderStatus="cancelled", paymentStatus="paid"), AS_THE_CONTRACTS_SAY)

    assert Status("cancelled", "paid", "fulfilled") == after


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"currency": {"currency": "USDT"}}, [("FIELD_FORMAT", "currency.currency")]),
        ({"newBillingAddress": {}}, [("RULE_VIOLATION", "newBillingAddress")]),
        ({"metaFields": [{"value": "x"}]}, [("RULE_VIOLATION", "metaFields[0].code")]),
        ({"lineItems": [{**LINE, "options": []}]}, [("FIELD_UNKNOWN", "lineItems[0].options")]),
        ({"ShippingAddressId": "a" * 24}, [("FIELD_UNKNOWN", "ShippingAddressId")]),
        ({"newBillingAddress": {"firstName": "Al"}}, [("FIELD_LENGTH", "newBillingAddress.firstName")]),
    ],
)
def test_a_broken_rule_is_told_with_its_place(members: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert expected == refused(members)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"currency": {"currency": "US"}}, ("CURRENCY_NOT_ISO", "currency.currency")),
        ({"lineItems": []}, ("NO_LINES", "lineItems")),
        ({"newShippingAddress": {"city": "X"}}, ("ADDRESS_INCOMPLETE", "newShippingAddress")),
        ({"newShippingAddress": {**ADDRESS, "address2": ""}}, ("BLANK_VALUE_DROPPED", "newShippingAddress.address2")),
        (
            {"fulfilledItems": [{"items": [{"lineItemId": "", "quantity": ""}]}]},
            ("BLANK_ROW_DROPPED", "fulfilledItems[0].items[0]"),
        ),
    ],
)
def test_what_is_accepted_on_purpose_leaves_a_warning(members: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in warned(members)
