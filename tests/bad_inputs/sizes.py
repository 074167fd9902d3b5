"""Values that are long, deep or wide, and orders that grow (contracts 1.6, design 3)."""

import json
from typing import Any, Final

from orderstream.decode import Contracts
from tests.bad_inputs.cases import (
    Case,
    Input,
    Maker,
    Place,
    Refused,
    an_update,
    create,
    headers_of,
    named,
    outcome_of,
    raw,
    right,
)  # fmt: skip

LARGE: Final = ("TOO_LARGE", "value")
MOST_BYTES: Final = Contracts().max_value_bytes
MOST_MEMBERS: Final = 100_000


def nested(levels: int, opening: str, closing: str, *problems: Place) -> Maker:
    """A value of so many levels, in a free map; the value itself is the first, the map the second."""
    return text(f'"metadata": {{"a": {opening * (levels - 2)}{closing * (levels - 2)}}}', *problems)


def text(members: str, *problems: Place) -> Maker:
    """An order with these members."""
    return raw(f"{{{members}}}".encode(), *problems, of="configurator")


def long(size: int, *problems: Place) -> Maker:
    """A right create of exactly so many bytes."""

    def make(name: str) -> tuple[Input, ...]:
        value = json.dumps(right("wishlist", name)).encode()
        filled = value[:-1] + b" " * (size - len(value)) + b"}"
        return (Input("create", name.encode(), filled, headers_of("wishlist", name), outcome_of(problems)),)

    return make


def wide(count: int) -> Maker:
    """So many members that nobody knows, of which a hundred are listed."""

    def make(name: str) -> tuple[Input, ...]:
        (right,) = create({f"a{number}": 1 for number in range(count)})(name)
        listed = tuple(("FIELD_UNKNOWN", f"a{number}") for number in range(100))
        return (right._replace(outcome=Refused(listed, count)),)

    return make


def lines(count: int, *problems: Place, **line: Any) -> Maker:  # noqa: ANN401  # any JSON
    """An order of so many lines."""
    return create({"orderLines": [line] * count}, *problems)


def growing(name: str) -> tuple[Input, ...]:
    """Lines of a megabyte each, until no document can hold the order; what fits is kept, and a small change still."""
    line = {"appliedDiscounts": [{"name": "x" * 1_000_000}]}
    fits = [an_update(name, "entry.create", {"id": f"{name}/{n}", **line}, "applied") for n in range(12)]
    refused = Refused((("UNSTORABLE", "value"),))
    too_many = [an_update(name, "entry.create", {"id": f"{name}/{n}", **line}, refused) for n in range(12, 16)]
    return (*fits, *too_many, an_update(name, "order.patch", {"email": "small"}, "applied"))


def many_keys(name: str) -> tuple[Input, ...]:
    """Two orders whose lines have more lookup keys together than one command to MongoDB can hold, or one document."""
    headers = headers_of("wishlist", name, tenant="t" * 250)
    refused = Refused((("UNSTORABLE", "value"),))

    def of(order: int) -> Input:
        lines = [{"id": f"{order}{line}"} for line in range(45_000)]
        value = json.dumps({**right("wishlist", f"{name}/{order}"), "orderLines": lines}).encode()
        return Input("create", name.encode(), value, headers, refused)

    return of(1), of(2)


def flooded(name: str) -> tuple[Input, ...]:
    """One order is refused again and again."""
    refused = Refused((("ENTRY_NOT_FOUND", "headers.entry-ref"),))
    return tuple(an_update(name, "entry.update", {"quantity": n}, refused, entry_ref="none") for n in range(300))


CASES: Final[list[Case]] = named(
    "sizes",
    {
        "value_300KB": long(300_000),
        "value_at_the_limit": long(MOST_BYTES),
        "value_beyond_the_limit": long(MOST_BYTES + 1, LARGE),
        "value_1MB_compressed": raw(b" " * 1_200_000, LARGE),
        "value_7MB_compressed": raw(b'{"a": "' + b"x" * 7_000_000 + b'"}', LARGE),
        "deep_64": nested(64, "[", "]"),
        "deep_65": nested(65, "[", "]", LARGE),
        "deep_200": nested(200, "[", "]", LARGE),
        "deep_10000": nested(10_000, "[", "]", LARGE),
        "deep_500000": nested(500_000, "[", "]", LARGE),
        "deep_objects": nested(10_000, '{"a":', "", LARGE),
        "deep_1e6": raw(b"[" * 1_000_000, LARGE),
        "bomb_nested_json": raw(b'{"a":' * 40_000, LARGE),
        "depth_in_a_string": text(f'"name": "{"[" * 200}"'),
        "depth_in_an_escaped_string": text(f'"name": "\\"{"[" * 200}\\""'),
        "wide_10k_fields": wide(10_000),
        "wide_10k_in_a_map": create({"metadata": {f"a{n}": n for n in range(10_000)}}, of="configurator"),
        "wide_at_the_limit": create({"metadata": {"a": [1] * (MOST_MEMBERS - 3)}}, of="configurator"),
        "wide_beyond_the_limit": create({"metadata": {"a": [1] * (MOST_MEMBERS - 2)}}, LARGE, of="configurator"),
        "wide_500k": text(f'"metadata": {{"a": [{"1," * 500_000}1]}}', LARGE),
        "commas_only": raw(b"{" + b"," * 1_000_000, LARGE),
        "items_5k": lines(5_000),
        "items_100k": lines(100_000, LARGE),
        "items_40k_of_two_members": lines(40_000, LARGE, quantity=1, gtin="7"),
        "items_with_more_keys_than_a_command_holds": many_keys,
        "items_wrong_each": create(
            {"orderLines": [{"quantity": -1}] * 50}, *(("FIELD_RANGE", f"orderLines[{n}].quantity") for n in range(50))
        ),
        "growth_to_16_MB": growing,
        "flood_one_order": flooded,
    },
)
