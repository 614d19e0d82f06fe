"""Orders: those that were always there, worked out from who and when, and those callers place.

An account has an order about every three days, the affiliate program one about every three hours;
they are the same in every process, whatever its clock says, and live on a grid of slots so that
none needs to be kept. Only placed orders are held, the newest of them.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .asked import clamped
from .drawing import Draw, drawn, half_up
from .freight import Quote, quotes
from .money import DOLLAR, Currency
from .products import Product, Sku

if TYPE_CHECKING:
    from .world import Market

DAY_S = 86_400
#: How long an order key keeps a second order from being placed, in s (DS reference: 24 h).
IDEMPOTENT_S = DAY_S
_MOST_HELD = 10_000
_TAIL = 100_000


class Line(NamedTuple):
    """So many of one SKU of a product."""

    product: Product
    sku: Sku
    quantity: int


class Sale(NamedTuple):
    """One order of one store's products; `created` and `paid` are epoch s, `paid` None without."""

    id: int
    user: str
    created: float
    paid: float | None
    country: str
    money: Currency
    quote: Quote
    lines: tuple[Line, ...]
    placed: bool = False

    @property
    def canceled(self) -> bool:
        return not self.placed and self.id // _TAIL % 12 == 5

    @property
    def shipped(self) -> float:
        """When it is handed to the carrier, epoch s; never for one canceled or unpaid."""
        never = self.canceled or self.paid is None
        return math.inf if never else (self.paid or 0) + 1.5 * DAY_S

    @property
    def received(self) -> float:
        return self.shipped + self.quote.most * DAY_S

    @property
    def mail_number(self) -> str:
        """The tracking number, which ends in the order's."""
        return f"LP00{self.id}"

    def fee(self) -> int:
        return self.money.minor(self.quote.cents)

    def costs(self, line: Line) -> tuple[int, int, int]:
        """List price, sale price and share of the fee of one line, in the smallest unit."""
        listed, sale = line.product.prices(self.money, line.sku)
        fee = self.fee() if line is self.lines[0] else 0
        return listed * line.quantity, sale * line.quantity, fee

    def total(self) -> int:
        return sum(sum(self.costs(line)[1:]) for line in self.lines)


class Stream(NamedTuple):
    """A series of orders that were always there: one in each slot of time."""

    user: str
    first_id: int
    width_s: int
    slots: int


def account(user: str) -> Stream:
    """The orders of one account, going back 120 days."""
    return Stream(user, 8_190_000_000_000_000, 3 * DAY_S, 40)


#: The orders of other people that an affiliate's links led to, going back 400 days.
AFFILIATE = Stream("", 8_110_000_000_000_000, 3 * 3600, 3200)


def tail(user: str) -> int:
    """The last digits of every order of an account."""
    return drawn(f"buyer {user}", _TAIL)


def sale_in(market: Market, stream: Stream, slot: int) -> Sale | None:
    """The order of one slot, None in a market without products."""
    if not market.ids or slot < 0:
        return None
    draw = Draw(f"sale {market.seed} {stream.user} {stream.width_s} {slot}")
    created = slot * stream.width_s + draw.below(stream.width_s)
    p = market.any(draw.below(1 << 40))
    country = ("US", "FR", "BR", "DE", "GB", "KR")[draw.below(6)]
    sku = p.skus[draw.below(len(p.skus))]
    line = Line(p, sku, 1 + draw.below(3))
    buyer = stream.user or str(draw.below(1 << 40))
    number = stream.first_id + slot * _TAIL + tail(buyer)
    quote = quotes(p, country, line.quantity)[0]
    return Sale(number, buyer, created, created + 60, country, DOLLAR, quote, (line,))


def slots(stream: Stream, start: float, end: float, now: float) -> range:
    """The slots whose orders may lie between two moments and are not in the future."""
    newest = int(clamped(now) // stream.width_s)
    first = max(newest - stream.slots, int(clamped(start) // stream.width_s), 0)
    return range(first, min(newest, int(clamped(end) // stream.width_s)) + 1)


def between(market: Market, stream: Stream, start: float, end: float, now: float) -> Iterator[Sale]:
    """A stream's orders that were created from `start` to `end`, oldest first."""
    for slot in slots(stream, start, end, now):
        sale = market.sale(stream, slot)
        if sale and start <= sale.created <= min(end, now):
            yield sale


def find(market: Market, user: str, number: int, now: float) -> Sale | None:
    """An order of any account by its id, placed or always there; None for no order.

    The `user` of what is found may be another: that is for the caller to refuse.
    """
    if placed := market.book.get(number):
        return placed
    stream = account(user)
    slot, ending = divmod(number - stream.first_id, _TAIL)
    if ending != tail(user):
        return None
    return _always_there(market, stream, slot, now)


def promoted(market: Market, number: int, now: float) -> Sale | None:
    """The affiliate order with that id."""
    slot = (number - AFFILIATE.first_id) // _TAIL
    sale = _always_there(market, AFFILIATE, slot, now)
    return sale if sale and sale.id == number else None


def _always_there(market: Market, stream: Stream, slot: int, now: float) -> Sale | None:
    sale = market.sale(stream, slot) if slot in slots(stream, 0, now, now) else None
    return sale if sale and sale.created <= now else None


def is_order(number: int, now: float) -> bool:
    """Whether an id is that of an order of some account, whoever's."""
    stream = account("")
    return (number - stream.first_id) // _TAIL in slots(stream, 0, now, now)


class Book:
    """The orders that callers placed, the newest 10,000; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sales: OrderedDict[int, Sale] = OrderedDict()
        self._keys: OrderedDict[tuple[str, str], tuple[str, float, tuple[int, ...]]] = OrderedDict()
        self._serial = 0

    def get(self, number: int) -> Sale | None:
        return self._sales.get(number)

    def of(self, user: str) -> list[Sale]:
        """The orders that an account placed, oldest first."""
        with self._lock:
            return [sale for sale in self._sales.values() if sale.user == user]

    def place(
        self,
        user: str,
        key: str,
        content: str,
        now: float,
        make: Callable[[Callable[[], int]], Sequence[Sale]],
    ) -> tuple[int, ...] | None:
        """Place orders once: the ids, the earlier ones where the key came before with that content.

        None where the key came with other content within 24 h. `make` gets a source of order ids.
        """
        with self._lock:
            held = self._keys.get((user, key)) if key else None
            if held and abs(now - held[1]) < IDEMPOTENT_S:
                return held[2] if held[0] == content else None
            sales = make(lambda: self._next(user))
            for sale in sales:
                self._sales[sale.id] = sale
            ids = tuple(sale.id for sale in sales)
            if key:
                self._keys[user, key] = (content, now, ids)
                self._keys.move_to_end((user, key))
            for held_things in (self._sales, self._keys):
                while len(held_things) > _MOST_HELD:
                    held_things.popitem(last=False)
            return ids

    def _next(self, user: str) -> int:
        self._serial += 1
        return 8_195_000_000_000_000 + self._serial * _TAIL + tail(user)


def share(amount: int, per_mille: int) -> int:
    """A commission: so many thousandths of an amount, rounded half up."""
    return half_up(amount * per_mille, 1000)
