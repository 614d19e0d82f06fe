"""What the sandbox answers to each business method, in the live, unsimplified shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ..knowledge import load
from .catalogue import Catalogue

Params: TypeAlias = Mapping[str, str]
Answer: TypeAlias = Callable[[Catalogue, Params], dict[str, Any]]

#: The largest page that clients get (a live maximum of ds.text.search is not documented).
LARGEST_PAGE = 50


def product_get(catalogue: Catalogue, params: Params) -> dict[str, Any]:
    number = _number(params["product_id"], -1)
    result = catalogue.product(
        number,
        country=params["ship_to_country"],
        currency=params.get("target_currency", "USD"),
        language=params.get("target_language", "EN"),
    )
    if result is None:
        return {"rsp_code": 605, "rsp_msg": "ITEM_ID_NOT_FOUND"}
    return {"result": result, "rsp_code": 200, "rsp_msg": "Call succeeds"}


def text_search(catalogue: Catalogue, params: Params) -> dict[str, Any]:
    sort = params.get("sortBy", "")
    if sort and sort not in _SEARCH_SORTS:
        return {"code": "EXCEPTION_TEXT_SEARCH_FOR_DS", "msg": f"unsupported sortBy: {sort}"}
    data = catalogue.search(
        params.get("keyWord", ""),
        page_index=max(1, _number(params.get("pageIndex", ""), 1)),
        page_size=_page_size(params.get("pageSize", "")),
        sort=sort,
        country=params["countryCode"],
        currency=params["currency"],
        language=params["local"],
        category=params.get("categoryId", ""),
    )
    return {"code": "00", "data": data}


def affiliate_product_query(catalogue: Catalogue, params: Params) -> dict[str, Any]:
    low, high = (_number(params.get(f"{side}_sale_price", ""), -1) for side in ("min", "max"))
    result = catalogue.affiliate(
        params.get("keywords", ""),
        page_no=max(1, _number(params.get("page_no", ""), 1)),
        page_size=_page_size(params.get("page_size", "")),
        sort=params.get("sort", ""),
        country=params.get("ship_to_country", "US"),
        currency=params.get("target_currency", "USD"),
        language=params.get("target_language", "EN"),
        tracking_id=params.get("tracking_id", ""),
        min_sale_price=low if low >= 0 else None,
        max_sale_price=high if high >= 0 else None,
    )
    if result is None:
        return {"resp_result": {"resp_code": 405, "resp_msg": "The result is empty"}}
    return {"resp_result": {"resp_code": 200, "resp_msg": "Call succeeds", "result": result}}


_SEARCH_SORTS = {f"{what},{way}" for what in ("min_price", "orders", "comments")
                 for way in ("asc", "desc")}  # fmt: skip

ANSWERS: Mapping[str, Answer] = {
    "aliexpress.ds.product.get": product_get,
    "aliexpress.ds.text.search": text_search,
    "aliexpress.affiliate.product.query": affiliate_product_query,
}


def missing(name: str, params: Params) -> str:
    """The first documented required parameter that is absent or empty, "" where none is."""
    required = load("methods")["methods"][name].get("required", ())
    return next((wanted for wanted in required if not params.get(wanted)), "")


def takes_token(name: str) -> bool:
    return bool(load("methods")["methods"][name]["token"])


def simplified(payload: Any) -> Any:
    """What `simplify=true` makes of a payload: lists lose the object around them."""
    if isinstance(payload, dict):
        if len(payload) == 1:
            (inner,) = payload.values()
            if isinstance(inner, list):
                return [simplified(item) for item in inner]
        return {key: simplified(value) for key, value in payload.items()}
    return [simplified(item) for item in payload] if isinstance(payload, list) else payload


def _number(text: str, otherwise: int) -> int:
    """A whole number of a parameter; a negative, huge or unreadable one counts as absent."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else otherwise


def _page_size(text: str) -> int:
    return min(max(1, _number(text, 20)), LARGEST_PAGE)
