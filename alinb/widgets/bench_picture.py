"""How the signature bench looks: escaped HTML from the bench's present state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ..render import Markup, join, prose, tag
from ..stages import STAGES, Segment, Turn, Walk
from .elements import (
    button,
    choice,
    code_block,
    copy_button,
    field,
    form,
    part,
    secret_field,
    switch,
)
from .turning import Workings, about, key_of, plain_name
from .twin import Bench
from .workings import Row

#: What each stage decides, in a few words.
_DECIDES = {
    "select": "which parameters are signed",
    "format": "how a value becomes text",
    "order": "how names are sorted",
    "join": "how pairs become one string",
    "wrap": "what stands around the string",
    "key": "what keys the digest",
    "digest": "the function",
    "encode": "bytes to text",
}
_LABELS = {"path": "API path", "secret": "app secret", "separator": "between"}


@dataclass(frozen=True, slots=True)
class Picture:
    """The bench as HTML; `searching` while a dealt mistake is not found yet."""

    bench: Bench
    searching: bool
    fresh: int

    def body(self) -> Markup:
        now = self.bench.workings()
        return join(
            tag("div", self._stages(now), self._parameters(now), class_="columns"),
            self._string(now),
            self._signatures(now),
            [self._told(turn) for turn in now.turned] if not self.searching else None,
            self._tools(),
        )

    def _stages(self, now: Workings) -> Markup:
        rows = []
        for stage in STAGES:
            taken = [turn for turn in now.turned if turn.stage == stage]
            chosen = key_of(taken[0]) if len(taken) == 1 else "several" if taken else ""
            options = [("", "right: as the platform does")]
            if len(taken) > 1:
                options.append(("several", "wrong: " + " and ".join(map(plain_name, taken))))
            options += [(key_of(t), f"wrong: {plain_name(t)}") for t in now.options[stage]]
            rows.append(
                tag(
                    "div",
                    switch(stage, not taken, "switch", stage, aria_description=_DECIDES[stage]),
                    tag("small", _DECIDES[stage]),
                    choice(f"Turn at {stage}", options, chosen, act="turn", arg=stage,
                           unseen_label=True),
                    class_="stage wrong" if taken else "stage",
                    data_key=f"stage-{stage}",
                )
            )  # fmt: skip
        return tag("div", part("Eight stages; a switch that is off is turned wrong"), rows)

    def _parameters(self, now: Workings) -> Markup:
        rows = [self._row(row, now) for row in self.bench.rows]
        head = tag("tr", [tag("th", text, scope="col") for text in ("Name", "Value")],
                   tag("th", tag("span", "Remove", class_="unseen"), scope="col"))  # fmt: skip
        table = tag("table", tag("thead", head), tag("tbody", rows), class_="parameters")
        return tag(
            "div",
            part("Parameters that are sent, less the signature"),
            form(
                "rename",
                field("API name", "name", self.bench.name, data_fresh=str(self.fresh)),
                button("Use this name"),
            ),
            tag("div", table, class_="scroll"),
            button("Add a parameter", "add", data_key="add"),
        )

    def _row(self, row: Row, now: Workings) -> Markup:
        seen = row.name or "the new parameter"
        about_value: dict[str, Any] = {}
        if row.hidden:
            length = f"hidden, {len(row.value)} characters" if row.value else "hidden"
            about_value = {"type": "password", "placeholder": length}
        cells = (
            tag("input", type="text", value=row.name, aria_label=f"Name of {seen}",
                data_act="edit", data_arg=f"{row.number}.name", data_key=f"name-{row.number}"),
            join(
                tag("input", **{"type": "text", **about_value},
                    # A value may be typed before the name that tells that it is a secret.
                    value="" if row.hidden or not row.name else row.value,
                    aria_label=f"Value of {seen}", data_act="edit",
                    data_arg=f"{row.number}.value"),
                self._remark(row, now),
            ),
            button("✕", "remove", str(row.number), aria_label=f"Remove {seen}", title="Remove"),
        )  # fmt: skip
        return tag(
            "tr", [tag("td", c) for c in cells], data_key=f"row-{row.number}", data_param=row.name
        )

    def _remark(self, row: Row, now: Workings) -> Markup | None:
        """How a parameter stands in the string, where it is not just as it is sent."""
        names = [other.name for other in self.bench.rows[self.bench.rows.index(row) + 1 :]]
        if row.name and row.name in names:
            return tag("small", "sent twice: only the last one counts")
        if not row.name or self.searching:
            return None
        if row.name not in now.made.formatted:
            renamed = row.name in now.made.selected
            return tag("small", "signed under another name" if renamed else "not signed")
        as_signed = now.made.formatted[row.name]
        if as_signed == row.value:
            return None
        return tag("small", "signed otherwise" if row.hidden else f"signed as {as_signed}")

    def _string(self, now: Workings) -> Markup:
        kinds = [("path", "API path"), ("name", "name"), ("value", "value"),
                 ("separator", "between"), ("secret", "app secret")]  # fmt: skip
        legend = [tag("span", label, class_=f"seg {kind}") for kind, label in kinds]
        shown = self.bench.shown_string(now.made)
        return tag(
            "div",
            part("String to sign, as the stages are set"),
            tag("div", "Pieces: ", legend, class_="legend"),
            tag("div", self._pieces(now.made), class_="string", tabindex="0", role="group",
                aria_label="The pieces of the string to sign"),
            copy_button("Copy the string", shown),
        )  # fmt: skip

    def _pieces(self, walk: Walk) -> Iterator[Markup]:
        segments = self.bench.shown_segments(walk)
        for name, group in groupby(segments, key=lambda segment: segment.parameter):
            drawn = [_piece(segment) for segment in group]
            yield tag("span", drawn, class_="pair", data_param=name) if name else join(drawn)

    def _signatures(self, now: Workings) -> Markup:
        if not self.bench.has_secret:
            return tag("p", "No signature without the app secret: give it below.", class_="note")
        rows = [
            ("expected", "by the platform's rule", now.expected, ""),
            ("actual", "by the stages as set", now.actual, _mark(now.ok, "expected")),
        ]
        puzzle = self.bench.puzzle()
        if puzzle is not None:
            same = puzzle.signature == now.actual
            rows.append(("the program's", "to be found out", puzzle.signature,
                         _mark(same, "actual")))  # fmt: skip
        elif self.bench.received:
            same = self.bench.received == now.actual
            rows.append(("received", "in the request", self.bench.received, _mark(same, "actual")))
        drawn = [
            tag("tr", tag("th", tag("span", name), tag("small", f" {why}"), scope="row"),
                tag("td", tag("code", signature)), tag("td", mark), data_key=f"sig-{name}")
            for name, why, signature, mark in rows
        ]  # fmt: skip
        broken = puzzle is not None and join(
            part("String that the broken program signs"),
            tag("div", self._pieces(puzzle), class_="string"),
        )
        table = tag("table", tag("tbody", drawn), class_="signatures")
        return tag("div", part("Signatures"), table, broken or None)

    def _told(self, turn: Turn) -> Markup:
        facts = about(turn)
        lines = (("How it looks", "looks_like"), ("Why it is made", "why"), ("Change this", "cure"))
        return tag(
            "div",
            tag("strong", f"At {turn.stage}: {plain_name(turn)}"),
            [tag("p", tag("strong", f"{label}. "), prose(facts[key])) for label, key in lines],
            class_="note bad",
            data_key=f"told-{key_of(turn)}",
        )

    def _tools(self) -> Markup:
        dealt = self.searching
        return join(
            tag(
                "div",
                button("Break it for me", "deal", primary=True),
                button("Show me", "give_up", disabled=not dealt),
                button("Put every stage right", "straighten"),
                tag("span", data_whisper="score"),
                class_="row tools",
            ),
            tag(
                "details",
                tag("summary", "Paste a request: a curl command, a URL, raw HTTP"),
                form(
                    "load",
                    tag("label", "Request",
                        tag("textarea", name="request", rows="4", data_secret=True), class_="wide"),
                    button("Lay it on the bench"),
                ),
                data_key="paste",
            ),
            tag(
                "details",
                tag("summary", "Sign with another app secret"),
                form("secret", secret_field("App secret", "secret"), button("Use this secret")),
                data_key="secret",
                open=not self.bench.has_secret,
            ),
            code_block(self.bench.code()),
        )  # fmt: skip


def _piece(segment: Segment) -> Markup:
    label = _LABELS.get(segment.kind, segment.kind)
    title = f"{label} of {segment.parameter}" if segment.parameter else label
    return tag(
        "span",
        tag("code", segment.text),
        tag("small", label),
        class_=f"seg {segment.kind}",
        title=title,
    )


def _mark(same: bool, other: str) -> str:
    return f"= {other}" if same else f"≠ {other}"
