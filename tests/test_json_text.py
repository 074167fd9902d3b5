"""JSON as the contracts allow it: what is no JSON, what is too large, and what a number may be (contracts 1.2, 1.4)."""

import json
from collections.abc import Callable
from time import perf_counter

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderstream.json_text import LOST_DIGITS, Json, MalformedJsonError, TooLargeError, canonical, parse, same

FAST = 0.5  # seconds; a value of a megabyte must not hold up a lane

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab€", max_size=3), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


def number(text: str) -> Json:
    return parse(b'{"n": %b}' % text.encode())["n"]


def nested(levels: int) -> bytes:
    return b'{"a":' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def a_list(element: bytes, count: int) -> bytes:
    return b'{"a":[' + b",".join([element] * count) + b"]}"


@given(st.dictionaries(st.text("abcé", max_size=4), JSONS, max_size=4))
def test_what_json_writes_is_read_as_it_was(value: dict[str, Json]) -> None:
    read = parse(json.dumps(value).encode())

    assert value == read
    assert repr(value) == repr(read)  # 1 is not 1.0


@given(st.dictionaries(st.text("abcé", max_size=4), JSONS, max_size=4))
def test_spaces_change_nothing(value: dict[str, Json]) -> None:
    assert repr(parse(json.dumps(value).encode())) == repr(parse(orjson.dumps(value)))


@pytest.mark.parametrize(
    "text",
    [
        "0", "-0", "0.0", "-0.0", "0.10", "1.0", "1E5", "1e5", "1e16", "1e+16", "1e22", "1e400", "-1e400", "1e-400",
        "0.1", "0.1000000000000000055511151231257827", "123456789012345678", "9223372036854775807",
        "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
        "18446744073709551616", "[1,9223372036854775808]", "[9223372036854775808]", '{"m":9223372036854775808}',
        '"\\u0000"', '"\\u00e9"', '"\\ud83d\\ude00"', '"/"', '"\\/"', '"\x7f"',
    ],
)  # fmt: skip
def test_spaces_change_nothing_in_what_is_hard_to_keep(text: str) -> None:
    compact, spaced = f'{{"n":{text}}}', f'{{"n": {text}}}'

    assert repr(parse(spaced.encode())) == repr(parse(compact.encode()))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   ",
        b"null",
        b"[]",
        b'"text"',
        b"7",
        b"{}{}",
        b"{",
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":.5}',
        b'{"a":1.}',
        b'{"a":0x1F}',
        b'{"a":tru}',
        b'{"a":1} // why',
        b'{"a":"\n"}',  # a control character
        b'{"a":"\\x41"}',
    ],
)
def test_what_is_not_one_json_object_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedJsonError):
        parse(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'\xef\xbb\xbf{"a":1}',  # a byte order mark
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-16-le"),
        '{"a":1}'.encode("utf-32-be"),
        '{"a":"é"}'.encode("latin-1"),
        b'{"a":"\xc0\xaf"}',  # overlong
        b'{"a":"\xed\xa0\x80"}',  # half a surrogate pair in UTF-8
    ],
)
def test_only_utf_8_without_a_mark_is_read(raw: bytes) -> None:
    with pytest.raises(MalformedJsonError):
        parse(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"b":2,"\\u0061":3}',  # the same name, written otherwise
        b'{"deep":[{"a":{"b":1,"b":2}}]}',
        b'{"n":{"m":1,"m":1}}',
        b'{"n":{"m":1,"m":2}}',
    ],
)
def test_a_member_twice_in_an_object_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedJsonError, match="same member twice"):
        parse(raw)


def test_the_same_member_in_two_objects_is_fine() -> None:
    assert parse(b'{"a":{"a":1},"b":{"a":2}}') == {"a": {"a": 1}, "b": {"a": 2}}


@pytest.mark.parametrize("text", [b"\\ud800", b"\\uDFFF", b"\\udc00\\ud800", b"x\\ud83d y"])
def test_half_a_surrogate_pair_is_malformed_in_texts_and_names(text: bytes) -> None:
    for raw in (b'{"a":["%b"]}' % text, b'{"%b":1}' % text):
        with pytest.raises(MalformedJsonError, match="surrogate"):
            parse(raw)


@pytest.mark.parametrize(
    ("text", "expected"), [(b"\\ud83d\\ude00", "\N{GRINNING FACE}"), (b"\\\\ud800", "\\ud800"), (b"\\u0000", "\0")]
)
def test_whole_pairs_and_escaped_backslashes_are_text(text: bytes, expected: str) -> None:
    assert {"a": expected} == parse(b'{"a":"%b"}' % text)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_numbers_by_name_are_malformed(text: str) -> None:
    with pytest.raises(MalformedJsonError, match="not a JSON number"):
        number(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("-0", 0),
        ("1.0", 1.0),
        ("-0.0", -0.0),
        ("12.50", 12.5),
        ("1E2", 100.0),
        ("0.1", 0.1),
        ("123456789012345.0", 123456789012345.0),  # 15 digits and a zero
        ("0.30000000000000004", 0.30000000000000004),  # 17 digits, the shortest text of its double
        ("10000000000000000000000", 1e22),  # beyond int64, and a double has the same value
        ("0e99999999999999999999999", 0.0),
        ("1." + "0" * 5000, 1.0),
    ],
)
def test_a_number_that_can_be_kept_is_kept(text: str, expected: float) -> None:
    assert repr(expected) == repr(number(text))


