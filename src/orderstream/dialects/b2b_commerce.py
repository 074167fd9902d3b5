"""Dialect `b2b-commerce`: orders of a B2B storefront platform (contracts/b2b-commerce.md)."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Final, Required

from annotated_types import Len
from pydantic import AfterValidator, ConfigDict, Field, ValidatorFunctionWrapHandler, WrapValidator, with_config
from typing_extensions import TypedDict

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
    objects,
    present,
    total,
)
from orderstream.fields import CLOSED, EmptyOr, Hex24, Iso8601, Number, NumberFrom0, OneOf, OrElse, instant, wrong
from orderstream.identity import Identities
from orderstream.json_text import Json, JsonObject
from orderstream.order import FulfilmentStatus, Status, Warned
from orderstream.problems import Code, Problem, header, path

ORDER_STATUS: Final[Mapping[str, Meaning]] = {
    "pending": Meaning(order="created"),  # its fulfilment is told by the lines
    "fulfilled": Meaning(order="completed", fulfilment="fulfilled"),
    "cancelled": Meaning(order="cancelled"),
}
PAYMENT_STATUS: Final[Mapping[str, Meaning]] = {
    "unpaid": Meaning(payment="unpaid"),
    "authorized": Meaning(payment="authorized"),
    "declined": Meaning(payment="declined"),
    "paid": Meaning(payment="paid"),  # only in the sample of the seed
    "refunded": Meaning(payment="refunded"),
}


def _is_blank(row: object) -> bool:
    return isinstance(row, dict) and row.get("lineItemId") == "" and row.get("quantity") == ""


def _unless_blank(row: object, check: ValidatorFunctionWrapHandler) -> object:
    return row if _is_blank(row) else check(row)


def _filled(rows: list[object]) -> list[object]:
    return [row for row in rows if not _is_blank(row)]


def _currency_code(text: str) -> str:
    if len(text) in (2, 3) and text.isascii() and text.isalpha():
        return text
    raise wrong(Code.FIELD_FORMAT, "must be 3 letters; 2 are tolerated")


FILLED: Final = ConfigDict(**CLOSED, json_schema_extra={"not": {"additionalProperties": {"const": ""}}})
CODE_OR_LABEL: Final = ConfigDict(
    **CLOSED, json_schema_extra={"anyOf": [{"required": ["code"]}, {"required": ["label"]}]}
)
BLANK_ROW: Final = OrElse(
    description="A blank row; it is dropped",
    type="object",
    properties={"lineItemId": {"const": ""}, "quantity": {"const": ""}},
    required=["lineItemId", "quantity"],
)


@with_config(CLOSED)
class AddressRest(TypedDict, total=False):
    """What both addresses have in common; only the limits of the names differ."""

    companyName: str
    companyEmail: str
    address1: Annotated[str, Len(1, 100)]
    address2: Annotated[str, Len(1, 100), OrElse(const="", description="Dropped")]
    phoneNumber: Annotated[str, Len(1, 100)]
    city: Annotated[str, Len(1, 100)]
    state: Annotated[str, Len(1, 100)]
    country: Annotated[str, Len(1, 100)]
    zipcode: Annotated[str, Len(1, 100)]


@with_config(FILLED)
class BillingAddress(AddressRest, total=False):
    """A billing address given in full."""

    firstName: Annotated[str, Len(3, 20)]
    lastName: Annotated[str, EmptyOr(3, 20)]


@with_config(FILLED)
class ShippingAddress(AddressRest, total=False):
    """A shipping address given in full."""

    firstName: Annotated[str, Len(1)]
    lastName: str


@with_config(CLOSED)
class Currency(TypedDict, total=False):
    """Code and symbol."""

    currency: Annotated[str, AfterValidator(_currency_code), Field(json_schema_extra={"pattern": "^[A-Za-z]{2,3}$"})]
    symbol: Annotated[str, Len(1, 2)]


@with_config(CLOSED)
class Discount(TypedDict, total=False):
    """A discount on a line."""

    id: Hex24
    name: str
    discountedAmount: Required[Number]


@with_config(CLOSED)
class LineItem(TypedDict, total=False):
    """An order line; it has no id and is named by its position."""

    productId: Hex24
    variantId: Hex24
    quantity: Required[NumberFrom0]
    discounts: list[Discount]
    discountAmount: Number
    price: Required[Number]
    fulfilledQuantity: NumberFrom0
    returned: bool


@with_config(CLOSED)
class CustomField(TypedDict, total=False):
    """A custom field of a fulfilled item."""

    code: str
    value: str


@with_config(CLOSED)
class Option(TypedDict, total=False):
    """An option chosen for the product, in either of two forms."""

    name: str
    value: str
    optionName: Annotated[str, Len(1)]
    optionValueLabel: Annotated[str, Len(1)]
    optionValue: Annotated[str, Len(1)]


@with_config(CLOSED)
class FulfilledItem(TypedDict, total=False):
    """What a parcel contains of one line."""

    lineItemId: str
    quantity: Required[NumberFrom0]
    metaField: CustomField
    sku: str
    options: list[Option]


@with_config(CLOSED)
class Fulfilment(TypedDict, total=False):
    """A parcel."""

    items: Annotated[list[Annotated[FulfilledItem, WrapValidator(_unless_blank), BLANK_ROW]], AfterValidator(_filled)]
    carrier: str
    trackingNumber: str
    trackingUrl: str
    fulfilledAt: Iso8601


@with_config(CODE_OR_LABEL)
class MetaField(TypedDict, total=False):
    """A custom field of the order, in either of two forms."""

    code: str
    label: str
    value: str
    displayStorefront: bool


@with_config(CLOSED)
class ShipmentDetails(TypedDict, total=False):
    """Shipment data of the order as a whole."""

    trackingNumber: str
    carrier: str
    fulfilledAt: Iso8601
    timeEstimate: str


@with_config(CLOSED)
class Order(TypedDict, total=False):
    """The body of the seed's create."""

    customer: Hex24
    paymentStatus: Annotated[str, OneOf("paymentStatus", PAYMENT_STATUS)]
    orderStatus: Annotated[str, OneOf("orderStatus", ORDER_STATUS)]
    taxAmount: Number
    billingAddress: Hex24
    newBillingAddress: BillingAddress
    paymentTerm: Hex24
    shippingAddressId: Hex24
    newShippingAddress: ShippingAddress
    orderedAt: Iso8601
    refundedAmount: Number
    shippingCost: NumberFrom0
    shippingLabel: str | None
    currency: Currency
    lineItems: list[LineItem]
    fulfilledItems: list[Fulfilment]
    metaFields: list[MetaField]
    shipmentDetails: ShipmentDetails


