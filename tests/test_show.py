"""One order shown to people, out of a real MongoDB."""

import orjson
import pytest

from orderstream.answers import Write
from orderstream.cli.show import Part, Target, show
from orderstream.json_text import JsonObject
from orderstream.mongo import MongoOrders
from orderstream.order import Order
from orderstream.settings import Settings
from orderstream.terminal import FailedError
from tests.builders import Given, a_create, an_update

LINES: JsonObject = {"orderLines": [{"id": "L-1", "quantity": 1}, {"id": "L-2", "productRef": "MUG \x1b[31m"}]}


async def stored(settings: Settings, *new: Order) -> None:
    orders = MongoOrders(settings.mongo_url.get_secret_value(), settings.mongo_database, settings.mongo_driver)
    assert (await orders.write([Write(None, order) for order in new])).done
    await orders.prepare(settings.group)
    await orders.close()


def an_order() -> Order:
    given = Given(a_create("wishlist", LINES))
    given.when(an_update(given.order, "order.patch", {"orderStatus": "COMPLETE"}))
    return given.order


async def shown(
    settings: Settings, capsys: pytest.CaptureFixture[str], part: Part, entry: str | None = None, *, json: bool = False
) -> str:
    await show(settings, Target("WEB-2026-1042", None, None), part, entry, as_json=json)
    return capsys.readouterr().out


async def test_people_see_what_they_want_to_know_first(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    await stored(settings, order := an_order())

    title, *rows = (await shown(settings, capsys, "order")).splitlines()

    assert "wishlist order WEB-2026-1042 of example-retailer" == title
    told = {row[:16].strip(): row[16:].strip() for row in rows}
    assert (order.id, "order completed, payment unpaid, fulfilment fulfilled") == (told["id"], told["status"])
    assert ("2, with 2 status events", "2") == (told["revision"], told["lines"])


async def test_people_see_each_change_of_status(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    await stored(settings, an_order())

    _, _, first, second = (await shown(settings, capsys, "history")).splitlines()

    assert "order created, payment unpaid, fulfilment unfulfilled" in first
    assert "order created → completed, fulfilment unfulfilled → fulfilled" in second


async def test_people_see_lines_that_cannot_steer_their_terminal(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await stored(settings, an_order())

    assert r"productRef MUG \x1b[31m" in await shown(settings, capsys, "entries")
    assert "L-1" not in await shown(settings, capsys, "entries", "L-2")


async def test_programs_get_what_the_read_api_answers(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    await stored(settings, order := an_order())

    parts: tuple[Part, ...] = ("order", "history", "entries")
    whole, history, entries = [orjson.loads(await shown(settings, capsys, part, json=True)) for part in parts]

    assert (order.id, whole["history"]) == (whole["_id"], history["history"])
    assert ({"order", "entries"}, whole["body"]["orderLines"]) == (entries.keys(), entries["entries"])


async def test_a_name_of_several_orders_asks_which(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    given = Given(*(a_create("wishlist", tenant=tenant) for tenant in ("a", "b")))
    await stored(settings, *given.orders.values())

    with pytest.raises(FailedError) as raised:
        await shown(settings, capsys, "order")

    assert "say which with --dialect and --tenant, or by id" in str(raised.value)
    assert set(given.orders) == {row.split()[-1] for row in str(raised.value).splitlines()[1:]}


async def test_an_order_that_is_not_there_is_told_in_one_sentence(settings: Settings) -> None:
    with pytest.raises(FailedError) as raised:
        await show(settings, Target("no\x1bbody", None, "acme"), "order", None, as_json=True)

    assert "no order is known as no\\x1bbody, tenant acme" == str(raised.value)


async def test_a_line_that_is_not_there_says_how_lines_are_named(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await stored(settings, an_order())

    with pytest.raises(FailedError, match="has no line L-3; lines are named by id, or by ref: and entryRef"):
        await shown(settings, capsys, "entries", "L-3")
