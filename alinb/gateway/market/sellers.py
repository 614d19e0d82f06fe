"""A few calls of Lazada, Daraz, Miravia and Alibaba.com sellers, in their flat shape.

Field names follow the Lazada guides; the other marketplaces grew out of the same platform.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..refusals import Refusal
from .asked import Asked, clamped, number
from .drawing import half_up
from .money import SELLER
from .paging import part, total
from .products import Product
from .sales import Sale, account, between, find

_STATUS = {"WAIT": "ready_to_ship", "SHIPPED": "shipped", "DONE": "delivered", "NO": "canceled"}
_MOST_ORDERS, _MOST_PRODUCTS = 100, 50


def seller_get(asked: Asked) -> dict[str, Any]:
    """The seller behind the token."""
    return _said({
        "seller_id": asked.user, "name": "Sandbox Store", "short_code": f"SB{asked.user[-4:]}",
        "name_company": "Sandbox Store Ltd.", "email": "store@example.com", "location": "Ningbo",
        "logo_url": "https://ae01.alicdn.com/kf/logo.jpg", "verified": "true", "cb": "true",
        "status": "ACTIVE", "marketplaceEaseMode": "false",
    })  # fmt: skip


def products_get(asked: Asked) -> dict[str, Any]:
    """Products by `offset` and `limit` (at most 50)."""
    start = max(0, asked.number("offset", 0))
    size = min(max(1, asked.number("limit", 20)), _MOST_PRODUCTS)
    found = asked.market.found(asked.text("search"))
    shown = asked.market.picked(part(asked, found, start, size))
    return _said({"total_products": total(asked, len(found)),
                  "products": [_product(p) for p in shown]})  # fmt: skip


def orders_get(asked: Asked) -> dict[str, Any]:
    """The seller's orders since `created_after` or `update_after`, by `offset` and `limit`."""
    since = _moment(asked.text("created_after") or asked.text("update_after"))
    until = _moment(asked.text("created_before") or asked.text("update_before"))
    if since is None:
        raise Refusal("MissingParameter", "created_after")
    start = max(0, asked.number("offset", 0))
    size = min(max(1, asked.number("limit", _MOST_ORDERS)), _MOST_ORDERS)
    end = asked.now if until is None else until
    found = list(between(asked.market, account(asked.user), since, end, asked.now))
    wanted = asked.text("status")
    found = [s for s in found if not wanted or _status(s, asked.now) == wanted]
    shown = part(asked, found, start, size)
    return _said({"count": len(shown), "countTotal": total(asked, len(found)),
                  "orders": [_order(sale, asked.now) for sale in shown]})  # fmt: skip


def order_get(asked: Asked) -> dict[str, Any]:
    """One order of the seller; the flat refusal 16 for an id that is none, as in the guides."""
    sale = find(asked.market, asked.user, number(asked.text("order_id"), -1), asked.now)
    if sale is None or sale.user != asked.user:
        return {"type": "ISV", "code": "16", "message": "E016: Invalid Order ID"}
    return _said(_order(sale, asked.now))


def _said(data: dict[str, Any]) -> dict[str, Any]:
    return {"code": "0", "data": data}


def _moment(text: str) -> float | None:
    try:
        read = datetime.fromisoformat(text.strip())
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _status(sale: Sale, now: float) -> str:
    if sale.canceled:
        return _STATUS["NO"]
    return _STATUS["DONE" if now >= sale.received else "SHIPPED" if now >= sale.shipped else "WAIT"]


def _time(moment: float) -> str:
    return datetime.fromtimestamp(clamped(moment), UTC).strftime("%Y-%m-%d %H:%M:%S +0000")


def _order(sale: Sale, now: float) -> dict[str, Any]:
    price, fee = sale.total() - sale.fee(), sale.fee()
    address = {
        "first_name": "S****x", "last_name": "", "country": sale.country, "city": "S****a",
        "address1": "1 S****d", "phone": "********00", "post_code": "",
    }  # fmt: skip
    return {
        "order_id": sale.id, "order_number": sale.id, "created_at": _time(sale.created),
        "updated_at": _time(min(now, sale.received)), "price": sale.money.text(price),
        "shipping_fee": sale.money.text(fee), "voucher": "0.00", "payment_method": "MIXEDCARD",
        "items_count": sum(line.quantity for line in sale.lines), "statuses": [_status(sale, now)],
        "address_shipping": address, "address_billing": address, "warehouse_code": "dropshipping",
        "item_ids": [line.product.id for line in sale.lines],
    }  # fmt: skip


def _product(p: Product) -> dict[str, Any]:
    skus = [{
        "SkuId": sku.id, "SellerSku": f"A{sku.id}", "ShopSku": f"{p.id}_{sku.id}",
        "quantity": sku.stock, "price": half_up(p.prices(SELLER, sku)[0], 100), "Status": "active",
        "special_price": half_up(p.prices(SELLER, sku)[1], 100), "color_family": sku.color[1],
        "Images": p.images[:2], "Url": f"https://www.example.com/products/i{p.id}.html",
    } for sku in p.skus]  # fmt: skip
    return {
        "item_id": p.id, "primary_category": int(p.path[-1]), "status": "Active",
        "attributes": {"name": p.title, "brand": p.brand, "description": f"<p>{p.title}</p>"},
        "images": p.images, "created_time": str(p.listed * 1000),
        "updated_time": str((p.listed + 86_400 * 90) * 1000), "skus": skus,
    }  # fmt: skip
