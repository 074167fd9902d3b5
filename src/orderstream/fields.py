"""The types of members: what the contracts' words *number*, *joiId*, *date or date-time* … mean (contracts 1.4)."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeAlias

from annotated_types import Ge, Le
from pydantic import AfterValidator, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from orderstream.json_text import LOST_DIGITS
from orderstream.problems import Code, Segment

CLOSED = ConfigDict(extra="forbid", strict=True)  # a member that the contract lacks is FIELD_UNKNOWN
OPEN = ConfigDict(extra="allow", strict=True)  # an open object: further members are kept as they are

_EXTENDED_DATE = r"\d{4}-\d{2}-\d{2}"
_OFFSET = r"(?:Z|[+-]\d{2}(?::?\d{2})?)"
ISO_8601 = re.compile(rf"{_EXTENDED_DATE}(?:T\d{{2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d{{1,9}})?)?{_OFFSET})?", re.ASCII)
RFC_3339 = re.compile(
    rf"{_EXTENDED_DATE}[Tt ]\d{{2}}:\d{{2}}:\d{{2}}(?:\.\d{{1,9}})?(?:[Zz]|[+-]\d{{2}}:\d{{2}})", re.ASCII
)
_FRACTION = re.compile(r"[.,](\d+)")


def wrong(code: Code, message: str) -> PydanticCustomError:
    """The error that a field's own check raises."""
    return PydanticCustomError(code.value, "{message}", {"message": message})


def instant(text: str) -> datetime:
    """The moment that an accepted date or date-time names, to the millisecond; a date is midnight UTC.

    Raises `ValueError`.
    """
    text = _FRACTION.sub(lambda fraction: "." + fraction[1][:3].ljust(3, "0"), text.upper())
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def pattern_of(form: re.Pattern[str]) -> str:
    """The form of a whole text, as JSON Schema writes it."""
    return f"^{form.pattern}$".replace(r"\d", "[0-9]")  # elsewhere `\d` may be any digit of Unicode


class Dated:
    """A text of this form that names a moment of the calendar."""

    def __init__(self, form: re.Pattern[str], described: str) -> None:
        self.form = form
        self.described = described

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        described = self.described[0].upper() + self.described[1:]
        return {**handler(schema), "pattern": pattern_of(self.form), "description": described}

    def _check(self, text: str) -> str:
        try:
            if self.form.fullmatch(text):
                instant(text)
                return text
        except (ValueError, OverflowError):
            pass
        raise wrong(Code.FIELD_FORMAT, f"must be {self.described}")


class _Numeric:
    """A JSON number, kept as it came: an integer stays an integer."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        either = core_schema.union_schema([core_schema.int_schema(strict=True), core_schema.float_schema(strict=True)])
        return core_schema.custom_error_schema(either, Code.FIELD_TYPE.value, custom_error_message="must be a number")

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        bounds = {"ge": "minimum", "gt": "exclusiveMinimum"}  # pydantic leaves them in its own words
        return {"type": "number", **{bounds[name]: at for name, at in handler(schema).items() if name in bounds}}


class OneOf:
    """One of the keys of a vocabulary table, or of what the rules file adds to it under *name* (contracts 3)."""

    def __init__(self, name: str, table: Mapping[str, object]) -> None:
        self.name = name
        self.table = table

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._check, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "enum": list(self.table)}

    def _check(self, text: str, info: core_schema.ValidationInfo) -> str:
        added = info.context.get(self.name, {}) if info.context else {}
        if text in self.table or text in added:
            return text
        raise wrong(Code.FIELD_ENUM, f"must be one of {', '.join([*self.table, *added])}")


FREE_KEY: Final = {"maxLength": 256, "pattern": "^[^$\\u0000][^\\u0000]*$"}  # for JSON Schema; `map_faults` judges


def map_faults(value: object, *place: Segment) -> Iterator[tuple[Code, tuple[Segment, ...], str]]:
    """What is wrong inside a free map or an open object, at every level."""
    if isinstance(value, dict):
        for key, member in value.items():
            if not 1 <= len(key) <= 256 or key.startswith("$") or "\0" in key:
                message = "a key must have 1 to 256 characters, no $ at its beginning and no NUL"
                yield Code.FIELD_FORMAT, (*place, key), message
            yield from map_faults(member, *place, key)
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from map_faults(element, *place, index)
    elif value is LOST_DIGITS:
        yield Code.FIELD_RANGE, place, "must be a number that int64 or a double holds exactly"


def sound_inside(value: Any) -> Any:  # noqa: ANN401  # free by contract
    """The check of a free map, or of the outermost open object."""
    faults = list(map_faults(value))
    if faults:
        raise PydanticCustomError("inside", "inside", {"faults": faults})
    return value


class EmptyOr:
    """The empty text, or one of *minimum* to *maximum* Unicode code points."""

    def __init__(self, minimum: int, maximum: int | None = None) -> None:
        self.minimum = minimum
        self.maximum = maximum

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        maximum = {} if self.maximum is None else {"maxLength": self.maximum}
        return {"type": "string", "anyOf": [{"maxLength": 0}, {"minLength": self.minimum, **maximum}]}

    def _check(self, text: str) -> str:
        if text and len(text) < self.minimum:
            raise wrong(Code.FIELD_LENGTH, f"must be empty or have at least {self.minimum} characters")
        if self.maximum is not None and len(text) > self.maximum:
            raise wrong(Code.FIELD_LENGTH, f"must have at most {self.maximum} characters")
        return text


class OrElse:
    """What a dialect also takes, and its normalisation removes before the check: for JSON Schema alone."""

    def __init__(self, **schema: object) -> None:
        self.schema = schema

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [handler(schema), self.schema]}


Number: TypeAlias = Annotated[float, _Numeric()]
NumberFrom0: TypeAlias = Annotated[float, _Numeric(), Ge(0)]
Int64: TypeAlias = Annotated[int, Ge(-(2**63)), Le(2**63 - 1)]
Hex24: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{24}$"), AfterValidator(str.lower)]
Iso8601: TypeAlias = Annotated[str, Dated(ISO_8601, "an ISO 8601 date, or a date-time with an offset")]
Rfc3339: TypeAlias = Annotated[
    str, Dated(RFC_3339, "an RFC 3339 date-time with an offset"), Field(json_schema_extra={"format": "date-time"})
]
Anything: TypeAlias = Annotated[Any, AfterValidator(sound_inside)]
FreeMap: TypeAlias = Annotated[dict[str, Any], AfterValidator(sound_inside)]
