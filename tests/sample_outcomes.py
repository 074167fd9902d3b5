"""What the contracts say must come of every accepted sample, worked out without the code that is tested."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias
from urllib.parse import quote

from aiokafka import ConsumerRecord

Value: TypeAlias = dict[str, Any]

OUTCOMES: Final = {  # canonical status: order, payment, fulfilment (contracts 3); then codes of warnings
    "b2b-commerce/create-full": "completed paid fulfilled",
    "b2b-commerce/create-minimal": "created unpaid unfulfilled",
    "b2b-commerce/create-with-new-addresses-only": "created unpaid unfulfilled",
    "b2b-commerce/seed-create-request": "completed paid fulfilled BLANK_ROW_DROPPED BLANK_VALUE_DROPPED",
    "b2b-commerce/update-patch-clear-shipping-label": "completed paid fulfilled",
    "b2b-commerce/update-patch-fulfilment": "completed unpaid fulfilled",
    "b2b-commerce/update-patch-refund": "completed refunded fulfilled",
    "b2b-commerce/update-replace": "created authorized unfulfilled",
    "configurator/create-deprecated-items-converted": "created unknown unfulfilled DEPRECATED_FIELD",
    "configurator/create-deprecated-items-left-alone": (
        "created unknown unfulfilled DEPRECATED_FIELD ITEMS_NOT_CONVERTED"
    ),
    "configurator/create-empty-body-owner-in-header": "created unknown unfulfilled",
    "configurator/create-full": "created unknown unfulfilled",
    "configurator/create-minimal": "created unknown unfulfilled",
    "configurator/create-name-255-characters": "created unknown unfulfilled",
    "configurator/update-patch-cart-by-short-id": "created unknown unfulfilled",
    "configurator/update-patch-status-by-uuid": "in_progress unknown in_process",
    "configurator/update-replace-minimal": "created unknown unfulfilled",
    "configurator/update-replace-read-back-document": "completed unknown fulfilled",
    "shopping-cart/create-bounds": "created unknown unfulfilled",
    "shopping-cart/create-full": "created unknown unfulfilled",
    "shopping-cart/create-minimal": "created unknown unfulfilled",
    "shopping-cart/create-notes-null": "created unknown unfulfilled",
    "shopping-cart/update-patch-by-order-id": "created unknown unfulfilled",
    "shopping-cart/update-patch-clear-notes-by-create-key": "created unknown unfulfilled",
    "shopping-cart/update-replace": "created unknown unfulfilled",
    "subscription/create-full": "created unknown unfulfilled",
    "subscription/create-lower-bounds": "created unknown unfulfilled NO_SHIP_TO",
    "subscription/create-minimal": "created unknown unfulfilled",
    "subscription/create-numeric-zip-and-method-id": "created unknown unfulfilled" + 2 * " VALUE_NORMALISED",
    "subscription/seed-response-as-full-update": "created pending unfulfilled" + 6 * " VALUE_NORMALISED",
    "subscription/update-patch-by-order-reference": "created authorized unfulfilled",
    "subscription/update-patch-items-and-payments-by-order-number": "created pending unfulfilled",
    "subscription/update-patch-status-by-id": "in_progress unknown shipped",
    "subscription/update-replace": "completed unknown delivered",
    "wishlist/create-attribute-groups-as-array": "created unknown unfulfilled VALUE_NORMALISED",
    "wishlist/create-full": "in_progress paid in_process VALUE_NORMALISED",
    "wishlist/create-minimal": "created unknown unfulfilled",
    "wishlist/create-shipped-quantity-integer": "created unknown unfulfilled LINE_WITHOUT_PRODUCT",
    "wishlist/create-zero-decimal-currency": "created unknown unfulfilled",
    "wishlist/update-entry-create": "in_progress paid in_process VALUE_NORMALISED",
    "wishlist/update-entry-delete-by-id": "in_progress paid in_process DANGLING_REFERENCE VALUE_NORMALISED",
    "wishlist/update-entry-delete-by-ref": "in_progress paid in_process DANGLING_REFERENCE VALUE_NORMALISED",
    "wishlist/update-entry-update-by-id": "in_progress paid in_process VALUE_NORMALISED",
    "wishlist/update-entry-update-by-ref": "in_progress paid in_process VALUE_NORMALISED",
    "wishlist/update-order-delete": "in_progress paid in_process VALUE_NORMALISED",
    "wishlist/update-order-patch-by-id-in-value": "in_progress partially_refunded in_process VALUE_NORMALISED",
    "wishlist/update-order-patch-by-ref": "in_progress paid shipped VALUE_NORMALISED",
    "wishlist/update-order-replace": "completed paid delivered VALUE_NORMALISED",
}
WISHLIST_SEED: Final = (
    "created authorized delivered CURRENCY_NOT_ISO DEPRECATED_FIELD QUANTITY_NOT_NUMERIC" + 2 * " STATUS_FLAG_CONFLICT"
)

SHIPPED_TWO: Final = {'"quantityShipped": "2"': '"quantityShipped": 2'}
NORMALISED: Final[Mapping[str, Mapping[str, str]]] = {  # a text of the value as it was sent, and as it is stored
    "b2b-commerce/seed-create-request": {'"address2": "", ': "", '{"lineItemId": "", "quantity": ""}': ""},
    "configurator/create-deprecated-items-converted": {
        '"items": [': '"cart": [{"configurationId": "0b9c3f4a-2f5d-4a9e-8f3b-6f3b8a1c7d21", "count": 3, '
        '"metadata": {"Size": "L"}}], "items": ['
    },
    "subscription/create-numeric-zip-and-method-id": {
        '"zipCode": 2139': '"zipCode": "02139"',
        '"shipmentMethodId": 10000001': '"shipmentMethodId": "10000001"',
    },
    "subscription/seed-response-as-full-update": {
        '"zipCode": 98004': '"zipCode": "98004"',
        '"shipmentMethodId": 10000001': '"shipmentMethodId": "10000001"',
        '"sku": 1538910': '"sku": "1538910"',
        '"cardIdentifier": 4242': '"cardIdentifier": "4242"',
        '"token": 12345689': '"token": "12345689"',
    },
    "wishlist/create-attribute-groups-as-array": {
        '"attributeGroups": [{': '"attributeGroups": {"gift": {',
        '"is_obsolete": false}]': '"is_obsolete": false}}',
    },
    "wishlist/create-full": SHIPPED_TWO,
    "wishlist/update-order-replace": SHIPPED_TWO,
}
NOT_STORED: Final = {  # members of updates that only address the order, or that the worker keeps itself
    "configurator": {"id", "shortId", "createdAt", "updatedAt"},
    "subscription": {"_id", "orderId", "createdAt", "updatedAt", "revision", "totalQuantity"},
}
KEPT: Final = {  # what a replace does not remove when it leaves it out
    "configurator": {"status"},
    "subscription": {"cartId", "orderReference", "notes"},
    "wishlist": {
        "id", "orderRef", "created_at", "orderStatus", "paymentStatus", "deliveryStatus", "shippingState",
        "cancelled", "returned", "confirmed",
    },
}  # fmt: skip
ASSIGNED: Final = {  # what the worker adds to a body, and to the elements of its arrays (contracts 1.7)
    "b2b-commerce": {"": "id"},
    "configurator": {"": "id shortId"},
    "shopping-cart": {"": "orderId"},
    "subscription": {"": "_id orderId", "shipTo": "_id", "items": "_id", "payments": "_id"},
    "wishlist": {"": "id", "orderLines": "id"},
}

REFS: Final = {  # contracts 2.1, as far as they stand in the body
    "b2b-commerce": {"order_id": "id"},
    "configurator": {"order_id": "id", "order_number": "shortId"},
    "shopping-cart": {"order_id": "orderId"},
    "subscription": {"order_id": "_id", "order_number": "orderId", "order_ref": "orderReference", "cart_id": "cartId"},
    "wishlist": {"order_id": "id", "order_ref": "orderRef", "cart_id": "cartId"},
}
FORMS: Final = {  # contracts 1.7
    "b2b-commerce": {"order_id": "[0-9a-f]{24}"},
    "configurator": {"order_id": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "order_number": "[A-Za-z0-9_-]{4,36}"},
    "shopping-cart": {"order_id": "[1-9][0-9]*"},
    "subscription": {"order_id": "[0-9a-f]{24}", "order_number": r"\d{4}-\d{4}-\d{5}"},
    "wishlist": {"order_id": "[0-9a-f]{24}|string"},  # the seed's own samples bring one
}
NATIVE: Final = {  # contracts 2.6
    "b2b-commerce": ("orderStatus", "paymentStatus"),
    "configurator": ("status",),
    "shopping-cart": (),
    "subscription": ("status",),
    "wishlist": (
        "orderStatus", "paymentStatus", "deliveryStatus", "shippingState", "returned", "cancelled", "confirmed",
    ),
}  # fmt: skip
EVENT_REFS: Final = ("order_id", "order_number", "order_ref")


class Outcome(NamedTuple):
    """What the contracts say must come of a sample."""

    status: Mapping[str, str]
    warnings: list[str]


def outcome_of(name: str) -> Outcome:
    """Of the accepted sample of this name."""
    words = (WISHLIST_SEED if name.startswith("wishlist/seed-") else OUTCOMES[name]).split()
    return Outcome(dict(zip(("order", "payment", "fulfilment"), words, strict=False)), words[3:])


def normalised(name: str, value: Value) -> Value:
    """The value of a sample after the normalisations of its contract."""
    text = json.dumps(value)
    for sent, stored in NORMALISED.get(name, {}).items():
        assert sent in text
        text = text.replace(sent, stored)
    stated = {"status": "New"} if name.startswith("configurator/create-") else {}
    return {**stated, **json.loads(text)}


def changed(before: Value, dialect: str, operation: str, value: Value) -> Value:
    """*before* after an update of an order, or of its first line, that says *value*."""
    said = {member: part for member, part in value.items() if member not in NOT_STORED.get(dialect, ())}
    lines = before.get("orderLines", [])
    match operation:
        case "order.patch":
            return {member: part for member, part in {**before, **said}.items() if part is not None}
        case "order.replace":
            return {**{member: before[member] for member in KEPT.get(dialect, set()) & before.keys()}, **said}
        case "entry.create":
            return {**before, "orderLines": [*lines, said]}
        case "entry.update":
            return {**before, "orderLines": [{**lines[0], **said}, *lines[1:]]}
        case "entry.delete":
            return {**before, "orderLines": lines[1:]}
    return before


def without_assigned(body: Value, dialect: str, said: Value) -> Value:
    """A stored body without the ids that nobody sent."""
    names = ASSIGNED[dialect]
    bare = _without(body, names[""], said)
    for member in names.keys() & body.keys():
        pairs = zip(body[member], said[member], strict=True)
        bare[member] = [_without(part, names[member], sent) for part, sent in pairs]
    return bare


def _without(body: Value, assigned: str, said: Value) -> Value:
    return {member: part for member, part in body.items() if member in said or member not in assigned.split()}


def at(record: "ConsumerRecord[bytes, bytes]") -> datetime:
    """The time of a record."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=record.timestamp)


