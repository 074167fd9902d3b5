"""The README tells every event of the log, what it means and what to do, and none that does not exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from orderstream.logs import EventName

README = Path(__file__).parent.parent / "README.md"


def rows() -> Iterator[list[str]]:
    """The cells of the table of events."""
    table = README.read_text().partition("| Event | Means | Do |\n|---|---|---|\n")[2].partition("\n\n")[0]
    return ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())


def test_the_readme_has_every_event_once() -> None:
    told = [name for event, _, _ in rows() for name in re.findall(r"`([^`]+)`", event)]

    assert sorted(get_args(EventName)) == sorted(told)


def test_every_event_has_a_meaning() -> None:
    assert [] == [event for event, meaning, _ in rows() if not meaning]
