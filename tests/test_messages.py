"""Messages for publishers: read from files digit for digit, judged as the worker would, led to a stored order."""

import json
from base64 import b64encode
from pathlib import Path

import pytest

from orderstream.cli.publish import recipient
from orderstream.commands import Command, Kind
from orderstream.dialects import DIALECTS
from orderstream.message_files import MessageFileError, read_files, read_messages
from orderstream.messages import KINDS, addressed, judged, message, of_example
from orderstream.outcomes import Refusal
from tests.builders import Given, a_create, an_example, samples

HEADERS = '"headers": {"message-type": "order-create"}'


@pytest.mark.parametrize("path", samples(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_sample_file_is_a_file_of_messages(path: Path) -> None:
    (located,) = read_files([str(path)])

    expected = json.loads(path.read_text())["expect"]
    assert expected == ("reject" if isinstance(judged(located.message), Refusal) else "accept")


@pytest.mark.parametrize(
    "value",
    [
        '{"price":1.10,"id":123456789012345678901234567890,"tiny":1E-7,"huge":1e400}',
        '{ "a" :\t[ 1.0 , {} ]\r\n, "a": -0 }',
        '{"é": "\\u00e9 \\ud800", "\\"}": "}{,]["}',
        "NaN",
        "[]",
    ],
)
@pytest.mark.parametrize("form", ["{}", " \n{}\n", "[{}]", "[ {},\n {} ]", "{}\n{}\n", "{}{}"])
def test_the_text_of_a_value_goes_out_as_it_stands(value: str, form: str) -> None:
    one = f'{{"because": [1.50], {HEADERS}, "value" : {value} , "key": "k"}}'

    messages = read_messages(form.replace("{}", one))

    assert {value.encode()} == {each.value for each in messages}
    assert form.count("{}") == len(messages)


def test_any_bytes_can_be_sent_in_base64() -> None:
    text = json.dumps({"topic": "order-update", "key": None, "value_base64": b64encode(b"\xff\x00{").decode()})

    (read,) = read_messages(text)

    assert (Kind.UPDATE, None, (), b"\xff\x00{") == (read.kind, read.key, read.headers, read.value)


def test_a_header_that_is_there_twice_goes_out_twice() -> None:
    (read,) = read_messages('{"topic": "order-create", "headers": {"tenant": "a", "tenant": "b"}, "value": {}}')

    assert (("tenant", b"a"), ("tenant", b"b")) == read.headers


def test_the_topic_may_have_the_name_that_it_has_on_the_brokers() -> None:
    (read,) = read_messages('{"topic": "prod.updates", "value": {}}', {**KINDS, "prod.updates": Kind.UPDATE})

    assert Kind.UPDATE is read.kind


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no message in it"),
        (f'{{{HEADERS}, "value": {{}}}}\n{{{HEADERS}, "value": {{}}', "not JSON at line 2, column 58"),
        ("[{}", "not JSON at line 1"),
        ("[] {}", "nothing may follow the array"),
        ("7", "message 1: must be a JSON object"),
        (f'{{{HEADERS}, "value": 1}} "x"', "message 2: must be a JSON object"),
        ('{"value": {}}', "message 1: its topic is not known"),
        ('{"topic": "order-craete", "value": {}}', "message 1: topic must be one of order-create, order-update"),
        ('{"topic": "order-create", "key": 7, "value": {}}', "key must be a text"),
        ('{"topic": "order-create", "key": "\\ud800", "value": {}}', "key holds half of a surrogate pair"),
        ('{"topic": "order-create", "headers": {"source-version": 7}, "value": {}}', "source-version must be a text"),
        ('{"topic": "order-create", "headers": [], "value": {}}', "headers must be an object of texts"),
        ('{"topic": "order-create"}', "either value or value_base64"),
        ('{"topic": "order-create", "value": {}, "value_base64": ""}', "either value or value_base64"),
        ('{"topic": "order-create", "value": {}, "value": {}}', "'value' is there twice"),
        ('{"topic": "order-create", "value_base64": "ä"}', "value_base64 must be a text in base64"),
        ('{"topic": "order-create", "value": ' + "[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_no_message_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(MessageFileError) as raised:
        read_messages(text)

    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_bytes(b'{"value": "\xff"}')

    with pytest.raises(MessageFileError, match=r"messages\.jsonl: byte 11 is not UTF-8"):
        read_files([str(file)])


def test_a_byte_order_mark_is_no_part_of_the_message(tmp_path: Path) -> None:
    file = tmp_path / "messages.json"
    file.write_text('{"topic": "order-create", "value": {}}', encoding="utf-8-sig")

    assert [(str(file), 1)] == [(file, number) for file, number, _ in read_files([str(file)])]


def test_a_publisher_builds_a_message_of_texts() -> None:
    built = message(Kind.UPDATE, "k-1", {"dialect": "wishlist"}, {"a": "é", "b": 1.5})

    assert (b"k-1", b'{"a": "\xc3\xa9", "b": 1.5}') == (built.key, built.value)
    assert (("message-type", b"order-update"), ("dialect", b"wishlist")) == built.headers


def test_a_publisher_may_give_the_text_of_the_value() -> None:
    assert b'{"price": 1.10}' == message(Kind.CREATE, "k", {}, '{"price": 1.10}').value


def test_what_json_cannot_say_is_not_sent() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        message(Kind.CREATE, "k", {}, {"price": float("nan")})


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_update_to_a_stored_order_needs_only_the_operation(dialect: str) -> None:
    order = Given(an_example(dialect)).order
    update = next(each for each in DIALECTS[dialect].examples if "operation" in each.headers)
    sent = message(Kind.UPDATE, "", {"operation": update.headers["operation"]}, update.value)

    command = judged(addressed(sent, recipient(order)))

    assert isinstance(command, Command), command
    assert (order.record_key, order.tenant) == (command.record_key, command.tenant)
    assert set(command.keys) <= set(order.lookup_keys)


def test_a_message_keeps_the_address_that_it_brings() -> None:
    order = Given(a_create("wishlist")).order
    sent = message(Kind.UPDATE, "mine", {"order-ref": "another", "tenant": "theirs"}, {})

    led = addressed(sent, recipient(order))

    assert ("mine", "another", "theirs") == (led.key and led.key.decode(), led.says("order-ref"), led.says("tenant"))
    assert None is led.says("order-id")


def test_an_example_is_a_message() -> None:
    for dialect in DIALECTS.values():
        assert not isinstance(judged(of_example(dialect.examples[0])), Refusal)
