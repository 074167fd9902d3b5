"""Worker processes on real servers, with what a nemesis does to them and what must be put right afterwards."""

import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from orderstream.local import LocalServers
from orderstream.local.supervisor import die_with_supervisor
from orderstream.settings import Settings
from tests.worker import Worker, environment, until

COMMAND: Final = Path(sys.executable).with_name("orderstream")
LINE_BYTES: Final = 2**24  # of a worker's log, at most
REACHED_SECONDS: Final = 15.0  # for a worker to come to its failpoint


class Cluster:
    """Some workers of one group, and the servers."""

    def __init__(self, servers: LocalServers, settings: Settings, workers: int) -> None:
        self.kafka, self.mongo, self.settings = servers.kafka, servers.mongo, settings
        self.all: list[Worker] = []  # that ever ran
        self.surprises: list[str] = []  # ends that nobody asked for
        self._free: list[Worker] = []  # that no fault has taken
        self._wanted = workers

    @property
    def workers(self) -> Sequence[Worker]:
        """Those that no fault has in hand."""
        return tuple(self._free)

    async def start(self) -> Worker:
        """One more worker, not waited for."""
        worker = await self._started()
        self._free.append(worker)
        return worker

    async def doomed(self, failpoint: str) -> Worker:
        """A worker with a failpoint, in the hands of the fault that asks for it."""
        return await self._started(failpoint=failpoint)

    async def take(self, chance: Random) -> Worker:
        """A worker for one fault alone."""
        worker = chance.choice(self._free) if self._free else await self.start()
        self._free.remove(worker)
        self._expect_it_runs(worker)
        return worker

    def give_back(self, worker: Worker) -> None:
        """The fault is over, and the worker lives."""
        self._free.append(worker)

    async def stop(self, worker: Worker) -> None:
        """SIGTERM; it must drain and end well."""
        self._expect_it_runs(worker)
        if worker in self._free:
            self._free.remove(worker)
        worker.process.send_signal(signal.SIGCONT)  # one that was woken before its failpoint may have come to it since
        code = await worker.stop()
        if code and _has_started(worker):
            self.surprises.append(f"a worker ended with {code} when it was asked to stop")

    async def falls(self, worker: Worker) -> None:
        """Wait for the end that its failpoint brings; without work it is not reached, and a kill has to do."""
        try:
            async with asyncio.timeout(REACHED_SECONDS):
                await worker.process.wait()
        except TimeoutError:
            await worker.kill()

    async def freezes(self, worker: Worker) -> None:
        """Wait until its failpoint has stopped it; without work it is not reached, and a stop from here has to do."""
        try:
            await until(lambda: _state(worker.process.pid) == "T", "not stopped", REACHED_SECONDS)
        except AssertionError:
            worker.process.send_signal(signal.SIGSTOP)

    async def heal(self) -> None:
        """All servers run, and as many workers as in the beginning."""
        for worker in self._free:
            self._expect_it_runs(worker)
        self._free = [worker for worker in self._free if worker.process.returncode is None]
        await self.heal_servers()
        while len(self._free) < self._wanted:
            await self.start()

    async def heal_servers(self) -> None:
        """All servers run."""
        await asyncio.gather(self._heal_kafka(), self._heal_mongo())

    async def end(self) -> None:
        """Stop all workers, which must end well."""
        await asyncio.gather(*(self.stop(worker) for worker in self.workers))

    async def close(self) -> None:
        """No worker is left behind, whatever happened."""
        for worker in self.all:
            await worker.kill()

    async def _started(self, **more: str) -> Worker:
        process = await asyncio.create_subprocess_exec(
            COMMAND, "run",
            env=environment(self.settings, **more),
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
            preexec_fn=die_with_supervisor,  # should somebody kill the nemesis
        )  # fmt: skip
        worker = Worker(process)
        self.all.append(worker)
        return worker

    def _expect_it_runs(self, worker: Worker) -> None:
        code = worker.process.returncode
        if code is not None:
            self.surprises.append(f"a worker ended by itself with {code}")

    async def _heal_kafka(self) -> None:
        for index in range(len(self.kafka.brokers)):
            self.kafka.resume(index)
        down = [index for index, broker in enumerate(self.kafka.brokers) if not broker.running]
        await asyncio.gather(*(self.kafka.restart(index) for index in down))

    async def _heal_mongo(self) -> None:
        for index in range(len(self.mongo.members)):
            self.mongo.resume(index)
        down = [index for index, member in enumerate(self.mongo.members) if not member.running]
        await asyncio.gather(*(self.mongo.restart(index) for index in down))


def _has_started(worker: Worker) -> bool:
    """Before, a stop is simply the end of it."""
    return any(line.get("event") == "worker.started" for line in worker.log)


def _state(pid: int) -> str:
    """The state of a process: R, S, T (stopped) and so on; nothing when it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return ""
    return text.rpartition(")")[2].split()[0]
