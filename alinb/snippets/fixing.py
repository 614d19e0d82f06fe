"""The lines of a program that a diagnosis changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher

from ..app import Platform
from ..doctor import Diagnosis, name_of
from ..knowledge import load
from ..stages import Recipe, Turn
from .language import Language, language_named
from .plan import Plan, plan, wrong_turns
from .writing import HARMLESS, Line, cannot_write, program

_CONTEXT = 3


@dataclass
class _Wrong:
    """What was done: under which recipe, declaring which sign_method, and what else was found."""

    recipe: Recipe
    declared: str = ""
    others: dict[str, str] = field(default_factory=dict)


def fix(
    language: str,
    diagnosis: Diagnosis | Iterable[str],
    name: str = "/auth/token/create",
    *,
    platform: str | Platform = "aliexpress",
) -> str:
    """The lines to change in signing code, as a diff from the wrong to the right.

    `diagnosis` is a diagnosis, or the ids of mistakes. Every block of lines is headed by its
    stages and the mistakes made there. What no line of the template shows is listed with its cure.
    Raises `InputError` as `snippet` does.

    >>> print(fix("python", ["lowercase_hex"]))  # doctest: +ELLIPSIS
    @@ encode: lowercase_hex, the signature is in lower case @@
    ...
    -    signature = signature.lower()
    ...
    """
    template, made = language_named(language), plan(name, platform)
    wrong = _wrong(made, diagnosis)
    unwritten = cannot_write(template, wrong.recipe.mistakes)
    parts = list(_hunks(template, made, wrong, unwritten))
    others = {**{turn.id: _cure(turn.id) for turn in unwritten}, **wrong.others}
    if others:
        parts.append(
            "Not to be seen in these lines:" if parts else "No line of this code shows it:"
        )
        parts += (f"  {id_}: {cure}" for id_, cure in others.items())
    return "\n".join(parts).rstrip() or "No line changes: the signature is right."


def _wrong(made: Plan, diagnosis: Diagnosis | Iterable[str]) -> _Wrong:
    if isinstance(diagnosis, Diagnosis):
        return _diagnosed(made, diagnosis)
    ids = [diagnosis] if isinstance(diagnosis, str) else list(diagnosis)
    known = load("mistakes")["mistakes"]
    in_request = [id_ for id_ in ids if known.get(id_, {}).get("where") == "request"]
    turns = wrong_turns(made, [id_ for id_ in ids if id_ not in in_request])
    return _Wrong(made.recipe.turned(*turns), others={id_: _cure(id_) for id_ in in_request})


def _diagnosed(made: Plan, diagnosis: Diagnosis) -> _Wrong:
    theirs = diagnosis.theirs.recipe if diagnosis.theirs and diagnosis.mistakes else made.recipe
    proved = {turn.id for turn in theirs.mistakes}
    found = {f.id: f.cure for f in diagnosis.findings if f.id not in proved}
    if diagnosis.verdict == "unexplained" and not found:
        found = {"unexplained": diagnosis.cure}
    declared = diagnosis.right.selected.get("sign_method", "") if diagnosis.right else ""
    return _Wrong(theirs, declared if HARMLESS.fullmatch(declared) else "", found)


def _cure(id_: str) -> str:
    return str(load("mistakes")["mistakes"][id_]["cure"])


def _hunks(language: Language, made: Plan, wrong: _Wrong, unwritten: list[Turn]) -> Iterator[str]:
    right = {(turn.stage, turn.slot): turn for turn in made.recipe.turns}
    turns = [right.get((t.stage, t.slot)) if t in unwritten else t for t in wrong.recipe.turns]
    recipe = replace(wrong.recipe, turns=tuple(turn for turn in turns if turn is not None))
    if not recipe.mistakes:
        return
    sent = dict(made.fixed)
    if wrong.declared and "sign_method" in sent:
        sent["sign_method"] = wrong.declared
    before = _body(program(language, replace(made, fixed=sent), recipe))
    after = _body(program(language, made, made.recipe))
    old, new = ([line.text for line in lines] for lines in (before, after))
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT):
        changed: list[str] = []
        drawn: list[str] = []
        for kind, a, b, c, d in group:
            if kind == "equal":
                drawn += (f" {line.text}".rstrip() for line in before[a:b])
                continue
            changed += (line.part for line in (*before[a:b], *after[c:d]))
            drawn += (f"-{line.text}" for line in before[a:b])
            drawn += (f"+{line.text}" for line in after[c:d])
        yield "\n".join([f"@@ {_label(changed, recipe.mistakes)} @@", *drawn, ""])


def _body(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if line.part != "header"]


def _label(parts: Iterable[str], wrong: Iterable[Turn]) -> str:
    """What a block of changed lines is about: its stages, and the mistakes made there."""
    said = []
    for part in dict.fromkeys(filter(None, parts)):
        made_here = [f"{turn.id}, {name_of(turn.id)}" for turn in wrong if turn.stage == part]
        said.append(f"{part}: {'; '.join(made_here)}" if made_here else part)
    return " | ".join(said)
