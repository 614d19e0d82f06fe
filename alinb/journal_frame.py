"""The rows of a journal as a DataFrame, built batch by batch so that a million fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import pandas as pd

#: Rows fetched at a time: their Python objects are gone before the next ones come.
BATCH = 50_000
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
    return table.set_index("id")[list(ORDER)]


def _batches(cursor: Cursor) -> Iterator[list[Any]]:
    return iter(lambda: cursor.fetchmany(BATCH), [])


def _from_batches(columns: Sequence[str], cursor: Cursor) -> pd.DataFrame:
    parts = [pd.DataFrame(rows, columns=list(columns)) for rows in _batches(cursor)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))


def _from_arrow(columns: Sequence[str], cursor: Cursor, pa: Any) -> pd.DataFrame:
    kinds = {"id": pa.int64(), "at": pa.float64(), "elapsed_ms": pa.float64(),
             "status": pa.int64()}  # fmt: skip
    schema = pa.schema([(name, kinds.get(name, pa.large_string())) for name in columns])
    batches = [
        pa.record_batch(
            [
                pa.array(values, field.type)
                for values, field in zip(zip(*rows, strict=True), schema, strict=True)
            ],
            schema=schema,
        )
        for rows in _batches(cursor)
    ]
    table = pa.Table.from_batches(batches, schema)
    del batches
    frame: pd.DataFrame = table.to_pandas(
        split_blocks=True,
        self_destruct=True,
        types_mapper={pa.large_string(): pd.StringDtype(na_value=float("nan")),
                      pa.int64(): pd.Int64Dtype()}.get,
    )  # fmt: skip
    return frame
