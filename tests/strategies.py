"""Right messages of every dialect, drawn from its own models and repaired where rules across members demand it."""

import os
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeAlias

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from orderstream.commands import Operation
from orderstream.dialects import DIALECTS
from tests.members import (
    Array,
    Barred,
    Choice,
    Dictionary,
    Digits,
    Either,
    Flag,
    Free,
    Node,
    Null,
    Object,
    Real,
    Text,
    Value,
    Whole,
    shape_node,
)
from tests.violations import BAD_KEYS, RIGHT, WIDE, whole

_PROFILE: Final[dict[str, Any]] = {
    "phases": (Phase.explicit, Phase.generate, Phase.shrink),
    "report_multiple_bugs": False,
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
}
settings.register_profile("small", max_examples=15, **_PROFILE)
settings.register_profile("long", max_examples=500, **{**_PROFILE, "derandomize": False, "print_blob": True})
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "small"))

Members: TypeAlias = dict[str, Value]

ODD_TEXTS: Final = (
    "", " ", "\0", "a\0b", "null", "0", "-1", "007", "$where", "שלום \u202etxt", "e\u0301", '"\\/\b\u2028', WIDE * 3,
    "\N{WOMAN}\u200d\N{WOMAN}\u200d\N{GIRL}", "x" * 300,
)  # fmt: skip
ODD_KEYS: Final = ("a.b", " ", "a$b", "0", "__proto__", "_id", "-", '"', "unit price", "p@x.org", WIDE * 256, "k" * 256)
ODD_NUMBERS: Final = (
    "0", "-0", "-0.0", "0e0", "0.10", "1E2", "100000000000000000000", "9007199254740993", "-9223372036854775808",
    "9223372036854775807", "1e-7", "123456789012345e-20", "5e-324", "-1.7976931348623157e308",
)  # fmt: skip


def right(node: Node) -> SearchStrategy[Value]:
    """Any right value of *node*."""
    match node:
        case Object():
            return _objects(node)
        case Array(of=element):
            return st.lists(right(element), max_size=2)
        case Dictionary(of=member):
            return st.dictionaries(KEYS, right(member), max_size=2)
        case Either(forms=forms):
            return st.sampled_from(forms).flatmap(right)
        case Text():
            return _texts(node)
        case Choice(values=values):
            return st.sampled_from(values)
        case Whole(least=least, most=most):
            return st.integers(max(least, -9), min(most, 99)) | st.integers(least, most)
        case Real(least=None, above=None):
            return NUMBERS
        case Real(above=above):
            return _bounded(above is not None)
        case _:
            return PLAIN[type(node)]


@st.composite
def _objects(draw: DrawFn, node: Object) -> Members:
    """The required members and some others; of an open object, members that nobody named too."""
    possible = sorted(name for name, member in node.members.items() if not isinstance(member, Barred))
    least = draw(st.integers(0, min(8, len(possible))))
    chosen = draw(st.lists(st.sampled_from(possible), min_size=least, max_size=10, unique=True)) if possible else []
    members = {name: draw(right(node.members[name])) for name in (*chosen, *sorted(node.required - {*chosen}))}
    if not node.is_open or draw(st.integers(0, 3)):
        return members
    further = draw(st.dictionaries(KEYS, ANYTHING, max_size=2))
    return {**{name: member for name, member in further.items() if name not in node.members}, **members}


@cache
def _texts(node: Text) -> SearchStrategy[str]:
    if node.formats:
        return st.one_of(MOMENTS, DAYS, LOOSE_MOMENTS) if "date" in node.formats else st.one_of(MOMENTS, RFC_MOMENTS)
    if node.is_key:
        return KEYS
    if node.pattern:
        known = (strategy for strategy, text in FAST if re.fullmatch(node.pattern, text))
        return next(known, st.from_regex(node.pattern, fullmatch=True))
    most = 8 if node.most is None else min(node.most, 8)
    plain = st.text(max_size=most).map(lambda text: text.ljust(node.least, "x"))
    odd = [text for text in ODD_TEXTS if node.least <= len(text) and (node.most is None or len(text) <= node.most)]
    bound = [] if node.most is None else [WIDE * node.most]
    empty = [""] if node.or_empty else []
    return plain | st.sampled_from([*odd, *bound, *empty]) if odd or bound or empty else plain


