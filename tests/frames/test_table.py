"""Replies gathered into tables: pages, the generic rule, rows that join, Arrow."""

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import alinb
from alinb.frames import Table, arrays, column, columns
from tests.frames.shapes import SAMPLES, cells, live, lost, sample

QUERY = "aliexpress.affiliate.product.query"
SEARCH = "aliexpress.ds.text.search"
BIG = 12_000_046_860_492_913


def page(*products: Any, total: int = 9) -> bytes:
    result = {"current_page_no": 1, "total_record_count": total, "products": {"product": products}}
    inside = {"resp_code": 200, "resp_msg": "Call succeeds", "result": result}
    root = {"resp_result": inside, "request_id": "r"}
    return json.dumps({"aliexpress_affiliate_product_query_response": root}).encode()


def orders(*records: Any) -> bytes:
    return json.dumps({"code": "0", "data": {"orders": records}, "request_id": "r"}).encode()


@pytest.fixture
def without_arrow(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (arrays, column, columns):
        monkeypatch.setattr(module, "pa", None)
    for module in (column, columns):
        monkeypatch.setattr(module, "ARROW_TYPES", {})


class TestPages:
    def test_pages_follow_each_other(self) -> None:
        table = Table(QUERY)
        assert table.add(page({"product_id": 1}, {"product_id": 2})) == 2
        assert table.add(page()) == 0
        assert table.add(page({"product_id": 3, "new_field": "x"})) == 1
        frame = table.frame()
        assert list(frame["product_id"]) == ["1", "2", "3"]
        assert list(frame["new_field"].isna()) == [True, True, False]
        assert frame.columns[-1] == "new_field"
        assert len(table) == 3
        assert repr(table) == f"<Table {QUERY} 3 rows of 3 replies>"

    def test_one_frame_of_many_pages_is_the_frames_of_each(self) -> None:
        bodies = [live(SEARCH)] * 5
        table = Table()
        for body in bodies:
            table.add(body)
        expected = pd.concat([alinb.frame(body) for body in bodies], ignore_index=True)
        pd.testing.assert_frame_equal(table.frame(), expected)
        assert table.name == SEARCH
        assert len(table.frame("replies")) == 5

    def test_how_many_are_taken_apart_at_once_makes_no_difference(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bodies = [page(*[{"product_id": n, "sale_price": f"{n}.5", "x": {"y": [n] * (n % 3)}}
                         for n in range(7 * k, 7 * k + 7)]) for k in range(6)]  # fmt: skip
        found = []
        for enough in (1, 10, 10_000):
            monkeypatch.setattr("alinb.frames.table._ENOUGH", enough)
            table = Table(QUERY)
            for body in bodies:
                table.add(body)
            found.append(table.tables())
        for name, expected in found[0].items():
            pd.testing.assert_frame_equal(found[1][name], expected)
            pd.testing.assert_frame_equal(found[2][name], expected)

    def test_a_part_starts_empty_and_keeps_the_count(self) -> None:
        table = Table("x.y")
        table.add(orders({"n": 1, "lines": [{"a": 1}]}, {"n": 2, "lines": [{"a": 2}, {"a": 3}]}))
        assert list(table.frame("lines")["records_row"]) == [0, 1, 1]
        table.clear()
        assert len(table) == 0
        assert table.frame().empty
        assert table.frame().attrs["attempt_ids"] == []
        table.add(orders({"n": 3, "lines": [{"a": 4}]}))
        assert list(table.frame("lines")["records_row"]) == [2]
        assert list(table.frame()["n"]) == [3]

    def test_a_refusal_adds_nothing(self) -> None:
        table = Table(QUERY)
        table.add(page({"product_id": 1}))
        with pytest.raises(alinb.TokenRefused):
            table.add('{"error_response": {"code": "IllegalAccessToken", "msg": "m"}}')
        with pytest.raises(alinb.UnreadableReply):
            table.add("<html>")
        assert len(table) == len(table.frame()) == len(table.frame("replies")) == 1

    def test_attrs_name_every_attempt_and_what_the_requests_had_alike(self) -> None:
        with alinb.Client(alinb.Sandbox(secret="helloworld", products=24)) as client:
            table = Table()
            for number in (1, 2, 3):
                table.add(client.call(QUERY, page_no=number, page_size=5, keywords=""))
            attrs = table.frame().attrs
        assert attrs["attempt_ids"] == [1, 2, 3]
        assert attrs["attempt_id"] == 1
        assert attrs["params"]["page_size"] == "5"
        assert "page_no" not in attrs["params"]
        assert (attrs["total"], attrs["page"]) == (24, 3)
        assert attrs["at"] <= attrs["until"]
        assert list(table.frame("replies")["attempt_id"]) == [1, 2, 3]
        json.dumps(attrs)

    def test_the_moment_is_the_requests(self) -> None:
        reply = alinb.replies.read(200, page(), QUERY, {"timestamp": "1700000000123"})
        assert alinb.frame(reply).attrs["at"] == "2023-11-14 22:13:20.123+00:00"
        assert alinb.frame(page()).attrs["at"] is None

    def test_the_tables_that_are_wanted_alone(self) -> None:
        detail = "aliexpress.ds.product.get"
        whole, some = Table(detail), Table(detail, only=["sku_properties", "store"])
        for table in (whole, some):
            table.add(live(detail))
        tables = some.tables()
        assert [*tables] == ["products", "skus", "sku_properties", "store", "replies"]
        for name, table in tables.items():
            pd.testing.assert_frame_equal(table, whole.tables()[name])
        lines = Table("x.y", only=["lines.gifts"])
        lines.add(orders({"n": 1, "lines": [{"gifts": [{"g": 1}]}], "other": [{"o": 1}]}))
        assert [*lines.tables()] == ["records", "lines", "lines.gifts", "replies"]


class TestGenericRule:
    def test_records_inside_records_of_a_method_nobody_knows(self) -> None:
        table = Table("x.y")
        gifts = [{"g": 1}, {"g": 2}]
        lines = [{"sku_id": BIG + 1, "gifts": gifts}, {"sku_id": BIG + 2}]
        table.add(orders({"order_id": BIG, "lines": {"line": lines}}))
        tables = table.tables()
        assert [*tables] == ["records", "lines", "lines.gifts", "replies"]
        assert list(tables["lines"]["sku_id"]) == [str(BIG + 1), str(BIG + 2)]
        assert list(tables["lines"]["records_row"]) == [0, 0]
        assert list(tables["lines.gifts"]["lines_row"]) == [0, 0]
        joined = table.frame("lines", joined=True)
        assert list(joined["order_id"]) == [str(BIG)] * 2
        twice = table.frame("lines.gifts", joined=True)
        assert list(twice["sku_id"]) == [str(BIG + 1)] * 2
        assert list(twice["order_id"]) == [str(BIG)] * 2

    def test_money_is_known_by_its_currency(self) -> None:
        fee = {"amount": "3.10", "currency_code": "USD"}
        frame = alinb.frame(orders({"price": "1,200.50", "price_currency": "EUR", "fee": fee}))
        row = frame.iloc[0]
        assert (row["price_amount"], row["fee_amount"]) == (1200.5, 3.1)
        assert (row["price_currency"], row["fee_currency"], row["fee"]) == ("EUR", "USD", "3.10")

    def test_whole_numbers_with_gaps_stay_whole(self) -> None:
        frame = alinb.frame(orders({"n": BIG, "m": 1}, {"n": None, "m": 2.5}, {}))
        assert str(frame["n"].dtype) == "Int64"
        assert frame["n"][0] == BIG
        assert frame["n"].isna().sum() == 2
        assert str(frame["m"].dtype) == "Float64"

    @pytest.mark.parametrize(
        ("values", "dtype", "kept"),
        [
            ([True, None], "boolean", [True]),
            ([True, "x"], "str", ["true", "x"]),
            ([1, "x"], "str", ["1", "x"]),
            ([BIG, 2.5], "str", [str(BIG), "2.5"]),
            ([10**30, 1], "str", [str(10**30), "1"]),
            ([1.5, 2], "Float64", [1.5, 2.0]),
            ([None, None], "str", []),
        ],
    )
    def test_a_column_of_more_than_one_type(self, values, dtype, kept) -> None:
        frame = alinb.frame(orders(*({"v": value} for value in values)))
        assert str(frame["v"].dtype) == dtype
        assert list(frame["v"].dropna()) == kept

    def test_half_of_a_surrogate_pair(self) -> None:
        frame = alinb.frame(orders({"v": "ok"}, {"v": "\ud800"}))
        assert list(frame["v"]) == ["ok", "\\ud800"]

    def test_two_fields_that_come_to_one_name_both_stay(self) -> None:
        frame = alinb.frame(orders({"a.b": 1, "a": {"b": 2}}))
        assert sorted(frame.loc[0]) == [1, 2]

    def test_a_field_that_is_now_a_value_now_an_object_now_a_list(self) -> None:
        table = Table("x.y")
        table.add(orders({"v": 1}, {"v": {"w": 2, "u": 0}}, {"v": [{"z": 3}]}, {"v": ["q"]}))
        table.add(orders({"v": "t"}))
        assert {"1", "2", "3", "q", "t"} <= cells(table.tables())

    def test_columns_of_unknown_fields_stand_by_name(self) -> None:
        one, two = ({"b": 1, "a": 2, "c": 3}, {"c": 3, "b": 1, "a": 2})
        assert list(alinb.frame(orders(one, two))) == list(alinb.frame(orders(two, one)))

    def test_depth_does_not_matter(self) -> None:
        value: Any = "bottom"
        for _ in range(400):
            value = {"x": value}
        table = Table("x.y")
        table.add(orders({"deep": value}))
        assert "bottom" in "".join(cells(table.tables()))


NAMES = st.sampled_from(["a", "b", "a.b", "order_id", "amount", "currency_code", "price",
                         "price_currency", "", "value", "items"])  # fmt: skip
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("ab,;1.")
)
ANY = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4)
)


