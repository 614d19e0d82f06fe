"""A try that was refused or got no answer, with what is known about why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..errors import AlinbError, JournalError
from ..explanations import Explanation, explain
from ..journal import Journal
from ..render import Markup, join, prose, tag
from ..replies import Reply


@dataclass(frozen=True, slots=True)
class Try:
    """What was tried, when (epoch s), the error, and its attempt's number in the journal.

    `diagnosis` is what the doctor proved about the signature, where that was refused.
    """

    what: str
    at: float
    error: AlinbError = field(repr=False)
    attempt_id: int | None = None
    explanation: Explanation | None = field(default=None, repr=False)
    diagnosis: str = ""

    @classmethod
    def of(cls, what: str, error: AlinbError, journal: Journal | None, now: float) -> Try:
        """The try that ended in this error."""
        reply: Any = error.evidence.get("reply")
        number = error.evidence.get("attempt_id")
        found = explain(reply) if isinstance(reply, Reply) and not reply.ok else None
        return cls(what, now, error, number, found, _diagnosis(journal, number))

    @property
    def clock(self) -> str:
        return datetime.fromtimestamp(self.at, UTC).strftime("%H:%M:%S UTC")

    @property
    def message(self) -> str:
        """What happened; the error's own next step only where nothing better is known."""
        return self.error.message if self.explanation else str(self.error)

    @property
    def place(self) -> str:
        """Where the try is kept."""
        return f"attempt {self.attempt_id} in the journal" if self.attempt_id else "not recorded"

    def text(self) -> str:
        lines = [f"✗ {self.what} at {self.clock} ({self.place}): {self.message}"]
        lines += [f"  {line}" for line in (self.diagnosis,) if line]
        if self.explanation:
            lines += [f"  {self.explanation.meaning}"]
            lines += [f"  {i}. {cure}" for i, cure in enumerate(self.explanation.cures, 1)]
        return "\n".join(lines)

    def html(self) -> Markup:
        found = self.explanation
        return join(
            tag("strong", f"✗ {self.what} at {self.clock} ({self.place})"),
            tag("p", self.message),
            tag("p", tag("strong", "Diagnosis. "), self.diagnosis) if self.diagnosis else None,
            found and join(
                tag("p", prose(found.meaning)),
                tag("p", f"Not known: {found.unknown}") if found.unknown else None,
                tag("ol", [tag("li", prose(cure)) for cure in found.cures]),
            ),
        )  # fmt: skip


def _diagnosis(journal: Journal | None, number: Any) -> str:
    if journal is None or not isinstance(number, int):
        return ""
    try:
        found = journal.get(number).diagnosis or {}
    except JournalError:
        return ""
    if found.get("verdict") != "explained":
        return ""
    return f"{found.get('summary', '')} {found.get('cure', '')}".strip()
