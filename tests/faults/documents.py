"""An order's document and events as the model expects them, with the ids that the worker assigned put in."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from tests.faults.canonical import RULES, Body, Status
from tests.faults.model import Change, Order
from tests.faults.updates import Said

PARTS: Final = ("order", "payment", "fulfilment")
KEPT_DECISIONS: Final = 50
HEX24: Final = "[0-9a-f]{24}"
FORMS: Final[Mapping[tuple[str, str], str]] = {
    ("shopping-cart", "order_id"): "[1-9][0-9]{0,18}",
    ("configurator", "order_id"): "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ("configurator", "order_number"): "[A-Za-z0-9_-]{4,36}",
    ("subscription", "order_id"): HEX24,
    ("subscription", "order_number"): r"\d{4}-\d{4}-\d{5}",
    ("b2b-commerce", "order_id"): HEX24,
    ("wishlist", "order_id"): HEX24,
}


def differences(document: Mapping[str, Any], order: Order) -> Iterator[str]:
    """Where the document is not what the model says."""
    expected = _modelled(order, document)
    found = {name: document.get(name) for name in expected}
    found["totals"] = {name: total.to_decimal() for name, total in document["totals"].items()}
    found["body"] = _without_part_ids(order.dialect, document["body"])
    found["status"] = {name: document["status"][name] for name in (*PARTS, "native")}
    found["warnings"] = sorted(warned["code"] for warned in document["warnings"])
    for name, wanted in expected.items():
        if found[name] != wanted:
            yield f"{name} is {found[name]!r} instead of {wanted!r}"
    yield from _badly_assigned(document, order)
    yield from _badly_remembered(document, order)


def modelled_events(order: Order, document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The events of the order, parsed."""
    return [_event(order, document, number, change) for number, change in enumerate(order.changes, start=1)]


def _modelled(order: Order, document: Mapping[str, Any]) -> dict[str, Any]:
    rules, refs = RULES[order.dialect], _refs(order, document)
    canonical = rules.canonical(order.body)
    members = {member: document["body"].get(member) for member in rules.assigned.values()}
    return {
        "dialect": order.dialect,
        "tenant": order.tenant,
        "refs": refs,
        "idempotency_key": order.key,
        "record_key": (order.created.key or b"").decode(),
        "status": {**(_status(order.status) or {}), "native": order.native},
        "customer": canonical.customer,
        "currency": canonical.currency,
        "totals": canonical.totals,
        "placed_at": canonical.placed_at,
        "created_at": Said.by(order.created).at,
        "updated_at": order.updated_at,
        "deleted_at": order.deleted_at,
        "revision": order.revision,
        "sequence": len(order.changes),
        "history": [_entry(order, document, number, one) for number, one in enumerate(order.changes, start=1)],
        "warnings": _warnings(order),
        "body": {**members, **order.body},
    }


def _refs(order: Order, document: Mapping[str, Any]) -> dict[str, Any]:
    return {**order.refs, **{name: document["refs"].get(name) for name in RULES[order.dialect].assigned}}


def _event_refs(order: Order, document: Mapping[str, Any]) -> dict[str, str]:
    refs = _refs(order, document)
    return {name: refs[name] for name in ("order_id", "order_number", "order_ref") if name in refs}


def _status(status: Status | None) -> dict[str, str] | None:
    return None if status is None else dict(zip(PARTS, status, strict=True))


def _entry(order: Order, document: Mapping[str, Any], number: int, change: Change) -> dict[str, Any]:
    return {
        "sequence": number,
        "revision": change.revision,
        "at": change.at,
        "from": _status(change.before),
        "to": _status(change.after),
        "native": change.native,
        "refs": _event_refs(order, document),
        "cause": change.cause.position,
        "correlation_id": change.cause.header("correlation-id"),
    }


def _event(order: Order, document: Mapping[str, Any], number: int, change: Change) -> Mapping[str, Any]:
    entry, id_ = _entry(order, document, number, change), str(document["_id"])
    tenant = "" if order.tenant is None else f"/{quote(order.tenant, safe='')}"
    both = (
        PARTS
        if change.before is None or change.after is None
        else [p for p, old, new in zip(PARTS, change.before, change.after, strict=True) if old != new]
    )
    kind = "created" if change.before is None else "deleted" if change.after is None else "status-changed"
    return {
        "specversion": "1.0",
        "id": f"{id_}:{number}",
        "type": f"order.{kind}",
        "source": f"/orderstream/{order.dialect}{tenant}",
        "subject": id_,
        "time": _rfc_3339(entry.pop("at")),
        "datacontenttype": "application/json",
        "data": {
            **entry,
            "order_id": id_,
            "dialect": order.dialect,
            "tenant": order.tenant,
            "changed": list(both),
        },
    }


def _rfc_3339(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def _warnings(order: Order) -> list[str]:
    status = order.body.get("orderStatus", "OTHER")
    is_odd = order.dialect == "wishlist" and order.body.get("cancelled") and status not in ("OTHER", "CANCELLED")
    return ["STATUS_FLAG_CONFLICT"] if is_odd else []


def _without_part_ids(dialect: str, body: Mapping[str, Any]) -> Body:
    parts = RULES[dialect].parts
    return {name: [_plain(part) for part in member] if name in parts else member for name, member in body.items()}


def _plain(part: Mapping[str, Any]) -> Body:
    return {name: member for name, member in part.items() if name != "_id"}


def _badly_assigned(document: Mapping[str, Any], order: Order) -> Iterator[str]:
    for name, member in RULES[order.dialect].assigned.items():
        text = str(document["refs"].get(name))
        if not re.fullmatch(FORMS[order.dialect, name], text):
            yield f"the {name} {text!r} that it was given has a wrong form"
        if str(document["body"].get(member)) != text:
            yield f"{name} is {text!r}, and {member} of the body is {document['body'].get(member)!r}"
    if FORMS[order.dialect, "order_id"] == HEX24 and document["refs"]["order_id"] != str(document["_id"]):
        yield "its order id is not the document's"
    for name in RULES[order.dialect].parts:
        for part in document["body"].get(name, ()):
            if not re.fullmatch(HEX24, part.get("_id", "")):
                yield f"a part of {name} has no id"


def _badly_remembered(document: Mapping[str, Any], order: Order) -> Iterator[str]:
    entered = {one["position"]: one["outcome"] for one in document["ledger"]["decisions"]}
    if len(entered) != len(document["ledger"]["decisions"]):
        yield "a message was decided twice"
    if len(entered) < min(KEPT_DECISIONS, len(order.decided)):
        yield f"it keeps {len(entered)} decisions of {len(order.decided)}"
    for position, outcome in entered.items():
        if order.decided.get(position) != outcome:
            yield f"{position} was {outcome} instead of {order.decided.get(position)}"
