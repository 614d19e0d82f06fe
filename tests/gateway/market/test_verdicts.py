"""Business refusals by fault: in the shape of the method's family, and of no other method's."""

from typing import Any

import pytest

from alinb.gateway.methods import ANSWERS, business_codes, refused_payload


@pytest.mark.parametrize(
    ("name", "code", "payload"),
    [
        ("aliexpress.ds.product.get", "602",
         {"rsp_code": 602, "rsp_msg": "Item is not allowed to this country"}),
        ("aliexpress.ds.product.get", "ITEM_ID_NOT_FOUND",
         {"rsp_code": 605, "rsp_msg": "ITEM_ID_NOT_FOUND"}),
        ("aliexpress.ds.product.get", "404", {"rsp_code": 404, "rsp_msg": "System Error"}),
        ("aliexpress.ds.freight.query", "501",
         {"result": {"success": False, "code": 501, "msg": "DELIVERY_INFO_EMPTY"}}),
        ("aliexpress.ds.order.tracking.get", "1001",
         {"result": {"ret": False, "code": "1001", "msg": "TRACKING DATA NOT FOUND"}}),
        ("aliexpress.ds.order.create", "A002_INVALID_ZONE",
         {"result": {"is_success": False, "error_code": "A002_INVALID_ZONE",
                     "error_msg": "A002_INVALID_ZONE"}}),
        ("aliexpress.ds.text.search", "NGSELECTION_SEARCH_ERROR",
         {"code": "NGSELECTION_SEARCH_ERROR", "msg": "NGSELECTION_SEARCH_ERROR"}),
        ("aliexpress.affiliate.link.generate", "401",
         {"resp_result": {"resp_code": 401, "resp_msg": "This publisher is not registered"}}),
        ("aliexpress.affiliate.product.sku.detail.get", "405",
         {"result": {"code": 405, "success": False}}),
    ],
)  # fmt: skip
def test_the_shape_is_the_familys(name: str, code: str, payload: dict[str, Any]) -> None:
    assert refused_payload(name, code) == payload


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("aliexpress.ds.product.get", "IllegalAccessToken"),
        ("aliexpress.ds.product.get", "1001"),
        ("aliexpress.ds.product.get", "A002_INVALID_ZONE"),
        ("aliexpress.affiliate.product.query", "602"),
        ("aliexpress.trade.ds.order.get", "isv.invalid-authorization"),
        ("/order/get", "405"),
        ("no.such.method", "405"),
    ],
)
def test_a_code_that_is_not_the_methods_has_no_payload(name: str, code: str) -> None:
    assert refused_payload(name, code) is None


def test_codes_are_listed_once_and_each_has_a_payload() -> None:
    total = 0
    for name in ANSWERS:
        codes = business_codes(name)
        assert len(set(codes)) == len(codes)
        assert all(refused_payload(name, code) for code in codes)
        total += len(codes)
    assert total > 80
    assert {"602", "604", "605", "404"} == set(business_codes("aliexpress.ds.product.get"))
