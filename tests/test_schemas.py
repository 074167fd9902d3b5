"""The folder `schemas/` says what the worker does: the same verdicts, as far as JSON Schema can say them."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from functools import cache, reduce
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError, validators
from jsonschema.protocols import Validator
from typer.testing import CliRunner

from orderstream import schemas
from orderstream.cli import app
from orderstream.commands import Operation
from orderstream.decode import SHARED_FORMS, Contracts, decode
from orderstream.dialects import DIALECTS
from orderstream.fields import ISO_8601, RFC_3339
from orderstream.headers import ADDRESSES
from orderstream.json_text import JsonObject
from orderstream.outcomes import Refusal
from orderstream.problems import Code, Problem
from orderstream.rejected import rejected_message
from orderstream.schemas.headers import kind_of
from tests.builders import HERE, NOW, Given, a_record, a_sample, samples
from tests.test_field_tables import CASES, Row, verdicts
from tests.test_field_tables import at as placed

FOLDER: Final = HERE.parent / "schemas"
DOCUMENTS: Final = {Path("asyncapi.json"), Path("openapi.json")}
INPUTS: Final = [(name, operation) for name, dialect in DIALECTS.items() for operation in dialect.shapes]

UNSEEN: Final = {  # what JSON Schema cannot see -> why
    "operation": "the dialect has no such message, so there is no schema",
    "headers": "the fault is in a header; the header's schema in asyncapi.json sees it",
    "int64": "a pattern bounds the number of digits, not the number",
    "unnamed": "the order may be named by a header or by a member; a schema sees one of the two",
    "contradiction": "two names must be equal, in the value or in a header and the value",
    "twins": "arithmetic across members",
    "twice": "unique by one member of an element, not by the whole of it",
}
SAID: Final = {  # how a schema tells its readers
    "unnamed": "neither here nor in the headers",
    "contradiction": "differently in both|name another order",
    "twins": "differ from their twins",
    "twice": "in two lines",
}
UNSEEN_SAMPLES: Final = {
    "b2b-commerce/reject-update-order-delete-unsupported": "operation",
    "b2b-commerce/reject-update-order-id-not-24-hex": "headers",
    "configurator/reject-create-owner-organisation-conflict": "contradiction",
    "configurator/reject-create-owner-organisation-unknown": "unnamed",
    "configurator/reject-update-no-order-address": "unnamed",
    "configurator/reject-update-order-id-not-uuid": "headers",
    "shopping-cart/reject-create-idempotency-key-missing": "headers",
    "shopping-cart/reject-create-idempotency-key-not-uuid": "headers",
    "shopping-cart/reject-update-entry-operation": "operation",
    "shopping-cart/reject-update-no-order-address": "headers",
    "shopping-cart/reject-update-order-id-not-int64": "int64",
    "subscription/reject-create-site-account-23-characters": "headers",
    "subscription/reject-create-site-account-missing": "headers",
    "subscription/reject-update-identity-conflict": "contradiction",
    "subscription/reject-update-order-id-form": "headers",
    "wishlist/reject-create-amount-and-cents-differ": "twins",
    "wishlist/reject-create-line-entryRef-twice": "twice",
    "wishlist/reject-create-line-of-other-order": "contradiction",
    "wishlist/reject-create-tenant-missing": "headers",
    "wishlist/reject-update-entry-create-without-order": "unnamed",
    "wishlist/reject-update-entry-delete-without-address": "headers",
    "wishlist/reject-update-entry-update-by-ref-without-order": "unnamed",
    "wishlist/reject-update-identity-conflict": "contradiction",
    "wishlist/reject-update-no-order-address": "unnamed",
    "wishlist/reject-update-operation-unknown": "operation",
}


def _matches(validator: Validator, pattern: str, text: object, _schema: object) -> Iterator[ValidationError]:
    """As ECMA 262 reads a pattern: `$` is the end of the text, also before a line break."""
    if validator.is_type(text, "string") and not re.search(re.sub(r"\$$", r"\\Z", pattern), str(text), re.ASCII):
        yield ValidationError("does not match")


Judge: Final = validators.extend(Draft202012Validator, {"pattern": _matches})


@cache
def content(path: str) -> Any:  # noqa: ANN401  # any JSON
    """A file of the folder."""
    return json.loads((FOLDER / path).read_text())


def message(dialect: str, operation: str) -> Any:  # noqa: ANN401  # any JSON
    """An input message of the AsyncAPI document."""
    return content("asyncapi.json")["components"]["messages"][f"{dialect}.{operation}"]


def value_judge(dialect: str, operation: str) -> Validator:
    """The schema of a value."""
    return Judge(content(f"{dialect}/{operation}.json"))


def header_judge(dialect: str, operation: str) -> Validator:
    """The schema of a message's headers."""
    return Judge(message(dialect, operation)["headers"])


