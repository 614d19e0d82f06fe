"""The values of one column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .arrow import pa

NONE = type(None)
PLAIN = frozenset({str, int, float, bool, NONE})
ARROW_TYPES: dict[type, Any] = (
    {} if pa is None
    else {str: pa.large_string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
)  # fmt: skip


class Column:
    """The values of one column, a chunk for each `extend`; rows missing at its end are None.

    A chunk of one plain type is an Arrow array where pyarrow is there: that frees the texts of a
    page while they are still in the cache, and takes a third of the memory. Others are lists.
    """

    __slots__ = ("chunks", "rows", "types")

    def __init__(self) -> None:
        self.chunks: list[Any] = []
        self.types: set[type] = set()
        self.rows = 0

    def extend(self, values: Sequence[Any], kinds: set[type]) -> None:
        self.add_chunk(_chunk(values, kinds - {NONE}), kinds)

    def add_chunk(self, chunk: Any, kinds: set[type]) -> None:
        self.chunks.append(chunk)
        self.types |= kinds
        self.rows += len(chunk)

    def fill(self, rows: int) -> None:
        missing = rows - self.rows
        if missing > 0:
            self.add_chunk([None] * missing if pa is None else pa.nulls(missing), {NONE})

    @property
    def values(self) -> list[Any]:
        """All values as Python objects."""
        found: list[Any] = []
        for chunk in self.chunks:
            found += chunk if type(chunk) is list else chunk.to_pylist()
        return found

    @property
    def arrow(self) -> Any:
        """All values as one Arrow array, None where they are not of one plain type.

        Where every value is missing it is an array of texts.
        """
        kinds = self.types - {NONE}
        if pa is None or len(kinds) > 1 or any(type(chunk) is list for chunk in self.chunks):
            return None
        kind = ARROW_TYPES[next(iter(kinds), str)]
        return pa.chunked_array(
            [c if c.type == kind else pa.nulls(len(c), kind) for c in self.chunks], kind
        )


def _chunk(values: Sequence[Any], kinds: set[type]) -> Any:
    if pa is not None and len(kinds) <= 1:
        try:
            if not kinds:
                return pa.nulls(len(values))
            if (kind := ARROW_TYPES.get(next(iter(kinds)))) is not None:
                return pa.array(values, kind)
        except (OverflowError, UnicodeEncodeError, pa.ArrowInvalid):
            pass  # more than 64 bits, half of a surrogate pair
    return [*values]
