"""Signing and exchange code in other languages, generated from the recipe that alinb signs by.

Each language is a file in `templates/`, with a fragment for every turn of the eight stages; the
recipe's turns choose the fragments, so the code that is printed is the engine's walk spelled in
another language, and a mistake can be written as exactly as the right way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from typing import Any

from .. import render
from ..app import Platform
from ..stages import Recipe
from .fixing import fix
from .language import language_named, languages
from .plan import plan, wrong_turns
from .writing import program

__all__ = ["Snippet", "fix", "language_named", "languages", "snippet"]


@dataclass(frozen=True, slots=True, repr=False)
class Snippet:
    """A program in another language that signs and makes one call.

    `file_name` is what to save it as and `run` how to run it. `recipe` is the walk it takes.
    `str()` gives the code.
    """

    language: str
    name: str
    platform: str
    code: str
    file_name: str
    run: str
    mistakes: tuple[str, ...] = ()
    recipe: Recipe | None = field(default=None, compare=False)

    def as_dict(self) -> dict[str, Any]:
        return {
            "language": self.language,
            "name": self.name,
            "platform": self.platform,
            "mistakes": list(self.mistakes),
            "file_name": self.file_name,
            "run": self.run,
            "code": self.code,
        }

    def __str__(self) -> str:
        return self.code

    def __repr__(self) -> str:
        wrong = f" with {', '.join(self.mistakes)}" if self.mistakes else ""
        return f"<Snippet {self.language} {self.name}{wrong}, {len(self.code.splitlines())} lines>"

    def _repr_html_(self) -> str:
        return render.html(
            f"{self.file_name}: {self.name}",
            render.paragraph(self.run),
            f"<pre>{escape(self.code)}</pre>",
        )


def snippet(
    language: str,
    name: str = "/auth/token/create",
    *,
    platform: str | Platform = "aliexpress",
    mistakes: Iterable[str] = (),
) -> Snippet:
    """A complete program that signs this call and sends it, in another language.

    `mistakes` are ids, as a diagnosis names them: the code then makes exactly these. Raises
    `InputError` for an unknown language, a malformed API name, or a mistake it cannot make.

    >>> snippet("ts").run
    'node signed_call.ts CODE'
    >>> "text = path + text;" in snippet("ts").code
    True
    """
    template = language_named(language)
    made = plan(name, platform)
    wrong = tuple(dict.fromkeys([mistakes] if isinstance(mistakes, str) else mistakes))
    recipe = made.recipe.turned(*wrong_turns(made, wrong))
    lines = program(template, made, recipe)
    return Snippet(
        language=template.name,
        name=name,
        platform=made.platform.name,
        code="".join(f"{line.text}\n" for line in lines),
        file_name=template.file_name,
        run=template.run.replace("@arguments@", made.marks["arguments"]),
        mistakes=wrong,
        recipe=recipe,
    )