class Sent(NamedTuple):
    """A sample, or an example of a dialect."""

    name: str
    headers: dict[str, str]
    key: str
    value: JsonObject
    right: bool

    @property
    def operation(self) -> str:
        return self.headers.get("operation", "order.create")


def _sample(path: Path) -> Sent:
    sample = json.loads(path.read_text())
    accepted = sample["expect"] == "accept"
    return Sent(f"{path.parent.name}/{path.stem}", sample["headers"], sample["key"], sample["value"], accepted)


SAMPLES: Final = [_sample(path) for path in samples()]
EXAMPLES: Final = [
    Sent(f"{dialect}: {example['summary']}", example["headers"], "key", example["payload"], right=True)
    for dialect, operation in INPUTS
    for example in message(dialect, operation.value).get("examples", [])
]
ACCEPTED: Final = [sent for sent in (*SAMPLES, *EXAMPLES) if sent.right]


# The folder


def test_the_committed_files_are_those_that_the_code_makes() -> None:
    assert [] == list(schemas.differences(FOLDER))


def test_check_names_the_file_that_differs_and_the_one_that_is_too_many(tmp_path: Path) -> None:
    schemas.write(tmp_path)
    (tmp_path / "rejection.json").write_text("{}")
    (tmp_path / "old.json").write_text("{}")

    result = CliRunner().invoke(app, ["schemas", "--check", "--to", str(tmp_path)])

    assert result.exit_code == 1
    wrong = (f"{tmp_path}/rejection.json differs", f"{tmp_path}/old.json belongs to no message")
    assert [True, True] == [sentence in line for sentence, line in zip(wrong, result.output.splitlines(), strict=True)]


@pytest.mark.parametrize("path", [path for path in schemas.files() if path not in DOCUMENTS], ids=str)
def test_every_file_is_a_json_schema_with_a_name_and_right_examples(path: Path) -> None:
    schema = content(str(path))

    Draft202012Validator.check_schema(schema)
    for example in schema.get("examples", []):
        Judge(schema).validate(example)
    assert schema["$id"] == f"urn:orderstream:schema:{str(path.with_suffix('')).replace('/', ':')}"
    assert {"$schema", "title", "description", "type"} <= schema.keys()


@pytest.mark.parametrize(("dialect", "operation"), INPUTS)
def test_every_member_of_a_value_says_what_it_means(dialect: str, operation: Operation) -> None:
    members = content(f"{dialect}/{operation.value}.json").get("properties", {})

    silent = {name for name, schema in members.items() if re.match("(May|Checked|Only|An |$)", schema["description"])}
    assert set() == silent


# The same verdict as the worker's


@pytest.mark.parametrize("sent", SAMPLES, ids=lambda sent: sent.name)
def test_a_sample_is_judged_by_its_schema_as_by_the_worker(sent: Sent) -> None:
    rule = UNSEEN_SAMPLES.get(sent.name)
    if rule == "operation":
        assert (sent.headers["dialect"], sent.operation) not in INPUTS
        return

    judge = value_judge(sent.headers["dialect"], sent.operation)

    assert (sent.right or rule in UNSEEN) == judge.is_valid(sent.value)
    assert re.search(SAID.get(rule or "", ""), judge.schema["description"])


@pytest.mark.parametrize("sent", SAMPLES, ids=lambda sent: sent.name)
def test_the_headers_of_a_sample_are_judged_by_their_schema(sent: Sent) -> None:
    rule = UNSEEN_SAMPLES.get(sent.name)
    if rule != "operation":
        accepted = header_judge(sent.headers["dialect"], sent.operation).is_valid(sent.headers)

        assert (rule != "headers") == accepted


