"""The catalogue's three views of a product: their shapes, their figures and their agreement."""

import json
import re
import time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from alinb.gateway.catalogue import Catalogue

BASE = {
    "product_id", "subject", "category_id", "currency_code", "product_status_type", "sales_count",
    "evaluation_count", "avg_evaluation_rating", "detail", "mobile_detail",
}  # fmt: skip
DETAIL = {
    "ae_item_base_info_dto", "ae_item_sku_info_dtos", "ae_item_properties", "package_info_dto",
    "ae_multimedia_info_dto", "logistics_info_dto", "ae_store_info", "product_id_converter_result",
    "has_whole_sale",
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
    "product_unit",
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
    "target_app_sale_price", "target_app_sale_price_currency",
}  # fmt: skip
RATES = {
    "USD": "1", "EUR": "0.92", "GBP": "0.79", "BRL": "5.4", "KRW": "1380", "JPY": "152",
    "CNY": "7.2", "PLN": "3.95",
}  # fmt: skip
WHOLE = {"KRW", "JPY"}
CATALOGUE = Catalogue()


def detail(product_id: int, currency: str = "USD", country: str = "FR") -> dict[str, Any]:
    found = CATALOGUE.product(product_id, country=country, currency=currency, language="en_US")
    assert found is not None
    return found


def skus(product_id: int, currency: str = "USD") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = detail(product_id, currency)["ae_item_sku_info_dtos"][
        "ae_item_sku_info_d_t_o"
    ]
    return rows


def search(keyword: str = "", **changed: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "page_index": 1, "page_size": 1000, "sort": "", "country": "FR", "currency": "USD",
        "language": "en_US",
    }  # fmt: skip
    return CATALOGUE.search(keyword, **{**given, **changed})


