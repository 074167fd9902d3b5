"""From a record to the command that it carries, or to everything that is wrong with it (pure; contracts 1.2 to 1.4)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import assert_never

from orderstream import headers as forms
from orderstream.commands import Address, Command, Kind, LineName, Operation, Record
from orderstream.dialect import AS_THE_CONTRACTS_SAY, Dialect, HeaderForm, Message, Normalised, Rules, objects
from orderstream.dialects import DIALECTS
from orderstream.identity import lookup_key
from orderstream.json_text import JsonObject, MalformedJsonError, TooLargeError, canonical, parse
from orderstream.outcomes import Refusal
from orderstream.problems import Code, Problem, header, in_order, path
from orderstream.validation import Judged, judge

SHARED_FORMS: Mapping[str, HeaderForm] = {
    "content-type": forms.CONTENT_TYPE,
    "idempotency-key": forms.IDEMPOTENCY_KEY,
    "source-version": forms.SOURCE_VERSION,
}


@dataclass(frozen=True, slots=True)
class Contracts:
    """What decides on a message besides the message: a limit, the rules file, who may send what."""

    max_value_bytes: int = 1_048_576
    rules: Mapping[str, Rules] = field(default_factory=dict)
    allowed: frozenset[str] = frozenset()  # `dialect` or `dialect/tenant`; empty: everything

    def of(self, dialect: Dialect) -> Rules:
        """What the rules file says of *dialect*."""
        return self.rules.get(dialect.name, AS_THE_CONTRACTS_SAY)

    def admits(self, dialect: str, tenant: str | None) -> bool:
        """Whether messages of this dialect and tenant may come."""
        return not self.allowed or not self.allowed.isdisjoint({dialect, f"{dialect}/{tenant or ''}"})


def decode(record: Record, contracts: Contracts) -> Command | Refusal:
    """Judge a record by itself; never raises, whatever the bytes are."""
    found: list[Problem] = [] if record.key else [Problem(Code.KEY_MISSING, "key", "the record has no key")]
    texts = _texts(record, found)
    sent = _sent(record, texts)
    found += [_missing(name) for name in ("dialect", "message-type") if name not in sent]
    _expect_message_type(texts, record.kind, found)
    dialect = _dialect(texts, found)
    operation = _operation(texts, sent, record.kind, dialect, found)
    value = _value(record, contracts, found)
    headers = _headers(texts, sent, _forms(dialect, operation), found)
    if dialect is None or operation is None:
        return Refusal(in_order(found))
    normal = _judge(value, dialect, operation, contracts.of(dialect), found)
    message = Message(operation, headers, normal.value, sent)
    found += dialect.identity(message) if value is not None else ()
    tenant = dialect.tenant(message)
    if not contracts.admits(dialect.name, tenant):
        found.append(Problem(Code.PRODUCER_NOT_ALLOWED, header("dialect"), "this worker takes other messages"))
    if found:
        return Refusal(in_order(found))
    return _command(record, dialect, tenant, message, normal)


def _texts(record: Record, found: list[Problem]) -> dict[str, str]:
    """The headers that the contract names, as text."""
    texts: dict[str, str] = {}
    for name, raw in record.headers:
        if name not in forms.NAMES:
            continue
        text = _text(raw)
        if name in forms.PASSED_ON and (text is None or len(text) > forms.MAX_TEXT):
            continue
        if text is None:
            found.append(Problem(Code.HEADER_INVALID, header(name), "must be UTF-8 text"))
        elif texts.setdefault(name, text) != text:
            found.append(Problem(Code.HEADER_INVALID, header(name), "is there twice, with different values"))
    return texts


def _sent(record: Record, texts: Mapping[str, str]) -> frozenset[str]:
    """Names of the headers that came, wrong ones included; an empty reference is no reference."""
    absent = {"order-ref"} if texts.get("order-ref") == "" else set()
    return frozenset(name for name, _ in record.headers if name in forms.NAMES) - absent


def _text(raw: bytes | None) -> str | None:
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return None


def _expect_message_type(texts: Mapping[str, str], kind: Kind, found: list[Problem]) -> None:
    if texts.get("message-type", kind.value) != kind.value:
        found.append(Problem(Code.HEADER_INVALID, header("message-type"), f"must be {kind.value} on this topic"))


def _dialect(texts: Mapping[str, str], found: list[Problem]) -> Dialect | None:
    dialect = DIALECTS.get(texts.get("dialect", ""))
    if dialect is None and "dialect" in texts:
        found.append(Problem(Code.UNKNOWN_DIALECT, header("dialect"), f"must be one of {', '.join(DIALECTS)}"))
    return dialect


def _operation(
    texts: Mapping[str, str], sent: Collection[str], kind: Kind, dialect: Dialect | None, found: list[Problem]
) -> Operation | None:
    if "operation" not in sent:
        if kind is Kind.CREATE:
            return Operation.CREATE
        found.append(_missing("operation"))
    name = texts.get("operation")
    if name is None:
        return None
    possible = [operation.value for operation in _operations(kind) if dialect is None or operation in dialect.shapes]
    if name in possible:
        return Operation(name)
    message = f"must be one of {', '.join(possible)} for this dialect and topic"
    found.append(Problem(Code.UNSUPPORTED_OPERATION, header("operation"), message))
    return None


def _operations(kind: Kind) -> Iterable[Operation]:
    match kind:
        case Kind.CREATE:
            return (Operation.CREATE,)
        case Kind.UPDATE:
            return tuple(operation for operation in Operation if operation is not Operation.CREATE)
        case _:
            assert_never(kind)


def _value(record: Record, contracts: Contracts, found: list[Problem]) -> JsonObject | None:
    raw = record.value or b""
    if len(raw) > contracts.max_value_bytes:
        found.append(Problem(Code.TOO_LARGE, "value", f"has more than {contracts.max_value_bytes} bytes"))
        return None
    try:
        return parse(raw)
    except MalformedJsonError as error:
        found.append(Problem(Code.MALFORMED_JSON, "value", str(error)))
    except TooLargeError as error:
        found.append(Problem(Code.TOO_LARGE, "value", str(error)))
    return None


def _forms(dialect: Dialect | None, operation: Operation | None) -> Mapping[str, HeaderForm]:
    """The headers that this message may use; where that cannot be told, those that all dialects share."""
    if dialect is None or operation is None:
        return {**SHARED_FORMS, **dict.fromkeys(forms.ADDRESSES, HeaderForm(str, "a text"))}
    return {**SHARED_FORMS, **dialect.headers(operation)}


def _headers(
    texts: Mapping[str, str], sent: Collection[str], expected: Mapping[str, HeaderForm], found: list[Problem]
) -> dict[str, str]:
    """The headers in normal form; what is wrong is left out."""
    found += [_missing(name) for name, form in expected.items() if form.required and name not in sent]
    normal: dict[str, str] = {}
    for name, text in texts.items():
        if name not in sent:
            continue  # an empty reference is no reference
        form = expected.get(name)
        if form is None and name in forms.ADDRESSES:
            message = "is not used by this operation of this dialect"
            found.append(Problem(Code.HEADER_INVALID, header(name), message))
            continue
        wanted = form.normal(text) if form else text
        if wanted is None and form:
            found.append(Problem(Code.HEADER_INVALID, header(name), f"must be {form.described}"))
        elif wanted is not None:
            normal[name] = wanted
    return normal


def _judge(
    value: JsonObject | None, dialect: Dialect, operation: Operation, rules: Rules, found: list[Problem]
) -> Normalised:
    if value is None:
        return Normalised({})
    normal = dialect.normalise(value, operation)
    judged = judge(dialect.shapes[operation], normal.value, rules)
    if _is_empty(value, dialect, operation):
        found.append(Problem(Code.EMPTY_UPDATE, "value", "has nothing to change"))
        judged = Judged(judged.value, tuple(p for p in judged.problems if p.code is not Code.FIELD_MISSING))
    else:
        whole = operation in (Operation.CREATE, Operation.REPLACE)
        found += dialect.rules(judged.value, whole, rules)
    found += judged.problems
    return Normalised(judged.value, normal.warnings)


def _is_empty(value: JsonObject, dialect: Dialect, operation: Operation) -> bool:
    match operation:
        case Operation.PATCH | Operation.REPLACE | Operation.ENTRY_UPDATE:
            shape = dialect.shapes[operation]
            return not value.keys() - shape.addressing - shape.ignored
        case Operation.CREATE | Operation.DELETE | Operation.ENTRY_CREATE | Operation.ENTRY_DELETE:
            return False
        case _:
            assert_never(operation)


def _command(record: Record, dialect: Dialect, tenant: str | None, message: Message, normal: Normalised) -> Command:
    headers, version = message.headers, message.headers.get("source-version")
    addresses, brings = _addresses(message, dialect), _brings(message, dialect)
    return Command(
        operation=message.operation,
        dialect=dialect.name,
        tenant=tenant,
        position=record.position,
        at=record.at,
        digest=record.digest(),
        record_key=_record_key(record.key),
        idempotency_key=headers.get("idempotency-key"),
        source_version=None if version is None else int(version),
        correlation_id=headers.get("correlation-id"),
        traceparent=headers.get("traceparent"),
        replay_of=headers.get("replay-of"),
        addresses=addresses,
        brings=brings,
        keys=tuple(lookup_key(dialect.name, tenant, address) for address in addresses),
        brought=tuple(lookup_key(dialect.name, tenant, address) for address in brings),
        line=_line(message, dialect),
        site={part: headers[f"site-{part}"] for part in ("channel", "stage", "date") if f"site-{part}" in headers},
        value=normal.value,
        said=_digest(message.operation, normal.value),
        warnings=normal.warnings,
    )


def _addresses(message: Message, dialect: Dialect) -> tuple[Address, ...]:
    """How the message names its order; a create also by its idempotency key, and by that first."""
    named = dialect.identify(message)
    key = message.headers.get("idempotency-key")
    if key is None or message.operation is not Operation.CREATE:
        return named
    return (Address("idempotency-key", key, header("idempotency-key"), guessable=True), *named)


def _brings(message: Message, dialect: Dialect) -> tuple[Address, ...]:
    """The ids of the lines in the value, where they name a line in the whole tenant."""
    lines = dialect.lines
    if lines is None or lines.id is None or not lines.addressable:
        return ()
    if message.operation is Operation.ENTRY_CREATE:
        given = [(path(lines.id), message.value)]
    else:
        members = objects(message.value.get(lines.member))
        given = [(path(lines.member, index, lines.id), line) for index, line in enumerate(members)]
    ids = ((place, line.get(lines.id)) for place, line in given)
    return tuple(Address("entry-id", id_, place, guessable=True) for place, id_ in ids if isinstance(id_, str))


def _line(message: Message, dialect: Dialect) -> LineName | None:
    """The line that an entry operation names, by header or by member."""
    lines = dialect.lines
    if lines is None or not message.operation.startswith("entry."):
        return None
    return LineName(_names_line(message, "entry-id", lines.id), _names_line(message, "entry-ref", lines.ref))


def _names_line(message: Message, name: str, member: str | None) -> Address | None:
    sent = message.headers.get(name)
    if sent is not None:
        return Address(name, sent, header(name))
    given = message.value.get(member) if member else None
    return Address(name, given, path(member)) if member and isinstance(given, str) else None


def _record_key(key: bytes | None) -> str | None:
    text = _text(key)
    return text if text is not None and len(text) <= forms.MAX_TEXT else None


def _digest(operation: Operation, value: JsonObject) -> bytes:
    return blake2b(canonical(value), digest_size=16, key=operation.value.encode()).digest()


def _missing(name: str) -> Problem:
    return Problem(Code.HEADER_MISSING, header(name), "is required")
