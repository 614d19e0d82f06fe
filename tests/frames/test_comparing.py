"""What changed between two pulls."""

import json

import pandas as pd
import pytest

import alinb
from tests.frames.shapes import live, sample

SEARCH, ORDERS = "aliexpress.ds.text.search", "aliexpress.affiliate.order.list"


def searched(*products: dict) -> pd.DataFrame:
    """The frame of a search for these products."""
    found = [
        {"title": f"lamp {p['itemId']}", "targetOriginalPriceCurrency": "EUR", **p}
        for p in products
    ]
    data = {"totalCount": len(found), "products": {"selection_search_product": found}}
    return alinb.frame({"aliexpress_ds_text_search_response": {"code": "00", "data": data}})


class TestChanges:
    @pytest.fixture
    def found(self) -> alinb.Changes:
        before = searched(
            {"itemId": "1", "targetSalePrice": "4.00", "orders": "5,000+"},
            {"itemId": "2", "targetSalePrice": "10.00"},
            {"itemId": "3", "targetSalePrice": "7.00"},
            {"itemId": "5", "targetSalePrice": "1.00"},
        )
        after = searched(
            {"itemId": "3", "targetSalePrice": "7.00"},
            {"itemId": "2", "targetSalePrice": "12.50"},
            {"itemId": "1", "targetSalePrice": "3.00", "orders": "6,000+"},
            {"itemId": "4", "targetSalePrice": "9.00"},
        )
        return alinb.changes(before, after)

    def test_new_and_gone_rows(self, found):
        assert list(found.new["itemId"]) == ["4"]
        assert list(found.gone["itemId"]) == ["5"]
        assert found.same == 1
        assert found.left_out == 0
        assert found.key == ("itemId",)

    def test_changed_fields(self, found):
        rows = [tuple(row) for row in found.changed.itertuples(index=False)]
        assert sorted(rows) == [
            ("1", "orders", "5,000+", "6,000+"),
            ("1", "targetSalePrice", "4.00", "3.00"),
            ("2", "targetSalePrice", "10.00", "12.50"),
        ]

    def test_price_moves_the_largest_fall_first(self, found):
        assert found.moves.to_dict("records") == [
            {"itemId": "1", "title": "lamp 1", "field": "targetSalePrice", "currency": "EUR",
             "before": 4.0, "after": 3.0, "change": -1.0, "percent": -25.0},
            {"itemId": "2", "title": "lamp 2", "field": "targetSalePrice", "currency": "EUR",
             "before": 10.0, "after": 12.5, "change": 2.5, "percent": 25.0},
        ]  # fmt: skip

    def test_how_it_shows_itself(self, found):
        assert repr(found) == ("<Changes 1 new, 1 gone, 2 changed, 1 as before; 2 price moves>")
        html = found._repr_html_()
        assert "lamp 1" in html
        assert "-25.0" in html
        assert bool(found)


def test_the_same_pull_twice():
    for name in (SEARCH, ORDERS, "aliexpress.affiliate.product.query"):
        found = alinb.changes(live(name), live(name))
        assert not found
        assert len(found.new) == len(found.gone) == len(found.changed) == len(found.moves) == 0
        assert found.same == len(alinb.frame(live(name)))
        assert "0 price moves" in found._repr_html_()


def test_another_currency_is_a_change_and_no_move():
    before = searched({"itemId": "1", "targetSalePrice": "4.00"})
    after = searched(
        {"itemId": "1", "targetSalePrice": "4.30", "targetOriginalPriceCurrency": "USD"}
    )
    found = alinb.changes(before, after)
    assert found.moves.empty
    assert {"targetSalePrice", "targetOriginalPriceCurrency"} <= set(found.changed["field"])


def test_a_price_that_appears_or_was_nothing():
    before = searched(
        {"itemId": "1", "targetSalePrice": None}, {"itemId": "2", "targetSalePrice": "0"}
    )
    after = searched(
        {"itemId": "1", "targetSalePrice": "2"}, {"itemId": "2", "targetSalePrice": "1"}
    )
    found = alinb.changes(before, after)
    assert list(found.moves["itemId"]) == ["2"]
    assert pd.isna(found.moves["percent"][0])
    assert len(found.changed) == 2


def test_lists_are_compared_item_by_item():
    name = "aliexpress.affiliate.product.query"
    other = json.loads(live(name).replace(b"Sinvented2.jpg", b"Sother.jpg"))
    found = alinb.changes(live(name), other)
    assert set(found.changed["field"]) == {"product_small_image_urls"}


def test_an_order_is_told_apart_by_two_columns():
    later = live(ORDERS).replace(b'"paid_amount": 1299', b'"paid_amount": 999', 1)
    found = alinb.changes(live(ORDERS), later)
    assert found.key == ("order_id", "sub_order_id")
    assert list(found.moves["field"]) == ["paid_amount"]
    assert list(found.moves["change"]) == [-3.0]


def test_rows_that_cannot_be_told_apart_are_counted():
    before = searched(
        {"itemId": "1", "targetSalePrice": "1"}, {"itemId": "1", "targetSalePrice": "2"}
    )
    after = searched({"itemId": "1", "targetSalePrice": "2"}, {"itemId": None})
    found = alinb.changes(before, after)
    assert found.left_out == 2
    assert "2 left out" in repr(found)
    assert found.changed.empty


def test_a_key_of_ones_own():
    before = pd.DataFrame({"sku": [1, 2], "n": [1, 1]})
    after = pd.DataFrame({"sku": [1, 2], "n": [1, 5]})
    found = alinb.changes(before, after, key="sku")
    assert list(found.changed["sku"]) == [2]
    with pytest.raises(alinb.InputError, match="tells these rows apart"):
        alinb.changes(before, after)
    with pytest.raises(alinb.InputError, match="no column 'id'"):
        alinb.changes(before, after, key=["id"])


def test_replies_and_attempts():
    with alinb.Client(alinb.Sandbox(secret="helloworld", products=24)) as client:
        name = "aliexpress.affiliate.product.query"
        one, two = (client.call(name, page_size=5, page_no=n) for n in (1, 2))
        assert client.journal is not None
        found = alinb.changes(client.journal.get(one.attempt_id), two)
    assert (len(found.new), len(found.gone), found.same) == (5, 5, 0)


def test_what_has_a_frame_is_taken_for_a_pull():
    table = alinb.frames.Table(sample(SEARCH)["method"])
    table.add(live(SEARCH))
    assert not alinb.changes(table, live(SEARCH))
