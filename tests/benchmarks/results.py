"""Raw results: one JSON object per run in a file, to which a stopped benchmark comes back."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

Row: TypeAlias = dict[str, Any]


class Played(NamedTuple):
    """What tells one run from the others."""

    workload: str
    contestant: str
    run: int
    scale: float


def rows(file: Path) -> Iterator[Row]:
    """All results so far."""
    if file.exists():
        yield from map(json.loads, file.read_text().splitlines())


def played(file: Path) -> set[Played]:
    """The runs that need not be played again; what was not here or failed is tried again."""
    return {Played(*(row[name] for name in Played._fields)) for row in rows(file) if "rate" in row or "p50" in row}


def add(file: Path, what: Played, figures: Row) -> None:
    """Append one result."""
    with file.open("a") as open_file:
        open_file.write(json.dumps({**what._asdict(), **figures}) + "\n")
