"""Messages that are wrong in themselves, each in one way, and how they must be refused."""

import json
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, NamedTuple

from tests.worker import Sent


class Wrong(NamedTuple):
    """The one problem that a message has."""

    code: str
    path: str


MALFORMED = Wrong("MALFORMED_JSON", "value")


def spoiled(right: Sent, chance: Random) -> tuple[Sent, Wrong]:
    """The message with one thing wrong."""
    if chance.random() < 0.5:
        return _with_bad_member(right, chance)
    return chance.choice(_SPOILERS)(right)


def _with_bad_member(right: Sent, chance: Random) -> tuple[Sent, Wrong]:
    member, bad, wrong = chance.choice(_MEMBERS[_header(right, "dialect")])
    value = {**json.loads(right.value or b""), member: bad}
    return right._replace(value=json.dumps(value).encode()), wrong


def _header(message: Sent, name: str) -> str:
    return (dict(message.headers)[name] or b"").decode()


def _with_header(message: Sent, name: str, text: bytes) -> Sent:
    return message._replace(headers=tuple({**dict(message.headers), name: text}.items()))


def _without_header(message: Sent, name: str) -> Sent:
    return message._replace(headers=tuple(header for header in message.headers if header[0] != name))


def _is_cut(right: Sent) -> tuple[Sent, Wrong]:
    return right._replace(value=(right.value or b"")[:-1]), MALFORMED


def _is_no_text(right: Sent) -> tuple[Sent, Wrong]:
    return right._replace(value=b"\xff\xfe" + (right.value or b"")), MALFORMED


def _is_an_array(right: Sent) -> tuple[Sent, Wrong]:
    return right._replace(value=b"[" + (right.value or b"") + b"]"), MALFORMED


def _says_it_twice(right: Sent) -> tuple[Sent, Wrong]:
    return right._replace(value=b'{"twice": 1, "twice": 2}'), MALFORMED


def _is_a_tombstone(right: Sent) -> tuple[Sent, Wrong]:
    return right._replace(value=None), MALFORMED


def _has_no_key(right: Sent) -> tuple[Sent, Wrong]:
    return right._replace(key=b""), Wrong("KEY_MISSING", "key")


def _is_of_no_dialect(right: Sent) -> tuple[Sent, Wrong]:
    return _with_header(right, "dialect", b"klingon"), Wrong("UNKNOWN_DIALECT", "headers.dialect")


def _says_no_dialect(right: Sent) -> tuple[Sent, Wrong]:
    return _without_header(right, "dialect"), Wrong("HEADER_MISSING", "headers.dialect")


def _says_no_type(right: Sent) -> tuple[Sent, Wrong]:
    return _without_header(right, "message-type"), Wrong("HEADER_MISSING", "headers.message-type")


def _asks_for_what_is_not_there(right: Sent) -> tuple[Sent, Wrong]:
    return _with_header(right, "operation", b"order.fly"), Wrong("UNSUPPORTED_OPERATION", "headers.operation")


def _has_a_bad_idempotency_key(right: Sent) -> tuple[Sent, Wrong]:
    return _with_header(right, "idempotency-key", b"again"), Wrong("HEADER_INVALID", "headers.idempotency-key")


def _has_a_bad_version(right: Sent) -> tuple[Sent, Wrong]:
    return _with_header(right, "source-version", b"-1"), Wrong("HEADER_INVALID", "headers.source-version")


def _has_a_member_too_many(right: Sent) -> tuple[Sent, Wrong]:
    value = {**json.loads(right.value or b""), "surprise": True}
    return right._replace(value=json.dumps(value).encode()), Wrong("FIELD_UNKNOWN", "surprise")


_SPOILERS: tuple[Callable[[Sent], tuple[Sent, Wrong]], ...] = (
    _is_cut,
    _is_no_text,
    _is_an_array,
    _says_it_twice,
    _is_a_tombstone,
    _has_no_key,
    _is_of_no_dialect,
    _says_no_dialect,
    _says_no_type,
    _asks_for_what_is_not_there,
    _has_a_bad_idempotency_key,
    _has_a_bad_version,
    _has_a_member_too_many,
)

_MEMBERS: Mapping[str, tuple[tuple[str, Any, Wrong], ...]] = {
    "shopping-cart": (
        ("requesterId", 0, Wrong("FIELD_RANGE", "requesterId")),
        ("userId", "7", Wrong("FIELD_TYPE", "userId")),
        ("shippingMethod", "", Wrong("FIELD_LENGTH", "shippingMethod")),
        ("useShippingAccount", None, Wrong("FIELD_NULL", "useShippingAccount")),
    ),
    "configurator": (
        ("status", "Lost", Wrong("FIELD_ENUM", "status")),
        ("name", "x" * 256, Wrong("FIELD_LENGTH", "name")),
        ("cart", {}, Wrong("FIELD_TYPE", "cart")),
        ("cart", [{"configurationId": "c", "count": 0}], Wrong("FIELD_RANGE", "cart[0].count")),
    ),
    "subscription": (
        ("orderTotal", 0, Wrong("FIELD_RANGE", "orderTotal")),
        ("status", "SHIPPED", Wrong("FIELD_ENUM", "status")),
        ("orderCurrency", "US", Wrong("FIELD_LENGTH", "orderCurrency")),
        ("tags", ["monthly", 7], Wrong("FIELD_TYPE", "tags[1]")),
    ),
    "b2b-commerce": (
        ("customer", "nobody", Wrong("FIELD_FORMAT", "customer")),
        ("paymentStatus", "maybe", Wrong("FIELD_ENUM", "paymentStatus")),
        ("shippingCost", -1, Wrong("FIELD_RANGE", "shippingCost")),
        ("lineItems", [{"quantity": 1}], Wrong("FIELD_MISSING", "lineItems[0].price")),
    ),
    "wishlist": (
        ("orderStatus", "LOST", Wrong("FIELD_ENUM", "orderStatus")),
        ("totalItems", -1, Wrong("FIELD_RANGE", "totalItems")),
        ("email", None, Wrong("FIELD_NULL", "email")),
        ("totalAmount", "1.00", Wrong("FIELD_TYPE", "totalAmount")),
    ),
}
