"""Dialect `wishlist`: orders of a wishlist platform, whole and line by line (contracts/wishlist.md)."""

from collections.abc import Iterator, Mapping
from typing import Final

from orderstream import headers as forms
from orderstream.commands import Address, Operation
from orderstream.dialect import (
    Canonical,
    Dialect,
    Example,
    HeaderForm,
    Lines,
    Meaning,
    Message,
    Normalised,
    Rules,
    Shape,
    amount,
    exact_sum,
    objects,
    present,
)
from orderstream.dialects import wishlist_models as models
from orderstream.dialects.wishlist_amounts import decimals_of, money, unequal_twins
from orderstream.fields import instant
from orderstream.identity import Identities
from orderstream.json_text import JsonObject, same
from orderstream.order import OrderStatus, Status, Warned
from orderstream.problems import Code, Problem, Segment, header, path

NO_ORDER_STATUS: Final = Meaning(order="created")
FLAGS: Final[tuple[OrderStatus, ...]] = ("returned", "cancelled", "confirmed")  # the first that is true counts
AGREEING: Final = {"cancelled": ("OTHER", "CANCELLED"), "returned": ("OTHER", "RETURNED", "PARTIALLY_RETURNED")}
STATUSES: Final = ("orderStatus", "paymentStatus", "deliveryStatus", "shippingState", *FLAGS)

ORDER: Final = {"order-id": "id", "order-ref": "orderRef"}  # header -> member that says the same
ENTRY: Final = {"order-id": "orderId", "order-ref": "orderRef", "entry-id": "id", "entry-ref": "entryRef"}
NAMES: Final[Mapping[Operation, Mapping[str, str]]] = {
    Operation.CREATE: ORDER,
    Operation.PATCH: ORDER,
    Operation.REPLACE: ORDER,
    Operation.DELETE: {},
    Operation.ENTRY_CREATE: ENTRY,
    Operation.ENTRY_UPDATE: ENTRY,
    Operation.ENTRY_DELETE: {},
}
NOT_GIVEN_YET: Final = ""  # the id of a new order that brings none; a line that names any id names another order

TENANT: Final = {"tenant": forms.TENANT._replace(required=True)}
TO_ORDER: Final = {**TENANT, "order-id": forms.TEXT, "order-ref": forms.TEXT}
TO_LINE: Final = {**TO_ORDER, "entry-id": forms.TEXT, "entry-ref": forms.TEXT}
HEADERS: Final[Mapping[Operation, Mapping[str, HeaderForm]]] = {
    Operation.CREATE: TENANT,
    Operation.PATCH: TO_ORDER,
    Operation.REPLACE: TO_ORDER,
    Operation.DELETE: TO_ORDER,
    Operation.ENTRY_CREATE: TO_ORDER,
    Operation.ENTRY_UPDATE: TO_LINE,
    Operation.ENTRY_DELETE: TO_LINE,
}

NAMED: Final[JsonObject] = {"anyOf": [{"required": [member]} for member in ORDER.values()]}
TWINS: Final = "amounts that differ from their twins in minor units by more than one unit"
UNSAID: Final = (
    TWINS,
    "the same `id` or `entryRef` in two lines, the same `attribute_group` twice",
    "lines and shipments that name another order",
)

REFS: Final = {"order_id": "id", "order_ref": "orderRef", "cart_id": "cartId"}
CUSTOMER: Final = {"id": "customerId", "ref": "customerRef", "email": "email", "locale": "customerLocale"}
IP: Final = {"address": "ipAddress", "country": "ipAddressCountry", "country_code": "ipAddressCountryIsocode"}


def _identify(message: Message) -> tuple[Address, ...]:
    kinds = [*ORDER]
    if message.operation in (Operation.ENTRY_UPDATE, Operation.ENTRY_DELETE):
        kinds.append("entry-id")  # it names a line in the whole tenant, and so its order
    return tuple(address for kind in kinds if (address := _named(message, kind)))


