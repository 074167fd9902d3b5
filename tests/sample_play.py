"""The samples as messages on real servers, each in a scope of its own, and updates behind a create of their own."""

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple
from uuid import UUID

from aiokafka import ConsumerRecord

from orderstream.settings import Settings
from tests.builders import samples
from tests.sample_outcomes import Value, normalised
from tests.worker import Sent, Worker, caught_up, documents, read, send

SAMPLES: Final = {f"{path.parent.name}/{path.stem}": json.loads(path.read_text()) for path in samples()}
REJECTED: Final = [name for name, sample in SAMPLES.items() if sample["expect"] == "reject"]
ACCEPTED: Final = [name for name in SAMPLES if name not in REJECTED]
UPDATES: Final = [name for name in ACCEPTED if SAMPLES[name]["headers"]["message-type"] == "order-update"]
CREATES: Final = [name for name in ACCEPTED if name not in UPDATES]
SCOPES: Final = ("tenant", "site-account", "idempotency-key")
IDS: Final[Mapping[str, tuple[str | int, ...]]] = {  # an address in the samples, and where the order has what it is
    "100482": ("refs", "order_id"),
    "550e8400-e29b-41d4-a716-446655440000": ("refs", "order_ref"),
    "f2a4c6e8-1b3d-4f5a-8c7e-9d0b1a2c3e4f": ("refs", "order_id"),
    "k3Jd8sQa": ("refs", "order_number"),
    "60b5b8b08766410008dd72be": ("refs", "order_id"),
    "2468-1668-79485": ("refs", "order_number"),
    "64f0a1b2c3d4e5f60718293a": ("refs", "order_id"),
    "ord-9001": ("refs", "order_id"),
    "ent-501": ("body", "orderLines", 0, "id"),
}
ANOTHER: Final[Mapping[str, Value]] = {  # for a create that uses a known idempotency key again
    "b2b-commerce": {"shippingLabel": "DHL"},
    "configurator": {"name": "Lounge chair, beech"},
    "shopping-cart": {"notes": "Dock 5."},
    "subscription": {"notes": "No gift wrap"},
    "wishlist": {"email": "robin@example.com"},
}
TENANTS: Final = ("north", "south")


class Message(NamedTuple):
    """A message as a sample file has it."""

    headers: dict[str, str]
    key: str
    value: Value

    def replaced(self, texts: Mapping[str, str]) -> "Message":
        """With other texts, wherever they stand."""
        whole = json.dumps(self)
        for text, other in texts.items():
            whole = whole.replace(json.dumps(text), json.dumps(other))
        return Message(*json.loads(whole))

    def sent(self) -> Sent:
        """As it goes out."""
        topic = self.headers["message-type"].removeprefix("order-")
        headers = tuple((name, text.encode()) for name, text in self.headers.items())
        return Sent(topic, self.key.encode(), json.dumps(self.value).encode(), headers)


class Create(NamedTuple):
    """A create, and the value that the order should hold."""

    message: Message
    stored: Value


class Played(NamedTuple):
    """What the worker left behind; positions are `topic/partition/offset`."""

    positions: Mapping[str, str]  # of messages, by name
    records: Mapping[str, "ConsumerRecord[bytes, bytes]"]  # of the input topics, by position
    orders: Mapping[str, Mapping[str, Any]]  # documents, by the position of their create
    events: Sequence["ConsumerRecord[bytes, bytes]"]
    rejected: Sequence["ConsumerRecord[bytes, bytes]"]

    def record(self, name: str) -> "ConsumerRecord[bytes, bytes]":
        """A message as it stands in its topic."""
        return self.records[self.positions[name]]

    def order(self, create: str) -> Mapping[str, Any]:
        """The document that this create made."""
        return self.orders[self.positions[create]]

    def events_by(self, name: str) -> list["ConsumerRecord[bytes, bytes]"]:
        """The events that this message caused."""
        cause = self.positions[name]
        return [event for event in self.events if json.loads(event.value or b"")["data"]["cause"] == cause]

    def rejections_of(self, name: str) -> list["ConsumerRecord[bytes, bytes]"]:
        """What stands in the rejected topic of this message."""
        position = self.positions[name].encode()
        return [record for record in self.rejected if dict(record.headers)["rejection-id"] == position]


def code_of(rejected: str) -> str:
    """The code with which a sample is rejected."""
    because: str = SAMPLES[rejected]["because"]
    return because.split(":")[0]


def verbatim(name: str) -> Message:
    """The message of a sample file."""
    return Message(*(SAMPLES[name][part] for part in Message._fields))