@pytest.mark.parametrize(
    ("path", "text", "code", "said"),
    [
        ("shopping-cart/order.patch", '{"userId": 1.0}', Code.FIELD_TYPE, "such as 1.0"),
        ("subscription/order.patch", '{"channel": 0.1234567890123456789}', Code.FIELD_RANGE, "nor a double"),
        ("b2b-commerce/order.patch", '{"orderedAt": "2023-02-30"}', Code.FIELD_FORMAT, "no calendar has"),
        ("wishlist/order.patch", '{"email": "a", "email": "a"}', Code.MALFORMED_JSON, "twice in one object"),
        ("configurator/order.patch", '{"metadata":' * 70 + "{}" + "}" * 70, Code.TOO_LARGE, "64 levels"),
    ],
)
def test_what_no_schema_can_see_is_said_in_its_description(path: str, text: str, code: Code, said: str) -> None:
    dialect, operation = path.split("/")
    headers = {"dialect": dialect, "message-type": "order-update", "operation": operation}
    outcome = decode(a_record(value=text.encode(), headers=headers), Contracts())

    assert isinstance(outcome, Refusal)
    assert code in {problem.code for problem in outcome.problems}
    assert value_judge(dialect, operation).is_valid(json.loads(text))
    assert said in content(f"{path}.json")["description"]


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 1e30])
@pytest.mark.parametrize("member", ["totalAmountInCent", "itemsShipped", "totalItems"])
def test_an_integer_beyond_int64_is_refused_by_schema_and_worker(member: str, number: float) -> None:
    sent = next(sent for sent in SAMPLES if sent.name == "wishlist/update-order-patch-by-ref")
    value: JsonObject = {**sent.value, member: number}

    assert [(Code.FIELD_RANGE, member)] == [(problem.code, problem.path) for problem in problems(sent, value)]
    assert not value_judge("wishlist", sent.operation).is_valid(value)


@pytest.mark.parametrize(("dialect", "row"), CASES)
def test_the_member_of_a_row_is_judged_by_its_schema_as_by_the_worker(dialect: str, row: Row) -> None:
    headers = {"dialect": dialect, "message-type": "order-update", "operation": "order.patch"}
    sent = Sent(row.path, headers, "key", {}, right=False)
    judge = value_judge(dialect, "order.patch")

    for member, _ in verdicts(row, Operation.PATCH):
        value = placed(row.path, member)
        found = problems(sent, with_integers(value))
        assert judge.is_valid(value) == (not any(is_seen(problem, value) for problem in found)), (value, found)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("b2b-commerce/order.patch", {"metaFields": [{"value": "v"}]}),
        ("b2b-commerce/order.patch", {"newBillingAddress": {}}),
        ("b2b-commerce/order.patch", {"newShippingAddress": {"lastName": "", "address2": ""}}),
        ("b2b-commerce/order.patch", {"fulfilledItems": [{"items": [{"lineItemId": "", "quantity": " "}]}]}),
        ("subscription/order.patch", {"payments": [{"any": {"token": "****1234"}}]}),
        ("subscription/order.patch", {"revision": 1, "orderId": "2468-1668-79485"}),
        ("wishlist/order.patch", {"shipments": [{"shipmentLines": [{"quantityShipped": "-5"}]}]}),
        ("wishlist/order.patch", {"attributeGroups": [{"attribute_group": "$gift"}]}),
        ("wishlist/order.patch", {"attributeGroups": {"gift": {"attributes": {"": {}}}}}),
    ],
)
def test_what_the_rules_refuse_beyond_the_members_is_refused_by_the_schema(path: str, value: JsonObject) -> None:
    dialect, operation = path.split("/")
    headers = {"dialect": dialect, "message-type": "order-update", "operation": operation}

    assert any(is_seen(problem, value) for problem in problems(Sent(path, headers, "key", value, right=False), value))
    assert not value_judge(dialect, operation).is_valid(value)


def test_every_message_has_an_example() -> None:
    messages = content("asyncapi.json")["components"]["messages"]

    assert [] == [name for name, one in messages.items() if not one.get("examples")]


@pytest.mark.parametrize("sent", EXAMPLES, ids=lambda sent: sent.name)
def test_an_example_is_right_for_its_schemas_and_for_the_worker(sent: Sent) -> None:
    value_judge(sent.headers["dialect"], sent.operation).validate(sent.value)
    header_judge(sent.headers["dialect"], sent.operation).validate(sent.headers)

    assert [] == problems(sent, sent.value)


def problems(sent: Sent, value: JsonObject) -> list[Problem]:
    """What the worker finds wrong with another value under these headers."""
    outcome = decode(a_record(value=value, headers=sent.headers, key=sent.key), Contracts())
    return list(outcome.problems) if isinstance(outcome, Refusal) else []


