"""An order found by what people call it: its id, any of its references, the key of its create (interface 7)."""

import re
from collections.abc import AsyncIterator, Collection, Iterable
from typing import Final, Protocol

from orderstream import headers as forms
from orderstream.commands import Address
from orderstream.dialects import DIALECTS
from orderstream.identity import lookup_key
from orderstream.order import Order

KINDS: Final = (
    "idempotency-key",
    "order-id",
    "order-number",
    "order-ref",
)  # what `lookup_keys` hold of the order itself


class Lookup(Protocol):
    """What is asked of the store; every method raises `UnavailableError`."""

    async def load(self, keys: Collection[str], ids: Collection[str] = ()) -> list[Order]:
        """Every order that one of the lookup keys or document ids finds."""

    async def load_shared(self, ref: str) -> list[Order]:
        """Some orders that have this id of a cart or of a platform's order, which several may share."""

    def scopes(self, dialect: str | None) -> AsyncIterator[str]:
        """Every `dialect/tenant` in which there are orders."""
        ...


async def find(orders: Lookup, ref: str, dialect: str | None = None, tenant: str | None = None) -> list[Order]:
    """Every order that *ref* names; where no tenant is given, in all of them."""
    by_id = _of(await _by_id(orders, ref), dialect, tenant)
    if by_id:
        return by_id
    if tenant is None:
        keys = [_within(scope, address) async for scope in orders.scopes(dialect) for address in _addresses(ref)]
    else:
        keys = [key for name in _dialects(dialect) for key in _keys(ref, name, tenant)]
    return _of([*await orders.load(keys), *await orders.load_shared(ref)], dialect, tenant)


async def find_in(orders: Lookup, ref: str, dialect: str, tenant: str | None) -> list[Order]:
    """The same for one dialect and tenant; None is a scope of its own, and finds what is unique in the dialect."""
    by_key = [*await _by_id(orders, ref), *await orders.load(_keys(ref, dialect, tenant))]
    shared = [order for order in await orders.load_shared(ref) if order.tenant == tenant]
    return _of([*by_key, *shared], dialect, tenant)


async def find_by_id(orders: Lookup, id_: str, tenant: str | None) -> list[Order]:
    """The order with this document id, of whatever dialect; a tenant that is given must be its own."""
    return _of(await _by_id(orders, id_), None, tenant)


async def find_by_line(orders: Lookup, id_: str, dialect: str, tenant: str | None) -> list[Order]:
    """The order of which a line has this id, or had it not long ago, in a dialect where that is unique."""
    key = lookup_key(dialect, tenant, Address("entry-id", id_, ""))
    return _of(await orders.load([key]), dialect, tenant)


def waited_for(ref: str, dialect: str | None, tenant: str | None) -> re.Pattern[str]:
    """The lookup keys by which updates wait for an order that *ref* may name, or for one of its lines."""
    scope = "[^/]*" if dialect is None else re.escape(dialect)
    owner = "[^/]*" if tenant is None else re.escape(lookup_key("", tenant, Address("", "", "")).strip("/"))
    lines = [Address("entry-id", text, "") for text in _texts(ref)]
    named = (lookup_key("", None, address).removeprefix("//") for address in (*_addresses(ref), *lines))
    return re.compile(f"^{scope}/{owner}/({'|'.join(map(re.escape, named))})$")


async def _by_id(orders: Lookup, ref: str) -> list[Order]:
    id_ = forms.hex24(ref)
    return await orders.load((), [id_]) if id_ else []


def _of(found: Iterable[Order], dialect: str | None, tenant: str | None) -> list[Order]:
    """Each order once, if it is of this dialect and tenant."""
    wanted = (order for order in found if dialect in (None, order.dialect) and tenant in (None, order.tenant))
    return list({order.id: order for order in wanted}.values())


def _dialects(dialect: str | None) -> Iterable[str]:
    return DIALECTS if dialect is None else (dialect,)


def _keys(ref: str, dialect: str, tenant: str | None) -> list[str]:
    both = ((address, address._replace(shared=True)) for address in _addresses(ref))
    return [lookup_key(dialect, tenant, address) for pair in both for address in pair]


def _addresses(ref: str) -> list[Address]:
    return [Address(kind, text, "") for text in _texts(ref) for kind in KINDS]


def _texts(ref: str) -> Iterable[str]:
    """As people write it, and as hex and UUIDs are kept."""
    return dict.fromkeys((ref, forms.hex24(ref) or ref, forms.uuid(ref) or ref))


def _within(scope: str, address: Address) -> str:
    return scope + lookup_key("", None, address).removeprefix("/")
