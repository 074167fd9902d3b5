"""Many histories: `python -m tests.histories --count 100000 --seed 1`; those that differ tell their story."""

import argparse
import gc
import time
from collections import Counter
from collections.abc import Iterable
from multiprocessing import Pool
from typing import Final

from tests.histories.play import Outcome, played

PROCESSES: Final = 2
EVERY: Final = 1_000  # histories between two lines of progress
STORIES: Final = 3  # at most are told


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.histories", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000, help="how many; a single one tells its story in any case")
    parser.add_argument("--seed", type=int, default=1, help="of the first history; each has the next one")
    asked = parser.parse_args()
    if asked.count == 1:
        outcome = played(asked.seed, tell=True)
        print(_told(outcome))
        return 1 if outcome.differences else 0
    with Pool(PROCESSES, _prepare) as pool:
        seeds = range(asked.seed, asked.seed + asked.count)
        return 1 if _all_of(pool.imap_unordered(played, seeds, chunksize=20), asked.count) else 0


def _prepare() -> None:
    """A history makes many values and few cycles."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _all_of(outcomes: Iterable[Outcome], count: int) -> int:
    """Tell how far it is, what differs, and what it was in the end; gives how many differ."""
    started, counts, different = time.monotonic(), Counter[str](), 0
    for done, outcome in enumerate(outcomes, start=1):
        counts += outcome.counts
        if outcome.differences:
            different += 1
            print(_told(outcome) if different <= STORIES else f"seed {outcome.seed} differs, too", flush=True)
        if done % EVERY == 0 or done == count:
            print(f"{done} histories, {time.monotonic() - started:.0f} s, {different} differences", flush=True)
    print(f"{count} histories: {', '.join(f'{number} {what}' for what, number in sorted(counts.items()))}")
    print(f"{different} differences")
    return different


def _told(outcome: Outcome) -> str:
    verdict = "\n".join(outcome.differences) or "no difference"
    return f"seed {outcome.seed}\n{outcome.story}\n{verdict}\n"


if __name__ == "__main__":
    raise SystemExit(main())