def is_seen(problem: Problem, value: JsonObject) -> bool:
    """Whether JSON Schema can see it."""
    match problem.code:
        case Code.HEADER_MISSING | Code.IDENTITY_CONFLICT:
            return False
        case Code.IDENTITY_MISSING:
            return problem.path == "id"  # of a create, that no header can name
        case Code.RULE_VIOLATION:
            return problem.message not in ("differs from its twin in minor units", "is there twice")
        case Code.FIELD_FORMAT if problem.message.startswith("must be an "):
            text = str(at(value, problem.path))
            form = ISO_8601 if "ISO 8601" in problem.message else RFC_3339
            return not form.fullmatch(text)  # else no calendar has it
        case _:
            return True


def at(value: Any, path: str) -> Any:  # noqa: ANN401  # any JSON
    """The member at the path of a problem."""
    for segment in re.findall(r"[^.\[\]]+", path):
        value = value[int(segment)] if isinstance(value, list) else value[segment]
    return value


STRANGE: Final[tuple[Any, ...]] = (
    None, True, "", "x", " ", "x" * 600, "a" * 24, "12", "-5", "USD", "****1234", "2024-02-29", "2023-02-30",
    "2024-02-29T10:00:00Z", "2024-02-29 10:00:00,5+01", 0, 1, -1, 7, 1.5, 1.0, 10**10, 2**62, [], [1], [{}], {},
    {"a": 1}, {"$a": 1}, {"a": [{"": 1}]}, {"token": "****"}, {"code": "c"}, {"lineItemId": "", "quantity": ""},
)  # fmt: skip
STRANGERS: Final = ("unheardOf", "$set", "_id", "id", "token", "items", "cart", "cartId", "orderRef", "address2")


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[Sent, JsonObject]:
    """An accepted message, and its value after one or two changes."""
    sent = draw(st.sampled_from(ACCEPTED))
    value: JsonObject = deepcopy(sent.value)
    for _ in range(draw(st.integers(1, 2))):
        spoil(value, draw)
    return sent, value


def spoil(value: JsonObject, draw: st.DrawFn) -> None:
    """Add a member, take one away, or give one another value: of its kind, of any kind, or that of another one."""
    known = list(places(value))
    change = draw(st.sampled_from(("remove", "alike", "alike", "strange", "copy", "add"))) if known else "add"
    if change == "add":
        objects = [value, *(holder[place] for holder, place in known if isinstance(holder[place], dict))]
        draw(st.sampled_from(objects))[draw(st.sampled_from(STRANGERS))] = deepcopy(draw(st.sampled_from(STRANGE)))
        return
    holder, place = draw(st.sampled_from(known))
    if change == "remove":
        del holder[place]
        return
    others = {
        "alike": [other for other in STRANGE if type(other) is type(holder[place])],
        "strange": STRANGE,
        "copy": [other[there] for other, there in known],
    }
    holder[place] = deepcopy(draw(st.sampled_from(others[change])))


