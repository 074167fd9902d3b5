"""The sender's ledger: every message stands in it before it is sent."""

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tests.faults.wrongs import Wrong
from tests.worker import Sent


class Entry(NamedTuple):
    """A message, its `correlation-id`, and what is wrong with it by itself."""

    id: str
    message: Sent
    wrong: Wrong | None


class Ledger:
    """What was sent, in a file that outlives the sender, and what Kafka acknowledged."""

    def __init__(self, file: Path) -> None:
        self.entries: dict[str, Entry] = {}
        self.acknowledged: dict[str, str] = {}  # id -> position
        self._file = file.open("w", buffering=1)

    def write(self, entry: Entry) -> None:
        """Before it is sent."""
        self.entries[entry.id] = entry
        self._file.write(json.dumps(_plain(entry)) + "\n")

    def acknowledge(self, id_: str, position: str) -> None:
        """Afterwards, if Kafka says that it has it."""
        self.acknowledged[id_] = position
        self._file.write(json.dumps({"id": id_, "acknowledged": position}) + "\n")

    def close(self) -> None:
        """Nothing more is sent."""
        self._file.close()


def _plain(entry: Entry) -> dict[str, object]:
    topic, key, value, headers = entry.message
    return {
        "id": entry.id,
        "topic": topic,
        "key": _text(key),
        "value": _text(value),
        "headers": [[name, _text(text)] for name, text in headers],
        "wrong": entry.wrong,
    }


def _text(raw: bytes | None) -> str | None:
    """Text where it is some, else Base64."""
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(raw).decode()


def with_headers(message: Sent, more: Iterable[tuple[str, bytes | None]]) -> Sent:
    """The message with further headers."""
    return message._replace(headers=(*message.headers, *more))
