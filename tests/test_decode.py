"""From a record to a command, or to everything that is wrong with it (contracts 1.2 to 1.4 and 1.6)."""

import json
from collections.abc import Mapping
from time import process_time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orderstream.commands import Command, Headers, Kind, Operation, Record
from orderstream.decode import Contracts, decode
from orderstream.dialects import DIALECTS
from orderstream.headers import NAMES
from orderstream.json_text import Json, JsonObject
from orderstream.order import Position
from orderstream.outcomes import Refusal
from orderstream.problems import Code, Problem, in_order
from orderstream.rejected import rejected_message
from tests.builders import NOW, a_create, a_record, a_sample, pairs, problems, samples

REF = "WEB-1001"
CREATE = {"dialect": "wishlist", "message-type": "order-create", "tenant": "acme"}
PATCH = {**CREATE, "message-type": "order-update", "operation": "order.patch", "order-ref": REF}
UUID = "550e8400-e29b-41d4-a716-446655440000"
CANARY = "Tell-Tale-7341"
FAST = 3.0  # seconds of work for one message, whatever is in it


def created(value: JsonObject | bytes | None = None, **headers: str | None) -> Command | Refusal:
    return decode(a_record(value={"orderRef": REF} if value is None else value, headers=CREATE, **headers), Contracts())  # type: ignore[arg-type]


def patched(value: JsonObject | bytes | None = None, **headers: str | None) -> Command | Refusal:
    return decode(a_record(value={"email": "x"} if value is None else value, headers=PATCH, **headers), Contracts())  # type: ignore[arg-type]


def accepted(outcome: Command | Refusal) -> Command:
    assert isinstance(outcome, Command), outcome
    return outcome


def a_raw_record(
    headers: Headers,
    kind: Kind = Kind.CREATE,
    value: bytes | None = b'{"orderRef":"WEB-1001"}',
    key: bytes | None = b"k",
) -> Record:
    return Record(kind=kind, position=Position("in", 0, 7), at=NOW, key=key, value=value, headers=headers)


def sent(headers: Mapping[str, str], *more: tuple[str, bytes | None]) -> Command | Refusal:
    given_headers = tuple((name, text.encode()) for name, text in headers.items())
    return decode(a_raw_record((*given_headers, *more), Kind(headers["message-type"])), Contracts())


# Key and headers (contracts 1.2)


@pytest.mark.parametrize("key", [None, b""])
def test_a_record_needs_a_key(key: bytes | None) -> None:
    record = a_raw_record(tuple((name, text.encode()) for name, text in CREATE.items()), key=key)

    assert problems(decode(record, Contracts())) == [("KEY_MISSING", "key")]


@pytest.mark.parametrize("key", ["k", " ", "\0", "é" * 600])
def test_what_stands_in_the_key_is_not_judged(key: str) -> None:
    command = accepted(decode(a_record(value={"orderRef": REF}, headers=CREATE, key=key), Contracts()))

    assert command.record_key == (key if len(key) <= 512 else None)


def test_a_key_that_is_no_text_is_kept_nowhere() -> None:
    record = a_raw_record(tuple((name, text.encode()) for name, text in CREATE.items()), key=b"\xff\x00")

    assert accepted(decode(record, Contracts())).record_key is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dialect", ("HEADER_MISSING", "headers.dialect")),
        ("message-type", ("HEADER_MISSING", "headers.message-type")),
        ("operation", ("HEADER_MISSING", "headers.operation")),
        ("tenant", ("HEADER_MISSING", "headers.tenant")),
        ("order-ref", ("IDENTITY_MISSING", "headers.order-id")),
    ],
)
def test_a_required_header_that_is_missing(name: str, expected: tuple[str, str]) -> None:
    record = a_record(value={"email": "x"}, headers={key: text for key, text in PATCH.items() if key != name})

    assert problems(decode(record._replace(kind=Kind.UPDATE), Contracts())) == [expected]


