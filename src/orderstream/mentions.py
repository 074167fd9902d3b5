"""Whether a message that never reached an order was meant for it, wrong as it may be (pure)."""

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

from orderstream import headers as forms
from orderstream.commands import Headers, Operation
from orderstream.dialects import DIALECTS
from orderstream.fold import EVENT_REFS
from orderstream.order import Order
from orderstream.problems import Problem, header, path

ADDRESSES: Final = ("order-id", "order-ref", "entry-id", "idempotency-key")
TENANTS: Final = ("tenant", "site-account")
KEY: Final = "key"  # path of the record key, as problems name it


class Sent(NamedTuple):
    """A message as it was sent, and what is wrong with it."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    problems: tuple[Problem, ...]


class Sought(NamedTuple):
    """What messages may call an order."""

    names: frozenset[str]  # hex and UUIDs in lower case
    members: frozenset[str] | None  # of a value, that name an order or a line; None: any
    key: bytes | None  # record key
    dialect: str | None  # None: any
    tenant: str | None
    any_tenant: bool = False


def sought(order: Order) -> Sought:
    """A stored order: by all its addresses, within its dialect and, where they are not unique in it, its tenant."""
    addresses = list(DIALECTS[order.dialect].keys(order.body))
    refs = (ref for name in EVENT_REFS if isinstance(ref := order.refs.get(name), str))
    names = (order.id, order.idempotency_key, *refs, *(address.value for address in addresses))
    return Sought(
        names=frozenset(_normal(name) for name in names if name is not None),
        members=frozenset(address.path.rpartition(".")[2] for address in addresses),
        key=None if order.record_key is None else order.record_key.encode(),
        dialect=order.dialect,
        tenant=order.tenant,
        any_tenant=any(address.shared for address in addresses),
    )


def sought_as(ref: str, dialect: str | None, tenant: str | None) -> Sought:
    """An order that is not stored, by what somebody calls it."""
    return Sought(frozenset({_normal(ref)}), None, ref.encode(), dialect, tenant, any_tenant=tenant is None)


def found_by(message: Sent, sought: Sought) -> tuple[str, ...]:
    """The paths at which it names the order; its key, where it names no other; none: it is not meant."""
    texts = _texts(message.headers)
    if not _may_be_meant(texts, sought):
        return ()
    named = {**_in_headers(texts), **_in_value(message.value, sought)}
    hits = tuple(place for place, text in named.items() if _normal(text) in sought.names)
    if hits:
        return hits
    misspelt = {problem.path for problem in message.problems}
    is_of_key = sought.key is not None and message.key == sought.key
    return (KEY,) if is_of_key and named.keys() <= misspelt else ()


def _may_be_meant(texts: Mapping[str, str], sought: Sought) -> bool:
    dialect = texts.get("dialect")
    if sought.dialect is not None and dialect in DIALECTS and dialect != sought.dialect:
        return False
    tenants = [texts[name] for name in TENANTS if name in texts]
    return sought.any_tenant or not tenants or sought.tenant in tenants


def _in_headers(texts: Mapping[str, str]) -> dict[str, str]:
    """An update's own idempotency key names no order."""
    is_create = texts.get("operation", Operation.CREATE) == Operation.CREATE
    names = ADDRESSES if is_create else ADDRESSES[:-1]
    return {header(name): texts[name] for name in names if texts.get(name)}


def _in_value(value: bytes | None, sought: Sought) -> dict[str, str]:
    """Members at the top of the value that name an order; of one that is not stored, those that name it."""
    members = _members(value or b"", sought)
    texts = {name: member for name, member in members.items() if isinstance(member, str)}
    if sought.members is None:
        return {path(name): text for name, text in texts.items() if _normal(text) in sought.names}
    return {path(name): text for name, text in texts.items() if name in sought.members}


def _members(value: bytes, sought: Sought) -> Mapping[str, object]:
    """Of a value that is JSON; most of a long topic need not be read for it."""
    names, lower = sought.names if sought.members is None else sought.members, value.lower()
    if b"\\" not in value and not any(name.encode().lower() in lower for name in names):
        return {}
    try:
        members = json.loads(value)
    except (ValueError, RecursionError):
        return {}
    return members if isinstance(members, dict) else {}


def _texts(headers: Headers) -> dict[str, str]:
    """The headers that the contract names; of one that is there twice the first."""
    named = [(name, value) for name, value in headers if name in forms.NAMES and value is not None]
    return {name: value.decode(errors="replace") for name, value in reversed(named)}


def _normal(text: str) -> str:
    return forms.hex24(text) or forms.uuid(text) or text
