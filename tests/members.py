"""What the dialects' models say of every member, as plain nodes that strategies and violations walk."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Required, TypeAlias, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Len, MaxLen
from pydantic import PlainValidator, WithJsonSchema
from pydantic.fields import FieldInfo
from typing_extensions import get_type_hints, is_typeddict

from orderstream.dialect import Shape
from orderstream.fields import FREE_KEY, Dated, EmptyOr, OneOf


@dataclass(frozen=True, slots=True)
class Digits:
    """A number as it is written."""

    text: str

    @property
    def exact(self) -> Decimal:
        """What is written."""
        return Decimal(self.text)


Value: TypeAlias = Any  # JSON whose numbers may be `Digits`

LOST: Final = Digits("0.12345678901234567890")  # neither int64 nor a double holds it
KINDS: Final[Mapping[str, Value]] = {
    "null": None,
    "boolean": True,
    "integer": 7,
    "fraction": Digits("7.5"),
    "string": "text",
    "array": [],
    "object": {},
}


@dataclass(frozen=True, slots=True)
class Text:
    """A string; *formats* are those of JSON Schema."""

    least: int = 0
    most: int | None = None
    or_empty: bool = False
    pattern: str | None = None
    formats: tuple[str, ...] = ()

    @property
    def is_key(self) -> bool:
        """Whether it becomes the key of a free map."""
        return self.pattern == FREE_KEY["pattern"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some strings."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean."""


@dataclass(frozen=True, slots=True)
class Null:
    """Null, where a member is nullable."""


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer inside int64."""

    least: int = -(2**63)
    most: int = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Real:
    """A number, from *least* or above *above*."""

    least: int | None = None
    above: int | None = None


@dataclass(frozen=True, slots=True)
class Array:
    """An array of one kind of element."""

    of: "Node"


@dataclass(frozen=True, slots=True)
class Dictionary:
    """An object whose keys are free."""

    of: "Node"


@dataclass(frozen=True, slots=True)
class Free:
    """Any JSON whose keys the store can hold."""


@dataclass(frozen=True, slots=True)
class Barred:
    """A member that the receiving side sets."""


@dataclass(frozen=True, slots=True)
class Either:
    """One of several forms."""

    forms: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Object:
    """An object with named members; an open one may have others."""

    members: Mapping[str, "Node"] = field(hash=False)
    required: frozenset[str]
    is_open: bool = False


Node: TypeAlias = (
    Text | Choice | Flag | Null | Whole | Real | Array | Dictionary | Free | Barred | Either | Object
)  # fmt: skip
_KINDS_OF: Final[Mapping[type, frozenset[str]]] = {
    Text: frozenset({"string"}),
    Choice: frozenset({"string"}),
    Flag: frozenset({"boolean"}),
    Null: frozenset({"null"}),
    Whole: frozenset({"integer"}),
    Real: frozenset({"integer", "fraction"}),
    Array: frozenset({"array"}),
    Dictionary: frozenset({"object"}),
    Object: frozenset({"object"}),
    Free: frozenset(KINDS),
    Barred: frozenset(),
}


def kinds(node: Node) -> frozenset[str]:
    """The kinds of JSON that may stand there."""
    if isinstance(node, Either):
        return frozenset().union(*map(kinds, node.forms))
    return _KINDS_OF[type(node)]


def kind(value: Value) -> str:
    """The kind of JSON that *value* is."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case Digits(text):
            return "integer" if text.lstrip("-").isdigit() else "fraction"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def form_of(node: Node, value: Value) -> Node:
    """The one of several forms that *value* has."""
    if not isinstance(node, Either):
        return node
    return next((form for form in node.forms if kind(value) in kinds(form)), node)


def shape_node(shape: Shape) -> Object:
    """The value of an operation; what it may not send is `Barred`."""
    node = _object(shape.model)
    members: Mapping[str, Node] = {**node.members, **dict.fromkeys(sorted(shape.read_only), Barred())}
    return replace(node, members=members, required=node.required | shape.required)