@pytest.mark.parametrize("name", ["dialect", "message-type", "operation", "tenant", "order-ref", "source-version"])
@pytest.mark.parametrize("raw", [b"\xff\xfe", None, b"\xed\xa0\x80"])
def test_a_header_that_is_no_utf_8_text_is_wrong_and_not_missing(name: str, raw: bytes | None) -> None:
    headers = tuple((key, raw if key == name else text.encode()) for key, text in PATCH.items())
    more: Headers = () if name in PATCH else ((name, raw),)

    refused = decode(a_raw_record((*headers, *more), Kind.UPDATE, b'{"email":"x"}'), Contracts())

    assert problems(refused) == [("HEADER_INVALID", f"headers.{name}")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("content-type", "text/plain"),
        ("content-type", ""),
        ("idempotency-key", "abc"),
        ("idempotency-key", UUID.replace("-", "")),
        ("idempotency-key", "{" + UUID + "}"),
        ("idempotency-key", UUID + "\n"),
        ("tenant", ""),
        ("tenant", " \t"),
        ("tenant", "t" * 513),
        ("order-id", ""),
        ("order-id", "i" * 513),
        ("order-ref", "r" * 513),
        ("entry-id", "7"),  # not used by an order operation
        ("entry-ref", "7"),
        ("source-version", "-1"),
        ("source-version", "+1"),
        ("source-version", "01"),
        ("source-version", "1.0"),
        ("source-version", ""),
        ("source-version", "٣"),  # a digit, but no decimal one
        ("source-version", "9223372036854775808"),
        ("message-type", "order-create"),  # on the topic of updates
        ("message-type", "Order-Update"),
        ("message-type", ""),
    ],
)
def test_a_header_of_the_wrong_form(name: str, text: str) -> None:
    record = a_record(value={"email": "x"}, headers={**PATCH, name: text})

    found = decode(record._replace(kind=Kind.UPDATE), Contracts())

    assert problems(found) == [("HEADER_INVALID", f"headers.{name}")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("content-type", "application/json"),
        ("content-type", "Application/JSON; charset=utf-8"),
        ("idempotency-key", UUID),
        ("source-version", "0"),
        ("source-version", "9223372036854775807"),
        ("tenant", " acme "),  # nothing is trimmed
        ("tenant", "t" * 512),
        ("order-ref", "/" * 512),
        ("correlation-id", ""),
        ("correlation-id", "c" * 513),
        ("x-shop", "anything"),
        ("Dialect", "no header of ours: their names are lower case"),
        ("site-account", "of another dialect"),
    ],
)
def test_a_header_that_is_right_or_not_ours(name: str, text: str) -> None:
    accepted(decode(a_record(value={"email": "x"}, headers={**PATCH, name: text}), Contracts()))


def test_uuids_are_kept_in_lower_case() -> None:
    assert accepted(patched(idempotency_key=UUID.upper())).idempotency_key == UUID


@pytest.mark.parametrize("name", sorted(set(PATCH) | {"idempotency-key", "source-version", "correlation-id"}))
def test_a_header_twice_with_other_values_is_wrong(name: str) -> None:
    headers = {**PATCH, "idempotency-key": UUID, "source-version": "1", "correlation-id": "c"}
    record = a_record(value={"email": "x"}, headers=headers)
    twice = record._replace(headers=(*record.headers, (name, b"another")))

    assert problems(decode(twice, Contracts())) == [("HEADER_INVALID", f"headers.{name}")]


def test_a_header_twice_with_the_same_value_is_one() -> None:
    record = a_record(value={"email": "x"}, headers=PATCH)

    accepted(decode(record._replace(headers=record.headers * 2), Contracts()))


@pytest.mark.parametrize("name", ["Authorization", "x-api-key", "AccessToken", "AUTHORIZATION"])
def test_credentials_are_ignored_even_twice_and_broken(name: str) -> None:
    command = accepted(sent(CREATE, (name, b"\xff"), (name, b"Bearer secret")))

    assert "secret" not in repr(command)


