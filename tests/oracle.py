"""What the contracts say becomes of right messages, written down a second time, on JSON whose numbers are Decimals."""

import re
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal
from functools import reduce
from typing import Any, Final

from orderstream.commands import Operation
from tests.members import Value

Exact = dict[str, Any]  # JSON whose numbers are Decimals

PAYLOAD: Final = Context(prec=2_000)  # enough for every sum of doubles
STATUSES: Final = (
    "orderStatus", "paymentStatus", "deliveryStatus", "shippingState", "returned", "cancelled", "confirmed",
)  # fmt: skip
KEPT: Final[Mapping[str, tuple[str, ...]]] = {  # by a replace that leaves them out
    "shopping-cart": (),
    "configurator": ("status",),
    "subscription": ("cartId", "orderReference", "notes"),
    "b2b-commerce": (),
    "wishlist": (*STATUSES, "id", "orderRef", "created_at"),
}
ASSIGNED: Final[Mapping[str, tuple[str, ...]]] = {
    "shopping-cart": ("orderId",),
    "configurator": ("id", "shortId"),
    "subscription": ("_id", "orderId"),
    "b2b-commerce": ("id",),
    "wishlist": ("id",),
}
ASIDE: Final[Mapping[str, tuple[str, ...]]] = {  # of an update: they address, or are ignored
    "shopping-cart": (),
    "configurator": ("id", "shortId", "createdAt", "updatedAt"),
    "subscription": ("_id", "orderId", "createdAt", "updatedAt", "revision", "totalQuantity"),
    "b2b-commerce": (),
    "wishlist": ("id", "orderRef"),
}
REFERENCES: Final = {"subscription": "orderReference", "wishlist": "orderRef"}
PARTS: Final = {"subscription": ("shipTo", "items", "payments"), "wishlist": ("orderLines",)}
DECIMALS: Final = {"JPY": 0, "KWD": 3}


# Bodies


def body_of_create(dialect: str, value: Exact) -> Exact:
    """The body without what the worker assigns."""
    stated = {"status": "New"} if dialect == "configurator" else {}
    return {**stated, **normal(dialect, value)}


def body_of_update(
    dialect: str, operation: Operation, before: Exact, value: Exact, headers: Mapping[str, str]
) -> Exact:
    """The body after an order.patch or order.replace."""
    said = {name: member for name, member in normal(dialect, value).items() if name not in ASIDE[dialect]}
    reference = REFERENCES.get(dialect)
    if reference:
        known = before.get(reference) or value.get(reference) or headers.get("order-ref")
        said |= {reference: known} if known else {}
    if operation is Operation.REPLACE:
        return {**{name: before[name] for name in KEPT[dialect] if name in before}, **said}
    cleared = {name for name, member in said.items() if member is None and before.get(name) is not None}
    added = {name: member for name, member in said.items() if member is not None}
    return {name: member for name, member in {**before, **added}.items() if name not in cleared}


def body_of_entry(
    operation: Operation, before: Exact, place: int | None, line: Exact, headers: Mapping[str, str]
) -> Exact:
    """The body after an entry operation that changed something."""
    lines = list(before.get("orderLines", ()))
    if operation is Operation.ENTRY_CREATE:
        lines.append(line)
    elif operation is Operation.ENTRY_DELETE and place is not None:
        del lines[place]
    elif place is not None:
        said = {name: member for name, member in line.items() if name not in ("id", "entryRef", "orderId", "orderRef")}
        added = {"entryRef": headers["entry-ref"]} if "entry-ref" in headers else {}
        lines[place] = {**lines[place], **said, **added}
    known = before.get("orderRef") or line.get("orderRef") or headers.get("order-ref")
    return {**before, "orderLines": lines, **({"orderRef": known} if known else {})}


def normal(dialect: str, value: Exact) -> Exact:
    """The value after the normalisations of its contract."""
    match dialect:
        case "configurator":
            return {**value, "cart": value["items"]} if _is_cart(value) else value
        case "subscription":
            return {name: [_part(each) for each in member] if name in PARTS[dialect] else member
                    for name, member in value.items()}  # fmt: skip
        case "b2b-commerce":
            said: Exact = _b2b_commerce(value)
            return said
        case "wishlist":
            return _wishlist(value)
        case _:
            return value


def _is_cart(value: Exact) -> bool:
    return "cart" not in value and "items" in value and all(_is_cart_item(item) for item in value["items"])


def _is_cart_item(item: Exact) -> bool:
    configuration, count = item.get("configurationId"), item.get("count")
    return (
        isinstance(configuration, str) and 1 <= len(configuration) <= 512
        and isinstance(count, Decimal) and "e" not in str(count).lower() and "." not in str(count)
        and 1 <= count < 2**63 and isinstance(item.get("metadata", {}), dict)
        and not item.keys() - {"configurationId", "count", "metadata"}
    )  # fmt: skip


def _part(part: Exact) -> Exact:
    part = {name: member for name, member in part.items() if (name, member) != ("_id", "")}  # an empty one is none
    part = {name: str(member) if name in ("sku", "shipmentMethodId") else member for name, member in part.items()}
    if re.fullmatch("[0-9a-fA-F]{24}", part.get("_id", "")):
        part["_id"] = part["_id"].lower()
    for name, code in (("paymentIdentifier", "cardIdentifier"), ("paymentToken", "token")):
        if code in part.get(name, {}):
            part[name] = {**part[name], code: str(part[name][code])}
    for name in ("address", "billToAddress"):
        if "zipCode" in part.get(name, {}):
            code, country = part[name]["zipCode"], part[name].get("country")
            padded = f"{code:05}" if isinstance(code, Decimal) and country in ("US", "USA") else str(code)
            part[name] = {**part[name], "zipCode": padded}
    return part


