"""Headers of the messages: their names, and the forms that several dialects share (contracts 1.2)."""

import re
from typing import Final
from uuid import UUID

from orderstream.dialect import HeaderForm
from orderstream.fields import pattern_of
from orderstream.json_text import JsonObject

MAX_TEXT: Final = 512  # characters of an id, a reference, a tenant or a tracing header
TRACING: Final = ("correlation-id", "traceparent", "tracestate")
PASSED_ON: Final = (*TRACING, "replay-of", "rejection-attempt")  # unless they are too long or no UTF-8
ADDRESSES: Final = ("order-id", "order-ref", "entry-id", "entry-ref")
NAMES: Final = frozenset({
    "dialect", "message-type", "operation", "content-type", "idempotency-key", "tenant", "site-account",
    "site-channel", "site-stage", "site-date", "source-version", "replay-of", "rejection-attempt",
    *ADDRESSES, *TRACING,
})  # fmt: skip
CREDENTIALS: Final = frozenset({"authorization", "x-api-key", "accesstoken"})

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_HEX24 = re.compile(r"[0-9a-fA-F]{24}", re.ASCII)
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,18})", re.ASCII)


def uuid(text: str) -> str | None:
    """A UUID with hyphens and without braces, in lower case."""
    return str(UUID(text)) if _UUID.fullmatch(text) else None


def hex24(text: str) -> str | None:
    """24 hex characters, in lower case."""
    return text.lower() if _HEX24.fullmatch(text) else None


def int64(text: str) -> str | None:
    """A decimal int64 of 0 or more, without sign and leading zero."""
    return text if _DECIMAL.fullmatch(text) and int(text) < 2**63 else None


def positive_int64(text: str) -> str | None:
    """A decimal int64 of 1 or more."""
    return int64(text) if text != "0" else None


def non_empty(text: str) -> str | None:
    """Any text of 1 to 512 characters."""
    return text if 0 < len(text) <= MAX_TEXT else None


def non_blank(text: str) -> str | None:
    """Any text of at most 512 characters that is not only blanks."""
    return non_empty(text) if text.strip() else None


def trace_id(traceparent: str) -> str | None:
    """The trace that a W3C `traceparent` names."""
    found = _TRACEPARENT.fullmatch(traceparent)
    return found[1] if found else None


def json_type(text: str) -> str | None:
    """`application/json`, with parameters or without."""
    return text if text.split(";")[0].strip().lower() == "application/json" else None


_SIZE: Final[JsonObject] = {"minLength": 1, "maxLength": MAX_TEXT}

A_UUID: Final = HeaderForm(uuid, "a UUID", schema={"pattern": pattern_of(_UUID)})
HEX24: Final = HeaderForm(hex24, "24 hex characters", schema={"pattern": pattern_of(_HEX24)})
IDEMPOTENCY_KEY: Final = A_UUID
SOURCE_VERSION: Final = HeaderForm(int64, "a decimal int64 of 0 or more", schema={"pattern": pattern_of(_DECIMAL)})
CONTENT_TYPE: Final = HeaderForm(json_type, "application/json")
TENANT: Final = HeaderForm(
    non_blank, f"a text of 1 to {MAX_TEXT} characters that is not blank", schema={**_SIZE, "pattern": r"\S"}
)
TEXT: Final = HeaderForm(non_empty, f"a text of 1 to {MAX_TEXT} characters", schema=_SIZE)
