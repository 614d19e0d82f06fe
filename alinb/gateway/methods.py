"""What the sandbox answers to each business method, in the live, unsimplified shapes.

A payload stands inside the root `<method>_response`; that of a path call is the flat body. The
sandbox adds `request_id` to both. Records in it may be shared with other replies: read them only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, TypeAlias

from ..knowledge import load
from ..session import needs_token
from .market import (
    Asked,
    Market,
    addresses,
    categories,
    commissions,
    detail,
    feeds,
    freight,
    images,
    offers,
    orders,
    placing,
    promotions,
    reports,
    search,
    sellers,
    tracking,
)
from .market.verdicts import business_codes, refused_payload

__all__ = [
    "ANSWERS", "Answer", "Asked", "Market", "allowed", "business_codes", "group", "missing",
    "pure", "refused_payload", "simplified", "takes_token",
]  # fmt: skip

Answer: TypeAlias = Callable[[Asked], dict[str, Any]]

#: Methods whose payload hangs on market and parameters alone, as long as no paging fault strikes.
_PURE: Mapping[str, Answer] = {
    "aliexpress.ds.product.get": detail.product_get,
    "aliexpress.ds.product.wholesale.get": detail.wholesale_get,
    "aliexpress.ds.product.specialinfo.get": detail.specialinfo_get,
    "aliexpress.ds.text.search": search.text_search,
    "aliexpress.ds.image.searchV2": images.search_v2,
    "aliexpress.ds.category.get": categories.category_get,
    "aliexpress.ds.feedname.get": feeds.feedname_get,
    "aliexpress.ds.recommend.feed.get": feeds.recommend_feed_get,
    "aliexpress.ds.address.get": addresses.address_get,
    "aliexpress.ds.member.benefit.get": reports.benefit_get,
    "aliexpress.logistics.buyer.freight.calculate": freight.calculate,
    "aliexpress.affiliate.product.query": offers.product_query,
    "aliexpress.affiliate.hotproduct.query": offers.hotproduct_query,
    "aliexpress.affiliate.hotproduct.download": offers.hotproduct_download,
    "aliexpress.affiliate.productdetail.get": offers.productdetail_get,
    "aliexpress.affiliate.product.smartmatch": offers.smartmatch,
    "aliexpress.affiliate.category.get": categories.category_get,
    "aliexpress.affiliate.featuredpromo.get": promotions.featuredpromo_get,
    "aliexpress.affiliate.featuredpromo.products.get": promotions.featuredpromo_products_get,
    "aliexpress.affiliate.link.generate": promotions.link_generate,
    "aliexpress.affiliate.product.shipping.get": promotions.product_shipping_get,
    "aliexpress.affiliate.product.sku.detail.get": promotions.sku_detail_get,
    promotions.LICENSE: promotions.license_get,
    "/products/get": sellers.products_get,
}

ANSWERS: Mapping[str, Answer] = {
    **_PURE,
    "aliexpress.ds.image.search": images.search,
    "aliexpress.ds.feed.itemids.get": feeds.itemids_get,
    "aliexpress.ds.freight.query": freight.query,
    "aliexpress.ds.order.create": placing.order_create,
    "aliexpress.trade.buy.placeorder": placing.placeorder,
    "aliexpress.trade.ds.order.get": orders.order_get,
    "aliexpress.ds.order.tracking.get": tracking.tracking_get,
    "aliexpress.ds.commissionorder.listbyindex": commissions.commission_orders,
    "aliexpress.ds.search.event.report": reports.event_report,
    "aliexpress.ds.add.info": reports.add_info,
    "aliexpress.ds.member.orderdata.submit": reports.orderdata_submit,
    "aliexpress.affiliate.order.list": commissions.order_list,
    "aliexpress.affiliate.order.listbyindex": commissions.order_listbyindex,
    "aliexpress.affiliate.order.get": commissions.order_get,
    "/order/get": sellers.order_get,
    "/orders/get": sellers.orders_get,
    "/seller/get": sellers.seller_get,
}


def missing(name: str, params: Mapping[str, str], files: Collection[str] = ()) -> str:
    """The first documented required parameter that is absent or empty, "" where none is.

    `files` are the names of the file parts, which count as given.
    """
    required: list[str] = _facts(name).get("required", [])
    for wanted in required:
        if not params.get(wanted) and wanted not in files:
            return wanted
    return ""


@cache
def takes_token(name: str) -> bool:
    """Whether the method needs the token of a user."""
    return needs_token(name)


def group(name: str) -> str:
    """The permission group that an app needs for the method, "" for an unknown one."""
    return str(_facts(name).get("group", ""))


@cache
def allowed(category: str) -> frozenset[str]:
    """The permission groups of an app category, such as `Drop Shipping`; none of an unknown one."""
    categories: Mapping[str, Any] = load("methods")["categories"]
    return frozenset(categories.get(category, {}).get("groups", ()))


def pure(name: str) -> bool:
    """Whether the payload hangs on market and parameters alone, so that it may be kept.

    Not so while a paging fault strikes the call.
    """
    return name in _PURE


@cache
def _facts(name: str) -> Mapping[str, Any]:
    facts: Mapping[str, Any] = load("methods")["methods"].get(name, {})
    return facts


def simplified(payload: Any) -> Any:
    """What `simplify=true` makes of a payload: lists lose the object around them."""
    if isinstance(payload, dict):
        if len(payload) == 1:
            (inner,) = payload.values()
            if isinstance(inner, list):
                return [simplified(item) for item in inner]
        return {key: simplified(value) for key, value in payload.items()}
    return [simplified(item) for item in payload] if isinstance(payload, list) else payload
