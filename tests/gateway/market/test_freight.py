"""Freight: fees in the currency asked for, refusals in the payload, dates from the clock."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from alinb.gateway.market.provoked import freight_params, in_stock
from alinb.gateway.methods import Market
from alinb.gateway.refusals import Refusal

Answer = Callable[..., dict[str, Any]]
QUERY, OLD = "aliexpress.ds.freight.query", "aliexpress.logistics.buyer.freight.calculate"


def options(answer: Answer, market: Market, **changed: Any) -> list[dict[str, Any]]:
    result = answer(QUERY, dict(freight_params(market, **changed)))["result"]
    assert (result["success"], result["code"]) == (True, 200)
    rows: list[dict[str, Any]] = result["delivery_options"]["delivery_option_d_t_o"]
    return rows


def test_options_are_cheapest_first_and_hold_a_decimal_of_the_major_unit(
    answer: Answer, market: Market
) -> None:
    rows = options(answer, market, shipToCountry="FR", currency="EUR")
    fees = [float(row["shipping_fee_cent"]) for row in rows]
    assert fees == sorted(fees)
    for row in rows:
        shown = row["shipping_fee_format"].rstrip("€").replace(",", ".")
        assert shown == row["shipping_fee_cent"]
        assert row["min_delivery_days"] < row["max_delivery_days"]
        assert row["free_shipping"] is (float(row["shipping_fee_cent"]) == 0)
        assert row["shipping_fee_currency"] == "EUR"


def test_more_pieces_cost_more_and_the_date_follows_the_clock(
    answer: Answer, market: Market
) -> None:
    one, five = (options(answer, market, quantity=n)[-1] for n in ("1", 5))
    assert float(five["shipping_fee_cent"]) > float(one["shipping_fee_cent"])
    assert one["delivery_date_desc"].startswith(("Jan.", "Feb."))


def test_a_variant_without_stock_or_of_another_product_has_no_delivery(
    answer: Answer, market: Market
) -> None:
    sold_out = next(p for p in market.everything if not any(sku.stock for sku in p.skus))
    for changed in (
        {"productId": str(sold_out.id), "selectedSkuId": str(sold_out.cheapest.id)},
        {"selectedSkuId": str(sold_out.cheapest.id)},
        {"productId": "1"},
    ):
        result = answer(QUERY, dict(freight_params(market, **changed)))["result"]
        assert result == {"success": False, "code": 501, "msg": "DELIVERY_INFO_EMPTY"}


@pytest.mark.parametrize("country", ["KP", "USA", "", "1", "ß1"])
def test_a_country_that_nothing_is_sent_to_is_505(
    answer: Answer, market: Market, country: str
) -> None:
    result = answer(QUERY, dict(freight_params(market, shipToCountry=country)))["result"]
    assert (result["code"], "delivery_options" in result) == (505, False)


@pytest.mark.parametrize("name", ["quantity", "locale", "selectedSkuId", "currency"])
def test_a_required_member_is_named(answer: Answer, market: Market, name: str) -> None:
    asked = json.loads(freight_params(market)["queryDeliveryReq"])
    del asked[name]
    with pytest.raises(Refusal) as refused:
        answer(QUERY, {"queryDeliveryReq": json.dumps(asked)})
    assert (refused.value.code, refused.value.parameter) == ("MissingParameter", name)


def test_the_predecessor_gives_the_same_fees(answer: Answer, market: Market) -> None:
    p = in_stock(market)
    asked = {"product_id": p.id, "product_num": 1, "country_code": "US",
             "send_goods_country_code": "CN", "price_currency": "USD"}  # fmt: skip
    name = "param_aeop_freight_calculate_for_buyer_d_t_o"
    result = answer(OLD, {name: json.dumps(asked)})["result"]
    rows = result["aeop_freight_calculate_result_for_buyer_d_t_o_list"][
        "aeop_freight_calculate_result_for_buyer_d_t_o"]  # fmt: skip
    assert [row["freight"]["amount"] for row in rows] == [
        row["shipping_fee_cent"] for row in options(answer, market)]  # fmt: skip
    assert all(int(float(r["freight"]["amount"]) * 100 + 0.5) == r["freight"]["cent"] for r in rows)
    refused = answer(OLD, {name: json.dumps({**asked, "country_code": "KP"})})["result"]
    assert refused == {"success": False, "error_desc": "DELIVERY_NOT_AVAILABLE_TO_YOUR_ADDRESS"}
