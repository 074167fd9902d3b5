"""Kafka's refusals in words: the one place where aiokafka's errors become sentences."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from orderstream.causes import Places, cause_in
from orderstream.trouble import UnavailableError

Right: TypeAlias = Literal["Create", "Describe", "DescribeConfigs", "Read", "Write"]

ASK_SECONDS: Final = 2.0  # of each broker

PLACES: Final = Places(
    address="ORDERSTREAM_KAFKA_BOOTSTRAP, and the brokers' advertised.listeners",
    authority="ORDERSTREAM_KAFKA_SSL_CAFILE",
    certificate="ORDERSTREAM_KAFKA_SSL_CERTFILE and ORDERSTREAM_KAFKA_SSL_KEYFILE",
    protocol="ORDERSTREAM_KAFKA_SECURITY_PROTOCOL",
)
GRANT: Final = "grant it: deploy/security/kafka-acls.sh has the commands"
LOGIN: Final = (
    "check ORDERSTREAM_KAFKA_SASL_USERNAME and ORDERSTREAM_KAFKA_SASL_PASSWORD, "
    "and that the brokers know the user by ORDERSTREAM_KAFKA_SASL_MECHANISM"
)
MECHANISM: Final = "set ORDERSTREAM_KAFKA_SASL_MECHANISM to one that it offers"


def unavailable(error: BaseException, right: Right = "Describe") -> UnavailableError:
    """The error in words; *right* is what Kafka asks for what was attempted."""
    match error:
        case TopicAuthorizationFailedError():
            return refused(dict.fromkeys(_named(error), right))
        case GroupAuthorizationFailedError():
            return UnavailableError("kafka", f"does not let the user {right} consumer group {_named(error)[0]}", GRANT)
        case ClusterAuthorizationFailedError():
            return UnavailableError("kafka", f"does not let the user {right} any topic", GRANT)
        case SaslAuthenticationFailed():
            return UnavailableError("kafka", "refuses the user name or the password", LOGIN)
        case UnsupportedSaslMechanismError():
            return UnavailableError("kafka", "does not offer the SASL mechanism that is set", MECHANISM)
    return UnavailableError("kafka", type(error).__name__)


def refused(topics: Mapping[str, Right]) -> UnavailableError:
    """For want of these rights."""
    told = "; nor ".join(f"{right} topic {name}" for name, right in topics.items())
    return UnavailableError("kafka", f"does not let the user {told}", GRANT)


async def explained(error: BaseException, connection: Mapping[str, Any], right: Right = "Describe") -> UnavailableError:
    """The same, and where aiokafka hides why it cannot connect, the brokers are asked once more."""
    if isinstance(error, KafkaConnectionError | NodeNotReadyError | TimeoutError):
        refusals = [refusal async for refusal in _refusals(connection)]
        error = max(refusals, key=_is_telling, default=error)  # that one of them is away says least
        if refusals and (cause := cause_in(_text(error), PLACES)):
            return UnavailableError("kafka", *cause)
    return unavailable(error, right)


async def _refusals(connection: Mapping[str, Any]) -> AsyncIterator[BaseException]:
    """Of all addresses that we know, or that a broker tells us of."""
    to_ask = [(host, port) for host, port, _ in collect_hosts(connection["bootstrap_servers"])]
    for host, port in to_ask:
        try:
            to_ask += [place for place in await _brokers(host, port, connection) if place not in to_ask]
        except (KafkaError, OSError, TimeoutError) as error:
            yield error


async def _brokers(host: str, port: int, connection: Mapping[str, Any]) -> Collection[tuple[str, int]]:
    """The addresses that this broker tells clients to go to."""
    how = {name: value for name, value in connection.items() if name != "bootstrap_servers"}
    async with asyncio.timeout(ASK_SECONDS):
        opened = await create_conn(host, port, **how)
        try:
            metadata = await opened.send(MetadataRequest([]))
        finally:
            opened.close()
    return [(broker[1], broker[2]) for broker in metadata.brokers]


def _is_telling(error: BaseException) -> bool:
    return isinstance(error, SaslAuthenticationFailed | UnsupportedSaslMechanismError) or "SSL" in _text(error)


def _named(error: BaseException) -> Sequence[str]:
    """The topics or the group that the error is about."""
    about = error.args[0] if error.args else "(not named)"
    return [about] if isinstance(about, str) else sorted(about)


def _text(error: BaseException | None) -> str:
    """Of the error and of those behind it, to recognise it by."""
    texts = []
    while error is not None:
        texts.append(f"{type(error).__name__}: {error}")
        error = error.__cause__
    return "\n".join(texts)