def _named(message: Message, kind: str) -> Address | None:
    """The address of this kind, out of the header or of the member that says the same."""
    added = "orderRef" if kind == "order-ref" else None
    sent = message.headers.get(kind)
    if sent is not None:
        return Address(kind, sent, header(kind), guessable=True, member=added)
    member = NAMES[message.operation].get(kind, "")
    given = _text(message.value, member)
    return None if given is None else Address(kind, given, member, guessable=True, member=added)


def _identity(message: Message) -> Iterator[Problem]:
    yield from _missing(message)
    for kind, member in NAMES[message.operation].items():
        sent, given = message.headers.get(kind), _text(message.value, member)
        if sent is not None and given is not None and given != sent:
            yield Problem(Code.IDENTITY_CONFLICT, member, f"differs from the header {kind}")
    if NAMES[message.operation] is ORDER:
        named = {kind: address.value for kind in ORDER if (address := _named(message, kind))}
        if message.operation is Operation.CREATE and "id" not in message.value:
            named["order-id"] = NOT_GIVEN_YET
        yield from _strangers(message.value, named.get("order-id"), named.get("order-ref"))


def _missing(message: Message) -> Iterator[Problem]:
    match message.operation:
        case Operation.CREATE:
            if message.value.keys().isdisjoint(ORDER.values()):
                yield Problem(Code.IDENTITY_MISSING, "id", "id or orderRef must name the order")
        case Operation.ENTRY_UPDATE | Operation.ENTRY_DELETE:
            if not _says(message, "entry-id", "order-id", "order-ref"):
                yield Problem(Code.IDENTITY_MISSING, header("order-id"), "must name the order, unless by a line's id")
            if not _says(message, "entry-id", "entry-ref"):
                yield Problem(Code.IDENTITY_MISSING, header("entry-id"), "must name the line")
        case _:
            if not _says(message, "order-id", "order-ref"):
                yield Problem(Code.IDENTITY_MISSING, header("order-id"), "must name the order")


def _says(message: Message, *kinds: str) -> bool:
    """Whether one of these addresses is there, be it wrong."""
    members = NAMES[message.operation]
    return any(kind in message.sent or members.get(kind) in message.value for kind in kinds)


def _strangers(value: JsonObject, order_id: str | None, order_ref: str | None) -> Iterator[Problem]:
    """Lines and shipments that name another order, or not the one that the first of them names."""
    order = {"orderId": order_id, "orderRef": order_ref}
    for place, part in _parts(value):
        for member, known in order.items():
            named = _text(part, member)
            if known is None:
                order[member] = named
            elif named is not None and named != known:
                yield Problem(Code.IDENTITY_CONFLICT, path(*place, member), "names another order")


def _parts(value: JsonObject) -> Iterator[tuple[tuple[Segment, ...], JsonObject]]:
    """Lines, shipments and shipment lines, each with its place."""
    for name in ("orderLines", "shipments"):
        for index, part in _elements(value, name):
            yield (name, index), part
            for inner, line in _elements(part, "shipmentLines"):
                yield (name, index, "shipmentLines", inner), line


def _shipment_lines(value: JsonObject) -> list[tuple[tuple[Segment, ...], JsonObject]]:
    return [(place, part) for place, part in _parts(value) if "shipmentLines" in place]


def _elements(value: JsonObject, member: str) -> Iterator[tuple[int, JsonObject]]:
    """The objects of an array, each with its place; none where it is not one."""
    given = value.get(member)
    for index, element in enumerate(given if isinstance(given, list) else ()):
        if isinstance(element, dict):
            yield index, element


def _normalise(value: JsonObject, operation: Operation) -> Normalised:  # noqa: ARG001  # every operation alike
    return Normalised(value, tuple(_normalised(value)))


