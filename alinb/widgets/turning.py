"""Both walks of a request, the right one and one with wrong turns, on the one signing engine."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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


def work(
    params: Mapping[str, str],
    context: Context,
    taken: Iterable[str] = (),
    offered: Collection[str] | None = None,
) -> Workings:
    """Walk both ways; `taken` are keys of wrong turns, those that are impossible here ignored.

    The path in `context` is found by the request itself. `offered` are the keys of the turns to
    offer; without it every turn is tried, and those that change this signature are offered.
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
    if offered is None:
        offered = _worth_offering(base, context, params, right.signature, every)
    kept = [turn for key, turn in every.items() if key in offered or turn in chosen]
    options = {stage: tuple(t for t in kept if t.stage == stage) for stage in STAGES}
    return Workings(found, right, made, tuple(chosen), options)


def _worth_offering(
    base: Recipe,
    context: Context,
    params: Mapping[str, str],
    right: str,
    every: Mapping[str, Turn],
) -> set[str]:
    """The wrong turns that change this signature, without rarities and single values."""
    return {
        key
        for key, turn in every.items()
        if not turn.rare
        and not turn.slot.startswith("percent:")
        and base.turned(turn).signer(context).sign(params) != right
    }


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
