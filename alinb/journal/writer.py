"""One thread a journal commits what other threads hand it, as many attempts as wait at a time."""

from __future__ import annotations

import atexit
import os
import random
import sqlite3
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

from ..errors import AlinbError, JournalError
from . import forking
from .packing import Row
from .place import unusable
from .schema import COLUMNS, LOCK_S, connect

#: The most attempts, and bytes of them, in one commit.
MOST, MOST_BYTES = 256, 16 * 1024 * 1024
#: How many unacknowledged attempts wait before the next one has to wait, too.
WAITING = 2_000
#: How long the thread and its connection stay without work, in s.
IDLE_S = 1.0
#: The longest pause between two looks at a lock that another process holds, in s.
LOOK_S = 0.004

_INSERT = (
    f"INSERT INTO attempts ({', '.join(COLUMNS[1:])}) VALUES ({', '.join('?' * len(COLUMNS[1:]))})"
)


class _Entry:
    """An attempt on its way; `stored` is None where nobody waits for it."""

    __slots__ = ("make", "row", "stored")

    def __init__(
        self, row: Row | None, make: Callable[[], Row] | None, stored: Future[int] | None
    ) -> None:
        self.row, self.make, self.stored = row, make, stored


class Writer:
    """Group commit: while one group goes to the disk the next one gathers.

    A commit is on the disk when it returns (synchronous FULL): neither a killed process nor a power
    cut takes back what was acknowledged. Callers that write at once share one commit.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changed = threading.Condition()
        self._queue: deque[_Entry] = deque()
        self._committing = False
        self._thread: threading.Thread | None = None
        self._closing = False
        self._lost: list[JournalError] = []
        self._db: sqlite3.Connection | None = None
        self._letting_go = threading.Lock()
        self._file: tuple[int, int] | None = None

    def store(self, row: Row) -> int:
        """The number of a row that is on the disk. Raises `JournalError` where it cannot be."""
        stored: Future[int] = Future()
        self._hand_over(_Entry(row, None, stored))
        return stored.result()

    def store_later(self, make: Callable[[], Row]) -> None:
        """Store what `make` gives, in the thread.

        Raises `JournalError` for an earlier loss; this one is on its way then, too.
        """
        self._hand_over(_Entry(None, make, None))

    def wait(self) -> None:
        """Return when all that was handed over is stored or lost."""
        with self._changed:
            self._changed.wait_for(self._idle)

    def flush(self) -> None:
        """The same; raises `JournalError` where attempts were lost, which says how many."""
        self.wait()
        self._raise_lost()

    def close(self) -> None:
        """Flush, and let go of the file. The writer can be used again. Raises as `flush` does."""
        with self._changed:
            self._changed.wait_for(self._idle)
            thread, self._closing = self._thread, True
            self._changed.notify_all()
        if thread is not None:
            thread.join()
        self._closing = False
        self._raise_lost()

    def _idle(self) -> bool:
        return not self._queue and not self._committing

    def _raise_lost(self) -> None:
        with self._changed:
            lost, self._lost = self._lost, []
        if lost:
            raise JournalError(
                f"{len(lost)} attempt{'s' * (len(lost) > 1)} could not be kept: {lost[-1].message}",
                next_step=lost[-1].next_step,
                lost=len(lost),
            )

    def _hand_over(self, entry: _Entry) -> None:
        with self._changed:
            if entry.stored is None:
                self._changed.wait_for(lambda: len(self._queue) < WAITING)
            self._queue.append(entry)
            started = self._start()
            self._changed.notify_all()
        if not started:
            self._run()
        if entry.stored is None:
            self._raise_lost()

    def _start(self) -> bool:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="alinb journal", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is ending and starts no more threads
                self._thread = None
                return False
        return True

    def _run(self) -> None:
        while group := self._next_group():
            try:
                with forking.used():
                    self._commit(group)
            finally:
                with self._changed:
                    self._committing = False
                    self._changed.notify_all()

    def _next_group(self) -> list[_Entry]:
        """The entries of the next commit; none where the thread is to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing, IDLE_S)
            if not self._queue:
                self._let_go()
                self._thread = None  # whoever hands something over now starts another
                return []
            group: list[_Entry] = []
            size = 0
            while self._queue and len(group) < MOST and size < MOST_BYTES:
                entry = self._queue.popleft()
                size += entry.row.size if entry.row else 0
                group.append(entry)
            self._committing = True
            return group

    def _commit(self, group: list[_Entry]) -> None:
        try:
            made = [entry for entry in group if self._made(entry)]
            self._insert(made)
        except BaseException as error:
            self._let_go()
            if len(group) > 1 and not _hopeless(error):
                for entry in group:  # one of them must not take the others along
                    self._commit([entry])
                return
            for entry in group:
                self._fail(entry, error)

    def _made(self, entry: _Entry) -> bool:
        try:
            if entry.row is None and entry.make is not None:
                entry.row = entry.make()
        except Exception as error:
            self._fail(entry, error)
        return entry.row is not None

    def _insert(self, entries: list[_Entry]) -> None:
        if not entries:
            return
        db, numbers = self._connection(), []
        _begin(db)
        for entry in entries:
            assert entry.row is not None  # noqa: S101
            facts, contents, body = entry.row
            number = db.execute(_INSERT, facts).lastrowid
            db.execute("INSERT INTO contents VALUES (?, ?)", (number, contents))
            if body is not None:
                db.execute("INSERT INTO bodies VALUES (?, ?)", (number, body))
            numbers.append(number or 0)
        db.commit()
        for entry, number in zip(entries, numbers, strict=True):
            if entry.stored is not None:
                entry.stored.set_result(number)
            entry.row = None

    def _fail(self, entry: _Entry, error: BaseException) -> None:
        known = error if isinstance(error, AlinbError) else unusable(self.path, error)
        if entry.stored is None:
            with self._changed:
                self._lost.append(known if isinstance(known, JournalError) else JournalError(""))
        elif not entry.stored.done():
            entry.stored.set_exception(known)

    def _connection(self) -> sqlite3.Connection:
        if self._db is not None and self._file != _identity(self.path):
            self._let_go()  # the file was taken away or another one lies there now
        if self._db is None:
            db = connect(self.path)
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA wal_autocheckpoint = 4000")  # each one syncs: fewer, of 16 MB
            db.execute("PRAGMA foreign_keys = OFF")  # it adds rows to each table in one go
            self._db, self._file = db, _identity(self.path)
        return self._db

    def _let_go(self) -> None:
        with self._letting_go:  # a fork closes it, too
            if self._db is not None:
                with suppress(sqlite3.Error):
                    self._db.close()  # an open transaction is rolled back
                self._db = None


