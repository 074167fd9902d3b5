"""The table of the rounds that were played, a row each, and what they come to."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.faults.rounds import Outcome

HEAD: Final = (
    "| Seed | Workers | Faults | Messages | Orders | Events | Rejections | Repeats | Seconds | Violations |\n"
    "|---|---|---|---|---|---|---|---|---|---|\n"
)
HEAD_OF_SUMMARY: Final = "| Fault | Rounds | Messages | Repeats | Violations |\n|---|--:|--:|--:|--:|\n"
JOINTS: Final = re.compile(", then |(?<!come) and ")
AT_A_STEP: Final = re.compile(r"(\w+) at (?!every)\w+")  # which step is chance


class Figures(NamedTuple):
    """Of one round or of several."""

    rounds: int = 0
    messages: int = 0
    repeats: int = 0
    violations: int = 0

    def plus(self, other: "Figures") -> "Figures":
        """Both together."""
        return Figures(*(one + another for one, another in zip(self, other, strict=True)))


def line(outcome: Outcome) -> str:
    """A round as a row."""
    plan, verdict = outcome.plan, outcome.verdict
    joint = " and " if plan.at_once else ", then "
    figures = (verdict.messages, verdict.orders, verdict.events, verdict.rejections, verdict.repeats)
    cells = (
        plan.seed,
        plan.workers,
        joint.join(plan.faults),
        *figures,
        round(outcome.seconds),
        len(outcome.violations),
    )
    return "| " + " | ".join(map(str, cells)) + " |\n"


def seeds_in(table: Path) -> set[int]:
    """The rounds that were played already."""
    return {int(cells[0]) for cells in _rows(table)}


def summary(table: Path) -> str:
    """All rounds by fault, each round under both of its faults, and all together."""
    by_fault: defaultdict[str, Figures] = defaultdict(Figures)
    for cells in _rows(table):
        figures = Figures(1, *(int(cells[place]) for place in (3, 7, 9)))
        for fault in {*_faults(cells[2]), "**all**"}:
            by_fault[fault] = by_fault[fault].plus(figures)
    return HEAD_OF_SUMMARY + "".join(_summary_lines(by_fault))


def _summary_lines(by_fault: Mapping[str, Figures]) -> Sequence[str]:
    faults = sorted(by_fault, key=lambda fault: (fault.startswith("**"), fault))
    return [f"| {fault} | " + " | ".join(f"{n:,}" for n in by_fault[fault]) + " |\n" for fault in faults]


def _faults(cell: str) -> list[str]:
    return [AT_A_STEP.sub(r"\1 at a step", fault) for fault in JOINTS.split(cell)]


def _rows(table: Path) -> list[list[str]]:
    lines = table.read_text().splitlines()[2:] if table.exists() else []
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in lines]
