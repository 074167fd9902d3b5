"""The direction of imports, the linter and the types are part of what the tests hold."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
TOOLS = Path(sys.executable).parent
CHECKS = {
    "imports point one way": ["lint-imports", "--no-cache"],
    "the linter has nothing to say": ["ruff", "check", "."],
    "the code is formatted": ["ruff", "format", "--check", "."],
    "the types hold": ["mypy"],
}


@pytest.mark.parametrize("check", CHECKS)
def test_the_house_is_in_order(check: str) -> None:
    program, *arguments = CHECKS[check]

    done = subprocess.run([TOOLS / program, *arguments], cwd=PROJECT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
