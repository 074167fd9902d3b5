"""Files of messages: JSON or JSON lines, the text of each value as it stands there, digit for digit (interface 5)."""

import json
import re
import sys
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from orderstream.commands import Headers, Kind
from orderstream.messages import KINDS, Message

Members: TypeAlias = dict[str, str]  # name -> the text of its value, as it stands in the file

STANDARD_INPUT: Final = "-"

_DECODER: Final = json.JSONDecoder(parse_int=str, parse_float=str)  # no digit is looked at
_BLANK: Final = re.compile(r"[ \t\r\n]*")


class MessageFileError(ValueError):
    """A file holds something else than messages; the text says where and what, in one line."""


class Located(NamedTuple):
    """A message and where it stands; numbers begin with 1 in each file."""

    file: str
    number: int
    message: Message

    def __str__(self) -> str:
        return f"{self.file} #{self.number}"


def read_files(files: Iterable[str], topics: Mapping[str, Kind] = KINDS, default: Kind | None = None) -> list[Located]:
    """The messages of all files; `-` is standard input. Raises `MessageFileError`."""
    return [
        Located("standard input" if file == STANDARD_INPUT else file, number, message)
        for file in files
        for number, message in enumerate(_in_file(file, topics, default), start=1)
    ]


def _in_file(file: str, topics: Mapping[str, Kind], default: Kind | None) -> list[Message]:
    try:
        raw = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
        return read_messages(raw.decode("utf-8-sig"), topics, default)
    except OSError as error:
        raise MessageFileError(f"{file}: {error.strerror or type(error).__name__}") from None
    except UnicodeDecodeError as error:
        message = f"{file}: byte {error.start} is not UTF-8; other bytes than text go into value_base64"
        raise MessageFileError(message) from None
    except MessageFileError as error:
        raise MessageFileError(f"{file}: {error}") from None


def read_messages(text: str, topics: Mapping[str, Kind] = KINDS, default: Kind | None = None) -> list[Message]:
    """The messages of a file: one JSON object, several one after the other (JSON lines), or an array of them.

    Each is `{"topic"?, "key", "headers", "value"}`; instead of `value` there may be `value_base64`; *topics* are the
    names that `topic` may have, *default* is for a message that does not say its kind. Raises `MessageFileError`.
    """
    messages: list[Message] = []
    try:
        for members in _objects(text):
            messages.append(_message(members, topics, default))  # noqa: PERF401  # their number is told when one is wrong
    except json.JSONDecodeError as error:
        raise MessageFileError(f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        message = f"message {len(messages) + 1} is nested too deep; send it with value_base64"
        raise MessageFileError(message) from None
    except MessageFileError as error:
        raise MessageFileError(f"message {len(messages) + 1}: {error}") from None
    if not messages:
        raise MessageFileError("there is no message in it")
    return messages


def _objects(text: str) -> Iterator[Members]:
    """The members of each object at the top: alone, one after the other, or in an array."""
    place = _after_blank(text, 0)
    is_array = text.startswith("[", place)
    if is_array:
        _, end = _DECODER.raw_decode(text, place)  # once as a whole: its grammar is right
        if _after_blank(text, end) < len(text):
            raise json.JSONDecodeError("nothing may follow the array", text, end)
        place = _after_blank(text, place + 1)
    while place < len(text) and not (is_array and text[place] == "]"):
        _, end = _DECODER.raw_decode(text, place)
        yield _members(text, place)
        place = _after_blank(text, end)
        if is_array and text[place] == ",":
            place = _after_blank(text, place + 1)


def _members(text: str, place: int) -> Members:
    if text[place] != "{":
        raise MessageFileError("must be a JSON object")
    members: Members = {}
    place = _after_blank(text, place + 1)
    while text[place] != "}":
        name, end = _DECODER.raw_decode(text, place)
        start = _after_blank(text, _after_blank(text, end) + 1)  # past the colon
        _, end = _DECODER.raw_decode(text, start)
        if name in members:
            raise MessageFileError(f"{name!r} is there twice")
        members[name] = text[start:end]
        place = _after_blank(text, end)
        if text[place] == ",":
            place = _after_blank(text, place + 1)
    return members


def _after_blank(text: str, place: int) -> int:
    blank = _BLANK.match(text, place)
    return blank.end() if blank else place


def _message(members: Members, topics: Mapping[str, Kind], default: Kind | None) -> Message:
    headers = tuple(_headers(members.get("headers", "{}")))
    return Message(
        kind=_kind(members, headers, topics, default),
        key=_key(members.get("key", "null")),
        headers=headers,
        value=_value(members),
    )


def _headers(text: str) -> Iterator[tuple[str, bytes]]:
    """Each header that is written, one that is there twice included."""
    pairs = json.loads(text, object_pairs_hook=tuple)
    if not isinstance(pairs, tuple):
        raise MessageFileError("headers must be an object of texts")
    for name, value in pairs:
        if not isinstance(value, str):
            raise MessageFileError(f"header {name} must be a text")
        yield name, _utf8(value, f"header {name}")


def _kind(members: Members, headers: Headers, topics: Mapping[str, Kind], default: Kind | None) -> Kind:
    if "topic" in members:
        topic = json.loads(members["topic"])
        if not isinstance(topic, str) or topic not in topics:
            raise MessageFileError(f"topic must be one of {', '.join(topics)}")
        return topics[topic]
    said = next((value for name, value in headers if name == "message-type" and value), b"").decode()
    if said in KINDS:
        return KINDS[said]
    if default is None:
        names = " or ".join(KINDS)
        raise MessageFileError(f"its topic is not known; give it `topic` or the header message-type, {names}")
    return default


def _key(text: str) -> bytes | None:
    key = json.loads(text)
    if key is not None and not isinstance(key, str):
        raise MessageFileError("key must be a text")
    return None if key is None else _utf8(key, "key")


def _value(members: Members) -> bytes:
    if ("value" in members) == ("value_base64" in members):
        raise MessageFileError("it must have either value or value_base64")
    if "value" in members:
        return members["value"].encode()
    try:
        return b64decode(json.loads(members["value_base64"]), validate=True)
    except (TypeError, ValueError, Base64Error):
        raise MessageFileError("value_base64 must be a text in base64") from None


def _utf8(text: str, name: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise MessageFileError(f"{name} holds half of a surrogate pair, which UTF-8 cannot say") from None
