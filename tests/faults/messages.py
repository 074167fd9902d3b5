"""Right messages: what an order's sender says, with its headers."""

import json
from collections.abc import Mapping
from random import Random
from uuid import UUID

from tests.faults.values import Target, Update, Value
from tests.worker import Sent


def a_uuid(chance: Random) -> str:
    """A UUID; some senders write it in upper case."""
    text = str(UUID(int=chance.getrandbits(128), version=4))
    return text.upper() if chance.random() < 0.2 else text


def a_hex24(chance: Random) -> str:
    """24 hex characters, in lower case."""
    return f"{chance.getrandbits(96):024x}"


def create_of(target: Target, value: Value, **more: str) -> Sent:
    """The create of an order."""
    headers = {**_scope(target), "message-type": "order-create", "idempotency-key": target.uuid, **_headers(more)}
    return Sent("create", target.key, _text(value), _encoded(headers))


def update_of(target: Target, update: Update, **more: str) -> Sent:
    """An update of an order."""
    headers = {
        **_scope(target), "message-type": "order-update", "operation": update.operation, **update.headers,
        **_headers(more),
    }  # fmt: skip
    return Sent("update", target.key, _text(update.value), _encoded(headers))


def _scope(target: Target) -> dict[str, str]:
    name = "site-account" if target.dialect == "subscription" else "tenant"
    tenant = {name: target.tenant} if target.tenant is not None else {}
    return {"dialect": target.dialect, **tenant}


def _headers(more: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): text for name, text in more.items()}


def _encoded(headers: Mapping[str, str]) -> tuple[tuple[str, bytes | None], ...]:
    return tuple((name, text.encode()) for name, text in headers.items())


def _text(value: Value) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
