"""A journal's rows as a frame: the same with and without pyarrow, however many."""

import sqlite3
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from alinb import Attempt, Journal
from alinb.journal.schema import COLUMNS
from alinb.journal_frame import BATCH, ORDER, build

QUERY = f"SELECT {', '.join(COLUMNS)} FROM attempts ORDER BY id DESC"


@pytest.fixture(params=["pyarrow", "without"])
def way(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "without":
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    else:
        pytest.importorskip("pyarrow")
    return str(request.param)


def filled(path: Path, count: int) -> Journal:
    journal = Journal(path)
    for n in range(count):
        known: dict[str, Any] = {"status": 200, "reply_text": "{}", "at": 1.8e9 + n + 0.123456}
        if n % 3 == 2:
            known = {"problem": "broke é", "at": None}
        journal.record_later(Attempt("GET", "https://h/sync?method=x", elapsed_ms=1.5, **known))
    journal.flush()
    return journal


def test_every_cell_is_that_of_the_rows(way: str, tmp_path: Path) -> None:
    journal = filled(tmp_path / "j", 9)
    frame = journal.frame()
    rows = journal.rows()
    assert list(frame.columns) == list(ORDER)
    assert list(frame.index) == [row["id"] for row in rows] == list(range(9, 0, -1))
    for column in ORDER:
        for number, value in zip(frame.index, (row[column] for row in rows), strict=True):
            cell = frame.loc[number, column]
            if value is None:
                assert pd.isna(cell), column
            elif column == "at":
                assert cell == pd.Timestamp(value, unit="s", tz="UTC").round("us")
            else:
                assert cell == value, column
    assert {c: str(frame[c].dtype) for c in ("at", "status", "elapsed_ms", "verdict")} == {
        "at": "datetime64[us, UTC]", "status": "Int64", "elapsed_ms": "float64", "verdict": "str",
    }  # fmt: skip


def test_an_empty_journal_gives_the_same_columns_and_kinds(way: str, tmp_path: Path) -> None:
    empty, full = Journal(tmp_path / "e").frame(), filled(tmp_path / "f", 3).frame()
    assert empty.empty
    assert list(empty.columns) == list(full.columns)
    assert empty["at"].dtype == full["at"].dtype
    assert empty["status"].dtype == full["status"].dtype


@pytest.mark.parametrize("count", [BATCH - 1, BATCH, 2 * BATCH + 1])
def test_no_row_is_lost_between_batches(way: str, count: int) -> None:
    with sqlite3.connect(":memory:") as db:
        texts = [c for c in COLUMNS if c not in ("id", "at", "status", "elapsed_ms")]
        db.execute(f"CREATE TABLE attempts ({', '.join(COLUMNS)})")
        db.executemany(
            f"INSERT INTO attempts (id, {', '.join(texts)}) VALUES (?{', ?' * len(texts)})",
            ((n, *[f"{column}{n}" for column in texts]) for n in range(count)),
        )
        frame = build(COLUMNS, db.execute(QUERY))
    db.close()
    assert list(frame.index) == list(range(count - 1, -1, -1))
    assert list(frame["message"]) == [f"message{n}" for n in range(count - 1, -1, -1)]
    assert frame["at"].isna().all()
    assert frame["status"].isna().all()


def test_both_ways_give_equal_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyarrow")
    journal = filled(tmp_path / "j", 50)
    with_arrow = journal.frame()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    pd.testing.assert_frame_equal(with_arrow, journal.frame(), check_dtype=True)
