"""What a bad input is, and what must come of it; the words with which the groups are written."""

import json
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from orderstream.commands import Headers
from tests.members import Value

Verdict: TypeAlias = Literal["applied", "unchanged", "parked"]
Place: TypeAlias = tuple[str, str]  # code and path of a problem


class Refused(NamedTuple):
    """Rejected for these problems; *all_of_them* when there are more than are listed."""

    problems: tuple[Place, ...]
    all_of_them: int | None = None


class Input(NamedTuple):
    """One message, and what must come of it; *at* is the record's timestamp in milliseconds, None is now."""

    topic: Literal["create", "update"]
    key: bytes | None
    value: bytes | None
    headers: Headers
    outcome: Verdict | Refused
    at: int | None = None


class Case(NamedTuple):
    """A bad input, or several in a row that are bad together."""

    name: str
    inputs: tuple[Input, ...]


Maker: TypeAlias = Callable[[str], tuple[Input, ...]]


def named(group: str, makers: Mapping[str, Maker]) -> list[Case]:
    """The cases of a group; a maker is given the case's whole name, by which its orders differ from all others."""
    return [Case(f"{group}/{name}", make(f"{group}/{name}")) for name, make in makers.items()]


TENANT: Final = "acme"
ACCOUNT: Final = "account-of-24-characters"


def hex24(name: str) -> str:
    """24 hex characters that belong to this name."""
    return sha256(name.encode()).hexdigest()[:24]


def uuid(name: str) -> str:
    """A UUID that belongs to this name."""
    digest = sha256(name.encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def right(dialect: str, name: str) -> dict[str, Value]:
    """The value of a small right create."""
    match dialect:
        case "wishlist":
            return {"orderRef": name}
        case "shopping-cart":
            ids = ("requesterId", "userId", "facilityId", "shippingAddressId", "billingAddressId")
            return {**dict.fromkeys(ids, 7), "shippingMethod": "Ground"}
        case "configurator":
            return {"name": name}
        case "subscription":
            users = {"cartId": hex24(name), "customerUserId": hex24(f"user of {name}"), "orderReference": name}
            money = {"orderCurrency": "USD", "orderTotal": 41.5, "taxTotal": 2.5}
            return {**users, **money, "channel": 12, "status": "ORDER_CREATED", "shipTo": [{"shipToId": 1}]}
        case _:
            addresses = {"billingAddress": hex24("bill"), "shippingAddressId": hex24("ship")}
            line = {"quantity": 1, "price": 2.5}
            status = {"paymentStatus": "unpaid", "orderStatus": "pending"}
            return {"customer": hex24(name), **addresses, **status, "lineItems": [line]}


def headers_of(dialect: str, name: str, /, **changed: str | bytes | None) -> Headers:
    """The headers of a create, *changed* put over them: underscores for hyphens, None takes one away."""
    scope = {"subscription": {"site-account": ACCOUNT}}.get(dialect, {"tenant": TENANT})
    key = {"shopping-cart": {"idempotency-key": uuid(name)}}.get(dialect, {})
    sent = {"dialect": dialect, "message-type": "order-create", **scope, **key}
    texts = {**sent, **{header.replace("_", "-"): text for header, text in changed.items()}}
    return tuple(
        (header, text.encode() if isinstance(text, str) else text) for header, text in texts.items() if text is not None
    )


def outcome_of(problems: Iterable[Place]) -> Verdict | Refused:
    """Without a problem it is applied."""
    listed = tuple(problems)
    return Refused(listed) if listed else "applied"


def create(members: Mapping[str, Any], *problems: Place, of: str = "wishlist", **headers: str | bytes | None) -> Maker:
    """A small right create with these members put over it."""

    def make(name: str) -> tuple[Input, ...]:
        value = json.dumps({**right(of, name), **members}).encode()
        return (Input("create", name.encode(), value, headers_of(of, name, **headers), outcome_of(problems)),)

    return make


def spelled(text: str, *problems: Place, of: str = "wishlist") -> Maker:
    """A small right create with this text put in behind its members."""

    def make(name: str) -> tuple[Input, ...]:
        value = f"{json.dumps(right(of, name))[:-1]}, {text}}}".encode()
        return (Input("create", name.encode(), value, headers_of(of, name), outcome_of(problems)),)

    return make


def raw(value: bytes | None, *problems: Place, of: str = "wishlist", **headers: str | bytes | None) -> Maker:
    """These bytes as the value of a create."""

    def make(name: str) -> tuple[Input, ...]:
        return (Input("create", name.encode(), value, headers_of(of, name, **headers), outcome_of(problems)),)

    return make


def reworked(rework: Callable[[bytes], bytes], *problems: Place) -> Maker:
    """A small right create whose bytes are changed."""

    def make(name: str) -> tuple[Input, ...]:
        value = rework(json.dumps(right("wishlist", name)).encode())
        return (Input("create", name.encode(), value, headers_of("wishlist", name), outcome_of(problems)),)

    return make


def keyed(key: bytes | None, *problems: Place) -> Maker:
    """A right create with this record key."""

    def make(name: str) -> tuple[Input, ...]:
        value = json.dumps(right("wishlist", name)).encode()
        return (Input("create", key, value, headers_of("wishlist", name), outcome_of(problems)),)

    return make


def headed(*more: tuple[str, bytes | None], problems: Iterable[Place] = ()) -> Maker:
    """A right create with these headers behind its own."""

    def make(name: str) -> tuple[Input, ...]:
        value = json.dumps(right("wishlist", name)).encode()
        headers = (*headers_of("wishlist", name), *more)
        return (Input("create", name.encode(), value, headers, outcome_of(problems)),)

    return make


def update(
    operation: str, value: Mapping[str, Any], *problems: Place, verdict: Verdict = "applied", **headers: str | None
) -> Maker:
    """An update of the order that the case is given, which has the name of the case as its reference."""

    def make(name: str) -> tuple[Input, ...]:
        return (an_update(name, operation, value, Refused(problems) if problems else verdict, **headers),)

    return make


def an_update(
    name: str, operation: str, value: Mapping[str, Any], outcome: Verdict | Refused, /, **headers: str | bytes | None
) -> Input:
    """One of several."""
    own = {"message_type": "order-update", "operation": operation, "order_ref": name}
    sent = headers_of("wishlist", name, **{**own, **headers})
    return Input("update", name.encode(), json.dumps(value).encode(), sent, outcome)
