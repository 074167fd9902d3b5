"""Some thousand messages made wrong by chance; `python -m tests.fuzz` tries as many as one likes."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderstream.commands import Kind
from orderstream.dialects import DIALECTS
from tests.fuzz.laws import record_of, verdict_of
from tests.fuzz.mutations import TIMES, spoiled
from tests.fuzz.starts import Start, of_models, of_samples
from tests.members import written
from tests.strategies import anything

OPERATIONS = [(name, operation) for name, dialect in DIALECTS.items() for operation in dialect.shapes]


@pytest.fixture(name="starts", scope="module")
def _starts() -> list[Start]:
    return [*of_samples(), *of_models(1)]


@settings(max_examples=3_000)
@given(seed=st.integers(0, 2**64))
def test_a_spoiled_message_is_judged_and_its_rejection_can_be_sent(starts: list[Start], seed: int) -> None:
    chance = Random(seed)
    start = chance.choice(starts)

    assert verdict_of(record_of(spoiled(start, starts, chance), chance.choice(TIMES)), start.orders)


@settings(max_examples=200)
@given(data=st.data(), case=st.sampled_from(OPERATIONS), named=st.booleans())
def test_any_json_is_judged_and_its_rejection_can_be_sent(
    data: st.DataObject,
    case: tuple[str, str],
    named: bool,  # noqa: FBT001
) -> None:
    dialect, operation = case
    value = written(data.draw(anything(dialect, operation, ""))).encode()  # type: ignore[arg-type]
    kind = Kind.CREATE if operation == "order.create" else Kind.UPDATE
    said = {"dialect": dialect, "message-type": kind, "operation": operation, "tenant": "t", "site-account": "a" * 24}
    headers = {**said, **({"order-id": "7", "idempotency-key": "x"} if named else {})}

    start = Start(kind, b"k", value, tuple((name, text.encode()) for name, text in headers.items()))

    assert verdict_of(record_of(start, 0), ())
