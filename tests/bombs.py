"""Compressed data that grows when it is inflated, and record batches made of it."""

import zlib
from collections.abc import Callable, Mapping
from typing import Final

import cramjam
from aiokafka import codec
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder

MB: Final = 2**20
ENCODERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {  # of aiokafka, as its producer uses them
    "gzip": codec.gzip_encode,
    "lz4": codec.lz4_encode,
    "snappy": codec.snappy_encode,
    "snappy block": lambda data: bytes(codec.snappy_encode(data, xerial_compatible=False)),
    "zstd": codec.zstd_encode,
}
DECODERS: Final = {name: getattr(codec, f"{name.split()[0]}_decode") for name in ENCODERS}  # aiokafka's own
TYPES: Final = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}  # in the attributes of a record batch


def bomb(name: str, megabytes: int) -> bytes:
    """So many megabytes of zeros, compressed piece by piece."""
    match name:
        case "gzip":
            compress = zlib.compressobj(9, zlib.DEFLATED, 31)
            return b"".join(compress.compress(bytes(MB)) for _ in range(megabytes)) + compress.flush()
        case "lz4" | "zstd":
            compressor = getattr(cramjam, name).Compressor()
            for _ in range(megabytes):
                compressor.compress(bytes(MB))
            return bytes(compressor.finish())
        case _:
            return ENCODERS[name](bytes(megabytes * MB))


def a_batch(name: str, value: bytes) -> bytes:
    """A record batch of one record, compressed."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=TYPES[name], is_transactional=0, producer_id=-1, producer_epoch=-1,
        base_sequence=-1, batch_size=2**30,
    )  # fmt: skip
    builder.append(0, timestamp=0, key=b"k", value=value, headers=[])
    return bytes(builder.build())


def a_legacy_batch(name: str, value: bytes) -> bytes:
    """The same as brokers of long ago wrote it."""
    builder = LegacyRecordBatchBuilder(magic=1, compression_type=TYPES[name], batch_size=2**30)
    builder.append(0, timestamp=0, key=b"k", value=value)
    return bytes(builder.build())
