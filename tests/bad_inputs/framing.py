"""Values that are no JSON object in UTF-8, or just about one (contracts 1.2 and 1.4)."""

import gzip
import json
import pickle
from typing import Final

from tests.bad_inputs.cases import Input, Refused, create, headers_of, keyed, named, raw, reworked, right, spelled

WRONG: Final = ("MALFORMED_JSON", "value")
AVRO: Final = b"\x00\x00\x00\x00\x07" + b"\x02\x0cWEB-7"


def null_null(name: str) -> tuple[Input, ...]:
    """Neither key nor value."""
    refused = Refused((WRONG, ("KEY_MISSING", "key")))
    return (Input("create", None, None, headers_of("wishlist", name), refused),)


CASES: Final = named(
    "framing",
    {
        "empty": raw(b"", WRONG),
        "blank": raw(b" \t\r\n", WRONG),
        "tombstone": raw(None, WRONG),
        "null_null": null_null,
        "json_null": raw(b"null", WRONG),
        "json_true": raw(b"true", WRONG),
        "json_number": raw(b"1", WRONG),
        "json_string": raw(b'"x"', WRONG),
        "json_array": raw(b"[]", WRONG),
        "json_array_of_one": reworked(lambda value: b"[" + value + b"]", WRONG),
        "json_in_a_string": reworked(lambda value: json.dumps(value.decode()).encode(), WRONG),
        "two_docs": reworked(lambda value: value + value, WRONG),
        "json_lines": reworked(lambda value: value + b"\n" + value, WRONG),
        "trailing_garbage": reworked(lambda value: value + b"xx", WRONG),
        "trailing_nul": reworked(lambda value: value + b"\0", WRONG),
        "trailing_blanks": reworked(lambda value: value + b"\r\n \t"),
        "trailing_comma": reworked(lambda value: value[:-1] + b",}", WRONG),
        "comment": reworked(lambda value: b"/*x*/" + value, WRONG),
        "line_comment": reworked(lambda value: value + b"//x", WRONG),
        "single_quotes": reworked(lambda value: value.replace(b'"', b"'"), WRONG),
        "unquoted_name": spelled("channel: null", WRONG),
        "unterminated_string": reworked(lambda value: value[:-2], WRONG),
        "unterminated_object": reworked(lambda value: value[:-1], WRONG),
        "bad_escape": spelled(r'"email": "\x41"', WRONG),
        "short_escape": spelled(r'"email": "\u12"', WRONG),
        "raw_control": spelled('"email": "a\x01b"', WRONG),
        "raw_newline": spelled('"email": "a\nb"', WRONG),
        "raw_nul": spelled('"email": "a\0b"', WRONG),
        "raw_delete": spelled('"email": "a\x7fb"'),
        "bom": reworked(lambda value: b"\xef\xbb\xbf" + value, WRONG),
        "utf16": reworked(lambda value: value.decode().encode("utf-16"), WRONG),
        "utf16_without_mark": reworked(lambda value: value.decode().encode("utf-16-le"), WRONG),
        "utf32": reworked(lambda value: value.decode().encode("utf-32"), WRONG),
        "utf7": reworked(lambda value: b"+AHs-" + value[1:], WRONG),
        "latin1": reworked(lambda value: value[:-1] + b', "email": "caf\xe9"}', WRONG),
        "invalid_utf8": reworked(lambda value: value[:-1] + b', "email": "\xff\xfe"}', WRONG),
        "overlong_utf8": reworked(lambda value: value[:-1] + b', "email": "\xc0\xaf"}', WRONG),
        "overlong_brace": reworked(lambda value: b"\xc1\xbb" + value[1:], WRONG),
        "beyond_unicode": reworked(lambda value: value[:-1] + b', "email": "\xf4\x90\x80\x80"}', WRONG),
        "surrogate_bytes": reworked(lambda value: value[:-1] + b', "email": "\xed\xa0\x80"}', WRONG),
        "surrogate_pair_bytes": reworked(lambda value: value[:-1] + b', "email": "\xed\xa0\xbd\xed\xb8\x80"}', WRONG),
        "lone_surrogate": spelled(r'"email": "\ud800"', WRONG),
        "lone_low_surrogate": spelled(r'"email": "\udfff"', WRONG),
        "reversed_surrogates": spelled(r'"email": "\ude00\ud83d"', WRONG),
        "lone_surrogate_in_a_name": spelled(r'"\ud800": 1', WRONG),
        "lone_surrogate_deep_inside": spelled(r'"metadata": {"a": [{"b": "\uDBFF"}]}', WRONG, of="configurator"),
        "surrogate_pair": spelled(r'"email": "\ud83d\ude00"'),
        "escaped_backslash_before_u": spelled(r'"email": "\\ud800"'),
        "dup_key_qty": spelled('"totalItems": 1, "totalItems": 5', WRONG),
        "dup_key_order_id": spelled('"id": "7", "id": "8"', WRONG),
        "dup_key_equal": spelled('"totalItems": 1, "totalItems": 1', WRONG),
        "dup_key_escaped": spelled(r'"totalItems": 1, "total\u0049tems": 5', WRONG),
        "dup_key_deep_inside": spelled('"orderLines": [{"quantity": 1, "quantity": 2}]', WRONG),
        "dup_key_in_a_map": spelled('"metadata": {"a": 1, "a": 2}', WRONG, of="configurator"),
        "alike_keys": spelled('"metadata": {"\u00e9": 1, "e\u0301": 2, "a": 1, "A": 2}', of="configurator"),
        "xml": raw(b"<order/>", WRONG),
        "yaml": raw(b"orderRef: W-1\n", WRONG),
        "urlencoded": raw(b"orderRef=W-1", WRONG),
        "avro": raw(AVRO, WRONG),
        "pickle": raw(pickle.dumps({"orderRef": "W-1"}), WRONG),
        "gzip": raw(gzip.compress(json.dumps(right("wishlist", "zipped")).encode()), WRONG),
        "everything_but_text": raw(bytes(range(256)), WRONG),
        "key_null": keyed(None, ("KEY_MISSING", "key")),
        "key_empty": keyed(b"", ("KEY_MISSING", "key")),
        "escaped_throughout": spelled('"\\u0065\\u006d\\u0061\\u0069\\u006c": "\\u0078"'),
        "no_member_at_all": raw(b"{}", ("IDENTITY_MISSING", "id")),
        "empty_names": create({"": 1}, ("FIELD_UNKNOWN", "*")),
    },
)
