"""Keys, tenants, ids and references, and the lookup keys that are built from them (contracts 1.2, design 3)."""

import json
from typing import Final

from tests.bad_inputs.cases import (
    Case,
    Input,
    Maker,
    Place,
    Refused,
    create,
    headers_of,
    hex24,
    keyed,
    named,
    update,
)  # fmt: skip

CLEF: Final = "\N{MUSICAL SYMBOL G CLEF}"
HEX: Final = "0123456789abcdef01234567"
UUID: Final = "550e8400-e29b-41d4-a716-446655440000"


def one_of(tenant: str, member: str, id_: str, key: bytes = b"k") -> Input:
    """A right create of this tenant with this id or reference and nothing else."""
    headers = headers_of("wishlist", "", tenant=tenant)
    return Input("create", key, json.dumps({member: id_}).encode(), headers, "applied")


def apart(*orders: tuple[str, str, str]) -> Maker:
    """Orders (tenant, member, id or reference) that a careless concatenation would take for one."""
    return lambda name: tuple(one_of(f"{name} {tenant}", member, id_) for tenant, member, id_ in orders)


def refs(*texts: str) -> Maker:
    """Orders of one tenant that differ in their references only."""
    return apart(*(("t", "orderRef", text) for text in texts))


def reference(value: object, *problems: Place) -> Maker:
    """An order whose reference is no reference."""
    return create({"orderRef": value}, *problems)


def wrong(member: str, value: object, code: str, of: str = "b2b-commerce") -> Maker:
    """An order with a wrong id."""
    return create({member: value}, (code, member), of=of)


def not_an_id(dialect: str, order_id: str, code: str = "HEADER_INVALID") -> Maker:
    """An update that names its order by this."""

    def make(name: str) -> tuple[Input, ...]:
        member = {"b2b-commerce": "orderStatus", "subscription": "statusLog"}.get(dialect, "notes")
        value = {member: "fulfilled"}
        own = {"message_type": "order-update", "operation": "order.patch", "order_id": order_id}
        headers = headers_of(dialect, name, **own, idempotency_key=None)
        refused = Refused(((code, "headers.order-id"),))
        return (Input("update", name.encode(), json.dumps(value).encode(), headers, refused),)

    return make


def hostile_update(name: str) -> tuple[Input, ...]:
    """Members that would be paths or operators, had they been taken for such."""
    value = {"$set": {"status": {}}, "ledger.version": 0, "orderStatus": "COMPLETE"}
    headers = headers_of("wishlist", name, message_type="order-update", operation="order.patch", order_ref=name)
    refused = Refused((("FIELD_UNKNOWN", "$set"), ("FIELD_UNKNOWN", "*")))
    return (Input("update", b"k", json.dumps(value).encode(), headers, refused),)


