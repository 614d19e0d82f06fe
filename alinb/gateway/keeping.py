"""Every exchange in a journal, beside the bounded list that is held in memory."""

from __future__ import annotations

from ..errors import JournalError
from ..journal import Journal
from ..redact import Secret
from .exchanges import Exchange


class Keeper:
    """Puts exchanges into a journal without waiting for the disk; `Sandbox(keep=…)` takes one.

    `secret` is hidden by value, tokens and codes by where they stand. A journal that cannot be
    written to stops no answer: `problem` says what was lost. Raises `JournalError` at once where
    the journal cannot be used at all.
    """

    def __init__(self, journal: Journal, secret: Secret | None = None) -> None:
        journal.open()
        self._journal, self._secret = journal, secret
        self.problem = ""

    def __call__(self, exchange: Exchange) -> None:
        try:
            self._journal.record_later(exchange.attempt(), self._secret)
        except JournalError as error:
            self.problem = str(error)

    def close(self) -> None:
        """Write what still waits, and let go of the file."""
        try:
            self._journal.close()
        except JournalError as error:
            self.problem = str(error)
