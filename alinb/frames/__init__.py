"""Replies and attempts as tidy DataFrames; the only package that imports pandas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from ..attempts import Comparison
from .comparing import Changes, changes
from .pages import Answer
from .table import Table
from .values import amount

__all__ = ["Changes", "Table", "amount", "changes", "frame", "tables"]


def frame(
    thing: Answer | Comparison | Sequence[Mapping[str, Any]],
    name: str | None = None,
    *,
    each: str = "",
) -> pd.DataFrame:
    """The records of a reply as a DataFrame, one row a record.

    Takes a `Reply`, an `Attempt`, the JSON of a reply (text, bytes or parsed), a comparison or the
    rows of a journal. Columns and their order are the same whatever the page holds; fields that
    alinb does not know stand last, by name. Ids are text. What is read from a field stands beside
    it: `_amount` (major unit) and `_currency` beside money, `_percent`, `_at_least` (exact but
    for a + at the end), `_utc` beside times. Fields of inner objects are `outer.inner`;
    records inside a record are tables of their own, see `tables`; `each` names one of those, for
    one row a record of it with the columns of the records around it. `attrs` names the method, the
    attempts, the parameters, the time, the key, the zones of times and the rows of each table.
    Raises the error of the refusal where the reply is one.

        alinb.frame(reply)[["itemId", "title", "targetSalePrice_amount"]]
        alinb.frame(product, each="skus")[["subject", "sku_id", "offer_sale_price_amount"]]
    """
    if isinstance(thing, Comparison):
        return pd.DataFrame(thing.rows, columns=["part", "what", "left", "right"])
    if isinstance(thing, Sequence) and not isinstance(thing, str | bytes):
        return _journal_frame(thing)
    return _table(thing, name).frame(each, joined=True)


def tables(thing: Answer, name: str | None = None) -> dict[str, pd.DataFrame]:
    """All that a reply holds, as DataFrames by name; nothing is left out.

    The first is what `frame` gives. Records inside records follow, each with the key of the record
    it belongs to (or that record's row number, `<table>_row`, where it has none): a product gives
    products, skus, sku_properties, wholesale_prices, properties, images, videos, store, package and
    manufacturer. `replies` has the rest of the envelope, one row a reply.

        tables = alinb.tables(client.call("aliexpress.ds.product.get", product_id=1, …))
        tables["skus"].merge(tables["products"], on="product_id")
    """
    return _table(thing, name).tables()


def _table(thing: Answer, name: str | None) -> Table:
    table = Table(name or "")
    table.add(thing)
    return table


def _journal_frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    columns = (
        "at", "name", "verdict", "code", "message", "status", "elapsed_ms", "mistakes", "method",
        "endpoint", "request_id", "platform", "source", "problem",
    )  # fmt: skip
    held = list(rows)
    index = pd.Index([row["id"] for row in held], name="id")
    table = pd.DataFrame([{c: row[c] for c in columns} for row in held], index, list(columns))
    moments = [
        None if row["at"] is None else datetime.fromtimestamp(row["at"], UTC) for row in held
    ]
    table["at"] = pd.to_datetime(pd.Series(moments, index, dtype="object"), utc=True)
    table["status"] = table["status"].astype("Int64")
    return table
