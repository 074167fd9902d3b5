"""Which rejected messages are sent again, and as what."""

from datetime import timedelta

import pytest

from orderstream import replays
from orderstream.commands import Command, Kind
from orderstream.decode import Contracts, decode
from orderstream.json_text import JsonObject
from orderstream.order import Position
from orderstream.problems import Code, Problem
from orderstream.rejections import Choice, Rejection
from orderstream.replays import Chosen, TooManyError, is_older, message, trace, unfit
from tests.builders import NOW, Given, a_create, a_record, an_update
from tests.rejected_messages import as_read, rejected_again

KINDS = {kind.value: kind for kind in Kind}
WRONG: JsonObject = {"orderStatus": "In Transit"}


def a_rejection(offset: int = 0, topic: str = "order-create", **headers: str | None) -> Rejection:
    record = a_create("wishlist", WRONG, **headers)
    return as_read(record._replace(position=Position(topic, 3, offset)), NOW + timedelta(seconds=offset))


def chosen(choice: Choice, *rejections: Rejection) -> list[Rejection]:
    found = Chosen(choice)
    for one in rejections:
        found.add(one)
    return found.rejections(KINDS)


# What is sent


def test_a_replay_is_the_original_and_says_what_it_replays() -> None:
    record = a_create("wishlist", WRONG, x_own="1")

    again = message(as_read(record), Kind.CREATE)

    assert (record.key, record.value, record.position.partition) == (again.key, again.value, again.partition)
    assert again.headers[: len(record.headers)] == record.headers
    assert ((b"order-create/0/0", b"1"), 2) == (trace(again.headers), len(again.headers) - len(record.headers))


def test_the_replay_of_a_replay_names_the_first_original_once() -> None:
    again = message(rejected_again(a_rejection(), 7), Kind.CREATE)

    assert (b"order-create/3/0", b"2") == trace(again.headers)
    assert 1 == sum(name == "replay-of" for name, _ in again.headers)


def test_a_replay_passes_when_the_rules_have_changed() -> None:
    again = message(as_read(a_create("wishlist"), NOW), Kind.CREATE)
    record = a_record(value=again.value, headers={}, key="k")._replace(headers=again.headers)

    command = decode(record, Contracts())

    assert isinstance(command, Command)
    assert "order-create/0/0" == command.replay_of


@pytest.mark.parametrize(
    ("rejection", "reason"),
    [
        (a_rejection(), None),
        (a_rejection(topic="order-create@2"), None),
        (a_rejection(topic="elsewhere"), "it comes from a topic that these settings do not name"),
        (a_rejection()._replace(cut="it is cut"), "it is cut"),
        (a_rejection()._replace(key=None), None),
        (a_rejection()._replace(value=None), None),
        (
            a_rejection()._replace(key=None, value=None),
            "it has neither key nor value, which cannot be sent; --edit can give it both",
        ),
    ],
)
def test_what_is_not_whole_or_of_another_topic_cannot_be_sent(rejection: Rejection, reason: str | None) -> None:
    assert reason == unfit(rejection, KINDS)


# Which are sent


def test_the_newest_attempt_is_offered_once_whatever_is_read_first() -> None:
    first = a_rejection()
    second = rejected_again(first, 7)
    third = rejected_again(second, 9)

    for order in ([first, second, third], [third, first, second], [second, third, first]):
        assert [third] == chosen(Choice(code="FIELD_ENUM"), *order)


def test_a_message_whose_newest_attempt_failed_otherwise_is_not_among_those_that_failed_so() -> None:
    first = a_rejection()
    second = rejected_again(first, 7, NOW, Problem(Code.FIELD_TYPE, "totalAmount", "must be a number"))

    assert [] == chosen(Choice(code="FIELD_ENUM"), first, second)
    assert [second] == chosen(Choice(code="FIELD_TYPE"), first, second)


def test_any_attempt_names_its_message() -> None:
    first, other = a_rejection(), a_rejection(1)
    second = rejected_again(first, 7)
    third = rejected_again(second, 9)
    others = (other, rejected_again(other, 8))

    for one in (first, second, third):
        assert [third] == chosen(Choice(frozenset({one.id})), first, second, third, *others)


def test_an_id_that_is_not_there_is_told() -> None:
    found = Chosen(Choice(frozenset({Position("order-create", 3, 0), Position("order-create", 3, 1)})))
    found.add(a_rejection(0))

    assert {Position("order-create", 3, 1)} == found.unknown


def test_creates_come_first_and_all_in_the_order_of_their_topics() -> None:
    sent = [a_rejection(9, "order-update"), a_rejection(12), a_rejection(2, "order-update"), a_rejection(3)]
    again = rejected_again(a_rejection(1), 99)

    found = chosen(Choice(dialect="wishlist"), *sent, again)

    assert ["order-create/3/99", "order-create/3/3", "order-create/3/12", "order-update/3/2", "order-update/3/9"] == [
        str(one.id) for one in found
    ]


def test_creates_come_first_whatever_the_topics_are_called() -> None:
    found = Chosen(Choice(dialect="wishlist"))
    for topic in ("a-updates", "z-creates"):
        found.add(a_rejection(0, topic))

    kinds = {"z-creates": Kind.CREATE, "a-updates": Kind.UPDATE}
    assert ["z-creates", "a-updates"] == [one.id.topic for one in found.rejections(kinds)]


def test_more_than_memory_can_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "MAX_BYTES", 1_000)

    with pytest.raises(TooManyError):
        chosen(Choice(dialect="wishlist"), *(a_rejection(number) for number in range(10)))


def test_an_older_attempt_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "MAX_BYTES", 1_000)
    first = a_rejection()
    attempts = [first._replace(replay_of=first.id, attempt=number) for number in range(1, 11)]

    assert [attempts[-1]] == chosen(Choice(code="FIELD_ENUM"), *attempts)


def test_only_what_is_chosen_takes_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "MAX_BYTES", 1_000)
    again = [rejected_again(a_rejection(number), number + 100) for number in range(10)]

    assert [] == chosen(Choice(code="FIELD_TYPE"), *again)


# Orders that have gone on


@pytest.mark.parametrize(("seconds", "older"), [(-1, True), (0, False), (1, False)])
def test_an_update_is_older_if_its_order_was_changed_after_the_rejection(seconds: int, older: bool) -> None:  # noqa: FBT001  # a case of the table
    given = Given(a_create("wishlist"))
    update = decode(an_update(given.order, "order.patch", {"orderStatus": "COMPLETE"}), Contracts())

    assert isinstance(update, Command)
    assert older == is_older(update, [given.order], given.order.updated_at + timedelta(seconds=seconds))


def test_other_orders_do_not_make_it_older() -> None:
    one, other = Given(a_create("wishlist")), Given(a_create("wishlist", tenant="other"))
    update = decode(an_update(one.order, "order.patch", {"orderStatus": "COMPLETE"}), Contracts())

    assert isinstance(update, Command)
    assert not is_older(update, [other.order], NOW - timedelta(days=1))
