"""What the worker answers to examples of the dialects, made by its own functions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from orderstream.commands import Command, Record
from orderstream.decide import update
from orderstream.decode import Contracts, decode
from orderstream.dialect import AS_THE_CONTRACTS_SAY, Dialect, Example
from orderstream.fold import created
from orderstream.identity import Identities, document_id
from orderstream.order import Order, Position
from orderstream.outcomes import Applied, Refusal
from orderstream.rejected import RejectedMessage, rejected_message
from orderstream.schemas.headers import kind_of
from orderstream.status_event import Event, event_of

AT: Final = datetime(2026, 11, 21, 10, 15, 30, 123000, tzinfo=UTC)
ROOM: Final = 1_048_576  # bytes that the rejected topic admits


def record_of(example: Example, offset: int = 0) -> Record:
    """The record that an example becomes."""
    kind = kind_of(example.operation)
    return Record(
        kind=kind,
        position=Position(kind.value, 3, offset),
        at=AT + timedelta(minutes=offset),
        key=example.key.encode(),
        value=orjson.dumps(example.value),
        headers=tuple((name, text.encode()) for name, text in example.headers.items()),
    )


def events(dialect: Dialect) -> tuple[Event, Event]:
    """The events of the dialect's first example and of the second, which changes a status of it."""
    order = _first_order(dialect)
    second = _command(record_of(dialect.examples[1], offset=1))
    outcome = update(order, second, dialect, AS_THE_CONTRACTS_SAY, _ids(second), lambda _key: False)
    if not isinstance(outcome, Applied):
        raise TypeError(f"the second example of {dialect.name} changes nothing")
    return event_of(order, 1), event_of(outcome.order, 2)


def headers_of(example: Example, dialect: Dialect) -> dict[str, str]:
    """The example's headers, with the id of the dialect's first order where it does not say which order it means."""
    if not isinstance(decode(record_of(example), Contracts()), Refusal):
        return dict(example.headers)
    return {**example.headers, "order-id": str(_first_order(dialect).refs["order_id"])}


def _first_order(dialect: Dialect) -> Order:
    first = _command(record_of(dialect.examples[0]))
    return created(first, dialect, AS_THE_CONTRACTS_SAY, _ids(first))


def _ids(command: Command) -> Identities:
    return Identities(document_id(command.at, command.position), command.position, number=1)


def _command(record: Record) -> Command:
    outcome = decode(record, Contracts())
    if isinstance(outcome, Refusal):
        raise TypeError(f"an example is refused: {outcome.problems}")
    return outcome


def rejected(dialect: Dialect) -> RejectedMessage:
    """The dialect's first example, rejected: a required member is missing, and the tenant is blank."""
    first = dialect.examples[0]
    needed = dialect.shapes[first.operation].required
    value = {name: member for name, member in first.value.items() if name != min(needed)}
    record = record_of(replace(first, value=value, headers={**first.headers, "tenant": " "}))
    outcome = decode(record, Contracts())
    problems = outcome.problems if isinstance(outcome, Refusal) else ()
    return rejected_message(record, problems, len(problems), AT, ROOM)


def texts(headers: tuple[tuple[str, bytes | None], ...]) -> dict[str, Any]:
    """Headers as an example shows them."""
    return {name: (raw or b"").decode() for name, raw in headers}
