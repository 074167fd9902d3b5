"""Texts that some programs read as something else, and texts of unusual characters: they are stored as they are."""

from typing import Final

from tests.bad_inputs.cases import Maker, create, named

CLEF: Final = "\N{MUSICAL SYMBOL G CLEF}"  # one code point, two UTF-16 units, four bytes
FAMILY: Final = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL}"


def note(text: str) -> Maker:
    """An order with this text where any text may stand."""
    return create({"paymentMethod": text, "orderLines": [{"productRef": text}], "billingAddress": {"name": text}})


def status(text: str) -> Maker:
    """An order with this text where only a few may stand."""
    return create({"orderStatus": text}, ("FIELD_ENUM", "orderStatus"))


CASES: Final = named(
    "text",
    {
        "nul_in_value": note("a\0b"),
        "controls": note("".join(map(chr, range(32)))),
        "emoji_rtl": note(f"{FAMILY} \u202etxt.exe\u202c שלום \u2067\u2066"),
        "graphemes": note("e" + "\u0301" * 256),
        "zero_width_name": note("\u200b\u200c\u200d\ufeff"),
        "not_normalised": note("e\u0301 \u00e9 \ufb01 \u212b"),
        "noncharacters": note("\ufffe\uffff\U0010ffff\ufffd"),
        "line_separators": note("a\u2028b\u2029c\x85d"),
        "ansi": note("\x1b[31mred\x1b[0m\x07\x9b2J"),
        "log_lines": note('x\r\n{"event": "order.rejected", "level": "error"}\r\n'),
        "html_js_name": note("<script>alert(1)</script>"),
        "template": note("{{7*7}} ${7*7} #{7*7} <%= 7*7 %> %s %n {0.__class__}"),
        "spreadsheet": note("=cmd|'/c calc'!A1"),
        "sql": note("'; DROP TABLE orders; --"),
        "shell": note("$(touch /tmp/x) `id` ; rm -rf ~ | cat"),
        "mongo_operator": note('{"$where": "sleep(1000)"}'),
        "mongo_path": note("$customer.email"),
        "log4shell": note("${jndi:ldap://127.0.0.1:1389/x}"),
        "url_field_ssrf": create(
            {
                "shipments": [
                    {"trackingUrl": "http://169.254.169.254/latest/meta-data"},
                    {"trackingUrl": "file:///etc/passwd"},
                ]
            }
        ),
        "path": note("../../../../etc/passwd\0.png"),
        "xml_entity": note('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>&a;'),
        "pickle_text": note("cos\nsystem\n(S'id'\ntR."),
        "null_words": note("null undefined NaN nil None"),
        "number_words": create({"paymentMethod": "007", "orderLines": [{"productRef": "1e400", "gtin": "0x10"}]}),
        "pan_in_free_text": note("4111 1111 1111 1111"),
        "astral_at_the_limit": create({"notes": CLEF * 200}, of="shopping-cart"),
        "astral_beyond_the_limit": create({"notes": CLEF * 201}, ("FIELD_LENGTH", "notes"), of="shopping-cart"),
        "huge_string": create({"notes": "x" * 1_000_000}, ("FIELD_LENGTH", "notes"), of="shopping-cart"),
        "huge_string_where_any_may_stand": create({"paymentMethod": "x" * 1_000_000}),
        "many_escapes": create({"paymentMethod": '\\"' * 200_000}),
        "enum_unknown": status("LOST"),
        "enum_case": status("complete"),
        "enum_blank": status("COMPLETE "),
        "enum_newline": status("COMPLETE\n"),
        "enum_empty": status(""),
        "enum_nul": status("COMPLETE\0"),
        "homoglyph_status": status("\u0421OMPLETE"),
        "full_width_status": status("\uff23OMPLETE"),
        "dotless_i": status("SH\u0131PPED"),
    },
)
