"""Search by picture: no picture is looked at, its bytes decide what is found."""

from __future__ import annotations

import hashlib
from typing import Any

from .asked import Asked, document, member
from .drawing import drawn
from .money import currency
from .offers import _SORTS, offers
from .paging import part, total
from .products import KINDS, Product
from .search import rounded
from .verdicts import plain

V2 = "aliexpress.ds.image.searchV2"
_PAGE, _MOST = 10, 150


def search_v2(asked: Asked) -> dict[str, Any]:
    """Products like a picture, in the shape of the Search page of the reference.

    Each record also has the flat fields of the API reference, which disagrees with that page. The
    parameter that takes `next_start_row_key` is not documented; a member of that name is taken.
    """
    read = document(asked, V2, "param0")
    money = currency(member(read, "currency", "USD"))
    what = {"price": "price", "orders": "orders"}.get(member(read, "sort_type"), "")
    found = _like(asked, member(read, "image_base64"), (what, member(read, "sort_order", "asc")),
                  money.code)  # fmt: skip
    key = member(read, "next_start_row_key")
    start = int(key) if key.isascii() and key.isdigit() and len(key) < 10 else 0
    shown = asked.market.picked(part(asked, found, start, _PAGE))
    records = [_record(p, money.code, start + n) for n, p in enumerate(shown)]
    following = start + _PAGE
    result: dict[str, Any] = {
        "ret": True, "code": "200", "messages": "", "empty": not records,
        "data": {"products": records} if records else {}, "total_count": total(asked, len(found)),
        "pagination": {
            "has_next": following < len(found), "page_no": start // _PAGE + 1,
            "page_count": -(-len(found) // _PAGE), "page_size": _PAGE},
    }  # fmt: skip
    if following < len(found):
        result["next_start_row_key"] = str(following)
    return {"result": result}


def search(asked: Asked) -> dict[str, Any]:
    """The older method: the picture is a file part, which is never signed."""
    picture = asked.files.get("image_file_bytes", b"")
    name = hashlib.sha256(picture).hexdigest() if picture else asked.text("image_file_bytes")
    sort = _SORTS.get(asked.text("sort").strip().upper(), ("", ""))
    found = _like(asked, name, sort, asked.money().code)
    count = min(max(1, asked.number("product_cnt", 50)), _MOST)
    shown = asked.market.picked(part(asked, found, 0, count))
    records = offers(asked, shown, asked.country("shpt_to"))
    data = {
        "current_record_count": len(records), "total_record_count": total(asked, len(found)),
        "products": {"traffic_image_product_d_t_o": records} if records else {},
    }  # fmt: skip
    return {"data": data, **plain("200", "Call succeeds")}


def _like(asked: Asked, picture: str, sort: tuple[str, str], code: str) -> list[int]:
    """The places of the kind of product that a picture falls on."""
    kind = KINDS[drawn(f"picture {picture}", len(KINDS))].split("|")
    return list(asked.market.found("", frozenset({kind[1].split(",")[-1]}), sort, code))


def _record(p: Product, code: str, rank: int) -> dict[str, Any]:
    money = currency(code)
    listed, sale = map(money.text, p.prices(money))
    first, second = p.sections[:2]
    return {
        "product_id": str(p.id), "title": p.title, "image_url": p.image(0),
        "product_detail_url": f"https://www.aliexpress.com/item/{p.id}.html",
        "shop_id": p.store_id, "volume": rounded(p.sales), "discount": str(p.discount),
        "evaluate_rate": p.score, "similarity_score": f"{max(0.3, 0.967 - rank / 200):.3f}",
        "price": {"sale": {"value": sale, "currency": money.code},
                  "original": {"value": listed, "currency": money.code}},
        "category": {"first_level": {"id": p.path[0], "name": first},
                     "second_level": {"id": p.path[1], "name": second}},
        "product_title": p.title, "product_main_image_url": p.image(0), "ship_from": "CN",
        "target_sale_price": sale, "target_sale_price_currency": money.code,
        "target_original_price": listed, "target_original_price_currency": money.code,
        "first_level_category_id": p.path[0], "first_level_category_title": first,
        "second_level_category_id": p.path[1], "second_level_category_title": second,
        "latest_volume": rounded(p.sales),
    }  # fmt: skip
