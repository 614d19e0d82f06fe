"""Replies as frames: ids that survive, money that stays text, lists without their wrapping."""

import copy
import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

import alinb
from alinb.frames import amount, frame

SEARCH, DETAIL = "aliexpress.ds.text.search", "aliexpress.ds.product.get"
QUERY = "aliexpress.affiliate.product.query"
WHERE = {"local": "en_US", "countryCode": "US", "currency": "EUR"}
#: Past 2**53, and odd, so that a float cannot hold it.
BIG = 12_000_046_860_492_913


@pytest.fixture(scope="module")
def box() -> alinb.Sandbox:
    return alinb.Sandbox(secret="helloworld", products=24)


@pytest.fixture
def client(box: alinb.Sandbox) -> Iterator[alinb.Client]:
    with alinb.Client(box) as client:
        client.exchange(box.code())
        yield client


def affiliate(*products: dict[str, Any], **beside: Any) -> dict[str, Any]:
    """A live reply of the affiliate search around these products."""
    result = {"current_page_no": 1, "total_record_count": 9, "products": {"product": [*products]}}
    inside = {"resp_code": 200, "resp_msg": "Call succeeds", "result": result | beside}
    return {"aliexpress_affiliate_product_query_response": {"resp_result": inside}}


class TestSearch:
    def test_ids_are_text_and_exact(self, client: alinb.Client, box: alinb.Sandbox) -> None:
        table = client.call(SEARCH, keyWord="lamp", **WHERE).frame()
        assert len(table) == 2
        assert str(table["itemId"].dtype) == "str"
        assert {int(number) for number in table["itemId"]} <= set(box.gateway.market.ids)

    def test_money_keeps_its_text_and_gets_an_amount_and_a_currency(
        self, client: alinb.Client
    ) -> None:
        reply = client.call(SEARCH, **WHERE)
        table = reply.frame()
        records = reply.payload["data"]["products"]["selection_search_product"]
        names = list(table.columns)
        for field, currency in (("targetSalePrice", "EUR"), ("targetOriginalPrice", "EUR"),
                                ("salePrice", "CNY"), ("originalPrice", "CNY")):  # fmt: skip
            place = names.index(field)
            assert names[place + 1] == f"{field}_amount"
            assert f"{field}_currency" in names
            assert str(table[field].dtype) == "str"
            assert table[f"{field}_amount"].dtype == "Float64"
            assert list(table[field]) == [record[field] for record in records]
            assert [Decimal(str(n)) for n in table[f"{field}_amount"]] == [
                Decimal(record[field]) for record in records
            ]
            assert set(table[f"{field}_currency"]) == {currency}
        place = names.index("targetSalePrice")
        assert names[place : place + 3] == [
            "targetSalePrice", "targetSalePrice_amount", "targetSalePrice_currency",
        ]  # fmt: skip

    def test_attrs_say_where_the_table_comes_from(self, client: alinb.Client) -> None:
        reply = client.call(SEARCH, pageIndex=2, pageSize=5, **WHERE)
        attrs = reply.frame().attrs
        assert attrs["method"] == SEARCH
        assert attrs["attempt_id"] == reply.attempt_id == 2
        assert attrs["request_id"] == reply.request_id != ""
        assert (attrs["total"], attrs["page"], attrs["page_size"]) == (24, 2, 5)
        assert attrs["params"]["pageIndex"] == "2"
        assert client.token is not None
        assert attrs["params"]["session"].startswith("‹access_token ")
        assert client.token.access_token.reveal() not in str(attrs)

    def test_an_empty_page_is_an_empty_frame(self, client: alinb.Client) -> None:
        table = client.call(SEARCH, keyWord="zzzz", **WHERE).frame()
        assert table.empty
        assert table.attrs["total"] == 0
        assert table.attrs["method"] == SEARCH


