"""The rest of the affiliate methods: featured promotions, links, shipping and SKU details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from .asked import Asked, document, member, words
from .drawing import as_json
from .freight import quotes
from .money import Currency
from .offers import _SORTS, hot_places, link, offers, paged, refused
from .paging import page
from .products import Product, Sku
from .verdicts import empty, listed, sku_detail

#: Featured promotions and what is in them.
PROMOTIONS: Mapping[str, str] = {
    "Hot Product": "The products that sell best",
    "Weekly Deals": "Half the price or less",
    "New Arrivals": "Products that were listed last",
}
_MOST_LINKS, _MOST_SKUS = 50, 20


def featuredpromo_get(asked: Asked) -> dict[str, Any]:
    """The promotions with the number of products in each."""
    promos = [
        {"promo_name": name, "promo_desc": says, "product_num": len(_promoted(asked, name))}
        for name, says in PROMOTIONS.items()
    ]
    return listed("promos", "promo", promos, current_record_count=len(promos))


def featuredpromo_products_get(asked: Asked) -> dict[str, Any]:
    """A page of a promotion's products, of all of them where none is named."""
    if no := refused(asked):
        return no
    name = asked.text("promotion_name")
    inside = frozenset(_promoted(asked, name))
    sort = _SORTS.get(asked.text("sort").strip().upper(), ("", ""))
    category = frozenset(words(asked.text("category_id")))
    found = asked.market.found("", category, sort, asked.money().code)
    shown = page(asked, [n for n in found if n in inside])
    if not shown.items and "empty_page" not in asked.faults:
        return empty()
    records = offers(asked, asked.market.picked(shown.items), asked.country("country"))
    return paged("products", "product", records, shown, is_finished=shown.ended)


def _promoted(asked: Asked, name: str) -> Sequence[int]:
    market = asked.market
    if name == "Hot Product":
        return sorted(hot_places(asked))
    if name in ("", *PROMOTIONS):
        return market.kept(
            ("promotion", name),
            lambda: [n for n in range(len(market)) if not name or _fits(market.at(n), name)],
        )
    return ()


def _fits(p: Product, name: str) -> bool:
    return p.discount >= 50 if name == "Weekly Deals" else p.listed > 1_735_689_600


def link_generate(asked: Asked) -> dict[str, Any]:
    """A promotion link for each source link, up to 50; one that is no product's gets a message."""
    if no := refused(asked):
        return no
    tracker, kind = asked.text("tracking_id"), asked.text("promotion_link_type")
    records = []
    for source in words(asked.text("source_values"))[:_MOST_LINKS]:
        if _ours(source):
            made = link(f"{source} {tracker} {kind}")
            records.append({"source_value": source, "promotion_link": made})
        else:
            said = "The link is not a page of AliExpress"
            records.append({"source_value": source, "message": said})
    figures = {"total_result_count": len(records), "tracking_id": tracker}
    return listed("promotion_links", "promotion_link", records, **figures)


def _ours(source: str) -> bool:
    try:
        host = urlsplit(source if "//" in source else f"//{source}").hostname or ""
    except ValueError:
        return False
    return host == "aliexpress.com" or host.endswith((".aliexpress.com", ".aliexpress.us"))


def product_shipping_get(asked: Asked) -> dict[str, Any]:
    """The cheapest way to send one SKU; the fee is in the currency asked for."""
    p = asked.market.product(asked.number("product_id", -1))
    sku = p.sku(asked.text("sku_id")) if p else None
    country, money = asked.country("ship_to_country"), asked.money()
    offered = quotes(p, country, 1) if p and sku else []
    if not offered:
        return empty()
    quote = offered[0]
    result = {
        "delivery_days": f"{quote.least}-{quote.most}", "min_delivery_days": str(quote.least),
        "max_delivery_days": str(quote.most), "ship_from_country": "CN",
        "shipping_fee": money.text(money.minor(quote.cents)),
    }  # fmt: skip
    return {"resp_result": {"resp_code": 200, "resp_msg": "Call succeeds", "result": result}}


