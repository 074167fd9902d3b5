"""What orders of the dialect `subscription` look like (contracts/subscription.md, section 3).

Nested objects are open: a further member is kept as it is, a listed one must have its type.
"""

from collections.abc import Mapping
from typing import Annotated, Final, NoReturn, TypeAlias

from annotated_types import Gt, Len
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from orderstream.dialect import Meaning
from orderstream.fields import CLOSED, OPEN, Anything, FreeMap, Hex24, Iso8601, Number, OneOf, sound_inside, wrong
from orderstream.headers import MAX_TEXT, hex24
from orderstream.problems import Code

STATUS: Final[Mapping[str, Meaning]] = {
    "ORDER_CREATED": Meaning(order="created"),
    "ORDER_CONFIRMED": Meaning(order="confirmed"),
    "ORDER_CANCELLED": Meaning(order="cancelled"),
    "ORDER_PARTIALLY_SHIPPED": Meaning(order="in_progress", fulfilment="partially_shipped"),
    "ORDER_SHIPPED": Meaning(order="in_progress", fulfilment="shipped"),
    "ORDER_PARTIALLY_DELIVERED": Meaning(order="in_progress", fulfilment="partially_delivered"),
    "ORDER_DELIVERED": Meaning(order="completed", fulfilment="delivered"),
    "ORDER_RETURNED": Meaning(order="returned", fulfilment="returned"),
    "ORDER_PARTIALLY_RETURNED": Meaning(order="partially_returned", fulfilment="partially_returned"),
    "ORDER_PAYMENT_AUTHORIZED": Meaning(payment="authorized"),  # and takes an order off hold
    "ORDER_PAYMENT_INVALID": Meaning(order="on_hold", payment="declined"),
    "ORDER_FULFILLED": Meaning(order="completed", fulfilment="fulfilled"),
    "ORDER_PARTIALLY_FULFILLED": Meaning(order="in_progress", fulfilment="partially_fulfilled"),
    "ORDER_REFUNDED": Meaning(payment="refunded"),
}


def _text_or_integer(value: object) -> str:
    if isinstance(value, str):
        return value
    raise PydanticCustomError("int_type", "must be a string or an integer")  # the kind that knows numbers out of range


def _never(value: object) -> NoReturn:  # noqa: ARG001  # whatever it is
    raise wrong(Code.FIELD_READ_ONLY, "may not be sent in this operation")


Id24: TypeAlias = Annotated[str, Len(24, 24)]  # hexadecimal only in the samples
OrderNumber: TypeAlias = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{4}-[0-9]{5}$")]
PartId: TypeAlias = Annotated[str, Len(0, MAX_TEXT), AfterValidator(lambda text: hex24(text) or text)]
NotSent: TypeAlias = Annotated[object, BeforeValidator(_never), WithJsonSchema({"not": {}, "readOnly": True})]
TextOrInteger: TypeAlias = Annotated[
    str, BeforeValidator(_text_or_integer), Field(json_schema_extra={"type": ["string", "integer"]})
]
TaxTotal: TypeAlias = Annotated[  # the bound can be relaxed, so that a rule holds it
    Number,
    Field(json_schema_extra={"exclusiveMinimum": 0, "description": "The worker's configuration may allow 0"}),
]
Outermost: Final = AfterValidator(sound_inside)  # the map rule holds at every level of an open object


@with_config(OPEN)
class Phone(TypedDict, total=False):
    """A phone number."""

    number: str
    kind: str


@with_config(OPEN)
class PersonName(TypedDict, total=False):
    """The name of a recipient."""

    first: str
    middle: str
    last: str


@with_config(OPEN)
class PostalAddress(TypedDict, total=False):
    """Where a destination is, or who pays."""

    name: PersonName
    phone: Phone
    email: str
    street1: str
    street2: str
    city: str
    state: str
    country: str
    zipCode: TextOrInteger
    kind: str


@with_config(OPEN)
class Promotion(TypedDict, total=False):
    """A promotion that was applied."""

    name: str


@with_config(OPEN)
class Destination(TypedDict, total=False):
    """What every destination has, with its shipping charge."""

    shipToId: Number
    shipToType: str
    address: PostalAddress
    promosApplied: list[Promotion]
    price: Number
    currency: str
    estimatedTax: Number
    committedTax: Number
    total: Number
    taxCode: str
    shipmentCarrier: str
    shipmentMethod: str
    shipmentMethodId: Annotated[TextOrInteger, Len(0, MAX_TEXT)]
    promisedDeliveryDate: Iso8601
    shipmentInstructions: str
    shipmentStatus: str


@with_config(OPEN)
class NewShipTo(Destination, total=False):
    """A destination of a new order; it gets its id here."""

    _id: NotSent


@with_config(OPEN)
class ShipTo(Destination, total=False):
    """A destination."""

    _id: PartId


@with_config(OPEN)
class Item(TypedDict, total=False):
    """An order line."""

    _id: PartId
    lineItemId: Number
    itemId: Number
    priceListId: Number
    sku: TextOrInteger
    title: str
    quantity: Number
    price: Number
    discount: Number
    currency: str
    shipToId: Number
    estimatedTax: Number
    committedTax: Number
    total: Number
    taxCode: str
    weight: Number
    weightUnit: str
    group: list[str]
    promosApplied: list[Promotion]
    reservedLocation: list[Anything]
    attributes: list[Anything]


@with_config(OPEN)
class PaymentIdentifier(TypedDict, total=False):
    """The last digits of a card."""

    cardIdentifier: TextOrInteger


@with_config(OPEN)
class PaymentToken(TypedDict, total=False):
    """The token of the payment provider."""

    token: TextOrInteger


@with_config(OPEN)
class Payment(TypedDict, total=False):
    """A payment."""

    _id: PartId
    billToId: Number
    billToAddress: PostalAddress
    shipToId: list[Number]
    paymentIdentifier: PaymentIdentifier
    paymentMethod: str
    paymentToken: PaymentToken
    paymentKind: str
    amount: Number
    currency: str
    conversion: Number
    paymentStatus: str


@with_config(CLOSED)
class Common(TypedDict, total=False):
    """What a create and an update have alike."""

    channel: Number
    customerUserId: Id24
    customerAccountId: Annotated[str, Len(3, MAX_TEXT)]
    customerEmail: Annotated[str, Len(3)]
    customerPhone: Annotated[Phone, Outermost]
    orderReference: Annotated[str, Len(0, MAX_TEXT)]
    orderCurrency: Annotated[str, Len(3, 3)]
    orderTotal: Annotated[Number, Gt(0)]
    taxTotal: TaxTotal
    status: Annotated[str, OneOf("status", STATUS)]
    statusLog: str
    notes: Annotated[str, Len(1)]
    tags: list[str]


@with_config(CLOSED)
class NewOrder(Common, total=False):
    """The request of the seed."""

    cartId: Id24
    events: list[FreeMap]
    shipTo: Annotated[list[NewShipTo], Outermost]


@with_config(CLOSED)
class Order(Common, total=False):
    """The response of the seed, and what only its request has: what an update may bring."""

    _id: Hex24
    orderId: OrderNumber
    events: list[Anything]
    shipTo: Annotated[list[ShipTo], Outermost]
    items: Annotated[list[Item], Outermost]
    shipments: list[Anything]
    payments: Annotated[list[Payment], Outermost]
    revision: Number
    totalQuantity: Number
    statusDescriptions: list[Anything]
    attributes: list[Anything]
    createdAt: Iso8601
    updatedAt: Iso8601