@pytest.mark.parametrize(
    "text",
    [
        "9223372036854775808",
        "-9223372036854775809",
        "0.12345678901234567891",
        "0.1000000000000000055",  # a double's exact value may be near, its shortest text says 0.1
        "9007199254740993.0",
        "1e400",
        "-1e400",
        "-1e-400",
        "1e-99999999999999999999999",  # beyond what a Decimal can hold, too
        "7" * 5000,
        "0." + "7" * 5000,
        "7" * 5000 + "e-4999",
    ],
)
def test_a_number_that_would_lose_digits_is_told(text: str) -> None:
    assert repr(LOST_DIGITS) == repr(number(text))


@pytest.mark.parametrize(("levels", "is_read"), [(64, True), (65, False)])
def test_the_value_itself_is_the_first_of_64_levels(levels: int, is_read: bool) -> None:  # noqa: FBT001
    assert is_read == reads(nested(levels))


@pytest.mark.parametrize(("count", "is_read"), [(99_999, True), (100_000, False)])
@pytest.mark.parametrize("element", [b"7", b'""', b"{}", b"[ ]", b'"[{,"'])
def test_members_and_elements_are_counted_together(element: bytes, count: int, is_read: bool) -> None:  # noqa: FBT001
    assert is_read == reads(a_list(element, count))  # the member that holds the list is one of them


def test_members_of_objects_in_a_list_are_counted() -> None:
    assert reads(a_list(b'{"a":1}', 49_999))
    assert not reads(a_list(b'{"a":1}', 50_000))


@pytest.mark.parametrize("text", [b"[" * 200_000, b"{,[" * 100_000, b'\\"[' * 100_000, b"\\\\"])
def test_brackets_and_commas_inside_strings_do_not_count(text: bytes) -> None:
    assert reads(b'{"a":"%b","b":[[[]]]}' % text)
    assert reads(a_list(b'{"a":"%b"}' % text[:30], 70))


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        b'"' * 1_000_000,
        b'{"a":"' + b'\\"' * 500_000,
        b'{"a":"' + b"[\\\\" * 300_000 + b'","b":' + b"[" * 70 + b"]" * 70 + b"}",
        b'{"a":' + b"[" + b" " * 1_000_000 + b"[" * 70,
        b'{"a":' + b"1" * 1_000_000 + b"}",
        b'{"a":0.' + b"1" * 1_000_000 + b"}",
        b'{"a":1e' + b"9" * 1_000_000 + b"}",
        b'{"a":"' + b"\\ud800" * 150_000 + b'"}',
        a_list(b"0.1000000000000000055", 45_000),
    ],
    ids=range(11),
)
def test_a_megabyte_of_anything_is_judged_at_once(raw: bytes) -> None:
    started = perf_counter()
    reads(raw)

    assert perf_counter() - started < FAST


def reads(raw: bytes) -> bool:
    try:
        parse(raw)
    except (MalformedJsonError, TooLargeError):
        return False
    return True


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": [0, -1]}, {"a": [-0.0, -1.0]}),
        ({"a": 10**16}, {"a": 1e16}),
        ([2**62], [float(2**62)]),
        ({"a": 1e15}, {"a": 10**15}),
        ({"a": 9.2e18}, {"a": 9_200_000_000_000_000_000}),
        (1, 1.0),
        ("1.0", "1.0"),
    ],
)
def test_values_that_say_the_same_have_one_text(left: Json, right: Json) -> None:
    assert canonical(left) == canonical(right)
    assert same(left, right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"a": True}, {"a": 1}),
        ({"a": False}, {"a": 0.0}),
        ({"a": None}, {}),
        ({"a": "1"}, {"a": 1}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": 0.1}, {"a": 0.10000000000000002}),
        ({"a": 2**53}, {"a": 2**53 + 1}),
        ({"a": ":1.0,"}, {"a": ":1,"}),  # a text that looks like a number
        ({"a": {}}, {"a": []}),
    ],
)
def test_values_that_say_something_else_have_another_text(left: Json, right: Json) -> None:
    assert canonical(left) != canonical(right)
    assert not same(left, right)


@pytest.mark.parametrize("write", [json.dumps, lambda value: json.dumps(value, indent=2, sort_keys=True)])
@given(value=st.dictionaries(st.text("abcé", max_size=4), JSONS, max_size=4))
def test_blanks_and_the_order_of_members_do_not_count(write: Callable[[Json], str], value: dict[str, Json]) -> None:
    assert canonical(value) == canonical(parse(write(value).encode()))
