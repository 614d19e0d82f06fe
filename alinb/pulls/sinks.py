"""Where rows end: a DataFrame, a Parquet file, CSV, JSON Lines. Uses pyarrow for Parquet.

A file is written beside its place and moved there when it is whole. Rows whose columns differ from
those before go into a file of their own first; then all come together under the columns of all.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from ..errors import InputError, MissingExtra
from ..frames.arrow import as_arrow
from .rows import Rows

#: Rows of a group in a Parquet file: few groups are quick to query, and have few statistics.
ROW_GROUP = 20_000
SUFFIXES = (".parquet", ".csv", ".jsonl")


def sink_of(path: Path) -> Callable[[Rows, Path, Mapping[str, Any]], None]:
    """The writer for a path's ending. Raises `InputError` for another, `MissingExtra` for Parquet
    without pyarrow."""
    kind = path.suffix.lower()
    if kind not in SUFFIXES:
        raise InputError(
            f"{path.name} ends in none of {', '.join(SUFFIXES)}.",
            next_step="Name the file by what it is to hold.",
        )
    if kind == ".parquet":
        _pyarrow()
        return to_parquet
    return to_csv if kind == ".csv" else to_jsonl


def to_jsonl(rows: Rows, path: Path, about: Mapping[str, Any]) -> None:
    """One record a line, as the reply has it, with `asked_…` where the pull fanned out."""
    temporary = _beside(path)
    with open(temporary, "w", encoding="utf-8", errors="surrogatepass") as file:
        for _, _, record, _ in rows:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    os.replace(temporary, path)


def to_csv(rows: Rows, path: Path, about: Mapping[str, Any]) -> None:
    """The columns of the frame; lists are JSON text."""
    parts: list[tuple[Path, list[str]]] = []
    for table in rows.frames():
        columns = [str(column) for column in table.columns]
        if not parts or parts[-1][1] != columns:
            _note(rows, parts[-1][1] if parts else None, columns)
            parts.append((_beside(path, len(parts)), columns))
            table.head(0).to_csv(parts[-1][0], index=False)
        _flat(table).to_csv(parts[-1][0], mode="a", header=False, index=False)
    if not parts:
        parts = [(_beside(path), [])]
        parts[0][0].write_text("", encoding="utf-8")
    if len(parts) > 1:
        parts = [(_one_csv(path, parts), [])]
    os.replace(parts[0][0], path)


def _one_csv(path: Path, parts: list[tuple[Path, list[str]]]) -> Path:
    whole = _beside(path, len(parts))
    columns = list(dict.fromkeys(name for _, names in parts for name in names))
    with open(whole, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        for part, _ in parts:
            with open(part, encoding="utf-8", newline="") as lines:
                writer.writerows(csv.DictReader(lines))
            part.unlink()
    return whole


def _flat(table: Any) -> Any:
    """Lists and objects as JSON text, so that a cell can be read back."""
    for column in table.columns:
        if table[column].map(lambda value: isinstance(value, list | dict)).any():
            table[column] = table[column].map(
                lambda value: (
                    json.dumps(value, ensure_ascii=False)
                    if isinstance(value, list | dict)
                    else value
                )
            )
    return table


def to_parquet(rows: Rows, path: Path, about: Mapping[str, Any]) -> None:
    """The columns of the frame, zstd, with `about` as JSON under the key alinb."""
    pa, pq = _pyarrow()
    told = {b"alinb": json.dumps(about, ensure_ascii=False, default=str).encode()}
    metadata: Mapping[bytes, bytes] = told
    parts: list[tuple[Path, Any]] = []
    writer: Any = None
    try:
        for table in _tables(rows):
            before = parts[-1][1] if parts else None
            schema = unified(pa, [before, table.schema]) if before else table.schema
            _note_types(rows, before, table.schema)
            if before is None or not schema.equals(before):
                if writer is not None:
                    writer.close()
                parts.append((_beside(path, len(parts)), schema))
                # Where a frame was, pandas finds its own types again.
                kept = (table.schema.metadata or {}) if schema.equals(table.schema) else {}
                metadata = {**kept, **told}
                writer = _Groups(pa, pq, parts[-1][0], schema.with_metadata(metadata))
            writer.add(conformed(pa, table, schema).replace_schema_metadata(metadata))
    finally:
        if writer is not None:
            writer.close()
    if not parts:
        parts = [(_beside(path), None)]
        pq.write_table(pa.table({}).replace_schema_metadata(told), parts[0][0])
    if len(parts) > 1:
        parts = [(_one_parquet(pa, pq, path, parts, told), None)]
    os.replace(parts[0][0], path)


class _Groups:
    """Tables of one schema into a Parquet file, in groups of `ROW_GROUP` rows."""

    def __init__(self, pa: Any, pq: Any, path: Path, schema: Any) -> None:
        self._pa, self._writer = pa, pq.ParquetWriter(path, schema, compression="zstd")
        self._waiting: list[Any] = []

    def add(self, table: Any) -> None:
        self._waiting.append(table)
        if sum(map(len, self._waiting)) >= ROW_GROUP:
            self._write()

    def close(self) -> None:
        try:
            if self._waiting:
                self._write()
        finally:
            self._writer.close()

    def _write(self) -> None:
        self._writer.write_table(self._pa.concat_tables(self._waiting), row_group_size=ROW_GROUP)
        self._waiting.clear()


def _tables(rows: Rows) -> Iterator[Any]:
    for frame in rows.frames():
        frame.attrs = {}
        yield as_arrow(frame)


def _as_json(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else json.dumps(value, default=str)


def unified(pa: Any, schemas: list[Any]) -> Any:
    """One schema with the columns of all; a type that others cannot become is text."""
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        fields: dict[str, Any] = {}
        for schema in schemas:
            for column in schema:
                known = fields.get(column.name)
                if known is None:
                    fields[column.name] = column
                    continue
                try:
                    both = [pa.schema([known]), pa.schema([column])]
                    joined = pa.unify_schemas(both, promote_options="permissive").field(0)
                except (pa.ArrowInvalid, pa.ArrowTypeError):
                    joined = pa.field(column.name, pa.large_string())
                fields[column.name] = joined
        return pa.schema(list(fields.values()))


def conformed(pa: Any, table: Any, schema: Any) -> Any:
    """A table with the columns of a schema, the missing ones empty."""
    if table.schema.equals(schema):
        return table
    columns = []
    for wanted in schema:
        if wanted.name not in table.column_names:
            columns.append(pa.nulls(len(table), wanted.type))
            continue
        column = table[wanted.name]
        try:
            columns.append(column.cast(wanted.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            texts = [None if v is None else _as_json(v) for v in column.to_pylist()]
            columns.append(pa.array(texts, wanted.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _one_parquet(
    pa: Any, pq: Any, path: Path, parts: list[tuple[Path, Any]], told: Mapping[bytes, bytes]
) -> Path:
    whole = _beside(path, len(parts))
    schema = unified(pa, [found for _, found in parts])
    with closing(_Groups(pa, pq, whole, schema.with_metadata(told))) as writer:
        for part, _ in parts:
            for batch in pq.ParquetFile(part).iter_batches(ROW_GROUP):
                table = conformed(pa, pa.Table.from_batches([batch]), schema)
                writer.add(table.replace_schema_metadata(told))
            part.unlink()
    return whole


def _note(rows: Rows, before: list[str] | None, now: list[str]) -> None:
    """Columns that came or went, among what the pull reports."""
    if before is None:
        return
    at = f"row {rows.count}"
    for name in sorted(set(now) - set(before)):
        rows.drift.append({"column": name, "what": "new", "near": at})
    for name in sorted(set(before) - set(now)):
        rows.drift.append({"column": name, "what": "missing", "near": at})


def _note_types(rows: Rows, before: Any, now: Any) -> None:
    if before is None:
        return
    _note(rows, before.names, now.names)
    for column in now:
        index = before.get_field_index(column.name)
        if index < 0:
            continue
        was = before.field(index).type
        if was != column.type and "null" not in (str(was), str(column.type)):
            what = f"{was} became {column.type}"
            rows.drift.append({"column": column.name, "what": what, "near": f"row {rows.count}"})


def _beside(path: Path, number: int = 0) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.{number}.tmp")


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra(
            "A Parquet file needs pyarrow, which is not installed.",
            next_step='Install it: pip install "alinb[data]"; or choose .csv or .jsonl.',
        ) from None
    return pyarrow, pyarrow.parquet
