"""Random histories of crashes leave behind what a quiet run does; `python -m tests.histories` plays many more."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.histories.play import played

HISTORIES: Final = 1_000
AT_ONCE: Final = 100
FIRST_SEED: Final = 1_000_001  # others than those of a long run


@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + HISTORIES, AT_ONCE))
def test_whatever_crashes_the_outcome_is_the_same(first: int) -> None:
    different = [outcome for outcome in map(played, range(first, first + AT_ONCE)) if outcome.differences]

    assert [] == [(outcome.seed, outcome.differences) for outcome in different], different[0].story


def test_the_histories_are_full_of_trouble() -> None:
    counts = sum((played(seed).counts for seed in range(1, 60)), start=played(0).counts)

    rare = {"crashes", "pauses", "cuts", "repeats", "refused commits", "fenced", "lost", "carried out in part"}
    assert {what for what in rare if counts[what] == 0} == set()


@pytest.mark.parametrize("seed", [3, 11])
def test_a_history_is_the_same_each_time_and_in_every_process(seed: int) -> None:
    command = [sys.executable, "-m", "tests.histories", "--count", "1", "--seed", str(seed)]
    other = subprocess.run(
        command,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )

    assert played(seed, tell=True).story == played(seed, tell=True).story
    assert played(seed, tell=True).story in other.stdout