def _begin(db: sqlite3.Connection) -> None:
    """Take the write lock. SQLite's own waiting grows to 0.1 s a look and lets some starve."""
    deadline = time.monotonic() + LOCK_S
    db.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                held = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not held or time.monotonic() > deadline:
                    raise
                time.sleep(LOOK_S * random.random())  # noqa: S311
            else:
                return
    finally:
        db.execute(f"PRAGMA busy_timeout = {LOCK_S * 1000:.0f}")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _hopeless(error: BaseException) -> bool:
    """Whether one attempt alone would fare no better than the group did."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, JournalError) or code in (
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_READONLY
    )  # fmt: skip


_writers: dict[Path, Writer] = {}
_choosing = threading.Lock()


def writer_of(path: Path) -> Writer:
    """The one writer of a journal in this process."""
    with _choosing:
        found = _writers.get(path)
        if found is None:
            found = _writers[path] = Writer(path)
        return found


def _at_exit() -> None:
    for writer in list(_writers.values()):
        try:
            writer.close()
        except JournalError as error:
            print(f"alinb: {error}", file=sys.stderr)


#: What a forked child must neither use nor close: they are its parent's.
_parents: list[dict[Path, Writer]] = []


def _before_fork() -> None:
    for writer in list(_writers.values()):
        writer._let_go()


def _after_fork() -> None:
    # The thread does not exist in the child, and what waits in the queue its parent stores.
    global _writers, _choosing
    _parents.append(_writers)
    _writers, _choosing = {}, threading.Lock()


atexit.register(_at_exit)
forking.watch(_before_fork, _after_fork)
