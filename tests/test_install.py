"""`pip install .` in a fresh environment gives a working command."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from orderstream.settings import Settings
from tests.worker import DEADLINE, environment

PROJECT = Path(__file__).parent.parent


async def output_of(*command: object, env: Mapping[str, str] | None = None) -> tuple[int | None, str, str]:
    """Run a command to its end; exit code, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.fixture(name="command", scope="module")
async def _command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command as a fresh environment has it."""
    environment_folder = tmp_path_factory.mktemp("fresh") / "venv"
    for step in (("-m", "venv", environment_folder),):
        code, _, err = await output_of(sys.executable, *step)
        assert code == 0, err
    code, _, err = await output_of(environment_folder / "bin" / "pip", "install", "-q", PROJECT)
    assert code == 0, err
    return environment_folder / "bin" / "orderstream"


async def test_the_installed_worker_runs_against_the_named_servers(command: Path, settings: Settings) -> None:
    process = await asyncio.create_subprocess_exec(
        command, "run", env=environment(settings), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    events = []
    async with asyncio.timeout(DEADLINE):
        while "partitions.assigned" not in events:
            events.append(json.loads(await process.stdout.readline())["event"])
    process.send_signal(signal.SIGTERM)
    rest = [json.loads(line)["event"] for line in (await process.communicate())[0].splitlines()]

    assert "worker.started" == events[0]
    assert "worker.stopped" == rest[-1]
    assert 0 == process.returncode


async def test_a_wrong_setting_stops_it_with_one_line_that_names_it(command: Path) -> None:
    code, out, err = await output_of(command, "run", env={**os.environ, "ORDERSTREAM_PARK_SECONDS": "soon"})

    assert (2, "") == (code, out)
    assert 1 == len(err.splitlines())
    assert "ORDERSTREAM_PARK_SECONDS" in err


async def test_a_setting_that_does_not_exist_is_named_with_the_one_that_may_be_meant(command: Path) -> None:
    code, _, err = await output_of(command, "run", env={**os.environ, "ORDERSTREAM_MONGO_URI": "mongodb://x"})

    assert 2 == code
    assert ["ORDERSTREAM_MONGO_URI", "ORDERSTREAM_MONGO_URL"] == [
        name for name in ("ORDERSTREAM_MONGO_URI", "ORDERSTREAM_MONGO_URL") if name in err
    ]
