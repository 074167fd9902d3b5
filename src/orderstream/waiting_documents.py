"""Updates that wait, as documents of the collection `waiting` and back (design 3; pure, apart from BSON's types)."""

from orderstream.commands import Kind, Record
from orderstream.documents import Document, in_utc, to_problem
from orderstream.order import Position
from orderstream.parking import Mark, Parked, Waiting
from orderstream.ports import WaitingRecord


def to_waiting_document(waiting: Waiting) -> Document:
    """Position, addresses, original bytes and headers, and what was decided."""
    record = waiting.record
    return {
        "_id": str(record.position),
        "lane": record.position.partition,
        "key": record.key,
        "value": record.value,
        "headers": [{"name": name, "value": value} for name, value in record.headers],
        "at": record.at,
        "since": waiting.since if isinstance(waiting, Parked) else None,
        "addresses": list(waiting.command.keys) if isinstance(waiting, Parked) else [],
        "mark": _mark(waiting) if isinstance(waiting, Mark) else None,
    }


def to_waiting_record(document: Document) -> WaitingRecord:
    """The inverse of `to_waiting_document`."""
    record = Record(
        kind=Kind.UPDATE,
        position=Position.parse(document["_id"]),
        at=in_utc(document["at"]),
        key=document["key"],
        value=document["value"],
        headers=tuple((header["name"], header["value"]) for header in document["headers"]),
    )
    mark = document["mark"]
    return WaitingRecord(record, in_utc(document["since"] or document["at"]), _to_mark(record, mark) if mark else None)


def _mark(mark: Mark) -> Document:
    return {
        "order_id": mark.order_id,
        "sequences": list(mark.sequences),
        "problems": [problem._asdict() for problem in mark.problems],
        "problem_count": mark.problem_count,
    }


def _to_mark(record: Record, mark: Document) -> Mark:
    problems = tuple(to_problem(problem) for problem in mark["problems"])
    return Mark(record, mark["order_id"], tuple(mark["sequences"]), problems, mark["problem_count"])
