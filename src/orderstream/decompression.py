"""Compressed record batches, inflated up to a limit: aiokafka's own decoders inflate whatever they are given.

A batch of 1 KB can hold a record of 32 MB, and one poll takes thousands of records: there is a limit of both.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from math import inf
from mmap import mmap
from struct import unpack_from
from typing import Final, TypeAlias

import cramjam
from aiokafka.errors import CorruptRecordException

Payload: TypeAlias = bytes | bytearray | memoryview

BATCH_LIMIT: Final = 32 * 2**20  # bytes of one record batch
POLL_LIMIT: Final = 2 * BATCH_LIMIT  # bytes of the batches that one poll takes records from
MODULES: Final = (  # each has imported the decoders under their names; the compiled ones are not everywhere
    "aiokafka.codec",
    "aiokafka.record.default_records",
    "aiokafka.record.legacy_records",
    "aiokafka.record._crecords.default_records",
    "aiokafka.record._crecords.legacy_records",
)
XERIAL: Final = b"\x82SNAPPY\0" + bytes((0, 0, 0, 1, 0, 0, 0, 1))  # how a stream of snappy blocks begins

_ROOM: Final = mmap(-1, BATCH_LIMIT)  # for one batch after the other; what is never written to costs no memory
_ROOM_IS_FULL: Final = "failed to write whole buffer"


class DecompressedTooLargeError(Exception):
    """Inflated, a record batch has more bytes than `BATCH_LIMIT`, or the batches of one poll more than `POLL_LIMIT`."""


class Allowance:
    """How many bytes may still be inflated; without end where nobody says when a poll begins."""

    def __init__(self) -> None:
        self._left = inf

    def renew(self) -> None:
        """A poll begins."""
        self._left = POLL_LIMIT

    def take(self, size: int) -> None:
        """Raises `DecompressedTooLargeError` when nothing is left."""
        self._left -= size
        if self._left < 0:
            raise DecompressedTooLargeError


ALLOWANCE: Final = Allowance()  # of this process, as the decoders are


def bound_decompression() -> None:
    """From now on aiokafka inflates no record batch in this process beyond the limits."""
    for name in MODULES:
        with suppress(ModuleNotFoundError):
            module = import_module(name)
            for decoder in DECODERS.keys() & vars(module).keys():
                setattr(module, decoder, DECODERS[decoder])


def gzip_decode(payload: Payload) -> bytes:
    """Raises `DecompressedTooLargeError`, and `cramjam.DecompressionError` for what is no gzip."""
    return _inflated(cramjam.gzip.decompress_into, payload)


def lz4_decode(payload: Payload) -> bytes:
    """Raises `DecompressedTooLargeError`, and `cramjam.DecompressionError` for what is no LZ4 frame."""
    return _inflated(cramjam.lz4.decompress_into, payload)


def zstd_decode(payload: Payload) -> bytes:
    """Raises `DecompressedTooLargeError`, and `cramjam.DecompressionError` for what is no Zstandard frame."""
    return _inflated(cramjam.zstd.decompress_into, payload)


def snappy_decode(payload: Payload) -> bytes:
    """One block, or the stream of blocks that Java's library writes.

    Raises `DecompressedTooLargeError`, and `CorruptRecordException` or `cramjam.DecompressionError` for neither.
    """
    view = memoryview(payload)
    blocks = list(_blocks(view[len(XERIAL) :])) if view[: len(XERIAL)] == XERIAL else [view]
    size = sum(map(cramjam.snappy.decompress_raw_len, blocks))  # each block begins with its own
    if size > BATCH_LIMIT:
        raise DecompressedTooLargeError
    ALLOWANCE.take(size)
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _blocks(rest: memoryview) -> Iterable[memoryview]:
    """Each stands behind its length."""
    while rest:
        size = unpack_from("!i", rest)[0] if len(rest) >= 4 else -1
        if not 0 <= size <= len(rest) - 4:
            raise CorruptRecordException("a block of snappy has another length than it says")
        yield rest[4 : 4 + size]
        rest = rest[4 + size :]


def _inflated(decompress_into: Callable[[Payload, mmap], int], payload: Payload) -> bytes:
    try:
        size = decompress_into(payload, _ROOM)
    except cramjam.DecompressionError as error:
        if _ROOM_IS_FULL in str(error):
            raise DecompressedTooLargeError from None
        raise
    ALLOWANCE.take(size)
    return _ROOM[:size]


DECODERS: Final[Mapping[str, Callable[[Payload], bytes]]] = {
    "gzip_decode": gzip_decode,
    "lz4_decode": lz4_decode,
    "snappy_decode": snappy_decode,
    "zstd_decode": zstd_decode,
}
