"""aliexpress.ds.order.create and its predecessor: checks, refusals, and one order a store.

An order is placed once for each `out_order_id` and account within 24 h: the same request again
gives the same orders, another request with that key `REPEATED_ORDER_ERROR`. Stock is not used up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .addresses import places
from .asked import Asked, clamped, document, inner, member, unmapped, whole
from .drawing import as_json
from .freight import Quote, quotes
from .money import CURRENCIES, DOLLAR, Currency
from .offers import promo_code
from .products import CLOSED
from .sales import Line, Sale
from .verdicts import order as refused

CREATE, PLACE = "aliexpress.ds.order.create", "aliexpress.trade.buy.placeorder"
_REQUEST = "param_place_order_request4_open_api_d_t_o"
_ADDRESS = "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL"
UNPAID = "OrderCreated, autoPay fail:APIPayFail"
#: Codes that hang on facts about an account that no sandbox has: an `order_memo` of that text.
BY_MEMO = {
    "BLACKLIST_BUYER_IN_LIST": "Blacklist buyers",
    "USER_ACCOUNT_DISABLED": "Buyer account has been disabled",
    "A003_SUSPICIOUS_BUYER": "A003_SUSPICIOUS_BUYER",
    "A006_INVALID_ACCOUNT_INFO": "A006_INVALID_ACCOUNT_INFO",
}


class Refused(Exception):
    """An order that is not placed: code and text of the payload."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(code)
        self.code, self.text = code, text or code


def order_create(asked: Asked) -> dict[str, Any]:
    """Place orders; `order_list` has one a store. A refusal stands in the payload."""
    return _placed(asked, CREATE)


def placeorder(asked: Asked) -> dict[str, Any]:
    """The predecessor of `order_create`, which takes the same request but no payment."""
    return _placed(asked, PLACE)


def _placed(asked: Asked, method: str) -> dict[str, Any]:
    read = document(asked, method, _REQUEST)
    extended = document(asked, method, "ds_extend_request")
    try:
        address = inner(read, "logistics_address")
        _check_address(address, inner(extended, "trade_extra_param"))
        country = member(address, "country").strip().upper()
        lines = [_line(item, country) for item in _items(asked, read)]
        money, paid = _payment(inner(extended, "payment"))
        _check_coupon(extended, lines)
    except Refused as no:
        return refused(no.code, no.text)
    make = _maker(asked.user, clamped(asked.now), country, money, lines, paid)
    content = as_json([{**read, "out_order_id": ""}, extended])
    key = member(read, "out_order_id")
    ids = asked.market.book.place(asked.user, key, content, asked.now, make)
    if ids is None:
        return refused("REPEATED_ORDER_ERROR", "Repeated placed order")
    result: dict[str, Any] = {"is_success": True, "order_list": {"number": list(ids)}}
    if paid is False:
        result["error_msg"] = UNPAID
    return {"result": result}


def _check_address(address: Mapping[str, Any], extra: Mapping[str, Any]) -> None:
    for name in address:
        member(address, name)
    country = member(address, "country").strip().upper()
    if country in CLOSED:
        raise Refused("A005_INVALID_COUNTRIES")
    if member(address, "zip").strip() == "00000":
        raise Refused("A002_INVALID_ZONE")
    for says in _faults(address, country, extra):
        raise Refused(_ADDRESS, says)
    if country == "BR":
        _check_cpf(address)


def _faults(address: Mapping[str, Any], country: str, extra: Mapping[str, Any]) -> Sequence[str]:
    """What the address form says of an address, the first first."""
    said = []
    person = member(address, "contact_person") or member(address, "full_name") or "no name"
    phone = member(address, "mobile_no")
    if len(country) != 2 or not country.isalpha():
        said.append("address does not match the rules")
    if not _known_province(country, member(address, "province").strip()):
        said.append("Please select a State/Province/County")
    if not member(address, "city").strip():
        said.append("Please enter a city")
    if not member(address, "address").strip():
        said.append("address does not match the rules")
    # The reference has this rule for the US alone.
    if country == "US" and any(not 2 <= len(part) <= 32 for part in person.split() or [""]):
        said.append("Please enter between 2 - 32 characters")
    if phone and not phone.isdigit():
        said.append("Please enter the country code and phone number without any spaces or special "
                    "characters")  # fmt: skip
    national = member(extra, "nat_addr")
    if country == "SA" and national and not _is_national(national):
        said.append("Please enter a 8-digit national address in right format, eg. ABCD1234.")
    return said