KEYS: Final = {
    "key_not_utf8": keyed(b"\xff\xfe"),
    "key_huge": keyed(b"k" * 65_536),
    "key_of_512": keyed(b"k" * 512),
    "key_of_513": keyed(b"k" * 513),
    "key_nul": keyed(b"\0"),
    "key_newline": keyed(b"a\r\nb\x1b[31m"),
    "key_operator": keyed(b'{"$gt": ""}'),
    "key_of_another_order": keyed(b"somebody else's"),
}
SCOPES: Final = {
    "kind_in_the_tenant": apart(("a", "orderRef", "x/order-ref/y"), ("a/order-ref/x", "orderRef", "y")),
    "slash_in_the_tenant": apart(
        ("a/b", "orderRef", "c"), ("a", "orderRef", "b/c"), ("a/b/order-ref", "orderRef", "c")
    ),
    "percent_in_the_tenant": apart(("a/b", "orderRef", "c"), ("a%2Fb", "orderRef", "c"), ("a%252Fb", "orderRef", "c")),
    "kind_in_the_reference": apart(("t", "orderRef", "7"), ("t", "id", "order-ref/7"), ("t", "id", "7")),
    "unicode_in_the_tenant": apart(
        ("\u00e9", "id", "7"), ("e\u0301", "id", "7"), ("\u0435", "id", "7"), ("e", "id", "7")
    ),
    "case_of_the_tenant": apart(("ACME", "id", "7"), ("acme", "id", "7"), ("acme ", "id", "7")),
    "tenant_of_512": apart((CLEF * 400, "id", "7"), (f"{CLEF * 399}x", "id", "7")),
    "tenant_of_dots": apart((".", "id", "7"), ("..", "id", "7"), ("../wishlist/t", "id", "7"), ("$", "id", "7")),
    "tenant_nul": apart(("a", "id", "7"), ("a\0", "id", "7")),
    "tenant_of_hash": apart(("t" * 300, "id", "7"), ("77e5f9b3", "id", "7")),
    "reference_with_slashes": refs("a/b", "a//b", "/a/b", "a/b/", "a%2Fb", "a\\b"),
    "reference_of_unicode": refs("\u212b", "\u00c5", "A\u030a", "\uff21", "A", "a"),
    "reference_of_blanks": refs(" ", "  ", "\t", "\u00a0", "\u200b"),
    "reference_of_512": refs("r" * 512, "r" * 511, f"{'r' * 511}x", CLEF * 512),
    "reference_of_operators": refs("$where", "$gt", "{$ne: null}", '{"$gt": ""}', "a.b", "__proto__", ".", "$"),
    "reference_nul": refs("a", "a\0", "a\0b", "\0"),
    "reference_like_an_id": refs(HEX, HEX.upper(), UUID, UUID.upper(), "1", "01", "1.0"),
}
WRONG: Final = {
    "order_id_operator": wrong("customer", {"$ne": None}, "FIELD_TYPE"),
    "order_id_gt": reference({"$gt": ""}, ("FIELD_TYPE", "orderRef")),
    "order_id_regex": reference({"$regex": ".*"}, ("FIELD_TYPE", "orderRef")),
    "order_id_int": reference(7, ("FIELD_TYPE", "orderRef")),
    "order_id_null": reference(None, ("FIELD_NULL", "orderRef")),
    "order_id_list": reference(["W"], ("FIELD_TYPE", "orderRef")),
    "order_id_bool": create({"orderRef": True}, ("FIELD_TYPE", "orderRef")),
    "order_id_empty": reference("", ("FIELD_LENGTH", "orderRef")),
    "order_id_of_513": reference("r" * 513, ("FIELD_LENGTH", "orderRef")),
    "order_id_oid": wrong("customer", {"$oid": HEX}, "FIELD_TYPE"),
    "order_id_upper": create({"customer": HEX.upper()}, of="b2b-commerce"),
    "order_id_newline": wrong("customer", f"{HEX}\n", "FIELD_FORMAT"),
    "order_id_fullwidth": wrong("customer", f"{HEX[:-1]}\uff17", "FIELD_FORMAT"),
    "order_id_23": wrong("customer", HEX[:-1], "FIELD_FORMAT"),
    "order_id_25": wrong("customer", f"{HEX}0", "FIELD_FORMAT"),
    "order_id_g": wrong("customer", f"{HEX[:-1]}g", "FIELD_FORMAT"),
    "cart_of_23": wrong("cartId", "c" * 23, "FIELD_LENGTH", of="subscription"),
    "cart_of_24_code_points": create({"cartId": CLEF * 24}, of="subscription"),
    "line_id_operator": create({"orderLines": [{"id": {"$gt": ""}}]}, ("FIELD_TYPE", "orderLines[0].id")),
    "line_id_twice": create({"orderLines": [{"id": "x/7"}, {"id": "x/7"}]}, ("RULE_VIOLATION", "orderLines[1].id")),
    "line_ref_twice": create({"orderLines": [{"entryRef": "7"}] * 2}, ("RULE_VIOLATION", "orderLines[1].entryRef")),
    "line_of_another_order": create(
        {"orderLines": [{"orderRef": "other"}]}, ("IDENTITY_CONFLICT", "orderLines[0].orderRef")
    ),
    "owner_twice": create({"orgId": "other"}, ("IDENTITY_CONFLICT", "orgId"), of="configurator"),
    "owner_missing": create({}, ("IDENTITY_MISSING", "orgId"), of="configurator", tenant=None),
    "owner_operator": create({"orgId": {"$gt": ""}}, ("FIELD_TYPE", "orgId"), of="configurator"),
    "header_hex_of_23": not_an_id("b2b-commerce", HEX[:-1]),
    "header_hex_newline": not_an_id("b2b-commerce", f"{HEX}\n"),
    "header_hex_fullwidth": not_an_id("b2b-commerce", f"{HEX[:-1]}\uff17"),
    "header_operator": not_an_id("b2b-commerce", '{"$gt": ""}'),
    "header_int_zero": not_an_id("shopping-cart", "0"),
    "header_int_leading_zero": not_an_id("shopping-cart", "07"),
    "header_int_negative": not_an_id("shopping-cart", "-7"),
    "header_int_2_63": not_an_id("shopping-cart", "9223372036854775808"),
    "header_int_unicode": not_an_id("shopping-cart", "\u0667"),
    "header_number_of_an_order": not_an_id("subscription", "2468-1668-7948"),
    "header_number_unicode": not_an_id("subscription", "\u0662468-1668-79485"),
    "header_unknown_order": not_an_id("b2b-commerce", hex24("nobody"), "ORDER_NOT_FOUND"),
    "address_twice": update("order.patch", {"orderRef": "other", "email": "x"}, ("IDENTITY_CONFLICT", "orderRef")),
    "hostile_update": hostile_update,
}
CASES: Final[list[Case]] = named("ids", {**KEYS, **SCOPES, **WRONG})
