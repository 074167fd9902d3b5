"""Settings of TLS: a file that cannot be used is named, and what is not verified counts as plaintext."""

from pathlib import Path

import pytest

from orderstream.connection import connection
from orderstream.rules_file import SettingError
from orderstream.settings import read_settings
from tests.security.servers import Certificates

KAFKA = {"ORDERSTREAM_KAFKA_SECURITY_PROTOCOL": "SSL"}


@pytest.mark.parametrize("option", ["tlsInsecure", "tlsAllowInvalidCertificates", "tlsAllowInvalidHostnames"])
def test_tls_that_verifies_nothing_is_plaintext(option: str) -> None:
    url = {"ORDERSTREAM_MONGO_URL": f"mongodb://mongo.example:27017/?tls=true&{option}=true"}

    with pytest.raises(SettingError, match="ORDERSTREAM_MONGO_URL names another machine without TLS"):
        read_settings(url)
    allowed = read_settings({**url, "ORDERSTREAM_ALLOW_PLAINTEXT": "true"})

    assert ("ORDERSTREAM_MONGO_URL",) == allowed.plaintext


def test_this_machine_and_tls_are_no_plaintext() -> None:
    kafka = {**KAFKA, "ORDERSTREAM_KAFKA_BOOTSTRAP": "kafka.example:9093", "ORDERSTREAM_ALLOW_PLAINTEXT": "true"}

    assert () == read_settings(kafka).plaintext


def test_an_authority_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = read_settings({**KAFKA, "ORDERSTREAM_KAFKA_SSL_CAFILE": str(tmp_path / "none.pem")})

    with pytest.raises(SettingError, match=r"^ORDERSTREAM_KAFKA_SSL_CAFILE: No such file or directory$"):
        connection(settings)


def test_a_certificate_and_a_key_that_do_not_belong_together_are_named(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "certificates")
    files = {
        "ORDERSTREAM_KAFKA_SSL_CERTFILE": str(certificates.client),
        "ORDERSTREAM_KAFKA_SSL_KEYFILE": str(certificates.server),
    }

    with pytest.raises(SettingError, match=r"^ORDERSTREAM_KAFKA_SSL_CERTFILE, or its KEYFILE: KEY_VALUES_MISMATCH$"):
        connection(read_settings({**KAFKA, **files}))
