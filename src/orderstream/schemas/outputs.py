"""JSON Schemas of what the worker publishes: status events and rejected messages (interface 3 and 4)."""

from typing import Final, get_args

import orjson

from orderstream.dialects import DIALECTS
from orderstream.headers import MAX_TEXT
from orderstream.order import FulfilmentStatus, OrderStatus, PaymentStatus, Status
from orderstream.problems import MEANINGS, Code
from orderstream.rejected import MAX_PROBLEM_BYTES, MAX_PROBLEMS
from orderstream.schemas.examples import events, rejected, texts
from orderstream.schemas.values import DRAFT, URN, Schema

HEX24: Final[Schema] = {"type": "string", "pattern": "^[0-9a-f]{24}$"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 1}
POSITION: Final[Schema] = {"type": "string", "pattern": r"^[a-zA-Z0-9._-]+(@[0-9]+)?/[0-9]+/[0-9]+$"}
TIME: Final[Schema] = {
    "type": "string",
    "format": "date-time",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
}
TRUE: Final[Schema] = {"const": "true"}

_NONE: Final[Schema] = {"type": "null"}
_STATUS: Final[Schema] = {"$ref": "#/$defs/Status"}
CASES: Final[dict[str, Schema]] = {  # type of the event -> what its data has
    "order.created": {"sequence": {"const": 1}, "from": _NONE, "to": _STATUS, "changed": {"minItems": 3}},
    "order.status-changed": {"from": _STATUS, "to": _STATUS},
    "order.deleted": {"from": _STATUS, "to": _NONE, "changed": {"minItems": 3}},
}


def event_schema() -> Schema:
    """The status event: CloudEvents 1.0 in structured JSON."""
    return {
        "$schema": DRAFT,
        "$id": f"{URN}:status-event",
        "title": "status event",
        "description": (
            "An order is new, one of its three canonical status values changed, or it was deleted. Per order, "
            "`sequence` runs 1, 2, 3 … without gaps; an event may come again with the same id and the same bytes. "
            "Later versions may add members."
        ),
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _about("The order and the sequence", type="string", pattern="^[0-9a-f]{24}:[1-9][0-9]*$"),
            "type": {"enum": list(CASES)},
            "source": _about(
                "`/orderstream/<dialect>` and, where there is one, `/<tenant>`",
                type="string",
                format="uri-reference",
                pattern=f"^/orderstream/({'|'.join(DIALECTS)})(/[^/]+)?$",
            ),
            "subject": _about("The order", **HEX24),
            "time": _about("Time of the record that caused it", **TIME),
            "datacontenttype": {"const": "application/json"},
            "data": _data(),
        },
        "required": ["specversion", "id", "type", "source", "subject", "time", "datacontenttype", "data"],
        "allOf": [_case(name, data) for name, data in CASES.items()],
        "examples": [orjson.loads(event.value) for event in events(DIALECTS["wishlist"])],
        "$defs": {"Status": status_schema()},
    }


def _case(name: str, data: Schema) -> Schema:
    return {
        "if": {"properties": {"type": {"const": name}}},
        "then": {"properties": {"data": {"properties": data}}},
    }


def _data() -> Schema:
    members = {
        "order_id": _about("The order, as everywhere in the worker", **HEX24),
        "dialect": {"enum": list(DIALECTS)},
        "tenant": {"type": ["string", "null"], "maxLength": MAX_TEXT},
        "refs": _about(
            "The ids that people use, as far as the order had them then",
            type="object",
            properties={name: {"type": "string"} for name in ("order_id", "order_number", "order_ref")},
        ),
        "sequence": _about("Number of the event in its order", **COUNT),
        "revision": _about("Number of accepted changes of the order", **COUNT),
        "from": {"description": "Null for a new order", "anyOf": [_STATUS, _NONE]},
        "to": {"description": "Null for a deleted order", "anyOf": [_STATUS, _NONE]},
        "changed": {"type": "array", "items": {"enum": list(Status._fields)}, "minItems": 1, "uniqueItems": True},
        "native": _about("The dialect's own status values", type="object"),
        "cause": _about("Position of the record that caused it: topic/partition/offset", **POSITION),
        "correlation_id": _about("As the sender sent it", type=["string", "null"], maxLength=MAX_TEXT),
    }
    return {"type": "object", "properties": members, "required": list(members)}


def status_schema() -> Schema:
    """The three canonical status values."""
    values = dict(zip(Status._fields, map(get_args, (OrderStatus, PaymentStatus, FulfilmentStatus)), strict=True))
    return {
        "description": "The canonical status values",
        "type": "object",
        "properties": {name: {"enum": list(known)} for name, known in values.items()},
        "required": list(values),
    }


def rejection_schema() -> Schema:
    """The headers that a rejected message has besides its own."""
    return {
        "$schema": DRAFT,
        "$id": f"{URN}:rejection",
        "title": "headers of a rejected message",
        "description": "Key and value are the original bytes; the original headers are there too, without credentials.",
        "type": "object",
        "properties": {
            "rejection-id": _about("Position of the original; the same on a repeat", **POSITION),
            "rejection-code": {"description": f"The first code. {_codes()}", "$ref": "#/$defs/Code"},
            "rejection-problems": _about(
                f"All problems as JSON text, cut after {MAX_PROBLEMS} or {MAX_PROBLEM_BYTES // 1024} KiB",
                type="string",
                contentMediaType="application/json",
                contentSchema={"$ref": "#/$defs/Problems"},
            ),
            "rejection-problem-count": _about("How many problems there are", type="string", pattern="^[1-9][0-9]*$"),
            "rejection-time": _about("When it was rejected; may differ in a repeat", **TIME),
            "rejection-attempt": _about(
                "1, or one more than in the replayed message", type="string", pattern="^[1-9][0-9]*$"
            ),
            "replay-of": _about("On a replayed message: position of the first original", type="string"),
            "rejection-truncated": _about("The topic did not admit the whole value or key", **TRUE),
            "rejection-sha256": _about("Of the whole value", type="string", pattern="^[0-9a-f]{64}$"),
            "rejection-headers-dropped": _about("How many", type="string", pattern="^[1-9][0-9]*$"),
            "rejection-null-value": _about("The original had neither key nor value", **TRUE),
        },
        "required": [
            "rejection-id",
            "rejection-code",
            "rejection-problems",
            "rejection-problem-count",
            "rejection-time",
            "rejection-attempt",
        ],
        "examples": [texts(rejected(DIALECTS["shopping-cart"]).headers)],
        "$defs": {"Code": {"enum": [code.value for code in Code]}, "Problems": _problems()},
    }


def _codes() -> str:
    return "; ".join(f"{code}: {meaning}" for code, meaning in MEANINGS.items())


def _problems() -> Schema:
    return {
        "description": "In the order of the table of codes, then by place; no values of the message",
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "code": {"$ref": "#/$defs/Code"},
                "path": _about("Such as lineItems[0].price, headers.order-id, key or value", type="string"),
                "message": _about("For people", type="string"),
            },
            "required": ["code", "path", "message"],
        },
        "minItems": 1,
        "maxItems": MAX_PROBLEMS,
    }


def _about(description: str, **schema: object) -> Schema:
    return {"description": description, **schema}