REQUIRED: Final = frozenset({"customer", "paymentStatus", "orderStatus", "lineItems"})
EITHER_OR: Final = (("billingAddress", "newBillingAddress"), ("shippingAddressId", "newShippingAddress"))
ADDRESSES: Final = ("newBillingAddress", "newShippingAddress")
BOTH_ADDRESSES: Final[tuple[JsonObject, ...]] = tuple(
    {"anyOf": [{"required": [name]} for name in pair]} for pair in EITHER_OR
)


def _headers(operation: Operation) -> Mapping[str, HeaderForm]:
    if operation is Operation.CREATE:
        return {"tenant": forms.TENANT}
    return {"tenant": forms.TENANT, "order-id": forms.HEX24}


def _identify(message: Message) -> tuple[Address, ...]:
    order_id = message.headers.get("order-id")
    return (Address("order-id", order_id, header("order-id")),) if order_id else ()


def _identity(message: Message) -> Iterator[Problem]:
    if message.operation is not Operation.CREATE and "order-id" not in message.sent:
        yield Problem(Code.IDENTITY_MISSING, header("order-id"), "must name the order")


def _normalise(value: JsonObject, operation: Operation) -> Normalised:  # noqa: ARG001  # every operation alike
    warnings: list[Warned] = []
    changed = dict(value)
    for name in ADDRESSES:
        given = changed.get(name)
        if isinstance(given, dict) and given.get("address2") == "":
            changed[name] = {member: text for member, text in given.items() if member != "address2"}
            warnings.append(Warned("BLANK_VALUE_DROPPED", path(name, "address2")))
    warnings += _blank_rows(value.get("fulfilledItems"))
    return Normalised(changed, tuple(warnings))


