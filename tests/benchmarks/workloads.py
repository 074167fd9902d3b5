"""The workloads: who plays what, with how many messages."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from orderstream.settings import Settings
from tests.benchmarks import messages
from tests.benchmarks.clock import Seen
from tests.benchmarks.contestants import BARE, PEERS, QUIX_EOS, TUTORIAL, WORKER, Contestant, worker
from tests.benchmarks.health import Health
from tests.benchmarks.latency import play_latency
from tests.benchmarks.many_orders import fill
from tests.benchmarks.messages import Known
from tests.benchmarks.play import Bench, Expected, Figures, Given, clear, decided, play
from tests.benchmarks.usage import Meter
from tests.http_client import free_port
from tests.load import folded
from tests.worker import Sent

CREATES: Final = 120_000
UPDATES: Final = 60_000  # messages, of which a fifth are creates
HOT: Final = 2_000  # orders that the updates share
HOT_FROM: Final = 10_000_000  # their numbers, which no other order has
PROCESSES: Final = (1, 2, 4)
MANY: Final = 2_000_000  # orders
MODELS: Final = 1_000  # of which they are copies
MILLION: Final = 1_000_000
MEMORY_STEP: Final = 100_000  # messages
WAITING: Final = 200_000


class Plan(NamedTuple):
    """One row: a contestant and its task."""

    workload: str
    contestant: str
    play: Callable[[Bench], Awaitable[Figures]]


def _creates() -> Iterator[Plan]:
    for contestant in (WORKER, BARE, *PEERS):
        yield Plan("creates", contestant.name, partial(play_creates, contestant))


def _updates() -> Iterator[Plan]:
    for contestant in (WORKER, *PEERS):
        yield Plan("updates", contestant.name, partial(play_updates, contestant))


def _mixed() -> Iterator[Plan]:
    yield Plan("mixed", "worker", play_mixed)


def _processes() -> Iterator[Plan]:
    for count in PROCESSES:
        yield Plan("processes", f"worker, {count}", partial(play_creates, worker("--workers", str(count))))


def _size() -> Iterator[Plan]:
    for title, size, share in (("1 KB", 1_000, 1.0), ("20 KB", 20_000, 1 / 8)):
        for contestant in (WORKER, BARE):
            one = contestant._replace(share=share)
            yield Plan("size", f"{contestant.name}, {title}", partial(play_creates, one, size=size))


def _large() -> Iterator[Plan]:
    for title, play_one in (("creates", play_creates), ("updates", play_updates)):
        yield Plan("large", f"{title}, empty", partial(play_one, WORKER))
        yield Plan("large", f"{title}, 2 million", partial(play_large, title))


def _million() -> Iterator[Plan]:
    yield Plan("million", "worker", play_million)


def _backlog() -> Iterator[Plan]:
    yield Plan("backlog", "worker", play_backlog)


def _latency() -> Iterator[Plan]:
    often = QUIX_EOS._replace(environment={"COMMIT_SECONDS": "0.02"})  # its events come when it commits
    for contestant in (WORKER, TUTORIAL, often):
        yield Plan("latency", contestant.name, partial(play_latency, contestant))


WORKLOADS: Final[Mapping[str, Callable[[], Iterator[Plan]]]] = {
    "creates": _creates,
    "updates": _updates,
    "mixed": _mixed,
    "processes": _processes,
    "size": _size,
    "large": _large,
    "million": _million,
    "backlog": _backlog,
    "latency": _latency,
}


async def play_creates(contestant: Contestant, bench: Bench, *, size: int = messages.BYTES) -> Figures:
    """New orders only."""
    settings = await bench.fresh()
    try:
        return await play(bench, contestant, settings, some_creates(contestant, bench, size=size))
    finally:
        await clear(settings)


async def play_updates(contestant: Contestant, bench: Bench) -> Figures:
    """One create to four updates of a hot set, whose orders are there."""
    settings = await bench.fresh()
    try:
        return await play(bench, contestant, settings, await some_updates(contestant, bench, settings, HOT_FROM))
    finally:
        await clear(settings)


async def play_mixed(bench: Bench) -> Figures:
    """Creates of all five dialects, some of them wrong."""
    settings = await bench.fresh()
    sent = list(messages.mixed(_share(WORKER, bench, CREATES)))
    right = sum(is_right for _, is_right in sent)
    given = Given([message for message, _ in sent], Expected(right, right, len(sent) - right))
    try:
        return await play(bench, WORKER, settings, given)
    finally:
        await clear(settings)


async def play_large(messages_are: str, bench: Bench) -> Figures:
    """New orders or updates, where there are very many orders already."""
    settings = bench.large = bench.large or await _with_many(bench)
    if messages_are == "creates":
        return await play(bench, WORKER, settings, some_creates(WORKER, bench))
    return await play(bench, WORKER, settings, await some_updates(WORKER, bench, settings, HOT_FROM))


async def _with_many(bench: Bench) -> Settings:
    settings = await bench.fresh()
    await decided(bench, WORKER, settings, MODELS, HOT_FROM)
    await fill(settings, _share(WORKER, bench, MANY))
    return settings


async def play_million(bench: Bench) -> Figures:
    """Memory over very many messages."""
    settings = await bench.fresh()
    memory: list[tuple[int, float]] = []

    def look(seen: Seen, meter: Meter) -> None:
        if seen.records >= len(memory) * MEMORY_STEP * bench.scale:
            memory.append((seen.records, round(meter.mb(), 1)))

    try:
        figures = await play(bench, WORKER, settings, some_creates(WORKER, bench, count=MILLION), look)
        return {**figures, "memory": memory}
    finally:
        await clear(settings)


async def play_backlog(bench: Bench) -> Figures:
    """A start with many waiting messages, while somebody asks for its health."""
    settings = (await bench.fresh()).model_copy(update={"http_port": free_port()})
    health = Health(settings)
    try:
        given = some_creates(WORKER, bench, count=WAITING)
        figures = await play(bench, WORKER, settings, given, company=health.watch)
        slowest = {path: round(milliseconds, 1) for path, milliseconds in health.slowest_ms.items()}
        return {**figures, "slowest_ms": slowest, "answers": health.answers}
    finally:
        await clear(settings)


def some_creates(
    contestant: Contestant, bench: Bench, *, count: int = CREATES, size: int = messages.BYTES, first: int = 0
) -> Given:
    """New orders."""
    count = _share(contestant, bench, count)
    sent = messages.creates(count, first=first, size=size, for_peer=contestant.has_id)
    return Given(sent, Expected(count, count if contestant.has_events else 0))


async def some_updates(contestant: Contestant, bench: Bench, settings: Settings, first: int) -> Given:
    """A hot set, which is decided before this returns, and what follows."""
    hot = await decided(bench, contestant, settings, _share(contestant, bench, HOT), first)
    count = _share(contestant, bench, UPDATES)
    created = list(messages.creates(count // 5, first=first + len(hot), for_peer=contestant.has_id))
    updated = list(messages.updates(count - len(created), hot, for_peer=contestant.has_id))
    changes = len(updated) if contestant.has_id else _status_changes(hot, updated)
    events = len(created) + changes if contestant.has_events else 0
    return Given(_woven(created, updated), Expected(len(created), events))


def _share(contestant: Contestant, bench: Bench, count: int) -> int:
    return max(1, round(count * contestant.share * bench.scale))


def _woven(created: Sequence[Sent], updated: Sequence[Sent]) -> Iterator[Sent]:
    """One create before every few updates."""
    few = len(updated) // len(created)
    for n, create in enumerate(created):
        yield create
        yield from updated[n * few : (n + 1) * few]
    yield from updated[len(created) * few :]


def _status_changes(hot: Sequence[Known], updated: Sequence[Sent]) -> int:
    """How many of the updates change a status, and so have an event."""
    new = {order.id: create for order, create in zip(hot, messages.creates(len(hot)), strict=True)}
    return sum(len(order.events) - 1 for order in folded(new, updated).values())
