"""Search by picture: the same picture finds the same, in order, by cursor to the end."""

import json
from collections.abc import Callable
from typing import Any

Answer = Callable[..., dict[str, Any]]
V2, OLD = "aliexpress.ds.image.searchV2", "aliexpress.ds.image.search"


def found(answer: Answer, **asked: str) -> dict[str, Any]:
    result: dict[str, Any] = answer(V2, {"param0": json.dumps(asked)})["result"]
    return result


def test_the_cursor_leads_through_all_that_is_like_the_picture(answer: Answer) -> None:
    first = found(answer, image_base64="aGk=")
    ids = [row["product_id"] for row in first["data"]["products"]]
    at = first
    for _ in range(20):
        if "next_start_row_key" not in at:
            break
        assert at["pagination"]["has_next"] is True
        at = found(answer, image_base64="aGk=", next_start_row_key=at["next_start_row_key"])
        ids += [row["product_id"] for row in at["data"]["products"]]
    assert at["pagination"]["page_no"] == first["pagination"]["page_count"]
    assert len(ids) == len(set(ids)) == first["total_count"] == 20


def test_another_picture_finds_something_else_in_time(answer: Answer) -> None:
    firsts = [found(answer, image_base64=str(n))["data"]["products"][0] for n in range(30)]
    kinds = {row["category"]["first_level"]["id"] for row in firsts}
    assert len(kinds) > 5
    assert found(answer, image_base64="x") == found(answer, image_base64="x")


def test_it_sorts_by_price_and_in_the_currency_asked_for(answer: Answer) -> None:
    rows = found(answer, image_base64="x", sort_type="price", sort_order="desc", currency="EUR")
    prices = [float(row["price"]["sale"]["value"]) for row in rows["data"]["products"]]
    assert prices == sorted(prices, reverse=True)
    row = rows["data"]["products"][0]
    assert row["price"]["sale"]["currency"] == row["target_sale_price_currency"] == "EUR"
    assert row["price"]["sale"]["value"] == row["target_sale_price"]


def test_the_older_method_looks_at_the_file(answer: Answer) -> None:
    def ids(picture: bytes, **params: str) -> list[int]:
        files = {"image_file_bytes": picture}
        data = answer(OLD, {"shpt_to": "US", **params}, files=files)
        assert (data["rsp_code"], data["rsp_msg"]) == ("200", "Call succeeds")
        rows = data["data"]["products"]["traffic_image_product_d_t_o"]
        return [row["product_id"] for row in rows]

    assert ids(b"\x89PNG 1") == ids(b"\x89PNG 1")
    assert len({tuple(ids(bytes([n]))) for n in range(20)}) > 3
    assert len(ids(b"1", product_cnt="3")) == 3
