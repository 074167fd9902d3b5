"""Dialect `subscription`: orders that come from subscriptions, in a commerce platform (contracts/subscription.md)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from pydantic import TypeAdapter, ValidationError

from orderstream import headers as forms
from orderstream.commands import Address, Operation
from orderstream.dialect import (
    Canonical,
    Dialect,
    Example,
    HeaderForm,
    Lines,
    Message,
    Normalised,
    Rules,
    Shape,
    amount,
    objects,
    present,
    total,
)
from orderstream.dialects.subscription_models import STATUS, NewOrder, Order
from orderstream.fields import ISO_8601, Iso8601, pattern_of
from orderstream.identity import Identities
from orderstream.json_text import Json, JsonObject, same
from orderstream.order import Status, Warned
from orderstream.problems import Code, Problem, Segment, header, path

SECRET: Final = ("cardIdentifier", "token")
MASK: Final = "****"
ZERO_TAX: Final = "allow_zero_tax"

REQUIRED: Final = frozenset({
    "channel", "customerUserId", "orderCurrency", "orderTotal", "shipTo", "status", "taxTotal",
})  # fmt: skip
ADDRESSING: Final = frozenset({"_id", "orderId"})
OWN: Final = frozenset({"createdAt", "updatedAt", "revision", "totalQuantity"})  # of the worker
LATER: Final = frozenset({"items", "payments", "shipments", "attributes", "statusDescriptions"})
PARTS: Final = {"shipTo": "shipToId", "items": "lineItemId", "payments": None}  # what tells one from the next
CODES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {  # text by nature, a number in the sample
    "shipTo": (("address", "zipCode"), ("shipmentMethodId",)),
    "items": (("sku",),),
    "payments": (("billToAddress", "zipCode"), ("paymentIdentifier", "cardIdentifier"), ("paymentToken", "token")),
}

_ISO_8601: Final = TypeAdapter[str](Iso8601)
_ORDER_NUMBER: Final = re.compile("[0-9]{4}-[0-9]{4}-[0-9]{5}")


def _iso_8601(text: str) -> str | None:
    try:
        return _ISO_8601.validate_python(text)
    except ValidationError:
        return None


def _order_id(text: str) -> str | None:
    return text if _ORDER_NUMBER.fullmatch(text) else forms.hex24(text)


SITE: Final = {
    "site-account": HeaderForm(
        lambda text: text if len(text) == 24 else None,
        "24 characters",
        required=True,
        schema={"minLength": 24, "maxLength": 24},
    ),
    "site-channel": HeaderForm(str, "a text"),
    "site-stage": HeaderForm(str, "a text"),
    "site-date": HeaderForm(
        _iso_8601, "an ISO 8601 date, or a date-time with an offset", schema={"pattern": pattern_of(ISO_8601)}
    ),
}
ORDER: Final = {
    "order-id": HeaderForm(
        _order_id,
        "24 hex characters, or an order number 0000-0000-00000",
        schema={"anyOf": [forms.HEX24.schema, {"pattern": pattern_of(_ORDER_NUMBER)}]},
    ),
    "order-ref": forms.TEXT,
}


def _addresses(message: Message) -> list[Address]:
    """Everything in the message that names its order, headers first; what is unsound is left out."""
    order_id = message.headers.get("order-id", "")
    given = (
        ("order-number" if "-" in order_id else "order-id", order_id, header("order-id")),
        ("order-id", message.value.get("_id"), "_id"),
        ("order-number", message.value.get("orderId"), "orderId"),
        ("order-ref", message.headers.get("order-ref"), header("order-ref")),
        ("order-ref", message.value.get("orderReference"), "orderReference"),
    )
    return [_address(kind, text, place) for kind, text, place in given if isinstance(text, str) and text]


def _address(kind: str, text: str, place: str) -> Address:
    if kind == "order-ref":
        return Address(kind, text, place, guessable=True, member="orderReference")
    return Address(kind, text.lower(), place)


def _identify(message: Message) -> tuple[Address, ...]:
    addresses = tuple(_addresses(message))
    if addresses or "idempotency-key" in message.headers:
        return addresses
    return (Address("cart-id", str(message.value["cartId"]), "cartId"),)  # only a create comes here


def _identity(message: Message) -> Iterator[Problem]:
    if message.operation is Operation.CREATE:
        return
    if message.value.keys().isdisjoint(ADDRESSING) and not any(name in message.sent for name in ORDER):
        yield Problem(Code.IDENTITY_MISSING, header("order-id"), "must name the order")
    first: dict[str, str] = {}
    for address in _addresses(message):
        if first.setdefault(address.kind, address.value) != address.value:
            yield Problem(Code.IDENTITY_CONFLICT, address.path, "names another order than the header")


def _normalise(value: JsonObject, operation: Operation) -> Normalised:  # noqa: ARG001  # every operation alike
    warnings: list[Warned] = []
    changed = dict(value)
    for member, codes in CODES.items():
        parts = value.get(member)
        if isinstance(parts, list):
            changed[member] = [_with_texts(part, codes, (member, index), warnings) for index, part in enumerate(parts)]
    return Normalised(changed, tuple(warnings))


def _with_texts(part: Json, codes: Iterable[Sequence[str]], place: tuple[Segment, ...], warnings: list[Warned]) -> Json:
    for code in codes:
        part = _with_text(part, code, place, warnings)
    return part


def _with_text(holder: Json, code: Sequence[str], place: tuple[Segment, ...], warnings: list[Warned]) -> Json:
    name, *deeper = code
    if not isinstance(holder, dict) or name not in holder:
        return holder
    given, here = holder[name], (*place, name)
    if deeper:
        return {**holder, name: _with_text(given, deeper, here, warnings)}
    if isinstance(given, bool) or not isinstance(given, int):
        return holder
    warnings.append(Warned("VALUE_NORMALISED", path(*here)))
    digits = 5 if name == "zipCode" and holder.get("country") in ("USA", "US") else 0
    return {**holder, name: str(given).zfill(digits)}


def _rules(value: JsonObject, whole: bool, rules: Rules) -> Iterator[Problem]:  # noqa: ARG001, FBT001
    tax, is_zero_allowed = amount(value.get("taxTotal")), ZERO_TAX in rules.relaxed
    if tax is not None and (tax < 0 or (tax == 0 and not is_zero_allowed)):
        message = f"must be greater than {'or equal to ' if is_zero_allowed else ''}0"
        yield Problem(Code.FIELD_RANGE, "taxTotal", message)
    for place in _masked(value):
        yield Problem(Code.FIELD_FORMAT, path(*place), "is a mask, as a read shows it, and not the value")


def _masked(value: Json, *place: Segment) -> Iterator[tuple[Segment, ...]]:
    """Where a secret was written back as it is shown; reads mask these names at every level."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        if isinstance(member, dict | list):
            yield from _masked(member, *place, name)
        elif name in SECRET and isinstance(member, str) and member.startswith(MASK):
            yield *place, name


