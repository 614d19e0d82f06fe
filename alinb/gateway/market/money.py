"""Currencies: whole US cents inside, text outside, never a float; fixed invented rates."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from .drawing import half_up


class Currency(NamedTuple):
    """How one currency is converted and written; `rate` is ten-thousandths of a unit per dollar."""

    code: str
    rate: int
    decimals: int
    symbol: str
    position: str = "front"
    thousands: str = ","
    point: str = "."

    def minor(self, cents: int) -> int:
        """US cents in this currency's smallest unit."""
        return half_up(cents * self.rate * 10**self.decimals, 1_000_000)

    def text(self, minor: int) -> str:
        """An amount of the smallest unit as replies write prices: `8.42`, but `842` for yen."""
        if not self.decimals:
            return str(minor)
        whole, rest = divmod(minor, 10**self.decimals)
        return f"{whole}.{rest:0{self.decimals}d}"

    def integer(self, minor: int) -> str:
        """The whole units with the thousands parted."""
        return f"{minor // 10**self.decimals:,}".replace(",", self.thousands)

    def shown(self, minor: int) -> str:
        """An amount as a person reads it: `$8.42`, `8,42€`."""
        number = self.integer(minor)
        if self.decimals:
            number += f"{self.point}{minor % 10**self.decimals:0{self.decimals}d}"
        return f"{self.symbol}{number}" if self.position == "front" else f"{number}{self.symbol}"


CURRENCIES = {
    money.code: money
    for money in (
        Currency("USD", 10_000, 2, "$"),
        Currency("EUR", 9_200, 2, "€", "end", " ", ","),
        Currency("GBP", 7_900, 2, "£"),
        Currency("BRL", 54_000, 2, "R$", "front", ".", ","),
        Currency("KRW", 13_800_000, 0, "₩"),
        Currency("JPY", 1_520_000, 0, "円", "end"),
        Currency("CNY", 72_000, 2, "CN¥"),
        Currency("PLN", 39_500, 2, "zł", "end", " ", ","),
    )
}
#: What sellers price in.
SELLER = CURRENCIES["CNY"]
DOLLAR = CURRENCIES["USD"]


@lru_cache(maxsize=64)
def currency(code: str) -> Currency:
    """A currency by its code in any case; one that is not known is worth a dollar."""
    known = code.strip().upper() or "USD"
    return CURRENCIES.get(known) or Currency(known, 10_000, 2, f"{known} ")