@pytest.mark.parametrize("name", ["correlation-id", "traceparent", "replay-of"])
@pytest.mark.parametrize(
    ("raw", "passed"), [(b"c" * 512, "c" * 512), (b"c" * 513, None), (b"\xff", None), (None, None)]
)
def test_what_is_only_passed_on_is_dropped_when_it_is_too_long_or_no_text(
    name: str, raw: bytes | None, passed: str | None
) -> None:
    assert passed == getattr(accepted(sent(CREATE, (name, raw))), name.replace("-", "_"))


def test_an_empty_reference_is_no_reference() -> None:
    assert accepted(created(order_ref="")).addresses[0].value == REF
    assert problems(patched(order_ref="")) == [("IDENTITY_MISSING", "headers.order-id")]


def test_the_kind_of_a_message_is_what_the_topic_says_whatever_it_is_called() -> None:
    update = a_record(value={"email": "x"}, headers=PATCH)

    moved = update._replace(kind=Kind.CREATE)

    assert problems(decode(moved, Contracts())) == [
        ("HEADER_INVALID", "headers.message-type"),
        ("UNSUPPORTED_OPERATION", "headers.operation"),
    ]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({**CREATE, "dialect": "Wishlist"}, ("UNKNOWN_DIALECT", "headers.dialect")),
        ({**CREATE, "dialect": ""}, ("UNKNOWN_DIALECT", "headers.dialect")),
        ({**CREATE, "operation": "order.patch"}, ("UNSUPPORTED_OPERATION", "headers.operation")),
        ({**CREATE, "operation": ""}, ("UNSUPPORTED_OPERATION", "headers.operation")),
        ({**PATCH, "operation": "order.create"}, ("UNSUPPORTED_OPERATION", "headers.operation")),
        ({**PATCH, "operation": "ORDER.PATCH"}, ("UNSUPPORTED_OPERATION", "headers.operation")),
        (
            {**PATCH, "dialect": "subscription", "operation": "order.delete"},
            ("UNSUPPORTED_OPERATION", "headers.operation"),
        ),
        ({**PATCH, "dialect": "none", "operation": "order.show"}, ("UNKNOWN_DIALECT", "headers.dialect")),
    ],
)  # fmt: skip
def test_a_dialect_or_operation_that_is_unknown(headers: Mapping[str, str], expected: tuple[str, str]) -> None:
    assert problems(sent(headers))[0] == expected


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_create_need_not_say_that_it_is_one(dialect: str) -> None:
    said, unsaid = (decode(a_create(dialect, operation=name), Contracts()) for name in ("order.create", None))

    assert accepted(said)._replace(digest=b"") == accepted(unsaid)._replace(digest=b"")
    assert accepted(unsaid).operation is Operation.CREATE


def test_where_the_dialect_is_unknown_everything_else_is_judged_all_the_same() -> None:
    record = a_record(
        value=b"[]", headers=PATCH, key="", dialect="seventh", content_type="text/html", source_version="x", tenant=None
    )

    assert problems(decode(record, Contracts())) == [
        ("MALFORMED_JSON", "value"),
        ("KEY_MISSING", "key"),
        ("HEADER_INVALID", "headers.content-type"),
        ("HEADER_INVALID", "headers.source-version"),
        ("UNKNOWN_DIALECT", "headers.dialect"),
    ]


# What is wrong, all of it, in order


def test_all_problems_are_told_in_the_order_of_the_contract() -> None:
    value: dict[str, Json] = {
        "id": "7",
        "orderLines": [{"quantity": "4"}, {"entryRef": ""}],
        "channel": "FAX",
        "totalItems": -1,
        "email": None,
        "attributeGroups": {"a": {"attributes": {"$b": {"value_type": ""}}}},
        "person@example.com": 1,
    }
    refused = decode(
        a_record(value=value, headers=PATCH, key="", order_id="8", source_version="1.0", tenant=None), Contracts()
    )

    assert problems(refused) == [
        ("KEY_MISSING", "key"),
        ("HEADER_MISSING", "headers.tenant"),
        ("HEADER_INVALID", "headers.source-version"),
        ("FIELD_TYPE", "orderLines[0].quantity"),
        ("FIELD_NULL", "email"),
        ("FIELD_RANGE", "totalItems"),
        ("FIELD_LENGTH", "attributeGroups.a.attributes.$b.value_type"),
        ("FIELD_LENGTH", "orderLines[1].entryRef"),
        ("FIELD_FORMAT", "attributeGroups.a.attributes.$b"),
        ("FIELD_ENUM", "channel"),
        ("FIELD_UNKNOWN", "*"),
        ("IDENTITY_CONFLICT", "id"),
    ]


