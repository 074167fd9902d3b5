"""What commands write for people: tables and lines, plain when piped; and how a command ends (interface 5)."""

import asyncio
import signal
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from orderstream.order import Status
from orderstream.settings import Settings
from orderstream.trouble import UnavailableError

PIPED_COLUMNS: Final = 1_000  # nothing is cut or wrapped there
UNBROKEN: Final = 24  # characters up to which a cell stays in one piece in a narrow terminal

Result = TypeVar("Result")


class FailedError(Exception):
    """What was asked for did not come about; the text is for people."""


class StoppedError(Exception):
    """The user has stopped the command."""


def console(*, stderr: bool = False) -> Console:
    """Writes texts as they are, without markup; as wide as the terminal, or as a line needs when piped."""
    made = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not made.is_terminal:
        made.width = PIPED_COLUMNS
    return made


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """Columns without lines around them, so that other programs can read it too."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_header=any(columns))
    cells = [[printable(cell) for cell in row] for row in rows]
    for place, column in enumerate(columns):
        longest = max((len(row[place]) for row in cells), default=0)
        drawn.add_column(column, overflow="fold", no_wrap=longest <= UNBROKEN)
    for row in cells:
        drawn.add_row(*row)
    return drawn


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table as wide as the terminal; when piped each row on its line, without blanks at the end."""
    to, drawn = console(), table(columns, rows)
    if to.is_terminal:
        to.print(drawn)
        return
    with to.capture() as captured:
        to.print(drawn)
    print("\n".join(line.rstrip() for line in captured.get().splitlines()))


def printable(value: object) -> str:
    """A value as text that cannot steer the terminal: it may come from anybody."""
    text = "" if value is None else str(value)
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def changed(before: Status | None, after: Status | None) -> str:
    """What an event says: the first status, or what became of it; nothing of a deleted order."""
    if after is None:
        return ""
    values = zip(after._fields, before or after, after, strict=True)
    if before is None:
        return ", ".join(f"{name} {value}" for name, _, value in values)
    return ", ".join(f"{name} {was} → {value}" for name, was, value in values if was != value)


def short_name(refs: Mapping[str, str]) -> str:
    """The shortest of an order's ids is the one that people use."""
    return min(refs.values(), key=len)


def say(text: str) -> None:
    """A line for people beside what the command gives."""
    to = console(stderr=True)
    for line in f"orderstream: {text}".splitlines():
        to.print(printable(line), soft_wrap=not to.is_terminal)


def out_of_reach(error: UnavailableError, settings: Settings) -> str:
    """Which server, where, why, and what to check."""
    if error.system == "kafka":
        where, name = settings.kafka_bootstrap, "KAFKA_BOOTSTRAP"
    else:
        where, name = _hosts(settings.mongo_url.get_secret_value()), "MONGO_URL"
    usual = f"check that it runs and that ORDERSTREAM_{name} is right (`orderstream local` starts one)"
    system = "Kafka" if error.system == "kafka" else "MongoDB"
    return f"{system} at {where} cannot be used ({error.reason}); {error.remedy or usual}"


def _hosts(url: str) -> str:
    """Without the credentials."""
    return urlsplit(url).netloc.rpartition("@")[2]


async def until_stopped(work: Coroutine[Any, Any, Result]) -> Result:
    """What *work* gives. Raises `StoppedError` after SIGTERM or Ctrl-C, when *work* has cleaned up."""
    task, loop = asyncio.create_task(work), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _cancel_once, task)
    try:
        return await task
    except asyncio.CancelledError:
        raise StoppedError from None
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _cancel_once(task: asyncio.Task[Any]) -> None:
    if not task.cancelling():  # a second Ctrl-C must not end the cleaning up
        task.cancel()
