"""The command `rejected replay`: chosen rejected messages sent again, each attempt once (interface 5)."""

import getpass
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from orderstream.cli.check import COLUMNS as PROBLEM_COLUMNS
from orderstream.cli.rejected_edit import edited
from orderstream.cli.rejected_plan import TOGETHER, Offer, Plan, chosen, offered, older_than_their_orders, planned
from orderstream.cli.show import stored_orders
from orderstream.mongo import MongoOrders
from orderstream.order import Position
from orderstream.outcomes import Refusal
from orderstream.producer import NotSent, Publisher, publisher
from orderstream.rejections import Choice
from orderstream.replays import Note
from orderstream.settings import Settings
from orderstream.terminal import FailedError, say, show_table

TOLD: Final = 20  # messages of a kind that are named one by one


@dataclass(slots=True)
class Sending:
    """How far a replay has come."""

    who: str
    sent: int = 0
    failed: list[str] = field(default_factory=list)  # why, one for each
    elsewhere: int = 0  # that another command has sent meanwhile


async def replay(
    settings: Settings, choice: Choice, since: datetime | None, *, dry_run: bool, edit: bool, force: bool
) -> None:
    """Send what is chosen, or only say what would be sent.

    Raises `FailedError`, `UnavailableError` and `TopicsMissingError`.
    """
    rejections = await chosen(settings, choice, since)
    async with stored_orders(settings) as orders:
        plan = await planned(settings, orders, rejections, _now(), force=force or edit)
        if edit:
            changed = await _edited(settings, orders, plan, force=force)
            plan = plan._replace(offers=[changed], unfit=[])
        _tell(plan)
        if dry_run:
            say("nothing was sent: --dry-run")
            return
        await orders.replays.acknowledge(plan.seen)
        await _send(settings, orders, plan.offers)


async def _edited(settings: Settings, orders: MongoOrders, plan: Plan, *, force: bool) -> Offer:
    """The one message, as the user wants it. Raises `FailedError`."""
    nameless = offered(settings, [one for one, _ in plan.unfit if one.key is None and one.value is None], {})
    if len(candidates := [*plan.offers, *nameless]) != 1:
        message = f"--edit is for one message that can be sent, and {len(candidates)} are chosen; name it by --id"
        raise FailedError(message)
    (before,) = candidates
    after = await edited(before.rejection)
    (changed,) = offered(settings, [after], {})
    changed = changed._replace(rejected_at=before.rejected_at)
    if after.key != before.rejection.key:
        changed = changed._replace(message=replace(changed.message, partition=None))
    _refuse_mistakes(changed, force=force)
    if not force and await older_than_their_orders(orders, [changed]):
        raise FailedError("its order was changed after it was rejected, so nothing is sent (--force sends it)")
    return changed


def _refuse_mistakes(offer: Offer, *, force: bool) -> None:
    """What would only be rejected again is told now. Raises `FailedError`."""
    if isinstance(offer.judged, Refusal):
        show_table(PROBLEM_COLUMNS[2:], offer.judged.problems)
        if not force:
            raise FailedError("it would be rejected again, so nothing is sent (--force sends it)")


def _tell(plan: Plan) -> None:
    show_table(("", "messages"), plan.rows())
    _name([f"{one.id} cannot be sent: {why}" for one, why in plan.unfit])
    _name([f"{one.id} is held back: its order was changed after it was rejected" for one in plan.older])
    if plan.older:
        say("--force sends those held back all the same, over what their orders say now")
    _name([f"{note.id} is being sent by {note.who} since {note.at:%H:%M:%S} UTC" for note in plan.claimed])
    if any(isinstance(one.judged, Refusal) for one in plan.offers):
        say("those still rejected are so by the settings of this command; the worker's own decide")


def _name(lines: Sequence[str]) -> None:
    for line in lines[:TOLD]:
        say(line)
    if len(lines) > TOLD:
        say(f"and {len(lines) - TOLD:,} more")


async def _send(settings: Settings, orders: MongoOrders, offers: Sequence[Offer]) -> None:
    if not offers:
        say("nothing to send")
        return
    sending = Sending(_who())
    try:
        async with publisher(settings) as to:
            for start in range(0, len(offers), TOGETHER):
                await _send_together(offers[start : start + TOGETHER], orders, to, sending)
                if sending.failed:
                    break
    finally:
        _record(sending, settings)
    _sum_up(sending, len(offers))


async def _send_together(offers: Sequence[Offer], orders: MongoOrders, to: Publisher, sending: Sending) -> None:
    """Claim, send, note where each stands: whatever fails in between, the next replay finds out what was sent."""
    held = await orders.replays.claim([_note(one, sending.who) for one in offers], uuid4().hex)
    mine = [one for one in offers if one.rejection.id in held]
    sending.elsewhere += len(offers) - len(mine)
    answers = await to.send([one.message for one in mine])
    stand = {
        one.rejection.id: answer for one, answer in zip(mine, answers, strict=True) if isinstance(answer, Position)
    }
    sending.sent += len(stand)
    sending.failed += [answer.reason for answer in answers if isinstance(answer, NotSent)]
    await orders.replays.acknowledge(stand)


def _note(offer: Offer, who: str) -> Note:
    rejection = offer.rejection
    return Note(rejection.id, offer.rejected_at, rejection.attempt, who, _now(), None)


def _sum_up(sending: Sending, offered: int) -> None:
    if sending.elsewhere:
        say(f"{sending.elsewhere:,} were left to another command that is sending them")
    if sending.failed:
        reasons = "; ".join(sorted(set(sending.failed)))
        untried = offered - sending.sent - sending.elsewhere - len(sending.failed)
        raise FailedError(
            f"{sending.sent:,} sent, {len(sending.failed):,} not acknowledged ({reasons}), {untried:,} not tried; "
            "in a minute the same command sends what is not there"
        )
    say(f"{sending.sent:,} sent by {sending.who}; what is rejected again, the same command offers again")


def _record(sending: Sending, settings: Settings) -> None:
    """A line of the log, on standard error."""
    from orderstream.logs import record  # no other command pays for it

    if sending.sent:
        counts = {"messages": sending.sent, "failed": len(sending.failed)}
        record("rejected.replayed", settings.log_format, who=sending.who, **counts)


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without that user
        return "unknown"


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # a command is an edge
