"""The orders of a batch: as they were loaded and as they become, found by any of their addresses (pure; design 3)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from orderstream.answers import AnotherRecordError
from orderstream.commands import Command, Operation
from orderstream.identity import document_id
from orderstream.order import Decision, Order


class CutError(Exception):
    """A decision hangs on another order that this batch changes: the batch ends between the two."""


class OrdersAtHand:
    """What `decide` sees and changes."""

    def __init__(self, stored: Iterable[Order]) -> None:
        self.stored = {order.id: order for order in stored}
        self.now = dict(self.stored)
        self.touched: dict[str, None] = {}  # to be written, in this order
        self._holders = {key: order.id for order in self.stored.values() for key in order.lookup_keys}
        self._asked: dict[str, set[str]] = defaultdict(set)  # key that an order lacks -> orders decided by its lack

    def is_held(self, key: str) -> bool:
        """Whether an order has this address."""
        return key in self._holders

    def is_held_by_another(self, key: str, order: Order) -> bool:
        """Whether this address stands in the way of *order*."""
        return self._holders.get(key, order.id) != order.id

    def found(self, command: Command) -> list[Order]:
        """Every order that any address of the command finds, first found first."""
        ids = [self._holders[key] for key in (*command.keys, *command.brought) if key in self._holders]
        if command.operation is Operation.CREATE:
            ids.append(document_id(command.at, command.position))
        orders = (self.now[id_] for id_ in dict.fromkeys(ids) if id_ in self.now)
        return [order for order in orders if command.tenant in (None, order.tenant)]

    def remember(self, command: Command, order: Order) -> None:
        """Which addresses that the order lacks its decision may hang on."""
        for key in (*command.keys, *command.brought):
            if key not in self.now[order.id].lookup_keys:
                self._asked[key].add(order.id)

    def put(self, order: Order, *, may_cut: bool) -> None:
        """The order as it is from here on. Raises `CutError`, where there is something to be cut off from."""
        before = self.now.get(order.id)
        keys = before.lookup_keys if before else ()
        if may_cut and self._asked and (before is None or keys != order.lookup_keys):
            self._beware(order, keys)
        self.now[order.id] = order
        self.touched[order.id] = None
        if before is None or keys != order.lookup_keys:
            for key in keys:
                self._holders.pop(key, None)
            self._holders.update(dict.fromkeys(order.lookup_keys, order.id))

    def _beware(self, order: Order, before: Iterable[str]) -> None:
        """A key must not change hands in the batch in which another order was decided by who has it."""
        if any(self._asked.get(key, set()) - {order.id} for key in {*before} ^ {*order.lookup_keys}):
            raise CutError


def known(command: Command, found: Sequence[Order]) -> tuple[Order, Decision] | None:
    """The decision on this record, if one of the orders has it. Raises `AnotherRecordError`."""
    for order in found:
        for decision in order.ledger.decisions:
            if decision.position == command.position:
                if decision.digest != command.digest:
                    raise AnotherRecordError(command.position, order.id)
                return order, decision
    return None


def target(command: Command, found: Sequence[Order]) -> Order | None:
    """The order that takes the decision; lines that an update brings do not name one."""
    if command.operation is Operation.CREATE:
        return next(iter(found), None)
    return next((order for order in found if not set(command.keys).isdisjoint(order.lookup_keys)), None)
