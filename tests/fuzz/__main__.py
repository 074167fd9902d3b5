"""Many messages in two processes: how they were judged, how long the slowest took, how much memory it needed."""

import argparse
import gc
import os
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from tests.fuzz import laws, mutations
from tests.fuzz.starts import of_models, of_samples

PROCESSES: Final = 2
FRESH: Final = 50_000  # messages after which others are drawn from the models
MOST_MILLISECONDS: Final = 50.0


class Slowest(NamedTuple):
    """A message and how much of the processor it took."""

    milliseconds: float = 0.0
    value: bytes = b""


class Result(NamedTuple):
    """Of one process."""

    verdicts: Counter[str]
    slowest: Slowest
    broken: list[str]
    megabytes: int


def work(seed: int, count: int) -> Result:
    """Try *count* messages, after everybody else."""
    os.setpriority(os.PRIO_PROCESS, 0, 10)
    verdicts: Counter[str] = Counter()
    slowest, broken = Slowest(), list[str]()
    for number, (verdict, spent, value) in enumerate(_tried(Random(seed), count)):
        verdicts[verdict] += 1
        if verdict.startswith("BROKEN"):
            broken.append(f"seed {seed}, message {number}: {verdict} {value[:300]!r}")
        if spent > slowest.milliseconds:
            slowest = Slowest(spent, value)
    return Result(verdicts, slowest, broken, _peak_megabytes())


def _tried(chance: Random, count: int) -> Iterator[tuple[str, float, bytes]]:
    gc.set_threshold(50_000, 20, 100)  # as the worker has it
    for number in range(count):
        if number % FRESH == 0:
            starts = [*of_samples(), *of_models(chance.getrandbits(32))]
            gc.collect()
        start = chance.choice(starts)
        record = laws.record_of(mutations.spoiled(start, starts, chance), chance.choice(mutations.TIMES))
        began = time.thread_time()
        try:
            verdict: str = laws.verdict_of(record, start.orders)
        except Exception as error:  # noqa: BLE001  # this is what is looked for
            verdict = f"BROKEN by {type(error).__name__}: {error}"
        yield verdict, (time.thread_time() - began) * 1000, record.value or b""


def _peak_megabytes() -> int:
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024


def main() -> int:
    """Say what came of it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args()
    began = time.monotonic()
    with ProcessPoolExecutor(PROCESSES) as pool:
        seeds = range(asked.seed, asked.seed + PROCESSES)
        results = list(pool.map(work, seeds, [asked.count // PROCESSES] * PROCESSES))
    verdicts = sum((result.verdicts for result in results), Counter[str]())
    slowest = max(result.slowest for result in results)
    print(f"{verdicts.total():,} messages in {time.monotonic() - began:.0f} s: {dict(verdicts.most_common(8))}")
    print(f"slowest {slowest.milliseconds:.1f} ms, of {len(slowest.value):,} bytes: {slowest.value[:100]!r}")
    print(f"peak memory {max(result.megabytes for result in results)} MB in each of {PROCESSES} processes")
    for broken in [line for result in results for line in result.broken][:10]:
        print(broken)
    return int(any(result.broken for result in results) or slowest.milliseconds >= MOST_MILLISECONDS)


if __name__ == "__main__":
    raise SystemExit(main())
