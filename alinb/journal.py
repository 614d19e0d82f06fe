"""Every attempt, good or refused, in one SQLite file that holds no secret."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from .attempts import Attempt
from .errors import JournalError
from .redact import Redactor, Secret

#: Marks a SQLite file as ours: "alnb".
APPLICATION_ID = 0x616C6E62
SCHEMA_VERSION = 1
#: How long one process waits for another that writes, in s.
LOCK_S = 30.0

_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY, at REAL, name TEXT NOT NULL, verdict TEXT NOT NULL,
    code TEXT NOT NULL, message TEXT NOT NULL, request_id TEXT NOT NULL, method TEXT NOT NULL,
    endpoint TEXT NOT NULL, status INTEGER, elapsed_ms REAL, mistakes TEXT NOT NULL,
    platform TEXT NOT NULL, source TEXT NOT NULL, problem TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS attempts_by_verdict ON attempts (verdict, id);
CREATE INDEX IF NOT EXISTS attempts_by_name ON attempts (name, id);
CREATE TABLE IF NOT EXISTS contents (
    attempt INTEGER PRIMARY KEY REFERENCES attempts (id) ON DELETE CASCADE, packed BLOB NOT NULL
);
INSERT OR IGNORE INTO meta VALUES ('key', randomblob(32));
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
COMMIT;
"""

_COLUMNS = (
    "id", "at", "name", "verdict", "code", "message", "request_id", "method", "endpoint",
    "status", "elapsed_ms", "mistakes", "platform", "source", "problem",
)  # fmt: skip


def default_path() -> Path:
    """ALINB_JOURNAL, else `journal.sqlite3` in the user's data folder."""
    if chosen := os.environ.get("ALINB_JOURNAL"):
        return Path(chosen)
    from platformdirs import user_data_dir

    return Path(user_data_dir("alinb", appauthor=False)) / "journal.sqlite3"


