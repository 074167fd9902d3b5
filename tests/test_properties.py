"""Properties of every dialect, on messages drawn from its own models; `HYPOTHESIS_PROFILE=long` tries many more."""

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Final

import bson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orderstream.answers import Answer, Circumstances, Decided, Item
from orderstream.batch import decide
from orderstream.commands import Kind, Operation
from orderstream.decode import Contracts, decode
from orderstream.dialects import DIALECTS
from orderstream.documents import CODEC, UnstorableError, encode, to_order
from orderstream.order import Order
from orderstream.outcomes import Refusal
from orderstream.problems import Code
from orderstream.rejected import rejected_message
from tests import oracle
from tests.builders import NOW, a_record, found_by, problems
from tests.members import read, shape_node, written
from tests.right_messages import ACCOUNTS, NAMES, Sent, creates, updates
from tests.strategies import anything
from tests.violations import GONE, RIGHT, breaking, of_full_values

ORDER_UPDATES: Final = (Operation.PATCH, Operation.REPLACE)
OPERATIONS: Final = [(name, operation) for name, dialect in DIALECTS.items() for operation in dialect.shapes]
PATH: Final = re.compile(
    r'value|key|headers\.[a-z-]+|(?:[A-Za-z_$][\w$]{0,39}|\*|\["[\w$-]{1,40}"\])'
    r'(?:\.(?:[A-Za-z_$][\w$]{0,39}|\*)|\[\d+\]|\["[\w$-]{1,40}"\])*',
    re.ASCII,
)
ADDRESS: Final = {
    "shopping-cart": {"order-id": "1"},
    "b2b-commerce": {"order-id": RIGHT[0]},
    "wishlist": {"order-id": "text", "order-ref": "text"},
}
TENANTS: Final[Mapping[str, st.SearchStrategy[str | None]]] = {
    "subscription": ACCOUNTS,
    "shopping-cart": st.none() | NAMES,
    "b2b-commerce": st.none() | NAMES,
}
ALIKE: Final = {  # tenants that are easily taken for each other; True: of 24 characters
    False: (("acme", "Acme"), ("a/b", "a%2Fb"), ("a", "a "), ("\xe9", "e\u0301"), ("t" * 512, "t" * 511)),
    True: (("a" * 24, "A" * 24), ("a/b".ljust(24), "a%2Fb".ljust(24))),
}
SECRET: Final = "s3cret\N{SNOWMAN}"


class Stream:
    """Messages that are decided one by one, on orders as MongoDB gives them back; none is ever decided again."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self._items: list[Item] = []
        self._answers: list[Answer] = []
        self._events: dict[tuple[str, int], bytes] = {}
        self._offsets: Counter[Kind] = Counter()

    def send(self, sent: Sent) -> Answer:
        """Decide one message. Raises `UnstorableError`."""
        kind = Kind(sent.headers["message-type"])
        self._offsets[kind] += 1
        record = a_record(value=written(sent.value).encode(), headers=sent.headers, offset=self._offsets[kind])
        item = Item(record, decode(record, Contracts()))
        decided = self._decide([item])
        for write in decided.writes:
            stored = to_order(bson.decode(encode(write.after), CODEC))
            assert oracle.tagged(write.after.body) == oracle.tagged(stored.body)
            self.orders[stored.id] = stored
        self._items.append(item)
        self._answers += decided.answers
        self._events |= {(event.order_id, event.sequence): event.value for event in decided.events}
        return decided.answers[0]

    def replay(self) -> None:
        """Deliver everything once more: the same decisions and events, and nothing to write."""
        again = self._decide(self._items)
        first = [answer._replace(repeated=answer.order_id is not None) for answer in self._answers]
        assert (first, ()) == (list(again.answers), again.writes)
        assert self._events == {(event.order_id, event.sequence): event.value for event in again.events}

    def _decide(self, items: list[Item]) -> Decided:
        numbers = {item.record.position: 100_000 + item.record.position.offset for item in items}
        return decide(items, found_by(items, self.orders.values()), Circumstances(numbers=numbers))


def storable(stream: Stream, sent: Sent) -> Answer:
    """What is answered, if Decimal128 can hold the sums."""
    try:
        return stream.send(sent)
    except UnstorableError:
        assume(False)  # noqa: FBT003  # Hypothesis's own signature
        raise


def of_tenant(sent: Sent, dialect: str, tenant: str | None) -> Sent:
    """The same message of another tenant."""
    name = "site-account" if dialect == "subscription" else "tenant"
    headers = {other: text for other, text in sent.headers.items() if other != name}
    value = {**sent.value, "orgId": tenant} if "orgId" in sent.value and dialect == "configurator" else sent.value
    return Sent(value, headers if tenant is None else {**headers, name: tenant})


def line_place(order: Order, sent: Sent) -> int | None:
    """Which line a message names; None: a new one, or one that the order does not have."""
    names = [("id", sent.headers.get("entry-id")), ("entryRef", sent.headers.get("entry-ref"))]
    lines: Any = order.body.get("orderLines", [])
    for member, name in names:
        for place, line in enumerate(lines):
            if name is not None and line.get(member) == name:
                return place
    return None


@cache
def first(dialect: str) -> Order:
    """The order of the dialect's first example."""
    example, stream = DIALECTS[dialect].examples[0], Stream()
    stream.send(Sent(example.value, example.headers))
    return next(iter(stream.orders.values()))


