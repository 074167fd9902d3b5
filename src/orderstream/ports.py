"""What the pipeline needs from the world, as it wants to call it."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from orderstream.batch import Answer, Decided, Write
from orderstream.order import Order, Position
from orderstream.status_event import Event
from orderstream.trouble import System, UnavailableError


class Written(NamedTuple):
    """*done*: every order is stored. Otherwise load and decide again."""

    done: bool
    taken: tuple[str, ...] = ()  # lookup keys that other orders hold
    unstorable: tuple[str, ...] = ()  # ids of orders that no document can hold; nothing was written


class Orders(Protocol):
    """Where orders are kept; every method raises `UnavailableError`."""

    async def load(self, keys: Collection[str], ids: Collection[str]) -> list[Order]:
        """Every order that one of the keys or document ids finds, as a majority has it."""

    async def is_absent(self, key: str) -> bool:
        """Whether no order has this key, beyond doubt."""

    async def write(self, writes: Sequence[Write]) -> Written:
        """Store all orders, each guarded by the version that was loaded."""

    async def take_numbers(self, count: int) -> range:
        """As many int64 ids that nobody had before."""


class Outputs(Protocol):
    """Where events and rejections go."""

    async def publish(self, events: Sequence[Event], rejected: Sequence[Answer]) -> None:
        """Return when all in-sync replicas have all of them. Raises `UnavailableError`."""


class Observer(Protocol):
    """Who is told what happens: logs and metrics."""

    def batch_done(self, lane: int, decided: Decided, seconds: Mapping[str, float]) -> None:
        """A batch is written and its outputs are acknowledged."""

    def unavailable(self, error: UnavailableError, attempt: int) -> None:
        """A server could not be had; it is tried again."""

    def available(self, system: System) -> None:
        """The server answered."""

    def failed(self, lane: int, reason: str, attempt: int) -> None:
        """The worker itself is at fault; the batch is tried again."""

    def stopped(self, lane: int, position: Position, reason: str) -> None:
        """The lane stands until somebody decides."""
