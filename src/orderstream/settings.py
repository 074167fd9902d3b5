"""Settings, read from the environment in one place; a wrong one is told in one line (interface 6)."""

import os
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from orderstream.decode import Contracts
from orderstream.dialects import DIALECTS
from orderstream.failpoints import VARIABLE
from orderstream.rules_file import PREFIX, SettingError, read_rules

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+]|[A-Za-z0-9._-]+):[0-9]{1,5}")


class Settings(BaseModel):
    """The settings of interface 6, under their names there without the prefix."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    kafka_bootstrap: str = "localhost:9092"
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_ssl_cafile: Path | None = None
    kafka_ssl_certfile: Path | None = None
    kafka_ssl_keyfile: Path | None = None
    mongo_url: SecretStr = SecretStr("mongodb://localhost:27017")
    mongo_driver: Literal["motor", "pymongo"] = "pymongo"
    mongo_database: str = Field("orderstream", pattern=r"^[^/\\. \"$*<>:|?\x00]{1,63}$")
    group: str = Field("orderstream", min_length=1)
    topic_create: str = Field("order-create", pattern=r"^[A-Za-z0-9._-]{1,249}$")
    topic_update: str = Field("order-update", pattern=r"^[A-Za-z0-9._-]{1,249}$")
    topic_status: str = Field("order-status-changed", pattern=r"^[A-Za-z0-9._-]{1,249}$")
    topic_rejected: str = Field("order-rejected", pattern=r"^[A-Za-z0-9._-]{1,249}$")
    http_host: str = "127.0.0.1"
    http_port: int = Field(8080, ge=0, le=65535)
    http_token: SecretStr | None = None
    allow_plaintext: bool = False
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    park_seconds: float = Field(600, ge=0, allow_inf_nan=False)
    max_value_bytes: int = Field(1_048_576, ge=1)
    allow: str = ""
    rules_file: Path | None = None

    @property
    def contracts(self) -> Contracts:
        """What decides on a message besides the message. Raises `SettingError`."""
        rules = read_rules(self.rules_file) if self.rules_file else {}
        return Contracts(self.max_value_bytes, rules, frozenset(_names(self.allow)))

    @property
    def plaintext(self) -> tuple[str, ...]:
        """The settings that name another machine without TLS, or with one that trusts anybody."""
        brokers = self.kafka_bootstrap.split(",")
        plain = {
            "KAFKA_BOOTSTRAP": self.kafka_security_protocol.endswith("PLAINTEXT") and not _all_loopback(brokers),
            "MONGO_URL": not _speaks_tls(self.mongo_url.get_secret_value()),
        }
        return tuple(PREFIX + name for name, is_plain in plain.items() if is_plain)

    @field_validator("kafka_bootstrap")
    @classmethod
    def _addresses(cls, listed: str) -> str:
        if not all(_ADDRESS.fullmatch(address.strip()) for address in listed.split(",")):
            raise ValueError("must be host:port, or several of them with commas between")
        return listed

    @field_validator("mongo_url")
    @classmethod
    def _a_mongodb_url(cls, url: SecretStr) -> SecretStr:
        try:
            parts = urlsplit(url.get_secret_value())
        except ValueError:  # its text holds what was given
            raise ValueError("must be a URL") from None
        if parts.scheme not in ("mongodb", "mongodb+srv"):
            raise ValueError("must begin with mongodb:// or mongodb+srv://")
        return url

    @field_validator("http_token")
    @classmethod
    def _a_token(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not token.get_secret_value():
            raise ValueError("must not be empty; without it the orders cannot be read over HTTP")
        return token

    @field_validator("allow")
    @classmethod
    def _only_dialects(cls, allow: str) -> str:
        if "," in allow and not any(_names(allow)):
            raise ValueError("names nothing; leave it empty to admit everything")
        unknown = {name.split("/")[0] for name in _names(allow)} - DIALECTS.keys()
        if unknown:
            raise ValueError(f"names no dialect; the dialects are {', '.join(DIALECTS)}")
        return allow

    @model_validator(mode="after")
    def _keep_the_topics_apart(self) -> "Settings":
        seen: dict[str, str] = {}
        for name in ("topic_create", "topic_update", "topic_status", "topic_rejected"):
            other = seen.setdefault(getattr(self, name), name)
            if other != name:
                raise ValueError(f"{PREFIX}{name.upper()} is the same topic as {PREFIX}{other.upper()}")
        return self

    @model_validator(mode="after")
    def _log_in_with_both(self) -> "Settings":
        for name in ("kafka_sasl_username", "kafka_sasl_password"):
            if self.kafka_security_protocol.startswith("SASL") and getattr(self, name) is None:
                raise ValueError(f"{PREFIX}{name.upper()} is needed with {self.kafka_security_protocol}")
        return self

    @model_validator(mode="after")
    def _speak_plaintext_only_to_this_machine(self) -> "Settings":
        if self.plaintext and not self.allow_plaintext:
            name, remedy = self.plaintext[0], f"use TLS, or set {PREFIX}ALLOW_PLAINTEXT=true"
            raise ValueError(f"{name} names another machine without TLS; {remedy}")
        return self


UNVERIFIED: Final = ("tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames")
SECRETS: Final = (f"{PREFIX}KAFKA_SASL_PASSWORD", f"{PREFIX}MONGO_URL", f"{PREFIX}HTTP_TOKEN")


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this environment. Raises `SettingError`."""
    environ = _with_files(environ)
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    ours = {name for name in environ if name.startswith(PREFIX)} - {VARIABLE}
    unknown = sorted(name for name in ours - known if not _is_kubernetes(name))
    if unknown:
        names = [name.upper() for name in Settings.model_fields]
        near = get_close_matches(unknown[0].removeprefix(PREFIX).upper(), names, n=1)
        hint = f"; is {PREFIX}{near[0]} meant?" if near else "; README.md lists the settings"
        raise SettingError(f"{unknown[0]} is not a setting{hint}")
    try:
        settings = Settings(**{name.removeprefix(PREFIX).lower(): environ[name] for name in known & environ.keys()})
        _ = settings.contracts
    except ValidationError as error:
        raise SettingError(_one_line(error)) from None
    return settings


