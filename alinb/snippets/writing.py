"""Write a program: a template with the fragments of a recipe's turns in their places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ..doctor import name_of
from ..doctor.mistakes import KEYLESS
from ..errors import InputError
from ..stages import STAGES, Recipe, Turn
from .languages import Language, load_text
from .plan import Plan, can_be_written

_MARK = re.compile(r"@([a-z_]+)@")
_BLOCK = re.compile(r"(\s*)@(header|imports|packages|helpers|stages|system|business)@")


class Line(NamedTuple):
    """A line of code and the part of the program it belongs to: a stage, imports, helpers or ""."""

    text: str
    part: str = ""


def program(language: Language, made: Plan, recipe: Recipe) -> list[Line]:
    """The whole program that makes this call under this recipe, right or wrong."""
    body = {
        "stages": list(_stages(language, made, recipe)),
        "system": [Line(text) for text in _system(language, made)],
        "business": [Line(text) for text in _business(language, made)],
        "header": [Line(text) for text in _header(language, made, recipe)],
    }
    code = _code(language, [*language.program.splitlines(), *(x.text for v in body.values() for x in v)])
    helpers = _helpers(language, code)
    code += "\n" + "\n".join(helpers)
    body["helpers"] = [Line(text, "helpers") for text in "\n".join(helpers).splitlines()]
    for block, table in (("imports", language.imports), ("packages", language.packages)):
        used = sorted(line for line, pattern in table.items() if re.search(pattern, code))
        body[block] = [Line(text, block) for text in used]
    return list(_filled(language, body, made.marks))


def missing(language: Language, turns: Iterable[Turn]) -> list[Turn]:
    """The turns that the template cannot express."""
    return [
        turn for turn in turns if language.fragment(turn) is None or not can_be_written(turn)
    ]
