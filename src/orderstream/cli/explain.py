"""The command `explain`: what happened to one order, message by message, for people or as JSON (interface 5)."""

import time
from collections.abc import Collection, Iterable, Sequence
from re import Pattern
from typing import Final, NamedTuple, Protocol, assert_never

import orjson
from aiokafka import ConsumerRecord

from orderstream.cli.show import Target, stored_orders, the_one, title
from orderstream.consumer import history
from orderstream.explanation import Explanation, Refused, Told, event_ids, explained, meant, readable
from orderstream.lookup import Lookup, find, waited_for
from orderstream.mentions import KEY, Sent, Sought, found_by, sought, sought_as
from orderstream.order import Order, Position
from orderstream.ports import WaitingRecord
from orderstream.rejections import NotARejectionError, rejection
from orderstream.settings import Settings
from orderstream.status_event import rfc_3339
from orderstream.terminal import FailedError, changed, console, say, show_table
from orderstream.topics import TopicsMissingError
from orderstream.trouble import UnavailableError

COLUMNS: Final = ("time", "message", "rev", "what became of it")  # the long one last: terminals are narrow
SHOWN_PROBLEMS: Final = 5  # of a message, in words; the others are counted
PROGRESS_SECONDS: Final = 5.0  # between two lines about it


class Store(Lookup, Protocol):
    """What is asked of the store."""

    async def waiting_for(self, keys: Collection[str | Pattern[str]], order_id: str | None) -> list[WaitingRecord]:
        """Updates that wait for one of these addresses or stand there, and marks of this order or of none."""


class Known(NamedTuple):
    """What MongoDB holds."""

    order: Order | None
    waiting: Sequence[WaitingRecord]
    sought: Sought


class Search(NamedTuple):
    """What the rejected topic holds: how many messages, and those that were meant for the order."""

    read: int
    found: Sequence[Refused]


async def explain(settings: Settings, target: Target, *, as_json: bool, rejected: bool) -> None:
    """Print what happened; what MongoDB knows also when Kafka, asked for refused messages, is away.

    Raises `FailedError` when nothing is known or several orders are, `UnavailableError` and `TopicsMissingError`.
    """
    async with stored_orders(settings) as orders:
        known = await look_up(orders, target)
    try:
        search = await _search(settings, known.sought) if rejected else None
    except (UnavailableError, TopicsMissingError):
        if known.order or known.waiting:
            _show(settings, target, known, None, as_json=as_json)
        raise
    if not (known.order or known.waiting or (search and search.found)):
        raise FailedError(_nothing(target, search, settings.topic_rejected))
    _show(settings, target, known, search, as_json=as_json)


async def look_up(orders: Store, target: Target) -> Known:
    """The order is read last: what waited before and is decided now stands in it."""
    order = await _order(orders, target)
    while True:
        keys: Collection[str | Pattern[str]] = order.lookup_keys if order else [waited_for(*target), target.ref]
        waiting = await orders.waiting_for(keys, order and order.id)
        before, order = order, await _order(orders, target)
        if (before and before.lookup_keys) == (order and order.lookup_keys):
            named = sought(order) if order else sought_as(*target)
            return Known(order, meant(waiting, named), named)


async def _order(orders: Store, target: Target) -> Order | None:
    found = await find(orders, *target)
    return the_one(found, target) if found else None


async def _search(settings: Settings, named: Sought) -> Search:
    """All that the rejected topic holds now, read without a group."""
    read, found, said = 0, [], time.monotonic()
    async with history(settings, settings.topic_rejected, since=None) as held:
        async for record in held:
            read += 1
            message = _meant(record, named)
            if message:
                found.append(message)
            if time.monotonic() - said > PROGRESS_SECONDS:
                said = time.monotonic()
                say(f"{read} of {held.total} messages in {settings.topic_rejected} are read")
    return Search(read, found)


def _meant(record: "ConsumerRecord[bytes, bytes]", named: Sought) -> Refused | None:
    stands = Position(record.topic, record.partition, record.offset)
    try:
        one = rejection(stands, record.key, record.value, tuple(record.headers))
    except NotARejectionError:
        return None  # whoever wrote it, it was not the worker
    paths = found_by(Sent(one.key, one.value, one.headers, one.problems), named)
    return Refused(one, paths) if paths else None


def _nothing(target: Target, search: Search | None, topic: str) -> str:
    if search is None:
        return f"no order is known as {target}, and no update waits for it; --rejected looks into {topic} too"
    return f"no order is known as {target}, no update waits for it, and none of {_count(search)} in {topic} names it"


