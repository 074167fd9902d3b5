"""The rejected message: the original bytes, and headers that say everything that is wrong (interface 4; pure)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final, NamedTuple

import orjson

from orderstream.commands import Headers, Record
from orderstream.headers import CREDENTIALS
from orderstream.problems import Problem
from orderstream.status_event import rfc_3339

MAX_PROBLEMS: Final = 100
MAX_PROBLEM_BYTES: Final = 32 * 1024
CUT_BYTES: Final = 64 * 1024  # what is left of a value or key that the output topic does not admit
OVERHEAD: Final = 512  # bytes of a record batch and of a record's own fields
HEADER_OVERHEAD: Final = 10  # bytes of the lengths of one header


class RejectedMessage(NamedTuple):
    """A record for the topic of rejected messages."""

    key: bytes | None
    value: bytes | None
    headers: Headers


def rejected_message(
    record: Record, problems: Sequence[Problem], count: int, at: datetime, max_bytes: int
) -> RejectedMessage:
    """*record* as it goes to the rejected topic, which admits *max_bytes*; *count* is the number of all problems."""
    original = tuple((name, value) for name, value in record.headers if not _is_ours(name))
    ours = _headers(record, problems, count, at)
    if record.key is None and record.value is None:
        return _fitted(None, b"", original, (*ours, ("rejection-null-value", b"true")), max_bytes)
    return _fitted(record.key, record.value, original, ours, max_bytes)


def _is_ours(name: str) -> bool:
    return name.lower() in CREDENTIALS or name.startswith("rejection-")


def _headers(record: Record, problems: Sequence[Problem], count: int, at: datetime) -> Headers:
    return (
        ("rejection-id", str(record.position).encode()),
        ("rejection-code", problems[0].code.encode()),
        ("rejection-problems", _listed(problems[:MAX_PROBLEMS])),
        ("rejection-problem-count", str(count).encode()),
        ("rejection-time", rfc_3339(at).encode()),
        ("rejection-attempt", str(_attempt(record)).encode()),
    )


def _listed(problems: Iterable[Problem]) -> bytes:
    texts: list[bytes] = []
    size = 2
    for problem in problems:
        text = orjson.dumps(problem._asdict())
        size += len(text) + 1
        if size > MAX_PROBLEM_BYTES:
            break
        texts.append(text)
    return b"[" + b",".join(texts) + b"]"


def _attempt(record: Record) -> int:
    sent = next((value for name, value in record.headers if name == "rejection-attempt"), None)
    return int(sent) + 1 if sent is not None and sent.isdigit() and len(sent) < 10 else 1


def _fitted(
    key: bytes | None, value: bytes | None, original: Headers, ours: Headers, max_bytes: int
) -> RejectedMessage:
    """What the topic does not admit is cut: the value, then the key, then original headers, largest first."""
    message = RejectedMessage(key, value, (*original, *ours))
    cut = (("rejection-truncated", b"true"), ("rejection-sha256", sha256(value or b"").hexdigest().encode()))
    if _size(message) > max_bytes and value and len(value) > CUT_BYTES:
        message = RejectedMessage(key, value[:CUT_BYTES], (*original, *ours, *cut))
    if _size(message) > max_bytes and key and len(key) > CUT_BYTES:
        message = RejectedMessage(key[:CUT_BYTES], message.value, (*original, *ours, *cut))
    excess = _size(message) - max_bytes
    return message if excess <= 0 else _without_headers(message, len(original), excess)


def _without_headers(message: RejectedMessage, originals: int, excess: int) -> RejectedMessage:
    """Without as many original headers, largest first, as make room; *originals* of the headers are such."""
    told = "rejection-headers-dropped"
    excess += _header_size((told, str(originals).encode()))
    dropped: set[int] = set()
    for place in sorted(range(originals), key=lambda place: _header_size(message.headers[place]), reverse=True):
        if excess <= 0:
            break
        dropped.add(place)
        excess -= _header_size(message.headers[place])
    kept = tuple(header for place, header in enumerate(message.headers) if place not in dropped)
    return message._replace(headers=(*kept, (told, str(len(dropped)).encode())))


def _size(message: RejectedMessage) -> int:
    return len(message.key or b"") + len(message.value or b"") + sum(map(_header_size, message.headers)) + OVERHEAD


def _header_size(header: tuple[str, bytes | None]) -> int:
    name, value = header
    return len(name.encode()) + len(value or b"") + HEADER_OVERHEAD
