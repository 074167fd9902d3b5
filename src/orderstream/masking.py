"""Personal data of messages masked, so that a message can be looked at (interface 5; pure)."""

import re
from collections.abc import Collection, Sequence
from typing import Final

from orderstream.dialects import DIALECTS
from orderstream.headers import CREDENTIALS, NAMES
from orderstream.problems import Segment
from orderstream.reading import MASK

RULE: Final = (
    "Shown as they are: ids and references that have a digit, products, statuses and other listed values, currencies, "
    "dates, numbers of at most 6 digits, true, false and null. Any other text may be about a person, at a faulty place "
    "too, and is shown by its form: letters as x, digits as 9, so that an e-mail reads xxx@xxxxxx.xxx. Secrets (cards, "
    "tokens, credentials) are never shown."
)

NAMING: Final = frozenset({
    "id", "_id", "orderId", "orderRef", "orderReference", "shortId", "entryId", "entryRef", "cartId", "lineItemId",
    "customerId", "customerRef", "customerUserId", "customerAccountId", "requesterId", "userId", "facilityId",
    "orgId", "originOrgId", "shippingAddressId", "billingAddressId", "addressId", "addressRef", "itemId",
    "priceListId", "returnId", "shipToId", "billToId", "shipmentId", "shipmentRef", "shipmentLineRef",
    "shipmentMethodId",
})  # fmt: skip
LISTED: Final = frozenset({
    "status", "orderStatus", "paymentStatus", "deliveryStatus", "shippingState", "shipmentStatus", "channel",
    "discountType", "shipToType", "value_type", "paymentKind", "weightUnit", "currency", "currencyCode",
    "orderCurrency", "quantityShipped", "productId", "productRef", "variantId", "configurationId", "sku", "gtin",
    "discountRef", "taxCode", "taxCategoryCode", "created_at", "updated_at", "createdAt", "updatedAt", "orderedAt",
    "processedAt", "cancelledAt", "returnedAt", "fulfilledAt", "shippedDate", "deliveryDate", "promisedDeliveryDate",
})  # fmt: skip
SECRET: Final = frozenset[str]().union(*(dialect.secret for dialect in DIALECTS.values()))
MAX_DIGITS: Final = 6  # of a number that is no telephone number

_NAME: Final = re.compile(r"(?=.*[0-9])[A-Za-z0-9._:/+-]{1,64}")
_LISTED: Final = re.compile(r"[A-Za-z0-9 ._:/+-]{0,64}")
_GENERATED: Final = re.compile(r"[0-9a-fA-F]{24}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DIGIT: Final = re.compile("[0-9]")
_OF_PERSONS: Final = re.compile("phone|mobile|fax|zip|post|card|token|birth|passport|secret", re.IGNORECASE)
_CREDENTIAL: Final = re.compile("auth|token|secret|passw|cookie|api-?key|credential", re.IGNORECASE)


def form(text: str) -> str:
    """The text with x for its letters and 9 for its digits."""
    return "".join(map(_form, text))


def _form(character: str) -> str:
    if character.isdigit():
        return "9"
    if character.isalpha() or not (character.isascii() or character == "\N{REPLACEMENT CHARACTER}"):
        return "X" if character.isupper() else "x"
    return character


def masked_text(place: Sequence[Segment], text: str, *, reveal: bool) -> str:
    """A text of a value, as it may be shown at this place."""
    name = _innermost(place)
    if SECRET.intersection(place):
        return MASK
    if _NUMBER.fullmatch(text):
        return masked_number(place, text, reveal=reveal)
    is_open = (name in NAMING and _NAME.fullmatch(text)) or (name in LISTED and _LISTED.fullmatch(text))
    return text if reveal or is_open or _GENERATED.fullmatch(text) else form(text)


def masked_number(place: Sequence[Segment], digits: str, *, reveal: bool) -> str:
    """A number of a value in its own digits, as it may be shown at this place."""
    is_secret = bool(SECRET.intersection(place))
    of_a_person = any(isinstance(segment, str) and _OF_PERSONS.search(segment) for segment in place)
    is_short = len(digits.lstrip("-").split(".")[0]) <= MAX_DIGITS
    may_be_shown = reveal or _innermost(place) in NAMING or (is_short and not of_a_person)
    return digits if may_be_shown and not is_secret else _DIGIT.sub("9", digits)


def masked_key(key: bytes | None, *, reveal: bool) -> str | None:
    """A record key, as it may be shown."""
    if key is None:
        return None
    text = key.decode(errors="backslashreplace")
    return text if reveal or _NAME.fullmatch(text) else form(text)


def masked_header(name: str, value: bytes | None, *, reveal: bool) -> str | None:
    """A header, as it may be shown; credentials should not be there, and are masked if they are."""
    if value is None:
        return None
    if name.lower() in CREDENTIALS or _CREDENTIAL.search(name):
        return MASK
    text = value.decode(errors="backslashreplace")
    return text if reveal or (name in NAMES and _LISTED.fullmatch(text)) else form(text)


def _innermost(place: Collection[Segment]) -> str:
    """The name of the member, or of the list that it is in."""
    return next((segment for segment in reversed(list(place)) if isinstance(segment, str)), "")