def full_headers(dialect: str, operation: Operation) -> dict[str, str]:
    """Headers that go with a value that has every member."""
    kind = Kind.CREATE if operation is Operation.CREATE else Kind.UPDATE
    line = {"entry-id": "text"} if operation in (Operation.ENTRY_UPDATE, Operation.ENTRY_DELETE) else {}
    named = ADDRESS.get(dialect, {}) if kind is Kind.UPDATE else {"idempotency-key": RIGHT[1]}
    scope = {"site-account": "x" * 24} if dialect == "subscription" else {"tenant": "text"}
    return {"dialect": dialect, "message-type": kind.value, "operation": operation.value, **scope, **named, **line}


def named(dialect: str, operation: Operation) -> dict[str, str]:
    """Headers that name the first order, where the operation has an order."""
    order, scope = first(dialect), "site-account" if dialect == "subscription" else "tenant"
    names = {"order-id": str(order.refs["order_id"]), scope: str(order.tenant), "order-ref": ""}
    return {} if operation is Operation.CREATE else names


def problems_of(value: Any, headers: Mapping[str, str]) -> list[tuple[str, str]]:  # noqa: ANN401  # JSON
    """Code and path of everything that is wrong."""
    judged = decode(a_record(value=written(value).encode(), headers=headers), Contracts())
    return problems(judged) if isinstance(judged, Refusal) else []


ENTRY_OPERATIONS: Final = (Operation.ENTRY_CREATE, Operation.ENTRY_UPDATE, Operation.ENTRY_DELETE)
MEMBERS: Final = [
    pytest.param(dialect, operation, member, id=f"{dialect} {operation} {member or 'value'}")
    for dialect, operation in OPERATIONS
    for member in of_full_values(dialect, operation)
]


def body(order: Order, said: oracle.Exact) -> Any:  # noqa: ANN401  # JSON
    """The stored body as *said* should be compared with it."""
    return oracle.tagged(oracle.as_said(order.dialect, order.body, said))


def tell(stream: Stream, order: Order, sent: Sent, said: oracle.Exact) -> oracle.Exact:
    """Send an order.patch or order.replace; the body that it must leave behind."""
    operation = Operation(sent.headers["operation"])
    expected = oracle.body_of_update(order.dialect, operation, said, read(written(sent.value)), sent.headers)
    try:
        answer = stream.send(sent)
    except UnstorableError:
        assert not oracle.fits(oracle.totals(order.dialect, expected))
        return said
    if answer.verdict == "rejected":  # only wishlist has rules that a right update can break
        assert order.dialect == "wishlist"
        assert {problem.code for problem in answer.problems} <= {Code.RULE_VIOLATION, Code.IDENTITY_CONFLICT}
        return said
    is_same = oracle.tagged(expected) == oracle.tagged(said)
    assert not is_same or answer.verdict == "unchanged"
    return expected


def begun(data: st.DataObject, dialect: str) -> tuple[Stream, Order, oracle.Exact]:
    """A stream with one order, and its body by the contract."""
    stream, sent = Stream(), data.draw(creates(dialect))
    said = oracle.body_of_create(dialect, read(written(sent.value)))
    if not oracle.fits(oracle.totals(dialect, said)):
        with pytest.raises(UnstorableError):
            stream.send(sent)
        assume(False)  # noqa: FBT003  # Hypothesis's own signature
    answer = stream.send(sent)
    assert answer.verdict == "applied", answer.problems
    return stream, stream.orders[str(answer.order_id)], said


@pytest.mark.parametrize("dialect", DIALECTS)
@given(data=st.data())
def test_an_order_holds_what_its_messages_said(dialect: str, data: st.DataObject) -> None:
    stream, order, said = begun(data, dialect)

    for operation in (None, *data.draw(st.permutations([*ORDER_UPDATES, Operation.PATCH]))):
        if operation:
            said = tell(stream, order, data.draw(updates(order, operation)), said)
        order = stream.orders[order.id]
        assert oracle.tagged(said) == body(order, said)
        assert oracle.totals(dialect, said) == order.totals
    stream.replay()


@given(data=st.data())
def test_lines_are_what_entry_messages_made_of_them(data: st.DataObject) -> None:
    stream, order, said = begun(data, "wishlist")

    for operation in (Operation.ENTRY_CREATE, *data.draw(st.lists(st.sampled_from(ENTRY_OPERATIONS), max_size=4))):
        sent = data.draw(updates(order, operation))
        answer = storable(stream, sent)
        place, order = line_place(order, sent), stream.orders[order.id]
        if answer.verdict == "applied":
            said = oracle.body_of_entry(operation, said, place, read(written(sent.value)), sent.headers)
        assert oracle.tagged(said) == body(order, said)
    stream.replay()


