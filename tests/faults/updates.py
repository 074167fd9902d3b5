"""What a message says, and what an update makes of a body: the half of the model that is about values."""

import json
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple, TypeAlias

from tests.faults.canonical import RULES, Body
from tests.faults.history import Found
from tests.faults.wrongs import Wrong

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
UNCHANGED: Final = "unchanged"

Outcome: TypeAlias = Body | Wrong | Literal["unchanged"]  # a body: applied


class Said(NamedTuple):
    """A message that is right in itself."""

    record: Found
    dialect: str
    tenant: str | None
    operation: str
    key: str | None  # idempotency key
    version: int | None  # at its source
    value: Body

    @classmethod
    def by(cls, record: Found) -> "Said":
        """What a record says, in normal form."""
        dialect, version = record.header("dialect") or "", record.header("source-version")
        return cls(
            record=record,
            dialect=dialect,
            tenant=record.header("site-account") or record.header("tenant"),
            operation=record.header("operation") or "order.create",
            key=(record.header("idempotency-key") or "").lower() or None,
            version=None if version is None else int(version),
            value=_value(dialect, record),
        )

    @property
    def at(self) -> datetime:
        """When the record says that it was sent."""
        return EPOCH + timedelta(milliseconds=self.record.at)


def changed_body(dialect: str, body: Body, said: Said) -> Outcome:
    """The body that an update leaves behind, or why it leaves it as it is."""
    match said.operation:
        case "order.delete":
            return body
        case "order.patch":
            after: Outcome = _patched(body, said.value)
        case "order.replace":
            kept = {name: body[name] for name in RULES[dialect].kept if name in body}
            after = {**kept, **said.value}
        case _:
            after = _with_line(body, said)
    if not isinstance(after, dict):
        return after
    return _judged(after) or (UNCHANGED if after == body else after)


def _value(dialect: str, record: Found) -> Body:
    value: Body = json.loads(record.value or b"")
    if dialect == "b2b-commerce" and "customer" in value:
        value["customer"] = value["customer"].lower()
    stated = RULES[dialect].defaults if record.header("operation") is None else {}
    return {**stated, **value}


def _patched(body: Body, value: Body) -> Body:
    """Null clears."""
    both = {**body, **value}
    return {name: member for name, member in both.items() if value.get(name, member) is not None}


def _with_line(body: Body, said: Said) -> Outcome:
    lines: list[Body] = body.get("orderLines", [])
    member, name, path = _line_named(said)
    place = next((place for place, line in enumerate(lines) if line[member] == name), None)
    if place is None:
        match said.operation:
            case "entry.create":
                return {**body, "orderLines": [*lines, said.value]}
            case "entry.delete":
                return UNCHANGED
            case _:
                return Wrong("ENTRY_NOT_FOUND", path)
    if said.operation == "entry.create":
        return UNCHANGED if lines[place] == said.value else Wrong("DUPLICATE_ENTRY", path)
    changed = [] if said.operation == "entry.delete" else [{**lines[place], **said.value}]
    return {**body, "orderLines": [*lines[:place], *changed, *lines[place + 1 :]]}


def _line_named(said: Said) -> tuple[str, str, str]:
    """Member, value and path by which an entry operation names its line."""
    for member, header in (("id", "entry-id"), ("entryRef", "entry-ref")):
        sent = said.record.header(header)
        if sent is not None:
            return member, sent, f"headers.{header}"
    return "id", said.value["id"], "id"


def _judged(body: Body) -> Wrong | None:
    """The one rule across members that the load breaks: amounts and their twins in minor units."""
    plain, cents = body.get("totalAmount"), body.get("totalAmountInCent")
    if plain is None or cents is None or abs(cents - round(plain * 100)) <= 1:
        return None
    return Wrong("RULE_VIOLATION", "totalAmount")
