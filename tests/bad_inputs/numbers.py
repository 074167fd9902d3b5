"""Numbers that lose digits, have too many, or are none (contracts 1.4)."""

from typing import Final

from tests.bad_inputs.cases import Maker, create, named, spelled

WRONG: Final = ("MALFORMED_JSON", "value")


def amount(text: str, *codes: str) -> Maker:
    """An order with this amount, a number."""
    return spelled(f'"totalAmount": {text}', *((code, "totalAmount") for code in codes))


def count(text: str, *codes: str) -> Maker:
    """An order with this count, an integer of 0 or more."""
    return spelled(f'"totalItems": {text}', *((code, "totalItems") for code in codes))


def no_number(text: str) -> Maker:
    """Something that JSON does not know."""
    return spelled(f'"totalAmount": {text}', WRONG)


CASES: Final = named(
    "numbers",
    {
        "nan": no_number("NaN"),
        "infinity": no_number("Infinity"),
        "minus_infinity": no_number("-Infinity"),
        "nan_in_lower_case": no_number("nan"),
        "leading_zero": no_number("007"),
        "leading_plus": no_number("+1"),
        "no_digit_before_the_point": no_number(".5"),
        "no_digit_behind_the_point": no_number("1."),
        "no_exponent": no_number("1e"),
        "two_signs": no_number("--1"),
        "hexadecimal": no_number("0x10"),
        "underscores": no_number("1_000"),
        "thousands": no_number("1,000"),
        "unicode_digits": no_number("\u0661\u0662"),
        "full_width_digits": no_number("\uff11\uff12"),
        "true_in_upper_case": no_number("True"),
        "nan_string": amount('"NaN"', "FIELD_TYPE"),
        "money_as_string": amount('"1.10"', "FIELD_TYPE"),
        "money_as_bool": amount("true", "FIELD_TYPE"),
        "money_null": amount("null", "FIELD_NULL"),
        "exp_1e400": amount("1e400", "FIELD_RANGE"),
        "exp_minus_1e400": amount("-1e400", "FIELD_RANGE"),
        "exp_of_nine_digits": amount("1e999999999", "FIELD_RANGE"),
        "exp_of_thousand_digits": amount(f"1e{'9' * 1000}", "FIELD_RANGE"),
        "tiny_1e-400": amount("1e-400", "FIELD_RANGE"),
        "tiny_with_exp_of_nine_digits": amount("1e-999999999", "FIELD_RANGE"),
        "zero_with_exp_of_nine_digits": amount("0e999999999"),
        "zero_with_exp_of_thousand_digits": amount(f"0.0e-{'9' * 1000}"),
        "smallest_double": amount("5e-324"),
        "largest_double": amount("1.7976931348623157e308"),
        "beyond_the_largest_double": amount("1.8e308", "FIELD_RANGE"),
        "int_2_53_plus_1": amount("9007199254740993"),
        "int_2_63": amount("9223372036854775808", "FIELD_RANGE"),
        "int_2_63_plus_1": amount("9223372036854775809", "FIELD_RANGE"),
        "int_minus_2_63": amount("-9223372036854775808"),
        "int_4299_digits": amount("9" * 4299, "FIELD_RANGE"),
        "int_5000_digits": amount("9" * 5000, "FIELD_RANGE"),
        "int_500000_digits": amount("9" * 500_000, "FIELD_RANGE"),
        "fraction_of_5000_digits": amount(f"0.{'1' * 5000}", "FIELD_RANGE"),
        "fraction_of_5000_zeros": amount(f"1.{'0' * 5000}"),
        "fraction_of_500000_digits": amount(f"0.{'1' * 500_000}", "FIELD_RANGE"),
        "point_in_5000_digits": amount(f"{'1' * 2500}.{'1' * 2500}", "FIELD_RANGE"),
        "money_float": amount("0.1"),
        "money_big_float": amount("12345678901234567.89", "FIELD_RANGE"),
        "money_3_decimals": amount("1.005"),
        "money_trailing_zero": amount("1.10"),
        "money_neg_zero": amount("-0.00"),
        "money_40_digits": amount("1234567890" * 4, "FIELD_RANGE"),
        "money_exponent": amount("1E+2"),
        "money_negative": amount("-12.5"),
        "count_2_63": count("9223372036854775808", "FIELD_RANGE"),
        "count_2_63_minus_1": count("9223372036854775807", "FIELD_RANGE"),
        "count_2_31_minus_1": count("2147483647"),
        "cents_2_63_minus_1": create({"totalAmountInCent": 2**63 - 1}),
        "count_5000_digits": count("9" * 5000, "FIELD_RANGE"),
        "count_negative": count("-1", "FIELD_RANGE"),
        "count_minus_2_63_minus_1": count("-9223372036854775809", "FIELD_RANGE"),
        "count_zero": count("0"),
        "count_minus_zero": count("-0"),
        "float_as_int": count("1.0", "FIELD_TYPE"),
        "exponent_as_int": count("1e3", "FIELD_TYPE"),
        "fraction_as_int": count("1.5", "FIELD_TYPE"),
        "bool_as_int": count("true", "FIELD_TYPE"),
        "str_as_int": count('"1"', "FIELD_TYPE"),
        "list_as_int": count("[1]", "FIELD_TYPE"),
        "object_as_int": count('{"$numberLong": "1"}', "FIELD_TYPE"),
        "id_zero": create({"userId": 0}, ("FIELD_RANGE", "userId"), of="shopping-cart"),
        "id_beyond_its_bound": create({"userId": 10**8}, ("FIELD_RANGE", "userId"), of="shopping-cart"),
        "id_of_30_digits": create({"userId": 10**29}, ("FIELD_RANGE", "userId"), of="shopping-cart"),
        "price_of_zero": create({"orderTotal": 0}, ("FIELD_RANGE", "orderTotal"), of="subscription"),
        "price_of_minus_zero": create({"orderTotal": -0.0}, ("FIELD_RANGE", "orderTotal"), of="subscription"),
        "currency_unknown": create({"currencyCode": "XXZ", "totalAmount": 1.005}),
        "sum_mismatch": create({"totalAmount": 10, "orderLines": [{"totalAmount": 1}, {"totalAmount": 2}]}),
        "twin_in_cents_differs": create(
            {"currencyCode": "AUD", "totalAmount": 10.5, "totalAmountInCent": 1000}, ("RULE_VIOLATION", "totalAmount")
        ),
        "twin_in_cents_of_2_63": create({"totalAmountInCent": 2**63}, ("FIELD_RANGE", "totalAmountInCent")),
        "in_a_free_map": spelled('"metadata": {"a": [1e400]}', ("FIELD_RANGE", "metadata.a[0]"), of="configurator"),
        "in_an_open_object": spelled(
            '"events": [{"any": {"deep": 0.12345678901234567890}}]',
            ("FIELD_RANGE", "events[0].any.deep"),
            of="subscription",
        ),
        "sum_of_38_digits": create(
            {"lineItems": [{"quantity": 1e300, "price": 1}, {"quantity": 1, "price": 1}]},
            ("UNSTORABLE", "value"),
            of="b2b-commerce",
        ),
    },
)
