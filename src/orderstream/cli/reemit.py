"""The command `reemit`: an order's events published again out of its history, the same ids and bytes (interface 5)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from orderstream.cli.show import Target, stored_orders, the_one, title
from orderstream.connection import connection
from orderstream.kafka import EPOCH, KafkaOutputs
from orderstream.lookup import find
from orderstream.order import Order
from orderstream.settings import Settings
from orderstream.status_event import event_of
from orderstream.terminal import FailedError, say
from orderstream.topics import partition_counts

TOGETHER: Final = 500  # events whose acknowledgements are awaited together


async def reemit(settings: Settings, targets: Sequence[Target]) -> None:
    """Publish all events of these orders, each order's in their sequence, and show how many went out.

    Raises `FailedError` when some were not found, after all others are done, `UnavailableError` and
    `TopicsMissingError`.
    """
    done: set[str] = set()
    failed = 0
    async with _outputs(settings) as outputs, stored_orders(settings) as orders:
        for target in targets:
            try:
                order = the_one(await find(orders, *target), target)
            except FailedError as error:
                failed += 1
                say(str(error))
                continue
            if order.id not in done:
                done.add(order.id)
                await _publish(order, outputs)
    if failed:
        raise FailedError(f"{failed} of {len(targets)} could not be done")


async def _publish(order: Order, outputs: KafkaOutputs) -> None:
    for first in range(1, order.sequence + 1, TOGETHER):
        last = min(first + TOGETHER - 1, order.sequence)
        await outputs.publish([event_of(order, sequence) for sequence in range(first, last + 1)], ())
    print(
        f"{title(order)}, id {order.id}: {order.sequence} event{'s' * (order.sequence > 1)} published again", flush=True
    )


@asynccontextmanager
async def _outputs(settings: Settings) -> AsyncIterator[KafkaOutputs]:
    """As the worker publishes. Raises `TopicsMissingError` and `UnavailableError`."""
    await partition_counts(settings, {settings.topic_status: "Write"})  # a producer would make the topic
    outputs = KafkaOutputs(connection(settings), settings.topic_status, settings.topic_rejected, _no_time)
    try:
        yield outputs
    finally:
        await outputs.stop()


def _no_time() -> datetime:
    """Only rejections need the time, and none goes out here."""
    return EPOCH