def _blank_rows(parcels: Json) -> Iterator[Warned]:
    """Rows that the model drops, after it has judged the others at the places that they were sent at."""
    for index, parcel in enumerate(parcels if isinstance(parcels, list) else ()):
        rows = parcel.get("items") if isinstance(parcel, dict) else None
        for place, row in enumerate(rows if isinstance(rows, list) else ()):
            if _is_blank(row):
                yield Warned("BLANK_ROW_DROPPED", path("fulfilledItems", index, "items", place))


def _rules(value: JsonObject, whole: bool, rules: Rules) -> Iterator[Problem]:  # noqa: ARG001, FBT001
    for pair in EITHER_OR:
        if whole and value.keys().isdisjoint(pair):
            yield Problem(Code.RULE_VIOLATION, pair[0], f"{pair[0]} or {pair[1]} must be present")
    for name in ADDRESSES:
        given = value.get(name)
        if isinstance(given, dict) and not any(given.values()):
            yield Problem(Code.RULE_VIOLATION, name, "must have a member that is not empty")
    fields = value.get("metaFields")
    for index, field in enumerate(fields if isinstance(fields, list) else ()):
        if isinstance(field, dict) and field.keys().isdisjoint(("code", "label")):
            yield Problem(Code.RULE_VIOLATION, path("metaFields", index, "code"), "code or label must be present")


def _assign(body: JsonObject, before: JsonObject, ids: Identities) -> JsonObject:
    return {"id": before.get("id", ids.document), **body}


def _keys(body: JsonObject) -> tuple[Address, ...]:
    return (Address("order-id", str(body["id"]), header("order-id")),)


def _canonical(body: JsonObject) -> Canonical:
    lines = objects(body["lineItems"])
    currency = body.get("currency")
    ordered = body.get("orderedAt")
    return Canonical(
        customer={"id": str(body["customer"])},
        currency=_currency(currency) if isinstance(currency, dict) else {"code": None},
        totals=present(
            tax=amount(body.get("taxAmount")),
            discount=total(line.get("discountAmount") for line in lines),
            shipping=amount(body.get("shippingCost")),
            refunded=amount(body.get("refundedAmount")),
            items=total(line["quantity"] for line in lines) or Decimal(0),
        ),
        placed_at=instant(ordered) if isinstance(ordered, str) else None,
    )


def _currency(currency: JsonObject) -> dict[str, str | None]:
    code = currency.get("currency")
    symbol = currency.get("symbol")
    return {
        "code": code.upper() if isinstance(code, str) and len(code) == 3 else None,
        **({"symbol": symbol} if isinstance(symbol, str) else {}),
    }


def _status(before: Status, body: JsonObject, rules: Rules) -> Status:
    status = before
    for name, table in (("orderStatus", ORDER_STATUS), ("paymentStatus", PAYMENT_STATUS)):
        value = str(body[name])
        meaning = table.get(value) or rules.added.get(name, {}).get(value)
        status = meaning.over(status) if meaning else status  # one that has left the rules file says nothing new
    lines = objects(body["lineItems"])
    if body["orderStatus"] == "pending":
        status = status._replace(fulfilment=_fulfilment(lines))
    returned = [line.get("returned") is True for line in lines]
    if any(returned):
        status = status._replace(fulfilment="returned" if all(returned) else "partially_returned")
    return status


