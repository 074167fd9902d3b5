"""The docs page: the AsyncAPI document for people, one file of HTML that loads and runs nothing."""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any, Final

from orderstream.schemas import files
from orderstream.schemas.values import Schema

STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h2 { border-top: 1px solid #ccc; padding-top: 1rem; margin-top: 2.5rem }
code, pre { font-family: ui-monospace, monospace; font-size: .875em }
pre { background: #f4f4f4; padding: .75rem; overflow: auto }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 }
td, th { border-bottom: 1px solid #ddd; padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top }
summary { cursor: pointer; padding: .25rem 0 }
details > div { padding-left: 1rem; border-left: 3px solid #ddd }
"""
POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'"
)
DIRECTIONS: Final = {"receive": "The worker receives this", "send": "The worker sends this"}


@cache
def page() -> str:
    """The whole page."""
    document = _content("asyncapi.json")
    info, title = document["info"], escape(document["info"]["title"])
    channels = "".join(map("".join, (_channel(name, document) for name in document["channels"])))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        f"<h1>{title} {escape(info['version'])}</h1>{_paragraphs(info['description'])}"
        '<p>For programs: <a href="docs/asyncapi.json">AsyncAPI 3</a>, <a href="docs/openapi.json">OpenAPI 3.1</a>.</p>'
        f"{channels}</html>\n"
    )


def _channel(name: str, document: Schema) -> Iterator[str]:
    channel = document["channels"][name]
    (operation,) = (o for o in document["operations"].values() if o["channel"]["$ref"] == f"#/channels/{name}")
    partitions = channel["bindings"]["kafka"].get("partitions")
    yield f'<h2 id="{escape(name)}">{escape(channel["title"])}: <code>{escape(channel["address"])}</code></h2>'
    yield f"<p>{escape(channel['description'])} {DIRECTIONS[operation['action']]}: {escape(operation['summary'])}</p>"
    if partitions:
        yield f"<p>{partitions} partitions.</p>"
    for message in channel["messages"]:
        yield from _message(document["components"]["messages"][message])


def _message(message: Schema) -> Iterator[str]:
    yield f"<details><summary><b>{escape(message['title'])}</b> {escape(message['summary'])}</summary><div>"
    yield from _key(message["bindings"]["kafka"]["key"])
    yield f"<h4>Headers</h4>{_table(_resolved(message['headers']))}"
    yield f"<h4>Value</h4><p>{escape(message['contentType'])}</p>{_value(message['payload'])}"
    for example in message.get("examples", ()):
        yield f"<h4>Example: {escape(example['summary'])}</h4>"
        yield f"<pre>{_json({name: example[name] for name in ('headers', 'payload') if name in example})}</pre>"
    yield "</div></details>"


def _key(key: Schema) -> Iterator[str]:
    examples = ", ".join(f"<code>{escape(example)}</code>" for example in key.get("examples", ()))
    yield f"<h4>Key</h4><p>{escape(key['description'])}{' For example ' + examples + '.' if examples else ''}</p>"


def _value(payload: Schema) -> str:
    if "schema" not in payload:
        return _paragraphs(payload["description"])
    file = payload["schema"]["$ref"].removeprefix("./")
    schema = _content(file)
    whole = f'<p><a href="docs/{escape(file)}">The whole schema</a></p>'
    return f"{_paragraphs(schema['description'])}{_table(schema)}{whole}"


def _resolved(headers: Schema) -> Schema:
    return _content(headers["schema"]["$ref"].removeprefix("./")) if "schema" in headers else headers


def _table(schema: Schema) -> str:
    """Members, or headers: those that must be there first."""
    required = schema.get("required", [])
    members = {name: one for name, one in schema.get("properties", {}).items() if not _is_forbidden(one)}
    rows = [_row(name, members[name], needed=name in required) for name in _first(required, members)]
    return f"<table><tr><th>Name<th>Must<th>Type<th>Meaning</tr>{''.join(rows)}</table>" if rows else ""


def _first(required: Iterable[str], members: Mapping[str, Schema]) -> Iterable[str]:
    return dict.fromkeys([*(name for name in required if name in members), *members])


def _row(name: str, schema: Schema, *, needed: bool) -> str:
    cells = (f"<code>{escape(name)}</code>", "yes" if needed else "", escape(_type(schema)), escape(_meaning(schema)))
    return f"<tr>{''.join(f'<td>{cell}' for cell in cells)}</tr>"


def _type(schema: Schema) -> str:
    match schema:
        case {"const": value}:
            return f"“{value}”"
        case {"enum": values}:
            return ", ".join(map(str, values))
        case {"type": list() as types}:
            return " or ".join(types)
        case {"type": str() as one}:
            return one
        case {"$ref": str() as reference}:
            return reference.rpartition("/")[2]
        case {"anyOf": list() as choices}:
            return " or ".join(map(_type, choices))
        case _:
            return ""


def _meaning(schema: Schema) -> str:
    return str(schema.get("description", ""))


def _is_forbidden(schema: Schema) -> bool:
    return schema.get("not") == {}


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(paragraph)}</p>" for paragraph in text.split("\n\n"))


def _json(value: object) -> str:
    return escape(json.dumps(value, ensure_ascii=False, indent=2))


def _content(file: str) -> Any:  # noqa: ANN401  # any JSON
    return json.loads(files()[Path(file)])
