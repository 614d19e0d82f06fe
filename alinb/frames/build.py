"""Columns as DataFrames: what was read stands beside what came, under stable names and order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from ..redact import REPLY_KINDS, REQUEST_KINDS, Redactor
from . import arrays
from .arrays import Array
from .column import NONE, Column
from .columns import Columns
from .facts import Field

#: Fields that are never shown, wherever they stand.
_SECRET = frozenset(
    name
    for name, kind in {**REQUEST_KINDS, **REPLY_KINDS}.items()
    if kind in ("access_token", "refresh_token", "app_secret")
)
_REDACTOR = Redactor(b"frame")

_PLAIN: dict[str, Callable[[Column], Array]] = {
    "": arrays.plain,
    "integer": arrays.integer,
    "number": arrays.number,
    "flag": arrays.flag,
}


def build(columns: Columns) -> pd.DataFrame:
    """One table: the keys of the records around it, its described columns, then the others by name.

    A described column is there even where no record has it, so that all pages of a method give the
    same columns with the same types.
    """
    made: dict[str, Array] = {}
    own = set(columns.columns) | set(columns.known.fields)
    for name, array in _outer_keys(columns).items():
        made[f"{columns.owner.name}_{name}" if columns.owner and name in own else name] = array
    currencies: dict[str, Array] = {}
    for name in _names(columns):
        if name in made and name not in columns.columns:
            continue  # a currency that came with its money alone
        made |= dict(_parts(columns, name, currencies))
    frame = pd.DataFrame(made, index=pd.RangeIndex(columns.rows), copy=False)
    frame.attrs["key"] = [key for key in keys(columns) if key in frame.columns]
    frame.attrs["zones"] = dict(_zones(columns))
    return frame


def build_joined(columns: Columns) -> pd.DataFrame:
    """One table with the columns of the records around its own beside them, row by row.

    A name that both have gets the outer table's in front: `products_currency_code`.
    """
    frame = build(columns)
    if columns.owner is None:
        return frame
    around = build_joined(columns.owner)
    rows = np.array(columns.owners, dtype=np.int64)
    joins = set(_outer_keys(columns))
    made = {name: frame[name].array for name in frame.columns}
    for name in around.columns:
        if name not in joins:
            other = f"{columns.owner.name}_{name}" if name in made else name
            made[other] = around[name].array.take(rows)
    joined = pd.DataFrame(made, index=frame.index, copy=False)
    joined.attrs = frame.attrs | {"zones": around.attrs["zones"] | frame.attrs["zones"]}
    return joined


def keys(columns: Columns) -> list[str]:
    """The names of the columns that tell the table's own rows apart, where they are known."""
    return list(dict.fromkeys((*columns.given, *columns.known.key)))


def _names(columns: Columns) -> Iterator[str]:
    known = columns.known.fields
    yield from (name for name in columns.given if name not in known)
    for name in known:
        # JSON that was decoded stands in columns of its own.
        if name not in columns.known.json or name in columns.columns:
            yield name
    others = set(columns.columns) - set(known) - set(columns.given)
    yield from sorted(others)


def _parts(
    columns: Columns, name: str, currencies: dict[str, Array]
) -> Iterator[tuple[str, Array]]:
    """The column as it came, and beside it what was read from it."""
    column = columns.columns.get(name) or Column()
    column.fill(columns.rows)
    field = columns.known.field(name)
    secret = next((part for part in name.lower().split(".") if part in _SECRET), "")
    if not field.kind and f"{name}_currency" in columns.columns:
        field = Field("money", f"{name}_currency")
    if field.kind in _PLAIN and not secret:
        some = column.types - {NONE} or not field.kind
        read = _PLAIN[field.kind]
        yield name, read(column) if some else arrays.absent(field.kind, columns.rows)
        return
    if field.kind == "images":
        yield name, arrays.listed(column.values)
        return
    if field.kind == "cents" or (field.kind == "time" and field.beside == "ms"):
        some = column.types - {NONE}
        array = arrays.integer(column) if some else arrays.absent("integer", columns.rows)
    else:
        array = arrays.text(column)
    if secret:
        array = arrays.of_texts([_hidden(secret, value) for value in column.values])
    yield name, array
    if list not in column.types:
        yield from _read(columns, name, column, field, currencies)


def _read(
    columns: Columns, name: str, column: Column, field: Field, currencies: dict[str, Array]
) -> Iterator[tuple[str, Array]]:
    if field.kind in ("money", "cents"):
        if field.beside not in currencies:
            currencies[field.beside] = _currency(columns, field.beside)
        currency = currencies[field.beside]
        if field.kind == "money":
            yield f"{name}_amount", arrays.amounts(column)
        else:
            yield f"{name}_amount", arrays.minor_amounts(column, currency)
        if field.beside != f"{name}_currency" or field.beside not in columns.columns:
            yield f"{name}_currency", currency.copy()
    elif field.kind == "percent":
        yield f"{name}_percent", arrays.percents(column)
    elif field.kind == "count":
        yield f"{name}_at_least", arrays.counts(column)
    elif field.kind == "time":
        yield f"{name}_utc", arrays.moments(column, field.beside)


def _currency(columns: Columns, name: str) -> Array:
    """Each row's currency: its own field, that of a record around it, or the one asked for."""
    column = columns.columns.get(name)
    if column is not None and str in column.types:
        column.fill(columns.rows)
        return arrays.text(column)
    if columns.owner is not None:
        return _currency(columns.owner, name).take(np.array(columns.owners, dtype=np.int64))
    columns.asked.fill(columns.rows)
    return arrays.text(columns.asked)


def _hidden(name: str, value: Any) -> str | None:
    if value is None:
        return None
    ((_, shown),) = _REDACTOR.pairs([(name, value if isinstance(value, str) else str(value))])
    return shown


def _outer_keys(columns: Columns) -> dict[str, Array]:
    """What joins the rows to the records around them.

    That is their key, and their row number too where a key is missing. In a tree it is the number
    of the row above and its key, beside the row's own level.
    """
    if columns.owner is None:
        return _tree_keys(columns) if columns.is_tree else {}
    owner = columns.owner
    rows = np.array(columns.owners, dtype=np.int64)
    found = {name: array.take(rows) for name, array in _outer_keys(owner).items()}
    names = keys(owner)
    for name in names:
        found[name] = _key(owner, name).take(rows)
    if not names or any(found[name].isna().any() for name in names):
        found[f"{owner.name}_row"] = arrays.integers([*(rows + owner.first)])
    return found


def _key(columns: Columns, name: str) -> Array:
    column = columns.columns.get(name) or Column()
    column.fill(columns.rows)
    return arrays.text(column)


def _tree_keys(columns: Columns) -> dict[str, Array]:
    levels: list[int] = []
    for row in columns.owners:
        levels.append(0 if row < 0 else levels[row] + 1)
    above = [None if row < 0 else row + columns.first for row in columns.owners]
    (name,) = columns.known.key
    names = columns.columns.get(name) or Column()
    names.fill(columns.rows)
    held = names.values
    return {
        "level": arrays.integers(levels),
        "parent_row": arrays.integers(above),
        "parent": arrays.of_texts([None if r < 0 else held[r] for r in columns.owners]),
    }


def _zones(columns: Columns) -> Iterator[tuple[str, str]]:
    for name, field in columns.known.fields.items():
        if field.kind == "time":
            zone = "UTC, ms after the epoch" if field.beside == "ms" else field.beside
            yield name, f"{zone}, inferred" if field.inferred else zone
