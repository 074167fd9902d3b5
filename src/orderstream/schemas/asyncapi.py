"""The AsyncAPI 3 document: four topics, what comes in on two of them and what goes out on the others (interface 1)."""

from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from orderstream.commands import Kind, Operation
from orderstream.dialect import Dialect, Example
from orderstream.dialects import DIALECTS
from orderstream.schemas.examples import events, headers_of, rejected, texts
from orderstream.schemas.headers import header_schema, key_schema, kind_of
from orderstream.schemas.outputs import HEX24
from orderstream.schemas.values import DOES, Schema
from orderstream.status_event import CONTENT_TYPE
from orderstream.topics import PARTITIONS

VERSION: Final = "1.0.0"  # of the interface
JSON_SCHEMA: Final = "application/schema+json;version=draft-2020-12"
JSON: Final = "application/json"

DESCRIPTION: Final = """\
Order messages in five dialects come in on two topics and are validated strictly. Every order is one document; every \
change of its status goes out as an event; every message that is refused goes out with all that is wrong with it.

All messages of an order carry the key of its create, so that they are handled in one lane, in their order.

The addresses of the channels are the defaults of the settings. The schemas of the values are files of their own, \
one per dialect and operation."""

INPUTS: Final = [(dialect, operation) for dialect in DIALECTS.values() for operation in dialect.shapes]
CHANNELS: Final[Mapping[str, tuple[str, str]]] = {  # address -> title, description
    "order-create": ("New orders", "One order in one of the dialects."),
    "order-update": ("Changes of orders", "One operation on an order or on a line of it."),
    "order-status-changed": (
        "Status events",
        "Per order in its order, and without gaps in `sequence`; a repeat has the same id and the same bytes.",
    ),
    "order-rejected": ("Rejected messages", "The original bytes; headers say everything that is wrong with them."),
}
OPERATIONS: Final[Mapping[str, tuple[str, str, str]]] = {  # name -> action, channel, what the worker does
    "receiveOrder": ("receive", "order-create", "Validates the order, stores it and tells that it is there."),
    "receiveUpdate": ("receive", "order-update", "Validates the update and applies it to its order."),
    "sendStatusEvent": ("send", "order-status-changed", "Tells that an order is new, changed its status or is gone."),
    "sendRejectedMessage": ("send", "order-rejected", "Hands back a message that is refused."),
}


def document() -> Schema:
    """The whole interface; the files that it refers to stand beside it."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:orderstream",
        "info": {
            "title": "orderstream",
            "version": VERSION,
            "description": DESCRIPTION,
            "license": {"name": "MIT"},
        },
        "defaultContentType": JSON,
        "channels": {address: _channel(address) for address in CHANNELS},
        "operations": {
            name: {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}
            for name, (action, channel, summary) in OPERATIONS.items()
        },
        "components": {"messages": _messages()},
    }


def _channel(address: str) -> Schema:
    title, description = CHANNELS[address]
    partitioned = {"partitions": PARTITIONS} if address in list(Kind) else {}
    return {
        "address": address,
        "title": title,
        "description": description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _names(address)},
        "bindings": {"kafka": {"topic": address, **partitioned, "bindingVersion": "0.5.0"}},
    }


def _names(address: str) -> Iterable[str]:
    match address:
        case "order-status-changed":
            return ["status-event"]
        case "order-rejected":
            return ["rejected-message"]
        case _:
            return [_name(dialect, operation) for dialect, operation in INPUTS if kind_of(operation) == address]


def _name(dialect: Dialect, operation: Operation) -> str:
    return f"{dialect.name}.{operation.value}"


def _messages() -> Schema:
    inputs = {_name(dialect, operation): _input(dialect, operation) for dialect, operation in INPUTS}
    return {**inputs, "status-event": _status_event(), "rejected-message": _rejected_message()}


def _input(dialect: Dialect, operation: Operation) -> Schema:
    examples = [_example(dialect, example) for example in dialect.examples if example.operation is operation]
    return {
        "title": f"{dialect.name} {operation.value}",
        "summary": DOES[operation],
        "contentType": JSON,
        "tags": [{"name": dialect.name}, {"name": operation.value}],
        "headers": header_schema(dialect, operation),
        "payload": _file(f"{dialect.name}/{operation.value}.json"),
        "bindings": _kafka(key_schema(dialect)),
        **({"examples": examples} if examples else {}),
    }


def _example(dialect: Dialect, example: Example) -> Schema:
    return {"summary": example.title, "headers": headers_of(example, dialect), "payload": example.value}


def _status_event() -> Schema:
    examples = [
        {"summary": event.type, "headers": texts(event.headers), "payload": orjson.loads(event.value)}
        for event in events(DIALECTS["wishlist"])
    ]
    return {
        "title": "status event",
        "summary": "An order is new, one of its status values changed, or it was deleted.",
        "contentType": CONTENT_TYPE.decode(),
        "headers": {
            "type": "object",
            "properties": {
                "content-type": {"const": CONTENT_TYPE.decode()},
                "dialect": {"enum": list(DIALECTS)},
                "tenant": {"description": "Where the order has one", "type": "string"},
                "correlation-id": {"description": "As the sender of the message sent it", "type": "string"},
                "traceparent": {"description": "Not on a repeat", "type": "string"},
            },
            "required": ["content-type", "dialect"],
        },
        "payload": _file("status-event.json"),
        "bindings": _kafka({"description": "The order, as in `subject`", **HEX24}),
        "examples": examples,
    }


def _rejected_message() -> Schema:
    example = rejected(DIALECTS["shopping-cart"])
    return {
        "title": "rejected message",
        "summary": "The original bytes of a message that is refused, and in its headers all that is wrong with it.",
        "contentType": "application/octet-stream",
        "headers": _file("rejection.json"),
        "payload": {"description": "The value as it came, JSON or not; cut where the topic does not admit it."},
        "bindings": _kafka({"description": "The key as it came; cut where the topic does not admit it."}),
        "examples": [
            {
                "summary": "Without a required member, and with a blank tenant",
                "headers": texts(example.headers),
                "payload": orjson.loads(example.value or b"null"),
            }
        ],
    }


def _file(path: str) -> Schema:
    return {"schemaFormat": JSON_SCHEMA, "schema": {"$ref": f"./{path}"}}


def _kafka(key: Schema) -> Schema:
    return {"kafka": {"key": key, "bindingVersion": "0.5.0"}}
