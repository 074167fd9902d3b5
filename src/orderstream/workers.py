"""`run --workers N`: processes of one machine in the same group, kept alive, behind one HTTP port (interface 7)."""

import asyncio
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import Final

import orjson
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from orderstream.http import Application, Told, listening, serve_beside
from orderstream.logs import LogObserver
from orderstream.mongo import MongoOrders
from orderstream.readiness import Readiness, together
from orderstream.settings import Settings

WRONG_SETTINGS: Final = 2  # exit code
LOOPBACK: Final = "127.0.0.1"
ASK_SECONDS: Final = 1.5
SHORTEST_PAUSE: Final = 1.0  # seconds until one that has died is started again, doubled each time
LONGEST_PAUSE: Final = 30.0
WELL_SECONDS: Final = 60.0  # after so long a life the pause is the shortest again
STOP_SECONDS: Final = 30.0  # longer than a worker takes that drains while a server is away
NOT_READY: Final = "# TYPE orderstream_ready gauge\norderstream_ready 0\n"


class WrongSettingsError(Exception):
    """A worker has refused its settings, and has said why."""


async def run(settings: Settings, count: int) -> bool:
    """Keep *count* workers until SIGTERM or Ctrl-C, and answer over HTTP for all; whether all have ended in order.

    Raises `SettingError` and `WrongSettingsError`.
    """
    observer = LogObserver()
    listener = listening(settings.http_host, settings.http_port)
    orders = MongoOrders(settings.mongo_url.get_secret_value(), settings.mongo_database, settings.mongo_driver)
    workers = Workers([Worker(number, observer) for number in range(1, count + 1)])
    application = Application(Told(lambda: True, workers.readiness, workers.metrics), orders, settings, observer)
    port = listener.getsockname()[1]
    observer.say("worker.started", version=version("orderstream"), group=settings.group, workers=count, http_port=port)
    try:
        await serve_beside(workers.keep(), application, listener)
    finally:
        await orders.close()
    observer.say("worker.stopped", workers=count)
    return workers.ended_in_order


class Worker:
    """One process, started again when it dies."""

    def __init__(self, number: int, observer: LogObserver) -> None:
        self.number, self._observer = number, observer
        self._listener = listening(LOOPBACK, 0)  # the same for all lives of the process
        self._process: asyncio.subprocess.Process | None = None
        self.ended_in_order = True  # or not yet

    async def keep(self) -> None:
        """Until cancelled. Raises `WrongSettingsError`."""
        pause = SHORTEST_PAUSE
        while True:
            began = time.monotonic()
            code = await self._live()
            if code == WRONG_SETTINGS:
                raise WrongSettingsError
            if time.monotonic() - began > WELL_SECONDS:
                pause = SHORTEST_PAUSE
            self._observer.say("worker.died", "error", worker=self.number, exit_code=code, again_in_seconds=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _live(self) -> int:
        """One life: begun, and waited for; ended when cancelled. Gives the exit code, of a signal the negative."""
        self._process = await self._start()
        try:
            return await self._process.wait()
        except asyncio.CancelledError:
            await self._end(self._process)
            raise
        finally:
            self._process = None

    async def _start(self) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "orderstream", "worker", str(self.number), str(self._listener.fileno()),
            pass_fds=[self._listener.fileno()],
            stdin=asyncio.subprocess.PIPE,  # by whose end it knows that we are gone
            start_new_session=True,  # Ctrl-C in the terminal reaches us alone
        )  # fmt: skip

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                code = await process.wait()
        except TimeoutError:
            process.kill()
            code = await process.wait()
        self.ended_in_order = code in (0, -signal.SIGTERM)  # the latter before it had begun

    async def readiness(self) -> Readiness:
        """As it tells it itself."""
        if self._process is None:
            return Readiness("not ready", ("it has died, and is started again in a moment",))
        try:
            told = orjson.loads(await self.ask("/health/ready"))
            return Readiness(told["status"], tuple(told["reasons"]))
        except (OSError, TimeoutError, ValueError):
            return Readiness("not ready", ("it does not answer",))

    async def ask(self, path: str) -> bytes:
        """What it answers over HTTP. Raises `OSError`, `TimeoutError`."""
        async with asyncio.timeout(ASK_SECONDS):
            reader, writer = await asyncio.open_connection(*self._listener.getsockname())
            try:
                writer.write(f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}\r\n\r\n".encode())
                return (await reader.read()).partition(b"\r\n\r\n")[2]
            finally:
                writer.close()


class Workers:
    """All of them, and what they tell together."""

    def __init__(self, workers: list[Worker]) -> None:
        self._workers = workers

    @property
    def ended_in_order(self) -> bool:
        """Whether each has drained when it was asked to end."""
        return all(worker.ended_in_order for worker in self._workers)

    async def keep(self) -> None:
        """Until cancelled, and all have ended. Raises `WrongSettingsError`."""
        try:
            async with asyncio.TaskGroup() as group:
                for worker in self._workers:
                    group.create_task(worker.keep())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def readiness(self) -> Readiness:
        """One that is not ready makes the whole so."""
        told = await asyncio.gather(*(worker.readiness() for worker in self._workers))
        return together({worker.number: one for worker, one in zip(self._workers, told, strict=True)})

    async def metrics(self) -> bytes:
        """Those of all, each with the label `worker`; of one that does not answer only that it is not ready."""
        told = await asyncio.gather(*(worker.ask("/metrics") for worker in self._workers), return_exceptions=True)
        texts = zip(self._workers, told, strict=True)
        return merged(
            {worker.number: text.decode() if isinstance(text, bytes) else NOT_READY for worker, text in texts}
        )


def merged(texts: Mapping[int, str]) -> bytes:
    """Metrics of several workers, by number, in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Merged(texts))
    return generate_latest(registry)


class _Merged(Collector):
    """Metrics of several processes as one set."""

    def __init__(self, texts: Mapping[int, str]) -> None:
        self._texts = texts

    def collect(self) -> Iterator[Metric]:
        merged: dict[str, Metric] = {}
        for number, text in self._texts.items():
            for family in text_string_to_metric_families(text):
                one = merged.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    one.samples.append(sample._replace(labels={**sample.labels, "worker": str(number)}))
        yield from merged.values()
