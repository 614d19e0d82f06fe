"""Bytes to DataFrame against `json.loads` and `pandas.json_normalize`, in one run."""

import gc
import hashlib
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pandas as pd

from alinb.frames import Table

from .figures import Figure, figure

ORDERS = "aliexpress.affiliate.order.list"
PRODUCTS = "aliexpress.affiliate.product.query"
DETAIL = "aliexpress.ds.product.get"


def digest(number: int) -> str:
    return hashlib.md5(str(number).encode()).hexdigest()


def _affiliate(name: str, kind: str, one: str, records: list[dict[str, Any]]) -> bytes:
    result = {"current_page_no": 1, "total_record_count": 5000, kind: {one: records}}
    inside = {"resp_code": 200, "resp_msg": "Call succeeds", "result": result}
    root = name.replace(".", "_") + "_response"
    return json.dumps({root: {"resp_result": inside, "request_id": "r"}}).encode()


def order(draw: random.Random) -> dict[str, Any]:
    """One affiliate order as the live method gives it, with invented values."""
    number = 8_000_000_000_000_000 + draw.randrange(10**12)
    day = f"2026-0{draw.randrange(1, 9)}-1{draw.randrange(9)} 0{draw.randrange(9)}:15:30"
    cents = draw.randrange(100, 99_999)
    return {
        "order_id": number, "order_number": number, "parent_order_number": number,
        "sub_order_id": number + 1, "order_status": "Payment Completed", "order_type": "global",
        "created_time": day, "paid_time": day, "finished_time": "",
        "completed_settlement_time": "", "paid_amount": cents, "finished_amount": cents,
        "estimated_paid_commission": cents // 14, "estimated_finished_commission": cents // 14,
        "commission_rate": "7.0%", "incentive_commission_rate": "0.0%",
        "estimated_incentive_paid_commission": 0, "estimated_incentive_finished_commission": 0,
        "new_buyer_bonus_commission": 0, "settled_currency": "USD", "is_new_buyer": "N",
        "is_hot_product": "N", "is_affiliate_product": "Y", "order_platform": "affiliate_platform",
        "effect_detail_status": "Buyer Paid", "category_id": draw.randrange(10**9),
        "product_id": 1_005_004_000_000_000 + draw.randrange(10**9), "product_count": 1,
        "product_title": f"An invented lamp number {number} for a desk, warm light, foldable arm",
        "product_detail_url": f"https://www.aliexpress.com/item/{number}.html",
        "product_main_image_url": f"https://ae01.alicdn.com/kf/S{digest(number)}.jpg",
        "ship_to_country": "US", "tracking_id": "default", "custom_parameters": "{}",
    }  # fmt: skip


def product(draw: random.Random) -> dict[str, Any]:
    """One affiliate product as the live method gives it, with invented values."""
    number = 1_005_004_000_000_000 + draw.randrange(10**9)
    picture = f"https://ae01.alicdn.com/kf/S{digest(number)}.jpg"
    record = {
        "product_id": number, "sku_id": 12_000_000_000_000_000 + draw.randrange(10**12),
        "product_title": f"An invented lamp number {number} for a desk, warm light, foldable arm",
        "product_detail_url": f"https://www.aliexpress.com/item/{number}.html",
        "promotion_link": f"https://s.click.aliexpress.com/s/{digest(number)}",
        "product_main_image_url": picture, "product_video_url": "",
        "product_small_image_urls": {"string": [picture] * 6},
        "first_level_category_id": 39, "first_level_category_name": "Lights & Lighting",
        "second_level_category_id": 1504, "second_level_category_name": "Indoor Lighting",
        "shop_id": draw.randrange(10**9), "shop_url": "https://www.aliexpress.com/store/1",
        "shop_name": "Invented Store", "discount": "50%", "lastest_volume": 459,
        "evaluate_rate": "97.2%", "commission_rate": "7.0%", "hot_product_commission_rate": "0.0%",
        "tax_rate": "0.00", "ship_to_days": "Ship to US in 13 days",
    }  # fmt: skip
    for money in ("sale", "original", "app_sale"):
        for prefix, unit in (("", "CNY"), ("target_", "USD")):
            price = f"{draw.randrange(100, 99_999) / 100:.2f}"
            record |= {f"{prefix}{money}_price": price, f"{prefix}{money}_price_currency": unit}
    return record