def _with_files(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Secrets from the files that `…_FILE` names, as container platforms hand them over."""
    told = dict(environ)
    for name in SECRETS:
        if f"{name}_FILE" not in environ:
            continue
        if name in environ:
            raise SettingError(f"{name}_FILE: {name} is set too; give one of them")
        try:
            told[name] = Path(told.pop(f"{name}_FILE")).read_text(encoding="utf-8").removesuffix("\n")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is no UTF-8 text"
            raise SettingError(f"{name}_FILE: {reason}") from None
    return told


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    message = first["msg"].removeprefix("Value error, ")
    return f"{PREFIX}{str(first['loc'][0]).upper()}: {message}" if first["loc"] else message


def _is_kubernetes(name: str) -> bool:
    """What Kubernetes sets beside a service of this name."""
    return name.endswith("_SERVICE_HOST") or "_SERVICE_PORT" in name or name.startswith(f"{PREFIX}PORT")


def _names(listed: str) -> Iterable[str]:
    return (name.strip() for name in listed.split(",") if name.strip())


def _all_loopback(addresses: Iterable[str]) -> bool:
    return all(_is_loopback(address.strip().rpartition(":")[0].strip("[]")) for address in addresses)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _speaks_tls(url: str) -> bool:
    """Whether this MongoDB URL keeps to TLS with certificates that are verified, or to this machine."""
    parts = urlsplit(url)
    options = {name.lower(): value for name, value in parse_qsl(parts.query)}
    default = "true" if parts.scheme == "mongodb+srv" else "false"
    trusts_anybody = any(options.get(name) == "true" for name in UNVERIFIED)
    if options.get("tls", options.get("ssl", default)) == "true" and not trusts_anybody:
        return True
    hosts = parts.netloc.rpartition("@")[2].split(",")
    return _all_loopback(host if re.search(r":\d+$", host) else f"{host}:27017" for host in hosts)