def _b2b_commerce(value: Value) -> Any:  # noqa: ANN401  # JSON
    match value:
        case {"lineItemId": "", "quantity": ""}:
            return None
        case dict():
            return {
                name: member.lower() if name in HEX and isinstance(member, str) else _b2b_commerce(member)
                for name, member in value.items()
                if (name, member) != ("address2", "")
            }
        case list():
            return [kept for each in value if (kept := _b2b_commerce(each)) is not None]
        case _:
            return value


HEX: Final = ("customer", "billingAddress", "shippingAddressId", "paymentTerm", "productId", "variantId", "id")


def _wishlist(value: Exact) -> Exact:
    said = dict(value)
    groups = said.get("attributeGroups")
    if isinstance(groups, list):
        said["attributeGroups"] = {group["attribute_group"]: group for group in groups}
    if "shipments" in said:
        said["shipments"] = [_shipment(shipment) for shipment in said["shipments"]]
    return said


def _shipment(shipment: Exact) -> Exact:
    if "shipmentLines" not in shipment:
        return shipment
    return {**shipment, "shipmentLines": [_shipment_line(line) for line in shipment["shipmentLines"]]}


def _shipment_line(line: Exact) -> Exact:
    quantity = line.get("quantityShipped")
    if isinstance(quantity, str) and re.fullmatch("[0-9]{1,19}", quantity) and int(quantity) < 2**63:
        return {**line, "quantityShipped": Decimal(quantity)}
    return line


def as_said(dialect: str, stored: Exact, said: Exact) -> Exact:
    """The stored body without what *said* lacks and the worker may have assigned or kept."""
    kept = {name: member for name, member in stored.items() if name in said or name not in ASSIGNED[dialect]}
    for name in PARTS.get(dialect, ()):
        if name in kept and name in said and len(kept[name]) == len(said[name]):
            both = zip(kept[name], said[name], strict=True)
            kept[name] = [_without_names(part, sent) for part, sent in both]
    return kept


def _without_names(part: Exact, sent: Exact) -> Exact:
    """An id has been assigned; a line that is known by its id keeps its reference."""
    return {name: member for name, member in part.items() if sent.get(name) or name not in ("_id", "id", "entryRef")}


def tagged(value: Value) -> Any:  # noqa: ANN401  # JSON
    """Comparable by value: a number is its exact Decimal, and true is not 1."""
    match value:
        case bool():
            return value
        case int() | Decimal():
            return ("number", Decimal(value))
        case float():
            return ("number", Decimal(repr(value)))
        case dict():
            return {name: tagged(member) for name, member in value.items()}
        case list():
            return [tagged(each) for each in value]
        case _:
            return value


# Totals


def totals(dialect: str, body: Exact) -> dict[str, Decimal]:
    """The canonical amounts of a body (contracts 2.3)."""
    amounts = {name: amount for name, amount in TOTALS[dialect](body).items() if amount is not None}
    return {name: Decimal(amount) for name, amount in amounts.items()}


def fits(amounts: Mapping[str, Decimal]) -> bool:
    """Whether Decimal128 can hold them: 34 digits."""
    return all(len(PAYLOAD.normalize(amount).as_tuple().digits) <= 34 for amount in amounts.values())


def _sum(numbers: Iterable[Decimal | None], empty: Decimal | None = None) -> Decimal | None:
    there = [number for number in numbers if number is not None]
    return reduce(PAYLOAD.add, there) if there else empty


def _of_configurator(body: Exact) -> dict[str, Decimal | None]:
    return {"items": _sum((item["count"] for item in body["cart"]), Decimal(0)) if "cart" in body else None}


def _of_subscription(body: Exact) -> dict[str, Decimal | None]:
    return {
        "grand": body["orderTotal"],
        "tax": body["taxTotal"],
        "shipping": _sum(part.get("price") for part in body["shipTo"]),
        "items": _sum(part.get("quantity") for part in body.get("items", ())),
    }


def _of_b2b_commerce(body: Exact) -> dict[str, Decimal | None]:
    return {
        "tax": body.get("taxAmount"),
        "discount": _sum(line.get("discountAmount") for line in body["lineItems"]),
        "shipping": body.get("shippingCost"),
        "refunded": body.get("refundedAmount"),
        "items": _sum((line["quantity"] for line in body["lineItems"]), Decimal(0)),
    }


def _of_wishlist(body: Exact) -> dict[str, Decimal | None]:
    currency = body.get("currencyCode", "").upper()
    decimals = (2, DECIMALS.get(currency, 2))
    return {
        "grand": _leading(body, "totalAmount", decimals),
        "tax": _sum(_leading(tax, "amount", decimals) for tax in body.get("appliedTaxes", ())),
        "discount": _leading(body, "totalDiscounts", decimals),
        "shipping": _leading(body, "shippingCost", decimals),
        "refunded": _leading(body, "refundedAmount", decimals),
        "items": body.get("totalItems"),
    }


def _leading(holder: Exact, name: str, decimals: tuple[int, ...]) -> Decimal | None:
    """The integer in minor units leads, divided as its twin says; alone it says cents."""
    plain, minor = holder.get(name), holder.get(f"{name}InCent")
    if minor is None or plain is None:
        return plain if minor is None else PAYLOAD.scaleb(minor, -2)
    far = {places: abs(PAYLOAD.subtract(minor, PAYLOAD.scaleb(plain, places))) for places in decimals}
    return PAYLOAD.scaleb(minor, -min(far, key=lambda places: far[places]))


TOTALS: Final = {
    "shopping-cart": lambda _: {},
    "configurator": _of_configurator,
    "subscription": _of_subscription,
    "b2b-commerce": _of_b2b_commerce,
    "wishlist": _of_wishlist,
}
