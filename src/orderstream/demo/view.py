"""What the demo shows: a line for everything that happens; in a terminal the orders as they stand below."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Final, NamedTuple

from rich.console import Group
from rich.live import Live
from rich.table import Table

from orderstream.demo.script import Step
from orderstream.demo.watch import Announced, Answer, Quiet, Refused
from orderstream.events import StatusEvent
from orderstream.order import Position
from orderstream.terminal import changed, console, printable, short_name, table

COLUMNS: Final = ("dialect", "order", "status", "payment", "fulfilment", "events")
UPDATE: Final = '{"headers": {"operation": "order.patch"}, "value": {"orderStatus": "COMPLETE"}}'
TRY_NEXT: Final = (
    ("one order, and what was told of it", "orderstream show WEB-2026-1042 --history"),
    ("all events, then new ones as they come", "orderstream tail --from-start"),
    ("an update of your own", f"echo '{UPDATE}' | orderstream publish --order WEB-2026-1042 -"),
)


class Played(NamedTuple):
    """A message that was sent, and its answer, so many seconds later."""

    step: Step
    position: Position
    answer: Answer
    seconds: float


class View:
    """Shows what is played, step by step."""

    def __init__(self) -> None:
        self._console = console()
        self._live: Live | None = None
        self._orders: dict[str, StatusEvent] = {}  # each order's last event

    @contextmanager
    def moving(self) -> Iterator[None]:
        """With the table of orders, moving in a terminal, at the end elsewhere."""
        if not self._console.is_terminal:
            yield
            self.line()
            self._console.print(self._table())
            return
        with Live(console=self._console, auto_refresh=False) as self._live:
            yield

    def line(self, text: str = "", style: str = "") -> None:
        """One line."""
        self._console.print(printable(text), style=style, soft_wrap=True)

    def act(self, title: str) -> None:
        """What follows belongs together."""
        self.line()
        self.line(title, "bold")

    def sent(self, step: Step, position: Position) -> None:
        """A message is on its way."""
        operation = step.message.says("operation") or "order.create"
        self.line(f"→ {operation}: {step.title} ({position})")

    def answered(self, played: Played) -> None:
        """What came of it."""
        answer = played.answer
        if isinstance(answer, Announced):
            self._orders[answer.event.order_id] = answer.event
        for text in _told(played):
            self.line(f"    {text}", "red" if isinstance(answer, Refused) else "green")
        if self._live:
            self._live.update(Group("", self._table()), refresh=True)

    def _table(self) -> Table:
        return table(COLUMNS, map(_row, self._orders.values()))


def _row(event: StatusEvent) -> Sequence[object]:
    return event.dialect, short_name(event.refs), *(event.after or ("deleted", "", "")), event.sequence


def _told(played: Played) -> Iterable[str]:
    match played.answer:
        case Announced(again=True):
            yield "← its first event again, the same id and bytes: that answers the sender, a subscriber drops it"
        case Announced(event=event):
            told = changed(event.before, event.after) or "nothing comes after it"
            yield f"← {event.type}: {told} ({played.seconds * 1000:.0f} ms)"
        case Refused(problems=problems):
            yield from (f"✗ rejected, {problem}" for problem in problems)
        case Quiet(decision=decision):
            why = f": {decision.reason}" if decision.reason else f" as revision {decision.revision}"
            yield f"← {decision.outcome}{why}; no status changed, so there is no event"


def summary(played: Sequence[Played], elapsed: float) -> Iterable[str]:
    """What happened, in a few lines."""
    answers = [each.answer for each in played]
    events = [answer for answer in answers if isinstance(answer, Announced)]
    new = [event for event in events if not event.again]
    created = [each.event for each in new if each.event.before is None]
    waits = sorted(each.seconds * 1000 for each in played if each.answer in new)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    yield f"{len(played)} messages of {len({event.dialect for event in created})} dialects in {elapsed:.0f} s:"
    yield f"  {len(created)} orders, each one document in MongoDB"
    yield f"  {sum(isinstance(answer, Quiet) for answer in answers)} updates that changed an order but no status"
    yield f"  {len(new)} status events, {median(waits):.0f} ms after the send in the middle, {waits[-1]:.0f} ms at most"
    yield f"  {len(events) - len(new)} event published again for a sender who repeated himself"
    yield f"  {len(refused)} messages rejected, with {sum(len(each.problems) for each in refused)} reasons in all"
