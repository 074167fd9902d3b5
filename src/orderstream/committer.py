"""One committer for all lanes of a worker: what they finish goes to the group in one request (design 3)."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Final

from aiokafka.errors import KafkaError

from orderstream.cancellation import cancel_until_ended
from orderstream.failpoints import Step
from orderstream.group import KafkaGroup
from orderstream.kafka_trouble import unavailable
from orderstream.ledger import Partition
from orderstream.mongo_checkpoints import OvertakenError
from orderstream.observers import Observers
from orderstream.pipeline import Lane
from orderstream.trouble import UnavailableError

COMMIT_SECONDS: Final = 0.1  # between two commits
COMMIT_AGAIN_SECONDS: Final = 1.0  # the same after one that failed


class Committer:
    """Commits beside the lanes: a commit takes 7 ms, and the consumer sends one at a time."""

    def __init__(self, group: KafkaGroup, observer: Observers, reached: Callable[[Step], None]) -> None:
        self._group, self._observer, self._reached = group, observer, reached
        self._committing: asyncio.Task[None] | None = None

    def start(self, lanes: Callable[[], Collection[Lane]]) -> None:
        """Commit again and again what *lanes* have finished."""
        self._committing = self._committing or asyncio.create_task(self._commit_for_ever(lanes))

    async def stop(self) -> None:
        """Commit no more unless asked to."""
        if self._committing:
            await cancel_until_ended([self._committing])

    async def _commit_for_ever(self, lanes: Callable[[], Collection[Lane]]) -> None:
        done = True
        while True:
            await asyncio.sleep(COMMIT_SECONDS if done else COMMIT_AGAIN_SECONDS)
            done = await self.commit(lanes())
            self._observer.tell_batches()

    async def commit(self, lanes: Collection[Lane]) -> bool:
        """One request for all of them; a refusal means that the partitions are somebody else's now."""
        committed = _committed(lanes)
        finished = {p: o for p, o in finished_by(lanes).items() if committed.get(p) != o}
        if not finished:
            return True
        try:
            await self._group.commit(finished, committed)
            self._reached("commit")
        except (KafkaError, TimeoutError, UnavailableError, OvertakenError) as error:
            told = unavailable(error, "Read").reason if isinstance(error, KafkaError) else type(error).__name__
            self._observer.say("commit.failed", "warning", reason=told)
            return False
        for lane in lanes:
            lane.hear()
            lane.committed.update({p: o for p, o in finished.items() if p in lane.committed})
        return True

    async def keep_committed(self, lanes: Collection[Lane]) -> None:
        """So that an offset that somebody sets while nobody works is seen to be another."""
        with suppress(TimeoutError, UnavailableError, OvertakenError):  # then it may not be seen
            if finished := finished_by(lanes):
                await self._group.keep(finished, _committed(lanes))


def finished_by(lanes: Collection[Lane]) -> Mapping[Partition, int]:
    """How far lanes are, by the names of topics in positions."""
    return {partition: offset for lane in lanes for partition, offset in lane.finished.items()}


def _committed(lanes: Collection[Lane]) -> Mapping[Partition, int]:
    return {partition: offset for lane in lanes for partition, offset in lane.committed.items()}
