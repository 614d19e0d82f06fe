"""The pages that are there: where each is, and what it says of itself, in columns."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import NamedTuple

from .frontier import Facts

#: The largest total that fits beside the others.
_LARGEST = 2**63 - 1


class Kept(NamedTuple):
    """Where a page is: its file, where in it, how long, packed."""

    facts: Facts
    file: str
    offset: int
    length: int


class Held:
    """Pages by item and number; of two with one number the last that was put counts.

    Columns instead of an object a page: those of a pull of a million records are many.
    """

    def __init__(self) -> None:
        #: By item: its page numbers in order, and the place of each in the columns.
        self._items: dict[str, tuple[array[int], array[int]]] = {}
        self._files: dict[str, int] = {}
        self._names: list[str] = []
        self._counts, self._sizes = array("q"), array("q")  # rows, total; file, offset, length
        self._moments = array("d")
        #: Of the pages whose facts have more to say than rows, a total and a moment.
        self._whole: dict[int, Facts] = {}

    def __len__(self) -> int:
        return sum(len(numbers) for numbers, _ in self._items.values())

    def put(self, key: str, part: int, kept: Kept) -> None:
        place = len(self._moments)
        facts = kept.facts
        total = -1 if facts.total is None or not 0 <= facts.total <= _LARGEST else facts.total
        self._counts.extend((facts.rows, total))
        self._moments.append(facts.at)
        if facts != self._facts(place):
            self._whole[place] = facts
        if kept.file not in self._files:
            self._files[kept.file] = len(self._names)
            self._names.append(kept.file)
        self._sizes.extend((self._files[kept.file], kept.offset, kept.length))
        numbers, places = self._items.setdefault(key, (array("q"), array("q")))
        at = bisect_left(numbers, part)
        if at < len(numbers) and numbers[at] == part:
            places[at] = place
        else:
            numbers.insert(at, part)
            places.insert(at, place)

    def get(self, key: str, part: int) -> Kept:
        """Where a page is. Raises `KeyError` where it is not there."""
        numbers, places = self._items[key]
        at = bisect_left(numbers, part)
        if at == len(numbers) or numbers[at] != part:
            raise KeyError(part)
        place = places[at]
        file, offset, length = self._sizes[3 * place : 3 * place + 3]
        return Kept(self._facts(place), self._names[file], offset, length)

    def parts(self, key: str) -> tuple[int, ...]:
        """The numbers of an item's pages, in order."""
        return tuple(self._items[key][0]) if key in self._items else ()

    def facts(self) -> dict[str, dict[int, Facts]]:
        """What the pages say of themselves."""
        return {
            key: {part: self._facts(place) for part, place in zip(*columns, strict=True)}
            for key, columns in self._items.items()
        }

    def pop(self, key: str) -> tuple[int, ...]:
        """Forget an item; the numbers of the pages it had."""
        parts = self.parts(key)
        self._items.pop(key, None)
        return parts

    def _facts(self, place: int) -> Facts:
        whole = self._whole.get(place)
        if whole is not None:
            return whole
        rows, total = self._counts[2 * place : 2 * place + 2]
        return Facts(rows, None if total < 0 else total, "", self._moments[place])
