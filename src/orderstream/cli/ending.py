"""How a command begins and ends: settings read, the work done, trouble told in a sentence with an exit code."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import typer

from orderstream.local import LocalServerError
from orderstream.rules_file import SettingError
from orderstream.settings import Settings, read_settings
from orderstream.terminal import FailedError, StoppedError, out_of_reach, say, until_stopped
from orderstream.topics import TopicsMissingError
from orderstream.trouble import UnavailableError

Result = TypeVar("Result")


def settings_here() -> Settings:
    """The settings of this environment; a wrong one ends the command with exit code 2."""
    try:
        return read_settings()
    except SettingError as error:
        fail(str(error), 2)


def end(work: Coroutine[Any, Any, Result], settings: Settings | None = None, *, may_be_stopped: bool = False) -> Result:
    """Do the work; trouble becomes a sentence and an exit code."""
    logging.getLogger().addHandler(logging.NullHandler())  # libraries tell in their own words what we tell in ours
    try:
        return asyncio.run(until_stopped(work))
    except StoppedError:
        if may_be_stopped:
            raise typer.Exit from None
        fail("stopped before the end", 1)
    except UnavailableError as error:
        fail(out_of_reach(error, settings or Settings()), 1)
    except TopicsMissingError as error:
        fail(f"Kafka has no topic {error}; `orderstream topics` makes what is missing", 1)
    except SettingError as error:
        fail(str(error), 2)
    except (FailedError, LocalServerError) as error:
        fail(str(error), 1)


def fail(message: str, code: int) -> NoReturn:
    """Say it, and end the command with this exit code."""
    say(message)
    raise typer.Exit(code)
