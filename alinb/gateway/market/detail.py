"""aliexpress.ds.product.get and its neighbors: everything about one product.

Shapes follow live payloads of `ds.product.get` and, for what those lack, the DS API reference;
`wholesale_price_tier` as the key of a list is inferred from its siblings.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from .asked import Asked, texts
from .drawing import Draw, as_json, half_up
from .money import SELLER, Currency
from .products import COLORS, Product, Sku

#: Ids that stand for a refusal: 1005000000000602 answers 602 and so on.
MAGIC = 1_005_000_000_000_000
_TEXTS = {
    404: "System Error",
    602: "Item is not allowed to this country",
    604: "All SKU Unsaleable",
    605: "ITEM_ID_NOT_FOUND",
}
#: Countries whose shown prices have the tax inside, and those that charge it at the border.
TAXED = frozenset(re.findall("..", "ATBEDEESFRITNLPLPTIESEFIDKCZGR"))
CHARGED = frozenset(["US", "BR", "MX"])


def product_get(asked: Asked) -> dict[str, Any]:
    """One product: SKU prices in the target currency, while the base info names the seller's."""
    return _answer(asked, wholesale=False)


def wholesale_get(asked: Asked) -> dict[str, Any]:
    """As `product_get`, with what wholesale buyers see; 604 where nothing is in stock."""
    return _answer(asked, wholesale=True)


def _answer(asked: Asked, *, wholesale: bool) -> dict[str, Any]:
    number = asked.number("product_id", -1)
    found = asked.market.product(number)
    country = asked.country("ship_to_country")
    if number - MAGIC in _TEXTS:
        return _refused(number - MAGIC)
    if found is None:
        return _refused(605)
    if not found.sold_to(country):
        return _refused(602)
    if wholesale and not any(sku.stock for sku in found.skus):
        return _refused(604)
    record = detail(found, asked.money(), country, wholesale=wholesale)
    return {"result": record, "rsp_code": 200, "rsp_msg": "Call succeeds"}


def _refused(code: int) -> dict[str, Any]:
    return {"rsp_code": code, "rsp_msg": _TEXTS[code]}


def specialinfo_get(asked: Asked) -> dict[str, Any]:
    """The certificates of a product, one for each country asked for and one of its own."""
    found = asked.market.product(asked.number("itemId", -1))
    if found is None:
        return {"result": {"ret": False, "code": "605", "err_message": _TEXTS[605]}}
    countries = texts(asked, "countryCodes")
    held = [{
        "key": f"certificate_{name.lower()}", "name": f"Declaration of conformity ({name})",
        "value": found.image(n), "value_type": "image",
    } for n, name in enumerate(countries[:5])]  # fmt: skip
    data = {"product_id": str(found.id), "item_qualification_list": {"item_qualification": held}}
    return {"result": {"ret": True, "code": "200", "err_message": "", "data": data}}


def detail(p: Product, money: Currency, country: str, *, wholesale: bool = False) -> dict[str, Any]:
    stars = [f"4.{3 + Draw(f'store {p.store_id} {n}').below(7)}" for n in range(3)]
    sku_record = [_sku(p, sku, money, country, wholesale=wholesale) for sku in p.skus]
    return {
        "ae_item_base_info_dto": _base(p, wholesale=wholesale),
        "ae_item_sku_info_dtos": {"ae_item_sku_info_d_t_o": sku_record},
        "ae_item_properties": {"ae_item_property": _attributes(p)},
        "ae_multimedia_info_dto": _media(p),
        "package_info_dto": {
            "package_length": 20, "package_width": 15, "package_height": 8, "package_type": False,
            "gross_weight": f"{p.weight / 1000:.3f}", "product_unit": 100000015, "base_unit": 1,
        },
        "logistics_info_dto": {"delivery_time": p.days, "ship_to_country": country},
        "ae_store_info": {
            "store_id": p.store_id, "store_name": p.store_name, "store_country_code": "CN",
            "communication_rating": stars[0], "item_as_described_rating": stars[1],
            "shipping_speed_rating": stars[2],
        },
        # On the .us site a product's id is 2**51 higher in every live pair seen.
        "product_id_converter_result": {
            "main_product_id": p.id, "sub_product_id": as_json({"US": p.id + 2**51}),
        },
        "manufacturer_info": {
            "name": f"{p.brand} Works", "address": f"{p.store + 1} Sandbox Road, Ningbo, China",
            "email": f"works{p.store + 1}@example.com", "country_name": "China",
            "phone_prefix": "86", "phone": f"1000000000{p.store + 1}",
        },
        "has_whole_sale": p.wholesale,
    }  # fmt: skip


