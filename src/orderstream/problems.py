"""What can be wrong with a message: the codes, and the place of each problem (contracts 1.6)."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, TypeAlias

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
