"""How messages name their order: the model's half of contracts 1.2."""

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from tests.faults.updates import Said

REFERENCE: Final = {"subscription": "orderReference", "wishlist": "orderRef"}

Address: TypeAlias = tuple[str, str | None, str, str]  # dialect, tenant, kind, value


class Named(NamedTuple):
    """One way in which a message names its order, and the path of that."""

    kind: str
    value: str
    path: str


def address(dialect: str, tenant: str | None, kind: str, value: str) -> Address:
    """Where an order is looked up; both ids of a configurator order over the whole dialect."""
    is_shared = dialect == "configurator" and kind != "idempotency-key"
    return dialect, None if is_shared else tenant, kind, value


def named_by_create(said: Said) -> Iterable[Named]:
    """How a create names its order, in the order in which that is looked up."""
    if said.key:
        yield Named("idempotency-key", said.key, "headers.idempotency-key")
        if said.dialect == "shopping-cart":
            yield Named("order-ref", said.key, "headers.idempotency-key")
    member = REFERENCE.get(said.dialect, "")
    if member in said.value:
        yield Named("order-ref", said.value[member], member)


def named_by_update(said: Said) -> Iterable[Named]:
    """How an update names its order."""
    order_id, reference = said.record.header("order-id"), said.record.header("order-ref")
    member = REFERENCE.get(said.dialect, "")
    if order_id:
        yield Named("order-id", order_id.lower(), "headers.order-id")
    if reference:
        normal = reference.lower() if said.dialect == "shopping-cart" else reference
        yield Named("order-ref", normal, "headers.order-ref")
    elif member in said.value:
        yield Named("order-ref", said.value[member], member)
