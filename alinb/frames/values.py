"""Single values out of the texts that replies hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

_COUNT = re.compile(r"\s*(\d[\d,]{0,30})\s*\+?\s*")


def amount(text: Any) -> float | None:
    """A money text as a number in the major unit, None where it is none.

    >>> amount("22.23"), amount("1,299.00"), amount("")
    (22.23, 1299.0, None)
    """
    try:
        number = float(Decimal(str(text).replace(",", "").strip(' "')))
    except (ArithmeticError, ValueError):
        return None
    return number if isfinite(number) else None


def cents(text: Any, whole: bool) -> float | None:
    """Money in the smallest unit as a number in the major unit.

    `whole` says that the currency has no smaller unit. A text with a decimal point is in the major
    unit as it stands.

    >>> cents(329, False), cents("329", True), cents("3.29", False)
    (3.29, 329.0, 3.29)
    """
    number = amount(text)
    return number if number is None or whole or "." in str(text) else number / 100


def percent(text: Any) -> float | None:
    """A percentage as a number of percent.

    >>> percent("97.8%"), percent("89.2"), percent("")
    (97.8, 89.2, None)
    """
    return amount(str(text).strip().removesuffix("%"))


def count(text: Any) -> int | None:
    """A count as a whole number; a `+` at its end makes that a lower bound.

    >>> count("5,000+"), count("13"), count("many")
    (5000, 13, None)
    """
    found = _COUNT.fullmatch(str(text))
    number = int(found[1].replace(",", "")) if found else None
    return number if number is None or number < 2**63 else None


def moment(text: Any, zone: ZoneInfo) -> datetime | None:
    """A time as text in UTC; `zone` counts where the text names none.

    Takes `2024-09-09 21:00:03`, ISO 8601, and either with a zone in brackets after it. Of an hour
    that a clock change repeats, the first is meant.

    >>> moment("2024-09-09T21:00:03-07:00[America/Los_Angeles]", ZoneInfo("UTC"))
    datetime.datetime(2024, 9, 10, 4, 0, 3, tzinfo=datetime.timezone.utc)
    """
    try:
        local = datetime.fromisoformat(str(text).partition("[")[0].strip())
        return (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def spelled(value: Any) -> str | None:
    """A plain value as text, the way JSON spells it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def texts(values: Iterable[Any]) -> list[Any]:
    """Plain values as texts, in lists too."""
    return [texts(v) if isinstance(v, list) else spelled(v) for v in values]


def packed(value: Any) -> str | None:
    """A value as text: JSON where it is an object or a list."""
    if not isinstance(value, dict | list):
        return spelled(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return f"a {type(value).__name__} nested too deeply"
