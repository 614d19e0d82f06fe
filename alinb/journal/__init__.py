"""Every attempt, good or refused, in one SQLite file that holds no secret."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from ..attempts import Attempt
from ..errors import InputError, JournalError
from ..quiet import quiet
from ..redact import Redactor, Secret
from . import retention
from .forking import used
from .packing import Row, pack, unpack
from .place import default_path, network_file_system, read_only, unusable
from .query import Filter
from .schema import APPLICATION_ID, COLUMNS, SCHEMA_VERSION, connect, connect_to_read, writable
from .writer import Writer, writer_of

__all__ = [
    "APPLICATION_ID",
    "SCHEMA_VERSION",
    "Journal",
    "default_path",
    "network_file_system",
]


class Journal:
    """Attempts in a SQLite file, usable from any thread and any number of processes.

    Secrets and tokens are hidden by value before they reach the disk; the fingerprints that stand
    for them are keyed with the journal's own random key, so equal values stay recognizable. The
    file is made with mode 0600. One thread a process writes, and calls at the same time share its
    commits. Raises `JournalError` where it is no journal or lies on a network file system; it stays
    as it is.

        journal = alinb.Journal("attempts.sqlite3")
        journal.frame()
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = Path(path).expanduser() if path is not None else default_path()
        self._key: bytes | None = None

    @quiet
    def record(self, attempt: Attempt, *secrets_known: Secret | None) -> Attempt:
        """Store an attempt and give it back with its number, its true values still in it.

        When it returns, the attempt is on the disk: a killed process or a power cut loses none.
        """
        return replace(attempt, id=self._writer.store(self._row(attempt, secrets_known)))

    @quiet
    def record_later(self, attempt: Attempt, *secrets_known: Secret | None) -> None:
        """Store an attempt soon, without waiting: for pulls, where many come at a time.

        A killed process loses those that wait; the end of the program and `flush` do not. Where one
        could not be kept, the next call and `flush` raise `JournalError` with how many; the attempt
        of that call is on its way all the same. Blocks while 2,000 wait.
        """
        self._writer.store_later(lambda: self._row(attempt, secrets_known))

    def flush(self) -> None:
        """Return when all is stored. Raises `JournalError` with how many were lost, if any."""
        self._writer.flush()

    def close(self) -> None:
        """Flush, and let go of the file at once rather than after a second; it can be used on."""
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    @quiet
    def get(self, number: int) -> Attempt:
        """One attempt by its number, as stored. Raises `JournalError` where there is none."""
        with self._reading() as db:
            found = db.execute(f"{_WHOLE} WHERE contents.attempt = ?", (number,)).fetchone()
        if found is None:
            raise JournalError(
                f"The journal holds no attempt {number}.",
                next_step="alinb attempts ls shows the numbers.",
            )
        return unpack(*found)

    def rows(
        self,
        *,
        verdict: str = "",
        name: str = "",
        code: str = "",
        since: float | None = None,
        limit: int | None = None,
    ) -> list[dict[str, Any]]:
        """The newest attempts first, one dictionary each, without their contents.

        `code` is the deciding code of the reply, `since` a moment in epoch s.
        """
        query, values = Filter(verdict, name, code, since).select(limit)
        with self._reading() as db:
            found = db.execute(query, values).fetchall()
        return [dict(zip(COLUMNS, row, strict=True)) for row in found]

    def count(
        self, *, verdict: str = "", name: str = "", code: str = "", since: float | None = None
    ) -> int:
        """How many attempts the same filters as in `rows` find."""
        query, values = Filter(verdict, name, code, since).count()
        with self._reading() as db:
            return int(db.execute(query, values).fetchone()[0])

    def attempts(self, numbers: Iterable[int] | None = None) -> Iterator[Attempt]:
        """Whole attempts, oldest first; all of them, or those numbered."""
        if numbers is not None:
            yield from (self.get(number) for number in numbers)
            return
        with self._reading() as db:
            last = db.execute("SELECT max(attempt) FROM contents").fetchone()[0] or 0
        number = 0
        while number < last:
            # What the caller does meanwhile, such as forking, must not meet an open connection.
            with self._reading() as db:
                some = db.execute(_SOME, (number, last)).fetchall()
            yield from (unpack(*found) for found in some)
            number = some[-1][0] if some else last

    def frame(
        self,
        *,
        verdict: str = "",
        name: str = "",
        code: str = "",
        since: float | None = None,
        limit: int | None = None,
    ) -> Any:
        """The rows as a pandas DataFrame, indexed by attempt number, times in UTC.

        Newest first, with the filters of `rows`; a million attempts take some seconds.
        """
        from ..journal_frame import build

        query, values = Filter(verdict, name, code, since).select(limit)
        with self._reading() as db:
            return build(COLUMNS, db.execute(query, values))

    def facts(self) -> dict[str, Any]:
        """Path, schema, size in bytes, attempts by verdict, oldest and newest in epoch s."""
        with self._reading() as db:
            return retention.facts(db, self.path)

    def prune(
        self, *, older_than: float | None = None, keep: int | None = None, now: float | None = None
    ) -> int:
        """Delete attempts and shorten the file; gives how many went.

        `older_than` is in s before `now` (epoch s), `keep` how many of the newest stay in any case;
        with both, an attempt goes only where both let it. An attempt whose moment is not known is
        not old. Numbers of deleted attempts are not given again. Raises `InputError` without both.
        """
        if older_than is None and keep is None:
            raise InputError(
                "Nothing says which attempts may go.", next_step="Give an age or a number to keep."
            )
        moment = time.time() if now is None else now
        before = None if older_than is None else moment - older_than
        gone = 0
        with self._connection() as db:
            for numbers in retention.doomed(db, before, keep):
                retention.delete(db, numbers)
                gone += len(numbers)
            if gone:
                retention.give_back(db)
        return gone

    def __len__(self) -> int:
        return self.count()

    def __repr__(self) -> str:
        return f"Journal({str(self.path)!r})"

    def open(self) -> None:
        """Make the file where there is none. Raises `JournalError` where it cannot be used."""
        _ = self.key
        if not writable(self._file):
            raise read_only(self.path)

    @property
    def key(self) -> bytes:
        """The random key of this journal's fingerprints."""
        if self._key is None:
            # The writer's thread asks for it, too, and must not wait for itself.
            with self._errors(), used(), closing(connect_to_read(self._file)) as db:
                self._key = db.execute("SELECT value FROM meta WHERE name = 'key'").fetchone()[0]
        return self._key

    def _row(self, attempt: Attempt, secrets_known: Iterable[Secret | None]) -> Row:
        known = ((secret.kind, secret.reveal()) for secret in secrets_known if secret)
        return pack(attempt, Redactor(self.key, known))

    @property
    def _file(self) -> Path:
        return Path(os.path.abspath(self.path))

    @property
    def _writer(self) -> Writer:
        return writer_of(self._file)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees all that this process has recorded."""
        self._writer.wait()
        with self._errors(), used(), closing(connect_to_read(self._file)) as db:
            yield db

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        self._writer.wait()
        with self._errors(), used(), closing(connect(self._file)) as db:
            yield db

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, OverflowError) as error:
            raise unusable(self.path, error) from None


_WHOLE = (
    "SELECT contents.attempt, contents.packed, bodies.packed FROM contents "
    "LEFT JOIN bodies ON bodies.attempt = contents.attempt"
)
_SOME = (
    f"{_WHOLE} WHERE contents.attempt > ? AND contents.attempt <= ? "
    "ORDER BY contents.attempt LIMIT 256"
)
