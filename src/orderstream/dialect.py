"""What a dialect has to say: one frozen value per dialect, filled in its own module."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Context, Decimal
from functools import cached_property, reduce
from typing import Any, Final, NamedTuple, TypeAlias

from pydantic import TypeAdapter

from orderstream.commands import Address, Operation
from orderstream.identity import Identities
from orderstream.json_text import Json, JsonObject
from orderstream.order import FulfilmentStatus, OrderStatus, PaymentStatus, Status, Warned
from orderstream.problems import Problem

_EXACT: Final = Context(prec=1_000)  # more digits than any sum of doubles and int64 has


class Unsound:
    """Stands in a value where a member broke its own rule, so that rules across members leave it out."""


UNSOUND: Final[Any] = Unsound()


class Meaning(NamedTuple):
    """What a value of a vocabulary means; None leaves the canonical value as it is (contracts 3)."""

    order: OrderStatus | None = None
    payment: PaymentStatus | None = None
    fulfilment: FulfilmentStatus | None = None

    def over(self, status: Status) -> Status:
        """*status* with what this value says put over it."""
        return Status(
            self.order or status.order,
            self.payment or status.payment,
            self.fulfilment or status.fulfilment,
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """What the rules file adds for one dialect (interface 6)."""

    added: Mapping[str, Mapping[str, Meaning]] = field(default_factory=dict)  # vocabulary -> value -> meaning
    relaxed: frozenset[str] = frozenset()  # names of bounds that do not hold


AS_THE_CONTRACTS_SAY: Final = Rules()


@dataclass(frozen=True)
class Shape:
    """What the value of one operation looks like: a `TypedDict` whose members are all optional, and its exceptions."""

    model: Any
    required: frozenset[str] = frozenset()
    read_only: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()  # checked, and not stored
    addressing: frozenset[str] = frozenset()  # only say which order or line is meant
    conditions: Sequence[JsonObject] = ()  # of the rules across members, what JSON Schema can say
    unsaid: Sequence[str] = ()  # and what it cannot, for its readers

    @cached_property
    def validator(self) -> "TypeAdapter[JsonObject]":
        """Made once; it gives a dictionary of the members that were sent."""
        return TypeAdapter(self.model)


class HeaderForm(NamedTuple):
    """What a header must look like: *normal* gives its normal form, or None when it is wrong."""

    normal: Callable[[str], str | None]
    described: str
    required: bool = False
    schema: JsonObject = {}  # noqa: RUF012  # the same for JSON Schema, as far as it can say it


class Normalised(NamedTuple):
    """A value after its dialect's normalisations, and what they had to change."""

    value: JsonObject
    warnings: tuple[Warned, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """What decoding knows of a message while it is judged; unsound members of *value* hold `UNSOUND`."""

    operation: Operation
    headers: Mapping[str, str]  # those that the contract names and that are right, in normal form
    value: JsonObject
    sent: Collection[str]  # names of the headers that came, wrong ones included


@dataclass(frozen=True, slots=True)
class Lines:
    """The body member that holds the lines, and the members that name one; None: a line is named by its position."""

    member: str
    id: str | None = None
    ref: str | None = None
    addressable: bool = False  # an id names its line, and so its order, in the whole tenant


class Canonical(NamedTuple):
    """The common members of the document that stand in every dialect under another name (contracts 2)."""

    customer: Mapping[str, str | Mapping[str, str]]
    currency: Mapping[str, str | None]
    totals: Mapping[str, Decimal]
    placed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A message as upstream teams may send it: for the demo, the schemas and the tests."""

    title: str
    headers: Mapping[str, str]
    key: str
    value: JsonObject

    @property
    def operation(self) -> Operation:
        """What its headers ask for; a create need not say it."""
        return Operation(self.headers.get("operation", Operation.CREATE))


Problems: TypeAlias = Iterable[Problem]


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One upstream's way to speak of orders."""

    name: str
    shapes: Mapping[Operation, Shape]
    headers: Callable[[Operation], Mapping[str, HeaderForm]]
    """Forms of the headers that this operation uses; an address header that is not among them is wrong."""
    tenant: Callable[[Message], str | None]
    identify: Callable[[Message], tuple[Address, ...]]
    """How the message names its order, in the order in which it is looked up."""
    identity: Callable[[Message], Problems]
    """What is wrong with how the message names its order, line or owner."""
    normalise: Callable[[JsonObject, Operation], Normalised]
    """Before validation: must bear any JSON and give back what it does not understand."""
    rules: Callable[[JsonObject, bool, Rules], Problems]
    """Rules across members; the flag says whether the value is a whole order."""
    assign: Callable[[JsonObject, JsonObject, Identities], JsonObject]
    """The body with the ids that the worker assigns (contracts 1.7); the second argument is the body before."""
    refs: Callable[[JsonObject], dict[str, str | Mapping[str, str]]]
    """Ids and references that stand in a body."""
    keys: Callable[[JsonObject], Iterable[Address]]
    """How an order with this body can be addressed, its lines included."""
    canonical: Callable[[JsonObject], Canonical]
    status: Callable[[Status, JsonObject, Rules], Status]
    """The canonical status of an order with this body that had this one before."""
    native: Callable[[JsonObject], JsonObject]
    warnings: Callable[[JsonObject, Mapping[str, str]], Iterable[Warned]]
    """Warnings about an order as it stands: its body and its site."""
    kept: Collection[str] = frozenset()
    """Members that a replace does not remove when it leaves them out."""
    lines: Lines | None = None
    counted: bool = False
    """Whether a new order takes a number from the counter of int64 ids."""
    vocabularies: Collection[str] = frozenset()
    """Names of the lists that the rules file may add values to."""
    bounds: Collection[str] = frozenset()
    """Names of the bounds that the rules file may relax."""
    secret: Collection[str] = frozenset()
    """Member names whose values are masked wherever an order is shown."""
    examples: Sequence[Example] = ()
    """Creates first, then updates of the first order."""


def amount(value: Json) -> Decimal | None:
    """A number of a body as the decimal that was written; None for anything else."""
    if isinstance(value, float):
        return Decimal(repr(value))
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None


def total(values: Iterable[Json]) -> Decimal | None:
    """The sum of the numbers among *values*; None when there are none."""
    amounts = [number for value in values if (number := amount(value)) is not None]
    return exact_sum(amounts) if amounts else None


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum with all its digits; the default context would round it to 28."""
    return reduce(_EXACT.add, amounts, Decimal(0))


def present(**members: Decimal | None) -> dict[str, Decimal]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def objects(value: Json) -> list[JsonObject]:
    """The objects among the elements of an array; none when it is not one."""
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []
