"""What must come of the messages: the contracts' rules for the members that the load uses, and nothing else.

It shares no code with the worker. What is wrong with a message by itself it is told by the sender's ledger.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from tests.faults.addresses import Address, Named, address, named_by_create, named_by_update
from tests.faults.canonical import NEW, RULES, Body, Status
from tests.faults.history import Found
from tests.faults.updates import UNCHANGED, Outcome, Said, changed_body
from tests.faults.wrongs import Wrong

SEEN: Final = 50  # idempotency keys of updates that an order remembers
PLATFORM: Final = {"id": "id", "name": "platform", "store": "storeName"}


class Change(NamedTuple):
    """A status event; *after* is None for a deleted order."""

    revision: int
    at: datetime
    before: Status | None
    after: Status | None
    native: Body
    cause: Found


class Assigned(NamedTuple):
    """The ids that an order was given: updates may name it by them."""

    order_id: str
    order_number: str | None = None


@dataclass(slots=True)
class Order:
    """An order as its messages made it."""

    dialect: str
    tenant: str | None
    created: Found
    said: Body  # by the create
    body: Body
    status: Status
    key: str | None  # idempotency key of its create
    version: int | None
    updated_at: datetime
    addresses: set[tuple[str, str]]
    refs: dict[str, Any]  # without those that the worker assigns
    revision: int = 1
    deleted_at: datetime | None = None
    changes: list[Change] = field(default_factory=list)
    seen: list[tuple[str, tuple[str, Body]]] = field(default_factory=list)
    decided: dict[str, str] = field(default_factory=dict)  # position -> outcome
    repeats: int = 0  # equal creates, each of which is answered by the first event again

    @property
    def native(self) -> Body:
        """The dialect's own status values."""
        return {name: self.body[name] for name in RULES[self.dialect].native if name in self.body}


@dataclass(slots=True)
class World:
    """All orders by the position of their create, and what is refused."""

    orders: dict[str, Order] = field(default_factory=dict)
    rejected: dict[str, Wrong] = field(default_factory=dict)  # by position


def folded(
    creates: Sequence[Found],
    updates: Sequence[Found],
    wrong: Mapping[str, Wrong],
    assigned: Mapping[str, Assigned],
) -> World:
    """Every order's creates, then its updates, as they stand in their partitions.

    *wrong* is by `correlation-id`, *assigned* by the position of the create.
    """
    model = _Model(assigned)
    for record in (*_in_order(creates), *_in_order(updates)):
        problem = wrong.get(record.header("correlation-id") or "")
        if problem:
            model.world.rejected[record.position] = problem
        elif record.header("operation") is None:
            model.create(Said.by(record))
        else:
            model.update(Said.by(record))
    return model.world


def _in_order(records: Iterable[Found]) -> list[Found]:
    return sorted(records, key=lambda record: (record.partition, record.offset))


class _Model:
    def __init__(self, assigned: Mapping[str, Assigned]) -> None:
        self.world = World()
        self._assigned = assigned
        self._by_address: dict[Address, Order] = {}

    def create(self, said: Said) -> None:
        named = list(named_by_create(said))
        for one in named:
            order = self._found(said, one)
            if order:
                self._decide(order, said, _met(order, said, one))
                return
        self._add(_new_order(said, named))

    def update(self, said: Said) -> None:
        named = list(named_by_update(said))
        order = next(filter(None, (self._found(said, one) for one in named)), None)
        if order is None:
            self.world.rejected[said.record.position] = Wrong("ORDER_NOT_FOUND", named[0].path)
            return
        strange = next((one.path for one in named if (one.kind, one.value) not in order.addresses), None)
        conflict = Wrong("IDENTITY_CONFLICT", strange) if strange else None
        self._decide(order, said, conflict or _meets(order, said, named[0].path))

    def _add(self, order: Order) -> None:
        given = self._assigned.get(order.created.position)
        if given:
            order.addresses |= {("order-id", given.order_id), ("order-number", given.order_number or "")}
        for kind, value in order.addresses:
            self._by_address[address(order.dialect, order.tenant, kind, value)] = order
        self.world.orders[order.created.position] = order

    def _found(self, said: Said, one: Named) -> Order | None:
        return self._by_address.get(address(said.dialect, said.tenant, one.kind, one.value))

    def _decide(self, order: Order, said: Said, outcome: Outcome) -> None:
        position = said.record.position
        if isinstance(outcome, Wrong):
            self.world.rejected[position] = outcome
            order.decided[position] = "rejected"
            return
        _remember(order, said)
        order.decided[position] = UNCHANGED if outcome == UNCHANGED else "applied"
        if isinstance(outcome, dict):
            _apply(order, said, outcome)


def _met(order: Order, said: Said, one: Named) -> Outcome:
    """A create meets an order that is there (contracts 1.5)."""
    if said.value == order.said:
        order.repeats += 1
        return UNCHANGED
    return Wrong("IDEMPOTENCY_CONFLICT" if one.kind == "idempotency-key" else "DUPLICATE_ORDER", one.path)


def _meets(order: Order, said: Said, path: str) -> Outcome:
    """An update meets its order."""
    if order.deleted_at:
        return UNCHANGED if said.operation == "order.delete" else Wrong("ORDER_NOT_FOUND", path)
    return _said_before(order, said) or changed_body(order.dialect, order.body, said)


def _said_before(order: Order, said: Said) -> Outcome | None:
    conflict = Wrong("IDEMPOTENCY_CONFLICT", "headers.idempotency-key")
    if said.key and said.key == order.key:
        return conflict
    earlier = dict(order.seen[-SEEN:]).get(said.key or "")
    if earlier:
        return UNCHANGED if earlier == (said.operation, said.value) else conflict
    is_stale = said.version is not None and order.version is not None and said.version <= order.version
    return UNCHANGED if is_stale else None


def _remember(order: Order, said: Said) -> None:
    if said.operation == "order.create":
        return
    if said.key and said.key not in dict(order.seen[-SEEN:]):
        order.seen.append((said.key, (said.operation, said.value)))
    if said.version is not None:
        order.version = max(said.version, -1 if order.version is None else order.version)


def _new_order(said: Said, named: Iterable[Named]) -> Order:
    body = dict(said.value)
    order = Order(
        dialect=said.dialect,
        tenant=said.tenant,
        created=said.record,
        said=said.value,
        body=body,
        status=RULES[said.dialect].status(NEW, body),
        key=said.key,
        version=said.version,
        updated_at=said.at,
        addresses={(one.kind, one.value) for one in named},
        refs=_refs(said, body),
        decided={said.record.position: "applied"},
    )
    order.changes.append(Change(1, said.at, None, order.status, order.native, said.record))
    return order


def _refs(said: Said, body: Body) -> dict[str, Any]:
    match said.dialect:
        case "shopping-cart":
            return {"order_ref": said.key}
        case "configurator":
            return {"platform": {name: body["platform"][member] for name, member in PLATFORM.items()}}
        case "subscription":
            return {"order_ref": body["orderReference"], "cart_id": body["cartId"]}
        case "wishlist":
            return {"order_ref": body["orderRef"]}
        case _:
            return {}


def _apply(order: Order, said: Said, body: Body) -> None:
    before, is_deleted = order.status, said.operation == "order.delete"
    order.body = body
    order.revision += 1
    order.updated_at = max(order.updated_at, said.at)
    if is_deleted:
        order.deleted_at = said.at
    else:
        order.status = RULES[order.dialect].status(before, body)
    if is_deleted or order.status != before:
        after = None if is_deleted else order.status
        order.changes.append(Change(order.revision, said.at, before, after, order.native, said.record))
