"""JSON Schemas of message values, made from the models that the worker validates with (contracts 3)."""

import json
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from orderstream.commands import Operation
from orderstream.dialect import Dialect, Shape
from orderstream.fields import FREE_KEY
from orderstream.json_text import INT64, MAX_DEPTH, MAX_MEMBERS
from orderstream.schemas import meanings
from orderstream.schemas.naming import naming

Schema: TypeAlias = dict[str, Any]

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
URN: Final = "urn:orderstream:schema"
NOT_TO_BE_SENT: Final[Schema] = {"readOnly": True, "not": {}}
MASK: Final[Schema] = {"type": "string", "pattern": r"^\*{4}"}

DOES: Final = {
    Operation.CREATE: "A new order.",
    Operation.PATCH: "A partial update: the members that are present replace the stored ones, as a whole.",
    Operation.REPLACE: "A full update: optional members that are left out are removed, but for ids and statuses.",
    Operation.DELETE: "The order is deleted. The headers name it, the value is empty.",
    Operation.ENTRY_CREATE: "A new line of an order.",
    Operation.ENTRY_UPDATE: "A partial update of a line: the members that are present replace the stored ones.",
    Operation.ENTRY_DELETE: "A line is removed from its order. The headers name it, the value is empty.",
}
CHANGES: Final = (Operation.PATCH, Operation.REPLACE, Operation.ENTRY_UPDATE)
UNSAID: Final = {  # what is in a schema -> what it cannot say of that
    '"integer"': "integers written with a fraction or an exponent, such as 1.0",
    '"number"': "numbers that neither int64 nor a double holds exactly",
    "date-time": "dates that no calendar has",
    '"properties"': f"a member twice in one object, more than {MAX_DEPTH} levels, {MAX_MEMBERS:,} members or 1 MiB",
}
UNNAMED: Final = "a message that names what it is about neither here nor in the headers, or differently in both"

ANYTHING: Final[Schema] = {"$ref": "#/$defs/Anything"}
KEY: Final[Schema] = {"$ref": "#/$defs/Key"}
UNMASKED: Final[Schema] = {"$ref": "#/$defs/Unmasked"}
_KEY: Final[Schema] = {
    "description": "1 to 256 characters, no $ at the beginning, no NUL",
    "type": "string",
    **FREE_KEY,
}
_ANYTHING: Final[Schema] = {
    "description": "Any JSON; kept as it is",
    "propertyNames": KEY,
    "additionalProperties": ANYTHING,
    "items": ANYTHING,
}


def value_schema(dialect: Dialect, operation: Operation) -> Schema:
    """What the value of this operation looks like, as far as JSON Schema 2020-12 can say it."""
    shape = dialect.shapes[operation]
    model = _restated(shape.validator.json_schema())
    members = dict(_members(dialect, operation, shape, model["properties"]))
    said: Schema = {
        "type": "object",
        "properties": members,
        "required": [name for name in members if name in shape.required],
        "additionalProperties": False,
        "allOf": list(_conditions(dialect, operation, shape)),
        "examples": [example.value for example in dialect.examples if example.operation is operation],
    }
    said["$defs"] = _definitions(dialect, said, model.get("$defs", {}))
    said = {keyword: content for keyword, content in said.items() if content not in ([], {})}
    return {
        "$schema": DRAFT,
        "$id": f"{URN}:{dialect.name}:{operation.value}",
        "title": f"{dialect.name} {operation.value}",
        "description": " ".join((DOES[operation], *_unsaid(dialect, operation, said))),
        **said,
    }


def _restated(schema: Schema) -> Schema:
    """pydantic's schema without titles; every integer is an int64, and what is open obeys the rule of free maps."""
    node = {keyword: _inside(keyword, content) for keyword, content in schema.items() if keyword != "title"}
    if not node:
        return ANYTHING
    if "integer" in node.get("type", ()):
        node = {"minimum": INT64[0], "maximum": INT64[-1], **node}
    if node.get("additionalProperties") is True:
        node["additionalProperties"] = ANYTHING
    if node.get("additionalProperties"):
        node["propertyNames"] = KEY
    return _ordered(node)


def _inside(keyword: str, content: Any) -> Any:  # noqa: ANN401  # of a keyword, whatever it is
    match keyword, content:
        case "properties" | "$defs", dict():
            return {name: _restated(schema) for name, schema in content.items()}
        case "items" | "additionalProperties", dict():
            return _restated(content)
        case "anyOf", list():
            return [_restated(schema) for schema in content]
        case _:
            return content


def _ordered(schema: Schema) -> Schema:
    first = [keyword for keyword in ("$ref", "description", "type", "minimum", "minLength") if keyword in schema]
    return {keyword: schema[keyword] for keyword in dict.fromkeys([*first, *schema])}


def _members(dialect: Dialect, operation: Operation, shape: Shape, modelled: Schema) -> Iterator[tuple[str, Schema]]:
    kind = f"{dialect.name} {operation.value.partition('.')[0]}"
    for name in [*modelled, *sorted(shape.read_only - modelled.keys())]:
        schema = NOT_TO_BE_SENT if name in shape.read_only else modelled[name]
        notes = [meanings.member(kind, name), schema.get("description"), *_notes(dialect, shape, name)]
        yield name, _ordered({**schema, "description": ". ".join(note for note in notes if note)})


def _notes(dialect: Dialect, shape: Shape, name: str) -> Iterator[str]:
    if name in shape.read_only:
        yield "May not be sent in this operation"
    if name in shape.ignored:
        yield "Checked, and not stored"
    if name in shape.addressing:
        yield "Only says which order or line is meant"
    if name in dialect.vocabularies:
        yield "The worker's configuration may add values"


def _unsaid(dialect: Dialect, operation: Operation, said: Schema) -> Iterator[str]:
    """What a message that this schema accepts may be refused for all the same."""
    text = json.dumps(said)
    rules = [*dialect.shapes[operation].unsaid, *(rule for mark, rule in UNSAID.items() if mark in text)]
    if naming(dialect, operation).either:
        rules.append(UNNAMED)
    if rules:
        yield f"Refused as well, although JSON Schema cannot say so: {'; '.join(rules)}."


def _conditions(dialect: Dialect, operation: Operation, shape: Shape) -> Iterator[Schema]:
    if operation in CHANGES and not shape.required:
        yield _with_a_change(shape.addressing | shape.ignored)
    yield from shape.conditions
    if dialect.secret:
        yield UNMASKED


def _with_a_change(other: frozenset[str]) -> Schema:
    if not other:
        return {"minProperties": 1}
    return {"description": "Something to change", "not": {"propertyNames": {"enum": sorted(other)}}}


def _definitions(dialect: Dialect, schema: Schema, modelled: Schema) -> Schema:
    known = {**modelled, "Anything": _ANYTHING, "Key": _KEY, "Unmasked": _unmasked(dialect)}
    text = json.dumps([schema, modelled])  # where anything may stand, an object with free keys is there too
    return {name: definition for name, definition in known.items() if f'"#/$defs/{name}"' in text}


def _unmasked(dialect: Dialect) -> Schema:
    """No secret, at whatever level, as it is shown when an order is read."""
    return {
        "description": "No secret is written back as a mask",
        "properties": {name: {**UNMASKED, "not": MASK} for name in sorted(dialect.secret)},
        "additionalProperties": UNMASKED,
        "items": UNMASKED,
    }
