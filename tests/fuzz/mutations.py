"""Ways to spoil a message by chance: in its bytes, in its members, in its headers and its key."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

from orderstream.headers import NAMES
from tests.fuzz.starts import Start
from tests.strategies import ODD_KEYS, ODD_NUMBERS, ODD_TEXTS
from tests.violations import BAD_KEYS

TOKENS: Final = (
    b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b"\\u0000", b"\\ud800", b"\\udc00", b"null", b"true", b"NaN",
    b"-Infinity", b"1e400", b"1e-400", b"-0", b"0.1", b"9" * 30, b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf",
    b"/*", b"$where", b"__proto__", b"\r\n", b'"id":', b'"orderRef":"W",', b"{}{}", b'{"a":' * 70, b"[" * 70,
)  # fmt: skip
ODD_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 2**31, 2**63, -(2**63) - 1, 10**40, 0.5, 1e15, 1e308, 5e-324, {}, [], [[]], {"": 1},
    {"$gt": ""}, {"a": {"b": [None]}}, "2024-02-29T10:00:00Z", "0001-01-01T00:00:00+14:00", "x" * 600, "COMPLETE",
    "USD", "0123456789abcdef01234567", *ODD_TEXTS,
)  # fmt: skip
ODD_BYTES: Final = (b"", b" ", b"\0", b"\xff\xfe", b"1", b"-1", b"007", b"x" * 513, b"{}", b"\xed\xa0\x80", b"\xd7\xa9")
TIMES: Final = (-(2**62), -1, 0, 1, 1_700_000_000_000, 253_402_300_799_999, 2**62)


def spoiled(start: Start, others: Sequence[Start], chance: Random) -> Start:
    """*start* with one to three things changed."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        start = chance.choice(_WAYS)(start, others, chance)
    return start


def _bytes(start: Start, others: Sequence[Start], chance: Random) -> Start:
    value = bytearray(start.value)
    at, until = sorted(chance.randint(0, len(value)) for _ in range(2))
    match chance.randrange(7):
        case 0 if value:
            value[min(at, len(value) - 1)] ^= 1 << chance.randrange(8)
        case 1:
            value[at:at] = chance.choice(TOKENS)
        case 2:
            value[at : at + chance.randint(1, 8)] = b""
        case 3:
            value[at:at] = value[at : min(until, at + 400)]
        case 4:
            value = value[:until]
        case 5:
            value[at:until] = chance.choice(others).value[at:until]
        case _:
            value[at:at] = chance.randbytes(chance.randint(1, 4))
    return start._replace(value=bytes(value))


def _members(start: Start, others: Sequence[Start], chance: Random) -> Start:
    try:
        value = json.loads(start.value)
    except (ValueError, RecursionError):
        return _bytes(start, others, chance)
    holders = [holder for holder in _holders(value) if holder]
    if holders:
        _spoil(chance.choice(holders), chance)
    text = json.dumps(value, ensure_ascii=chance.random() < 0.5)
    if chance.random() < 0.1:
        text = text.replace(": 1", f": {chance.choice(ODD_NUMBERS)}", 1)
    return start._replace(value=text.encode(errors="surrogatepass"))


def _holders(value: Any) -> list[Any]:  # noqa: ANN401  # any JSON
    """Every object and array in it."""
    found = [value] if isinstance(value, dict | list) else []
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [*found, *(holder for member in inner for holder in _holders(member))]


def _spoil(holder: Any, chance: Random) -> None:  # noqa: ANN401  # an object or an array
    place = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
    match chance.randrange(6):
        case 0 | 1:
            holder[place] = chance.choice(ODD_VALUES)
        case 2:
            del holder[place]
        case 3 if isinstance(holder, list):
            holder *= chance.choice((2, 3, 50))
        case 3:
            holder[chance.choice((*ODD_KEYS, *BAD_KEYS, "id", "orderRef", "status"))] = chance.choice(ODD_VALUES)
        case 4:
            holder[place] = [holder[place]]
        case _:
            holder[place] = {chance.choice((*ODD_KEYS, *BAD_KEYS)): holder[place]}


def _headers(start: Start, others: Sequence[Start], chance: Random) -> Start:
    headers = list(start.headers)
    name = chance.choice((*sorted(NAMES), "authorization", "X-Own", "", "a\0b"))
    value = chance.choice((None, *ODD_BYTES, *(text.encode() for text in ODD_TEXTS)))
    match chance.randrange(4):
        case 0 if headers:
            at = chance.randrange(len(headers))
            headers[at] = (headers[at][0], value)
        case 1 if headers:
            headers.pop(chance.randrange(len(headers)))
        case 2:
            headers += chance.choice(others).headers
        case _:
            headers.insert(chance.randint(0, len(headers)), (name, value))
    return start._replace(headers=tuple(headers))


def _key(start: Start, others: Sequence[Start], chance: Random) -> Start:
    return start._replace(key=chance.choice((None, *ODD_BYTES, chance.choice(others).key)))


_WAYS: Final[Sequence[Callable[[Start, Sequence[Start], Random], Start]]] = (
    *[_bytes] * 8, *[_members] * 8, *[_headers] * 3, _key,
)  # fmt: skip
