"""What a journal takes up, and how old attempts leave it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import InputError
from .schema import SCHEMA_VERSION

#: Attempts deleted, and pages given back, in one transaction: nobody waits long for the next.
AT_ONCE, PAGES_AT_ONCE = 2_000, 2_000

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def seconds(text: str) -> float:
    """A time span such as 30d, 12h, 90m or 2w in s.

    >>> seconds("30d")
    2592000.0
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", text.lower())
    if not found:
        raise InputError(
            f"{text!r} is no time span.", next_step="Write a number with s, m, h, d or w: 30d."
        )
    return float(found[1]) * _UNITS[found[2]]


def size(path: Path) -> int:
    """The bytes a journal takes up with its side files."""
    files = (path.with_name(path.name + ending) for ending in ("", "-wal", "-shm"))
    return sum(file.stat().st_size for file in files if file.exists())


def facts(db: sqlite3.Connection, path: Path) -> dict[str, Any]:
    """How many attempts a journal holds by verdict, from when to when, and its size in bytes."""
    verdicts = dict(db.execute("SELECT verdict, count(*) FROM attempts GROUP BY verdict"))
    oldest, newest = db.execute("SELECT min(at), max(at) FROM attempts").fetchone()
    return {
        "path": str(path),
        "schema": SCHEMA_VERSION,
        "bytes": size(path),
        "attempts": sum(verdicts.values()),
        "verdicts": verdicts,
        "oldest": oldest,
        "newest": newest,
    }


def doomed(db: sqlite3.Connection, before: float | None, keep: int | None) -> Iterator[list[int]]:
    """The numbers to delete, some at a time: those before a moment that are not the newest `keep`.

    An attempt without a moment is not known to be old.
    """
    last = _last_doomed(db, keep)
    where, values = ("", []) if before is None else ("AND at < ?", [before])
    after = 0
    while True:
        found = db.execute(
            f"SELECT id FROM attempts WHERE id > ? AND id <= ? {where} ORDER BY id LIMIT ?",
            (after, last, *values, AT_ONCE),
        ).fetchall()
        if not found:
            return
        after = found[-1][0]
        yield [number for (number,) in found]


def delete(db: sqlite3.Connection, numbers: list[int]) -> None:
    with db:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("DELETE FROM attempts WHERE id = ?", ((number,) for number in numbers))


def give_back(db: sqlite3.Connection) -> None:
    """Shorten the file by its free pages."""
    if db.execute("PRAGMA auto_vacuum").fetchone()[0] == 0:  # a journal of schema 1
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("VACUUM")
    while db.execute("PRAGMA freelist_count").fetchone()[0]:
        db.execute(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})").fetchall()
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _last_doomed(db: sqlite3.Connection, keep: int | None) -> int:
    if keep == 0 or keep is None:
        newest = db.execute("SELECT max(id) FROM attempts").fetchone()[0]
    else:
        found = db.execute(
            "SELECT id FROM attempts ORDER BY id DESC LIMIT 1 OFFSET ?", (keep,)
        ).fetchone()
        newest = found[0] if found else None
    return newest or 0
