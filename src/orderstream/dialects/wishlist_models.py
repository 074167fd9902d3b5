"""What orders and lines of the dialect `wishlist` look like (contracts/wishlist.md, section 3); nothing is required."""

import re
from collections.abc import Mapping
from typing import Annotated, Final, Required, TypeAlias

from annotated_types import Ge, Le, Len, MaxLen
from pydantic import Field, PlainValidator, TypeAdapter, with_config
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from orderstream.dialect import Meaning
from orderstream.fields import CLOSED, FREE_KEY, Int64, Number, OneOf, Rfc3339, map_faults, sound_inside
from orderstream.headers import MAX_TEXT
from orderstream.json_text import INT64

ORDER_STATUS: Final[Mapping[str, Meaning]] = {
    "CREATED": Meaning(order="created"),
    "AWAITING_PAYMENT": Meaning(order="created", payment="unpaid"),
    "MANUAL_VERIFY": Meaning(order="on_hold"),
    "DISPUTED": Meaning(order="on_hold"),
    "IN_PROGRESS": Meaning(order="in_progress", fulfilment="in_process"),
    "AWAITING_SHIPMENT": Meaning(order="in_progress", fulfilment="ready"),
    "AWAITING_PICKUP": Meaning(order="in_progress", fulfilment="ready"),
    "PARTIALLY_SHIPPED": Meaning(order="in_progress", fulfilment="partially_shipped"),
    "SHIPPED": Meaning(order="in_progress", fulfilment="shipped"),
    "COMPLETE": Meaning(order="completed", fulfilment="fulfilled"),
    "CANCELLED": Meaning(order="cancelled"),
    "DECLINED": Meaning(order="declined"),
    "PARTIALLY_RETURNED": Meaning(order="partially_returned", fulfilment="partially_returned"),
    "RETURNED": Meaning(order="returned", fulfilment="returned"),
    "OTHER": Meaning(order="other"),  # unless a flag says more
}
PAYMENT_STATUS: Final[Mapping[str, Meaning]] = {
    "AUTHORIZED": Meaning(payment="authorized"),
    "DECLINED": Meaning(payment="declined"),
    "FRAUD_DETECTED": Meaning(payment="fraud"),
    "MANUAL_VERIFY": Meaning(payment="under_review"),
    "NOT_PAID": Meaning(payment="unpaid"),
    "OTHER": Meaning(payment="other"),
    "PAID": Meaning(payment="paid"),
    "PARTIALLY_PAID": Meaning(payment="partially_paid"),
    "PARTIALLY_REFUNDED": Meaning(payment="partially_refunded"),
    "REFUNDED": Meaning(payment="refunded"),
    "VOIDED": Meaning(payment="voided"),
}
DELIVERY_STATUS: Final[Mapping[str, Meaning]] = {
    "DELIVERED": Meaning(fulfilment="delivered"),
    "IN_PROCESS": Meaning(fulfilment="in_process"),
    "PARTIALLY_SHIPPED": Meaning(fulfilment="partially_shipped"),
    "READY_TO_SHIP": Meaning(fulfilment="ready"),
    "SHIPPED": Meaning(fulfilment="shipped"),
}
SHIPPING_STATE: Final[Mapping[str, Meaning]] = {
    "CREATED": Meaning(fulfilment="unfulfilled"),
    "DELIVERED": Meaning(fulfilment="delivered"),
    "OTHER": Meaning(fulfilment="other"),
    "PACKED": Meaning(fulfilment="in_process"),
    "PICKED": Meaning(fulfilment="in_process"),
    "READY_FOR_SHIPPING": Meaning(fulfilment="ready"),
    "SHIPPED": Meaning(fulfilment="shipped"),
}

Channel: TypeAlias = Annotated[str, OneOf("channel", dict.fromkeys(("MOBILE", "OTHER", "POS", "WEB")))]
DeliveryStatus: TypeAlias = Annotated[str, OneOf("deliveryStatus", DELIVERY_STATUS)]
OrderStatus: TypeAlias = Annotated[str, OneOf("orderStatus", ORDER_STATUS)]
PaymentStatus: TypeAlias = Annotated[str, OneOf("paymentStatus", PAYMENT_STATUS)]
ShippingState: TypeAlias = Annotated[str, OneOf("shippingState", SHIPPING_STATE)]
ShipmentStatus: TypeAlias = Annotated[
    str, OneOf("shipmentStatus", {**DELIVERY_STATUS, **SHIPPING_STATE})  # the seed has no list of its own (A6)
]
Key: TypeAlias = Annotated[str, Len(1, MAX_TEXT)]  # names the order or a line
Id: TypeAlias = Annotated[str, MaxLen(MAX_TEXT)]  # any other id or reference
Count: TypeAlias = Annotated[int, Ge(0)]
Int32From0: TypeAlias = Annotated[int, Ge(0), Le(2**31 - 1)]


