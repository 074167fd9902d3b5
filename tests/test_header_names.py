"""A header whose name is no text costs nothing: its message is read, and those behind it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import aiokafka.consumer.fetcher as fetcher
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from orderstream.header_names import Batches, read_any_header_name
from orderstream.settings import Settings
from tests import load
from tests.bombs import ENCODERS, TYPES
from tests.worker import a_worker, caught_up, documents, read

Header = tuple[str, bytes | None]

STAND_IN: Final = "is no text"  # a name that becomes one of these
NO_TEXT: Final = {
    "latin1": b"caf\xe9 latt\xe9",
    "surrogate": b"half \xed\xa0\x80 a",
    "binary": bytes(range(0xF6, 0x100)),
    "cut": b"cut off: \xc3",
}
RECORDS: Final[Sequence[tuple[bytes | None, bytes | None, list[Header]]]] = (
    (b"k1", b"first", [("dialect", b"wishlist")]),
    (None, b"second", [("a", None), (STAND_IN, b"v"), ("", b""), (STAND_IN, None)]),
    (b"", None, []),
    (b"k4", b"x" * 70_000, [("schön", b"\xff"), (STAND_IN, b"\xff")]),
)


class Twisting:
    """A builder of batches in which a name is no text."""

    def __init__(self, builder: Any, name: bytes) -> None:  # noqa: ANN401  # aiokafka's, without types
        self._builder, self._name = builder, name

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever the producer asks for
        return getattr(self._builder, name)

    def build(self) -> bytearray:
        """The batch, its checksum right."""
        raw = bytearray(self._builder.build()).replace(STAND_IN.encode(), self._name)
        raw[17:21] = calc_crc32c(bytes(raw[21:])).to_bytes(4, "big")
        return raw


def a_batch(name: bytes, codec: str | None = None) -> bytes:
    """A batch of all records; *name* must be as long as its stand-in."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=0, is_transactional=0, producer_id=-1, producer_epoch=-1, base_sequence=-1,
        batch_size=2**20,
    )  # fmt: skip
    for offset, (key, value, headers) in enumerate(RECORDS):
        builder.append(offset, timestamp=7 + offset, key=key, value=value, headers=headers)
    raw = bytes(Twisting(builder, name).build())
    return raw if codec is None else compressed(raw, codec)


def compressed(raw: bytes, codec: str) -> bytes:
    """The same batch compressed."""
    records = ENCODERS[codec](raw[61:])
    head = bytearray(raw[:61])
    head[8:12] = (49 + len(records)).to_bytes(4, "big")
    head[21:23] = TYPES[codec].to_bytes(2, "big")
    return bytes(head) + records


def read_all(batches: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401  # ours or aiokafka's
    found = []
    while batches.has_next():
        batch = batches.next_batch()
        found += [(one.offset, one.timestamp, one.key, one.value, list(one.headers)) for one in batch]
    return found


def expected(name: str) -> list[tuple[Any, ...]]:
    return [
        (offset, 7 + offset, key, value, [(name if one == STAND_IN else one, text) for one, text in headers])
        for offset, (key, value, headers) in enumerate(RECORDS)
    ]


@pytest.mark.parametrize("codec", [None, *TYPES])
@pytest.mark.parametrize("kind", NO_TEXT)
def test_everything_is_read_and_the_name_without_what_is_no_ascii(kind: str, codec: str | None) -> None:
    raw, name = a_batch(NO_TEXT[kind], codec), NO_TEXT[kind]

    readable = "".join(chr(byte) if byte < 0x80 else "?" for byte in name)

    assert expected(readable) == read_all(Batches(raw))
    with pytest.raises(UnicodeDecodeError):
        read_all(MemoryRecords(raw))


@pytest.mark.parametrize("codec", [None, *TYPES])
def test_what_aiokafka_can_read_is_read_by_it(codec: str | None) -> None:
    raw = a_batch(STAND_IN.encode(), codec)

    assert read_all(MemoryRecords(raw)) == read_all(Batches(raw)) == expected(STAND_IN)


def test_several_batches_and_an_incomplete_one_are_told_apart() -> None:
    good, bad = a_batch(STAND_IN.encode()), a_batch(NO_TEXT["binary"])
    batches = Batches(good + bad + good + bad[:100])

    assert len(good + bad + good) + 100 == batches.size_in_bytes()
    assert [*expected(STAND_IN), *expected("?" * 10), *expected(STAND_IN)] == read_all(batches)


@pytest.fixture(name="_tolerant")
def _tolerant() -> Iterator[None]:
    before = fetcher.MemoryRecords
    yield
    fetcher.MemoryRecords = before


@pytest.mark.usefixtures("_tolerant")
async def test_aiokafkas_consumer_reads_on(settings: Settings) -> None:
    await send_twisted(settings)
    read_any_header_name()

    records = await read(settings, settings.topic_create)

    assert ["?" * 10] == [name for record in records for name, _ in record.headers if "?" in name]


async def test_a_message_with_such_a_header_and_those_behind_it_are_handled(settings: Settings) -> None:
    await send_twisted(settings)
    async with a_worker(settings):
        await caught_up(settings)

    assert 3 == len(await documents(settings))


async def send_twisted(settings: Settings) -> None:
    """Three orders into one partition, the second with a name that is no text."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap)
    await producer.start()
    try:
        for number, order in enumerate(load.creates(3, keys=1)):
            batch = producer.create_batch()
            more = [(STAND_IN, b"v")] if number == 1 else []
            batch.append(timestamp=None, key=order.key, value=order.value, headers=[*order.headers, *more])
            batch._builder = Twisting(batch._builder, NO_TEXT["binary"])
            await (await producer.send_batch(batch, settings.topic_create, partition=0))
    finally:
        await producer.stop()
