"""From a value to the problems of its members: pydantic's errors in the words of the contracts (contracts 1.6)."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from orderstream.dialect import UNSOUND, Rules, Shape
from orderstream.fields import map_faults
from orderstream.json_text import INT64, LOST_DIGITS, JsonObject
from orderstream.problems import Code, Problem, Segment, path

_CODES: Mapping[str, Code] = {
    "missing": Code.FIELD_MISSING,
    "extra_forbidden": Code.FIELD_UNKNOWN,
    "string_too_short": Code.FIELD_LENGTH,
    "string_too_long": Code.FIELD_LENGTH,
    "too_short": Code.FIELD_LENGTH,
    "too_long": Code.FIELD_LENGTH,
    "string_pattern_mismatch": Code.FIELD_FORMAT,
    "greater_than": Code.FIELD_RANGE,
    "greater_than_equal": Code.FIELD_RANGE,
    "less_than": Code.FIELD_RANGE,
    "less_than_equal": Code.FIELD_RANGE,
    "literal_error": Code.FIELD_ENUM,
    **{code.value: code for code in Code},
}
_MESSAGES: Mapping[Code, str] = {
    Code.FIELD_MISSING: "is required",
    Code.FIELD_UNKNOWN: "is not a member of this message",
    Code.FIELD_READ_ONLY: "may not be sent in this operation",
    Code.FIELD_NULL: "must not be null",
}
_UNKEPT = "must be a number that int64 or a double holds exactly"


Fault: TypeAlias = tuple[tuple[Segment, ...], Problem]


class Judged(NamedTuple):
    """A value after validation; with problems, its unsound members hold `UNSOUND`."""

    value: JsonObject
    problems: tuple[Problem, ...] = ()


def judge(shape: Shape, value: JsonObject, rules: Rules) -> Judged:
    """Check every member of *value* by itself; what is right comes back in its normal form."""
    barred = [
        *((name, Code.FIELD_MISSING) for name in sorted(shape.required - value.keys())),
        *((name, Code.FIELD_READ_ONLY) for name in value if name in shape.read_only),
    ]
    faults: list[Fault] = [((name,), Problem(code, path(name), _MESSAGES[code])) for name, code in barred]
    try:
        sent = {name: member for name, member in value.items() if name not in shape.read_only}
        sound = shape.validator.validate_python(sent, context=rules.added)
    except ValidationError as error:
        faults += [fault for details in error.errors(include_url=False) for fault in _faults(details)]
        faults += _unseen(value, {place for place, _ in faults})
    if not faults:
        return Judged(sound)
    return Judged(_without(value, [place for place, _ in faults]), tuple(problem for _, problem in faults))


def _faults(details: ErrorDetails) -> Iterator[Fault]:
    place = details["loc"]
    if details["type"] == "inside":
        for code, inner, message in details["ctx"]["faults"]:
            yield (*place, *inner), Problem(code, path(*place, *inner), message)
        return
    code, message = _explain(details)
    yield place, Problem(code, path(*place), message)


def _explain(details: ErrorDetails) -> tuple[Code, str]:
    kind, given = details["type"], details["input"]
    code = _CODES.get(kind, Code.FIELD_TYPE)
    if code is Code.FIELD_TYPE:
        if given is None:
            code = Code.FIELD_NULL
        elif _is_number_out_of_range(kind, given):
            return Code.FIELD_RANGE, _UNKEPT
    return code, _MESSAGES.get(code) or _sentence(details["msg"])


def _is_number_out_of_range(kind: str, given: Any) -> bool:  # noqa: ANN401  # pydantic's own
    if given is LOST_DIGITS:
        return kind in ("int_type", Code.FIELD_TYPE)
    return kind == "int_type" and isinstance(given, float) and given.is_integer() and int(given) not in INT64


def _sentence(message: str) -> str:
    return (
        message.replace("Input should be", "must be")
        .replace("String should", "must")
        .replace("Value should have", "must have")
    )


def _unseen(value: JsonObject, seen: set[tuple[Segment, ...]]) -> Iterator[Fault]:
    """Faults inside free maps that pydantic did not reach because something beside them was wrong."""
    for code, place, message in map_faults(value):
        if seen.isdisjoint(place[:length] for length in range(len(place) + 1)):
            yield place, Problem(code, path(*place), message)


def _without(value: JsonObject, places: list[tuple[Segment, ...]]) -> JsonObject:
    copy: JsonObject = _copied(value)
    for place in places:
        _mark(copy, place)
    return copy


def _copied(value: Any) -> Any:  # noqa: ANN401  # any JSON
    match value:
        case dict():
            return {name: _copied(member) for name, member in value.items()}
        case list():
            return [_copied(element) for element in value]
        case _:
            return value


def _mark(value: Any, place: tuple[Any, ...]) -> None:  # noqa: ANN401  # any JSON
    *above, last = place
    for segment in above:
        value = value[segment]
        if value is UNSOUND:
            return
    if isinstance(value, list) or (isinstance(value, dict) and last in value):
        value[last] = UNSOUND
