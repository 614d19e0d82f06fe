"""Both walks of a request, the right one and one with wrong turns, on the one signing engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..doctor.mistakes import turns
from ..knowledge import load
from ..signing import Interface, interface, recipe_for
from ..stages import STAGES, Context, Recipe, Turn, Walk


@dataclass(frozen=True, slots=True)
class Workings:
    """The right walk of a request, the one with the wrong turns taken, and what else can go wrong.

    `options` are the wrong turns possible at each stage, `turned` those taken.
    """

    interface: Interface
    right: Walk = field(repr=False)
    made: Walk = field(repr=False)
    turned: tuple[Turn, ...]
    options: Mapping[str, tuple[Turn, ...]] = field(repr=False)

    @property
    def expected(self) -> str:
        return self.right.signature

    @property
    def actual(self) -> str:
        return self.made.signature

    @property
    def ok(self) -> bool:
        return self.expected == self.actual


def work(params: Mapping[str, str], context: Context, taken: Iterable[str] = ()) -> Workings:
    """Walk both ways; `taken` are keys of wrong turns, those that are impossible here ignored.

    The path in `context` is found by the request itself.
    """
    found = interface(context.url, params)
    base = recipe_for(found, params.get("sign_method", ""))
    context = Context(
        context.secret, path=found.path, app_key=params.get("app_key", ""), verb=context.verb,
        url=context.url.partition("?")[0], body=context.body,
    )  # fmt: skip
    right = base.signer(context).walk(params)
    every: dict[str, Turn] = {}
    for turn in turns(base, found, params, context):
        every.setdefault(key_of(turn), turn)  # the plainest comes first
    chosen = sorted((every[key] for key in taken if key in every), key=lambda turn: turn.place)
    made = base.turned(*chosen).signer(context).walk(params) if chosen else right
    options = _options(base, context, params, right.signature, every, chosen)
    return Workings(found, right, made, tuple(chosen), options)


def _options(
    base: Recipe,
    context: Context,
    params: Mapping[str, str],
    right: str,
    every: Mapping[str, Turn],
    taken: Sequence[Turn],
) -> dict[str, tuple[Turn, ...]]:
    """The wrong turns worth offering: those that change this signature, without rarities."""

    def worth(turn: Turn) -> bool:
        if turn in taken:
            return True
        if turn.rare or turn.slot.startswith("percent:"):
            return False
        return base.turned(turn).signer(context).sign(params) != right

    kept = list(filter(worth, every.values()))
    return {stage: tuple(t for t in kept if t.stage == stage) for stage in STAGES}


def key_of(turn: Turn) -> str:
    """What names a turn among all those of a request."""
    return "~".join((turn.id, turn.slot, turn.detail))


def about(turn: Turn) -> Mapping[str, Any]:
    """What people are told about a wrong turn: name, looks_like, why, cure."""
    facts: Mapping[str, Any] = load("mistakes")["mistakes"][turn.id]
    return facts


def plain_name(turn: Turn) -> str:
    """A wrong turn's name in plain words, with what it is done to."""
    name = str(about(turn)["name"])
    return f"{name}: {turn.detail}" if turn.detail else name
