"""Record batches are inflated up to a limit, and up to there as aiokafka's own decoders do it."""

import asyncio
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from math import inf
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy
from cramjam import DecompressionError
from hypothesis import given
from hypothesis import strategies as st

from orderstream.decompression import (
    ALLOWANCE,
    BATCH_LIMIT,
    MODULES,
    POLL_LIMIT,
    XERIAL,
    DecompressedTooLargeError,
    bound_decompression,
)
from orderstream.decompression import DECODERS as BOUNDED
from orderstream.settings import Settings
from tests import load
from tests.bombs import DECODERS, ENCODERS, MB, TYPES, a_batch, a_legacy_batch, bomb
from tests.worker import Sent, Worker, a_worker, documents, read, send, until

CHILD = """
import sys
from pathlib import Path
from orderstream.decompression import DECODERS

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024

payload = sys.stdin.buffer.read()
before = peak()
try:
    DECODERS[sys.argv[1]](payload)
except Exception as error:
    print(type(error).__name__, peak() - before)
"""


@pytest.fixture(autouse=True)
def _nobody_polls() -> None:
    """Another test may have used up the allowance of a poll."""
    ALLOWANCE._left = inf


@pytest.fixture(name="_bounded")
def _bounded_fixture() -> Iterator[None]:
    """The decoders are in their places during a test."""
    before = [(vars(import_module(name)), dict(vars(import_module(name)))) for name in MODULES]
    bound_decompression()
    yield
    ALLOWANCE._left = inf  # as if nobody had polled
    for now, then in before:
        now.update(then)


def bounded(name: str) -> Callable[[Any], bytes]:
    return BOUNDED[f"{name.split()[0]}_decode"]


DATA = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda part, times: part * times, st.binary(max_size=40), st.integers(0, 5_000)),
    st.builds(lambda seed, size: random.Random(seed).randbytes(size), st.integers(), st.integers(0, 200_000)),
).filter(bool)  # no batch is empty, and aiokafka cannot read back its own nothing in snappy


@pytest.mark.parametrize("name", ENCODERS)
@given(data=DATA)
def test_ordinary_data_is_inflated_as_by_aiokafka(name: str, data: bytes) -> None:
    payload = ENCODERS[name](data)

    assert data == bounded(name)(payload) == DECODERS[name](payload)
    assert data == bounded(name)(memoryview(payload))


@pytest.mark.parametrize("name", ENCODERS)
@given(data=DATA, chance=st.randoms(use_true_random=False))
def test_damaged_data_is_refused_or_stays_within_the_limit(name: str, data: bytes, chance: random.Random) -> None:
    payload = bytearray(ENCODERS[name](data))
    for _ in range(chance.randint(0, 3)):
        payload[chance.randrange(len(payload))] = chance.randrange(256)
    cut = payload[: chance.randint(0, len(payload))]
    try:
        inflated = bounded(name)(cut)
    except (CorruptRecordException, DecompressedTooLargeError, DecompressionError):
        return
    assert len(inflated) <= BATCH_LIMIT


