"""The checker finds nothing where nothing is wrong, and every wrong that is planted."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.checker import judged
from tests.faults.history import History
from tests.faults.in_memory import round_in_memory
from tests.faults.planted import WRONGS, moved

MESSAGES = 500


@pytest.fixture(name="clean", scope="module")
def _clean() -> History:
    return round_in_memory(seed=7, messages=MESSAGES)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_round_without_faults_has_no_violation(seed: int) -> None:
    verdict = judged(round_in_memory(seed, MESSAGES))

    assert [] == verdict.violations
    assert verdict.messages == MESSAGES
    assert verdict.orders > MESSAGES / 10
    assert verdict.rejections > MESSAGES / 20


def test_a_repeat_with_the_same_bytes_is_no_violation_after_a_crash(clean: History) -> None:
    crashed = replace(
        clean,
        events=[*clean.events, *(moved(event, 10_000 + n) for n, event in enumerate(clean.events[-20:]))],
        rejections=[*clean.rejections, *clean.rejections],
        may_repeat=True,
    )

    verdict = judged(crashed)

    assert [] == verdict.violations
    assert verdict.repeats >= 20 + len(clean.rejections)


@pytest.mark.parametrize("plant", WRONGS, ids=lambda plant: plant.__name__)
def test_a_planted_wrong_is_found(plant: Callable[[History], History], clean: History) -> None:
    violations = judged(plant(clean)).violations

    assert any(WRONGS[plant] in violation for violation in violations), violations[:5]
