"""What the turns from select to join make of one request, grown mistake by mistake.

A path is a choice of turns, a state what those turns have made so far. States that several paths
have in common are held once, at their least number of mistakes, so a search costs far less than
its combinations.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, TypeAlias

from ..stages import Context, Layout, Params, Recipe, Turn

Path: TypeAlias = tuple[Turn, ...]


class Node:
    """A state, its least number of mistakes, and the turns that lead to it at that cost.

    It is made from `parent` by `turn`; `others` are further such pairs.
    """

    __slots__ = ("cost", "others", "parent", "state", "turn")

    def __init__(
        self,
        state: Any,
        cost: int,
        parent: Node | None = None,
        turn: Turn | None = None,
        others: tuple[tuple[Node | None, Turn | None], ...] = (),
    ) -> None:
        self.state = state
        self.cost = cost
        self.parent = parent
        self.turn = turn
        self.others = others

    def paths(self) -> Iterator[Path]:
        """Every path of least cost to this state, oldest turn first."""
        for parent, turn in ((self.parent, self.turn), *self.others):
            last = (turn,) if turn is not None and turn.mistake else ()
            if parent is None:
                yield last
            else:
                yield from ((*path, *last) for path in parent.paths())


Level: TypeAlias = dict[Hashable, Node]
#: The turns that put names in one order, and the layouts of that order, one a way to join.
Ordered: TypeAlias = tuple[list[Turn], list[tuple[Turn, Layout]]]


#: What the strings of one step may take of memory, in bytes as far as that can be told.
LARGEST = 1_000_000_000
_NODE_BYTES = 250


class TooLarge(Exception):
    """The strings of one step would take more memory than there may be."""


class Choices:
    """The turns of each slot: the right one of the base recipe, and the wrong ones."""

    def __init__(self, base: Recipe, wrong: Iterable[Turn]) -> None:
        self._right = {(turn.stage, turn.slot): turn for turn in base.turns}
        self._wrong: dict[tuple[str, str], list[Turn]] = {}
        for turn in wrong:
            self._wrong.setdefault((turn.stage, turn.slot), []).append(turn)
        places = {
            (turn.stage, turn.slot): turn.place
            for turns in (self._right.values(), *self._wrong.values())
            for turn in turns
        }
        #: Slots of one place in the order in which their turns were given, as a recipe walks them.
        self._slots = sorted(places, key=lambda slot: places[slot])

    def of(self, stage: str, slot: str, limit: int, rare: bool) -> list[Turn | None]:
        """The turns of a slot, the right one first; None stands for taking none."""
        wrong = self._wrong.get((stage, slot), []) if limit else []
        return [self._right.get((stage, slot)), *(t for t in wrong if rare or not t.rare)]

    def taken(self, stage: str, slot: str, limit: int, rare: bool) -> list[Turn]:
        """The same of a slot that is never left out."""
        return [turn for turn in self.of(stage, slot, limit, rare) if turn is not None]

    def slots(self, *stages: str) -> list[tuple[str, str]]:
        """The slots of these stages that have any turn, in walking order."""
        return [slot for slot in self._slots if slot[0] in stages]


class States:
    """The joined strings of one request under every choice of turns up to a number of mistakes."""

    def __init__(self, choices: Choices, context: Context) -> None:
        self._choices = choices
        self._context = context
        self._orders: dict[tuple[tuple[str, ...], bool], list[Ordered]] = {}
        self._most = 0

    def joined(self, params: Params, limit: int, rare: bool) -> list[list[Node]]:
        """The joined strings, as UTF-8, by their least number of mistakes up to `limit`."""
        joined: Level = {}
        self._most = LARGEST // (sum(map(len, (*params, *params.values()))) + _NODE_BYTES)
        for node in self._selected(params, limit, rare, joined):
            self._check(joined)
            for orders, layouts in self._ordered(node, limit, rare):
                middles = [
                    Node(None, node.cost + 1, node, order) if order.mistake else node
                    for order in orders
                ]
                for join, layout in layouts:
                    if middles[0].cost + join.mistake <= limit:
                        text = utf8(layout.text(node.state))
                        for middle in middles:
                            _reach(joined, text, text, middle, join)
            node.state = None  # a path needs its turns alone, and there may be very many
        by_cost: list[list[Node]] = [[] for _ in range(limit + 1)]
        for node in joined.values():
            by_cost[node.cost].append(node)
        return by_cost

    def _selected(self, params: Params, limit: int, rare: bool, joined: Level) -> Iterable[Node]:
        """Parameters after every choice of which are signed and how their values are spelled.

        Those that allow of no further mistake, by far the most, are joined at once.
        """
        level: Level = {_key(params): Node(params, 0)}
        for stage, slot in self._choices.slots("select", "format"):
            right, *wrong = self._choices.of(stage, slot, limit, rare)
            if right is not None:
                run = _parameter_turn(right, self._context)
                states = [(run(node.state), node) for node in level.values()]
                level = {_key(after): Node(after, node.cost, node, right)
                         for after, node in states}  # fmt: skip
            grown = dict(level)
            for turn in wrong:
                if turn is None:
                    continue
                self._check(joined, grown)
                run = _parameter_turn(turn, self._context)
                for node in level.values():
                    # A turn that changes nothing explains nothing.
                    if (after := run(node.state)) == node.state:
                        continue
                    if node.cost + 1 < limit:
                        _reach(grown, _key(after), after, node, turn)
                    else:
                        text = utf8(self._right_layout(tuple(after), rare).text(after))
                        _reach(joined, text, text, node, turn)
            level = grown
        return level.values()

    def _check(self, *levels: Level) -> None:
        if sum(map(len, levels)) > self._most:
            raise TooLarge

    def _right_layout(self, names: tuple[str, ...], rare: bool) -> Layout:
        ((_, ((_, layout), *_)), *_) = self._of_names(names, rare)
        return layout

    def _ordered(self, node: Node, limit: int, rare: bool) -> list[Ordered]:
        """The orders that the names of a state may stand in, the right one first.

        A wrong turn that comes to the right order explains nothing.
        """
        names = tuple(node.state)
        held = self._of_names(names, rare)
        if node.cost >= limit:
            return held[:1]
        in_order = held[0][1][0][1].names
        by_value = []
        for turn in self._choices.taken("order", "order", limit, rare):
            if turn.by_value and (ordered := tuple(turn.run(names, node.state))) != in_order:
                by_value.append(([turn], self._layouts(ordered, rare)))
        return [*held, *by_value]

    def _of_names(self, names: tuple[str, ...], rare: bool) -> list[Ordered]:
        """The orders that depend on the names alone, the right one first."""
        held = self._orders.get((names, rare))
        if held is None:
            orders: dict[tuple[str, ...], list[Turn]] = {}
            for turn in self._choices.taken("order", "order", 1, rare):
                if not turn.by_value:
                    orders.setdefault(tuple(turn.run(names)), []).append(turn)
            (in_order, (right, *_)), *others = orders.items()
            held = self._orders[names, rare] = [
                ([right], self._layouts(in_order, rare)),
                *((turns, self._layouts(ordered, rare)) for ordered, turns in others),
            ]
        return held

    def _layouts(self, names: tuple[str, ...], rare: bool) -> list[tuple[Turn, Layout]]:
        joins = self._choices.taken("join", "join", 1, rare)
        return [(join, Layout(join.run, names, ((), ()))) for join in joins]


def _reach(level: Level, key: Hashable, state: Any, parent: Node, turn: Turn) -> None:
    """Hold a state that this turn makes; what is held already is never changed, only replaced."""
    cost = parent.cost + turn.mistake
    held = level.get(key)
    if held is None or cost < held.cost:
        level[key] = Node(state, cost, parent, turn)
    elif cost == held.cost:
        level[key] = Node(state, cost, held.parent, held.turn, (*held.others, (parent, turn)))


def utf8(text: str) -> bytes:
    """The bytes that are hashed, half a surrogate pair with its own."""
    return text.encode("utf-8", "surrogatepass")


def _key(params: Params) -> Hashable:
    """Names and values in their order, flat: it is hashed and held many times."""
    return (*params, *params.values())


def _parameter_turn(turn: Turn, context: Context) -> Callable[[Params], Params]:
    if turn.slot == "without-sign":
        return lambda params: {n: value for n, value in params.items() if n != turn.run}
    made: Callable[[Params], Params] = turn.run(context)
    return made


def mistakes(turns: Iterable[Turn]) -> int:
    """How many of these turns are mistakes."""
    return sum(turn.mistake for turn in turns)
