"""An order as it is shown to people and other systems: interface 2, in JSON, its secrets masked (pure)."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

from bson import Decimal128, ObjectId

from orderstream.dialect import Lines, objects
from orderstream.dialects import DIALECTS
from orderstream.documents import to_document
from orderstream.json_text import Json, JsonObject
from orderstream.order import Order
from orderstream.status_event import rfc_3339

Readable: TypeAlias = dict[str, Any]

MASK: Final = "****"
SHOWN: Final = 4  # last characters of a secret that stay
NOT_SHOWN: Final = frozenset({"lookup_keys", "ledger"})  # the worker's own
BY_REFERENCE: Final = "ref:"


def readable(order: Order) -> Readable:
    """The whole order."""
    document = {**to_document(order), "body": body(order)}
    return {name: _json(member) for name, member in document.items() if name not in NOT_SHOWN}


def body(order: Order) -> JsonObject:
    """The dialect's own order."""
    shown = masked(order.body, DIALECTS[order.dialect].secret)
    return shown if isinstance(shown, dict) else {}


def ids(order: Order) -> Readable:
    """What names the order."""
    return {"_id": order.id, "dialect": order.dialect, "tenant": order.tenant, "refs": dict(order.refs)}


def history(order: Order) -> Readable:
    """Its status events, first one first."""
    return {"order": ids(order), "history": readable(order)["history"]}


def entries(order: Order, name: str | None = None) -> Readable:
    """Its lines, or the one named: by id, by `ref:` and reference, or by place from 0 where lines have no id."""
    lines = DIALECTS[order.dialect].lines
    shown = [] if lines is None else objects(body(order).get(lines.member))
    if lines is not None and name is not None:
        shown = [line for place, line in enumerate(shown) if _is_named(line, place, name, lines)]
    return {"order": ids(order), "entries": shown}


def _is_named(line: JsonObject, place: int, name: str, lines: Lines) -> bool:
    if name.startswith(BY_REFERENCE) and lines.ref is not None:
        return lines.ref in line and str(line[lines.ref]) == name.removeprefix(BY_REFERENCE)
    return str(place if lines.id is None else line.get(lines.id)) == name


def masked(value: Json, secret: Collection[str]) -> Json:
    """*value* with every member of these names masked, at every level."""
    match value:
        case dict():
            return {
                name: _hidden(member) if name in secret else masked(member, secret) for name, member in value.items()
            }
        case list():
            return [masked(element, secret) for element in value]
        case _:
            return value


def _hidden(value: Json) -> Json:
    """All that stands under the name of a secret."""
    match value:
        case dict():
            return {name: _hidden(member) for name, member in value.items()}
        case list():
            return [_hidden(element) for element in value]
        case None:
            return None
        case _:
            text = str(value)
            return MASK + text[-SHOWN:] if len(text) > SHOWN else MASK


def _json(value: object) -> object:
    """Ids and decimals as text, times as RFC 3339."""
    match value:
        case dict():
            return {name: _json(member) for name, member in value.items()}
        case list():
            return [_json(element) for element in value]
        case ObjectId():
            return str(value)
        case Decimal128():
            return _plain(value.to_decimal())
        case datetime():
            return rfc_3339(value)
        case _:
            return value


def _plain(number: Decimal) -> str:
    """Without an exponent."""
    return f"{number:f}"
