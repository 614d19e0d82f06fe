"""Feeds of the dropshipping center: names, ids by cursor, products by page."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from .asked import Asked
from .drawing import name_of
from .offers import offers
from .paging import page, part, total
from .products import KINDS
from .verdicts import listed, plain
from .world import Market

_FEED_SORTS = {
    f"{name}{way.upper()}": (what, way)
    for name, what in (
        ("PRICE", "price"), ("SALEPRICE", "price"), ("VOLUME", "orders"), ("LASTVOLUME", "orders"),
    )
    for way in ("asc", "desc")
}  # fmt: skip
#: How long a `search_id` can be used, in s (DS reference: about a minute).
CURSOR_S = 60
#: The most ids in one reply; also what a size of 0, none or too many gives.
MOST_IDS = 200


@cache
def names() -> dict[str, str]:
    """The feeds: name and what is in them."""
    sections = dict.fromkeys(kind.split("|")[2] for kind in KINDS)
    best = {f"DS_{name.replace(' ', '')}_bestsellers": f"Best sellers: {name}" for name in sections}
    return {
        "DS bestseller": "The products that sell best",
        "DS_NewArrivals": "Products that were listed last",
        "DS_AllProducts": "Every product of this market",
        **best,
    }


def members(market: Market, feed: str, category: str = "") -> Sequence[int]:
    """The places of a feed's products; none for a name that is not a feed's."""
    if feed not in names():
        return ()
    return market.kept(("feed", feed, category), lambda: _members(market, feed, category))


def _members(market: Market, feed: str, category: str) -> Sequence[int]:
    every = market.found("", frozenset({category} - {""}), ("orders", "desc"))
    if feed == "DS_AllProducts":
        return market.found("", frozenset({category} - {""}))
    if feed == "DS bestseller":
        return [n for n in every if market.at(n).sales >= 100]
    if feed == "DS_NewArrivals":
        return sorted(every, key=lambda n: -market.at(n).listed)[: len(market) // 4]
    section = names()[feed].removeprefix("Best sellers: ")
    return [n for n in every if market.at(n).sections[0] == section]


def feedname_get(asked: Asked) -> dict[str, Any]:
    """All feeds with the number of products in each."""
    promos = [
        {"promo_name": name, "promo_desc": says, "product_num": len(members(asked.market, name))}
        for name, says in names().items()
    ]
    return listed("promos", "promo", promos, current_record_count=len(promos))


def itemids_get(asked: Asked) -> dict[str, Any]:
    """A part of a feed's ids and the `search_id` of the next; `total` counts those still to come.

    After the last part come replies with `products: {}` and a total of 0. That a stale or foreign
    `search_id` is refused, and with 402, is assumed.
    """
    feed, category = asked.text("feed_name"), asked.text("category_id")
    size = asked.number("page_size", MOST_IDS)
    size = size if 1 <= size <= MOST_IDS else MOST_IDS
    start = 0
    if cursor := asked.text("search_id"):
        read = _read(cursor, f"{asked.market.seed} {feed} {category}", asked.now)
        if read is None:
            return {"result": {}, "ret": False, **plain(402, "search_id is invalid or expired")}
        start = read
    found = members(asked.market, feed, category)
    ids = [asked.market.ids[n] for n in part(asked, found, start, size)]
    following = min(start + size, len(found))
    result = {
        "total": total(asked, len(found) - following) if start < len(found) else 0,
        "products": {"number": ids} if ids else {},
        "search_id": _cursor(f"{asked.market.seed} {feed} {category}", following, asked.now),
    }
    return {"result": result, "ret": True, **plain(200, "")}


def _cursor(feed: str, place: int, now: float) -> str:
    text = f"{name_of(feed)} {place} {now:.3f}"
    return base64.b64encode(zlib.compress(text.encode())).decode()


def _read(cursor: str, feed: str, now: float) -> int | None:
    """The place a cursor stands at; None for one that is stale, of another feed, or no cursor."""
    try:
        # A "+" that was not encoded arrives as a blank.
        packed = base64.b64decode(cursor.replace(" ", "+"), validate=True)
        opened = zlib.decompressobj()
        name, place, at = opened.decompress(packed, 200).decode().split(" ")
        fresh = abs(now - float(at)) <= CURSOR_S
        return max(0, int(place)) if fresh and name == name_of(feed) else None
    except (ValueError, binascii.Error, zlib.error):
        return None


def recommend_feed_get(asked: Asked) -> dict[str, Any]:
    """A page of a feed's products; an unknown feed is empty and no refusal."""
    feed, category = asked.text("feed_name"), asked.text("category_id")
    sort = _FEED_SORTS.get(asked.text("sort").strip().upper().replace("_", ""), ("", ""))
    found = members(asked.market, feed, category)
    if sort[0]:
        inside = frozenset(found)
        found = [n for n in asked.market.found("", frozenset(), sort, asked.money().code)
                 if n in inside]  # fmt: skip
    shown = page(asked, found)
    records = offers(asked, asked.market.picked(shown.items), asked.country("country"))
    result = {
        "current_page_no": shown.number, "current_record_count": len(records),
        "total_page_no": shown.pages, "total_record_count": shown.total,
        "is_finished": shown.ended,
        "products": {"traffic_product_d_t_o": records} if records else {},
    }  # fmt: skip
    return {"result": result, **plain(200, "Call succeeds")}
