"""Strings that must not sing: planted wherever a message or a setting has room for personal data or secrets."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from orderstream.commands import Headers
from orderstream.decode import Contracts, decode
from orderstream.outcomes import Refusal
from tests.builders import a_record
from tests.members import Value
from tests.sample_play import Message
from tests.worker import Sent

Place: TypeAlias = tuple[str | int, ...]

CANARY: Final = "cAnArY"
NAME: Final = (
    f"{CANARY}@example.com"  # as the name of a member; one that looks like a name may be shown (contracts 1.6)
)
NUMBER: Final = 734_198_773
SINGING: Final = (CANARY.encode(), str(NUMBER).encode())
CREDENTIALS: Final[Headers] = tuple(
    (name, f"Bearer {CANARY}-{name}".encode()) for name in ("authorization", "X-API-Key", "accessToken")
)
ALWAYS: Final = ("order-id", "order-ref", "entry-id", "idempotency-key", "source-version", "content-type")
TENANT: Final = ("tenant", "site-account", "orgId")  # is shown in logs, by contract


def sung(*said: bytes) -> list[bytes]:
    """The lines in which a canary is heard."""
    lines = (line for text in said for line in text.splitlines())
    return [line for line in lines if any(canary.lower() in line.lower() for canary in SINGING)]


def right(message: Message) -> Message:
    """A right message with a canary in every member that can bear one."""
    for number, place in enumerate(place for place in leaves(message.value) if place[0] not in TENANT):
        for canary in (f"{CANARY}-{number}", f"{CANARY}-{number}-of-24-characters"[:24], NUMBER, NUMBER + 0.5):
            planted = message._replace(value=_with(message.value, place, canary))
            if not isinstance(_judged(planted), Refusal):
                message = planted
                break
    return message


def wrong(message: Message) -> Message:
    """With canaries instead of everything, and as the names of members."""
    return message._replace(value={**_all_wrong(message.value), NAME: {NAME: CANARY}})


def sent(message: Message) -> Sent:
    """With a canary in the key, and in headers that nobody may show."""
    out = message.sent()
    own = (("x-own", CANARY.encode()), ("traceparent", f"00-{CANARY}".encode()))
    key = message.key if CANARY in message.key else f"{CANARY} key of {message.key}"
    return out._replace(key=key.encode(), headers=(*out.headers, *CREDENTIALS, *own))


def spoiled(message: Message) -> Iterator[Sent]:
    """With a canary in one of the headers each, and in values that are no JSON."""
    whole = sent(message)
    names = {name for name in message.headers if name not in (*TENANT, "correlation-id")}
    for name in sorted(
        {*names, "order-id", "order-ref", "entry-id", "idempotency-key", "source-version", "content-type"}
    ):
        others = tuple(header for header in whole.headers if header[0] != name)
        yield whole._replace(headers=(*others, (name, CANARY.encode())))
    text = whole.value or b""
    yield whole._replace(value=text[:-1] + f', "email": "{CANARY}" {CANARY}}}'.encode())
    yield whole._replace(value=text[:-1] + f', "{CANARY}": 1, "{CANARY}": 2}}'.encode())
    yield whole._replace(value=CANARY.encode())


def leaves(value: Value, place: Place = ()) -> Iterator[Place]:
    """Places of texts and numbers."""
    match value:
        case dict() | list():
            inner: Sequence[Any] = list(value.items() if isinstance(value, dict) else enumerate(value))
            for name, member in inner:
                yield from leaves(member, (*place, name))
        case str() | int() | float() if not isinstance(value, bool):
            yield place


def _judged(message: Message) -> object:
    record = a_record(value=json.dumps(message.value).encode(), headers=message.headers, key=message.key)
    return decode(record, Contracts())


def _with(value: Value, place: Place, put: Value) -> Value:
    if not place:
        return put
    first, *rest = place
    copy: Any = list(value) if isinstance(value, list) else dict(value)
    copy[first] = _with(value[first], tuple(rest), put)
    return copy


def _all_wrong(value: Value) -> Value:
    match value:
        case dict():
            return {name: _all_wrong(member) for name, member in value.items()}
        case list():
            return [*(_all_wrong(element) for element in value), CANARY]
        case str():
            return NUMBER
        case _:
            return f"{CANARY} {value}"
