"""The commands `rejected list`, `show` and `replay`: what was rejected, why, and sent again (interface 5)."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, TypeAlias

import typer

from orderstream.cli.arguments import Dialect, Tenant
from orderstream.cli.ending import end, settings_here
from orderstream.cli.rejected_list import list_rejected
from orderstream.cli.rejected_replay import replay as replay_rejected
from orderstream.cli.rejected_show import show_rejected
from orderstream.masking import RULE
from orderstream.order import Position
from orderstream.problems import Code
from orderstream.rejections import Choice

UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

_AGO: Final = re.compile(r"(?P<number>[0-9]{1,6})(?P<unit>[smhd])")
_ID: Final = re.compile(r"[^/\s]+/[0-9]{1,10}/[0-9]{1,19}")

rejected = typer.Typer(no_args_is_help=True, help="Rejected messages: what was wrong with them, and sent again.")


def moment(text: str) -> datetime:
    """A time, or an age such as 15m. Raises `typer.BadParameter`."""
    ago = _AGO.fullmatch(text)
    if ago:
        age = timedelta(**{UNITS[ago["unit"]]: int(ago["number"])})
        return datetime.now(UTC) - age  # noqa: TID251  # a command is an edge
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("must be like 2026-11-21T10:15:00Z, or an age like 15m, 2h or 3d") from None
    if given.tzinfo is None:
        raise typer.BadParameter("must say its offset from UTC, such as Z or +01:00")
    return given


def _code(text: str) -> Code:
    if text not in list(Code):
        raise typer.BadParameter(f"must be one of {', '.join(Code)}")
    return Code(text)


def _id(text: str) -> Position:
    if not _ID.fullmatch(text):
        raise typer.BadParameter("must be a rejection-id, topic/partition/offset, as `rejected list` shows")
    return Position.parse(text)


Since: TypeAlias = Annotated[
    datetime | None,
    typer.Option(metavar="TIME", parser=moment, help="Rejected at this time or later: 15m, 2h, 3d ago, or RFC 3339."),
]
CodeName: TypeAlias = Annotated[
    Code | None, typer.Option("--code", metavar="CODE", parser=_code, help="Those whose first problem has this code.")
]
Ids: TypeAlias = Annotated[
    list[Position] | None,
    typer.Option("--id", metavar="ID", parser=_id, help="This one, by its rejection-id; may be given several times."),
]
Id: TypeAlias = Annotated[
    Position,
    typer.Argument(metavar="ID", parser=_id, help="Its rejection-id, topic/partition/offset of the original."),
]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="For programs.")]


@rejected.command(name="list")
def list_(
    *,
    since: Since = None,
    code: CodeName = None,
    dialect: Dialect = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Show what was rejected: how many, why, of whom, when, with an example of each; the last hour first.

    A message counts once, by its first problem; (+2) says that some have two more. A repeat is not counted, unless
    100,000 other rejections lie between.
    """
    settings = settings_here()
    choice = Choice(code=code, dialect=dialect, tenant=tenant)
    end(list_rejected(settings, choice, since, as_json=as_json), settings)


@rejected.command(help=f"Show one rejected message: all its problems, and where they are in its value.\n\n{RULE}")
def show(
    id_: Id,
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show personal data too, but no secrets.")] = False,
    as_json: Json = False,
) -> None:
    """The help is above, since it says the rule of masking."""
    settings = settings_here()
    end(show_rejected(settings, id_, reveal=reveal, json=as_json), settings)


@rejected.command()
def replay(
    *,
    ids: Ids = None,
    code: CodeName = None,
    dialect: Dialect = None,
    tenant: Tenant = None,
    since: Since = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent, and pass today.")] = False,
    edit: Annotated[bool, typer.Option("--edit", help="Change the one message in $EDITOR first.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also updates older than their orders, and what --edit left wrong.")
    ] = False,
) -> None:
    """Send rejected messages again, to the topic and partition they came from, with their key, value and headers.

    What was sent before is sent again only if it was rejected again. Changed rules count as the worker has them:
    start it with the new rules first.
    """
    if not (ids or code or dialect or tenant or since):
        raise typer.BadParameter("say which: --id, --code, --dialect, --tenant, --since")
    settings = settings_here()
    choice = Choice(frozenset(ids or ()), code, dialect, tenant)
    end(replay_rejected(settings, choice, since, dry_run=dry_run, edit=edit, force=force), settings)
