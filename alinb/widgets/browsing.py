"""AttemptBrowser: the journal filtered, an attempt whole, two compared, exports, a ticket."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .. import intake
from ..attempts import Attempt, Comparison, compare
from ..errors import InputError
from ..files import private_file
from ..journal import Journal
from ..journal.listing import LISTED, cells
from ..journal.retention import seconds
from ..render import Markup, text_table
from ..support import support_bundle
from .base import Event, Panel
from .browsing_picture import Picture
from .comparing import journal_of, told

#: How many attempts are listed, and how many more at a time.
STEP = 15
#: The forms of an export, and the ending of its file.
FORMS = {"har": "har", "curl": "sh", "jsonl": "jsonl", "ticket": "txt"}
#: How many earlier tries of the same call a ticket tells of.
TRIED = 9


class AttemptBrowser(Panel):
    """The attempts of a journal by verdict, API name and age; each whole, two of them compared.

    `journal` is a `Journal` or a path; without it the default one. Marked attempts, else the one
    that is open, are exported as HAR, curl, JSON Lines or as a text for a support ticket; nothing
    in a journal is secret, so nothing exported is. `attempt` and `comparison` hand on what is open;
    the plain twin is the journal itself: `journal.rows(…)`, `journal.frame(…)`.

        alinb.AttemptBrowser()
    """

    title = "Attempts"

    def __init__(
        self,
        journal: Journal | str | Path | None = None,
        *,
        verdict: str = "",
        name: str = "",
        span: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.journal = journal_of(journal)
        self.filters = {"verdict": verdict, "name": name, "code": ""}
        #: The last 10m, 1h, 1d, …; "" is always.
        self.span = span
        self.marked: list[int] = []
        self.attempt: Attempt | None = None
        self.comparison: Comparison | None = None
        self.only = False
        #: The form of the export that is shown, and its text.
        self.export_form, self.exported = "har", ""
        self.limit = STEP
        self._clock = clock
        self.rows: list[dict[str, Any]] = []
        self.matching = 0
        self.names: list[str] = []
        self._fresh_rows()
        super().__init__()
        self.say(self._how_many())

    # ---- what a person does; the actions of the page call these

    def filter(self, **wanted: str) -> None:
        """Other filters: `verdict`, `name`, `code` as in `Journal.rows`; `span` is 1h, 7d, …."""
        span = wanted.pop("span", self.span)
        if unknown := set(wanted) - set(self.filters):
            raise InputError(f"There is no filter {min(unknown)!r}.",
                             next_step="Use verdict, name, code and span.")  # fmt: skip
        if span:
            seconds(span)
        self.filters |= wanted
        self.span, self.limit = span, STEP
        self._fresh_rows()

    def show(self, number: int) -> Attempt:
        """Open one attempt, by its number."""
        self.attempt, self.exported = self.journal.get(number), ""
        return self.attempt

    def compare(self, left: int, right: int) -> Comparison:
        """Lay two attempts side by side, by their numbers."""
        self.comparison = compare(self.journal.get(left), self.journal.get(right))
        return self.comparison

    def export(self, form: str = "har") -> str:
        """The marked attempts, else the open one, as har, curl, jsonl or ticket.

        Raises `InputError` where nothing is marked or open, or for another form.
        """
        chosen = list(self.journal.attempts(sorted(self.marked)))
        if not chosen and self.attempt is not None:
            chosen = [self.attempt]
        if not chosen:
            raise InputError("Nothing is marked.", next_step="Mark an attempt, or open one.")
        if form == "ticket":
            return str(support_bundle(chosen[-1], *chosen[:-1], *self._tried(chosen)))
        return intake.written(chosen, form, version("alinb"))

    def _tried(self, chosen: list[Attempt]) -> list[Attempt]:
        """The tries of the same call before the last one chosen, where it is chosen alone."""
        last = chosen[-1]
        if len(chosen) > 1 or last.id is None:
            return []
        rows = self.journal.rows(name=last.api_name, limit=10 * TRIED)
        earlier = [row["id"] for row in rows if row["id"] < last.id][:TRIED]
        return list(self.journal.attempts(earlier))

    def save(self, path: str | Path, form: str = "har") -> Path:
        """Write the export to a new file, readable by its owner alone. Raises `InputError`."""
        target = Path(path).expanduser()
        text = self.export(form)
        try:
            with os.fdopen(private_file(target, os.O_EXCL), "w", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise InputError(
                f"{target} cannot be written: {error.strerror}.",
                next_step="Give the name of a file that is not there yet.",
            ) from None
        return target

    def _wanted(self) -> dict[str, Any]:
        since = self._clock() - seconds(self.span) if self.span else None
        return {**self.filters, "since": since}

    def _fresh_rows(self) -> None:
        wanted = self._wanted()
        self.rows = self.journal.rows(**wanted, limit=self.limit)
        self.matching = self.journal.count(**wanted)
        recent = self.journal.rows(limit=1000)
        self.names = sorted({row["name"] for row in recent} | {self.filters["name"]} - {""})
        self.marked = [n for n in self.marked if n in {row["id"] for row in self.rows}]

    # ---- actions of the page

    def act_filter(self, event: Event) -> None:
        """Another choice in one of the filters; `arg` is its name."""
        self.filter(**{event.arg: event.value})
        self.note(self._how_many())

    def act_again(self, event: Event) -> None:
        """Look into the journal again."""
        self._fresh_rows()
        self.note(self._how_many())

    def act_more(self, event: Event) -> None:
        """A longer list."""
        self.limit += STEP
        self._fresh_rows()

    def act_mark(self, event: Event) -> None:
        """A row's box; `arg` is its number."""
        number = int(event.arg)
        self.marked = [n for n in self.marked if n != number]
        if event.value == "on":
            self.marked.append(number)
        self.exported = ""

    def act_show(self, event: Event) -> None:
        """Open an attempt, with the keyboard on it."""
        found = self.show(int(event.arg))
        self.note(f"Attempt {found.id} is open below the list.")
        self.move_to("open")

    def act_compare(self, event: Event) -> None:
        """The two that are marked, older one left."""
        if len(self.marked) != 2:
            raise InputError(
                f"{len(self.marked)} attempts are marked.", next_step="Mark two to compare them."
            )
        self.note(told(self.compare(*sorted(self.marked))))
        self.move_to("compared")

    def act_only(self, event: Event) -> None:
        """Only the rows that differ, or all."""
        self.only = event.value == "on"

    def act_export(self, event: Event) -> None:
        """Show the export."""
        self.export_form = event["form"] or "har"
        self.exported = self.export(self.export_form)
        self.note("The export is below; it holds no secret.", "good")
        self.move_to("export")

    def act_save(self, event: Event) -> None:
        """Write the export to a file."""
        name = event["path"].strip() or f"attempts.{FORMS[self.export_form]}"
        self.note(f"Written to {self.save(name, self.export_form)}.", "good")

    # ---- how it is shown

    def _how_many(self) -> str:
        every = len(self.journal)
        if not every:
            return "The journal is empty."
        if self.matching == every:
            return f"{every:,} attempt{'s' * (every != 1)}."
        return f"{self.matching:,} of {every:,} attempts match."

    def text(self) -> str:
        return f"{text_table(LISTED, map(cells, self.rows))}\n{self._how_many()}"

    def body(self) -> Markup:
        return Picture(self).body()