def sku_detail_get(asked: Asked) -> dict[str, Any]:
    """One product and its SKUs, those of `sku_ids` alone where given; 405 where none is left.

    The SKUs stand at `ae_item_sku_info.traffic_sku_info_list`, as independent clients found live.
    """
    p = asked.market.product(asked.number("product_id", -1))
    country, money = asked.country("ship_to_country"), asked.money()
    wanted = words(asked.text("sku_ids"))[:_MOST_SKUS]
    skus = [sku for sku in p.skus if not wanted or str(sku.id) in wanted] if p else []
    if p is None or not skus or not p.sold_to(country):
        return sku_detail(405, "")
    delivery = asked.text("need_deliver_info").strip().casefold() in ("yes", "true")
    records = [_sku(p, sku, money, country, delivery) for sku in skus]
    found = {
        "ae_item_info": _item(p),
        "ae_item_sku_info": {"traffic_sku_info_list": records},
    }
    return {"result": {"code": 200, "success": True, "result": found}}


def _item(p: Product) -> dict[str, Any]:
    levels: dict[str, Any] = {}
    for level, (number, name) in enumerate(zip(p.path, p.sections, strict=True), 1):
        levels |= {f"display_category_id_l{level}": int(number),
                   f"display_category_name_l{level}": name}  # fmt: skip
    deepest = {
        "display_category_id_l4": int(p.path[-1]),
        "display_category_name_l4": p.sections[-1],
    }
    return levels | deepest | {
        "product_id": str(p.id), "title": p.title, "en_title": p.title, "brand": p.brand,
        "store_name": p.store_name, "order_number": str(p.sales), "review_number": str(p.reviews),
        "product_score": p.score, "product_category": " > ".join(p.sections), "condition": "New",
        "gender": "unisex", "age_group": "adult", "image_link": p.image(0),
        "image_white": p.image(1), "additional_image_links": {"string": p.images[1:]},
        "original_link": f"https://www.aliexpress.com/item/{p.id}.html",
    }  # fmt: skip


def _sku(p: Product, sku: Sku, money: Currency, country: str, delivery: bool) -> dict[str, Any]:
    listed_at, sale = p.prices(money, sku)
    record: dict[str, Any] = {
        "sku_id": sku.id, "color": sku.color[1], "size": sku.size[1] if sku.size else "",
        "currency": money.code, "price_with_tax": money.text(listed_at), "tax_rate": "0.00",
        "sale_price_with_tax": money.text(sale), "discount_rate": f"{p.discount}%",
        "link": link(f"{p.id} {sku.id}"), "sku_image_link": p.image(0),
        "ean_code": f"{2_000_000_000_000 + sku.id % 10**12}",
        "sku_properties": as_json([sku.words]),
    }  # fmt: skip
    if delivery:
        quote = quotes(p, country, 1)[0]
        record |= {
            "shipping_fees": money.text(money.minor(quote.cents)), "ship_from_country": "CN",
            "delivery_days": f"{quote.least}-{quote.most}", "min_delivery_days": str(quote.least),
            "max_delivery_days": str(quote.most),
        }  # fmt: skip
    return record


LICENSE = "/aliexpress/xinghe/merchant/license/get"


def license_get(asked: Asked) -> dict[str, Any]:
    """A seller's license as a file; the content is a line of text in base64."""
    import base64

    seller = member(document(asked, LICENSE, "param0"), "sellerAdminSeq")
    text = f"Business license of seller {seller}, made up by a sandbox".encode()
    data = {"file_name": f"license-{seller}.txt", "content": base64.b64encode(text).decode()}
    result = {
        "success": True, "retry_able": False, "result_code": "200", "result_message": "success",
        "data": data,
    }  # fmt: skip
    return {"result": result, "code": "0"}
