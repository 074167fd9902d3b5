"""How a message must name its order, owner and line, found by asking its dialect."""

from collections.abc import Collection
from itertools import chain, combinations
from typing import Final, NamedTuple

from orderstream.commands import Operation
from orderstream.dialect import Dialect, Message
from orderstream.headers import ADDRESSES
from orderstream.json_text import JsonObject
from orderstream.problems import Code

HEADERS: Final = ("tenant", *ADDRESSES)


class Naming(NamedTuple):
    """The least sets of headers that are enough without the value, and whether the value is enough without them."""

    headers: tuple[tuple[str, ...], ...]
    in_value: bool

    @property
    def either(self) -> bool:
        """Whether a sender may choose."""
        return self.in_value and any(self.headers)

    def __str__(self) -> str:
        return ", or ".join(" and ".join(f"`{name}`" for name in names) for names in self.headers)


def naming(dialect: Dialect, operation: Operation) -> Naming:
    """What messages of this operation need."""
    optional = [name for name, form in dialect.headers(operation).items() if name in HEADERS and not form.required]
    choices = chain.from_iterable(combinations(optional, size) for size in range(len(optional) + 1))
    enough = [names for names in choices if _is_named(dialect, operation, names, {})]
    least = tuple(names for names in enough if not any(set(fewer) < set(names) for fewer in enough))
    members = dialect.shapes[operation].validator.json_schema()["properties"]
    return Naming(least, in_value=_is_named(dialect, operation, (), dict.fromkeys(members, "x")))


def _is_named(dialect: Dialect, operation: Operation, sent: Collection[str], value: JsonObject) -> bool:
    problems = dialect.identity(Message(operation, {}, value, sent))
    return all(problem.code is not Code.IDENTITY_MISSING for problem in problems)