def found(keyword: str = "", **changed: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = search(keyword, **changed)["products"].get(
        "selection_search_product", []
    )
    return rows


def affiliate(keywords: str = "", **changed: Any) -> dict[str, Any] | None:
    given: dict[str, Any] = {
        "page_no": 1, "page_size": 1000, "sort": "", "country": "FR", "currency": "USD",
        "language": "EN", "tracking_id": "mine",
    }  # fmt: skip
    return CATALOGUE.affiliate(keywords, **{**given, **changed})


def promoted(keywords: str = "", **changed: Any) -> list[dict[str, Any]]:
    result = affiliate(keywords, **changed)
    rows: list[dict[str, Any]] = result["products"]["product"] if result else []
    return rows


def minor(price: str, currency: str) -> int:
    return int(Decimal(price) * (1 if currency in WHOLE else 100))


def percent_off(listed: str, sale: str) -> str:
    off = (1 - Decimal(sale) / Decimal(listed)) * 100
    return f"{off.quantize(Decimal(1), ROUND_HALF_UP)}%"


def test_same_size_and_seed_give_the_same_replies() -> None:
    other = Catalogue(size=240, seed=1)
    asked: dict[str, Any] = {"country": "FR", "currency": "EUR", "language": "fr_FR"}
    paged = asked | {"page_size": 240, "sort": ""}
    assert other.ids == CATALOGUE.ids
    for product_id in CATALOGUE.ids:
        assert other.product(product_id, **asked) == CATALOGUE.product(product_id, **asked)
    assert other.search("", page_index=1, **paged) == CATALOGUE.search("", page_index=1, **paged)
    paged["tracking_id"] = "mine"
    assert other.affiliate("", page_no=1, **paged) == CATALOGUE.affiliate("", page_no=1, **paged)


def test_products_are_pinned_across_processes_and_versions() -> None:
    first = found(currency="EUR")[0]
    assert first["itemId"] == "1005008298690092"
    assert first["title"] == "Modern Bluetooth Earbuds Détail HiFi Édition Été"
    assert (first["targetOriginalPrice"], first["targetSalePrice"]) == ("20.53", "8.42")
    assert (first["originalPrice"], first["salePrice"]) == ("160.63", "65.86")
    assert (first["discount"], first["orders"], first["evaluateRate"]) == ("59%", "400+", "97.2")
    assert CATALOGUE.ids[239] == 1005007708836971
    assert [row["sku_id"] for row in skus(CATALOGUE.ids[2])] == [
        "12000046860492912",
        "12000046860492913",
        "12000046860492914",
        "12000046860492915",
        "12000046860492916",
        "12000046860492917",
    ]


def test_seed_changes_the_products_and_size_only_adds_some() -> None:
    assert not set(Catalogue(seed=2).ids) & set(CATALOGUE.ids)
    assert Catalogue(size=300).ids[:240] == CATALOGUE.ids
    assert len(CATALOGUE.ids) == 240
    assert Catalogue(size=0).ids == ()


@pytest.mark.parametrize("size", [240, 5000])
def test_product_and_sku_ids_are_unique_and_of_live_length(size: int) -> None:
    catalogue = Catalogue(size=size)
    assert len(set(catalogue.ids)) == size
    assert all(10**15 <= product_id < 10**16 for product_id in catalogue.ids)
    assert all(str(product_id).startswith("100500") for product_id in catalogue.ids)
    ids = []
    for product_id in catalogue.ids:
        reply = catalogue.product(product_id, country="US", currency="USD", language="en_US")
        assert reply is not None
        rows = reply["ae_item_sku_info_dtos"]["ae_item_sku_info_d_t_o"]
        assert 2 <= len(rows) <= 6
        ids += [int(row["sku_id"]) for row in rows]
        # A reader that passes ids through a float must be caught on any product.
        assert any(int(float(row["sku_id"])) != int(row["sku_id"]) for row in rows)
    assert len(set(ids)) == len(ids)
    assert all(10**16 <= sku_id < 10**17 and sku_id > 2**53 for sku_id in ids)


def test_building_is_fast() -> None:
    def seconds(size: int) -> float:
        start = time.process_time()
        Catalogue(size=size)
        return time.process_time() - start

    assert min(seconds(240) for _ in range(3)) < 0.1
    assert min(seconds(5000) for _ in range(3)) < 1


def test_number_of_skus_varies_and_some_have_two_properties() -> None:
    counts = {len(skus(product_id)) for product_id in CATALOGUE.ids}
    assert counts == {2, 3, 4, 5, 6}
    names = {
        tuple(c["sku_property_name"] for c in sku["ae_sku_property_dtos"]["ae_sku_property_d_t_o"])
        for product_id in CATALOGUE.ids
        for sku in skus(product_id)
    }
    assert names == {("Color",), ("Color", "Size")}


@pytest.mark.parametrize("currency", ["EUR", "KRW"])
def test_three_views_of_a_product_agree(currency: str) -> None:
    searched, offered = found(currency=currency), promoted(currency=currency)
    assert len(searched) == len(offered) == 240
    for product_id, hit, offer in zip(CATALOGUE.ids, searched, offered, strict=True):
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
    for product_id, hit, offer in zip(CATALOGUE.ids, found(), promoted(), strict=True):
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
    for product_id in CATALOGUE.ids:
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
        CATALOGUE.ids, found(currency=currency), promoted(currency=currency), strict=True
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
    base = detail(CATALOGUE.ids[0], "EUR")["ae_item_base_info_dto"]
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
@pytest.mark.parametrize("size", [1, 7, 50, 240])
def test_search_pages_cover_the_matches_exactly_once(keyword: str, size: int) -> None:
    everything = [hit["itemId"] for hit in found(keyword, sort="orders,desc")]
    total = search(keyword)["totalCount"]
    seen: list[str] = []
    for page_index in range(1, -(-total // size) + 1):
        page = search(keyword, sort="orders,desc", page_index=page_index, page_size=size)
        assert (page["pageIndex"], page["pageSize"], page["totalCount"]) == (
            page_index, size, total)  # fmt: skip
        seen += [hit["itemId"] for hit in page["products"]["selection_search_product"]]
    assert seen == everything
    assert len(set(seen)) == total == (20 if keyword else 240)


@pytest.mark.parametrize("size", [1, 7, 50, 240])
def test_affiliate_pages_cover_the_matches_exactly_once(size: int) -> None:
    seen: list[int] = []
    pages = -(-240 // size)
    for page_no in range(1, pages + 1):
        result = affiliate(page_no=page_no, page_size=size)
        assert result is not None
        records = result["products"]["product"]
        assert result["current_page_no"] == page_no
        assert result["current_record_count"] == len(records) <= size
        assert result["total_page_no"] == pages
        assert result["total_record_count"] == 240
        seen += [record["product_id"] for record in records]
    assert affiliate(page_no=pages + 1, page_size=size) is None
    assert tuple(seen) == CATALOGUE.ids


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_search_sorts(direction: str) -> None:
    down = direction == "desc"
    reviews = {
        str(product_id): int(detail(product_id)["ae_item_base_info_dto"]["evaluation_count"])
        for product_id in CATALOGUE.ids
    }
    sold = {str(offer["product_id"]): offer["lastest_volume"] for offer in promoted()}
    prices = [minor(h["targetSalePrice"], "USD") for h in found(sort=f"min_price,{direction}")]
    orders = [sold[hit["itemId"]] for hit in found(sort=f"orders,{direction}")]
    comments = [reviews[hit["itemId"]] for hit in found(sort=f"comments,{direction}")]
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


def test_unsorted_and_oddly_sorted_results_keep_catalogue_order() -> None:
    for sort in ("", "newest,desc"):
        assert [int(hit["itemId"]) for hit in found(sort=sort)] == list(CATALOGUE.ids)
    for sort in ("", "RATING_DESC"):
        assert [offer["product_id"] for offer in promoted(sort=sort)] == list(CATALOGUE.ids)


def test_empty_search_page_has_an_empty_products_object() -> None:
    assert search("nonesuch") == {
        "pageIndex": 1, "pageSize": 1000, "totalCount": 0, "products": {}}  # fmt: skip
    assert search(page_index=25, page_size=10) == {
        "pageIndex": 25, "pageSize": 10, "totalCount": 240, "products": {}}  # fmt: skip
    assert len(found(page_index=24, page_size=10)) == 10
    for page_index, page_size in ((0, 10), (-1, 10), (1, 0), (2, -5)):
        assert search(page_index=page_index, page_size=page_size)["products"] == {}


def test_affiliate_answers_none_when_there_is_nothing() -> None:
    assert affiliate("nonesuch") is None
    assert affiliate(page_no=25, page_size=10) is None
    assert affiliate(page_no=24, page_size=10) is not None
    assert affiliate(page_no=0) is None
    assert affiliate(page_size=0) is None
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
        return {hit["cateId"] for hit in found(category=category)}

    assert categories("15") == {"15,100006664,200003720", "15,200000920,200154001"}
    assert categories("200000920") == categories("200154001") == {"15,200000920,200154001"}
    assert categories("1") == set()
    assert search("leash", category="15")["totalCount"] == 20
    assert search("earbuds", category="15")["totalCount"] == 0


def test_titles_are_varied() -> None:
    hits = found()
    kinds = {hit["cateId"] for hit in hits}
    assert len(kinds) >= 12
    assert all(re.fullmatch(r"\d+,\d+,\d+", path) for path in kinds)
    assert len({hit["title"] for hit in hits}) > 200
    every = "".join(hit["title"] for hit in hits)
    assert {"é", "ü", "中"} <= set(every)


def test_detail_has_the_live_fields() -> None:
    for product_id in CATALOGUE.ids:
        whole = detail(product_id)
        assert whole.keys() == DETAIL
        assert whole["ae_item_base_info_dto"].keys() == BASE
        assert whole["ae_store_info"].keys() == STORE
        assert whole["package_info_dto"].keys() == PACKAGE
        assert whole["logistics_info_dto"].keys() == {"delivery_time", "ship_to_country"}
        assert whole["ae_multimedia_info_dto"].keys() == {"image_urls"}
        assert whole["ae_item_sku_info_dtos"].keys() == {"ae_item_sku_info_d_t_o"}
        assert whole["ae_item_properties"].keys() == {"ae_item_property"}
        for attribute in whole["ae_item_properties"]["ae_item_property"]:
            assert attribute.keys() == {"attr_name", "attr_name_id", "attr_value", "attr_value_id"}
        for sku in skus(product_id):
            assert sku.keys() == SKU
            assert sku["ae_sku_property_dtos"].keys() == {"ae_sku_property_d_t_o"}
            color, *sizes = sku["ae_sku_property_dtos"]["ae_sku_property_d_t_o"]
            assert color.keys() == CHOICE | {"property_value_definition_name", "sku_image"}
            assert all(size.keys() == CHOICE for size in sizes)


def test_detail_has_the_live_types() -> None:
    whole = detail(CATALOGUE.ids[7], country="BR")
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
    assert converted["main_product_id"] == CATALOGUE.ids[7]
    assert json.loads(converted["sub_product_id"]) == {"US": CATALOGUE.ids[7] + 2251799813685248}


def test_sku_attributes_spell_the_properties() -> None:
    for product_id in CATALOGUE.ids:
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
    for product_id in (0, CATALOGUE.ids[0] + 1, 1005006361450153):
        asked = CATALOGUE.product(product_id, country="US", currency="USD", language="en_US")
        assert asked is None


def test_search_record_has_the_live_fields_and_forms() -> None:
    assert search().keys() == {"pageIndex", "pageSize", "totalCount", "products"}
    assert search()["products"].keys() == {"selection_search_product"}
    for hit in found():
        assert hit.keys() == FOUND
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
    for hit in found(currency=currency, country="PT"):
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
        assert offer.keys() == AFFILIATE
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


def test_language_changes_nothing_and_country_only_the_destination() -> None:
    assert search(language="zh_CN") == search(language="fr_FR")
    assert affiliate(language="KO") == affiliate(language="EN")
    here, there = detail(CATALOGUE.ids[3], country="FR"), detail(CATALOGUE.ids[3], country="BR")
    assert here != there
    here["logistics_info_dto"]["ship_to_country"] = "BR"
    assert here == there


def test_replies_are_the_callers_to_change() -> None:
    before = json.dumps([detail(CATALOGUE.ids[7]), search(), affiliate()])
    whole = detail(CATALOGUE.ids[7])
    rows = whole["ae_item_sku_info_dtos"]["ae_item_sku_info_d_t_o"]
    rows[0]["ae_sku_property_dtos"]["ae_sku_property_d_t_o"][0].clear()
    whole["ae_item_base_info_dto"].clear()
    promoted()[7]["product_small_image_urls"]["string"].clear()
    found()[7].clear()
    assert json.dumps([detail(CATALOGUE.ids[7]), search(), affiliate()]) == before
