"""The tables of a journal, the way from older ones, and connections to them."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from ..errors import JournalError
from ..files import private_file, private_folder
from .place import read_only, refuse_network

#: Marks a SQLite file as ours: "alnb".
APPLICATION_ID = 0x616C6E62
SCHEMA_VERSION = 2
#: How long one process waits for another that writes, in s.
LOCK_S = 30.0

#: What a list of attempts shows, in this order; `id` first.
COLUMNS = (
    "id", "at", "name", "verdict", "code", "message", "request_id", "method", "endpoint",
    "status", "elapsed_ms", "mistakes", "platform", "source", "problem",
)  # fmt: skip

# AUTOINCREMENT: the number of an attempt that was pruned is never given to another.
_ATTEMPTS = """(
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL, name TEXT NOT NULL, verdict TEXT NOT NULL,
    code TEXT NOT NULL, message TEXT NOT NULL, request_id TEXT NOT NULL, method TEXT NOT NULL,
    endpoint TEXT NOT NULL, status INTEGER, elapsed_ms REAL, mistakes TEXT NOT NULL,
    platform TEXT NOT NULL, source TEXT NOT NULL, problem TEXT NOT NULL
)"""
_INDEXES = """
CREATE INDEX IF NOT EXISTS attempts_by_verdict ON attempts (verdict, id);
CREATE INDEX IF NOT EXISTS attempts_by_name ON attempts (name, id);
CREATE INDEX IF NOT EXISTS attempts_by_facts ON attempts (name, verdict, code, at, id);
"""
_OF_AN_ATTEMPT = """(
    attempt INTEGER PRIMARY KEY REFERENCES attempts (id) ON DELETE CASCADE, packed BLOB NOT NULL
)"""
# Bodies are not shared between attempts: each reply carries a request id of its own.
_FRESH = f"""
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempts {_ATTEMPTS};
{_INDEXES}
CREATE TABLE IF NOT EXISTS contents {_OF_AN_ATTEMPT};
CREATE TABLE IF NOT EXISTS bodies {_OF_AN_ATTEMPT};
INSERT OR IGNORE INTO meta VALUES ('key', randomblob(32));
"""
_FROM_1 = f"""
CREATE TABLE attempts_2 {_ATTEMPTS};
INSERT INTO attempts_2 SELECT {", ".join(COLUMNS)} FROM attempts ORDER BY id;
DROP TABLE attempts;
ALTER TABLE attempts_2 RENAME TO attempts;
{_INDEXES}
CREATE TABLE bodies {_OF_AN_ATTEMPT};
"""
_MARK = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""


def connect(path: Path) -> sqlite3.Connection:
    """A connection to a journal, which is made where there is none and brought up to date.

    Raises `JournalError`, `sqlite3.Error` or `OSError` where it is no journal; it stays as it is.
    """
    refuse_network(path)
    if not path.exists():
        private_folder(path.parent)
        # SQLite gives its side files the mode of the main file, so that one is made first.
        os.close(private_file(path))
    elif path.is_file() and not writable(path):
        raise read_only(path)
    # One thread uses it; another that forks may close it.
    db = sqlite3.connect(path, timeout=LOCK_S, check_same_thread=False)
    return _checked(db, path)


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection for looking; it works in a folder or on a disk that takes no writing, too."""
    if not path.is_file() or writable(path):
        return connect(path)
    refuse_network(path)
    left_over = path.with_name(f"{path.name}-wal").exists()
    # Without a write-ahead log nobody is changing it, and no side file is needed to read it.
    mode = "mode=ro" if left_over else "immutable=1"
    db = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=LOCK_S)
    if _state(db)[:2] == (APPLICATION_ID, 1):  # it cannot be brought up to date where it lies
        db.execute(f"CREATE TEMP TABLE bodies {_OF_AN_ATTEMPT}")
        return db
    return _checked(db, path)


def writable(path: Path) -> bool:
    """Whether the journal and its folder, which holds the log, take writing."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _checked(db: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    try:
        db.execute("PRAGMA foreign_keys = ON")
        _check(db, path)
    except BaseException:
        db.close()
        raise
    return db


def _check(db: sqlite3.Connection, path: Path) -> None:
    mark, version, tables = _state(db)
    if (mark, version) == (APPLICATION_ID, SCHEMA_VERSION):
        return
    if mark == APPLICATION_ID and version > SCHEMA_VERSION:
        raise JournalError(
            f"{path} was written by a newer alinb (schema {version}).",
            next_step="Upgrade alinb, or set ALINB_JOURNAL to another path.",
        )
    if version < 1 if mark == APPLICATION_ID else mark or tables:
        raise sqlite3.DatabaseError("it is another program's database")
    _bring_up(db)


def _state(db: sqlite3.Connection) -> tuple[int, int, int]:
    # One transaction, for another process may be making the journal at this moment.
    db.execute("BEGIN")
    try:
        mark, version, tables = (
            int(db.execute(query).fetchone()[0])
            for query in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT count(*) FROM sqlite_master",
            )
        )
    finally:
        db.rollback()
    return mark, version, tables


def _bring_up(db: sqlite3.Connection) -> None:
    deadline = time.monotonic() + LOCK_S
    while True:
        try:
            # Freed pages can be given back piece by piece; it counts before the first table only.
            db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA foreign_keys = OFF")  # else dropping a table would empty others
            db.execute("BEGIN IMMEDIATE")
            version = _state_within(db)
            if version < SCHEMA_VERSION:
                for statement in (_FROM_1 if version == 1 else _FRESH).split(";\n"):
                    db.execute(statement)
                for statement in _MARK.split(";\n"):
                    db.execute(statement)
            db.commit()
        except sqlite3.OperationalError as error:
            # Nobody waits for a lock in the change to WAL, so that two who make the journal at
            # the same moment would fail.
            locked = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            db.rollback()
            if not locked or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            db.execute("PRAGMA foreign_keys = ON")
            return


def _state_within(db: sqlite3.Connection) -> int:
    """The version inside the transaction that may change it: another may have been quicker."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])
