"""A look at the whole from time to time: topics that changed, a consumer that is stuck (design 3, G8)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from orderstream.checkpoint import Judgement
from orderstream.group import KafkaGroup
from orderstream.lanes import Lanes
from orderstream.ledger import Partition
from orderstream.observers import Observers
from orderstream.pipeline import place_of
from orderstream.stream import Stream
from orderstream.trouble import UnavailableError

LOOK_SECONDS: Final = 15.0
STUCK_LOOKS: Final = 4  # in a row at which records lie ready and none is polled


class Watch:
    """Sees what no lane sees by itself."""

    def __init__(
        self,
        lanes: Lanes,
        stream: Stream,
        group: KafkaGroup,
        observer: Observers,
        replace_consumer: Callable[[], Awaitable[None]],
    ) -> None:
        self._lanes, self._stream, self._group, self._observer = lanes, stream, group, observer
        self._replace_consumer = replace_consumer
        self._positions: dict[Partition, int] = {}
        self._stuck = 0

    async def keep_looking(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except UnavailableError as error:
                self._observer.unavailable(error, 1)
            except Exception as error:  # noqa: BLE001  # nothing dies: it is said, and tried again
                self._observer.fault(place_of(error))

    async def look(self) -> None:
        """Once. Raises `UnavailableError`."""
        partitions = [(topic, number) for number in self._lanes.open for topic in self._stream.topics]
        judgements = await self._stream.judged(partitions) if partitions else {}
        gone = sorted({topic for topic, _ in partitions} - {topic for topic, _ in judgements})
        if gone:
            self._observer.say("topics.missing", "error", topics=gone, remedy="run `orderstream topics`")
        self._lanes.reopen({number for (_, number), one in judgements.items() if one.problem})
        self._stuck = self._stuck + 1 if await self._is_stuck(judgements) else 0
        if self._stuck >= STUCK_LOOKS:
            self._stuck = 0
            self._observer.say("consumer.replaced", "warning", reason="records lie ready and none is polled")
            await self._replace_consumer()

    async def _is_stuck(self, judgements: Mapping[Partition, Judgement]) -> bool:
        """Whether nothing was polled since the last look although some lane has room and records lie ready."""
        before, self._positions = self._positions, await self._now(judgements)
        if any(position != before.get(partition) for partition, position in self._positions.items()):
            return False
        return any(position < judgements[partition].seen.end for partition, position in self._positions.items())

    async def _now(self, judgements: Mapping[Partition, Judgement]) -> dict[Partition, int]:
        """Where reading stands, of partitions of which lanes take more."""
        wanted = judgements.keys() & {(topic, number) for topic, number in self._lanes.wanted}
        positions = {partition: await self._group.position(partition) for partition in wanted}
        return {partition: position for partition, position in positions.items() if position is not None}
