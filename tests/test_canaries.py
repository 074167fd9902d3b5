"""Personal data and secrets stay where they belong: not in logs, errors, headers of rejections, or help."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http.client import HTTPConnection
from pathlib import Path
from traceback import format_exception
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio
import typer
from typer.testing import CliRunner

from orderstream.cli import app
from orderstream.headers import CREDENTIALS
from orderstream.rules_file import SettingError
from orderstream.settings import read_settings
from tests import canaries
from tests.bad_inputs.play import Delivered
from tests.canaries import CANARY, sung
from tests.conftest import Servers, fresh_settings
from tests.http_client import free_port
from tests.sample_play import (
    CREATES,
    REJECTED,
    UPDATES,
    Message,
    addressed,
    by_create,
    create_before,
    scoped,
    verbatim,
)  # fmt: skip
from tests.worker import DEADLINE, Sent, caught_up, documents, environment, read, send, until

NOBODY: Final = "127.0.0.1:1"
SECRETS: Final = {  # settings of which none leads anywhere
    "ORDERSTREAM_MONGO_URL": f"mongodb://{CANARY}user:{CANARY}@{NOBODY}/?serverSelectionTimeoutMS=500",
    "ORDERSTREAM_KAFKA_BOOTSTRAP": NOBODY,
    "ORDERSTREAM_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    "ORDERSTREAM_KAFKA_SASL_USERNAME": f"{CANARY}user",
    "ORDERSTREAM_KAFKA_SASL_PASSWORD": CANARY,
    "ORDERSTREAM_HTTP_TOKEN": CANARY,
}
FILE: Final = json.dumps(
    {"topic": "order-create", "key": CANARY, "headers": {"dialect": CANARY}, "value": {canaries.NAME: CANARY}}
)


class Said(NamedTuple):
    """What workers said, all of it, and what they left behind."""

    log: bytes
    pages: bytes
    events: Sequence[Delivered]
    rejections: Sequence[Delivered]


@asynccontextmanager
async def a_talking_worker(log: Path, environ: Mapping[str, str]) -> AsyncIterator[None]:
    """A worker whose whole output is kept, at the level at which most is said."""
    command = Path(sys.executable).with_name("orderstream")
    told = {**environ, "ORDERSTREAM_LOG_LEVEL": "debug"}
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(command, "run", env=told, stdout=out, stderr=out)
    try:
        yield
        process.terminate()
        async with asyncio.timeout(DEADLINE):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest_asyncio.fixture(name="said", scope="module")
async def _said(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Said:
    """Right and wrong messages of every dialect, and a fault of the worker in the middle of them."""
    settings, log = await fresh_settings(servers), tmp_path_factory.mktemp("canaries") / "log"
    port = free_port()
    here = settings.model_copy(update={"http_port": port})
    environ = environment(here, http_token=CANARY, kafka_sasl_password=CANARY, failpoint="decide:2:raise")
    positions = dict(zip(UPDATES, await send(settings, [canaries.sent(message) for message in bases()]), strict=True))
    await send(settings, creates())
    async with a_talking_worker(log, environ):
        await caught_up(settings)
        orders = by_create(await documents(settings))
        await send(settings, updates({name: orders[position] for name, position in positions.items()}))
        await caught_up(settings)
        pages = await asyncio.to_thread(read_pages, port)
    events, rejections = [await read(settings, topic) for topic in (settings.topic_status, settings.topic_rejected)]
    return Said(log.read_bytes(), pages, events, rejections)


def bases() -> list[Message]:
    """Creates of the orders that the updates are about."""
    return [create_before(name).message for name in UPDATES]


def creates() -> list[Sent]:
    """Each sample in a scope of its own: right, wrong throughout, wrong in one header."""
    right = [canaries.right(scoped(name, scope=name)) for name in CREATES]
    wrong = [canaries.wrong(verbatim(name)) for name in (*CREATES, *REJECTED)]
    spoiled = [one for message in right[::3] for one in canaries.spoiled(message)]
    return [*(canaries.sent(message) for message in (*right, *wrong)), *spoiled]


def updates(orders: Mapping[str, Mapping[str, Any]]) -> list[Sent]:
    """The same of updates."""
    messages = [addressed(name, order) for name, order in orders.items()]
    right, wrong = [canaries.right(message) for message in messages], [canaries.wrong(message) for message in messages]
    spoiled = [one for message in messages[::3] for one in canaries.spoiled(message)]
    return [*(canaries.sent(message) for message in (*right, *wrong)), *spoiled]


def read_pages(port: int) -> bytes:
    """What the worker shows to everybody."""
    pages = b""
    for path in ("/metrics", "/health/ready", "/health/live", "/docs", f"/orders/{CANARY}?dialect={CANARY}"):
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        pages += answer.read() if answer.status != 404 else b""
        connection.close()
    return pages


def test_right_and_wrong_messages_and_a_fault_were_played(said: Said) -> None:
    lines = [json.loads(line)["event"] for line in said.log.splitlines()]

    assert {"order.rejected", "batch.failed", "batch.done", "worker.stopped"} <= set(lines)
    assert any(CANARY.encode() in (record.value or b"") for record in said.rejections)
    assert any(CANARY in json.loads(event.value)["data"]["refs"].get("order_ref", "") for event in said.events)
    assert len(said.rejections) >= 200
    assert len(said.events) >= 56


def test_no_line_of_the_log_holds_a_value(said: Said) -> None:
    assert [] == sung(said.log)


def test_no_page_holds_a_value(said: Said) -> None:
    assert said.pages
    assert [] == sung(said.pages)


def test_no_header_that_is_put_on_a_rejection_holds_a_value(said: Said) -> None:
    ours = [value for record in said.rejections for name, value in record.headers if name.startswith("rejection-")]

    assert [] == sung(*ours)


def test_credentials_are_in_no_rejection(said: Said) -> None:
    headers = [header for record in said.rejections for header in record.headers]

    assert CREDENTIALS.isdisjoint(name.lower() for name, _ in headers)
    assert [] == [value for _, value in headers if b"Bearer" in (value or b"")]


def test_events_hold_ids_and_statuses_and_nothing_else_that_was_sent(said: Said) -> None:
    told = [json.loads(event.value) for event in said.events]

    assert [] == sung(*(json.dumps({**one, "data": {**one["data"], "refs": None}}).encode() for one in told))


@pytest.mark.parametrize("away", ["KAFKA", "MONGO"])
async def test_a_worker_that_cannot_log_in_says_so_without_secrets(away: str, servers: Servers, tmp_path: Path) -> None:
    environ, log = environment(await fresh_settings(servers)), tmp_path / "log"
    mine = {name: text for name, text in SECRETS.items() if f"_{away}_" in name}
    if away == "KAFKA":
        mine["ORDERSTREAM_KAFKA_BOOTSTRAP"] = servers.kafka  # which speaks no SASL there

    async with a_talking_worker(log, {**environ, **mine}):
        await until(lambda: b".unavailable" in log.read_bytes(), "nothing is said to be away")

    assert [] == sung(log.read_bytes())


def commands(group: object, *above: str) -> Iterator[tuple[str, ...]]:
    """Every command, with the groups that it belongs to."""
    below: Mapping[str, object] = getattr(group, "commands", {})
    for name, command in below.items():
        yield from commands(command, *above, name)
    yield above


COMMANDS: Final = list(commands(typer.main.get_command(app)))
ARGUMENTS: Final = {
    "publish": ["-"], "check": ["-"], "show": ["x"], "reemit": ["x"], "rejected show": ["x"],
    "rejected replay": ["--dry-run"], "topics": [], "tail": [], "rejected list": [],
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_tells_no_secret(command: Sequence[str]) -> None:
    ran = CliRunner().invoke(app, [*command, "--help"], env=SECRETS)

    assert 0 == ran.exit_code
    assert [] == sung(ran.output.encode())


@pytest.mark.parametrize("command", ARGUMENTS)
def test_a_command_that_fails_tells_no_secret_and_no_value(command: str) -> None:
    ran = CliRunner().invoke(app, [*command.split(), *ARGUMENTS[command]], input=FILE, env=SECRETS)

    assert 1 <= ran.exit_code <= 2
    assert isinstance(ran.exception, SystemExit)
    assert ran.output
    assert [] == sung(ran.output.encode())


WRONG: Final = (
    ("MONGO_URL", f"postgres://user:{CANARY}@localhost"),
    ("MONGO_URL", f"mongodb://user:{CANARY}@[localhost"),
    ("MONGO_URL", f"mongodb://user:{CANARY}@example.com"),
    ("MONGO_URL", CANARY),
    ("KAFKA_BOOTSTRAP", f"user:{CANARY}@localhost:9092"),
    ("KAFKA_SASL_MECHANISM", CANARY),
    ("KAFKA_SECURITY_PROTOCOL", CANARY),
    ("KAFKA_PASSWORD", CANARY),
    ("HTTP_TOKEN", ""),
    ("HTTP_PORT", CANARY),
    ("GROUP", ""),
)


@pytest.mark.parametrize(("name", "given"), WRONG)
def test_a_wrong_setting_is_told_without_what_it_was_set_to(name: str, given: str) -> None:
    with pytest.raises(SettingError) as raised:
        read_settings({**SECRETS, f"ORDERSTREAM_{name}": given})

    assert name in str(raised.value)
    assert [] == sung("".join(format_exception(raised.value)).encode())


@pytest.mark.parametrize("url", [f"mongodb://u:{CANARY}@localhost:x/", f"mongodb://u:{CANARY}/@localhost/?w={CANARY}"])
def test_a_url_that_the_driver_refuses_is_told_without_it(url: str) -> None:
    ran = CliRunner().invoke(app, ["show", "x"], env={**SECRETS, "ORDERSTREAM_MONGO_URL": url})

    assert "ORDERSTREAM_MONGO_URL" in ran.output
    assert [] == sung(ran.output.encode())


def test_settings_do_not_show_their_secrets() -> None:
    settings = read_settings(SECRETS)

    assert f"{CANARY}user" == settings.kafka_sasl_username
    assert [] == sung(f"{settings!r} {settings} {settings.model_dump_json()}".replace(f"{CANARY}user", "").encode())
