"""Ids that the worker assigns, made from a record's position: every redelivery gives the same (contracts 1.7)."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b, sha256
from urllib.parse import quote
from uuid import UUID

from orderstream.commands import Address
from orderstream.order import Position

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # nothing that is misread over the phone


@lru_cache(maxsize=1_024)  # more than a batch: asked for when a create is looked for, and when it is made
def document_id(at: datetime, position: Position) -> str:
    """24 hex: 4 bytes record time, 8 bytes hash of the position, the topic's life included (interface 2)."""
    seconds = min(max(int(at.timestamp()), 0), 2**32 - 1)
    return seconds.to_bytes(4, "big").hex() + _hash(position, "order", 8).hex()


def lookup_key(dialect: str, tenant: str | None, address: Address) -> str:
    """`dialect/tenant/kind/value`, the form in which an order can be found by this address (design 3)."""
    scope = "" if address.shared else _part(tenant or "")
    return f"{dialect}/{scope}/{address.kind}/{_part(address.value)}"


def _part(text: str) -> str:
    encoded = text if text.isascii() and text.isalnum() else quote(text, safe="")
    return encoded if len(encoded) <= 256 else sha256(text.encode()).hexdigest()


def _hash(position: Position, purpose: str, size: int) -> bytes:
    return blake2b(f"{position}|{purpose}".encode(), digest_size=size).digest()


@dataclass(frozen=True, slots=True)
class Identities:
    """The ids that one message may give away; *attempt* grows when a generated number is taken already."""

    document: str
    position: Position
    number: int | None = None  # from the counter, where the dialect takes one
    attempt: int = 0

    def hex24(self, place: str) -> str:
        """24 hex characters for the sub-document at *place*."""
        return _hash(self.position, place, 12).hex()

    def uuid(self) -> str:
        """A random-looking UUID, version 4."""
        return str(UUID(bytes=_hash(self.position, "uuid", 16), version=4))

    def short(self) -> str:
        """A short id of 8 characters."""
        raw = _hash(self.position, f"short/{self.attempt}", 8)
        return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in raw)

    def order_number(self) -> str:
        """`dddd-dddd-ddddd`."""
        digits = f"{int.from_bytes(_hash(self.position, f'number/{self.attempt}', 8), 'big') % 10**13:013d}"
        return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"
