"""Logs: one JSON object per line, the libraries' included; event names are listed once (interface 8)."""

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Final, Literal, TextIO, TypeAlias

import structlog

from orderstream.alarm import WINDOW_SECONDS, Alarm
from orderstream.answers import EXPIRED, OTHER, Answer, Decided, dialect_of, outcome_of
from orderstream.console import Console
from orderstream.headers import trace_id
from orderstream.order import Position
from orderstream.trouble import System, UnavailableError

EventName: TypeAlias = Literal[
    "worker.started", "worker.stopped", "worker.failed", "worker.died", "partitions.assigned", "partitions.revoked",
    "partition.stopped", "partition.unreadable", "offset.overruled", "consumer.replaced", "batch.done", "batch.failed",
    "order.rejected", "order.parked", "order.park-expired", "order.key-changed", "topics.unfit", "topics.missing",
    "mongo.unavailable", "mongo.available", "kafka.unavailable", "kafka.available", "commit.failed",
    "rejections.high", "rejections.normal", "rejected.replayed", "tracing.off", "library.log", "plaintext.allowed",
]  # fmt: skip

QUIET: Final = ("aiokafka", "faststream", "pymongo", "motor", "uvicorn", "asyncio", "opentelemetry", "urllib3")
"""Libraries heard from warning on, whatever our level: their debug lines hold keys, values and commands."""


BATCHES_SECONDS: Final = 1.0  # between two lines of a lane's batches: at rest there are hundreds of them a second

STAMPS: Final[Sequence[structlog.typing.Processor]] = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def set_up(level: str, form: Literal["json", "console"]) -> None:
    """Send every log line of the process to standard output, in one form."""
    ours: list[structlog.typing.Processor] = [structlog.contextvars.merge_contextvars, *STAMPS]
    last = _renderer(form, sys.stdout)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*ours, _of_a_library],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
            pass_foreign_args=True,
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


def record(event: EventName, form: Literal["json", "console"], **bound: object) -> None:
    """One line of a command, on standard error."""
    to = structlog.PrintLogger(sys.stderr)
    logger = structlog.wrap_logger(
        to, processors=[*STAMPS, _renderer(form, sys.stderr)], wrapper_class=structlog.BoundLogger
    )
    logger.info(event, **bound)


def _renderer(form: Literal["json", "console"], to: TextIO) -> structlog.typing.Processor:
    return structlog.processors.JSONRenderer() if form == "json" else Console(colour=to.isatty())


