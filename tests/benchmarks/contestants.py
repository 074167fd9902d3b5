"""Who plays: how each is started, and what it can do."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from orderstream.local import LocalServerError
from orderstream.settings import Settings
from tests.benchmarks.peers import connector
from tests.worker import environment

HERE: Final = Path(__file__).parent
PROJECT: Final = HERE.parent.parent
STOP_SECONDS: Final = 30.0

Result = TypeVar("Result")


class NotHereError(Exception):
    """A contestant cannot be had on this machine; the text says why."""


class EndedError(Exception):
    """A contestant's process ended by itself."""


class Contestant(NamedTuple):
    """A program that takes orders from Kafka to MongoDB."""

    name: str
    command: Callable[[], Sequence[str]]  # raises `NotHereError`
    has_id: bool = True  # in the values that it takes
    has_events: bool = True
    has_updates: bool = True
    group_prefix: str = ""
    share: float = 1.0  # of the messages of the others
    environment: Mapping[str, str] = {}

    def group(self, settings: Settings) -> str:
        """Whose offsets tell how far it is."""
        return self.group_prefix + settings.group


def worker(*arguments: str) -> Contestant:
    """This worker, as a user would run it."""
    return Contestant("worker", lambda: [sys.executable, "-m", "orderstream", "run", *arguments], has_id=False)


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"tests.benchmarks.peers.{name}"]


def _quix(*arguments: str) -> list[str]:
    """Its packages conflict with ours: an environment of its own, made from what stands in the script's head."""
    script = HERE / "peers" / "quix.py"
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        raise NotHereError("there is no uv")
    for step in (["sync", "--quiet", "--script"], ["python", "find", "--script"]):
        done = subprocess.run([uv, *step, script], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotHereError((done.stderr.strip().splitlines() or ["uv gave no reason"])[-1])
    return [done.stdout.strip(), str(script), *arguments]


def _connector() -> list[str]:
    try:
        connector.jars()
    except LocalServerError as error:
        raise NotHereError(str(error)) from None
    return _module("connector")


WORKER: Final = worker()
BARE: Final = Contestant("bare", partial(_module, "bare"), has_updates=False)
TUTORIAL: Final = Contestant("tutorial", partial(_module, "tutorial"), share=1 / 30)
QUIX: Final = Contestant("quix", _quix, has_events=False)
QUIX_EOS: Final = Contestant("quix-eos", partial(_quix, "exactly-once"))
CONNECTOR: Final = Contestant("connector", _connector, has_events=False, group_prefix="connect-")
PEERS: Final = (TUTORIAL, QUIX, QUIX_EOS, CONNECTOR)


class Running(NamedTuple):
    """A contestant at work."""

    process: subprocess.Popen[bytes]
    log: Path

    async def until(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The work's result; raises `EndedError` when the contestant ends before."""
        working, living = asyncio.create_task(work), asyncio.create_task(self._while_alive())
        try:
            await asyncio.wait((working, living), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await living
            return await working
        finally:
            working.cancel()
            living.cancel()

    async def _while_alive(self) -> None:
        while self.process.poll() is None:
            await asyncio.sleep(0.2)
        lines = self.log.read_text(errors="replace").strip().splitlines()
        raise EndedError(f"ended with {self.process.returncode}: {(lines or ['(said nothing)'])[-1][:300]}")


@asynccontextmanager
async def running(contestant: Contestant, settings: Settings, log: Path) -> AsyncIterator[Running]:
    """It runs, in a session of its own; told to end afterwards, and killed if it does not. Raises `NotHereError`."""
    command = await asyncio.to_thread(contestant.command)
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: ASYNC220  # it returns at once
            command, cwd=PROJECT, env={**environment(settings), **contestant.environment},
            stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    try:
        yield Running(process, log)
    finally:
        await _end(process)


async def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        await asyncio.to_thread(process.wait, STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what it left behind too
    process.wait()
