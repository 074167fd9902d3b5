"""The read API on a real MongoDB; every answer is judged by schemas/openapi.json."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator
from pydantic import SecretStr

from orderstream.answers import Write
from orderstream.dialects import DIALECTS
from orderstream.http_message import Answer, ProblemError, Request, problem
from orderstream.http_orders import OrderReads
from orderstream.mongo import MongoOrders
from orderstream.order import Order
from orderstream.reading import entries, history, readable
from orderstream.settings import Settings
from tests.builders import HERE, Given, a_create, an_example, an_update
from tests.test_lookup import names

OPENAPI = json.loads((HERE.parent / "schemas" / "openapi.json").read_text())
SCOPE = {"dialect": "wishlist", "tenant": "example-retailer"}
KEY = "0f5f9a3e-6a54-4c0e-9a53-3f7f1d1c2b4a"
LINES: Any = {"orderLines": [{"id": "L-1", "entryRef": "r/1"}, {"id": "L-2", "entryRef": "L-1"}]}


class Api:
    """Who has the token asks; what is answered is what OpenAPI says."""

    def __init__(self, orders: MongoOrders) -> None:
        self.orders = orders
        self._reads = OrderReads(orders, SecretStr("token"))

    async def store(self, *new: Order) -> None:
        assert (await self.orders.write([Write(None, order) for order in new])).done

    async def __call__(self, *path: str, **query: str | None) -> tuple[int, Any]:
        given = urlencode({name: value for name, value in query.items() if value is not None})
        try:
            answer = await self._reads.answer(Request("GET", path, given.encode(), b"Bearer token"))
        except ProblemError as error:
            answer = problem(error)
        judge(path, answer)
        return answer.status, json.loads(answer.body)


def judge(path: tuple[str, ...], answer: Answer) -> None:
    """Is it described, and does it obey?"""
    asked = "/" + "/".join(quote(segment, safe="") or "-" for segment in path)
    (described,) = [one for one in OPENAPI["paths"] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", one), asked)]
    response = resolved(OPENAPI["paths"][described]["get"]["responses"][str(answer.status.value)])
    schema = {**OPENAPI, **response["content"][answer.media]["schema"]}
    Draft202012Validator(schema).validate(json.loads(answer.body))


def resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in node:
        return node
    *_, kind, name = node["$ref"].split("/")
    found: Mapping[str, Any] = OPENAPI["components"][kind][name]
    return found


@pytest_asyncio.fixture(name="api")
async def _api(settings: Settings) -> AsyncIterator[Api]:
    orders = MongoOrders(settings.mongo_url.get_secret_value(), settings.mongo_database, settings.mongo_driver)
    await orders.prepare(settings.group)
    yield Api(orders)
    await orders.close()


def an_order(members: Any = None, **headers: str) -> Order:  # noqa: ANN401  # any JSON
    return Given(a_create("wishlist", members, **headers)).order


def as_json(value: object) -> Any:  # noqa: ANN401  # any JSON
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_order_is_read_by_each_of_its_names(api: Api, dialect: str) -> None:
    order = Given(an_example(dialect, idempotency_key=KEY)).order
    await api.store(order)
    scope = {"dialect": dialect, "tenant": order.tenant}

    assert (200, as_json(readable(order))) == await api("orders", order.id)
    for ref in (*names(order), KEY, KEY.upper()):
        assert (200, order.id) == id_of(await api("orders", ref, **scope)), ref
        assert (200, order.id) == id_of(await api("orders", ref=ref, **scope)), ref


def id_of(told: tuple[int, Any]) -> tuple[int, Any]:
    return told[0], told[1].get("_id")


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_lines_and_history_are_read_like_the_order(api: Api, dialect: str) -> None:
    order = Given(an_example(dialect)).order
    await api.store(order)

    assert (200, as_json(entries(order))) == await api("orders", order.id, "entries")
    assert (200, as_json(history(order))) == await api("orders", order.id, "history")


async def test_a_line_is_read_by_its_id_and_by_its_reference(api: Api) -> None:
    await api.store(order := an_order(LINES))
    first, second = LINES["orderLines"]

    read = {name: await api("orders", order.id, "entries", name) for name in ("L-1", "ref:L-1", "ref:r/1")}

    assert {"L-1": [first], "ref:L-1": [second], "ref:r/1": [first]} == {
        name: told["entries"] for name, (_, told) in read.items()
    }


async def test_a_line_without_id_is_read_by_its_place(api: Api) -> None:
    order = Given(a_create("b2b-commerce")).order
    await api.store(order)

    assert (200, order.body["lineItems"]) == entries_of(await api("orders", order.id, "entries", "0"))


def entries_of(told: tuple[int, Any]) -> tuple[int, Any]:
    return told[0], told[1].get("entries")


async def test_a_line_is_read_by_its_id_alone(api: Api) -> None:
    await api.store(an_order(LINES))

    assert (200, [LINES["orderLines"][1]]) == entries_of(await api("entries", id="L-2", **SCOPE))


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (("orders", "nobody"), SCOPE),
        (("orders", "web-2026-1042"), SCOPE),
        (("orders", "6" * 24), {}),
        (("orders", "WEB-2026-1042"), {"dialect": "wishlist"}),
        (("orders", "WEB-2026-1042"), {**SCOPE, "tenant": "another"}),
        (("orders", "WEB-2026-1042"), {**SCOPE, "tenant": ""}),
        (("orders", "WEB-2026-1042"), {**SCOPE, "dialect": "b2b-commerce"}),
        (("orders", "WEB-2026-1042", "history"), {**SCOPE, "tenant": "another"}),
        (("orders", "WEB-2026-1042", "entries"), {**SCOPE, "tenant": "another"}),
        (("orders", "WEB-2026-1042", "entries", "L-9"), SCOPE),
        (("orders", "WEB-2026-1042", "entries", "0"), SCOPE),
        (("entries",), {"id": "L-9", **SCOPE}),
        (("entries",), {"id": "L-1", **SCOPE, "tenant": "another"}),
        (("entries",), {"id": "L-1", **SCOPE, "dialect": "b2b-commerce"}),
    ],
)
async def test_what_is_not_there_for_this_tenant_is_not_found(
    api: Api, path: tuple[str, ...], query: Mapping[str, str]
) -> None:
    await api.store(an_order(LINES))

    assert 404 == (await api(*path, **query))[0]


async def test_another_tenant_does_not_find_an_order_by_its_document_id(api: Api) -> None:
    await api.store(order := an_order(LINES))

    for more in ((), ("entries",), ("entries", "L-1"), ("history",)):
        assert 200 == (await api("orders", order.id, *more, tenant=order.tenant))[0]
        assert 404 == (await api("orders", order.id, *more, tenant="another"))[0]
        assert 404 == (await api("orders", order.id, *more, dialect="b2b-commerce"))[0]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (("orders",), {}),
        (("orders",), {"ref": ""}),
        (("orders",), SCOPE),
        (("entries",), SCOPE),
        (("entries",), {"id": "L-1", "tenant": "example-retailer"}),
        (("orders", "WEB-2026-1042"), {}),
        (("orders", "WEB-2026-1042"), {"tenant": "example-retailer"}),
        (("orders", "WEB-2026-1042", "entries"), {}),
        (("orders", "WEB-2026-1042", "history"), {}),
        (("orders", "WEB-2026-1042"), {**SCOPE, "dialect": "Wishlist"}),
        (("orders", "WEB-2026-1042"), {**SCOPE, "tennant": "example-retailer"}),
    ],
)
async def test_a_question_that_cannot_be_meant_so_is_refused(
    api: Api, path: tuple[str, ...], query: Mapping[str, str]
) -> None:
    await api.store(an_order(LINES))

    assert 400 == (await api(*path, **query))[0]


async def test_an_order_that_was_deleted_is_gone_with_its_lines_and_its_history(api: Api) -> None:
    given = Given(a_create("wishlist", LINES))
    given.when(an_update(given.order, "order.delete", {}))
    await api.store(order := given.order)

    told = [await api("orders", order.id, *more) for more in ((), ("entries",), ("entries", "L-1"), ("history",))]
    told += [await api("orders", ref="WEB-2026-1042", **SCOPE), await api("entries", id="L-1", **SCOPE)]

    assert [410] * 6 == [status for status, _ in told]


async def test_a_line_that_was_removed_is_not_found(api: Api) -> None:
    given = Given(a_create("wishlist", LINES))
    given.when(an_update(given.order, "entry.delete", {}, entry_id="L-1"))
    await api.store(given.order)

    assert 404 == (await api("entries", id="L-1", **SCOPE))[0]


async def test_a_name_of_several_orders_asks_which(api: Api) -> None:
    cart = "5f328bf0b5f328bf0b5f3201"
    given = Given()
    for ref, key in (("R-1", KEY), ("R-2", f"1{KEY[1:]}")):
        given.when(a_create("subscription", {"cartId": cart, "orderReference": ref}, idempotency_key=key))
    await api.store(*given.orders.values())
    tenant = next(iter(given.orders.values())).tenant

    status, told = await api("orders", cart, dialect="subscription", tenant=tenant)

    assert (400, 2) == (status, len(given.orders))
    assert all(id_ in told["detail"] for id_ in given.orders)


async def test_a_card_is_masked(api: Api) -> None:
    given = Given(a_create("subscription"))
    payment: Any = {"paymentIdentifier": {"cardIdentifier": "4111111111111111"}}
    given.when(an_update(given.order, "order.patch", {"payments": [payment]}))
    await api.store(given.order)

    _, told = await api("orders", given.order.id)

    assert "****1111" == told["body"]["payments"][0]["paymentIdentifier"]["cardIdentifier"]


def test_openapi_describes_every_path_of_orders() -> None:
    paths = {path for path, item in OPENAPI["paths"].items() if "security" in item["get"]}

    assert {
        "/orders/{ref}", "/orders/{ref}/entries", "/orders/{ref}/entries/{entry}", "/orders/{ref}/history",
        "/orders", "/entries",
    } == paths  # fmt: skip
