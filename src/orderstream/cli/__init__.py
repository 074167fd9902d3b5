"""The command line: arguments read, one function called, an exit code given (interface 5)."""

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from orderstream.cli.arguments import Dialect, Files, Ref, Tenant
from orderstream.cli.check import check as check_messages
from orderstream.cli.ending import end, fail, settings_here
from orderstream.cli.explain import explain as explain_order
from orderstream.cli.publish import publish as publish_messages
from orderstream.cli.publish import topic_names
from orderstream.cli.reemit import reemit as reemit_events
from orderstream.cli.rejections import rejected as rejected_commands
from orderstream.cli.run import run_one_of, run_workers
from orderstream.cli.show import Part, Target
from orderstream.cli.show import show as show_order
from orderstream.cli.tail import tail as tail_events
from orderstream.cli.topic_report import check_stream, make_topics
from orderstream.commands import Kind
from orderstream.demo import demo as play_demo
from orderstream.message_files import Located, MessageFileError, read_files
from orderstream.servers import keep_servers
from orderstream.settings import Settings
from orderstream.terminal import say

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(rejected_commands, name="rejected")


@app.callback()
def orderstream() -> None:
    """Order messages from Kafka, one document per order in MongoDB, a status event for every change of status.

    Begin with `orderstream demo`, which needs no servers and no settings.
    All other commands read ORDERSTREAM_… settings from the environment: KAFKA_BOOTSTRAP and MONGO_URL first of all.
    """


@app.command()
def run(
    *,
    workers: Annotated[
        int, typer.Option(min=1, metavar="N", help="So many processes in the same group, behind one HTTP port.")
    ] = 1,
) -> None:
    """Run the worker; SIGTERM and Ctrl-C drain and stop it."""
    run_workers(settings_here(), workers)


@app.command(hidden=True)
def worker(number: int, listener: int) -> None:
    """One of the workers of `run --workers`, which alone calls this."""
    run_one_of(settings_here(), number, listener)


@app.command()
def demo(
    *, keep: Annotated[bool, typer.Option("--keep", help="Leave all of it running until Ctrl-C, to try more.")] = False
) -> None:
    """See it work: a real Kafka, a real MongoDB, a worker, orders of all dialects; half a minute, and all is gone.

    Needs `pip install 'orderstream[local]'`; the first time it fetches Kafka.
    """
    end(play_demo(keep=keep), may_be_stopped=keep)


@app.command()
def local() -> None:
    """Run a real Kafka and a real MongoDB until Ctrl-C, and print the settings that lead to them.

    Needs `pip install 'orderstream[local]'`; the first time it fetches Kafka. The data are gone at the end.
    """
    end(keep_servers(), may_be_stopped=True)


@app.command()
def topics(
    *,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Take partitions that are not what the worker has read as they are now.")
    ] = False,
) -> None:
    """Make the topics that are missing, and report those that are not as they must be (exit code 1).

    Nor does the worker go on with a partition whose topic was made again, whose log has lost records, or whose topic
    has more partitions than before. With --adopt it does, from where this command says.
    """
    settings = settings_here()
    fit = end(make_topics(settings), settings)
    if not (end(check_stream(settings, adopt=adopt), settings) and fit):
        raise typer.Exit(1)


@app.command()
def publish(
    files: Files,
    *,
    order: Annotated[
        str | None,
        typer.Option(metavar="REF", help="To this stored order: its key, dialect, tenant and id are filled in."),
    ] = None,
    dialect: Dialect = None,
    tenant: Tenant = None,
) -> None:
    """Send messages to the worker, and print where each stands: the `cause` of its event.

    They go out as they are, right or wrong; `orderstream check` tells before.
    """
    if order is None and (dialect or tenant):
        raise typer.BadParameter("--dialect and --tenant say which order --order means; give that too")
    settings = settings_here()
    target = None if order is None else Target(order, dialect, tenant)
    messages = _read(files, settings, None if order is None else Kind.UPDATE)
    end(publish_messages(messages, settings, target), settings)


