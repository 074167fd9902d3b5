"""The command `demo`: real servers, a real worker, orders of all dialects, and what comes of them (interface 5)."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from orderstream.commands import Kind
from orderstream.demo.script import Step, acts
from orderstream.demo.view import TRY_NEXT, Played, View, summary
from orderstream.demo.watch import Announced, Quiet, Watch, watching
from orderstream.events import StatusEvent
from orderstream.local import LocalServers
from orderstream.local.process import ServerProcess
from orderstream.messages import Message, Recipient, addressed
from orderstream.producer import NotSent, Publisher, publisher
from orderstream.rules_file import PREFIX
from orderstream.servers import show_exports, started_servers, where
from orderstream.settings import Settings, read_settings
from orderstream.terminal import FailedError, out_of_reach
from orderstream.topics import created
from orderstream.trouble import UnavailableError

PAUSE_SECONDS: Final = 0.4  # between two messages, for the eye
READY: Final = b'"partitions.assigned"'
ALIVE_SECONDS: Final = 1.0  # between two looks at the worker


async def demo(*, keep: bool) -> None:
    """Play it, and with *keep* leave all running until cancelled.

    Raises `LocalServerError` and `FailedError`.
    """
    async with started_servers() as servers:
        settings = read_settings(where(servers))
        try:
            await _demo(View(), servers, settings, keep=keep)
        except UnavailableError as error:
            raise FailedError(out_of_reach(error, settings)) from None


async def _demo(view: View, servers: LocalServers, settings: Settings, *, keep: bool) -> None:
    await created(settings)
    view.line("Starting a worker…")
    async with _worker(servers) as worker:
        view.line("A worker runs on a real Kafka and a real MongoDB. Messages go in (→), answers come out (←, ✗).")
        async with watching(settings, worker) as watch, publisher(settings) as to:
            began = asyncio.get_running_loop().time()
            played = await _Play(view, watch, to).all()
            seconds = asyncio.get_running_loop().time() - began
        _close(view, played, seconds, where(servers) if keep else None)
        while keep:
            await asyncio.sleep(ALIVE_SECONDS)
            if not worker.running:
                raise worker.failure("ended")


@asynccontextmanager
async def _worker(servers: LocalServers) -> AsyncIterator[ServerProcess]:
    """`orderstream run` as a process of its own, ready for messages."""
    folder = servers.kafka.folder.parent / "worker"
    worker = ServerProcess("the worker", folder, _environment(where(servers)))
    try:
        await worker.start([sys.executable, "-m", "orderstream", "run"])
        await worker.until(lambda: _has_partitions(worker))
        yield worker
    finally:
        await worker.stop()


def _environment(servers: Mapping[str, str]) -> Mapping[str, str]:
    """Settings of a worker that may already be here must not lead the demo to other servers."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**others, **servers, f"{PREFIX}HTTP_PORT": "0"}


async def _has_partitions(worker: ServerProcess) -> bool:
    return READY in worker.log.read_bytes()


class _Play:
    """Each message sent, and its answer awaited before the next one."""

    def __init__(self, view: View, watch: Watch, to: Publisher) -> None:
        self._view, self._watch, self._to = view, watch, to
        self._first: dict[str, StatusEvent] = {}  # of each dialect, the first event of its first order

    async def all(self) -> list[Played]:
        played: list[Played] = []
        with self._view.moving():
            for act in acts():
                self._view.act(act.title)
                for step in act.steps:
                    played.append(await self._played(step))
                    await asyncio.sleep(PAUSE_SECONDS)
        return played

    async def _played(self, step: Step) -> Played:
        clock = asyncio.get_running_loop().time
        about = self._first.get(step.about or "")
        sent = clock()
        (position,) = await self._to.send([_with_address(step, about)])
        if isinstance(position, NotSent):
            raise FailedError(f"a message could not be sent: {position.reason}")
        self._view.sent(step, position)
        answer = await self._watch.answer(position, about.order_id if about else None)
        if isinstance(answer, Announced):
            self._first.setdefault(answer.event.dialect, answer.event)
        played = Played(step, position, answer, (clock() if isinstance(answer, Quiet) else answer.at) - sent)
        self._view.answered(played)
        return played


def _with_address(step: Step, about: StatusEvent | None) -> Message:
    """An update to an order learns from the order's first event how to name it."""
    if about is None or step.message.kind is Kind.CREATE:
        return step.message
    return addressed(step.message, Recipient(about.dialect, about.tenant, about.refs["order_id"], key=None))


def _close(view: View, played: Sequence[Played], seconds: float, settings: Mapping[str, str] | None) -> None:
    """What happened, and what to try next."""
    view.act("What happened")
    for text in summary(played, seconds):
        view.line(text)
    view.act("What to try next")
    if settings is None:
        view.line("orderstream demo --keep    leaves all of this running; then in another terminal:")
    else:
        view.line("All of this runs until Ctrl-C. In another terminal:")
        show_exports(settings)
    for what, command in TRY_NEXT:
        view.line(f"  # {what}")
        view.line(f"  {command}")
