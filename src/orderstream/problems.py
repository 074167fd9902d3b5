"""What can be wrong with a message: the codes, and the place of each problem (contracts 1.6)."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

Segment: TypeAlias = str | int

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]{0,39}")  # anything else may be somebody's e-mail address


class Code(StrEnum):
    """In the order in which problems are reported."""

    MALFORMED_JSON = "MALFORMED_JSON"
    KEY_MISSING = "KEY_MISSING"
    HEADER_MISSING = "HEADER_MISSING"
    HEADER_INVALID = "HEADER_INVALID"
    UNKNOWN_DIALECT = "UNKNOWN_DIALECT"
    UNSUPPORTED_OPERATION = "UNSUPPORTED_OPERATION"
    FIELD_MISSING = "FIELD_MISSING"
    FIELD_TYPE = "FIELD_TYPE"
    FIELD_NULL = "FIELD_NULL"
    FIELD_RANGE = "FIELD_RANGE"
    FIELD_LENGTH = "FIELD_LENGTH"
    FIELD_FORMAT = "FIELD_FORMAT"
    FIELD_ENUM = "FIELD_ENUM"
    FIELD_UNKNOWN = "FIELD_UNKNOWN"
    FIELD_READ_ONLY = "FIELD_READ_ONLY"
    RULE_VIOLATION = "RULE_VIOLATION"
    IDENTITY_MISSING = "IDENTITY_MISSING"
    IDENTITY_CONFLICT = "IDENTITY_CONFLICT"
    EMPTY_UPDATE = "EMPTY_UPDATE"
    ORDER_NOT_FOUND = "ORDER_NOT_FOUND"
    ENTRY_NOT_FOUND = "ENTRY_NOT_FOUND"
    DUPLICATE_ORDER = "DUPLICATE_ORDER"
    DUPLICATE_ENTRY = "DUPLICATE_ENTRY"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    TOO_LARGE = "TOO_LARGE"
    UNSTORABLE = "UNSTORABLE"
    PRODUCER_NOT_ALLOWED = "PRODUCER_NOT_ALLOWED"


MEANINGS: Final[Mapping[Code, str]] = {
    Code.MALFORMED_JSON: "the value is not one JSON object",
    Code.KEY_MISSING: "the record key is empty",
    Code.HEADER_MISSING: "a required header is absent",
    Code.HEADER_INVALID: "a header has the wrong form",
    Code.UNKNOWN_DIALECT: "the header dialect names none of the five",
    Code.UNSUPPORTED_OPERATION: "the operation is unknown, not for this topic or not for this dialect",
    Code.FIELD_MISSING: "a required member is absent",
    Code.FIELD_TYPE: "a member has the wrong JSON type",
    Code.FIELD_NULL: "null where it may not be",
    Code.FIELD_RANGE: "a number is below or above a bound",
    Code.FIELD_LENGTH: "a text or a list is too short or too long",
    Code.FIELD_FORMAT: "an id, a date, a code or a map key has the wrong form",
    Code.FIELD_ENUM: "a value is not one of the listed ones",
    Code.FIELD_UNKNOWN: "the contract has no such member",
    Code.FIELD_READ_ONLY: "only the receiving side may set it, or it may not be sent in this operation",
    Code.RULE_VIOLATION: "members contradict each other",
    Code.IDENTITY_MISSING: "the order, the line or the owner is not named",
    Code.IDENTITY_CONFLICT: "two addresses do not name the same order",
    Code.EMPTY_UPDATE: "there is nothing to change",
    Code.ORDER_NOT_FOUND: "no such order in this tenant",
    Code.ENTRY_NOT_FOUND: "the order has no such line",
    Code.DUPLICATE_ORDER: "an order of this name exists with other content",
    Code.DUPLICATE_ENTRY: "a line of this name exists with other content",
    Code.IDEMPOTENCY_CONFLICT: "the idempotency key was used with other content",
    Code.TOO_LARGE: "the value is too long, too deep or has too many members",
    Code.UNSTORABLE: "the order would not fit into one document",
    Code.PRODUCER_NOT_ALLOWED: "this worker takes no messages of this dialect or tenant",
}

_RANK = {code: rank for rank, code in enumerate(Code)}


class Problem(NamedTuple):
    """One thing that is wrong, and where; *message* never holds a value of the message."""

    code: Code
    path: str
    message: str


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sorted by code as contracts 1.6 lists them, then by place as found; the same one only once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: _RANK[problem.code]))


def path(*segments: Segment) -> str:
    """`lineItems[0].price`; a name that does not look like one is shown as `*`."""
    text = ""
    for segment in segments:
        if isinstance(segment, int):
            text += f"[{segment}]"
        elif not _NAME.fullmatch(segment):
            text += ".*" if text else "*"
        elif "-" in segment:
            text += f'["{segment}"]'
        else:
            text += f".{segment}" if text else segment
    return text or "value"


def header(name: str) -> str:
    """The path of a header."""
    return f"headers.{name}"
