"""A worker asked over HTTP, as curl does it."""

import asyncio
import json
import socket
from collections.abc import Callable, Mapping
from contextlib import closing
from http.client import HTTPConnection
from typing import Any, NamedTuple

from tests.worker import DEADLINE, Worker


class Told(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401  # any JSON
        return json.loads(self.body)


def asked(port: int, target: str, token: str | None = None, method: str = "GET") -> Told:
    """The answer to one request."""
    connection = HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        connection.request(method, target, headers={} if token is None else {"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Told(response.status, headers, response.read())
    finally:
        connection.close()


async def ask(port: int, target: str, token: str | None = None, method: str = "GET") -> Told:
    """The same, while this process does other things."""
    return await asyncio.to_thread(asked, port, target, token, method)


def free_port() -> int:
    """One that nobody listens at now."""
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def port_of(worker: Worker) -> int:
    """Where this worker answers."""
    await worker.saw("worker.started")
    return next(int(line["http_port"]) for line in worker.log if line["event"] == "worker.started")


async def until_told(port: int, reason: str) -> Told:
    """Wait until it is not ready for this reason."""
    return await _until(port, lambda told: told.status == 503 and any(reason in one for one in told.json["reasons"]))


async def until_ready(port: int, state: str = "ready") -> Told:
    """Wait until it is ready, or on standby."""
    return await _until(port, lambda told: told.status == 200 and told.json["status"] == state)


async def _until(port: int, holds: Callable[[Told], bool]) -> Told:
    async with asyncio.timeout(DEADLINE):
        while not holds(told := await ask(port, "/health/ready")):
            await asyncio.sleep(0.1)
    return told
