"""Frames of every known method, in every shape that the gateway has for a reply."""

import json
import random
import re
from typing import Any

import pandas as pd
import pytest

import alinb
from alinb.frames import Table, facts
from alinb.knowledge import load
from tests.frames.shapes import (
    ALIKE,
    FOLDER,
    SAMPLES,
    cells,
    live,
    lost,
    reference,
    sample,
    simple,
)

METHODS = sorted(load("records")["methods"])
FILES = [path.stem for path in SAMPLES]
P, S, ORDER = 1_005_004_000_000_017, 12_000_047_000_000_019, 8_190_000_000_000_017


def tables_of(name: str, body: bytes | None = None) -> dict[str, pd.DataFrame]:
    held = sample(name)
    table = Table(name if name in ALIKE else held["method"])
    table.add(live(name) if body is None else body, held["params"])
    return table.tables()


def row(table: pd.DataFrame, number: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = table.iloc[number].to_dict()
    return found


def test_every_method_has_a_sample():
    assert set(METHODS) == {sample(name)["method"] for name in FILES} | set(ALIKE)
    # Of other platforms a reply is read by the generic rule.
    rest = set(load("methods")["methods"]) - set(METHODS)
    assert all(name.startswith("/") for name in rest)


@pytest.mark.parametrize("name", [*FILES, *ALIKE])
def test_all_shapes_give_the_same_tables(name):
    expected = tables_of(name)
    whole = facts.method(sample(name)["method"]).paths == (".",)
    # Where the whole of it is the record, an id beside the root is none of the record's.
    for body in (simple(name),) if whole else (simple(name), reference(name)):
        found = tables_of(name, body)
        assert [*found] == [*expected]
        for table in found:
            pd.testing.assert_frame_equal(
                found[table].sort_index(axis=1), expected[table].sort_index(axis=1)
            )


@pytest.mark.parametrize("name", [n for n in (*FILES, *ALIKE) if "token" not in n])
def test_nothing_is_left_out(name):
    reply = json.loads(live(name))
    assert lost(reply, cells(tables_of(name))) == set()
    assert lost(reply | {"x": {"y": "lost"}}, cells(tables_of(name))) == {"lost"}
    # The same for somebody who knows nothing of the method.
    table = Table("some.other.method")
    table.add(live(name))
    assert lost(reply, cells(table.tables())) == set()


@pytest.mark.parametrize("name", [*FILES, *ALIKE])
def test_columns_are_the_same_whatever_the_page_holds(name):
    """From no record, from every other field, from all: the same columns, order and types."""
    held = sample(name)
    method = name if name in ALIKE else held["method"]
    full = tables_of(name)
    rng = random.Random(name)
    half = tables_of(name, json.dumps(_thinned(json.loads(live(name)), rng)).encode())
    for table, empty in Table(method).tables().items():
        if table == "replies":
            continue
        # Row numbers stand in for keys that are missing.
        fixed = [c for c in empty.columns if not c.endswith("_row")]
        for other in (full[table], half[table]):
            assert [c for c in other.columns if c in fixed] == fixed
            assert [other[c].dtype for c in fixed] == [empty[c].dtype for c in fixed]


def _thinned(value: Any, draw: random.Random) -> Any:
    """The same reply, half of the plain values in its records missing."""
    if isinstance(value, list):
        return [_thinned(v, draw) if not isinstance(v, dict) else _sparse(v, draw) for v in value]
    if isinstance(value, dict):
        return {k: _thinned(v, draw) for k, v in value.items()}
    return value


def _sparse(record: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    return {
        key: _thinned(inner, draw)
        for key, inner in record.items()
        if isinstance(inner, dict | list) or draw.random() < 0.5
    }


@pytest.mark.parametrize("name", METHODS)
def test_the_verdict_is_where_the_facts_say(name):
    path = load("records")["methods"][name].get("verdict")
    if path is None:
        return
    reply = alinb.replies.read(200, live(name), name)
    value: Any = reply.payload
    for step in path.split("."):
        value = value[step]
    assert alinb.replies.is_success(value)
    assert reply.verdict == "ok"


@pytest.mark.parametrize("name", [n for n in METHODS if not n.startswith("/auth")])
def test_ids_are_never_floats(name):
    for frame in tables_of(name).values():
        for column in frame.columns:
            if facts.is_id(column) and not column.endswith("attempt_id"):
                assert str(frame[column].dtype) == "str", column


class TestProduct:
    @pytest.fixture
    def tables(self) -> dict[str, pd.DataFrame]:
        return tables_of("aliexpress.ds.product.get")

    def test_the_product(self, tables):
        found = row(tables["products"])
        assert found["product_id"] == str(P)
        assert found["sub_product_id.US"] == str(P + 2**51)
        assert (found["sales_count"], found["sales_count_at_least"]) == ("1,000+", 1000)
        assert found["avg_evaluation_rating"] == 4.8
        assert found["image_urls"] == [
            f"https://ae01.alicdn.com/kf/Sinvented{n}.jpg" for n in (1, 2, 3)
        ]
        assert len(tables["products"]) == 1

    def test_its_skus(self, tables):
        skus = tables["skus"]
        assert list(skus["sku_id"]) == [str(S), str(S + 1)]
        assert list(skus["offer_sale_price"]) == ["7.25", "8.25"]
        assert list(skus["offer_sale_price_amount"]) == [7.25, 8.25]
        assert set(skus["offer_sale_price_currency"]) == {"EUR"}
        assert set(skus["product_id"]) == {str(P)}
        assert list(skus["buy_amount_limit_set_by_promotion"]) == [3, 3]
        assert list(skus["barcode"]) == ["0320325455"] * 2
        assert list(skus["price_include_tax"]) == [False, False]

    def test_what_joins_the_tables(self, tables):
        properties = tables["sku_properties"]
        assert list(properties.columns[:2]) == ["product_id", "sku_id"]
        joined = properties.merge(tables["skus"], on=["product_id", "sku_id"])
        assert list(joined["sku_property_value"]) == ["Black", "China"] * 2
        assert list(tables["images"]["image_url"]) == row(tables["products"])["image_urls"]
        assert list(tables["store"]["communication_rating"]) == [4.6]
        assert list(tables["package"]["gross_weight"]) == [0.05]
        assert list(tables["videos"]["media_id"]) == ["296000000001"]
        assert list(tables["manufacturer"]["email"]) == ["shop@halvex.example"]

    def test_wholesale_prices_take_the_currency_of_their_sku(self):
        tiers = tables_of("aliexpress.ds.product.wholesale.get")["wholesale_prices"]
        assert list(tiers["wholesale_price_amount"]) == [6.9, 6.4]
        assert list(tiers["wholesale_price_currency"]) == ["EUR", "EUR"]
        assert list(tiers["min_quantity"]) == [5, 20]


class TestSearches:
    def test_text_search(self):
        found = tables_of("aliexpress.ds.text.search")["products"]
        assert list(found["orders_at_least"]) == [5000, 7]
        assert list(found["evaluateRate_percent"]) == [89.2, 89.2]
        assert list(found["discount_percent"]) == [55.0, 55.0]
        assert list(found["originMinPrice.cent_amount"]) == [3.29, 3.29]
        assert list(found["originMinPrice.showDecimal"]) == [True, True]
        assert list(found["productVideoUrl"].isna()) == [True, False]
        assert found.attrs["total"] == 3984
        assert "originMinPrice" not in found.columns

    def test_json_that_cannot_be_decoded_stays_text(self):
        held = sample("aliexpress.ds.text.search")["reply"]
        text = json.dumps(held).replace('{\\"thousandsChar', '{broken \\"thousandsChar', 1)
        found = alinb.frame(text)
        assert found["originMinPrice"][0].startswith("{broken")
        assert list(found["originMinPrice.cent"].isna()) == [True, False]

    def test_both_documented_shapes_of_the_image_search(self):
        nested = tables_of("aliexpress.ds.image.searchV2")["products"]
        flat = tables_of("aliexpress.ds.image.searchV2.reference")["products"]
        assert list(nested.columns) == list(flat.columns)
        assert list(nested["price.sale.value_amount"]) == [0.99, 1.11]
        assert list(nested["volume_at_least"]) == [700, 6]
        assert list(nested["evaluate_rate"].isna()) == [False, True]
        assert list(flat["target_sale_price_amount"]) == [0.99]
        assert list(flat["latest_volume_at_least"]) == [700]
        assert nested.attrs["total"] == 89

    def test_affiliate(self):
        found = tables_of("aliexpress.affiliate.product.query")["products"]
        assert list(found["original_price_amount"]) == [1209.0, 1219.0]
        assert list(found["evaluate_rate_percent"]) == [97.8, 97.8]
        assert list(found["sku_id"]) == [str(S), str(S + 1)]
        assert list(found["promo_code_info.promo_code"].isna()) == [True, False]
        assert found.attrs["total"] == 431


class TestOrders:
    def test_cents_and_pacific_time(self):
        found = tables_of("aliexpress.affiliate.order.list")["orders"]
        assert list(found["paid_amount"]) == [1299, 1299]
        # A yen has no hundredths.
        assert list(found["paid_amount_amount"]) == [12.99, 1299.0]
        assert list(found["paid_amount_currency"]) == ["USD", "JPY"]
        first = row(found)
        assert first["created_time_utc"] == pd.Timestamp("2026-07-01 16:10", tz="UTC")
        # 01:30 came twice that night; the first is meant.
        assert first["paid_time_utc"] == pd.Timestamp("2026-11-01 08:30", tz="UTC")
        assert pd.isna(first["finished_time_utc"])
        assert found.attrs["zones"]["created_time"] == "America/Los_Angeles"

    def test_numbers_that_came_as_text(self):
        found = row(tables_of("aliexpress.ds.commissionorder.listbyindex")["orders"])
        assert (found["finished_amount"], found["finished_amount_amount"]) == (1299, 12.99)
        # 01:30 stands, 02:30 would not exist that night.
        assert found["created_time_utc"] == pd.Timestamp("2026-03-08 09:30", tz="UTC")
        assert found["paid_time_utc"] == pd.Timestamp("2026-03-08 10:30", tz="UTC")

    def test_a_dropshipping_order(self):
        tables = tables_of("aliexpress.trade.ds.order.get")
        found = row(tables["orders"])
        assert found["order_id"] == str(ORDER)
        assert (found["order_amount"], found["order_amount_amount"]) == ("8.12", 8.12)
        assert found["user_order_amount_currency"] == "EUR"
        assert found["gmt_create_utc"] == pd.Timestamp("2024-09-10 04:00:03", tz="UTC")
        paid = pd.Timestamp("2024-09-10 04:05:44.123", tz="UTC")
        assert found["order_paidtime_string_utc"] == paid
        assert tables["orders"].attrs["zones"] == {
            "gmt_create": "America/Los_Angeles, inferred",
            "order_paidtime_string": "America/Los_Angeles",
        }
        lines = tables["child_orders"]
        assert list(lines["order_id"]) == [str(ORDER)] * 2
        assert list(lines["actual_fee_amount"]) == [8.12, 3.0]
        assert list(lines["shipping_fee_amount"].isna()) == [False, True]
        assert list(tables["logistics"]["logistics_no"]) == ["LP00000000000001"]
        assert list(tables["store"]["store_id"]) == ["1100000001"]

    def test_without_the_request_rows_are_joined_by_number(self):
        table = Table("aliexpress.trade.ds.order.get")
        for _ in range(2):
            table.add(live("aliexpress.trade.ds.order.get"))
        lines = table.frame("child_orders")
        assert list(lines["orders_row"]) == [0, 0, 1, 1]
        assert list(table.frame("child_orders", joined=True)["order_status"]) == ["FINISH"] * 4

    def test_tracking(self):
        tables = tables_of("aliexpress.ds.order.tracking.get")
        assert list(tables)[:3] == ["details", "nodes", "packages"]
        arrives = pd.Timestamp(1740273780000, unit="ms", tz="UTC")
        assert row(tables["details"])["eta_time_stamps_utc"] == arrives
        nodes = tables["nodes"]
        assert list(nodes.columns[:2]) == ["order_id", "mail_no"]
        assert len(nodes) == 2
        assert nodes["time_stamp_utc"].dt.tz is not None
        assert list(tables["packages"]["sku_id"]) == [str(S)]
        assert nodes.attrs["zones"]["time_stamp"].startswith("UTC")

    def test_created_orders(self):
        assert list(tables_of("aliexpress.ds.order.create")["orders"]["order_id"]) == [
            str(ORDER), str(ORDER + 1),
        ]  # fmt: skip


class TestDelivery:
    def test_a_cent_that_is_none(self):
        found = row(tables_of("aliexpress.ds.freight.query")["options"])
        assert (found["shipping_fee_cent"], found["shipping_fee_cent_amount"]) == ("1.99", 1.99)
        assert found["shipping_fee_cent_currency"] == "EUR"
        assert (found["product_id"], found["sku_id"]) == (str(P), str(S))
        assert (found["available_stock"], found["guaranteed_delivery_days"]) == (76, 60)
        assert found["free_shipping_threshold"] == "0,00€"

    def test_a_fee_in_the_currency_asked_for(self):
        found = row(tables_of("aliexpress.affiliate.product.shipping.get")["shipping"])
        assert (found["shipping_fee_amount"], found["shipping_fee_currency"]) == (1.99, "EUR")

    def test_money_as_an_object(self):
        found = row(tables_of("aliexpress.logistics.buyer.freight.calculate")["options"])
        assert (found["freight"], found["freight_amount"], found["freight_cent"]) == (
            "23.10", 23.1, 2310,
        )  # fmt: skip
        assert found["tracking_available"] is True

    def test_a_tree_of_places(self):
        found = tables_of("aliexpress.ds.address.get")["addresses"]
        assert list(found["name"][1:]) == [
            "Invented Province", "Far Province", "First City", "Second City",
        ]  # fmt: skip
        assert list(found["level"]) == [0, 1, 1, 2, 2]
        assert list(found["parent"])[3:] == ["Invented Province"] * 2
        assert list(found["parent_row"])[1:] == [0, 0, 1, 1]
        assert row(found)["country"] == "FR"


def test_ids_of_a_feed():
    tables = tables_of("aliexpress.ds.feed.itemids.get")
    assert list(tables["items"]["product_id"]) == [str(P + n) for n in range(3)]
    assert set(tables["items"]["feed_name"]) == {"DS bestseller"}
    assert row(tables["replies"])["result.search_id"] == "s-1"
    assert tables["items"].attrs["total"] == 57


@pytest.mark.parametrize("nothing", ["{}", "[]", "null"])
def test_an_empty_list_in_each_of_its_forms(nothing):
    inside = {"rsp_code": 200, "result": {"products": json.loads(nothing), "total": 0}}
    frame = alinb.frame({"aliexpress_ds_feed_itemids_get_response": inside})
    assert frame.empty
    assert list(frame.columns) == ["feed_name", "product_id"]


def test_a_missing_list_is_empty_too():
    frame = alinb.frame(
        '{"aliexpress_ds_text_search_response":{"code":"00","data":{"totalCount":0}}}'
    )
    assert frame.empty
    assert frame.columns[0] == "itemId"


class TestTokens:
    def test_tokens_and_personal_data_do_not_reach_a_table(self):
        held = sample("_auth_token_create")["reply"]
        tables = tables_of("_auth_token_create")
        shown = " ".join(table.to_csv() + repr(table.attrs) for table in tables.values())
        for name in ("access_token", "refresh_token", "account", "user_nick"):
            assert held[name] not in shown
            assert held[name] not in repr(cells(tables))
        found = row(tables["tokens"])
        assert found["access_token"].startswith("‹access_token ")
        assert found["expire_time_utc"] == pd.Timestamp(1711693026000, unit="ms", tz="UTC")

    def test_a_token_deep_inside_an_unknown_reply(self):
        secret = "canary-9f31c7"
        for inside in ({"access_token": secret}, {"a": [{"refresh_token": secret}]},
                       {"session": secret, "n": 1}, {"x": {"app_secret": secret}}):  # fmt: skip
            table = Table("some.method")
            table.add(json.dumps({"result": {"ok": 1, **inside}}))
            assert secret not in repr(cells(table.tables()))

    def test_a_token_that_the_reply_repeats(self):
        secret = "5000canary9f31c7"
        table = Table("some.method")
        table.add(json.dumps({"result": {"echo": f"you sent {secret}"}}), {"session": secret})
        assert secret not in repr(cells(table.tables()))
        assert secret not in repr(table.frame().attrs)
        assert secret not in repr(table)


def test_the_samples_hold_no_secret_and_say_where_they_are_from():
    for path in FOLDER.glob("*.json"):
        held = json.loads(path.read_text(encoding="utf-8"))
        assert held["source"].endswith("all values invented")
        assert set(held) == {"method", "params", "source", "reply"}
        assert not re.search(r"5000[0-9a-zA-Z]{20}", path.read_text(encoding="utf-8"))
