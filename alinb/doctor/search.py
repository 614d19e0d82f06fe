"""Find the fewest wrong turns that reproduce a signature, stage by stage.

What goes before the digest is grown forward (`states`), what comes after it is undone from the
signature (`endings`); here the two are brought together. Only the digests and encodings that can
give the signature's length and alphabet are run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice, product
from typing import Any, NamedTuple, TypeAlias

from ..recipes import UTF8
from ..stages import Context, Params, Recipe, Turn
from .endings import Endings, Way
from .states import Choices, Node, Path, States, mistakes, utf8

#: Rare turns are tried alone and in pairs, not in larger companies unless asked for.
RARE_LIMIT = 2

#: More explanations than these are not told apart by anybody.
MOST_EXPLANATIONS = 64
_MOST_PATHS = 4096

#: Fewer messages than these are not worth hashing their common head beforehand.
_WORTH_A_HEAD = 12


class Surround(NamedTuple):
    """One choice of all that stands around the joined string, and of its spelling and charset.

    `head` and `tail` are spelled already; `altered` says whether that changed them.
    """

    head: str
    tail: str
    spell: Callable[[str], str] | None
    charset: Turn
    path: Path
    altered: bool
    holds_secret: bool


class Batch(NamedTuple):
    """Messages that share what stands around them: `head` + each of `bodies`, made by `nodes`.

    `ways` are those by which they may end at the wanted number of mistakes; `before` and `path` the
    turns of the secret and of the surround.
    """

    before: Path
    path: Path
    head: bytes
    nodes: Sequence[Node]
    bodies: Sequence[bytes]
    ways: Sequence[Way]

    def paths(self, node: Node, way: Way, mac: bytes) -> Iterator[Path]:
        for start in node.paths():
            for end in way.wanted[mac]:
                yield (*self.before, *start, *self.path, *end)


Bodies: TypeAlias = tuple[list[Node], list[bytes]]


class Search:
    """All that one request can be signed as, under one base recipe and any number of mistakes."""

    def __init__(
        self, base: Recipe, wrong: Iterable[Turn], params: Params, context: Context
    ) -> None:
        self._choices = Choices(base, wrong)
        self._states = States(self._choices, context)
        self._params = params
        self._context = context
        self.tried = 0

    def match(self, signature: str, total: int, rare: bool | None = None) -> list[Path]:
        """The paths of exactly `total` mistakes that end in this signature."""
        found: list[Path] = []
        for batch in self.batches(signature, total, rare=rare):
            for way in batch.ways:
                mac_of, messages = way.whole, batch.bodies
                if len(messages) >= _WORTH_A_HEAD:
                    mac_of = way.make(batch.head)
                elif batch.head:
                    messages = [batch.head + body for body in messages]
                self.tried += len(messages) * len(way.wanted)
                if way.wanted.keys().isdisjoint(map(mac_of, messages)):
                    continue
                for node, message in zip(batch.nodes, messages, strict=True):
                    if (mac := mac_of(message)) in way.wanted:
                        found += islice(batch.paths(node, way, mac), _MOST_PATHS)
        return chosen(found)

    def batches(
        self, signature: str, total: int, params: Params | None = None, rare: bool | None = None
    ) -> Iterator[Batch]:
        """The messages of `total` mistakes in all, with the ways to end in this signature."""
        if rare is None:
            rare = total <= RARE_LIMIT
        endings = Endings(self._choices, signature, total, rare)
        limit = total - endings.least
        if limit < 0:
            return
        joined = self._states.joined(params or self._params, limit, rare)
        bodies = _Bodies(joined)
        for before, context in self._secrets(total, rare):
            room = total - len(before)
            ways = endings.ways(context, room)
            for surround in self._surrounds(context, min(room, limit), rare):
                for cost, nodes in enumerate(joined):
                    left = room - cost - len(surround.path)
                    if left < 0 or not nodes or not ways[left]:
                        continue
                    # A secret that is nowhere in the signature explains nothing.
                    usable = ways[left]
                    if before and not surround.holds_secret:
                        usable = [way for way in usable if way.by_secret]
                    if usable:
                        head, (made, messages) = bodies.of(surround, cost)
                        yield Batch(before, surround.path, head, made, messages, usable)

    def strings(
        self, params: Params, total: int
    ) -> Iterator[tuple[Path, str, Callable[[], Iterator[Path]]]]:
        """The strings to sign of exactly `total` mistakes, each with the paths to it."""
        rare = total <= RARE_LIMIT
        joined = self._states.joined(params, total, rare)
        for before, context in self._secrets(total, rare):
            room = total - len(before)
            for surround in self._surrounds(context, room, rare):
                if surround.charset.mistake or (before and not surround.holds_secret):
                    continue
                spell = surround.spell or str
                for node in joined[room - len(surround.path)]:
                    text = surround.head + spell(_text(node)) + surround.tail
                    yield before, text, partial(_paths, node, surround.path)

    def ends(self, message: bytes, signature: str, most: int) -> list[Path]:
        """The digests, keys and encodings by which this very message gives the signature."""
        found: list[Path] = []
        rare = True
        endings = Endings(self._choices, signature, most, rare)
        for before, context in self._secrets(most, rare):
            for several in endings.ways(context, most - len(before)):
                for way in several:
                    found += [(*before, *end) for end in way.wanted.get(way.whole(message), ())]
        least = min(map(len, found), default=0)
        return [in_order(path) for path in found if len(path) == least]

    def _secrets(self, limit: int, rare: bool) -> Iterator[tuple[Path, Context]]:
        """Each secret that may have been in use, with the turn that leads to it."""
        for turn in self._choices.of("key", "secret", limit, rare):
            if turn is None:
                yield (), self._context
            else:
                yield (turn,), turn.run(self._context)

    def _surrounds(self, context: Context, room: int, rare: bool) -> list[Surround]:
        """Every choice around the joined string of at most `room` mistakes, few mistakes first."""
        slots = [
            self._choices.of("wrap", slot, room, rare)
            for slot in ("prefix", "body", "secret", "spelling")
        ]
        surrounds = []
        charsets = self._choices.taken("digest", "charset", room, rare)
        for (*wraps, spelling), charset in product(product(*slots), charsets):
            turns = [turn for turn in (*wraps, spelling, charset) if turn is not None]
            if mistakes(turns) > room:
                continue
            spell = None if spelling is None else spelling.run
            head, tail, holds_secret = _around([t for t in wraps if t is not None], context)
            front, back = (spell(head), spell(tail)) if spell else (head, tail)
            altered = (front, back) != (head, tail)
            path = tuple(turn for turn in turns if turn.mistake)
            surrounds.append(Surround(front, back, spell, charset, path, altered, holds_secret))
        return sorted(surrounds, key=lambda surround: len(surround.path))


class _Bodies:
    """The joined strings spelled and encoded once for all surrounds that do it alike."""

    def __init__(self, joined: list[list[Node]]) -> None:
        self._joined = joined
        self._held: dict[tuple[Any, ...], Bodies] = {}

    def of(self, surround: Surround, cost: int) -> tuple[bytes, Bodies]:
        """What stands before all of them, and the nodes with what each gives."""
        if surround.charset.run is not UTF8.run:
            # A text that such a charset cannot hold falls back as a whole.
            nodes, texts = self._spelled(surround, cost)
            whole = (surround.head + text + surround.tail for text in texts)
            return b"", (nodes, [_bytes(surround.charset.run, text) for text in whole])
        head, tail = utf8(surround.head), utf8(surround.tail)
        key = (surround.spell, surround.altered, tail, cost)
        held = self._held.get(key)
        if held is None:
            if surround.spell is None:
                nodes = self._joined[cost]
                held = nodes, [node.state + tail for node in nodes]
            else:
                nodes, texts = self._spelled(surround, cost)
                held = nodes, [utf8(text) + tail for text in texts]
            self._held[key] = held
        return head, held

    def _spelled(self, surround: Surround, cost: int) -> tuple[list[Node], list[str]]:
        """Without those that the spelling leaves alone: it explains nothing there."""
        nodes, spell = self._joined[cost], surround.spell
        texts = [_text(node) for node in nodes]
        if spell is None:
            return nodes, texts
        spelled = [(node, text, spell(text)) for node, text in zip(nodes, texts, strict=True)]
        if not surround.altered:
            spelled = [(node, text, new) for node, text, new in spelled if new != text]
        return [node for node, _, _ in spelled], [new for _, _, new in spelled]


def _text(node: Node) -> str:
    return str(node.state, "utf-8", "surrogatepass")


def _around(wraps: Iterable[Turn], context: Context) -> tuple[str, str, bool]:
    """What stands in front of the joined string, and what behind; the later turn outside."""
    head = tail = ""
    holds_secret = False
    for turn in wraps:
        before, after = turn.run(context)
        head = "".join(segment.text for segment in before) + head
        tail += "".join(segment.text for segment in after)
        holds_secret = holds_secret or any(s.kind == "secret" for s in (*before, *after))
    return head, tail, holds_secret


def _bytes(encode: Callable[[str], bytes], text: str) -> bytes:
    try:
        return encode(text)
    except UnicodeEncodeError:
        return utf8(text)


def _paths(node: Node, path: Path) -> Iterator[Path]:
    return ((*before, *path) for before in node.paths())


def chosen(found: Iterable[Path]) -> list[Path]:
    """At most `MOST_EXPLANATIONS` paths in walking order, one of every set of ids at first."""
    unique = dict.fromkeys(in_order(path) for path in found)
    by_ids: dict[frozenset[str], Path] = {}
    for path in unique:
        by_ids.setdefault(frozenset(turn.id for turn in path), path)
    first = dict.fromkeys(by_ids.values())
    return list(dict.fromkeys([*first, *unique]))[:MOST_EXPLANATIONS]


def in_order(path: Path) -> Path:
    return tuple(sorted(path, key=lambda turn: turn.place))
