"""What an accepted command does to the order: the document is the fold of these (pure; design G2)."""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Final

from orderstream.commands import Address, Command, Operation
from orderstream.dialect import Dialect, Rules
from orderstream.identity import Identities, lookup_key
from orderstream.json_text import JsonObject
from orderstream.order import NEW, Change, Ledger, Order, Seen, Status, Warned

SEEN_KEYS: Final = 50  # idempotency keys of updates that an order remembers
EVENT_REFS: Final = ("order_id", "order_number", "order_ref")
SAID: Final = frozenset({"BLANK_ROW_DROPPED", "BLANK_VALUE_DROPPED", "ITEMS_NOT_CONVERTED", "VALUE_NORMALISED"})
"""Warnings about what a message said; they stay until their member is sent again."""


def created(command: Command, dialect: Dialect, rules: Rules, ids: Identities) -> Order:
    """The order that a create makes where there is none."""
    body = dialect.assign(command.value, {}, ids)
    status, common = dialect.status(NEW, body, rules), dialect.canonical(body)
    native, refs = dialect.native(body), _first_refs(command, dialect, body)
    return Order(
        id=ids.document,
        dialect=dialect.name,
        tenant=command.tenant,
        refs=refs,
        lookup_keys=_unique(command.keys, command.brought, _body_keys(dialect, command.tenant, body)),
        idempotency_key=command.idempotency_key,
        record_key=command.record_key,
        status=status,
        native=native,
        customer=common.customer,
        currency=common.currency,
        totals=common.totals,
        placed_at=common.placed_at,
        created_at=command.at,
        updated_at=command.at,
        deleted_at=None,
        revision=1,
        sequence=1,
        history=(_change(command, 1, 1, None, status, native, refs),),
        warnings=_warned(dialect, body, command.site, command.warnings),
        body=body,
        ledger=Ledger(said=command.said, source_version=command.source_version),
    )


def changed(order: Order, command: Command, dialect: Dialect, rules: Rules, body: JsonObject) -> Order:
    """The order with another body, and the event of it when a canonical status changed."""
    status, common = dialect.status(order.status, body, rules), dialect.canonical(body)
    said = (*_still_said(order, command, dialect), *command.warnings)
    after = order._replace(
        refs={**_lasting_refs(order), **dialect.refs(body)},
        lookup_keys=_lookup_keys(order, command, dialect, body),
        status=status,
        native=dialect.native(body),
        customer=common.customer,
        currency=common.currency,
        totals=common.totals,
        placed_at=common.placed_at,
        updated_at=max(order.updated_at, command.at),
        revision=order.revision + 1,
        warnings=_warned(dialect, body, _site(order), said),
        body=body,
    )
    return after if status == order.status else _with_event(after, command, order.status, status)


def deleted(order: Order, command: Command) -> Order:
    """The order after a soft delete; body and status stay."""
    latest = max(order.updated_at, command.at)
    gone = order._replace(deleted_at=command.at, updated_at=latest, revision=order.revision + 1)
    return _with_event(gone, command, order.status, None)


def remembered(order: Order, command: Command) -> Order:
    """The order after it has seen the command's version and idempotency key, whether it changed or not."""
    if command.operation is Operation.CREATE:
        return order
    ledger = _with_key(order.ledger, command)
    if command.source_version is not None:
        known = -1 if ledger.source_version is None else ledger.source_version
        ledger = ledger._replace(source_version=max(known, command.source_version))
    return order if ledger is order.ledger else order._replace(ledger=ledger)


def _with_key(ledger: Ledger, command: Command) -> Ledger:
    key = command.idempotency_key
    if key is None or any(seen.key == key for seen in ledger.seen):
        return ledger
    return ledger._replace(seen=(*ledger.seen, Seen(key=key, said=command.said))[-SEEN_KEYS:])


def _first_refs(command: Command, dialect: Dialect, body: JsonObject) -> dict[str, str | Mapping[str, str]]:
    refs: dict[str, str | Mapping[str, str]] = {}
    for address in command.addresses:
        if address.kind == "order-ref":  # one that stands in no body, as the idempotency key of shopping-cart
            refs["order_ref"] = address.value
    refs |= dialect.refs(body)
    if command.site:
        refs["site"] = command.site
    return refs


def _lasting_refs(order: Order) -> dict[str, str | Mapping[str, str]]:
    """What may stand in no body: the site, and a reference that only headers bring."""
    return {name: order.refs[name] for name in ("order_ref", "site") if name in order.refs}


def _with_event(order: Order, command: Command, before: Status, after: Status | None) -> Order:
    sequence = order.sequence + 1
    change = _change(command, sequence, order.revision, before, after, order.native, order.refs)
    return order._replace(sequence=sequence, history=(*order.history, change))


def _change(
    command: Command,
    sequence: int,
    revision: int,
    before: Status | None,
    after: Status | None,
    native: JsonObject,
    refs: Mapping[str, str | Mapping[str, str]],
) -> Change:
    return Change(
        sequence=sequence,
        revision=revision,
        at=command.at,
        before=before,
        after=after,
        native=native,
        refs={name: ref for name in EVENT_REFS if isinstance(ref := refs.get(name), str)},
        cause=command.position,
        correlation_id=command.correlation_id,
    )


def _body_keys(dialect: Dialect, tenant: str | None, body: JsonObject) -> list[str]:
    return [lookup_key(dialect.name, tenant, address) for address in dialect.keys(body)]


def _unique(*keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain(*keys)))


def _lookup_keys(order: Order, command: Command, dialect: Dialect, body: JsonObject) -> tuple[str, ...]:
    """Keys of removed lines stay while a decision in the ledger came by them."""
    by_line = {key for decision in order.ledger.decisions for key in decision.keys} | set(line_keys(order, command))
    line = lookup_key(order.dialect, order.tenant, Address("entry-id", "", ""))
    kept = [key for key in order.lookup_keys if not key.startswith(line) or key in by_line]
    return _unique(kept, _body_keys(dialect, order.tenant, body))


def line_keys(order: Order, command: Command) -> tuple[str, ...]:
    """The key of a line by which the command found the order, where nothing else that it says names it for ever."""
    known = set(order.lookup_keys)
    named = [(key, address.kind) for key, address in zip(command.keys, command.addresses, strict=True) if key in known]
    if any(kind != "entry-id" for _, kind in named):
        return ()
    return tuple(key for key in (*(key for key, _ in named), *command.brought) if key in known)[:1]


def _site(order: Order) -> Mapping[str, str]:
    site = order.refs.get("site", {})
    return site if isinstance(site, Mapping) else {}


def _still_said(order: Order, command: Command, dialect: Dialect) -> Iterable[Warned]:
    """Warnings about earlier messages whose member this one neither sends nor removes."""
    for warned in order.warnings:
        member = warned.path.split(".")[0].split("[")[0]
        stays = command.operation is not Operation.REPLACE or member in dialect.kept
        if warned.code in SAID and stays and member not in command.value:
            yield warned


def _warned(dialect: Dialect, body: JsonObject, site: Mapping[str, str], said: Iterable[Warned]) -> tuple[Warned, ...]:
    return tuple(dict.fromkeys((*said, *dialect.warnings(body, site))))
