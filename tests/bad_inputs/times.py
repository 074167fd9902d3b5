"""Times without a zone, out of the calendar, at its ends; records whose clock is wrong (contracts 1.4)."""

from typing import Final

from tests.bad_inputs.cases import Input, Maker, create, named

YEAR_9999: Final = 253_402_300_799_999  # milliseconds


def moment(text: object, *codes: str) -> Maker:
    """An order with this as a date-time of RFC 3339."""
    return create({"created_at": text}, *((code, "created_at") for code in codes))


def no_moment(text: str) -> Maker:
    """An order with something that is none."""
    return moment(text, "FIELD_FORMAT")


def day(text: str, *codes: str) -> Maker:
    """An order with this as a date or date-time of ISO 8601."""
    return create({"orderedAt": text}, *((code, "orderedAt") for code in codes), of="b2b-commerce")


def recorded_at(milliseconds: int) -> Maker:
    """A right create whose record has this timestamp."""

    def make(name: str) -> tuple[Input, ...]:
        (right,) = create({})(name)
        return (right._replace(at=milliseconds),)

    return make


CASES: Final = named(
    "times",
    {
        "naive_datetime": no_moment("2026-11-21T10:15:30"),
        "date_where_a_time_is_due": no_moment("2026-11-21"),
        "epoch_int": moment(1_700_000_000, "FIELD_TYPE"),
        "epoch_ms": moment(1_700_000_000_000, "FIELD_TYPE"),
        "epoch_text": no_moment("1700000000"),
        "extended_json": moment({"$date": 0}, "FIELD_TYPE"),
        "feb_30": no_moment("2026-02-30T00:00:00Z"),
        "feb_29": no_moment("2026-02-29T00:00:00Z"),
        "feb_29_of_a_leap_year": moment("2024-02-29T00:00:00Z"),
        "month_13": no_moment("2026-13-01T00:00:00Z"),
        "hour_24": no_moment("2026-01-01T24:00:00Z"),
        "hour_25": no_moment("2026-01-01T25:00:00Z"),
        "leap_second": no_moment("2016-12-31T23:59:60Z"),
        "y10000": no_moment("10000-01-01T00:00:00Z"),
        "year_0": no_moment("0000-01-01T00:00:00Z"),
        "year_negative": no_moment("-0001-01-01T00:00:00Z"),
        "year_1": moment("0001-01-01T00:00:00Z"),
        "year_1_tz14": no_moment("0001-01-01T00:00:00+14:00"),
        "year_9999": moment("9999-12-31T23:59:59.999Z"),
        "year_9999_tz-14": no_moment("9999-12-31T23:59:59-14:00"),
        "tz+99": no_moment("2026-01-01T00:00:00+99:00"),
        "tz_name": no_moment("2026-01-01T00:00:00 UTC"),
        "tz_without_colon": no_moment("2026-01-01T00:00:00+0100"),
        "nanos": moment("2026-01-01T00:00:00.123456789Z"),
        "ten_decimals": no_moment("2026-01-01T00:00:00.1234567890Z"),
        "thousand_decimals": no_moment(f"2026-01-01T00:00:00.{'1' * 1000}Z"),
        "lower_case": moment("2026-01-01t00:00:00z"),
        "newline": no_moment("2026-01-01T00:00:00Z\n"),
        "blank_around": no_moment(" 2026-01-01T00:00:00Z"),
        "nul": no_moment("2026-01-01T00:00:00Z\0"),
        "unicode_digits": no_moment("\u0662026-01-01T00:00:00Z"),
        "week_date": day("2026-W01-1", "FIELD_FORMAT"),
        "ordinal_date": day("2026-001", "FIELD_FORMAT"),
        "basic_date": day("20260101", "FIELD_FORMAT"),
        "date_of_year_1": day("0001-01-01"),
        "date_of_year_9999": day("9999-12-31"),
        "year_1_by_its_offset": day("0001-01-01T00:00+00:01", "FIELD_FORMAT"),
        "empty": no_moment(""),
        "future_10y": moment("2036-11-21T10:15:30Z"),
        "past_1970": moment("1969-12-31T23:59:59Z"),
        "kafka_ts_minus1": recorded_at(-1),
        "kafka_ts_zero": recorded_at(0),
        "kafka_ts_1970": recorded_at(1),
        "kafka_ts_year_2200": recorded_at(7_258_118_400_000),
        "kafka_ts_year_9999": recorded_at(YEAR_9999),
        "kafka_ts_far_future": recorded_at(2**62),
    },
)
