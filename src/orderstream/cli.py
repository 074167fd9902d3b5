"""The command line (interface 5)."""

import asyncio
from typing import NoReturn

import typer

from orderstream.app import run as run_worker
from orderstream.logs import set_up
from orderstream.rules_file import SettingError
from orderstream.settings import Settings, read_settings
from orderstream.trouble import UnfitError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def orderstream() -> None:
    """Order messages from Kafka, one document per order in MongoDB, a status event for every change."""


@app.command()
def run() -> None:
    """Run the worker; SIGTERM and Ctrl-C drain and stop it."""
    settings = _settings()
    set_up(settings.log_level, settings.log_format)
    try:
        asyncio.run(run_worker(settings))
    except UnfitError as error:
        _fail(str(error), 1)


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingError as error:
        _fail(str(error), 2)


def _fail(message: str, code: int) -> NoReturn:
    typer.echo(f"orderstream: {message}", err=True)
    raise typer.Exit(code)


def main() -> None:
    """The entry point of the command `orderstream`."""
    app()
