"""The OpenAPI 3.1 document: what is answered over HTTP beside the worker (interface 7)."""

from typing import Final

from orderstream.dialects import DIALECTS
from orderstream.headers import MAX_TEXT
from orderstream.schemas.outputs import COUNT, HEX24, POSITION, TIME, status_schema
from orderstream.schemas.values import Schema

VERSION: Final = "1.0.0"  # of the interface
DESCRIPTION: Final = """\
Orders are read here and changed by messages only. Without a token in the worker's settings the paths of orders are \
off: 404. `ref` is the 24 hex characters of the document, which need no more, or any id or reference of `refs`, or the \
idempotency key of the create, with `dialect` and, where the order has one, `tenant`. Secrets are masked."""

_TEXT: Final[Schema] = {"type": "string"}
_TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
_TIME_OR_NULL: Final[Schema] = {"anyOf": [TIME, {"type": "null"}]}
_STATUS_OR_NULL: Final[Schema] = {"anyOf": [{"$ref": "#/components/schemas/Status"}, {"type": "null"}]}
_DECIMAL: Final[Schema] = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
_TEXTS: Final[Schema] = {  # values are texts, or objects of texts
    "type": "object",
    "additionalProperties": {"anyOf": [_TEXT, {"type": "object", "additionalProperties": _TEXT}]},
}

PROBLEMS: Final = {  # status -> what it means
    "400": "A reference that is no document id came without `dialect`, several orders have it, or a parameter is wrong",
    "401": "The token is missing or wrong",
    "404": "Not known with this dialect and tenant, or the paths of orders are off",
    "410": "The order was deleted",
    "503": "MongoDB cannot be used now",
}


