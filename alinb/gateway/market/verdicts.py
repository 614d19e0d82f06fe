"""Where each family of methods puts its verdict, and what it looks like when the verdict is no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from ...knowledge import load


def listed(name: str, key: str, records: list[Any], **figures: Any) -> dict[str, Any]:
    """A success of the affiliate family: `resp_result` around the records and their figures."""
    result = {**figures, name: {key: records} if records else {}}
    return {"resp_result": {"resp_code": 200, "resp_msg": "Call succeeds", "result": result}}


def empty() -> dict[str, Any]:
    return affiliate(405, "The result is empty")


def affiliate(code: Any, text: str) -> dict[str, Any]:
    return {"resp_result": {"resp_code": code, "resp_msg": text}}


def plain(code: Any, text: str) -> dict[str, Any]:
    return {"rsp_code": code, "rsp_msg": text}


def freight(code: Any, text: str) -> dict[str, Any]:
    return {"result": {"success": False, "code": code, "msg": text}}


def order(code: Any, text: str) -> dict[str, Any]:
    if str(code).startswith("OrderCreated"):
        # The order is there although it is not paid.
        return {"result": {"is_success": True, "error_msg": str(code), "order_list": {}}}
    return {"result": {"is_success": False, "error_code": str(code), "error_msg": text}}


def ret(code: Any, text: str) -> dict[str, Any]:
    return {"result": {"ret": False, "code": str(code), "msg": text}}


def image(code: Any, text: str) -> dict[str, Any]:
    return {"result": {"ret": False, "code": str(code), "messages": text, "empty": True}}


def special(code: Any, text: str) -> dict[str, Any]:
    return {"result": {"ret": False, "code": str(code), "err_message": text}}


def search(code: Any, text: str) -> dict[str, Any]:
    return {"code": str(code), "msg": text}


def sku_detail(code: Any, text: str) -> dict[str, Any]:
    return {"result": {"code": code, "success": False}}


def old_freight(code: Any, text: str) -> dict[str, Any]:
    return {"result": {"success": False, "error_desc": text}}


Shape = Callable[[Any, str], dict[str, Any]]
#: By the longest matching beginning of the name.
SHAPES: Mapping[str, Shape] = {
    "aliexpress.affiliate.": affiliate,
    "aliexpress.affiliate.product.sku.detail.get": sku_detail,
    "aliexpress.ds.category.get": affiliate,
    "aliexpress.ds.feedname.get": affiliate,
    "aliexpress.ds.": plain,
    "aliexpress.ds.freight.query": freight,
    "aliexpress.ds.order.create": order,
    "aliexpress.trade.buy.placeorder": order,
    "aliexpress.ds.order.tracking.get": ret,
    "aliexpress.ds.address.get": ret,
    "aliexpress.ds.image.searchV2": image,
    "aliexpress.ds.product.specialinfo.get": special,
    "aliexpress.ds.text.search": search,
    "aliexpress.ds.search.event.report": search,
    "aliexpress.logistics.buyer.freight.calculate": old_freight,
}


def refused_payload(name: str, code: str) -> dict[str, Any] | None:
    """The payload of a method that refuses with a business code, as the service itself shapes it.

    The code may be given by its text where it has one (`ITEM_ID_NOT_FOUND` for 605). None where
    the book of refusals does not have the code as one of that method's.
    """
    found = _entries(name).get(code)
    shape = max((start for start in SHAPES if name.startswith(start)), key=len, default="")
    if found is None or not shape:
        return None
    number, text = found
    return SHAPES[shape](int(number) if number.isdigit() else number, text)


def business_codes(name: str) -> tuple[str, ...]:
    """The codes that a method refuses with inside its payload, as numbers where they have one."""
    return tuple(dict.fromkeys(number for number, _ in _entries(name).values()))


@cache
def _entries(name: str) -> Mapping[str, tuple[str, str]]:
    """What the book has of a method's business codes: any spelling to code and text."""
    held: dict[str, tuple[str, str]] = {}
    for entry in load("errors")["error"]:
        if entry["family"] != "business":
            continue
        if any(fnmatchcase(name, pattern) for pattern in entry["methods"]):
            spellings = [entry["code"], *entry["aliases"]]
            text = next(iter(entry["messages"]), spellings[-1]).split(":{}")[0]
            held |= dict.fromkeys(spellings, (entry["code"], text))
    return held
