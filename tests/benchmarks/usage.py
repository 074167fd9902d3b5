"""What processes take: seconds of CPU and resident memory."""

import contextlib
from typing import Final, NamedTuple

import psutil

from orderstream.local import LocalServers

MB: Final = 1_000_000


class Cpu(NamedTuple):
    """Seconds of CPU since the start of each."""

    contestant: float
    kafka: float
    mongo: float

    def since(self, before: "Cpu") -> "Cpu":
        return Cpu(*(now - then for now, then in zip(self, before, strict=True)))


def per_thousand(spent: Cpu, messages: int) -> dict[str, float]:
    """Seconds of CPU per 1,000 messages, as the results have them."""
    return {f"cpu_{name}": round(1000 * seconds / messages, 4) for name, seconds in spent._asdict().items()}


class Meter:
    """Watches a contestant with all its children, and both servers."""

    def __init__(self, pid: int, servers: LocalServers) -> None:
        self._root = psutil.Process(pid)
        self._servers = [psutil.Process(one.pid) for one in (servers.kafka.brokers[0], servers.mongo.members[0])]
        self.peak_mb = 0.0

    def cpu(self) -> Cpu:
        """Until now."""
        kafka, mongo = (_seconds(server) for server in self._servers)
        return Cpu(sum(map(_seconds, self._tree())), kafka, mongo)

    def mb(self) -> float:
        """Resident memory of the contestant now; the peak is kept."""
        now = sum(map(_resident, self._tree())) / MB
        self.peak_mb = max(self.peak_mb, now)
        return now

    def _tree(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return [self._root, *self._root.children(recursive=True)]
        return []


def _seconds(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system)
    return 0.0


def _resident(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        return float(process.memory_info().rss)
    return 0.0
