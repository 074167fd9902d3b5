"""A real MongoDB replica set on this machine: one or three members."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from orderstream.local.ports import HOST, launch_on_free_ports, listens
from orderstream.local.process import ServerProcess, together
from orderstream.local.programs import mongod

SET_NAME = "orderstream"
NOT_YET_INITIALIZED = 94
ELECTION_MILLISECONDS = 3_000
STEP_DOWN_SECONDS = 5  # as long it cannot be elected again
FIND_MILLISECONDS = 1_000
ANSWER_MILLISECONDS = 10_000

LEAN = (
    "--nounixsocket",
    "--quiet",
    "--oplogSize=256",  # MB
    "--setParameter=diagnosticDataCollectionEnabled=false",
    "--setParameter=shutdownTimeoutMillisForSignaledShutdown=100",  # 15 s by default, for clients of big clusters
)


class MongoReplicaSet:
    """Members on 127.0.0.1; *arguments* are further ones for mongod."""

    def __init__(
        self,
        folder: Path,
        members: int = 1,
        arguments: Sequence[str] = (),
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder.absolute()
        self.members = tuple(ServerProcess(f"mongod {i}", self.folder / f"member-{i}") for i in range(members))
        self.ports: list[int] = []
        self._arguments = arguments
        self._report = report

    @property
    def url(self) -> str:
        return f"mongodb://{','.join(self._hosts())}/?replicaSet={SET_NAME}"

    async def start(self) -> None:
        """Start all members and wait until each knows a primary; raises LocalServerError."""
        await launch_on_free_ports(self.folder, len(self.members), self._launch)
        self._report(f"MongoDB is ready at {self.url}")

    async def stop(self) -> None:
        await together(*(member.stop() for member in self.members))

    def kill(self, index: int) -> None:
        self.members[index].kill()

    async def restart(self, index: int) -> None:
        """Start a member again, with its data and port; where most are down, restart them at the same time."""
        await self.members[index].stop()
        await self._run(index)
        await self._until_settled(index)

    def suspend(self, index: int) -> None:
        self.members[index].send(signal.SIGSTOP)

    def resume(self, index: int) -> None:
        self.members[index].send(signal.SIGCONT)

    async def primary(self) -> int:
        """The index of the primary; waits until there is one, at most a minute."""
        running = next((member for member in self.members if member.running), self.members[0])
        return (await running.until(self._primaries))[0]

    async def step_down(self) -> None:
        """Make the primary give up its role; returns before there is a new one, where it is alone after 5 s."""
        wait = 0 if len(self.members) == 1 else STEP_DOWN_SECONDS - 1
        order: dict[str, Any] = {
            "replSetStepDown": STEP_DOWN_SECONDS,
            "secondaryCatchUpPeriodSecs": wait,
            "force": True,
        }
        await _ask(self.ports[await self.primary()], order)

    async def _launch(self, ports: list[int]) -> None:
        self.ports = ports
        indices = range(len(self.members))
        try:
            await together(*(self._run(index) for index in indices))
            await self.members[0].until(self._configured, PyMongoError)
            await together(*(self._until_settled(index) for index in indices))
        except BaseException:
            await self.stop()
            raise

    async def _run(self, index: int) -> None:
        member = self.members[index]
        (member.folder / "data").mkdir(parents=True, exist_ok=True)
        cache = "0.5" if len(self.members) == 1 else "0.25"
        where = (f"--bind_ip={HOST}", f"--port={self.ports[index]}", "--dbpath=data", f"--replSet={SET_NAME}")
        await member.start([str(mongod()), *where, f"--wiredTigerCacheSizeGB={cache}", *LEAN, *self._arguments])

    async def _configured(self) -> bool:
        """Whether the first member is in its set; if not, what is missing is asked for."""
        port = self.ports[0]
        if "setName" in await _ask(port, {"hello": 1}):
            return True
        try:
            stored = (await _ask(port, {"replSetGetConfig": 1}))["config"]
        except OperationFailure as error:
            if error.code != NOT_YET_INITIALIZED:
                raise
            await _ask(port, {"replSetInitiate": self._new_configuration()})
        else:  # it knows other ports, which are taken now
            moved = [{**member, "host": host} for member, host in zip(stored["members"], self._hosts(), strict=True)]
            await _ask(port, {"replSetReconfig": {**stored, "members": moved}, "force": True})
        return False

    def _new_configuration(self) -> dict[str, Any]:
        return {
            "_id": SET_NAME,
            "members": [{"_id": index, "host": host} for index, host in enumerate(self._hosts())],
            "settings": {"electionTimeoutMillis": ELECTION_MILLISECONDS},
        }

    def _hosts(self) -> list[str]:
        return [f"{HOST}:{port}" for port in self.ports]

    async def _until_settled(self, index: int) -> None:
        async def settled() -> bool:
            hello = await _ask(self.ports[index], {"hello": 1})
            return hello["isWritablePrimary"] or (hello["secondary"] and "primary" in hello)

        await self.members[index].until(settled, PyMongoError)

    async def _primaries(self) -> list[int]:
        answers = await asyncio.gather(*(_is_primary(port) for port in self.ports))
        return [index for index, yes in enumerate(answers) if yes]


async def _is_primary(port: int) -> bool:
    try:
        return bool((await _ask(port, {"hello": 1}))["isWritablePrimary"])
    except PyMongoError:
        return False


async def _ask(port: int, command: dict[str, Any]) -> dict[str, Any]:
    if not listens(port):
        raise ConnectionFailure(f"nothing listens at port {port}")
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        HOST,
        port,
        directConnection=True,
        serverMonitoringMode="poll",  # the other mode connects a second time, and leaves that open when we close early
        serverSelectionTimeoutMS=FIND_MILLISECONDS,
        socketTimeoutMS=ANSWER_MILLISECONDS,
    )
    async with client:
        return await client.admin.command(command)
