"""Single values out of texts, and columns of them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from alinb.frames.arrays import moments
from alinb.frames.column import Column
from alinb.frames.values import cents, count, moment, packed, percent, spelled

PACIFIC = ZoneInfo("America/Los_Angeles")


@pytest.mark.parametrize(
    ("text", "number"),
    [("97.8%", 97.8), ("89.2", 89.2), ("0%", 0.0), (50, 50.0), ("1,000%", 1000.0), ("", None),
     ("n/a", None), (None, None)],
)  # fmt: skip
def test_percentages(text, number):
    assert percent(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("5,000+", 5000), ("700+", 700), ("7", 7), (" 13 ", 13), (459, 459), ("many", None),
     ("", None), ("1.5", None), ("9" * 30, None)],
)  # fmt: skip
def test_counts(text, number):
    assert count(text) == number


@pytest.mark.parametrize(
    ("text", "whole", "number"),
    [(1299, False, 12.99), ("1299", False, 12.99), (1299, True, 1299.0), ("12.99", False, 12.99),
     ("1,299", False, 12.99), (0, False, 0.0), (-5, False, -0.05), ("", False, None)],
)  # fmt: skip
def test_the_smallest_unit(text, whole, number):
    assert cents(text, whole) == number


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-07-01 09:10:00", (2026, 7, 1, 16, 10)),
        ("2026-01-01 09:10:00", (2026, 1, 1, 17, 10)),
        ("2026-11-01 01:30:00", (2026, 11, 1, 8, 30)),
        ("2024-09-09T21:05:44-07:00[America/Los_Angeles]", (2024, 9, 10, 4, 5, 44)),
        ("2024-09-09T21:05:44+08:00", (2024, 9, 9, 13, 5, 44)),
        ("2024-09-09T21:05:44Z", (2024, 9, 9, 21, 5, 44)),
        ("2024-09-09", (2024, 9, 9, 7, 0)),
        ("0", None), ("", None), ("soon", None), ("2024-13-40 00:00:00", None),
    ],
)  # fmt: skip
def test_moments(text, utc):
    expected = utc and datetime(*utc, tzinfo=UTC)
    assert moment(text, PACIFIC) == expected
    # A column gives the same, alone and beside others.
    for beside in ([], ["2026-07-01 09:10:00", None, ""], ["2024-09-09T21:05:44Z"]):
        column = Column()
        column.extend([text, *beside], {str, type(None)})
        found = moments(column, "America/Los_Angeles")
        assert str(found.dtype) == "datetime64[us, UTC]"
        assert (None if str(found[0]) == "NaT" else found[0]) == expected


@pytest.mark.parametrize(
    ("value", "utc"),
    [(1740273780000, 2025), ("1740273780000", 2025), (0, None), ("", None), (None, None),
     (10**18, None), (-1, None)],
)  # fmt: skip
def test_milliseconds(value, utc):
    column = Column()
    column.extend([value], {type(value)})
    found = moments(column, "ms")[0]
    assert (None if str(found) == "NaT" else found.year) == utc


def test_spelling():
    assert [spelled(v) for v in (True, False, None, 3, 1.5, "x")] == [
        "true", "false", None, "3", "1.5", "x",
    ]  # fmt: skip
    assert packed({"a": [1]}) == '{"a": [1]}'
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    assert packed(deep) == "a list nested too deeply"
