"""A load of B2B orders, and the plain fold that says what must come of it."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tests.worker import Sent

ORDER_STATUS = {"pending": "created", "fulfilled": "completed", "cancelled": "cancelled"}
FULFILMENT = {"pending": "unfulfilled", "fulfilled": "fulfilled"}  # cancelled leaves it as it is
HEADERS = (("dialect", b"b2b-commerce"), ("tenant", b"acme"))


class Expected(NamedTuple):
    """What an order must look like at the end."""

    body: Mapping[str, Any]
    status: tuple[str, str, str]
    events: Sequence[tuple[str, str, str]]  # the status after each event
    revision: int


def creates(count: int, keys: int, seed: int = 1) -> list[Sent]:
    """*count* orders over *keys* record keys."""
    chance = random.Random(seed)
    headers = (*HEADERS, ("message-type", b"order-create"))
    return [Sent("create", f"k{n % keys}".encode(), _text(_order(chance, n)), headers) for n in range(count)]


def updates(order_ids: Sequence[str], keys: Mapping[str, bytes], count: int, seed: int = 2) -> list[Sent]:
    """*count* patches and replaces over these orders, some of which change nothing."""
    chance = random.Random(seed)
    return [_update(chance, n, chance.choice(order_ids), keys) for n in range(count)]


def folded(created: Mapping[str, Sent], updated: Sequence[Sent]) -> dict[str, Expected]:
    """Per order id what its messages make of it, in the order in which they were sent."""
    orders = {id_: _new(json.loads(message.value or b"")) for id_, message in created.items()}
    for message in updated:
        headers = dict(message.headers)
        id_ = (headers["order-id"] or b"").decode()
        value = json.loads(message.value or b"")
        before = orders[id_]
        body = {**before.body, **value} if headers["operation"] == b"order.patch" else value
        orders[id_] = _changed(before, body)
    return orders


def _order(chance: random.Random, n: int) -> dict[str, Any]:
    return {
        "customer": f"{n:024x}",
        "paymentStatus": "unpaid",
        "orderStatus": "pending",
        "billingAddress": "63356b3b3a6353a69043680b",
        "shippingAddressId": "63356b3b3a6353a69043680c",
        "shippingCost": round(chance.random() * 100, 2),
        "lineItems": [{"quantity": chance.randint(1, 9), "price": round(chance.random() * 1000, 2)}],
    }


def _update(chance: random.Random, n: int, id_: str, keys: Mapping[str, bytes]) -> Sent:
    operation = b"order.replace" if chance.random() < 0.2 else b"order.patch"
    value = _order(chance, n) if operation == b"order.replace" else {}
    value["orderStatus"] = chance.choice(list(ORDER_STATUS))
    if chance.random() < 0.5:
        value["paymentStatus"] = chance.choice(["unpaid", "paid", "refunded"])
    headers = (*HEADERS, ("message-type", b"order-update"), ("operation", operation), ("order-id", id_.encode()))
    return Sent("update", keys[id_], _text(value), headers)


def _text(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value).encode()


def _new(body: Mapping[str, Any]) -> Expected:
    status = ("created", "unpaid", "unfulfilled")
    return Expected(body, status, [status], 1)


def _changed(before: Expected, body: Mapping[str, Any]) -> Expected:
    if body == before.body:
        return before
    native = body["orderStatus"]
    status = (ORDER_STATUS[native], body["paymentStatus"], FULFILMENT.get(native, before.status[2]))
    events = before.events if status == before.status else [*before.events, status]
    return Expected(body, status, events, before.revision + 1)


def steps(messages: Sequence[Sent], parts: int) -> Iterator[Sequence[Sent]]:
    """The messages in so many parts."""
    size = -(-len(messages) // parts)
    return (messages[start : start + size] for start in range(0, len(messages), size))
