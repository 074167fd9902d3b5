"""Headers: too many, twice, null, no text, of wrong form, with credentials (contracts 1.2)."""

from typing import Final

from tests.bad_inputs.cases import Input, Maker, an_update, create, headed, named, raw, update

INVALID: Final = "HEADER_INVALID"
MISSING: Final = "HEADER_MISSING"


def header(name: str, value: str | bytes, of: str = "wishlist") -> Maker:
    """A right create whose header has a value of wrong form."""
    code = {"dialect": "UNKNOWN_DIALECT", "operation": "UNSUPPORTED_OPERATION"}.get(name, INVALID)
    return create({}, (code, f"headers.{name}"), of=of, **{name.replace("-", "_"): value})


def fine(of: str = "wishlist", **headers: str | bytes) -> Maker:
    """A right create with headers that look worse than they are."""
    return create({}, of=of, **headers)


def twice(name: str, first: bytes | None, second: bytes | None, *codes: str) -> Maker:
    """A right create that has a header two more times."""
    return headed((name, first), (name, second), problems=[(code, f"headers.{name}") for code in codes])


def credentials(name: str) -> tuple[Input, ...]:
    """In a message that is wrong, so that its headers go to the rejected topic."""
    (bad,) = create({"email": 7}, ("FIELD_TYPE", "email"))(name)
    sent = (("authorization", b"Bearer s3cr3t"), ("X-API-Key", b"s3cr3t"), ("AccessToken", b"s3cr3t"))
    return (bad._replace(headers=(*bad.headers, *sent, ("x-own", b"stays"))),)


def too_many(name: str) -> tuple[Input, ...]:
    """In a wrong message whose key and headers the rejected topic does not admit together."""
    (bad,) = create({"email": 7}, ("FIELD_TYPE", "email"))(name)
    more = tuple((f"x-{number}", b"v" * 10_000) for number in range(200))
    return (bad._replace(key=b"k" * 300_000, headers=(*bad.headers, *more)),)


def many(count: int, size: int = 10) -> Maker:
    """A right create with so many headers of no meaning."""
    return headed(*((f"x-{number}", b"v" * size) for number in range(count)))


def without_headers(name: str) -> tuple[Input, ...]:
    """Not one."""
    (bad,) = create({}, (MISSING, "headers.dialect"), (MISSING, "headers.message-type"))(name)
    return (bad._replace(headers=()),)


def in_upper_case(name: str) -> tuple[Input, ...]:
    """Names of headers are in lower case."""
    (bad,) = create({}, (MISSING, "headers.dialect"))(name)
    return (bad._replace(headers=tuple((one.replace("dialect", "Dialect"), value) for one, value in bad.headers)),)


def stale(name: str) -> tuple[Input, ...]:
    """Versions that go back."""
    return (
        an_update(name, "order.patch", {"email": "3"}, "applied", source_version="3"),
        an_update(name, "order.patch", {"email": "2"}, "unchanged", source_version="2"),
        an_update(name, "order.patch", {"email": "1"}, "unchanged", source_version="3"),
    )


