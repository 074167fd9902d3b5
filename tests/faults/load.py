"""The load: orders of all dialects over hot keys, each message with an id of its own in `correlation-id`."""

from collections import deque
from collections.abc import Mapping
from random import Random
from typing import Any, Final

from tests.faults.ledger import Entry, with_headers
from tests.faults.messages import a_hex24, a_uuid, create_of, update_of
from tests.faults.values import Target, Update, a_line, amounts, new_update, new_value
from tests.faults.wrongs import Wrong, spoiled
from tests.worker import Sent

REPEATED: Final = 0.03
WRONG: Final = 0.06  # by themselves
REFUSED: Final = 0.04  # because of the order as it stands
EARLY: Final = 0.02  # updates that come before their create
NEW: Final = 0.2  # of the rest
KEYS: Final = 150  # record keys, which orders share; a few are hot
HEAT: Final = 2.5  # 1 would choose all orders equally often
RECENT: Final = 60  # messages that may be repeated

TENANTS: Final = {
    "shopping-cart": (None, "example hospital"),
    "configurator": ("4b1c8f6e-2d3a-4c5b-8e9f-7a6b5c4d3e2f",),
    "subscription": ("6540c1de9f1b2c0012d4e501",),
    "b2b-commerce": (None, "acme/east"),
    "wishlist": ("example-retailer",),
}
NAMED_EARLY: Final = ("shopping-cart", "subscription", "wishlist")  # by a reference of the sender's own
UNGUESSABLE: Final = ("configurator", "subscription", "b2b-commerce")
ODD_HEADERS: Final = (("x-trace", b"\xff\xfe"), ("x-none", None), ("authorization", b"Bearer CANARY"))


