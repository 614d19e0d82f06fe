"""Find the fewest wrong turns that reproduce a signature, stage by stage.

States that two paths have in common are merged at the shortest of them, so a search costs far less
than its combinations: a path is a choice of turns, a state what those turns have made so far.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..stages import Context, Layout, Params, Recipe, Turn
from .mistakes import KEYLESS

DEFAULT_DEPTH = 4

Path: TypeAlias = tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave: every smallest explanation, and how many recipes were tried."""

    explanations: tuple[Path, ...]
    tried: int
    depth: int


class _States:
    """Distinct states, each with every path of the least number of mistakes that leads to it."""

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[Any, int, list[Path]]] = {}

    def add(self, key: Hashable, state: Any, paths: Sequence[Path]) -> None:
        cost = len(paths[0])
        held = self._held.get(key)
        if held is None or cost < held[1]:
            self._held[key] = (state, cost, list(paths))
        elif cost == held[1]:
            held[2].extend(path for path in paths if path not in held[2])

    def __iter__(self) -> Any:
        return iter(self._held.values())

    def items(self) -> Any:
        return self._held.items()


def search(
    base: Recipe,
    wrong: Iterable[Turn],
    params: Params,
    context: Context,
    signature: str,
    depth: int = DEFAULT_DEPTH,
) -> Found:
    """The smallest sets of wrong turns from `base` whose signature is exactly `signature`."""
    by_slot: dict[tuple[str, str], list[Turn]] = {}
    for turn in wrong:
        by_slot.setdefault((turn.stage, turn.slot), []).append(turn)
    tried = 0
    for limit in range(depth + 1):
        walk = _Walk(base, by_slot, context, limit)
        paths = walk.matches(params, signature)
        tried += walk.tried
        if paths:
            return Found(tuple(paths), tried, limit)
    return Found((), tried, depth)


class _Walk:
    """One pass over all paths of at most `limit` mistakes."""

    def __init__(
        self, base: Recipe, by_slot: dict[tuple[str, str], list[Turn]], context: Context, limit: int
    ) -> None:
        self._base = {(turn.stage, turn.slot): turn for turn in base.turns}
        self._by_slot = by_slot
        self._context = context
        self._limit = limit
        self.tried = 0

    def matches(self, params: Params, signature: str) -> list[Path]:
        """The shortest paths of exactly `limit` mistakes, or fewer, that end in the signature."""
        messages = self._messages(self._texts(self._selected(params)))
        keys = self._keys()
        wanted = signature.encode("utf-8", "surrogatepass")
        found: list[Path] = []
        for message, cost, paths in messages:
            for function in self._options("digest", "function"):
                if cost + function.mistake > self._limit:
                    continue
                usable = keys[:1] if function.id in KEYLESS else keys
                for key, key_path in usable:
                    turns = ((function,) if function.mistake else ()) + key_path
                    if cost + len(turns) <= self._limit:
                        mac = function.run(key)(message)
                        found += self._encoded(mac, wanted, paths, turns)
        least = min((len(path) for path in found), default=0)
        return [path for path in found if len(path) == least]

    def _encoded(self, mac: bytes, wanted: bytes, paths: Sequence[Path], turns: Path) -> list[Path]:
        matched: list[Path] = []
        for encode in self._options("encode", "encode"):
            self.tried += len(paths)
            end = (encode,) if encode.mistake else ()
            if len(paths[0]) + len(turns) + len(end) > self._limit:
                continue
            if hmac.compare_digest(encode.run(mac).encode(), wanted):
                matched += [_in_order((*path, *turns, *end)) for path in paths]
        return matched

    def _options(self, stage: str, slot: str) -> list[Turn]:
        right = self._base.get((stage, slot))
        return ([right] if right else []) + self._by_slot.get((stage, slot), [])

    def _slots(self, *stages: str) -> list[tuple[str, str]]:
        slots = {*self._base, *self._by_slot}
        first = {slot: self._options(*slot)[0].place for slot in slots}
        return sorted((s for s in slots if s[0] in stages), key=lambda s: (first[s], s[1]))

    def _selected(self, params: Params) -> _States:
        """Parameters after every choice of which are signed and how their values are spelled."""
        states = _start(params)
        for slot in self._slots("select", "format"):
            grown = _States()
            for state, cost, paths in states:
                if slot not in self._base:
                    grown.add(tuple(state.items()), state, paths)
                for turn in self._options(*slot):
                    if cost + turn.mistake <= self._limit:
                        after = _applied(turn, state, self._context)
                        grown.add(tuple(after.items()), after, _extended(paths, turn))
            states = grown
        return states

    def _texts(self, selected: _States) -> _States:
        """The joined and wrapped strings."""
        joined = _States()
        for params, cost, paths in selected:
            names = tuple(params)
            for order in self._options("order", "order"):
                ordered = order.run(names, params) if order.by_value else order.run(names)
                for join in self._options("join", "join"):
                    if cost + order.mistake + join.mistake > self._limit:
                        continue
                    layout = Layout(join.run, ordered, ((), ()))
                    pieces = layout.blank.copy()
                    pieces[layout.places] = layout.pick(params)
                    text = "".join(pieces)
                    joined.add(text, text, _extended(_extended(paths, order), join))
        for stage, slot in self._slots("wrap"):
            joined = self._grown(joined, stage, slot, _spelled if slot == "spelling" else _wrapped)
        return joined

    def _messages(self, texts: _States) -> _States:
        return self._grown(texts, "digest", "charset", _encoded_text)

    def _grown(
        self, states: _States, stage: str, slot: str, apply: Callable[[Turn, Any, Context], Any]
    ) -> _States:
        grown = _States()
        for state, cost, paths in states:
            if (stage, slot) not in self._base:
                grown.add(state, state, paths)
            for turn in self._options(stage, slot):
                if cost + turn.mistake <= self._limit:
                    after = apply(turn, state, self._context)
                    grown.add(after, after, _extended(paths, turn))
        return grown

    def _keys(self) -> list[tuple[bytes, Path]]:
        """The keys to try, the right one first; equal ones once."""
        seen: dict[bytes, Path] = {}
        for turn in self._options("key", "source"):
            seen.setdefault(turn.run(self._context), (turn,) if turn.mistake else ())
        return list(seen.items())


def _applied(turn: Turn, params: Params, context: Context) -> Params:
    if turn.slot == "without-sign":
        return {name: value for name, value in params.items() if name != turn.run}
    after: Params = turn.run(context)(params)
    return after


def _start(params: Params) -> _States:
    states = _States()
    states.add(tuple(params.items()), params, [()])
    return states


def _extended(paths: Sequence[Path], turn: Turn) -> Sequence[Path]:
    return [(*path, turn) for path in paths] if turn.mistake else paths


def _in_order(path: Path) -> Path:
    return tuple(sorted(path, key=lambda turn: turn.place))


def _wrapped(turn: Turn, text: str, context: Context) -> str:
    before, after = turn.run(context)
    return "".join(s.text for s in before) + text + "".join(s.text for s in after)


def _spelled(turn: Turn, text: str, context: Context) -> str:
    spelled: str = turn.run(text)
    return spelled


def _encoded_text(turn: Turn, text: str, context: Context) -> bytes:
    try:
        encoded: bytes = turn.run(text)
    except UnicodeEncodeError:
        encoded = text.encode("utf-8", "surrogatepass")
    return encoded
