"""The rows of a journal as a DataFrame, built batch by batch so that a million fit."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import pandas as pd

#: Rows fetched at a time: few enough for their Python objects to stay in the processor's cache.
BATCH = 2_000
#: The order of the frame's columns; `id` is its index.
ORDER = (
    "at", "name", "verdict", "code", "message", "status", "elapsed_ms", "mistakes", "method",
    "endpoint", "request_id", "platform", "source", "problem",
)  # fmt: skip


class Cursor(Protocol):
    """What a database gives for a query."""

    def fetchmany(self, size: int, /) -> list[Any]: ...


def build(columns: Sequence[str], cursor: Cursor) -> pd.DataFrame:
    """The rows of a query: `id` as the index, `at` (epoch s) in UTC, `status` with gaps.

    With pyarrow the columns are gathered as Arrow arrays, which take a third of the memory.
    """
    try:
        import pyarrow  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        table = _from_batches(columns, cursor)
    else:
        table = _from_arrow(columns, cursor, pyarrow)
    moments = table["at"].astype("float64")
    # To the microsecond: a float of today's epoch holds no more.
    table["at"] = pd.to_datetime((moments * 1e6).round().astype("Int64"), unit="us", utc=True)
    table["status"] = table["status"].astype("Int64")
    table["elapsed_ms"] = table["elapsed_ms"].astype("float64")
    return table.set_index("id")[list(ORDER)]


def _batches(cursor: Cursor) -> Iterator[list[Any]]:
    return iter(lambda: cursor.fetchmany(BATCH), [])


def _from_batches(columns: Sequence[str], cursor: Cursor) -> pd.DataFrame:
    parts = [pd.DataFrame(rows, columns=list(columns)) for rows in _batches(cursor)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))


def _from_arrow(columns: Sequence[str], cursor: Cursor, pa: Any) -> pd.DataFrame:
    text = pa.large_string()
    kinds = {"id": pa.int64(), "at": pa.float64(), "elapsed_ms": pa.float64(),
             "status": pa.int64()}  # fmt: skip
    pieces: list[list[Any]] = [[] for _ in columns]
    with _no_collection():
        for rows in _batches(cursor):
            for name, values, found in zip(columns, zip(*rows, strict=True), pieces, strict=True):
                found.append(pa.array(values, kinds.get(name, text)))
    whole = {}
    for name, found in zip(columns, pieces, strict=True):
        # One array a column: hundreds of small ones would slow down all that is done with it.
        kind = kinds.get(name, text)
        whole[name] = pa.concat_arrays(found) if found else pa.array([], kind)
        found.clear()
        pa.default_memory_pool().release_unused()
    frame: pd.DataFrame = pa.table(whole).to_pandas(
        split_blocks=True,
        types_mapper={text: pd.StringDtype(na_value=float("nan"))}.get,
        integer_object_nulls=False,
    )
    return frame


@contextmanager
def _no_collection() -> Iterator[None]:
    """Rows hold no cycles; looking for some among them takes a third of the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
