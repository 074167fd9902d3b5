"""Bad inputs: each is answered as the contracts say, hurts nobody beside it, and is answered alike after a crash."""

import json
from collections import Counter
from typing import Any

import pytest

from orderstream.answers import Answer
from orderstream.headers import CREDENTIALS
from orderstream.kafka import BROKER_LIMIT
from orderstream.reading import readable
from orderstream.rejected import rejected_message
from tests.bad_inputs import CASES
from tests.bad_inputs.cases import Case, Input, Refused
from tests.bad_inputs.play import Memory, base_of, decoded, record_of
from tests.builders import NOW
from tests.fakes import Fault, at_once
from tests.test_pipeline import KILL, Bench, untold

SMALL = {name: case for name, case in CASES.items() if name != "sizes/growth_to_16_MB"}  # that one dies on real servers


def assert_told(sent: Input, headers: dict[str, Any]) -> None:
    """Codes and paths are those that the case names."""
    assert isinstance(sent.outcome, Refused), headers.get("rejection-problems")
    told = [(problem["code"], problem["path"]) for problem in json.loads(headers["rejection-problems"])]
    assert list(sent.outcome.problems) == told
    assert str(sent.outcome.all_of_them or len(told)).encode() == headers["rejection-problem-count"]
    assert told[0][0].encode() == headers["rejection-code"]


def test_there_are_all_of_the_planned_ones() -> None:
    assert len(CASES) >= 110


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_decided_as_the_contracts_say(case: Case) -> None:
    memory = Memory()
    for sent in base_of(case):
        memory.send(sent)

    for sent in case.inputs:
        answer = memory.send(sent)

        if isinstance(sent.outcome, Refused):
            assert_rejectable(sent, answer)
        else:
            assert (sent.outcome, ()) == (answer.verdict, answer.problems)
    orders = [decoded(document) for document in memory.stored.values()]
    assert all(json.dumps(readable(order)) for order in orders)
    assert {1} >= set(Counter(key for order in orders for key in order.lookup_keys).values())


def assert_rejectable(sent: Input, answer: Answer) -> None:
    """The rejected message can be sent, and says what the case says."""
    message = rejected_message(answer.record, answer.problems, answer.problem_count, NOW, BROKER_LIMIT)

    assert_told(sent, dict(message.headers))
    assert (sent.value or b"").startswith(message.value or b"")
    size = sum(len(name.encode()) + len(value or b"") for name, value in message.headers)
    assert size + len(message.key or b"") + len(message.value or b"") < BROKER_LIMIT
    assert CREDENTIALS.isdisjoint(name.lower() for name, _ in message.headers)


@pytest.mark.parametrize("case", SMALL.values(), ids=SMALL)
def test_it_comes_to_the_same_when_its_lane_dies_after_writing_and_after_publishing(case: Case) -> None:
    creates, updates = ([record_of(sent) for sent in everything(case, topic)] for topic in ("create", "update"))
    calm = at_once(Bench(creates, updates).live())

    dying = Bench(creates, updates, *(Fault(step, 1, "before", KILL()) for step in ("after write", "after publish")))
    at_once(dying.survive())

    assert 3 == dying.lives
    assert (untold(calm), calm.seen(), calm.rejected()) == (untold(dying), dying.seen(), dying.rejected())


def everything(case: Case, topic: str) -> list[Input]:
    return [sent for sent in (*base_of(case), *case.inputs) if sent.topic == topic]
