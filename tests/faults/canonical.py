"""The canonical side of the five dialects, written from the contracts: statuses, totals, customer, native values."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

Body: TypeAlias = dict[str, Any]
Status: TypeAlias = tuple[str, str, str]  # order, payment, fulfilment

NEW: Status = ("created", "unknown", "unfulfilled")
KEEP = None

# Contracts 3.2
CONFIGURATOR = {
    "List": ("draft", KEEP, KEEP),
    "In Cart": ("draft", KEEP, KEEP),
    "New": ("created", KEEP, KEEP),
    "In Progress": ("in_progress", KEEP, "in_process"),
    "Complete": ("completed", KEEP, "fulfilled"),
}
# Contracts 3.3
SUBSCRIPTION = {
    "ORDER_CREATED": ("created", KEEP, KEEP),
    "ORDER_CONFIRMED": ("confirmed", KEEP, KEEP),
    "ORDER_CANCELLED": ("cancelled", KEEP, KEEP),
    "ORDER_PARTIALLY_SHIPPED": ("in_progress", KEEP, "partially_shipped"),
    "ORDER_SHIPPED": ("in_progress", KEEP, "shipped"),
    "ORDER_PARTIALLY_DELIVERED": ("in_progress", KEEP, "partially_delivered"),
    "ORDER_DELIVERED": ("completed", KEEP, "delivered"),
    "ORDER_RETURNED": ("returned", KEEP, "returned"),
    "ORDER_PARTIALLY_RETURNED": ("partially_returned", KEEP, "partially_returned"),
    "ORDER_PAYMENT_AUTHORIZED": (KEEP, "authorized", KEEP),
    "ORDER_PAYMENT_INVALID": ("on_hold", "declined", KEEP),
    "ORDER_FULFILLED": ("completed", KEEP, "fulfilled"),
    "ORDER_PARTIALLY_FULFILLED": ("in_progress", KEEP, "partially_fulfilled"),
    "ORDER_REFUNDED": (KEEP, "refunded", KEEP),
}
# Contracts 3.4
B2B_ORDER = {
    "pending": ("created", KEEP, KEEP),
    "fulfilled": ("completed", KEEP, "fulfilled"),
    "cancelled": ("cancelled", KEEP, KEEP),
}
# Contracts 3.5
WISHLIST = {
    "CREATED": ("created", KEEP, KEEP),
    "AWAITING_PAYMENT": ("created", "unpaid", KEEP),
    "MANUAL_VERIFY": ("on_hold", KEEP, KEEP),
    "DISPUTED": ("on_hold", KEEP, KEEP),
    "IN_PROGRESS": ("in_progress", KEEP, "in_process"),
    "AWAITING_SHIPMENT": ("in_progress", KEEP, "ready"),
    "AWAITING_PICKUP": ("in_progress", KEEP, "ready"),
    "PARTIALLY_SHIPPED": ("in_progress", KEEP, "partially_shipped"),
    "SHIPPED": ("in_progress", KEEP, "shipped"),
    "COMPLETE": ("completed", KEEP, "fulfilled"),
    "CANCELLED": ("cancelled", KEEP, KEEP),
    "DECLINED": ("declined", KEEP, KEEP),
    "PARTIALLY_RETURNED": ("partially_returned", KEEP, "partially_returned"),
    "RETURNED": ("returned", KEEP, "returned"),
    "OTHER": ("other", KEEP, KEEP),
}
WISHLIST_PAYMENT = {
    "AUTHORIZED": "authorized", "DECLINED": "declined", "FRAUD_DETECTED": "fraud", "MANUAL_VERIFY": "under_review",
    "NOT_PAID": "unpaid", "OTHER": "other", "PAID": "paid", "PARTIALLY_PAID": "partially_paid",
    "PARTIALLY_REFUNDED": "partially_refunded", "REFUNDED": "refunded", "VOIDED": "voided",
}  # fmt: skip
WISHLIST_DELIVERY = {
    "DELIVERED": "delivered", "IN_PROCESS": "in_process", "PARTIALLY_SHIPPED": "partially_shipped",
    "READY_TO_SHIP": "ready", "SHIPPED": "shipped",
}  # fmt: skip
WISHLIST_SHIPPING = {
    "CREATED": "unfulfilled", "DELIVERED": "delivered", "OTHER": "other", "PACKED": "in_process",
    "PICKED": "in_process", "READY_FOR_SHIPPING": "ready", "SHIPPED": "shipped",
}  # fmt: skip


class Canonical(NamedTuple):
    """What stands in the document beside the body."""

    customer: Mapping[str, str]
    currency: Mapping[str, str | None]
    totals: Mapping[str, Decimal]
    placed_at: datetime | None = None


class Rules(NamedTuple):
    """A dialect, as far as the model knows it; *assigned*: reference -> member of the body that the worker fills."""

    assigned: Mapping[str, str]
    status: Callable[[Status, Body], Status]
    canonical: Callable[[Body], Canonical]
    native: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = {}  # that a create leaves in the body
    kept: tuple[str, ...] = ()  # in a replace that leaves them out
    parts: tuple[str, ...] = ()  # arrays whose elements are given an `_id`


def over(before: Status, said: Iterable[str | None]) -> Status:
    """The status with what was said put over it."""
    order, payment, fulfilment = (new or old for new, old in zip(said, before, strict=True))
    return order, payment, fulfilment


def exact(number: float) -> Decimal:
    """The number as it was written."""
    return Decimal(repr(number))


def _there(totals: Mapping[str, Decimal | None]) -> dict[str, Decimal]:
    return {name: total for name, total in totals.items() if total is not None}


def _one(body: Body, member: str) -> Decimal | None:
    return exact(body[member]) if member in body else None


def _sum(elements: Iterable[Body], member: str) -> Decimal | None:
    numbers = [exact(element[member]) for element in elements if member in element]
    return sum(numbers, Decimal(0)) if numbers else None


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def _cart(body: Body) -> Canonical:
    customer = {"id": body["requesterId"], "user_id": body["userId"], "account_id": body["facilityId"]}
    return Canonical({name: str(number) for name, number in customer.items()}, {"code": None}, {})


def _configuration(body: Body) -> Canonical:
    items = None if "cart" not in body else _sum(body["cart"], "count") or Decimal(0)
    return Canonical({"id": body["customerId"]}, {"code": None}, _there({"items": items}))


def _subscription(body: Body) -> Canonical:
    customer = {"id": body["customerUserId"], "user_id": body["customerUserId"], "email": body["customerEmail"]}
    totals = {
        "grand": _one(body, "orderTotal"),
        "tax": _one(body, "taxTotal"),
        "shipping": _sum(body["shipTo"], "price"),
        "items": _sum(body.get("items", ()), "quantity"),
    }
    return Canonical(customer, {"code": body["orderCurrency"].upper()}, _there(totals))


def _b2b(body: Body) -> Canonical:
    totals = {
        "tax": _one(body, "taxAmount"),
        "discount": _sum(body["lineItems"], "discountAmount"),
        "shipping": _one(body, "shippingCost"),
        "refunded": _one(body, "refundedAmount"),
        "items": _sum(body["lineItems"], "quantity"),
    }
    currency = {"code": body["currency"]["currency"].upper(), "symbol": body["currency"]["symbol"]}
    return Canonical({"id": body["customer"]}, currency, _there(totals), _instant(body.get("orderedAt")))


def _wishlist(body: Body) -> Canonical:
    cents = _one(body, "totalAmountInCent")
    grand = _one(body, "totalAmount") if cents is None else cents / 100
    return Canonical(
        {"ref": body["customerRef"], "email": body["email"]},
        {"code": body["currencyCode"].upper()},
        _there({"grand": grand, "items": _one(body, "totalItems")}),
        _instant(body.get("created_at")),
    )


def _subscription_status(before: Status, body: Body) -> Status:
    status = over(before, SUBSCRIPTION[body["status"]])
    if body["status"] == "ORDER_PAYMENT_AUTHORIZED" and before[0] == "on_hold":
        status = over(status, ("created", KEEP, KEEP))
    is_pending = any(payment.get("paymentStatus") == "Pending" for payment in body.get("payments", ()))
    return over(status, (KEEP, "pending", KEEP)) if is_pending and status[1] == "unknown" else status


def _b2b_status(before: Status, body: Body) -> Status:
    lines = body["lineItems"]
    status = over(over(before, B2B_ORDER[body["orderStatus"]]), (KEEP, body["paymentStatus"], KEEP))
    if body["orderStatus"] == "pending":
        done = [(line.get("fulfilledQuantity", 0), line["quantity"]) for line in lines]
        whole = "fulfilled" if all(fulfilled >= quantity for fulfilled, quantity in done) else "partially_fulfilled"
        status = over(status, (KEEP, KEEP, whole if any(fulfilled for fulfilled, _ in done) else "unfulfilled"))
    returned = [line.get("returned", False) for line in lines]
    if any(returned):
        status = over(status, (KEEP, KEEP, "returned" if all(returned) else "partially_returned"))
    return status


def _wishlist_status(before: Status, body: Body) -> Status:
    whole = body.get("orderStatus")
    order, payment, fulfilment = WISHLIST[whole] if whole else ("created", KEEP, KEEP)
    if whole in (None, "OTHER"):
        order = next((flag for flag in ("returned", "cancelled", "confirmed") if body.get(flag)), order)
    if "paymentStatus" in body:
        payment = WISHLIST_PAYMENT[body["paymentStatus"]]
    if "deliveryStatus" in body:
        fulfilment = WISHLIST_DELIVERY[body["deliveryStatus"]]
    elif "shippingState" in body:
        fulfilment = WISHLIST_SHIPPING[body["shippingState"]]
    return over(before, (order, payment, fulfilment))


_WISHLIST_NATIVE = (
    "orderStatus", "paymentStatus", "deliveryStatus", "shippingState", "cancelled", "returned", "confirmed",
)  # fmt: skip

RULES: Mapping[str, Rules] = {
    "shopping-cart": Rules({"order_id": "orderId"}, lambda before, _: before, _cart),
    "configurator": Rules(
        assigned={"order_id": "id", "order_number": "shortId"},
        status=lambda before, body: over(before, CONFIGURATOR[body["status"]]),
        canonical=_configuration,
        native=("status",),
        defaults={"status": "New"},
        kept=("status",),
    ),
    "subscription": Rules(
        assigned={"order_id": "_id", "order_number": "orderId"},
        status=_subscription_status,
        canonical=_subscription,
        native=("status",),
        kept=("cartId", "orderReference", "notes"),
        parts=("shipTo", "items", "payments"),
    ),
    "b2b-commerce": Rules(
        assigned={"order_id": "id"},
        status=_b2b_status,
        canonical=_b2b,
        native=("orderStatus", "paymentStatus"),
        kept=("orderStatus", "paymentStatus"),
    ),
    "wishlist": Rules(
        assigned={"order_id": "id"},
        status=_wishlist_status,
        canonical=_wishlist,
        native=_WISHLIST_NATIVE,
        kept=(*_WISHLIST_NATIVE, "orderRef", "created_at"),
    ),
}
