"""When rejections of a dialect wake somebody: once, and once more when it is over."""

from collections.abc import Iterable, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from orderstream.alarm import LEAST, WINDOW_SECONDS, Alarm
from orderstream.answers import Answer, Decided
from orderstream.decode import decode
from orderstream.json_text import JsonObject
from orderstream.logs import LogObserver
from orderstream.messages import AS_DELIVERED
from orderstream.outcomes import Refusal
from tests.builders import a_create


def turns(alarm: Alarm, now: float) -> list[tuple[str, str]]:
    return [(dialect, turn) for dialect, turn, _ in alarm.turns(now)]


@pytest.mark.parametrize(
    ("messages", "rejections", "high"),
    [(200, 20, 1), (200, 19, 0), (201, 20, 0), (20, 20, 1), (19, 19, 0), (100_000, 9_999, 0)],
)
def test_it_takes_twenty_rejections_and_a_tenth_of_the_messages(messages: int, rejections: int, high: int) -> None:
    alarm = Alarm()
    alarm.count("wishlist", messages, rejections, 0)

    assert [("wishlist", "high")] * high == turns(alarm, 0)


def test_it_tells_once_until_it_is_over() -> None:
    alarm, told = Alarm(), []
    for second in range(600):
        alarm.count("wishlist", 100, 50 if second < 300 else 0, second)
        told += [(second, turn) for _, turn in turns(alarm, second)]

    assert ["high", "normal"] == [turn for _, turn in told]
    assert (0, True) == (told[0][0], 300 < told[1][0] <= 300 + WINDOW_SECONDS)


def test_it_is_over_when_nothing_comes_any_more_and_can_begin_again() -> None:
    alarm = Alarm()
    alarm.count("wishlist", LEAST, LEAST, 0)
    assert [("wishlist", "high")] == turns(alarm, 0)
    assert [] == turns(alarm, WINDOW_SECONDS - 1)
    assert [("wishlist", "normal")] == turns(alarm, WINDOW_SECONDS)

    alarm.count("wishlist", LEAST, LEAST, 500)
    assert [("wishlist", "high")] == turns(alarm, 500)


def test_batches_of_one_second_add_up() -> None:
    alarm = Alarm()
    for _ in range(LEAST):
        alarm.count("wishlist", 1, 1, 0.5)

    assert [("wishlist", "high")] == turns(alarm, 0.6)


def test_it_does_not_flap_at_the_bound() -> None:
    alarm = Alarm()
    alarm.count("wishlist", 10, 10, 0)
    alarm.count("wishlist", 10, 10, 30)
    assert [("wishlist", "high")] == turns(alarm, 30)

    assert [] == turns(alarm, 61)  # ten are left: half the bound
    assert [("wishlist", "normal")] == turns(alarm, 95)


def test_one_dialect_does_not_hide_in_the_messages_of_another() -> None:
    alarm = Alarm()
    alarm.count("b2b-commerce", 1_000_000, 0, 0)
    alarm.count("wishlist", 30, 30, 0)

    assert [("wishlist", "high")] == turns(alarm, 0)


def decided(statuses: Iterable[str], dialect: str = "wishlist") -> Decided:
    answers = []
    for status in statuses:
        members: JsonObject = {"orderStatus": status, "email": "jane@example.com"}
        record = a_create("wishlist", members, dialect=dialect)
        judged = decode(record, AS_DELIVERED)
        problems = judged.problems if isinstance(judged, Refusal) else ()
        verdict = "rejected" if problems else "applied"
        answers.append(Answer(record, None, None, verdict, problems=problems, problem_count=len(problems)))  # type: ignore[arg-type]
    return Decided(answers=tuple(answers), writes=(), events=(), taken=(), waits={}, absent=())


def logged(observer: LogObserver, batches: Iterable[Decided]) -> list[MutableMapping[str, Any]]:
    with capture_logs() as lines:
        for batch in batches:
            observer.batch_done(0, batch, {})
    return [line for line in lines if line["event"].startswith("rejections.")]


def test_the_log_has_one_error_and_one_line_when_it_is_over() -> None:
    clock = map(float, range(1000))
    bad, good = decided(["In Transit"] * 10), decided(["CREATED"])

    high, normal = logged(LogObserver(lambda: next(clock)), [bad] * 50 + [good] * 150)

    assert ("rejections.high", "error") == (high["event"], high["log_level"])
    assert ("wishlist", 20, 20, 60) == tuple(high[name] for name in ("dialect", "messages", "rejections", "seconds"))
    assert ("rejections.normal", "info") == (normal["event"], normal["log_level"])
    assert "jane" not in repr((high, normal))


def test_what_was_decided_before_is_not_counted_again() -> None:
    batch = decided(["In Transit"] * 19)
    again = batch._replace(answers=tuple(one._replace(repeated=True) for one in batch.answers))

    assert [] == logged(LogObserver(lambda: 0.0), [batch, again, again])


def test_messages_of_no_known_dialect_are_counted_together() -> None:
    batch = decided(["CREATED"] * 20, dialect="wish list")

    assert ["other"] == [line["dialect"] for line in logged(LogObserver(lambda: 0.0), [batch])]
