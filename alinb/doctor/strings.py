"""Two strings to sign laid against each other, and the author's own string explained."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from ..stages import Params, Segment, Turn
from .drift import clock_turn
from .search import Search
from .states import Path, TooLarge

#: Longer middles are not aligned character by character; that would take seconds.
_LONGEST_ALIGNED = 4000

_ALIYUN = re.compile(r"^[^&]+&%2F&", re.IGNORECASE)


class Piece(NamedTuple):
    """A run of two aligned strings.

    `kind` is same, extra (only in theirs), missing (only in the right one) or changed. `label` says
    which part of the right string it is or stands beside: path, name or value of a parameter.
    """

    kind: str
    theirs: str
    right: str
    label: str


#: A hidden value is one sign, however long its mark.
_SIGNS = re.compile(r"‹[a-z_]+(?: [0-9a-f]{4})?›|.", re.DOTALL)


def align(theirs: str, right: Sequence[Segment]) -> list[Piece]:
    """The author's string against the right one, character by character, labelled."""
    ours, wanted, labels = _SIGNS.findall(theirs), [], []
    for segment in right:
        signs = _SIGNS.findall(segment.text)
        wanted += signs
        labels += [_label(segment)] * len(signs)
    return [
        Piece(
            run.kind,
            "".join(ours[run.a : run.b]),
            "".join(wanted[run.c : run.d]),
            _spanned(labels, run.c, run.d),
        )
        for run in _without_chance(list(_runs(ours, wanted)))
    ]


class _Run(NamedTuple):
    """From `a` to `b` in theirs and from `c` to `d` in the right string."""

    kind: str
    a: int
    b: int
    c: int
    d: int

    @property
    def size(self) -> int:
        return self.b - self.a + self.d - self.c


def _without_chance(runs: list[_Run]) -> list[_Run]:
    """Few letters that two different texts have in common by chance are no common part."""
    kept: list[_Run] = []
    for i, run in enumerate(runs):
        around = sum(r.size for r in (*kept[-1:], *runs[i + 1 : i + 2]) if r.kind != "same")
        by_chance = run.kind == "same" and run.size // 2 < 4 and around > run.size + 4
        if by_chance and 0 < i < len(runs) - 1:
            run = run._replace(kind="changed")
        if kept and run.kind != "same" and kept[-1].kind != "same":
            last = kept.pop()
            run = _Run("changed", last.a, run.b, last.c, run.d)
        kept.append(run)
    return kept


def _label(segment: Segment) -> str:
    return f"{segment.kind} of {segment.parameter}" if segment.parameter else segment.kind


def _spanned(labels: list[str], start: int, end: int) -> str:
    if start == end:
        before = labels[start - 1] if start else ""
        return f"after {before}" if before else "in front"
    first, last = labels[start], labels[end - 1]
    return first if first == last else f"{first} to {last}"


def _runs(theirs: Sequence[str], wanted: Sequence[str]) -> Iterator[_Run]:
    shorter = min(len(theirs), len(wanted))
    head = next((i for i in range(shorter) if theirs[i] != wanted[i]), shorter)
    tail = next(
        (i for i in range(shorter - head) if theirs[-1 - i] != wanted[-1 - i]), shorter - head
    )
    if head:
        yield _Run("same", 0, head, 0, head)
    a, b = theirs[head : len(theirs) - tail], wanted[head : len(wanted) - tail]
    if max(len(a), len(b)) > _LONGEST_ALIGNED:
        blocks: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(a), 0, len(b))]
    else:
        blocks = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    kinds = {"equal": "same", "delete": "extra", "insert": "missing", "replace": "changed"}
    for tag, i, j, k, l in blocks:  # noqa: E741
        if i != j or k != l:
            yield _Run(kinds[tag], head + i, head + j, head + k, head + l)
    if tail:
        yield _Run("same", len(theirs) - tail, len(theirs), len(wanted) - tail, len(wanted))


def makings(space: Search, theirs: str, params: Params, depth: int) -> list[Path]:
    """The fewest wrong turns that make the author's own string of this request."""
    clocks = list(_other_clocks(theirs, params))
    for total in range(depth + 1):
        try:
            paths = _made(space, theirs, params, total)
            for turn, changed in clocks if total else ():
                paths += [(turn, *path) for path in _made(space, theirs, changed, total - 1)]
        except TooLarge:
            break
        if paths:
            return paths
    return []


def _made(space: Search, theirs: str, params: Params, total: int) -> list[Path]:
    return [
        (*before, *path)
        for before, message, found in space.strings(params, total)
        if message == theirs
        for path in found()
    ]


def _other_clocks(theirs: str, params: Params) -> Iterator[tuple[Turn, Params]]:
    """The timestamps that only their string holds, however far from the one that was sent."""
    sent = params.get("timestamp", "")
    if sent.isdigit() and sent not in theirs:
        for text in dict.fromkeys(re.findall(rf"(?<!\d)\d{{{len(sent)}}}(?!\d)", theirs)):
            yield clock_turn(text, f"{int(text) - int(sent):+}"), {**params, "timestamp": text}


def invention(theirs: str) -> str:
    """The mistake of a string that no turn makes: Aliyun's RPC rule, or one of its author's own."""
    return "aliyun_rpc_string" if _ALIYUN.match(theirs) else "ad_hoc_string"