def _assign(body: JsonObject, before: JsonObject, ids: Identities) -> JsonObject:
    named = {
        "_id": before.get("_id", ids.document),
        "orderId": before.get("orderId") or ids.order_number(),
        **body,
    }
    if before.get("orderReference"):
        named["orderReference"] = before["orderReference"]  # it never changes; an empty one takes none away
    for member in PARTS.keys() & body.keys():
        named[member] = list(_with_ids(member, objects(body[member]), objects(before.get(member)), ids))
    return named


def _with_ids(member: str, parts: list[JsonObject], stored: list[JsonObject], ids: Identities) -> Iterator[JsonObject]:
    """A part that brings no id keeps that of the stored one which it repeats, or whose number it has."""
    taken = {part.get("_id") for part in parts}
    numbered = {_number(member, part): part["_id"] for part in reversed(stored)}
    numbered.pop(None, None)
    for index, part in enumerate(parts):
        if part.get("_id"):
            yield part
            continue
        known = [old["_id"] for old in stored[index : index + 1] if same({**part, "_id": old["_id"]}, old)]
        if _number(member, part) in numbered:
            known.append(numbered[_number(member, part)])
        id_ = next((id_ for id_ in known if id_ not in taken), ids.hex24(f"{member}[{index}]"))
        taken.add(id_)
        yield {**part, "_id": id_}


