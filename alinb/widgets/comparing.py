"""AttemptCompare: two attempts side by side, stage by stage, with what differs marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..attempts import Attempt, Comparison, compare
from ..errors import InputError
from ..journal import Journal
from ..redact import Redactor
from ..render import Markup, join, tag
from .base import Event, Panel
from .elements import button, code_block, field, form, part, switch
from .sides import sides, why


class AttemptCompare(Panel):
    """Two attempts side by side: parameters, stages, outcome, times, and the diagnosis of each.

    `left` and `right` are attempts, or their numbers in `journal` (a `Journal` or a path; without
    it the default one). `comparison` is the plain twin, what `alinb.compare(…)` gives; it is
    redacted. Raises `JournalError` for a number that is not there.

        alinb.AttemptCompare(12, 13)
    """

    title = "Two attempts"

    def __init__(
        self,
        left: Attempt | int,
        right: Attempt | int,
        journal: Journal | str | Path | None = None,
        *,
        only_differences: bool = False,
    ) -> None:
        self.journal = journal_of(journal)
        self.only = only_differences
        self.take(left, right)
        super().__init__()
        self._say_how_many()

    def take(self, left: Attempt | int, right: Attempt | int) -> None:
        """Other attempts, or other numbers of them."""
        found = [a if isinstance(a, Attempt) else self.journal.get(a) for a in (left, right)]
        self.left, self.right = found
        self.comparison: Comparison = compare(*found)

    def act_only(self, event: Event) -> None:
        """Only the rows that differ, or all."""
        self.only = event.value == "on"
        self._say_how_many()

    def act_swap(self, event: Event) -> None:
        """Left and right change places."""
        self.take(self.right, self.left)
        self._say_how_many()

    def act_numbers(self, event: Event) -> None:
        """Two numbers of the journal."""
        self.take(number(event["left"]), number(event["right"]))
        self._say_how_many()

    def _say_how_many(self) -> None:
        self.say(told(self.comparison))

    def heading(self) -> str:
        return f"{self.title}: {self.comparison.left} and {self.comparison.right}"

    def text(self) -> str:
        return self.comparison.text()

    def body(self) -> Markup:
        numbers = ["" if a.id is None else str(a.id) for a in (self.left, self.right)]
        return join(
            tag(
                "div",
                switch("Only what differs", self.only, "only"),
                button("Swap the sides", "swap"),
                form("numbers", field("Left, by number", "left", numbers[0], inputmode="numeric"),
                     field("Right, by number", "right", numbers[1], inputmode="numeric"),
                     button("Compare these")),
                class_="row tools",
            ),
            sides(self.comparison, only=self.only),
            [_why(side, attempt)
             for side, attempt in (("left", self.left), ("right", self.right))],
            code_block(code(*numbers)),
        )  # fmt: skip


def _why(side: str, attempt: Attempt) -> Markup | None:
    drawn = why(attempt.redacted(Redactor(b"compare")))
    return join(part(f"Why: the {side} one"), drawn) if drawn else None


def told(compared: Comparison) -> str:
    """How many rows differ, as a sentence."""
    differ, every = len(compared.differences), len(compared.rows)
    return f"{differ} of {every} rows differ." if differ else f"All {every} rows are the same."


def code(left: str, right: str) -> str:
    """The comparison in plain Python."""
    return (
        "import alinb\n\njournal = alinb.Journal()\n"
        f"alinb.compare(journal.get({left or '‹number›'}), journal.get({right or '‹number›'}))"
    )


def number(text: str) -> int:
    """An attempt's number as typed. Raises `InputError`."""
    try:
        return int(text.strip())
    except ValueError:
        raise InputError(
            f"{text!r} is no attempt's number.", next_step="The list shows the numbers."
        ) from None


def journal_of(given: Any) -> Journal:
    """A journal as given, or at a path; the default one for None."""
    return given if isinstance(given, Journal) else Journal(given)