class TestAffiliate:
    def test_seventeen_digits_survive(self, client: alinb.Client, box: alinb.Sandbox) -> None:
        reply = client.call(QUERY, page_size=20)
        table = reply.frame()
        records = reply.payload["resp_result"]["result"]["products"]["product"]
        assert [type(record["sku_id"]) for record in records] == [int] * 20
        for name in ("product_id", "sku_id", "shop_id", "first_level_category_id"):
            assert str(table[name].dtype) == "str"
            assert list(table[name]) == [str(record[name]) for record in records]
        assert all(len(number) == 17 for number in table["sku_id"])
        assert all(int(number) > 2**53 for number in table["sku_id"])

    def test_a_list_of_one_field_stays_a_list(self, client: alinb.Client) -> None:
        images = client.call(QUERY).frame()["product_small_image_urls"]
        assert all(isinstance(urls, list) and len(urls) == 6 for urls in images)
        assert all(url.startswith("https://ae01.alicdn.com/") for url in images[0])

    def test_currencies_stand_beside_their_money(self, client: alinb.Client) -> None:
        table = client.call(QUERY, target_currency="KRW").frame()
        assert set(table["target_sale_price_currency"]) == {"KRW"}
        assert set(table["sale_price_currency"]) == {"CNY"}
        assert list(table["target_sale_price_amount"]) == [
            float(text) for text in table["target_sale_price"]
        ]
        assert table.columns.is_unique

    def test_an_empty_result_is_an_empty_frame(self, client: alinb.Client) -> None:
        reply = client.call(QUERY, keywords="zzzz")
        assert reply.verdict == "empty"
        assert reply.frame().empty

    def test_totals(self, client: alinb.Client) -> None:
        attrs = client.call(QUERY, page_size=5, page_no=3).frame().attrs
        assert (attrs["total"], attrs["page"]) == (24, 3)


class TestDetail:
    def test_one_record_becomes_one_row(self, client: alinb.Client, box: alinb.Sandbox) -> None:
        number = box.gateway.market.ids[4]
        reply = client.call(DETAIL, product_id=number, ship_to_country="US")
        table = reply.frame()
        assert len(table) == 1
        row = table.iloc[0]
        assert row["product_id"] == str(number)
        assert row["ship_to_country"] == "US"
        assert row["sub_product_id.US"] == str(number + 2**51)
        assert len(row["image_urls"]) == 6

    def test_the_records_inside_it_are_tables(
        self, client: alinb.Client, box: alinb.Sandbox
    ) -> None:
        number = box.gateway.market.ids[4]
        reply = client.call(DETAIL, product_id=number, ship_to_country="US")
        tables = reply.tables()
        assert [*tables] == [
            "products", "skus", "sku_properties", "wholesale_prices", "properties", "images",
            "videos", "store", "package", "manufacturer", "replies",
        ]  # fmt: skip
        pd.testing.assert_frame_equal(tables["products"], reply.frame())
        inside = reply.payload["result"]["ae_item_sku_info_dtos"]["ae_item_sku_info_d_t_o"]
        assert list(tables["skus"]["sku_id"]) == [sku["sku_id"] for sku in inside]
        assert set(tables["sku_properties"]["sku_id"]) == set(tables["skus"]["sku_id"])
        for name, table in tables.items():
            if name != "replies":
                assert set(table["product_id"]) <= {str(number)}
        assert tables["properties"]["attr_name"][0] == "Brand Name"
        assert tables["products"].attrs["tables"] == {n: len(t) for n, t in tables.items()}

    def test_a_row_for_each_sku(self, client: alinb.Client, box: alinb.Sandbox) -> None:
        number = box.gateway.market.ids[4]
        reply = client.call(DETAIL, product_id=number, ship_to_country="US", target_currency="EUR")
        table = reply.frame(each="skus")
        assert len(table) == len(reply.tables()["skus"])
        assert set(table["subject"]) == {reply.frame()["subject"][0]}
        assert set(table["currency_code"]) == {"EUR"}
        assert set(table["products_currency_code"]) == {"CNY"}
        assert table.columns.is_unique
        with pytest.raises(alinb.InputError, match=r"no table 'lines'.*skus"):
            reply.frame(each="lines")

    def test_an_unknown_product_raises_its_code(self, client: alinb.Client) -> None:
        with pytest.raises(alinb.Refused, match="605: ITEM_ID_NOT_FOUND"):
            client.call(DETAIL, product_id=1, ship_to_country="US").frame()


