"""The order as a MongoDB document and back (interface 2; pure, apart from BSON's own types)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from struct import Struct
from typing import Any, Final, TypeAlias

import bson
from bson import Decimal128, ObjectId
from bson.codec_options import CodecOptions

from orderstream.order import Change, Decision, Ledger, Order, Position, Seen, Status, Warned
from orderstream.problems import Code, Problem

Document: TypeAlias = dict[str, Any]  # BSON's own types

MAX_BYTES: Final = 12 * 2**20  # of an order without its ledger; 16 MiB is MongoDB's limit
SHORT: Final = 19  # digits, which 64 bits can hold
BID: Final = Struct("<QQ")  # binary integer decimal: coefficient; sign and exponent
EXPONENT_BIAS: Final = 6176
CODEC: Final = CodecOptions[Document](tz_aware=False)  # with zones, times are two thirds of an old order's decoding


class UnstorableError(ValueError):
    """No document can hold this order."""


def encode(order: Order) -> bytes:
    """The document's bytes. Raises `UnstorableError`."""
    try:
        document = to_document(order)  # a sum of more than 34 digits is no Decimal128
        encoded = bson.encode(document)
        size = len(encoded)
        if size > MAX_BYTES:
            size = len(bson.encode({name: value for name, value in document.items() if name != "ledger"}))
    except (bson.errors.BSONError, ArithmeticError, RecursionError, ValueError, TypeError) as error:
        raise UnstorableError(type(error).__name__) from None
    if size > MAX_BYTES:
        raise UnstorableError("too large")
    return encoded


def to_document(order: Order) -> Document:
    """All members of interface 2, and the ledger."""
    return {
        "_id": ObjectId(order.id),
        "dialect": order.dialect,
        "tenant": order.tenant,
        "refs": dict(order.refs),
        "lookup_keys": list(order.lookup_keys),
        "idempotency_key": order.idempotency_key,
        "record_key": order.record_key,
        "status": {**order.status._asdict(), "native": order.native},
        "customer": dict(order.customer),
        "currency": dict(order.currency),
        "totals": {name: _decimal128(total) for name, total in order.totals.items()},
        "placed_at": order.placed_at,
        "created_at": order.created_at,
        "updated_at": order.updated_at,
        "deleted_at": order.deleted_at,
        "revision": order.revision,
        "sequence": order.sequence,
        "history": [_change(change) for change in order.history],
        "warnings": [warned._asdict() for warned in order.warnings],
        "body": order.body,
        "ledger": _ledger(order.ledger),
    }


def to_order(document: Document) -> Order:
    """The inverse of `to_document`."""
    status = document["status"]
    return Order(
        id=str(document["_id"]),
        dialect=document["dialect"],
        tenant=document["tenant"],
        refs=document["refs"],
        lookup_keys=tuple(document["lookup_keys"]),
        idempotency_key=document["idempotency_key"],
        record_key=document["record_key"],
        status=_to_status(status),
        native=status["native"],
        customer=document["customer"],
        currency=document["currency"],
        totals={name: total.to_decimal() for name, total in document["totals"].items()},
        placed_at=document["placed_at"] and in_utc(document["placed_at"]),
        created_at=in_utc(document["created_at"]),
        updated_at=in_utc(document["updated_at"]),
        deleted_at=document["deleted_at"] and in_utc(document["deleted_at"]),
        revision=document["revision"],
        sequence=document["sequence"],
        history=tuple(_to_change(entry) for entry in document["history"]),
        warnings=tuple(Warned(**warned) for warned in document["warnings"]),
        body=document["body"],
        ledger=_to_ledger(document["ledger"]),
    )


def _decimal128(number: Decimal) -> Decimal128:
    """The same as `Decimal128(number)`, which takes three times as long: a sixth of the whole document's time."""
    sign, _, exponent = number.as_tuple()
    if not isinstance(exponent, int) or not -EXPONENT_BIAS <= exponent <= 0 or number.adjusted() - exponent >= SHORT:
        return Decimal128(number)
    coefficient = abs(int(number.scaleb(-exponent)))
    return Decimal128.from_bid(BID.pack(coefficient, sign << 63 | exponent + EXPONENT_BIAS << 49))


def _change(change: Change) -> Document:
    return {
        "sequence": change.sequence,
        "revision": change.revision,
        "at": change.at,
        "from": change.before and change.before._asdict(),
        "to": change.after and change.after._asdict(),
        "native": change.native,
        "refs": dict(change.refs),
        "cause": str(change.cause),
        "correlation_id": change.correlation_id,
    }


def _to_status(entry: Document) -> Status:
    return Status(entry["order"], entry["payment"], entry["fulfilment"])


def _to_change(entry: Document) -> Change:
    return Change(
        sequence=entry["sequence"],
        revision=entry["revision"],
        at=in_utc(entry["at"]),
        before=entry["from"] and _to_status(entry["from"]),
        after=entry["to"] and _to_status(entry["to"]),
        native=entry["native"],
        refs=entry["refs"],
        cause=Position.parse(entry["cause"]),
        correlation_id=entry["correlation_id"],
    )


def _ledger(ledger: Ledger) -> Document:
    return {
        "version": ledger.version,
        "said": ledger.said,
        "source_version": ledger.source_version,
        "decisions": [_decision(decision) for decision in ledger.decisions],
        "dropped": [
            {"topic": topic, "partition": partition, "offset": offset}
            for (topic, partition), offset in ledger.dropped.items()
        ],
        "seen": [{"key": seen.key, "said": seen.said} for seen in ledger.seen],
    }


def _to_ledger(document: Document) -> Ledger:
    return Ledger(
        version=document["version"],
        said=bytes(document["said"]),
        source_version=document["source_version"],
        decisions=tuple(_to_decision(entry) for entry in document["decisions"]),
        dropped={(entry["topic"], entry["partition"]): entry["offset"] for entry in document["dropped"]},
        seen=tuple(Seen(key=entry["key"], said=bytes(entry["said"])) for entry in document["seen"]),
    )


def _decision(decision: Decision) -> Document:
    """Members that say nothing are left out: an order keeps dozens of these."""
    entry: Document = {
        "position": str(decision.position),
        "digest": decision.digest,
        "outcome": decision.outcome,
        "at": decision.at,
        "revision": decision.revision,
        "reason": decision.reason,
        "problems": [problem._asdict() for problem in decision.problems],
        "problem_count": decision.problem_count,
        "sequences": list(decision.sequences),
        "keys": list(decision.keys),
        "replay_of": decision.replay_of,
        "counts_from": decision.counts_from and str(decision.counts_from),
    }
    return {name: value for name, value in entry.items() if value}


def _to_decision(entry: Document) -> Decision:
    return Decision(
        position=Position.parse(entry["position"]),
        digest=bytes(entry["digest"]),
        outcome=entry["outcome"],
        at=in_utc(entry["at"]),
        revision=entry.get("revision", 0),
        reason=entry.get("reason"),
        problems=tuple(to_problem(problem) for problem in entry.get("problems", ())),
        problem_count=entry.get("problem_count", 0),
        sequences=tuple(entry.get("sequences", ())),
        keys=tuple(entry.get("keys", ())),
        replay_of=entry.get("replay_of"),
        counts_from=Position.parse(entry["counts_from"]) if "counts_from" in entry else None,
    )


def in_utc(moment: datetime) -> datetime:
    """A time as `CODEC` gives it, with its zone."""
    return moment.replace(tzinfo=UTC)


def to_problem(entry: Mapping[str, str]) -> Problem:
    """A problem as it is stored."""
    return Problem(Code(entry["code"]), entry["path"], entry["message"])
