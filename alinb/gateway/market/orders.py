"""Orders of an account: read one, and what its states are called.

Times are Pacific: the paid time of the reference says so, `gmt_create` has no zone and is inferred.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..refusals import Refusal
from .asked import Asked, document, pacific, pacific_text, whole
from .sales import DAY_S, Line, Sale, find, is_order

GET = "aliexpress.trade.ds.order.get"
#: Order ids that stand for a refusal by the service behind the gateway.
MAGIC = {
    8_000_000_000_000_500: "InternalError",
    8_000_000_000_000_503: "isp.service-unavailable",
}


def order_get(asked: Asked) -> dict[str, Any]:
    """An order of the account behind the token.

    Raises `Refusal`: `isv.invalid-authorization` for one of another account,
    `isv.insufficient-permission` for an id that is no order's, as the reference's own sample has.
    """
    number = whole(document(asked, GET, "single_order_query"), "order_id")
    if number in MAGIC:
        raise Refusal(MAGIC[number])
    sale = find(asked.market, asked.user, number, asked.now)
    if sale is None and not is_order(number, asked.now):
        raise Refusal("isv.insufficient-permission")
    if sale is None or sale.user != asked.user:
        raise Refusal("isv.invalid-authorization")
    return {"result": record(sale, asked.now)}


def record(sale: Sale, now: float) -> dict[str, Any]:
    """The `result` of an order at a moment."""
    order_status, logistics_status = states(sale, now)
    store = sale.lines[0].product
    made: dict[str, Any] = {
        "gmt_create": pacific_text(sale.created), "order_status": order_status,
        "logistics_status": logistics_status, "order_amount": amount(sale, sale.total()),
        "user_order_amount": amount(sale, sale.total()), "pay_timeout_second": str(DAY_S),
        "child_order_list": {
            "aeop_child_order_info": [_child(sale, line) for line in sale.lines]},
        "store_info": {"store_id": store.store_id, "store_name": store.store_name,
                       "store_url": f"https://www.aliexpress.com/store/{store.store_id}"},
    }  # fmt: skip
    if sale.paid is not None:
        paid = datetime.fromtimestamp(sale.paid, pacific()).isoformat(timespec="seconds")
        made["order_paidtime_string"] = f"{paid}[America/Los_Angeles]"
    if now >= sale.shipped:
        made["logistics_info_list"] = {"aeop_order_logistics_info": [
            {"logistics_service": sale.quote.code, "logistics_no": sale.mail_number}]}  # fmt: skip
    return made


def states(sale: Sale, now: float) -> tuple[str, str]:
    """Order status and logistics status at a moment."""
    if sale.canceled:
        return "FINISH", "NO_LOGISTICS"
    if sale.paid is None:
        late = now > sale.created + DAY_S
        return ("IN_CANCEL" if late else "PLACE_ORDER_SUCCESS"), "NO_LOGISTICS"
    if now >= sale.received:
        return "FINISH", "BUYER_ACCEPT_GOODS"
    if now >= sale.shipped:
        return "WAIT_BUYER_ACCEPT_GOODS", "SELLER_SEND_GOODS"
    return "WAIT_SELLER_SEND_GOODS", "WAIT_SELLER_SEND_GOODS"


def amount(sale: Sale, minor: int) -> dict[str, str]:
    return {"amount": sale.money.text(minor), "currency_code": sale.money.code}


def _child(sale: Sale, line: Line) -> dict[str, Any]:
    listed, price, fee = sale.costs(line)
    child: dict[str, Any] = {
        "product_id": line.product.id, "product_name": line.product.title,
        "product_count": line.quantity, "sku_id": str(line.sku.id),
        "product_price": amount(sale, listed // line.quantity), "sale_fee": amount(sale, listed),
        "sale_discount_fee": amount(sale, listed - price), "shipping_fee": amount(sale, fee),
        "shipping_discount_fee": amount(sale, 0), "actual_shipping_fee": amount(sale, fee),
        "actual_tax_fee": amount(sale, 0), "actual_fee": amount(sale, price + fee),
        "price_include_tax": "false", "already_include_tax": "false",
    }  # fmt: skip
    if sale.canceled:
        child["end_reason"] = "CANCELED"
    return child