def test_problems_are_sorted_by_code_and_each_is_told_once() -> None:
    found = [Problem(code, place, "") for place in ("b", "a", "b") for code in reversed(Code)]

    assert [Problem(code, place, "") for code in Code for place in ("b", "a")] == list(in_order(found))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("note", "note"),
        ("$set", "$set"),
        ("x-note", '["x-note"]'),
        ("n" * 40, "n" * 40),
        ("n" * 41, "*"),
        ("robin@example.com", "*"),
        ("a.b", "*"),
        ("two words", "*"),
        ("7", "*"),
        ("", "*"),
        ("né", "*"),
    ],
)
def test_only_names_that_look_like_names_are_shown(name: str, shown: str) -> None:
    assert problems(created({"orderRef": REF, name: 1})) == [("FIELD_UNKNOWN", shown)]


@pytest.mark.parametrize(("key", "shown"), [("a-b", 'metadata["a-b"]'), ("a b", "metadata.*"), ("$a", "metadata.$a")])
def test_keys_of_free_maps_are_shown_like_names(key: str, shown: str) -> None:
    value: JsonObject = {"metadata": {key: {"": 1}}}

    assert f"{shown}.*" in [path for _, path in problems(decode(a_create("configurator", value), Contracts()))]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", ("MALFORMED_JSON", "value")),
        (None, ("MALFORMED_JSON", "value")),
        (b"[" * 70, ("TOO_LARGE", "value")),
        (b'{"orderRef":"WEB-1001","orderRef":"WEB-1001"}', ("MALFORMED_JSON", "value")),
        (b'{"orderRef":"WEB-1001","totalAmount":1e400}', ("FIELD_RANGE", "totalAmount")),
        (b'{"orderRef":"WEB-1001","totalItems":1.0}', ("FIELD_TYPE", "totalItems")),
        (b'{"orderRef":"WEB-1001","returned":1}', ("FIELD_TYPE", "returned")),
        (b'{"orderRef":"WEB-1001","totalItems":true}', ("FIELD_TYPE", "totalItems")),
    ],
)
def test_a_value_that_cannot_be_read_or_kept(value: bytes | None, expected: tuple[str, str]) -> None:
    record = a_raw_record(tuple((name, text.encode()) for name, text in CREATE.items()), value=value)

    assert problems(decode(record, Contracts())) == [expected]


@pytest.mark.parametrize(("limit", "expected"), [(40, []), (39, [("TOO_LARGE", "value")])])
def test_a_value_has_a_limit_in_bytes(limit: int, expected: list[tuple[str, str]]) -> None:
    value = b'{"orderRef": "\xc3\xa9%b"}' % (b"x" * 22)
    record = a_raw_record(tuple((name, text.encode()) for name, text in CREATE.items()), value=value)

    outcome = decode(record, Contracts(max_value_bytes=limit))

    assert len(value) == 40
    assert expected == (pairs(outcome.problems) if isinstance(outcome, Refusal) else [])


# Nothing to change


@pytest.mark.parametrize(
    ("dialect", "operation", "value"),
    [
        *((dialect, operation, {}) for dialect in DIALECTS for operation in ("order.patch", "order.replace")),
        ("configurator", "order.replace", {"id": UUID, "createdAt": "2026-11-21T10:00:00Z"}),
        ("subscription", "order.patch", {"_id": "a" * 24, "revision": 7}),
        ("wishlist", "order.patch", {"orderRef": REF, "id": "7"}),
    ],
)
def test_an_update_with_nothing_but_addresses_and_ignored_members_is_empty(
    dialect: str, operation: str, value: JsonObject
) -> None:
    headers = {"dialect": dialect, "message-type": "order-update", "operation": operation, "tenant": "acme"}
    named = {"order-id": {"shopping-cart": "7", "configurator": UUID, "wishlist": "7"}.get(dialect, "a" * 24)}

    refused = decode(a_record(value=value, headers={**headers, **named, "site-account": "a" * 24}), Contracts())

    assert problems(refused) == [("EMPTY_UPDATE", "value")]


