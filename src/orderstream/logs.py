"""Logs: one JSON object per line, the libraries' included; event names are listed once (interface 8)."""

import logging
import sys
from collections import Counter
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Literal, TypeAlias

import structlog

from orderstream.answers import EXPIRED, Answer, Decided
from orderstream.dialects import DIALECTS
from orderstream.order import Position
from orderstream.trouble import System, UnavailableError

EventName: TypeAlias = Literal[
    "worker.started", "worker.stopped", "worker.failed", "partitions.assigned", "partitions.revoked",
    "partition.stopped", "partition.unreadable", "offset.overruled", "consumer.replaced", "batch.done", "batch.failed",
    "order.rejected", "order.parked", "order.park-expired", "topics.unfit", "topics.missing",
    "mongo.unavailable", "mongo.available", "kafka.unavailable", "kafka.available", "commit.failed",
]  # fmt: skip

QUIET: Final = ("aiokafka", "faststream", "pymongo", "motor", "uvicorn", "asyncio")
"""Libraries heard from warning on, whatever our level: their debug lines hold keys, values and commands."""


def set_up(level: str, form: Literal["json", "console"]) -> None:
    """Send every log line of the process to standard output, in one form."""
    ours: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer()
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*ours, _of_a_library],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*ours, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _of_a_library(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's line: its values may be anything, so only its template and its place are kept."""
    record: logging.LogRecord = event["_record"]
    error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
    record.exc_info = None
    return {
        "event": "library.log",
        "level": event["level"],
        "timestamp": event["timestamp"],
        "logger": record.name,
        "where": f"{record.filename}:{record.lineno}",
        "template": str(record.msg) if record.args else None,
        "error": error,
        "_record": record,
        "_from_structlog": False,
    }


class LogObserver:
    """Tells the log what the lanes do; one line per batch, one per rejection."""

    def __init__(self) -> None:
        self._log = structlog.stdlib.get_logger()
        self._down: set[System] = set()

    def say(self, event: EventName, level: str = "info", **bound: object) -> None:
        """One line."""
        self._log.log(logging.getLevelNamesMapping()[level.upper()], event, **bound)

    def batch_done(self, lane: int, decided: Decided, seconds: Mapping[str, float]) -> None:
        """Counts by outcome, milliseconds by step; each rejection on a line of its own."""
        outcomes = Counter("repeated" if answer.repeated else str(answer.verdict) for answer in decided.answers)
        self.say(
            "batch.done",
            partition=lane,
            messages=len(decided.answers),
            outcomes=dict(outcomes),
            events=len(decided.events),
            milliseconds={step: round(spent * 1000, 1) for step, spent in seconds.items()},
        )
        for answer in (*decided.answers, *decided.taken):
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        topic, partition, offset = answer.record.position
        if answer.verdict == "rejected":
            event: EventName = "order.park-expired" if answer.reason == EXPIRED else "order.rejected"
            self.say(event, "warning", **_rejection(answer))
        elif answer.verdict == "parked" and not answer.repeated:
            self.say("order.parked", topic=topic, partition=partition, offset=offset)

    def unavailable(self, error: UnavailableError, attempt: int) -> None:
        """Once when it goes away, and again at every tenth try."""
        if error.system not in self._down or attempt % 10 == 0:
            self._down.add(error.system)
            event: EventName = "mongo.unavailable" if error.system == "mongo" else "kafka.unavailable"
            self.say(event, "warning", reason=error.reason, attempt=attempt)

    def available(self, system: System) -> None:
        """Once when it is back."""
        if system in self._down:
            self._down.discard(system)
            self.say("mongo.available" if system == "mongo" else "kafka.available")

    def failed(self, lane: int, reason: str, attempt: int) -> None:
        """The worker itself is at fault; the batch is tried again."""
        self.say("batch.failed", "error", partition=lane, reason=reason, attempt=attempt)

    def stopped(self, lane: int, position: Position, reason: str) -> None:
        """The lane stands until somebody decides."""
        self.say(
            "partition.stopped", "error", topic=position.topic, partition=lane, offset=position.offset, reason=reason
        )


def _rejection(answer: Answer) -> dict[str, object]:
    topic, partition, offset = answer.record.position
    sent = {name: value.decode(errors="replace")[:512] for name, value in answer.record.headers if value is not None}
    dialect = sent.get("dialect")
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "code": answer.problems[0].code,
        "paths": [problem.path for problem in answer.problems[:10]],
        "problems": answer.problem_count,
        "order_id": answer.order_id,
        "dialect": dialect if dialect in DIALECTS else None,
        "tenant": answer.command.tenant if answer.command else sent.get("tenant", sent.get("site-account")),
        "correlation_id": sent.get("correlation-id"),
    }