@with_config(CLOSED)
class Nothing(TypedDict):
    """The value of a delete."""


@with_config(CLOSED)
class AppliedDiscount(TypedDict, total=False):
    """A discount or promotion, on the order or on a line."""

    amount: Number
    amountInCent: Int64
    couponCode: str
    discountRef: Id
    discountType: str
    headerLevel: bool
    id: Id
    name: str


@with_config(CLOSED)
class AppliedTax(TypedDict, total=False):
    """A tax."""

    amount: Number
    amountInCent: Int64
    id: Id
    name: str
    taxCode: str
    taxRate: Number


@with_config(CLOSED)
class Attribute(TypedDict, total=False):
    """An extra property."""

    attribute_value: str
    value_type: Annotated[str, Len(1)]


@with_config(CLOSED)
class GroupRest(TypedDict, total=False):
    """What a group of extra properties has besides its name."""

    attributes: dict[str, Attribute]
    is_obsolete: bool


@with_config(CLOSED)
class Group(GroupRest, total=False):
    """A group in a map; its key names it."""

    attribute_group: str


@with_config(CLOSED)
class NamedGroup(GroupRest, total=False):
    """A group in an array."""

    attribute_group: Required[Annotated[str, Field(json_schema_extra=dict(FREE_KEY))]]


_GROUPS: Final = TypeAdapter(dict[str, Group])
_NAMED_GROUPS: Final = TypeAdapter(list[NamedGroup])
_COUNT: Final = TypeAdapter[int](Annotated[int, Ge(0)], config={"strict": True})
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")


def _keyed(value: object) -> object:
    """Groups by name, out of a map or an array (A3); an array that names one twice stays, for the rules to see."""
    if not isinstance(value, list):
        return sound_inside(_GROUPS.validate_python(value))
    groups = _NAMED_GROUPS.validate_python(value)
    names = [group["attribute_group"] for group in groups]
    faults = [
        *map_faults(groups),
        *(
            (code, (at, "attribute_group"), message)
            for at, name in enumerate(names)
            for code, _, message in map_faults({name: 0})
        ),
    ]
    if faults:
        raise PydanticCustomError("inside", "inside", {"faults": faults})
    return dict(zip(names, groups, strict=True)) if len(set(names)) == len(names) else groups


def integer(text: str) -> int | None:
    """The int64 that a text spells, if it does."""
    return int(text) if _INTEGER.fullmatch(text) and int(text) in INT64 else None


def _quantity(value: object) -> str | int:
    """A text that spells an integer becomes one, any other stays as it is (A5)."""
    number = integer(value) if isinstance(value, str) else value
    return value if isinstance(value, str) and number is None else _COUNT.validate_python(number)


Groups: TypeAlias = Annotated[
    dict[str, Group], PlainValidator(_keyed, json_schema_input_type=dict[str, Group] | list[NamedGroup])
]
NotNegative: TypeAlias = Annotated[
    str, Field(json_schema_extra={"not": {"pattern": "^-0*[1-9][0-9]*$", "maxLength": 19}})
]
TextOrCount: TypeAlias = Annotated[str | int, PlainValidator(_quantity, json_schema_input_type=NotNegative | Count)]


@with_config(CLOSED)
class PostalAddress(TypedDict, total=False):
    """A billing or shipping address."""

    address1: str
    address2: str
    addressId: Id
    addressRef: Id
    city: str
    company: str
    country: str
    countryCode: str
    countryName: str
    email: str
    id: Id
    name: str
    phone: str
    postcode: str
    province: str
    provinceCode: str


@with_config(CLOSED)
class ShipmentMode(TypedDict, total=False):
    """The shipping mode that was chosen."""

    created_at: Rfc3339
    id: Id
    name: str
    shipmentCost: Number
    shipmentCostInCent: Int64
    updated_at: Rfc3339


@with_config(CLOSED)
class ShipmentLine(TypedDict, total=False):
    """What a shipment contains of one line."""

    created_at: Rfc3339
    entryId: Id
    entryRef: Id
    id: Id
    orderId: Key
    orderRef: Key
    quantityShipped: TextOrCount
    shipmentId: Id
    shipmentLineRef: Id
    shipmentRef: Id
    updated_at: Rfc3339


