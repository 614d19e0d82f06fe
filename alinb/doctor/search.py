"""Find the fewest wrong turns that reproduce a signature, stage by stage.

A path is a choice of turns, a state what those turns have made so far. States that several paths
have in common are held once, at their least number of mistakes, so a search costs far less than
its combinations. Only the digests and encodings that can give the signature's length and alphabet
are run.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import partial
from itertools import product
from typing import Any, NamedTuple, TypeAlias

from ..stages import Context, Layout, Params, Recipe, Turn
from .mistakes import KEYLESS

#: Rare turns are tried alone and in pairs, not in larger companies.
RARE_LIMIT = 2

#: More explanations than these are not told apart by anybody.
MOST_EXPLANATIONS = 64

Path: TypeAlias = tuple[Turn, ...]


class Node:
    """A state, its least number of mistakes, and the turns that lead to it at that cost."""

    __slots__ = ("cost", "edges", "state")

    def __init__(self, state: Any, cost: int, parent: Node | None, turn: Turn | None) -> None:
        self.state = state
        self.cost = cost
        self.edges = [(parent, turn)]

    def paths(self) -> Iterator[Path]:
        """Every path of least cost to this state, oldest turn first."""
        for parent, turn in self.edges:
            last = (turn,) if turn is not None and turn.mistake else ()
            if parent is None:
                yield last
            else:
                yield from ((*path, *last) for path in parent.paths())


Level: TypeAlias = dict[Hashable, Node]
#: A message, the paths to it, and how many mistakes are left for its end.
Message: TypeAlias = tuple[bytes, Callable[[], Iterator[Path]], int]


def _reach(level: Level, key: Hashable, state: Any, parent: Node, turn: Turn | None) -> None:
    cost = parent.cost + (turn.mistake if turn is not None else 0)
    node = level.get(key)
    if node is None:
        level[key] = Node(state, cost, parent, turn)
    elif cost < node.cost:
        node.cost, node.state, node.edges = cost, state, [(parent, turn)]
    elif cost == node.cost:
        node.edges.append((parent, turn))


#: Turns of a digest, how to make it from a key, and the MACs wanted of it with their encodings.
Ending: TypeAlias = tuple[Path, Any, list[tuple[bytes, Path]]]
#: A digest under one key, to be called with what the message begins with, and the MACs wanted of
#: it with the rest of their paths.
Way: TypeAlias = tuple[Callable[..., Callable[[bytes], bytes]], list[tuple[bytes, Path]]]


class Surround(NamedTuple):
    """One choice of all that stands around the joined string, and of its spelling and charset."""

    head: str
    tail: str
    spell: Callable[[str], str] | None
    encode: Callable[[str], bytes]
    path: Path


class Search:
    """The states of one request under one base recipe, grown to any number of mistakes."""

    def __init__(
        self, base: Recipe, wrong: Iterable[Turn], params: Params, context: Context
    ) -> None:
        self._base = {(turn.stage, turn.slot): turn for turn in base.turns}
        self._wrong = list(wrong)
        self._params = params
        self._context = context
        self._layouts: dict[tuple[str, str, tuple[str, ...]], Layout] = {}
        self.tried = 0

    def match(self, signature: str, total: int) -> list[Path]:
        """The paths of exactly `total` mistakes that end in this signature."""
        found: list[Path] = []
        for altered, ways, messages in self.walk(signature, total):
            whole = [[(make(), targets) for make, targets in several] for several in ways]
            for message, path_to, left in messages:
                for mac_of, targets in whole[left]:
                    mac = mac_of(message)
                    self.tried += len(targets)
                    for target, end in targets:
                        if mac == target:
                            found += [(*altered, *before, *end) for before in path_to()]
        return [_in_order(path) for path in found[:MOST_EXPLANATIONS]]

    def walk(
        self, signature: str, total: int, params: Params | None = None
    ) -> Iterator[tuple[Path, list[list[Way]], Iterator[Message]]]:
        """The messages under each secret in use, with the ways to end exactly at `total`.

        `ways[n]` are those of n mistakes; a message says how many are left for its end.
        """
        endings = self._endings(signature, total)
        least = min((_mistakes(turns) for turns, _, _ in endings), default=total + 1)
        if least > total:
            return
        joined = self._joined(self._selected(params or self._params, total - least), total - least)
        for turn in self._options("key", "secret", total):
            altered = () if turn is None else (turn,)
            context = self._context if turn is None else turn.run(self._context)
            room = total - len(altered)
            if room >= least:
                ways = self._ways(endings, context, room)
                yield altered, ways, self._messages(joined, context, room, ways)

    def strings(self, total: int) -> Iterator[tuple[Path, str, Callable[[], Iterator[Path]]]]:
        """The strings to sign of exactly `total` mistakes, each with the paths to it."""
        joined = self._joined(self._selected(self._params, total), total)
        for turn in self._options("key", "secret", total):
            altered = () if turn is None else (turn,)
            context = self._context if turn is None else turn.run(self._context)
            room = total - len(altered)
            surrounds = [s for s in self._surrounds(context, room) if not _charset_turn(s)]
            for node in joined.values():
                for surround in surrounds:
                    if node.cost + len(surround.path) == room:
                        spell = surround.spell or str
                        text = surround.head + spell(node.state) + surround.tail
                        yield altered, text, partial(_paths, node, surround.path)

    def ends(self, message: bytes, signature: str, most: int) -> list[Path]:
        """The digests, keys and encodings by which this very message gives the signature."""
        found: list[Path] = []
        for turn in self._options("key", "secret", most):
            altered = () if turn is None else (turn,)
            context = self._context if turn is None else turn.run(self._context)
            for ways in self._ways(self._endings(signature, most), context, most - len(altered)):
                for make, targets in ways:
                    mac = make()(message)
                    found += [(*altered, *end) for target, end in targets if mac == target]
        least = min(map(len, found), default=0)
        return [_in_order(path) for path in found if len(path) == least]

    def _messages(
        self, joined: Level, context: Context, room: int, ways: list[list[Way]]
    ) -> Iterator[Message]:
        surrounds = self._surrounds(context, room)
        usable = [
            [
                (s, left - len(s.path))
                for s in surrounds
                if left >= len(s.path) and ways[left - len(s.path)]
            ]
            for left in range(room + 1)
        ]
        for node in joined.values():
            if node.cost > room:
                continue
            text = node.state
            spellings: dict[Any, str] = {None: text}
            for (head, tail, spell, encode, path), rest in usable[room - node.cost]:
                middle = spellings.get(spell)
                if middle is None:
                    middle = spellings[spell] = spell(text) if spell else text
                message = _bytes(encode, head + middle + tail)
                yield message, partial(_paths, node, path), rest

    def _surrounds(self, context: Context, room: int) -> list[Surround]:
        """Every choice around the joined string of at most `room` mistakes, few mistakes first."""
        slots = [
            self._options("wrap", slot, room) for slot in ("prefix", "body", "secret", "spelling")
        ]
        choices = product(*slots, self._options("digest", "charset", room))
        surrounds = []
        for *wraps, spelling, charset in choices:
            turns = [turn for turn in (*wraps, spelling, charset) if turn is not None]
            if charset is None or _mistakes(turns) > room:
                continue
            spell = None if spelling is None else spelling.run
            head, tail = _around([turn for turn in wraps if turn is not None], context)
            if spell is not None:
                head, tail = spell(head), spell(tail)
            path = tuple(turn for turn in turns if turn.mistake)
            surrounds.append(Surround(head, tail, spell, charset.run, path))
        return sorted(surrounds, key=lambda surround: len(surround.path))

    def _ways(self, endings: list[Ending], context: Context, room: int) -> list[list[Way]]:
        """The ways from a message to a wanted MAC under one secret, by their number of mistakes."""
        keys: dict[bytes, Path] = {}
        for turn in self._options("key", "source", room):
            if turn is not None:
                keys.setdefault(turn.run(context), (turn,) if turn.mistake else ())
        ways: list[list[Way]] = [[] for _ in range(room + 1)]
        for functions, make, targets in endings:
            keyless = any(turn.id in KEYLESS for turn in functions)
            used = tuple(turn for turn in functions if turn.mistake)
            for key, key_path in list(keys.items())[: 1 if keyless else None]:
                by_cost: dict[int, list[tuple[bytes, Path]]] = {}
                for mac, end in targets:
                    path = (*key_path, *used, *end)
                    by_cost.setdefault(len(path), []).append((mac, path))
                for cost, wanted in by_cost.items():
                    if cost <= room:
                        ways[cost].append((partial(make, key), wanted))
        return ways

    def _endings(self, signature: str, limit: int) -> list[Ending]:
        """The digests that can give a signature of this length and alphabet."""
        endings: list[Ending] = []
        for function in self._options("digest", "function", limit):
            if function is None:
                continue
            size = len(function.run(b"key")(b"message"))
            targets = list(self._undone(signature, size, limit))
            for arguments in self._options("digest", "arguments", limit):
                turns = (function,) if arguments is None else (function, arguments)
                if _mistakes(turns) > limit:
                    continue
                if arguments is not None and function.id in (*KEYLESS, arguments.id):
                    continue
                make = function.run if arguments is None else arguments.run(function.run)
                if targets:
                    endings.append((turns, make, targets))
                endings += self._unpadded(signature, size, turns, make, limit)
        return endings

    def _undone(self, signature: str, size: int, limit: int) -> Iterator[tuple[bytes, Path]]:
        """The MACs that some encoding turns into this signature, with that encoding's turns."""
        for form in self._options("encode", "form", limit):
            for case in self._options("encode", "case", limit):
                if form is None or form.id == "hex_unpadded":
                    continue
                for mac in _macs(signature, size):
                    text = form.run(mac)
                    if case is not None and (not text.isalnum() or case.run(text) == text):
                        continue
                    if (text if case is None else case.run(text)) == signature:
                        turns = (form,) if case is None else (form, case)
                        yield mac, tuple(turn for turn in turns if turn.mistake)

    def _unpadded(
        self, signature: str, size: int, turns: Path, make: Any, limit: int
    ) -> Iterator[Ending]:
        """Hex without leading zeros cannot be undone, so there the encoded texts are compared."""
        if not (size <= len(signature) < 2 * size and _HEX.fullmatch(signature)):
            return
        for form in self._options("encode", "form", limit):
            if form is not None and form.id == "hex_unpadded":
                cases = [t for t in self._options("encode", "case", limit) if t]
                lower = tuple(cases) if signature != signature.upper() else ()
                wanted = signature.upper().encode()
                yield turns, _composed(make, form.run), [(wanted, (form, *lower))]

    def _options(self, stage: str, slot: str, limit: int) -> list[Turn | None]:
        """The turns of a slot, the right one first; None stands for taking none."""
        right = self._base.get((stage, slot))
        wrong = [
            turn
            for turn in self._wrong
            if (turn.stage, turn.slot) == (stage, slot) and (limit <= RARE_LIMIT or not turn.rare)
        ]
        return [right, *(wrong if limit else [])]

    def _slots(self, *stages: str) -> list[tuple[str, str]]:
        turns = [*self._base.values(), *self._wrong]
        places = {(t.stage, t.slot): (t.place, t.slot) for t in turns if t.stage in stages}
        return sorted(places, key=lambda slot: places[slot])

    def _selected(self, params: Params, limit: int) -> Level:
        """Parameters after every choice of which are signed and how their values are spelled."""
        level: Level = {tuple(params.items()): Node(params, 0, None, None)}
        for stage, slot in self._slots("select", "format"):
            options = self._options(stage, slot, limit)
            if options == [None]:
                continue
            grown: Level = {}
            for turn in options:
                run = _parameter_turn(turn, self._context)
                for key, node in level.items():
                    if turn is None:
                        _reach(grown, key, node.state, node, None)
                    elif node.cost + turn.mistake <= limit:
                        after = run(node.state)
                        # A turn that changes nothing explains nothing.
                        if not turn.mistake or after != node.state or stage == "select":
                            _reach(grown, tuple(after.items()), after, node, turn)
            level = grown
        return level

    def _joined(self, selected: Level, limit: int) -> Level:
        """The joined strings of at most `limit` mistakes."""
        joined: Level = {}
        orders = [t for t in self._options("order", "order", limit) if t is not None]
        joins = [t for t in self._options("join", "join", limit) if t is not None]
        for node in selected.values():
            names = tuple(node.state)
            for order in orders:
                if node.cost + order.mistake > limit:
                    continue
                middle = node if not order.mistake else Node(None, node.cost + 1, node, order)
                for join in joins:
                    if middle.cost + join.mistake <= limit:
                        text = self._layout(order, join, names, node.state).text(node.state)
                        _reach(joined, text, text, middle, join)
        return joined

    def _layout(self, order: Turn, join: Turn, names: tuple[str, ...], params: Params) -> Layout:
        if order.by_value:
            return Layout(join.run, order.run(names, params), ((), ()))
        key = (order.id + order.detail, join.id, names)
        held = self._layouts.get(key)
        if held is None:
            held = self._layouts[key] = Layout(join.run, order.run(names), ((), ()))
        return held


