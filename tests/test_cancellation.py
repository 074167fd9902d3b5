"""Tasks that do not want to end."""

import asyncio
from contextlib import suppress

import pytest

from orderstream import cancellation
from orderstream.cancellation import cancel_until_ended


async def test_a_task_that_swallows_a_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancellation, "AGAIN_SECONDS", 0.01)
    swallowed = 0

    async def stubborn() -> None:
        nonlocal swallowed
        while swallowed < 3:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            swallowed += 1

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await cancel_until_ended([task])

    assert (True, 3) == (task.done(), swallowed)


async def test_what_a_task_raises_at_its_end_hurts_nobody() -> None:
    async def broken() -> None:
        raise ValueError

    task = asyncio.create_task(broken())
    await cancel_until_ended([task])

    assert task.done()