def detail(draw: random.Random, skus: int) -> bytes:
    """One product with its SKUs as the live method gives it, with invented values."""
    number = 1_005_004_000_000_000 + draw.randrange(10**9)
    inside = [
        {
            "sku_id": str(12_000_000_000_000_000 + number + n), "sku_attr": f"14:{n}#Color {n}",
            "id": f"14:{n}#Color {n}", "currency_code": "USD", "sku_price": f"{n + 5}.50",
            "offer_sale_price": f"{n + 3}.25", "offer_bulk_sale_price": f"{n + 3}.25",
            "sku_available_stock": draw.randrange(900), "price_include_tax": False,
            "ae_sku_property_dtos": {"ae_sku_property_d_t_o": [
                {"sku_property_id": 14, "sku_property_name": "Color", "property_value_id": n,
                 "sku_property_value": f"Color {n}", "property_value_definition_name": f"c {n}",
                 "sku_image": f"https://ae01.alicdn.com/kf/S{digest(n)}.jpg"}]},
        }
        for n in range(skus)
    ]  # fmt: skip
    base = {"product_id": number, "subject": "An invented lamp", "category_id": 39}
    result = {
        "ae_item_base_info_dto": base,
        "ae_item_sku_info_dtos": {"ae_item_sku_info_d_t_o": inside},
    }
    root = {"result": result, "rsp_code": 200, "rsp_msg": "Call succeeds", "request_id": "r"}
    return json.dumps({"aliexpress_ds_product_get_response": root}).encode()


def ours(bodies: list[bytes], name: str, table: str = "") -> pd.DataFrame:
    gathered = Table(name, only=[table] if table else ())
    for body in bodies:
        gathered.add(body)
    return gathered.frame(table)


def theirs(bodies: list[bytes], *path: str) -> pd.DataFrame:
    """The records of every page into one `json_normalize`, at its fastest."""
    records: list[Any] = []
    for body in bodies:
        found = json.loads(body)
        for step in path:
            found = found[step]
        records += found
    return pd.json_normalize(records)


def their_lines(bodies: list[bytes]) -> pd.DataFrame:
    """A row a SKU with the product's id, by `record_path` and `meta`.

    The id is put beside the list first: pandas 3.1 does not find nested `meta` under such a path.
    """
    products = []
    for body in bodies:
        result = json.loads(body)["aliexpress_ds_product_get_response"]["result"]
        inside = result["ae_item_sku_info_dtos"]["ae_item_sku_info_d_t_o"]
        products.append({"id": result["ae_item_base_info_dto"]["product_id"], "skus": inside})
    return pd.json_normalize(products, "skus", ["id"], meta_prefix="product_")


def ratios(mine: Callable[[], object], other: Callable[[], object], rounds: int) -> list[float]:
    """Ours over theirs in CPU time, the collector on, each side first as often as the other."""
    found = []
    for i in range(rounds):
        took = {}
        for work in (mine, other) if i % 2 else (other, mine):
            gc.collect()
            start = time.process_time()
            work()
            took[work] = time.process_time() - start
        found.append(took[mine] / took[other])
    return found


def measure(quick: bool) -> list[Figure]:
    draw = random.Random(5)
    pages, rounds = 100, 7 if quick else 15
    inside = ("resp_result", "result")
    orders = [
        _affiliate(ORDERS, "orders", "order", [order(draw) for _ in range(50)])
        for _ in range(pages)
    ]
    products = [
        _affiliate(PRODUCTS, "products", "product", [product(draw) for _ in range(50)])
        for _ in range(pages)
    ]
    details = [detail(draw, 12) for _ in range(pages * 5)]
    order_path = ("aliexpress_affiliate_order_list_response", *inside, "orders", "order")
    product_path = ("aliexpress_affiliate_product_query_response", *inside, "products", "product")
    assert len(ours(orders, ORDERS)) == len(theirs(orders, *order_path)) == pages * 50
    assert len(ours(details, DETAIL, "skus")) == len(their_lines(details)) == pages * 60
    cases = [
        ("known method", 2.2, lambda: ours(products, PRODUCTS),
         lambda: theirs(products, *product_path)),
        # Flat records are what json_normalize passes on as they are.
        ("known, flat", 1.8, lambda: ours(orders, ORDERS), lambda: theirs(orders, *order_path)),
        ("generic", 1.8, lambda: ours(products, "x.y"), lambda: theirs(products, *product_path)),
        ("generic, flat", 1.8, lambda: ours(orders, "x.y"), lambda: theirs(orders, *order_path)),
        ("a row a SKU", 4.0, lambda: ours(details, DETAIL, "skus"), lambda: their_lines(details)),
    ]  # fmt: skip
    return [
        figure(f"bytes to frame / json_normalize, {what}",
               ratios(mine, other, rounds), 1 / faster, "x")
        for what, faster, mine, other in cases
    ]  # fmt: skip
