"""What the pipeline needs from the world, as it wants to call it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from orderstream.answers import Answer, Decided, Write
from orderstream.commands import Record
from orderstream.ledger import Partition
from orderstream.order import Order, Position
from orderstream.parking import Changes, Mark
from orderstream.status_event import Event
from orderstream.trouble import System, UnavailableError


class Written(NamedTuple):
    """*done*: every order is stored. Otherwise load and decide again."""

    done: bool
    taken: tuple[str, ...] = ()  # lookup keys that other orders hold
    unstorable: tuple[str, ...] = ()  # ids of orders that no document can hold; nothing was written


class Fence(NamedTuple):
    """A lane's number and the epoch in which it is allowed to write what waits."""

    lane: int
    epoch: int


class FencedError(Exception):
    """Another owner has raised the epoch of this lane."""


class TooLargeError(Exception):
    """The orders that were to be loaded have more bytes together than wanted."""


class WaitingRecord(NamedTuple):
    """An update that waits as it is stored; *mark* is set when it is decided."""

    record: Record
    since: datetime
    mark: Mark | None


class Orders(Protocol):
    """Where orders are kept; every method raises `UnavailableError`."""

    async def load(self, keys: Collection[str], ids: Collection[str], most: int | None = None) -> list[Order]:
        """Every order that one of the keys or document ids finds, as a majority has it.

        Raises `TooLargeError` when they have more than *most* bytes.
        """

    async def are_absent(self, keys: Sequence[str]) -> bool:
        """Whether no order has any of these keys, beyond doubt."""

    async def write(self, writes: Sequence[Write], *, alone: bool = False) -> Written:
        """Store all orders, each guarded by the version that was loaded; *alone*: in no request with other lanes'."""

    async def take_numbers(self, count: int) -> range:
        """As many int64 ids that nobody had before."""

    async def raise_epoch(self, lane: int) -> int:
        """Shut out every earlier owner of this lane's waiting updates."""

    async def epoch_of(self, lane: int) -> int:
        """The epoch as it is now."""

    async def waiting(self, lane: int) -> list[WaitingRecord]:
        """The lane's updates that wait, and its marks."""

    async def write_fenced(self, fence: Fence, writes: Sequence[Write], waits: Changes) -> Written:
        """Orders and what becomes of updates that waited, all in one transaction.

        Raises `FencedError` when the lane has a newer epoch.
        """


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


class Group(Protocol):
    """What a lane asks its consumer group; every method raises `UnavailableError`."""

    async def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """Below these offsets every record is written and answered, whoever did it; 0 where nothing was."""

    async def confirms(self, offsets: Mapping[Partition, int]) -> bool:
        """Whether the group accepts a commit of these offsets, which it does only from the owner."""

    async def is_at_end(self, partition: Partition) -> bool:
        """Whether everything that the partition holds has been handed over."""
