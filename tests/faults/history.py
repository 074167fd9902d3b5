"""What a round left behind, as plain values: the checker's only input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.faults.ledger import Entry


class Found(NamedTuple):
    """A record as it stands in a topic; *at* is its timestamp in milliseconds."""

    topic: str
    partition: int
    offset: int
    at: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    @property
    def position(self) -> str:
        """`topic/partition/offset`."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    def header(self, name: str) -> str | None:
        """A header as text, None where there is none."""
        raw = dict(self.headers).get(name)
        return None if raw is None else raw.decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Everything after a round; the documents' times are in UTC."""

    entries: Mapping[str, Entry]  # what was sent, by id
    acknowledged: Mapping[str, str]  # id -> position
    creates: Sequence[Found]
    updates: Sequence[Found]
    events: Sequence[Found]
    rejections: Sequence[Found]
    documents: Sequence[Mapping[str, Any]]
    waiting: int = 0  # updates that still wait for their create
    committed: Mapping[tuple[str, int], int] = field(default_factory=dict)
    ends: Mapping[tuple[str, int], int] = field(default_factory=dict)
    logs: Sequence[str] = ()  # lines of the workers
    may_repeat: bool = True  # whether something happened that repeats outputs
