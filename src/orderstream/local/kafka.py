"""A real Kafka cluster on this machine: one or three brokers, each a controller too."""

import base64
import os
import signal
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka.conn import create_conn
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from orderstream.local.ports import HOST, launch_on_free_ports, listens
from orderstream.local.process import ServerProcess, together
from orderstream.local.programs import java, kafka_jars

REQUEST_MILLISECONDS = 5_000

# Measured on 2 cores: ready in 2.0 s instead of 2.7, and no slower or hungrier after a million messages.
JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")


@dataclass(frozen=True)
class BrokerPorts:
    client: int
    internal: int  # between brokers, and for us: never secured, so that being ready can always be asked
    controller: int


class KafkaCluster:
    """Brokers on 127.0.0.1, topics replicated three times where there are three.

    *config* are lines for server.properties that come last. Clients use the listener CLIENT: secure it by giving
    `listener.security.protocol.map` (with INTERNAL and CONTROLLER left PLAINTEXT) and `listener.name.client.…`.
    *users* are there from the beginning, each as `StorageTool format --add-scram` has it.
    """

    def __init__(
        self,
        folder: Path,
        brokers: int = 1,
        config: Mapping[str, str] = {},
        users: Sequence[str] = (),
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder.absolute()
        self.brokers = tuple(ServerProcess(f"Kafka broker {i}", self.folder / f"broker-{i}") for i in range(brokers))
        self.ports: tuple[BrokerPorts, ...] = ()
        self._config = config
        self._users = users
        self._report = report
        self._java: tuple[str, ...] = ()

    @property
    def bootstrap(self) -> str:
        return ",".join(f"{HOST}:{ports.client}" for ports in self.ports)

    async def start(self) -> None:
        """Start all brokers and wait until each knows all; raises LocalServerError."""
        self._java = _java_command(java(), await kafka_jars(self._report), len(self.brokers))
        await launch_on_free_ports(self.folder, 3 * len(self.brokers), self._launch)
        self._report(f"Kafka is ready at {self.bootstrap}")

    async def stop(self) -> None:
        await together(*(broker.stop() for broker in self.brokers))

    def kill(self, index: int) -> None:
        self.brokers[index].kill()

    async def restart(self, index: int) -> None:
        """Start a broker again, with its data and ports; where most are down, restart them at the same time.

        The others take a killed broker back only when its session has ended: see broker.session.timeout.ms.
        """
        await self.brokers[index].stop()
        await self._bring_up(index, {index + 1})

    def suspend(self, index: int) -> None:
        self.brokers[index].send(signal.SIGSTOP)

    def resume(self, index: int) -> None:
        self.brokers[index].send(signal.SIGCONT)

    async def _launch(self, ports: list[int]) -> None:
        self.ports = tuple(BrokerPorts(*ports[i : i + 3]) for i in range(0, len(ports), 3))
        everyone = set(range(1, len(self.brokers) + 1))
        try:
            await together(*(self._bring_up(index, everyone) for index in range(len(self.brokers))))
        except BaseException:
            await self.stop()
            raise

    async def _bring_up(self, index: int, expected: set[int]) -> None:
        broker = self.brokers[index]
        broker.folder.mkdir(parents=True, exist_ok=True)
        properties = {**_properties(index, self.ports), **self._config}
        (broker.folder / "server.properties").write_text("".join(f"{k}={v}\n" for k, v in properties.items()))
        if not (broker.folder / "data" / "meta.properties").exists():
            await broker.run([*self._java, "kafka.tools.StorageTool", "format", *self._format_arguments()])
        await broker.start([*self._java, "kafka.Kafka", "server.properties"])
        await self._until_registered(index, expected)

    def _format_arguments(self) -> Sequence[str]:
        users = (f"--add-scram={user}" for user in self._users)
        return (f"--cluster-id={_cluster_id(self.folder / 'cluster-id')}", "--config=server.properties", *users)

    async def _until_registered(self, index: int, expected: set[int]) -> None:
        async def registered() -> bool:
            port = self.ports[index].internal
            return listens(port) and expected <= await _registered(port)

        await self.brokers[index].until(registered, KafkaError, OSError, TimeoutError)


def _java_command(program: Path, jars: Sequence[Path], brokers: int) -> tuple[str, ...]:
    heap = "-Xmx512m" if brokers == 1 else "-Xmx400m"
    # Compression libraries unpack themselves into the temporary folder: keep that with the data.
    return (str(program), heap, *JVM, "-Djava.io.tmpdir=.", "-cp", os.pathsep.join(map(str, jars)))


def _cluster_id(file: Path) -> str:
    """Its own for every folder: a broker that meets a stranger on a known port is turned away."""
    if not file.exists():
        file.write_text(base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="))
    return file.read_text()


def _properties(index: int, ports: Sequence[BrokerPorts]) -> dict[str, object]:
    mine, copies = ports[index], min(3, len(ports))
    in_sync = max(1, copies - 1)
    return {
        "node.id": index + 1,
        "process.roles": "broker,controller",
        "log.dirs": "data",
        "listeners": f"CLIENT://{HOST}:{mine.client},INTERNAL://{HOST}:{mine.internal},CONTROLLER://{HOST}:{mine.controller}",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "INTERNAL",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": ",".join(f"{n}@{HOST}:{p.controller}" for n, p in enumerate(ports, start=1)),
        "auto.create.topics.enable": "false",
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": 8,
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": 8,
        "group.initial.rebalance.delay.ms": 0,
        # A killed broker comes back when its session has ended; with one broker nobody else could take over anyway.
        "broker.session.timeout.ms": 3_000 if copies == 1 else 6_000,
        "broker.heartbeat.interval.ms": 500,
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,  # of the heap; 128 MB by default
    }


async def _registered(port: int) -> set[int]:
    """The brokers that the one at this port knows as ready."""
    connection = await create_conn(HOST, port, request_timeout_ms=REQUEST_MILLISECONDS)
    try:
        metadata = await connection.send(MetadataRequest([]))
    finally:
        connection.close()
    return {broker[0] for broker in metadata.brokers}
