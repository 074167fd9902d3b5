"""Every way to log in to Kafka and MongoDB, and every common way to fail at it, told in a sentence."""

import asyncio
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from pydantic import SecretStr

from orderstream.settings import Settings
from tests import load, programs
from tests.conftest import Servers, fresh_settings
from tests.security.servers import (
    ADMINISTRATOR,
    ALLOWED_ALL,
    PASSWORD,
    SecureKafka,
    SecureMongo,
    kafka_with_client_certificates,
)
from tests.worker import a_worker, caught_up, documents, read, send, started

SECRETS = (PASSWORD, quote_plus(PASSWORD), "guess")
CERTIFICATE = ("kafka_ssl_certfile", "kafka_ssl_keyfile")


async def handled(plain: Settings, secure: Settings, **environment: str) -> tuple[int, int]:
    """How many documents and events a worker with these settings makes of three orders."""
    async with a_worker(secure, **environment):
        await send(plain, load.creates(3, keys=3))
        await caught_up(plain)
    return len(await documents(plain)), len(await read(plain, plain.topic_status))


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256"])
async def test_a_worker_logs_in_over_tls(mechanism: str, plain: Settings, kafka: SecureKafka) -> None:
    secure = plain.model_copy(update=kafka.login(ALLOWED_ALL, mechanism))

    assert (3, 3) == await handled(plain, secure)


