"""The long set: `python -m tests.faults --rounds 100 --seed 1 --table FILE`; rounds that the table has are left out."""

import argparse
import asyncio
import logging
import signal
from pathlib import Path

from orderstream.local import local_servers
from tests.faults.rounds import planned, play
from tests.faults.table import HEAD, line, seeds_in, summary


async def play_all(seeds: list[int], table: Path) -> int:
    """Play rounds one by one, and tell; gives the number of violations."""
    violations = 0
    me = asyncio.current_task()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: me and me.cancel())  # leave nothing behind
    async with local_servers(brokers=3, mongods=3, report=print) as servers:
        for seed in seeds:
            outcome = await play(servers, planned(seed), table.with_suffix(".evidence"))
            violations += len(outcome.violations)
            with table.open("a") as file:
                file.write(line(outcome))
            print(line(outcome), *(f"    {said}\n" for said in outcome.violations[:10]), sep="", end="", flush=True)
    return violations


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="of the first round; each has the next one")
    parser.add_argument("--table", type=Path, required=True, help="Markdown file to which a row per round is added")
    asked = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # that brokers are away is no news here
    if not asked.table.exists():
        asked.table.write_text(HEAD)
    done = seeds_in(asked.table)
    seeds = [seed for seed in range(asked.seed, asked.seed + asked.rounds) if seed not in done]
    violations = asyncio.run(play_all(seeds, asked.table))
    print(summary(asked.table))
    return 1 if violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
