"""One server as a child process: it dies with us, and what it says stands in its log."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import IO, TypeVar

SUPERVISOR = Path(__file__).with_name("supervisor.py")
READY_SECONDS = 60.0
STOP_SECONDS = 8.0
POLL_SECONDS = 0.05
SHOWN_LINES = 12
SHOWN_COLUMNS = 300

# Servers tell of trouble and then, at length, of their end.
TROUBLE = re.compile(r'"s":"[EF]"|\bERROR\b|\bFATAL\b|Exception|[Ee]rror:')

Answer = TypeVar("Answer")


class LocalServerError(RuntimeError):
    """A local server could not be had; the text says why and what to do."""


class ServerProcess:
    """A server in its own folder and session: Ctrl-C in the terminal does not reach it before we stop it in order."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.folder = folder
        self._environment = environment  # None: ours
        self.log = folder / "server.log"
        self.pid: int | None = None  #: of the server itself, not of its supervisor
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def running(self) -> bool:
        return self._supervisor is not None and self._supervisor.poll() is None

    async def start(self, command: Sequence[str]) -> None:
        """Launch the server, which need not be ready then; it finds itself in its folder."""
        self.pid = None
        child = self._spawn(command)
        line = await asyncio.to_thread(child.stdout.readline) if child.stdout else b""
        if not line:
            await self._end(STOP_SECONDS)
            raise self.failure("could not be launched")
        self.pid = int(line)

    async def run(self, command: Sequence[str]) -> None:
        """Run a program that ends by itself; raise LocalServerError if it ends badly or not within a minute."""
        await self.start(command)
        status = await self._end(READY_SECONDS)
        if status != 0:
            raise self.failure("ended" if status else "took more than a minute")

    async def until(self, ask: Callable[[], Awaitable[Answer]], *not_yet: type[Exception]) -> Answer:
        """Ask again and again until the answer is a true one; *not_yet* are errors that stand for a false one."""
        deadline = time.monotonic() + READY_SECONDS
        last: object = None
        while self.running:
            try:
                if answer := await ask():
                    return answer
            except not_yet as error:
                last = error
            if time.monotonic() > deadline:
                raise self.failure(f"is not ready after {READY_SECONDS:.0f} s ({last!r})")
            await asyncio.sleep(POLL_SECONDS)
        raise self.failure("ended")

    def send(self, number: signal.Signals) -> None:
        """Send the server a signal; one that has ended takes none."""
        if self.pid is not None and self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the server; it is gone when this returns."""
        self.send(signal.SIGKILL)
        if self._supervisor is not None:
            self._close(self._supervisor.stdin)  # by which its supervisor kills one whose pid we do not know yet
            self._supervisor.wait(STOP_SECONDS)

    async def stop(self) -> None:
        """Ask the server to end, and kill it when it does not within a few seconds."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        if self.pid is None or await self._end(STOP_SECONDS) is None:
            await asyncio.to_thread(self.kill)
            await self._end(STOP_SECONDS)

    def failure(self, what: str) -> LocalServerError:
        return LocalServerError(f"{self.name} {what}. From its log {self.log}:\n{self._telling_lines()}")

    def _spawn(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._supervisor = subprocess.Popen(  # noqa: S603 (the command is ours)
                [sys.executable, "-I", "-S", str(SUPERVISOR), *command],
                bufsize=0,
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        return self._supervisor

    async def _end(self, seconds: float) -> int | None:
        """Wait for the end and give the exit status; None if it still runs after so many seconds."""
        if self._supervisor is None:
            return 0
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._supervisor.wait, seconds)
        if not self.running:
            self._close(self._supervisor.stdin)
            self._close(self._supervisor.stdout)
        return self._supervisor.returncode

    def _close(self, pipe: IO[bytes] | None) -> None:
        if pipe is not None:
            pipe.close()

    def _telling_lines(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").splitlines()
        telling = [line for line in lines if TROUBLE.search(line)] or lines
        return "\n".join(f"  {line[:SHOWN_COLUMNS]}" for line in telling[-SHOWN_LINES:])


async def together(*steps: Coroutine[None, None, None]) -> None:
    """Take the steps side by side; the first failure ends them all and is raised as itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(step)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
