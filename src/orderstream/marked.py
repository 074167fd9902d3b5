"""The value of a message line by line, its faulty places marked, its personal data masked (interface 5; pure)."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from orderstream.json_text import MalformedJsonError, TooLargeError, parse
from orderstream.masking import form, masked_number, masked_text
from orderstream.problems import Problem, Segment, path

SHOWN_ELEMENTS: Final = 3  # of a list; the others only if they are faulty
SHOWN_CHARACTERS: Final = 120  # of a text
SHOWN_TEXT: Final = 4_000  # characters of a value that is no JSON

_PLACE_IN_TEXT: Final = re.compile(r"at character (\d+)")
_LAST: Final = re.compile(r'(?P<above>.*?)(?:\.?(?P<name>[A-Za-z_$*][A-Za-z0-9_$-]*)|\["(?P<quoted>[^"]+)"\])$')


class Number(NamedTuple):
    """A number in the digits in which it was sent."""

    digits: str


Shown: TypeAlias = "dict[str, Shown] | list[Shown] | str | Number | bool | None"
Place: TypeAlias = tuple[Segment, ...]


class Line(NamedTuple):
    """A line of a value, and what is wrong there."""

    text: str
    problems: Sequence[Problem] = ()


def read(value: bytes | None) -> dict[str, Shown] | None:
    """The value with its numbers as they were sent; None if it is not one JSON object."""
    try:
        parse(value or b"")
    except (MalformedJsonError, TooLargeError):
        return None
    return dict(_DECODER.decode((value or b"").decode()))


def as_json(value: dict[str, Shown], *, reveal: bool) -> str:
    """All of it on one line, masked."""
    return "".join(line.text.lstrip() for line in _Printed(_shown(reveal=reveal)).lines(value))


def as_sent(value: dict[str, Shown]) -> str:
    """All of it in one text, nothing masked: to be sent."""
    return "\n".join(line.text for line in _Printed(_AS_SENT).lines(value))


def lines(value: bytes | None, problems: Sequence[Problem], *, reveal: bool) -> Iterator[Line]:
    """For people: long lists and texts without their middle, where nothing is wrong there."""
    members = read(value)
    if members is None:
        yield from _text_lines(value or b"", problems, reveal=reveal)
    else:
        yield from _Printed(_shown(reveal=reveal), problems, brief=True).lines(members)


def _text_lines(value: bytes, problems: Sequence[Problem], *, reveal: bool) -> Iterator[Line]:
    """What is no JSON, broken where it ceases to be."""
    text = value.decode(errors="backslashreplace") if reveal else form(value.decode(errors="replace"))
    at = next((int(found[1]) for problem in problems if (found := _PLACE_IN_TEXT.search(problem.message))), 0)
    about = [problem for problem in problems if problem.path == "value"]
    before, after = text[:at][-SHOWN_TEXT:].splitlines(), text[at : at + SHOWN_TEXT].splitlines()
    faulty = max(len(before) - 1, 0)
    for number, line in enumerate([*before, *after] or [""]):
        yield Line(line, about if number == faulty else ())


class _Mask(NamedTuple):
    """What is shown of names, texts and numbers."""

    name: Callable[[str], str]
    text: Callable[[Place, str], str]
    number: Callable[[Place, str], str]


_AS_SENT: Final = _Mask(str, lambda _, text: text, lambda _, digits: digits)


def _shown(*, reveal: bool) -> _Mask:
    return _Mask(
        lambda name: name if reveal or path(name) != "*" else form(name),
        partial(masked_text, reveal=reveal),
        partial(masked_number, reveal=reveal),
    )


class _Printed:
    """A value in indented lines."""

    def __init__(self, mask: _Mask, problems: Iterable[Problem] = (), *, brief: bool = False) -> None:
        self._mask, self._brief = mask, brief
        self._problems: dict[str, list[Problem]] = defaultdict(list)
        for problem in problems:
            self._problems[problem.path].append(problem)
        self._faulty = {above for where in self._problems for above in _with_those_around(where)}
        self._members_of: dict[str, list[tuple[str, Sequence[Problem]]]] = defaultdict(list)
        for where, found in self._problems.items():
            for above, name in _parted(where):
                self._members_of[above].append((name, found))

    def lines(self, value: dict[str, Shown]) -> Iterator[Line]:
        first, *others = self._inside((), value, "", "")
        of_all = () if "value" in value else self._problems.get("value", ())
        yield Line(first.text, of_all)
        yield from others

    def _inside(self, place: Place, value: Shown, head: str, tail: str) -> Iterator[Line]:
        """The lines of what stands at *place*, after its name and before a comma."""
        problems = self._problems.get(path(*place), ()) if place else ()
        match value:
            case dict():
                yield Line(f"{head}{{", problems)
                yield from self._members(place, value)
                yield Line(f"{_indent(place)}}}{tail}")
            case list():
                yield Line(f"{head}[", problems)
                yield from self._elements(place, value)
                yield Line(f"{_indent(place)}]{tail}")
            case _:
                yield Line(f"{head}{self._leaf(place, value)}{tail}", problems)

    def _members(self, place: Place, value: Mapping[str, Shown]) -> Iterator[Line]:
        for left, (name, member) in zip(range(len(value) - 1, -1, -1), value.items(), strict=True):
            inner = (*place, name)
            head = f"{_indent(inner)}{json.dumps(self._mask.name(name), ensure_ascii=False)}: "
            yield from self._inside(inner, member, head, "," if left else "")
        for name, problems in self._members_of[path(*place) if place else ""]:
            if name not in value:
                yield Line(f"{_indent((*place, name))}(no {name})", problems)

    def _elements(self, place: Place, value: Sequence[Shown]) -> Iterator[Line]:
        hidden = 0
        for index, element in enumerate(value):
            inner = (*place, index)
            if self._brief and index >= SHOWN_ELEMENTS and path(*inner) not in self._faulty:
                hidden += 1
                continue
            yield from _gap(inner, hidden)
            hidden = 0
            yield from self._inside(inner, element, _indent(inner), "," if index < len(value) - 1 else "")
        yield from _gap((*place, 0), hidden)

    def _leaf(self, place: Place, value: Shown) -> str:
        match value:
            case Number(digits):
                return self._mask.number(place, digits)
            case str():
                text = self._mask.text(place, value)
                brief = self._brief and len(text) > SHOWN_CHARACTERS
                shown = json.dumps(text[:SHOWN_CHARACTERS] if brief else text, ensure_ascii=False)
                return f"{shown} ({len(text) - SHOWN_CHARACTERS:,} more characters)" if brief else shown
            case _:
                return json.dumps(value)


def _indent(place: Place) -> str:
    return "  " * len(place)


def _gap(place: Place, hidden: int) -> Iterator[Line]:
    if hidden:
        yield Line(f"{_indent(place)}({hidden:,} more)")


def _with_those_around(where: str) -> Iterator[str]:
    """`lines`, `lines[0]` and `lines[0].price`."""
    yield where
    yield from (where[:end] for end, character in enumerate(where) if character in ".[")


def _parted(where: str) -> Iterator[tuple[str, str]]:
    """A place in the value as the object and the name of the member in it."""
    last = _LAST.fullmatch(where)
    if last and last["name"] != "*" and where not in ("value", "key") and not where.startswith("headers."):
        yield last["above"], last["name"] or last["quoted"]


def _number(digits: str) -> Number:
    return Number(digits)


_DECODER: Final[json.JSONDecoder] = json.JSONDecoder(parse_int=_number, parse_float=_number)
