"""What an entry operation makes of the lines of an order (contracts 1.3 and wishlist 2; pure)."""

from collections.abc import Iterator
from typing import assert_never

from orderstream.commands import Address, Command, LineName, Operation
from orderstream.dialect import Dialect, Lines, objects
from orderstream.json_text import JsonObject, same
from orderstream.outcomes import Refusal, Unchanged
from orderstream.problems import Code, Problem, header, path


def with_entry(body: JsonObject, command: Command, dialect: Dialect) -> JsonObject | Unchanged | Refusal:
    """*body* after an entry operation, or why it stays as it is."""
    lines, name = dialect.lines, command.line
    if lines is None or name is None:
        raise ValueError(f"{dialect.name} has no lines to address")
    stored = objects(body.get(lines.member))
    place = _place(stored, lines.id, name.id)
    if place is None:
        place = _place(stored, lines.ref, name.ref)
    changed = _changed(stored, place, command, dialect, lines)
    return {**body, lines.member: list(changed)} if isinstance(changed, list) else changed


def changed_references(before: JsonObject, after: JsonObject, dialect: Dialect) -> Iterator[Problem]:
    """Lines that are known by their id and would get another reference (contracts 1.3)."""
    lines = dialect.lines
    if lines is None or not lines.addressable or lines.id is None or lines.ref is None:
        return
    known = {line.get(lines.id): line[lines.ref] for line in objects(before.get(lines.member)) if lines.ref in line}
    for index, line in enumerate(objects(after.get(lines.member))):
        reference = known.get(line.get(lines.id))
        if reference is not None and line.get(lines.ref) != reference:
            place = path(lines.member, index, lines.ref)
            yield Problem(Code.IDENTITY_CONFLICT, place, "the line has another reference, which never changes")


def _place(stored: list[JsonObject], member: str | None, named: Address | None) -> int | None:
    if member is None or named is None:
        return None
    return next((place for place, line in enumerate(stored) if line.get(member) == named.value), None)


def _changed(
    stored: list[JsonObject], place: int | None, command: Command, dialect: Dialect, lines: Lines
) -> list[JsonObject] | Unchanged | Refusal:
    name = command.line or LineName(None, None)
    match command.operation:
        case Operation.ENTRY_CREATE:
            return [*stored, command.value] if place is None else _met(stored[place], command, lines, name)
        case Operation.ENTRY_UPDATE:
            if place is None:
                return Refusal.of(Problem(Code.ENTRY_NOT_FOUND, _path(name), "the order has no such line"))
            line = _updated(stored[place], command, dialect, lines, name)
            return line if isinstance(line, Refusal) else [*stored[:place], line, *stored[place + 1 :]]
        case Operation.ENTRY_DELETE:
            if place is None:
                return Unchanged("the order has no such line")
            return stored[:place] + stored[place + 1 :]
        case Operation.CREATE | Operation.PATCH | Operation.REPLACE | Operation.DELETE:
            raise ValueError(f"{command.operation} is not about a line")
        case _:
            assert_never(command.operation)


def _met(line: JsonObject, command: Command, lines: Lines, name: LineName) -> Unchanged | Refusal:
    """A new line meets one of the same id or reference: equal, or another one."""
    assigned = {lines.id} - command.value.keys()
    if same({member: value for member, value in line.items() if member not in assigned}, command.value):
        return Unchanged("the order has this line")
    return Refusal.of(Problem(Code.DUPLICATE_ENTRY, _path(name), "names a line with other content"))


def _updated(
    line: JsonObject, command: Command, dialect: Dialect, lines: Lines, name: LineName
) -> JsonObject | Refusal:
    named = {lines.id: name.id, lines.ref: name.ref}
    for member, address in named.items():
        if member and address and line.get(member, address.value) != address.value:
            return Refusal.of(Problem(Code.IDENTITY_CONFLICT, address.path, "names another line"))
    shape = dialect.shapes[command.operation]
    said = {member: value for member, value in command.value.items() if member not in shape.addressing}
    added = {lines.ref: name.ref.value} if lines.ref and name.ref else {}
    return {**line, **added, **said}


def _path(name: LineName) -> str:
    named = name.id or name.ref
    return named.path if named else header("entry-id")
