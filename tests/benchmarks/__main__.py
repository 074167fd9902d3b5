"""`python -m tests.benchmarks --results FILE`: plays what the file does not hold yet."""

import argparse
import asyncio
import logging
import signal
import tempfile
from pathlib import Path

from orderstream.local import local_servers
from tests.benchmarks.clock import UntimedError
from tests.benchmarks.contestants import BARE, EndedError, NotHereError
from tests.benchmarks.play import Bench, Figures
from tests.benchmarks.report import write
from tests.benchmarks.results import Played, add, played
from tests.benchmarks.workloads import WORKLOADS, Plan, play_creates


async def play_all(names: list[str], runs: int, scale: float, results: Path) -> None:
    """Every contestant once, then all a second time, and so on: what else the machine does meets all alike."""
    done = played(results)
    plans = [(plan, run) for name in names for run in range(1, runs + 1) for plan in WORKLOADS[name]()]
    missing = [(plan, run) for plan, run in plans if Played(plan.workload, plan.contestant, run, scale) not in done]
    me = asyncio.current_task()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: me and me.cancel())  # leave nothing behind
    if not missing:
        return
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as logs:
        async with local_servers(report=print) as servers:
            bench = Bench(servers, Path(logs), scale)
            await play_creates(BARE, bench)  # what is cold gets warm, for all
            for plan, run in missing:
                figures = await _figures(plan, bench)
                add(results, Played(plan.workload, plan.contestant, run, scale), figures)
                print(plan.workload, plan.contestant, run, figures, flush=True)


async def _figures(plan: Plan, bench: Bench) -> Figures:
    """What came of it; a contestant that cannot be had, or fails, is told of in its row."""
    try:
        return await plan.play(bench)
    except NotHereError as error:
        return {"failed": f"not here: {error}"}
    except (EndedError, UntimedError) as error:
        return {"failed": str(error)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="JSON lines, to which a line per run is added")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of messages")
    parser.add_argument("--only", default=",".join(WORKLOADS), help="workloads, with commas between them")
    parser.add_argument("--runs", type=int, default=3, help="of each contestant")
    parser.add_argument("--readme", action="store_true", help="write the tables and the plot of all results so far")
    asked = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # groups and topics that are not there yet
    asyncio.run(play_all(asked.only.split(","), asked.runs, asked.scale, asked.results))
    if asked.readme:
        write(asked.results)


if __name__ == "__main__":
    main()
