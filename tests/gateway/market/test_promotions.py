"""Links, featured promotions, shipping and SKU details of the affiliate program."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from alinb.gateway.market.provoked import in_stock
from alinb.gateway.methods import Market
from alinb.gateway.refusals import Refusal

Answer = Callable[..., dict[str, Any]]
LINK, LICENSE = "aliexpress.affiliate.link.generate", "/aliexpress/xinghe/merchant/license/get"
SKU = "aliexpress.affiliate.product.sku.detail.get"
WHERE = {"ship_to_country": "US", "target_currency": "USD", "target_language": "EN"}


def links(answer: Answer, sources: str, tracking: str = "mine") -> list[dict[str, str]]:
    params = {"promotion_link_type": "0", "source_values": sources, "tracking_id": tracking}
    result = answer(LINK, params)["resp_result"]["result"]
    found: list[dict[str, str]] = result["promotion_links"]["promotion_link"]
    assert (result["total_result_count"], result["tracking_id"]) == (len(found), tracking)
    return found


@pytest.mark.parametrize(
    ("source", "taken"),
    [
        ("https://www.aliexpress.com/item/1005.html", True), ("aliexpress.com/item/1.html", True),
        ("https://pt.aliexpress.com/", True), ("https://www.aliexpress.us/item/3256.html", True),
        ("https://example.com/item/1.html", False), ("https://evil-aliexpress.com/", False),
        ("https://aliexpress.com.example.com/", False), ("http://[", False), ("word", False),
    ],
)  # fmt: skip
def test_a_link_is_made_for_pages_of_the_shop_alone(
    answer: Answer, source: str, taken: bool
) -> None:
    (made,) = links(answer, source)
    assert made["source_value"] == source
    assert ("promotion_link" in made, "message" in made) == (taken, not taken)


def test_links_differ_by_source_and_tracking_id_and_are_fifty_at_most(answer: Answer) -> None:
    sources = ",".join(f"https://www.aliexpress.com/item/{n}.html" for n in range(60))
    mine, yours = links(answer, sources), links(answer, sources, "yours")
    assert len(mine) == 50
    assert len({each["promotion_link"] for each in [*mine, *yours]}) == 100
    assert links(answer, sources) == mine


def test_featured_promotions_hold_what_they_announce(answer: Answer, market: Market) -> None:
    promos = answer("aliexpress.affiliate.featuredpromo.get")["resp_result"]["result"]["promos"]
    assert len(promos["promo"]) == 3
    for promo in promos["promo"]:
        params = {"promotion_name": promo["promo_name"], "page_size": "50"}
        name = "aliexpress.affiliate.featuredpromo.products.get"
        result = answer(name, params)["resp_result"]["result"]
        assert result["total_record_count"] == promo["product_num"] > 0
        last = answer(name, {**params, "page_no": str(result["total_page_no"])})["resp_result"]
        assert last["result"]["is_finished"] is True
        assert result["is_finished"] is (result["total_page_no"] == 1)
    deals = answer(name, {"promotion_name": "Weekly Deals", "sort": "SALE_PRICE_ASC"})
    rows = deals["resp_result"]["result"]["products"]["product"]
    assert all(int(row["discount"].rstrip("%")) >= 50 for row in rows)
    prices = [float(row["target_sale_price"]) for row in rows]
    assert prices == sorted(prices)
    assert answer(name, {"promotion_name": "None"})["resp_result"]["resp_code"] == 405


def test_sku_details_can_be_narrowed_and_have_delivery_on_request(
    answer: Answer, market: Market
) -> None:
    p = in_stock(market)
    params = {**WHERE, "product_id": str(p.id)}
    every = answer(SKU, params)["result"]["result"]["ae_item_sku_info"]["traffic_sku_info_list"]
    assert [row["sku_id"] for row in every] == [sku.id for sku in p.skus]
    assert "shipping_fees" not in every[0]
    params |= {"sku_ids": str(p.skus[1].id), "need_deliver_info": "Yes"}
    (row,) = answer(SKU, params)["result"]["result"]["ae_item_sku_info"]["traffic_sku_info_list"]
    assert row["sku_id"] == p.skus[1].id
    name = "aliexpress.affiliate.product.shipping.get"
    asked = {**params, "sku_id": row["sku_id"], "target_sale_price": "1", "tax_rate": "0"}
    shipping = answer(name, {key: str(value) for key, value in asked.items()})["resp_result"]
    assert shipping["result"]["shipping_fee"] == row["shipping_fees"]
    assert shipping["result"]["delivery_days"] == row["delivery_days"]
    for changed in ({"sku_ids": "1"}, {"product_id": "1"}, {"ship_to_country": "KP"}):
        refused = answer(SKU, {**params, **changed})["result"]
        assert refused == {"code": 405, "success": False}


def test_a_license_is_a_file_of_the_seller_asked_for(answer: Answer) -> None:
    said = answer(LICENSE, {"param0": json.dumps({"sellerAdminSeq": 2001})})
    assert said["code"] == "0"
    assert b"seller 2001" in base64.b64decode(said["result"]["data"]["content"])
    with pytest.raises(Refusal) as refused:
        answer(LICENSE, {"param0": '{"channel": "x"}'})
    assert (refused.value.code, refused.value.parameter) == ("MissingParameter", "sellerAdminSeq")


def test_hot_products_are_the_fifth_that_sells_best(answer: Answer, market: Market) -> None:
    params = {"page_size": "50", "sort": "LAST_VOLUME_DESC"}
    result = answer("aliexpress.affiliate.hotproduct.query", params)["resp_result"]["result"]
    assert result["total_record_count"] == 48
    sold = [row["lastest_volume"] for row in result["products"]["product"]]
    assert sold == sorted((p.sales for p in market.everything), reverse=True)[:48]


def test_a_match_starts_elsewhere_for_another_device(answer: Answer) -> None:
    def first(device: str) -> int:
        found = answer("aliexpress.affiliate.product.smartmatch", {"device_id": device})
        number: int = found["resp_result"]["result"]["products"]["product"][0]["product_id"]
        return number

    assert first("a") == first("a")
    assert len({first(str(n)) for n in range(20)}) > 10