def _base(p: Product, *, wholesale: bool) -> dict[str, Any]:
    pictures = [{"type": "image", "data": {"url": url}} for url in p.images]
    base: dict[str, Any] = {
        "product_id": p.id, "subject": p.title, "category_id": int(p.path[-1]),
        "category_sequence": ",".join(p.path), "currency_code": SELLER.code,
        "product_status_type": "onSelling", "sales_count": str(p.sales),
        "evaluation_count": str(p.reviews), "avg_evaluation_rating": p.score,
        "detail": f"<div><p>{p.title}</p></div>",
        "mobile_detail": as_json({"version": "2.0.0", "moduleList": pictures}),
        "owner_member_seq_long": 200_000_000 + p.store_id % 1_000_000,
        "gmt_create": day(p.listed), "gmt_modified": day(p.listed + 86_400 * 90),
    }  # fmt: skip
    if wholesale:
        return base | {"ws_display": "expire_offline", "ws_offline_date": day(4_102_444_800)}
    apart = p.index % 20 == 7
    base |= {"separated_listing": apart, "sl_product": apart}
    return base | ({"sl_related_product_id": p.id + 2**51} if apart else {})


def day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _attributes(p: Product) -> list[dict[str, Any]]:
    facts = (("Brand Name", 2, p.brand), ("Origin", 219, "Mainland China"))
    attributes: list[dict[str, Any]] = [
        {"attr_name": name, "attr_name_id": key, "attr_value": value, "attr_value_id": -1}
        for name, key, value in facts
    ]
    if p.index % 4 == 0:
        attributes.append({
            "attr_name": "Weight", "attr_name_id": 351, "attr_value": f"{p.weight} g",
            "attr_value_id": -1, "attr_value_unit": "g", "attr_value_start": str(p.weight - 10),
            "attr_value_end": str(p.weight + 10),
        })  # fmt: skip
    return attributes


def _media(p: Product) -> dict[str, Any]:
    media: dict[str, Any] = {"image_urls": ";".join(p.images)}
    if p.video:
        media["ae_video_dtos"] = {"ae_video_d_t_o": [{
            "media_id": 1_100_000_000_000 + p.spread, "media_type": "video",
            "media_status": "approved", "ali_member_id": p.store_id, "poster_url": p.image(0),
            "media_url": f"https://video.aliexpress-media.com/play/{p.spread}.mp4",
        }]}  # fmt: skip
    return media


def _sku(p: Product, sku: Sku, money: Currency, country: str, *, wholesale: bool) -> dict[str, Any]:
    listed, sale = p.prices(money, sku)
    record: dict[str, Any] = {
        "sku_id": str(sku.id), "id": sku.attr, "sku_attr": sku.attr, "currency_code": money.code,
        "sku_price": money.text(listed), "offer_sale_price": money.text(sale),
        "offer_bulk_sale_price": money.text(sale), "sku_available_stock": sku.stock,
        "price_include_tax": country in TAXED,
        "ae_sku_property_dtos": {"ae_sku_property_d_t_o": _choices(p, sku)},
    }  # fmt: skip
    if wholesale:
        record |= {"sku_stock": sku.stock > 0, "ipm_sku_stock": sku.stock, "sku_code": f"A{sku.id}"}
    if p.wholesale:
        record |= {
            "sku_bulk_order": 10, "offer_bulk_sale_price": money.text(half_up(sale * 95, 100)),
            "wholesale_price_tiers": {"wholesale_price_tier": _tiers(sale, money)},
        }  # fmt: skip
    if country in CHARGED:
        tax = money.text(half_up(sale * 8, 100))
        record |= {"tax_amount": tax, "tax_currency_code": money.code,
                   "estimated_import_charges": tax}  # fmt: skip
    if p.index % 6 == 2:
        code = f"{2_000_000_000_000 + sku.id % 10**12}"
        record |= {"ean_code": code, "barcode": code, "limit_strategy": "per_buyer",
                   "buy_amount_limit_set_by_promotion": "5",
                   "channel_discount_price": money.text(half_up(sale * 98, 100))}  # fmt: skip
    if p.index % 20 == 7 and not wholesale:
        record["sl_related_skuId"] = sku.id + 2**51
    return record


def _tiers(sale: int, money: Currency) -> list[dict[str, str]]:
    return [
        {"min_quantity": str(least), "discount": str(off),
         "wholesale_price": money.text(half_up(sale * (100 - off), 100))}
        for least, off in ((10, 5), (50, 10), (200, 15))
    ]  # fmt: skip


def _choices(p: Product, sku: Sku) -> list[dict[str, Any]]:
    number, color = sku.color
    chosen: list[dict[str, Any]] = [{
        "sku_property_id": 14, "sku_property_name": "Color", "property_value_id": number,
        "sku_property_value": color, "property_value_definition_name": color,
        "sku_image": p.image(COLORS.index(sku.color)),
    }]  # fmt: skip
    if sku.size:
        chosen.append({
            "sku_property_id": 5, "sku_property_name": "Size", "property_value_id": sku.size[0],
            "sku_property_value": sku.size[1],
        })  # fmt: skip
    return chosen
