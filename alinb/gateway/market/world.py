"""The market: thousands of products, the same for the same size and seed, made when first seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from copy import copy
from functools import lru_cache, partial
from typing import Any, TypeVar

from .drawing import Draw
from .money import Currency, currency
from .products import Product
from .sales import Book, sale_in

T = TypeVar("T")

_MOST_KEPT = 256
_ID_SPAN = 5 * 10**9
# Coprime to the span, so that successive products get scattered ids and never the same one twice.
_ID_STRIDE = 2_654_435_761


class Market:
    """A fixed set of products and what is ordered of them; safe to use from several threads.

    `ids` are the 16-digit product ids in market order; `book` holds the orders that callers
    placed, all else is worked out anew and changes by `discount` alone, which `edition` counts.
    Titles are the same in every language. Records that the methods hand out may be shared between
    replies: read them, do not change them.
    """

    def __init__(self, products: int = 5000, seed: int = 1) -> None:
        start = Draw(f"catalogue {seed}").below(_ID_SPAN)
        self.seed = seed
        self._spreads = [(n * _ID_STRIDE + start) % _ID_SPAN for n in range(products)]
        self.ids: tuple[int, ...] = tuple(1_005_004_000_000_000 + n for n in self._spreads)
        self._places = {number: n for n, number in enumerate(self.ids)}
        self._made: list[Product | None] = [None] * products
        self._casefolded: list[str] = []
        self._before: dict[int, Product] = {}
        self._changing = threading.Lock()
        self.book = Book()
        self.edition = 0
        self.sale = lru_cache(maxsize=4096)(partial(sale_in, self))
        self._matching = lru_cache(maxsize=64)(self._match)
        self._forget()

    def _forget(self) -> None:
        # New ones, not the old ones emptied: what is being worked out now lands in the old ones.
        self._kept: dict[Hashable, Any] = {}
        self.found = lru_cache(maxsize=128)(self._found)
        self._sale_prices = lru_cache(maxsize=16)(self._price)
        self._ordered = lru_cache(maxsize=64)(self._order)

    def __len__(self) -> int:
        return len(self.ids)

    def at(self, place: int) -> Product:
        made = self._made[place]
        if made is None:
            made = self._made[place] = Product(place, self._spreads[place])
        return made

    def product(self, number: int) -> Product | None:
        """The product with that id, None where there is none."""
        place = self._places.get(number)
        return None if place is None else self.at(place)

    def any(self, chance: int) -> Product:
        """The product that a drawn number falls on, at its first price; not of an empty market."""
        place = chance % len(self.ids)
        return self._before.get(place) or self.at(place)

    def discount(self, number: int, percent: int) -> bool:
        """Take so many percent off a product's list prices; whether there is that product.

        What was ordered keeps its price: an order holds the product as it was.
        """
        with self._changing:
            product = self.product(number)
            if product is None:
                return False
            other = copy(product)
            other.discount = percent
            self._before.setdefault(product.index, product)
            self._made[product.index] = other
            self._forget()
            self.edition += 1
            return True

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once; forgotten when too much is kept."""
        held = self._kept
        if key not in held:
            if len(held) >= _MOST_KEPT:
                held.clear()
            held[key] = make()
        kept: T = held.get(key) or make()
        return kept

    def picked(self, places: Sequence[int]) -> list[Product]:
        return [self.at(n) for n in places]

    @property
    def everything(self) -> list[Product]:
        return [self.at(n) for n in range(len(self.ids))]

    def _found(
        self,
        keywords: str = "",
        categories: frozenset[str] = frozenset(),
        sort: tuple[str, str] = ("", ""),
        code: str = "USD",
        low: int = 0,
        high: int = 10**18,
    ) -> Sequence[int]:
        """The places of the products with every word, under one of the categories, in order.

        A category is any id on a product's path. `sort` is what (price, orders, comments) and asc
        or desc; anything else keeps market order. Price bounds are inclusive, in the smallest unit
        of the currency: cents, but whole yen or won.
        """
        money = currency(code)
        places: Sequence[int] = self._ordered(sort, money)
        if words := tuple(keywords.casefold().replace(",", " ").split()):
            matching = self._matching(words)
            places = [n for n in places if matching[n]]
        if low > 0 or high < 10**18:
            prices = self._sale_prices(money)
            places = [n for n in places if low <= prices[n] <= high]
        if categories:
            places = [n for n in places if not categories.isdisjoint(self.at(n).path)]
        return places

    def _match(self, words: tuple[str, ...]) -> bytearray:
        titles, places = self._titles(), list(range(len(self.ids)))
        for word in words:
            places = [n for n in places if word in titles[n]]
        # A byte a product: a set of thousands would weigh a hundred times as much.
        matching = bytearray(len(titles))
        for n in places:
            matching[n] = 1
        return matching

    def _titles(self) -> list[str]:
        if len(self._casefolded) < len(self.ids):
            self._casefolded = [product.title.casefold() for product in self.everything]
        return self._casefolded

    def _price(self, money: Currency) -> list[int]:
        return [product.prices(money)[1] for product in self.everything]

    def _order(self, sort: tuple[str, str], money: Currency) -> Sequence[int]:
        what, way = sort
        every = range(len(self.ids))
        down = way == "desc"
        if what == "price":
            return sorted(every, key=self._sale_prices(money).__getitem__, reverse=down)
        if what == "orders":
            return sorted(every, key=lambda n: self.at(n).sales, reverse=down)
        if what == "comments":
            return sorted(every, key=lambda n: self.at(n).reviews, reverse=down)
        return every
