"""How the attempt browser looks: escaped HTML from its present state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..journal.listing import moment
from ..redact import Redactor
from ..render import Markup, join, tag
from .answers import scrolled
from .elements import button, choice, code_block, copy_button, field, form, part, switch
from .sides import sides, whole

if TYPE_CHECKING:
    from .browsing import AttemptBrowser

#: How much of an export the page shows, and how much it can copy.
SHOWN, COPIED = 20_000, 500_000
_VERDICTS = ("ok", "empty", "refused", "unreadable", "no_reply", "unsent")
_MARKS = {"ok": "✓", "empty": "✓"}
_SPANS = [("", "always"), ("10m", "10 minutes"), ("1h", "hour"), ("1d", "day"), ("7d", "7 days"),
          ("30d", "30 days")]  # fmt: skip
_EXPORTS = [("har", "HAR"), ("curl", "curl"), ("jsonl", "JSON Lines"),
            ("ticket", "text for a support ticket")]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """The browser as HTML."""

    panel: AttemptBrowser

    def body(self) -> Markup:
        return join(
            self._filters(),
            self._list(),
            self._do(),
            self._open(),
            self._compared(),
            self._export(),
            code_block(self.code()),
        )

    def _filters(self) -> Markup:
        panel, chosen = self.panel, self.panel.filters
        spans = _SPANS if panel.span in dict(_SPANS) else [*_SPANS, (panel.span, panel.span)]
        verdicts = [("", "every verdict"), *((v, v) for v in _VERDICTS)]
        names = [("", "every API name"), *((n, n) for n in panel.names)]
        return tag(
            "div",
            choice("Verdict", verdicts, chosen["verdict"], act="filter", arg="verdict"),
            choice("API name", names, chosen["name"], act="filter", arg="name"),
            choice("Of the last", spans, panel.span, act="filter", arg="span"),
            button("Look again", "again"),
            class_="row tools",
        )

    def _list(self) -> Markup:
        panel = self.panel
        if not panel.rows:
            return tag("p", "No attempt is here. Every call of a client leaves one.")
        unseen = tag("span", "Marked", class_="unseen")
        names = ("number", "time (UTC)", "verdict", "API name", "code", "mistakes", "ms")
        head = tag("tr", tag("th", unseen, scope="col"),
                   [tag("th", text, scope="col") for text in names])  # fmt: skip
        table = tag("table", tag("thead", head), tag("tbody", [self._row(r) for r in panel.rows]),
                    class_="attempts")  # fmt: skip
        left = panel.matching - len(panel.rows)
        return join(
            scrolled("List of attempts", table),
            button(f"Show more; {left:,} are left", "more", data_key="more") if left > 0 else None,
        )

    def _row(self, row: Mapping[str, Any]) -> Markup:
        number, verdict = row["id"], row["verdict"]
        box = tag(
            "input",
            type="checkbox",
            checked=number in self.panel.marked,
            data_act="mark",
            data_arg=str(number),
            data_when="change",
            aria_label=f"Mark attempt {number}",
        )
        label = f"Open attempt {number}"
        took = "" if row["elapsed_ms"] is None else f"{row['elapsed_ms']:.0f}"
        return tag(
            "tr",
            tag("td", box),
            tag("td", button(str(number), "show", str(number), aria_label=label)),
            tag("td", moment(row["at"]).removesuffix("Z") if row["at"] is not None else ""),
            tag("td", f"{_MARKS.get(verdict, '✗')} {verdict}",
                class_="good" if verdict in _MARKS else "bad"),
            [tag("td", row[what] or "") for what in ("name", "code", "mistakes")],
            tag("td", took),
            data_key=f"row-{number}",
        )  # fmt: skip

    def _do(self) -> Markup:
        marked = self.panel.marked
        return tag(
            "div",
            button("Compare the two marked", "compare", disabled=len(marked) != 2),
            form(
                "export",
                choice("Export the marked, else the open one, as", _EXPORTS,
                       self.panel.export_form, name="form"),
                button("Export"),
            ),
            class_="row tools",
        )  # fmt: skip

    def _open(self) -> Markup | None:
        attempt = self.panel.attempt
        if attempt is None:
            return None
        shown = attempt.redacted(Redactor(b"browser"))
        title = tag("p", tag("strong", f"{shown.api_name} {shown.verdict}"), tabindex="-1",
                    data_key="open")  # fmt: skip
        return tag("div", part(f"Attempt {attempt.id}"), title, whole(shown),
                   data_key=f"attempt-{attempt.id}")  # fmt: skip

    def _compared(self) -> Markup | None:
        compared = self.panel.comparison
        if compared is None:
            return None
        title = tag("p", tag("strong", f"{compared.left} and {compared.right}"), tabindex="-1",
                    data_key="compared")  # fmt: skip
        return tag("div", part("Side by side"), title,
                   switch("Only what differs", self.panel.only, "only"),
                   sides(compared, only=self.panel.only), data_key="comparison")  # fmt: skip

    def _export(self) -> Markup | None:
        from .browsing import FORMS

        text, kind = self.panel.exported, self.panel.export_form
        if not text:
            return None
        cut = f"… {len(text) - SHOWN:,} characters more, in the file"
        return tag(
            "div",
            part(f"Export: {dict(_EXPORTS)[kind]}"),
            tag("p", f"{len(text):,} characters.", tabindex="-1", data_key="export"),
            scrolled("The export", tag("pre", tag("code", text[:SHOWN]))),
            tag("p", cut) if len(text) > SHOWN else None,
            tag(
                "div",
                copy_button("Copy the export", text) if len(text) <= COPIED else None,
                form("save", field("New file, beside the notebook", "path",
                                   f"attempts.{FORMS[kind]}"), button("Write the file")),
                class_="row tools",
            ),
            data_key=f"export-{kind}",
        )  # fmt: skip

    def code(self) -> str:
        """The list, one attempt and a ticket in plain Python."""
        chosen = [f"{k}={v!r}" for k, v in self.panel.filters.items() if v]
        number = self.panel.attempt.id if self.panel.attempt else "‹number›"
        return "\n".join([
            "import alinb", "", "journal = alinb.Journal()",
            f"journal.frame({', '.join(chosen)})",
            f"attempt = journal.get({number})",
            "print(alinb.support_bundle(attempt))",
        ])  # fmt: skip