@with_config(CLOSED)
class Shipment(TypedDict, total=False):
    """A shipment."""

    created_at: Rfc3339
    deliveryDate: Rfc3339
    id: Id
    orderId: Key
    orderRef: Key
    shipmentLines: list[ShipmentLine]
    shipmentProvider: str
    shipmentRef: Id
    shipmentStatus: ShipmentStatus
    shippedDate: Rfc3339
    trackingNumber: str
    trackingUrl: str
    updated_at: Rfc3339


@with_config(CLOSED)
class Line(TypedDict, total=False):
    """An order line (entry), inside an order or as a message of its own."""

    appliedDiscounts: list[AppliedDiscount]
    basePrice: Number
    basePriceExTax: Number
    basePriceExTaxInCent: Int64
    basePriceInCent: Int64
    basePriceIncTax: Number
    basePriceIncTaxInCent: Int64
    cancelledAt: Rfc3339
    created_at: Rfc3339
    entryRef: Key
    gtin: str
    id: Key
    orderId: Key
    orderRef: Key
    processedAt: Rfc3339
    productId: Id
    productRef: Id
    quantity: Count
    refundAmount: Number
    refundAmountInCent: Int64
    returnId: Int64
    returnedAt: Rfc3339
    returnedQuantity: Count
    shippedQuantity: Count
    totalAmount: Number
    totalAmountBeforeDiscount: Number
    totalAmountBeforeDiscountInCent: Int64
    totalAmountExTax: Number
    totalAmountInCent: Int64
    totalAmountIncTax: Number
    totalAmountIncTaxInCent: Int64
    updated_at: Rfc3339


@with_config(CLOSED)
class Order(TypedDict, total=False):
    """The order body of the seed, its own spellings included (A13)."""

    acceptsMarketing: Annotated[bool, Field(deprecated=True)]
    appliedDiscounts: list[AppliedDiscount]
    appliedTaxes: list[AppliedTax]
    attributeGroups: Groups
    billingAddress: PostalAddress
    cancelReason: str
    cancelled: bool
    cancelledAt: Rfc3339
    cartId: Id
    channel: Channel
    confirmed: bool
    couponDiscounts: Number
    couponDiscountsInCent: Number
    created_at: Rfc3339
    currencyCode: str
    customerId: Id
    customerLocale: str
    customerRef: Id
    deliveryStatus: DeliveryStatus
    email: str
    handlingCost: Number
    handlingCostExTax: Number
    handlingCostExTaxInCent: Number
    handlingCostInCent: Int64
    handlingCostIncTax: Number
    handlingCostIncTaxInCent: Int64
    id: Key
    ipAddress: str
    ipAddressCountry: str
    ipAddressCountryIsocode: str
    itemsCancelled: Count
    itemsReturned: Count
    itemsShipped: Count
    orderLines: list[Line]
    orderRef: Key
    orderStatus: OrderStatus
    paymentMethod: str
    paymentProvider: str
    paymentStatus: PaymentStatus
    processedAt: Rfc3339
    promotionalDiscounts: Number
    promotionalDiscountsInCent: Int64
    refundedAmount: Number
    refundedAmountInCent: Int64
    returnReason: str
    returned: bool
    returnedAt: Rfc3339
    shipmentMode: ShipmentMode
    shipments: list[Shipment]
    shippingAddress: PostalAddress
    shippingCost: Number
    shippingCostBeforeDiscount: Number
    shippingCostBeforeDiscountInCent: Int64
    shippingCostExTax: Number
    shippingCostExTaxInCent: Int64
    shippingCostInCent: Int64
    shippingCostIncTax: Number
    shippingCostIncTaxCent: Int64
    shippingState: ShippingState
    taxCategoryCode: str
    taxIncluded: bool
    totalAmount: Number
    totalAmountBeforeDiscount: Number
    totalAmountBeforeDiscountInCent: Int64
    totalAmountExTax: Number
    totalAmountExTaxInCent: Int64
    totalAmountInCent: Int64
    totalAmountIncTax: Number
    totalAmountIncTaxInCent: Int64
    totalDiscounts: Number
    totalDiscountsInCent: Int64
    totalItems: Int32From0
    updated_at: Rfc3339
    wrappingCost: Number
    wrappingCostExTax: Number
    wrappingCostExTaxInCent: Int64
    wrappingCostInCent: Int64
    wrappingCostIncTax: Number
    wrappingCostIncTaxInCent: Int64
