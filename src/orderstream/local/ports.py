"""Ports for the servers of one folder: free ones at first, the same again later."""

import json
import secrets
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from orderstream.local.process import LocalServerError

HOST = "127.0.0.1"

# Not bind(0): its ports are those of outgoing connections too. A client that knocks at the port of a killed server
# would sooner or later be given that very port for itself, and the server could not come back.
CANDIDATES = range(20_000, 32_000)


async def launch_on_free_ports(folder: Path, count: int, launch: Callable[[list[int]], Awaitable[None]]) -> None:
    """Launch on the ports of the last time, on others if they are taken, and once more if one was taken meanwhile.

    *launch* leaves nothing running when it fails.
    """
    ports = _choose(folder, count)
    try:
        await launch(ports)
    except LocalServerError:
        if all(_is_free(port) for port in ports):
            raise
        await launch(_choose(folder, count))


def listens(port: int) -> bool:
    """Whether somebody listens there: cheaper than a client that finds out, and logs it."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def _choose(folder: Path, count: int) -> list[int]:
    file = folder / "ports.json"
    ports = _remembered(file)
    if ports and len(ports) != count:
        raise LocalServerError(
            f"{folder} holds another number of servers: ask for the same number again, or use another folder"
        )
    if not ports or not all(_is_free(port) for port in ports):
        ports = _free_ports(count)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(ports))
    return ports


def _remembered(file: Path) -> list[int]:
    try:
        return [int(port) for port in json.loads(file.read_text())]
    except (FileNotFoundError, ValueError):  # not there, or cut off by a kill
        return []


def _free_ports(count: int) -> list[int]:
    # Test frameworks seed the global generator: parallel runs would all choose the same.
    candidates = secrets.SystemRandom().sample(CANDIDATES, len(CANDIDATES))
    free = (port for port in candidates if _is_free(port))
    return [next(free) for _ in range(count)]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: a port just left is free
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
