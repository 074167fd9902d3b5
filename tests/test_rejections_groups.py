"""Rejections read back, and thousands with one cause as one row."""

from datetime import timedelta

import pytest

from orderstream.commands import Headers
from orderstream.json_text import JsonObject
from orderstream.order import Position
from orderstream.problems import MEANINGS, Code, Problem
from orderstream.rejection_groups import MAX_GROUPS, Groups
from orderstream.rejections import Choice, NotARejectionError, Recent, Rejection, rejection
from tests.builders import NOW, a_create, a_record
from tests.rejected_messages import as_read, rejected_again

HERE = Position("order-rejected", 0, 0)
WRONG: JsonObject = {"orderStatus": "In Transit"}


def test_a_rejection_is_read_back_as_it_was_made() -> None:
    record = a_create("wishlist", {"orderStatus": "In Transit", "fullName": "Jane Doe"}, x_own="1", authorization="s")

    read = as_read(record)

    assert (record.position, record.key, record.value, NOW, 1) == (read.id, read.key, read.value, read.at, read.attempt)
    assert [Code.FIELD_ENUM, Code.FIELD_UNKNOWN] == [problem.code for problem in read.problems]
    assert ("wishlist", "example-retailer", "1", None) == (*(read.dialect, read.tenant), read.says("x-own"), read.cut)
    assert not any(name.startswith("rejection-") or name == "authorization" for name, _ in read.headers)


def test_a_replay_that_is_rejected_again_still_names_the_first_original() -> None:
    first = as_read(a_create("wishlist", WRONG))

    third = rejected_again(rejected_again(first, 7), 9)

    assert (first.id, first.id, 3) == (third.replay_of, third.origin, third.attempt)
    assert 9 == third.id.offset


def test_who_is_no_replay_cannot_say_that_he_is_one() -> None:
    assert as_read(a_create("wishlist", WRONG, replay_of="WEB-2026-1042")).replay_of is None


def test_a_record_without_key_and_value_is_restored() -> None:
    record = a_record(value=None, headers={}, key=None)

    assert (None, None) == (as_read(record).key, as_read(record).value)


def test_what_did_not_fit_into_the_topic_is_told() -> None:
    long = a_create("wishlist", {"email": "x" * 90_000, **WRONG})

    assert "its value or key was too long for the topic and is cut" == as_read(long, limit=80_000).cut


def test_the_owner_is_found_in_the_value_where_the_dialect_allows_it() -> None:
    record = a_create("configurator", {"status": "?", "orgId": "org-1"}, tenant=None)

    assert "org-1" == as_read(record).tenant


@pytest.mark.parametrize("headers", [(), (("rejection-id", b"order-create/1/2"),), (("rejection-problems", b"x"),)])
def test_other_records_are_no_rejections(headers: Headers) -> None:
    with pytest.raises(NotARejectionError):
        rejection(HERE, b"k", b"{}", headers)


def test_every_code_has_a_meaning() -> None:
    assert set(Code) == set(MEANINGS)


# Groups


def test_what_has_one_cause_is_one_group() -> None:
    groups = Groups()
    for number in range(300):
        problem = Problem(Code.FIELD_TYPE, f"orderLines[{number}].quantity", "must be a number")
        record = a_create("wishlist")._replace(position=Position("order-create", 0, number))
        groups.add(as_read(record, NOW + timedelta(seconds=number), problem))

    (group,) = groups.listed()
    assert (300, 300, "order-create/0/0") == (groups.total, group.count, str(group.example))
    assert ("FIELD_TYPE", "orderLines[].quantity", "wishlist") == group.cause[:3]
    assert (NOW, NOW + timedelta(seconds=299)) == (group.first, group.last)


@pytest.mark.parametrize(
    "other",
    [
        as_read(a_create("wishlist", {"orderStatus": 7})),
        as_read(a_create("wishlist", {"paymentStatus": "?"})),
        as_read(a_create("wishlist", WRONG, tenant="other")),
        as_read(a_create("wishlist", WRONG), NOW + timedelta(hours=1)),
        as_read(a_create("configurator", {"status": "?"})),
    ],
)
def test_another_code_path_tenant_hour_or_dialect_is_another_group(other: Rejection) -> None:
    groups = Groups()
    groups.add(as_read(a_create("wishlist", WRONG)))
    groups.add(other)

    assert [1, 1] == [group.count for group in groups.listed()]


def test_the_last_hour_comes_first_and_in_it_the_largest_group() -> None:
    groups = Groups()
    for code, hours in [("a", 0), ("a", 0), ("a", 0), ("b", 2), ("c", 2), ("c", 2)]:
        groups.add(as_read(a_create("wishlist", WRONG, tenant=code), NOW + timedelta(hours=hours)))

    assert ["c", "b", "a"] == [group.cause.tenant for group in groups.listed()]


def test_a_dialect_that_does_not_look_like_a_name_is_not_shown() -> None:
    groups = Groups()
    groups.add(as_read(a_create("wishlist", dialect="jane doe@example.com")))

    assert ["*"] == [group.cause.dialect for group in groups.listed()]


def test_groups_need_memory_for_groups_whatever_producers_send() -> None:
    groups, first = Groups(), as_read(a_create("wishlist", WRONG))
    for number in range(MAX_GROUPS + 500):
        problem = Problem(Code.FIELD_UNKNOWN, f"member{number}", "is not a member of this message")
        groups.add(first._replace(problems=(problem,)))

    assert (MAX_GROUPS + 500, MAX_GROUPS + 1) == (groups.total, len(groups.listed()))
    assert {500} == {group.count for group in groups.listed() if group.cause.path == "*"}


def test_a_repeat_is_known_by_its_id_for_as_long_as_there_is_room() -> None:
    recent = Recent(size=10)

    assert [True, False] == [recent.is_new(HERE), recent.is_new(HERE)]
    for offset in range(1, 11):
        recent.is_new(HERE._replace(offset=offset))
    assert not recent.is_new(HERE)
    for offset in range(11, 40):
        recent.is_new(HERE._replace(offset=offset))
    assert recent.is_new(HERE)


def test_a_choice_admits_what_has_all_that_it_names() -> None:
    one = as_read(a_create("wishlist", WRONG))

    assert Choice().admits(one)
    assert Choice(code="FIELD_ENUM", dialect="wishlist", tenant="example-retailer").admits(one)
    assert not any(
        choice.admits(one) for choice in (Choice(code="FIELD_TYPE"), Choice(dialect="x"), Choice(tenant="x"))
    )
