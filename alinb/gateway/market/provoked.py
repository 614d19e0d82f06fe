"""How each business code is provoked: what a caller has to do, in words and as parameters."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .asked import Asked
from .commissions import STATES
from .detail import MAGIC
from .freight import quotes
from .orders import MAGIC as ORDER_MAGIC
from .placing import BY_MEMO, UNPAID, order_create
from .products import CLOSED, Product
from .sales import account, between
from .world import Market

Params = Mapping[str, str]
_ADDRESS = "B_DROPSHIPPER_DELIVERY_ADDRESS_"
#: A tax number whose last digits are right, and one whose are not.
_CPF, _WRONG_CPF = "52998224725", "52998224726"


class Recipe(NamedTuple):
    """One way to a code: the method, what to do in words, and the parameters that do it.

    `params` takes the market, the account and the moment (epoch s).
    """

    code: str
    method: str
    does: str
    params: Callable[[Market, str, float], Params]


def _always(**params: str) -> Callable[[Market, str, float], Params]:
    return lambda market, user, now: params


def _product(market: Market, **params: str) -> Params:
    return {"product_id": str(in_stock(market).id), **params}


def in_stock(market: Market) -> Product:
    """The first product that can be ordered and sent to the US and Brazil."""
    return next(p for p in map(market.at, range(len(market)))
                if p.cheapest.stock > 5 and quotes(p, "US", 1) and quotes(p, "BR", 1))  # fmt: skip


def freight_params(market: Market, **changed: Any) -> Params:
    """The parameters of a freight query that succeeds, some members changed."""
    p = in_stock(market)
    asked = {
        "productId": str(p.id), "selectedSkuId": str(p.cheapest.id), "quantity": 1,
        "shipToCountry": "US", "language": "en_US", "locale": "en_US", "currency": "USD",
    }  # fmt: skip
    return {"queryDeliveryReq": json.dumps({**asked, **changed})}


def order_params(
    market: Market,
    *,
    key: str = "",
    address: Mapping[str, Any] | None = None,
    item: Mapping[str, Any] | None = None,
    extended: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """The parameters of an order that is placed, some members of its parts changed."""
    p = in_stock(market)
    where = {
        "address": "1 Sandbox Street", "city": "Vineland", "province": "New Jersey",
        "country": "US", "zip": "08360", "contact_person": "Ada Tester", "full_name": "Ada Tester",
        "mobile_no": "5555550100", "phone_country": "+1", **(address or {}),
    }  # fmt: skip
    what = {"product_id": p.id, "product_count": 1, "sku_attr": p.cheapest.attr, **(item or {})}
    asked: dict[str, Any] = {"logistics_address": where, "product_items": [what]}
    if key:
        asked["out_order_id"] = key
    return {
        "param_place_order_request4_open_api_d_t_o": json.dumps(asked),
        "ds_extend_request": json.dumps(extended or {}),
    }


def _order(**changed: Any) -> Callable[[Market, str, float], Params]:
    return lambda market, user, now: order_params(market, **changed)


def _repeated(market: Market, user: str, now: float) -> Params:
    # The key is spent on one order here, so that the caller's is the second.
    order_create(Asked(market, order_params(market, key="provoked"), user, now))
    return order_params(market, key="provoked", item={"product_count": 2})


def _brazil(**changed: str) -> dict[str, str]:
    where = {"country": "BR", "province": "São Paulo", "city": "Campinas", "zip": "13010-000"}
    return {**where, "cpf": _CPF, **changed}


def _foreign(market: Market, user: str, now: float) -> Params:
    newest = [*between(market, account(user), 0, now, now)][-1]
    return {"single_order_query": json.dumps({"order_id": newest.id + 1})}


def _tracked(number: str) -> Callable[[Market, str, float], Params]:
    return _always(ae_order_id=number, language="en_US")


_CLOSED = min(CLOSED)
_GET, _WHOLESALE = "aliexpress.ds.product.get", "aliexpress.ds.product.wholesale.get"
_FREIGHT, _CREATE = "aliexpress.ds.freight.query", "aliexpress.ds.order.create"
_SEARCH, _TRACK = "aliexpress.ds.text.search", "aliexpress.ds.order.tracking.get"
_READ, _QUERY = "aliexpress.trade.ds.order.get", "aliexpress.affiliate.product.query"
_LIST = "aliexpress.affiliate.order.list"
_PLACE = {"local": "en_US", "countryCode": "US", "currency": "USD"}

RECIPES: tuple[Recipe, ...] = (
    Recipe("602", _GET, f"ship_to_country={_CLOSED}",
           lambda market, user, now: _product(market, ship_to_country=_CLOSED)),
    Recipe("604", _WHOLESALE, f"product_id={MAGIC + 604}",
           _always(product_id=str(MAGIC + 604), ship_to_country="US")),
    Recipe("605", _GET, "product_id=1", _always(product_id="1", ship_to_country="US")),
    Recipe("404", _GET, f"product_id={MAGIC + 404}",
           _always(product_id=str(MAGIC + 404), ship_to_country="US")),
    Recipe("501", _FREIGHT, "selectedSkuId=1, or that of another product",
           lambda market, user, now: freight_params(market, selectedSkuId="1")),
    Recipe("505", _FREIGHT, f"shipToCountry={_CLOSED}",
           lambda market, user, now: freight_params(market, shipToCountry=_CLOSED)),
    Recipe("506", _FREIGHT, f"productId={MAGIC + 506}",
           lambda market, user, now: freight_params(market, productId=str(MAGIC + 506))),
    Recipe("1001", _TRACK, "ae_order_id=1, or an order that is not sent yet", _tracked("1")),
    Recipe("UnsupportedParamMapping", _TRACK, "ae_order_id=abc; JSON that cannot be read as such",
           _tracked("abc")),
    Recipe("EXCEPTION_TEXT_SEARCH_FOR_DS", _SEARCH, "sortBy=price; no token; or that as keyWord",
           _always(**_PLACE, sortBy="price")),
    Recipe("NGSELECTION_SEARCH_ERROR", _SEARCH, "that as keyWord",
           _always(**_PLACE, keyWord="NGSELECTION_SEARCH_ERROR")),
    Recipe(_ADDRESS + "VALIDATE_FAIL", _CREATE, "an address without a city or "
           "province, a phone with blanks, or one letter as a name", _order(address={"city": ""})),
    Recipe(_ADDRESS + "CPF_CN_INVALID", _CREATE, "country BR without a valid cpf",
           _order(address=_brazil(cpf=_WRONG_CPF))),
    Recipe(_ADDRESS + "CPF_NOT_MATCH", _CREATE,
           "country BR, a valid cpf, and a contact_person who is not the full_name",
           _order(address=_brazil(contact_person="Somebody Else"))),
    Recipe("PRICE_PAY_CURRENCY_ERROR", _CREATE, "payment.pay_currency=XYZ",
           _order(extended={"payment": {"pay_currency": "XYZ"}})),
    Recipe("DELIVERY_METHOD_NOT_EXIST", _CREATE, "logistics_service_name=PIGEON",
           _order(item={"logistics_service_name": "PIGEON"})),
    Recipe("INVENTORY_HOLD_ERROR", _CREATE, "product_count=1000, more than any stock",
           _order(item={"product_count": 1000})),
    Recipe("REPEATED_ORDER_ERROR", _CREATE,
           "an out_order_id of the last 24 h with another order in it", _repeated),
    Recipe("ERROR_WHEN_BUILD_FOR_PLACE_ORDER", _CREATE, "a sku_attr that the product does not have",
           _order(item={"sku_attr": "14:1#None"})),
    Recipe("A001_ORDER_CANNOT_BE_PLACED", _CREATE, "product_id=1", _order(item={"product_id": 1})),
    Recipe("A002_INVALID_ZONE", _CREATE, "zip=00000", _order(address={"zip": "00000"})),
    Recipe("A004_CANNOT_USER_COUPON", _CREATE, "promotion.promotion_code=NONE",
           _order(extended={"promotion": {"promotion_code": "NONE"}})),
    Recipe("A005_INVALID_COUNTRIES", _CREATE, f"country={_CLOSED}",
           _order(address={"country": _CLOSED})),
    *(Recipe(code, _CREATE, "that as order_memo of a product", _order(item={"order_memo": code}))
      for code in BY_MEMO),
    Recipe(UNPAID, _CREATE, "payment.try_to_pay=true with a pay_currency that is not USD; "
           "the order is placed",
           _order(extended={"payment": {"try_to_pay": "true", "pay_currency": "EUR"}})),
    Recipe("isv.insufficient-permission", _READ, "order_id=1",
           _always(single_order_query='{"order_id": 1}')),
    Recipe("isv.invalid-authorization", _READ, "an order of another account: the id of one of "
           "yours plus 1", _foreign),
    *(Recipe(code, _READ, f"order_id={number}",
             _always(single_order_query=json.dumps({"order_id": number})))
      for number, code in ORDER_MAGIC.items()),
    Recipe("405", _QUERY, "keywords that no title has, or a page past the last",
           _always(keywords="nothing has this")),
    Recipe("401", _QUERY, "tracking_id=401", _always(tracking_id="401")),
    Recipe("402", _LIST, "an end_time before start_time; tracking_id=402 on a product method",
           _always(start_time="2026-01-02", end_time="2026-01-01", status=STATES[0])),
    Recipe("403", _QUERY, "tracking_id=403", _always(tracking_id="403")),
    Recipe("404", _QUERY, "tracking_id=404", _always(tracking_id="404")),
    Recipe("16", "/order/get", "order_id=1", _always(order_id="1")),
)  # fmt: skip


def _said() -> dict[str, str]:
    said: dict[str, str] = {}
    for recipe in RECIPES:
        text = f"{recipe.method}: {recipe.does}"
        said[recipe.code] = f"{said[recipe.code]}; {text}" if recipe.code in said else text
    return said


#: Each business code and what to do to be refused with it.
PROVOKED: Mapping[str, str] = _said()
