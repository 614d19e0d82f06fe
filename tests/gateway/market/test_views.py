"""The three views of a product: their shapes, their figures and their agreement."""

import json
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from alinb.gateway.methods import ANSWERS, Asked, Market

BASE = {
    "product_id", "subject", "category_id", "currency_code", "product_status_type", "sales_count",
    "evaluation_count", "avg_evaluation_rating", "detail", "mobile_detail", "category_sequence",
    "owner_member_seq_long", "gmt_create", "gmt_modified", "separated_listing", "sl_product",
}  # fmt: skip
DETAIL = {
    "ae_item_base_info_dto", "ae_item_sku_info_dtos", "ae_item_properties", "package_info_dto",
    "ae_multimedia_info_dto", "logistics_info_dto", "ae_store_info", "product_id_converter_result",
    "has_whole_sale", "manufacturer_info",
}  # fmt: skip
SKU = {
    "sku_id", "id", "sku_attr", "currency_code", "sku_price", "offer_sale_price",
    "offer_bulk_sale_price", "sku_available_stock", "price_include_tax", "ae_sku_property_dtos",
}  # fmt: skip
CHOICE = {"sku_property_id", "sku_property_name", "property_value_id", "sku_property_value"}
STORE = {
    "store_id", "store_name", "store_country_code", "communication_rating",
    "item_as_described_rating", "shipping_speed_rating",
}  # fmt: skip
PACKAGE = {
    "package_length", "package_width", "package_height", "gross_weight", "package_type",
    "product_unit", "base_unit",
}  # fmt: skip
FOUND = {
    "originalPrice", "originalPriceCurrency", "salePrice", "discount", "itemMainPic", "title",
    "type", "score", "itemId", "targetSalePrice", "cateId", "targetOriginalPriceCurrency",
    "originMinPrice", "evaluateRate", "salePriceFormat", "orders", "targetOriginalPrice",
    "itemUrl", "salePriceCurrency",
}  # fmt: skip
SHOWN_PRICE = {
    "thousandsChar", "shipToCountry", "decimalPointChar", "cent", "currencySymbolPosition",
    "currencySymbol", "showDecimal", "decimalStr", "currencyCode", "version", "formatPrice",
    "integerStr",
}  # fmt: skip
AFFILIATE = {
    "product_id", "sku_id", "product_title", "product_detail_url", "product_main_image_url",
    "product_small_image_urls", "product_video_url", "promotion_link", "first_level_category_id",
    "first_level_category_name", "second_level_category_id", "second_level_category_name",
    "shop_id", "shop_name", "shop_url", "discount", "evaluate_rate", "lastest_volume",
    "commission_rate", "hot_product_commission_rate", "tax_rate", "ship_to_days",
    "original_price", "original_price_currency", "sale_price", "sale_price_currency",
    "app_sale_price", "app_sale_price_currency", "target_original_price",
    "target_original_price_currency", "target_sale_price", "target_sale_price_currency",
    "target_app_sale_price", "target_app_sale_price_currency", "platform_product_type",
    "relevant_market_commission_rate",
}  # fmt: skip
RATES = {
    "USD": "1", "EUR": "0.92", "GBP": "0.79", "BRL": "5.4", "KRW": "1380", "JPY": "152",
    "CNY": "7.2", "PLN": "3.95",
}  # fmt: skip
WHOLE = {"KRW", "JPY"}
#: What some products have and others lack, as live.
EXTRA_BASE, EXTRA_FOUND = {"sl_related_product_id"}, {"productVideoUrl", "originalPriceFormat"}
EXTRA_SKU = {
    "sku_bulk_order", "wholesale_price_tiers", "tax_amount", "tax_currency_code", "ean_code",
    "estimated_import_charges", "barcode", "limit_strategy", "buy_amount_limit_set_by_promotion",
    "channel_discount_price", "sl_related_skuId",
}  # fmt: skip
EXTRA_AFFILIATE = {"ean_code", "promo_code_info"}
MARKET = Market(240)


