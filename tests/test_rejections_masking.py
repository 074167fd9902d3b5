"""What people see of a message: its faulty places marked, nobody's personal data."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from orderstream.json_text import Json, JsonObject
from orderstream.marked import as_json, as_sent, lines, read
from orderstream.masking import form, masked_header, masked_key
from orderstream.problems import Code, Problem
from tests.builders import samples

PERSONAL = frozenset({  # members of the five contracts that are about a person
    "email", "customerEmail", "companyEmail", "companyName", "firstName", "lastName", "first", "middle", "last", "name",
    "company", "phone", "phoneNumber", "address1", "address2", "street1", "street2", "city", "state", "province",
    "country", "countryName", "zipcode", "zipCode", "postcode", "ipAddress", "notes", "statusLog", "cancelReason",
    "returnReason", "shipmentInstructions", "cardIdentifier", "token", "trackingNumber", "trackingUrl",
    "attribute_value", "shippingLabel", "value",
})  # fmt: skip


def shown(value: JsonObject | bytes, *problems: Problem, reveal: bool = False) -> list[str]:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return [line.text for line in lines(raw, problems, reveal=reveal)]


def marked(value: JsonObject | bytes, *problems: Problem) -> list[str]:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return [line.text.strip() for line in lines(raw, problems, reveal=False) if line.problems]


def at(path: str, code: Code = Code.FIELD_TYPE) -> Problem:
    return Problem(code, path, "is wrong")


def personal(value: Json, within: str = "") -> Iterator[str]:
    """The texts of a value that are about a person."""
    match value:
        case dict():
            for name, member in value.items():
                yield from personal(member, name)
        case list():
            for element in value:
                yield from personal(element, within)
        case str() if within in PERSONAL and any(map(str.isalpha, value)):
            yield value


@pytest.mark.parametrize("file", samples(), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_no_sample_shows_anything_about_a_person(file: Path) -> None:
    sent = json.loads(file.read_text())["value"]
    value = read(json.dumps(sent).encode())

    if value is not None:
        seen = json.loads(as_json(value, reveal=False))
        pairs = zip(personal(sent), personal(seen), strict=True)
        assert [] == [text for text, other in pairs if text == other != form(text)]


@pytest.mark.parametrize(
    ("name", "sent", "seen"),
    [
        ("email", "jane.doe@example.com", '"xxxx.xxx@xxxxxxx.xxx"'),
        ("phone", "+49 151 1234567", '"+99 999 9999999"'),
        ("customerId", "jane.doe@example.com", '"xxxx.xxx@xxxxxxx.xxx"'),
        ("customerRef", "JaneDoe", '"XxxxXxx"'),
        ("fullName", "Žofie Nováková 李", '"Xxxxx Xxxxxxxx x"'),
        ("fullName", "नीतू ☎", '"xxxx x"'),
        ("orderRef", "WEB-2026-1042", '"WEB-2026-1042"'),
        ("anything", "5f328bf0b5f328bf0b5f328b", '"5f328bf0b5f328bf0b5f328b"'),
        ("orderStatus", "In Transit", '"In Transit"'),
        ("orderStatus", "Jane Doe <jane@example.com>", '"Xxxx Xxx <xxxx@xxxxxxx.xxx>"'),
        ("created_at", "2026-13-45T10:00:00Z", '"2026-13-45T10:00:00Z"'),
        ("totalAmount", "12.50", '"12.50"'),
        ("totalAmount", 137.75, "137.75"),
        ("userId", 12345678, "12345678"),
        ("mobileNumber", 4915112345678, "9999999999999"),
        ("contact", 4915112345678, "9999999999999"),
        ("zipCode", 94107, "99999"),
        ("zipCode", "94107", '"99999"'),
        ("taxIncluded", True, "true"),
        ("notes", None, "null"),
        ("token", "tok_4242424242424242", '"****"'),
    ],
)
def test_a_member_is_shown_if_it_cannot_be_about_a_person_and_else_its_form(name: str, sent: Json, seen: str) -> None:
    assert [f'"{name}": {seen}'] == marked({name: sent}, at(name))


def test_reveal_shows_all_but_secrets() -> None:
    value: JsonObject = {"email": "jane@example.com", "payments": [{"paymentToken": {"token": "tok_1"}}]}

    text = "\n".join(shown(value, reveal=True))

    assert "jane@example.com" in text
    assert "tok_1" not in text


def test_a_key_of_a_free_map_may_be_about_a_person_too() -> None:
    assert ['"xxxx@xxxxxxx.xxx": 1'] == marked({"metadata": {"jane@example.com": 1}}, at("metadata.*"))


# Places


def test_faulty_places_are_marked_where_they_are() -> None:
    value: JsonObject = {"a": 1, "b-c": {"d": [{"e": 2}, {"e": 3}]}, "f": []}
    wrong = [at("a"), at('["b-c"].d[1].e'), at("f")]

    assert ['"a": 1,', '"e": 3', '"f": ['] == marked(value, *wrong)


def test_a_missing_member_is_marked_in_the_object_that_lacks_it() -> None:
    value: JsonObject = {"a": 1, "lines": [{"id": "L-1"}, {"id": "L-2"}]}

    *_, inner, _, _, outer, _ = shown(
        value, at("lines[1].price", Code.FIELD_MISSING), at("currency", Code.FIELD_MISSING)
    )

    assert ("      (no price)", "  (no currency)") == (inner, outer)


def test_what_is_wrong_with_the_whole_value_is_marked_at_its_beginning() -> None:
    assert ["{"] == marked({}, at("value", Code.EMPTY_UPDATE))
    assert ['"value": 7'] == marked({"value": 7}, at("value"))


def test_headers_and_keys_are_not_in_the_value() -> None:
    assert [] == marked({"a": 1, "headers": {}}, at("headers.tenant"), at("key"))


def test_of_a_long_list_only_its_beginning_and_what_is_wrong_are_shown() -> None:
    value: JsonObject = {"lines": [{"n": n} for n in range(1000)]}

    text = shown(value, at("lines[500].n"))

    assert ["0", "1", "2", "500"] == [line.split(": ")[1] for line in text if '"n"' in line]
    assert ["    (497 more)", "    (499 more)"] == [line for line in text if "more" in line]


def test_a_value_that_is_no_json_is_broken_where_it_ceases_to_be() -> None:
    wrong = Problem(Code.MALFORMED_JSON, "value", "not JSON at character 16: Expecting value")

    assert ['{"xxxxx": "Xx", ', "}"] == shown(b'{"email": "Jo", }', wrong)
    assert ['{"xxxxx": "Xx",'] == marked(b'{"email": "Jo", }', wrong)
    assert ['"x": 9'] == marked(b'{\n"a": 1,\n"b": 2 x', wrong)


def test_any_bytes_can_be_shown() -> None:
    assert ["\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}xx"] == shown(b"\xff\xfeab")
    assert ["\\xff\\xfeab"] == shown(b"\xff\xfeab", reveal=True)
    assert [""] == shown(b"")


@pytest.mark.parametrize("file", samples(), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_what_the_editor_is_given_says_the_same(file: Path) -> None:
    raw = json.dumps(json.loads(file.read_text())["value"]).encode()
    value = read(raw)

    assert value is None or json.loads(raw) == json.loads(as_sent(value))


def test_no_digit_is_lost_on_the_way_to_the_editor() -> None:
    value = read(b'{"a": 1.10, "b": 1E+2, "c": 123456789012345678901, "d": "\\u00e9"}')

    assert value is not None
    assert '{\n  "a": 1.10,\n  "b": 1E+2,\n  "c": 123456789012345678901,\n  "d": "é"\n}' == as_sent(value)


# Headers and keys


@pytest.mark.parametrize(
    ("name", "sent", "seen"),
    [
        ("tenant", b"acme", "acme"),
        ("order-ref", b"WEB-1", "WEB-1"),
        ("x-customer", b"Jane Doe", "Xxxx Xxx"),
        ("order-ref", b"jane@example.com", "xxxx@xxxxxxx.xxx"),
        ("Authorization", b"Bearer abc", "****"),
        ("x-session-token", b"abc", "****"),
        ("x-own", None, None),
    ],
)
def test_a_header_of_the_contract_is_shown_and_any_other_by_its_form(
    name: str, sent: bytes | None, seen: str | None
) -> None:
    assert seen == masked_header(name, sent, reveal=False)


@pytest.mark.parametrize(("key", "seen"), [(b"WEB-1", "WEB-1"), (b"jane@x.de", "xxxx@x.xx"), (b"", ""), (None, None)])
def test_a_record_key_is_shown_if_it_looks_like_an_id(key: bytes | None, seen: Sequence[str] | None) -> None:
    assert seen == masked_key(key, reveal=False)