async def test_a_worker_takes_its_password_from_a_file(plain: Settings, kafka: SecureKafka, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    login = kafka.login(ALLOWED_ALL, "SCRAM-SHA-512")
    del login["kafka_sasl_password"]

    assert (3, 3) == await handled(plain, plain.model_copy(update=login), kafka_sasl_password_file=str(password))


async def test_a_worker_shows_its_certificate(mongo: SecureMongo, tmp_path: Path) -> None:
    async with kafka_with_client_certificates(tmp_path / "kafka") as kafka:
        plain = await fresh_settings(Servers(kafka.plain, mongo.url(ADMINISTRATOR)))

        assert (3, 3) == await handled(plain, plain.model_copy(update=kafka.certificate()))
        without = {name: value for name, value in kafka.certificate().items() if name not in CERTIFICATE}
        ran = await programs.run(plain.model_copy(update=without), "tail")

    assert (1, "") == (ran.code, ran.out)
    assert "wants a client certificate, of an authority that it trusts" in ran.err
    assert "ORDERSTREAM_KAFKA_SSL_CERTFILE and ORDERSTREAM_KAFKA_SSL_KEYFILE" in ran.err


KAFKA = {
    "wrong password": (
        "refuses the user name or the password",
        "check ORDERSTREAM_KAFKA_SASL_USERNAME and ORDERSTREAM_KAFKA",
    ),
    "another authority": ("has a certificate of an authority that is not trusted here", "ORDERSTREAM_KAFKA_SSL_CAFILE"),
    "another host name": ("has a certificate for another host name", "ORDERSTREAM_KAFKA_BOOTSTRAP"),
    "no TLS": ("ends the connection at once, as a server does that expects TLS", "ORDERSTREAM_KAFKA_SECURITY_PROTOCOL"),
}


def wrong_kafka(case: str, plain: Settings, kafka: SecureKafka) -> Settings:
    """Settings that lead to Kafka, but for one."""
    wrong: dict[str, dict[str, object]] = {
        "wrong password": {"kafka_sasl_password": SecretStr("guess")},
        "another authority": {"kafka_ssl_cafile": kafka.certificates.foreign_authority},
        "another host name": {"kafka_bootstrap": kafka.cluster.bootstrap.replace("127.0.0.1", "localhost")},
        "no TLS": {"kafka_security_protocol": "SASL_PLAINTEXT"},
    }
    return plain.model_copy(update=kafka.login(ALLOWED_ALL, "SCRAM-SHA-512") | wrong[case])


async def test_a_command_says_why_kafka_cannot_be_used(plain: Settings, kafka: SecureKafka) -> None:
    ran = await asyncio.gather(*(programs.run(wrong_kafka(case, plain, kafka), "topics") for case in KAFKA))

    told = dict(zip(KAFKA, ran, strict=True))
    assert {} == {case: one for case, one in told.items() if not is_told(one, *KAFKA[case])}


def is_told(ran: programs.Ran, *texts: str) -> bool:
    """Whether the command has failed with one line, which has these texts and no secret."""
    is_right = all(text in ran.err for text in texts) and not any(secret in ran.err for secret in SECRETS)
    return (1, 1, True) == (ran.code, ran.err.count("\n"), is_right)


@pytest.mark.parametrize("case", ["wrong password", "another host name"])
async def test_all_say_why_kafka_cannot_be_used(case: str, plain: Settings, kafka: SecureKafka) -> None:
    wrong, (reason, remedy) = wrong_kafka(case, plain, kafka), KAFKA[case]

    (told, everything), ran = await asyncio.gather(
        first_trouble(wrong, "kafka.unavailable"), programs.run(wrong, "tail")
    )

    assert told["reason"].startswith(reason)
    assert remedy in told["remedy"]
    assert is_told(ran, reason, remedy)
    assert not any(secret in everything for secret in SECRETS)


async def first_trouble(settings: Settings, event: str) -> tuple[dict[str, str], str]:
    """What a worker says first of a server that it cannot use, and all that it says; it goes on trying."""
    worker = await started(settings)
    try:
        await worker.saw(event)
        assert worker.process.returncode is None
    finally:
        await worker.kill()
    return next(line for line in worker.log if line["event"] == event), str(worker.log)


MONGO = {
    "wrong password": ("refuses the user name or the password", "check user, password and authSource"),
    "another authority": ("has a certificate of an authority that is not trusted here", "tlsCAFile"),
    "another host name": ("has a certificate for another host name", "rs.conf()"),
    "no TLS": ("ends the connection at once, as a server does that expects TLS", "option tls"),
    "no login": ("wants a user and a password", "check user, password and authSource"),
}


def wrong_mongo(case: str, mongo: SecureMongo) -> str:
    """A URL that leads to MongoDB, but for one thing."""
    right = mongo.url(ADMINISTRATOR)
    return {
        "wrong password": mongo.url(ADMINISTRATOR, "guess"),
        "another authority": mongo.url(ADMINISTRATOR, authority=mongo.certificates.foreign_authority),
        "another host name": mongo.url(ADMINISTRATOR, host="localhost"),
        "no TLS": right.partition("&tls=")[0],
        "no login": "mongodb://" + right.partition("@")[2],
    }[case]


async def test_a_command_says_why_mongodb_cannot_be_used(plain: Settings, mongo: SecureMongo) -> None:
    wrong = [plain.model_copy(update={"mongo_url": SecretStr(wrong_mongo(case, mongo))}) for case in MONGO]

    turns = asyncio.Semaphore(2)  # all side by side start so slowly that MongoDB seems to be silent

    async def show(settings: Settings) -> programs.Ran:
        async with turns:
            return await programs.run(settings, "show", "x" * 24)

    ran = await asyncio.gather(*map(show, wrong))

    told = dict(zip(MONGO, ran, strict=True))
    assert {} == {case: one for case, one in told.items() if not is_told(one, *MONGO[case])}


async def test_a_worker_says_why_mongodb_cannot_be_used(plain: Settings, mongo: SecureMongo) -> None:
    wrong = plain.model_copy(update={"mongo_url": SecretStr(mongo.url(ADMINISTRATOR, "guess"))})

    told, everything = await first_trouble(wrong, "mongo.unavailable")

    assert MONGO["wrong password"][0] == told["reason"]
    assert MONGO["wrong password"][1] in told["remedy"]
    assert not any(secret in everything for secret in SECRETS)


async def test_a_worker_warns_of_plaintext_to_another_machine(plain: Settings) -> None:
    away = plain.model_copy(update={"kafka_bootstrap": "kafka.invalid:9092", "allow_plaintext": True})
    worker = await started(away)
    try:
        await worker.saw("kafka.unavailable")
    finally:
        await worker.kill()

    warned = [line["setting"] for line in worker.log if line["event"] == "plaintext.allowed"]
    assert ["ORDERSTREAM_KAFKA_BOOTSTRAP"] == warned
    assert "has a host name that is not known" == worker.log[-1]["reason"]
