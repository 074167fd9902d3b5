"""The command `run`: one worker in this process, or several in processes of their own (interface 5)."""

import asyncio
import signal
import socket
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import typer

from orderstream.cli.ending import fail
from orderstream.rules_file import SettingError
from orderstream.settings import Settings
from orderstream.trouble import UnfitError

Result = TypeVar("Result")


def run_workers(settings: Settings, count: int) -> None:
    """Work until SIGTERM or Ctrl-C."""
    if count == 1:
        from orderstream.app import run  # no other command pays for it

        _end(settings, run(settings))
        return
    from orderstream.workers import WrongSettingsError  # this needs no FastStream
    from orderstream.workers import run as run_all

    try:
        ended_in_order = _end(settings, run_all(settings, count))
    except WrongSettingsError:
        raise typer.Exit(2) from None
    if not ended_in_order:
        raise typer.Exit(1)


def run_one_of(settings: Settings, number: int, listener: int) -> None:
    """Work until SIGTERM, or until standard input ends: then whoever started us is gone."""
    import structlog

    from orderstream.app import run  # before the logs are set up: FastStream sets up its own when imported

    async def run_with_parent() -> None:
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _end_with_parent)
        await run(settings, socket.socket(fileno=listener))

    structlog.contextvars.bind_contextvars(worker=number)
    _end(settings, run_with_parent())


def _end_with_parent() -> None:
    asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    signal.raise_signal(signal.SIGTERM)


def _end(settings: Settings, work: Coroutine[Any, Any, Result]) -> Result:
    """Do the work; trouble becomes a sentence and an exit code."""
    from orderstream.logs import set_up

    set_up(settings.log_level, settings.log_format)
    try:
        return asyncio.run(work)
    except UnfitError as error:
        fail(str(error), 1)
    except SettingError as error:
        fail(str(error), 2)
