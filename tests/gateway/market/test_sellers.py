"""The sellers' marketplaces: flat replies, orders by offset, the refusal of their guides."""

from collections.abc import Callable
from typing import Any

import pytest

from alinb.gateway.methods import Market
from alinb.gateway.refusals import Refusal

Answer = Callable[..., dict[str, Any]]


def test_replies_are_flat_with_a_code_of_nought(answer: Answer) -> None:
    since = {"created_after": "2026-12-01T00:00:00+08:00"}
    for name in ("/seller/get", "/products/get", "/orders/get"):
        said = answer(name, since)
        assert said.keys() == {"code", "data"}
        assert said["code"] == "0"
    assert answer("/seller/get")["data"]["seller_id"] == "buyer"


def test_products_are_covered_once_by_offset(answer: Answer, market: Market) -> None:
    ids: list[int] = []
    for offset in range(0, 300, 50):
        data = answer("/products/get", {"offset": str(offset), "limit": "99"})["data"]
        ids += [row["item_id"] for row in data["products"]]
        assert data["total_products"] == 240
    assert tuple(ids) == market.ids


def test_orders_can_be_narrowed_and_read(answer: Answer, market: Market) -> None:
    params = {"created_after": "2026-12-01", "limit": "100"}
    data = answer("/orders/get", params)["data"]
    assert data["count"] == data["countTotal"] == len(data["orders"]) > 10
    for order in data["orders"]:
        assert answer("/order/get", {"order_id": str(order["order_id"])})["data"] == order
        assert all(market.product(number) for number in order["item_ids"])
    sent = answer("/orders/get", {**params, "status": "shipped"})["data"]["orders"]
    assert 0 < len(sent) < data["count"]
    assert {tuple(order["statuses"]) for order in sent} == {("shipped",)}
    none = answer("/orders/get", {**params, "created_before": "2026-12-02"})["data"]["orders"]
    assert len(none) <= 1


def test_an_order_of_another_seller_is_an_invalid_id(answer: Answer) -> None:
    order = answer("/orders/get", {"created_after": "2026-12-01"})["data"]["orders"][0]
    said = answer("/order/get", {"order_id": str(order["order_id"])}, user="another")
    assert said == {"type": "ISV", "code": "16", "message": "E016: Invalid Order ID"}


@pytest.mark.parametrize("text", ["", "yesterday"])
def test_orders_need_a_beginning(answer: Answer, text: str) -> None:
    with pytest.raises(Refusal) as refused:
        answer("/orders/get", {"created_after": text})
    assert (refused.value.code, refused.value.parameter) == ("MissingParameter", "created_after")
