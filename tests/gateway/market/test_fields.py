"""Every documented field of every reply is there, once the objects around lists are gone."""

import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alinb.gateway.market.provoked import freight_params, in_stock, order_params
from alinb.gateway.market.sales import AFFILIATE, account, between
from alinb.gateway.methods import ANSWERS, Asked, Market, missing
from alinb.gateway.refusals import Refusal

NOW = 1_800_000_000.0
SHARED = Path(os.environ.get("ALINB_SHARED", Path(__file__).parents[4] / "shared")) / "methods.json"
FIELDS = tomllib.loads(Path(__file__).with_name("fields.toml").read_text(encoding="utf-8"))
SPAN = {"start_time": "2026-01-01", "end_time": "2027-12-31"}
PLACE = {"local": "en_US", "countryCode": "US", "currency": "USD"}


def documented(tree: str) -> set[str]:
    """The paths of a tree as fields.toml writes it."""
    for name, fields in FIELDS["records"].items():
        tree = tree.replace(f"@{name}", fields)
    paths, stack, last = set(), [""], ""
    for token in re.findall(r"\w+|[{}]", tree):
        if token == "{":
            stack.append(f"{last}.")
        elif token == "}":
            stack.pop()
        else:
            last = stack[-1] + token
            paths.add(last)
    return paths


def paths_of(value: Any, start: str = "") -> Iterator[str]:
    """Every path in a payload, lists and the objects around them looked through."""
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(next(iter(value.values())), list):
            yield from paths_of(next(iter(value.values())), start)
            return
        for key, inner in value.items():
            path = f"{start}.{key}" if start else key
            yield path
            yield from paths_of(inner, path)
    elif isinstance(value, list):
        for item in value:
            yield from paths_of(item, start)


def asks(name: str, market: Market) -> list[dict[str, str]]:
    """Calls that succeed or fail as callers meet them."""
    products = [{"product_id": str(number), "ship_to_country": country}
                for number in market.ids for country in ("US", "FR", "KP")]  # fmt: skip
    newest = [*between(market, account("buyer"), 0, NOW, NOW)]
    earned = [*between(market, AFFILIATE, NOW - 1e7, NOW, NOW)]
    sku = {"product_id": str(in_stock(market).id), "sku_id": str(in_stock(market).cheapest.id)}
    many = {"page_size": "50"}
    span = [{**SPAN, "status": status} for status in ("Completed Settlement", "Invalid")]
    known: dict[str, list[dict[str, str]]] = {
        "aliexpress.ds.product.get": products,
        "aliexpress.ds.product.wholesale.get": products,
        "aliexpress.ds.product.specialinfo.get": [
            {"itemId": str(market.ids[0]), "countryCodes": '["FR"]', "appKey": "1"}],
        "aliexpress.ds.text.search": [{**PLACE, "pageSize": "50"}, {**PLACE, "sortBy": "no"}],
        "aliexpress.ds.freight.query": [
            dict(freight_params(market, shipToCountry=country)) for country in ("US", "FR", "KP")],
        "aliexpress.logistics.buyer.freight.calculate": [
            {"param_aeop_freight_calculate_for_buyer_d_t_o": json.dumps({
                "product_id": market.ids[0], "product_num": 1, "country_code": country,
                "send_goods_country_code": "CN"})} for country in ("US", "KP")],
        "aliexpress.ds.feed.itemids.get": [{"feed_name": "DS bestseller"}],
        "aliexpress.ds.order.create": [
            order_params(market), order_params(market, address={"city": ""})],
        "aliexpress.trade.ds.order.get": [
            {"single_order_query": json.dumps({"order_id": sale.id})} for sale in newest],
        "aliexpress.ds.order.tracking.get": [
            {"ae_order_id": str(sale.id), "language": "en_US"} for sale in newest],
        "aliexpress.affiliate.order.list": span,
        "aliexpress.affiliate.order.listbyindex": span,
        "aliexpress.affiliate.order.get": [{"order_ids": str(earned[0].id)}],
        "aliexpress.affiliate.productdetail.get": [
            {"product_ids": ",".join(map(str, market.ids[:50]))}],
        "aliexpress.affiliate.hotproduct.download": [
            {"category_id": "44,7,39,509,1511,26,66,15", **many}],
        "aliexpress.affiliate.product.smartmatch": [{"device_id": "d", "page_size": "50"}],
        "aliexpress.affiliate.link.generate": [
            {"promotion_link_type": "0", "tracking_id": "t",
             "source_values": "https://www.aliexpress.com/item/1.html,https://example.com"}],
        "aliexpress.affiliate.product.shipping.get": [
            {**sku, "ship_to_country": "US", "target_currency": "USD", "target_language": "EN",
             "target_sale_price": "1", "tax_rate": "0"}],
        "aliexpress.affiliate.product.sku.detail.get": [
            {**sku, "ship_to_country": "US", "target_currency": "USD", "target_language": "EN",
             "need_deliver_info": "Yes"}],
        "/aliexpress/xinghe/merchant/license/get": [{"param0": '{"sellerAdminSeq": "7"}'}],
        "aliexpress.ds.search.event.report": [{"report_text": "{}"}],
    }  # fmt: skip
    return known.get(name, [many])


