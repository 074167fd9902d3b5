"""Builders of messages: a sample file or a dialect's example as the record that Kafka would deliver."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from orderstream.commands import Kind, Record
from orderstream.json_text import JsonObject
from orderstream.order import Position

HERE = Path(__file__).parent
NOW = datetime(2026, 11, 21, 10, 15, 30, 123000, tzinfo=UTC)


def a_record(
    *,
    value: JsonObject | bytes | None,
    headers: Mapping[str, str],
    key: str | None = "key-1",
    offset: int = 0,
    partition: int = 0,
    at: datetime = NOW,
    **changed: str | None,
) -> Record:
    """A record; *changed* headers are put over the given ones, underscores for hyphens, None takes one away."""
    texts = {**headers, **{name.replace("_", "-"): text for name, text in changed.items()}}
    kind = Kind.UPDATE if texts.get("message-type") == Kind.UPDATE else Kind.CREATE
    return Record(
        kind=kind,
        position=Position(kind.value, partition, offset),
        at=at,
        key=None if key is None else key.encode(),
        value=json.dumps(value).encode() if isinstance(value, dict) else value,
        headers=tuple((name, text.encode()) for name, text in texts.items() if text is not None),
    )


def samples(dialect: str = "*") -> list[Path]:
    """The sample files of a dialect, or of all."""
    return sorted((HERE / "samples").glob(f"{dialect}/*.json"))


def a_sample(name: str, **changed: str | None) -> Record:
    """The record of a sample file, named `dialect/file` without `.json`."""
    message = json.loads((HERE / "samples" / f"{name}.json").read_text())
    return a_record(value=message["value"], headers=message["headers"], key=message["key"], **changed)  # type: ignore[arg-type]
