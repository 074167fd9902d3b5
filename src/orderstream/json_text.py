"""JSON as the contracts allow it: one object, no duplicate members, no digit lost (contracts 1.2 and 1.4)."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import orjson

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]

MAX_DEPTH = 64  # levels; the value itself is the first
MAX_MEMBERS = 100_000  # members and elements
INT64 = range(-(2**63), 2**63)

_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_EMPTY = re.compile(rb"\{\s*\}|\[\s*\]")
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{[]}")
_ALIKE = bytes.maketrans(b"012345678,[", b"999999999::")  # digits, and what stands before a number
_LONG_NUMBER = b":" + 19 * b"9"  # once they are alike
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SIGNIFICANT_DIGIT = re.compile(r"-?[0.]*[1-9]")
_INTEGRAL_FLOATS = (b".0,", b".0}", b".0]", b"e+1")  # how those end that int64 can hold too; texts may look like them


class MalformedJsonError(ValueError):
    """The text is not one JSON object in UTF-8; the message says why, without quoting it."""


class TooLargeError(ValueError):
    """The value is nested too deep or has too many members and elements."""


@dataclass(frozen=True, slots=True)
class LostDigits:
    """Stands where a number was that neither int64 nor a double can hold; fails every type check."""


LOST_DIGITS = LostDigits()


def parse(raw: bytes) -> JsonObject:
    """Read *raw* as one JSON object; numbers that cannot be kept exactly become `LOST_DIGITS`.

    Raises `MalformedJsonError` and `TooLargeError`.
    """
    _bound(raw)
    plain = _plain(raw)
    return _strictly(raw) if plain is None else plain


def _plain(raw: bytes) -> JsonObject | None:
    """The object, where writing it gives the same bytes: then no member was there twice, and no digit got lost."""
    if _LONG_NUMBER in raw.translate(_ALIKE, b"-"):
        return None  # orjson reads more integers than int64 holds
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) and orjson.dumps(value) == raw else None


def _strictly(raw: bytes) -> JsonObject:
    """The object, or why there is none. Raises as `parse`."""
    try:
        text = raw.decode()
        value = _DECODER.decode(text)
    except UnicodeDecodeError:
        raise MalformedJsonError("the value is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise MalformedJsonError(f"not JSON at character {error.pos}: {error.msg}") from None
    except RecursionError:
        raise TooLargeError(f"the value is deeper than {MAX_DEPTH} levels") from None
    if not isinstance(value, dict):
        raise MalformedJsonError("the value is not a JSON object")
    if "\\u" in text and _SURROGATE_ESCAPE.search(text) and _has_lone_surrogate(value):
        raise MalformedJsonError("the value holds half of a surrogate pair")
    return value


def canonical(value: object) -> bytes:
    """One text for all values that say the same: members sorted, 1 and 1.0 alike (contracts 1.5)."""
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    if isinstance(value, float) or any(end in text for end in _INTEGRAL_FLOATS):
        text = orjson.dumps(_with_integers(value), option=orjson.OPT_SORT_KEYS)
    return text


def same(left: object, right: object) -> bool:
    """Whether two values say the same; unlike `==` it tells true from 1."""
    return left == right and canonical(left) == canonical(right)


def _bound(raw: bytes) -> None:
    opened = raw.count(b"{") + raw.count(b"[")
    if opened <= MAX_DEPTH and opened + raw.count(b",") <= MAX_MEMBERS:
        return  # cannot be too deep nor too wide, whatever stands in its strings
    marks = _STRINGS.sub(b'""', raw)
    filled = marks.count(b"{") + marks.count(b"[") - len(_EMPTY.findall(marks))
    if marks.count(b",") + filled > MAX_MEMBERS:
        raise TooLargeError(f"the value has more than {MAX_MEMBERS} members and elements")
    if max(_depths(marks.translate(None, _NO_BRACKETS)), default=0) > MAX_DEPTH:
        raise TooLargeError(f"the value is deeper than {MAX_DEPTH} levels")


def _depths(brackets: bytes) -> Iterator[int]:
    depth = 0
    for bracket in brackets:
        depth += 1 if bracket in b"{[" else -1
        yield depth


def _object(pairs: list[tuple[str, Json]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJsonError("an object has the same member twice")
    return members


def _integer(text: str) -> int | float | LostDigits:
    if len(text) < 19 or (len(text) < 21 and int(text) in INT64):
        return int(text)
    return _number(text)


def _number(text: str) -> float | LostDigits:
    number = float(text)
    shortest = repr(number)
    if shortest == text:
        return number
    if shortest in ("inf", "-inf") or not _says_the_same(shortest, text):
        return LOST_DIGITS
    return number


def _says_the_same(shortest: str, text: str) -> bool:
    if shortest in ("0.0", "-0.0"):  # the exponent may be beyond what a Decimal can hold
        return not _SIGNIFICANT_DIGIT.match(text)
    return Decimal(shortest) == Decimal(text)


def _constant(text: str) -> Json:
    raise MalformedJsonError(f"{text} is not a JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_float=_number,
    parse_int=_integer,
    parse_constant=_constant,
)


def _has_lone_surrogate(value: JsonObject) -> bool:
    try:
        json.dumps(value, ensure_ascii=False, default=repr).encode()
    except UnicodeEncodeError:
        return True
    return False


def _with_integers(value: object) -> object:
    match value:
        case dict():
            return {key: _with_integers(member) for key, member in value.items()}
        case list():
            return [_with_integers(element) for element in value]
        case float() if value.is_integer() and int(value) in INT64:
            return int(value)
        case _:
            return value
