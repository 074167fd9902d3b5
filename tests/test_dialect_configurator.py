"""What is peculiar to the dialect `configurator` (contracts/configurator.md)."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal

import pytest

from orderstream.commands import Address, Command
from orderstream.decide import update
from orderstream.decode import Contracts, decode
from orderstream.dialect import AS_THE_CONTRACTS_SAY, Canonical, Example, Meaning, Rules
from orderstream.dialects.configurator import DIALECT, EXAMPLES, STATUS
from orderstream.fold import created
from orderstream.identity import Identities
from orderstream.json_text import Json, JsonObject
from orderstream.order import NEW, Order, Position, Status, Warned
from orderstream.outcomes import Applied, Outcome, Refusal, Unchanged
from tests.builders import HERE, a_record

OWNER = "8d5f9b3e-7c1a-4d7e-9b62-1f4f6f0f2a10"
ID, SHORT_ID = "f2a4c6e8-1b3d-4f5a-8c7e-9d0b1a2c3e4f", "k3Jd8sQa"
OTHER_ID, OTHER_SHORT_ID = "550e8400-e29b-41d4-a716-446655440000", "zzzzzzzz"
CREATE = {"dialect": "configurator", "message-type": "order-create"}
PATCH = {"dialect": "configurator", "message-type": "order-update", "operation": "order.patch", "order-id": ID}
CHAIR: JsonObject = {"configurationId": "0b9c3f4a-2f5d-4a9e-8f3b-6f3b8a1c7d21", "count": 3, "metadata": {"Size": "L"}}
DESK: JsonObject = {"configurationId": "5e1d7c60-93b4-4f1f-a0b5-7d2e4c9b8a32", "count": 1}
OLD: JsonObject = {"sku": "CHAIR-1", "qty": 3}
DEPRECATED, UNCONVERTED = Warned("DEPRECATED_FIELD", "items"), Warned("ITEMS_NOT_CONVERTED", "items")
IDS = Identities("6740c0de0000000000000001", Position("order-create", 0, 7))
LATER_IDS = Identities("6740c0de0000000000000001", Position("order-update", 0, 9))


def create(value: JsonObject | None = None, **headers: str | None) -> Command | Refusal:
    return sent({"orgId": OWNER} if value is None else value, CREATE, headers)


def patch(value: JsonObject, **headers: str | None) -> Command | Refusal:
    return sent(value, PATCH, headers)


def replace(value: JsonObject, **headers: str | None) -> Command | Refusal:
    return patch(value, operation="order.replace", **headers)


def sent(value: JsonObject, headers: Mapping[str, str], changed: Mapping[str, str | None]) -> Command | Refusal:
    record = a_record(value=value, headers=headers, **changed)  # type: ignore[arg-type]  # nothing but headers
    return decode(record, Contracts())


def accepted(outcome: Command | Refusal) -> Command:
    assert isinstance(outcome, Command), outcome
    return outcome


def problems(outcome: Command | Outcome) -> list[tuple[str, str]]:
    assert isinstance(outcome, Refusal), outcome
    return [(problem.code.value, problem.path) for problem in outcome.problems]


def sample_value(name: str) -> JsonObject:
    value: JsonObject = json.loads((HERE / "samples/configurator" / f"{name}.json").read_text())["value"]
    return value


def an_order(value: JsonObject | None = None, ids: Identities = IDS) -> Order:
    return created(accepted(create(value, tenant=OWNER)), DIALECT, AS_THE_CONTRACTS_SAY, ids)


def updated(order: Order, said: JsonObject, operation: str = "order.patch", **headers: str | None) -> Outcome:
    named = {"order_id": str(order.body["id"]), "operation": operation, **headers}
    return update(order, accepted(patch(said, **named)), DIALECT, AS_THE_CONTRACTS_SAY, LATER_IDS, lambda _key: False)


def after(order: Order, said: JsonObject, operation: str = "order.patch") -> Order:
    outcome = updated(order, said, operation)
    assert isinstance(outcome, Applied), outcome
    return outcome.order


# Status


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("List", Status("draft", "other", "other")),
        ("In Cart", Status("draft", "other", "other")),
        ("New", Status("created", "other", "other")),
        ("In Progress", Status("in_progress", "other", "in_process")),
        ("Complete", Status("completed", "other", "fulfilled")),
    ],
)
def test_each_status_means_what_the_contract_says(value: str, expected: Status) -> None:
    before = Status("other", "other", "other")

    assert expected == DIALECT.status(before, {"status": value}, AS_THE_CONTRACTS_SAY)


@pytest.mark.parametrize("before", STATUS)
@pytest.mark.parametrize("later", STATUS)
def test_any_status_may_follow_any_other(before: str, later: str) -> None:  # A15
    order = an_order({"status": before})

    outcome = updated(order, {"status": later})

    assert isinstance(outcome, Unchanged if before == later else Applied)


def test_a_create_without_status_is_new_and_says_so_in_its_body() -> None:
    order = an_order()

    assert order.body["status"] == "New"
    assert (order.status, order.native) == (NEW, {"status": "New"})


def test_the_default_written_out_is_the_same_create() -> None:
    assert accepted(create()).said == accepted(create({"orgId": OWNER, "status": "New"})).said


@pytest.mark.parametrize("value", ["new", "NEW", " New", "Shipped", ""])
def test_another_status_is_rejected(value: str) -> None:  # A2
    assert problems(create({"orgId": OWNER, "status": value})) == [("FIELD_ENUM", "status")]


def test_the_rules_file_may_add_a_status() -> None:
    rules = Rules(added={"status": {"Quoted": Meaning(order="on_hold")}})
    record = a_record(value={"status": "Quoted"}, headers=CREATE, tenant=OWNER)

    command = accepted(decode(record, Contracts(rules={"configurator": rules})))

    assert created(command, DIALECT, rules, IDS).status.order == "on_hold"
    assert DIALECT.vocabularies == ("status",)


def test_a_status_that_the_rules_file_no_longer_has_changes_nothing() -> None:
    before = Status("on_hold", "paid", "ready")

    assert before == DIALECT.status(before, {"status": "Quoted"}, AS_THE_CONTRACTS_SAY)


# Who owns an order: A13


@pytest.mark.parametrize(
    ("value", "tenant"),
    [({}, OWNER), ({"orgId": OWNER}, None), ({"orgId": OWNER}, OWNER), ({"orgId": " "}, None)],
)
def test_the_owner_comes_from_the_value_or_the_header(value: JsonObject, tenant: str | None) -> None:
    assert (tenant or value["orgId"]) == accepted(create(value, tenant=tenant)).tenant


def test_a_create_needs_an_owner_and_an_update_does_not() -> None:
    assert problems(create({})) == [("IDENTITY_MISSING", "orgId")]
    assert accepted(patch({"name": "x"})).tenant is None


@pytest.mark.parametrize("message", [create, patch, replace])
def test_two_owners_conflict(message: Callable[..., Command | Refusal]) -> None:
    assert problems(message({"orgId": OWNER}, tenant="another")) == [("IDENTITY_CONFLICT", "orgId")]
    assert problems(message({"orgId": OWNER.upper()}, tenant=OWNER)) == [("IDENTITY_CONFLICT", "orgId")]


def test_a_wrong_owner_is_not_also_missing() -> None:
    assert problems(create({"orgId": ""})) == [("FIELD_LENGTH", "orgId")]
    assert problems(create({}, tenant=" ")) == [("HEADER_INVALID", "headers.tenant")]


# How an update names its order


@pytest.mark.parametrize(
    ("value", "headers", "expected"),
    [
        ({}, {"order_id": ID.upper()}, [("order-id", ID, "headers.order-id")]),
        ({}, {"order_id": None, "order_ref": SHORT_ID}, [("order-number", SHORT_ID, "headers.order-ref")]),
        ({"id": ID.upper()}, {"order_id": None}, [("order-id", ID, "id")]),
        ({"shortId": SHORT_ID}, {"order_id": None}, [("order-number", SHORT_ID, "shortId")]),
        (  # read back and sent as it was
            {"id": ID.upper(), "shortId": SHORT_ID},
            {"order_ref": SHORT_ID},
            [("order-id", ID, "headers.order-id"), ("order-number", SHORT_ID, "headers.order-ref")],
        ),
    ],
)
def test_an_update_names_its_order_by_header_or_member(
    value: JsonObject, headers: dict[str, str | None], expected: list[tuple[str, str, str]]
) -> None:
    command = accepted(patch({"name": "x", **value}, **headers))

    assert tuple(Address(*address, shared=True) for address in expected) == command.addresses


@pytest.mark.parametrize("ref", [None, ""])  # an empty reference is no reference
def test_an_update_must_name_its_order(ref: str | None) -> None:
    missing = [("IDENTITY_MISSING", "headers.order-id")]

    assert missing == problems(patch({"name": "x"}, order_id=None, order_ref=ref))


@pytest.mark.parametrize(
    ("value", "headers", "expected"),
    [
        ({"id": OTHER_ID}, {}, [("IDENTITY_CONFLICT", "id")]),
        ({"shortId": OTHER_SHORT_ID}, {"order_ref": SHORT_ID}, [("IDENTITY_CONFLICT", "shortId")]),
        ({"shortId": SHORT_ID.upper()}, {"order_ref": SHORT_ID}, [("IDENTITY_CONFLICT", "shortId")]),
        ({"id": "1"}, {"order_id": None}, [("FIELD_FORMAT", "id")]),  # and not also missing
        ({"id": ID.upper(), "count": 1}, {}, [("FIELD_UNKNOWN", "count")]),  # the same id beside another problem
        ({}, {"order_id": "12345"}, [("HEADER_INVALID", "headers.order-id")]),
        ({}, {"order_id": None, "order_ref": ID}, [("HEADER_INVALID", "headers.order-ref")]),  # a UUID is no short id
        ({}, {"order_id": None, "order_ref": "abc"}, [("HEADER_INVALID", "headers.order-ref")]),
        ({}, {"entry_id": "1"}, [("HEADER_INVALID", "headers.entry-id")]),
    ],
)
def test_addresses_must_be_right_and_agree(
    value: JsonObject, headers: dict[str, str | None], expected: list[tuple[str, str]]
) -> None:
    assert expected == problems(patch({"name": "x", **value}, **headers))


def test_a_short_id_of_another_order_is_a_conflict() -> None:
    outcome = updated(an_order(), {"name": "x", "shortId": OTHER_SHORT_ID})

    assert problems(outcome) == [("IDENTITY_CONFLICT", "shortId")]


def test_a_create_is_named_by_nothing_but_its_key() -> None:
    command = accepted(create(idempotency_key=OTHER_ID.upper()))

    assert [(address.kind, address.value) for address in command.addresses] == [("idempotency-key", OTHER_ID)]
    assert accepted(create()).addresses == ()


@pytest.mark.parametrize("name", ["order_id", "order_ref"])
def test_a_create_has_no_address_header(name: str) -> None:
    assert problems(sent({"orgId": OWNER}, CREATE, {name: ID})) == [
        ("HEADER_INVALID", f"headers.{name.replace('_', '-')}")
    ]


# What only a read shows


@pytest.mark.parametrize("member", ["id", "shortId", "createdAt", "updatedAt"])
def test_a_create_may_not_bring_what_the_worker_assigns(member: str) -> None:
    assert problems(create({"orgId": OWNER, member: None})) == [("FIELD_READ_ONLY", member)]


@pytest.mark.parametrize("operation", ["order.patch", "order.replace"])
@pytest.mark.parametrize(
    "value",
    [{}, {"id": ID}, {"shortId": SHORT_ID, "createdAt": "2024-03-01T09:30:00Z"}, {"updatedAt": "2024-03-01T09:30:00Z"}],
)
def test_an_address_and_ignored_times_change_nothing(value: JsonObject, operation: str) -> None:
    assert problems(patch(value, operation=operation)) == [("EMPTY_UPDATE", "value")]


def test_ignored_times_are_checked_all_the_same() -> None:
    assert problems(patch({"name": "x", "createdAt": "yesterday"})) == [("FIELD_FORMAT", "createdAt")]


@pytest.mark.parametrize("operation", ["order.patch", "order.replace"])
def test_an_order_that_was_read_back_changes_nothing(operation: str) -> None:
    order = an_order(sample_value("create-full"))
    times: JsonObject = {"createdAt": "2024-03-01T09:30:00.000Z", "updatedAt": "2024-03-02T10:00:00.000Z"}

    assert Unchanged("nothing differs") == updated(order, {**order.body, **times}, operation)


def test_a_replace_removes_what_it_leaves_out_except_ids_and_status() -> None:
    order = an_order({**sample_value("create-full"), "status": "In Progress"})

    replaced = after(order, {"name": "Stool"}, "order.replace")

    kept = {name: order.body[name] for name in ("id", "shortId", "status")}
    assert {**kept, "name": "Stool"} == replaced.body
    assert (order.tenant, order.status) == (replaced.tenant, replaced.status)


# Old items (section 3.3)


@pytest.mark.parametrize("items", [[CHAIR], [DESK, CHAIR], []])  # no item is one that cannot be converted
def test_items_of_the_right_form_are_stored_and_converted(items: list[Json]) -> None:
    order = an_order({"items": items})

    assert (items, items) == (order.body["items"], order.body["cart"])
    assert order.warnings == (DEPRECATED,)


@pytest.mark.parametrize(
    "item",
    [
        {},
        OLD,
        {"configurationId": "", "count": 1},
        {"configurationId": 7, "count": 1},
        {"configurationId": "c" * 513, "count": 1},  # longer than an id may be
        {"configurationId": "c"},
        {"configurationId": "c", "count": 0},
        {"configurationId": "c", "count": "1"},
        {"configurationId": "c", "count": 1.0},
        {"configurationId": "c", "count": True},
        {"configurationId": "c", "count": 1, "metadata": []},
        {"configurationId": "c", "count": 1, "metadata": None},
        {"configurationId": "c", "count": 1, "name": "Chair"},  # nothing else but metadata
    ],
)
def test_one_item_of_another_form_leaves_all_of_them_alone(item: JsonObject) -> None:  # A4
    order = an_order({"items": [CHAIR, item]})

    assert [CHAIR, item] == order.body["items"]
    assert "cart" not in order.body
    assert order.warnings == (UNCONVERTED, DEPRECATED)


@pytest.mark.parametrize("items", [[CHAIR], [OLD]])
def test_a_cart_beside_items_wins(items: list[Json]) -> None:  # A6
    order = an_order({"items": items, "cart": [DESK]})

    assert (items, [DESK]) == (order.body["items"], order.body["cart"])
    assert order.warnings == (DEPRECATED,)


@pytest.mark.parametrize(("items", "cart"), [([CHAIR], [CHAIR]), ([OLD], [DESK])])
def test_a_patch_with_items_replaces_the_cart_only_if_they_convert(items: list[Json], cart: list[Json]) -> None:
    order = after(an_order({"cart": [DESK]}), {"items": items})

    assert (items, cart) == (order.body["items"], order.body["cart"])


def test_warnings_about_items_go_when_the_items_do() -> None:
    order = an_order({"items": [OLD]})

    assert after(order, {"cart": [DESK]}).warnings == (UNCONVERTED, DEPRECATED)
    assert after(order, {"items": [CHAIR]}).warnings == (DEPRECATED,)
    assert after(order, {"cart": [DESK]}, "order.replace").warnings == ()


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ({}, [("FIELD_TYPE", "items")]),
        (None, [("FIELD_NULL", "items")]),
        ([CHAIR, "0b9c3f4a"], [("FIELD_TYPE", "items[1]")]),  # A7
        ([CHAIR, None], [("FIELD_NULL", "items[1]")]),
        ([{**CHAIR, "metadata": {"$where": 1}}], [("FIELD_FORMAT", "items[0].metadata.$where")]),  # not of cart too
        ([{"a": [{"$b": 1}]}], [("FIELD_FORMAT", "items[0].a[0].$b")]),
    ],
)
def test_items_are_objects_that_the_store_can_hold(items: Json, expected: list[tuple[str, str]]) -> None:
    assert expected == problems(create({"orgId": OWNER, "items": items}))


# The order


def test_all_problems_of_a_message_are_reported_together() -> None:
    cart: Json = [{"configurationId": "", "count": 1.5}, {"count": 0, "metadata": {"a b@c": None, "": 1}}, "chair"]
    value: JsonObject = {"shortId": SHORT_ID, "platform": {"id": "1", "shop": "x"}, "cart": cart, "status": None}

    assert problems(create(value)) == [
        ("FIELD_MISSING", "platform.platform"),
        ("FIELD_MISSING", "platform.storeName"),
        ("FIELD_MISSING", "cart[1].configurationId"),
        ("FIELD_TYPE", "cart[0].count"),
        ("FIELD_TYPE", "cart[2]"),
        ("FIELD_NULL", "status"),
        ("FIELD_RANGE", "cart[1].count"),
        ("FIELD_LENGTH", "cart[0].configurationId"),
        ("FIELD_FORMAT", "cart[1].metadata.*"),
        ("FIELD_UNKNOWN", "platform.shop"),
        ("FIELD_READ_ONLY", "shortId"),
        ("IDENTITY_MISSING", "orgId"),
    ]


@pytest.mark.parametrize(
    "members",
    [
        {"name": ""},  # a maximum, no minimum (A14)
        {"metadata": {"Floors": 2, "Nested": {"any": [1.5, None, {}]}}},  # values need the catalogue (A10)
        {"metadata": {}, "derivative": {"k" * 256: ""}},
        {"customerId": "not a UUID", "originOrgId": " "},  # any text that is not empty (A11)
        {"cart": []},
        {},  # no member is required (A3)
    ],
)
def test_only_stated_rules_reject_and_nothing_is_changed(members: JsonObject) -> None:
    order = an_order(members)

    assert {"id": order.body["id"], "shortId": order.body["shortId"], "status": "New", **members} == order.body
    assert order.warnings == ()


@pytest.mark.parametrize("member", ["customerId", "originOrgId", "orgId"])
def test_ids_have_at_most_512_characters(member: str) -> None:
    accepted(create({"orgId": OWNER, member: "i" * 512}))

    assert problems(create({"orgId": OWNER, member: "i" * 513})) == [("FIELD_LENGTH", member)]


def test_a_full_order_becomes_what_every_dialect_shares() -> None:
    order = an_order(sample_value("create-full"))

    customer = {"id": "3c6e0b8a-9c15-4a4b-9d3c-2b1a0f9e8d7c"}
    assert Canonical(customer, {"code": None}, {"items": Decimal(3)}) == DIALECT.canonical(order.body)
    assert order.refs["platform"] == {"id": "450789469", "name": "Shopify", "store": "example-furniture"}
    assert (order.body["id"], order.body["shortId"]) == (order.refs["order_id"], order.refs["order_number"])


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, {}),  # nobody knows how many
        ({"items": [OLD]}, {}),
        ({"cart": []}, {"items": Decimal(0)}),
        ({"items": [CHAIR]}, {"items": Decimal(3)}),
        ({"cart": [{**DESK, "count": 2**63 - 1}, DESK]}, {"items": Decimal(2**63)}),
    ],
)
def test_the_number_of_items_is_that_of_the_cart(members: JsonObject, expected: dict[str, Decimal]) -> None:
    assert expected == DIALECT.canonical(an_order(members).body).totals


def test_assigned_ids_are_those_of_the_position_and_name_the_order_in_the_whole_dialect() -> None:
    order = an_order()

    id_, short_id = order.body["id"], order.body["shortId"]
    assert (IDS.uuid(), IDS.short()) == (id_, short_id)
    assert (f"configurator//order-id/{id_}", f"configurator//order-number/{short_id}") == order.lookup_keys
    assert order.body == DIALECT.assign(order.body, order.body, LATER_IDS)


@pytest.mark.parametrize("attempt", range(20))
def test_an_assigned_id_has_the_form_that_updates_need(attempt: int) -> None:
    order = an_order(ids=Identities("6740c0de0000000000000001", Position("order-create", 0, 7), attempt=attempt))

    named = {"id": order.body["id"], "shortId": order.body["shortId"]}
    assert len(accepted(patch({"name": "x", **named}, order_id=None)).addresses) == 2


@pytest.mark.parametrize("operation", ["order.delete", "entry.create", "entry.update", "entry.delete"])
def test_there_are_no_deletes_and_no_entries(operation: str) -> None:
    assert problems(patch({"count": 1}, operation=operation)) == [("UNSUPPORTED_OPERATION", "headers.operation")]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_the_examples_are_accepted_once_the_sender_knows_the_order(example: Example) -> None:
    known = {"order_id": ID} if example.headers["message-type"] == "order-update" else {}

    accepted(sent(example.value, example.headers, known))
