"""The commands as a user runs them: what they print, how they end, what they say when something is wrong."""

import asyncio
import json
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from orderstream.cli import app
from orderstream.settings import Settings
from orderstream.topics import inspected
from tests.builders import HERE
from tests.programs import Ran, run, running
from tests.worker import a_worker, caught_up, read

ACCEPTED = str(HERE / "samples/wishlist/create-minimal.json")
REJECTED = str(HERE / "samples/wishlist/reject-create-unknown-member.json")
NOBODY = "127.0.0.1:1"


def offline(*arguments: str, stdin: str | None = None, **settings: str) -> Ran:
    environ = {f"ORDERSTREAM_{name.upper()}": value for name, value in settings.items()}
    result = CliRunner().invoke(app, arguments, input=stdin, env=environ)
    return Ran(result.exit_code, result.stdout, result.stderr)


@pytest.mark.parametrize(("files", "code"), [([ACCEPTED], 0), ([REJECTED], 1), ([ACCEPTED, REJECTED], 1)])
def test_check_ends_with_1_when_a_message_would_be_rejected(files: Sequence[str], code: int) -> None:
    assert code == offline("check", *files).code


def test_check_shows_where_each_problem_is() -> None:
    ran = offline("check", ACCEPTED, REJECTED)

    head, *rows = ran.out.splitlines()
    assert ["file", "message", "code", "path"] == head.split()[:4]
    assert [[REJECTED, "1", "FIELD_UNKNOWN", "shippingCostIncTaxInCent"]] == [row.split()[:4] for row in rows]
    assert "1 accepted, 1 rejected" in ran.err


def test_check_says_what_it_does_not_judge() -> None:
    assert "not judged, since it depends on the stored order" in offline("check", ACCEPTED).err


def test_check_reads_standard_input() -> None:
    ran = offline("check", "-", stdin='{"topic": "order-create", "headers": {"\\u001b[31m": ""}, "value": NaN}')

    told = {"MALFORMED_JSON", "KEY_MISSING", "HEADER_MISSING"}
    assert told == {code for code in told if code in ran.out}
    assert "\x1b" not in ran.out


def test_check_goes_by_the_rules_file(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('[configurator.status]\nQuoted = { order = "draft" }\n')
    sample = json.loads((HERE / "samples/configurator/create-minimal.json").read_text())
    message = json.dumps({**sample, "value": {**sample["value"], "status": "Quoted"}})

    assert 1 == offline("check", "-", stdin=message).code
    assert 0 == offline("check", "-", stdin=message, rules_file=str(rules)).code


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"],
        ["check", "no-such-file.json"],
        ["publish", __file__],
        ["publish", ACCEPTED, "--dialect", "wishlist"],
        ["show"],
        ["show", "x", "--dialect", "wish"],
        ["show", "x", "--history", "--entries"],
        ["explain"],
        ["explain", "x", "y"],
        ["reemit"],
        ["tail", "--loud"],
        ["nonsense"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: Sequence[str]) -> None:
    ran = offline(*arguments)

    assert (2, "") == (ran.code, ran.out)
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    "command",
    [
        ["topics"],
        ["show", "x"],
        ["explain", "x"],
        ["reemit", "x"],
        ["tail"],
        ["publish", ACCEPTED],
        ["check", ACCEPTED],
    ],
)
def test_a_wrong_setting_ends_with_2_and_one_line(command: Sequence[str]) -> None:
    ran = offline(*command, mongo_url="mongodb://root:hunter2@db.example.com")

    assert (2, 1) == (ran.code, len(ran.err.splitlines()))
    assert "ORDERSTREAM_MONGO_URL" in ran.err
    assert "hunter2" not in ran.err


@pytest.mark.parametrize(
    "url", ["mongodb://root:hun@ter2@localhost", "mongodb://root:hunter2@localhost:1/?tlsCAFile=x"]
)
def test_an_address_that_cannot_be_read_ends_with_2(url: str) -> None:
    ran = offline("show", "x", mongo_url=url)

    assert (2, 1) == (ran.code, len(ran.err.splitlines()))
    assert "ter2" not in ran.err