@app.command()
def check(files: Files) -> None:
    """Judge messages without any server, and show everything that is wrong with each (exit code 1)."""
    settings = settings_here()
    if not check_messages(_read(files, settings), settings.contracts):
        raise typer.Exit(1)


@app.command()
def show(
    ref: Ref,
    *,
    dialect: Dialect = None,
    tenant: Tenant = None,
    history: Annotated[bool, typer.Option("--history", help="Its status events.")] = False,
    entries: Annotated[bool, typer.Option("--entries", help="Its lines.")] = False,
    entry: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="One line: its id, ref:REFERENCE, or where lines have no id its place from 0."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As the read API answers, secrets masked.")] = False,
) -> None:
    """Show one order as it stands."""
    if history and (entries or entry):
        raise typer.BadParameter("--history and --entries: one at a time")
    part: Part = "history" if history else "entries" if entries or entry else "order"
    settings = settings_here()
    end(show_order(settings, Target(ref, dialect, tenant), part, entry, as_json=as_json), settings)


@app.command()
def explain(
    ref: Ref,
    *,
    dialect: Dialect = None,
    tenant: Tenant = None,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="Also those that were refused before they reached the order.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell what happened to one order: each message, what became of it and why, oldest first.

    Told are all status events, at least the last 50 messages that reached the order, and updates that wait for it.
    What the worker has not read yet cannot be told.
    An update that waits is also found by its position TOPIC/PARTITION/OFFSET, which order.parked in the log has.

    With --rejected all of the rejected topic is read, which takes a while when it is long; nothing is committed.
    Found are messages that name the order in a header or in a member at the top of their value.
    So are those that have its record key and name no other order; a message that does neither cannot be found.
    """
    settings = settings_here()
    end(explain_order(settings, Target(ref, dialect, tenant), as_json=as_json, rejected=rejected), settings)


@app.command()
def reemit(
    refs: Annotated[
        list[str], typer.Argument(metavar="REF", help="Id, number, reference or idempotency key of an order.")
    ],
    *,
    dialect: Dialect = None,
    tenant: Tenant = None,
) -> None:
    """Publish all status events of orders again, with the same ids and bytes: who has seen them drops them.

    When an order is not found, the others are done all the same (exit code 1).
    """
    settings = settings_here()
    end(reemit_events(settings, [Target(ref, dialect, tenant) for ref in refs]), settings)


@app.command()
def tail(
    *,
    from_start: Annotated[bool, typer.Option("--from-start", help="All that the topic holds first.")] = False,
    dialect: Dialect = None,
    tenant: Tenant = None,
    as_json: Annotated[bool, typer.Option("--json", help="Each event as it is, on a line.")] = False,
) -> None:
    """Show status events as they come, each once, until Ctrl-C; missing ones are told."""
    settings = settings_here()
    work = tail_events(settings, from_start=from_start, as_json=as_json, dialect=dialect, tenant=tenant)
    end(work, settings, may_be_stopped=True)


@app.command()
def schemas(
    *,
    check: Annotated[bool, typer.Option("--check", help="Only say which files differ (exit code 1).")] = False,
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="Where they are, or shall be.")] = Path("schemas"),
) -> None:
    """Write JSON Schemas of all messages, AsyncAPI and OpenAPI documents, or check those that are there."""
    from orderstream import schemas as made  # no other command pays for it

    try:
        if not check:
            made.write(to)
        wrong = list(made.differences(to))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", 1)
    for each in wrong:
        say(each)
    if wrong:
        raise typer.Exit(1)
    typer.echo(f"{to}: {len(made.files())} files, as the code says")


def _read(files: Sequence[str], settings: Settings, default: Kind | None = None) -> Sequence[Located]:
    try:
        return read_files(files, topic_names(settings), default)
    except MessageFileError as error:
        fail(str(error), 2)


def main() -> None:
    """The entry point of the command `orderstream`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no arrows
    app()