def places(value: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401  # any JSON
    """Every member and element, each with what holds it."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for place, member in members:
        yield value, place
        yield from places(member)


def with_integers(value: Any) -> Any:  # noqa: ANN401  # any JSON
    """As JSON Schema sees numbers: 1.0 is the integer 1."""
    match value:
        case dict():
            return {name: with_integers(member) for name, member in value.items()}
        case list():
            return [with_integers(element) for element in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


@settings(max_examples=800, deadline=None)
@given(spoilt())
def test_a_spoilt_value_is_judged_by_its_schema_as_by_the_worker(case: tuple[Sent, JsonObject]) -> None:
    sent, value = case
    found = problems(sent, with_integers(value))

    accepted = value_judge(sent.headers["dialect"], sent.operation).is_valid(value)

    assert accepted == (not any(is_seen(problem, value) for problem in found)), found


TEXTS: Final = (
    "", " ", "x", "x" * 24, "x" * 25, "x" * 512, "x" * 513, "a" * 24, "A" * 24, "0", "1", "01", "-1", "+1", "1.0",
    "9" * 18, "2468-1668-79485", "2468-1668-7948", "k3Jd", "k3 Jd", "x" * 36, "x" * 37, "2024-02-29", "29.02.2024",
    "2024-02-29T10:00Z", "2024-02-29T10:00:00", "550e8400-e29b-41d4-a716-446655440000", "x\n", "a" * 24 + "\n",
    "550E8400-E29B-41D4-A716-446655440000", "550e8400e29b41d4a716446655440000", "application/json",
)  # fmt: skip


@pytest.mark.parametrize(("dialect", "operation"), INPUTS)
def test_a_header_is_judged_by_its_schema_as_by_its_form(dialect: str, operation: Operation) -> None:
    properties = header_judge(dialect, operation.value).schema["properties"]
    forms = {**SHARED_FORMS, **DIALECTS[dialect].headers(operation)}
    del forms["content-type"]  # its parameters make no form

    for name, form in forms.items():
        right = [text for text in TEXTS if form.normal(text) is not None]
        assert right == [text for text in TEXTS if Judge(properties[name]).is_valid(text)], name


@pytest.mark.parametrize(("dialect", "operation"), INPUTS)
def test_a_header_that_an_operation_does_not_use_may_not_be_sent(dialect: str, operation: Operation) -> None:
    properties = header_judge(dialect, operation.value).schema["properties"]

    refused = {name for name, schema in properties.items() if schema.get("not") == {}}

    assert set(ADDRESSES) - set(DIALECTS[dialect].headers(operation)) == refused


# What goes out


CREATES: Final = [sent for sent in ACCEPTED if sent.operation == "order.create"]
REJECTED: Final = [sent for sent in SAMPLES if not sent.right]


@pytest.mark.parametrize("sent", CREATES, ids=lambda sent: sent.name)
def test_the_event_of_an_order_obeys_its_schema(sent: Sent) -> None:
    then = Given().when(a_record(value=sent.value, headers=sent.headers, key=sent.key))

    (event,) = then.events
    Judge(content("status-event.json")).validate(event)


def test_the_events_of_a_life_obey_their_schema_and_none_other_does() -> None:
    given = Given(a_sample("wishlist/create-minimal"))
    changed = given.when(a_sample("wishlist/update-order-patch-by-ref")).events
    deleted = given.when(a_sample("wishlist/update-order-delete")).events
    judge = Judge(content("status-event.json"))

    assert [True, True] == [judge.is_valid(event) for event in (*changed, *deleted)]
    assert not judge.is_valid({**deleted[0], "type": "order.status-changed"})
    assert not judge.is_valid({**changed[0], "type": "order.created"})


@pytest.mark.parametrize("sent", REJECTED, ids=lambda sent: sent.name)
def test_the_headers_of_a_rejected_message_obey_their_schema(sent: Sent) -> None:
    record = a_record(value=sent.value, headers=sent.headers, key=sent.key)
    found = problems(sent, sent.value)
    rejected = rejected_message(record, found, len(found), NOW, 100_000)
    headers = {name: (raw or b"").decode() for name, raw in rejected.headers}
    schema = content("rejection.json")
    inside = {**schema["properties"]["rejection-problems"]["contentSchema"], "$defs": schema["$defs"]}

    Judge(schema).validate(headers)
    Judge(inside).validate(json.loads(headers["rejection-problems"]))


# AsyncAPI


def test_the_asyncapi_document_has_the_form_of_version_3() -> None:
    document = ApplicationSchema.model_validate(content("asyncapi.json"))

    assert {"order-create", "order-update", "order-status-changed", "order-rejected"} == set(document.channels)


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = content("asyncapi.json")
    references = set(strings(document, "$ref"))

    local = [each.removeprefix("#/").split("/") for each in references if each.startswith("#/")]
    assert all(isinstance(reduce(lambda node, name: node[name], steps, document), dict) for steps in local)
    assert {Path(each) for each in references if not each.startswith("#/")} == schemas.files().keys() - DOCUMENTS


def test_every_operation_of_every_dialect_is_a_message_of_its_channel() -> None:
    channels = content("asyncapi.json")["channels"]
    topics = {operation: kind_of(operation).value for operation in Operation}

    listed = {(topic, name) for topic in topics.values() for name in channels[topic]["messages"]}

    assert {(topics[operation], f"{dialect}.{operation.value}") for dialect, operation in INPUTS} == listed


def strings(node: Any, keyword: str) -> Iterator[str]:  # noqa: ANN401  # any JSON
    """Every text that stands under this keyword."""
    for holder, place in places(node):
        if place == keyword:
            yield holder[place]