def _known_province(country: str, province: str) -> bool:
    # Every state of the US is known here; of other countries only some provinces are.
    if country == "US" and len(province) > 2:
        return province.casefold() in {name.casefold() for name in places()["US"]}
    return bool(province)


def _is_national(text: str) -> bool:
    return len(text) == 8 and text[:4].isalpha() and text[:4].isupper() and text[4:].isdigit()


def _check_cpf(address: Mapping[str, Any]) -> None:
    digits = [int(c) for c in member(address, "cpf") if c in "0123456789"]
    if not is_cpf(digits):
        raise Refused("B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_CN_INVALID", "CPF is invalid")
    person, full = (member(address, name).casefold().split()
                    for name in ("contact_person", "full_name"))  # fmt: skip
    if person and full and person != full:
        raise Refused("B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_NOT_MATCH", "CPF does not match the name")


def is_cpf(digits: Sequence[int]) -> bool:
    """Whether eleven digits are a Brazilian tax number: the last two check the others."""
    if len(digits) != 11 or len(set(digits)) == 1:
        return False
    return all(
        sum((n + 1 - k) * digits[k] for k in range(n)) * 10 % 11 % 10 == digits[n] for n in (9, 10)
    )


def _items(asked: Asked, read: Mapping[str, Any]) -> list[tuple[Line, str]]:
    items = read.get("product_items")
    if not isinstance(items, list):
        unmapped("product_items")
    if not items:
        raise Refused("ERROR_WHEN_BUILD_FOR_PLACE_ORDER", "No product in the order")
    return [_item(asked, item) for item in items]


def _item(asked: Asked, item: Mapping[str, Any]) -> tuple[Line, str]:
    number, count = whole(item, "product_id"), whole(item, "product_count")
    memo, attr = member(item, "order_memo").strip(), member(item, "sku_attr").strip()
    if memo in BY_MEMO:
        raise Refused(memo, BY_MEMO[memo])
    p = asked.market.product(number)
    if p is None:
        raise Refused("A001_ORDER_CANNOT_BE_PLACED")
    sku = p.sku(attr) if attr else p.skus[0] if len(p.skus) == 1 else None
    if sku is None or not count:
        raise Refused("ERROR_WHEN_BUILD_FOR_PLACE_ORDER", "System error.")
    if count > sku.stock:
        raise Refused("INVENTORY_HOLD_ERROR", "Hold inventory error")
    return Line(p, sku, count), member(item, "logistics_service_name").strip()


def _line(item: tuple[Line, str], country: str) -> tuple[Line, Quote]:
    line, service = item
    offered = quotes(line.product, country, line.quantity)
    chosen = [quote for quote in offered if not service or quote.code == service]
    if not chosen:
        raise Refused("DELIVERY_METHOD_NOT_EXIST", "Delivery method is not exist")
    return line, chosen[0]


def _payment(payment: Mapping[str, Any]) -> tuple[Currency, bool | None]:
    """The currency, and whether the order is paid at once: None where that was not asked for."""
    code = member(payment, "pay_currency").strip().upper() or DOLLAR.code
    if code not in CURRENCIES:
        raise Refused("PRICE_PAY_CURRENCY_ERROR", "Products in the place order request should not "
                      "be declared in different currencies")  # fmt: skip
    tried = member(payment, "try_to_pay").strip().casefold() == "true"
    # Payment without a person is for dollars and listed accounts alone (DS reference, API pay).
    return CURRENCIES[code], code == DOLLAR.code if tried else None


def _check_coupon(extended: Mapping[str, Any], lines: Sequence[tuple[Line, Quote]]) -> None:
    code = member(inner(extended, "promotion"), "promotion_code").strip()
    if code and code not in {promo_code(line.product) for line, _ in lines}:
        raise Refused("A004_CANNOT_USER_COUPON")


def _maker(
    user: str,
    now: float,
    country: str,
    money: Currency,
    lines: Sequence[tuple[Line, Quote]],
    paid: bool | None,
) -> Callable[[Callable[[], int]], list[Sale]]:
    def make(next_id: Callable[[], int]) -> list[Sale]:
        stores: dict[int, list[tuple[Line, Quote]]] = {}
        for line, quote in lines:
            stores.setdefault(line.product.store_id, []).append((line, quote))
        return [
            Sale(next_id(), user, now, now if paid else None, country, money,
                 held[0][1], tuple(line for line, _ in held), placed=True)
            for held in stores.values()
        ]  # fmt: skip

    return make
