"""What a replay of rejected messages would send, and what not: looked up, nothing written (interface 5)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple, TypeVar

from orderstream.cli.rejected_reading import rejected
from orderstream.commands import Command, Kind
from orderstream.consumer import history
from orderstream.messages import Message, judged
from orderstream.mongo import MongoOrders
from orderstream.mongo_replays import CLAIM
from orderstream.order import Order, Position
from orderstream.outcomes import Refusal
from orderstream.rejections import Choice, Rejection
from orderstream.replays import Chosen, Note, TooManyError, is_older, message, topic_of, trace, unfit
from orderstream.settings import Settings
from orderstream.terminal import FailedError, printable

TOGETHER: Final = 500  # messages looked up in one query, and sent together
CLOCKS_DIFFER: Final = timedelta(minutes=10)

Each = TypeVar("Each")


class Offer(NamedTuple):
    """A message that can be sent again."""

    rejection: Rejection
    message: Message
    judged: Command | Refusal  # by today's rules
    rejected_at: datetime  # the first time


class Plan(NamedTuple):
    """What becomes of each chosen message."""

    offers: Sequence[Offer]
    older: Sequence[Rejection]  # than their orders
    unfit: Sequence[tuple[Rejection, str]]
    sent: Sequence[Rejection]  # and not rejected again
    claimed: Sequence[Note]  # being sent by another command
    seen: Mapping[Position, Position]  # where some of the sent ones stand that nobody has noted

    @property
    def total(self) -> int:
        """How many messages were chosen."""
        return len(self.offers) + len(self.older) + len(self.unfit) + len(self.sent) + len(self.claimed)

    def rows(self) -> Iterator[tuple[str, int]]:
        """For people, without what is 0."""
        refused = Counter(offer.judged.code for offer in self.offers if isinstance(offer.judged, Refusal))
        yield "chosen", self.total
        counts = {
            "sent before, and not rejected since": len(self.sent),
            "being sent by another command": len(self.claimed),
            "cannot be sent": len(self.unfit),
            "older than what their orders say now": len(self.older),
        }
        yield from ((told, count) for told, count in counts.items() if count)
        yield "to be sent", len(self.offers)
        yield "  right by today's rules", len(self.offers) - refused.total()
        yield from ((f"  still rejected, {code}", count) for code, count in refused.most_common())


def kinds_of(settings: Settings) -> Mapping[str, Kind]:
    """Both input topics, by the names that they have here."""
    return {settings.topic_create: Kind.CREATE, settings.topic_update: Kind.UPDATE}


async def chosen(settings: Settings, choice: Choice, since: datetime | None) -> list[Rejection]:
    """Of all attempts of the messages that are meant the newest. Raises `FailedError` for an id that is not there."""
    found = Chosen(choice)
    try:
        async with rejected(settings, since) as rejections:
            async for rejection in rejections:
                found.add(rejection)
    except TooManyError:
        message = "what is chosen does not fit into memory; choose less at a time, with --code, --tenant or --since"
        raise FailedError(message) from None
    if found.unknown:
        listed = ", ".join(printable(id_) for id_ in sorted(found.unknown))
        raise FailedError(f"not in {settings.topic_rejected}, or no longer: {listed}")
    return found.rejections(kinds_of(settings))


async def planned(
    settings: Settings, orders: MongoOrders, rejections: Sequence[Rejection], now: datetime, *, force: bool
) -> Plan:
    """What becomes of these. Raises `UnavailableError`."""
    wrong = {one.id: why for one in rejections if (why := unfit(one, kinds_of(settings)))}
    fit = [one for one in rejections if one.id not in wrong]
    notes = await _notes(orders, fit)
    fates = {one.id: _fate(notes.get(one.id), now) for one in fit}
    unsure = [one for one in fit if fates[one.id] == "unsure"]
    seen = await _seen(settings, unsure, notes)
    left = [one for one in fit if fates[one.id] in ("new", "unsure") and one.id not in seen]
    offers = offered(settings, left, notes)
    older = set() if force else await older_than_their_orders(orders, offers)
    return Plan(
        offers=[one for one in offers if one.rejection.id not in older],
        older=[one.rejection for one in offers if one.rejection.id in older],
        unfit=[(one, wrong[one.id]) for one in rejections if one.id in wrong],
        sent=[one for one in fit if fates[one.id] == "sent" or one.id in seen],
        claimed=[notes[one.id] for one in fit if fates[one.id] == "claimed"],
        seen=seen,
    )


def _fate(note: Note | None, now: datetime) -> Literal["new", "sent", "claimed", "unsure"]:
    """What became of it before; unsure: a command meant to send it and did not end."""
    if note is None:
        return "new"
    if note.position:
        return "sent"
    return "claimed" if note.at > now - CLAIM else "unsure"


def offered(settings: Settings, rejections: Sequence[Rejection], notes: Mapping[Position, Note]) -> list[Offer]:
    """The messages as they would be sent."""
    kinds, contracts = kinds_of(settings), settings.contracts
    offers = []
    for one in rejections:
        again, first = message(one, kinds[topic_of(one.id)]), notes.get(one.origin)
        offers.append(Offer(one, again, judged(again, contracts), first.rejected_at if first else one.at))
    return offers


async def older_than_their_orders(orders: MongoOrders, offers: Sequence[Offer]) -> set[Position]:
    """Updates whose orders have been changed since they were rejected. Raises `UnavailableError`."""
    found: set[Position] = set()
    for group in _groups(offers):
        updates = [(one, one.judged) for one in group if one.message.kind is Kind.UPDATE]
        commands = [(one, command) for one, command in updates if isinstance(command, Command)]
        stored: list[Order] = await orders.load({key for _, command in commands for key in command.keys})
        found |= {one.rejection.id for one, command in commands if is_older(command, stored, one.rejected_at)}
    return found


async def _notes(orders: MongoOrders, rejections: Sequence[Rejection]) -> Mapping[Position, Note]:
    notes: dict[Position, Note] = {}
    for group in _groups(rejections):
        notes |= await orders.replays.load({id_ for one in group for id_ in (one.id, one.origin)})
    return notes


async def _seen(
    settings: Settings, unsure: Sequence[Rejection], notes: Mapping[Position, Note]
) -> Mapping[Position, Position]:
    """Which of those that another command may have sent stand in their topics, and where."""
    seen: dict[Position, Position] = {}
    for topic in {topic_of(one.id) for one in unsure}:
        sought = {_trace(one): one.id for one in unsure if topic_of(one.id) == topic}
        since = min(notes[one.id].at for one in unsure) - CLOCKS_DIFFER
        async with history(settings, topic, since=since) as records:
            async for record in records:
                id_ = sought.get(trace(tuple(record.headers)))
                if id_:
                    seen[id_] = Position(record.topic, record.partition, record.offset)
    return seen


def _trace(rejection: Rejection) -> tuple[bytes | None, bytes | None]:
    return trace(message(rejection, Kind.CREATE).headers)


def _groups(sequence: Sequence[Each]) -> Iterator[Sequence[Each]]:
    return (sequence[start : start + TOGETHER] for start in range(0, len(sequence), TOGETHER))
