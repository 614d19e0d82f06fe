"""A diagnosis: what is wrong, how sure that is, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import render
from ..knowledge import load
from ..redact import Redactor, Secret
from ..signing import Interface
from ..stages import STAGES, Walk, mask
from .lint import Finding
from .strings import Piece

#: Findings after which no recipe is looked for.
_NOTHING_TO_EXPLAIN = {
    "no_sign": "The request has no signature.",
    "docs_placeholder_sign": "The signature is the documentation's sample, which nothing gives.",
}


@dataclass(frozen=True, slots=True, repr=False)
class Diagnosis:
    """What is wrong with a request.

    `verdict` is correct (the signature is right), explained (the mistakes named reproduce the very
    signature, which is proof) or unexplained. `alternatives` are the other smallest sets that give
    the same signature on this request. `searched` is the number of recipes tried.
    `right` is the walk that gives the right signature, `theirs` the one that gave this one; both
    are None without the secret. `diff` aligns their string with the right one. `apart` is a
    parameter, and a value of it, that would tell the alternatives apart. `complete` is false where
    the search was stopped.
    """

    verdict: str
    mistakes: tuple[str, ...]
    alternatives: tuple[tuple[str, ...], ...]
    findings: tuple[Finding, ...]
    cure: str
    searched: int
    elapsed_ms: float
    interface: Interface
    right: Walk | None = field(default=None, repr=False)
    theirs: Walk | None = field(default=None, repr=False)
    had_secret: bool = False
    complete: bool = True
    apart: tuple[str, str] | None = None
    diff: tuple[Piece, ...] = field(default=(), repr=False)
    hidden: Mapping[str, str] = field(default_factory=dict, repr=False)
    key: Secret | None = field(default=None, repr=False)

    @property
    def summary(self) -> str:
        """The one-line verdict."""
        if self.verdict == "correct":
            return "The signature is right."
        if self.verdict == "explained":
            named = " and ".join(name_of(id_) for id_ in self.mistakes)
            return f"Proved: {named}."
        for finding in self.findings:
            if finding.id in _NOTHING_TO_EXPLAIN:
                return _NOTHING_TO_EXPLAIN[finding.id]
        if not self.complete:
            return f"The search was stopped after {self.searched:,} recipes; nothing fits so far."
        if not self.had_secret:
            seen = len(self.findings)
            return (
                f"Without the app secret only the request itself can be judged: {seen} finding(s)."
            )
        return (
            f"None of {self.searched:,} recipes gives this signature with this secret: most likely "
            "it was made with another secret, or a value was changed after signing."
        )

    def as_dict(self) -> dict[str, Any]:
        shown: dict[str, Any] = self._redactor().data(self._facts())
        return shown

    def _facts(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "mistakes": list(self.mistakes),
            "alternatives": [list(ids) for ids in self.alternatives],
            "findings": [finding._asdict() for finding in self.findings],
            "cure": self.cure,
            "searched": self.searched,
            "elapsed_ms": round(self.elapsed_ms, 3),
            "summary": self.summary,
            "apart": None
            if self.apart is None
            else {"parameter": self.apart[0], "value": self.apart[1]},
            "diff": [piece._asdict() for piece in self.diff],
            "stages": [
                {"stage": stage, "right": right, "theirs": theirs, "differs": right != theirs}
                for stage, right, theirs in self.stages
            ],
        }

    @property
    def stages(self) -> list[tuple[str, str, str]]:
        """Each stage as (stage, as it must be, as it was), where both walks are known."""
        if self.right is None or self.theirs is None:
            return []
        right, theirs = self.right.stages, self.theirs.stages
        return [(stage, right[stage], theirs[stage]) for stage in STAGES]

    def _redactor(self) -> Redactor:
        """Hides the codes, tokens and secrets of the request in whatever shows the diagnosis."""
        redactor = Redactor(b"diagnosis")
        redactor.learn("app_secret", self.key)
        redactor.learn_request(self.hidden.items())
        return redactor

    def _strings(self) -> list[tuple[str, str]]:
        hide = self._redactor().text
        walks = (("as it was signed", self.theirs), ("as it must be signed", self.right))
        return [(what, hide(mask(walk.segments))) for what, walk in walks if walk is not None]

    def __repr__(self) -> str:
        named = ", ".join(self.mistakes or [f.id for f in self.findings])
        return f"<Diagnosis {self.verdict}{': ' + named if named else ''}>"

    def __str__(self) -> str:
        lines = [self.summary]
        for finding in self.findings:
            lines += [f"  [{finding.certainty}] {finding.id}: {finding.evidence}"]
            lines += [f"      {finding.cure}"]
        lines += [f"{what}:\n  {text}" for what, text in self._strings()]
        if self.diff:
            lines.append(
                f"the difference, [-too much-] and {{+lacking+}}:\n  {render.text_diff(self.diff)}"
            )
        if self.apart:
            name, value = self.apart
            lines.append(f"A call with {name}={value!r} would tell the explanations apart.")
        if self.alternatives:
            other = "; ".join(" + ".join(ids) for ids in self.alternatives)
            lines.append(f"The same signature also comes from: {other}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [(f.certainty, f.id, f.evidence, f.cure) for f in self.findings]
        parts: list[str] = (
            [render.table(("how sure", "what", "seen", "change this"), rows, prose=True)]
            if rows
            else []
        )
        parts += [
            render.table(("string to sign", ""), self._strings()) if self._strings() else "",
            "<p>" + render.diff(self.diff) + "</p>" if self.diff else "",
            render.paragraph(
                "The same signature also comes from: "
                + "; ".join(" + ".join(ids) for ids in self.alternatives)
            )
            if self.alternatives
            else "",
        ]
        return render.html(self.summary, *parts)


def name_of(mistake: str) -> str:
    """A mistake's plain name."""
    known = load("mistakes")["mistakes"].get(mistake)
    return f"{known['name'][0].lower()}{known['name'][1:]}" if known else mistake
