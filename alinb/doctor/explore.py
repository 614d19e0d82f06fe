"""The order in which explanations are looked for: few mistakes first, cheap searches first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from ..signing import Interface
from ..stages import Context, Params, Recipe
from .drift import USUAL_MS, WIDEST_MS, drifted
from .mistakes import orders, turns
from .search import RARE_LIMIT, Search
from .states import Path, TooLarge

DEFAULT_DEPTH = 4

#: How many mistakes at once are tried with every order of so many parameters, of which there are
#: 2 for two and 5040 for seven.
_ANY_ORDER = {2: 3, 3: 3, 4: 3, 5: 2, 6: 2, 7: 1}

#: Called with (steps done, steps in all, what comes next); returning False stops the search.
Progress: TypeAlias = Callable[[int, int, str], bool | None]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: every smallest explanation, and how many signatures were made.

    `complete` is false where the search ended early: it was `stopped`, or grew too large.
    """

    explanations: tuple[Path, ...]
    tried: int
    complete: bool = True
    stopped: bool = False


def explore(
    base: Recipe,
    found: Interface,
    params: Params,
    context: Context,
    signature: str,
    depth: int = DEFAULT_DEPTH,
    progress: Progress | None = None,
) -> Found:
    """The smallest sets of wrong turns that make exactly this signature, of up to `depth`."""
    wrong = turns(base, found, params, context)
    space = Search(base, wrong, params, context)
    steps = list(_steps(space, signature, params, depth))
    signed = [name for name in params if name not in ("sign", "_aop_signature")]
    if (most := min(depth, _ANY_ORDER.get(len(signed), 0))) and len(signed) > 1:
        anyhow = Search(base, [*wrong, *orders(signed)], params, context)
        steps += [
            ("any order of the parameters", partial(anyhow.match, signature, total, False))
            for total in range(1, most + 1)
        ]
    for done, (what, look) in enumerate(steps):
        if progress is not None and progress(done, len(steps), what) is False:
            return Found((), space.tried, complete=False, stopped=True)
        try:
            paths = look()
        except TooLarge:
            return Found((), space.tried, complete=False)
        if paths:
            return Found(tuple(dict.fromkeys(paths)), space.tried)
    return Found((), space.tried)


def _steps(
    space: Search, signature: str, params: Params, depth: int
) -> Iterator[tuple[str, Callable[[], list[Path]]]]:
    for total in range(depth + 1):
        what = "1 mistake" if total == 1 else f"{total} mistakes at once"
        yield what, partial(space.match, signature, total)
        if total == RARE_LIMIT + 1:
            seldom = partial(space.match, signature, total, True)
            yield f"{total} mistakes at once, seldom ones too", seldom
        if total:
            beside = f" and {total - 1} more" if total > 1 else ""
            widest = USUAL_MS if total > 1 else WIDEST_MS
            clock = partial(drifted, space, signature, params, total, widest)
            yield f"a clock read twice{beside}", clock
