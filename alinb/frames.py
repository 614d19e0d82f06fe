"""Replies and attempts as tidy DataFrames; the only module that imports pandas."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import pandas as pd

from . import replies
from .attempts import Attempt, Comparison
from .errors import InputError
from .knowledge import load
from .redact import Redactor
from .replies import Reply

#: Names of fields that hold ids: text, since 17-digit SKU ids do not survive a float.
_ID_ENDINGS = ("_id", "Id", "_ids", "_no", "ID")


def frame(
    thing: Reply | Attempt | Comparison | Mapping[str, Any] | Sequence[Mapping[str, Any]] | str,
    name: str | None = None,
) -> pd.DataFrame:
    """The records of a reply as a DataFrame, one row a record.

    Takes a `Reply`, an `Attempt`, the JSON of a reply (text or parsed), a comparison or the rows of
    a journal. Ids are text; money keeps its text and gets a numeric column `<field>_amount` in the
    major unit and `<field>_currency`; a list of one field stays a list; nested objects become
    columns `outer.inner`. `attrs` names the method, the attempt and the totals of the page. Raises
    the error of the refusal where the reply is one.

        alinb.frame(reply)[["itemId", "title", "targetSalePrice_amount"]]
    """
    if isinstance(thing, Comparison):
        return pd.DataFrame(thing.rows, columns=["part", "what", "left", "right"])
    if isinstance(thing, Attempt):
        if thing.reply is None:
            raise InputError(
                "That attempt has no reply.", next_step="Choose one that was answered."
            )
        return frame(thing.reply, name)
    if isinstance(thing, Sequence) and not isinstance(thing, str):
        return _journal_frame(thing)
    reply = thing if isinstance(thing, Reply) else _read(thing, name or "")
    reply.raise_for_refusal()
    return _reply_frame(reply, name or reply.name or _name_from_root(reply))


def _read(thing: Mapping[str, Any] | str, name: str) -> Reply:
    text = thing if isinstance(thing, str) else json.dumps(thing, ensure_ascii=False)
    return replies.read(200, text, name)


def _name_from_root(reply: Reply) -> str:
    """The method whose root object the reply has: dots stand as underscores there."""
    roots = [key for key in reply.data if key.endswith("_response")]
    methods = load("methods")["methods"]
    return next(
        (m for m in methods for root in roots if m.replace(".", "_") + "_response" == root), ""
    )


def _reply_frame(reply: Reply, name: str) -> pd.DataFrame:
    known: Mapping[str, Any] = load("methods")["methods"].get(name, {})
    payload = reply.payload if isinstance(reply.payload, Mapping) else {}
    found = _at(payload, known["records"]) if "records" in known else _densest_list(payload)
    records = _records(found)
    money: Mapping[str, str] = known.get("money", {})
    # Ids and money become text before pandas sees them: a number beside a gap turns into a float.
    rows = [
        {
            column: _as_text(value) if _is_id(column) or _field(column) in money else value
            for column, value in _flat(record).items()
        }
        for record in records
    ]
    table = pd.DataFrame(rows)
    for column in filter(_is_id, table.columns):
        if not table[column].map(lambda value: isinstance(value, list)).any():
            table[column] = table[column].astype("str")
    _add_money(table, money, reply.params)
    redactor = Redactor(b"frame")
    table.attrs |= {
        "method": name,
        "params": dict(redactor.pairs(reply.params.items())),
        "attempt_id": reply.attempt_id,
        "request_id": reply.request_id,
        **_totals(payload),
    }
    return table


def _at(payload: Any, path: str) -> Any:
    for step in path.split("."):
        payload = payload.get(step) if isinstance(payload, Mapping) else None
    return payload


def _unwrap(value: Any) -> Any:
    """A list in a live reply is an object with one key whose value is the list."""
    if isinstance(value, Mapping) and len(value) == 1:
        (inner,) = value.values()
        if isinstance(inner, list):
            return inner
    return value


def _records(found: Any) -> list[Any]:
    found = _unwrap(found)
    if isinstance(found, list):
        return found
    # An empty list arrives as {} in live replies, or its key is missing.
    return [found] if found else []


def _densest_list(payload: Any) -> Any:
    """For a method nobody described: the longest list of objects, else the whole payload."""
    best: list[Any] = []
    queue = [payload]
    while queue:
        value = _unwrap(queue.pop(0))
        if isinstance(value, Mapping):
            queue += value.values()
        elif isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
            best = max(best, value, key=len)
    return best or payload


def _flat(record: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(record, Mapping):
        return {prefix.rstrip(".") or "value": record}
    row: dict[str, Any] = {}
    for key, value in record.items():
        inner = _unwrap(value)
        if isinstance(inner, Mapping) and inner:
            row |= _flat(inner, f"{prefix}{key}.")
        else:
            row[f"{prefix}{key}"] = [_plain(v) for v in inner] if isinstance(inner, list) else inner
    return row


def _plain(value: Any) -> Any:
    """A list's item with the lists inside it unwrapped."""
    value = _unwrap(value)
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def _is_id(column: str) -> bool:
    return column.endswith(_ID_ENDINGS)


def _field(column: str) -> str:
    return column.rpartition(".")[2]


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    return None if value is None else str(value)


def _add_money(table: pd.DataFrame, money: Mapping[str, str], params: Mapping[str, str]) -> None:
    for column in list(table.columns):
        field = _field(column)
        if field not in money:
            continue
        at = list(table.columns).index(column)
        source = column.removesuffix(field) + money[field]
        if source in table.columns:
            currency: Any = table[source]
        else:
            currency = params.get("target_currency") or params.get("currency") or pd.NA
        table[column] = table[column].astype("str")
        table.insert(at + 1, f"{column}_amount", table[column].map(amount).astype("Float64"))
        if f"{column}_currency" not in table.columns:
            table.insert(at + 2, f"{column}_currency", currency)


def amount(text: Any) -> float | None:
    """A money text as a number in the major unit, None where it is none.

    >>> amount("22.23"), amount("1,299.00"), amount("")
    (22.23, 1299.0, None)
    """
    try:
        number = Decimal(str(text).replace(",", "").strip())
    except InvalidOperation:
        return None
    return float(number) if number.is_finite() else None


def _totals(payload: Mapping[str, Any]) -> dict[str, int]:
    wanted = {"totalCount": "total", "total_record_count": "total", "total": "total",
              "pageIndex": "page", "current_page_no": "page", "pageSize": "page_size"}  # fmt: skip
    found: dict[str, int] = {}
    queue: list[Any] = [payload]
    while queue:
        value = queue.pop(0)
        if isinstance(value, Mapping):
            for key, inner in value.items():
                if key in wanted and str(inner).isdigit():
                    found.setdefault(wanted[key], int(inner))
            queue += [v for v in value.values() if isinstance(v, Mapping)]
    return found


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
