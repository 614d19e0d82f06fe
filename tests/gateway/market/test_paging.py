"""Pages and cursors cover everything once, and do not when a fault is switched on."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from alinb.gateway.faults import PAGING
from alinb.gateway.methods import Market

Answer = Callable[..., dict[str, Any]]
NOW = 1_800_000_000.0
SPAN = {"start_time": "2026-01-01", "end_time": "2027-12-31", "status": "Payment Completed"}
SEARCH, FEED = "aliexpress.ds.text.search", "aliexpress.ds.feed.itemids.get"
QUERY = "aliexpress.affiliate.product.query"
PLACE = {"local": "en_US", "countryCode": "US", "currency": "USD", "pageSize": "20"}

BY_PAGE = [
    (QUERY, {}, "products", "product", "product_id"),
    ("aliexpress.affiliate.hotproduct.query", {}, "products", "product", "product_id"),
    ("aliexpress.affiliate.hotproduct.download", {"category_id": "44,7"}, "products", "product",
     "product_id"),
    ("aliexpress.affiliate.product.smartmatch", {"device_id": "d"}, "products", "product",
     "product_id"),
    ("aliexpress.affiliate.featuredpromo.products.get", {"promotion_name": "Weekly Deals"},
     "products", "product", "product_id"),
    ("aliexpress.affiliate.order.list", SPAN, "orders", "order", "order_id"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "params", "outer", "key", "number"), BY_PAGE)
@pytest.mark.parametrize("size", [3, 50])
def test_pages_cover_every_record_once(
    answer: Answer, name: str, params: dict[str, str], outer: str, key: str, number: str, size: int
) -> None:
    def page(at: int) -> dict[str, Any]:
        asked = {**params, "page_no": str(at), "page_size": str(size)}
        found: dict[str, Any] = answer(name, asked)["resp_result"]
        return found

    ids: list[int] = []
    for at in range(1, 200):
        found = page(at)
        if found["resp_code"] == 405:
            break
        rows = found["result"][outer][key]
        assert found["result"]["current_record_count"] == len(rows) <= size
        ids += [row[number] for row in rows]
        if "total_record_count" in found["result"]:
            total = found["result"]["total_record_count"]
            assert found["result"]["total_page_no"] == -(-total // size)
    assert len(ids) == len(set(ids)) > 3
    if "total_record_count" in page(1).get("result", {}):
        assert len(ids) == total


def test_the_affiliate_cursor_covers_every_order_once(answer: Answer) -> None:
    by_page = answer("aliexpress.affiliate.order.list", SPAN)["resp_result"]["result"]
    name, params, ids = "aliexpress.affiliate.order.listbyindex", {**SPAN, "page_size": "7"}, []
    for _ in range(99):
        found = answer(name, params)["resp_result"]
        if found["resp_code"] == 405:
            break
        ids += [row["order_id"] for row in found["result"]["orders"]["order"]]
        params["start_query_index_id"] = found["result"]["max_query_index_id"]
    assert len(ids) == len(set(ids)) == by_page["total_record_count"] > 50


@pytest.mark.parametrize(
    ("size", "count"), [("", 200), ("0", 200), ("-1", 200), ("50", 50), ("200", 200), ("201", 200)]
)
def test_a_feed_gives_at_most_two_hundred_ids(answer: Answer, size: str, count: int) -> None:
    result = answer(FEED, {"feed_name": "DS_AllProducts", "page_size": size})["result"]
    assert len(result["products"]["number"]) == count
    assert result["total"] == 240 - count


def test_a_search_id_lives_a_minute_and_belongs_to_its_feed(answer: Answer) -> None:
    first = answer(FEED, {"feed_name": "DS_AllProducts"})
    cursor = first["result"]["search_id"]
    params = {"feed_name": "DS_AllProducts", "search_id": cursor}
    assert len(answer(FEED, params, now=NOW + 60)["result"]["products"]["number"]) == 40
    assert answer(FEED, {**params, "search_id": cursor.replace("+", " ")})["ret"] is True
    for asked, now in (
        (params, NOW + 61),
        ({**params, "feed_name": "DS bestseller"}, NOW),
        ({**params, "category_id": "44"}, NOW),
        ({**params, "search_id": "abc"}, NOW),
        ({**params, "search_id": cursor[:-8] + "AAAAAAA="}, NOW),
    ):
        said = answer(FEED, asked, now=now)
        assert (said["ret"], said["rsp_code"], said["result"]) == (False, 402, {})


def test_an_unknown_feed_is_empty_and_no_failure(answer: Answer) -> None:
    said = answer(FEED, {"feed_name": "no such feed"})
    assert (said["ret"], said["result"]["products"], said["result"]["total"]) == (True, {}, 0)
    said = answer("aliexpress.ds.recommend.feed.get", {"feed_name": "no such feed"})
    assert (said["rsp_code"], said["result"]["products"]) == (200, {})


def test_a_category_narrows_a_feed(answer: Answer, market: Market) -> None:
    params = {"feed_name": "DS_AllProducts", "category_id": "44"}
    ids = answer(FEED, params)["result"]["products"]["number"]
    assert ids == [p.id for p in market.everything if "44" in p.path]


def test_a_duplicate_page_is_the_one_before(answer: Answer) -> None:
    def ids(page: int, *faults: str) -> list[str]:
        data = answer(SEARCH, {**PLACE, "pageIndex": str(page)}, faults=faults)["data"]
        return [row["itemId"] for row in data["products"]["selection_search_product"]]

    assert ids(3, "duplicate_page") == ids(2)
    assert ids(1, "duplicate_page") == ids(1)
    cursor = answer(FEED, {"feed_name": "DS_AllProducts", "page_size": "9"})["result"]
    params = {"feed_name": "DS_AllProducts", "page_size": "9", "search_id": cursor["search_id"]}
    again = answer(FEED, params, faults=("duplicate_page",))["result"]
    assert again["products"] == cursor["products"]
    then = answer(FEED, {**params, "search_id": again["search_id"]})["result"]["products"]
    assert then["number"] == answer(FEED, {"feed_name": "DS_AllProducts"})["result"]["products"][
        "number"][18:27]  # fmt: skip


def test_a_moving_total_moves_from_each_call_to_the_next(answer: Answer) -> None:
    totals = [answer(SEARCH, PLACE, faults=("moving_total",), count=n)["data"]["totalCount"]
              for n in range(8)]  # fmt: skip
    assert all(one != other for one, other in pairwise(totals))
    assert min(totals) > 240
    result = answer(QUERY, {}, faults=("moving_total",), count=4)["resp_result"]["result"]
    assert result["total_record_count"] == 245


def test_an_empty_page_keeps_the_total_and_the_verdict(answer: Answer) -> None:
    fault = ("empty_page",)
    data = answer(SEARCH, PLACE, faults=fault)["data"]
    assert (data["products"], data["totalCount"]) == ({}, 240)
    found = answer(QUERY, {}, faults=fault)["resp_result"]
    assert found["resp_code"] == 200
    assert (found["result"]["products"], found["result"]["total_record_count"]) == ({}, 240)


def test_an_empty_part_says_how_much_is_left_and_where_to_go_on(answer: Answer) -> None:
    params = {"feed_name": "DS_AllProducts", "page_size": "9"}
    result = answer(FEED, params, faults=("empty_page",))["result"]
    assert (result["products"], result["total"]) == ({}, 231)
    asked = {**SPAN, "start_query_index_id": "7"}
    name = "aliexpress.affiliate.order.listbyindex"
    found = answer(name, asked, faults=("empty_page",))["resp_result"]
    assert (found["resp_code"], found["result"]["orders"]) == (200, {})
    assert found["result"]["max_query_index_id"] == "7"


def test_without_a_fault_the_number_of_the_call_changes_nothing(answer: Answer) -> None:
    assert {"duplicate_page", "moving_total", "empty_page"} == PAGING
    assert answer(QUERY, {}, count=1) == answer(QUERY, {}, count=2)
