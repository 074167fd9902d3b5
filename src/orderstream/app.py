"""The composition root: settings in, a running worker out."""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import NamedTuple

from faststream.asgi import AsgiFastStream, AsgiResponse, get
from faststream.kafka import KafkaBroker

from orderstream.commands import Kind
from orderstream.connection import connection, security
from orderstream.failpoints import VARIABLE, failpoint
from orderstream.group import KafkaGroup
from orderstream.kafka import KafkaOutputs
from orderstream.lanes import Lanes
from orderstream.ledger import Partition
from orderstream.logs import LogObserver
from orderstream.mongo import MongoOrders
from orderstream.pipeline import Lane
from orderstream.settings import Settings
from orderstream.settlement import Surroundings
from orderstream.stream import Stream
from orderstream.subscriber import LaneSubscriber
from orderstream.topics import TopicsMissingError, inspected
from orderstream.trouble import UnavailableError
from orderstream.watch import Watch

RETRY_SECONDS = 2.0  # between two tries to reach a server before anything runs


async def run(settings: Settings) -> None:
    """Work until SIGTERM or Ctrl-C. Raises `UnfitError` when a server cannot keep the guarantees."""
    observer = LogObserver()
    orders = MongoOrders(settings.mongo_url.get_secret_value(), settings.mongo_database, settings.mongo_driver)
    try:
        await _until_there(observer, lambda: orders.prepare(settings.group))
        await _until_there(observer, lambda: _topics_are_there(settings, observer))
        await _worker(settings, observer, orders)
    finally:
        await orders.close()


class Assembly(NamedTuple):
    """The parts of a worker that are started and stopped."""

    broker: KafkaBroker
    subscriber: LaneSubscriber
    lanes: Lanes
    watch: Watch
    outputs: KafkaOutputs


def assembled(settings: Settings, observer: LogObserver, orders: MongoOrders) -> Assembly:
    """A worker, put together and not started."""
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
        park_seconds=settings.park_seconds,
        now=_now,
        reached=reached,
    )

    def open_lane(number: int, start: Mapping[Partition, int]) -> Lane:
        return Lane(number, start, around)

    lanes = Lanes(_topics(settings), stream, group, open_lane, observer, reached)
    broker = _broker(settings)
    subscriber = LaneSubscriber(broker, lanes, list(_topics(settings)), settings.group)
    watch = Watch(lanes, stream, group, observer, subscriber.replace_consumer)
    return Assembly(broker, subscriber, lanes, watch, outputs)


def _broker(settings: Settings) -> KafkaBroker:
    return KafkaBroker(
        settings.kafka_bootstrap.split(","),  # one text would be taken for one address
        security=security(settings),
        consumer_only=True,  # events go out through our own producer
        allow_auto_create_topics=False,
        logger=logging.getLogger("faststream"),
        client_id="orderstream",
    )


async def _worker(settings: Settings, observer: LogObserver, orders: MongoOrders) -> None:
    parts = assembled(settings, observer, orders)
    app = AsgiFastStream(
        parts.broker,
        logger=None,
        asgi_routes=[("/health/live", _alive)],
        on_shutdown=[parts.lanes.stop, parts.outputs.stop],
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _asked_to_stop)  # the server raises the signal again after it has stopped
    gc.freeze()  # what is there now stays
    gc.set_threshold(50_000, 20, 100)  # a batch makes many values and no cycles
    observer.say("worker.started", version=version("orderstream"), group=settings.group)
    watching = asyncio.create_task(parts.watch.keep_looking())
    await app.run(
        log_level=logging.WARNING,
        run_extra_options={"host": settings.http_host, "port": str(settings.http_port), "log_config": None},
    )
    watching.cancel()
    observer.say("worker.stopped")


def _topics(settings: Settings) -> Mapping[str, Kind]:
    return {settings.topic_create: Kind.CREATE, settings.topic_update: Kind.UPDATE}


async def _until_there(observer: LogObserver, call: Callable[[], Awaitable[None]]) -> None:
    """Before anything runs: a server that is away is waited for, and said so."""
    attempt = 0
    while True:
        attempt += 1
        try:
            await call()
        except UnavailableError as error:
            observer.unavailable(error, attempt)
            await asyncio.sleep(RETRY_SECONDS)
        except TopicsMissingError as error:
            observer.say("topics.missing", "error", topics=error.names, remedy="run `orderstream topics`")
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return


async def _topics_are_there(settings: Settings, observer: LogObserver) -> None:
    state = await inspected(settings)
    if state.missing:
        raise TopicsMissingError(state.missing)
    for problem in state.problems:
        observer.say("topics.unfit", "warning", problem=problem, remedy="see `orderstream topics`")
    observer.available("kafka")


def _asked_to_stop(number: int, frame: object) -> None:
    """A stop that was asked for and has taken place is no failure."""


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # the one clock


@get
async def _alive(scope: object) -> AsgiResponse:  # noqa: ARG001  # FastStream's signature
    return AsgiResponse(b"", 200)
