"""The lines of a program that a diagnosis changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from ..app import Platform
from ..doctor import Diagnosis, name_of
from ..knowledge import load
from ..stages import Turn
from .language import Language, language_named
from .plan import Plan, plan, wrong_turns
from .writing import cannot_write, program

_CONTEXT = 3


def fix(
    language: str,
    diagnosis: Diagnosis | Iterable[str],
    name: str = "/auth/token/create",
    *,
    platform: str | Platform = "aliexpress",
) -> str:
    """The lines to change in signing code, as a diff from the wrong to the right.

    `diagnosis` is a diagnosis or the ids of mistakes. Every block of lines is headed by the stage
    and the mistake it is about. What no line of the template shows is listed with its cure. Raises
    `InputError` as `snippet` does.

    >>> print(fix("python", ["lowercase_hex"]))  # doctest: +ELLIPSIS
    @@ encode: lowercase_hex, the signature is in lower case @@
    ...
    -    signature = signature.lower()
    ...
    """
    template, made = language_named(language), plan(name, platform)
    wrong, others = _sorted_out(made, diagnosis)
    unwritten = cannot_write(template, wrong)
    written = [turn for turn in wrong if turn not in unwritten]
    others = {**{turn.id: _cure(turn.id) for turn in unwritten}, **others}
    parts = list(_hunks(template, made, written))
    if others:
        parts.append("Not to be seen in these lines:" if parts else "No line of the code shows it:")
        parts += (f"  {id_}: {cure}" for id_, cure in others.items())
    return "\n".join(parts) or "No line changes: the signature is right."


def _sorted_out(
    made: Plan, diagnosis: Diagnosis | Iterable[str]
) -> tuple[list[Turn], dict[str, str]]:
    """The wrong turns, and what else was found with its cure."""
    if isinstance(diagnosis, Diagnosis):
        turns = list(diagnosis.theirs.recipe.mistakes) if diagnosis.theirs else []
        proved = {turn.id for turn in turns}
        found = {f.id: f.cure for f in diagnosis.findings if f.id not in proved}
        if diagnosis.verdict == "unexplained" and not found:
            found = {"unexplained": diagnosis.cure}
        return turns, found
    ids = [diagnosis] if isinstance(diagnosis, str) else list(diagnosis)
    facts = load("mistakes")["mistakes"]
    seen_only = [id_ for id_ in ids if facts.get(id_, {}).get("where") == "request"]
    turns = wrong_turns(made, [id_ for id_ in ids if id_ not in seen_only])
    return turns, {id_: _cure(id_) for id_ in seen_only}


def _cure(id_: str) -> str:
    return str(load("mistakes")["mistakes"][id_]["cure"])


def _hunks(language: Language, made: Plan, wrong: list[Turn]) -> Iterator[str]:
    if not wrong:
        return
    before, after = (
        [line for line in program(language, made, recipe) if line.part != "header"]
        for recipe in (made.recipe.turned(*wrong), made.recipe)
    )
    texts = [[line.text for line in lines] for lines in (before, after)]
    for group in SequenceMatcher(None, *texts, autojunk=False).get_grouped_opcodes(_CONTEXT):
        changed: list[str] = []
        drawn: list[str] = []
        for kind, a, b, c, d in group:
            if kind == "equal":
                drawn += (f" {line.text}".rstrip() for line in before[a:b])
                continue
            changed += (line.part for line in (*before[a:b], *after[c:d]))
            drawn += (f"-{line.text}".rstrip() for line in before[a:b])
            drawn += (f"+{line.text}".rstrip() for line in after[c:d])
        yield "\n".join([f"@@ {_label(changed, wrong)} @@", *drawn, ""])


def _label(parts: Iterable[str], wrong: Iterable[Turn]) -> str:
    """What a block of changed lines is about: its stages, and the mistakes made there."""
    said = []
    for part in dict.fromkeys(parts):
        made_here = [f"{t.id}, {name_of(t.id)}" for t in wrong if t.stage == part]
        said.append(f"{part}: {'; '.join(made_here)}" if made_here else part)
    return " | ".join(said)
