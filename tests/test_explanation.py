"""What happened to one order, put together from all that is known of it."""

from datetime import timedelta

import orjson

from orderstream.commands import Record
from orderstream.decode import Contracts
from orderstream.explanation import Explanation, Refused, Told, explained, meant, readable
from orderstream.json_text import JsonObject
from orderstream.ledger import recounted
from orderstream.mentions import sought, sought_as
from orderstream.order import Order, Position
from orderstream.parking import Mark
from orderstream.ports import WaitingRecord
from orderstream.problems import Code, Problem
from orderstream.rejections import Rejection
from tests.builders import NOW, Given, a_create, an_update

REF = "WEB-2026-1042"
PAID: JsonObject = {"paymentStatus": "PAID"}
WRONG: JsonObject = {"totalAmount": 1}  # its twin in cents says something else
NOT_FOUND = Problem(Code.ORDER_NOT_FOUND, "headers.order-ref", "names no order of this tenant")


def a_given() -> Given:
    return Given(a_create("wishlist"))


def a_patch(order: Order, members: JsonObject = PAID, /, **headers: str | None) -> Record:
    return an_update(order, "order.patch", members, **headers)


def of(order: Order | None, *waiting: WaitingRecord, refused: tuple[Refused, ...] = ()) -> Explanation:
    return explained(order, waiting, refused, Contracts())


def what(explanation: Explanation) -> list[tuple[str, str]]:
    return [(str(told.position), told.decision) for told in explanation.messages]


def parked(offset: int, partition: int = 0) -> WaitingRecord:
    """An update that waits for an order that is not there."""
    record = a_patch(a_given().order, order_id=None, order_ref=REF)
    return WaitingRecord(record._replace(position=Position("order-update", partition, offset)), NOW, None)


def marked(waiting: WaitingRecord, order_id: str | None = None) -> WaitingRecord:
    problems = () if order_id else (NOT_FOUND,)
    return waiting._replace(mark=Mark(waiting.record, order_id, problems=problems, problem_count=len(problems)))


def a_refusal(offset: int, seconds: float = 0, partition: int = 0) -> Refused:
    rejection = Rejection(
        id=Position("order-update", partition, offset),
        stands=Position("order-rejected", 0, 0),
        at=NOW + timedelta(seconds=seconds),
        attempt=1,
        problems=(Problem(Code.FIELD_TYPE, "email", "must be a text"),),
        problem_count=3,
        replay_of=None,
        key=b"k",
        value=b"",
        headers=(),
        cut=None,
    )
    return Refused(rejection, ("headers.order-ref",))


def test_each_decision_is_told_with_its_reason_and_its_events() -> None:
    given = a_given()
    for members in (PAID, PAID, WRONG):
        given.when(a_patch(given.order, members))

    create, paid, again, wrong = of(given.order).messages

    assert ("applied", 1, (1,)) == (create.decision, create.revision, create.sequences)
    assert ("applied", 2, (2,)) == (paid.decision, paid.revision, paid.sequences)
    assert ("unchanged", "nothing differs", ()) == (again.decision, again.reason, again.sequences)
    assert ("rejected", 2) == (wrong.decision, wrong.revision)
    assert [("RULE_VIOLATION", "totalAmount")] == [(each.code, each.path) for each in wrong.problems]


def test_a_deletion_is_told_and_what_came_after_it() -> None:
    given = a_given()
    given.when(an_update(given.order, "order.delete"))
    given.when(a_patch(given.order))

    assert ["applied", "applied", "rejected"] == [decision for _, decision in what(of(given.order))]


def test_a_repeat_of_the_create_has_the_first_event() -> None:
    given = a_given()
    given.when(a_create("wishlist"))

    _, repeat = of(given.order).messages

    assert ("unchanged", "it repeats the create", (1,)) == (repeat.decision, repeat.reason, repeat.sequences)


def test_a_replay_says_of_what() -> None:
    given = a_given()
    given.when(a_patch(given.order, replay_of="order-update/0/7"))

    assert [None, "order-update/0/7"] == [told.replay_of for told in of(given.order).messages]


def an_old_order() -> Order:
    """One whose ledger has dropped its create and nine updates, five of them without an event."""
    given = a_given()
    for number in range(59):
        status = "PAID" if number % 4 == 1 else "NOT_PAID"
        members: JsonObject = {"paymentStatus": status} if number % 2 else {"email": str(number)}
        given.when(a_patch(given.order, members))
    return given.order


def test_every_event_is_told_when_the_ledger_no_longer_goes_back_so_far() -> None:
    order = an_old_order()

    story = of(order)

    assert [change.sequence for change in order.history] == [n for told in story.messages for n in told.sequences]
    assert {"history", "ledger"} == {told.source for told in story.messages}
    offsets = [told.position.offset for told in story.messages[1:]]
    assert sorted(offsets) == offsets


