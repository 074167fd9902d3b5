"""Where the fuzz starts: the samples, and right messages drawn from the dialects' models, with the orders they meet."""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings

from orderstream.answers import Circumstances, Item
from orderstream.batch import decide
from orderstream.commands import Headers, Kind
from orderstream.decode import Contracts, decode
from orderstream.dialects import DIALECTS
from orderstream.documents import to_document
from orderstream.order import Order
from tests.builders import a_record
from tests.members import written
from tests.right_messages import Sent, creates
from tests.sample_play import SAMPLES, UPDATES, Message, addressed, create_before, verbatim

DRAWN: Final = 40  # of each dialect


class Start(NamedTuple):
    """A message, and the orders that are there when it comes."""

    kind: Kind
    key: bytes | None
    value: bytes
    headers: Headers
    orders: Sequence[Order] = ()


@cache
def of_samples() -> list[Start]:
    """All of them; an update that is right meets an order that it is right for."""
    return [_of_sample(name) for name in SAMPLES]


def _of_sample(name: str) -> Start:
    if name not in UPDATES:
        return _start(verbatim(name))
    order = _made_by(create_before(name).message)
    return _start(addressed(name, to_document(order)), order)


def _start(message: Message, *orders: Order) -> Start:
    headers = tuple((name, text.encode()) for name, text in message.headers.items())
    kind = Kind(message.headers.get("message-type", Kind.CREATE))
    return Start(kind, message.key.encode(), json.dumps(message.value).encode(), headers, orders)


def _made_by(message: Message) -> Order:
    record = a_record(value=message.value, headers=message.headers, key=message.key)
    numbers = {record.position: 100_482}
    (write,) = decide([Item(record, decode(record, Contracts()))], (), Circumstances(numbers=numbers)).writes
    return write.after


def of_models(chance: int) -> list[Start]:
    """Right creates of every dialect, others for every *chance*."""
    return [start for dialect in DIALECTS for start in _drawn(dialect, chance)]


def _drawn(dialect: str, chance: int) -> Iterator[Start]:
    drawn: list[Sent] = []

    @seed(chance)
    @settings(
        max_examples=DRAWN, phases=[Phase.generate], deadline=None, database=None, derandomize=False,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(creates(dialect))
    def draw(sent: Sent) -> None:
        drawn.append(sent)

    draw()
    for sent in drawn:
        headers = tuple((name, text.encode()) for name, text in sent.headers.items())
        yield Start(Kind.CREATE, b"k", written(sent.value).encode(), headers)
