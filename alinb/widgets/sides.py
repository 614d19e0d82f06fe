"""Two attempts side by side, and one attempt whole: pictures that two panels share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from ..attempts import Attempt, Comparison
from ..doctor import name_of
from ..errors import AlinbError
from ..explanations import explain
from ..intake import to_curl
from ..journal.listing import moment
from ..render import Markup, join, prose, tag
from .answers import scrolled, tree
from .elements import code_block, part

_PARTS = {
    "parameters": "Parameters",
    "stages": "Stage by stage",
    "outcome": "What became of it",
    "timing": "When",
}


def sides(compared: Comparison, *, only: bool) -> Markup:
    """A comparison part by part; a row that differs has a ≠ and the differing text marked."""
    rows = compared.differences if only else compared.rows
    if not rows:
        return tag("p", "Nothing differs." if only else "There is nothing to compare.")
    return join(
        join(part(_PARTS[name]), _table(compared, [row[1:] for row in group], _PARTS[name]))
        for name, group in groupby(rows, key=lambda row: row[0])
    )


def _table(compared: Comparison, rows: list[tuple[str, str, str]], label: str) -> Markup:
    head = [tag("th", tag("span", "Same or not", class_="unseen"), scope="col")]
    head += [tag("th", text, scope="col") for text in ("what", compared.left, compared.right)]
    body = []
    for what, left, right in rows:
        same = left == right
        mark = tag("td", tag("span", "=" if same else "≠", role="img",
                             aria_label="same" if same else "differs"))  # fmt: skip
        texts = [tag("code", text) for text in (left, right)] if same else _apart(left, right)
        # Where it is narrow the sides stand below each other, each with the name of its own.
        cells = [
            tag("td", text, data_side=side.partition(":")[0])
            for text, side in zip(texts, (compared.left, compared.right), strict=True)
        ]
        body.append(tag("tr", mark, tag("th", what, scope="row"), cells))
    drawn = tag("table", tag("thead", tag("tr", head)), tag("tbody", body), class_="sides")
    return scrolled(f"{label}, side by side", drawn)


def _apart(left: str, right: str) -> list[Markup]:
    """Two texts with what lies between their common beginning and end marked."""
    shortest = min(len(left), len(right))
    start = next((i for i in range(shortest) if left[i] != right[i]), shortest)
    rest = shortest - start
    end = next((i for i in range(rest) if left[-1 - i] != right[-1 - i]), rest)
    # What stands for a hidden value stays in one piece.
    opened, closed = left.rfind("‹", 0, start), left.rfind("›", 0, start)
    start = opened if opened > closed else start
    tail = left[len(left) - end :]
    end -= tail.index("›") + 1 if "›" in tail and "‹" not in tail.partition("›")[0] else 0
    return [
        tag(
            "code",
            text[:start],
            tag(kind, middle) if (middle := text[start : len(text) - end]) else None,
            text[len(text) - end :],
        )
        for kind, text in (("del", left), ("ins", right))
    ]


def whole(attempt: Attempt) -> Markup:
    """One redacted attempt: what became of it, why, request, stages, reply."""
    reply, wire = attempt.reply, attempt.wire
    facts = [
        ("when", moment(attempt.at) if attempt.at is not None else ""),
        ("took", "" if attempt.elapsed_ms is None else f"{attempt.elapsed_ms:.0f} ms"),
        ("answer", f"HTTP {attempt.status}" if attempt.status is not None else attempt.problem),
        ("code", attempt.code),
        ("message", reply.decisive_message if reply else ""),
        ("request id", reply.request_id if reply else ""),
        ("endpoint", f"{attempt.method} {attempt.url.partition('?')[0]}"),
        ("came from", " ".join(filter(None, (attempt.source, attempt.platform)))),
    ]
    sent = [*wire.query, *wire.form, *((name, "a file") for name in wire.files)]
    return join(
        _pairs("Facts", [fact for fact in facts if fact[1]]),
        why(attempt),
        _folded("Parameters", sent),
        _folded("Stages of the signature", list(attempt.stages.items())),
        tag(
            "details",
            tag("summary", "Reply"),
            scrolled("Reply", tree(reply.data) if reply.data is not None
                     else tag("pre", attempt.reply_text[:20_000])),
        ) if reply else None,
        code_block(to_curl(attempt), "As curl; marks stand for what is hidden"),
    )  # fmt: skip


def why(attempt: Attempt) -> Markup | None:
    """The diagnosis that was kept, and what is known of the refusal's code."""
    drawn = list(_why(attempt))
    return tag("div", part("Diagnosis"), drawn, class_="note bad") if drawn else None


def _why(attempt: Attempt) -> Iterator[Markup]:
    found = attempt.diagnosis or {}
    if found.get("summary"):
        yield tag("p", tag("strong", "Signature. "), prose(str(found["summary"])),
                  prose(f" {found['cure']}") if found.get("cure") else None)  # fmt: skip
    if found.get("mistakes"):
        named = " and ".join(name_of(str(id_)) for id_ in found["mistakes"])
        yield tag("p", f"Named: {named}.")
    findings = [f for f in found.get("findings") or () if isinstance(f, dict)]
    if findings:
        yield tag("ul", [_finding(found) for found in findings])
    reply = attempt.reply
    if reply is None or reply.ok:
        return
    try:
        known = explain(reply)
    except AlinbError:
        return
    yield tag("p", tag("strong", f"{known.code}. "), prose(known.meaning))
    if known.unknown:
        yield tag("p", f"Not known: {known.unknown}")
    yield tag("ol", [tag("li", prose(cure)) for cure in known.cures])


def _finding(found: dict[str, Any]) -> Markup:
    said = [prose(f"{found.get(what, '')} ") for what in ("evidence", "cure")]
    return tag("li", f"[{found.get('certainty', '')}] ", said)


def _folded(label: str, pairs: list[tuple[str, str]]) -> Markup | None:
    if not pairs:
        return None
    return tag("details", tag("summary", f"{label}: {len(pairs)}"), _pairs(label, pairs))


def _pairs(label: str, pairs: list[tuple[str, str]]) -> Markup:
    rows = [tag("tr", tag("th", name, scope="row"), tag("td", tag("code", value)))
            for name, value in pairs]  # fmt: skip
    return scrolled(label, tag("table", tag("tbody", rows), class_="sent"))
