"""What comes out of the worker while the demo runs: for each message, its answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, TypeAlias

import orjson

from orderstream.cancellation import cancel_until_ended
from orderstream.consumer import Records, following
from orderstream.events import StatusEvent, status_event
from orderstream.local.process import ServerProcess
from orderstream.mongo import MongoOrders
from orderstream.order import Decision, Position
from orderstream.settings import Settings
from orderstream.terminal import FailedError

ANSWER_SECONDS: Final = 20.0
POLL_SECONDS: Final = 0.02


class Announced(NamedTuple):
    """A status event; *again*: it was published before."""

    event: StatusEvent
    at: float  # on the clock of the event loop
    again: bool


class Refused(NamedTuple):
    """A rejection, with all that is wrong: code, path and message."""

    problems: tuple[str, ...]
    at: float


class Quiet(NamedTuple):
    """No status changed, so there is no event."""

    decision: Decision


Answer: TypeAlias = Announced | Refused | Quiet


@asynccontextmanager
async def watching(settings: Settings, worker: ServerProcess) -> AsyncIterator["Watch"]:
    """Collect what the worker publishes until the end of the block."""
    orders = MongoOrders(settings.mongo_url.get_secret_value(), settings.mongo_database, settings.mongo_driver)
    async with (
        following(settings, settings.topic_status, from_start=True) as announced,
        following(settings, settings.topic_rejected, from_start=True) as refused,
    ):
        watch = Watch(orders, worker)
        tasks = [
            asyncio.create_task(watch.collect_events(announced)),
            asyncio.create_task(watch.collect_refused(refused)),
        ]
        try:
            yield watch
        finally:
            await cancel_until_ended(tasks)
            await orders.close()


class Watch:
    """Events and rejections as they came; what has neither is looked up in the order's ledger."""

    def __init__(self, orders: MongoOrders, worker: ServerProcess) -> None:
        self._orders, self._worker = orders, worker
        self._events: dict[str, Announced] = {}  # by cause
        self._repeats: dict[str, Announced] = {}  # by order, until they are asked for
        self._refused: dict[str, Refused] = {}  # by position

    async def collect_events(self, records: Records) -> None:
        """For ever."""
        async for record in records:
            event, at = status_event(record.value), asyncio.get_running_loop().time()
            if str(event.cause) in self._events:
                self._repeats[event.order_id] = Announced(event, at, again=True)
            else:
                self._events[str(event.cause)] = Announced(event, at, again=False)

    async def collect_refused(self, records: Records) -> None:
        """For ever."""
        async for record in records:
            headers = dict(record.headers)
            problems = orjson.loads(headers["rejection-problems"])
            texts = tuple(f"{each['code']} at {each['path']}: {each['message']}" for each in problems)
            at = asyncio.get_running_loop().time()
            self._refused[headers["rejection-id"].decode()] = Refused(texts, at)

    async def answer(self, position: Position, order_id: str | None) -> Answer:
        """What came of the message at *position*, which is about this order.

        Raises `FailedError` when nothing comes, `LocalServerError` when the worker has ended.
        """
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while (answer := await self._answer(position, order_id)) is None:
                    if not self._worker.running:
                        raise self._worker.failure("ended")
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            message = f"the worker gave no answer to {position} within {ANSWER_SECONDS:.0f} s"
            raise FailedError(message) from None
        return answer

    async def _answer(self, position: Position, order_id: str | None) -> Answer | None:
        collected = self._events.get(str(position)) or self._refused.get(str(position))
        if collected or order_id is None:
            return collected
        decision = await self._decision(position, order_id)
        if decision is None or decision.outcome == "rejected":
            return None
        if decision.outcome == "unchanged" and decision.sequences:
            return self._repeats.pop(order_id, None)
        return None if decision.sequences else Quiet(decision)

    async def _decision(self, position: Position, order_id: str) -> Decision | None:
        decisions = (each for order in await self._orders.load((), [order_id]) for each in order.ledger.decisions)
        return next((decision for decision in decisions if decision.position == position), None)
