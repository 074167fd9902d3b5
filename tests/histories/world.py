"""A small world made from a seed: what stands in the input topics, and what its senders had seen before."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from random import Random
from typing import Final, NamedTuple

from orderstream.commands import Kind, Record
from orderstream.ledger import Partition
from orderstream.order import Position
from tests.builders import NOW
from tests.faults.ledger import Entry, with_headers
from tests.histories.orders import Message, OrderSender, Sender
from tests.histories.quarrels import Quarrel

PARK_SECONDS: Final = 60.0  # longer than it takes to send all messages, but for a leap
LEAP: Final = timedelta(seconds=2 * PARK_SECONDS)  # only while no update is sent whose create is still to come
STEPS_MS: Final = (0, 1, 40, 900)
QUARRELS: Final = 0.1  # of the worlds
MOST_MESSAGES: Final = 25


class Sending(NamedTuple):
    """A record, and what its sender had seen before he sent it."""

    record: Record
    entry: Entry
    order: str | None  # document id of an order whose first event he had seen
    refused: Sequence[Position]  # messages whose rejections he had seen
    creates: int  # so many of the partition's creates were done


class World(NamedTuple):
    """What a history is played with."""

    seed: int
    logs: Mapping[Partition, Sequence[Sending]]
    quarrels: bool  # whether orders get in one another's way, of which the model knows nothing
    workers: int
    kept: int  # decisions that an order keeps at least
    folded: int  # bytes of orders that the updates of a batch may go over
    loaded: int  # bytes of orders that a batch may have in memory

    @property
    def numbers(self) -> Sequence[int]:
        """The partition numbers."""
        return sorted({number for _, number in self.logs})

    @property
    def messages(self) -> int:
        """How many there are."""
        return sum(map(len, self.logs.values()))


def made(seed: int) -> World:
    """The world of this seed."""
    chance = Random(f"{seed}/world")
    quarrels, partitions = chance.random() < QUARRELS, chance.choice((1, 1, 2))
    logs: dict[Partition, Sequence[Sending]] = {}
    for number in range(partitions):
        orders = range(10 * number, 10 * number + chance.choice((1, 1, 2, 3)))
        senders: list[Sender] = (
            [Quarrel(number, chance)]
            if quarrels
            else [OrderSender(n, chance, is_alone=len(orders) == 1) for n in orders]
        )
        logs |= _Topics(seed, number, chance).written(senders, MOST_MESSAGES // partitions)
    return World(
        seed=seed,
        logs=logs,
        quarrels=quarrels,
        workers=chance.choice((1, 2, 2, 2, 3)),
        kept=50 if quarrels else chance.choice((1, 1, 2, 50)),  # with a decision goes the id of a removed line
        folded=chance.choice((1, 500, 2**20)),
        loaded=chance.choice((1, 2_000, 2**22)),
    )


class _Topics:
    """One partition number of both."""

    def __init__(self, seed: int, number: int, chance: Random) -> None:
        self._seed, self._number, self._chance = seed, number, chance
        self._logs: dict[Partition, list[Sending]] = {(kind.value, number): [] for kind in Kind}
        self._at = NOW

    def written(self, senders: Sequence[Sender], most: int) -> Mapping[Partition, Sequence[Sending]]:
        """What the senders send, in turns by chance; time leaps while nothing waits for its create."""
        for count in range(most):
            ready = [sender for sender in senders if sender.has_more]
            if not ready:
                break
            self._write(self._chance.choice(ready), count)
            self._at += timedelta(milliseconds=self._chance.choice(STEPS_MS))
            if self._chance.random() < 0.05 and not any(sender.is_early for sender in senders):
                self._at += LEAP
        return self._logs

    def _write(self, sender: Sender, count: int) -> None:
        message = sender.next()
        kind = Kind(f"order-{message.sent.topic}")
        position = Position(kind.value, self._number, len(self._logs[kind.value, self._number]))
        self._logs[position[:2]].append(self._sending(message, kind, position, f"{self._seed}-{self._number}-{count}"))
        sender.learn(self._at, position)

    def _sending(self, message: Message, kind: Kind, position: Position, id_: str) -> Sending:
        sent = with_headers(message.sent, [("correlation-id", id_.encode())])
        record = Record(kind, position, self._at, sent.key, sent.value, sent.headers)
        return Sending(record, Entry(id_, sent, message.wrong), message.order, message.refused, message.creates)
