"""JSON Schemas of keys and headers, made from the forms that the worker holds them to (contracts 1.2)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from orderstream.commands import Kind, Operation
from orderstream.decode import SHARED_FORMS
from orderstream.dialect import Dialect, HeaderForm
from orderstream.headers import ADDRESSES, TRACING
from orderstream.schemas import meanings
from orderstream.schemas.naming import Naming, naming
from orderstream.schemas.values import Schema

CREDENTIALS: Final = "Other headers are ignored; credentials must not be sent."


def kind_of(operation: Operation) -> Kind:
    """The input topic of an operation."""
    return Kind.CREATE if operation is Operation.CREATE else Kind.UPDATE


def header_schema(dialect: Dialect, operation: Operation) -> Schema:
    """The headers of a message, each of them UTF-8 text."""
    forms = {**SHARED_FORMS, **dialect.headers(operation)}
    named = naming(dialect, operation)
    needed = () if named.in_value else named.headers
    return {
        "type": "object",
        "description": _description(named),
        "properties": dict(_headers(dialect, operation, forms)),
        "required": [*_always(operation), *(name for name, form in forms.items() if form.required)],
        **({"anyOf": [{"required": list(names)} for names in needed]} if needed else {}),
    }


def _description(named: Naming) -> str:
    if not any(named.headers):
        return CREDENTIALS
    by = f"{named}, or in the value" if named.in_value else str(named)
    return f"What the message is about is named by {by}. {CREDENTIALS}"


def _headers(dialect: Dialect, operation: Operation, forms: Mapping[str, HeaderForm]) -> Iterator[tuple[str, Schema]]:
    fixed = {"dialect": dialect.name, "message-type": kind_of(operation).value, "operation": operation.value}
    for name, text in fixed.items():
        yield name, {"description": meanings.HEADERS[name], "const": text}
    for name, form in forms.items():
        yield name, _header(name, form)
    for name in (*TRACING, "replay-of"):
        yield name, {"description": meanings.HEADERS[name], "type": "string"}
    for name in ADDRESSES:
        if name not in forms:
            yield name, {"description": "Not used by this operation", "not": {}}


def _header(name: str, form: HeaderForm) -> Schema:
    described = f"{meanings.HEADERS[name]}: {form.described}"
    return {"description": described, "type": "string", **form.schema}


def _always(operation: Operation) -> Iterable[str]:
    return ("dialect", "message-type", *(() if operation is Operation.CREATE else ("operation",)))


def key_schema(dialect: Dialect) -> Schema:
    """The record key: any bytes, stable per order."""
    advice = meanings.RECORD_KEYS.get(dialect.name, "any text that is stable per order")
    return {
        "description": f"All messages of an order carry the key of its create; recommended: {advice}.",
        "type": "string",
        "minLength": 1,
        "examples": list(dict.fromkeys(example.key for example in dialect.examples)),
    }
