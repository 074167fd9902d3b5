"""What is wrong for one dialect only, and messages that are wrong because of those before them (contracts 1.3, 1.5)."""

import json
from typing import Any, Final

from tests.bad_inputs.cases import (
    Case,
    Input,
    Refused,
    Verdict,
    an_update,
    create,
    headers_of,
    named,
    right,
    update,
    uuid,
)  # fmt: skip


def again(name: str, dialect: str, key: str | None, outcome: Verdict | Refused, **members: object) -> Input:
    """A small right create, with an idempotency key of its own or none."""
    own = {} if key is None else {"idempotency_key": key}
    value = json.dumps({**right(dialect, name), **members}).encode()
    return Input("create", name.encode(), value, headers_of(dialect, name, **own), outcome)


def twice_the_same_key(name: str) -> tuple[Input, ...]:
    return (again(name, "b2b-commerce", uuid(name), "applied"), again(name, "b2b-commerce", uuid(name), "unchanged"))


def twice_the_same_key_another_value(name: str) -> tuple[Input, ...]:
    refused = Refused((("IDEMPOTENCY_CONFLICT", "headers.idempotency-key"),))
    return (
        again(name, "b2b-commerce", uuid(name), "applied"),
        again(name, "b2b-commerce", uuid(name), refused, shippingLabel="UPS"),
    )


def twice_another_key(name: str) -> tuple[Input, ...]:
    refused = Refused((("DUPLICATE_ORDER", "orderRef"),))
    return (
        again(name, "wishlist", uuid(name), "applied"),
        again(name, "wishlist", uuid(f"other {name}"), refused, email="x"),
    )


def line_of_another_order(name: str) -> tuple[Input, ...]:
    refused = Refused((("DUPLICATE_ENTRY", "orderLines[1].id"),))
    lines = [{"id": f"mine {name}"}, {"id": f"theirs {name}"}]
    return (
        again(name, "wishlist", None, "applied", orderLines=lines[1:]),
        again(f"other {name}", "wishlist", None, refused, orderLines=lines),
    )


def same_status(name: str) -> tuple[Input, ...]:
    return tuple(
        an_update(name, "order.patch", {"orderStatus": "SHIPPED"}, outcome) for outcome in ("applied", "unchanged")
    )


def backward_transition(name: str) -> tuple[Input, ...]:
    statuses = ("COMPLETE", "CREATED", "CANCELLED", "AWAITING_PAYMENT")
    return tuple(an_update(name, "order.patch", {"orderStatus": status}, "applied") for status in statuses)


def after_the_end(name: str) -> tuple[Input, ...]:
    """A wishlist order of its own, since the one that the case is given must live on."""
    gone = Refused((("ORDER_NOT_FOUND", "headers.order-ref"),))
    other = f"gone {name}"
    create_it = again(other, "wishlist", None, "applied")
    changes: tuple[tuple[Any, ...], ...] = (
        ("order.delete", {}, "applied"),
        ("order.delete", {}, "unchanged"),
        ("order.patch", {"email": "x"}, gone),
    )
    return (create_it, *(an_update(other, operation, value, outcome) for operation, value, outcome in changes))


def key_of_an_update_again(name: str) -> tuple[Input, ...]:
    refused = Refused((("IDEMPOTENCY_CONFLICT", "headers.idempotency-key"),))
    changes: tuple[tuple[Any, ...], ...] = (("1", "applied"), ("1", "unchanged"), ("2", refused))
    return tuple(
        an_update(name, "order.patch", {"email": email}, outcome, idempotency_key=uuid(name))
        for email, outcome in changes
    )


CASES: Final[list[Case]] = named(
    "dialects",
    {
        "create_twice_same_mid": twice_the_same_key,
        "mid_reused": twice_the_same_key_another_value,
        "create_twice_other_mid": twice_another_key,
        "line_of_another_order": line_of_another_order,
        "update_unknown_order": update("order.patch", {"email": "x"}, verdict="parked", order_ref="none of these/\0"),
        "same_status": same_status,
        "backward_transition": backward_transition,
        "after_terminal": after_the_end,
        "mid_of_an_update_reused": key_of_an_update_again,
        "empty_patch": update("order.patch", {}, ("EMPTY_UPDATE", "value")),
        "empty_replace": update("order.replace", {}, ("EMPTY_UPDATE", "value")),
        "unknown_line": update(
            "entry.update", {"quantity": 1}, ("ENTRY_NOT_FOUND", "headers.entry-ref"), entry_ref="$"
        ),
        "line_deleted_that_never_was": update("entry.delete", {}, verdict="unchanged", entry_ref="never"),
        "line_not_named": update("entry.update", {"quantity": 1}, ("IDENTITY_MISSING", "headers.entry-id")),
        "order_not_named": update(
            "order.patch", {"email": "x"}, ("IDENTITY_MISSING", "headers.order-id"), order_ref=None
        ),
        "value_of_a_delete": update("order.delete", {"email": "x"}, ("FIELD_UNKNOWN", "email")),
        "shipments_as_object": create({"shipments": {}}, ("FIELD_TYPE", "shipments")),
        "groups_as_array": create(
            {"attributeGroups": [{"attribute_group": "$g"}]}, ("FIELD_FORMAT", "attributeGroups[0].attribute_group")
        ),
        "group_without_name": create(
            {"attributeGroups": [{}]}, ("FIELD_MISSING", "attributeGroups[0].attribute_group")
        ),
        "group_twice": create(
            {"attributeGroups": [{"attribute_group": "g"}] * 2},
            ("RULE_VIOLATION", "attributeGroups[1].attribute_group"),
        ),
        "quantity_shipped_of_5000_digits": create(
            {"shipments": [{"shipmentLines": [{"quantityShipped": "9" * 5000}]}]}
        ),
        "quantity_shipped_unicode": create({"shipments": [{"shipmentLines": [{"quantityShipped": "\u0661\u0662"}]}]}),
        "read_only_on_create": create(
            {"items": [], "revision": 7, "_id": "x"},
            *(("FIELD_READ_ONLY", name) for name in ("items", "revision", "_id")),
            of="subscription",
        ),
        "zero_tax": create({"taxTotal": 0}, ("FIELD_RANGE", "taxTotal"), of="subscription"),
        "lines_in_a_cart": create({"lines": []}, ("FIELD_UNKNOWN", "lines"), of="shopping-cart"),
        "neither_address": create(
            {"newBillingAddress": {}, "newShippingAddress": {"city": ""}},
            ("FIELD_LENGTH", "newShippingAddress.city"),
            ("RULE_VIOLATION", "newBillingAddress"),
            of="b2b-commerce",
        ),
        "row_of_blanks": create(
            {"fulfilledItems": [{"items": [{"lineItemId": "", "quantity": ""}] * 100}]}, of="b2b-commerce"
        ),
        "number_as_text": create(
            {"lineItems": [{"quantity": "1", "price": 1}]}, ("FIELD_TYPE", "lineItems[0].quantity"), of="b2b-commerce"
        ),
        "currency_of_control_characters": create(
            {"currency": {"currency": "\0\0"}}, ("FIELD_FORMAT", "currency.currency"), of="b2b-commerce"
        ),
        "status_of_another_dialect": create({"status": "ORDER_CREATED"}, ("FIELD_ENUM", "status"), of="configurator"),
        "items_of_any_shape": create(
            {"items": [{"a.b": [None]}, {}, {"configurationId": "", "count": 0}]}, of="configurator"
        ),
        "items_no_objects": create({"items": [7]}, ("FIELD_TYPE", "items[0]"), of="configurator"),
        "value_of_another_dialect": create(
            {"orderLines": [], "shipTo": []},
            ("FIELD_UNKNOWN", "orderLines"),
            ("FIELD_UNKNOWN", "shipTo"),
            of="b2b-commerce",
        ),
    },
)
