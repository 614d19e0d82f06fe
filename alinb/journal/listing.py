"""The rows of a journal as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

#: The columns of a list of attempts.
LISTED = ("id", "at", "verdict", "name", "code", "mistakes", "elapsed_ms")


def cells(row: Mapping[str, Any]) -> list[Any]:
    """The listed columns of a row: the moment in UTC, ms without decimals."""
    return [_cell(column, row[column]) for column in LISTED]


def _cell(column: str, value: Any) -> Any:
    if column == "at" and value is not None:
        return moment(value)
    return f"{value:.0f}" if isinstance(value, float) else value or ""


def moment(at: float) -> str:
    """Epoch s in UTC; as it is where no calendar has it.

    >>> moment(1_800_000_000)
    '2027-01-15 08:00:00Z'
    """
    try:
        return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"{at:g}"
