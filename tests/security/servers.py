"""Servers that want TLS and a login, with certificates and users made for one run of the tests."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pydantic import SecretStr
from pymongo import AsyncMongoClient

from orderstream.local import KafkaCluster, MongoReplicaSet
from orderstream.local.mongo import SET_NAME
from orderstream.local.ports import HOST

PASSWORD: Final = "open %:/@ sesame"
ADMINISTRATOR: Final = "administrator"
ALLOWED_ALL: Final = "allowed-all"
SCRAM: Final = ("SCRAM-SHA-256", "SCRAM-SHA-512")


class Certificates:
    """An authority, and what it and another one have signed, as files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        ours, foreign = trustme.CA(), trustme.CA()
        server, client = ours.issue_cert(HOST), ours.issue_cert("orderstream", common_name="orderstream")
        self.authority, self.foreign_authority = folder / "authority.pem", folder / "foreign.pem"
        self.server, self.client = folder / "server.pem", folder / "client.pem"
        ours.cert_pem.write_to_path(self.authority)
        foreign.cert_pem.write_to_path(self.foreign_authority)
        self.server.write_bytes(_with_key(server))
        self.client.write_bytes(_with_key(client))


def _with_key(leaf: trustme.LeafCert) -> bytes:
    """The certificate and its key, in the form that Java reads."""
    key = load_pem_private_key(leaf.private_key_pem.bytes(), password=None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem + b"".join(part.bytes() for part in leaf.cert_chain_pems)


class SecureKafka(NamedTuple):
    """A running cluster, and how its two listeners are reached."""

    cluster: KafkaCluster
    certificates: Certificates

    @property
    def plain(self) -> str:
        """The address at which everything is allowed without a login, for the tests themselves."""
        return f"{HOST}:{self.cluster.ports[0].internal}"

    def login(self, user: str, mechanism: str) -> dict[str, Any]:
        """The settings that lead here as this user."""
        return {
            "kafka_bootstrap": self.cluster.bootstrap,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_mechanism": mechanism,
            "kafka_sasl_username": user,
            "kafka_sasl_password": SecretStr(PASSWORD),
            "kafka_ssl_cafile": self.certificates.authority,
        }

    def certificate(self) -> dict[str, Any]:
        """The settings that lead here with a client certificate."""
        return {
            "kafka_bootstrap": self.cluster.bootstrap,
            "kafka_security_protocol": "SSL",
            "kafka_ssl_cafile": self.certificates.authority,
            "kafka_ssl_certfile": self.certificates.client,
            "kafka_ssl_keyfile": self.certificates.client,
        }


@asynccontextmanager
async def kafka_with_logins(folder: Path, users: Sequence[str]) -> AsyncIterator[SecureKafka]:
    """SASL over TLS, by all three mechanisms; without an ACL none of *users* may do anything."""
    users = (ALLOWED_ALL, *users)
    certificates = Certificates(folder / "certificates")
    config = _listener("SASL_SSL", certificates) | {
        "sasl.enabled.mechanisms": ",".join(("PLAIN", *SCRAM)),
        "listener.name.client.plain.sasl.jaas.config": _plain(users),
        "listener.name.client.scram-sha-256.sasl.jaas.config": f"{_LOGIN}.scram.ScramLoginModule required;",
        "listener.name.client.scram-sha-512.sasl.jaas.config": f"{_LOGIN}.scram.ScramLoginModule required;",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{ALLOWED_ALL}",  # the first is who comes without a login
    }
    known = [f"{mechanism}=[name={user},password={PASSWORD}]" for mechanism in SCRAM for user in users]
    async with _running(KafkaCluster(folder, config=config, users=known)) as cluster:
        yield SecureKafka(cluster, certificates)


@asynccontextmanager
async def kafka_with_client_certificates(folder: Path) -> AsyncIterator[SecureKafka]:
    """Mutual TLS."""
    certificates = Certificates(folder / "certificates")
    config = _listener("SSL", certificates) | {"listener.name.client.ssl.client.auth": "required"}
    async with _running(KafkaCluster(folder, config=config)) as cluster:
        yield SecureKafka(cluster, certificates)


@asynccontextmanager
async def _running(cluster: KafkaCluster) -> AsyncIterator[KafkaCluster]:
    try:
        await cluster.start()
        yield cluster
    finally:
        await cluster.stop()


_LOGIN: Final = "org.apache.kafka.common.security"


def _listener(protocol: str, certificates: Certificates) -> dict[str, str]:
    return {
        "listener.security.protocol.map": f"CLIENT:{protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "listener.name.client.ssl.keystore.type": "PEM",
        "listener.name.client.ssl.keystore.location": str(certificates.server),
        "listener.name.client.ssl.truststore.type": "PEM",
        "listener.name.client.ssl.truststore.location": str(certificates.authority),
    }


def _plain(users: Sequence[str]) -> str:
    known = " ".join(f'user_{user}="{PASSWORD}"' for user in users)
    return f"{_LOGIN}.plain.PlainLoginModule required {known};"


class SecureMongo(NamedTuple):
    """A running replica set of one, and how it is reached."""

    replica_set: MongoReplicaSet
    certificates: Certificates

    def url(self, user: str, password: str = PASSWORD, *, host: str = HOST, authority: Path | None = None) -> str:
        """As this user, who is known in the database `admin`."""
        options = (
            f"replicaSet={SET_NAME}&tls=true&tlsCAFile={quote_plus(str(authority or self.certificates.authority))}"
        )
        login = f"{quote_plus(user)}:{quote_plus(password)}"
        return f"mongodb://{login}@{host}:{self.replica_set.ports[0]}/?authSource=admin&{options}"

    def administrator(self) -> AsyncMongoClient[dict[str, Any]]:
        return AsyncMongoClient(self.url(ADMINISTRATOR))


@asynccontextmanager
async def mongo_with_logins(folder: Path) -> AsyncIterator[SecureMongo]:
    """TLS and a login required; there is an administrator and nobody else."""
    certificates = Certificates(folder / "certificates")
    key = folder / "key"
    key.write_text("a key that the members of the set share")
    key.chmod(0o600)
    await _with_an_administrator(folder)
    tls = (f"--tlsCertificateKeyFile={certificates.server}", f"--tlsCAFile={certificates.authority}")
    lenient = ("--tlsMode=preferTLS", "--tlsAllowConnectionsWithoutCertificates")
    replica_set = MongoReplicaSet(folder, arguments=(*tls, *lenient, f"--keyFile={key}"))
    mongo = SecureMongo(replica_set, certificates)
    try:
        await replica_set.start()  # which asks without TLS whether it runs
        async with mongo.administrator() as client:
            await client.admin.command({"setParameter": 1, "tlsMode": "requireTLS"})
        yield mongo
    finally:
        await replica_set.stop()


async def _with_an_administrator(folder: Path) -> None:
    """Before a login is wanted: afterwards nobody could make the first user and the set."""
    open_to_all = MongoReplicaSet(folder)
    try:
        await open_to_all.start()
        async with AsyncMongoClient[dict[str, Any]](open_to_all.url) as client:
            await client.admin.command({"createUser": ADMINISTRATOR, "pwd": PASSWORD, "roles": ["root"]})
    finally:
        await open_to_all.stop()
