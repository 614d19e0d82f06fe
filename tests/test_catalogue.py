"""The catalogue of methods: found by name, near names, parameters with their types."""

import json

import pytest

import alinb
from alinb.catalogue import nearest
from alinb.errors import InputError
from alinb.knowledge import load


def test_every_method_of_the_book_can_be_read():
    found = alinb.methods()
    assert found.names == sorted(load("methods")["methods"])
    for each in found:
        book = load("methods")["methods"][each.name]
        needed = [p.name for p in each.parameters if p.required]
        assert needed == book["required"], each.name
        assert each.source
        assert list(each.as_dict()["parameters"]) == [
            {"name": p.name, "required": p.required, "type": p.type, "members": p.members,
             "default": p.default, "largest": p.largest} for p in each.parameters
        ]  # fmt: skip


def test_a_type_is_given_for_parameters_that_are_there():
    for name, book in load("methods")["methods"].items():
        tops = {key.partition(".")[0] for key in book.get("types", {})}
        assert tops <= {*book["required"], *book.get("optional", ())}, name
        assert set(book.get("types", {}).values()) <= {
            "number", "boolean", "texts", "object", "objects",
        }  # fmt: skip


def test_parameters_have_types_marks_and_starts():
    search = alinb.method("aliexpress.ds.text.search")
    assert [p.name for p in search.parameters if p.required] == ["local", "countryCode", "currency"]
    page, size = search["pageIndex"], search["pageSize"]
    assert (page.type, page.default, page.required) == ("number", "1", False)
    assert (size.type, size.default, size.largest) == ("number", "", 50)
    assert search.token
    assert not alinb.method("aliexpress.affiliate.product.query").token
    assert alinb.method("aliexpress.ds.image.search")["image_file_bytes"].type == "file"
    assert alinb.method("aliexpress.ds.product.get")["remove_personal_benefit"].type == "boolean"


def test_a_json_parameter_knows_its_required_members():
    order = alinb.method("aliexpress.ds.order.create")
    (given,) = [p for p in order.parameters if p.required]
    assert given.is_json
    assert json.loads(given.members) == {
        "logistics_address": {"address": "", "city": "", "province": "", "country": ""},
        "product_items": [{"product_id": 0, "product_count": 0}],
    }
    half = {"logistics_address": {"city": "X"}, "product_items": [{"product_id": 1}]}
    assert given.remark(json.dumps(half)) == (
        "lacks logistics_address.address, logistics_address.province, logistics_address.country, "
        "product_items.product_count"
    )
    assert given.remark("{") == "not JSON"
    assert given.remark("[]") == "lacks logistics_address, product_items"


@pytest.mark.parametrize(
    ("name", "value", "remark"),
    [
        ("product_id", "", "required, and missing"),
        ("product_id", "1005", ""),
        ("product_id", "a lamp", "not a number"),
        ("remove_personal_benefit", "yes", "neither true nor false"),
        ("remove_personal_benefit", "true", ""),
        ("target_currency", "anything", ""),
    ],
)
def test_what_is_wrong_with_a_value(name, value, remark):
    assert alinb.method("aliexpress.ds.product.get")[name].remark(value) == remark


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("txet.serach", "aliexpress.ds.text.search"),
        ("product.get", "aliexpress.ds.product.get"),
        ("aliexpress.ds.porduct.get", "aliexpress.ds.product.get"),
        ("/auth/token/crate", "/auth/token/create"),
    ],
)
def test_the_nearest_name_comes_first(text, first):
    assert nearest(text)[0] == first


def test_nothing_is_near_nothing():
    assert nearest("") == nearest("zzzzzzzz") == []


def test_an_unknown_method_is_said_with_the_names_near_it():
    with pytest.raises(InputError, match=r"Near it: aliexpress\.ds\.product\.get") as caught:
        alinb.method("aliexpress.ds.product.gett")
    assert caught.value.evidence["near"][0] == "aliexpress.ds.product.get"
    with pytest.raises(InputError, match=r"alinb.methods\(\) lists all"):
        alinb.method("qqqqqqqqqqqqqqqq")


def test_all_words_of_a_search_are_in_the_name():
    assert alinb.methods("SEARCH ds image").names == [
        "aliexpress.ds.image.search", "aliexpress.ds.image.searchV2",
    ]  # fmt: skip
    assert repr(alinb.methods("image.search")).startswith("<Methods 2: aliexpress.ds.image.search,")
    assert "aliexpress.ds.image.search " in str(alinb.methods("image"))
    assert "2 methods" in alinb.methods("image")._repr_html_()


def test_a_method_shows_itself():
    found = alinb.method("aliexpress.ds.product.get")
    assert repr(found) == "<Method aliexpress.ds.product.get(product_id, ship_to_country, …)>"
    assert "product_id" in str(found)
    assert "required" in found._repr_html_()