@pytest.mark.parametrize("dialect", DIALECTS)
@given(data=st.data())
def test_versions_end_in_the_highest_in_whatever_order_they_come(dialect: str, data: st.DataObject) -> None:
    stream, order, _ = begun(data, dialect)
    versions = data.draw(st.lists(updates(order, Operation.REPLACE), min_size=2, max_size=3))
    numbers = data.draw(st.permutations([*range(len(versions)), data.draw(st.integers(0, len(versions) - 1))]))

    for number in numbers:
        value, headers = versions[number]
        answer = storable(stream, Sent(value, {**headers, "source-version": str(10 + number)}))
        assume(answer.verdict != "rejected")

    last, stored = versions[-1], stream.orders[order.id]
    said = oracle.body_of_update(dialect, Operation.REPLACE, stored.body, read(written(last.value)), last.headers)
    assert oracle.tagged(said) == body(stored, said)
    stream.replay()


@pytest.mark.parametrize("dialect", DIALECTS)
@given(data=st.data())
def test_tenants_never_meet(dialect: str, data: st.DataObject) -> None:
    strangers = st.lists(TENANTS.get(dialect, NAMES), min_size=2, max_size=2, unique=True)
    mine, yours = data.draw(st.sampled_from(ALIKE[dialect == "subscription"]) | strangers)
    stream, sent = Stream(), data.draw(creates(dialect))
    ids = [str(storable(stream, of_tenant(sent, dialect, tenant)).order_id) for tenant in (mine, yours)]
    order, other = (stream.orders[id_] for id_ in ids)

    assert (mine, yours) == (order.tenant, other.tenant)
    assert set(order.lookup_keys).isdisjoint(other.lookup_keys)
    for operation in sorted(DIALECTS[dialect].shapes.keys() - {Operation.CREATE}):
        stranger = of_tenant(data.draw(updates(order, operation)), dialect, yours)
        assert storable(stream, stranger).order_id in (other.id, None)
    assert order == stream.orders[order.id]


@pytest.mark.parametrize(("dialect", "operation", "member"), MEMBERS)
def test_one_broken_rule_of_a_full_value_is_one_problem(dialect: str, operation: Operation, member: str) -> None:
    headers = full_headers(dialect, operation)
    wrong = {
        f"{violation.path} = {written(violation.put) if violation.put is not GONE else 'gone':.60}": found
        for value, violation in of_full_values(dialect, operation)[member]
        if (found := problems_of(violation.of(value), headers)) != [(violation.code, violation.path)]
    }

    assert not wrong


@pytest.mark.parametrize(("dialect", "operation"), OPERATIONS)
def test_no_member_is_overlooked(dialect: str, operation: Operation) -> None:
    members = shape_node(DIALECTS[dialect].shapes[operation]).members

    assert {"", *members} == of_full_values(dialect, operation).keys()


@pytest.mark.parametrize(("dialect", "operation"), OPERATIONS)
@given(data=st.data())
def test_one_broken_rule_beside_anything_right_is_one_problem(
    dialect: str, operation: Operation, data: st.DataObject
) -> None:
    is_create = operation is Operation.CREATE
    value, headers = data.draw(creates(dialect) if is_create else updates(first(dialect), operation))
    assert [] == problems_of(value, headers)

    violation = data.draw(st.sampled_from(breaking(dialect, operation, value)))

    assert [(violation.code, violation.path)] == problems_of(violation.of(value), headers)


def test_a_row_that_is_dropped_moves_no_problem_of_those_behind_it() -> None:
    rows = [{"lineItemId": "", "quantity": ""}, {"quantity": -1}]

    found = problems_of({"fulfilledItems": [{"items": rows}]}, full_headers("b2b-commerce", Operation.PATCH))

    assert [("FIELD_RANGE", "fulfilledItems[0].items[1].quantity")] == found


@pytest.mark.parametrize(("dialect", "operation"), OPERATIONS)
@given(data=st.data())
def test_anything_is_judged_without_a_word_of_what_it_says(
    dialect: str, operation: Operation, data: st.DataObject
) -> None:
    value = data.draw(anything(dialect, operation, SECRET))
    headers = {**full_headers(dialect, operation), **named(dialect, operation)}
    record = a_record(value=written(value, ascii_only=data.draw(st.booleans())).encode(), headers=headers, offset=9)
    judged = decode(record, Contracts())
    decided = decide([Item(record, judged)], [first(dialect)], Circumstances(numbers={record.position: 7}))

    for write in decided.writes:
        with suppress(UnstorableError):
            encode(write.after)
    for answer in decided.answers:
        assert all(PATH.fullmatch(problem.path) for problem in answer.problems), answer.problems
        if answer.problems:
            refused = rejected_message(record, answer.problems, answer.problem_count, NOW, 1_000_000)
            told = b"".join(content or b"" for name, content in refused.headers if name.startswith("rejection-"))
            assert not [word for word in (SECRET, "@", "k" * 41) if word in told.decode()]