def _of_a_library(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's line: its values may be anything, so only its template and its place are kept."""
    record: logging.LogRecord = event["_record"]
    error = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
    record.exc_info = None
    template = str(record.msg) if event["positional_args"] else None  # what has no arguments may be put together
    known = {"template": template, "error": error}
    return {
        "event": "library.log",
        "level": event["level"],
        "timestamp": event["timestamp"],
        "logger": record.name,
        "where": f"{record.filename}:{record.lineno}",
        **{name: text for name, text in known.items() if text},
        "_record": record,
        "_from_structlog": False,
    }


class _Tally:
    """What the batches of a lane came to since its last line."""

    def __init__(self, told_at: float) -> None:
        self.told_at = told_at
        self.batches = self.messages = self.events = 0
        self.outcomes: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()

    def add(self, decided: Decided, seconds: Mapping[str, float]) -> None:
        self.batches += 1
        self.messages += len(decided.answers)
        self.events += len(decided.events)
        self.outcomes.update(map(outcome_of, decided.answers))
        self.seconds.update(seconds)

    @property
    def bound(self) -> dict[str, Any]:
        """As a line shows it."""
        milliseconds = {step: round(spent * 1000, 1) for step, spent in self.seconds.items()}
        counts = {"batches": self.batches, "messages": self.messages, "outcomes": dict(self.outcomes)}
        return {**counts, "events": self.events, "milliseconds": milliseconds}


class LogObserver:
    """Tells the log what the lanes do: a line for each rejection, one a second at most for a lane's batches."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = structlog.stdlib.get_logger()
        self._tallies: dict[int, _Tally] = {}  # by lane
        self._down: dict[System, str] = {}  # and why
        self._alarm, self._clock = Alarm(), clock

    def say(self, event: EventName, level: str = "info", **bound: object) -> None:
        """One line."""
        self._log.log(logging.getLevelNamesMapping()[level.upper()], event, **bound)

    def batch_done(self, lane: int, decided: Decided, seconds: Mapping[str, float]) -> None:
        """Counts by outcome, milliseconds by step; each rejection on a line of its own."""
        self._tallies.setdefault(lane, _Tally(-BATCHES_SECONDS)).add(decided, seconds)
        self.tell_batches()
        for answer in (*decided.answers, *decided.taken):
            self._answer(answer)
        for answer in _under_another_key(decided):
            self.say("order.key-changed", "warning", **_about(answer), order_id=answer.order_id)
        self._watch([answer for answer in (*decided.answers, *decided.taken) if not answer.repeated])

    def tell_batches(self, *, at_the_end: bool = False) -> None:
        """A line for each lane that had batches and is not told of for a second; at the end for each that had any."""
        now = self._clock()
        for lane, tally in self._tallies.items():
            if tally.batches and (now >= tally.told_at + BATCHES_SECONDS or at_the_end):
                self.say("batch.done", partition=lane, **tally.bound)
                self._tallies[lane] = _Tally(now)

    def _watch(self, answers: Sequence[Answer]) -> None:
        """An error once when too many messages of a dialect are rejected, and a line when that is over."""
        messages = Counter(map(dialect_of, answers))
        rejected = Counter(dialect_of(answer) for answer in answers if answer.verdict == "rejected")
        now = self._clock()
        for dialect, count in messages.items():
            self._alarm.count(dialect, count, rejected[dialect], now)
        for dialect, turn, rate in self._alarm.turns(now):
            told: dict[str, Any] = {"dialect": dialect, **rate._asdict(), "seconds": WINDOW_SECONDS}
            if turn == "high":
                self.say("rejections.high", "error", **told, remedy="see `orderstream rejected list`")
            else:
                self.say("rejections.normal", **told)

    def _answer(self, answer: Answer) -> None:
        if answer.verdict == "rejected":
            event: EventName = "order.park-expired" if answer.reason == EXPIRED else "order.rejected"
            self.say(event, "warning", **_about(answer), **_rejection(answer))
        elif answer.verdict == "parked" and not answer.repeated:
            self.say("order.parked", **_about(answer))

    def unavailable(self, error: UnavailableError, attempt: int) -> None:
        """Once when it goes away, again at every tenth try, and when somebody has something else to mend."""
        is_news = error.remedy is not None and error.reason != self._down.get(error.system)
        if error.system not in self._down or attempt % 10 == 0 or is_news:
            self._down[error.system] = error.reason
            event: EventName = "mongo.unavailable" if error.system == "mongo" else "kafka.unavailable"
            self.say(event, "warning", reason=error.reason, **_remedy(error), attempt=attempt)

    def available(self, system: System) -> None:
        """Once when it is back."""
        if system in self._down:
            del self._down[system]
            self.say("mongo.available" if system == "mongo" else "kafka.available")

    def failed(self, lane: int, reason: str, attempt: int) -> None:
        """The worker itself is at fault; the batch is tried again."""
        self.say("batch.failed", "error", partition=lane, reason=reason, attempt=attempt)

    def stopped(self, lane: int, position: Position, reason: str) -> None:
        """The lane stands until somebody decides."""
        self.say(
            "partition.stopped", "error", topic=position.topic, partition=lane, offset=position.offset, reason=reason
        )


def _under_another_key(decided: Decided) -> Iterable[Answer]:
    """The first message of each order whose record key is not that of the order's create."""
    keys = {write.after.id: write.after.record_key for write in decided.writes if write.after.record_key is not None}
    for answer in (*decided.answers, *decided.taken):
        if answer.command is None or answer.repeated or answer.order_id not in keys:
            continue
        if answer.command.record_key != keys[answer.order_id]:
            del keys[answer.order_id]
            yield answer


def _remedy(error: UnavailableError) -> dict[str, str]:
    return {"remedy": error.remedy} if error.remedy else {}


def _about(answer: Answer) -> dict[str, Any]:
    """Where the message stands, and who sent it; what it does not say is left out."""
    topic, partition, offset = answer.record.position
    sent = {name: value.decode(errors="replace")[:512] for name, value in answer.record.headers if value is not None}
    dialect = dialect_of(answer)
    known = {
        "dialect": None if dialect == OTHER else dialect,
        "tenant": answer.command.tenant if answer.command else sent.get("tenant", sent.get("site-account")),
        "correlation_id": sent.get("correlation-id"),
        "trace_id": trace_id(sent.get("traceparent", "")),
    }
    place = {"topic": topic, "partition": partition, "offset": offset}
    return {**place, **{name: text for name, text in known.items() if text is not None}}


def _rejection(answer: Answer) -> dict[str, Any]:
    return {
        "code": answer.problems[0].code,
        "paths": [problem.path for problem in answer.problems[:10]],
        "problems": answer.problem_count,
        **({"order_id": answer.order_id} if answer.order_id else {}),
    }
