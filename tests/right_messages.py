"""Right messages of every dialect: values drawn from its models, repaired where rules across members demand it."""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from orderstream.commands import Operation
from orderstream.dialect import objects
from orderstream.dialects import DIALECTS
from orderstream.order import Order
from tests.members import Digits, Value, kind, shape_node
from tests.strategies import HEX, KEYS, UUIDS, Members, right

CURRENCIES: Final = ("USD", "jpy", "KWD", "US", "text")
DECIMALS: Final = {"jpy": 0, "KWD": 3}
ACCOUNTS: Final = st.text(max_size=4).map(lambda text: text.ljust(24, "x"))
NAMES: Final = st.sampled_from(("acme", "Acme", "a/b", "a%2Fb", " x ", "ß" * 512, "שלום")) | st.text(
    min_size=1, max_size=8
).filter(str.strip)


class Sent(NamedTuple):
    """A message as it is sent."""

    value: Value
    headers: Mapping[str, str]


@st.composite
def creates(draw: DrawFn, dialect: str) -> Sent:
    """A right create."""
    value = draw(right(shape_node(DIALECTS[dialect].shapes[Operation.CREATE])))
    headers = {"dialect": dialect, "message-type": "order-create", **draw(_shared())}
    if dialect == "shopping-cart" or draw(st.booleans()):
        headers["idempotency-key"] = draw(UUIDS)
    if dialect == "subscription":
        headers["site-account"] = draw(ACCOUNTS)
    elif dialect in ("wishlist", "configurator") or draw(st.booleans()):
        headers["tenant"] = draw(NAMES)
    if dialect == "configurator" and "orgId" in value and draw(st.booleans()):
        del headers["tenant"]
    elif "orgId" in value:
        value["orgId"] = headers["tenant"]
    return Sent(_repaired(draw, dialect, Operation.CREATE, value, None), headers)


@st.composite
def updates(draw: DrawFn, order: Order, operation: Operation) -> Sent:
    """A right update of *order*."""
    shape = DIALECTS[order.dialect].shapes[operation]
    value = draw(right(shape_node(shape)))
    value = _repaired(draw, order.dialect, operation, value, order)
    if operation is not Operation.ENTRY_CREATE and not value.keys() - shape.addressing - shape.ignored:
        value |= FILLING[order.dialect] if shape_node(shape).members else {}
    sent = {"dialect": order.dialect, "message-type": "order-update", "operation": operation.value}
    value, named = _addressed(draw, order, operation, value)
    return Sent(value, {**sent, **draw(_shared()), **draw(_scope(order)), **named})


@st.composite
def _scope(draw: DrawFn, order: Order) -> dict[str, str]:
    """The tenant; `configurator` can do without."""
    if order.tenant is None or (order.dialect == "configurator" and draw(st.booleans())) or not order.tenant.strip():
        return {}
    return {"site-account" if order.dialect == "subscription" else "tenant": order.tenant}


@st.composite
def _shared(draw: DrawFn) -> dict[str, str]:
    possible = {"content-type": "application/json; charset=utf-8", "correlation-id": "c-1", "unheard-of": "any"}
    return {name: possible[name] for name in draw(st.lists(st.sampled_from(sorted(possible)), unique=True))}


FILLING: Final[Mapping[str, Members]] = {
    "shopping-cart": {"shippingMethod": "Ground"},
    "configurator": {"name": "text"},
    "subscription": {"statusLog": "text"},
    "b2b-commerce": {"shippingLabel": "text"},
    "wishlist": {"updated_at": "2024-02-29T10:00:00Z"},
}
ADDRESSES: Final[Mapping[str, tuple[tuple[str, str, str | None], ...]]] = {  # header, ref of the order, member
    "shopping-cart": (("order-id", "order_id", None), ("order-ref", "order_ref", None)),
    "configurator": (("order-id", "order_id", "id"), ("order-ref", "order_number", "shortId")),
    "subscription": (
        ("order-id", "order_id", "_id"),
        ("order-id", "order_number", "orderId"),
        ("order-ref", "order_ref", None),
    ),
    "b2b-commerce": (("order-id", "order_id", None),),
    "wishlist": (("order-id", "order_id", "id"), ("order-ref", "order_ref", "orderRef")),
}
INSENSITIVE: Final = (  # to the case of letters
    "configurator order_id", "b2b-commerce order_id", "subscription order_id", "shopping-cart order_ref",
)  # fmt: skip


