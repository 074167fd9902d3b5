"""The short set: a few rounds that have the most in them; `python -m tests.faults` plays the long one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from orderstream.local import LocalServers, local_servers
from tests.faults.rounds import Plan, play

ROUNDS = (
    Plan(1, 3, ("kill at every step",)),
    Plan(2, 2, ("restart all",)),
    Plan(3, 3, ("freeze beyond the session", "kill coordinator"), at_once=True),
    Plan(4, 2, ("roll back", "kill"), at_once=True),
    Plan(5, 2, ("cut network", "kill at publish")),
)


@pytest_asyncio.fixture(name="three_of_each", scope="module", loop_scope="session")
async def _three_of_each() -> AsyncIterator[LocalServers]:
    async with local_servers(brokers=3, mongods=3) as servers:
        yield servers


@pytest.mark.parametrize("plan", ROUNDS, ids=lambda plan: " and ".join(plan.faults))
async def test_no_guarantee_is_broken(plan: Plan, three_of_each: LocalServers, tmp_path: Path) -> None:
    outcome = await play(three_of_each, plan, evidence=tmp_path)

    assert [] == outcome.violations
    assert outcome.verdict.messages > 300
