"""Dialect `configurator`: orders of a 3D product configurator (contracts/configurator.md)."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Final, Required, TypeAlias

from annotated_types import Ge, Len, MaxLen
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, with_config
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
    objects,
    present,
    total,
)
from orderstream.fields import CLOSED, FreeMap, OneOf, Rfc3339, wrong
from orderstream.identity import Identities
from orderstream.json_text import JsonObject
from orderstream.order import Status, Warned
from orderstream.problems import Code, Problem, header

STATUS: Final[Mapping[str, Meaning]] = {
    "List": Meaning(order="draft"),
    "In Cart": Meaning(order="draft"),
    "New": Meaning(order="created"),  # the only value that the seed names
    "In Progress": Meaning(order="in_progress", fulfilment="in_process"),
    "Complete": Meaning(order="completed", fulfilment="fulfilled"),
}
DEFAULT_STATUS: Final = "New"

_UUID: Final = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_SHORT_ID: Final = re.compile(rf"(?!{_UUID}$)[A-Za-z0-9_-]{{4,36}}", re.ASCII)
_SHORT_ID_FORM: Final = "4 to 36 of A-Z, a-z, 0-9, _ and -, and not a UUID"
_SHORT_ID_SCHEMA: Final[JsonObject] = {"pattern": "^[A-Za-z0-9_-]{4,36}$", "not": {"pattern": f"^{_UUID}$"}}


def _short_id(text: str) -> str | None:
    return text if _SHORT_ID.fullmatch(text) else None


def _checked_short_id(text: str) -> str:
    if _short_id(text) is None:
        raise wrong(Code.FIELD_FORMAT, f"must be {_SHORT_ID_FORM}")
    return text


Id: TypeAlias = Annotated[str, Len(1, forms.MAX_TEXT)]
Text: TypeAlias = Annotated[str, Len(1)]
Uuid: TypeAlias = Annotated[str, Field(pattern=f"^{_UUID}$"), AfterValidator(str.lower)]
ShortId: TypeAlias = Annotated[str, AfterValidator(_checked_short_id), Field(json_schema_extra=_SHORT_ID_SCHEMA)]


@with_config(CLOSED)
class Platform(TypedDict, total=False):
    """Where the order lives in the e-commerce platform; one such order may give several of ours."""

    id: Required[Id]
    platform: Required[Text]
    storeName: Required[Text]


@with_config(CLOSED)
class CartItem(TypedDict, total=False):
    """One configured product; it has no id and is named by its position."""

    configurationId: Required[Id]
    count: Required[Annotated[int, Ge(1)]]
    metadata: FreeMap


@with_config(CLOSED)
class Order(TypedDict, total=False):
    """The body of the seed's create, and the four members that only a read shows."""

    name: Annotated[str, MaxLen(255)]
    customerId: Id
    originOrgId: Id
    platform: Platform
    metadata: FreeMap
    items: Annotated[list[FreeMap], Field(deprecated=True)]
    cart: list[CartItem]
    derivative: FreeMap
    status: Annotated[str, OneOf("status", STATUS)]
    orgId: Id
    id: Uuid
    shortId: ShortId
    createdAt: Rfc3339
    updatedAt: Rfc3339


NAMES: Final = (("order-id", "order-id", "id"), ("order-number", "order-ref", "shortId"))  # kind, header, member
FORMS: Final[Mapping[str, HeaderForm]] = {
    "tenant": forms.TENANT,
    "order-id": forms.A_UUID,
    "order-ref": HeaderForm(_short_id, _SHORT_ID_FORM, schema=_SHORT_ID_SCHEMA),
}
ADDRESSING: Final = frozenset(member for _, _, member in NAMES)
TIMES: Final = frozenset({"createdAt", "updatedAt"})  # the worker keeps its own
UPDATE: Final = Shape(Order, ignored=TIMES, addressing=ADDRESSING)
_CART: Final = TypeAdapter(list[CartItem])


def _headers(operation: Operation) -> Mapping[str, HeaderForm]:
    return {"tenant": FORMS["tenant"]} if operation is Operation.CREATE else FORMS


def _tenant(message: Message) -> str | None:
    owner = message.value.get("orgId")
    return message.headers.get("tenant") or (owner if isinstance(owner, str) else None)


def _identify(message: Message) -> tuple[Address, ...]:
    return () if message.operation is Operation.CREATE else tuple(_named(message))


def _named(message: Message) -> Iterator[Address]:
    """By header or member; both ids are unique over the whole dialect, so that nobody need know the owner."""
    for kind, name, member in NAMES:
        sent, given = message.headers.get(name), message.value.get(member)
        if sent:
            yield Address(kind, sent, header(name), shared=True)
        elif isinstance(given, str):
            yield Address(kind, given, member, shared=True)


def _identity(message: Message) -> Iterator[Problem]:
    value, sent = message.value, message.sent
    if message.operation is Operation.CREATE:
        if "orgId" not in value and "tenant" not in sent:
            yield Problem(Code.IDENTITY_MISSING, "orgId", "orgId or header tenant must name the owner")
    elif not any(name in sent or member in value for _, name, member in NAMES):
        yield Problem(Code.IDENTITY_MISSING, header("order-id"), "order-id or order-ref must name the order")
    for name, member in (("tenant", "orgId"), *((name, member) for _, name, member in NAMES)):
        given, named = value.get(member), message.headers.get(name)
        # Beside other problems the member is not yet in normal form.
        if named and isinstance(given, str) and FORMS[name].normal(given) != named:
            yield Problem(Code.IDENTITY_CONFLICT, member, f"differs from header {name}")