class TestHoles:
    """Records that lack a field, or hold null in it, as live ones do."""

    def test_ids_beside_a_hole_are_exact(self) -> None:
        table = frame(affiliate({"sku_id": BIG}, {"sku_id": None}, {"product_id": BIG + 2}))
        assert table.loc[0, "sku_id"] == str(BIG) == "12000046860492913"
        assert table.loc[2, "product_id"] == "12000046860492915"
        assert list(table["sku_id"].isna()) == [False, True, True]
        assert list(table["product_id"].isna()) == [True, True, False]
        assert str(table["sku_id"].dtype) == str(table["product_id"].dtype) == "str"

    def test_a_list_of_ids_is_a_list_of_texts(self) -> None:
        table = frame(affiliate({"sku_ids": {"number": [BIG, 1]}}, {"sku_ids": {"number": []}}))
        assert list(table["sku_ids"]) == [["12000046860492913", "1"], []]

    def test_missing_money_is_missing_and_no_word(self) -> None:
        table = frame(
            affiliate(
                {"sale_price": "1.20", "sale_price_currency": "USD"}, {"sale_price": None}, {}
            )
        )
        assert list(table["sale_price"].isna()) == [False, True, True]
        assert list(table["sale_price_amount"].isna()) == [False, True, True]
        assert table.loc[0, "sale_price_amount"] == 1.2

    def test_money_without_a_currency_takes_the_one_asked_for(self) -> None:
        reply = alinb.replies.read(
            200, json.dumps(affiliate({"sale_price": "2"})), QUERY, {"target_currency": "PLN"}
        )
        assert list(frame(reply)["sale_price_currency"]) == ["PLN"]
        assert pd.isna(frame(affiliate({"sale_price": "2"}))["sale_price_currency"][0])

    def test_money_that_came_as_a_number(self) -> None:
        table = frame(affiliate({"sale_price": 12.5, "sale_price_currency": "USD"}))
        assert (table.loc[0, "sale_price"], table.loc[0, "sale_price_amount"]) == ("12.5", 12.5)

    @pytest.mark.parametrize("nothing", [{}, None, {"product": []}, []])
    def test_an_empty_list_in_each_of_its_forms(self, nothing: Any) -> None:
        table = frame(affiliate(products=nothing))
        assert table.empty
        assert table.attrs["total"] == 9

    def test_nested_objects_become_dotted_columns(self) -> None:
        table = frame(affiliate({"a": {"b": {"c": 1, "d": 2}, "e_id": 3}, "x": {}}))
        assert list(table.columns)[-3:] == ["a.b.c", "a.b.d", "a.e_id"]
        assert table.loc[0, "a.e_id"] == "3"