def refs_of(body: Value, headers: Mapping[str, str]) -> Value:
    """The ids of an order with this body, made by a create with these headers (contracts 2.1)."""
    refs: Value = {ref: str(body[member]) for ref, member in REFS[headers["dialect"]].items() if member in body}
    if headers["dialect"] == "shopping-cart":
        refs["order_ref"] = headers["idempotency-key"].lower()
    if "platform" in body:
        names = {"id": "id", "name": "platform", "store": "storeName"}
        refs["platform"] = {name: body["platform"][member] for name, member in names.items()}
    site = {part: headers[f"site-{part}"] for part in ("channel", "stage", "date") if f"site-{part}" in headers}
    return {**refs, "site": site} if site else refs


def native(document: Mapping[str, Any]) -> Value:
    """The dialect's own statuses, as far as they are there."""
    body = document["body"]
    return {name: body[name] for name in NATIVE[document["dialect"]] if name in body}


def envelope(
    document: Mapping[str, Any],
    cause: "ConsumerRecord[bytes, bytes]",
    number: int,
    kind: str,
    before: Mapping[str, str] | None,
    after: Mapping[str, str] | None,
) -> Value:
    """The event of interface 3, the last of this document."""
    id_, dialect, tenant = str(document["_id"]), document["dialect"], document["tenant"]
    correlation_id = dict(cause.headers).get("correlation-id")
    parts = ("order", "payment", "fulfilment")
    return {
        "specversion": "1.0",
        "id": f"{id_}:{number}",
        "type": kind,
        "source": f"/orderstream/{dialect}" + (f"/{quote(tenant, safe='')}" if tenant else ""),
        "subject": id_,
        "time": at(cause).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {
            "order_id": id_,
            "dialect": dialect,
            "tenant": tenant,
            "refs": {name: ref for name, ref in document["refs"].items() if name in EVENT_REFS},
            "sequence": number,
            "revision": number,
            "from": before,
            "to": after,
            "changed": [part for part in parts if not before or not after or before[part] != after[part]],
            "native": native(document),
            "cause": f"{cause.topic}/{cause.partition}/{cause.offset}",
            "correlation_id": correlation_id and correlation_id.decode(),
        },
    }


def event_headers(event: Value) -> dict[str, bytes]:
    """Those of interface 3, where known."""
    data = event["data"]
    known = {"dialect": data["dialect"], "tenant": data["tenant"], "correlation-id": data["correlation_id"]}
    texts = {name: known_text.encode() for name, known_text in known.items() if known_text is not None}
    return {"content-type": b"application/cloudevents+json; charset=utf-8", **texts}
