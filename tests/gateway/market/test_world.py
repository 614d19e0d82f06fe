"""The market: made quickly, and its odd products are there to be met."""

import time

from alinb.gateway.market import Market
from alinb.gateway.market.products import CLOSED


def seconds(size: int) -> float:
    start = time.process_time()
    market = Market(size)
    assert market.product(market.ids[-1]) is not None
    return time.process_time() - start


def test_a_market_is_made_when_it_is_looked_at() -> None:
    assert min(seconds(5000) for _ in range(3)) < 0.1

    def look() -> float:
        market = Market(5000)
        start = time.process_time()
        assert len(market.found("lamp")) == 417
        return time.process_time() - start

    assert min(look() for _ in range(3)) < 0.5


def test_five_thousand_is_what_a_market_has() -> None:
    assert len(Market()) == 5000
    assert Market().ids[:240] == Market(240).ids


def test_some_products_are_sold_out_some_not_sold_everywhere() -> None:
    market = Market(1000)
    sold_out = [p for p in market.everything if not any(sku.stock for sku in p.skus)]
    barred = [p for p in market.everything if p.barred]
    assert (len(sold_out), len(barred)) == (10, 25)
    assert all(not p.sold_to(p.barred) and p.sold_to("US") for p in barred)
    assert not any(p.sold_to(country) for p in market.everything for country in CLOSED)
    assert {p.video for p in market.everything} == {p.wholesale for p in market.everything}


def test_what_is_kept_is_made_once_and_bounded() -> None:
    market, made = Market(1), []
    for n in (1, 1, 2, *range(1000), 999):
        market.kept(n, lambda: made.append(1) or "x")
    assert len(made) == 1000
    assert len(market._kept) <= 256
