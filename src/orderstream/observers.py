"""Who is told what happens: the log and the metrics, together."""

from collections.abc import Callable, Mapping
from datetime import datetime

from orderstream.answers import Decided
from orderstream.logs import EventName, LogObserver
from orderstream.metrics import Metrics
from orderstream.order import Position
from orderstream.trouble import System, UnavailableError


class Observers:
    """One for all parts of a worker."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.log, self.metrics = LogObserver(), Metrics(now)

    def say(self, event: EventName, level: str = "info", **bound: object) -> None:
        """One line of the log."""
        self.log.say(event, level, **bound)

    def batch_done(self, lane: int, decided: Decided, seconds: Mapping[str, float]) -> None:
        """A batch is written and its outputs are acknowledged."""
        self.log.batch_done(lane, decided, seconds)
        self.metrics.batch_done(decided, seconds)

    def tell_batches(self, *, at_the_end: bool = False) -> None:
        """What the log has held back, if it is time or the end."""
        self.log.tell_batches(at_the_end=at_the_end)

    def unavailable(self, error: UnavailableError, attempt: int) -> None:
        """A server could not be had; it is tried again."""
        self.log.unavailable(error, attempt)
        self.metrics.retried(error.system)

    def available(self, system: System) -> None:
        """The server answered."""
        self.log.available(system)

    def failed(self, lane: int, reason: str, attempt: int) -> None:
        """The worker itself is at fault; the batch is tried again."""
        self.log.failed(lane, reason, attempt)
        self.metrics.retried("worker")

    def fault(self, reason: str) -> None:
        """The worker itself is at fault, outside of a batch; it tries again."""
        self.log.say("worker.failed", "error", reason=reason)
        self.metrics.retried("worker")

    def stopped(self, lane: int, position: Position, reason: str) -> None:
        """The lane stands until somebody decides."""
        self.log.stopped(lane, position, reason)