def _number(member: str, part: JsonObject) -> Json:
    name = PARTS[member]
    return part.get(name) if name else None


def _refs(body: JsonObject) -> dict[str, str | Mapping[str, str]]:
    names = {"order_id": "_id", "order_number": "orderId", "order_ref": "orderReference", "cart_id": "cartId"}
    return {ref: str(body[member]) for ref, member in names.items() if body.get(member)}


def _keys(body: JsonObject) -> tuple[Address, ...]:
    places = {"_id": "order-id", "orderId": "order-number", "orderReference": "order-ref"}
    return tuple(_address(kind, str(body[member]), member) for member, kind in places.items() if body.get(member))


def _canonical(body: JsonObject) -> Canonical:
    return Canonical(
        customer=_customer(body),
        currency={"code": _currency_code(body)},
        totals=present(
            grand=amount(body["orderTotal"]),
            tax=amount(body["taxTotal"]),
            shipping=total(destination.get("price") for destination in objects(body["shipTo"])),
            items=total(line.get("quantity") for line in objects(body.get("items"))),
        ),
    )


def _customer(body: JsonObject) -> dict[str, str | Mapping[str, str]]:
    names = {"id": "customerUserId", "user_id": "customerUserId", "account_id": "customerAccountId"}
    phone = _texts(body.get("customerPhone"), {"number": "number", "kind": "kind"})
    return {**_texts(body, {**names, "email": "customerEmail"}), **({"phone": phone} if phone else {})}


def _texts(holder: Json, names: Mapping[str, str]) -> dict[str, str]:
    """The members of *holder* that are there, under their common names."""
    members = holder if isinstance(holder, dict) else {}
    return {name: str(members[member]) for name, member in names.items() if member in members}


def _currency_code(body: JsonObject) -> str | None:
    text = str(body["orderCurrency"])
    return text.upper() if text.isascii() and text.isalpha() else None


def _status(before: Status, body: JsonObject, rules: Rules) -> Status:  # noqa: ARG001  # the list is complete
    value = str(body["status"])
    status = STATUS[value].over(before)
    if value == "ORDER_PAYMENT_AUTHORIZED" and status.order == "on_hold":
        status = status._replace(order="created")
    if status.payment == "unknown" and any(
        payment.get("paymentStatus") == "Pending" for payment in objects(body.get("payments"))
    ):
        status = status._replace(payment="pending")
    return status


def _warnings(body: JsonObject, site: Mapping[str, str]) -> Iterator[Warned]:
    if "channel" in site and _differs(site["channel"], body["channel"]):
        yield Warned("CHANNEL_MISMATCH", "channel")
    if _currency_code(body) is None:
        yield Warned("CURRENCY_NOT_ISO", "orderCurrency")
    if not body["shipTo"]:
        yield Warned("NO_SHIP_TO", "shipTo")


def _differs(text: str, number: Json) -> bool:
    try:
        return Decimal(text) != amount(number)
    except InvalidOperation:
        return True


_SITE: Final = {"dialect": "subscription", "site-account": "6540c1de9f1b2c0012d4e501", "site-channel": "12"}
_UPDATE: Final = {**_SITE, "message-type": "order-update", "operation": "order.patch", "order-ref": "COFFEE-0042-11"}
_CART: Final = "6541f07a3c9d4e0012b7a901"