def _normalise(value: JsonObject, operation: Operation) -> Normalised:
    """The stated default, and old `items` converted into `cart` (contract 3.3)."""
    stated = {"status": DEFAULT_STATUS, **value} if operation is Operation.CREATE else value
    if "items" not in value or "cart" in value:
        return Normalised(stated)
    try:
        _CART.validate_python(value["items"])
    except ValidationError:
        return Normalised(stated, (Warned("ITEMS_NOT_CONVERTED", "items"),))
    return Normalised({**stated, "cart": value["items"]})


def _assign(body: JsonObject, before: JsonObject, ids: Identities) -> JsonObject:
    return {"id": before.get("id", ids.uuid()), "shortId": before.get("shortId", ids.short()), **body}


def _refs(body: JsonObject) -> dict[str, str | Mapping[str, str]]:
    refs: dict[str, str | Mapping[str, str]] = {"order_id": str(body["id"]), "order_number": str(body["shortId"])}
    match body.get("platform"):
        case {"id": str(id_), "platform": str(name), "storeName": str(store)}:
            refs["platform"] = {"id": id_, "name": name, "store": store}
    return refs


def _keys(body: JsonObject) -> tuple[Address, ...]:
    return tuple(Address(kind, str(body[member]), header(name), shared=True) for kind, name, member in NAMES)


def _canonical(body: JsonObject) -> Canonical:
    customer, cart = body.get("customerId"), body.get("cart")
    items = total(item["count"] for item in objects(cart)) or Decimal(0)
    return Canonical(
        customer={"id": customer} if isinstance(customer, str) else {},
        currency={"code": None},
        totals=present(items=None if cart is None else items),
    )


def _status(before: Status, body: JsonObject, rules: Rules) -> Status:
    value = str(body["status"])
    meaning = STATUS.get(value) or rules.added.get("status", {}).get(value)
    return meaning.over(before) if meaning else before  # a value that left the rules file changes nothing


def _warnings(body: JsonObject, site: Mapping[str, str]) -> Iterator[Warned]:  # noqa: ARG001  # no site here
    if "items" in body:
        yield Warned("DEPRECATED_FIELD", "items")


_OWNER: Final = "4b1c8f6e-2d3a-4c5b-8e9f-7a6b5c4d3e2f"
_FIRST: Final = "5512088091"

EXAMPLES: Final = (
    Example(
        title="Two lounge chairs, configured in a web shop",
        headers={"dialect": "configurator", "message-type": "order-create", "tenant": _OWNER},
        key=_FIRST,
        value={
            "name": "Lounge chair, oak and wool",
            "customerId": "a7d0c3b2-5e4f-4a1b-9c8d-6e7f8a9b0c1d",
            "platform": {"id": _FIRST, "platform": "Shopify", "storeName": "example-furniture"},
            "metadata": {"Sales Channel": "web", "Rush": False},
            "cart": [
                {
                    "configurationId": "9e8d7c6b-5a49-4382-b1c0-d9e8f7a6b5c4",
                    "count": 2,
                    "metadata": {"Engraving": "none"},
                },
            ],
            "derivative": {"Fabric": "Wool Grey", "Leg": "Oak"},
            "orgId": _OWNER,
        },
    ),
    Example(
        title="A desk from a shop that still sends the deprecated items",
        headers={"dialect": "configurator", "message-type": "order-create", "tenant": _OWNER},
        key="cfg-desk-17",
        value={
            "name": "Standing desk",
            "items": [{"configurationId": "1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b", "count": 1}],
            "status": "In Cart",
        },
    ),
    Example(
        title="The workshop has begun",
        headers={"dialect": "configurator", "message-type": "order-update", "operation": "order.patch"},
        key=_FIRST,
        value={"status": "In Progress", "metadata": {"Sales Channel": "web", "Rush": True}},
    ),
    Example(
        title="The chairs are done",
        headers={
            "dialect": "configurator",
            "message-type": "order-update",
            "operation": "order.patch",
            "tenant": _OWNER,
        },
        key=_FIRST,
        value={"status": "Complete"},
    ),
    Example(
        title="The whole order again: one chair has been cancelled, metadata and derivative are gone",
        headers={
            "dialect": "configurator",
            "message-type": "order-update",
            "operation": "order.replace",
            "tenant": _OWNER,
        },
        key=_FIRST,
        value={
            "name": "Lounge chair, oak and wool",
            "cart": [{"configurationId": "9e8d7c6b-5a49-4382-b1c0-d9e8f7a6b5c4", "count": 1}],
            "status": "Complete",
        },
    ),
)

DIALECT: Final = Dialect(
    name="configurator",
    shapes={
        Operation.CREATE: Shape(Order, read_only=ADDRESSING | TIMES),
        Operation.PATCH: UPDATE,
        Operation.REPLACE: UPDATE,
    },
    headers=_headers,
    tenant=_tenant,
    identify=_identify,
    identity=_identity,
    normalise=_normalise,
    rules=lambda _value, _whole, _rules: (),
    assign=_assign,
    refs=_refs,
    keys=_keys,
    canonical=_canonical,
    status=_status,
    native=lambda body: {"status": body["status"]},
    warnings=_warnings,
    kept=("status",),
    lines=Lines("cart"),
    vocabularies=("status",),
    examples=EXAMPLES,
)