def scoped(name: str, scope: str) -> Message:
    """A sample with a tenant and an idempotency key of *scope* alone, where it has them; its references stay."""
    message = verbatim(name)
    given = (*(message.headers.get(header) for header in SCOPES), message.value.get("orgId"))
    return message.replaced({text: _own(text, scope) for text in given if text is not None})


def create(name: str, scope: str) -> Create:
    """An accepted create."""
    message = scoped(name, scope)
    return Create(message, normalised(name, message.value))


def create_before(update: str) -> Create:
    """The create of the order that an accepted update is played on: in the update's tenant, under its own key."""
    base = create(base_of(update), scope=update)
    tenant = scoped(update, update).headers.get("tenant")
    headers = {name: text for name, text in base.message.headers.items() if name != "tenant"}
    message = base.message._replace(headers=headers if tenant is None else {**headers, "tenant": tenant})
    if update == "wishlist/seed-entry-create-request":  # it brings the line itself
        return Create(message._replace(value=_without_lines(message.value)), _without_lines(base.stored))
    return Create(message, base.stored)


def base_of(update: str) -> str:
    """The sample that makes its order."""
    if update == "b2b-commerce/update-patch-fulfilment":
        return "b2b-commerce/create-minimal"  # of which it changes the status
    return "wishlist/seed-create-request" if "wishlist/seed" in update else f"{dialect_of(update)}/create-full"


def dialect_of(name: str) -> str:
    """The folder of a sample."""
    return name.split("/")[0]


def _without_lines(value: Value) -> Value:
    return {member: part for member, part in value.items() if member != "orderLines"}


def addressed(update: str, order: Mapping[str, Any]) -> Message:
    """An accepted update with the ids that its order was given, the key of its create, and an id to find it by."""
    message = scoped(update, update)
    text = json.dumps(message)
    message = message.replaced({id_: _at(order, place) for id_, place in IDS.items() if json.dumps(id_) in text})
    return message._replace(headers={**message.headers, "correlation-id": update}, key=order["record_key"])


def _at(order: Mapping[str, Any], place: Iterable[str | int]) -> str:
    found: Any = order
    for step in place:
        found = found[step]
    return str(found)


async def play(settings: Settings, worker: Worker) -> Played:
    """Send what needs no order, then the updates of the orders that this made; update `u` follows `before u`."""
    positions = await _sent(settings, first_messages())
    orders = by_create(await documents(settings))
    found = {update: orders.get(positions[f"before {update}"]) for update in UPDATES}
    last = {update: addressed(update, order) for update, order in found.items() if order}
    positions |= await _sent(settings, last | {f"late {dialect}": _repeat(dialect) for dialect in ANOTHER})
    assert await worker.stop() == 0
    taken = [*await read(settings, settings.topic_create), *await read(settings, settings.topic_update)]
    return Played(
        positions=positions,
        records={f"{record.topic}/{record.partition}/{record.offset}": record for record in taken},
        orders=by_create(await documents(settings)),
        events=await read(settings, settings.topic_status),
        rejected=await read(settings, settings.topic_rejected),
    )


def first_messages() -> dict[str, Message]:
    """Everything that needs no order."""
    messages = {name: verbatim(name) for name in REJECTED}
    messages |= {name: create(name, scope=name).message for name in CREATES}
    messages |= {f"before {name}": create_before(name).message for name in UPDATES}
    for dialect, member in ANOTHER.items():
        first = scoped(f"{dialect}/create-full", scope="again")
        messages |= {f"first {dialect}": first, f"repeat {dialect}": _repeat(dialect)}
        messages |= {f"other {dialect}": first._replace(value={**first.value, **member})}
    return messages | {f"in {tenant}": scoped("wishlist/create-minimal", scope=tenant) for tenant in TENANTS}


def _repeat(dialect: str) -> Message:
    """The dialect's first create in other words."""
    first = scoped(f"{dialect}/create-full", scope="again")
    return first._replace(value=dict(reversed(first.value.items())))


async def _sent(settings: Settings, messages: Mapping[str, Message]) -> dict[str, str]:
    """Send, wait until all are handled, and give the position of each."""
    positions = await send(settings, [message.sent() for message in messages.values()])
    await caught_up(settings)
    return dict(zip(messages, positions, strict=True))


def by_create(found: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Documents by the position of the create that made them."""
    return {document["history"][0]["cause"]: document for document in found}


def _own(text: str, scope: str) -> str:
    """Another text of the same form."""
    digest = sha256(f"{scope} {text}".encode()).hexdigest()
    if _is_uuid(text):
        own = str(UUID(digest[:32]))
        return own.upper() if text.isupper() else own
    return digest[:24] if len(text) == 24 else f"{text}/{scope}"


def _is_uuid(text: str) -> bool:
    return len(text) == 36 and [len(part) for part in text.split("-")] == [8, 4, 4, 4, 12]