def _addressed(draw: DrawFn, order: Order, operation: Operation, value: Members) -> tuple[Members, dict[str, str]]:
    """Named by one of the ways that the dialect has, or by several; by header or by member."""
    headers: dict[str, str] = {}
    if operation in (Operation.ENTRY_UPDATE, Operation.ENTRY_DELETE):
        lines: Any = order.body.get("orderLines") or [{}]
        headers = draw(_line_names(draw(st.sampled_from(lines))))
        value = {name: member for name, member in value.items() if name not in ("id", "entryRef")}
    possible = shape_node(DIALECTS[order.dialect].shapes[operation]).members
    known = [address for address in ADDRESSES[order.dialect] if address[1] in order.refs]
    for header, ref, in_order in draw(st.lists(st.sampled_from(known), min_size=1, unique=True)):
        text = str(order.refs[ref])
        if f"{order.dialect} {ref}" in INSENSITIVE and draw(st.booleans()):
            text = text.upper()
        member = "orderId" if in_order == "id" and operation.startswith("entry.") else in_order
        if header in headers or (member in possible and draw(st.booleans())):
            value = {**value, str(member): text}
        else:
            headers[header] = text
    return value, headers


def _line_names(line: Members) -> SearchStrategy[dict[str, str]]:
    """A line by its id, its reference or both; or one that is not there."""
    names = {"entry-id": line.get("id", "no such line"), "entry-ref": line.get("entryRef", "no such line")}
    known = [{name: text} for name, text in names.items() if text != "no such line"]
    return st.sampled_from([*known, names if len(known) == 2 else {"entry-id": names["entry-id"]}])


# Rules across members


def _repaired(draw: DrawFn, dialect: str, operation: Operation, value: Members, order: Order | None) -> Members:
    repair = _REPAIRS.get(dialect)
    return repair(draw, operation, value, order) if repair else value


def _configurator(draw: DrawFn, operation: Operation, value: Members, order: Order | None) -> Members:
    if "items" in value and draw(st.booleans()):
        value["items"] = draw(right(shape_node(DIALECTS["configurator"].shapes[operation]).members["cart"]))
    if order is None:
        return value
    known = {"id": order.refs["order_id"], "shortId": order.refs["order_number"], "orgId": order.tenant}
    return {name: known.get(name, member) for name, member in value.items()}


def _subscription(draw: DrawFn, operation: Operation, value: Members, order: Order | None) -> Members:
    del operation
    for holder in _dictionaries(value):
        if holder.get("country") in ("USA", "US") and kind(holder.get("zipCode")) == "integer":
            holder["zipCode"] = abs(holder["zipCode"])
    for part in value.get("shipTo", ()):
        if draw(st.booleans()):
            part["address"] = {"country": "USA", "zipCode": draw(st.sampled_from((2139, 0, 98004, 123456789, "02139")))}
    if order is None:
        return value
    known = {"_id": order.refs["order_id"], "orderId": order.refs["order_number"]}
    reference = order.refs.get("order_ref")
    if reference:
        known["orderReference"] = draw(st.sampled_from((reference, "")))
    return {name: known.get(name, member) for name, member in value.items()}


def _b2b_commerce(draw: DrawFn, operation: Operation, value: Members, order: Order | None) -> Members:
    del order
    for stored, new in (("billingAddress", "newBillingAddress"), ("shippingAddressId", "newShippingAddress")):
        if new in value and not any(value[new].values()):
            value[new]["city"] = "text"
        if operation is not Operation.PATCH and value.keys().isdisjoint((stored, new)):
            value |= {stored: draw(HEX)}
    for field in value.get("metaFields", ()):
        if field.keys().isdisjoint(("code", "label")):
            field["label"] = ""
    for holder in _dictionaries(value):
        if "address1" in holder and draw(st.booleans()):
            holder["address2"] = ""
        if "items" in holder and draw(st.booleans()):
            holder["items"].insert(0, {"lineItemId": "", "quantity": ""})
    return value