class Journal:
    """Attempts in a SQLite file: WAL, a connection an operation, usable from any thread.

    Secrets and tokens are hidden by value before they reach the disk; the fingerprints that stand
    for them are keyed with the journal's own random key, so equal values stay recognizable. The
    file is made with mode 0600. Raises `JournalError` where it is no journal; it stays as it is.

        journal = alinb.Journal("attempts.sqlite3")
        journal.frame()
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = Path(path).expanduser() if path is not None else default_path()
        self._ready = threading.Lock()
        self._key: bytes | None = None

    def record(self, attempt: Attempt, *secrets_known: Secret | None) -> Attempt:
        """Store an attempt and give it back with its number, its true values still in it."""
        redactor = Redactor(self.key, ((s.kind, s.reveal()) for s in secrets_known if s))
        hidden = attempt.redacted(redactor)
        reply = hidden.reply
        row = (
            hidden.at, hidden.api_name, hidden.verdict, hidden.code,
            reply.decisive_message if reply else "", reply.request_id if reply else "",
            hidden.method, hidden.url.partition("?")[0], hidden.status, hidden.elapsed_ms,
            " ".join((hidden.diagnosis or {}).get("mistakes", [])), hidden.platform,
            hidden.source, hidden.problem,
        )  # fmt: skip
        text = json.dumps(_contents(hidden), ensure_ascii=False)
        packed = zlib.compress(text.encode("utf-8", "surrogatepass"), 1)
        columns = ", ".join(_COLUMNS[1:])
        marks = ", ".join("?" * len(row))
        with self._connection() as db, db:
            number = db.execute(
                f"INSERT INTO attempts ({columns}) VALUES ({marks})", [*map(_storable, row)]
            ).lastrowid
            db.execute("INSERT INTO contents VALUES (?, ?)", (number, packed))
        return replace(attempt, id=number)

    def get(self, number: int) -> Attempt:
        """One attempt by its number, as stored. Raises `JournalError` where there is none."""
        with self._connection() as db:
            found = db.execute(
                "SELECT packed FROM contents WHERE attempt = ?", (number,)
            ).fetchone()
        if found is None:
            raise JournalError(
                f"The journal holds no attempt {number}.",
                next_step="alinb attempts ls shows the numbers.",
            )
        return _unpacked(number, found[0])

    def rows(
        self, *, verdict: str = "", name: str = "", limit: int | None = None
    ) -> list[dict[str, Any]]:
        """The newest attempts first, one dictionary each, without their contents."""
        where, values = _where(verdict, name)
        query = f"SELECT {', '.join(_COLUMNS)} FROM attempts {where} ORDER BY id DESC LIMIT ?"
        with self._connection() as db:
            found = db.execute(query, (*values, -1 if limit is None else limit)).fetchall()
        return [dict(zip(_COLUMNS, row, strict=True)) for row in found]

    def attempts(self, numbers: Iterable[int] | None = None) -> Iterator[Attempt]:
        """Whole attempts, oldest first; all of them, or those numbered."""
        if numbers is not None:
            yield from (self.get(number) for number in numbers)
            return
        with self._connection() as db:
            for number, packed in db.execute(
                "SELECT attempt, packed FROM contents ORDER BY attempt"
            ):
                yield _unpacked(number, packed)

    def frame(self, *, verdict: str = "", name: str = "", limit: int | None = None) -> Any:
        """The rows as a pandas DataFrame, indexed by attempt number, times in UTC."""
        from alinb import frame

        return frame(self.rows(verdict=verdict, name=name, limit=limit), "attempts")

    def __len__(self) -> int:
        with self._connection() as db:
            return int(db.execute("SELECT count(*) FROM attempts").fetchone()[0])

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r})"

    def open(self) -> None:
        """Make the file where there is none. Raises `JournalError` where it cannot be used."""
        _ = self.key

    @property
    def key(self) -> bytes:
        """The random key of this journal's fingerprints."""
        if self._key is None:
            with self._connection() as db:
                self._key = db.execute("SELECT value FROM meta WHERE name = 'key'").fetchone()[0]
        return self._key

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            self._create()
            with closing(sqlite3.connect(self.path, timeout=LOCK_S)) as db:
                db.execute("PRAGMA synchronous = NORMAL")
                db.execute("PRAGMA foreign_keys = ON")
                self._check(db)
                yield db
        except (sqlite3.Error, OSError, OverflowError) as error:
            raise self._broken(error) from None

    def _create(self) -> None:
        if self.path.exists():
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its side files the mode of the main file, so that one is made first.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))

    def _check(self, db: sqlite3.Connection) -> None:
        # One transaction, for another process may be making the journal at this moment.
        db.execute("BEGIN")
        mark, version, tables = (
            db.execute(query).fetchone()[0]
            for query in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT count(*) FROM sqlite_master",
            )
        )
        db.rollback()
        if (mark, version) == (APPLICATION_ID, SCHEMA_VERSION):
            return
        if mark == APPLICATION_ID:
            raise JournalError(
                f"{self.path} was written by a newer alinb (schema {version}).",
                next_step="Upgrade alinb, or set ALINB_JOURNAL to another path.",
            )
        if mark or tables:
            raise sqlite3.DatabaseError("it is another program's database")
        with self._ready:
            self._fill(db)

    def _fill(self, db: sqlite3.Connection) -> None:
        deadline = time.monotonic() + LOCK_S
        while True:
            try:
                db.execute("PRAGMA journal_mode = WAL")
                db.executescript(_SCHEMA)
            except sqlite3.OperationalError as error:
                # Nobody waits for a lock in the change to WAL, so that two who make the journal at
                # the same moment would fail.
                locked = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                db.rollback()
                if not locked or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    def _broken(self, error: Exception) -> JournalError:
        why = getattr(error, "strerror", None) or str(error)
        return JournalError(
            f"The journal {self.path} cannot be used: {why}.",
            next_step="Nothing in it was changed; set ALINB_JOURNAL to another path.",
        )


def _where(verdict: str, name: str) -> tuple[str, tuple[str, ...]]:
    wanted = [(f"{column} = ?", value) for column, value in
              (("verdict", verdict), ("name", name)) if value]  # fmt: skip
    if not wanted:
        return "", ()
    return "WHERE " + " AND ".join(text for text, _ in wanted), tuple(value for _, value in wanted)


def _contents(attempt: Attempt) -> dict[str, Any]:
    return {
        "method": attempt.method, "url": attempt.url, "headers": attempt.headers,
        "body": attempt.body, "string_to_sign": attempt.string_to_sign,
        "stages": dict(attempt.stages), "status": attempt.status,
        "reply_headers": attempt.reply_headers, "reply_text": attempt.reply_text,
        "problem": attempt.problem, "name": attempt.name, "platform": attempt.platform,
        "source": attempt.source, "at": attempt.at, "elapsed_ms": attempt.elapsed_ms,
        "diagnosis": attempt.diagnosis, "stated_sign": attempt.stated_sign,
    }  # fmt: skip


def _storable(value: Any) -> Any:
    # SQLite takes no half of a surrogate pair; the packed contents keep it.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _unpacked(number: int, packed: bytes) -> Attempt:
    try:
        held = json.loads(zlib.decompress(packed))
        for pairs in ("headers", "reply_headers"):
            held[pairs] = tuple((name, value) for name, value in held[pairs])
        return Attempt(**held, id=number)
    except (zlib.error, ValueError, TypeError, KeyError) as error:
        raise JournalError(
            f"Attempt {number} cannot be read from the journal: {error}.",
            next_step="The other attempts are unharmed; alinb attempts ls shows them.",
        ) from None
