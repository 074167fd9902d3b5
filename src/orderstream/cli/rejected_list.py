"""The command `rejected list`: rejections grouped by what caused them (interface 5)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import orjson

from orderstream.cli.rejected_reading import rejected
from orderstream.rejection_groups import Group, Groups
from orderstream.rejections import Choice
from orderstream.settings import Settings
from orderstream.status_event import rfc_3339
from orderstream.terminal import console, printable, say, show_table

COLUMNS: Final = ("count", "code", "path", "dialect", "tenant", "first (UTC)", "last", "for example")
ON_A_SCREEN: Final = 20  # groups; a pipe gets all of them


async def list_rejected(settings: Settings, choice: Choice, since: datetime | None, *, as_json: bool) -> None:
    """Show the groups. Raises `UnavailableError` and `TopicsMissingError`."""
    groups = Groups()
    async with rejected(settings, since) as rejections:
        async for rejection in rejections:
            if choice.admits(rejection):
                groups.add(rejection)
    listed = groups.listed()
    if as_json:
        print(orjson.dumps({"rejected": groups.total, "groups": list(map(_member, listed))}).decode())
        return
    shown = listed[:ON_A_SCREEN] if console().is_terminal else listed
    _show([[printable(cell) for cell in row] for row in _rows(shown)])
    _sum_up(groups.total, listed, len(listed) - len(shown))


def _show(rows: Sequence[Sequence[str]]) -> None:
    """A table; in a narrow terminal, where it would lose its ends, two lines for each group."""
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    if not rows:
        return
    if sum(widths) + 2 * len(widths) <= console().width:
        show_table(COLUMNS, rows)
        return
    for count, code, path, dialect, tenant, first, last, example in rows:
        print(f"{count:>7}  {code} at {path}\n         {dialect} {tenant}  {first} to {last}  {example}")


def _sum_up(total: int, listed: Sequence[Group], hidden: int) -> None:
    if hidden:
        say(
            f"{hidden:,} further groups, of earlier hours or smaller; --since, --code, --dialect and --tenant narrow it"
        )
    say(f"{total:,} rejected messages in {len(listed):,} groups, each message by its first problem")
    if listed:
        say(f"`orderstream rejected show {listed[0].example}` shows an example with all its problems")


def _rows(groups: Iterable[Group]) -> Iterable[Sequence[object]]:
    for group in groups:
        cause = group.cause
        more = f" (+{group.problems - 1})" if group.problems > 1 else ""
        times = (f"{group.first:%Y-%m-%d %H:%M:%S}", f"{group.last:%H:%M:%S}")
        yield group.count, cause.code, f"{cause.path}{more}", cause.dialect, cause.tenant, *times, group.example


def _member(group: Group) -> dict[str, object]:
    cause = group.cause
    return {
        **cause._asdict(),
        "hour": rfc_3339(cause.hour),
        "count": group.count,
        "first": rfc_3339(group.first),
        "last": rfc_3339(group.last),
        "example": str(group.example),
        "most_problems": group.problems,
        "most_attempts": group.attempts,
    }
