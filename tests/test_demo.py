"""The demo, as a newcomer runs it: real servers, a real worker, an end by itself, and nothing left behind."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from orderstream.commands import Kind
from orderstream.demo.script import Act, acts
from orderstream.demo.view import TRY_NEXT
from orderstream.dialects import DIALECTS
from orderstream.messages import judged
from orderstream.outcomes import Refusal
from tests.builders import problems

DEADLINE = 120.0  # seconds; it takes 20 on an idle machine


@pytest.fixture(name="script")
def _script() -> list[Act]:
    return list(acts())


def test_every_dialect_has_its_orders_and_their_updates(script: list[Act]) -> None:
    kinds = {act.title: {step.message.kind for step in act.steps} for act in script[:-1]}

    assert {dialect: set(Kind) for dialect in DIALECTS} == kinds


def test_the_last_act_shows_a_repeat_three_mistakes_and_an_unknown_order(script: list[Act]) -> None:
    again, wrong, unknown = (step.message for step in script[-1].steps)

    assert script[0].steps[0].message == again
    assert ["FIELD_MISSING", "FIELD_ENUM", "FIELD_UNKNOWN"] == [code for code, _ in problems(judged(wrong))]
    assert not isinstance(judged(unknown), Refusal)


def test_what_is_to_be_tried_next_is_about_an_order_that_is_still_there(script: list[Act]) -> None:
    sent = [dict(step.message.headers) for act in script for step in act.steps]
    deleted = [headers["order-ref"] or b"" for headers in sent if headers.get("operation") == b"order.delete"]

    assert deleted
    assert [] == [command for _, command in TRY_NEXT if any(ref.decode() in command for ref in deleted)]


@asynccontextmanager
async def a_demo(folder: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """In a shell that has settings of its own; servers and worker live in *folder*."""
    environ = {**os.environ, "TMPDIR": str(folder), "ORDERSTREAM_KAFKA_BOOTSTRAP": "nowhere:1"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "orderstream", "demo", *arguments, env=environ,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(DEADLINE):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until_told(process: asyncio.subprocess.Process, text: str) -> None:
    assert process.stdout
    while text not in (line := (await process.stdout.readline()).decode()):
        assert line, f"the demo ended before it said {text}"


def left_in(folder: Path) -> list[str]:
    """Processes that still work in the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cwd"):
        try:
            found += [str(process)] if process.readlink().is_relative_to(folder) else []
        except OSError:  # it ended, or is not ours
            continue
    return found


async def test_it_ends_by_itself_with_a_summary(tmp_path: Path) -> None:
    async with a_demo(tmp_path) as process:
        told, _ = await process.communicate()

    lines = told.decode().splitlines()
    answers = [line.strip() for line in lines if line.startswith("    ")]
    messages = sum(len(act.steps) for act in acts())
    assert (0, []) == (process.returncode, left_in(tmp_path))
    assert f"{messages} messages of 5 dialects" in told.decode()
    assert messages + 2 == len(answers)  # one with three reasons
    assert re.fullmatch(
        r"← order\.created: order created, payment unknown, fulfilment unfulfilled \(\d+ ms\)", answers[0]
    )
    assert [line for line in lines if "\x1b" in line or len(line) > 200] == []


async def test_kept_running_it_tells_how_to_reach_it_and_leaves_nothing(tmp_path: Path) -> None:
    async with a_demo(tmp_path, "--keep") as process:
        await until_told(process, "export ORDERSTREAM_MONGO_URL=")
        assert [] != left_in(tmp_path)
        process.send_signal(signal.SIGINT)
        code = await process.wait()

    assert (0, []) == (code, left_in(tmp_path))


async def test_stopped_before_its_end_it_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    async with a_demo(tmp_path) as process:
        await until_told(process, "Starting a worker")
        process.send_signal(signal.SIGTERM)
        await until_told(process, "orderstream: stopped before the end")
        code = await process.wait()

    assert (1, []) == (code, left_in(tmp_path))
