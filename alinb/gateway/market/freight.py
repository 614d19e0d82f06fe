"""What it costs to send a product somewhere, and how long it takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from .asked import Asked, clamped, document, member, whole
from .detail import MAGIC, TAXED
from .drawing import Draw
from .money import DOLLAR, Currency, currency
from .products import Product
from .verdicts import freight, old_freight

QUERY, OLD = "aliexpress.ds.freight.query", "aliexpress.logistics.buyer.freight.calculate"
_REQUEST = "param_aeop_freight_calculate_for_buyer_d_t_o"

#: Code, company, fee in US cents, days it takes at least and at most.
_SERVICES = (
    ("CAINIAO_FULFILLMENT_STD", "AliExpress Selection Standard", 199, 6, 12),
    ("CAINIAO_STANDARD", "AliExpress standard shipping", 349, 9, 20),
    ("CAINIAO_PREMIUM", "AliExpress Premium Shipping", 1290, 4, 9),
    ("EMS", "EMS", 1890, 6, 15),
)
_FREE_FROM = 1000
_TEXTS = {
    501: "DELIVERY_INFO_EMPTY",
    505: "DELIVERY_NOT_AVAILABLE_TO_YOUR_ADDRESS",
    506: "DELIVERY_SERVICE_EXCEPTION",
}


class Quote(NamedTuple):
    """One way to send: fee in US cents (0 is free), days it takes at least and at most."""

    code: str
    company: str
    cents: int
    least: int
    most: int


def quotes(p: Product, country: str, count: int) -> list[Quote]:
    """The ways to send so many of a product to a country, cheapest first; none to a closed one."""
    if not p.sold_to(country):
        return []
    draw = Draw(f"freight {p.spread} {country}")
    offered = [service for service in _SERVICES if draw.below(3)] or [_SERVICES[0]]
    made = []
    for code, company, fee, least, most in offered:
        cents = fee * (80 + draw.below(60)) // 100 + 60 * p.weight * (count - 1) // 1000
        dear = p.prices(DOLLAR)[1] * count >= _FREE_FROM
        free = dear and code == "CAINIAO_FULFILLMENT_STD"
        late = draw.below(3)
        made.append(Quote(code, company, 0 if free else cents, least + late, most + late))
    return sorted(made, key=lambda quote: quote.cents)


def query(asked: Asked) -> dict[str, Any]:
    """The delivery options for one SKU; 501 and 505 stand in the payload.

    `shipping_fee_cent` holds a decimal of the major unit, as live, whatever its name says.
    """
    read = document(asked, QUERY, "queryDeliveryReq")
    number, count = whole(read, "productId"), max(1, whole(read, "quantity"))
    country = member(read, "shipToCountry").strip().upper()
    if number == MAGIC + 506:
        return freight(506, _TEXTS[506])
    p = asked.market.product(number)
    sku = p.sku(member(read, "selectedSkuId")) if p else None
    if p is None or sku is None or not sku.stock:
        return freight(501, _TEXTS[501])
    offered = quotes(p, country, count)
    if not offered:
        return freight(505, _TEXTS[505])
    money, day = currency(member(read, "currency")), _today(asked.now)
    options = [_option(quote, money, country, day, sku.stock) for quote in offered]
    return {"result": {"success": True, "code": 200, "msg": "Call succeeds",
                       "delivery_options": {"delivery_option_d_t_o": options}}}  # fmt: skip


def _today(now: float) -> datetime:
    return datetime.fromtimestamp(clamped(now), UTC)


def _option(
    quote: Quote, money: Currency, country: str, day: datetime, stock: int
) -> dict[str, Any]:
    first, last = (day + timedelta(days=n) for n in (quote.least, quote.most))
    option: dict[str, Any] = {
        "code": quote.code, "company": quote.company, "free_shipping": not quote.cents,
        "min_delivery_days": quote.least, "max_delivery_days": quote.most,
        "guaranteed_delivery_days": "60", "ship_from_country": "CN", "tracking": True,
        "delivery_date_desc": f"{first:%b. %d} - {last:%b. %d}", "available_stock": str(stock),
        "estimated_delivery_time": f"{quote.least}-{quote.most}", "mayHavePFS": not quote.cents,
        "shipping_fee_currency": money.code,
    }  # fmt: skip
    fee = money.minor(quote.cents)
    option |= {"shipping_fee_cent": money.text(fee), "shipping_fee_format": money.shown(fee)}
    if quote.code == "CAINIAO_FULFILLMENT_STD":
        option["free_shipping_threshold"] = money.shown(money.minor(_FREE_FROM))
    if country in TAXED:
        option["ddpIncludeVATTax"] = "true"
    return option


def calculate(asked: Asked) -> dict[str, Any]:
    """The predecessor of `query`, with its own names; a failure stands at `error_desc`."""
    read = document(asked, OLD, _REQUEST)
    p = asked.market.product(whole(read, "product_id"))
    count = max(1, whole(read, "product_num"))
    offered = quotes(p, member(read, "country_code").strip().upper(), count) if p else []
    if not offered:
        return old_freight(0, _TEXTS[505] if p else _TEXTS[501])
    money = currency(member(read, "price_currency", "USD"))
    options = [{
        "service_name": quote.code, "tracking_available": "true", "error_code": 0,
        "estimated_delivery_time": f"{quote.least}-{quote.most}",
        "freight": {"amount": money.text(money.minor(quote.cents)), "currency_code": money.code,
                    "cent": money.minor(quote.cents)},
    } for quote in offered]  # fmt: skip
    records = {"aeop_freight_calculate_result_for_buyer_d_t_o": options}
    return {"result": {"success": True, "error_desc": "",
                       "aeop_freight_calculate_result_for_buyer_d_t_o_list": records}}  # fmt: skip
