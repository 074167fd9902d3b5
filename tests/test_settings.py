"""Settings come from the environment; a wrong one is told in one line that names it."""

from pathlib import Path

import pytest

from orderstream.rules_file import SettingError
from orderstream.settings import read_settings

WRONG = {
    # a name that does not exist, with the one that may be meant
    "ORDERSTREAM_MONGO_URI": "mongodb://localhost",
    "ORDERSTREAM_PARK_SECONDS": "soon",
    "ORDERSTREAM_HTTP_PORT": "70000",
    "ORDERSTREAM_MONGO_DRIVER": "pymongo3",
    "ORDERSTREAM_LOG_LEVEL": "loud",
    "ORDERSTREAM_TOPIC_CREATE": "order create",
    "ORDERSTREAM_ALLOW": "amazon/acme",
    "ORDERSTREAM_MAX_VALUE_BYTES": "0",
    # plaintext to another machine
    "ORDERSTREAM_KAFKA_BOOTSTRAP": "kafka.example.com:9092",
    "ORDERSTREAM_MONGO_URL": "mongodb://mongo.example.com/?replicaSet=rs0",
    "ORDERSTREAM_RULES_FILE": "no-such-file.toml",
}
RULES = {
    "[amazon]\n": "amazon",
    "[b2b-commerce.colour]\n": "b2b-commerce.colour",
    '[b2b-commerce.orderStatus]\nprocessing = { order = "fast" }\n': "b2b-commerce.orderStatus.processing.order",
    '[b2b-commerce.orderStatus]\nprocessing = { speed = "fast" }\n': "b2b-commerce.orderStatus.processing",
    "[subscription]\nallow_zero_tax = 1\n": "subscription.allow_zero_tax",
    "not TOML": "RULES_FILE",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_is_one_line_that_names_it(name: str) -> None:
    with pytest.raises(SettingError) as raised:
        read_settings({name: WRONG[name]})

    assert name in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", RULES)
def test_a_wrong_rules_file_is_one_line_that_names_the_place(content: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(content)

    with pytest.raises(SettingError) as raised:
        read_settings({"ORDERSTREAM_RULES_FILE": str(file)})

    assert RULES[content] in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_rules_file_adds_values_and_relaxes_bounds(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(
        '[b2b-commerce.orderStatus]\nprocessing = { order = "in_progress", fulfilment = "in_process" }\n'
        "[subscription]\nallow_zero_tax = true\n"
    )

    rules = read_settings({"ORDERSTREAM_RULES_FILE": str(file)}).contracts.rules

    assert "in_progress" == rules["b2b-commerce"].added["orderStatus"]["processing"].order
    assert {"allow_zero_tax"} == rules["subscription"].relaxed


def test_what_kubernetes_sets_beside_a_service_is_not_ours() -> None:
    environment = {
        "ORDERSTREAM_SERVICE_HOST": "10.0.0.1",
        "ORDERSTREAM_SERVICE_PORT_HTTP": "80",
        "ORDERSTREAM_PORT_80_TCP": "tcp://10.0.0.1:80",
    }

    assert "localhost:9092" == read_settings(environment).kafka_bootstrap


def test_plaintext_to_another_machine_can_be_allowed() -> None:
    environment = {"ORDERSTREAM_KAFKA_BOOTSTRAP": "kafka.example.com:9092", "ORDERSTREAM_ALLOW_PLAINTEXT": "true"}

    assert "kafka.example.com:9092" == read_settings(environment).kafka_bootstrap


def test_secrets_are_shown_nowhere() -> None:
    settings = read_settings(
        {"ORDERSTREAM_MONGO_URL": "mongodb://u:s3cret@localhost/", "ORDERSTREAM_KAFKA_SASL_PASSWORD": "s3cret"}
    )

    assert "s3cret" not in f"{settings!r} {settings}"