def given(name: str, market: Market) -> set[str]:
    found: set[str] = set()
    for params in asks(name, market):
        assert missing(name, params) == "", "the test asks properly"
        try:
            found |= set(paths_of(ANSWERS[name](Asked(market, params, "buyer", NOW))))
        except Refusal:
            continue
    return found


@pytest.mark.parametrize("name", FIELDS["methods"])
def test_every_documented_field_is_there(name: str, market: Market) -> None:
    absent = documented(FIELDS["methods"][name]) - given(name, market)
    # The reference's demo has flat records at result.data; the Search page, followed here, has
    # them one key deeper, where the object around a list is looked through.
    assert absent == set()


@pytest.mark.skipif(not SHARED.exists(), reason="no list of methods beside the project")
def test_the_list_beside_the_project_says_the_same() -> None:
    listed = json.loads(SHARED.read_text(encoding="utf-8"))["methods"]
    business = {each["name"]: {field["path"] for field in each["reply_fields"]}
                for each in listed if not each["name"].startswith("/auth/")}  # fmt: skip
    assert {name: documented(tree) for name, tree in FIELDS["methods"].items()} == business
    for each in listed:
        required = {p["name"] for p in each["params"] if p["required"] and "." not in p["name"]}
        for name in required:
            assert missing(each["name"], dict.fromkeys(required - {name}, "1")) == name


def test_a_tree_of_fields_is_read_by_its_braces() -> None:
    assert documented("a{b c{d} e} f") == {"a", "a.b", "a.c", "a.c.d", "a.e", "f"}
    assert set(paths_of({"a": {"x": [{"b": 1}, {"c": {"number": [1]}}]}})) == {"a", "a.b", "a.c"}


@pytest.mark.parametrize(
    ("name", "path", "key"),
    [
        ("aliexpress.ds.product.get", "result.ae_item_sku_info_dtos", "ae_item_sku_info_d_t_o"),
        ("aliexpress.ds.text.search", "data.products", "selection_search_product"),
        ("aliexpress.ds.freight.query", "result.delivery_options", "delivery_option_d_t_o"),
        ("aliexpress.ds.order.create", "result.order_list", "number"),
        ("aliexpress.ds.feed.itemids.get", "result.products", "number"),
        ("aliexpress.trade.ds.order.get", "result.child_order_list", "aeop_child_order_info"),
        ("aliexpress.affiliate.order.list", "resp_result.result.orders", "order"),
        ("aliexpress.affiliate.category.get", "resp_result.result.categories", "category"),
        ("aliexpress.affiliate.product.query", "resp_result.result.products", "product"),
    ],
)
def test_a_list_has_the_object_of_live_replies_around_it(
    name: str, path: str, key: str, market: Market, answer: Callable[..., dict[str, Any]]
) -> None:
    value: Any = answer(name, asks(name, market)[0])
    for step in path.split("."):
        value = value[step]
    assert value.keys() == {key}
    assert isinstance(value[key], list)
