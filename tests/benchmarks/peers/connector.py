"""The MongoDB connector on Kafka Connect, in its standalone form: no checks, no events."""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from orderstream.local import LocalServerError
from orderstream.local.programs import java
from orderstream.settings import Settings, read_settings

CONNECTOR: Final = "org.mongodb.kafka:mongo-kafka-connect:2.0.1"
# What it asks for is a range of versions, which the resolver cannot read: so only the first jar of it is taken.
RESOLVE: Final = """
import sys, jgo
alone, *others = sys.argv[1:]
print(next(iter(jgo.resolve(alone))).resolve())
for coordinate in others:
    for artifact in jgo.resolve(coordinate):
        print(artifact.resolve())
"""
OTHERS: Final = (
    "org.apache.kafka:connect-runtime:4.1.0",  # first: of a jar that several bring, the first version is taken
    "org.apache.kafka:connect-json:4.1.0",
    "org.mongodb:mongodb-driver-sync:4.7.2",
    "org.apache.avro:avro:1.11.4",
    "org.slf4j:slf4j-simple:1.7.36",
)
HEAP: Final = ("-Xms256m", "-Xmx2g")  # as its own start script has it


def jars() -> list[Path]:
    """Connect's and the connector's jars, fetched once per user. Raises `LocalServerError`."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "orderstream"
    folder = cache / "mongo-kafka-connect-2.0.1"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "fetch.lock").open("w") as lock, tempfile.TemporaryDirectory(dir=cache) as scratch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            gathered = Path(scratch, "jars")
            gathered.mkdir()
            for jar in _one_of_each(_fetched(Path(scratch))):
                jar.replace(gathered / jar.name)
            gathered.rename(folder)
    return sorted(folder.glob("*.jar"))


def _fetched(repository: Path) -> list[Path]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", RESOLVE, CONNECTOR, *OTHERS],
        env={**os.environ, "M2_REPO": str(repository)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise LocalServerError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return [Path(line) for line in done.stdout.splitlines()]


def _one_of_each(fetched: Iterable[Path]) -> Iterable[Path]:
    """A repository's folders are artifact, version, jar."""
    found: dict[Path, Path] = {}
    for jar in fetched:
        found.setdefault(jar.parent.parent, jar)
    return found.values()


def connect(settings: Settings, folder: Path) -> Mapping[str, str]:
    """What Connect itself is told."""
    return {
        "bootstrap.servers": settings.kafka_bootstrap,
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "offset.storage.file.filename": str(folder / "offsets"),
        "offset.flush.interval.ms": "1000",
        "consumer.max.poll.records": "2000",
        "consumer.auto.offset.reset": "earliest",
        "listeners": "http://127.0.0.1:0",
        "plugin.discovery": "only_scan",
    }


def sink(settings: Settings) -> Mapping[str, str]:
    """What the connector is told: creates replace, updates set what they say."""
    update = f"topic.override.{settings.topic_update}"
    package = "com.mongodb.kafka.connect.sink"
    return {
        "name": settings.group,
        "connector.class": "com.mongodb.kafka.connect.MongoSinkConnector",
        "tasks.max": "1",  # two were no faster
        "topics": f"{settings.topic_create},{settings.topic_update}",
        "connection.uri": f"{settings.mongo_url.get_secret_value()}&w=majority&journal=true",
        "database": settings.mongo_database,
        "collection": "orders",
        "document.id.strategy": f"{package}.processor.id.strategy.PartialValueStrategy",
        "document.id.strategy.partial.value.projection.list": "id",
        "document.id.strategy.partial.value.projection.type": "AllowList",
        "writemodel.strategy": f"{package}.writemodel.strategy.ReplaceOneDefaultStrategy",
        f"{update}.writemodel.strategy": f"{package}.writemodel.strategy.UpdateOneDefaultStrategy",
    }


def main(settings: Settings) -> None:
    folder = Path(tempfile.mkdtemp())
    files = [folder / "connect.properties", folder / "sink.properties"]
    for file, lines in zip(files, (connect(settings, folder), sink(settings)), strict=True):
        file.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    path = os.pathsep.join(map(str, jars()))
    logging = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    program = "org.apache.kafka.connect.cli.ConnectStandalone"
    os.execv(java(), [str(java()), *HEAP, logging, "-cp", path, program, *map(str, files)])  # noqa: S606  # no shell


if __name__ == "__main__":
    main(read_settings())