@settings(max_examples=25, deadline=None, phases=[Phase.generate])
@given(st.lists(st.dictionaries(NAMES, ANY, max_size=5), max_size=5))
def test_nothing_is_lost_whatever_the_records(records):
    for name in ("x.y", QUERY, "aliexpress.ds.product.get"):
        body = {"result": records, "data": {"list": records}, "resp_result": {"resp_code": 200}}
        table = Table(name)
        table.add(json.dumps(body))
        table.add(json.dumps(body))
        tables = table.tables()
        assert lost(body, cells(tables)) == set()
        for frame in tables.values():
            assert frame.columns.is_unique
            assert all(str(dtype) != "float64" for dtype in frame.dtypes)
        for each in tables:
            assert len(table.frame(each, joined=True)) == len(tables[each])
            if len(tables[each].columns):
                assert table.arrow(each).num_rows == len(tables[each])


class TestWithoutArrow:
    @pytest.mark.usefixtures("without_arrow")
    @pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
    def test_the_tables_are_the_same(self, path, monkeypatch) -> None:
        held = sample(path.stem)

        def tables() -> dict[str, pd.DataFrame]:
            table = Table(held["method"])
            for _ in range(2):
                table.add(json.dumps(held["reply"]), held["params"])
            return table.tables()

        plain = tables()
        monkeypatch.undo()
        for name, expected in tables().items():
            pd.testing.assert_frame_equal(plain[name], expected)

    def test_arrow_names_what_is_missing(self, monkeypatch) -> None:
        monkeypatch.setattr("alinb.frames.arrow.pa", None)
        with pytest.raises(alinb.MissingExtra, match="pyarrow"):
            Table(QUERY).arrow()


class TestArrow:
    def test_types_and_lists(self) -> None:
        table = Table(QUERY)
        table.add(live(QUERY))
        arrow = table.arrow()
        assert arrow.column_names == list(table.frame().columns)
        assert str(arrow.schema.field("product_small_image_urls").type) == "list<item: string>"
        assert str(arrow.schema.field("sale_price_amount").type) == "double"
        assert (
            arrow.to_pylist()[0]["product_small_image_urls"]
            == table.frame()["product_small_image_urls"][0]
        )
        pd.testing.assert_index_equal(arrow.to_pandas().columns, table.frame().columns)

    def test_an_empty_page_has_the_same_schema(self) -> None:
        full, empty = Table(QUERY), Table(QUERY)
        full.add(live(QUERY))
        empty.add(page())
        assert full.arrow().schema.remove_metadata() == empty.arrow().schema.remove_metadata()

    def test_attrs_travel_in_the_file(self, tmp_path) -> None:
        table = Table(QUERY)
        table.add(live(QUERY))
        import pyarrow.parquet as pq

        pq.write_table(table.arrow(), tmp_path / "t.parquet")
        assert pd.read_parquet(tmp_path / "t.parquet").attrs["method"] == QUERY