def document() -> Schema:
    """All of it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "orderstream",
            "version": VERSION,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": {**_health(), **_documents(), **_orders()},
        "components": {
            "schemas": _schemas(),
            "parameters": _parameters(),
            "responses": {f"Problem{status}": _problem(meaning) for status, meaning in PROBLEMS.items()},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "`ORDERSTREAM_HTTP_TOKEN` of the worker"}
            },
        },
    }


def _health() -> Schema:
    readiness = _json("Readiness")
    return {
        "/health/live": _get(
            "Whether the process works at all",
            {"200": _answer("It does", _json("Liveness")), "503": _answer("It is stuck", _json("Liveness"))},
        ),
        "/health/ready": _get(
            "Whether it can do its work",
            {
                "200": _answer("Kafka and MongoDB answer, its partitions move or none was left for it", readiness),
                "503": _answer("It cannot, and why", readiness),
            },
        ),
    }


def _documents() -> Schema:
    page, json = {"text/html": {"schema": _TEXT}}, {"application/json": {"schema": {"type": "object"}}}
    return {
        "/metrics": _get("Prometheus", {"200": _answer("Text format 0.0.4", {"text/plain": {"schema": _TEXT}})}),
        "/docs": _get("The messages, for people", {"200": _answer("A page", page)}),
        "/docs/asyncapi.json": _get("The messages, for programs", {"200": _answer("AsyncAPI 3", json)}),
        "/docs/openapi.json": _get("This document", {"200": _answer("OpenAPI 3.1", json)}),
    }


def _orders() -> Schema:
    of_order = {
        "": ("One order", "Order"),
        "/entries": ("Its lines", "Entries"),
        "/entries/{entry}": ("One of its lines", "Entry"),
        "/history": ("Its status events", "History"),
    }
    return {
        **{f"/orders/{{ref}}{path}": _read(summary, name, path) for path, (summary, name) in of_order.items()},
        "/orders": _read("One order, for references with slashes", "Order", "?ref"),
        "/entries": _read("One line by its id, where that is unique in the tenant", "Entry", "?id"),
    }


def _read(summary: str, name: str, path: str) -> Schema:
    own = {"?ref": ["ref-query"], "?id": ["id-query"], "/entries/{entry}": ["ref", "entry"]}.get(path, ["ref"])
    answers = {status: {"$ref": f"#/components/responses/Problem{status}"} for status in PROBLEMS}
    return _get(
        summary,
        {"200": _answer(summary, _json(name)), **answers},
        parameters=[{"$ref": f"#/components/parameters/{each}"} for each in (*own, "dialect", "tenant")],
        security=[{"token": []}],
    )


def _parameters() -> Schema:
    return {
        "ref": _parameter("path", "ref", "The order; a slash in it is encoded, or the query parameter used", _TEXT),
        "ref-query": _parameter("query", "ref", "The order", _TEXT, required=True),
        "id-query": _parameter("query", "id", "The line; needs `dialect`", _TEXT, required=True),
        "entry": _parameter(
            "path",
            "entry",
            "The line: its id, `ref:` and its reference, or its place from 0 where lines have no id",
            _TEXT,
        ),
        "dialect": _parameter("query", "dialect", "Not needed for a document id", {"enum": list(DIALECTS)}),
        "tenant": _parameter(
            "query", "tenant", "That of the order; left out where it has none", {**_TEXT, "maxLength": MAX_TEXT}
        ),
    }


def _parameter(place: str, name: str, description: str, schema: Schema, *, required: bool = False) -> Schema:
    needed = required or place == "path"
    return {"name": name, "in": place, "description": description, "required": needed, "schema": schema}


def _schemas() -> Schema:
    return {
        "Liveness": _object(status={"enum": ["live", "stuck"]}),
        "Readiness": _object(
            status={"enum": ["ready", "standby", "not ready"]}, reasons={"type": "array", "items": _TEXT}
        ),
        "Order": _object(
            **_ids(),
            idempotency_key=_TEXT_OR_NULL,
            record_key={**_TEXT_OR_NULL, "description": "Record key of the create: send updates with it"},
            status={"$ref": "#/components/schemas/StatusAndNative"},
            customer=_TEXTS,
            currency={"type": "object", "additionalProperties": _TEXT_OR_NULL},
            totals={"type": "object", "additionalProperties": _DECIMAL},
            placed_at=_TIME_OR_NULL,
            created_at=TIME,
            updated_at=TIME,
            deleted_at=_TIME_OR_NULL,
            revision=COUNT,
            sequence=COUNT,
            history={"type": "array", "items": {"$ref": "#/components/schemas/Change"}},
            warnings={"type": "array", "items": _object(code=_TEXT, path=_TEXT)},
            body={"type": "object", "description": "The dialect's own order, complete"},
        ),
        "StatusAndNative": _object(**status_schema()["properties"], native={"type": "object"}),
        "Status": status_schema(),
        "Change": _object(
            sequence=COUNT,
            revision=COUNT,
            at=TIME,
            **{"from": _STATUS_OR_NULL, "to": _STATUS_OR_NULL},
            native={"type": "object"},
            refs={"type": "object", "additionalProperties": _TEXT},
            cause=POSITION,
            correlation_id=_TEXT_OR_NULL,
        ),
        "Ids": _object(**_ids()),
        "Entries": _of_an_order("entries", {"type": "object", "description": "As the dialect has it"}),
        "Entry": _of_an_order("entries", {"type": "object", "description": "As the dialect has it"}, minItems=1),
        "History": _of_an_order("history", {"$ref": "#/components/schemas/Change"}, minItems=1),
        "Problem": _object(type=_TEXT, title=_TEXT, status={"type": "integer"}, detail=_TEXT),
    }


def _ids() -> Schema:
    return {"_id": HEX24, "dialect": {"enum": list(DIALECTS)}, "tenant": _TEXT_OR_NULL, "refs": _TEXTS}


def _of_an_order(member: str, item: Schema, **bounds: int) -> Schema:
    return _object(order={"$ref": "#/components/schemas/Ids"}, **{member: {"type": "array", "items": item, **bounds}})


def _object(**members: Schema) -> Schema:
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def _get(summary: str, answers: Schema, **more: object) -> Schema:
    return {"get": {"summary": summary, **more, "responses": answers}}


def _answer(description: str, content: Schema) -> Schema:
    return {"description": description, "content": content}


def _json(name: str) -> Schema:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _problem(meaning: str) -> Schema:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": meaning, "content": content}
