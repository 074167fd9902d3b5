"""The rejected message: the original bytes, everything that is wrong, and what is cut (interface 4)."""

import json
from hashlib import sha256
from typing import Final

import pytest

from orderstream.commands import Headers, Kind, Record
from orderstream.decode import Contracts, decode
from orderstream.order import Position
from orderstream.outcomes import Refusal
from orderstream.problems import Code, Problem
from orderstream.rejected import RejectedMessage, rejected_message
from tests.builders import NOW, a_sample

LIMIT: Final = 1_048_588  # bytes that a topic admits by default
CUT: Final = 64 * 1024
PROBLEM: Final = Problem(Code.FIELD_TYPE, "totalItems", "must be a valid integer")


def a_record(key: bytes | None = b"k", value: bytes | None = b"{}", headers: Headers = ()) -> Record:
    return Record(
        kind=Kind.UPDATE, position=Position("order-update", 3, 1201), at=NOW, key=key, value=value, headers=headers
    )


def rejected(record: Record, *problems: Problem, limit: int = LIMIT) -> RejectedMessage:
    found = problems or (PROBLEM,)
    return rejected_message(record, found, len(found), NOW, limit)


def texts(message: RejectedMessage) -> dict[str, str]:
    return {name: (value or b"").decode(errors="replace") for name, value in message.headers}


def sent_bytes(message: RejectedMessage) -> int:
    headers = sum(len(name.encode()) + len(value or b"") + 6 for name, value in message.headers)
    return len(message.key or b"") + len(message.value or b"") + headers


def test_key_value_and_headers_are_the_original_ones_and_ours_come_after() -> None:
    original: Headers = (("dialect", b"wishlist"), ("x-own", b"\xff"), ("x-own", None), ("correlation-id", b"c"))
    message = rejected(a_record(b"\xfe", b"\x00\xff", original))

    assert (message.key, message.value) == (b"\xfe", b"\x00\xff")
    assert message.headers[:4] == original
    assert dict(message.headers[4:]) == {
        "rejection-id": b"order-update/3/1201",
        "rejection-code": b"FIELD_TYPE",
        "rejection-problems": b'[{"code":"FIELD_TYPE","path":"totalItems","message":"must be a valid integer"}]',
        "rejection-problem-count": b"1",
        "rejection-time": b"2026-11-21T10:15:30.123Z",
        "rejection-attempt": b"1",
    }


@pytest.mark.parametrize("name", ["authorization", "Authorization", "X-API-KEY", "accessToken"])
def test_credentials_are_left_out(name: str) -> None:
    message = rejected(a_record(headers=((name, b"Bearer s3cr3t"), ("dialect", b"wishlist"))))

    assert name not in texts(message)
    assert "s3cr3t" not in repr(message)


def test_all_problems_are_listed_in_their_order() -> None:
    refused = decode(a_sample("wishlist/reject-create-channel-unknown", source_version="-1", tenant=None), Contracts())
    assert isinstance(refused, Refusal)

    headers = texts(rejected(a_record(), *refused.problems))

    assert headers["rejection-code"] == "HEADER_MISSING"
    assert json.loads(headers["rejection-problems"]) == [problem._asdict() for problem in refused.problems]
    assert headers["rejection-problem-count"] == "3"


def test_at_most_100_problems_are_listed_and_all_are_counted() -> None:
    headers = texts(rejected(a_record(), *[PROBLEM] * 101))

    assert len(json.loads(headers["rejection-problems"])) == 100
    assert headers["rejection-problem-count"] == "101"


def test_problems_are_listed_up_to_32_kib() -> None:
    long = Problem(Code.FIELD_UNKNOWN, "x" * 1000, "is not a member of this message")

    headers = texts(rejected(a_record(), *[long] * 99))

    assert 29 <= len(json.loads(headers["rejection-problems"])) < 32
    assert len(headers["rejection-problems"]) <= 32 * 1024
    assert headers["rejection-problem-count"] == "99"