def test_an_event_whose_decision_is_dropped_stands_where_it_was_decided() -> None:
    given = a_given()
    changes: list[JsonObject] = [PAID, PAID, {"email": "x"}, {"orderStatus": "COMPLETE"}]
    for members in changes:
        given.when(a_patch(given.order, members))
    create, _, *later = given.order.ledger.decisions
    order = given.order._replace(ledger=given.order.ledger._replace(decisions=(create, *later)))

    assert [1, 1, 2, 3, 4] == [told.position.offset for told in of(order).messages]
    assert ["ledger", "history", "ledger", "ledger", "ledger"] == [told.source for told in of(order).messages]


def test_what_is_not_told_is_counted() -> None:
    forgotten = of(an_old_order()).forgotten

    assert forgotten
    assert {"order-create/0/1", "order-update/0/9"} == {str(position) for position in forgotten.up_to}
    assert 5 == forgotten.revisions
    assert of(a_given().order).forgotten is None


def test_an_update_that_waited_says_until_when() -> None:
    given = a_given()
    given.when(a_patch(given.order))
    create = Position("order-create", 0, 1)

    story = of(recounted(given.order, Position("order-update", 0, 1), create))

    assert [None, create] == [told.waited_until for told in story.messages]


def test_updates_that_wait_are_told_without_an_order() -> None:
    (told,) = of(None, parked(7)).messages

    assert ("parked", NOW, Position("order-update", 0, 7)) == (told.decision, told.parked_since, told.position)
    assert ("wishlist/example-retailer/order-ref/WEB-2026-1042",) == told.waits_for


def test_an_update_that_waited_in_vain_is_told_before_those_that_wait() -> None:
    story = of(None, parked(7), marked(parked(8)))

    assert [("order-update/0/8", "rejected"), ("order-update/0/7", "parked")] == what(story)
    assert story.messages[0].output_pending


def test_an_update_that_is_decided_and_marked_is_told_once() -> None:
    given = a_given()
    given.when(a_patch(given.order, order_id=None, order_ref=REF))

    story = of(given.order, marked(parked(1), given.order.id))

    assert [("order-create/0/1", "applied"), ("order-update/0/1", "applied")] == what(story)
    assert [(1, False), (2, True)] == [(told.revision, told.output_pending) for told in story.messages]


def test_a_mark_of_no_order_counts_where_its_update_named_this_one() -> None:
    waiting = [parked(1), marked(parked(2)), marked(parked(3), "6" * 24)]

    assert [1, 2, 3] == [each.record.position.offset for each in meant(waiting, sought_as(REF, None, None))]
    assert [1, 3] == [each.record.position.offset for each in meant(waiting, sought_as("WEB-1", None, None))]
    assert [1, 2, 3] == [each.record.position.offset for each in meant(waiting, sought(a_given().order))]


def test_a_refused_message_stands_before_the_next_of_its_partition() -> None:
    given = a_given()
    for _ in range(3):
        given.when(a_patch(given.order))
    order = given.order
    earlier = order._replace(
        ledger=order.ledger._replace(decisions=tuple(d for d in order.ledger.decisions if d.position.offset != 2))
    )

    story = of(earlier, parked(9, partition=3), refused=(a_refusal(2, seconds=60),))

    offsets = [told.position.offset for told in story.messages if told.position.topic == "order-update"]
    assert [1, 2, 3, 9] == offsets


def test_a_refused_message_of_another_partition_stands_by_its_time() -> None:
    given = a_given()
    given.when(an_update(given.order, "order.patch", PAID, NOW + timedelta(seconds=9)))

    refused = (a_refusal(5, 60, partition=1), a_refusal(4, 3, partition=1))
    story = of(given.order, parked(9, partition=3), refused=refused)

    assert [1, 4, 1, 5, 9] == [told.position.offset for told in story.messages]


def test_a_refusal_that_the_order_knows_is_told_once() -> None:
    given = a_given()
    given.when(a_patch(given.order, WRONG))

    story = of(given.order, refused=(a_refusal(1), a_refusal(2), a_refusal(2)))

    assert ["ledger", "ledger", "rejected-topic"] == [told.source for told in story.messages]
    assert (3, ("headers.order-ref",)) == (story.messages[-1].problem_count, story.messages[-1].found_by)


def test_programs_get_the_same_with_ids_and_times_as_texts() -> None:
    given = a_given()
    given.when(a_patch(given.order))

    shown = orjson.loads(orjson.dumps(readable(of(given.order, parked(9, partition=3)))))

    assert (given.order.id, "paid", 2) == (
        shown["order"]["_id"],
        shown["order"]["status"]["payment"],
        shown["order"]["revision"],
    )
    assert [[f"{given.order.id}:1"], [f"{given.order.id}:2"], []] == [each["events"] for each in shown["messages"]]
    assert ("order-update/3/9", "2026-11-21T10:15:30.123Z") == (
        shown["messages"][-1]["position"],
        shown["messages"][-1]["parked_since"],
    )
    assert {len(Told._fields)} == {len(each) for each in shown["messages"]}


def test_programs_get_null_where_there_is_no_order() -> None:
    assert readable(of(None, parked(1)))["order"] is None


def test_nothing_that_a_message_said_is_told() -> None:
    given = a_given()
    given.when(a_patch(given.order, {"email": "robin.secret@example.com"}))

    shown = orjson.dumps(readable(of(given.order, parked(9))))

    assert b"@example.com" not in shown
