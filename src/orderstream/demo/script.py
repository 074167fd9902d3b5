"""What the demo sends: every dialect's examples, and what a worker refuses or repeats."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from orderstream.commands import Kind
from orderstream.dialect import Dialect, Example
from orderstream.dialects import DIALECTS
from orderstream.messages import Message, message, of_example

NOBODYS_ORDER: Final = "60b5b8b08766410008dd72be"


class Step(NamedTuple):
    """One message; *about*: the dialect to whose first order it goes."""

    title: str
    message: Message
    about: str | None = None


class Act(NamedTuple):
    """Messages that belong together."""

    title: str
    steps: tuple[Step, ...]


def acts() -> Iterator[Act]:
    """The dialects one after the other, then the exceptions."""
    for dialect in DIALECTS.values():
        yield Act(dialect.name, tuple(_steps(dialect)))
    yield Act("what is refused, and what is repeated", tuple(_exceptions()))


def _steps(dialect: Dialect) -> Iterator[Step]:
    for example in dialect.examples:
        sent = of_example(example)
        yield Step(example.title, sent, dialect.name if sent.kind is Kind.UPDATE else None)


def _exceptions() -> Iterator[Step]:
    again = DIALECTS["shopping-cart"].examples[0]
    yield Step("The first order once more, as a retry would send it", of_example(again), "shopping-cart")
    order = DIALECTS["b2b-commerce"].examples[0]
    yield Step("An order with three mistakes", _wrong(order))
    yield Step("An update of an order that nobody has created", _to_nobody(order))


def _wrong(order: Example) -> Message:
    value = {**order.value, "orderStatus": "shipped", "coupon": "SPRING"}
    del value["customer"]
    return message(Kind.CREATE, order.key, order.headers, value)


def _to_nobody(order: Example) -> Message:
    headers: Mapping[str, str] = {
        **order.headers,
        "message-type": Kind.UPDATE.value,
        "operation": "order.patch",
        "order-id": NOBODYS_ORDER,
    }
    return message(Kind.UPDATE, order.key, headers, {"orderStatus": "fulfilled"})