def detail(
    product_id: int, currency: str = "USD", country: str = "FR", market: Market = MARKET
) -> dict[str, Any]:
    params = {
        "product_id": str(product_id), "ship_to_country": country, "target_currency": currency,
    }  # fmt: skip
    record: dict[str, Any] = ANSWERS["aliexpress.ds.product.get"](Asked(market, params))["result"]
    return record


def skus(product_id: int, currency: str = "USD") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = detail(product_id, currency)["ae_item_sku_info_dtos"][
        "ae_item_sku_info_d_t_o"
    ]
    return rows


def search(keyword: str = "", market: Market = MARKET, **changed: Any) -> dict[str, Any]:
    given = {
        "keyWord": keyword, "pageIndex": "1", "pageSize": "50", "countryCode": "FR",
        "currency": "USD", "local": "en_US",
        **{name: str(value) for name, value in changed.items()},
    }  # fmt: skip
    data: dict[str, Any] = ANSWERS["aliexpress.ds.text.search"](Asked(market, given))["data"]
    return data


def found(keyword: str = "", **changed: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    pages = -(-search(keyword, **changed)["totalCount"] // 50)
    for number in range(1, pages + 1):
        page = search(keyword, pageIndex=number, **changed)
        rows += page["products"]["selection_search_product"]
    return rows


def affiliate(
    keywords: str = "", market: Market = MARKET, currency: str = "USD", **changed: Any
) -> Any:
    given = {
        "keywords": keywords, "page_no": "1", "page_size": "50", "ship_to_country": "FR",
        "target_currency": currency, "tracking_id": "mine",
        **{name: str(value) for name, value in changed.items()},
    }  # fmt: skip
    answered = ANSWERS["aliexpress.affiliate.product.query"](Asked(market, given))
    return answered["resp_result"].get("result")


def promoted(keywords: str = "", **changed: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    number = 1
    while result := affiliate(keywords, page_no=number, **changed):
        rows += result["products"]["product"]
        number += 1
    return rows


def minor(price: str, currency: str) -> int:
    return int(Decimal(price) * (1 if currency in WHOLE else 100))


def percent_off(listed: str, sale: str) -> str:
    off = (1 - Decimal(sale) / Decimal(listed)) * 100
    return f"{off.quantize(Decimal(1), ROUND_HALF_UP)}%"


def test_same_size_and_seed_give_the_same_replies() -> None:
    other = Market(products=240, seed=1)
    assert other.ids == MARKET.ids
    for product_id in MARKET.ids:
        assert detail(product_id, "EUR", market=other) == detail(product_id, "EUR")
    for page in range(1, 6):
        assert search(market=other, pageIndex=page) == search(pageIndex=page)
        assert affiliate(market=other, page_no=page) == affiliate(page_no=page)


def test_products_are_pinned_across_processes_and_versions() -> None:
    first = found(currency="EUR")[0]
    assert first["itemId"] == "1005008298690092"
    assert first["title"] == "Modern Bluetooth Earbuds Détail HiFi Édition Été"
    assert (first["targetOriginalPrice"], first["targetSalePrice"]) == ("20.53", "8.42")
    assert (first["originalPrice"], first["salePrice"]) == ("160.63", "65.86")
    assert (first["discount"], first["orders"], first["evaluateRate"]) == ("59%", "400+", "97.2")
    assert MARKET.ids[239] == 1005007708836971
    assert [row["sku_id"] for row in skus(MARKET.ids[2])] == [
        "12000046860492912",
        "12000046860492913",
        "12000046860492914",
        "12000046860492915",
        "12000046860492916",
        "12000046860492917",
    ]


def test_seed_changes_the_products_and_size_only_adds_some() -> None:
    assert not set(Market(240, seed=2).ids) & set(MARKET.ids)
    assert Market(300).ids[:240] == MARKET.ids
    assert len(MARKET.ids) == 240
    assert Market(0).ids == ()


@pytest.mark.parametrize("size", [240, 5000])
def test_product_and_sku_ids_are_unique_and_of_live_length(size: int) -> None:
    market = Market(size)
    assert len(set(market.ids)) == size
    assert all(10**15 <= product_id < 10**16 for product_id in market.ids)
    assert all(str(product_id).startswith("100500") for product_id in market.ids)
    ids = []
    for product in market.everything:
        assert 2 <= len(product.skus) <= 6
        ids += [sku.id for sku in product.skus]
        # A reader that passes ids through a float must be caught on any product.
        assert any(int(float(sku.id)) != sku.id for sku in product.skus)
    assert len(set(ids)) == len(ids)
    assert all(10**16 <= sku_id < 10**17 and sku_id > 2**53 for sku_id in ids)


def test_number_of_skus_varies_and_some_have_two_properties() -> None:
    counts = {len(skus(product_id)) for product_id in MARKET.ids}
    assert counts == {2, 3, 4, 5, 6}
    names = {
        tuple(c["sku_property_name"] for c in sku["ae_sku_property_dtos"]["ae_sku_property_d_t_o"])
        for product_id in MARKET.ids
        for sku in skus(product_id)
    }
    assert names == {("Color",), ("Color", "Size")}


@pytest.mark.parametrize("currency", ["EUR", "KRW"])
def test_three_views_of_a_product_agree(currency: str) -> None:
    searched, offered = found(currency=currency), promoted(currency=currency)
    assert len(searched) == len(offered) == 240
    for product_id, hit, offer in zip(MARKET.ids, searched, offered, strict=True):
        whole = detail(product_id, currency)
        base, store = whole["ae_item_base_info_dto"], whole["ae_store_info"]
        images = whole["ae_multimedia_info_dto"]["image_urls"].split(";")
        cheapest = min(skus(product_id, currency), key=lambda s: Decimal(s["offer_sale_price"]))
        assert base["product_id"] == int(hit["itemId"]) == offer["product_id"] == product_id
        assert base["subject"] == hit["title"] == offer["product_title"]
        assert cheapest["sku_price"] == hit["targetOriginalPrice"] == offer["target_original_price"]
        assert cheapest["offer_sale_price"] == hit["targetSalePrice"] == offer["target_sale_price"]
        assert hit["originalPrice"] == offer["original_price"]
        assert hit["salePrice"] == offer["sale_price"] == offer["app_sale_price"]
        assert offer["target_app_sale_price"] == offer["target_sale_price"]
        assert hit["discount"] == offer["discount"]
        assert (store["store_id"], store["store_name"]) == (offer["shop_id"], offer["shop_name"])
        assert images[0] == hit["itemMainPic"] == offer["product_main_image_url"]
        assert images == offer["product_small_image_urls"]["string"]
        assert base["sales_count"] == str(offer["lastest_volume"])
        assert int(re.sub(r"\D", "", hit["orders"])) <= offer["lastest_volume"]
        assert f"{hit['evaluateRate']}%" == offer["evaluate_rate"]
        assert base["avg_evaluation_rating"] == hit["score"]
        path = hit["cateId"].split(",")
        assert [offer["first_level_category_id"], offer["second_level_category_id"]] == [
            int(path[0]), int(path[1])]  # fmt: skip
        assert base["category_id"] == int(path[-1])
        days = whole["logistics_info_dto"]["delivery_time"]
        assert offer["ship_to_days"] == f"Ship to FR in {days} days"


def test_links_name_the_cheapest_sku() -> None:
    for product_id, hit, offer in zip(MARKET.ids, found(), promoted(), strict=True):
        rows = {row["sku_id"]: Decimal(row["offer_sale_price"]) for row in skus(product_id)}
        sku_id = str(offer["sku_id"])
        assert rows[sku_id] == min(rows.values())
        assert hit["itemUrl"].startswith(
            f"//www.aliexpress.com/item/{product_id}.html?skuId={sku_id}&pdp_ext_f=%7B%22sku_id"
        )


def test_score_follows_the_rating_and_counts_are_live_text() -> None:
    shown, sold = set(), set()
    for hit, offer in zip(found(), promoted(), strict=True):
        assert abs(float(hit["score"]) - float(hit["evaluateRate"]) / 20) <= 0.0501
        assert re.fullmatch(r"[3-5]\.\d", hit["score"])
        assert re.fullmatch(r"\d\d\.\d", hit["evaluateRate"])
        sold.add(offer["lastest_volume"])
        shown.add(hit["orders"])
    assert len(sold) > 150
    assert all(re.fullmatch(r"\d|[1-9]0{1,2}\+|[1-9]0?0?,000\+", text) for text in shown)
    assert any("," in text for text in shown)
    assert any(text.endswith("00+") and "," not in text for text in shown)


@pytest.mark.parametrize("currency", RATES)
def test_prices_are_converted_by_a_fixed_table_and_written_with_its_decimals(currency: str) -> None:
    form = r"[1-9]\d*" if currency in WHOLE else r"\d+\.\d\d"
    step = Decimal(1) if currency in WHOLE else Decimal("0.01")
    for product_id in MARKET.ids:
        for dollars, sku in zip(skus(product_id), skus(product_id, currency), strict=True):
            expected = (Decimal(dollars["sku_price"]) * Decimal(RATES[currency])).quantize(
                step, ROUND_HALF_UP
            )
            assert sku["sku_price"] == str(expected)
            assert sku["currency_code"] == currency
            for field in ("sku_price", "offer_sale_price", "offer_bulk_sale_price"):
                assert re.fullmatch(form, sku[field])
    for hit, offer in zip(found(currency=currency), promoted(currency=currency), strict=True):
        assert re.fullmatch(form, hit["targetSalePrice"])
        assert re.fullmatch(form, offer["target_original_price"])
        assert re.fullmatch(r"\d+\.\d\d", hit["salePrice"])
        assert hit["targetOriginalPriceCurrency"] == offer["target_sale_price_currency"] == currency


@pytest.mark.parametrize("currency", RATES)
def test_discount_is_what_list_and_sale_price_say(currency: str) -> None:
    for product_id, hit, offer in zip(
        MARKET.ids, found(currency=currency), promoted(currency=currency), strict=True
    ):
        for sku in skus(product_id, currency):
            assert percent_off(sku["sku_price"], sku["offer_sale_price"]) == hit["discount"]
        for listed, sale in (
            (hit["targetOriginalPrice"], hit["targetSalePrice"]),
            (hit["originalPrice"], hit["salePrice"]),
            (offer["target_original_price"], offer["target_sale_price"]),
            (offer["original_price"], offer["sale_price"]),
        ):
            assert percent_off(listed, sale) == hit["discount"]
    discounts = {int(hit["discount"].rstrip("%")) for hit in found()}
    assert 0 in discounts
    assert max(discounts) > 50


def test_own_currency_of_the_seller_stands_beside_the_target() -> None:
    base = detail(MARKET.ids[0], "EUR")["ae_item_base_info_dto"]
    hit, offer = found(currency="EUR")[0], promoted(currency="EUR")[0]
    assert base["currency_code"] == hit["salePriceCurrency"] == "CNY"
    assert offer["sale_price_currency"] == "CNY"
    assert hit["originalPriceCurrency"] == offer["original_price_currency"] == "CNY"
    in_yuan = found(currency="CNY")[0]
    assert in_yuan["targetSalePrice"] == in_yuan["salePrice"] != hit["targetSalePrice"]


def test_unknown_currency_is_converted_as_dollars_under_its_own_name() -> None:
    odd, dollars = found(currency="xyz")[0], found(currency="USD")[0]
    assert odd["targetSalePrice"] == dollars["targetSalePrice"]
    assert odd["targetOriginalPriceCurrency"] == "XYZ"
    assert found(currency="")[0]["targetOriginalPriceCurrency"] == "USD"
    assert found(currency="eur")[0] == found(currency="EUR")[0] != dollars


@pytest.mark.parametrize("keyword", ["", "mug"])
@pytest.mark.parametrize("size", [1, 7, 50])
def test_search_pages_cover_the_matches_exactly_once(keyword: str, size: int) -> None:
    everything = [hit["itemId"] for hit in found(keyword, sortBy="orders,desc")]
    total = search(keyword)["totalCount"]
    seen: list[str] = []
    for number in range(1, -(-total // size) + 1):
        page = search(keyword, sortBy="orders,desc", pageIndex=number, pageSize=size)
        assert (page["pageIndex"], page["pageSize"], page["totalCount"]) == (number, size, total)
        seen += [hit["itemId"] for hit in page["products"]["selection_search_product"]]
    assert seen == everything
    assert len(set(seen)) == total == (20 if keyword else 240)


@pytest.mark.parametrize("size", [1, 7, 50])
def test_affiliate_pages_cover_the_matches_exactly_once(size: int) -> None:
    seen: list[int] = []
    pages = -(-240 // size)
    for page_no in range(1, pages + 1):
        result = affiliate(page_no=page_no, page_size=size)
        records = result["products"]["product"]
        assert result["current_page_no"] == page_no
        assert result["current_record_count"] == len(records) <= size
        assert result["total_page_no"] == pages
        assert result["total_record_count"] == 240
        seen += [record["product_id"] for record in records]
    assert affiliate(page_no=pages + 1, page_size=size) is None
    assert tuple(seen) == MARKET.ids


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_search_sorts(direction: str) -> None:
    down = direction == "desc"
    reviews = {
        str(product_id): int(detail(product_id)["ae_item_base_info_dto"]["evaluation_count"])
        for product_id in MARKET.ids
    }
    sold = {str(offer["product_id"]): offer["lastest_volume"] for offer in promoted()}
    prices = [minor(h["targetSalePrice"], "USD") for h in found(sortBy=f"min_price,{direction}")]
    orders = [sold[hit["itemId"]] for hit in found(sortBy=f"orders,{direction}")]
    comments = [reviews[hit["itemId"]] for hit in found(sortBy=f"comments,{direction}")]
    for figures in (prices, orders, comments):
        assert len(figures) == 240
        assert figures == sorted(figures, reverse=down)
        assert (figures[0] > figures[-1]) is down


@pytest.mark.parametrize("currency", ["USD", "JPY"])
def test_affiliate_sorts(currency: str) -> None:
    def prices(sort: str) -> list[int]:
        return [
            minor(offer["target_sale_price"], currency)
            for offer in promoted(sort=sort, currency=currency)
        ]

    def volumes(sort: str) -> list[int]:
        return [offer["lastest_volume"] for offer in promoted(sort=sort)]

    assert prices("SALE_PRICE_ASC") == sorted(prices("")) != prices("")
    assert prices("SALE_PRICE_DESC") == sorted(prices(""), reverse=True)
    assert volumes("LAST_VOLUME_ASC") == sorted(volumes("")) != volumes("")
    assert volumes("LAST_VOLUME_DESC") == sorted(volumes(""), reverse=True)


def test_unsorted_and_oddly_sorted_results_keep_market_order() -> None:
    assert [int(hit["itemId"]) for hit in found()] == list(MARKET.ids)
    for sort in ("", "RATING_DESC"):
        assert [offer["product_id"] for offer in promoted(sort=sort)] == list(MARKET.ids)


def test_empty_search_page_has_an_empty_products_object() -> None:
    assert search("nonesuch") == {
        "pageIndex": 1, "pageSize": 50, "totalCount": 0, "products": {}}  # fmt: skip
    assert search(pageIndex=25, pageSize=10) == {
        "pageIndex": 25, "pageSize": 10, "totalCount": 240, "products": {}}  # fmt: skip
    last = search(pageIndex=24, pageSize=10)["products"]["selection_search_product"]
    assert len(last) == 10


def test_affiliate_answers_nothing_when_there_is_nothing() -> None:
    assert affiliate("nonesuch") is None
    assert affiliate(page_no=25, page_size=10) is None
    assert affiliate(page_no=24, page_size=10) is not None
    assert affiliate(min_sale_price=10**9) is None


@pytest.mark.parametrize("currency", ["EUR", "JPY"])
def test_affiliate_price_bounds_are_inclusive_in_the_smallest_unit(currency: str) -> None:
    every = sorted(minor(o["target_sale_price"], currency) for o in promoted(currency=currency))
    low, high = every[60], every[180]

    def within(**bounds: Any) -> list[int]:
        rows = promoted(currency=currency, **bounds)
        return sorted(minor(offer["target_sale_price"], currency) for offer in rows)

    assert within(min_sale_price=low) == [price for price in every if price >= low]
    assert within(max_sale_price=high) == [price for price in every if price <= high]
    assert within(min_sale_price=low, max_sale_price=high) == [
        price for price in every if low <= price <= high
    ]
    assert within(min_sale_price=low)[0] == low
    assert within(max_sale_price=high)[-1] == high
    assert within(min_sale_price=low + 1)[0] > low
    assert within(max_sale_price=0) == []


def test_price_bound_counts_cents() -> None:
    rows = promoted(max_sale_price=999)
    assert 0 < len(rows) < 240
    assert all(Decimal(row["target_sale_price"]) <= Decimal("9.99") for row in rows)
    result = affiliate(max_sale_price=999)
    assert result is not None
    assert result["total_record_count"] == len(rows)


def test_keyword_matches_all_words_in_any_case() -> None:
    mugs = found("COFFEE mug")
    assert len(mugs) == len(found("mug coffee")) == len(found(" mug,Coffee ")) == 20
    assert all("Coffee Mug" in hit["title"] for hit in mugs)
    assert found("coffee keyboard") == []
    assert [hit["itemId"] for hit in mugs] == [
        str(offer["product_id"]) for offer in promoted("coffee MUG")
    ]


@pytest.mark.parametrize("word", ["café", "CAFÉ", "zürich", "ZÜRICH", "中文"])
def test_keyword_may_be_in_any_script(word: str) -> None:
    titles = [hit["title"] for hit in found(word)]
    assert 0 < len(titles) < 240
    assert all(word.casefold() in title.casefold() for title in titles)


def test_category_is_any_id_on_the_path() -> None:
    def categories(category: str) -> set[str]:
        return {hit["cateId"] for hit in found(categoryId=category)}

    assert categories("15") == {"15,100006664,200003720", "15,200000920,200154001"}
    assert categories("200000920") == categories("200154001") == {"15,200000920,200154001"}
    assert categories("1") == set()
    assert search("leash", categoryId="15")["totalCount"] == 20
    assert search("earbuds", categoryId="15")["totalCount"] == 0


def test_titles_are_varied() -> None:
    hits = found()
    kinds = {hit["cateId"] for hit in hits}
    assert len(kinds) >= 12
    assert all(re.fullmatch(r"\d+,\d+,\d+", path) for path in kinds)
    assert len({hit["title"] for hit in hits}) > 200
    every = "".join(hit["title"] for hit in hits)
    assert {"é", "ü", "中"} <= set(every)


def test_detail_has_the_live_fields() -> None:
    extra: set[str] = set()
    for product_id in MARKET.ids:
        whole = detail(product_id)
        assert whole.keys() == DETAIL
        assert BASE <= whole["ae_item_base_info_dto"].keys() <= BASE | EXTRA_BASE
        assert whole["ae_store_info"].keys() == STORE
        assert whole["package_info_dto"].keys() == PACKAGE
        assert whole["logistics_info_dto"].keys() == {"delivery_time", "ship_to_country"}
        assert whole["ae_multimedia_info_dto"].keys() <= {"image_urls", "ae_video_dtos"}
        assert whole["ae_item_sku_info_dtos"].keys() == {"ae_item_sku_info_d_t_o"}
        assert whole["ae_item_properties"].keys() == {"ae_item_property"}
        for attribute in whole["ae_item_properties"]["ae_item_property"]:
            assert attribute.keys() >= {"attr_name", "attr_name_id", "attr_value", "attr_value_id"}
        for sku in skus(product_id):
            assert SKU <= sku.keys() <= SKU | EXTRA_SKU
            extra |= sku.keys() - SKU
            assert sku["ae_sku_property_dtos"].keys() == {"ae_sku_property_d_t_o"}
            color, *sizes = sku["ae_sku_property_dtos"]["ae_sku_property_d_t_o"]
            assert color.keys() == CHOICE | {"property_value_definition_name", "sku_image"}
            assert all(size.keys() == CHOICE for size in sizes)
    charged = {"tax_amount", "tax_currency_code", "estimated_import_charges"}
    assert extra == EXTRA_SKU - charged, "taxes at the border are not charged in France"
    rows = detail(MARKET.ids[0], country="US")["ae_item_sku_info_dtos"]["ae_item_sku_info_d_t_o"]
    assert charged <= rows[0].keys()


def test_detail_has_the_live_types() -> None:
    whole = detail(MARKET.ids[7], country="BR")
    base, package = whole["ae_item_base_info_dto"], whole["package_info_dto"]
    assert type(base["product_id"]) is type(base["category_id"]) is int
    assert base["product_status_type"] == "onSelling"
    assert re.fullmatch(r"\d+", base["evaluation_count"])
    assert base["subject"] in base["detail"]
    pictures = json.loads(base["mobile_detail"])["moduleList"]
    images = whole["ae_multimedia_info_dto"]["image_urls"].split(";")
    assert [picture["data"]["url"] for picture in pictures] == images
    assert len(set(images)) == 6
    assert all(re.fullmatch(r"https://ae01\.alicdn\.com/kf/S\w{33}\.jpg", url) for url in images)
    assert re.fullmatch(r"0\.\d{3}", package["gross_weight"])
    assert package["package_type"] is whole["has_whole_sale"] is False
    assert whole["logistics_info_dto"]["ship_to_country"] == "BR"
    assert type(whole["logistics_info_dto"]["delivery_time"]) is int
    assert type(whole["ae_store_info"]["store_id"]) is int
    assert re.fullmatch(r"4\.[3-9]", whole["ae_store_info"]["shipping_speed_rating"])
    converted = whole["product_id_converter_result"]
    assert converted["main_product_id"] == MARKET.ids[7]
    assert json.loads(converted["sub_product_id"]) == {"US": MARKET.ids[7] + 2251799813685248}


def test_sku_attributes_spell_the_properties() -> None:
    for product_id in MARKET.ids:
        rows = skus(product_id)
        assert len({row["sku_attr"] for row in rows}) == len(rows)
        images = detail(product_id)["ae_multimedia_info_dto"]["image_urls"].split(";")
        for row in rows:
            color, *sizes = row["ae_sku_property_dtos"]["ae_sku_property_d_t_o"]
            parts = [f"14:{color['property_value_id']}#{color['property_value_definition_name']}"]
            parts += [f"5:{size['property_value_id']}" for size in sizes]
            assert row["sku_attr"] == row["id"] == ";".join(parts)
            assert color["sku_image"] in images
            assert type(row["sku_available_stock"]) is int


def test_unknown_product_is_none() -> None:
    for product_id in (0, MARKET.ids[0] + 1, 1005006361450153):
        assert MARKET.product(product_id) is None


def test_search_record_has_the_live_fields_and_forms() -> None:
    assert search().keys() == {"pageIndex", "pageSize", "totalCount", "products"}
    assert search()["products"].keys() == {"selection_search_product"}
    for hit in found():
        assert FOUND <= hit.keys() <= FOUND | EXTRA_FOUND
        assert all(type(value) is str for value in hit.values())
        assert hit["type"] == "search"
        assert json.loads(hit["originMinPrice"]).keys() == SHOWN_PRICE


@pytest.mark.parametrize(
    ("currency", "form"),
    [
        ("USD", r"\$\d+\.\d\d"), ("EUR", r"\d+,\d\d€"), ("GBP", r"£\d+\.\d\d"),
        ("BRL", r"R\$\d+,\d\d"), ("KRW", r"₩\d{1,3}(,\d{3})*"), ("JPY", r"\d{1,3}(,\d{3})*円"),
        ("CNY", r"CN¥\d+\.\d\d"), ("PLN", r"\d+,\d\dzł"), ("XYZ", r"XYZ \d+\.\d\d"),
    ],
)  # fmt: skip
def test_shown_price_is_localized_and_equals_the_target_price(currency: str, form: str) -> None:
    for hit in found(currency=currency, countryCode="PT"):
        shown = json.loads(hit["originMinPrice"])
        assert re.fullmatch(form, hit["salePriceFormat"])
        assert shown["formatPrice"] == hit["salePriceFormat"]
        assert shown["cent"] == minor(hit["targetSalePrice"], currency)
        assert (shown["currencyCode"], shown["shipToCountry"]) == (currency, "PT")
        digits = shown["integerStr"].replace(shown["thousandsChar"], "") + shown["decimalStr"]
        assert int(digits) == shown["cent"]


def test_affiliate_record_has_the_live_fields_and_forms() -> None:
    result = affiliate()
    assert result is not None
    assert result.keys() == {
        "current_page_no", "current_record_count", "total_page_no", "total_record_count",
        "products"}  # fmt: skip
    assert result["products"].keys() == {"product"}
    for offer in promoted():
        assert AFFILIATE <= offer.keys() <= AFFILIATE | EXTRA_AFFILIATE
        assert type(offer["product_id"]) is type(offer["sku_id"]) is int
        assert type(offer["lastest_volume"]) is type(offer["shop_id"]) is int
        assert re.fullmatch(r"[3579]\.0%", offer["commission_rate"])
        assert re.fullmatch(r"\d?\d%", offer["discount"])
        assert re.fullmatch(r"\d\d\.\d%", offer["evaluate_rate"])
        assert offer["shop_url"].endswith(f"/store/{offer['shop_id']}")
    assert len({offer["commission_rate"] for offer in promoted()}) == 4


def test_promotion_link_depends_on_product_and_tracking_id() -> None:
    mine = [offer["promotion_link"] for offer in promoted(tracking_id="mine")]
    yours = [offer["promotion_link"] for offer in promoted(tracking_id="yours")]
    assert all(link.startswith("https://s.click.aliexpress.com/s/") for link in mine)
    assert len({*mine, *yours}) == 480


def test_language_changes_nothing_and_country_only_the_destination_and_taxes() -> None:
    assert search(local="zh_CN") == search(local="fr_FR")
    assert affiliate(target_language="KO") == affiliate(target_language="EN")
    here, there = detail(MARKET.ids[3], country="FR"), detail(MARKET.ids[3], country="ES")
    assert here != there
    here["logistics_info_dto"]["ship_to_country"] = "ES"
    assert here == there


@pytest.mark.parametrize(("key", "value"), [("price", 1500), ("sale_price", 1500)])
def test_search_extend_bounds_the_price_in_cents(key: str, value: int) -> None:
    wanted = json.dumps([{"searchKey": key, "min": "800", "max": str(value)}])
    cents = [minor(hit["targetSalePrice"], "USD") for hit in found(searchExtend=wanted)]
    every = [minor(hit["targetSalePrice"], "USD") for hit in found()]
    assert cents == [price for price in every if 800 <= price <= value] != []


def test_search_extend_knows_where_things_ship_from() -> None:
    def total(country: str) -> int:
        extend = json.dumps([{"searchKey": "ship_from", "searchValue": country}])
        return int(search(searchExtend=extend)["totalCount"])

    assert (total("CN"), total("FR")) == (240, 0)