CASES: Final = named(
    "headers",
    {
        "none_at_all": without_headers,
        "many": many(1_000),
        "many_of_one_name": headed(*[("x-own", b"v")] * 1_000),
        "many_of_a_contract_name": headed(*[("tenant", b"acme")] * 1_000),
        "many_large": many(90, 10_000),
        "many_too_large": too_many,
        "one_of_500000_bytes": headed(("x-own", b"\xff" * 500_000)),
        "name_of_100000_bytes": headed(("x" * 100_000, b"v")),
        "empty_name": headed(("", b"v"), (" ", b"v")),
        "odd_names": headed(("a\0b", b"v"), ("a\r\nb: c", b"v"), ("\x1b[31m", b"v"), ("$where", b"v"), ("שלום", b"v")),
        "unknown": headed(("x-own", b"v"), ("schema", b"99"), ("schema_version", b"99")),
        "unknown_no_text": headed(("x-own", b"\xff\xfe"), ("x-other", None), ("x-third", b"")),
        "twice_equal": twice("correlation-id", b"c", b"c"),
        "twice_differing": twice("source-version", b"1", b"2", INVALID),
        "twice_other_tenant": headed(("tenant", b"evil"), problems=[(INVALID, "headers.tenant")]),
        "twice_other_dialect": headed(("dialect", b"b2b-commerce"), problems=[(INVALID, "headers.dialect")]),
        "null": headed(("source-version", None), problems=[(INVALID, "headers.source-version")]),
        "null_tenant": headed(("tenant", None), problems=[(INVALID, "headers.tenant")]),
        "no_text": headed(("idempotency-key", b"\xff\xfe"), problems=[(INVALID, "headers.idempotency-key")]),
        "no_text_tracing": headed(("correlation-id", b"\xff"), ("traceparent", None), ("tracestate", b"\xc0\xaf")),
        "dialect_no_text": create({}, (INVALID, "headers.dialect"), dialect=b"\xff"),
        "dialect_unknown": header("dialect", "magento"),
        "dialect_case": header("dialect", "Wishlist"),
        "dialect_blank": header("dialect", "wishlist "),
        "dialect_empty": header("dialect", ""),
        "dialect_path": header("dialect", "../wishlist"),
        "dialect_nul": header("dialect", "wishlist\0"),
        "dialect_homoglyph": header("dialect", "w\u0456shlist"),
        "dialect_of_10000": header("dialect", "w" * 10_000),
        "name_in_upper_case": in_upper_case,
        "message_type_of_the_other_topic": header("message-type", "order-update"),
        "message_type_case": header("message-type", "Order-Create"),
        "operation_unknown": header("operation", "order.drop"),
        "operation_of_the_other_topic": header("operation", "order.patch"),
        "operation_empty": header("operation", ""),
        "operation_dunder": header("operation", "__class__"),
        "operation_of_another_dialect": update(
            "order.delete", {}, ("UNSUPPORTED_OPERATION", "headers.operation"), dialect="b2b-commerce"
        ),
        "content_type_other": header("content-type", "application/avro"),
        "content_type_avro_value": raw(
            b"\0\0\0\0\x07", ("MALFORMED_JSON", "value"), (INVALID, "headers.content-type"), content_type="avro/binary"
        ),
        "content_type_parameters": fine(content_type="APPLICATION/json ; charset=utf-16"),
        "tenant_missing": create({}, (MISSING, "headers.tenant"), tenant=None),
        "tenant_empty": header("tenant", ""),
        "tenant_blank": header("tenant", " \t\u2003"),
        "tenant_of_513": header("tenant", "t" * 513),
        "tenant_of_10000": header("tenant", "t" * 10_000),
        "idempotency_key_braces": header("idempotency-key", "{550e8400-e29b-41d4-a716-446655440000}"),
        "idempotency_key_urn": header("idempotency-key", "urn:uuid:550e8400-e29b-41d4-a716-446655440000"),
        "idempotency_key_without_hyphens": header("idempotency-key", "550e8400e29b41d4a716446655440000"),
        "idempotency_key_newline": header("idempotency-key", "550e8400-e29b-41d4-a716-446655440000\n"),
        "idempotency_key_full_width": header("idempotency-key", "550e8400-e29b-41d4-a716-44665544000\uff10"),
        "idempotency_key_operator": header("idempotency-key", '{"$gt": ""}'),
        "idempotency_key_missing": create(
            {}, (MISSING, "headers.idempotency-key"), of="shopping-cart", idempotency_key=None
        ),
        "source_version_negative": header("source-version", "-1"),
        "source_version_leading_zero": header("source-version", "01"),
        "source_version_2_63": header("source-version", "9223372036854775808"),
        "source_version_2_63_minus_1": fine(source_version="9223372036854775807"),
        "source_version_unicode": header("source-version", "\u0661"),
        "source_version_5000_digits": header("source-version", "9" * 5000),
        "source_version_goes_back": stale,
        "site_account_of_23": header("site-account", "a" * 23, of="subscription"),
        "site_account_of_25": header("site-account", "a" * 25, of="subscription"),
        "site_date_no_date": header("site-date", "yesterday", of="subscription"),
        "site_date_y10000": header("site-date", "10000-01-01", of="subscription"),
        "site_stage_of_100000": fine("subscription", site_stage="x" * 100_000),
        "site_stage_empty": fine("subscription", site_stage=""),
        "site_channel_inject": fine("subscription", site_channel='x", "role": "admin'),
        "order_id_on_a_create": header("order-id", "7"),
        "entry_id_on_an_order": update("order.patch", {"email": "x"}, (INVALID, "headers.entry-id"), entry_id="7"),
        "inject": fine(correlation_id='x\r\nevent: y\x1b[31m"}\n{"event": "order.rejected"'),
        "correlation_id_of_10000": fine(correlation_id="c" * 10_000),
        "traceparent_bad": fine(traceparent="00-zz-\xff-?", tracestate="=;=,,"),
        "replay_of_bad": fine(replay_of="../../x\n", rejection_attempt="9" * 100),
        "rejection_headers": headed(
            ("rejection-id", b"x/0/0"), ("rejection-code", b"NONE"), ("rejection-problems", b"[")
        ),
        "credentials": credentials,
        "credentials_in_a_right_message": fine(authorization="Bearer s3cr3t", accesstoken=b"\xff"),
    },
)
