"""One trace from the record that came to the event that goes out, by OpenTelemetry (the extra `tracing`)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import time_ns
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from orderstream.answers import Answer, Decided, dialect_of, operation_of
from orderstream.order import Position
from orderstream.status_event import Event

HEADER: Final = "traceparent"
W3C: Final = TraceContextTextMapPropagator()


class Tracing:
    """A span for each message when it is decided; it continues the sender's trace, and its event continues it."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("orderstream")

    @classmethod
    def to_collector(cls) -> "Tracing":
        """As the standard variables `OTEL_…` say; what cannot be sent is dropped, and nobody waits for it."""
        named = Resource({"service.name": "orderstream"}).merge(OTELResourceDetector().detect())
        provider = TracerProvider(resource=named)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    @contextmanager
    def __call__(self, decided: Decided, seconds: Mapping[str, float]) -> Iterator[Decided]:
        """Gives the same with the spans as traces of its events; publish it meanwhile."""
        started = time_ns() - int(sum(seconds.values()) * 1e9)
        answers = [answer for answer in (*decided.answers, *decided.taken) if not answer.repeated]
        spans = {answer.record.position: self._span(answer, started) for answer in answers}
        try:
            yield decided._replace(events=tuple(_carried_on(event, spans) for event in decided.events))
        except BaseException as error:
            for span in spans.values():
                span.set_status(StatusCode.ERROR, f"not acknowledged: {type(error).__name__}")
            raise
        finally:
            for span in spans.values():
                span.end()

    def _span(self, answer: Answer, started: int) -> Span:
        sent = next((value for name, value in answer.record.headers if name == HEADER and value), b"")
        span = self._tracer.start_span(
            f"process {answer.record.position.topic}",
            context=W3C.extract({HEADER: sent.decode(errors="replace")}),
            kind=SpanKind.CONSUMER,
            attributes=_attributes(answer),
            start_time=started,
        )
        if answer.verdict == "rejected":
            span.set_status(StatusCode.ERROR, answer.problems[0].code)
        return span


def _attributes(answer: Answer) -> dict[str, str | int]:
    """Ids and positions; no values."""
    topic, partition, offset = answer.record.position
    order_id = {"orderstream.order_id": answer.order_id} if answer.order_id else {}
    return {
        "messaging.system": "kafka",
        "messaging.operation.type": "process",
        "messaging.destination.name": topic,
        "messaging.destination.partition.id": str(partition),
        "messaging.kafka.offset": offset,
        "orderstream.dialect": dialect_of(answer),
        "orderstream.operation": str(operation_of(answer)),
        "orderstream.outcome": answer.verdict,
        **order_id,
    }


def _carried_on(event: Event, spans: Mapping[Position, Span]) -> Event:
    """A repeat carries no trace: it is of no message that has come now."""
    span = spans.get(event.cause)
    if event.again or span is None or not span.get_span_context().is_valid:
        return event
    carrier: dict[str, str] = {}
    W3C.inject(carrier, set_span_in_context(span))
    others = (header for header in event.headers if header[0] != HEADER)
    return event._replace(headers=(*others, (HEADER, carrier[HEADER].encode())))
