"""Dialect `shopping-cart`: orders of a parts-purchasing shop (contracts/shopping-cart.md)."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, TypeAlias

from annotated_types import Ge, Le, Len, MaxLen
from pydantic import with_config
from typing_extensions import TypedDict

from orderstream import headers as forms
from orderstream.commands import Address, Operation
from orderstream.dialect import Canonical, Dialect, Example, HeaderForm, Message, Normalised, Shape
from orderstream.fields import CLOSED
from orderstream.identity import Identities
from orderstream.json_text import JsonObject
from orderstream.problems import Code, Problem, header

MasterDataId: TypeAlias = Annotated[int, Ge(1), Le(99_999_999)]  # of the customer profile, which is not held here


@with_config(CLOSED)
class Order(TypedDict, total=False):
    """The body of the seed's create; it has no lines, no amounts and no status."""

    requesterId: MasterDataId
    userId: MasterDataId
    facilityId: MasterDataId
    shippingAddressId: MasterDataId
    billingAddressId: MasterDataId
    shippingMethod: Annotated[str, Len(1)]
    useShippingAccount: bool
    notes: Annotated[str, MaxLen(200)] | None


REQUIRED: Final = frozenset({
    "requesterId", "userId", "facilityId", "shippingAddressId", "billingAddressId", "shippingMethod",
})  # fmt: skip
KEY: Final = "idempotency-key"
ADDRESSES: Final[Mapping[str, HeaderForm]] = {
    "order-id": HeaderForm(
        forms.positive_int64, "a decimal int64 of 1 or more", schema={"pattern": "^[1-9][0-9]{0,18}$"}
    ),
    "order-ref": forms.A_UUID._replace(described="a UUID, the idempotency key of the create"),
}


def _headers(operation: Operation) -> Mapping[str, HeaderForm]:
    if operation is Operation.CREATE:
        return {"tenant": forms.TENANT, KEY: forms.IDEMPOTENCY_KEY._replace(required=True)}
    return {"tenant": forms.TENANT, **ADDRESSES}


def _identify(message: Message) -> tuple[Address, ...]:
    sent = message.headers
    if message.operation is not Operation.CREATE:
        return tuple(Address(name, sent[name], header(name), guessable=True) for name in ADDRESSES if name in sent)
    if KEY not in sent:
        return ()
    # The key of the create doubles as the caller's reference.
    return (Address("order-ref", sent[KEY], header(KEY), guessable=True),)


def _identity(message: Message) -> Iterator[Problem]:
    if message.operation is not Operation.CREATE and not ADDRESSES.keys() & set(message.sent):
        yield Problem(Code.IDENTITY_MISSING, header("order-id"), "order-id or order-ref must name the order")


def _assign(body: JsonObject, before: JsonObject, ids: Identities) -> JsonObject:
    return {"orderId": before.get("orderId", ids.number), **body}


def _canonical(body: JsonObject) -> Canonical:
    customer = {"id": "requesterId", "user_id": "userId", "account_id": "facilityId"}
    return Canonical(
        customer={name: str(body[member]) for name, member in customer.items()},
        currency={"code": None},
        totals={},
    )


_KEY_OF_FIRST: Final = "5c7d6f0a-3e1b-4c52-9a64-2d8f71b0c3e9"

EXAMPLES: Final = (
    Example(
        title="Infusion pump parts, shipped by ground",
        headers={
            "dialect": "shopping-cart",
            "message-type": "order-create",
            "idempotency-key": _KEY_OF_FIRST,
            "tenant": "example-hospital-group",
        },
        key=_KEY_OF_FIRST,
        value={
            "requesterId": 1048576,
            "userId": 20017,
            "facilityId": 3391,
            "shippingAddressId": 880012,
            "billingAddressId": 880013,
            "shippingMethod": "FedEx Ground",
            "useShippingAccount": False,
            "notes": "Dock 4, call before delivery.",
        },
    ),
    Example(
        title="It is urgent now and goes on the hospital's own carrier account",
        headers={
            "dialect": "shopping-cart",
            "message-type": "order-update",
            "operation": "order.patch",
            "order-ref": _KEY_OF_FIRST,
            "tenant": "example-hospital-group",
        },
        key=_KEY_OF_FIRST,
        value={"shippingMethod": "FedEx Priority Overnight", "useShippingAccount": True},
    ),
    Example(
        title="The whole order again: another dock, no notes",
        headers={
            "dialect": "shopping-cart",
            "message-type": "order-update",
            "operation": "order.replace",
            "order-ref": _KEY_OF_FIRST,
            "tenant": "example-hospital-group",
        },
        key=_KEY_OF_FIRST,
        value={
            "requesterId": 1048576,
            "userId": 20017,
            "facilityId": 3391,
            "shippingAddressId": 880020,
            "billingAddressId": 880013,
            "shippingMethod": "FedEx Priority Overnight",
            "useShippingAccount": True,
        },
    ),
)

DIALECT: Final = Dialect(
    name="shopping-cart",
    shapes={
        Operation.CREATE: Shape(Order, required=REQUIRED),
        Operation.PATCH: Shape(Order),
        Operation.REPLACE: Shape(Order, required=REQUIRED),
    },
    headers=_headers,
    tenant=lambda message: message.headers.get("tenant"),
    identify=_identify,
    identity=_identity,
    normalise=lambda value, _operation: Normalised(value),
    rules=lambda _value, _whole, _rules: (),
    assign=_assign,
    refs=lambda body: {"order_id": str(body["orderId"])},
    keys=lambda body: (Address("order-id", str(body["orderId"]), header("order-id"), guessable=True),),
    canonical=_canonical,
    status=lambda before, _body, _rules: before,  # no status value exists in this dialect
    native=lambda _body: {},
    warnings=lambda _body, _site: (),
    counted=True,
    examples=EXAMPLES,
)