@pytest.mark.parametrize(
    ("sent", "attempt"), [(b"1", "2"), (b"41", "42"), (b"x", "1"), (b"-1", "1"), (b"9" * 30, "1"), (None, "1")]
)
def test_attempts_are_counted_by_the_replayed_message(sent: bytes | None, attempt: str) -> None:
    original: Headers = (("rejection-attempt", sent), ("replay-of", b"order-update/3/7"), ("rejection-code", b"OLD"))

    message = rejected(a_record(headers=original))

    assert texts(message)["rejection-attempt"] == attempt
    assert texts(message)["replay-of"] == "order-update/3/7"
    assert [value for name, value in message.headers if name == "rejection-code"] == [b"FIELD_TYPE"]


def test_a_record_without_key_and_value_is_sent_with_an_empty_value() -> None:
    message = rejected(a_record(None, None))

    assert (message.key, message.value) == (None, b"")
    assert texts(message)["rejection-null-value"] == "true"


@pytest.mark.parametrize(("key", "value"), [(None, b""), (None, b"{}"), (b"k", None), (b"", None)])
def test_a_record_that_lacks_only_one_of_them_stays_as_it_is(key: bytes | None, value: bytes | None) -> None:
    message = rejected(a_record(key, value))

    assert (message.key, message.value) == (key, value)
    assert "rejection-null-value" not in texts(message)


# What the topic does not admit


def test_a_value_that_fits_is_not_cut() -> None:
    message = rejected(a_record(value=b"v" * (LIMIT - 2_000)))

    assert len(message.value or b"") == LIMIT - 2_000
    assert "rejection-truncated" not in texts(message)


def test_the_value_is_cut_first() -> None:
    value = b"v" * LIMIT

    message = rejected(a_record(b"k" * 100_000, value, (("x-own", b"o" * 100_000),)))

    assert message.value == value[:CUT]
    assert len(message.key or b"") == 100_000
    assert texts(message)["rejection-truncated"] == "true"
    assert texts(message)["rejection-sha256"] == sha256(value).hexdigest()
    assert "x-own" in texts(message)


def test_then_the_key_is_cut() -> None:
    key, value = b"k" * LIMIT, b"v" * 70_000

    message = rejected(a_record(key, value, (("x-own", b"o" * 1_000),)))

    assert (message.key, message.value) == (key[:CUT], value[:CUT])
    assert texts(message)["rejection-sha256"] == sha256(value).hexdigest()
    assert "x-own" in texts(message)


def test_then_the_largest_headers_are_dropped() -> None:
    large: Headers = (("x-largest", b"o" * 620_000), ("x-large", b"o" * 610_000))
    small: Headers = (("x-small", b"o" * 450_000), ("dialect", b"wishlist"))

    message = rejected(a_record(headers=(*large, *small)))

    assert [name for name, _ in message.headers][:2] == ["x-small", "dialect"]
    assert texts(message)["rejection-headers-dropped"] == "2"


def test_nothing_is_said_to_be_cut_that_is_whole() -> None:
    message = rejected(a_record(headers=(("x-large", b"o" * LIMIT),)))

    assert (message.key, message.value) == (b"k", b"{}")
    assert "rejection-truncated" not in texts(message)
    assert texts(message)["rejection-headers-dropped"] == "1"


@pytest.mark.parametrize(
    ("key", "value", "headers"),
    [
        (b"k" * LIMIT, b"v" * LIMIT, (("x", b"o" * LIMIT),)),
        (None, b"v" * LIMIT, tuple(("x", b"o" * 100) for _ in range(20_000))),
        (None, None, (("x", b"o" * LIMIT),)),
        (b"k" * LIMIT, None, ()),
        (b"k", b"{}", tuple((f"x-{number}", b"") for number in range(150_000))),
        (b"k", b"{}", (("n" * LIMIT, None),)),
    ],
)
def test_whatever_is_too_large_fits_in_the_end(key: bytes | None, value: bytes | None, headers: Headers) -> None:
    message = rejected(a_record(key, value, headers), *[PROBLEM] * 5_000)

    assert sent_bytes(message) <= LIMIT
    assert texts(message)["rejection-problem-count"] == "5000"


def test_a_smaller_limit_counts() -> None:
    message = rejected(a_record(value=b"v" * 90_000), limit=80_000)

    assert len(message.value or b"") == CUT
