"""The command `show`: one order, found by any of its references, for people or as JSON (interface 5)."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Literal, NamedTuple, TypeAlias, assert_never

import orjson

from orderstream.dialects import DIALECTS
from orderstream.fold import EVENT_REFS
from orderstream.lookup import find
from orderstream.mongo import MongoOrders
from orderstream.order import Change, Order
from orderstream.reading import BY_REFERENCE, Readable, entries, history, readable
from orderstream.settings import Settings
from orderstream.status_event import rfc_3339
from orderstream.terminal import FailedError, changed, console, printable, short_name, show_table

Part: TypeAlias = Literal["order", "history", "entries"]
Row: TypeAlias = Sequence[object]

HISTORY_COLUMNS: Final = ("#", "time", "revision", "change", "cause", "correlation id")


class Target(NamedTuple):
    """How a user names an order."""

    ref: str
    dialect: str | None
    tenant: str | None

    def __str__(self) -> str:
        scope = (("dialect", self.dialect), ("tenant", self.tenant))
        return printable(self.ref) + "".join(f", {name} {printable(value)}" for name, value in scope if value)


async def the_order(settings: Settings, target: Target) -> Order:
    """The one order that is meant. Raises `FailedError` when there is none or several, and `UnavailableError`."""
    async with stored_orders(settings) as orders:
        return the_one(await find(orders, *target), target)


def the_one(found: Sequence[Order], target: Target) -> Order:
    """The only one of those that were found. Raises `FailedError`."""
    if not found:
        raise FailedError(f"no order is known as {target}")
    if len(found) > 1:
        listed = "".join(f"\n  {title(order)}, id {order.id}" for order in found)
        message = f"{len(found)} orders are known as {target}; say which with --dialect and --tenant, or by id:"
        raise FailedError(message + listed)
    return found[0]


@asynccontextmanager
async def stored_orders(settings: Settings) -> AsyncIterator[MongoOrders]:
    """The database of these settings."""
    orders = MongoOrders(settings.mongo_url.get_secret_value(), settings.mongo_database, settings.mongo_driver)
    try:
        yield orders
    finally:
        await orders.close()


def title(order: Order) -> str:
    """What it is, and what people call it."""
    refs = {name: ref for name in EVENT_REFS if isinstance(ref := order.refs.get(name), str)}
    tenant = f" of {printable(order.tenant)}" if order.tenant else ""
    return f"{order.dialect} order {printable(short_name(refs))}{tenant}"


async def show(settings: Settings, target: Target, part: Part, entry: str | None, *, as_json: bool) -> None:
    """Print the order, its events, or its lines. Raises as `the_order`, and `FailedError` for an unknown line."""
    order = await the_order(settings, target)
    answer = _answer(order, part, entry)
    if as_json:
        print(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
        return
    gone = f", deleted {rfc_3339(order.deleted_at)}" if order.deleted_at else ""
    console().print(f"{title(order)}{gone}", style="bold", soft_wrap=True)
    show_table(*_columns(order, part, answer, entry))


def _columns(order: Order, part: Part, answer: Readable, entry: str | None) -> tuple[Sequence[str], Iterable[Row]]:
    """What people are shown of it."""
    match part:
        case "order":
            return ("", ""), ((name, text) for name, text in _summary(order) if text)
        case "history":
            return HISTORY_COLUMNS, map(_event, order.history)
        case "entries":
            places = range(len(answer["entries"])) if entry is None else [entry]
            return ("line", "says"), zip(places, map(_said, answer["entries"]), strict=True)
        case _:
            assert_never(part)


def _answer(order: Order, part: Part, entry: str | None) -> Readable:
    if part == "order":
        return readable(order)
    if part == "history":
        return history(order)
    answer = entries(order, entry)
    if entry is not None and not answer["entries"]:
        raise FailedError(f"{title(order)} has no line {printable(entry)}; {_line_names(order)}")
    return answer


def _line_names(order: Order) -> str:
    lines = DIALECTS[order.dialect].lines
    if lines is None:
        return "this dialect has no lines"
    by_id = "lines are named by their place, from 0" if lines.id is None else f"lines are named by {lines.id}"
    return f"{by_id}, or by {BY_REFERENCE} and {lines.ref}" if lines.ref else by_id


def _event(change: Change) -> Row:
    told = changed(change.before, change.after) or "deleted"
    return change.sequence, rfc_3339(change.at), change.revision, told, change.cause, change.correlation_id


def _summary(order: Order) -> Iterable[tuple[str, str]]:
    shown = readable(order)
    yield "id", order.id
    yield "known as", _said(shown["refs"])
    yield "record key", order.record_key or ""
    yield "status", ", ".join(f"{name} {value}" for name, value in order.status._asdict().items())
    yield "in its own words", _said(order.native)
    yield "customer", _said(shown["customer"])
    yield "currency", _said(shown["currency"])
    yield "totals", _said(shown["totals"])
    for name in ("placed_at", "created_at", "updated_at"):
        yield name.replace("_at", ""), shown[name] or ""
    yield "revision", f"{order.revision}, with {order.sequence} status event{'s' * (order.sequence > 1)}"
    if DIALECTS[order.dialect].lines is not None:
        yield "lines", str(len(entries(order)["entries"]))
    yield "warnings", ", ".join(f"{warned.code} at {warned.path}" for warned in order.warnings)


def _said(members: Mapping[str, Any], within: str = "") -> str:
    """`name value, name value`, inner members as `outer.name`."""
    said = ((f"{within}{name}", value) for name, value in members.items() if value not in (None, {}, []))
    return ", ".join(
        _said(value, f"{name}.") if isinstance(value, dict) else f"{name} {_text(value)}" for name, value in said
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
