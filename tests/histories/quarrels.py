"""Orders of one tenant that claim one another's lines: the outcome hangs on the order of updates among orders."""

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Final

from orderstream.commands import Record
from orderstream.json_text import JsonObject
from orderstream.order import Position
from tests.builders import a_message
from tests.histories.orders import Message
from tests.worker import Sent

REFS: Final = ("A", "B", "C")
KEYS: Final = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
STATUSES: Final = ("SHIPPED", "COMPLETE", "CREATED", "FAX")


class Quarrel:
    """All creates, then, when they are done, updates."""

    def __init__(self, number: int, chance: Random) -> None:
        self._number, self._chance = number, chance
        creates = [self._a_create(ref) for ref in REFS]
        creates += [chance.choice([*creates, self._another()]) for _ in range(chance.randint(0, 3))]
        self._creates = len(creates)
        self._records = deque([*creates, *(self._an_update() for _ in range(chance.randint(4, 12)))])

    @property
    def has_more(self) -> bool:
        """Whether anything is left."""
        return bool(self._records)

    @property
    def is_early(self) -> bool:
        """No update is sent before its create."""
        return False

    def learn(self, at: datetime, position: Position) -> None:
        """Nobody here uses ids that the worker gives."""

    def next(self) -> Message:
        """The next message."""
        record = self._records.popleft()
        topic = record.kind.value.removeprefix("order-")
        sent = Sent(topic, record.key, record.value, record.headers)
        return Message(sent, creates=self._creates if topic == "update" else 0)

    def _a_create(self, ref: str) -> Record:
        line: JsonObject = {"id": self._line(f"own-{ref}"), "productRef": "p"}
        return a_message("order.create", {"orderRef": self._ref(ref), "orderLines": [line], "orderStatus": "CREATED"})

    def _another(self) -> Record:
        """One that meets an order that is there, or would take a line from one."""
        line: JsonObject = {"id": self._line(self._chance.choice(["own-A", "7"]))}
        values: list[JsonObject] = [
            {"orderRef": self._ref("A"), "email": "x"},
            {"orderRef": self._ref("D"), "orderLines": [line]},
            {"orderRef": self._ref("D"), "channel": "FAX"},
        ]
        return a_message("order.create", self._chance.choice(values))

    def _an_update(self) -> Record:
        chance, ref = self._chance, self._chance.choice((*REFS, "none") if self._chance.random() < 0.2 else REFS)
        line, order = self._line(chance.choice(["7", "8", "own-A"])), {"order_ref": self._ref(ref)}
        choices: list[tuple[str, JsonObject, Mapping[str, str]]] = [
            ("order.patch", {"orderStatus": chance.choice(STATUSES)}, order),
            ("order.replace", {"orderStatus": chance.choice(STATUSES)}, order),
            ("order.patch", {"orderLines": [{"id": line}]}, order),
            ("entry.create", {"id": line, "quantity": 1}, order),
            ("entry.create", {"id": line, "quantity": 1}, order),
            ("entry.update", {"quantity": 2}, {**order, "entry_id": line}),
            ("entry.delete", {}, {**order, "entry_id": line}),
            ("entry.delete", {}, {"entry_id": self._line(f"own-{ref}")}),
            ("order.delete", {}, order),
        ]
        operation, value, named = chance.choice(choices)
        return a_message(operation, value, **named, **self._beside())

    def _beside(self) -> dict[str, str]:
        version = {"source_version": self._chance.choice("1234")} if self._chance.random() < 0.2 else {}
        return {**version, "idempotency_key": self._chance.choice(KEYS)} if self._chance.random() < 0.2 else version

    def _ref(self, ref: str) -> str:
        return f"{ref}{self._number}"

    def _line(self, line: str) -> str:
        return f"{line}-{self._number}"
