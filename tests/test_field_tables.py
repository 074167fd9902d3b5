"""Every row of the contracts' field tables, tried on the dialects: path, type, bounds, values, required, nullable."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import groupby
from typing import Final, NamedTuple, TypeAlias

import pytest

from orderstream.commands import Operation
from orderstream.decode import Contracts, decode
from orderstream.dialect import Shape
from orderstream.dialects import DIALECTS
from orderstream.json_text import Json, JsonObject
from orderstream.outcomes import Refusal
from orderstream.problems import Code
from tests.builders import HERE, a_record

ORDER_OPERATIONS: Final = (Operation.CREATE, Operation.PATCH, Operation.REPLACE)
ROWS: Final = {
    "shopping-cart": 8,
    "configurator": 22,
    "subscription": 122,
    "b2b-commerce": 88,
    "wishlist": 208,
}  # contracts 4
ENVELOPE: Final = {"b2b-commerce": ("success", "message", "data")}  # of the response; the status event takes its place

KINDS: Final[Mapping[str, Json]] = {
    "boolean": True,
    "integer": 7,
    "fraction": 7.5,
    "string": "text",
    "array": [],
    "object": {},
}
WORDS: Final[Mapping[str, frozenset[str]]] = {
    "boolean": frozenset({"boolean"}),
    "integer": frozenset({"integer"}),
    "number": frozenset({"integer", "fraction"}),
    "string": frozenset({"string"}),
    "joiId": frozenset({"string"}),
    "array": frozenset({"array"}),
    "object": frozenset({"object"}),
    "map": frozenset({"object"}),
    "any": frozenset(KINDS),
}
Node: TypeAlias = Mapping[str, object]  # of a JSON Schema

WIDE: Final = "\N{MUSICAL SYMBOL G CLEF}"  # one code point, two UTF-16 units, four bytes
UUID: Final = "550e8400-e29b-41d4-a716-446655440000"


class Form(NamedTuple):
    """Texts of a form that the tables name in words, and texts that only look like it."""

    right: tuple[str, ...]
    wrong: tuple[str, ...]


FORMS: Final[Mapping[str, Form]] = {  # the first whose key stands in the row counts
    "24 hex": Form(("0123456789abcdef01234567", "ABCDEF0123456789abcdef01"), ("a" * 23, "a" * 25, "g" * 24, "")),
    r"^\d{4}-\d{4}-\d{5}$": Form(("2468-1668-79485",), ("2468-1668-7948", "246816687948", "2468-1668-79485\n")),
    "4-36 of": Form(("k3Jd", "A_-z0" * 7 + "x"), ("k3J", "x" * 37, "k3 Jd", "k3Jé", "k3Jd\n", UUID)),
    "UUID": Form((UUID, UUID.upper()), (UUID.replace("-", ""), f"{{{UUID}}}", UUID[:-1], UUID + "\n", "")),
    "ISO 8601": Form(("2024-02-29", "2024-02-29T10:00:00Z"), ("2023-02-29", "2024-02-29T10:00:00", "29.02.2024", "")),
    "date-time": Form(("2024-02-29T10:00:00.123Z", "2024-02-29T10:00:00+05:30"), ("2024-02-29T10:00:00", "2024-02-29")),
    "2-3 letters": Form(("USD", "us"), ("U", "EURO", "U1", "")),
}


class Row(NamedTuple):
    """One row of a field table; *direction* is request, response or both; *fixed* cannot be changed by updates."""

    path: str
    type: str
    required: bool
    constraints: str
    direction: str
    fixed: bool

    def said(self, pattern: str) -> list[int]:
        """The numbers that a bound of the row names; none when it has no such bound."""
        found = re.search(pattern, f"{self.type}; {self.constraints}")
        return [int(number) for number in found.groups()] if found else []

    def stands_in(self, path: str) -> bool:
        """Whether it is the member at *path*, or one inside it."""
        return self.path == path or self.path.startswith((f"{path}.", f"{path}["))

    @property
    def nullable(self) -> bool:
        """Whether null may stand there."""
        return "nullable" in self.constraints and "not nullable" not in self.constraints

    @property
    def values(self) -> list[str]:
        """The values of an enumeration; none for anything else."""
        listed = re.search("enum: ([^;]*)", self.constraints)
        return re.findall("`([^`]*)`", listed[1]) if listed else []

    @property
    def is_open(self) -> bool:
        """Whether an object may have members that no row names."""
        return self.type == "object (map)" or bool(re.search("open object|any members", self.constraints))


@cache
def rows(dialect: str) -> tuple[Row, ...]:
    """The field tables of a contract."""
    lines = (HERE / "contracts" / f"{dialect}.md").read_text().splitlines()
    tables = [list(block) for is_table, block in groupby(lines, lambda line: line.startswith("|")) if is_table]
    return tuple(_row(line, table[0]) for table in tables if table[0].startswith("| Path |") for line in table[2:])


def _row(line: str, head: str) -> Row:
    cells = dict(zip(_cells(head), _cells(line), strict=True))
    return Row(
        path=cells["Path"].strip("`"),
        type=cells["Type"],
        required=cells["Required"] == "yes",
        constraints=cells["Constraints"],
        direction=cells.get("In", "response" if "read-only" in cells["Constraints"] else "both"),
        fixed="immutable" in cells["Meaning"],
    )


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.replace("\N{EN DASH}", "-").strip("|").split(" | ")]


def messages(dialect: str) -> Iterator[Row]:
    """The rows of what a message may hold."""
    return (row for row in rows(dialect) if row.path.split(".")[0] not in ENVELOPE.get(dialect, ()))


CASES: Final = [pytest.param(name, row, id=f"{name} {row.path}") for name in DIALECTS for row in messages(name)]


def problems(dialect: str, operation: Operation, value: JsonObject) -> dict[str, set[Code]]:
    """What decoding finds wrong with the members by themselves."""
    kind = "order-create" if operation is Operation.CREATE else "order-update"
    headers = {"dialect": dialect, "message-type": kind, "operation": operation.value}
    outcome = decode(a_record(value=value, headers=headers), Contracts())
    found: dict[str, set[Code]] = {}
    for problem in outcome.problems if isinstance(outcome, Refusal) else ():
        if problem.code.startswith("FIELD_"):
            found.setdefault(problem.path, set()).add(problem.code)
    return found


def at(path: str, member: Json) -> JsonObject:
    """A value that has *member* at *path* and nothing else."""
    for segment in reversed(re.findall(r"[^.\[]+|\[\]", path)):
        member = [member] if segment == "[]" else {"any" if segment == "*" else segment: member}
    assert isinstance(member, dict)
    return member


def shown(path: str) -> str:
    """*path* as problems name it."""
    return path.replace("[]", "[0]").replace("*", "any")


def verdicts(row: Row, operation: Operation) -> Iterator[tuple[Json, set[Code]]]:
    """Values for a row, and the codes that each of them must bring at its path."""
    kinds = _kinds(row.type, operation)
    yield None, set() if row.nullable or kinds == KINDS.keys() else {Code.FIELD_NULL}
    yield from ((member, {Code.FIELD_TYPE}) for kind, member in KINDS.items() if kind not in kinds)
    if "string" in kinds:
        yield from _texts(row)
    if "integer" in kinds:
        yield from _numbers(row, kinds)
    yield from ((KINDS[kind], set()) for kind in ("boolean", "array", "object") if kind in kinds)


def _kinds(described: str, operation: Operation) -> frozenset[str]:
    """The kinds of JSON that a type names; where request and response differ, a create is the request."""
    request, both, response = described.partition(" (request), ")
    if both:
        described = request if operation is Operation.CREATE else response
    words = re.findall(r"\w+", re.sub(r" of \w+", "", described))
    return frozenset().union(*(WORDS[word] for word in words if word in WORDS))


def _texts(row: Row) -> Iterator[tuple[Json, set[Code]]]:
    described = f"{row.type}; {row.constraints}"
    form = next((form for name, form in FORMS.items() if name in described), None)
    if values := row.values:
        yield from ((value, set()) for value in values)
        yield from (
            (value, {Code.FIELD_ENUM}) for value in (values[0].swapcase(), f"{values[0]} ", "no such value", "")
        )
    elif form:
        yield from ((text, set()) for text in form.right)
        yield from ((text, {Code.FIELD_FORMAT}) for text in form.wrong)
    else:
        yield from _lengths(row)


def _lengths(row: Row) -> Iterator[tuple[Json, set[Code]]]:
    exact, between = row.said(r"length = (\d+)"), row.said(r"length (\d+)-(\d+)")
    least = [*exact, *between[:1], *row.said(r"min length (\d+)")]
    most = [*exact, *between[1:], *row.said(r"max length (\d+)")]
    for length in (*least, *most):
        yield WIDE * length, set()
    for length in least:
        if length > 1 or '`""`' not in row.constraints:
            yield WIDE * (length - 1), {Code.FIELD_LENGTH}
    for length in most:
        yield WIDE * (length + 1), {Code.FIELD_LENGTH}
    if not least or '`""`' in row.constraints:
        yield "", set()
    if not most and max(least, default=0) < 300:
        yield " e\u0301\t" * 100, set()


def _numbers(row: Row, kinds: frozenset[str]) -> Iterator[tuple[Json, set[Code]]]:
    least, above, most = row.said(r"≥ (\d+)"), row.said(r"(?<!\S)> (\d+)"), row.said(r"≤ (\d+)")
    yield from ((number, set()) for number in (*least, *most))
    yield from ((number - 1, {Code.FIELD_RANGE}) for number in least)
    yield from ((number, {Code.FIELD_RANGE}) for number in above)
    yield from ((number + 1, {Code.FIELD_RANGE}) for number in most)
    if not most:
        yield 2**63 - 1, set()
    if not (least or above):
        yield -(2**63), set()
    if "fraction" in kinds:
        yield 7.25, set()
    if kinds == {"integer"}:
        yield from ((number, {Code.FIELD_RANGE}) for number in (2**63, -(2**63) - 1))
        yield 1.0, {Code.FIELD_TYPE}


def closed(dialect: str) -> Iterator[Row]:
    """The objects all of whose members the contract names, the value itself first."""
    yield Row(path="", type="object", required=True, constraints="", direction="both", fixed=False)
    for row in messages(dialect):
        if row.type.startswith("object") and not row.is_open:
            yield row


def sendable(row: Row, operation: Operation, dialect: str) -> bool:
    """Whether a message of this operation may hold the member."""
    if operation is not Operation.CREATE:
        return not row.fixed
    return not any(other.direction == "response" and row.stands_in(other.path) for other in rows(dialect))


def barred(dialect: str) -> Iterator[tuple[str, Operation, str]]:
    """What an operation may not send, outermost members only."""
    received = [row for row in messages(dialect) if row.direction == "response"]
    for row in received:
        if not any(row.path != other.path and row.stands_in(other.path) for other in received):
            yield dialect, Operation.CREATE, row.path
    for row in messages(dialect):
        if row.fixed:
            yield from ((dialect, operation, row.path) for operation in (Operation.PATCH, Operation.REPLACE))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_row_of_the_tables_is_overlooked(dialect: str) -> None:
    assert ROWS[dialect] == len(rows(dialect))


@pytest.mark.parametrize(("dialect", "row"), CASES)
def test_a_member_is_judged_as_its_row_says(dialect: str, row: Row) -> None:
    wrong = {
        f"{operation} {member!r:.80}": found
        for operation in ORDER_OPERATIONS
        if sendable(row, operation, dialect)
        for member, expected in verdicts(row, operation)
        if (found := problems(dialect, operation, at(row.path, member)).get(shown(row.path), set())) != expected
    }

    assert not wrong


@pytest.mark.parametrize(
    ("dialect", "operation", "path"),
    [pytest.param(*case, id=" ".join(case)) for name in DIALECTS for case in barred(name)],
)
def test_what_only_one_side_may_say_is_refused_of_the_other(dialect: str, operation: Operation, path: str) -> None:
    found = problems(dialect, operation, at(path, "text"))

    assert {Code.FIELD_READ_ONLY} == found[shown(path)]


@pytest.mark.parametrize(
    ("dialect", "parent"),
    [pytest.param(name, row, id=f"{name} {row.path or 'value'}") for name in DIALECTS for row in closed(name)],
)
def test_an_object_needs_the_members_that_are_required_and_takes_no_other(dialect: str, parent: Row) -> None:
    inside = f"{parent.path}." if parent.path else ""
    needed = [row.path for row in messages(dialect) if row.required and row.path.rpartition(".")[0] == parent.path]
    operation = Operation.PATCH if parent.path else Operation.CREATE

    found = problems(dialect, operation, at(f"{inside}unheardOf", 1))

    expected = {shown(path): {Code.FIELD_MISSING} for path in needed}
    expected[shown(f"{inside}unheardOf")] = {Code.FIELD_UNKNOWN}
    assert expected == {path: codes for path, codes in found.items() if path.startswith(shown(inside))}


@pytest.mark.parametrize(
    ("dialect", "parent"),
    [pytest.param(n, row, id=f"{n} {row.path}") for n in DIALECTS for row in messages(n) if row.is_open],
)
def test_an_open_object_takes_any_member_but_no_key_that_the_store_cannot_hold(dialect: str, parent: Row) -> None:
    inside = shown(parent.path)

    kept = problems(dialect, Operation.PATCH, at(f"{parent.path}.unheardOf", {"deep": [None, 1.5]}))
    faulty = problems(dialect, Operation.PATCH, at(f"{parent.path}.$unheardOf", 1))

    assert not [path for path in kept if path.startswith(f"{inside}.unheardOf")]
    assert {Code.FIELD_FORMAT} == faulty[f"{inside}.$unheardOf"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_models_have_no_member_that_the_tables_lack(dialect: str) -> None:
    shapes = DIALECTS[dialect].shapes
    modelled = {path for operation in ORDER_OPERATIONS for path in members(shapes[operation])}
    for row in messages(dialect):
        if {"array", "object"} == _kinds(row.type, Operation.PATCH):  # either form has the same elements
            modelled = {path.replace(f"{row.path}[]", f"{row.path}.*") for path in modelled}

    assert {row.path for row in messages(dialect) if not row.path.endswith(("]", "*"))} == modelled


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_models_list_no_value_that_the_tables_lack(dialect: str) -> None:
    shapes = DIALECTS[dialect].shapes
    modelled = {
        path: set(values)
        for operation in ORDER_OPERATIONS
        for path, node in members(shapes[operation]).items()
        if isinstance(values := node.get("enum"), list)
    }

    assert {row.path: set(row.values) for row in messages(dialect) if row.values} == modelled


@pytest.mark.parametrize(
    "dialect", [name for name, dialect in DIALECTS.items() if Operation.ENTRY_CREATE in dialect.shapes]
)
def test_an_entry_has_the_members_of_a_line(dialect: str) -> None:
    lines, shapes = DIALECTS[dialect].lines, DIALECTS[dialect].shapes
    assert lines
    line = f"{lines.member}[]."
    expected = {row.path.removeprefix(line) for row in messages(dialect) if row.path.startswith(line)}

    for operation in (Operation.ENTRY_CREATE, Operation.ENTRY_UPDATE):
        assert {path for path in expected if not path.endswith("]")} == set(members(shapes[operation]))


def members(shape: Shape) -> dict[str, Node]:
    """All members of a model by their paths, read from its JSON Schema."""
    schema = shape.validator.json_schema()
    return dict(_members(schema, schema.get("$defs", {}), ""))


def _members(node: Node, definitions: Mapping[str, Node], path: str) -> Iterator[tuple[str, Node]]:
    match node:
        case {"$ref": str(name)}:
            node = {**definitions[name.removeprefix("#/$defs/")], **node}
    match node:
        case {"properties": dict(properties)}:
            for name, member in properties.items():
                yield f"{path}{name}", member
                yield from _members(member, definitions, f"{path}{name}.")
    for name, mark in (("items", "[]."), ("additionalProperties", ".*.")):
        match node.get(name):
            case dict(inner):
                yield from _members(inner, definitions, path.removesuffix(".") + mark)
    for name in ("anyOf", "allOf", "oneOf"):
        match node.get(name):
            case list(alternatives):
                for inner in alternatives:
                    yield from _members(inner, definitions, path)
