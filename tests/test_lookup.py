"""Orders found by what people call them, in a real MongoDB."""

from collections.abc import AsyncIterator

import pytest_asyncio

from orderstream.answers import Write
from orderstream.dialects import DIALECTS
from orderstream.lookup import find, find_in
from orderstream.mongo import MongoOrders
from orderstream.order import Order
from orderstream.settings import Settings
from tests.builders import Given, a_create, an_example

REFERENCE = "5c7d6f0a-3e1b-4c52-9a64-2d8f71b0c3e9"  # of the first example of shopping-cart
KEY = "0F5F9A3E-6a54-4c0e-9a53-3f7f1d1c2b4a"


@pytest_asyncio.fixture(name="orders")
async def _orders(settings: Settings) -> AsyncIterator[MongoOrders]:
    orders = MongoOrders(settings.mongo_url.get_secret_value(), settings.mongo_database, settings.mongo_driver)
    await orders.prepare(settings.group)
    yield orders
    await orders.close()


async def stored(orders: MongoOrders, *new: Order) -> None:
    assert (await orders.write([Write(None, order) for order in new])).done


def of_all_dialects() -> dict[str, Order]:
    return {order.dialect: order for order in Given(*map(an_example, DIALECTS)).orders.values()}


def names(order: Order) -> list[str]:
    refs = [ref for ref in order.refs.values() if isinstance(ref, str)]
    platform = order.refs.get("platform", {})
    return [order.id, order.id.upper(), *refs, *([platform["id"]] if isinstance(platform, dict) and platform else [])]


async def test_an_order_is_found_by_each_of_its_names(orders: MongoOrders) -> None:
    known = of_all_dialects()
    await stored(orders, *known.values())

    for order in known.values():
        for name in names(order):
            assert [order] == await find(orders, name), name
            assert [order] == await find(orders, name, order.dialect, order.tenant), name
            assert [order] == await find_in(orders, name, order.dialect, order.tenant), name


async def test_an_order_is_found_by_the_key_of_its_create(orders: MongoOrders) -> None:
    order = Given(a_create("wishlist", idempotency_key=KEY)).order
    await stored(orders, order)

    assert [order] == await find(orders, KEY)


async def test_what_names_no_order_finds_none(orders: MongoOrders) -> None:
    await stored(orders, *of_all_dialects().values())

    for ref in ("", "nobody", "%", "*", "WEB-2026-1042/", "web-2026-1042", "6" * 24):
        assert [] == await find(orders, ref), ref


async def test_a_name_of_several_orders_finds_all_of_them(orders: MongoOrders) -> None:
    given = Given(*(a_create("wishlist", tenant=tenant) for tenant in ("a", "a/b", "a0", "ä" * 500)))
    await stored(orders, *given.orders.values())

    found = await find(orders, "WEB-2026-1042", "wishlist")

    assert set(given.orders) == {order.id for order in found}


async def test_a_tenant_finds_its_own_order_only(orders: MongoOrders) -> None:
    given = Given(*(a_create("wishlist", tenant=tenant) for tenant in ("a", "b")))
    await stored(orders, *given.orders.values())

    assert ["b"] == [order.tenant for order in await find(orders, "WEB-2026-1042", tenant="b")]
    assert ["b"] == [order.tenant for order in await find_in(orders, "WEB-2026-1042", "wishlist", "b")]
    assert [] == await find_in(orders, "WEB-2026-1042", "wishlist", "c")


async def test_another_dialect_or_tenant_does_not_find_an_order_by_its_id(orders: MongoOrders) -> None:
    order = of_all_dialects()["wishlist"]
    await stored(orders, order)

    assert [] == await find(orders, order.id, "b2b-commerce")
    assert [] == await find(orders, order.id, tenant="another")
    assert [] == await find_in(orders, order.id, "wishlist", "another")


async def test_an_order_without_tenant_is_found_in_its_own_scope(orders: MongoOrders) -> None:
    given = Given(a_create("shopping-cart", tenant=None), a_create("shopping-cart", tenant="a"))
    await stored(orders, *given.orders.values())
    assert [None] == [order.tenant for order in await find_in(orders, REFERENCE, "shopping-cart", None)]


async def test_what_is_unique_in_its_dialect_is_found_without_tenant(orders: MongoOrders) -> None:
    order = of_all_dialects()["configurator"]
    await stored(orders, order)

    assert [order] == await find_in(orders, str(order.refs["order_number"]), "configurator", None)
    assert [] == await find_in(orders, "5512088091", "configurator", None)
