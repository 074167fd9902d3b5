"""A real Kafka and a real MongoDB as child processes, without Docker, root or an installed Java.

Reading order: `supervisor` and `process` (one child), `ports`, `programs` (where they come from), `kafka`, `mongo`.
"""

import fcntl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from orderstream.local.kafka import KafkaCluster
from orderstream.local.mongo import MongoReplicaSet
from orderstream.local.process import LocalServerError, together

__all__ = ["KafkaCluster", "LocalServerError", "LocalServers", "MongoReplicaSet", "local_servers"]


@dataclass(frozen=True)
class LocalServers:
    kafka: KafkaCluster
    mongo: MongoReplicaSet


@asynccontextmanager
async def local_servers(
    folder: Path | None = None, *, brokers: int = 1, mongods: int = 1, report: Callable[[str], None] = lambda _: None
) -> AsyncIterator[LocalServers]:
    """Both servers, ready for use; raises LocalServerError.

    Data go to *folder*, which keeps them for the next time, or to one that is removed at the end. *report* takes lines
    for people about what is going on.
    """
    with _data_folder(folder) as data:
        kafka = KafkaCluster(data / "kafka", brokers, report=report)
        mongo = MongoReplicaSet(data / "mongo", mongods, report=report)
        try:
            await together(kafka.start(), mongo.start())
            yield LocalServers(kafka, mongo)
        finally:
            await together(kafka.stop(), mongo.stop())


@contextmanager
def _data_folder(folder: Path | None) -> Iterator[Path]:
    if folder is None:
        with TemporaryDirectory(prefix="orderstream-", ignore_cleanup_errors=True) as temporary:
            yield Path(temporary)
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalServerError(
                f"{folder} is in use by other local servers: stop them, or use another folder"
            ) from None
        yield folder
