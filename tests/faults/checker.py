"""Whether the worker kept its guarantees: a pure function of what was sent and what is there."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from tests.faults.documents import differences, modelled_events
from tests.faults.events import Told, in_sequence, parsed
from tests.faults.history import Found, History
from tests.faults.model import Assigned, World, folded
from tests.faults.rejections import badly_told
from tests.faults.values import CANARY

CREDENTIALS: Final = {"authorization"}


class Verdict(NamedTuple):
    """What the checker says; the figures are for the table of rounds."""

    violations: list[str]
    messages: int
    orders: int
    events: int
    rejections: int
    repeats: int


def judged(history: History) -> Verdict:
    """All violations, in sentences."""
    told = parsed(history.events)
    wrong = {id_: entry.wrong for id_, entry in history.entries.items() if entry.wrong}
    world = folded(history.creates, history.updates, wrong, _assigned(told))
    violations = [
        *_of_the_topics(history),
        *_of_the_documents(history, world),
        *_of_the_events(history, world, told),
        *_of_the_rejections(history, world),
        *_of_the_offsets(history),
        *_of_privacy(history),
    ]
    return Verdict(
        violations,
        messages=len(history.creates) + len(history.updates),
        orders=len(world.orders),
        events=len(history.events),
        rejections=len(history.rejections),
        repeats=_repeats(event.said["id"] for event in told)
        + _repeats(one.header("rejection-id") or "" for one in history.rejections),
    )


def _repeats(ids: Iterable[str]) -> int:
    return sum(count - 1 for count in Counter(ids).values())


def _assigned(told: Iterable[Told]) -> dict[str, Assigned]:
    """Ids given away, by the position of the create: updates may use them."""
    created = (event.said["data"] for event in told if event.sequence == 1)
    return {data["cause"]: Assigned(data["refs"]["order_id"], data["refs"].get("order_number")) for data in created}


def _of_the_topics(history: History) -> Iterator[str]:
    """The checker's own ground: what was acknowledged is there, and nothing that was not sent; a sender may repeat."""
    records = [*history.creates, *history.updates]
    there = {(record.header("correlation-id"), record.position) for record in records}
    for id_, position in history.acknowledged.items():
        if (id_, position) not in there:
            yield f"Kafka acknowledged message {id_} at {position}, where it is not"
    for record in records:
        entry = history.entries.get(record.header("correlation-id") or "")
        if entry is None or (entry.message.key, entry.message.value) != (record.key, record.value):
            yield f"{record.position} is not what the sender wrote down"


def _of_the_documents(history: History, world: World) -> Iterator[str]:
    by_cause: dict[str, list[Mapping[str, Any]]] = {}
    for document in history.documents:
        by_cause.setdefault(document["history"][0]["cause"], []).append(document)
    for cause, order in world.orders.items():
        documents = by_cause.pop(cause, [])
        if len(documents) != 1:
            yield f"the create {cause} has {len(documents)} documents instead of one"
        for document in documents:
            yield from (f"the order of {cause}: {said}" for said in differences(document, order))
    for cause in by_cause:
        yield f"there is a document by {cause}, which creates no order"
    yield from _taken_twice(history.documents)
    if history.waiting:
        yield f"{history.waiting} updates still wait for their create"


def _taken_twice(documents: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    ids = Counter(
        (document["dialect"], name, document["refs"][name])
        for document in documents
        for name in ("order_id", "order_number")
        if name in document["refs"]
    )
    for (dialect, name, id_), count in ids.items():
        if count > 1:
            yield f"{count} orders of {dialect} have the {name} {id_}"


def _of_the_events(history: History, world: World, told: Sequence[Told]) -> Iterator[str]:
    by_subject: dict[str, list[Told]] = {}
    for event in told:
        by_subject.setdefault(event.said["subject"], []).append(event)
    ids = {document["history"][0]["cause"]: document for document in history.documents}
    for cause, order in world.orders.items():
        if cause not in ids:
            continue  # said already
        subject = str(ids[cause]["_id"])
        events = by_subject.pop(subject, [])
        expected = modelled_events(order, ids[cause])
        allowed = None if history.may_repeat else order.repeats
        yield from (f"order {subject}: {said}" for said in in_sequence(events, expected, allowed))
    for subject in by_subject:
        yield f"order {subject} has events and is no order"


def _of_the_rejections(history: History, world: World) -> Iterator[str]:
    originals = {record.position: record for record in (*history.creates, *history.updates)}
    by_id: dict[str, list[Found]] = {}
    for record in history.rejections:
        by_id.setdefault(record.header("rejection-id") or "", []).append(record)
    for position, wrong in world.rejected.items():
        told = by_id.pop(position, [])
        if not told:
            yield f"{position} must be rejected {wrong.code} ({wrong.path}) and is not"
        if len(told) > 1 and not history.may_repeat:
            yield f"{position} was rejected {len(told)} times, and nothing had happened"
        for rejection in told:
            yield from (f"{position}: {said}" for said in badly_told(rejection, originals[position], wrong))
    for position, told in by_id.items():
        yield f"{position} was rejected {told[0].header('rejection-code')} and is right"


def _of_the_offsets(history: History) -> Iterator[str]:
    for partition, end in history.ends.items():
        committed = history.committed.get(partition, 0)
        if committed != end:
            yield f"{partition[0]}/{partition[1]} ends at {end} and is committed up to {committed}"


def _of_privacy(history: History) -> Iterator[str]:
    for event in history.events:
        if CANARY.encode() in (event.value or b"") or any(CANARY.encode() in (v or b"") for _, v in event.headers):
            yield f"{event.position} tells a subscriber what must stay in the order"
    for rejection in history.rejections:
        headers = dict(rejection.headers)
        if CREDENTIALS & headers.keys() or CANARY.encode() in (headers.get("rejection-problems") or b""):
            yield f"{rejection.position} tells what must not leave the message"
    for line in history.logs:
        if CANARY in line:
            yield f"the log tells what must not leave the order: {line[:200]}"
