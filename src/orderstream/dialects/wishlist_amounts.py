"""Amounts of the dialect `wishlist`: plain ones and their twins in minor units (contracts/wishlist.md, section 3.4)."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from orderstream.dialect import amount
from orderstream.json_text import Json, JsonObject
from orderstream.problems import Code, Problem, Segment, path

CENTS: Final = 2  # decimals that every `InCent` member may stand for
DECIMALS: Final[Mapping[str, int]] = {  # ISO 4217, where it is another number
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0,
    "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
    "CLF": 4, "UYW": 4,
}  # fmt: skip


def decimals_of(value: JsonObject, *, whole: bool) -> tuple[int, ...]:
    """How many decimals an `InCent` member may stand for; all that exist where the currency is not known here."""
    code = value.get("currencyCode")
    if isinstance(code, str):
        return tuple(dict.fromkeys((CENTS, DECIMALS.get(code.upper(), CENTS))))
    return (CENTS,) if whole and "currencyCode" not in value else (CENTS, *sorted(set(DECIMALS.values())))


def unequal_twins(value: Json, decimals: tuple[int, ...], *place: Segment) -> Iterator[Problem]:
    """Amounts whose twin in minor units is more than one unit away, at every level (contract section 3.4)."""
    match value:
        case dict():
            for name, member in value.items():
                if isinstance(member, dict | list):
                    yield from unequal_twins(member, decimals, *place, name)
                elif name.endswith("Cent"):
                    plain = name.removesuffix("Cent").removesuffix("In")  # shippingCostIncTaxCent lacks the "In"
                    if not _are_equal(amount(value.get(plain)), amount(member), decimals):
                        yield Problem(Code.RULE_VIOLATION, path(*place, plain), "differs from its twin in minor units")
        case list():
            for index, element in enumerate(value):
                yield from unequal_twins(element, decimals, *place, index)


def _are_equal(exact: Decimal | None, minor: Decimal | None, decimals: tuple[int, ...]) -> bool:
    return exact is None or minor is None or _distance(exact, minor, decimals)[0] <= 1


def _distance(exact: Decimal, minor: Decimal, decimals: tuple[int, ...]) -> tuple[Decimal, int]:
    """How far the twins are apart, in minor units, and the decimals with which that is least."""
    return min(((abs(minor - exact.scaleb(count)), count) for count in decimals), key=lambda distance: distance[0])


def money(given: JsonObject, member: str, decimals: tuple[int, ...]) -> Decimal | None:
    """The integer in minor units leads; alone it says cents."""
    exact, minor = amount(given.get(member)), amount(given.get(f"{member}InCent"))
    if minor is None:
        return exact
    return minor.scaleb(-(CENTS if exact is None else _distance(exact, minor, decimals)[1]))
