"""Settings from the environment: each one, and each mistake told in one line that names it (interface 6)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import SecretStr

from orderstream.decode import decode
from orderstream.dialect import Meaning
from orderstream.outcomes import Refusal
from orderstream.rules_file import SettingError
from orderstream.settings import Settings, read_settings
from tests.builders import Given, a_create

SECRETS: Final = ("s3cret", "hunter2")


def settings(**given: str) -> Settings:
    return read_settings({f"ORDERSTREAM_{name}": text for name, text in given.items()})


def told(**given: str) -> str:
    """The line that a wrong setting is told in."""
    with pytest.raises(SettingError) as raised:
        settings(**given)
    line = str(raised.value)
    assert "\n" not in line
    assert not any(secret in line for secret in SECRETS)
    return line


DEFAULTS: Final[Mapping[str, Any]] = {
    "kafka_bootstrap": "localhost:9092",
    "kafka_security_protocol": "PLAINTEXT",
    "kafka_sasl_mechanism": "PLAIN",
    "kafka_sasl_username": None,
    "kafka_sasl_password": None,
    "kafka_ssl_cafile": None,
    "kafka_ssl_certfile": None,
    "kafka_ssl_keyfile": None,
    "mongo_url": SecretStr("mongodb://localhost:27017"),
    "mongo_driver": "pymongo",
    "mongo_database": "orderstream",
    "group": "orderstream",
    "topic_create": "order-create",
    "topic_update": "order-update",
    "topic_status": "order-status-changed",
    "topic_rejected": "order-rejected",
    "http_host": "127.0.0.1",
    "http_port": 8080,
    "http_token": None,
    "allow_plaintext": False,
    "log_level": "info",
    "log_format": "json",
    "park_seconds": 600.0,
    "max_value_bytes": 1_048_576,
    "allow": "",
    "rules_file": None,
}


def test_without_settings_the_defaults_hold() -> None:
    assert DEFAULTS == settings().model_dump()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("KAFKA_BOOTSTRAP", "127.0.0.1:1, [::1]:2,localhost:3", "127.0.0.1:1, [::1]:2,localhost:3"),
        ("KAFKA_SECURITY_PROTOCOL", "SSL", "SSL"),
        ("KAFKA_SASL_MECHANISM", "SCRAM-SHA-512", "SCRAM-SHA-512"),
        ("KAFKA_SASL_USERNAME", "worker", "worker"),
        ("KAFKA_SASL_PASSWORD", "s3cret", SecretStr("s3cret")),
        ("KAFKA_SSL_CAFILE", "ca.pem", Path("ca.pem")),
        ("KAFKA_SSL_CERTFILE", "cert.pem", Path("cert.pem")),
        ("KAFKA_SSL_KEYFILE", "key.pem", Path("key.pem")),
        ("MONGO_URL", "mongodb://u:s3cret@db/?tls=true", SecretStr("mongodb://u:s3cret@db/?tls=true")),
        ("MONGO_DRIVER", "motor", "motor"),
        ("MONGO_DATABASE", "orders-2", "orders-2"),
        ("GROUP", "second", "second"),
        ("TOPIC_CREATE", "a.create", "a.create"),
        ("TOPIC_UPDATE", "a.update", "a.update"),
        ("TOPIC_STATUS", "a.status", "a.status"),
        ("TOPIC_REJECTED", "a.rejected", "a.rejected"),
        ("HTTP_HOST", "0.0.0.0", "0.0.0.0"),  # noqa: S104  # it is only read
        ("HTTP_PORT", "0", 0),
        ("HTTP_TOKEN", "s3cret", SecretStr("s3cret")),
        ("ALLOW_PLAINTEXT", "true", True),
        ("LOG_LEVEL", "debug", "debug"),
        ("LOG_FORMAT", "console", "console"),
        ("PARK_SECONDS", "2.5", 2.5),
        ("MAX_VALUE_BYTES", "10", 10),
        ("ALLOW", "wishlist/acme, b2b-commerce", "wishlist/acme, b2b-commerce"),
    ],
)
def test_each_setting_is_read(name: str, text: str, expected: object) -> None:
    assert {**DEFAULTS, name.lower(): expected} == settings(**{name: text}).model_dump()


def test_all_settings_of_the_interface_are_known_and_no_others() -> None:
    assert set(DEFAULTS) == set(Settings.model_fields)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("KAFKA_BOOTSTRAP", "localhost", "host:port"),
        ("KAFKA_BOOTSTRAP", "", "host:port"),
        ("KAFKA_BOOTSTRAP", "localhost:9092,", "host:port"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS", "'SASL_SSL'"),
        ("KAFKA_SASL_MECHANISM", "GSSAPI", "'SCRAM-SHA-256'"),
        ("MONGO_URL", "localhost:27017", "mongodb://"),
        ("MONGO_URL", "http://u:s3cret@localhost", "mongodb://"),
        ("MONGO_URL", "mongodb://u:s3cret@[::1/", "must be a URL"),
        ("MONGO_DRIVER", "s3cret", "'motor' or 'pymongo'"),
        ("MONGO_DATABASE", "a b", "match"),
        ("GROUP", "", "at least 1"),
        ("TOPIC_CREATE", "a/b", "match"),
        ("TOPIC_STATUS", "", "match"),
        ("HTTP_PORT", "65536", "65535"),
        ("HTTP_PORT", "http", "integer"),
        ("HTTP_TOKEN", "", "must not be empty"),
        ("ALLOW_PLAINTEXT", "perhaps", "boolean"),
        ("LOG_LEVEL", "loud", "'warning'"),
        ("LOG_FORMAT", "xml", "'console'"),
        ("PARK_SECONDS", "-1", "0"),
        ("PARK_SECONDS", "inf", "finite"),
        ("MAX_VALUE_BYTES", "0", "1"),
        ("MAX_VALUE_BYTES", "1e6", "integer"),
        ("ALLOW", "wish", "shopping-cart, configurator"),
        ("ALLOW", ",", "leave it empty"),
    ],
)
def test_a_wrong_value_is_told_with_the_name_of_its_setting(name: str, text: str, says: str) -> None:
    line = told(**{name: text})

    assert line.startswith(f"ORDERSTREAM_{name}: ")
    assert says in line


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "; is ORDERSTREAM_KAFKA_BOOTSTRAP meant?"),
        ("MONGO_URI", "; is ORDERSTREAM_MONGO_URL meant?"),
        ("PARKSECONDS", "; is ORDERSTREAM_PARK_SECONDS meant?"),
        ("BANANA", "; README.md lists the settings"),
        ("kafka_bootstrap", "; is ORDERSTREAM_KAFKA_BOOTSTRAP meant?"),
    ],
)
def test_a_setting_that_does_not_exist_is_told_with_the_one_that_may_be_meant(name: str, meant: str) -> None:
    assert told(**{name: "s3cret"}) == f"ORDERSTREAM_{name} is not a setting{meant}"


@pytest.mark.parametrize(
    "name",
    [
        "ORDERSTREAM_SERVICE_HOST", "ORDERSTREAM_SERVICE_PORT", "ORDERSTREAM_SERVICE_PORT_HTTP", "ORDERSTREAM_PORT",
        "ORDERSTREAM_PORT_8080_TCP", "ORDERSTREAM_PORT_8080_TCP_ADDR", "ORDERSTREAM_METRICS_SERVICE_HOST",
        "ORDERSTREAM_METRICS_SERVICE_PORT", "ORDERSTREAMER", "KAFKA_BOOTSTRAP",
    ],
)  # fmt: skip
def test_what_kubernetes_sets_and_what_is_not_ours_is_ignored(name: str) -> None:
    assert settings() == read_settings({name: "tcp://10.0.0.1:8080"})


# Plaintext


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("KAFKA_BOOTSTRAP", {"KAFKA_BOOTSTRAP": "kafka:9092"}),
        ("KAFKA_BOOTSTRAP", {"KAFKA_BOOTSTRAP": "localhost:9092,10.0.0.7:9092"}),
        ("KAFKA_BOOTSTRAP", {"KAFKA_BOOTSTRAP": "localhost.example.com:9092"}),
        ("KAFKA_BOOTSTRAP", {"KAFKA_BOOTSTRAP": "kafka:9092", "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                             "KAFKA_SASL_USERNAME": "u", "KAFKA_SASL_PASSWORD": "s3cret"}),
        ("MONGO_URL", {"MONGO_URL": "mongodb://u:s3cret@db:27017"}),
        ("MONGO_URL", {"MONGO_URL": "mongodb://localhost,db/"}),
        ("MONGO_URL", {"MONGO_URL": "mongodb://localhost@db/"}),
        ("MONGO_URL", {"MONGO_URL": "mongodb://db/?tls=false"}),
        ("MONGO_URL", {"MONGO_URL": "mongodb+srv://db.example.com/?tls=false"}),
    ],
)  # fmt: skip
def test_another_machine_is_not_spoken_to_in_plaintext(name: str, given: dict[str, str]) -> None:
    line = told(**given)

    assert line.startswith(f"ORDERSTREAM_{name} names another machine without TLS")
    assert "ORDERSTREAM_ALLOW_PLAINTEXT=true" in line
    assert settings(**given, ALLOW_PLAINTEXT="true").allow_plaintext


@pytest.mark.parametrize(
    "given",
    [
        {"KAFKA_BOOTSTRAP": "kafka:9093", "KAFKA_SECURITY_PROTOCOL": "SSL"},
        {"KAFKA_BOOTSTRAP": "kafka:9093", "KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "u",
         "KAFKA_SASL_PASSWORD": "s3cret"},
        {"MONGO_URL": "mongodb://db/?tls=true"},
        {"MONGO_URL": "mongodb://db/?replicaSet=a&ssl=true"},
        {"MONGO_URL": "mongodb+srv://db.example.com/"},
        {"MONGO_URL": "mongodb://127.0.0.1:1,[::1]:2,localhost/?replicaSet=a"},
        {"MONGO_URL": "mongodb://[::1]"},
    ],
)  # fmt: skip
def test_tls_and_this_machine_are_always_spoken_to(given: dict[str, str]) -> None:
    assert not settings(**given).allow_plaintext


@pytest.mark.parametrize("missing", ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"])
def test_a_login_needs_both_name_and_password(missing: str) -> None:
    given = {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "u", "KAFKA_SASL_PASSWORD": "s3cret"}
    del given[missing]

    assert told(**given) == f"ORDERSTREAM_{missing} is needed with SASL_SSL"


def test_no_topic_may_be_another_one() -> None:
    line = told(TOPIC_REJECTED="order-create")

    assert line == "ORDERSTREAM_TOPIC_REJECTED is the same topic as ORDERSTREAM_TOPIC_CREATE"


@pytest.mark.parametrize("name", ["KAFKA_SASL_PASSWORD", "MONGO_URL", "HTTP_TOKEN"])
def test_a_secret_may_stand_in_a_file(name: str, tmp_path: Path) -> None:
    secret = "mongodb://u:s3cret@localhost" if name == "MONGO_URL" else "s3cret"
    (tmp_path / "secret").write_text(f"{secret}\n")

    read = settings(**{f"{name}_FILE": str(tmp_path / "secret")})

    assert SecretStr(secret) == getattr(read, name.lower())


def test_a_secret_stands_in_one_place(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")

    line = told(HTTP_TOKEN_FILE=str(tmp_path / "secret"), HTTP_TOKEN="hunter2")

    assert "ORDERSTREAM_HTTP_TOKEN_FILE: ORDERSTREAM_HTTP_TOKEN is set too; give one of them" == line


def test_a_secret_whose_file_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert "ORDERSTREAM_MONGO_URL_FILE: No such file or directory" == told(MONGO_URL_FILE=str(tmp_path / "none"))
    (tmp_path / "secret").write_bytes(b"s3cret\xff")
    assert "ORDERSTREAM_HTTP_TOKEN_FILE: is no UTF-8 text" == told(HTTP_TOKEN_FILE=str(tmp_path / "secret"))


def test_what_is_no_secret_has_no_file() -> None:
    assert "ORDERSTREAM_GROUP_FILE is not a setting" in told(GROUP_FILE="/dev/null")


def test_secrets_are_shown_nowhere() -> None:
    known = settings(KAFKA_SASL_PASSWORD="s3cret", HTTP_TOKEN="s3cret", MONGO_URL="mongodb://u:hunter2@localhost")

    shown = f"{known!r} {known} {known.model_dump()} {known.model_dump_json()}"
    assert not any(secret in shown for secret in SECRETS)


# The rules file


def rules(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "rules.toml"
    file.write_text(text)
    return file


def test_the_rules_file_adds_values_and_relaxes_a_bound(tmp_path: Path) -> None:
    file = rules(
        tmp_path,
        """
        [b2b-commerce.orderStatus]
        processing = { order = "in_progress", fulfilment = "in_process" }
        [b2b-commerce.paymentStatus]
        partially_refunded = { payment = "partially_refunded" }
        [configurator.status]
        Quoted = { order = "draft" }
        [subscription]
        allow_zero_tax = true
        """,
    )

    contracts = settings(RULES_FILE=str(file)).contracts

    b2b = contracts.rules["b2b-commerce"].added
    assert b2b["orderStatus"] == {"processing": Meaning("in_progress", None, "in_process")}
    assert b2b["paymentStatus"] == {"partially_refunded": Meaning(payment="partially_refunded")}
    assert contracts.rules["subscription"].relaxed == {"allow_zero_tax"}
    order = Given(a_create("configurator", {"status": "Quoted"}), contracts=contracts).order
    assert order.status.order == "draft"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[fax.status]\nA = { order = 'draft' }", "[fax] is no dialect; the dialects are shopping-cart"),
        ("fax = 1", "[fax] is no dialect"),
        ("wishlist = 1", "wishlist must be a table"),
        ("[b2b-commerce.status]\nA = { order = 'draft' }", "b2b-commerce.status is not known; b2b-commerce knows"),
        ("[wishlist.orderStatus]\nA = { order = 'draft' }", "wishlist has nothing to configure"),
        ("[configurator]\nstatus = 7", "[configurator.status] must be a table"),
        ("[configurator.status]\nA = 'draft'", "configurator.status.A must say what it means"),
        ("[configurator.status]\nA = {}", "configurator.status.A must say what it means"),
        ("[configurator.status]\nA = { orders = 'draft' }", "configurator.status.A: orders is none of order, payment"),
        ("[configurator.status]\nA = { order = 'Draft' }", "configurator.status.A.order must be one of draft, created"),
        ("[configurator.status]\nA = { order = ['draft'] }", "configurator.status.A.order must be one of draft"),
        ("[subscription]\nallow_zero_tax = 'yes'", "subscription.allow_zero_tax must be true or false"),
        ("[subscription]\nallow_zero_taxes = true", "subscription.allow_zero_taxes is not known"),
        ("[subscription", "cannot be read: "),
        ("\x00", "cannot be read: "),
    ],
)  # fmt: skip
def test_a_mistake_in_the_rules_file_is_told_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    line = told(RULES_FILE=str(rules(tmp_path, text)))

    assert line.startswith("ORDERSTREAM_RULES_FILE: ")
    assert says in line


def test_a_rules_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    binary = tmp_path / "rules.toml"
    binary.write_bytes(b"\xff\xfe")

    assert (
        told(RULES_FILE=str(tmp_path / "none.toml"))
        == "ORDERSTREAM_RULES_FILE: cannot be read: No such file or directory"
    )
    assert told(RULES_FILE=str(tmp_path)) == "ORDERSTREAM_RULES_FILE: cannot be read: Is a directory"
    assert told(RULES_FILE=str(binary)).startswith("ORDERSTREAM_RULES_FILE: cannot be read: ")


def test_the_limits_and_the_list_of_producers_reach_the_contracts() -> None:
    contracts = settings(ALLOW=" wishlist/acme ,configurator,", MAX_VALUE_BYTES="10").contracts

    refused = decode(a_create("b2b-commerce"), contracts)
    assert contracts.allowed == {"wishlist/acme", "configurator"}
    assert isinstance(refused, Refusal)
    assert [problem.code for problem in refused.problems] == ["TOO_LARGE", "PRODUCER_NOT_ALLOWED"]