class TestForms:
    """The same reply in every form that `frame` takes gives the same table."""

    @pytest.fixture
    def whole(self, client: alinb.Client) -> dict[str, Any]:
        data: dict[str, Any] = client.call(QUERY, page_size=3).data
        return data

    def test_reply_attempt_dictionary_and_text(
        self, client: alinb.Client, whole: dict[str, Any]
    ) -> None:
        reply = client.call(QUERY, page_size=3)
        assert client.journal is not None
        kept = client.journal.get(reply.attempt_id)
        expected = reply.frame()
        for thing in (reply, kept, whole, json.dumps(whole), json.dumps(whole, indent=1)):
            pd.testing.assert_frame_equal(frame(thing), expected)
            assert frame(thing).attrs["method"] == QUERY
        assert frame(kept).attrs["attempt_id"] == reply.attempt_id
        assert frame(whole).attrs["attempt_id"] is None

    def test_the_simplified_form_gives_the_same_records(
        self, client: alinb.Client, whole: dict[str, Any]
    ) -> None:
        short = client.call(QUERY, page_size=3, simplify=True)
        assert short.shape == "E"
        pd.testing.assert_frame_equal(short.frame(), frame(whole))
        named = frame(short.data, QUERY)
        pd.testing.assert_frame_equal(named, frame(whole))

    def test_what_is_given_is_left_as_it_was(
        self, client: alinb.Client, whole: dict[str, Any]
    ) -> None:
        before = copy.deepcopy(whole)
        reply = client.call(QUERY, page_size=3)
        seen = copy.deepcopy(reply.data)
        frame(whole)
        table = reply.frame()
        table["product_small_image_urls"][0].append("x")
        table.loc[0, "product_id"] = "changed"
        assert whole == before
        assert reply.data == seen
        assert reply.frame().loc[0, "product_id"] != "changed"

    def test_a_comparison(self, client: alinb.Client) -> None:
        assert client.journal is not None
        numbers = [client.call(QUERY, page_no=n).attempt_id for n in (1, 2)]
        compared = alinb.compare(*(client.journal.get(number) for number in numbers))
        table = frame(compared)
        assert list(table.columns) == ["part", "what", "left", "right"]
        assert len(table) == len(compared.rows)
        (row,) = table[table["what"] == "page_no"].to_dict("records")
        assert row == {"part": "parameters", "what": "page_no", "left": "1", "right": "2"}

    def test_journal_rows(self, client: alinb.Client) -> None:
        client.call(QUERY)
        assert client.journal is not None
        table = frame(client.journal.rows())
        assert list(table.index) == [2, 1]
        assert list(table["name"]) == [QUERY, "/auth/token/create"]
        assert str(table["at"].dtype).endswith("UTC]")
        assert frame([]).empty

    def test_an_attempt_without_an_answer(self) -> None:
        with pytest.raises(alinb.InputError, match="That attempt has no reply"):
            frame(alinb.Attempt("GET", "https://x.example/sync"))

    @pytest.mark.parametrize("text", ["", "<html>", "[1]", '{"a": '])
    def test_an_unreadable_text(self, text: str) -> None:
        with pytest.raises(alinb.UnreadableReply):
            frame(text)

    @pytest.mark.parametrize(
        ("data", "error"),
        [
            ({"type": "ISV", "code": "InvalidCode", "message": "m"}, alinb.CodeRefused),
            ({"error_response": {"code": "IllegalAccessToken", "msg": "m"}}, alinb.TokenRefused),
            (
                {
                    "error_response": {
                        "code": 15,
                        "msg": "Remote service error",
                        "sub_code": "isv.account-migration-check-fail",
                        "sub_msg": "m",
                    }
                },
                alinb.Refused,
            ),
        ],
    )
    def test_a_refusal_raises(self, data: dict[str, Any], error: type[alinb.Refused]) -> None:
        with pytest.raises(error) as caught:
            frame(data)
        assert type(caught.value) is error


class TestUnknownMethods:
    """For a method that nobody described: the longest list of objects, else the whole payload."""

    def test_the_longest_list_is_the_records(self) -> None:
        data = {
            "aliexpress_no_such_response": {
                "small": {"x": [{"a": 1}]},
                "orders": {"order": [{"order_id": BIG}, {"order_id": 2}, {"order_id": 3}]},
                "words": {"string": ["a", "b", "c", "d", "e"]},
                "request_id": "r",
            }
        }
        table = frame(data)
        assert list(table["order_id"]) == [str(BIG), "2", "3"]
        assert table.attrs["method"] == ""
        assert frame(data, "aliexpress.no.such").attrs["method"] == "aliexpress.no.such"

    def test_without_a_list_the_payload_is_the_record(self) -> None:
        table = frame({"aliexpress_x_response": {"user_id": BIG, "n": {"m": 2}, "request_id": "r"}})
        assert table.to_dict("records") == [{"user_id": str(BIG), "n.m": 2, "request_id": "r"}]

    def test_a_flat_reply_of_a_path_call(self) -> None:
        table = frame({"code": "0", "data": [{"id": 1}, {"id": 2}], "request_id": "r"})
        assert list(table["id"]) == [1, 2]

    def test_a_list_of_plain_values(self) -> None:
        data = {"resp_result": {"resp_code": 200, "result": {"products": {"number": [BIG, 2]}}}}
        table = frame(data, QUERY)
        assert list(table["value"]) == [BIG, 2]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("22.23", 22.23), ("1,299.00", 1299.0), (" 5 ", 5.0), ("0", 0.0), ("-1.5", -1.5),
        (12, 12.0), ("1e3", 1000.0), ("", None), ("0,00€", None), ("US $5", None), ("NaN", None),
        ("Infinity", None), (None, None), ("1e400", None),
        ("1e99999999999999999999", None), ("sNaN", None), (math.nan, None),
    ],
)  # fmt: skip
def test_amounts(text: Any, number: float | None) -> None:
    assert amount(text) == number
