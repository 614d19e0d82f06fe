"""The languages that code is written in: one template each, read from `templates/`.

A template is a TOML file. `program` is the whole program, with marks such as `@stages@` in it. A
table such as `[join.join]` has the lines for each turn that can be taken in that slot of a recipe,
`[request]` those that fill in parameters. `[imports]` and `[packages]` say what a program needs,
each with the pattern in its code that shows the need; `[helpers]` holds functions that are written
where the code calls them. `base` names a template whose tables are taken where the file has none.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any

from ..errors import InputError
from ..stages import STAGES, Turn


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """One language's template. `check` says in which form its self-check reads requests."""

    name: str
    title: str
    aliases: tuple[str, ...]
    needs: str
    file_name: str
    run: str
    comment: str
    check: str
    program: str = field(repr=False)
    usage: str = field(repr=False)
    grant_usage: str = field(repr=False)
    request: Mapping[str, str] = field(repr=False)
    imports: Mapping[str, str] = field(repr=False)
    packages: Mapping[str, str] = field(repr=False)
    helpers: Mapping[str, str] = field(repr=False)
    helper_gap: int = field(repr=False)
    fragments: Mapping[tuple[str, str, str], str] = field(repr=False)

    def fragment(self, turn: Turn) -> str | None:
        """The lines that take a turn, or None where the template cannot express it."""
        slot = turn.slot.partition(":")[0]
        for id_ in (turn.id, "any"):
            code = self.fragments.get((turn.stage, slot, id_))
            if code is not None and ("@detail@" in code) == (turn.detail != ""):
                return code
        return None


@cache
def languages() -> Mapping[str, Language]:
    """Every language by its name, in alphabetical order."""
    folder = files(__package__).joinpath("templates")
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".toml"))
    return {name.removesuffix(".toml"): _language(name.removesuffix(".toml")) for name in names}


def language_named(name: str) -> Language:
    """The language of a name or alias, in any letter case. Raises `InputError` with the known."""
    wanted = name.strip().lower()
    found = languages()
    by_name = {alias: own for own in found.values() for alias in (own.name, *own.aliases)}
    if wanted in by_name:
        return by_name[wanted]
    near = get_close_matches(wanted, by_name, n=1, cutoff=0.6)
    guess = f"Did you mean {near[0]}? " if near else ""
    raise InputError(
        f"There is no template for {name!r}.", next_step=f"{guess}Known: {', '.join(found)}."
    )


def _language(name: str) -> Language:
    facts = _facts(name)
    fragments = {
        (stage, slot, id_): code
        for stage in STAGES
        for slot, codes in facts.get(stage, {}).items()
        for ids, code in codes.items()
        for id_ in ids.split()
    }
    texts = ("title", "needs", "file_name", "run", "comment", "check", "program")
    tables = ("request", "imports", "packages", "helpers")
    return Language(
        name=name,
        aliases=tuple(facts["aliases"]),
        usage=facts.get("usage", ""),
        grant_usage=facts.get("grant_usage", ""),
        fragments=fragments,
        helper_gap=facts.get("helper_gap", 1),
        **{key: facts[key] for key in texts},
        **{key: facts.get(key, {}) for key in tables},
    )


def _facts(name: str) -> dict[str, Any]:
    own = data(f"templates/{name}.toml")
    if "base" not in own:
        return own
    return _over(_facts(own["base"]), own)


def _over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A template laid over its base: tables of tables key by key, all else whole."""
    merged = {**base, **own}
    for stage in STAGES:
        merged[stage] = {**base.get(stage, {}), **own.get(stage, {})}
    return merged


@cache
def data(path: str) -> dict[str, Any]:
    """A data file of this room."""
    return tomllib.loads(files(__package__).joinpath(path).read_text(encoding="utf-8"))
