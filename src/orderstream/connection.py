"""How to reach Kafka: the settings as aiokafka and FastStream want them."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from aiokafka.helpers import create_ssl_context

from orderstream.rules_file import SettingError
from orderstream.settings import Settings

if TYPE_CHECKING:
    from faststream.security import BaseSecurity


def connection(settings: Settings) -> dict[str, Any]:
    """Keyword arguments of every aiokafka client. Raises `SettingError`."""
    password = settings.kafka_sasl_password
    return {
        "bootstrap_servers": settings.kafka_bootstrap,
        "client_id": "orderstream",
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": _ssl_context(settings),
        "sasl_mechanism": settings.kafka_sasl_mechanism,
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": password and password.get_secret_value(),
    }


def security(settings: Settings) -> "BaseSecurity":
    """The same for FastStream's broker."""
    # Here, since it takes half a second that only the worker need spend.
    from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

    context = _ssl_context(settings)
    if not settings.kafka_security_protocol.startswith("SASL"):
        return BaseSecurity(ssl_context=context)
    password = settings.kafka_sasl_password
    by_mechanism = {"PLAIN": SASLPlaintext, "SCRAM-SHA-256": SASLScram256, "SCRAM-SHA-512": SASLScram512}
    return by_mechanism[settings.kafka_sasl_mechanism](
        username=settings.kafka_sasl_username or "",
        password=password.get_secret_value() if password else "",
        ssl_context=context,
    )


def _ssl_context(settings: Settings) -> ssl.SSLContext | None:
    if not settings.kafka_security_protocol.endswith("SSL"):
        return None
    with _told("CAFILE"):
        context: ssl.SSLContext = create_ssl_context(cafile=settings.kafka_ssl_cafile)
    if settings.kafka_ssl_certfile:
        with _told("CERTFILE, or its KEYFILE"):
            context.load_cert_chain(settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile)
    return context


@contextmanager
def _told(names: str) -> Iterator[None]:
    """A file that cannot be used is a setting that is wrong."""
    try:
        yield
    except OSError as error:  # those of TLS are such too, and tell in names of their own
        reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
        raise SettingError(f"ORDERSTREAM_KAFKA_SSL_{names}: {reason}") from None