def test_an_ignored_member_is_judged_even_in_an_empty_update() -> None:
    headers = {
        "dialect": "subscription", "message-type": "order-update", "operation": "order.patch",
        "site-account": "a" * 24, "order-ref": "r",
    }  # fmt: skip
    refused = decode(a_record(value={"revision": "7"}, headers=headers), Contracts())

    assert problems(refused) == [("FIELD_TYPE", "revision"), ("EMPTY_UPDATE", "value")]


# Who may send what


@pytest.mark.parametrize(
    ("allowed", "is_admitted"),
    [
        (frozenset(), True),
        (frozenset({"wishlist"}), True),
        (frozenset({"wishlist/acme", "subscription"}), True),
        (frozenset({"wishlist/ACME"}), False),
        (frozenset({"wishlist/"}), False),
        (frozenset({"b2b-commerce"}), False),
    ],
)
def test_only_allowed_dialects_and_tenants_may_come(allowed: frozenset[str], is_admitted: bool) -> None:  # noqa: FBT001
    outcome = decode(a_record(value={"orderRef": REF}, headers=CREATE), Contracts(allowed=allowed))

    assert is_admitted == isinstance(outcome, Command)
    assert is_admitted or problems(outcome) == [("PRODUCER_NOT_ALLOWED", "headers.dialect")]


def test_a_tenant_that_is_allowed_alone_must_be_named() -> None:
    contracts = Contracts(allowed=frozenset({"b2b-commerce/acme"}))

    assert isinstance(decode(a_create("b2b-commerce", tenant="acme"), contracts), Command)
    assert problems(decode(a_create("b2b-commerce", tenant=None), contracts))[0][0] == "PRODUCER_NOT_ALLOWED"


# Whatever comes


def mutilated(raw: bytes) -> st.SearchStrategy[bytes]:
    """*raw* with some bytes cut out and others put in."""
    texts = 'null {} [] -1 1e999 true "" "$a":1, {"":0} 99999999999999999999 "\\ud800" [[ ,'
    junk = st.binary(max_size=6) | st.sampled_from(texts.encode().split())
    place = st.integers(0, len(raw))
    cut = st.tuples(place, st.integers(0, 30), junk)
    return st.lists(cut, min_size=1, max_size=3).map(lambda cuts: _cut(raw, cuts))


def _cut(raw: bytes, cuts: list[tuple[int, int, bytes]]) -> bytes:
    for start, length, junk in cuts:
        raw = raw[:start] + junk + raw[start + length :]
    return raw


def replaced(value: Json) -> st.SearchStrategy[Json]:
    """*value* with one member, anywhere, being something else."""
    junk: st.SearchStrategy[Json] = st.sampled_from(
        [None, True, 0, -1, 7.5, 2**63, "", "x" * 600, CANARY, [], {}, [None], {"": {}}, {"$a": [1e300]}, [[{}]]]
    )
    if isinstance(value, dict) and value:
        name = st.sampled_from(sorted(value))
        return junk | name.flatmap(lambda name: replaced(value[name]).map(lambda new: {**value, name: new}))
    if isinstance(value, list) and value:
        return junk | replaced(value[0]).map(lambda new: [new, *value[1:]])
    return junk


SAMPLES = st.sampled_from([f"{path.parent.name}/{path.stem}" for path in samples()]).map(a_sample)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(sorted(NAMES)) | st.text(max_size=5),
        st.none() | st.binary(max_size=8)
        | st.sampled_from([*DIALECTS, *Operation, *Kind, "7", UUID, "a" * 24, "x" * 600]).map(str.encode),
    ),
    max_size=8,
).map(tuple)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_the_bytes_are_a_message_is_accepted_or_can_be_rejected(data: st.DataObject) -> None:
    record = data.draw(SAMPLES)
    value = data.draw(mutilated(record.value or b"") | replaced(json.loads(record.value or b"")).map(_dumped))
    headers = data.draw(st.just(record.headers) | HEADERS | HEADERS.map(lambda more: (*record.headers, *more)))

    judged_at_once(record._replace(value=value, headers=headers))