def _fulfilment(lines: list[JsonObject]) -> FulfilmentStatus:
    if not any(line.get("fulfilledQuantity") for line in lines):
        return "unfulfilled"
    done = [(amount(line.get("fulfilledQuantity")) or 0, amount(line["quantity"]) or 0) for line in lines]
    if not any(fulfilled > 0 for fulfilled, _ in done):
        return "unfulfilled"
    return "fulfilled" if all(fulfilled >= quantity for fulfilled, quantity in done) else "partially_fulfilled"


def _native(body: JsonObject) -> JsonObject:
    return {name: body[name] for name in ("orderStatus", "paymentStatus")}


def _warnings(body: JsonObject, site: Mapping[str, str]) -> Iterator[Warned]:  # noqa: ARG001  # no site here
    for name in ADDRESSES:
        given = body.get(name)
        if isinstance(given, dict) and not all(given.get(part) for part in ("address1", "city", "country")):
            yield Warned("ADDRESS_INCOMPLETE", name)
    if not body["lineItems"]:
        yield Warned("NO_LINES", "lineItems")
    match body.get("currency"):
        case {"currency": str(code)} if len(code) != 3:
            yield Warned("CURRENCY_NOT_ISO", path("currency", "currency"))


_CUSTOMER: Final = "6328113ba105cf37af7f623b"
_UPDATE: Final = {
    "dialect": "b2b-commerce",
    "message-type": "order-update",
    "operation": "order.patch",
    "tenant": "example-supplies",
}

EXAMPLES: Final = (
    Example(
        title="A B2B order with one line",
        headers={"dialect": "b2b-commerce", "message-type": "order-create", "tenant": "example-supplies"},
        key=_CUSTOMER,
        value={
            "customer": _CUSTOMER,
            "paymentStatus": "unpaid",
            "orderStatus": "pending",
            "billingAddress": "63356b3b3a6353a69043680b",
            "shippingAddressId": "63356b3b3a6353a69043680c",
            "currency": {"currency": "USD", "symbol": "$"},
            "lineItems": [{"productId": "636d07be0438c42bc4d455e3", "quantity": 10, "price": 31.84}],
        },
    ),
    Example(
        title="Four of the ten have left the warehouse",
        headers=_UPDATE,
        key=_CUSTOMER,
        value={
            "lineItems": [
                {"productId": "636d07be0438c42bc4d455e3", "quantity": 10, "price": 31.84, "fulfilledQuantity": 4}
            ]
        },
    ),
    Example(
        title="It is paid and complete",
        headers=_UPDATE,
        key=_CUSTOMER,
        value={"orderStatus": "fulfilled", "paymentStatus": "paid"},
    ),
    Example(
        title="The whole order again, paid back",
        headers={**_UPDATE, "operation": "order.replace"},
        key=_CUSTOMER,
        value={
            "customer": _CUSTOMER,
            "paymentStatus": "refunded",
            "orderStatus": "fulfilled",
            "billingAddress": "63356b3b3a6353a69043680b",
            "shippingAddressId": "63356b3b3a6353a69043680c",
            "lineItems": [{"productId": "636d07be0438c42bc4d455e3", "quantity": 10, "price": 31.84}],
        },
    ),
)

DIALECT: Final = Dialect(
    name="b2b-commerce",
    shapes={
        Operation.CREATE: Shape(Order, required=REQUIRED, conditions=BOTH_ADDRESSES),
        Operation.PATCH: Shape(Order),
        Operation.REPLACE: Shape(Order, required=REQUIRED, conditions=BOTH_ADDRESSES),
    },
    headers=_headers,
    tenant=lambda message: message.headers.get("tenant"),
    identify=_identify,
    identity=_identity,
    normalise=_normalise,
    rules=_rules,
    assign=_assign,
    refs=lambda body: {"order_id": str(body["id"])},
    keys=_keys,
    canonical=_canonical,
    status=_status,
    native=_native,
    warnings=_warnings,
    kept=("orderStatus", "paymentStatus"),
    lines=Lines("lineItems"),
    vocabularies=("orderStatus", "paymentStatus"),
    examples=EXAMPLES,
)
