"""Metrics of one worker, for Prometheus (interface 7); every label is of a closed set."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import product
from typing import Final, Literal, NamedTuple, get_args

from prometheus_client import (
    CollectorRegistry,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client import Counter as Count
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from orderstream.answers import OTHER, Answer, Decided, Verdict, dialect_of, operation_of, outcome_of
from orderstream.commands import Operation
from orderstream.dialects import DIALECTS
from orderstream.ledger import Partition
from orderstream.problems import Code
from orderstream.status_event import Repeat
from orderstream.trouble import System

SENDERS: Final = (*DIALECTS, OTHER)
OPERATIONS: Final = (*Operation, OTHER)
OUTCOMES: Final = (*get_args(Verdict), "repeated")
TYPES: Final = ("order.created", "order.status-changed", "order.deleted")
REPEATS: Final = get_args(Repeat)
SYSTEMS: Final = (*get_args(System), "worker")
MESSAGES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)
STEP_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
EVENT_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, with the time at which it began


class State(NamedTuple):
    """What gauges show, as it is when they are asked."""

    ready: bool
    parked: int
    lag: Mapping[Partition, int]  # of the partitions that this worker has, by the names of their topics
    standing: Mapping[Partition, bool]  # whether they do not move


NOT_YET: Final = State(ready=False, parked=0, lag={}, standing={})


class Metrics:
    """Counts what the lanes do; one registry, which belongs to this worker."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.registry = CollectorRegistry()
        self._now = now
        self._messages = self._count(
            "messages", "Messages by what was decided; a parked one counts again then.",
            "dialect", "operation", "outcome",
        )  # fmt: skip
        self._rejections = self._count("rejections", "Rejected messages by their first code.", "dialect", "code")
        self._events = self._count("events", "Status events published, repeats included.", "type")
        self._repeats = self._count(
            "repeats", "Status events published although they had been, or may have been, before.", "reason"
        )
        self._retries = self._count("retries", "Tries that failed and were repeated, by who was at fault.", "system")
        self._batch = self._histogram("batch_messages", "Messages in a batch.", MESSAGES)
        self._step = self._histogram("step_seconds", "Seconds a batch spent in a step.", STEP_SECONDS, "step")
        self._end_to_end = self._histogram(
            "end_to_end_seconds", "Seconds from a record's time until its status event was acknowledged.", EVENT_SECONDS
        )
        self._begin_at_0()
        self._gauges = _Gauges()
        self.registry.register(self._gauges)
        ProcessCollector(registry=self.registry)

    def text(self, state: State) -> bytes:
        """All of it in Prometheus' text format."""
        self._gauges.state = state
        return generate_latest(self.registry)

    def batch_done(self, decided: Decided, seconds: Mapping[str, float]) -> None:
        """Added up by labels first: one batch may hold hundreds of messages."""
        answers = (*decided.answers, *decided.taken)
        _add(self._messages, ((dialect_of(one), operation_of(one), outcome_of(one)) for one in answers))
        _add(self._rejections, ((dialect_of(one), one.problems[0].code) for one in answers if _is_rejection(one)))
        _add(self._events, ((event.type,) for event in decided.events))
        _add(self._repeats, ((event.again,) for event in decided.events if event.again))
        if decided.answers:
            self._batch.observe(len(decided.answers))
        for step, spent in seconds.items():
            self._step.labels(step).observe(spent)
        now = self._now()
        for event in decided.events:
            if not event.again:
                self._end_to_end.observe(max(0.0, (now - event.at).total_seconds()))

    def retried(self, system: System | Literal["worker"]) -> None:
        """A try that a server or the worker itself has spoiled."""
        self._retries.labels(system).inc()

    def _begin_at_0(self) -> None:
        """All counters: to Prometheus, what comes with a number is no increase, and the first burst would be lost."""
        for counter, *labels in (
            (self._messages, SENDERS, OPERATIONS, OUTCOMES),
            (self._rejections, SENDERS, Code),
            (self._events, TYPES),
            (self._repeats, REPEATS),
            (self._retries, SYSTEMS),
        ):
            for values in product(*labels):
                counter.labels(*values)

    def _count(self, name: str, meaning: str, *labels: str) -> Count:
        return Count(f"orderstream_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: Iterable[float], *labels: str) -> Histogram:
        return Histogram(f"orderstream_{name}", meaning, labels, registry=self.registry, buckets=tuple(buckets))


def _add(counter: Count, labelled: Iterable[tuple[str, ...]]) -> None:
    for labels, count in Counter(labelled).items():
        counter.labels(*labels).inc(count)


def _is_rejection(answer: Answer) -> bool:
    return answer.verdict == "rejected" and not answer.repeated


class _Gauges(Collector):
    """Made at each scrape, so that nothing is left of a partition which the group has taken away."""

    def __init__(self) -> None:
        self.state = NOT_YET

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Of this moment."""
        ready, parked, lag, standing = self.state
        yield _gauge("ready", "1 when Kafka and MongoDB answer and partitions move, or none is left for us.", ready)
        yield _gauge("parked_updates", "Updates that wait for their create.", parked)
        yield _gauges("consumer_lag", "Records that are in the partition and not finished.", lag)
        yield _gauges("partition_standing", "1 when the partition does not move; the log says why.", standing)


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"orderstream_{name}", meaning, value=float(value))


def _gauges(name: str, meaning: str, values: Mapping[Partition, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"orderstream_{name}", meaning, labels=("topic", "partition"))
    for (topic, number), value in values.items():
        family.add_metric((topic, str(number)), float(value))
    return family
