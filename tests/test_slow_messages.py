"""Messages that take long to judge hold up their own lane; the group still hears of the worker meanwhile."""

import asyncio

from orderstream.commands import Record
from tests.bad_inputs.cases import headers_of, right
from tests.builders import a_record
from tests.test_pipeline import Bench

SLOW = 12  # messages


def wrong_throughout(number: int) -> Record:
    """An order with thousands of problems."""
    value = {**right("subscription", f"{number}"), "tags": [1] * 20_000}
    headers = {name: (text or b"").decode() for name, text in headers_of("subscription", "x")}
    return a_record(value=value, headers=headers)


async def turns(bench: Bench) -> int:
    """How often something else has its turn while the lane works."""
    count = 0

    async def take_turns() -> None:
        nonlocal count
        while True:
            await asyncio.sleep(0.001)
            count += 1

    other = asyncio.create_task(take_turns())
    await bench.live()
    other.cancel()
    return count


def test_others_have_their_turn_between_messages_with_many_problems() -> None:
    assert asyncio.run(turns(Bench(wrong_throughout(number) for number in range(SLOW)))) > SLOW