def _normalised(value: JsonObject) -> Iterator[Warned]:
    """What the models bring into another form."""
    if isinstance(value.get("attributeGroups"), list):
        yield Warned("VALUE_NORMALISED", "attributeGroups")
    for place, line in _shipment_lines(value):
        if models.integer(_text(line, "quantityShipped") or "") is not None:
            yield Warned("VALUE_NORMALISED", path(*place, "quantityShipped"))


def _rules(value: JsonObject, whole: bool, rules: Rules) -> Iterator[Problem]:  # noqa: ARG001, FBT001
    yield from unequal_twins(value, decimals_of(value, whole=whole))
    yield from _repeated(value, "attributeGroups", "attribute_group")
    yield from _repeated(value, "orderLines", "id")
    yield from _repeated(value, "orderLines", "entryRef")
    if whole:
        yield from _strangers(value, _text(value, "id"), _text(value, "orderRef"))


def _repeated(value: JsonObject, member: str, name: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, element in _elements(value, member):
        given = _text(element, name)
        if given is not None and given in seen:
            yield Problem(Code.RULE_VIOLATION, path(member, index, name), "is there twice")
        elif given is not None:
            seen.add(given)


def _assign(body: JsonObject, before: JsonObject, ids: Identities) -> JsonObject:
    named = {"id": before.get("id", ids.document), **body}
    if "orderLines" in body:
        named["orderLines"] = list(_assigned(objects(body["orderLines"]), objects(before.get("orderLines")), ids))
    return named


def _assigned(lines: list[JsonObject], stored: list[JsonObject], ids: Identities) -> Iterator[JsonObject]:
    """The lines, each with the id and reference of the stored one that it is, or with a new id."""
    brought = {line.get("id") for line in lines}
    by_id = {old["id"]: old for old in stored}
    by_ref = {old.get("entryRef"): old for old in stored}
    for index, line in enumerate(lines):
        if "id" in line:
            known = by_id.get(line["id"], {})
        elif "entryRef" in line:
            known = by_ref.get(line["entryRef"], {})
        else:
            there = stored[index] if index < len(stored) else {}
            known = there if there.get("id") not in brought and same({**line, "id": there.get("id")}, there) else {}
        kept: JsonObject = {name: known[name] for name in ("id", "entryRef") if name in known}
        yield {"id": ids.hex24(path("orderLines", index)), **kept, **line}


def _refs(body: JsonObject) -> dict[str, str | Mapping[str, str]]:
    return {ref: text for ref, text in _texts(body, REFS).items() if text}  # an empty cart id is none


def _texts(body: JsonObject, members: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, member in members.items() if (text := _text(body, member)) is not None}


def _text(value: JsonObject, member: str) -> str | None:
    text = value.get(member)
    return text if isinstance(text, str) else None


def _keys(body: JsonObject) -> Iterator[Address]:
    for kind, member in ORDER.items():
        if member in body:
            yield Address(kind, str(body[member]), member, guessable=True)
    for index, line in _elements(body, "orderLines"):
        yield Address("entry-id", str(line["id"]), path("orderLines", index, "id"), guessable=True)


def _canonical(body: JsonObject) -> Canonical:
    decimals = decimals_of(body, whole=True)
    taxes = [tax for each in objects(body.get("appliedTaxes")) if (tax := money(each, "amount", decimals)) is not None]
    ip, placed = _texts(body, IP), _text(body, "created_at")
    return Canonical(
        customer={**_texts(body, CUSTOMER), **({"ip": ip} if ip else {})},
        currency={"code": _currency(body)},
        totals=present(
            grand=money(body, "totalAmount", decimals),
            tax=exact_sum(taxes) if taxes else None,
            discount=money(body, "totalDiscounts", decimals),
            shipping=money(body, "shippingCost", decimals),
            refunded=money(body, "refundedAmount", decimals),
            items=amount(body.get("totalItems")),
        ),
        placed_at=instant(placed) if placed else None,
    )


def _currency(body: JsonObject) -> str | None:
    code = _text(body, "currencyCode") or ""
    return code.upper() if len(code) == 3 and code.isascii() and code.isalpha() else None


def _status(before: Status, body: JsonObject, rules: Rules) -> Status:  # noqa: ARG001  # the seed's lists are complete
    whole = models.ORDER_STATUS.get(str(body.get("orderStatus")), NO_ORDER_STATUS)
    payment = models.PAYMENT_STATUS.get(str(body.get("paymentStatus")), whole)
    delivery = models.DELIVERY_STATUS.get(str(body.get("deliveryStatus")))
    shipping = models.SHIPPING_STATE.get(str(body.get("shippingState")))
    order = _flagged(body) if body.get("orderStatus") in (None, "OTHER") else None
    said = Meaning(order or whole.order, payment.payment, (delivery or shipping or whole).fulfilment)
    return said.over(before)


def _flagged(body: JsonObject) -> OrderStatus | None:
    return next((flag for flag in FLAGS if body.get(flag) is True), None)


def _native(body: JsonObject) -> JsonObject:
    return {name: body[name] for name in STATUSES if name in body}


def _warnings(body: JsonObject, site: Mapping[str, str]) -> Iterator[Warned]:  # noqa: ARG001  # no site here
    if "acceptsMarketing" in body:
        yield Warned("DEPRECATED_FIELD", "acceptsMarketing")
    if "currencyCode" in body and _currency(body) is None:
        yield Warned("CURRENCY_NOT_ISO", "currencyCode")
    for flag, statuses in AGREEING.items():
        if body.get(flag) is True and body.get("orderStatus", "OTHER") not in statuses:
            yield Warned("STATUS_FLAG_CONFLICT", flag)
    for index, line in _elements(body, "orderLines"):
        if not any(line.get(name) for name in ("productId", "productRef", "gtin")):
            yield Warned("LINE_WITHOUT_PRODUCT", path("orderLines", index))
    yield from _shipment_warnings(body)


def _shipment_warnings(body: JsonObject) -> Iterator[Warned]:
    lines = objects(body.get("orderLines"))
    known = {"entryId": {line["id"] for line in lines}, "entryRef": {line.get("entryRef") for line in lines}}
    for place, line in _shipment_lines(body):
        for member, names in known.items():
            if line.get(member) and line[member] not in names:
                yield Warned("DANGLING_REFERENCE", path(*place, member))
        if isinstance(line.get("quantityShipped"), str):
            yield Warned("QUANTITY_NOT_NUMERIC", path(*place, "quantityShipped"))


UPDATE: Final = Shape(models.Order, addressing=frozenset(ORDER.values()), unsaid=UNSAID)

_REF: Final = "WEB-2026-1042"
_MISTAKE: Final = "WEB-2026-1043"
_UPDATE: Final = {"dialect": "wishlist", "message-type": "order-update", "tenant": "example-retailer"}

EXAMPLES: Final = (
    Example(
        title="A gift from a wishlist, not paid yet",
        headers={"dialect": "wishlist", "message-type": "order-create", "tenant": "example-retailer"},
        key=_REF,
        value={
            "orderRef": _REF,
            "channel": "WEB",
            "currencyCode": "AUD",
            "customerRef": "CRM-204",
            "email": "robin@example.com",
            "created_at": "2026-11-20T09:12:44.120+11:00",
            "orderStatus": "AWAITING_PAYMENT",
            "orderLines": [
                {"entryRef": "1", "productRef": "KETTLE-RED", "quantity": 1, "totalAmount": 89.95},
                {"entryRef": "2", "productRef": "MUG-RED", "quantity": 4, "totalAmount": 47.8},
            ],
            "taxIncluded": True,
            "totalAmount": 137.75,
            "totalAmountInCent": 13775,
            "totalItems": 5,
        },
    ),
    Example(
        title="It is paid",
        headers={**_UPDATE, "operation": "order.patch", "order-ref": _REF},
        key=_REF,
        value={"orderStatus": "AWAITING_SHIPMENT", "paymentStatus": "PAID", "paymentMethod": "credit"},
    ),
    Example(
        title="One mug has come back",
        headers={**_UPDATE, "operation": "entry.update", "order-ref": _REF, "entry-ref": "2"},
        key=_REF,
        value={"shippedQuantity": 4, "returnedQuantity": 1, "refundAmount": 11.95},
    ),
    Example(
        title="It was delivered",
        headers={**_UPDATE, "operation": "order.patch"},
        key=_REF,
        value={
            "orderRef": _REF,
            "orderStatus": "PARTIALLY_RETURNED",
            "deliveryStatus": "DELIVERED",
            "shipments": [{"shipmentRef": "S-1", "shipmentStatus": "DELIVERED", "trackingNumber": "TN-771204"}],
        },
    ),
    Example(
        title="A teapot comes in addition",
        headers={**_UPDATE, "operation": "entry.create", "order-ref": _REF},
        key=_REF,
        value={"entryRef": "3", "productRef": "TEAPOT-RED", "quantity": 1, "totalAmount": 59.95},
    ),
    Example(
        title="The teapot is not wanted any more",
        headers={**_UPDATE, "operation": "entry.delete", "order-ref": _REF, "entry-ref": "3"},
        key=_REF,
        value={},
    ),
    Example(
        title="The whole order again: only the kettle is left",
        headers={**_UPDATE, "operation": "order.replace", "order-ref": _REF},
        key=_REF,
        value={
            "orderRef": _REF,
            "channel": "WEB",
            "currencyCode": "AUD",
            "customerRef": "CRM-204",
            "email": "robin@example.com",
            "created_at": "2026-11-20T09:12:44.120+11:00",
            "orderStatus": "PARTIALLY_RETURNED",
            "paymentStatus": "PAID",
            "orderLines": [{"entryRef": "1", "productRef": "KETTLE-RED", "quantity": 1, "totalAmount": 89.95}],
            "taxIncluded": True,
            "totalAmount": 89.95,
            "totalAmountInCent": 8995,
            "totalItems": 1,
        },
    ),
    Example(
        title="An order sent by mistake, with nothing but its name",
        headers={"dialect": "wishlist", "message-type": "order-create", "tenant": "example-retailer"},
        key=_MISTAKE,
        value={"orderRef": _MISTAKE},
    ),
    Example(
        title="The mistake is deleted",
        headers={**_UPDATE, "operation": "order.delete", "order-ref": _MISTAKE},
        key=_MISTAKE,
        value={},
    ),
)

DIALECT: Final = Dialect(
    name="wishlist",
    shapes={
        Operation.CREATE: Shape(models.Order, conditions=(NAMED,), unsaid=UNSAID),
        Operation.PATCH: UPDATE,
        Operation.REPLACE: UPDATE,
        Operation.DELETE: Shape(models.Nothing),
        Operation.ENTRY_CREATE: Shape(models.Line, unsaid=(TWINS,)),
        Operation.ENTRY_UPDATE: Shape(models.Line, addressing=frozenset(ENTRY.values()), unsaid=(TWINS,)),
        Operation.ENTRY_DELETE: Shape(models.Nothing),
    },
    headers=HEADERS.__getitem__,
    tenant=lambda message: message.headers.get("tenant"),
    identify=_identify,
    identity=_identity,
    normalise=_normalise,
    rules=_rules,
    assign=_assign,
    refs=_refs,
    keys=_keys,
    canonical=_canonical,
    status=_status,
    native=_native,
    warnings=_warnings,
    kept=(*STATUSES, *ORDER.values(), "created_at"),
    lines=Lines("orderLines", id="id", ref="entryRef", addressable=True),
    examples=EXAMPLES,
)
