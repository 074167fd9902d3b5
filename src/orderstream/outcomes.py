"""What can come of a message: values, every one of them; trouble is an exception and never one of these."""

from dataclasses import dataclass
from typing import TypeAlias

from orderstream.order import Order
from orderstream.problems import Code, Problem, in_order


@dataclass(frozen=True, slots=True)
class Refusal:
    """The message is rejected, for all of these problems, in the order of contracts 1.6."""

    problems: tuple[Problem, ...]

    @classmethod
    def of(cls, *problems: Problem) -> "Refusal":
        """Sorted, and each problem once."""
        return cls(in_order(problems))

    @classmethod
    def unstorable(cls) -> "Refusal":
        """No document can hold what the message would make of the order."""
        message = "no document can hold the order: too many bytes, or a sum of more than 34 digits"
        return cls.of(Problem(Code.UNSTORABLE, "value", message))

    @property
    def code(self) -> Code:
        """The code by which it is counted."""
        return self.problems[0].code


@dataclass(frozen=True, slots=True)
class Applied:
    """The order as it stands afterwards; *event*: its status changed, or it is new or deleted."""

    order: Order
    event: bool


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing differs, or it was said before, or too late; *again*: the first event answers the sender."""

    reason: str
    again: bool = False


Outcome: TypeAlias = Applied | Unchanged | Refusal
