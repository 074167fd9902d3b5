"""What the messages of an order say: right values, with the members that the model knows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, TypeAlias

Value: TypeAlias = dict[str, Any]

CANARY = "CANARY"  # begins every text that must not leave the order
SUBSCRIPTION_STATUS = (
    "ORDER_CREATED", "ORDER_CONFIRMED", "ORDER_CANCELLED", "ORDER_PARTIALLY_SHIPPED", "ORDER_SHIPPED",
    "ORDER_PARTIALLY_DELIVERED", "ORDER_DELIVERED", "ORDER_RETURNED", "ORDER_PARTIALLY_RETURNED",
    "ORDER_PAYMENT_AUTHORIZED", "ORDER_PAYMENT_INVALID", "ORDER_FULFILLED", "ORDER_PARTIALLY_FULFILLED",
    "ORDER_REFUNDED",
)  # fmt: skip
WISHLIST_STATUS = (
    "CREATED", "AWAITING_PAYMENT", "MANUAL_VERIFY", "DISPUTED", "IN_PROGRESS", "AWAITING_SHIPMENT", "AWAITING_PICKUP",
    "PARTIALLY_SHIPPED", "SHIPPED", "COMPLETE", "CANCELLED", "DECLINED", "PARTIALLY_RETURNED", "RETURNED", "OTHER",
)  # fmt: skip
WISHLIST_PAYMENT = ("AUTHORIZED", "DECLINED", "FRAUD_DETECTED", "NOT_PAID", "PAID", "PARTIALLY_PAID", "REFUNDED")
WISHLIST_DELIVERY = ("DELIVERED", "IN_PROCESS", "PARTIALLY_SHIPPED", "READY_TO_SHIP", "SHIPPED")
WISHLIST_SHIPPING = ("CREATED", "DELIVERED", "OTHER", "PACKED", "PICKED", "READY_FOR_SHIPPING", "SHIPPED")


@dataclass(slots=True)
class Target:
    """An order as its sender knows it."""

    number: int
    dialect: str
    tenant: str | None
    key: bytes
    uuid: str  # idempotency key of its create
    ref: str | None  # by which it can be named before it is there
    order_id: str | None = None  # that it was given
    is_deleted: bool = False
    version: int = 0
    keys: list[str] = field(default_factory=list)  # idempotency keys of its updates


class Update(NamedTuple):
    """What an update says, and where; the address comes by the headers."""

    operation: str
    value: Value
    headers: Mapping[str, str] = {}


def new_value(target: Target, chance: Random) -> Value:
    """What the create of an order says."""
    return _NEW[target.dialect](target, chance)


def new_update(target: Target, chance: Random) -> Update:
    """What an update of an order says, mostly about its status."""
    return _CHANGED[target.dialect](target, chance)


def a_line(target: Target, number: int, chance: Random) -> Value:
    """A line of a wishlist order."""
    return {
        "id": f"{target.ref}-L{number}",
        "entryRef": f"L{number}",
        "productRef": chance.choice(["KETTLE", "MUG", "POT"]),
        "quantity": chance.randint(1, 9),
    }


def amounts(chance: Random) -> Value:
    """The total of a wishlist order, and its twin in minor units."""
    cents = chance.randint(100, 99_999)
    return {"totalAmount": cents / 100, "totalAmountInCent": cents}


def _money(chance: Random) -> float:
    return chance.randint(100, 99_999) / 100


def _some(chance: Random, members: Value) -> Value:
    """At least one of the members."""
    names = chance.sample(sorted(members), chance.randint(1, len(members)))
    return {name: members[name] for name in names}


def _new_cart(target: Target, chance: Random) -> Value:
    ids = ("requesterId", "userId", "facilityId", "shippingAddressId", "billingAddressId")
    optional = {"useShippingAccount": chance.random() < 0.5, "notes": f"{CANARY} {target.number} ☂"}
    return {**{name: chance.randint(1, 99_999_999) for name in ids}, "shippingMethod": "Ground"} | (
        _some(chance, optional) if chance.random() < 0.5 else {}
    )


def _changed_cart(target: Target, chance: Random) -> Update:
    if chance.random() < 0.2:
        return Update("order.replace", _new_cart(target, chance))
    members = {
        "shippingMethod": chance.choice(["Ground", "Air", "Sea"]),
        "notes": chance.choice([None, f"{CANARY} {chance.random()}"]),
        "requesterId": chance.randint(1, 5),
    }
    return Update("order.patch", _some(chance, members))


def _new_configuration(target: Target, chance: Random) -> Value:
    status = {"status": chance.choice(["New", "List", "In Cart"])} if chance.random() < 0.5 else {}
    return {
        "name": f"{CANARY} chair {target.number}",
        "customerId": f"C{target.number % 50}",
        "platform": {"id": str(5_000 + target.number), "platform": "Shopify", "storeName": "chairs"},
        "metadata": {"Rush": chance.random() < 0.5, "Depth": chance.choice([1, 2.5, "deep"])},
        "cart": [{"configurationId": f"cfg-{chance.randint(1, 9)}", "count": chance.randint(1, 9)}],
        **status,
    }


def _changed_configuration(target: Target, chance: Random) -> Update:
    if chance.random() < 0.15:
        return Update("order.replace", _new_configuration(target, chance))
    members = {
        "status": chance.choice(["List", "In Cart", "New", "In Progress", "Complete"]),
        "metadata": {"Rush": chance.random() < 0.5},
        "cart": [{"configurationId": f"cfg-{n}", "count": chance.randint(1, 9)} for n in range(chance.randint(0, 3))],
    }
    return Update("order.patch", _some(chance, members) | {"status": members["status"]})


def _new_subscription(target: Target, chance: Random) -> Value:
    return {"cartId": f"cart{target.number:020d}", "orderReference": target.ref} | _read_subscription(target, chance)


def _read_subscription(target: Target, chance: Random) -> Value:
    return {
        "channel": 12,
        "customerUserId": f"user{target.number % 50:020d}",
        "customerEmail": f"{CANARY}.{target.number}@example.com",
        "orderCurrency": chance.choice(["USD", "eur"]),
        "orderTotal": _money(chance),
        "taxTotal": _money(chance),
        "status": chance.choice(SUBSCRIPTION_STATUS[:2]),
        "shipTo": [{"shipToId": n, "price": _money(chance)} for n in range(1, chance.randint(2, 3))],
    }


def _changed_subscription(target: Target, chance: Random) -> Update:
    status = {"status": chance.choice(SUBSCRIPTION_STATUS)}
    if chance.random() < 0.1:
        return Update("order.replace", _read_subscription(target, chance) | status)
    members = {
        "statusLog": f"{CANARY} {chance.random()}",
        "notes": f"{CANARY} leave it",
        "orderTotal": _money(chance),
        "payments": [{"paymentMethod": "Visa", "amount": _money(chance), "paymentStatus": "Pending"}],
        "items": [{"lineItemId": 1, "title": "Beans", "quantity": chance.randint(1, 9), "price": _money(chance)}],
    }
    return Update("order.patch", (_some(chance, members) if chance.random() < 0.4 else {}) | status)


def _new_b2b(target: Target, chance: Random) -> Value:
    return {
        "customer": f"{target.number % 50:024X}",
        "paymentStatus": "unpaid",
        "orderStatus": "pending",
        "billingAddress": "63356b3b3a6353a69043680b",
        "shippingAddressId": "63356b3b3a6353a69043680c",
        "shippingCost": _money(chance),
        "shippingLabel": f"{CANARY} UPS",
        "currency": {"currency": "usd", "symbol": "$"},
        "orderedAt": "2026-11-20T09:12:44.120+11:00",
        "lineItems": [
            {"quantity": chance.randint(1, 3), "price": _money(chance), "discountAmount": _money(chance)}
            for _ in range(chance.randint(1, 3))
        ],
    }


def _changed_b2b(target: Target, chance: Random) -> Update:
    status = {
        "orderStatus": chance.choice(["pending", "fulfilled", "cancelled"]),
        "paymentStatus": chance.choice(["unpaid", "authorized", "declined", "paid", "refunded"]),
    }
    if chance.random() < 0.15:
        return Update("order.replace", _new_b2b(target, chance) | status)
    members = {
        "refundedAmount": _money(chance),
        "taxAmount": _money(chance),
        "shippingLabel": chance.choice([None, "", "DHL"]),
        "lineItems": [
            {"quantity": 2, "price": 9.5, "fulfilledQuantity": chance.randint(0, 2), "returned": chance.random() < 0.2}
            for _ in range(chance.randint(1, 3))
        ],
    }
    return Update("order.patch", _some(chance, status) | (_some(chance, members) if chance.random() < 0.4 else {}))


def _new_wishlist(target: Target, chance: Random) -> Value:
    status = {"orderStatus": "AWAITING_PAYMENT"} if chance.random() < 0.7 else {"confirmed": True}
    return {
        "orderRef": target.ref,
        "customerRef": f"CRM-{target.number % 50}",
        "email": f"{CANARY}.{target.number}@example.com",
        "currencyCode": "AUD",
        "created_at": "2026-11-20T09:12:44.120+11:00",
        "orderLines": [a_line(target, number, chance) for number in (1, 2)],
        "totalItems": chance.randint(2, 9),
        **amounts(chance),
        **status,
    }


def _changed_wishlist(target: Target, chance: Random) -> Update:
    kind = chance.choices(["patch", "replace", "delete", "create", "update", "remove"], [50, 6, 1.5, 14, 18, 10])[0]
    line = chance.randint(1, 4)
    named = {"entry-ref": f"L{line}"} if chance.random() < 0.5 else {"entry-id": f"{target.ref}-L{line}"}
    match kind:
        case "patch":
            return Update("order.patch", _wishlist_statuses(chance))
        case "replace":
            whole = _new_wishlist(target, chance) | _wishlist_statuses(chance)
            return Update("order.replace", {name: whole[name] for name in whole if name != "orderRef"})
        case "delete":
            return Update("order.delete", {})
        case "create":
            return Update("entry.create", a_line(target, line, chance))
        case "update":
            return Update("entry.update", {"shippedQuantity": chance.randint(0, 3)}, named)
        case _:
            return Update("entry.delete", {}, named)


def _wishlist_statuses(chance: Random) -> Value:
    members = {
        "orderStatus": chance.choice(WISHLIST_STATUS),
        "paymentStatus": chance.choice(WISHLIST_PAYMENT),
        "deliveryStatus": chance.choice(WISHLIST_DELIVERY),
        "shippingState": chance.choice(WISHLIST_SHIPPING),
        "cancelled": chance.random() < 0.5,
    }
    names = [name for name in members if chance.random() < 0.3] or ["orderStatus"]
    return {name: members[name] for name in names} | (amounts(chance) if chance.random() < 0.2 else {})


_NEW: Mapping[str, Callable[[Target, Random], Value]] = {
    "shopping-cart": _new_cart,
    "configurator": _new_configuration,
    "subscription": _new_subscription,
    "b2b-commerce": _new_b2b,
    "wishlist": _new_wishlist,
}
_CHANGED: Mapping[str, Callable[[Target, Random], Update]] = {
    "shopping-cart": _changed_cart,
    "configurator": _changed_configuration,
    "subscription": _changed_subscription,
    "b2b-commerce": _changed_b2b,
    "wishlist": _changed_wishlist,
}
