"""Values as pandas arrays, by what the field holds: one array for each column of the frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from . import facts
from . import values as read
from .arrow import pa
from .column import NONE, Column

Array: TypeAlias = Any

_TEXT = pd.StringDtype(na_value=np.nan)
_WORDS = {None: None, True: True, False: False, "true": True, "false": False, "": None}
#: Beyond this a float does not hold every whole number.
_EXACT = 2**53


def text(column: Column) -> Array:
    """Texts; what came as a number or a truth value is spelled as JSON spells it."""
    array = column.arrow
    if array is not None and not column.types & {float, bool}:
        texts = array.cast(pa.large_string()) if int in column.types else array
        return pd.arrays.ArrowStringArray(texts, dtype=_TEXT)  # type: ignore[call-arg]
    kinds = column.types - {NONE}
    values = column.values
    if list in kinds:
        return listed(read.texts(values))
    return of_texts(values if kinds <= {str} else read.texts(values))


def of_texts(values: Sequence[str | None]) -> Array:
    try:
        return pd.array(values, dtype=_TEXT)
    except UnicodeEncodeError:
        # Half of a surrogate pair is no text that can be stored; it is written out: \ud800.
        whole = [v and v.encode("utf-8", "backslashreplace").decode() for v in values]
        return pd.array(whole, dtype=_TEXT)


def listed(values: Sequence[Any]) -> Array:
    """A column of whatever the values are, lists mostly."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def floats(values: Iterable[float | None]) -> Array:
    array = np.array(list(values), dtype=np.float64)
    return pd.arrays.FloatingArray(array, ~np.isfinite(array))


def integers(values: Sequence[int | None]) -> Array:
    """Whole numbers; raises OverflowError where one has more than 64 bits."""
    missing = np.array([v is None for v in values], dtype=bool)
    array = np.array([0 if v is None else v for v in values], dtype=np.int64)
    return pd.arrays.IntegerArray(array, missing)


def flags(values: Sequence[bool | None]) -> Array:
    missing = np.array([v is None for v in values], dtype=bool)
    return pd.arrays.BooleanArray(np.array([v is True for v in values], dtype=bool), missing)


def absent(kind: str, rows: int) -> Array:
    """A column without any value, of the type that the kind of field has."""
    missing = np.ones(rows, dtype=bool)
    if kind == "flag":
        return pd.arrays.BooleanArray(np.zeros(rows, dtype=bool), missing)
    if kind == "number":
        return pd.arrays.FloatingArray(np.full(rows, np.nan), missing)
    return pd.arrays.IntegerArray(np.zeros(rows, dtype=np.int64), missing)


def number(column: Column) -> Array:
    """Numbers, read from text too; text where one of them is none."""
    if column.types <= {int, float, NONE}:
        return _floats(column) if column.arrow is not None else floats(column.values)
    if column.types <= {str, int, float, NONE}:
        try:
            return _each_number(column, lambda v: None if v == "" else float(v))
        except ValueError:
            pass
    return text(column)


def integer(column: Column) -> Array:
    """Whole numbers, read from text too; other numbers where they are not whole, else text."""
    try:
        if column.types <= {int, NONE}:
            return _integers(column)
        if column.types <= {str, int, NONE}:
            return integers(_each(column, lambda v: None if v == "" else int(v)))
    except (ValueError, OverflowError):
        pass
    return text(column) if list in column.types else number(column)


def flag(column: Column) -> Array:
    """Truth values, read from `true` and `false` too; text where one of them is neither."""
    if column.types <= {bool, str, NONE}:
        try:
            return flags([_WORDS[v] for v in column.values])
        except KeyError:
            pass
    return text(column)


def plain(column: Column) -> Array:
    """What nobody described, by the types that came; whole numbers never become floats."""
    kinds = column.types - {NONE}
    if list in kinds:
        return listed(column.values)
    if kinds == {bool}:
        return flags(column.values)
    try:
        if kinds == {int}:
            return _integers(column)
    except OverflowError:
        return text(column)
    if float in kinds and kinds <= {int, float}:
        values = column.values
        if not any(type(v) is int and abs(v) > _EXACT for v in values):
            return floats(values)
    return text(column)


def amounts(column: Column) -> Array:
    """Money texts as numbers in the major unit."""
    array = column.arrow
    if array is not None and bool not in column.types:
        try:
            return _floats(column)
        except pa.ArrowInvalid:  # a thousands separator, an empty text
            pass
    return _each_number(column, read.amount)


def minor_amounts(column: Column, currency: Array) -> Array:
    """Money in the smallest unit of each row's currency as numbers in the major one."""
    whole = facts.whole_currencies()
    if whole.isdisjoint(currency.unique()):
        if column.arrow is not None and column.types <= {int, NONE}:
            return _floats(column) / 100
        return _each_number(column, lambda v: read.cents(v, False))
    return floats(
        None if v is None else read.cents(v, code in whole)
        for v, code in zip(column.values, currency, strict=True)
    )


def percents(column: Column) -> Array:
    return _each_number(column, read.percent)


def counts(column: Column) -> Array:
    return integers(_each(column, read.count))


def moments(column: Column, zone: str) -> Array:
    """Times in UTC; of those without a zone, `ms` are counted from the epoch."""
    if zone == "ms":
        return _utc(_each(column, _from_epoch))
    values = column.values
    if column.types <= {str, NONE} and set(map(len, filter(None, values))) <= {19}:
        try:
            local = pd.DatetimeIndex(np.array(values, dtype="datetime64[us]"))
        except ValueError:
            pass
        else:
            first = np.ones(len(local), dtype=bool)
            there = local.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
            return there.tz_convert("UTC").array
    info = ZoneInfo(zone)
    found = _each(column, lambda v: read.moment(v, info))
    return _utc([None if m is None else m.replace(tzinfo=None) for m in found])


def _from_epoch(value: Any) -> int | None:
    ms = read.amount(value)
    # 0 stands for no time; years after 9999 are beyond what pandas prints.
    return None if ms is None or not 0 < ms < 253_402_300_800_000 else int(ms) * 1000


def _utc(values: Sequence[Any]) -> Array:
    return pd.DatetimeIndex(np.array(values, dtype="datetime64[us]")).tz_localize("UTC").array


def _floats(column: Column) -> Array:
    array = column.arrow.cast(pa.float64()).to_numpy()
    array = array if array.flags.writeable else array.copy()
    return pd.arrays.FloatingArray(array, ~np.isfinite(array))


def _integers(column: Column) -> Array:
    array = column.arrow
    if array is None:
        return integers(column.values)
    if not array.null_count:
        numbers = array.to_numpy()
        return pd.arrays.IntegerArray(numbers.copy(), np.zeros(len(numbers), dtype=bool))
    missing = array.is_null().to_numpy()
    return pd.arrays.IntegerArray(array.fill_null(0).to_numpy().copy(), missing)


def _each(column: Column, read_one: Callable[[Any], Any]) -> list[Any]:
    """Every different value read once."""
    values = column.values
    known = {v: None if v is None else read_one(v) for v in set(values)}
    return [known[v] for v in values]


def _each_number(column: Column, read_one: Callable[[Any], float | None]) -> Array:
    array = column.arrow
    if array is None:
        return floats(_each(column, read_one))
    coded = array.combine_chunks().dictionary_encode()
    found = [None if v is None else read_one(v) for v in coded.dictionary.to_pylist()]
    places = coded.indices.fill_null(len(found)).to_numpy()
    numbers = np.array([*found, None], dtype=np.float64)[places]
    return pd.arrays.FloatingArray(numbers, ~np.isfinite(numbers))
