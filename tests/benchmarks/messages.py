"""What is sent: B2B orders of a given size, patches over a hot set of them, all dialects mixed.

Peers find an order by an `id` in the value, which the worker's dialect has no place for: there it is the header
`order-id`, and the id is one that the worker assigns.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final, NamedTuple

import orjson

from tests.faults.load import TENANTS
from tests.faults.messages import a_uuid, create_of
from tests.faults.values import Target, new_value
from tests.faults.wrongs import spoiled
from tests.load import HEADERS, ORDER_STATUS
from tests.worker import Sent

RECORD_KEYS: Final = 10_000  # which orders share
BYTES: Final = 1_200
INVALID: Final = 0.02
DIALECTS: Final = tuple(TENANTS)


class Known(NamedTuple):
    """An order that updates may address."""

    id: str
    key: bytes


def peer_id(number: int) -> str:
    """The id under which peers keep an order."""
    return f"{number:024x}"


def creates(count: int, *, first: int = 0, size: int = BYTES, for_peer: bool = False) -> Iterator[Sent]:
    """Orders of about *size* bytes; each message's correlation id is its peer id."""
    chance = Random(first)
    for number in range(first, first + count):
        value = _order(chance, number, size)
        headers = (*HEADERS, ("message-type", b"order-create"), ("correlation-id", peer_id(number).encode()))
        named = {"id": peer_id(number), **value} if for_peer else value
        yield Sent("create", _key(number), orjson.dumps(named), headers)


def updates(count: int, hot: Sequence[Known], *, for_peer: bool = False, seed: int = 1) -> Iterator[Sent]:
    """Patches, spread evenly over the hot orders."""
    chance = Random(seed)
    for _ in range(count):
        order = chance.choice(hot)
        value = {"id": order.id, **_patch(chance)} if for_peer else _patch(chance)
        headers = (
            *HEADERS, ("message-type", b"order-update"), ("operation", b"order.patch"), ("order-id", order.id.encode()),
        )  # fmt: skip
        yield Sent("update", order.key, orjson.dumps(value), headers)


def mixed(count: int, seed: int = 1) -> Iterator[tuple[Sent, bool]]:
    """Creates of all dialects in turn, and whether each is right."""
    chance = Random(seed)
    for number in range(1, count + 1):
        right = _create(number, DIALECTS[number % len(DIALECTS)], chance)
        if chance.random() < INVALID:
            yield spoiled(right, chance)[0], False
        else:
            yield right, True


def _key(number: int) -> bytes:
    return b"k%d" % (number % RECORD_KEYS)


def _order(chance: Random, number: int, size: int) -> dict[str, Any]:
    lines = [_line(chance) for _ in range(max(1, (size - 300) // 117))]
    return {
        "customer": f"{number % 50_000:024x}",
        "paymentStatus": "unpaid",
        "orderStatus": "pending",
        "billingAddress": "63356b3b3a6353a69043680b",
        "shippingAddressId": "63356b3b3a6353a69043680c",
        "shippingCost": round(chance.random() * 100, 2),
        "currency": {"currency": "USD", "symbol": "$"},
        "lineItems": lines,
    }


def _line(chance: Random) -> dict[str, Any]:
    return {
        "productId": f"{chance.getrandbits(96):024x}",
        "variantId": f"{chance.getrandbits(96):024x}",
        "quantity": chance.randint(1, 9),
        "price": round(chance.random() * 1000, 2),
    }


def _patch(chance: Random) -> dict[str, Any]:
    return {
        "orderStatus": chance.choice(list(ORDER_STATUS)),
        "paymentStatus": chance.choice(["unpaid", "paid", "refunded"]),
        "shippingCost": round(chance.random() * 10_000, 2),
    }


def _create(number: int, dialect: str, chance: Random) -> Sent:
    references = {"subscription": f"SUB-{number}", "wishlist": f"WEB-{number}"}
    uuid = a_uuid(chance)
    target = Target(
        number=number, dialect=dialect, tenant=chance.choice(TENANTS[dialect]), key=_key(number), uuid=uuid,
        ref=uuid if dialect == "shopping-cart" else references.get(dialect),
    )  # fmt: skip
    return create_of(target, new_value(target, chance))
