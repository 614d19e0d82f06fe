"""Records taken apart into columns, page by page, with the records inside them in tables below.

Works a column of a page at a time: a value costs a few dozen ns, and no row is ever a dictionary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

from ..bodies import parse_json
from . import facts
from .arrow import pa
from .column import ARROW_TYPES, NONE, PLAIN, Column
from .facts import TableFacts
from .values import packed

#: Money as an object, and what becomes of its fields' names.
_MONEY = {"amount": "", "currency_code": "_currency", "cent": "_cent"}
_NOTHING: dict[str, Any] = {}
#: Objects within objects beyond this are kept as JSON text.
_DEEPEST = 60


class Columns:
    """The rows of one table, and the tables of the records inside them.

    `owners` holds for each row the row of `owner` that it belongs to. A tree, whose records hold
    records of the same kind, is its own owner; -1 stands for no owner. Rows are numbered from
    `first`. `only` names the tables below that are kept; without it, all are.
    """

    def __init__(
        self,
        known: TableFacts,
        name: str,
        owner: Columns | None = None,
        *,
        given: Sequence[str] = (),
        only: frozenset[str] = frozenset(),
    ) -> None:
        self.known = known
        self.name = name
        self.owner = owner
        self.given = tuple(given)
        self.first = 0
        self.rows = 0
        self.columns: dict[str, Column] = {}
        self.owners: list[int] = []
        self.children: dict[str, Columns] = {}
        #: Columns that have held texts alone, and are no JSON.
        self._texts: set[str] = set()
        #: The currency that each row was asked for in, for money that does not name its own.
        self.asked = Column()
        for path, below in known.nested.items():
            inner = facts.table(below)
            tree = inner is known
            self.children[path] = self if tree else Columns(inner, inner.name, self, only=only)
        self._only = only
        #: Whether rows come here at all: the table is wanted, or one below it.
        self.kept: bool = (
            not only
            or name in only
            or any(o.startswith(f"{name}.") for o in only)
            or any(child is not self and child.kept for child in self.children.values())
        )

    @property
    def is_tree(self) -> bool:
        return self in self.children.values()

    def walk(self) -> Iterable[Columns]:
        """This table and those below it, those of the knowledge in their order, then by name."""
        yield self
        unknown = sorted(set(self.children) - set(self.known.nested))
        for path in (*self.known.nested, *unknown):
            if self.children[path] is not self:
                yield from self.children[path].walk()

    def add(self, records: Sequence[Any], owners: Sequence[int] = (), depth: int = 0) -> None:
        """Append one row a record; a record that is a plain value stands in a column of its own."""
        if not records:
            return
        start, self.rows = self.rows, self.rows + len(records)
        if self.owner or self.is_tree:
            self.owners += owners or [-1] * len(records)
        waiting: list[tuple[Columns, list[Any], list[int]]] = []
        kinds = set(map(type, records))
        if dict in kinds:
            self._spread("", _dicts(records, kinds), start, waiting, depth)
        if kinds != {dict}:
            plain = [None if type(r) is dict else r for r in records]
            self._put(self.known.value, plain, start, waiting, depth)
        # A tree's own rows come last, or they would stand in the way of these.
        for child, items, rows in waiting:
            child.add(items, rows, depth + 1)

    def complete(self, name: str, values: Sequence[Any], start: int) -> None:
        """Give the rows of the last `add`, from `start` on, these values where they have none."""
        column = self.columns.setdefault(name, Column())
        if column.rows > start:
            chunk = column.chunks.pop()
            column.rows -= len(chunk)
            held = chunk if type(chunk) is list else chunk.to_pylist()
            values = [v if h is None else h for v, h in zip(values, held, strict=True)]
        column.fill(start)
        column.extend(values, set(map(type, values)))

    def clear(self) -> None:
        """Forget the rows, and go on numbering where they ended."""
        for each in self.walk():
            each.first += each.rows
            each.rows = 0
            each.columns, each.owners, each.asked = {}, [], Column()
            each._texts = set()

    def _spread(
        self, prefix: str, records: Sequence[dict[str, Any]], start: int, waiting: Any, depth: int,
        names: Mapping[str, str] = _NOTHING,
    ) -> None:  # fmt: skip
        keys = tuple(records[0])
        if [*chain.from_iterable(records)] == [*keys] * len(records):
            flat = [*chain.from_iterable(map(dict.values, records))]
            columns: Iterable[list[Any]] = (flat[i :: len(keys)] for i in range(len(keys)))
        else:
            keys = tuple(dict.fromkeys(chain.from_iterable(records)))
            columns = ([record.get(key) for record in records] for key in keys)
        for key, values in zip(keys, columns, strict=True):
            self._put(prefix + names.get(key, key), values, start, waiting, depth)

    def _put(self, name: str, values: Sequence[Any], start: int, waiting: Any, depth: int) -> None:
        if name in self._texts and self._more_text(name, values, start):
            return
        kinds = set(map(type, values))
        if name in self.known.json and str in kinds:
            values = [_decoded(v) for v in values]
            kinds = set(map(type, values))
        if name in self.known.images and str in kinds:
            values = [_split(v) for v in values]
            kinds = set(map(type, values))
        if depth > _DEEPEST and not kinds <= PLAIN:
            values = [packed(v) for v in values]
            kinds = {str, NONE}
        if kinds <= PLAIN:
            self._write(name, values, kinds, start)
            return
        if dict in kinds:
            values, kinds = _unwrapped(values, kinds)
        if list in kinds:
            values = self._lists(name, values, start, waiting)
            kinds = set(map(type, values))
        if dict in kinds:
            self._objects(name, values, kinds, start, waiting, depth)
            values = [None if type(v) is dict else v for v in values]
            kinds = set(map(type, values))
        if kinds != {NONE}:
            self._write(name, values, kinds, start)

    def _lists(self, name: str, values: Sequence[Any], start: int, waiting: Any) -> Sequence[Any]:
        """Send lists of records below; what is left are lists of plain values, copied."""
        lists = [v if type(v) is list else () for v in values]
        known = name in self.known.nested
        if known or not set(map(type, chain.from_iterable(lists))) <= PLAIN:
            child = self._child(name)
            if child.kept:
                rows = range(start, start + len(lists))
                owners = [*chain.from_iterable(map(repeat, rows, map(len, lists)))]
                waiting.append((child, [*chain.from_iterable(lists)], owners))
            if name not in self.known.images:
                return [None if type(v) is list else v for v in values]
        return [[*v] if type(v) is list else v for v in values]

    def _objects(
        self, name: str, values: Sequence[Any], kinds: set[type], start: int, waiting: Any,
        depth: int,
    ) -> None:  # fmt: skip
        if name in self.known.nested:
            child = self._child(name)
            if child.kept:
                rows = [start + i for i, v in enumerate(values) if type(v) is dict and v]
                waiting.append((child, [values[row - start] for row in rows], rows))
            return
        objects = _dicts(values, kinds)
        inner: set[str] = set().union(*objects)
        money = name in self.known.fields and self.known.fields[name].kind == "money"
        prefix = "" if name in self.known.hoist else f"{name}."
        if "amount" in inner <= _MONEY.keys() and (money or "currency_code" in inner):
            self._spread(name, objects, start, waiting, depth + 1, _MONEY)
        else:
            self._spread(prefix, objects, start, waiting, depth + 1)

    def _child(self, name: str) -> Columns:
        if name not in self.children:
            outer = f"{self.name}." if self.owner else ""
            full = (outer + name) or "unnamed"
            self.children[name] = Columns(TableFacts(), full, self, only=self._only)
        return self.children[name]

    def _write(self, name: str, values: Sequence[Any], kinds: set[type], start: int) -> None:
        column = self.columns.get(name)
        while column is not None and column.rows > start:
            # Two fields of one record come to the same name; both stay.
            name += "~"
            column = self.columns.get(name)
        if column is None:
            column = self.columns[name] = Column()
            if pa is not None and kinds == {str} and name not in self.known.json:
                self._texts.add(name)
        column.fill(start)
        column.extend(values, kinds)

    def _more_text(self, name: str, values: Sequence[Any], start: int) -> bool:
        """Append to a column of texts without a look at each type; False where one is none."""
        column = self.columns[name]
        if column.rows > start:
            return False
        try:
            chunk = pa.array(values, ARROW_TYPES[str])
        except (pa.ArrowTypeError, UnicodeEncodeError):
            return False
        column.fill(start)
        column.add_chunk(chunk, {str, NONE} if chunk.null_count else {str})
        return True


def _dicts(values: Sequence[Any], kinds: set[type]) -> Sequence[dict[str, Any]]:
    return values if kinds == {dict} else [v if type(v) is dict else _NOTHING for v in values]


def _unwrapped(values: Sequence[Any], kinds: set[type]) -> tuple[Sequence[Any], set[type]]:
    """A list in a live reply is an object with one key whose value is the list."""
    if kinds == {dict}:
        sizes = set(map(len, values))
        if 1 not in sizes:
            return values, kinds
        inner = [*chain.from_iterable(map(dict.values, values))] if len(sizes) == 1 else []
        if set(map(type, inner)) == {list}:
            return inner, {list}
    found = [unwrapped(v) for v in values]
    return found, set(map(type, found))


def unwrapped(value: Any) -> Any:
    """The list inside an object with one key whose value is a list; else the value itself."""
    if type(value) is dict and len(value) == 1:
        (inner,) = value.values()
        if type(inner) is list:
            return inner
    return value


def _decoded(value: Any) -> Any:
    if type(value) is str and value.lstrip()[:1] in ("{", "["):
        try:
            return parse_json(value)
        except (ValueError, RecursionError):
            return value
    return value


def _split(value: Any) -> Any:
    return [part for part in value.split(";") if part] if type(value) is str else value
