"""The command `rejected show`: one rejected message, all its problems, the value marked and masked (interface 5)."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from orderstream.cli.rejected_reading import rejected
from orderstream.marked import Line, as_json, lines, read
from orderstream.masking import form, masked_header, masked_key
from orderstream.order import Position
from orderstream.problems import MEANINGS
from orderstream.rejections import Rejection
from orderstream.settings import Settings
from orderstream.status_event import rfc_3339
from orderstream.terminal import FailedError, console, printable, say, show_table

PROBLEM_COLUMNS: Final = ("code", "path", "what is wrong", "that is")
MARK: Final = "◀"
SHORT: Final = 60  # characters of what is said beside a faulty place


async def show_rejected(settings: Settings, id_: Position, *, reveal: bool, json: bool) -> None:
    """Print it. Raises `FailedError` when it is not there, `UnavailableError` and `TopicsMissingError`."""
    rejection = await the_rejection(settings, id_)
    if json:
        print(orjson.dumps(_members(rejection, reveal=reveal)).decode())
        return
    _show(rejection, reveal=reveal)
    if not reveal:
        say("what may be about a person is masked: letters as x, digits as 9; --reveal shows it")


async def the_rejection(settings: Settings, id_: Position) -> Rejection:
    """The rejection with this id. Raises as `show_rejected`."""
    async with rejected(settings) as rejections:
        async for rejection in rejections:
            if rejection.id == id_:
                return rejection
    message = (
        f"{printable(id_)} is not in {settings.topic_rejected}: it was not rejected, or the topic no longer has it"
    )
    raise FailedError(message)


def _show(rejection: Rejection, *, reveal: bool) -> None:
    to = console()
    to.print(_title(rejection), style="bold", soft_wrap=True)
    for remark in _remarks(rejection):
        to.print(remark, soft_wrap=True)
    to.print()
    show_table(PROBLEM_COLUMNS, ((*problem, MEANINGS[problem.code]) for problem in rejection.problems))
    to.print()
    shown = ((name, masked_header(name, value, reveal=reveal)) for name, value in rejection.headers)
    show_table(("header", "value"), [*shown, ("(record key)", masked_key(rejection.key, reveal=reveal))])
    to.print()
    for line in lines(rejection.value, rejection.problems, reveal=reveal):
        to.print(_marked(line), style="bold red" if line.problems else None, soft_wrap=True)


def _title(rejection: Rejection) -> str:
    attempt = f", attempt {rejection.attempt}" if rejection.attempt > 1 else ""
    return f"{printable(rejection.id)} was rejected {rfc_3339(rejection.at)}{attempt}"


def _remarks(rejection: Rejection) -> Iterator[str]:
    if rejection.replay_of:
        yield f"It replays {printable(rejection.replay_of)}."
    if rejection.cut:
        yield f"Not all of it is here: {rejection.cut}."
    if rejection.problem_count > len(rejection.problems):
        yield f"It has {rejection.problem_count:,} problems; these are the first."
    yield f"It stands at {rejection.stands}, {len(rejection.value or b''):,} bytes."


def _marked(line: Line) -> str:
    told = "; ".join(f"{problem.code} {_short(problem.message)}" for problem in line.problems)
    return printable(f"{line.text}   {MARK} {told}" if told else line.text)


def _short(message: str) -> str:
    """The table above has all of it."""
    return message if len(message) <= SHORT else f"{message[:SHORT]}…"


def _members(rejection: Rejection, *, reveal: bool) -> dict[str, Any]:
    return {
        "id": str(rejection.id),
        "stands": str(rejection.stands),
        "time": rfc_3339(rejection.at),
        "attempt": rejection.attempt,
        "replay_of": rejection.replay_of and str(rejection.replay_of),
        "cut": rejection.cut,
        "problem_count": rejection.problem_count,
        "problems": [{**problem._asdict(), "meaning": MEANINGS[problem.code]} for problem in rejection.problems],
        "key": masked_key(rejection.key, reveal=reveal),
        "headers": list(_headers(rejection, reveal=reveal)),
        **_value(rejection.value, reveal=reveal),
    }


def _headers(rejection: Rejection, *, reveal: bool) -> Iterable[dict[str, str | None]]:
    return ({"name": name, "value": masked_header(name, raw, reveal=reveal)} for name, raw in rejection.headers)


def _value(value: bytes | None, *, reveal: bool) -> dict[str, object]:
    """`value` if it is a JSON object, else `text`."""
    members = read(value)
    if members is not None:
        return {"value": orjson.Fragment(as_json(members, reveal=reveal))}
    text = (value or b"").decode(errors="backslashreplace")
    return {"text": None if value is None else text if reveal else form(text)}