class Load:
    """What to send next; it learns from the events which orders are there, and by what ids."""

    def __init__(self, seed: int, early: float = EARLY, orphaned: float = 0.0) -> None:
        self._chance = Random(seed)
        self._early, self._orphaned = early, orphaned  # orphaned: updates whose create never comes
        self._name = f"s{seed}"
        self._count = 0
        self._orders = 0
        self._pending: dict[str, Target] = {}  # by the id of their create
        self._known: list[Target] = []
        self._recent: deque[tuple[Target, Sent, Wrong | None]] = deque(maxlen=RECENT)
        self._late: deque[Target] = deque()  # whose update went ahead

    def next(self) -> Entry:
        """The next message."""
        roll = self._chance.random()
        if self._late and self._chance.random() < 0.05:
            return self._create(self._late.popleft())
        if roll < REPEATED and self._recent:
            return self._again()
        if roll < REPEATED + WRONG:
            return self._wrong()
        if roll < REPEATED + WRONG + REFUSED and self._known:
            return self._refused(self._some_known())
        if roll < REPEATED + WRONG + REFUSED + self._early + self._orphaned:
            return self._ahead(self._chance.random() * (self._early + self._orphaned) < self._orphaned)
        if not self._known or self._chance.random() < NEW:
            return self._create(self._new())
        return self._update(self._some_known())

    def rest(self) -> list[Entry]:
        """The creates of which only updates were sent so far."""
        late, self._late = list(self._late), deque()
        return [self._create(target) for target in late]

    def learn(self, event: Mapping[str, Any]) -> None:
        """Take note of an order that is there now."""
        data = event["data"]
        target = self._pending.pop(data["correlation_id"], None) if event["type"] == "order.created" else None
        if target:
            target.order_id = data["refs"]["order_id"]
            self._known.append(target)

    def _new(self, dialects: tuple[str, ...] = tuple(TENANTS)) -> Target:
        self._orders += 1
        number, chance = self._orders, self._chance
        dialect = chance.choice(dialects)
        uuid = a_uuid(chance)
        references = {"shopping-cart": uuid, "subscription": f"SUB {number}/ä", "wishlist": f"WEB-{number}"}
        return Target(
            number=number,
            dialect=dialect,
            tenant=chance.choice(TENANTS[dialect]),
            key=f"key-{int(KEYS * chance.random() ** HEAT)}".encode(),
            uuid=uuid,
            ref=references.get(dialect),
            version=int(chance.random() < 0.4),
        )

    def _some_known(self) -> Target:
        target = self._known[int(len(self._known) * self._chance.random() ** HEAT)]
        return self._some_known() if target.is_deleted and self._chance.random() < 0.9 else target

    def _create(self, target: Target) -> Entry:
        version = {"source_version": str(target.version)} if target.version else {}
        if target.number % 7 == 0 and target.dialect == "configurator":
            message = create_of(target, {**new_value(target, self._chance), "orgId": target.tenant}, **version)
        else:
            message = create_of(target, new_value(target, self._chance), **version)
        entry = self._entry(target, message)
        self._pending[entry.id] = target
        return entry

    def _update(self, target: Target) -> Entry:
        update = new_update(target, self._chance)
        target.is_deleted |= update.operation == "order.delete"
        more = {} if target.is_deleted else {**self._key(target), **self._version(target)}
        return self._entry(target, update_of(target, update, **self._address(target), **more))

    def _ahead(self, is_orphan: bool) -> Entry:  # noqa: FBT001  # one caller
        """An update of an order that is not there yet, or never will be."""
        target = self._new(NAMED_EARLY)
        self._late += [] if is_orphan else [target]
        update = Update("order.patch", new_value(target, self._chance))
        update.value.pop("cartId", None)
        return self._entry(target, update_of(target, update, **self._address(target), **self._key(target)))

    def _key(self, target: Target) -> dict[str, str]:
        if self._chance.random() > 0.3:
            return {}
        target.keys.append(a_uuid(self._chance))
        return {"idempotency_key": target.keys[-1]}

    def _version(self, target: Target) -> dict[str, str]:
        if not target.version or self._chance.random() < 0.5:
            return {}
        if self._chance.random() < 0.15:
            return {"source_version": str(max(0, target.version - self._chance.randint(0, 2)))}
        target.version += 1
        return {"source_version": str(target.version)}

    def _address(self, target: Target) -> dict[str, str]:
        by_id = {"order_id": target.order_id} if target.order_id else {}
        by_ref = {"order_ref": target.ref} if target.ref else {}
        return self._chance.choice([by_ref, by_ref, by_id, {**by_id, **by_ref}]) or by_id or by_ref

    def _again(self) -> Entry:
        target, message, wrong = self._chance.choice(self._recent)
        if target.is_deleted and "idempotency-key" in dict(message.headers):
            return self._create(self._new())  # the contracts leave open which of two rules comes first
        kept = tuple(header for header in message.headers if header[0] != "correlation-id")
        return self._entry(target, message._replace(headers=kept), wrong)

    def _wrong(self) -> Entry:
        target = self._some_known() if self._known and self._chance.random() < 0.5 else self._new()
        if target.order_id is None:
            right = create_of(target, new_value(target, self._chance))
        else:
            right = update_of(target, self._patch(target), **self._address(target))
        message, wrong = spoiled(right, self._chance)
        return self._entry(target, message, wrong)

    def _patch(self, target: Target) -> Update:
        update = new_update(target, self._chance)
        return update if update.operation == "order.patch" else self._patch(target)

    def _refused(self, target: Target) -> Entry:
        """A message that meets an order which does not admit it."""
        chance, dialect = self._chance, target.dialect
        kinds = {
            "other content": True,
            "other content, another key": dialect in ("subscription", "wishlist"),
            "unknown id": dialect in UNGUESSABLE,
            "two orders": dialect == "subscription" and not target.is_deleted,
            "key of the create": not target.is_deleted,
            "key of an update": bool(target.keys) and not target.is_deleted,
            "missing line": dialect == "wishlist",
            "taken line": dialect == "wishlist",
            "unequal twins": dialect == "wishlist",
        }
        kind = chance.choice([kind for kind, is_possible in kinds.items() if is_possible])
        return self._entry(target, _refused_message(kind, target, chance))

    def _entry(self, target: Target, message: Sent, wrong: Wrong | None = None) -> Entry:
        self._count += 1
        id_ = f"{self._name}-{self._count}"
        odd = ODD_HEADERS if self._chance.random() < 0.05 else ()
        if not any(name == "x-trace" for name, _ in message.headers):
            message = with_headers(message, odd)
        self._recent.append((target, message, wrong))
        return Entry(id_, with_headers(message, [("correlation-id", id_.encode())]), wrong)


def _refused_message(kind: str, target: Target, chance: Random) -> Sent:
    named = {"order_ref": target.ref} if target.ref else {"order_id": target.order_id or ""}
    other = new_update(target, chance)
    match kind:
        case "other content":
            return create_of(target, new_value(target, chance))
        case "other content, another key":
            return create_of(target, new_value(target, chance), idempotency_key=a_uuid(chance))
        case "unknown id":
            return update_of(target, other, order_id=_an_unknown_id(target, chance))
        case "two orders":
            return update_of(target, other, **named, order_id=a_hex24(chance))
        case "key of the create":
            return update_of(target, other, **named, idempotency_key=target.uuid)
        case "key of an update":
            return update_of(target, other, **named, idempotency_key=chance.choice(target.keys[-10:]))
        case "missing line":
            return update_of(target, Update("entry.update", {"quantity": 1}), **named, entry_ref="L9")
        case "taken line":
            return update_of(target, Update("entry.create", a_line(target, 1, chance)), **named)
        case _:
            return update_of(target, Update("order.patch", {"totalAmount": amounts(chance)["totalAmount"]}), **named)


def _an_unknown_id(target: Target, chance: Random) -> str:
    return a_uuid(chance) if target.dialect == "configurator" else a_hex24(chance)