@cache
def _object(model: Any) -> Object:  # noqa: ANN401  # a TypedDict
    hints = get_type_hints(model, include_extras=True)
    return Object(
        members={name: _node(hint) for name, hint in hints.items()},
        required=model.__required_keys__,
        is_open=model.__pydantic_config__["extra"] == "allow",
    )


def _node(hint: Any, *notes: Any) -> Node:  # noqa: ANN401  # an annotation, and what it is annotated with
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Required:
        return _node(inner[0], *notes)
    if origin is Annotated:
        return _node(inner[0], *hint.__metadata__, *notes)
    other = next((note.json_schema_input_type for note in notes if isinstance(note, PlainValidator)), None)
    if other:
        return _node(other)
    if origin in (Union, UnionType):
        return Either(tuple(Null() if each is type(None) else _node(each) for each in inner))
    if origin is list:
        return Array(_node(inner[0]))
    if origin is dict:
        return Dictionary(_node(inner[1]))
    return _object(hint) if is_typeddict(hint) else _scalar(hint, notes)


def _scalar(hint: Any, notes: tuple[Any, ...]) -> Node:  # noqa: ANN401  # an annotation, and what it is annotated with
    schema = dict(_stated(notes))
    match hint:
        case _ if hint is Any:
            return Free()
        case _ if hint is bool:
            return Flag()
        case _ if hint is int:
            return Whole(schema.get("minimum", -(2**63)), schema.get("maximum", 2**63 - 1))
        case _ if hint is float:
            return Real(schema.get("minimum"), schema.get("exclusiveMinimum"))
    if schema.get("not") == {}:
        return Barred()
    if "values" in schema:
        return Choice(schema["values"])
    bounds = schema.get("minLength", 0), schema.get("maxLength"), "or_empty" in schema
    text = Text(*bounds, schema.get("pattern"), schema.get("formats", ()))
    return Either((text, Whole())) if schema.get("type") == ["string", "integer"] else text


def _stated(notes: tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    """What annotations say, in the words of JSON Schema and a few of our own."""
    for note in notes:
        yield from _bounds(note)
        yield from _forms(note)


def _bounds(note: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # an annotation's
    match note:
        case Len(min_length=least, max_length=most):
            yield from (("minLength", least), ("maxLength", most))
        case MaxLen(max_length=most):
            yield "maxLength", most
        case Ge(ge=least):
            yield "minimum", least
        case Gt(gt=above):
            yield "exclusiveMinimum", above
        case Le(le=most):
            yield "maximum", most


def _forms(note: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # an annotation's
    match note:
        case EmptyOr():
            yield from (("minLength", note.minimum), ("maxLength", note.maximum), ("or_empty", True))
        case OneOf():
            yield "values", tuple(note.table)
        case Dated():
            yield "formats", ("date", "date-time") if note.form.fullmatch("2024-02-29") else ("date-time",)
        case WithJsonSchema(json_schema=dict(schema)):
            yield from schema.items()
        case FieldInfo(json_schema_extra=extra):
            yield from extra.items() if isinstance(extra, dict) else ()
            yield from (("pattern", each.pattern) for each in note.metadata if hasattr(each, "pattern"))


def written(value: Value, *, ascii_only: bool = False) -> str:
    """*value* as JSON text, its numbers as they are written."""
    match value:
        case Digits(text):
            return text
        case dict():
            members = (f"{json.dumps(name)}: {written(each, ascii_only=ascii_only)}" for name, each in value.items())
            return "{" + ", ".join(members) + "}"
        case list():
            return "[" + ",".join(written(each, ascii_only=ascii_only) for each in value) + "]"
        case _:
            return json.dumps(value, ensure_ascii=ascii_only)


def read(text: str) -> Value:
    """JSON text with every number as the Decimal that is written."""
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)
