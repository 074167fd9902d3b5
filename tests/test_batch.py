"""A batch: what is decided together, what is found again, what must wait (design 3)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pytest

from orderstream.answers import (
    AnotherRecordError,
    BelowFloorError,
    Circumstances,
    Decided,
    Item,
    NotLookedUpError,
)
from orderstream.batch import decide
from orderstream.commands import Record
from orderstream.decode import Contracts, decode
from orderstream.json_text import JsonObject
from orderstream.ledger import KEPT_DECISIONS, Partition, Progress
from orderstream.order import Order, Position
from orderstream.parking import MAX_WAITING, Mark, Parked, Waiting
from orderstream.status_event import Event
from tests.builders import NOW, a_create, a_message, an_update, pairs

CREATES: Final[Partition] = ("order-create", 0)
UPDATES: Final[Partition] = ("order-update", 0)


def decided(records: Iterable[Record], stored: Iterable[Order] = (), about: Circumstances | None = None) -> Decided:
    items = [Item(record, decode(record, Contracts())) for record in records]
    return decide(items, stored, about or Circumstances())


def written(decided: Decided) -> list[Order]:
    return [write.after for write in decided.writes]


def statuses(*texts: str, first: int = 0) -> list[Record]:
    """Patches of the order W, one after another."""
    return [
        a_message("order.patch", {"orderStatus": text}, first + number, order_ref="W")
        for number, text in enumerate(texts)
    ]


def numbers(events: Iterable[Event]) -> list[int]:
    return [event.sequence for event in events]


def repeats(events: Iterable[Event]) -> list[str]:
    return [event.again for event in events if event.again]


W: Final = a_message("order.create", {"orderRef": "W"})


# Together


def test_the_messages_of_one_order_are_folded_into_one_write() -> None:
    done = decided([W, *statuses("SHIPPED", "COMPLETE")])

    (write,) = done.writes
    assert write.before is None
    assert (write.after.revision, write.after.sequence, write.after.ledger.version) == (3, 3, 1)
    assert numbers(done.events) == [1, 2, 3]
    assert (repeats(done.events), done.absent) == ([], ())


def test_a_batch_in_one_or_in_parts_leaves_the_same_orders() -> None:
    records = [W, *statuses("SHIPPED", "DISPUTED", "SHIPPED", "COMPLETE")]

    whole = written(decided(records))
    stored: list[Order] = []
    for record in records:
        stored = written(decided([record], stored))

    assert [order._replace(ledger=order.ledger._replace(version=1)) for order in stored] == whole


def test_a_message_that_is_wrong_in_itself_touches_no_order() -> None:
    done = decided([W, *statuses("FAX"), *statuses("SHIPPED", first=1)])

    assert [answer.verdict for answer in done.answers] == ["applied", "rejected", "applied"]
    assert done.answers[1].order_id is None
    assert len(written(done)[0].ledger.decisions) == 2


def test_decisions_that_change_nothing_are_kept_too() -> None:
    (order,) = written(decided([W]))
    refused = a_message("entry.update", {"quantity": 1}, 1, order_ref="W", entry_id="none")

    done = decided([*statuses("CREATED"), refused], [order])

    (write,) = done.writes
    *_, unchanged, rejected = write.after.ledger.decisions
    assert (unchanged.outcome, rejected.outcome, pairs(rejected.problems)) == (
        "applied", "rejected", [("ENTRY_NOT_FOUND", "headers.entry-id")],
    )  # fmt: skip
    assert (write.after.body, write.after.ledger.version) == ({**order.body, "orderStatus": "CREATED"}, 2)


def test_a_refusal_that_rests_on_an_absent_order_is_to_be_confirmed() -> None:
    order = decided([a_create("b2b-commerce")]).writes[0].after

    done = decided([an_update(order, "order.patch", {"taxAmount": 1})])

    assert pairs(done.answers[0].problems) == [("ORDER_NOT_FOUND", "headers.order-id")]
    assert done.absent == (f"b2b-commerce/example-supplies/order-id/{order.id}",)


# Again


def test_a_record_whose_decision_is_stored_is_not_decided_again() -> None:
    records = [W, *statuses("SHIPPED", "FAX", "SHIPPED")]
    first = decided(records)

    again = decided(records, written(first))

    assert [answer._replace(repeated=answer.order_id is not None) for answer in first.answers] == list(again.answers)
    assert [event.value for event in first.events] == [event.value for event in again.events]
    assert (again.writes, repeats(again.events)) == ((), ["redelivery"] * 2)


def test_a_decision_is_found_whatever_the_order_looks_like_by_now() -> None:
    first = decided([W, *statuses("SHIPPED")])
    deleted = decided([a_message("order.delete", {}, 1, order_ref="W")], written(first))

    again = decided(statuses("SHIPPED"), written(deleted))

    (answer,) = again.answers
    assert (answer.verdict, answer.repeated, again.writes) == ("applied", True, ())


def test_a_refusal_that_was_stored_comes_out_with_all_its_words() -> None:
    (order,) = written(decided([W]))
    refused = a_message("entry.update", {"quantity": 1}, order_ref="W", entry_ref="9")

    first = decided([refused], [order])
    again = decided([refused], written(first))

    assert [answer._replace(repeated=True) for answer in first.answers] == list(again.answers)


def test_a_decision_is_looked_for_in_every_order_that_the_message_finds() -> None:
    (order,) = written(decided([a_message("order.create", {"orderRef": "A", "orderLines": [{"id": "7"}]})]))
    names_both = a_message("entry.delete", {}, order_ref="B", entry_id="7")
    refused = decided([names_both], [order])
    (later,) = written(decided([a_message("order.create", {"orderRef": "B"}, 1)]))

    again = decided([names_both], [later, *written(refused)])

    assert pairs(refused.answers[0].problems) == [("IDENTITY_CONFLICT", "headers.order-ref")]
    assert again.answers == (refused.answers[0]._replace(repeated=True),)


@pytest.mark.parametrize(
    "another",
    [
        statuses("COMPLETE")[0],
        statuses("SHIPPED")[0]._replace(key=b"another"),
        a_message("order.patch", {"orderStatus": "SHIPPED"}, order_ref="W", correlation_id="another"),
    ],
)
def test_another_record_at_a_position_that_was_decided_is_never_skipped(another: Record) -> None:
    stored = written(decided([W, *statuses("SHIPPED")]))

    with pytest.raises(AnotherRecordError, match=f"order-update/0/0 .* order {stored[0].id} "):
        decided([another], stored)


def test_the_digest_of_a_record_tells_its_parts_apart() -> None:
    record = W._replace(key=b"ab", value=b"c", headers=(("d", b"e"),))
    others = [
        record._replace(key=b"a", value=b"bc"),
        record._replace(key=None),
        record._replace(value=None),
        record._replace(value=b""),
        record._replace(headers=(("de", b""),)),
        record._replace(headers=(("d", None),)),
        record._replace(headers=()),
    ]

    assert len({one.digest() for one in (record, *others)}) == 8
    assert record.digest() == record._replace(position=Position("other", 7, 7)).digest()


# The trace of a message


def test_a_trace_goes_out_once() -> None:
    create = a_message("order.create", {"orderRef": "W"}, traceparent="00-a-b-01")

    first = decided([create])
    again = decided([create], written(first))

    assert ("traceparent", b"00-a-b-01") in first.events[0].headers
    assert [name for name, _ in again.events[0].headers] == ["content-type", "dialect", "tenant"]


def test_a_repeated_create_does_not_put_its_trace_on_the_first_event() -> None:
    create = a_message("order.create", {"orderRef": "W"}, traceparent="00-a-b-01")
    repeat = a_message("order.create", {"orderRef": "W"}, 1, traceparent="00-c-d-01")

    done = decided([create, repeat])

    traces = [value for event in done.events for name, value in event.headers if name == "traceparent"]
    assert traces == [b"00-a-b-01"]


# What is kept, and what is dropped


def an_old_order(count: int, committed: int) -> tuple[Order, Circumstances]:
    """The order W after *count* patches, of which the group has committed the first *committed*."""
    (order,) = written(decided([W]))
    about = Circumstances(progress=Progress({}, {CREATES: 1, UPDATES: committed}))
    for number in range(count):
        (order,) = written(
            decided([a_message("order.patch", {"totalItems": number}, number, order_ref="W")], [order], about)
        )
    return order, about


def test_the_last_50_decisions_are_kept_however_old() -> None:
    order, _ = an_old_order(60, committed=60)

    assert len(order.ledger.decisions) == KEPT_DECISIONS == 50
    assert order.ledger.decisions[-1].position == Position("order-update", 0, 59)
    assert order.ledger.dropped == {CREATES: 0, UPDATES: 9}


def test_no_decision_is_dropped_that_may_be_redelivered() -> None:
    order, _ = an_old_order(60, committed=3)

    assert len(order.ledger.decisions) == 57  # all but those of offsets 0 to 2, and not the create's
    assert order.ledger.dropped == {CREATES: 0, UPDATES: 2}


def test_of_decisions_that_are_dropped_together_the_highest_offset_is_kept() -> None:
    order, _ = an_old_order(100, committed=0)
    about = Circumstances(progress=Progress({}, {CREATES: 1, UPDATES: 100}))

    (order,) = written(decided([a_message("order.patch", {"totalItems": 0}, 100, order_ref="W")], [order], about))

    assert (len(order.ledger.decisions), order.ledger.dropped) == (50, {CREATES: 0, UPDATES: 50})


def test_decisions_of_partitions_that_nobody_knows_of_are_kept() -> None:
    (order,) = written(decided([W]))
    for number in range(60):
        (order,) = written(decided([a_message("order.patch", {"totalItems": number}, number, order_ref="W")], [order]))

    assert len(order.ledger.decisions) == 61


@pytest.mark.parametrize("offset", [0, 9])
def test_an_old_record_whose_decision_was_dropped_is_not_decided_again(offset: int) -> None:
    order, about = an_old_order(60, committed=60)

    with pytest.raises(BelowFloorError, match=order.id) as raised:
        decided([a_message("order.patch", {"totalItems": offset}, offset, order_ref="W")], [order], about)

    assert raised.value.position == Position("order-update", 0, offset)


def test_a_decision_above_the_floor_is_found() -> None:
    order, about = an_old_order(60, committed=60)

    again = decided([a_message("order.patch", {"totalItems": 10}, 10, order_ref="W")], [order], about)

    assert again.answers[0].repeated


def test_a_decision_keeps_at_most_2_kib_of_problems_and_their_number() -> None:
    lines: list[JsonObject] = [{"id": f"{number}"} for number in range(60)]
    first, second = (a_message("order.create", {"orderRef": ref, "orderLines": sent}, number)  # type: ignore[dict-item]
                     for number, (ref, sent) in enumerate([("A", lines), ("B", [])]))  # fmt: skip
    stored = written(decided([first, second]))

    done = decided([a_message("order.patch", {"orderLines": lines}, order_ref="B")], stored)  # type: ignore[dict-item]
    again = decided([a_message("order.patch", {"orderLines": lines}, order_ref="B")], [stored[0], *written(done)])  # type: ignore[dict-item]

    (answer,) = done.answers
    assert answer.problem_count == 60
    assert 10 < len(answer.problems) < 40
    assert again.answers == (answer._replace(repeated=True),)


# What must be written first


def test_a_batch_ends_before_a_refusal_because_of_an_order_that_is_not_written() -> None:
    stored = written(decided([a_message("order.create", {"orderRef": ref}, offset) for offset, ref in enumerate("AB")]))
    gains = a_message("entry.create", {"id": "7"}, order_ref="A")
    refused = a_message("entry.create", {"id": "7"}, 1, order_ref="B")
    after = a_message("order.patch", {"email": "x"}, 2, order_ref="A")

    first = decided([gains, refused, after], stored)
    then = decided([refused, after], [*written(first), stored[1]])

    assert [answer.record for answer in first.answers] == [gains]
    assert [answer.verdict for answer in then.answers] == ["rejected", "applied"]


def test_a_batch_ends_before_a_line_that_an_order_gives_up_in_it() -> None:
    creates = [
        a_message("order.create", {"orderRef": "A", "orderLines": [{"id": "7"}]}),
        a_message("order.create", {"orderRef": "B"}, 1),
    ]
    stored = written(decided(creates))
    gives_up = a_message("entry.delete", {}, entry_id="7")
    gains = a_message("entry.create", {"id": "7"}, 1, order_ref="B")

    done = decided([gives_up, gains], stored)

    assert [answer.record for answer in done.answers] == [gives_up]


def test_a_batch_ends_when_its_updates_have_gone_over_1_mib_of_orders() -> None:
    lines: JsonObject = {"orderLines": [{"id": f"{n}", "productRef": "p" * 500} for n in range(1_700)]}
    stored = written(decided([a_message("order.create", {"orderRef": "W", **lines})]))

    done = decided(statuses("SHIPPED", "COMPLETE", "SHIPPED", "COMPLETE", "SHIPPED"), stored)

    assert ["applied"] * 2 == [answer.verdict for answer in done.answers]


def test_a_create_that_was_not_looked_up_and_meets_an_order_must_be() -> None:
    stored = written(decided([W]))
    repeated = a_message("order.create", {"orderRef": "W"}, 1)

    with pytest.raises(NotLookedUpError):
        decided([*statuses("SHIPPED"), repeated], stored, Circumstances(blind=True))

    assert decided([repeated], stored).answers[0].verdict == "unchanged"


def test_two_creates_of_one_order_in_a_blind_batch_must_be_looked_up() -> None:
    with pytest.raises(NotLookedUpError):
        decided([W, a_message("order.create", {"orderRef": "W"}, 1)], [], Circumstances(blind=True))


def test_an_order_that_no_document_can_hold_refuses_the_message_and_stays() -> None:
    (order,) = written(decided([W]))
    patch = statuses("SHIPPED")[0]

    known = decided([patch], [order], Circumstances(unstorable=frozenset({patch.position})))
    new = decided([W], [], Circumstances(unstorable=frozenset({W.position})))

    assert pairs(known.answers[0].problems) == pairs(new.answers[0].problems) == [("UNSTORABLE", "value")]
    assert [after._replace(ledger=order.ledger) for after in written(known)] == [order]
    assert (new.writes, new.answers[0].order_id) == ((), None)


# Events leave in order


def progress(published: int, foreign: int = 0) -> Progress:
    return Progress({CREATES: 1, UPDATES: published, ("order-update", 1): foreign}, {})


def test_earlier_events_that_may_not_be_out_go_first() -> None:
    stored = written(decided([W, *statuses("SHIPPED", "COMPLETE")]))

    done = decided(statuses("DISPUTED", first=2), stored, Circumstances(progress=progress(published=1)))

    assert (numbers(done.events), repeats(done.events)) == ([3, 4], ["earlier-unacknowledged"])


def test_earlier_events_that_are_out_do_not_go_again() -> None:
    stored = written(decided([W, *statuses("SHIPPED", "COMPLETE")]))

    done = decided(statuses("DISPUTED", first=2), stored, Circumstances(progress=progress(published=2)))

    assert (numbers(done.events), repeats(done.events)) == ([4], [])


@pytest.mark.parametrize(("committed", "expected"), [(0, [2, 3]), (1, [3])])
def test_earlier_events_of_another_partition_go_first_until_they_are_committed(
    committed: int, expected: list[int]
) -> None:
    stored = written(decided([W]))
    foreign = statuses("SHIPPED")[0]._replace(position=Position("order-update", 1, 0))
    stored = written(decided([foreign], stored))

    done = decided(statuses("DISPUTED"), stored, Circumstances(progress=progress(published=0, foreign=committed)))

    assert numbers(done.events) == expected


def test_a_message_without_an_event_brings_no_earlier_one() -> None:
    stored = written(decided([W, *statuses("SHIPPED")]))

    done = decided(
        [a_message("order.patch", {"email": "x"}, 1, order_ref="W")],
        stored,
        Circumstances(progress=progress(published=0)),
    )

    assert done.events == ()


# Updates that come before their create


def waits(done: Decided) -> dict[Position, Waiting | None]:
    """What becomes of updates that wait."""
    return {
        position: one
        for changes in (done.waits, *(write.waits for write in done.writes))
        for position, one in changes.items()
    }


def parked(*records: Record) -> dict[Position, Waiting]:
    """These updates as they wait."""
    done = decided(records)
    return {position: one for position, one in waits(done).items() if one}


def waiting(
    entries: Mapping[Position, Waiting], expired: Sequence[Parked] = (), progress: Progress | None = None
) -> Circumstances:
    return Circumstances(waiting=entries, expired=expired, progress=progress or Progress())


def test_an_update_whose_order_may_still_come_waits() -> None:
    (update,) = statuses("SHIPPED")

    done = decided([update], [], Circumstances(now=NOW))
    again = decided([update], [], waiting(parked(update)))

    (one,) = waits(done).values()
    assert isinstance(one, Parked)
    assert (one.record, one.since, done.answers[0].verdict, done.absent) == (update, NOW, "parked", ())
    assert (again.answers[0].verdict, again.answers[0].repeated, waits(again)) == ("parked", True, {})


@pytest.mark.parametrize(
    ("dialect", "members", "named", "verdict"),
    [
        ("shopping-cart", {"notes": "x"}, {}, "parked"),
        ("wishlist", {"email": "x"}, {}, "parked"),
        ("subscription", {"notes": "x"}, {"order_id": None, "order_ref": "R"}, "parked"),
        ("subscription", {"notes": "x"}, {}, "rejected"),  # nobody can know the id before he was told
        ("subscription", {"notes": "x"}, {"order_ref": "R"}, "rejected"),
        ("b2b-commerce", {"taxAmount": 1}, {}, "rejected"),
        ("configurator", {"name": "x"}, {}, "rejected"),
    ],
)
def test_only_addresses_that_can_be_known_beforehand_are_waited_for(
    dialect: str, members: JsonObject, named: dict[str, str | None], verdict: str
) -> None:
    create = a_create(dialect)
    (order,) = written(decided([create], [], Circumstances(numbers={create.position: 7})))

    assert verdict == decided([an_update(order, "order.patch", members, **named)]).answers[0].verdict


def test_an_update_with_one_known_address_never_waits() -> None:
    (order,) = written(decided([W]))

    done = decided([a_message("order.patch", {"email": "x"}, order_ref="W", order_id="unknown")], [order])

    assert pairs(done.answers[0].problems) == [("IDENTITY_CONFLICT", "headers.order-id")]


def test_a_create_takes_along_what_waits_for_it_in_the_order_of_offsets() -> None:
    updates = statuses("IN_PROGRESS", "SHIPPED", "COMPLETE")

    done = decided([W], [], waiting(parked(*reversed(updates))))

    (write,) = done.writes
    assert numbers(done.events) == [1, 2, 3, 4]
    assert [change.cause for change in write.after.history] == [W.position, *(update.position for update in updates)]
    assert [answer.record for answer in done.taken] == updates
    assert write.waits == {
        update.position: Mark(update, write.after.id, (number,)) for number, update in enumerate(updates, 2)
    }


def test_what_waits_is_decided_before_a_later_update_of_the_batch() -> None:
    early, late = statuses("SHIPPED", "COMPLETE")

    done = decided([W, late], [], waiting(parked(early)))

    assert [change.cause for change in written(done)[0].history] == [W.position, early.position, late.position]


def test_an_address_that_is_added_takes_along_what_waits_for_it() -> None:
    (order,) = written(decided([a_message("order.create", {"id": "A"})]))
    (early,) = statuses("SHIPPED")
    adds = a_message("order.patch", {"orderRef": "W", "email": "x"}, 1, order_id="A")

    done = decided([adds], [order], waiting(parked(early)))

    assert [decision.position for decision in written(done)[0].ledger.decisions][1:] == [adds.position, early.position]


def test_what_waits_for_a_large_order_is_decided_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderstream.batch.MOST_FOLDED", 1)  # byte: one update is enough
    entries = parked(*statuses("SHIPPED", "COMPLETE"))

    first = decided([W], [], waiting(entries))
    entries |= {position: one for position, one in waits(first).items() if one}
    told = Progress(told=first.unfinished)
    second = decided([W], written(first), waiting(entries, progress=told))

    assert (first.unfinished, first.answers, numbers(first.events)) == (W.position, (), [1, 2])
    assert (second.unfinished, second.answers[0].verdict, second.answers[0].repeated) == (None, "applied", False)
    assert (numbers(second.events), repeats(second.events)) == ([3], [])


def test_an_update_is_not_decided_before_all_that_wait_for_its_large_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orderstream.batch.MOST_FOLDED", 1)
    *early, late = statuses("IN_PROGRESS", "SHIPPED", "COMPLETE")

    done = decided([late], written(decided([W])), waiting(parked(*early)))

    assert (done.answers, done.unfinished) == ((), late.position)
    assert [answer.record for answer in done.taken] == early[:1]


def test_what_is_taken_along_and_has_nothing_to_tell_waits_no_longer() -> None:
    silent = a_message("order.patch", {"email": "x"}, order_ref="W")

    done = decided([W], [], waiting(parked(silent)))

    assert done.writes[0].waits == {silent.position: None}


def test_what_is_taken_along_may_be_refused() -> None:
    wrong = a_message("entry.update", {"quantity": 1}, order_ref="W", entry_ref="9")

    done = decided([W], [], waiting(parked(wrong)))

    ((mark,), (answer,)) = done.writes[0].waits.values(), done.taken
    assert isinstance(mark, Mark)
    assert mark.problems == answer.problems == written(done)[0].ledger.decisions[1].problems
    assert pairs(answer.problems) == [("ENTRY_NOT_FOUND", "headers.entry-ref")]


def test_what_waited_and_comes_again_is_decided_in_its_turn() -> None:
    first, second = statuses("SHIPPED", "COMPLETE")

    done = decided([W, first, second], [], waiting(parked(second)))

    assert [change.cause for change in written(done)[0].history] == [W.position, first.position, second.position]
    assert [(answer.verdict, answer.repeated) for answer in done.answers] == [
        ("applied", False), ("applied", False), ("parked", True),
    ]  # fmt: skip
    assert [answer.verdict for answer in done.taken] == ["applied"]


def test_what_a_stale_owner_has_decided_is_found_and_not_decided_again() -> None:
    (early,) = statuses("SHIPPED")
    stored = written(decided([W, early]))
    taker = a_message("order.patch", {"email": "x"}, 5, order_ref="W")

    done = decided([taker], stored, waiting(parked(early)))

    (write,) = done.writes
    assert write.after.sequence == 2
    assert write.waits == {early.position: Mark(early, write.after.id, (2,))}
    assert write.after.ledger.decisions[1].counts_from == taker.position


def test_events_of_what_was_taken_along_count_from_the_record_that_took_it() -> None:
    (early,) = statuses("SHIPPED")
    stored = written(decided([W._replace(position=Position("order-create", 0, 7))], [], waiting(parked(early))))
    published = {CREATES: 7, UPDATES: 1}

    done = decided(statuses("COMPLETE", first=1), stored, Circumstances(progress=Progress(published, {})))

    assert (numbers(done.events), repeats(done.events)) == ([1, 2, 3], ["earlier-unacknowledged"] * 2)


def test_a_decision_of_what_was_taken_along_stays_until_both_records_are_over() -> None:
    (early,) = statuses("SHIPPED")
    (order,) = written(decided([W._replace(position=Position("order-create", 0, 7))], [], waiting(parked(early))))
    for number in range(1, 60):
        patch = a_message("order.patch", {"totalItems": number}, number, order_ref="W")
        about = Circumstances(progress=Progress({}, {CREATES: 7, UPDATES: 60}))
        (order,) = written(decided([patch], [order], about))

    assert [decision.position for decision in order.ledger.decisions[:2]] == [("order-create", 0, 7), early.position]


def test_at_most_1000_updates_wait_for_one_address() -> None:
    updates = [a_message("order.patch", {"email": "x"}, number, order_ref="W") for number in range(MAX_WAITING)]
    one_more, another = (a_message("order.patch", {"email": "x"}, MAX_WAITING, order_ref=ref) for ref in ("W", "V"))
    entries = parked(*updates)

    done = decided([one_more], [], waiting(entries))

    assert [pairs(answer.problems) for answer in done.taken] == [[("ORDER_NOT_FOUND", "headers.order-ref")]]
    assert isinstance(done.waits[one_more.position], Mark)
    assert isinstance(decided([another], [], waiting(entries)).waits[another.position], Parked)


def test_values_of_8_mib_may_wait_for_one_address() -> None:
    large = "x" * (1024 * 1024 - 20)
    updates = [a_message("order.patch", {"email": large}, number, order_ref="W") for number in range(10)]

    done = decided(updates)

    assert [answer.record.position.offset for answer in done.taken] == [9]


def test_what_has_waited_long_enough_is_refused_after_a_last_look() -> None:
    (update,) = statuses("SHIPPED")
    entries = parked(update)
    expired = tuple(one for one in entries.values() if isinstance(one, Parked))

    gone = decided([], [], waiting(entries, expired=expired))
    found = decided([], written(decided([W])), waiting(entries, expired=expired, progress=progress(1)))

    assert pairs(gone.taken[0].problems) == [("ORDER_NOT_FOUND", "headers.order-ref")]
    assert gone.absent == ("wishlist/acme/order-ref/W",)
    assert isinstance(gone.waits[update.position], Mark)
    assert ([answer.verdict for answer in found.taken], numbers(found.events)) == (["applied"], [2])


def test_the_outputs_of_marks_are_told_again() -> None:
    shipped, wrong = statuses("SHIPPED")[0], a_message("entry.update", {"quantity": 1}, 1, order_ref="W", entry_ref="9")
    first = decided([W], [], waiting(parked(shipped, wrong)))
    marks = [one for one in waits(first).values() if isinstance(one, Mark)]

    told = decided([], written(first), Circumstances(untold=marks, progress=Progress({CREATES: 1, UPDATES: 2}, {})))

    assert [event.value for event in told.events] == [first.events[1].value]
    assert [(answer.record, answer.problems) for answer in told.taken] == [(wrong, first.taken[1].problems)]
    assert told.writes == ()


def test_a_record_that_is_marked_is_not_decided_again() -> None:
    (update,) = statuses("SHIPPED")
    first = decided([W], [], waiting(parked(update)))
    marks = {position: one for position, one in waits(first).items() if one}

    again = decided([update], [], waiting(marks))

    assert (again.answers[0].verdict, again.answers[0].repeated, again.writes) == ("parked", True, ())


@pytest.mark.parametrize("is_marked", [False, True])
def test_another_record_at_a_position_that_waits_is_never_skipped(is_marked: bool) -> None:  # noqa: FBT001
    update, another = statuses("SHIPPED")[0], statuses("COMPLETE")[0]
    entries = parked(update)
    marks = {update.position: Mark(update, None)}

    with pytest.raises(AnotherRecordError):
        decided([another], [], waiting(marks if is_marked else entries))