def _dumped(value: Json) -> bytes:
    return json.dumps(value).encode()


def judged_at_once(record: Record) -> None:
    started = process_time()
    outcome = decode(record, Contracts())
    if isinstance(outcome, Refusal):
        rejected_message(record, outcome.problems, len(outcome.problems), NOW, 1_048_588)

    assert process_time() - started < FAST


@pytest.mark.parametrize(
    "value",
    [
        b'{"orderLines":[' + b",".join(b'{"id":"%d"}' % number for number in range(49_000)) + b"]}",
        b'{"orderLines":[' + b",".join([b'{"id":"1"}'] * 49_000) + b"]}",
        b'{"orderLines":[' + b",".join([b"{}"] * 90_000) + b"]}",
        b'{"orderLines":[' + b",".join([b'{"x":[]}'] * 33_000) + b"]}",
        b'{"shipments":[' + b",".join([b'{"shipmentLines":[{"quantityShipped":"1"}]}'] * 20_000) + b"]}",
        b'{"appliedTaxes":[' + b",".join([b'{"amount":1,"amountInCent":7}'] * 30_000) + b"]}",
        b'{"attributeGroups":{' + b",".join(b'"$%d":{}' % number for number in range(50_000)) + b"}}",
        b'{"attributeGroups":[' + b",".join(b'{"attribute_group":"%d"}' % number for number in range(40_000)) + b"]}",
        b"{" + b",".join(b'"x%d":1' % number for number in range(90_000)) + b"}",
    ],
    ids=range(9),
)
def test_a_megabyte_of_lines_or_problems_is_judged_at_once(value: bytes) -> None:
    record = a_raw_record(tuple((name, text.encode()) for name, text in CREATE.items()), value=value)

    judged_at_once(record)


@pytest.mark.parametrize("name", ["x", "order-id", "correlation-id", "authorization"])
def test_a_hundred_thousand_headers_are_judged_at_once(name: str) -> None:
    headers: Headers = tuple((name, b"%d" % number) for number in range(100_000))

    judged_at_once(a_raw_record(headers, value=b"[]"))


def spoilt(value: Json) -> Json:
    """A canary in place of everything, names that the contract does not know included."""
    match value:
        case dict():
            return {**{name: spoilt(member) for name, member in value.items()}, f"{CANARY} {len(value)}": CANARY}
        case list():
            return [*(spoilt(element) for element in value), CANARY]
        case _:
            return CANARY


@pytest.mark.parametrize("name", [f"{path.parent.name}/{path.stem}" for path in samples()])
def test_no_value_of_a_message_is_told(name: str) -> None:
    record = a_sample(name)
    value = _dumped(spoilt(json.loads(record.value or b"")))
    headers = tuple((key, raw if key in ("dialect", "operation", "message-type") else CANARY.encode())
                    for key, raw in record.headers)  # fmt: skip

    refused = decode(record._replace(value=value, headers=headers), Contracts())

    assert isinstance(refused, Refusal)
    assert CANARY not in repr(refused)
    assert isinstance(decode(record, Contracts()), Refusal) or len(refused.problems) > 1


@settings(max_examples=200, deadline=None)
@given(st.data())
@example(None)
def test_no_value_is_told_wherever_it_stands(data: st.DataObject | None) -> None:
    if data is None:
        assert CANARY not in repr(created(b'{"a":"%b' % CANARY.encode()))
        return
    record = data.draw(SAMPLES)
    value = data.draw(replaced(json.loads(record.value or b"")).map(_dumped))

    outcome = decode(record._replace(value=value), Contracts())

    assert isinstance(outcome, Command) or CANARY not in repr(outcome)
