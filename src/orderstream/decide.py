"""What becomes of an order when a command meets it (pure; contracts 1.3 to 1.6)."""

from collections.abc import Callable
from typing import assert_never

from orderstream.commands import Command, Operation
from orderstream.dialect import Dialect, Rules
from orderstream.fold import changed, deleted
from orderstream.identity import Identities
from orderstream.json_text import JsonObject, same
from orderstream.lines import changed_references, with_entry
from orderstream.order import Order
from orderstream.outcomes import Applied, Outcome, Refusal, Unchanged
from orderstream.problems import Code, Problem, header


def meet(order: Order, command: Command) -> Outcome:
    """A create meets an order that is there already (contracts 1.5)."""
    named = zip((*command.keys, *command.brought), (*command.addresses, *command.brings), strict=True)
    equal, known = command.said == order.ledger.said, set(order.lookup_keys)
    for address in (address for key, address in named if key in known):
        if address.kind == "entry-id":
            return Refusal.of(Problem(Code.DUPLICATE_ENTRY, address.path, "names a line of another order"))
        if equal:
            return Unchanged("it repeats the create", again=True)
        if address.kind == "idempotency-key":
            return Refusal.of(Problem(Code.IDEMPOTENCY_CONFLICT, address.path, "was used with another value"))
        return Refusal.of(Problem(Code.DUPLICATE_ORDER, address.path, "names an order with other content"))
    raise ValueError(f"{command.position} does not name order {order.id}")


def update(
    order: Order,
    command: Command,
    dialect: Dialect,
    rules: Rules,
    ids: Identities,
    elsewhere: Callable[[str], bool],
) -> Outcome:
    """An update meets its order; *elsewhere* tells whether a key belongs to another one."""
    conflict = _conflict(order, command, elsewhere)
    if conflict:
        return Refusal.of(conflict)
    if order.deleted_at:
        if command.operation is Operation.DELETE:
            return Unchanged("it is deleted already")
        return Refusal.of(not_found(command))
    early = _said_before(order, command)
    if early:
        return early
    if command.operation is Operation.DELETE:
        return Applied(deleted(order, command), event=True)
    taken = _taken_lines(command, elsewhere)
    if taken:
        return Refusal.of(*taken)
    body = _changed_body(order, command, dialect)
    if isinstance(body, Unchanged | Refusal):
        return body
    return _judged(order, command, dialect, rules, dialect.assign(body, order.body, ids))


def not_found(command: Command) -> Problem:
    """Nothing that names the order finds one."""
    return Problem(Code.ORDER_NOT_FOUND, command.addresses[0].path, "names no order of this tenant")


def _conflict(order: Order, command: Command, elsewhere: Callable[[str], bool]) -> Problem | None:
    """An address that names another order, or one that this order cannot be given."""
    for key, address in zip(command.keys, command.addresses, strict=True):
        if key in order.lookup_keys:
            continue
        new_reference = address.member is not None and "order_ref" not in order.refs
        if elsewhere(key) or not (new_reference or address.kind == "entry-id"):
            return Problem(Code.IDENTITY_CONFLICT, address.path, "does not name the same order as the rest")
    return None


def _said_before(order: Order, command: Command) -> Outcome | None:
    key = command.idempotency_key
    if key is not None:
        reused = Problem(Code.IDEMPOTENCY_CONFLICT, header("idempotency-key"), "was used with another value")
        if key == order.idempotency_key:
            return Refusal.of(reused)
        for seen in order.ledger.seen:
            if seen.key == key:
                return Unchanged("its idempotency key was seen") if seen.said == command.said else Refusal.of(reused)
    version, known = command.source_version, order.ledger.source_version
    if version is not None and known is not None and version <= known:
        return Unchanged("it is older than the order")
    return None


def _taken_lines(command: Command, elsewhere: Callable[[str], bool]) -> list[Problem]:
    return [
        Problem(Code.DUPLICATE_ENTRY, address.path, "names a line of another order")
        for key, address in zip(command.brought, command.brings, strict=True)
        if elsewhere(key)
    ]


def _changed_body(order: Order, command: Command, dialect: Dialect) -> JsonObject | Unchanged | Refusal:
    shape = dialect.shapes[command.operation]
    aside = shape.ignored | shape.addressing
    said = {name: member for name, member in command.value.items() if name not in aside}
    match command.operation:
        case Operation.PATCH:
            return {**_cleared(order.body, said), **_references(order, command)}
        case Operation.REPLACE:
            kept = {name: member for name, member in order.body.items() if name in dialect.kept}
            return {**kept, **said, **_references(order, command)}
        case Operation.ENTRY_CREATE | Operation.ENTRY_UPDATE | Operation.ENTRY_DELETE:
            body = with_entry(order.body, command, dialect)
            return {**body, **_references(order, command)} if isinstance(body, dict) else body
        case Operation.CREATE | Operation.DELETE:
            raise ValueError(f"{command.operation} changes no body")
        case _:
            assert_never(command.operation)


def _cleared(body: JsonObject, said: JsonObject) -> JsonObject:
    """*body* with the members that were sent; null takes one away."""
    changed = {**body, **{name: member for name, member in said.items() if member is not None}}
    cleared = {name for name, member in said.items() if member is None and body.get(name) is not None}
    return {name: member for name, member in changed.items() if name not in cleared}


def _references(order: Order, command: Command) -> JsonObject:
    """A reference that the order did not have, under the member that holds it."""
    return {
        address.member: address.value
        for address in command.addresses
        if address.member is not None and "order_ref" not in order.refs
    }


def _judged(order: Order, command: Command, dialect: Dialect, rules: Rules, body: JsonObject) -> Outcome:
    """The second step of an update: the whole order that it would leave behind."""
    problems = (*changed_references(order.body, body, dialect), *dialect.rules(body, True, rules))  # noqa: FBT003  # the contract's own signature
    if problems:
        return Refusal.of(*problems)
    if same(body, order.body):
        return Unchanged("nothing differs")
    after = changed(order, command, dialect, rules, body)
    return Applied(after, event=after.sequence > order.sequence)
