"""Every sample through one worker process on real servers, and what is left behind of each."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import pytest_asyncio

from orderstream.decode import Contracts, decode
from orderstream.outcomes import Refusal
from tests.builders import a_record
from tests.conftest import Servers, fresh_settings
from tests.sample_outcomes import (
    ASSIGNED,
    FORMS,
    Value,
    at,
    changed,
    envelope,
    event_headers,
    native,
    normalised,
    outcome_of,
    refs_of,
    without_assigned,
)
from tests.sample_play import (
    ANOTHER,
    CREATES,
    REJECTED,
    TENANTS,
    UPDATES,
    Played,
    base_of,
    code_of,
    create,
    create_before,
    dialect_of,
    play,
    verbatim,
)
from tests.test_worker import DOCUMENT_MEMBERS
from tests.worker import a_worker

COMMON = {  # customer, currency and totals of contracts 2.2 and 2.3
    "b2b-commerce/create-full": (
        {"id": "6328113ba105cf37af7f623b"},
        {"code": "USD", "symbol": "$"},
        {"tax": "21.5", "discount": "18.4", "shipping": "12.5", "refunded": "0", "items": "10"},
    ),
    "configurator/create-full": ({"id": "3c6e0b8a-9c15-4a4b-9d3c-2b1a0f9e8d7c"}, {"code": None}, {"items": "3"}),
    "shopping-cart/create-full": (
        {"id": "1048576", "user_id": "20017", "account_id": "3391"},
        {"code": None},
        {},
    ),
    "subscription/create-full": (
        {
            **dict.fromkeys(("id", "user_id", "account_id"), "5e3598e3007c5e00080d2bb8"),
            "email": "avery@example.com",
            "phone": {"number": "555-010-0199", "kind": "mobile"},
        },
        {"code": "USD"},
        {"grand": "125.33", "tax": "5.23", "shipping": "24.87"},
    ),
    "wishlist/create-full": (
        {
            "id": "cus-204",
            "ref": "CRM-204",
            "email": "avery@example.com",
            "locale": "en_AU",
            "ip": {"address": "203.0.113.7", "country": "Australia", "country_code": "AU"},
        },
        {"code": "AUD"},
        {"grand": "114.85", "tax": "9.54", "discount": "5", "shipping": "9.95", "refunded": "0", "items": "2"},
    ),
    "wishlist/create-zero-decimal-currency": ({}, {"code": "JPY"}, {"grand": "1500"}),
}


@pytest_asyncio.fixture(name="played", scope="module")
async def _played(servers: Servers) -> Played:
    settings = await fresh_settings(servers)
    async with a_worker(settings) as worker:
        return await play(settings, worker)


def text(value: Value) -> str:
    """JSON, in which 1, 1.0 and true differ; compared line by line."""
    return json.dumps(value, indent=1, sort_keys=True)


@pytest.mark.parametrize("name", REJECTED)
def test_a_rejected_sample_stands_in_the_rejected_topic_once_with_all_its_problems(name: str, played: Played) -> None:
    original, sample = played.record(name), verbatim(name)
    judged = decode(a_record(value=sample.value, headers=sample.headers, key=sample.key), Contracts())
    assert isinstance(judged, Refusal)

    (rejected,) = played.rejections_of(name)

    headers = dict(rejected.headers)
    assert (original.key, original.value) == (rejected.key, rejected.value)
    assert datetime.fromisoformat(headers.pop("rejection-time").decode()) >= at(original)
    assert [problem._asdict() for problem in judged.problems] == json.loads(headers.pop("rejection-problems"))
    assert headers == {
        **dict(original.headers),
        "rejection-id": played.positions[name].encode(),
        "rejection-code": code_of(name).encode(),
        "rejection-problem-count": str(len(judged.problems)).encode(),
        "rejection-attempt": b"1",
    }


@pytest.mark.parametrize("name", REJECTED)
def test_a_rejected_sample_makes_no_order_and_no_event(name: str, played: Played) -> None:
    assert played.positions[name] not in played.orders
    assert [] == played.events_by(name)


@pytest.mark.parametrize("name", CREATES)
def test_an_accepted_create_is_a_document_of_its_scope_and_time(name: str, played: Played) -> None:
    document, record, headers = played.order(name), played.record(name), create(name, scope=name).message.headers

    assert DOCUMENT_MEMBERS == set(document)
    assert f"{record.timestamp // 1000:08x}" == str(document["_id"])[:8]
    assert (dialect_of(name), tenant_of(name, played)) == (document["dialect"], document["tenant"])
    assert headers.get("idempotency-key", "").lower() == (document["idempotency_key"] or "")
    assert (record.key or b"").decode() == document["record_key"]
    assert [at(record)] * 2 == [document[time].replace(tzinfo=UTC) for time in ("created_at", "updated_at")]
    assert (1, 1, 1) == (document["revision"], document["sequence"], len(document["history"]))
    assert document["deleted_at"] is None


@pytest.mark.parametrize("name", CREATES)
def test_an_accepted_create_is_stored_as_it_was_sent_with_the_ids_it_was_given(name: str, played: Played) -> None:
    body, refs, (message, said) = played.order(name)["body"], played.order(name)["refs"], create(name, scope=name)

    assert text(said) == text(without_assigned(body, dialect_of(name), said))
    assert refs_of(body, message.headers) == refs
    for ref, form in FORMS[dialect_of(name)].items():
        assert re.fullmatch(form, refs[ref])
    for member, id_ in list(ASSIGNED[dialect_of(name)].items())[1:]:
        assert all(re.fullmatch("[0-9a-f]{24}|string", part[id_]) for part in body.get(member, ()))


@pytest.mark.parametrize("name", CREATES)
def test_an_accepted_create_has_the_status_and_the_warnings_of_its_contract(name: str, played: Played) -> None:
    document, expected = played.order(name), outcome_of(name)

    assert {**expected.status, "native": native(document)} == document["status"]
    assert expected.warnings == sorted(warned["code"] for warned in document["warnings"])


@pytest.mark.parametrize("name", COMMON)
def test_an_accepted_create_has_customer_currency_and_totals_under_common_names(name: str, played: Played) -> None:
    document, (customer, currency, totals) = played.order(name), COMMON[name]

    assert customer == document["customer"]
    assert currency == document["currency"]
    assert {total: Decimal(amount) for total, amount in totals.items()} == {
        total: amount.to_decimal() for total, amount in document["totals"].items()
    }


@pytest.mark.parametrize("name", CREATES)
def test_an_accepted_create_publishes_one_event(name: str, played: Played) -> None:
    (event,) = played.events_by(name)
    expected = envelope(played.order(name), played.record(name), 1, "order.created", None, outcome_of(name).status)

    assert expected == json.loads(event.value or b"")
    assert expected["subject"].encode() == event.key
    assert event_headers(expected) == dict(event.headers)


@pytest.mark.parametrize("name", UPDATES)
def test_an_accepted_update_is_applied_to_its_order(name: str, played: Played) -> None:
    document, base, record = played.order(f"before {name}"), create_before(name), played.record(name)
    operation = dict(record.headers)["operation"].decode()
    said = changed(base.stored, dialect_of(name), operation, normalised(name, json.loads(record.value or b"")))

    assert DOCUMENT_MEMBERS == set(document)
    assert text(said) == text(without_assigned(document["body"], dialect_of(name), said))
    assert outcome_of(name).warnings == sorted(warned["code"] for warned in document["warnings"])
    assert {**outcome_of(name).status, "native": native(document)} == document["status"]
    assert (2, at(record)) == (document["revision"], document["updated_at"].replace(tzinfo=UTC))
    assert (operation == "order.delete") == (document["deleted_at"] is not None)


@pytest.mark.parametrize("name", UPDATES)
def test_an_accepted_update_keeps_the_ids_of_its_order(name: str, played: Played) -> None:
    document = played.order(f"before {name}")
    (event,) = played.events_by(f"before {name}")
    first = json.loads(event.value or b"")

    assert first["subject"] == str(document["_id"])
    assert first["data"]["refs"].items() <= document["refs"].items()
    assert refs_of(document["body"], create_before(name).message.headers) == document["refs"]


@pytest.mark.parametrize("name", UPDATES)
def test_an_accepted_update_publishes_an_event_if_the_canonical_status_changed(name: str, played: Played) -> None:
    document, record, before, after = played.order(f"before {name}"), played.record(name), *statuses(name)
    deleted = name == "wishlist/update-order-delete"
    kind = "order.deleted" if deleted else "order.status-changed"
    expected = [envelope(document, record, 2, kind, before, None if deleted else after)]

    events = played.events_by(name)

    assert (expected if deleted or before != after else []) == [json.loads(event.value or b"") for event in events]
    assert [event_headers(expected[0])] * len(events) == [dict(event.headers) for event in events]
    assert 1 + len(events) == document["sequence"] == len(document["history"])


def test_nothing_else_was_made(played: Played) -> None:
    orders = len(CREATES) + len(UPDATES) + len(ANOTHER) + len(TENANTS)
    changes = [name for name in UPDATES if played.events_by(name)]

    assert (100, 25, 31) == (len(REJECTED), len(CREATES), len(UPDATES))
    assert orders == len(played.orders)
    assert orders + len(changes) + 2 * len(ANOTHER) == len(played.events)  # two equal repeats have their answers
    assert len(REJECTED) + len(ANOTHER) == len(played.rejected)


@pytest.mark.parametrize("dialect", ANOTHER)
def test_an_equal_create_with_a_known_key_is_answered_by_the_same_bytes(dialect: str, played: Played) -> None:
    first, at_once, late = played.events_by(f"first {dialect}")

    assert (first.key, first.value) == (at_once.key, at_once.value) == (late.key, late.value)
    assert not {played.positions[f"{when} {dialect}"] for when in ("repeat", "late")} & played.orders.keys()
    assert 1 == played.order(f"first {dialect}")["revision"]


@pytest.mark.parametrize("dialect", ANOTHER)
def test_another_create_with_a_known_key_is_an_idempotency_conflict(dialect: str, played: Played) -> None:
    (rejected,) = played.rejections_of(f"other {dialect}")

    headers, original = dict(rejected.headers), played.record(f"other {dialect}")
    assert (original.key, original.value) == (rejected.key, rejected.value)
    assert b"IDEMPOTENCY_CONFLICT" == headers["rejection-code"]
    assert ["headers.idempotency-key"] == [found["path"] for found in json.loads(headers["rejection-problems"])]
    assert played.positions[f"other {dialect}"] not in played.orders


def test_the_same_reference_in_two_tenants_is_two_orders(played: Played) -> None:
    north, south = (played.order(f"in {tenant}") for tenant in TENANTS)

    assert north["refs"]["order_ref"] == south["refs"]["order_ref"]
    assert north["tenant"] != south["tenant"]
    assert north["_id"] != south["_id"]


def tenant_of(name: str, played: Played) -> str | None:
    """The tenant that the message of this create names."""
    headers = dict(played.record(name).headers)
    named = headers.get("tenant") or headers.get("site-account")
    return named.decode() if named else create(name, scope=name).message.value.get("orgId")


def statuses(update: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Canonical, before and after it."""
    return outcome_of(base_of(update)).status, outcome_of(update).status
