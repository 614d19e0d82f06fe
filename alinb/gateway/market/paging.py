"""Pages by number and parts by cursor, with what can go wrong with them on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from .asked import Asked

T = TypeVar("T")

#: The largest page that clients get (a live maximum of ds.text.search is not documented).
LARGEST_PAGE = 50


class Page(NamedTuple, Generic[T]):
    """One page of records; `number` counts from 1, `total` is what the reply says there are."""

    items: Sequence[T]
    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        return -(-self.total // self.size)

    @property
    def ended(self) -> bool:
        return self.number >= self.pages


def page(
    asked: Asked,
    found: Sequence[T],
    *,
    number: str = "page_no",
    size: str = "page_size",
    usual: int = 20,
) -> Page[T]:
    """The page that the parameters of those names ask for; an unusable one counts as absent."""
    at = max(1, asked.number(number, 1))
    each = min(max(1, asked.number(size, usual)), LARGEST_PAGE)
    return Page(part(asked, found, (at - 1) * each, each), at, each, total(asked, len(found)))


def part(asked: Asked, found: Sequence[T], start: int, size: int) -> Sequence[T]:
    """So many records from a place on, or what a fault makes of them."""
    if "empty_page" in asked.faults:
        return ()
    if "duplicate_page" in asked.faults:
        start = max(0, start - size)
    return found[start : start + size]


def total(asked: Asked, true: int) -> int:
    """How many records there are; a moving total differs from each call to the next."""
    return true + 1 + asked.count % 7 if "moving_total" in asked.faults else true