def _dated(form: str, fractions: tuple[str, ...], offsets: tuple[str, ...]) -> SearchStrategy[str]:
    moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31))  # noqa: DTZ001  # the offset is written after it
    return st.builds(
        lambda moment, fraction, offset: f"{moment.year:04}{moment.strftime(form)}{fraction}{offset}",
        moments,
        st.sampled_from(fractions),
        st.sampled_from(offsets),
    )


def _decimal(digits: int, places: int, ending: str) -> Digits:
    text = f"{abs(digits):0{places + 1}}"
    point = f"{text[:-places]}.{text[-places:]}" if places else f"{text}.0"
    return Digits(f"{'-' if digits < 0 else ''}{point}{ending}")


@cache
def _bounded(is_above: bool) -> SearchStrategy[Value]:  # noqa: FBT001  # the one question
    return NUMBERS.map(_positive).filter(lambda number: number.exact > 0) if is_above else NUMBERS.map(_positive)


def _positive(number: Digits) -> Digits:
    return Digits("1") if number.exact == -(2**63) else Digits(number.text.removeprefix("-"))


MOMENTS: Final = _dated("-%m-%dT%H:%M:%S", ("", ".5", ".123", ".123456789"), ("Z", "+00:00", "-23:59", "+05:30"))
RFC_MOMENTS: Final = _dated("-%m-%d %H:%M:%S", ("", ".000001"), ("z", "-00:00"))
LOOSE_MOMENTS: Final = _dated("-%m-%dT%H:%M", ("", ":59", ":00,25"), ("Z", "+05", "-0930", "+05:30"))
DAYS: Final = st.dates().map(str)
_CHARACTERS: Final = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
KEYS: Final = st.sampled_from(ODD_KEYS) | st.text(_CHARACTERS, min_size=1, max_size=6).filter(
    lambda key: not key.startswith("$")
)
NUMBERS: Final[SearchStrategy[Digits]] = st.one_of(
    st.integers(-999, 9999).map(lambda number: Digits(str(number))),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: Digits(str(number))),
    st.builds(_decimal, st.integers(-(10**6), 10**6), st.integers(0, 3), st.just("")),
    st.builds(
        _decimal,
        st.integers(1 - 10**15, 10**15 - 1),
        st.integers(0, 17),
        st.sampled_from(("", "e3", "E+07", "e-5", "e15")),
    ),
    st.sampled_from(ODD_NUMBERS).map(Digits),
)
ANYTHING: Final[SearchStrategy[Value]] = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=5), st.sampled_from(ODD_TEXTS)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=5,
)
PLAIN: Final[Mapping[type, SearchStrategy[Value]]] = {Free: ANYTHING, Flag: st.booleans(), Null: st.none()}
HEX: Final = st.integers(0, 16**24 - 1).flatmap(lambda number: st.sampled_from((f"{number:024x}", f"{number:024X}")))
UUIDS: Final = st.uuids().flatmap(lambda uuid: st.sampled_from((str(uuid), str(uuid).upper())))
FAST: Final = ((HEX, RIGHT[0]), (UUIDS, RIGHT[1]))  # drawn as numbers, not character by character


@st.composite
def anything(draw: DrawFn, dialect: str, operation: Operation, secret: str) -> Value:
    """Any JSON, mostly an object with names of the dialect among its keys; *secret* stands in every text."""
    names = sorted(_names(shape_node(DIALECTS[dialect].shapes[operation])))
    keys = st.sampled_from([*names, *ODD_KEYS, *BAD_KEYS]) if names else KEYS
    scalars = st.one_of(
        st.none(), st.booleans(), NUMBERS, st.text(max_size=3).map(lambda text: f"{secret}{text}"),
        st.sampled_from((Digits("1e400"), Digits("0.12345678901234567890"))),
    )  # fmt: skip
    inner = st.recursive(
        scalars, lambda deeper: st.lists(deeper, max_size=3) | st.dictionaries(keys, deeper, max_size=4), max_leaves=8
    )
    drawn: Members = draw(st.dictionaries(keys, inner, max_size=8))
    full: Members = whole(shape_node(DIALECTS[dialect].shapes[operation]), draw(st.integers(0, 1)))
    mixed = {name: full[name] for name in full if draw(st.booleans())}
    return draw(st.sampled_from((drawn, {**mixed, **drawn}, {**drawn, **mixed}, [drawn], secret)))


def _names(node: Node) -> set[str]:
    match node:
        case Object(members=members):
            return set(members).union(*map(_names, members.values()))
        case Array(of=inner) | Dictionary(of=inner):
            return _names(inner)
        case Either(forms=forms):
            return set().union(*map(_names, forms))
        case _:
            return set()
