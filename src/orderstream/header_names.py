"""Headers whose names are no text: aiokafka cannot read the batch that has one, and so nothing behind it."""

from collections.abc import Iterator
from itertools import islice
from struct import Struct
from typing import Any, Final

import aiokafka.consumer.fetcher as fetcher
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

from orderstream.decompression import DECODERS

CODECS: Final = {1: "gzip_decode", 2: "snappy_decode", 3: "lz4_decode", 4: "zstd_decode"}
CODEC_MASK: Final = 7  # of the attributes
LENGTH: Final = Struct(">i")
LENGTH_AT: Final = 8  # in a batch: bytes behind this number
ATTRIBUTES: Final = Struct(">h")
ATTRIBUTES_AT: Final = 21
COUNT_AT: Final = 57  # of records
RECORDS_AT: Final = 61
UNREADABLE: Final = bytes(byte if byte < 0x80 else ord("?") for byte in range(256))  # what such a name is made of


def read_any_header_name() -> None:
    """From now on aiokafka reads every batch in this process; of a name that is no UTF-8 the ASCII characters stay."""
    fetcher.MemoryRecords = Batches


class Batches:
    """The batches of one fetched partition, as `MemoryRecords` gives them."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._position = raw, 0
        self._batches = MemoryRecords(raw)

    def size_in_bytes(self) -> int:
        """Of all, an incomplete one at the end included."""
        size: int = self._batches.size_in_bytes()
        return size

    def has_next(self) -> bool:
        """Whether there is another complete batch."""
        return bool(self._batches.has_next())

    def next_batch(self) -> "Batch":
        """The next one. Raises what `MemoryRecords` raises."""
        start = self._position
        batch = self._batches.next_batch()
        self._position += LENGTH_AT + LENGTH.size + LENGTH.unpack_from(self._raw, start + LENGTH_AT)[0]
        return Batch(batch, self._raw[start : self._position])


class Batch:
    """One batch: as aiokafka has it, until a name is met that it cannot read."""

    def __init__(self, batch: Any, raw: bytes) -> None:  # noqa: ANN401  # one of several classes, all without types
        self._batch, self._raw = batch, raw

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  # whatever aiokafka asks for
        return getattr(self._batch, name)

    def __next__(self) -> Any:  # noqa: ANN401  # aiokafka's record
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        count = 0
        try:
            for record in self._batch:
                count += 1
                yield record
        except UnicodeDecodeError:
            readable = MemoryRecords(with_readable_names(self._raw)).next_batch()
            yield from islice(readable, count, None)


def with_readable_names(raw: bytes) -> bytes:
    """The same batch, not compressed, with `?` for every byte above ASCII in names that are no UTF-8.

    Its checksum is that of the original.
    """
    attributes = ATTRIBUTES.unpack_from(raw, ATTRIBUTES_AT)[0]
    codec = attributes & CODEC_MASK
    records = bytearray(DECODERS[CODECS[codec]](raw[RECORDS_AT:]) if codec else raw[RECORDS_AT:])
    for start, end in _names(records, LENGTH.unpack_from(raw, COUNT_AT)[0]):
        if not _is_text(records[start:end]):
            records[start:end] = records[start:end].translate(UNREADABLE)
    head = bytearray(raw[:RECORDS_AT])
    LENGTH.pack_into(head, LENGTH_AT, len(head) + len(records) - LENGTH_AT - LENGTH.size)
    ATTRIBUTES.pack_into(head, ATTRIBUTES_AT, attributes & ~CODEC_MASK)
    return bytes(head + records)


def _names(records: bytearray, count: int) -> Iterator[tuple[int, int]]:
    """Where the names of all headers stand."""
    at = 0
    for _ in range(count):
        for _field in ("length", "attributes", "time", "offset"):
            _, at = decode_varint(records, at)
        at = _behind(records, _behind(records, at))  # key and value
        headers, at = decode_varint(records, at)
        for _header in range(headers):
            size, start = decode_varint(records, at)
            yield start, start + size
            at = _behind(records, start + size)


def _behind(records: bytearray, at: int) -> int:
    """Behind bytes that may be null."""
    size, start = decode_varint(records, at)
    return int(start + max(size, 0))


def _is_text(name: bytes | bytearray) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