@pytest.mark.parametrize("name", ENCODERS)
def test_truncated_data_is_refused(name: str) -> None:
    payload = ENCODERS[name](bytes(100_000) + random.Random(1).randbytes(1000))

    for length in (0, 1, 5, 20, len(payload) // 2, len(payload) - 1):
        with pytest.raises((CorruptRecordException, DecompressionError)):
            bounded(name)(payload[:length])


@pytest.mark.parametrize("size", [-4, -1, -(2**31), 1, 2**31 - 1])
def test_a_block_of_snappy_that_lies_about_its_length_is_refused(size: int) -> None:
    with pytest.raises(CorruptRecordException):  # aiokafka's own turns in a circle at -4
        bounded("snappy")(XERIAL + size.to_bytes(4, "big", signed=True))


@pytest.mark.parametrize("name", ENCODERS)
def test_what_is_as_large_as_the_limit_is_inflated_and_one_byte_more_is_not(name: str) -> None:
    assert bytes(BATCH_LIMIT) == bounded(name)(ENCODERS[name](bytes(BATCH_LIMIT)))

    with pytest.raises(DecompressedTooLargeError):
        bounded(name)(ENCODERS[name](bytes(BATCH_LIMIT + 1)))


@pytest.mark.parametrize("name", ENCODERS)
def test_a_bomb_takes_no_more_memory_than_the_limit(name: str) -> None:
    child = [sys.executable, "-c", CHILD, f"{name.split()[0]}_decode"]

    done = subprocess.run(child, input=bomb(name, 128), capture_output=True, check=True)

    error, megabytes = done.stdout.split()
    assert b"DecompressedTooLargeError" == error
    assert int(megabytes) < BATCH_LIMIT / MB + 16


@pytest.mark.usefixtures("_bounded")
@pytest.mark.parametrize("reader", [MemoryRecords, _MemoryRecordsPy])
@pytest.mark.parametrize("make", [a_batch, a_legacy_batch])
@pytest.mark.parametrize("name", TYPES)
def test_aiokafkas_readers_inflate_within_the_limit(
    name: str, make: Callable[[str, bytes], bytes], reader: type[Any]
) -> None:
    if (name, make) == ("zstd", a_legacy_batch):
        return  # younger than these batches
    small, large = (reader(make(name, bytes(megabytes * MB))).next_batch() for megabytes in (1, 40))

    assert [bytes(MB)] == [record.value for record in small]
    with pytest.raises(DecompressedTooLargeError):
        next(iter(large))


@pytest.mark.usefixtures("_bounded")
@pytest.mark.parametrize("name", ENCODERS)
def test_all_batches_of_a_poll_have_one_limit_together(name: str) -> None:
    payload = ENCODERS[name](bytes(BATCH_LIMIT))
    for _ in range(2):
        ALLOWANCE.renew()
        for _ in range(POLL_LIMIT // BATCH_LIMIT):
            bounded(name)(payload)

    with pytest.raises(DecompressedTooLargeError):
        bounded(name)(ENCODERS[name](b"x"))


# On real servers


async def send_to(settings: Settings, partition: int, messages: Sequence[Sent], compression: str) -> None:
    """To one partition, each compressed by itself."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap, compression_type=compression, max_request_size=2**27
    )
    await producer.start()
    try:
        for message in messages:
            await producer.send_and_wait(
                settings.topic_create, message.value, message.key, partition=partition, headers=list(message.headers)
            )
    finally:
        await producer.stop()


async def admit_large_batches(settings: Settings) -> None:
    """Zeros by snappy are larger than what a topic admits by default."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await admin.start()
    try:
        larger = ConfigResource(ConfigResourceType.TOPIC, settings.topic_create, {"max.message.bytes": str(8 * MB)})
        await admin.alter_configs([larger])
    finally:
        await admin.close()


def unreadable(worker: Worker) -> Counter[tuple[int, str]]:
    lines = (line for line in worker.log if line["event"] == "partition.unreadable")
    return Counter((line["partition"], line["reason"]) for line in lines)


def peak_megabytes(worker: Worker) -> int:
    return int(Path(f"/proc/{worker.process.pid}/status").read_text().split("VmHWM:")[1].split()[0]) // 1024


async def test_a_bomb_stops_only_its_partition(settings: Settings) -> None:
    await admit_large_batches(settings)
    before, after = load.creates(1200, keys=1200), load.creates(1200, keys=1200, seed=2)
    at = dict(zip(await send(settings, before), before, strict=True))
    for partition, name in enumerate(TYPES, start=4):
        await send_to(settings, partition, [before[0]._replace(value=bytes(40 * MB))], name)
    behind = {place for place in await send(settings, after) if 4 <= int(place.split("/")[1]) < 8}

    async with a_worker(settings) as worker:
        await until(lambda: len(unreadable(worker)) == len(TYPES), "not every bomb was met")
        await stored(settings, len(before) + len(after) - len(behind))
        peak = peak_megabytes(worker)
        assert await worker.stop() == 0

    causes = {document["history"][0]["cause"] for document in await documents(settings)}
    assert at.keys() <= causes
    assert behind.isdisjoint(causes)
    assert {(partition, "DecompressedTooLargeError"): 1 for partition in range(4, 8)} == unreadable(worker)
    assert peak < 300


async def test_many_batches_that_grow_a_little_less_are_read_a_few_at_a_time(settings: Settings) -> None:
    (good,) = load.creates(1, keys=1)
    await send_to(settings, 0, [*[good._replace(value=b" " * (30 * MB))] * 12, good], "zstd")

    async with a_worker(settings) as worker:
        await stored(settings, 1)
        peak = peak_megabytes(worker)

    assert [b"TOO_LARGE"] * 12 == [
        dict(record.headers)["rejection-code"] for record in await read(settings, settings.topic_rejected)
    ]
    assert peak < 350


async def stored(settings: Settings, count: int) -> None:
    """Wait for so many orders."""
    async with asyncio.timeout(60):
        while len(await documents(settings)) < count:
            await asyncio.sleep(0.2)
