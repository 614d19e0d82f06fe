"""What the sandbox answers to business methods: what is required, and the live shapes."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from alinb.gateway import Sandbox
from alinb.gateway.market.paging import LARGEST_PAGE
from alinb.gateway.methods import (
    ANSWERS,
    Asked,
    Market,
    allowed,
    group,
    missing,
    pure,
    simplified,
    takes_token,
)  # fmt: skip
from alinb.knowledge import load

Ask = Callable[..., dict[str, Any]]

SEARCH, DETAIL = "aliexpress.ds.text.search", "aliexpress.ds.product.get"
QUERY = "aliexpress.affiliate.product.query"
WHERE = {"local": "en_US", "countryCode": "US", "currency": "USD"}
SIZE = 60
MARKET = Market(SIZE)
#: More digits than Python reads as a number, and more than any id has.
LONG = "9" * 5000


def searched(**params: str) -> dict[str, Any]:
    return ANSWERS[SEARCH](Asked(MARKET, {**WHERE, **params}))


def queried(**params: str) -> dict[str, Any]:
    return ANSWERS[QUERY](Asked(MARKET, params))


def records(answer: dict[str, Any]) -> list[dict[str, Any]]:
    if "resp_result" in answer:
        found: list[dict[str, Any]] = answer["resp_result"]["result"]["products"]["product"]
        return found
    return list(answer["data"]["products"].get("selection_search_product", []))


def test_every_method_of_the_book_is_answered_but_the_token_calls() -> None:
    book = {name for name in load("methods")["methods"] if not name.startswith("/auth/")}
    assert set(ANSWERS) == book
    assert len(book) == 41


def test_tokens_are_needed_where_live_calls_need_them() -> None:
    without = {name for name in ANSWERS if not takes_token(name)}
    assert without == {n for n in ANSWERS if n.startswith("aliexpress.affiliate.")} | {
        "aliexpress.ds.category.get", "aliexpress.ds.feedname.get",
        "aliexpress.ds.recommend.feed.get"}  # fmt: skip


def test_a_permission_group_belongs_to_the_category_of_an_app() -> None:
    dropshipping, affiliate = allowed("Drop Shipping"), allowed("Affiliate")
    assert group(SEARCH) in dropshipping - affiliate
    assert group(QUERY) in affiliate - dropshipping
    assert group("/auth/token/create") in dropshipping & affiliate
    assert group("/order/get") in allowed("Commercial or Individual Developer") - dropshipping
    assert (group("no.such.method"), allowed("No Such Category")) == ("", frozenset())
    assert {group(name) for name in ANSWERS} == {"AE-Dropshipper", "AE-Affiliate", "Seller"}


def test_what_hangs_on_the_moment_or_the_account_is_not_pure() -> None:
    assert pure(SEARCH)
    assert pure(DETAIL)
    assert pure(QUERY)
    for name in ("aliexpress.ds.order.create", "aliexpress.trade.ds.order.get", "/seller/get",
                 "aliexpress.ds.freight.query", "aliexpress.ds.feed.itemids.get"):  # fmt: skip
        assert not pure(name)
    assert not pure("no.such.method")


def test_a_file_part_counts_as_given() -> None:
    name = "aliexpress.ds.image.search"
    assert missing(name, {"shpt_to": "US"}) == "image_file_bytes"
    assert missing(name, {"shpt_to": "US"}, ["image_file_bytes"]) == ""
    assert missing(name, {}, ["image_file_bytes"]) == "shpt_to"


@pytest.mark.parametrize(
    ("name", "params", "wanted"),
    [
        (DETAIL, {}, "product_id"),
        (DETAIL, {"product_id": "1"}, "ship_to_country"),
        (DETAIL, {"product_id": "", "ship_to_country": "US"}, "product_id"),
        (DETAIL, {"product_id": "1", "ship_to_country": "US"}, ""),
        (SEARCH, {}, "local"),
        (SEARCH, {"local": "en_US"}, "countryCode"),
        (SEARCH, {"local": "en_US", "countryCode": "US"}, "currency"),
        (SEARCH, WHERE, ""),
        (QUERY, {}, ""),
    ],
)
def test_the_first_missing_parameter_is_named(
    name: str, params: dict[str, str], wanted: str
) -> None:
    assert missing(name, params) == wanted


class TestSearch:
    def test_the_verdict_and_the_paging_are_in_the_live_places(self) -> None:
        answer = searched(pageSize="7", pageIndex="2")
        assert answer.keys() == {"code", "data"}
        assert answer["code"] == "00"
        data = answer["data"]
        assert (data["pageIndex"], data["pageSize"], data["totalCount"]) == (2, 7, SIZE)
        assert data["products"].keys() == {"selection_search_product"}
        assert len(records(answer)) == 7

    def test_pages_hold_every_product_once(self) -> None:
        seen = []
        for page in range(1, math.ceil(SIZE / 7) + 1):
            seen += [r["itemId"] for r in records(searched(pageSize="7", pageIndex=str(page)))]
        assert len(seen) == len(set(seen)) == SIZE
        assert searched(pageSize="7", pageIndex="10")["data"]["products"] == {}

    def test_no_hit_is_a_success_with_an_empty_object(self) -> None:
        answer = searched(keyWord="zzzz")
        assert answer["code"] == "00"
        assert (answer["data"]["products"], answer["data"]["totalCount"]) == ({}, 0)

    def test_every_word_of_the_keyword_is_wanted(self) -> None:
        titles = [record["title"].lower() for record in records(searched(keyWord="DESK lamp"))]
        assert len(titles) == 5
        assert all("desk" in title and "lamp" in title for title in titles)

    @pytest.mark.parametrize(
        ("size", "count"),
        [
            ("", 20), ("1", 1), ("50", 50), ("51", 50), ("9999999999", 50), ("0", 1),
            ("-3", 20), ("abc", 20), ("2.5", 20), ("٣", 20), ("3", 3), (LONG, 20), (" 3", 20),
        ],
    )  # fmt: skip
    def test_page_sizes_are_held_between_one_and_fifty(self, size: str, count: int) -> None:
        assert LARGEST_PAGE == 50
        assert len(records(searched(pageSize=size))) == count
        assert len(records(queried(page_size=size))) == count

    @pytest.mark.parametrize("page", ["", "0", "1", "-1", "x", LONG])
    def test_an_unusable_page_is_the_first(self, page: str) -> None:
        assert records(searched(pageIndex=page)) == records(searched())
        assert records(queried(page_no=page)) == records(queried())

    @pytest.mark.parametrize("way", ["asc", "desc"])
    def test_it_sorts_by_price(self, way: str) -> None:
        found = records(searched(sortBy=f"min_price,{way}", pageSize="50"))
        prices = [float(record["targetSalePrice"]) for record in found]
        assert prices == sorted(prices, reverse=way == "desc")
        assert prices[0] != prices[-1]

    @pytest.mark.parametrize("sort", ["price,asc", "min_price", "min_price,up", "orders;desc"])
    def test_an_unknown_sort_is_refused_as_live(self, sort: str) -> None:
        answer = searched(sortBy=sort)
        assert answer == {
            "code": "EXCEPTION_TEXT_SEARCH_FOR_DS", "msg": f"unsupported sortBy: {sort}",
        }  # fmt: skip

    def test_a_category_narrows_the_search(self) -> None:
        lamps = records(searched(categoryId="39", pageSize="50"))
        assert len(lamps) == 5
        assert all(record["cateId"].startswith("39,") for record in lamps)

    def test_prices_are_in_the_currency_asked_for(self) -> None:
        dollars, euros = (records(searched(currency=c))[0] for c in ("USD", "EUR"))
        assert euros["targetOriginalPriceCurrency"] == "EUR"
        assert dollars["itemId"] == euros["itemId"]
        ratio = float(euros["targetSalePrice"]) / float(dollars["targetSalePrice"])
        assert ratio == pytest.approx(0.92, abs=0.005)
        assert dollars["salePrice"] == euros["salePrice"], "the seller's own price stays"


class TestDetail:
    def test_a_product_is_found_by_its_id(self) -> None:
        wanted = {"product_id": str(MARKET.ids[3]), "ship_to_country": "FR"}
        answer = ANSWERS[DETAIL](Asked(MARKET, wanted))
        assert (answer["rsp_code"], answer["rsp_msg"]) == (200, "Call succeeds")
        base = answer["result"]["ae_item_base_info_dto"]
        assert base["product_id"] == MARKET.ids[3]
        assert answer["result"]["logistics_info_dto"]["ship_to_country"] == "FR"
        skus = answer["result"]["ae_item_sku_info_dtos"]["ae_item_sku_info_d_t_o"]
        assert {sku["currency_code"] for sku in skus} == {"USD"}

    def test_the_target_currency_prices_the_skus(self) -> None:
        wanted = {
            "product_id": str(MARKET.ids[3]), "ship_to_country": "FR", "target_currency": "EUR",
        }  # fmt: skip
        skus = ANSWERS[DETAIL](Asked(MARKET, wanted))["result"]["ae_item_sku_info_dtos"]
        assert {s["currency_code"] for s in skus["ae_item_sku_info_d_t_o"]} == {"EUR"}

    @pytest.mark.parametrize("product_id", ["1", "0", "-1", "abc", "1005.5", LONG, "１"])
    def test_an_unknown_product_is_605(self, product_id: str) -> None:
        answer = ANSWERS[DETAIL](Asked(MARKET, {"product_id": product_id, "ship_to_country": "US"}))
        assert answer == {"rsp_code": 605, "rsp_msg": "ITEM_ID_NOT_FOUND"}


class TestAffiliate:
    def test_the_verdict_and_the_paging_are_in_the_live_places(self) -> None:
        answer = queried(page_size="7", page_no="9")
        assert answer.keys() == {"resp_result"}
        assert (answer["resp_result"]["resp_code"], answer["resp_result"]["resp_msg"]) == (
            200,
            "Call succeeds",
        )
        result = answer["resp_result"]["result"]
        assert {name: result[name] for name in result if name != "products"} == {
            "current_page_no": 9,
            "current_record_count": 4,
            "total_page_no": 9,
            "total_record_count": SIZE,
        }

    @pytest.mark.parametrize("params", [{"keywords": "zzzz"}, {"page_no": "99"}])
    def test_an_empty_result_is_405_without_a_result(self, params: dict[str, str]) -> None:
        assert queried(**params) == {
            "resp_result": {"resp_code": 405, "resp_msg": "The result is empty"}
        }

    def test_price_bounds_are_cents_and_inclusive(self) -> None:
        found = records(queried(page_size="50", sort="SALE_PRICE_ASC"))
        cents = [round(float(record["target_sale_price"]) * 100) for record in found]
        assert cents == sorted(cents)
        low, high = cents[10], cents[30]
        kept = records(queried(page_size="50", min_sale_price=str(low), max_sale_price=str(high)))
        got = sorted(round(float(record["target_sale_price"]) * 100) for record in kept)
        assert got == [price for price in cents if low <= price <= high]
        assert got[0] == low
        assert got[-1] == high

    @pytest.mark.parametrize("bound", ["", "x", "-5", LONG])
    def test_unreadable_bounds_count_as_absent(self, bound: str) -> None:
        bounded = queried(min_sale_price=bound, max_sale_price=bound)
        assert bounded["resp_result"]["result"]["total_record_count"] == SIZE

    def test_the_tracking_id_makes_the_link(self) -> None:
        links = {records(queried(tracking_id=name))[0]["promotion_link"] for name in ("a", "b")}
        assert len(links) == 2
        assert all(link.startswith("https://s.click.aliexpress.com/s/") for link in links)


class TestSimplified:
    @pytest.mark.parametrize(
        ("whole", "short"),
        [
            ({"product": [{"a": 1}]}, [{"a": 1}]),
            ({"string": ["a", "b"]}, ["a", "b"]),
            ({"number": []}, []),
            ({"x": {"product": [{"images": {"string": ["u"]}}]}}, {"x": [{"images": ["u"]}]}),
            ({"a": [1], "b": 2}, {"a": [1], "b": 2}),
            ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 1}}}),
            ({}, {}),
            ([{"n": {"x": [1]}}], [{"n": [1]}]),
            ("text", "text"),
            (None, None),
        ],
    )
    def test_only_the_object_around_a_list_goes(self, whole: Any, short: Any) -> None:
        assert simplified(whole) == short

    def test_what_was_given_stays_as_it_was(self) -> None:
        whole = {"products": {"product": [{"images": {"string": ["u"]}}]}}
        simplified(whole)
        assert whole == {"products": {"product": [{"images": {"string": ["u"]}}]}}


def test_the_gateway_puts_the_method_in_the_root(clock: Any, ask: Ask) -> None:
    box = Sandbox(clock=clock, products=SIZE)
    token = ask(box, "/auth/token/create", {"code": box.code()})["access_token"]
    found = ask(box, SEARCH, {**WHERE, "session": token, "keyWord": "lamp", "pageSize": "2"})
    assert found.keys() == {"aliexpress_ds_text_search_response"}
    inside = found["aliexpress_ds_text_search_response"]
    assert inside.keys() == {"code", "data", "request_id", "_trace_id_"}
    first = inside["data"]["products"]["selection_search_product"][0]["itemId"]
    detail = ask(box, DETAIL, {"session": token, "product_id": first, "ship_to_country": "US"})
    assert detail.keys() == {"aliexpress_ds_product_get_response"}
    inside = detail["aliexpress_ds_product_get_response"]
    assert inside["result"]["ae_item_base_info_dto"]["product_id"] == int(first)


def test_the_three_views_agree_on_a_product() -> None:
    item = records(searched(keyWord="lamp"))[0]
    promoted = records(queried(keywords="lamp"))[0]
    wanted = {"product_id": item["itemId"], "ship_to_country": "US"}
    base = ANSWERS[DETAIL](Asked(MARKET, wanted))["result"]["ae_item_base_info_dto"]
    assert int(item["itemId"]) == promoted["product_id"] == base["product_id"]
    assert item["title"] == promoted["product_title"] == base["subject"]
    assert item["targetSalePrice"] == promoted["target_sale_price"]
