"""One order's messages, in the order in which its sender sends them."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias

from orderstream.identity import Identities, document_id
from orderstream.order import Position
from tests.faults.load import NAMED_EARLY, TENANTS, UNGUESSABLE
from tests.faults.messages import a_hex24, a_uuid, create_of, update_of
from tests.faults.values import Target, Update, amounts, new_update, new_value
from tests.faults.wrongs import Wrong, spoiled
from tests.worker import Sent

DIALECTS: Final = (*TENANTS, "wishlist", "subscription")  # the two with most to them twice as often
ORPHANED: Final = 0.15  # of the orders that can be named early: their create never comes
LATE: Final = 0.5  # of orders alone: their create comes when the early updates have been refused
NOT_FOUND: Final = Wrong("ORDER_NOT_FOUND", "headers.order-ref")

Step: TypeAlias = Literal["early", "create", "update", "again", "other", "repeat", "wrong", "refused", "delete"]
LATER: Final[Sequence[Step]] = ("update", "again", "other", "repeat", "wrong", "refused", "delete")
WEIGHTS: Final = (60, 8, 4, 8, 7, 9, 4)


class Message(NamedTuple):
    """What is sent next."""

    sent: Sent
    wrong: Wrong | None = None  # what is wrong with it by itself
    order: str | None = None  # document id of an order whose first event its sender has seen
    refused: Sequence[Position] = ()  # messages whose rejections he has seen
    creates: int = 0  # so many of the partition's creates were done before


class Sender(Protocol):
    """Who has messages to send."""

    @property
    def has_more(self) -> bool:
        """Whether anything is left."""

    @property
    def is_early(self) -> bool:
        """Whether an update is sent whose create is still to come."""

    def next(self) -> Message:
        """The next message."""

    def learn(self, at: datetime, position: Position) -> None:
        """The last message stands there."""


class OrderSender:
    """Sends one order of some dialect, right and wrong, early, twice and once more with other words."""

    def __init__(self, number: int, chance: Random, *, is_alone: bool) -> None:
        dialect, uuid = chance.choice(DIALECTS), a_uuid(chance)
        references = {"shopping-cart": uuid, "subscription": f"SUB {number}/ä", "wishlist": f"WEB-{number}"}
        self._target = Target(
            number=number,
            dialect=dialect,
            tenant=chance.choice(TENANTS[dialect]),
            key=f"key-{number}".encode(),
            uuid=uuid,
            ref=references.get(dialect),
            version=int(chance.random() < 0.4),
        )
        self._chance = chance
        self._is_late = is_alone and dialect in NAMED_EARLY and chance.random() < LATE
        self._steps = deque(_steps(dialect, chance))
        self._create: Sent | None = None
        self._document: str | None = None
        self._updates: list[Message] = []
        self._early: list[Position] = []  # updates that were sent before the create

    @property
    def has_more(self) -> bool:
        """Whether anything is left."""
        return bool(self._steps)

    @property
    def is_early(self) -> bool:
        """Whether an update is sent whose create is still to come."""
        return bool(self._early) and "create" in self._steps

    def learn(self, at: datetime, position: Position) -> None:
        """The last message stands there; the ids that come of a create are known to whoever sees its event."""
        if self._create is None:
            self._early.append(position)
        elif self._document is None:
            self._document = document_id(at, position)
            ids = {"shopping-cart": None, "configurator": Identities(self._document, position).uuid()}
            self._target.order_id = ids.get(self._target.dialect, self._document)

    def next(self) -> Message:
        """The next message."""
        message = self._next(self._steps.popleft())
        if not self._is_late:
            return message
        if self._create is None:
            return message._replace(wrong=NOT_FOUND)
        return message._replace(order=self._document, refused=self._early)

    def _next(self, step: Step) -> Message:
        match step:
            case "create":
                self._create = self._a_create()
                return Message(self._create)
            case "again":
                return Message(self._create or self._a_create())
            case "other":
                return self._another()
            case "wrong":
                return self._wrong()
            case "refused":
                return self._refused()
            case "repeat":
                return self._repeat()
            case "delete" if self._target.dialect == "wishlist":
                return self._update(Update("order.delete", {}))
            case _:
                return self._update(new_update(self._target, self._chance))

    def _a_create(self) -> Sent:
        version = {"source_version": str(self._target.version)} if self._target.version else {}
        return create_of(self._target, new_value(self._target, self._chance), **version)

    def _another(self) -> Message:
        """The same order with other content."""
        has_another_key = self._target.ref and self._target.dialect != "shopping-cart" and self._chance.random() < 0.5
        key = {"idempotency_key": a_uuid(self._chance)} if has_another_key else {}
        return Message(create_of(self._target, new_value(self._target, self._chance), **key))

    def _update(self, update: Update, **more: str) -> Message:
        is_plain = self._target.is_deleted or update.operation == "order.delete" or bool(more)
        beside = more if is_plain else {**self._key(), **self._version()}
        self._target.is_deleted |= update.operation == "order.delete"
        message = self._named(update, by_id=self._chance.random() < 0.3, **beside)
        self._updates += [] if self._target.is_deleted else [message]
        return message

    def _named(self, update: Update, *, by_id: bool, **more: str) -> Message:
        """Addressed by what the sender knows."""
        ref, order_id = self._target.ref, self._target.order_id
        if order_id is None or (ref and not by_id):
            return Message(update_of(self._target, update, order_ref=ref or "", **more))
        both = {"order_ref": ref} if ref and self._chance.random() < 0.5 else {}
        return Message(update_of(self._target, update, order_id=order_id, **both, **more), order=self._document)

    def _key(self) -> dict[str, str]:
        if self._chance.random() > 0.3:
            return {}
        self._target.keys.append(a_uuid(self._chance))
        return {"idempotency_key": self._target.keys[-1]}

    def _version(self) -> dict[str, str]:
        if not self._target.version or self._chance.random() < 0.5:
            return {}
        if self._chance.random() < 0.2:
            return {"source_version": str(self._target.version - 1)}
        self._target.version += 1
        return {"source_version": str(self._target.version)}

    def _repeat(self) -> Message:
        if self._target.is_deleted or not self._updates:
            return self._update(new_update(self._target, self._chance))
        return self._chance.choice(self._updates)

    def _wrong(self) -> Message:
        if self._chance.random() < 0.4:
            return Message(*spoiled(self._a_create(), self._chance))
        right = self._named(self._patch(), by_id=True)
        sent, wrong = spoiled(right.sent, self._chance)
        return right._replace(sent=sent, wrong=wrong)

    def _patch(self) -> Update:
        update = new_update(self._target, self._chance)
        return update if update.operation == "order.patch" else self._patch()

    def _refused(self) -> Message:
        """An update that its order does not admit."""
        chance, target = self._chance, self._target
        update = new_update(target, chance)
        if target.is_deleted:
            return self._update(update)
        if target.keys and chance.random() < 0.3:
            return self._update(update, idempotency_key=chance.choice(target.keys))
        if target.dialect == "wishlist" and chance.random() < 0.7:
            return self._update(chance.choice([_missing_line(), _unequal_twins(chance)]))
        if target.dialect in UNGUESSABLE and chance.random() < 0.5:
            return self._strange(update)
        return self._update(update, idempotency_key=target.uuid)

    def _strange(self, update: Update) -> Message:
        """An id that nobody has, alone or beside a right reference."""
        order_id = a_uuid(self._chance) if self._target.dialect == "configurator" else a_hex24(self._chance)
        if self._target.ref and self._chance.random() < 0.5:
            sent = update_of(self._target, update, order_id=order_id, order_ref=self._target.ref)
            return Message(sent, order=self._document)
        return Message(update_of(self._target, update, order_id=order_id))


def _steps(dialect: str, chance: Random) -> Sequence[Step]:
    if dialect not in NAMED_EARLY:
        return ["create", *_later(chance)]
    if chance.random() < ORPHANED:
        return ["early"] * chance.randint(1, 2)
    return [*["early"] * chance.choice((0, 1, 2, 3)), "create", *_later(chance)]  # type: ignore[list-item]


def _later(chance: Random) -> Sequence[Step]:
    return chance.choices(LATER, WEIGHTS, k=chance.randint(1, 6))


def _missing_line() -> Update:
    return Update("entry.update", {"quantity": 1}, {"entry-ref": "L9"})


def _unequal_twins(chance: Random) -> Update:
    """Most probably other than the amount in minor units that the order has."""
    return Update("order.patch", {"totalAmount": amounts(chance)["totalAmount"]})
