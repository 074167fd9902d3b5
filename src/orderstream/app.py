"""The composition root: settings in, a running worker out."""

import asyncio
import gc
import logging
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import NamedTuple

from faststream import FastStream
from faststream.kafka import KafkaBroker

from orderstream.cancellation import cancel_until_ended
from orderstream.commands import Kind
from orderstream.committer import Committer
from orderstream.connection import connection, security
from orderstream.decompression import bound_decompression
from orderstream.failpoints import VARIABLE, failpoint
from orderstream.group import KafkaGroup
from orderstream.header_names import read_any_header_name
from orderstream.health import Health
from orderstream.http import Application, Told, listening, serve_beside
from orderstream.kafka import KafkaOutputs
from orderstream.lanes import Lanes
from orderstream.ledger import Partition
from orderstream.mongo import MongoOrders
from orderstream.observers import Observers
from orderstream.pipeline import Lane
from orderstream.settings import Settings
from orderstream.settlement import Surroundings, Traced, untraced
from orderstream.stream import Stream
from orderstream.subscriber import LaneSubscriber
from orderstream.topics import TopicsMissingError, inspected
from orderstream.trouble import UnavailableError
from orderstream.watch import Watch

RETRY_SECONDS = 2.0  # between two tries to reach a server before anything runs
COLLECTORS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")  # either has spans sent there


async def run(settings: Settings, listener: socket.socket | None = None) -> None:
    """Work until SIGTERM or Ctrl-C, and answer over HTTP meanwhile, at *listener* where one is given.

    Raises `UnfitError` when a server cannot keep the guarantees, and `SettingError`.
    """
    observer = Observers(_now)
    listener = listener or listening(settings.http_host, settings.http_port)
    orders = MongoOrders(settings.mongo_url.get_secret_value(), settings.mongo_database, settings.mongo_driver)
    parts = assembled(settings, observer, orders)
    health = Health(orders, parts.group, parts.lanes)
    application = Application(
        Told(health.is_alive, health.readiness, partial(_metrics, observer, health)), orders, settings, observer.log
    )
    gc.freeze()  # what is there now stays
    gc.set_threshold(5_000, 10, 1_000)  # everything stands meanwhile: 90 ms for 50,000 values at once
    sys.setswitchinterval(0.001)  # seconds that whoever asks for health waits for each of its turns
    port = listener.getsockname()[1]

    async def work() -> None:  # from here on a signal stops it in order
        observer.say("worker.started", version=version("orderstream"), group=settings.group, http_port=port)
        await _work(settings, observer, orders, parts, health)

    try:
        await serve_beside(work(), application, listener)
    finally:
        await orders.close()
        observer.tell_batches(at_the_end=True)
    observer.say("worker.stopped")


class Assembly(NamedTuple):
    """The parts of a worker that are started and stopped."""

    broker: KafkaBroker
    subscriber: LaneSubscriber
    lanes: Lanes
    watch: Watch
    outputs: KafkaOutputs
    group: KafkaGroup


def assembled(settings: Settings, observer: Observers, orders: MongoOrders) -> Assembly:
    """A worker, put together and not started."""
    bound_decompression()
    read_any_header_name()
    outputs = KafkaOutputs(connection(settings), settings.topic_status, settings.topic_rejected, _now)
    reached = failpoint(os.environ.get(VARIABLE))
    stream = Stream(settings, orders.checkpoints)
    group = KafkaGroup(_topics(settings), stream, observer)
    around = Surroundings(
        orders=orders,
        outputs=outputs,
        observer=observer,
        group=group,
        contracts=settings.contracts,
        create_topic=settings.topic_create,
        park_seconds=settings.park_seconds,
        now=_now,
        reached=reached,
        traced=_traced(observer),
    )

    def open_lane(number: int, start: Mapping[Partition, int]) -> Lane:
        return Lane(number, start, around)

    lanes = Lanes(_topics(settings), stream, group, open_lane, observer, Committer(group, observer, reached))
    broker = _broker(settings)
    subscriber = LaneSubscriber(broker, lanes, list(_topics(settings)), settings.group, observer)
    watch = Watch(lanes, stream, group, observer, subscriber.replace_consumer)
    return Assembly(broker, subscriber, lanes, watch, outputs, group)


def _broker(settings: Settings) -> KafkaBroker:
    return KafkaBroker(
        settings.kafka_bootstrap.split(","),  # one text would be taken for one address
        security=security(settings),
        consumer_only=True,  # events go out through our own producer
        allow_auto_create_topics=False,
        logger=logging.getLogger("faststream"),
        client_id="orderstream",
        apply_types=False,  # the handler takes nothing that would have to be looked up: in a thread, at each poll
    )


async def _work(settings: Settings, observer: Observers, orders: MongoOrders, parts: Assembly, health: Health) -> None:
    """Until cancelled, which a library must not swallow; then drained."""
    for name in settings.plaintext:
        observer.say("plaintext.allowed", "warning", setting=name, remedy="use TLS: whoever is on the way reads all")
    app = FastStream(parts.broker, logger=None, on_shutdown=[parts.lanes.stop, parts.outputs.stop])
    looking = asyncio.create_task(health.keep_looking())
    running = asyncio.create_task(_run(settings, observer, orders, parts, health, app))
    try:
        await asyncio.shield(running)
    finally:
        health.stops()
        await cancel_until_ended([running])
        await app.stop()
        await cancel_until_ended([looking])


async def _run(
    settings: Settings, observer: Observers, orders: MongoOrders, parts: Assembly, health: Health, app: FastStream
) -> None:
    await _until_there(observer, health, lambda: orders.prepare(settings.group))
    await _until_there(observer, health, lambda: _topics_are_there(settings, observer))
    await _until_there(observer, health, app.start)
    health.runs()
    await parts.watch.keep_looking()


def _topics(settings: Settings) -> Mapping[str, Kind]:
    return {settings.topic_create: Kind.CREATE, settings.topic_update: Kind.UPDATE}


async def _until_there(observer: Observers, health: Health, call: Callable[[], Awaitable[None]]) -> None:
    """Before anything runs: a server that is away is waited for, and said so."""
    attempt = 0
    while True:
        attempt += 1
        try:
            await call()
        except UnavailableError as error:
            observer.unavailable(error, attempt)
            health.waits("; ".join(filter(None, (str(error), error.remedy))))
            await asyncio.sleep(RETRY_SECONDS)
        except TopicsMissingError as error:
            observer.say("topics.missing", "error", topics=error.names, remedy="run `orderstream topics`")
            health.waits(f"Kafka has no topic {error}; run `orderstream topics`")
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return


async def _topics_are_there(settings: Settings, observer: Observers) -> None:
    state = await inspected(settings)
    if state.missing:
        raise TopicsMissingError(state.missing)
    for problem in state.problems:
        observer.say("topics.unfit", "warning", problem=problem, remedy="see `orderstream topics`")
    observer.available("kafka")


def _traced(observer: Observers) -> Traced:
    """Off unless a collector is configured; nothing is imported for it otherwise."""
    if not any(os.environ.get(name) for name in COLLECTORS):
        return untraced
    try:
        from orderstream.tracing import Tracing
    except ImportError as error:
        remedy = "pip install 'orderstream[tracing]'"
        observer.say("tracing.off", "warning", reason=f"{error.name} is not installed", remedy=remedy)
        return untraced
    return Tracing.to_collector()


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # the one clock


async def _metrics(observer: Observers, health: Health) -> bytes:
    return observer.metrics.text(health.state)
