"""One trace from the record that came to the event that goes out; off unless a collector is configured."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler
from structlog.testing import capture_logs

from orderstream.answers import Circumstances, Decided, Item
from orderstream.app import _traced
from orderstream.batch import decide
from orderstream.commands import Record
from orderstream.decode import Contracts, decode
from orderstream.local.ports import HOST
from orderstream.observers import Observers
from orderstream.order import Order
from orderstream.settings import Settings
from orderstream.status_event import Event
from orderstream.tracing import Tracing
from tests.builders import NOW, a_message, samples
from tests.test_worker import from_sample
from tests.worker import a_worker, caught_up, read, send, until

TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
SENDER: Final = "00f067aa0ba902b7"
TRACEPARENT: Final = f"00-{TRACE}-{SENDER}-01"

W: Final = a_message("order.create", {"orderRef": "W"}, traceparent=TRACEPARENT)
UNTRACED: Final = a_message("order.create", {"orderRef": "W"})
FAX: Final = a_message("order.patch", {"orderStatus": "FAX"}, order_ref="W", traceparent=TRACEPARENT)


def decided(*records: Record, stored: Iterable[Order] = ()) -> Decided:
    return decide([Item(record, decode(record, Contracts())) for record in records], stored, Circumstances(now=NOW))


class Collected:
    """Spans in memory."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        self._exporter, provider = InMemorySpanExporter(), TracerProvider(sampler=sampler)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracing = Tracing(provider)

    def told(self, batch: Decided) -> Decided:
        """As it is published."""
        with self.tracing(batch, {"decode": 0.25, "write": 0.5}) as told:
            return told

    @property
    def span(self) -> ReadableSpan:
        """The only one."""
        (span,) = self._exporter.get_finished_spans()
        return span

    @property
    def attributes(self) -> Mapping[str, object]:
        """Of the only one, ours without their prefix."""
        return {name.removeprefix("orderstream."): value for name, value in (self.span.attributes or {}).items()}

    @property
    def seconds(self) -> float:
        """How long the only one lasted."""
        return ((self.span.end_time or 0) - (self.span.start_time or 0)) / 1e9


def trace_of(event: Event) -> str | None:
    return next((value.decode() for name, value in event.headers if name == "traceparent"), None)


def test_the_span_continues_the_senders_trace_and_the_event_continues_the_span() -> None:
    collected = Collected()

    (event,) = collected.told(decided(W)).events

    context = collected.span.context
    assert collected.span.parent
    assert (int(TRACE, 16), int(SENDER, 16)) == (context.trace_id, collected.span.parent.span_id)
    assert f"00-{TRACE}-{context.span_id:016x}-01" == trace_of(event)


@pytest.mark.parametrize("sent", [None, "", "jane", f"00-{'0' * 32}-{SENDER}-01"])
def test_a_message_without_a_trace_begins_one(sent: str | None) -> None:
    collected, record = Collected(), UNTRACED
    if sent is not None:
        record = record._replace(headers=(*record.headers, ("traceparent", sent.encode())))

    (event,) = collected.told(decided(record)).events

    assert collected.span.parent is None
    context = collected.span.context
    assert (trace_of(event) or "").startswith(f"00-{context.trace_id:032x}-{context.span_id:016x}-")


def test_a_span_tells_ids_and_lasts_from_the_first_step_on() -> None:
    collected = Collected()

    collected.told(decided(W))

    told = [collected.attributes[name] for name in ("dialect", "operation", "outcome", "messaging.kafka.offset")]
    assert ["wishlist", "order.create", "applied", 0] == told
    assert 0.75 <= collected.seconds < 60


def test_a_rejection_is_an_error_by_its_code_and_holds_no_value() -> None:
    collected = Collected()

    collected.told(decided(FAX))

    assert (int(TRACE, 16), "FIELD_ENUM") == (collected.span.context.trace_id, collected.span.status.description)
    assert "FAX" not in collected.span.to_json()


def test_a_repeat_has_neither_span_nor_trace() -> None:
    collected = Collected()
    again = decided(W, stored=[write.after for write in decided(W).writes])

    (event,) = collected.told(again).events

    assert trace_of(event) is None
    with pytest.raises(ValueError, match="not enough"):
        _ = collected.span


def test_an_equal_create_is_answered_without_a_trace_in_the_batch_of_the_first_too() -> None:
    equal = W._replace(position=W.position._replace(offset=9))

    first, again = Collected().told(decided(W, equal)).events

    assert (True, None) == (trace_of(first) is not None, trace_of(again))


def test_with_the_sdk_disabled_events_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    batch = decided(UNTRACED, W._replace(position=W.position._replace(offset=9)))

    assert batch == Collected().told(batch)


def test_what_is_not_acknowledged_is_an_error_and_raised() -> None:
    collected = Collected()

    with pytest.raises(TimeoutError), collected.tracing(decided(W), {}):
        raise TimeoutError

    assert "not acknowledged: TimeoutError" == collected.span.status.description


def test_an_event_of_a_trace_that_is_not_sampled_says_so() -> None:
    (event,) = Collected(sampler=ALWAYS_OFF).told(decided(W)).events

    assert (trace_of(event) or "").startswith(f"00-{TRACE}-")
    assert (trace_of(event) or "").endswith("-00")


def test_nothing_is_imported_for_traces_unless_they_are_wanted() -> None:
    look = "import orderstream.app, sys; sys.exit(bool({'orderstream.tracing', 'opentelemetry.sdk'} & {*sys.modules}))"

    assert 0 == subprocess.run([sys.executable, "-c", look], check=False).returncode


def test_a_worker_without_the_extra_says_so_and_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    monkeypatch.delitem(sys.modules, "orderstream.tracing")

    with capture_logs() as lines:
        traced = _traced(Observers(lambda: NOW))

    assert ["tracing.off"] == [line["event"] for line in lines]
    with traced(decided(W), {}) as told:
        assert decided(W) == told


class Collector(NamedTuple):
    """An OTLP collector on this machine."""

    endpoint: str
    spans: list[Any]


@asynccontextmanager
async def a_collector() -> AsyncIterator[Collector]:
    spans: list[Any] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0])
        request = ExportTraceServiceRequest.FromString(await reader.readexactly(length))
        spans.extend(
            span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans
        )
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    async with server:
        yield Collector(f"http://{HOST}:{server.sockets[0].getsockname()[1]}", spans)


async def test_a_worker_sends_its_spans_to_the_collector_that_is_configured(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
        async with a_worker(settings) as worker:
            await send(settings, [from_sample(samples("wishlist")[0], traceparent=TRACEPARENT)])
            await caught_up(settings)
            assert 0 == await worker.stop()
        await until(lambda: collector.spans, "no span")

    (event,), (span,) = await read(settings, settings.topic_status), collector.spans
    assert (TRACE, SENDER) == (span.trace_id.hex(), span.parent_span_id.hex())
    assert f"00-{TRACE}-{span.span_id.hex()}-01".encode() == dict(event.headers)["traceparent"]
