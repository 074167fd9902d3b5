"""A guard against gross regressions: the worker's speed as a share of the bare limit's, in one run."""

from pathlib import Path
from typing import Final

from orderstream.settings import Settings
from tests.benchmarks import messages, sending
from tests.benchmarks.clock import group
from tests.benchmarks.contestants import BARE, WORKER, Contestant, running
from tests.conftest import Servers, fresh_settings

ORDERS: Final = 20_000
SHARE: Final = 0.1  # of the bare limit; it is several times that


async def test_the_worker_is_not_many_times_slower_than_the_bare_limit(servers: Servers, tmp_path: Path) -> None:
    bare = await _rate(BARE, await fresh_settings(servers), tmp_path / "bare.log")
    ours = await _rate(WORKER, await fresh_settings(servers), tmp_path / "worker.log")

    assert ours > SHARE * bare


async def _rate(contestant: Contestant, settings: Settings, log: Path) -> float:
    """Orders per second."""
    await sending.load(settings, messages.creates(ORDERS, for_peer=contestant.has_id))
    async with running(contestant, settings, log) as program, group(settings, settings.group) as offsets:
        return (await program.until(offsets.until(ORDERS))).rate