def _count(search: Search) -> str:
    return f"{search.read} message{'s' * (search.read != 1)}"


def _show(settings: Settings, target: Target, known: Known, search: Search | None, *, as_json: bool) -> None:
    found = search.found if search else ()
    story = explained(known.order, known.waiting, found, settings.contracts)
    if as_json:
        answer = {**readable(story), "refused_searched": search and search.read}
        print(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
        return
    first, *more = _head(story, target)
    console().print(first, style="bold", soft_wrap=True)
    for line in more:
        console().print(line, soft_wrap=True)
    print()
    show_table(COLUMNS, (_row(told, story.order) for told in story.messages))
    for line in _foot(story, search, settings.topic_rejected):
        console().print(f"\n{line}", soft_wrap=True)


def _head(story: Explanation, target: Target) -> Iterable[str]:
    """What the order is and its state now; what waits for it."""
    order, parked = story.order, [told for told in story.messages if told.decision == "parked"]
    since = min((told.parked_since for told in parked if told.parked_since), default=None)
    waits = f"{_updates(len(parked))} for it since {rfc_3339(since)}" if since else ""
    if since and any(str(told.position) == target.ref for told in parked):
        yield f"{target} waits for its order since {rfc_3339(since)}"
        return
    if order is None:
        yield f"no order is known as {target}" + (f", but {waits}" if waits else "; messages that name it were refused")
        return
    status = ", ".join(f"{name} {value}" for name, value in order.status._asdict().items())
    gone = f"deleted {rfc_3339(order.deleted_at)}, before that " if order.deleted_at else ""
    yield f"{title(order)}: {gone}{status}"
    events = f"{order.sequence} status event{'s' * (order.sequence > 1)}"
    yield f"id {order.id}, revision {order.revision}, {events}, last changed {rfc_3339(order.updated_at)}"
    if waits:
        yield waits


def _updates(number: int) -> str:
    return "1 update waits" if number == 1 else f"{number} updates wait"


def _row(told: Told, order: Order | None) -> Sequence[object]:
    return rfc_3339(told.at), told.position, told.revision, "; ".join((_decision(told, order), *_more(told, order)))


def _decision(told: Told, order: Order | None) -> str:
    match told.decision:
        case "applied":
            return f"applied: {_changes(told, order) or 'no status changed'}"
        case "unchanged":
            return f"unchanged: {told.reason}"
        case "rejected":
            return f"rejected: {_problems(told)}"
        case "parked":
            return f"parked since {rfc_3339(told.parked_since or told.at)}, waits for {' and '.join(told.waits_for)}"
        case _:
            assert_never(told.decision)


def _changes(told: Told, order: Order | None) -> str:
    changes = [order.history[sequence - 1] for sequence in told.sequences] if order else []
    return ", ".join(changed(change.before, change.after) or "deleted" for change in changes)


def _problems(told: Told) -> str:
    shown = [f"{problem.code} at {problem.path}" for problem in told.problems[:SHOWN_PROBLEMS]]
    others = told.problem_count - len(shown)
    return ", ".join(shown) + (f" and {others} more" if others > 0 else "")


def _more(told: Told, order: Order | None) -> Iterable[str]:
    """Its events, and the circumstances."""
    for id_ in event_ids(told, order):
        yield f"event {id_}" + (" went out again" if told.decision == "unchanged" else "")
    if told.replay_of:
        yield f"replay of {told.replay_of}"
    if told.waited_until:
        yield f"it had waited until {told.waited_until}"
    if told.output_pending:
        yield "its event or rejection may not be out yet"
    if told.source == "history":
        yield "details no longer kept"
    if told.found_by == (KEY,):
        yield "meant for it going by the record key alone"
    elif told.found_by:
        yield f"named it at {', '.join(told.found_by)}"
    if told.decision == "parked" and order and told.position.partition != order.history[0].cause.partition:
        yield "it waits in another partition than its order's create: its producer used another record key"


def _foot(story: Explanation, search: Search | None, topic: str) -> Iterable[str]:
    """What is not told, and how sure the rest is."""
    forgotten = story.forgotten
    if forgotten:
        up_to = ", ".join(map(str, forgotten.up_to))
        yield (
            f"Of older messages, up to {up_to}, only those with an event are sure to be told; "
            f"{forgotten.revisions} changes without one are not."
        )
    if search is None:
        yield f"Messages that were refused before they reached the order stand in {topic} and are not told."
    else:
        yield (
            f"{topic} was searched, {_count(search)}, for ids and references of the order in headers and at the top of "
            "values, and for its record key; messages from there have the time of their refusal."
        )
