"""A right value and every way to break exactly one rule of it, with the code and path that contracts 1.6 demand."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias

from orderstream.commands import Operation
from orderstream.dialects import DIALECTS
from orderstream.problems import Code
from tests.members import (
    KINDS,
    LOST,
    Array,
    Barred,
    Choice,
    Dictionary,
    Digits,
    Either,
    Free,
    Node,
    Object,
    Real,
    Text,
    Value,
    Whole,
    form_of,
    kinds,
    shape_node,
)

Place: TypeAlias = tuple[str | int, ...]

WIDE: Final = "\N{MUSICAL SYMBOL G CLEF}"  # one code point, two UTF-16 units, four bytes
RIGHT: Final = (  # for members of a form, the first that fits
    "0123456789abcdef01234567",
    "550e8400-e29b-41d4-a716-446655440000",
    "2468-1668-79485",
    "text",
    "USD",
)
INSTANT: Final = "2024-02-29T10:00:00.123Z"
NO_DATE: Final = ("", "2023-02-29", "29.02.2024", "2024-02-29T10:00:00", "2024-02-29T25:00:00Z", f"{INSTANT}\n")
BAD_KEYS: Final = ("", "$text", "a\0b", "k" * 257)
NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]{0,39}")
GONE: Final = object()


class Violation(NamedTuple):
    """What is put at a place of a right value, and the one problem that this is."""

    place: Place
    put: Any
    code: Code

    @property
    def path(self) -> str:
        """The place as problems name it."""
        return shown(self.place)

    def of(self, value: Value) -> Value:
        """*value* with the rule broken."""
        return _with(value, self.place, self.put)


def shown(place: Place) -> str:
    """The form of paths in contracts 1.6, written down a second time."""
    text = ""
    for segment in place:
        match segment:
            case int():
                text += f"[{segment}]"
            case str() if not NAME.fullmatch(segment):
                text += ".*"
            case str() if "-" in segment:
                text += f'["{segment}"]'
            case _:
                text += f".{segment}"
    return text.removeprefix(".")


def whole(node: Node, form: int = 0) -> Value:
    """A right value with every member, one element in every array; *form* chooses among several forms."""
    match node:
        case Object(members=members):
            return {name: whole(member, form) for name, member in members.items() if not isinstance(member, Barred)}
        case Array(of=element):
            return [whole(element, form)]
        case Dictionary(of=member):
            return {"key": whole(member, form)}
        case Free():
            return {"deep": [{"key": 1}, "text", None, Digits("7.5")]}
        case Either(forms=forms):
            return whole(forms[form % len(forms)], form)
        case Text():
            return _text(node)
        case Choice(values=values):
            return values[0]
        case Whole(least=least):
            return max(least, 0)
        case Real(above=above):
            return 0 if above is None else above + 1
        case _:
            return None if kinds(node) == {"null"} else True


@cache
def of_full_values(dialect: str, operation: Operation) -> dict[str, list[tuple[Value, Violation]]]:
    """What can be broken in values that have all members, by the outermost member; "" is the value itself."""
    node = shape_node(DIALECTS[dialect].shapes[operation])
    found: dict[tuple[Place, str], tuple[Value, Violation]] = {}
    for value in (whole(node), whole(node, form=1)):
        found |= {(each.place, repr(each.put)): (value, each) for each in breaking(dialect, operation, value)}
    by_member: dict[str, list[tuple[Value, Violation]]] = {}
    for value, violation in found.values():
        name = str(violation.place[0])
        by_member.setdefault(name if name in node.members else "", []).append((value, violation))
    return by_member


def breaking(dialect: str, operation: Operation, value: Value) -> list[Violation]:
    """What can be broken in a right value."""
    node = shape_node(DIALECTS[dialect].shapes[operation])
    return [each for each in violations(node, value) if not _is_tolerated(dialect, each, value)]


def _is_tolerated(dialect: str, violation: Violation, value: Value) -> bool:
    """Whether a normalisation removes what would break the rule: a blank second line of an address, a blank row."""
    match violation.place:
        case (*_, "address2") if dialect == "b2b-commerce":
            return bool(violation.put == "")
        case ("fulfilledItems", int(parcel), "items", int(row), *_):
            return bool(value["fulfilledItems"][parcel]["items"][row].get("quantity") == "")
    return False


def violations(node: Node, value: Value, place: Place = ()) -> Iterator[Violation]:
    """Every way to break one rule of *node* in *value*, which stands at *place*."""
    if place:
        yield from (Violation(place, put, code) for put, code in _instead(node))
    match form_of(node, value):
        case Object() as form:
            yield from _of_object(form, value, place)
        case Dictionary(of=member):
            yield from _bad_keys(place, whole(member))
            for name, each in value.items():
                yield from violations(member, each, (*place, name))
        case Array(of=element):
            for index, each in enumerate(value):
                yield from violations(element, each, (*place, index))
        case Free():
            yield from _of_free(value, place)


def _of_object(node: Object, value: Value, place: Place) -> Iterator[Violation]:
    for name in node.required & value.keys():
        yield Violation((*place, name), GONE, Code.FIELD_MISSING)
    for name, member in node.members.items():
        if isinstance(member, Barred):
            yield from (Violation((*place, name), put, Code.FIELD_READ_ONLY) for put in KINDS.values())
        elif name in value:
            yield from violations(member, value[name], (*place, name))
    if node.is_open:
        yield from _bad_keys(place)
        yield from _bad_keys((*place, "unheardOf"))
        yield Violation((*place, "unheardOf"), LOST, Code.FIELD_RANGE)
    else:
        yield from (Violation((*place, name), 1, Code.FIELD_UNKNOWN) for name in ("unheardOf", "un-heard", "a@b.c"))


def _of_free(value: Value, place: Place) -> Iterator[Violation]:
    yield Violation(place, LOST, Code.FIELD_RANGE)
    match value:
        case dict():
            yield from _bad_keys(place)
            for name, each in value.items():
                yield from _of_free(each, (*place, name))
        case list():
            for index, each in enumerate(value):
                yield from _of_free(each, (*place, index))


def _bad_keys(place: Place, member: Value = 1) -> Iterator[Violation]:
    return (Violation((*place, key), member, Code.FIELD_FORMAT) for key in BAD_KEYS)


def _instead(node: Node) -> Iterator[tuple[Value, Code]]:
    """What may not stand where *node* is."""
    possible = kinds(node)
    for name in KINDS.keys() - possible:
        yield KINDS[name], Code.FIELD_NULL if name == "null" else Code.FIELD_TYPE
    if "integer" in possible and not isinstance(node, Free):
        yield from ((number, Code.FIELD_RANGE) for number in (2**63, -(2**63) - 1, 10**400))
    for form in node.forms if isinstance(node, Either) else (node,):
        yield from _out_of_bounds(form)


def _out_of_bounds(node: Node) -> Iterator[tuple[Value, Code]]:
    match node:
        case Text():
            yield from _wrong_texts(node)
        case Choice(values=values):
            yield from (
                (text, Code.FIELD_ENUM) for text in ("no such value", "", values[0].swapcase(), f"{values[0]} ")
            )
        case Whole(least=least, most=most):
            yield from ((number, Code.FIELD_RANGE) for number in (least - 1, most + 1))
            yield from ((Digits(text), Code.FIELD_TYPE) for text in ("1.0", "1e2"))
        case Real(least=least, above=above):
            yield from ((Digits(text), Code.FIELD_RANGE) for text in (LOST.text, "1e400", "-1E+400", "1e-400"))
            if least is not None:
                yield from ((number, Code.FIELD_RANGE) for number in (least - 1, Digits(f"-{least}.000001")))
            if above is not None:
                yield from ((number, Code.FIELD_RANGE) for number in (above, above - 1, Digits("-0.0")))


def _wrong_texts(node: Text) -> Iterator[tuple[str, Code]]:
    right = _text(node)
    if node.formats:
        yield from ((text, Code.FIELD_FORMAT) for text in NO_DATE)
    elif node.is_key:
        yield from ((text, Code.FIELD_FORMAT) for text in BAD_KEYS)
    elif node.pattern:
        wrong = ("", f"{right}\n", f" {right}", f"{right[:-1]}\N{ARABIC-INDIC DIGIT ONE}", right + "0" * 40)
        yield from ((text, Code.FIELD_FORMAT) for text in wrong)
    else:
        short = WIDE * (node.least - 1)
        if node.least and not (node.or_empty and not short):
            yield short, Code.FIELD_LENGTH
        if node.most is not None:
            yield WIDE * (node.most + 1), Code.FIELD_LENGTH


def _text(node: Text) -> str:
    if node.formats:
        return INSTANT
    if node.pattern and not node.is_key:
        return next(text for text in RIGHT if re.fullmatch(node.pattern or "", text))
    length = max(node.least, min(4, 4 if node.most is None else node.most))
    return ("text" * length)[:length]


def _with(value: Value, place: Place, put: Value) -> Value:
    if not place:
        return put
    first, *rest = place
    if isinstance(value, list):
        return [_with(each, tuple(rest), put) if index == first else each for index, each in enumerate(value)]
    if put is GONE and not rest:
        return {name: each for name, each in value.items() if name != first}
    return {**(value or {}), first: _with((value or {}).get(first), tuple(rest), put)}
