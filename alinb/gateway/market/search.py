"""aliexpress.ds.text.search, in the shape of a live payload."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from .asked import Asked, number, unmapped
from .drawing import as_json
from .money import SELLER, Currency, currency
from .paging import page
from .products import Product

_SORTS = {
    f"{name},{way}": (what, way)
    for name, what in (("min_price", "price"), ("orders", "orders"), ("comments", "comments"))
    for way in ("asc", "desc")
}
#: What the search fails with, as a keyword or by what is wrong with the request.
FAILURES = ("EXCEPTION_TEXT_SEARCH_FOR_DS", "NGSELECTION_SEARCH_ERROR")


def text_search(asked: Asked) -> dict[str, Any]:
    """The products with every word of `keyWord`; an empty page has `products: {}`."""
    sort, keywords = asked.text("sortBy"), asked.text("keyWord")
    if sort and sort not in _SORTS:
        return {"code": FAILURES[0], "msg": f"unsupported sortBy: {sort}"}
    if keywords.strip() in FAILURES:
        return {"code": keywords.strip(), "msg": "search engine failed"}
    category, money = asked.text("categoryId"), asked.money("currency")
    low, high, closed = _bounds(asked)
    found = asked.market.found(
        keywords, frozenset({category} - {""}), _SORTS.get(sort, ("", "")), money.code, low, high
    )
    country = asked.country("countryCode")
    shown = page(asked, () if closed else found, number="pageIndex", size="pageSize")
    records = [record(p, money.code, country) for p in asked.market.picked(shown.items)]
    data = {
        "pageIndex": shown.number, "pageSize": shown.size, "totalCount": shown.total,
        "products": {"selection_search_product": records} if records else {},
    }  # fmt: skip
    return {"code": "00", "data": data}


def _bounds(asked: Asked) -> tuple[int, int, bool]:
    """Price bounds of `searchExtend`, and whether a country filter leaves nothing.

    Keys seen in clients are taken; those that would need facts no product here has change nothing.
    """
    text = asked.text("searchExtend")
    low, high, closed = 0, 10**18, False
    try:
        read = json.loads(text) if text else []
    except (ValueError, RecursionError):
        unmapped("searchExtend")
    for each in read if isinstance(read, list) else [read]:
        if not isinstance(each, dict):
            unmapped("searchExtend")
        if each.get("searchKey") in ("price", "sale_price"):
            low, high = number(str(each.get("min")), 0), number(str(each.get("max")), 10**18)
        elif each.get("searchKey") == "ship_from":
            closed = str(each.get("searchValue")).upper() not in ("", "CN", "NONE")
    return low, high, closed


@lru_cache(maxsize=6000)
def record(p: Product, code: str, country: str) -> dict[str, Any]:
    """One hit; `target…` prices are in the currency asked for, the others in the seller's."""
    money: Currency = currency(code)
    (listed, sale), (seller_listed, seller_sale) = p.prices(money), p.prices(SELLER)
    shown, decimals = money.shown(sale), 10**money.decimals
    query = f"skuId={p.cheapest.id}&pdp_ext_f=%7B%22sku_id%22%3A%22{p.cheapest.id}%22%7D"
    made = {
        "itemId": str(p.id), "title": p.title, "type": "search", "cateId": ",".join(p.path),
        "itemMainPic": p.image(0), "itemUrl": f"//www.aliexpress.com/item/{p.id}.html?{query}",
        "originalPrice": SELLER.text(seller_listed), "originalPriceCurrency": SELLER.code,
        "salePrice": SELLER.text(seller_sale), "salePriceCurrency": SELLER.code,
        "targetOriginalPrice": money.text(listed), "targetOriginalPriceCurrency": money.code,
        "targetSalePrice": money.text(sale), "salePriceFormat": shown,
        "discount": f"{p.discount}%", "score": p.score, "evaluateRate": f"{p.rating / 10}",
        "orders": rounded(p.sales),
        "originMinPrice": as_json({
            "thousandsChar": money.thousands, "shipToCountry": country, "cent": sale,
            "decimalPointChar": money.point, "currencySymbolPosition": money.position,
            "currencySymbol": money.symbol, "showDecimal": True,
            "decimalStr": f"{sale % decimals:0{money.decimals}d}" if money.decimals else "",
            "currencyCode": money.code, "version": "V1", "formatPrice": shown,
            "integerStr": money.integer(sale),
        }),
    }  # fmt: skip
    if p.video:
        made["productVideoUrl"] = f"https://video.aliexpress-media.com/play/{p.spread}.mp4"
    if p.discount:
        made["originalPriceFormat"] = money.shown(listed)
    return made


def rounded(sales: int) -> str:
    """A count of sales as pages show it: `7`, `400+`, `5,000+`."""
    magnitude = 10 ** (len(str(sales)) - 1)
    return str(sales) if sales < 10 else f"{sales // magnitude * magnitude:,}+"