_HEX = re.compile(r"[0-9A-F]+|[0-9a-f]+")


def _parameter_turn(turn: Turn | None, context: Context) -> Callable[[Params], Params]:
    if turn is None:
        return lambda params: params
    if turn.slot == "without-sign":
        return lambda params: {n: value for n, value in params.items() if n != turn.run}
    made: Callable[[Params], Params] = turn.run(context)
    return made


def _around(wraps: Iterable[Turn], context: Context) -> tuple[str, str]:
    """What stands in front of the joined string, and what behind; the later turn outside."""
    head = tail = ""
    for turn in wraps:
        before, after = turn.run(context)
        head = "".join(segment.text for segment in before) + head
        tail += "".join(segment.text for segment in after)
    return head, tail


def _bytes(encode: Callable[[str], bytes], text: str) -> bytes:
    try:
        return encode(text)
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _paths(node: Node, path: Path) -> Iterator[Path]:
    return ((*before, *path) for before in node.paths())


def _charset_turn(surround: Surround) -> bool:
    return any(turn.slot == "charset" for turn in surround.path)


def _mistakes(turns: Iterable[Turn]) -> int:
    return sum(turn.mistake for turn in turns)


def _composed(
    make: Callable[..., Callable[[bytes], bytes]], encode: Callable[[bytes], str]
) -> Callable[..., Callable[[bytes], bytes]]:
    def composed(key: bytes, head: bytes = b"") -> Callable[[bytes], bytes]:
        mac_of = make(key, head)
        return lambda message: encode(mac_of(message)).encode()

    return composed


def _macs(signature: str, size: int) -> Iterator[bytes]:
    """The MACs of a size that this text may be an encoding of."""

    def whole_hex(text: str) -> Iterator[bytes]:
        if len(text) == 2 * size:
            try:
                yield bytes.fromhex(text)
            except ValueError:
                return

    yield from whole_hex(signature)
    try:
        padded = signature + "=" * (-len(signature) % 4)
        decoded = base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return
    if len(decoded) == size:
        yield decoded
    yield from whole_hex(decoded.decode("latin-1"))


def _in_order(path: Path) -> Path:
    return tuple(sorted(path, key=lambda turn: turn.place))
