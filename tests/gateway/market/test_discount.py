"""A price that moves while the sandbox runs: every reply follows, what was ordered does not."""

import json
import threading
from typing import Any

import pytest

import alinb
from alinb.errors import InputError
from alinb.gateway import Sandbox
from alinb.gateway.market.provoked import order_params
from alinb.gateway.market.sales import AFFILIATE, between

LAMPS = {"keyWord": "lamp", "local": "en_US", "countryCode": "US", "currency": "USD"}
SEARCH, ORDER = "aliexpress.ds.text.search", "aliexpress.trade.ds.order.get"


@pytest.fixture
def box() -> Sandbox:
    return Sandbox(products=300)


def found(client: alinb.Client) -> Any:
    return client.call(SEARCH, **LAMPS).frame().set_index("itemId")


def prices(client: alinb.Client, number: str) -> dict[str, float]:
    """The sale price of a product by every method that names one, in dollars."""
    detail = client.call("aliexpress.ds.product.get", product_id=number, ship_to_country="US")
    affiliate = client.call("aliexpress.affiliate.productdetail.get", product_ids=number)
    return {
        "search": found(client)["targetSalePrice_amount"][number],
        "detail": detail.frame(each="skus")["offer_sale_price_amount"].min(),
        "affiliate": affiliate.frame()["target_sale_price_amount"].min(),
    }


def test_every_method_follows_from_the_next_call_on(box: Sandbox) -> None:
    with alinb.Client(box, journal=False) as client:
        client.exchange(box.code())
        before = found(client)
        number, other = before.index[0], before.index[1]
        first = prices(client, number)
        box.discount(number, 50)
        half = prices(client, number)
        box.discount(int(number), 0)
        full = prices(client, number)
        after = found(client)
    assert len(set(first.values())) == len(set(half.values())) == len(set(full.values())) == 1
    assert full["search"] == pytest.approx(2 * half["search"], abs=0.011)
    assert after["discount"][number] == "0%" != before["discount"][number]
    assert after.drop(number).equals(before.drop(number))
    assert other in after.index


def test_what_was_ordered_keeps_its_price(box: Sandbox) -> None:
    market = box.gateway.market

    def cost(client: alinb.Client, order: int) -> Any:
        asked = {"single_order_query": json.dumps({"order_id": order})}
        return client.call(ORDER, **asked).data["aliexpress_trade_ds_order_get_response"]["result"][
            "order_amount"
        ]

    with alinb.Client(box, journal=False) as client:
        client.exchange(box.code())
        made = client.call("aliexpress.ds.order.create", **order_params(market))
        (order,) = made.data["aliexpress_ds_order_create_response"]["result"]["order_list"][
            "number"
        ]
        before = cost(client, order)
        now = box.gateway.clock()
        others = [sale.total() for sale in between(market, AFFILIATE, 0, now, now)]
        for number in market.ids:
            box.discount(number, 99)
        market.sale.cache_clear()
        assert cost(client, order) == before
        assert [sale.total() for sale in between(market, AFFILIATE, 0, now, now)] == others


def test_the_order_by_price_and_the_pages_follow(box: Sandbox) -> None:
    with alinb.Client(box, journal=False) as client:
        client.exchange(box.code())
        asked = {**LAMPS, "sortBy": "min_price,asc"}
        dearest = client.call(SEARCH, **{**LAMPS, "sortBy": "min_price,desc"}).frame()["itemId"][0]
        assert client.call(SEARCH, **asked).frame()["itemId"][0] != dearest
        box.discount(dearest, 99)
        assert client.call(SEARCH, **asked).frame()["itemId"][0] == dearest


def test_a_reply_that_is_being_made_meanwhile_is_not_kept(box: Sandbox) -> None:
    """A price is changed between the reading of the product and the keeping of the page."""
    market = box.gateway.market
    number = market.ids[0]
    reading, changed = threading.Event(), threading.Event()

    def slow() -> int:
        was = market.at(0).discount
        reading.set()
        assert changed.wait(5)
        return was

    kept: list[int] = []
    thread = threading.Thread(target=lambda: kept.append(market.kept("what", slow)))
    thread.start()
    assert reading.wait(5)
    first = market.at(0).discount
    assert market.discount(number, first + 1)
    changed.set()
    thread.join(5)
    assert kept == [first]
    assert market.kept("what", lambda: market.at(0).discount) == first + 1


@pytest.mark.parametrize("percent", [-1, 100, 12.5, "75", None, float("nan")])
def test_a_percentage_that_cannot_be_is_refused(box: Sandbox, percent: Any) -> None:
    with pytest.raises(InputError, match="whole number from 0 to 99"):
        box.discount(box.gateway.market.ids[0], percent)


@pytest.mark.parametrize("number", ["1", 1, "", "lamp", -5, "9" * 5000, 1.5])
def test_an_id_that_no_product_has_is_refused(box: Sandbox, number: Any) -> None:
    with pytest.raises(InputError, match="one that a search finds"):
        box.discount(number, 10)
