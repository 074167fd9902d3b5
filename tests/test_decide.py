"""What becomes of an order when a message meets it (contracts 1.3 to 1.6); every message is replayed by `Given`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderstream.commands import Record
from orderstream.decode import Contracts
from orderstream.dialect import Meaning, Rules, objects
from orderstream.dialects import DIALECTS
from orderstream.json_text import Json, JsonObject
from orderstream.order import Order, Status, Warned
from tests.builders import NOW, Given, a_create, an_update

SEEN: Final = "11111111-1111-4111-8111-111111111111"
ANOTHER: Final = "22222222-2222-4222-8222-222222222222"
NOTE: Final[Mapping[str, JsonObject]] = {  # a member that changes no status
    "shopping-cart": {"notes": "Ring twice."},
    "configurator": {"name": "Lounge chair, ash"},
    "subscription": {"statusLog": "Ring twice."},
    "b2b-commerce": {"shippingLabel": "Ring twice."},
    "wishlist": {"email": "sam@example.com"},
}
SHIPPED: Final[Mapping[str, tuple[JsonObject, Status]]] = {  # a member that does, and what it means for a new order
    "configurator": ({"status": "In Progress"}, Status("in_progress", "unknown", "in_process")),
    "subscription": ({"status": "ORDER_SHIPPED"}, Status("in_progress", "unknown", "shipped")),
    "b2b-commerce": ({"orderStatus": "fulfilled"}, Status("completed", "unpaid", "fulfilled")),
    "wishlist": ({"orderStatus": "SHIPPED"}, Status("in_progress", "unpaid", "shipped")),
}
READ_ONLY: Final = {"subscription": "cartId"}  # a replace may not bring it
LINE: Final[JsonObject] = {"id": "7", "entryRef": "9", "productRef": "MUG-BLUE", "quantity": 1}


def patch(order: Order, members: JsonObject, /, **headers: str | None) -> Record:
    return an_update(order, "order.patch", members, **headers)


def whole(dialect: str, members: JsonObject | None = None) -> JsonObject:
    """The value of a replace that says what the create said, with *members* put over it."""
    value = {**DIALECTS[dialect].examples[0].value, **(members or {})}
    return {name: member for name, member in value.items() if name != READ_ONLY.get(dialect)}


def entry(order: Order, operation: str, members: JsonObject | None = None, /, **headers: str | None) -> Record:
    return an_update(order, f"entry.{operation}", members, **headers)


def lines(order: Order) -> list[JsonObject]:
    return objects(order.body["orderLines"])


# Creates


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_create_makes_an_order_and_its_first_event(dialect: str) -> None:
    then = Given().when(a_create(dialect, correlation_id="c-1"))

    order, (event,) = then.order, then.events
    assert then.outcome == ("applied", [])
    assert (order.revision, order.sequence, order.created_at, order.updated_at) == (1, 1, NOW, NOW)
    assert event["type"] == "order.created"
    assert event["data"]["cause"] == "order-create/0/1"
    assert event["data"]["correlation_id"] == "c-1"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_create_that_is_repeated_with_its_key_gets_the_first_event_again(dialect: str) -> None:
    orders = Given(a_create(dialect, idempotency_key=SEEN))
    before = orders.order

    then = orders.when(a_create(dialect, idempotency_key=SEEN.upper()))

    assert then.outcome == ("unchanged", [])
    assert [event["data"]["sequence"] for event in then.events] == [1]
    assert then.order._replace(ledger=before.ledger) == before


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_first_event_is_given_again_even_when_later_ones_are_out(dialect: str) -> None:
    orders = Given(a_create(dialect, idempotency_key=SEEN))
    orders.when(patch(orders.order, {**NOTE[dialect], **SHIPPED.get(dialect, ({},))[0]}))

    then = orders.when(a_create(dialect, idempotency_key=SEEN))

    assert then.outcome == ("unchanged", [])
    assert [event["type"] for event in then.events] == ["order.created"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_key_that_is_used_again_with_another_value_is_a_conflict(dialect: str) -> None:
    orders = Given(a_create(dialect, idempotency_key=SEEN))

    then = orders.when(
        a_create(dialect, NOTE[dialect] if dialect != "subscription" else {"tags": []}, idempotency_key=SEEN)
    )

    assert then.outcome == ("rejected", [("IDEMPOTENCY_CONFLICT", "headers.idempotency-key")])
    assert then.events == []


@pytest.mark.parametrize("dialect", ["b2b-commerce", "configurator"])
def test_where_there_is_no_natural_key_every_create_without_a_key_is_a_new_order(dialect: str) -> None:
    orders = Given(a_create(dialect), a_create(dialect), a_create(dialect, idempotency_key=SEEN))

    assert len(orders.orders) == 3


@pytest.mark.parametrize(
    ("dialect", "members", "path"),
    [
        ("wishlist", {"totalItems": 6}, "orderRef"),
        ("subscription", {"taxTotal": 3}, "orderReference"),
    ],
)
@pytest.mark.parametrize("key", [None, ANOTHER])
def test_a_known_reference_with_another_value_is_a_duplicate(
    dialect: str, members: JsonObject, path: str, key: str | None
) -> None:
    orders = Given(a_create(dialect, idempotency_key=SEEN))

    repeated = orders.when(a_create(dialect, idempotency_key=key))
    other = orders.when(a_create(dialect, members, idempotency_key=key))

    assert repeated.outcome == ("unchanged", [])
    assert other.outcome == ("rejected", [("DUPLICATE_ORDER", path)])
    assert len(orders.orders) == 1


def test_a_new_key_of_a_repeated_create_is_not_kept() -> None:
    orders = Given(a_create("wishlist"), a_create("wishlist", idempotency_key=SEEN))

    then = orders.when(a_create("wishlist", {"orderRef": "WEB-2"}, idempotency_key=SEEN))

    assert then.outcome == ("applied", [])
    assert len(orders.orders) == 2


def test_a_known_id_is_looked_at_before_a_known_reference() -> None:
    orders = Given(a_create("wishlist", {"id": "A"}), a_create("wishlist", {"id": "B", "orderRef": "WEB-2"}))

    then = orders.when(a_create("wishlist", {"id": "B"}))

    assert then.outcome == ("rejected", [("DUPLICATE_ORDER", "id")])
    assert then.order.refs["order_ref"] == "WEB-2"


def test_a_cart_is_the_natural_key_only_where_there_is_no_other() -> None:
    orders = Given(a_create("subscription", {"orderReference": ""}))

    repeated = orders.when(a_create("subscription", {"orderReference": ""}))
    other = orders.when(a_create("subscription", {"orderReference": "", "taxTotal": 9}))
    keyed = orders.when(a_create("subscription", {"orderReference": "", "taxTotal": 9}, idempotency_key=SEEN))

    assert repeated.outcome == ("unchanged", [])
    assert other.outcome == ("rejected", [("DUPLICATE_ORDER", "cartId")])
    assert keyed.outcome == ("applied", [])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b'{"orderRef":"W","id":"7"}', "unchanged"),
        (b'{ "id": "\\u0037",\n"orderRef": "W" }', "unchanged"),
        (b'{"orderRef":"W","id":"7","orderLines":[]}', "rejected"),  # absent is not empty
        (b'{"orderRef":"w","id":"7"}', "rejected"),
    ],
)
def test_creates_are_compared_by_what_they_say(value: bytes, expected: str) -> None:
    orders = Given(a_create("wishlist")._replace(value=b'{"orderRef":"W","id":"7"}'))

    assert expected == orders.when(a_create("wishlist")._replace(value=value)).answer.verdict


def test_absent_and_null_differ() -> None:
    orders = Given(a_create("b2b-commerce", idempotency_key=SEEN))

    then = orders.when(a_create("b2b-commerce", {"shippingLabel": None}, idempotency_key=SEEN))

    assert then.outcome == ("rejected", [("IDEMPOTENCY_CONFLICT", "headers.idempotency-key")])


def test_numbers_are_compared_by_value() -> None:
    orders = Given(a_create("wishlist", {"totalAmount": 137.75, "shippingCost": 1}))

    then = orders.when(a_create("wishlist", {"totalAmount": 137.750, "shippingCost": 1.0}))

    assert then.outcome == ("unchanged", [])


# Tenants


def unknown(dialect: str) -> tuple[str, list[tuple[str, str]]]:
    """What an update of an unknown order id comes to: it waits where the upstream could know the id beforehand."""
    guessable = dialect in ("shopping-cart", "wishlist")
    return ("parked", []) if guessable else ("rejected", [("ORDER_NOT_FOUND", "headers.order-id")])


@pytest.mark.parametrize(("dialect", "header"), [("wishlist", "tenant"), ("subscription", "site_account"),
                                                 ("b2b-commerce", "tenant"), ("shopping-cart", "tenant")])  # fmt: skip
def test_tenants_never_meet(dialect: str, header: str) -> None:
    stranger = "b" * 24
    orders = Given(a_create(dialect, idempotency_key=SEEN))
    first = orders.order

    created = orders.when(a_create(dialect, idempotency_key=SEEN, **{header: stranger}))
    updated = orders.when(patch(first, NOTE[dialect], **{header: "c" * 24}))

    assert created.outcome == ("applied", [])
    assert updated.outcome == unknown(dialect)
    assert orders.orders[first.id] == first


@pytest.mark.parametrize("dialect", ["b2b-commerce", "shopping-cart"])
def test_no_tenant_is_a_scope_of_its_own(dialect: str) -> None:
    orders = Given(a_create(dialect, idempotency_key=SEEN, tenant=None))

    named = orders.when(patch(orders.order, NOTE[dialect], tenant="someone"))
    unnamed = orders.when(patch(orders.order, NOTE[dialect]))

    assert named.outcome == unknown(dialect)
    assert unnamed.outcome == ("applied", [])


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (None, ("applied", [])),
        ("4b1c8f6e-2d3a-4c5b-8e9f-7a6b5c4d3e2f", ("applied", [])),
        ("another", ("rejected", [("ORDER_NOT_FOUND", "headers.order-id")])),
    ],
)
def test_a_configurator_order_is_found_without_its_owner_and_not_with_another(
    owner: str | None, expected: tuple[str, list[tuple[str, str]]]
) -> None:
    orders = Given(a_create("configurator"))

    then = orders.when(patch(orders.order, NOTE["configurator"], tenant=owner))

    assert expected == then.outcome


def test_an_order_that_is_there_under_another_owner_need_not_be_looked_for_again() -> None:
    orders = Given(a_create("configurator"))
    decided = orders.decided(patch(orders.order, NOTE["configurator"], tenant="another"))

    assert decided.absent == ()  # a key that is there is not absent, however often it is looked up


# Patches


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_patch_puts_its_members_over_the_stored_ones(dialect: str) -> None:
    orders = Given(a_create(dialect))
    before = orders.order

    then = orders.when(patch(before, NOTE[dialect]))

    assert then.outcome == ("applied", [])
    assert {**before.body, **NOTE[dialect]} == then.order.body
    assert (then.order.revision, then.order.sequence, then.events) == (2, 1, [])


@pytest.mark.parametrize("dialect", SHIPPED)
def test_a_status_that_changes_makes_an_event(dialect: str) -> None:
    members, status = SHIPPED[dialect]
    orders = Given(a_create(dialect))
    before = orders.order

    then = orders.when(patch(before, members))

    (event,) = then.events
    assert (then.order.status, then.order.sequence) == (status, 2)
    assert event["type"] == "order.status-changed"
    assert event["data"]["from"] == before.status._asdict()
    assert event["data"]["to"] == status._asdict()
    assert event["data"]["changed"] == [
        name for name in Status._fields if event["data"]["from"][name] != event["data"]["to"][name]
    ]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_patch_that_says_what_is_there_changes_nothing(dialect: str) -> None:
    orders = Given(a_create(dialect))
    orders.when(patch(orders.order, NOTE[dialect]))
    before = orders.order

    then = orders.when(patch(before, NOTE[dialect], source_version="5"))

    assert (then.outcome, then.events) == (("unchanged", []), [])
    assert then.order._replace(ledger=before.ledger) == before
    assert then.order.ledger.source_version == 5


@pytest.mark.parametrize(("dialect", "member"), [("shopping-cart", "notes"), ("b2b-commerce", "shippingLabel")])
def test_null_clears_a_member_once(dialect: str, member: str) -> None:
    orders = Given(a_create(dialect))
    orders.when(patch(orders.order, NOTE[dialect]))

    cleared = orders.when(patch(orders.order, {member: None}))
    again = orders.when(patch(orders.order, {member: None}))

    assert (cleared.outcome, member in cleared.order.body) == (("applied", []), False)
    assert (again.outcome, again.order.revision) == (("unchanged", []), 3)


def test_null_clears_nothing_where_null_was_sent_by_the_create() -> None:
    orders = Given(a_create("shopping-cart", {"notes": None}))

    then = orders.when(patch(orders.order, {"notes": None}))

    assert then.outcome == ("unchanged", [])
    assert then.order.body["notes"] is None


@pytest.mark.parametrize(
    ("dialect", "member", "stored", "sent"),
    [
        ("configurator", "metadata", {"Sales Channel": "web", "Rush": False}, {"Rush": True}),
        ("configurator", "cart", [{"configurationId": "c", "count": 1}], []),
        ("subscription", "customerPhone", {"number": "5", "kind": "mobile"}, {"kind": "home"}),
        ("b2b-commerce", "currency", {"currency": "USD", "symbol": "$"}, {"symbol": "€"}),
        ("wishlist", "attributeGroups", {"a": {}}, {}),
    ],
)
def test_objects_and_arrays_are_replaced_as_a_whole(dialect: str, member: str, stored: Json, sent: Json) -> None:
    orders = Given(a_create(dialect, {member: stored}))

    then = orders.when(patch(orders.order, {member: sent}))

    assert then.outcome == ("applied", [])
    assert sent == then.order.body[member]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_latest_time_of_what_was_applied_is_the_time_of_the_order(dialect: str) -> None:
    orders = Given(a_create(dialect))
    later, earlier = NOW + timedelta(hours=1), NOW - timedelta(hours=1)
    changes: list[JsonObject] = [{**NOTE[dialect]}, whole(dialect)]

    orders.when(an_update(orders.order, "order.patch", changes[0], later))
    orders.when(an_update(orders.order, "order.patch", changes[0], later + timedelta(hours=1)))  # unchanged
    then = orders.when(an_update(orders.order, "order.replace", changes[1], earlier))

    assert then.outcome == ("applied", [])
    assert (then.order.created_at, then.order.updated_at) == (NOW, later)


def test_a_rule_across_members_is_judged_on_the_whole_order_that_a_patch_leaves() -> None:
    orders = Given(a_create("wishlist"))
    before = orders.order

    alone = orders.when(patch(before, {"totalAmount": 100}))
    both = orders.when(patch(before, {"totalAmount": 100, "totalAmountInCent": 10_000}))

    assert alone.outcome == ("rejected", [("RULE_VIOLATION", "totalAmount")])
    assert alone.order._replace(ledger=before.ledger) == before
    assert both.outcome == ("applied", [])


@pytest.mark.parametrize("members", [{"currencyCode": "JPY"}, {"totalAmountInCent": 138}])
def test_a_member_that_makes_stored_ones_disagree_is_refused(members: JsonObject) -> None:
    orders = Given(a_create("wishlist", {"totalAmount": 137.75, "totalAmountInCent": 137_750, "currencyCode": "KWD"}))

    assert orders.when(patch(orders.order, members)).outcome == ("rejected", [("RULE_VIOLATION", "totalAmount")])


def test_both_addresses_of_a_b2b_order_need_not_be_in_a_patch_but_in_a_replace() -> None:
    orders = Given(a_create("b2b-commerce"))
    value = whole("b2b-commerce")
    value.pop("billingAddress")

    patched = orders.when(patch(orders.order, {"taxAmount": 1}))
    replaced = orders.when(an_update(orders.order, "order.replace", value))

    assert patched.outcome == ("applied", [])
    assert replaced.outcome == ("rejected", [("RULE_VIOLATION", "billingAddress")])


# Replaces


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_replace_that_says_what_the_create_said_takes_away_what_came_later(dialect: str) -> None:
    orders = Given(a_create(dialect))
    first = orders.order.body
    orders.when(patch(orders.order, NOTE[dialect] if dialect != "configurator" else {"items": []}))

    then = orders.when(an_update(orders.order, "order.replace", whole(dialect)))

    assert first == then.order.body
    assert (then.order.revision, then.order.id, then.order.created_at) == (3, orders.order.id, NOW)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_equal_replace_changes_nothing(dialect: str) -> None:
    orders = Given(a_create(dialect))

    then = orders.when(an_update(orders.order, "order.replace", whole(dialect)))

    assert (then.outcome, then.events) == (("unchanged", []), [])


@pytest.mark.parametrize(
    ("dialect", "finished", "left_out"),
    [
        ("configurator", {"status": "Complete"}, {"status"}),
        ("wishlist", {"orderStatus": "COMPLETE", "paymentStatus": "PAID"}, {"orderStatus", "paymentStatus"}),
        ("wishlist", {"orderStatus": "OTHER", "returned": True, "deliveryStatus": "DELIVERED"}, {"orderStatus"}),
    ],
)
def test_a_replace_that_leaves_out_a_status_keeps_it(dialect: str, finished: JsonObject, left_out: set[str]) -> None:
    orders = Given(a_create(dialect))
    orders.when(patch(orders.order, finished))
    before = orders.order
    value = {name: member for name, member in whole(dialect).items() if name not in left_out}

    then = orders.when(an_update(orders.order, "order.replace", value))

    assert (before.status, before.native) == (then.order.status, then.order.native)
    assert then.events == []


# Source versions


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_update_that_is_not_newer_than_the_order_changes_nothing(dialect: str) -> None:
    orders = Given(a_create(dialect, source_version="7"))
    before = orders.order

    for version in ("7", "6", "0"):
        then = orders.when(patch(before, NOTE[dialect], source_version=version))
        assert (then.outcome, then.answer.reason) == (("unchanged", []), "it is older than the order")
    newer = orders.when(patch(before, NOTE[dialect], source_version="8"))
    unversioned = orders.when(an_update(orders.order, "order.replace", whole(dialect)))

    assert (newer.outcome, newer.order.ledger.source_version) == (("applied", []), 8)
    assert (unversioned.outcome, unversioned.order.ledger.source_version) == (("applied", []), 8)


def test_a_stale_message_that_is_wrong_in_itself_is_rejected() -> None:
    orders = Given(a_create("wishlist", source_version="7"))

    then = orders.when(patch(orders.order, {"channel": "FAX"}, source_version="3"))

    assert then.outcome == ("rejected", [("FIELD_ENUM", "channel")])


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_versions_count_for_lines_too(operation: str) -> None:
    orders = Given(a_create("wishlist", source_version="7"))
    sent: JsonObject = {} if operation == "delete" else {"quantity": 9}
    named = {} if operation == "create" else {"entry_ref": "1"}

    stale = orders.when(entry(orders.order, operation, sent, source_version="7", **named))
    newer = orders.when(entry(orders.order, operation, sent, source_version="8", **named))

    assert (stale.outcome, newer.outcome) == (("unchanged", []), ("applied", []))


def test_a_refused_update_does_not_raise_the_version() -> None:
    orders = Given(a_create("wishlist", source_version="1"))

    refused = orders.when(patch(orders.order, {"totalAmount": 5}, source_version="9"))
    then = orders.when(patch(orders.order, NOTE["wishlist"], source_version="2"))

    assert (refused.answer.verdict, then.answer.verdict) == ("rejected", "applied")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=10), st.sampled_from(sorted(DIALECTS)))
def test_versioned_replaces_in_any_order_and_number_end_in_the_newest(versions: list[int], dialect: str) -> None:
    orders = Given(a_create(dialect))
    values = {version: whole(dialect, _version(dialect, version)) for version in versions}

    for version in versions:
        orders.when(an_update(orders.order, "order.replace", values[version], source_version=str(version)))

    stored = {name: orders.order.body.get(name) for name in _version(dialect, 0)}
    assert _version(dialect, max(versions)) == stored
    assert orders.order.ledger.source_version == max(versions)


def _version(dialect: str, version: int) -> JsonObject:
    ((member, _),) = NOTE[dialect].items()
    return {member: f"version-{version}@example.com"}


# Idempotency keys of updates


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_update_is_not_done_again_under_a_key_that_was_seen(dialect: str) -> None:
    orders = Given(a_create(dialect))
    orders.when(patch(orders.order, NOTE[dialect], idempotency_key=SEEN))
    orders.when(an_update(orders.order, "order.replace", whole(dialect)))

    again = orders.when(patch(orders.order, NOTE[dialect], idempotency_key=SEEN.upper()))
    other = orders.when(an_update(orders.order, "order.replace", whole(dialect, NOTE[dialect]), idempotency_key=SEEN))

    assert again.outcome == ("unchanged", [])
    assert other.outcome == ("rejected", [("IDEMPOTENCY_CONFLICT", "headers.idempotency-key")])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_key_of_the_create_is_no_key_of_an_update(dialect: str) -> None:
    orders = Given(a_create(dialect, idempotency_key=SEEN))

    then = orders.when(patch(orders.order, NOTE[dialect], idempotency_key=SEEN))

    assert then.outcome == ("rejected", [("IDEMPOTENCY_CONFLICT", "headers.idempotency-key")])


def test_keys_of_updates_are_not_compared_between_orders() -> None:
    orders = Given(a_create("wishlist"), a_create("wishlist", {"orderRef": "WEB-2"}))

    for order in list(orders.orders.values()):
        assert orders.when(patch(order, NOTE["wishlist"], idempotency_key=SEEN)).outcome == ("applied", [])


def test_an_order_remembers_the_keys_of_its_last_50_updates() -> None:
    orders = Given(a_create("wishlist"))
    keys = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(51)]
    for number, key in enumerate(keys):
        orders.when(patch(orders.order, {"totalItems": number}, idempotency_key=key))

    second = orders.when(patch(orders.order, {"totalItems": 1}, idempotency_key=keys[1]))
    first = orders.when(patch(orders.order, {"totalItems": 0}, idempotency_key=keys[0]))

    assert (second.outcome, first.outcome) == (("unchanged", []), ("applied", []))


# Who is meant


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_that_names_an_order_finds_none(dialect: str) -> None:
    then = Given().when(patch(Given(a_create(dialect)).order, NOTE[dialect]))

    assert then.outcome == unknown(dialect)
    assert then.stored is None


@pytest.mark.parametrize(
    ("dialect", "header", "added"),
    [("wishlist", "order_ref", "orderRef"), ("subscription", "order_ref", "orderReference")],
)
def test_a_reference_is_added_once_and_never_changes(dialect: str, header: str, added: str) -> None:
    orders = Given(_unreferenced(dialect))

    new = orders.when(patch(orders.order, NOTE[dialect], **{header: "R-1"}))
    same = orders.when(patch(orders.order, NOTE[dialect], **{header: "R-1"}))
    other = orders.when(patch(orders.order, NOTE[dialect], **{header: "R-2"}))
    alone = orders.when(patch(orders.order, NOTE[dialect], order_id=None, **{header: "R-1"}))

    assert (new.outcome, new.order.body[added], new.order.refs["order_ref"]) == (("applied", []), "R-1", "R-1")
    assert same.outcome == alone.outcome == ("unchanged", [])
    assert other.outcome == ("rejected", [("IDENTITY_CONFLICT", "headers.order-ref")])


def _unreferenced(dialect: str) -> Record:
    if dialect == "wishlist":
        return a_create(dialect)._replace(value=b'{"id":"A"}')
    return a_create(dialect, {"orderReference": ""})


def test_an_added_reference_is_a_change_by_itself() -> None:
    orders = Given(a_create("subscription", {"orderReference": ""}))

    then = orders.when(patch(orders.order, {"statusLog": "x", "orderReference": "R-1"}))
    same = orders.when(patch(orders.order, {"statusLog": "x", "orderReference": "R-1"}))

    assert (then.answer.verdict, same.answer.verdict) == ("applied", "unchanged")


def test_a_reference_of_another_order_is_a_conflict() -> None:
    orders = Given(a_create("subscription"), a_create("subscription", {"orderReference": ""}, idempotency_key=SEEN))
    first, second = orders.orders.values()

    then = orders.when(patch(second, NOTE["subscription"], order_ref=str(first.refs["order_ref"])))

    assert then.outcome == ("rejected", [("IDENTITY_CONFLICT", "headers.order-ref")])
    assert then.order.id == second.id


@pytest.mark.parametrize(
    ("dialect", "stranger"),
    [
        ("shopping-cart", {"order-id": "999999"}),
        ("configurator", {"order-id": ANOTHER}),
        ("subscription", {"order-id": "f" * 24}),
        ("wishlist", {"order-id": "another"}),
    ],
)
def test_an_unknown_id_beside_a_known_reference_is_a_conflict(dialect: str, stranger: dict[str, str]) -> None:
    orders = Given(a_create(dialect))
    refs = orders.order.refs
    known = {"order_ref": str(refs.get("order_ref") or refs.get("order_number"))}

    then = orders.when(patch(orders.order, NOTE[dialect], order_id=stranger["order-id"], **known))

    assert then.outcome == ("rejected", [("IDENTITY_CONFLICT", "headers.order-id")])


def test_an_order_is_found_by_any_of_its_names() -> None:
    orders = Given(a_create("subscription"))
    refs = {name: str(ref) for name, ref in orders.order.refs.items()}

    by_number = orders.when(patch(orders.order, {"statusLog": "1"}, order_id=refs["order_number"]))
    by_reference = orders.when(patch(orders.order, {"statusLog": "2"}, order_id=None, order_ref=refs["order_ref"]))
    by_both = orders.when(patch(orders.order, {"statusLog": "3"}, order_ref=refs["order_ref"]))

    assert by_number.outcome == by_reference.outcome == by_both.outcome == ("applied", [])


# Deletes


def test_a_delete_keeps_the_order_and_tells_it_once() -> None:
    orders = Given(a_create("wishlist"))
    before, later = orders.order, NOW + timedelta(minutes=1)

    then = orders.when(an_update(before, "order.delete", None, later))
    again = orders.when(an_update(before, "order.delete"))

    (event,) = then.events
    assert (then.order.deleted_at, then.order.body, then.order.status) == (later, before.body, before.status)
    assert (event["type"], event["data"]["to"], event["data"]["changed"]) == (
        "order.deleted",
        None,
        list(Status._fields),
    )
    assert (again.outcome, again.events) == (("unchanged", []), [])


@pytest.mark.parametrize("operation", ["order.patch", "order.replace", "entry.create", "entry.update", "entry.delete"])
def test_a_deleted_order_is_not_found_by_updates(operation: str) -> None:
    orders = Given(a_create("wishlist"))
    orders.when(an_update(orders.order, "order.delete"))
    named = {"entry_ref": "1"} if operation in ("entry.update", "entry.delete") else {}
    sent: JsonObject = {} if operation == "entry.delete" else {"created_at": "2026-11-21T00:00:00Z"}

    then = orders.when(an_update(orders.order, operation, sent, **named))

    assert then.outcome == ("rejected", [("ORDER_NOT_FOUND", "headers.order-id")])


def test_the_names_of_a_deleted_order_are_not_free() -> None:
    orders = Given(a_create("wishlist", {"orderLines": [LINE]}))
    orders.when(an_update(orders.order, "order.delete"))

    equal = orders.when(a_create("wishlist", {"orderLines": [LINE]}))
    other = orders.when(a_create("wishlist"))
    line = orders.when(a_create("wishlist", {"orderRef": "WEB-2", "orderLines": [LINE]}))

    assert equal.outcome == ("unchanged", [])
    assert [event["type"] for event in equal.events] == ["order.created"]
    assert other.outcome == ("rejected", [("DUPLICATE_ORDER", "orderRef")])
    assert line.outcome == ("rejected", [("DUPLICATE_ENTRY", "orderLines[0].id")])


def test_a_stale_delete_deletes_nothing() -> None:
    orders = Given(a_create("wishlist", source_version="4"))

    then = orders.when(an_update(orders.order, "order.delete", source_version="4"))

    assert (then.outcome, then.order.deleted_at) == (("unchanged", []), None)


# Lines


def test_a_line_is_appended_with_an_id_of_its_own() -> None:
    orders = Given(a_create("wishlist"))

    then = orders.when(entry(orders.order, "create", {"entryRef": "3", "quantity": 2}))

    *_, line = lines(then.order)
    assert then.outcome == ("applied", [])
    assert line == {"id": line["id"], "entryRef": "3", "quantity": 2}


@pytest.mark.parametrize("name", ["id", "entryRef"])
def test_a_line_that_is_there_is_created_again_only_if_it_is_equal(name: str) -> None:
    line: JsonObject = {name: "7", "quantity": 1}
    orders = Given(a_create("wishlist"))
    orders.when(entry(orders.order, "create", line))

    again = orders.when(entry(orders.order, "create", {"quantity": 1, name: "7"}))
    other = orders.when(entry(orders.order, "create", {**line, "quantity": 2}))

    assert (again.outcome, again.events) == (("unchanged", []), [])
    assert other.outcome == ("rejected", [("DUPLICATE_ENTRY", name)])


@pytest.mark.parametrize(
    ("operation", "members", "path"),
    [
        ("entry.create", {**LINE}, "id"),
        ("order.patch", {"orderLines": [{"entryRef": "1"}, {**LINE}]}, "orderLines[1].id"),
        ("order.replace", {"orderLines": [{**LINE}]}, "orderLines[0].id"),
    ],
)
def test_a_line_id_of_another_order_of_the_tenant_is_a_duplicate(
    operation: str, members: JsonObject, path: str
) -> None:
    orders = Given(a_create("wishlist", {"orderLines": [LINE]}), a_create("wishlist", {"orderRef": "WEB-2"}))
    first, second = orders.orders.values()

    then = orders.when(an_update(second, operation, members))

    assert then.outcome == ("rejected", [("DUPLICATE_ENTRY", path)])
    assert (orders.orders[first.id], then.order.id) == (first, second.id)


def test_all_lines_of_other_orders_are_told() -> None:
    orders = Given(
        a_create("wishlist", {"orderLines": [LINE, {"id": "8"}]}), a_create("wishlist", {"orderRef": "WEB-2"})
    )
    _, second = orders.orders.values()

    then = orders.when(patch(second, {"orderLines": [{"id": "8"}, {"id": "7"}]}))

    assert then.outcome == (
        "rejected",
        [("DUPLICATE_ENTRY", "orderLines[0].id"), ("DUPLICATE_ENTRY", "orderLines[1].id")],
    )


def test_a_create_with_a_line_of_another_order_is_a_duplicate() -> None:
    orders = Given(a_create("wishlist", {"orderLines": [LINE]}))

    then = orders.when(a_create("wishlist", {"orderRef": "WEB-2", "orderLines": [{"entryRef": "1"}, LINE]}))

    assert then.outcome == ("rejected", [("DUPLICATE_ENTRY", "orderLines[1].id")])


@pytest.mark.parametrize(
    "named",
    [
        {"entry_id": "7"},
        {"entry_ref": "9"},
        {"entry_id": "7", "entry_ref": "9"},
        {"entry_id": "7", "order_id": None},  # a line's id names its order
    ],
)
def test_a_line_is_updated_by_its_names(named: dict[str, str | None]) -> None:
    orders = Given(a_create("wishlist", {"orderLines": [{"entryRef": "1"}, LINE]}))

    then = orders.when(entry(orders.order, "update", {"quantity": 5}, **named))

    first, second = lines(then.order)
    assert then.outcome == ("applied", [])
    assert {**LINE, "quantity": 5} == second
    assert first["entryRef"] == "1"


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ({"entry_id": "8"}, ("ENTRY_NOT_FOUND", "headers.entry-id")),
        ({"entry_ref": "8"}, ("ENTRY_NOT_FOUND", "headers.entry-ref")),
        ({"entry_id": "7", "entry_ref": "1"}, ("IDENTITY_CONFLICT", "headers.entry-ref")),
    ],
)
def test_a_line_that_is_not_meant_is_not_updated(named: dict[str, str | None], expected: tuple[str, str]) -> None:
    orders = Given(a_create("wishlist", {"orderLines": [{"entryRef": "1"}, LINE]}))

    assert orders.when(entry(orders.order, "update", {"quantity": 5}, **named)).outcome == ("rejected", [expected])


def test_an_update_of_a_line_of_no_order_waits_for_it() -> None:
    orders = Given(a_create("wishlist", {"orderLines": [LINE]}))

    then = orders.when(entry(orders.order, "update", {"quantity": 5}, entry_id="8", order_id=None))

    assert then.outcome == ("parked", [])


def test_a_line_gets_a_reference_once() -> None:
    orders = Given(a_create("wishlist", {"orderLines": [{"id": "7"}]}))

    new = orders.when(entry(orders.order, "update", {"quantity": 5}, entry_id="7", entry_ref="R"))
    other = orders.when(entry(orders.order, "update", {"quantity": 6}, entry_id="7", entry_ref="S"))
    moved = orders.when(patch(orders.order, {"orderLines": [{"id": "7", "entryRef": "S"}]}))

    assert new.order.body["orderLines"] == [{"id": "7", "entryRef": "R", "quantity": 5}]
    assert other.outcome == ("rejected", [("IDENTITY_CONFLICT", "headers.entry-ref")])
    assert moved.outcome == ("rejected", [("IDENTITY_CONFLICT", "orderLines[0].entryRef")])


@pytest.mark.parametrize("named", [{"entry_id": "7"}, {"entry_ref": "9"}, {"entry_id": "7", "order_id": None}])
def test_a_line_is_removed_once(named: dict[str, str | None]) -> None:
    orders = Given(a_create("wishlist", {"orderLines": [LINE, {"id": "8"}]}))

    then = orders.when(entry(orders.order, "delete", **named))
    again = orders.when(entry(orders.order, "delete", **named))

    assert (then.outcome, then.order.body["orderLines"]) == (("applied", []), [{"id": "8"}])
    assert again.outcome == ("unchanged", [])


def test_a_line_of_another_order_is_not_removed_from_this_one() -> None:
    orders = Given(a_create("wishlist", {"orderLines": [LINE]}), a_create("wishlist", {"orderRef": "WEB-2"}))
    _, second = orders.orders.values()

    then = orders.when(entry(second, "delete", entry_id="7"))

    assert then.outcome == ("rejected", [("IDENTITY_CONFLICT", "headers.entry-id")])


def test_the_key_of_a_removed_line_stays_as_long_as_a_decision_came_by_it_alone() -> None:
    orders = Given(a_create("wishlist", {"orderLines": [LINE]}))
    key = "wishlist/example-retailer/entry-id/7"

    removed = orders.when(entry(orders.order, "delete", entry_id="7", order_id=None))
    for number in range(51):
        then = orders.when(patch(orders.order, {"totalItems": number}))

    assert key in removed.order.lookup_keys
    assert key not in then.order.lookup_keys


def test_the_key_of_a_line_that_a_named_order_gives_up_is_free_at_once() -> None:
    orders = Given(a_create("wishlist", {"orderLines": [LINE]}), a_create("wishlist", {"orderRef": "WEB-2"}))
    first, second = orders.orders.values()

    orders.when(patch(first, {"orderLines": []}))
    then = orders.when(entry(second, "create", LINE))

    assert then.outcome == ("applied", [])


def test_lines_by_the_thousand_do_not_swell_the_ledger() -> None:
    lines: list[Json] = [{"id": f"{number:060d}"} for number in range(5_000)]
    orders = Given(a_create("wishlist", {"orderLines": lines}))

    then = orders.when(patch(orders.order, {"totalItems": 1, "orderLines": lines}))

    assert [decision.keys for decision in then.order.ledger.decisions] == [(), ()]


# Warnings


@pytest.mark.parametrize(
    ("dialect", "cause", "cure", "warned"),
    [
        ("b2b-commerce", {"lineItems": []}, {"lineItems": [{"quantity": 1, "price": 2}]}, "NO_LINES lineItems"),
        ("b2b-commerce", {"currency": {"currency": "US"}}, {"currency": {}}, "CURRENCY_NOT_ISO currency.currency"),
        ("b2b-commerce", {"newBillingAddress": {"city": "X"}},
         {"newBillingAddress": {"city": "X", "address1": "Y", "country": "Z"}}, "ADDRESS_INCOMPLETE newBillingAddress"),
        ("subscription", {"shipTo": []}, {"shipTo": [{}]}, "NO_SHIP_TO shipTo"),
        ("subscription", {"channel": 13}, {"channel": 12}, "CHANNEL_MISMATCH channel"),
        ("wishlist", {"cancelled": True}, {"cancelled": False}, "STATUS_FLAG_CONFLICT cancelled"),
        ("wishlist", {"currencyCode": "dollars"}, {"currencyCode": "aud"}, "CURRENCY_NOT_ISO currencyCode"),
        ("wishlist", {"orderLines": [{"id": "7"}]}, {"orderLines": [{"id": "7", "gtin": "1"}]},
         "LINE_WITHOUT_PRODUCT orderLines[0]"),
        ("wishlist", {"shipments": [{"shipmentLines": [{"entryRef": "5"}]}]}, {"shipments": []},
         "DANGLING_REFERENCE shipments[0].shipmentLines[0].entryRef"),
    ],
)  # fmt: skip
def test_a_warning_about_the_order_goes_when_its_cause_goes(
    dialect: str, cause: JsonObject, cure: JsonObject, warned: str
) -> None:
    orders = Given(a_create(dialect))

    with_it = orders.when(patch(orders.order, cause)).order
    beside = orders.when(patch(with_it, NOTE[dialect])).order
    without = orders.when(patch(beside, cure)).order

    assert Warned(*warned.split()) in with_it.warnings
    assert Warned(*warned.split()) in beside.warnings
    assert Warned(*warned.split()) not in without.warnings


@pytest.mark.parametrize(
    ("dialect", "said", "said_again", "warned"),
    [
        ("b2b-commerce", {"newShippingAddress": {"address2": "", "city": "X"}}, {"newShippingAddress": {"city": "Y"}},
         ("BLANK_VALUE_DROPPED", "newShippingAddress.address2")),
        ("b2b-commerce", {"fulfilledItems": [{"items": [{"lineItemId": "", "quantity": ""}]}]}, {"fulfilledItems": []},
         ("BLANK_ROW_DROPPED", "fulfilledItems[0].items[0]")),
        ("configurator", {"items": [{"name": "old"}]}, {"items": []}, ("ITEMS_NOT_CONVERTED", "items")),
        ("subscription", {"items": [{"sku": 7}]}, {"items": [{"sku": "8"}]}, ("VALUE_NORMALISED", "items[0].sku")),
        ("wishlist", {"attributeGroups": [{"attribute_group": "a"}]}, {"attributeGroups": {"b": {}}},
         ("VALUE_NORMALISED", "attributeGroups")),
    ],
)  # fmt: skip
def test_a_warning_about_what_was_said_stays_until_it_is_said_again(
    dialect: str, said: JsonObject, said_again: JsonObject, warned: tuple[str, str]
) -> None:
    orders = Given(a_create(dialect))

    with_it = orders.when(patch(orders.order, said)).order
    beside = orders.when(patch(with_it, NOTE[dialect])).order
    without = orders.when(patch(beside, said_again)).order

    assert Warned(*warned) in with_it.warnings
    assert Warned(*warned) in beside.warnings
    assert Warned(*warned) not in without.warnings


def test_a_replace_that_leaves_a_member_out_takes_the_warning_about_it_away() -> None:
    orders = Given(a_create("wishlist", {"attributeGroups": [{"attribute_group": "a"}]}))

    then = orders.when(an_update(orders.order, "order.replace", whole("wishlist")))

    assert then.order.warnings == ()


# The rules file


def test_a_value_that_left_the_rules_file_still_stands_in_its_order() -> None:
    rules = {"b2b-commerce": Rules({"orderStatus": {"processing": Meaning(order="in_progress")}})}
    orders = Given(a_create("b2b-commerce", {"orderStatus": "processing"}), contracts=Contracts(rules=rules))

    orders.contracts = Contracts()
    then = orders.when(patch(orders.order, NOTE["b2b-commerce"]))

    assert (then.outcome, then.order.status.order) == (("applied", []), "in_progress")
