"""The affiliate view of a product and the methods that list such views; also a DS feed's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from .asked import Asked, words
from .detail import day
from .drawing import drawn, name_of
from .money import SELLER, currency
from .paging import Page, page
from .products import Product
from .verdicts import affiliate, empty, listed
from .world import Market

_SORTS = {
    "SALE_PRICE_ASC": ("price", "asc"), "SALE_PRICE_DESC": ("price", "desc"),
    "LAST_VOLUME_ASC": ("orders", "asc"), "LAST_VOLUME_DESC": ("orders", "desc"),
}  # fmt: skip
#: A tracking id of this text is refused with that code.
REFUSED_TRACKING = {
    "401": "This publisher is not registered",
    "402": "The request is not accepted",
    "403": "The tracking id may not be used",
    "404": "System Error",
}


def refused(asked: Asked) -> dict[str, Any] | None:
    """What the tracking id alone is refused with."""
    tracker = asked.text("tracking_id").strip()
    if tracker in REFUSED_TRACKING:
        return affiliate(int(tracker), REFUSED_TRACKING[tracker])
    return None


def product_query(asked: Asked) -> dict[str, Any]:
    """The products that match; a page past the last is empty, which answers 405."""
    return _queried(asked, asked.market.found(*_terms(asked)))


def hotproduct_query(asked: Asked) -> dict[str, Any]:
    """As `product_query`, of the products that sell well."""
    terms = _terms(asked)
    return _queried(asked, asked.market.kept(("hot", terms), lambda: _hot(asked, terms)))


def _hot(asked: Asked, terms: tuple[Any, ...]) -> Sequence[int]:
    hot = hot_places(asked)
    return [n for n in asked.market.found(*terms) if n in hot]


def hotproduct_download(asked: Asked) -> dict[str, Any]:
    """The hot products of one category; without totals, as documented."""
    terms = ("", frozenset(words(asked.text("category_id"))))
    found = asked.market.kept(("hot", terms), lambda: _hot(asked, terms))
    return _queried(asked, found, totals=False)


def smartmatch(asked: Asked) -> dict[str, Any]:
    """Products near a keyword or a product, in an order that the device decides."""
    like = asked.market.product(asked.number("product_id", -1))
    category = frozenset(like.path[1:2]) if like else frozenset()
    found = asked.market.found(asked.text("keywords"), category)
    device = asked.text("device_id")
    turn = drawn(f"device {device}", len(found)) if found else 0
    return _queried(asked, found, totals=False, turn=turn)


def productdetail_get(asked: Asked) -> dict[str, Any]:
    """The products with those ids, in that order; unknown ones are left out."""
    if no := refused(asked):
        return no
    ids = [int(text) for text in words(asked.text("product_ids"))[:50]
           if text.isascii() and text.isdigit() and len(text) < 19]  # fmt: skip
    country = asked.country("country")
    found = [p for number in ids if (p := asked.market.product(number)) and p.sold_to(country)]
    if not found:
        return empty()
    records = offers(asked, found, country)
    return listed("products", "product", records, current_record_count=len(records))


def hot_places(asked: Asked) -> frozenset[int]:
    """The places of the fifth of the market that sells best."""
    market = asked.market
    return market.kept("hot", lambda: _hottest(market))


def _hottest(market: Market) -> frozenset[int]:
    return frozenset(market.found("", frozenset(), ("orders", "desc"))[: -(-len(market) // 5)])


def _terms(asked: Asked) -> tuple[Any, ...]:
    low, high = (asked.number(f"{side}_sale_price", -1) for side in ("min", "max"))
    return (
        asked.text("keywords"),
        frozenset(words(asked.text("category_ids"))),
        _SORTS.get(asked.text("sort").strip().upper(), ("", "")),
        asked.money().code,
        max(low, 0),
        high if high >= 0 else 10**18,
    )


def _queried(
    asked: Asked, found: Sequence[int], *, totals: bool = True, turn: int = 0
) -> dict[str, Any]:
    if no := refused(asked):
        return no
    shown = page(asked, range(turn, turn + len(found)))
    country = asked.country("ship_to_country", asked.country("country"))
    if not shown.items and "empty_page" not in asked.faults:
        return empty()
    places = [found[n % len(found)] for n in shown.items]
    records = offers(asked, asked.market.picked(places), country)
    return paged("products", "product", records, shown, totals=totals)


def paged(
    name: str, key: str, records: list[Any], shown: Page[Any], *, totals: bool = True, **more: Any
) -> dict[str, Any]:
    """Records of one page with the figures that the affiliate family puts beside them."""
    figures = {"current_page_no": shown.number, "current_record_count": len(records), **more}
    if totals:
        figures |= {"total_page_no": shown.pages, "total_record_count": shown.total}
    return listed(name, key, records, **figures)


def offers(asked: Asked, products: list[Product], country: str) -> list[dict[str, Any]]:
    """The products' affiliate records, their links made for the caller's tracking id."""
    code, tracker = asked.money().code, asked.text("tracking_id")
    return [
        {
            **record(p, code),
            "promotion_link": link(f"{p.id} {tracker}"),
            "ship_to_days": f"Ship to {country} in {p.days} days",
        }
        for p in products
    ]


def link(what: str) -> str:
    return f"https://s.click.aliexpress.com/s/{name_of(what)}"


@lru_cache(maxsize=6000)
def record(p: Product, code: str) -> dict[str, Any]:
    """One affiliate record without what depends on who asks and where to."""
    made: dict[str, Any] = {
        "product_id": p.id, "sku_id": p.cheapest.id, "product_title": p.title,
        "product_detail_url": f"https://www.aliexpress.com/item/{p.id}.html",
        "product_video_url": (
            f"https://video.aliexpress-media.com/play/{p.spread}.mp4" if p.video else ""),
        "product_main_image_url": p.image(0), "product_small_image_urls": {"string": p.images},
        "first_level_category_id": int(p.path[0]), "first_level_category_name": p.sections[0],
        "second_level_category_id": int(p.path[1]), "second_level_category_name": p.sections[1],
        "shop_id": p.store_id, "shop_url": f"https://www.aliexpress.com/store/{p.store_id}",
        "shop_name": p.store_name, "discount": f"{p.discount}%", "lastest_volume": p.sales,
        "evaluate_rate": f"{p.rating / 10}%", "commission_rate": f"{p.commission / 10}%",
        "hot_product_commission_rate": "0.0%", "relevant_market_commission_rate": "0.0%",
        "tax_rate": "0.00", "platform_product_type": "ALL",
    }  # fmt: skip
    for prefix, unit in (("", SELLER), ("target_", currency(code))):
        listed_at, sale = map(unit.text, p.prices(unit))
        for name, price in (("original", listed_at), ("sale", sale), ("app_sale", sale)):
            made |= {f"{prefix}{name}_price": price, f"{prefix}{name}_price_currency": unit.code}
    if p.index % 6 == 2:
        made["ean_code"] = f"{2_000_000_000_000 + p.cheapest.id % 10**12}"
    if p.index % 4 == 3:
        made["promo_code_info"] = _promo(p)
    return made


def promo_code(p: Product) -> str:
    """The coupon of the product's store."""
    return f"STORE{p.store + 1}"


def _promo(p: Product) -> dict[str, Any]:
    return {
        "promo_code": promo_code(p), "code_campaigntype": "1", "code_value": "US $2 OFF $15",
        "code_availabletime_start": day(p.listed), "code_availabletime_end": day(4_102_444_800),
        "code_mini_spend": "15", "code_quantity": "1000",
        "code_promotionurl": f"https://www.aliexpress.com/store/{p.store_id}",
    }  # fmt: skip