def _wishlist(draw: DrawFn, operation: Operation, value: Members, order: Order | None) -> Members:
    if operation in (Operation.DELETE, Operation.ENTRY_DELETE):
        return {}
    is_entry = operation is not Operation.CREATE and operation not in (Operation.PATCH, Operation.REPLACE)
    if operation is Operation.CREATE and value.keys().isdisjoint(("id", "orderRef")):
        value["orderRef"] = draw(st.sampled_from(("WEB-1", "שלום/1", "r" * 512)))
    if order is not None and not is_entry:
        known = {"id": order.refs["order_id"], "orderRef": order.refs.get("order_ref", value.get("orderRef"))}
        value |= {name: known[name] for name in known.keys() & value.keys()}
    _converted(draw, value)
    names = (value.get("id"), value.get("orderRef")) if order is None else _names(order)
    _agree(value, {"orderId": names[0], "orderRef": names[1]}, is_entry=is_entry)
    _tell_apart(draw, [value] if is_entry else value.get("orderLines", []), order)
    return value


def _names(order: Order) -> tuple[Value, Value]:
    return order.refs["order_id"], order.refs.get("order_ref")


def _converted(draw: DrawFn, value: Members) -> None:
    """Amounts that agree with their twins, counts and groups that can be brought into their form."""
    if "currencyCode" in value:
        value["currencyCode"] = draw(st.sampled_from(CURRENCIES))
    places = draw(st.sampled_from((2, DECIMALS.get(value.get("currencyCode", ""), 2))))
    for holder in _dictionaries(value):
        _pair(holder, places)
        if re.fullmatch("-[0-9]+", str(holder.get("quantityShipped"))):
            holder["quantityShipped"] = "12"
    groups = value.get("attributeGroups")
    if isinstance(groups, list):
        named = {draw(KEYS): group for group in groups}
        value["attributeGroups"] = [{**group, "attribute_group": name} for name, group in named.items()]


_REPAIRS: Final[Mapping[str, Callable[[DrawFn, Operation, Members, Order | None], Members]]] = {
    "configurator": _configurator,
    "subscription": _subscription,
    "b2b-commerce": _b2b_commerce,
    "wishlist": _wishlist,
}


def _dictionaries(value: Value) -> Iterator[Members]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _dictionaries(inner)


def _pair(holder: Members, places: int) -> None:
    """Every `InCent` member at most one unit away from its plain twin; where no double says that, alone."""
    for name in [name for name in holder if name.endswith("Cent")]:
        plain, minor = name.removesuffix("Cent").removesuffix("In"), holder[name]
        if plain not in holder:
            continue
        units = minor.exact if isinstance(minor, Digits) else Decimal(minor)
        amount = (units + int(abs(units) % 3) - 1).scaleb(-places) if abs(units) < 10**12 else Decimal("NaN")
        if Decimal(repr(float(amount))) == amount:
            holder[plain] = Digits(str(amount))
        else:
            del holder[plain]


def _agree(value: Members, names: Mapping[str, Value], *, is_entry: bool) -> None:
    """Whatever part names the order names this one; where it has no such name, none does."""
    parts = [value] if is_entry else [part for part in _dictionaries(value) if part is not value]
    for part in parts:
        for name in names.keys() & part.keys():
            if names[name] is None:
                del part[name]
            else:
                part[name] = names[name]


def _tell_apart(draw: DrawFn, lines: list[Members], order: Order | None) -> None:
    """No id and no reference twice; some lines are known ones."""
    stored = [] if order is None else objects(order.body.get("orderLines"))
    taken: dict[str, set[Value]] = {name: {line.get(name) for line in stored} for name in ("id", "entryRef")}
    for line in lines:
        if draw(st.booleans()) and stored:
            known = stored.pop()
            line |= {name: known[name] for name in ("id", "entryRef") if name in known}
            continue
        for name, used in taken.items():
            if name in line and line[name] in used:
                del line[name]
            used.add(line.get(name))
