"""Write a program: a template with the fragments of a recipe's turns in their places."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ..doctor import name_of
from ..doctor.mistakes import KEYLESS
from ..errors import InputError
from ..stages import STAGES, Recipe, Turn
from .language import Language, data
from .plan import Plan

_MARK = re.compile(r"@([a-z_]+)@")
_BLOCK = re.compile(r"(.*?)@(header|imports|packages|helpers|stages|system|business)@")
#: What a turn's detail may hold to stand between quotes in any language: it may come from a
#: stranger's request.
HARMLESS = re.compile(r"[\w./: -]*", re.ASCII)

#: Longer lines of a header are folded.
_HEADER_WIDTH = 96


class Line(NamedTuple):
    """A line of code and the part of the program it is in: a stage, imports, helpers, … or ""."""

    text: str
    part: str = ""


def program(language: Language, made: Plan, recipe: Recipe) -> list[Line]:
    """The whole program that makes this call under this recipe, right or wrong.

    Raises `InputError` where the template has no fragment for a turn of the recipe.
    """
    lines = [Line(text) for text in _filled(language.program, made.marks).splitlines()]
    lines = _expanded(lines, "header", _header(language, made, recipe))
    lines = _expanded(lines, "stages", _stages(language, made, recipe))
    lines = _expanded(lines, "system", _system(language, made))
    lines = _expanded(lines, "business", _business(language, made))
    lines = _expanded(lines, "helpers", _helpers(language, lines))
    code = _code(language, lines)
    for part, table in (("imports", language.imports), ("packages", language.packages)):
        used = sorted(text for text, pattern in table.items() if re.search(pattern, code))
        lines = _expanded(lines, part, [Line(text, part) for text in used])
    return lines


def cannot_write(language: Language, turns: Iterable[Turn]) -> list[Turn]:
    """The turns that the template has no lines for."""
    return [turn for turn in turns if _fragment(language, turn) is None]


def _fragment(language: Language, turn: Turn) -> str | None:
    return language.fragment(turn) if HARMLESS.fullmatch(turn.detail) else None


def _stages(language: Language, made: Plan, recipe: Recipe) -> Iterator[Line]:
    """The eight stages, each with a comment; a secret that is altered is altered before all."""
    first = [turn for turn in recipe.turns if (turn.stage, turn.slot) == ("key", "secret")]
    for turn in first:
        yield from _stage(language, made, "key", [turn])
    keyless = any(turn.id in KEYLESS for turn in recipe.turns)
    for stage in STAGES:
        turns = [turn for turn in recipe.turns if turn.stage == stage and turn not in first]
        if stage == "key" and keyless:
            turns = []
        yield from _stage(language, made, stage, turns)


def _stage(language: Language, made: Plan, stage: str, turns: list[Turn]) -> Iterator[Line]:
    words = data("words.toml")
    said = [
        f"WRONG ({turn.id}): {name_of(turn.id)}" if turn.mistake else words[stage].get(turn.id, "")
        for turn in turns
    ]
    for text in [*filter(None, said)] or [words["stages"][stage]]:
        yield Line(f"{language.comment} {stage}: {_filled(text, made.marks)}", stage)
    for turn in turns:
        code = _fragment(language, turn)
        if code is None:
            raise InputError(
                f"The {language.title} template has no lines for {turn.id}"
                f"{f' ({turn.detail})' if turn.detail else ''}.",
                next_step="alinb.snippets.fix tells its cure.",
            )
        marks = {**made.marks, "detail": turn.detail}
        yield from (Line(text, stage) for text in _filled(code, marks).splitlines())


def _system(language: Language, made: Plan) -> Iterator[Line]:
    for name, value in made.fixed.items():
        kind = {"app_key": "app_key", "timestamp": made.platform.timestamp}.get(name, "text")
        marks = {**made.marks, "parameter": name, "value": value}
        for text in _filled(language.request[kind], marks).splitlines():
            yield Line(text, "parameters")


def _business(language: Language, made: Plan) -> Iterator[Line]:
    code = language.request["grant" if made.grant else "call"]
    yield from map(Line, _filled(code, made.marks).splitlines())


def _helpers(language: Language, lines: Iterable[Line]) -> Iterator[Line]:
    """The helpers that the code calls, and those that they call, in the template's order."""
    code, wanted = _code(language, lines), set[str]()
    while new := {
        name for name in language.helpers if name not in wanted and re.search(rf"\b{name}\b", code)
    }:
        wanted |= new
        code += "".join(language.helpers[name] for name in new)
    texts = [text.strip("\n") for name, text in language.helpers.items() if name in wanted]
    gap = "\n" * (language.helper_gap + 1)
    yield from (Line(text, "helpers") for text in gap.join(texts).splitlines())


def _header(language: Language, made: Plan, recipe: Recipe) -> Iterator[Line]:
    words = data("words.toml")
    wrong = [turn.id for turn in recipe.mistakes]
    texts = [
        words["header_wrong" if wrong else "header"],
        words["retired"] if made.platform.retired else "",
        language.usage or words["usage"],
        language.grant_usage if made.grant else words["token_usage"],
        words[f"{language.check}_check"] if language.check else "",
    ]
    marks = {**made.marks, "needs": language.needs, "mistakes": ", ".join(wrong)}
    marks["run"] = _filled(language.run, marks)
    for text in _filled("".join(texts), marks).strip("\n").splitlines():
        # An indented line is a command to copy, which stays whole.
        folded = [text] if text.startswith(" ") else textwrap.wrap(text, _HEADER_WIDTH) or [""]
        yield from (Line(line, "header") for line in folded)


def _code(language: Language, lines: Iterable[Line]) -> str:
    """The lines that are no comments."""
    return "\n".join(x.text for x in lines if not x.text.lstrip().startswith(language.comment))


def _filled(text: str, marks: Mapping[str, str]) -> str:
    """A text with its marks filled in; what is no mark, such as a block's, stays."""
    return _MARK.sub(lambda mark: marks.get(mark[1], mark[0]), text)


def _expanded(lines: Iterable[Line], block: str, inner: Iterable[Line]) -> list[Line]:
    """The lines with a block's mark replaced, indented as the mark is.

    Where the block is empty its line goes, and so do the blank lines that follow.
    """
    body, drawn, skipping = list(inner), list[Line](), False
    for line in lines:
        found = _BLOCK.fullmatch(line.text)
        if found and found[2] == block:
            drawn += (Line((found[1] + x.text).rstrip(), x.part) for x in body)
            skipping = not body
        elif not (skipping and not line.text.strip()):
            drawn.append(line)
            skipping = False
    return drawn