@pytest.mark.parametrize("command", [["topics"], ["tail"], ["publish", ACCEPTED], ["reemit", "x"]])
def test_a_kafka_that_is_away_is_named(command: Sequence[str]) -> None:
    ran = offline(*command, kafka_bootstrap=NOBODY)

    assert (1, "", 1) == (ran.code, ran.out, len(ran.err.splitlines()))
    assert f"Kafka at {NOBODY} cannot be used" in ran.err
    assert "ORDERSTREAM_KAFKA_BOOTSTRAP" in ran.err


@pytest.mark.parametrize("command", ["show", "explain"])
async def test_a_mongodb_that_is_away_is_named_without_credentials(settings: Settings, command: str) -> None:
    away = settings.model_copy(update={"mongo_url": SecretStr(f"mongodb://root:hunter2@{NOBODY}/")})

    ran = await run(away, command, "x")

    assert (1, "", 1) == (ran.code, ran.out, len(ran.err.splitlines()))
    assert f"MongoDB at {NOBODY} cannot be used" in ran.err
    assert "hunter2" not in ran.err


@pytest.mark.parametrize(
    "command", ["run", "demo", "local", "topics", "publish", "check", "show", "explain", "reemit", "tail"]
)
def test_help_tells_no_secret(command: str) -> None:
    ran = offline(command, "--help", mongo_url="mongodb://root:hunter2@localhost", kafka_sasl_password="hunter2")

    assert 0 == ran.code
    assert "hunter2" not in ran.out


async def test_topics_makes_what_is_missing(settings: Settings) -> None:
    fresh = settings.model_copy(update={"topic_status": f"{settings.topic_status}-2"})

    ran = await run(fresh, "topics")

    assert (0, "") == (ran.code, ran.err)
    assert {"created": [fresh.topic_status]} == _by_end(ran.out, "created")
    assert [] == (await inspected(fresh)).missing


def _by_end(table: str, end: str) -> dict[str, list[str]]:
    return {end: [row.split()[0] for row in table.splitlines() if row.endswith(end)]}


async def test_what_is_published_is_shown_told_and_kept(settings: Settings) -> None:
    async with a_worker(settings):
        created = await run(settings, "publish", ACCEPTED)
        await caught_up(settings)
        patch = '{"headers": {"operation": "order.patch"}, "value": {"totalAmount": 1.10, "orderStatus": "COMPLETE"}}'
        updated = await run(settings, "publish", "--order", "WEB-2024-1001", "-", stdin=patch)
        await caught_up(settings)

    told = [json.loads(event.value or b"")["data"]["cause"] for event in await read(settings, settings.topic_status)]
    (update,) = await read(settings, settings.topic_update)
    assert told == [ran.out.split()[0] for ran in (created, updated)]
    assert b'{"totalAmount": 1.10, "orderStatus": "COMPLETE"}' == update.value
    await tailed(settings, told)


async def tailed(settings: Settings, told: Sequence[str]) -> None:
    async with asyncio.timeout(60), running(settings, "tail", "--from-start", "--json") as tail:
        assert tail.stdout
        lines = [await tail.stdout.readline() for _ in told]
        tail.send_signal(signal.SIGINT)
        code = await tail.wait()

    assert (0, list(told)) == (code, [json.loads(line)["data"]["cause"] for line in lines])


async def test_a_message_that_the_broker_does_not_take_ends_with_1(settings: Settings) -> None:
    too_long = json.dumps({"topic": "order-create", "key": "k", "value": {"notes": "x" * 2_000_000}})

    ran = await run(settings, "publish", "-", stdin=too_long)

    assert (1, "") == (ran.code, ran.out)
    assert "standard input #1 was not sent: MessageSizeTooLargeError" in ran.err


async def test_publish_does_not_make_topics(settings: Settings) -> None:
    absent = settings.model_copy(update={"topic_create": f"{settings.topic_create}-absent"})

    ran = await run(absent, "publish", ACCEPTED)

    assert (1, "") == (ran.code, ran.out)
    assert f"{absent.topic_create}; `orderstream topics` makes" in ran.err
    assert [absent.topic_create] == (await inspected(absent)).missing
