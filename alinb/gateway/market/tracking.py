"""aliexpress.ds.order.tracking.get: where the parcel of an order is."""

from __future__ import annotations

from typing import Any

from .asked import Asked, unmapped
from .sales import DAY_S, Sale, find
from .verdicts import ret

#: What happens to a parcel: days after it is sent (parts of the whole way), name and text.
_STEPS = (
    (0.0, "Package shipped", "Your package left the seller's warehouse"),
    (0.2, "Departed from country", "Your package left its country of origin"),
    (0.6, "Arrived in country", "Your package arrived in the destination country"),
    (0.9, "Delivery update", "Your package arrived at a local facility"),
    (1.0, "Delivered", "Your package has been delivered"),
)


def tracking_get(asked: Asked) -> dict[str, Any]:
    """The way of an order's parcel so far, newest first; 1001 before it is sent or for no order."""
    number = asked.text("ae_order_id").strip()
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        unmapped("ae_order_id")
    sale = find(asked.market, asked.user, int(number), asked.now)
    if sale is None or sale.user != asked.user or asked.now < sale.shipped:
        return ret(1001, "TRACKING DATA NOT FOUND")
    line = _line(sale, asked.now)
    data = {"tracking_detail_line_list": {"tracking_detail": [line]}}
    return {"result": {"ret": True, "code": "200", "msg": "", "data": data}}


def _line(sale: Sale, now: float) -> dict[str, Any]:
    length = sale.received - sale.shipped
    nodes = [
        {"time_stamp": int((sale.shipped + part * length) * 1000), "tracking_name": name,
         "tracking_detail_desc": says}
        for part, name, says in _STEPS if sale.shipped + part * length <= now
    ]  # fmt: skip
    items = [
        {"item_id": line.product.id, "item_title": line.product.title, "quantity": line.quantity,
         "sku_id": line.sku.id, "sku_desc": line.sku.words}
        for line in sale.lines
    ]  # fmt: skip
    return {
        "mail_no": sale.mail_number, "carrier_name": sale.quote.company,
        "eta_time_stamps": int((sale.shipped + sale.quote.most * DAY_S) * 1000),
        "detail_node_list": {"detail_node": nodes[::-1]},
        "package_item_list": {"package_item": items},
    }  # fmt: skip
