"""A bad deploy of one producer, and what the person on call does: on real servers, with a real worker."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from pymongo import AsyncMongoClient
from typer.testing import CliRunner

from orderstream.cli import app, rejected_reading
from orderstream.cli.rejected_list import list_rejected
from orderstream.cli.rejected_show import show_rejected
from orderstream.cli.rejections import moment
from orderstream.cli.show import stored_orders
from orderstream.commands import Record
from orderstream.order import Position
from orderstream.rejections import Choice
from orderstream.replays import Note
from orderstream.settings import Settings
from orderstream.terminal import FailedError
from tests.builders import NOW, Given, a_create, a_record, an_update
from tests.programs import Ran, run
from tests.rejected_messages import of, put, replayed
from tests.test_show import stored
from tests.worker import Sent, a_worker, caught_up, documents, read, send

BAD = 300
HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # the commands look at the clock too


def bad_deploy() -> list[Sent]:
    """One producer begins to send a status that the contract does not list; another sends on as before."""
    records = [
        a_create("configurator", {"status": "Quoted", "platform": {"id": str(n), "platform": "P", "storeName": "S"}})
        for n in range(BAD)
    ]
    records += [a_create("wishlist", {"orderRef": f"WEB-{n}", "email": "jane.doe@example.com"}) for n in range(20)]
    broken = a_record(value=b'{"email": "jane.doe@example.com", }', headers=dict(_texts(records[-1])))
    return [Sent("create", f"{n}".encode(), one.value, one.headers) for n, one in enumerate([*records, broken])]


def _texts(record: Record) -> Iterable[tuple[str, str]]:
    return ((name, (value or b"").decode()) for name, value in record.headers)


async def test_a_bad_deploy_is_seen_and_repaired(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with a_worker(settings) as worker:
        await send(settings, bad_deploy())
        await caught_up(settings)
        await worker.saw("rejections.high")
    assert 1 == sum(line["event"] == "rejections.high" for line in worker.log)
    await seen_on_one_screen(settings, capsys)

    fixed = with_rules(settings, tmp_path)
    await nothing_is_sent_by_a_dry_run(settings, fixed, capsys)
    async with a_worker(fixed):
        ran = await run(fixed, "rejected", "replay", "--dialect", "configurator")
        assert (0, {"chosen": BAD, "to be sent": BAD, "right by today's rules": BAD}) == (ran.code, table(ran.out))
        recorded(ran)
        await caught_up(settings)
    await the_orders_are_there(settings)
    await replayed(fixed, Choice(dialect="configurator"))
    again = table(capsys.readouterr().out)
    assert (BAD, 0) == (again["sent before, and not rejected since"], again["to be sent"])


async def seen_on_one_screen(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    listed = await run(settings, "rejected", "list")
    many, broken = (row.split() for row in listed.out.splitlines()[1:])
    assert [str(BAD), "FIELD_ENUM", "status", "configurator"] == many[:4]
    assert ["1", "MALFORMED_JSON", "value", "wishlist"] == broken[:4]
    for example in (many[-1], broken[-1]):
        await show_rejected(settings, Position.parse(example), reveal=False, json=False)
    shown = capsys.readouterr().out
    assert '"status": "Quoted"   ◀ FIELD_ENUM' in shown
    assert "jane" not in shown


def with_rules(settings: Settings, folder: Path) -> Settings:
    rules = folder / "rules.toml"
    rules.write_text('[configurator.status]\nQuoted = { order = "draft" }\n')
    return settings.model_copy(update={"rules_file": rules})


async def nothing_is_sent_by_a_dry_run(settings: Settings, fixed: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    await replayed(settings, Choice(code="FIELD_ENUM"), dry_run=True)
    before = table(capsys.readouterr().out)
    await replayed(fixed, Choice(code="FIELD_ENUM"), dry_run=True)
    after = table(capsys.readouterr().out)

    assert {"right by today's rules": 0, "still rejected, FIELD_ENUM": BAD}.items() <= before.items()
    assert {"right by today's rules": BAD}.items() <= after.items()
    assert BAD + 21 == len(await read(settings, settings.topic_create))


def table(out: str) -> Mapping[str, int]:
    rows = (row.strip().rpartition(" ") for row in out.splitlines()[1:])
    return {name.strip(): int(number) for name, _, number in rows}


def recorded(ran: Ran) -> None:
    (line,) = (json.loads(line) for line in ran.err.splitlines() if line.startswith("{"))
    assert ("rejected.replayed", BAD) == (line["event"], line["messages"])
    assert {"who", "timestamp"} <= line.keys()


async def the_orders_are_there(settings: Settings) -> None:
    orders = [order for order in await documents(settings) if order["dialect"] == "configurator"]
    assert BAD == len(orders)
    assert {"draft"} == {order["status"]["order"] for order in orders}
    origins = {decision["replay_of"] for order in orders for decision in order["ledger"]["decisions"]}
    first = {f"{one.topic}/{one.partition}/{one.offset}" for one in await read(settings, settings.topic_create)}
    assert (BAD, True) == (len(origins), origins < first)


# One by one, without a worker: what stands in the rejected topic is put there


async def test_a_replay_goes_where_its_original_stood(settings: Settings) -> None:
    record = of(settings, a_create("wishlist", {"orderStatus": "?"}, x_own="1", replay_of="order-create/1/2"))
    await put(settings, record)

    await replayed(settings)

    (again,) = await read(settings, settings.topic_create)
    assert (3, record.key, record.value) == (again.partition, again.key, again.value)
    expected = {**dict(record.headers), "replay-of": b"order-create/1/2", "rejection-attempt": b"1"}
    assert expected == dict(again.headers)


async def test_a_message_without_value_is_sent_without_value(settings: Settings) -> None:
    await put(settings, of(settings, a_record(value=None, headers={"dialect": "wishlist"})))

    await replayed(settings)

    assert [None] == [record.value for record in await read(settings, settings.topic_create)]


async def test_repeats_and_records_of_others_do_not_count(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    record = of(settings, a_create("wishlist", {"orderStatus": "?"}))
    await put(settings, record, record)
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait(settings.topic_rejected, b"hello")
    await producer.stop()

    await list_rejected(settings, Choice(), None, as_json=True)

    told = capsys.readouterr()
    assert [1] == [group["count"] for group in json.loads(told.out)["groups"]]
    assert ": 1 records that are no rejections" in told.err


async def test_a_long_topic_says_how_far_it_is(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejected_reading, "TELL_SECONDS", -1)
    await put(settings, *(of(settings, a_create("wishlist", {"orderStatus": "?"}), number) for number in range(3)))

    await list_rejected(settings, Choice(), None, as_json=True)

    told = capsys.readouterr()
    assert ["orderstream: 2 of 3 read", "orderstream: 3 of 3 read"] == told.err.splitlines()[1:]
    assert 1 == len(told.out.splitlines())


@pytest.mark.parametrize(("since", "count"), [(-HOUR, 1), (HOUR, 0)])
async def test_since_leaves_out_what_was_rejected_before(
    settings: Settings, capsys: pytest.CaptureFixture[str], since: timedelta, count: int
) -> None:
    await put(settings, of(settings, a_create("wishlist", {"orderStatus": "?"})))

    await list_rejected(settings, Choice(), now() + since, as_json=True)

    assert count == json.loads(capsys.readouterr().out)["rejected"]


@pytest.mark.parametrize("columns", ["60", "80", "200"])
async def test_nothing_of_a_group_is_lost_in_a_narrow_terminal(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    record = of(settings, a_create("wishlist", {"aMemberThatNobodyKnows": 1}), 1_234_567_890)
    await put(settings, record)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", columns)

    await list_rejected(settings, Choice(), None, as_json=False)

    told = ("FIELD_UNKNOWN", "aMemberThatNobodyKnows", "wishlist", "example-retailer", str(record.position))
    out = capsys.readouterr().out
    assert [] == [text for text in told if text not in out]


@pytest.mark.parametrize(("text", "age"), [("90s", timedelta(seconds=90)), ("2h", 2 * HOUR), ("3d", 72 * HOUR)])
def test_a_moment_can_be_said_as_an_age(text: str, age: timedelta) -> None:
    assert abs(now() - age - moment(text)) < timedelta(seconds=10)


def test_a_moment_can_be_said_with_any_offset() -> None:
    assert datetime(2026, 11, 21, 9, 15, 30, tzinfo=UTC) == moment("2026-11-21T10:15:30+01:00")


async def test_an_update_older_than_its_order_is_held_back(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    given = Given(a_create("wishlist"))
    await stored(settings, given.order)
    update = of(settings, an_update(given.order, "order.patch", {"orderStatus": "COMPLETE"}))
    await put(settings, update, at=NOW - timedelta(seconds=1))

    await replayed(settings)
    assert f"{update.position} is held back" in capsys.readouterr().err
    assert [] == await read(settings, settings.topic_update)

    await replayed(settings, force=True)
    assert [update.value] == [record.value for record in await read(settings, settings.topic_update)]


async def test_what_the_topic_has_cut_is_not_sent(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    record = of(settings, a_create("wishlist", {"email": "x" * 1_200_000, "orderStatus": "?"}))
    await put(settings, record)

    await replayed(settings)

    assert f"{record.position} cannot be sent: its value or key was too long" in capsys.readouterr().err
    assert [] == await read(settings, settings.topic_create)


# A command that dies


async def claimed(settings: Settings, record: Record, at: datetime) -> None:
    """What a command leaves behind that ends between its claim and its note."""
    async with stored_orders(settings) as orders:
        await orders.replays.claim([Note(record.position, NOW, 1, "jane", at, None)], "gone")


async def test_what_a_dead_command_had_sent_is_found_and_not_sent_again(settings: Settings) -> None:
    one, other = (of(settings, a_create("wishlist", {"orderStatus": str(n)}), n) for n in range(2))
    await put(settings, one, other)
    await replayed(settings, Choice(frozenset({one.position})))
    await forget_where(settings)
    await claimed(settings, other, now() - HOUR)

    await replayed(settings)
    await replayed(settings)

    sent = await read(settings, settings.topic_create)
    assert [one.value, other.value] == [record.value for record in sent]
    async with stored_orders(settings) as orders:
        notes = await orders.replays.load({one.position, other.position})
    assert [0, 1] == [note.position.offset for _, note in sorted(notes.items()) if note.position]


async def forget_where(settings: Settings) -> None:
    """As if the command had died before it noted what the broker answered."""
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(settings.mongo_url.get_secret_value())
    await client[settings.mongo_database]["worker"].update_many({}, {"$set": {"position": None, "at": now() - HOUR}})
    await client.close()


async def test_what_another_command_is_sending_is_left_to_it(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    record = of(settings, a_create("wishlist", {"orderStatus": "?"}))
    await put(settings, record)
    await claimed(settings, record, now())

    await replayed(settings)

    assert f"{record.position} is being sent by jane" in capsys.readouterr().err
    assert [] == await read(settings, settings.topic_create)


# Shown


async def test_programs_get_all_of_it_masked(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    record = of(
        settings, a_create("wishlist", {"orderStatus": "?", "email": "jane.doe@example.com", "totalAmount": 1.1})
    )
    await put(settings, record)

    await show_rejected(settings, record.position, reveal=False, json=True)

    out = capsys.readouterr().out
    told = json.loads(out)
    assert (str(record.position), "FIELD_ENUM", "?") == (
        told["id"], told["problems"][0]["code"], told["value"]["orderStatus"],
    )  # fmt: skip
    assert "jane" not in out
    await show_rejected(settings, record.position, reveal=True, json=True)
    assert json.loads(record.value or b"") == json.loads(capsys.readouterr().out)["value"]


async def test_a_rejection_that_is_not_there_is_told_in_one_sentence(settings: Settings) -> None:
    with pytest.raises(FailedError, match=f"order-create/0/9 is not in {settings.topic_rejected}"):
        await show_rejected(settings, Position("order-create", 0, 9), reveal=False, json=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["replay", "--dry-run"],
        ["replay", "--code", "NONSENSE"],
        ["replay", "--since", "yesterday"],
        ["list", "--since", "2026-11-21T10:15:00"],
        ["show", "order-create"],
        ["show"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    ran = CliRunner().invoke(app, ["rejected", *arguments])

    assert (2, "") == (ran.exit_code, ran.stdout)
    assert "Traceback" not in ran.stderr