EXAMPLES: Final = (
    Example(
        title="The November box of a coffee subscription",
        headers={**_SITE, "message-type": "order-create", "site-stage": "prod"},
        key=_CART,
        value={
            "cartId": _CART,
            "channel": 12,
            "customerUserId": "6540d2ef1a2b3c0012e5f601",
            "customerEmail": "subscriber@example.com",
            "orderReference": "COFFEE-0042-11",
            "orderCurrency": "USD",
            "orderTotal": 41.35,
            "taxTotal": 2.35,
            "status": "ORDER_CREATED",
            "shipTo": [
                {
                    "shipToId": 1,
                    "address": {"street1": "1 Example Street", "city": "Cambridge", "country": "USA", "zipCode": 2139},
                    "price": 4.5,
                    "shipmentMethod": "Ground",
                }
            ],
            "tags": ["monthly"],
        },
    ),
    Example(
        title="A digital magazine: nothing to ship",
        headers={**_SITE, "message-type": "order-create", "idempotency-key": "0f5f9a3e-6a54-4c0e-9a53-3f7f1d1c2b4a"},
        key="6541f07a3c9d4e0012b7a902",
        value={
            "cartId": "6541f07a3c9d4e0012b7a902",
            "channel": 12,
            "customerUserId": "6540d2ef1a2b3c0012e5f602",
            "orderCurrency": "EUR",
            "orderTotal": 9.9,
            "taxTotal": 0.65,
            "status": "ORDER_CONFIRMED",
            "shipTo": [],
        },
    ),
    Example(
        title="Its lines and its card payment are known",
        headers=_UPDATE,
        key=_CART,
        value={
            "status": "ORDER_CONFIRMED",
            "items": [{"lineItemId": 1, "sku": 53891, "title": "Beans, 1 kg", "quantity": 2, "price": 17.25}],
            "payments": [
                {
                    "paymentMethod": "Visa",
                    "paymentIdentifier": {"cardIdentifier": 4242},
                    "amount": 41.35,
                    "paymentStatus": "Pending",
                }
            ],
        },
    ),
    Example(
        title="The payment is authorized",
        headers=_UPDATE,
        key=_CART,
        value={"status": "ORDER_PAYMENT_AUTHORIZED", "statusLog": "Authorized by the card issuer"},
    ),
    Example(
        title="The box is on its way",
        headers=_UPDATE,
        key=_CART,
        value={"status": "ORDER_SHIPPED", "statusLog": "Handed to the carrier"},
    ),
    Example(
        title="The whole order again, delivered",
        headers={**_UPDATE, "operation": "order.replace"},
        key=_CART,
        value={
            "channel": 12,
            "customerUserId": "6540d2ef1a2b3c0012e5f601",
            "orderCurrency": "USD",
            "orderTotal": 41.35,
            "taxTotal": 2.35,
            "status": "ORDER_DELIVERED",
            "shipTo": [],
        },
    ),
)

DIALECT: Final = Dialect(
    name="subscription",
    shapes={
        Operation.CREATE: Shape(NewOrder, required=REQUIRED | {"cartId"}, read_only=ADDRESSING | OWN | LATER),
        Operation.PATCH: Shape(Order, read_only=frozenset({"cartId"}), ignored=OWN, addressing=ADDRESSING),
        Operation.REPLACE: Shape(
            Order, required=REQUIRED, read_only=frozenset({"cartId"}), ignored=OWN, addressing=ADDRESSING
        ),
    },
    headers=lambda operation: SITE if operation is Operation.CREATE else {**SITE, **ORDER},
    tenant=lambda message: message.headers.get("site-account"),
    identify=_identify,
    identity=_identity,
    normalise=_normalise,
    rules=_rules,
    assign=_assign,
    refs=_refs,
    keys=_keys,
    canonical=_canonical,
    status=_status,
    native=lambda body: {"status": body["status"]},
    warnings=_warnings,
    kept=("cartId", "orderReference", "notes"),
    lines=Lines("items", "_id", "lineItemId"),
    bounds=(ZERO_TAX,),
    secret=SECRET,
    examples=EXAMPLES,
)
