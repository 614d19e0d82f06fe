"""Orders that callers place: once for a key, whatever happens at the same time."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from alinb.gateway.market.placing import UNPAID, is_cpf
from alinb.gateway.market.provoked import in_stock, order_params
from alinb.gateway.market.sales import Book, account, between
from alinb.gateway.methods import ANSWERS, Asked, Market
from alinb.gateway.refusals import Refusal

Answer = Callable[..., dict[str, Any]]
CREATE, READ = "aliexpress.ds.order.create", "aliexpress.trade.ds.order.get"
TRACK = "aliexpress.ds.order.tracking.get"
NOW, DAY = 1_800_000_000.0, 86_400.0
PAY = {"payment": {"try_to_pay": "true", "pay_currency": "USD"}}


@pytest.fixture
def market() -> Market:
    return Market(240)


def numbers(payload: dict[str, Any]) -> list[int]:
    found: list[int] = payload["result"]["order_list"]["number"]
    return found


def read(number: int) -> dict[str, str]:
    return {"single_order_query": json.dumps({"order_id": number})}


def test_the_same_request_again_gives_the_same_order(answer: Answer, market: Market) -> None:
    params = order_params(market, key="shop-1")
    first = answer(CREATE, params)
    assert answer(CREATE, params, now=NOW + DAY - 1) == first
    assert len(market.book.of("buyer")) == 1
    (number,) = numbers(first)
    assert 10**15 < number < 10**16
    (later,) = numbers(answer(CREATE, params, now=NOW + DAY))
    assert later != number
    assert numbers(answer(CREATE, params, user="another")) != [later]


def test_without_a_key_every_request_is_an_order(answer: Answer, market: Market) -> None:
    params = order_params(market)
    assert numbers(answer(CREATE, params)) != numbers(answer(CREATE, params))


def test_two_threads_place_one_order(market: Market) -> None:
    params, seen = order_params(market, key="shop-2"), []
    start = threading.Barrier(8)

    def place() -> None:
        start.wait()
        for _ in range(50):
            seen.append(tuple(numbers(ANSWERS[CREATE](Asked(market, params, "buyer", NOW)))))

    threads = [threading.Thread(target=place) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 400
    assert len(set(seen)) == 1
    assert len(market.book.of("buyer")) == 1


def test_an_order_has_one_part_a_store(answer: Answer, market: Market) -> None:
    products = [p for p in market.everything if p.cheapest.stock > 5][:20]
    params = order_params(market)
    name = "param_place_order_request4_open_api_d_t_o"
    asked = json.loads(params[name])
    asked["product_items"] = [
        {"product_id": str(p.id), "product_count": "1", "sku_attr": p.cheapest.attr}
        for p in products
    ]
    ids = numbers(answer(CREATE, {name: json.dumps(asked)}))
    assert len(ids) == len({p.store_id for p in products}) > 1
    named = []
    for number in ids:
        order = answer(READ, read(number))["result"]
        child = order["child_order_list"]["aeop_child_order_info"]
        named += [each["product_id"] for each in child]
        total = sum(round(float(each["actual_fee"]["amount"]) * 100) for each in child)
        assert round(float(order["order_amount"]["amount"]) * 100) == total
    assert sorted(named) == sorted(p.id for p in products)


def test_a_paid_order_is_sent_and_arrives(answer: Answer, market: Market) -> None:
    (number,) = numbers(answer(CREATE, order_params(market, extended=PAY)))
    states = []
    for days in (0, 1, 2, 40):
        now = NOW + days * DAY
        order = answer(READ, read(number), now=now)["result"]
        params = {"ae_order_id": str(number), "language": "en_US"}
        tracked = answer(TRACK, params, now=now)["result"]
        states.append((order["order_status"], order["logistics_status"], tracked["ret"]))
    assert states == [
        ("WAIT_SELLER_SEND_GOODS", "WAIT_SELLER_SEND_GOODS", False),
        ("WAIT_SELLER_SEND_GOODS", "WAIT_SELLER_SEND_GOODS", False),
        ("WAIT_BUYER_ACCEPT_GOODS", "SELLER_SEND_GOODS", True),
        ("FINISH", "BUYER_ACCEPT_GOODS", True),
    ]
    order = answer(READ, read(number))["result"]
    assert order["gmt_create"] == "2027-01-15 00:00:00", "Pacific"
    assert order["order_paidtime_string"] == "2027-01-15T00:00:00-08:00[America/Los_Angeles]"


def test_an_order_nobody_pays_is_canceled(answer: Answer, market: Market) -> None:
    (number,) = numbers(answer(CREATE, order_params(market)))
    status = [answer(READ, read(number), now=NOW + days * DAY)["result"]["order_status"]
              for days in (0, 2)]  # fmt: skip
    assert status == ["PLACE_ORDER_SUCCESS", "IN_CANCEL"]
    assert "order_paidtime_string" not in answer(READ, read(number))["result"]


def test_a_payment_that_fails_leaves_the_order(answer: Answer, market: Market) -> None:
    extended = {"payment": {"try_to_pay": True, "pay_currency": "eur"}}
    params = order_params(market, extended=extended, key="shop-3")
    payload = answer(CREATE, params)
    assert (payload["result"]["is_success"], payload["result"]["error_msg"]) == (True, UNPAID)
    assert answer(CREATE, params) == payload
    (number,) = numbers(payload)
    order = answer(READ, read(number))["result"]
    assert order["order_amount"]["currency_code"] == "EUR"


def test_the_order_of_another_account_is_not_shown(answer: Answer, market: Market) -> None:
    (number,) = numbers(answer(CREATE, order_params(market, extended=PAY)))
    with pytest.raises(Refusal) as refused:
        answer(READ, read(number), user="another")
    assert refused.value.code == "isv.invalid-authorization"
    params = {"ae_order_id": str(number), "language": "en_US"}
    assert answer(TRACK, params, user="another", now=NOW + 5 * DAY)["result"]["code"] == "1001"


def test_a_placed_order_earns_a_commission(answer: Answer, market: Market) -> None:
    (number,) = numbers(answer(CREATE, order_params(market, extended=PAY)))
    params = {"start_time": "2027-01-14", "end_time": "2027-01-16", "status": "Payment Completed",
              "page_size": "50"}  # fmt: skip
    result = answer("aliexpress.ds.commissionorder.listbyindex", params, now=NOW + 60)["result"]
    rows = result["orders"]["traffic_order_effect_dto"]
    assert number in [row["order_id"] for row in rows]
    assert rows[-1]["item_id"] == in_stock(market).id


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ({"city": " "}, "Please enter a city"),
        ({"province": ""}, "Please select a State/Province/County"),
        ({"province": "Neu Jersey"}, "Please select a State/Province/County"),
        ({"contact_person": "A Tester"}, "Please enter between 2 - 32 characters"),
        ({"mobile_no": "555 0100"}, "Please enter the country code and phone number without any "
                                    "spaces or special characters"),
        ({"country": "USA"}, "address does not match the rules"),
    ],
)  # fmt: skip
def test_an_address_is_checked_as_the_form_does(
    answer: Answer, market: Market, address: dict[str, str], says: str
) -> None:
    result = answer(CREATE, order_params(market, address=address))["result"]
    assert result == {
        "is_success": False, "error_msg": says,
        "error_code": "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL"}  # fmt: skip
    assert market.book.of("buyer") == []


def test_a_name_of_one_letter_is_good_elsewhere(answer: Answer, market: Market) -> None:
    where = {"country": "KR", "province": "Seoul", "city": "Jongno-gu", "contact_person": "Kim A"}
    assert numbers(answer(CREATE, order_params(market, address=where)))


def test_a_state_may_be_written_short(answer: Answer, market: Market) -> None:
    assert numbers(answer(CREATE, order_params(market, address={"province": "NJ"})))


@pytest.mark.parametrize(
    ("part", "value", "code", "parameter"),
    [
        ("logistics_address", None, "MissingParameter", "logistics_address"),
        ("logistics_address", "Vineland", "UnsupportedParamMapping", ""),
        ("product_items", {"product_id": 1}, "MissingParameter", "product_count"),
        ("product_items", {"product_id": 1, "product_count": 1}, "UnsupportedParamMapping", ""),
        ("product_items", [{"product_count": 1}], "MissingParameter", "product_id"),
        ("product_items", [{"product_id": "x", "product_count": 1}], "UnsupportedParamMapping", ""),
        ("product_items", [1], "UnsupportedParamMapping", ""),
    ],
)
def test_a_request_that_does_not_fit_is_refused_by_the_gateway(
    answer: Answer, market: Market, part: str, value: Any, code: str, parameter: str
) -> None:
    name = "param_place_order_request4_open_api_d_t_o"
    asked = json.loads(order_params(market)[name])
    with pytest.raises(Refusal) as refused:
        answer(CREATE, {name: json.dumps({**asked, part: value})})
    assert (refused.value.code, refused.value.parameter) == (code, parameter)


@pytest.mark.parametrize("text", ["{", "[]", "1", '"x"', '{"a": NaN}', "[" * 100_000])
def test_what_is_no_json_object_does_not_map(answer: Answer, text: str) -> None:
    with pytest.raises(Refusal) as refused:
        answer(CREATE, {"param_place_order_request4_open_api_d_t_o": text})
    assert refused.value.code == "UnsupportedParamMapping"


def test_a_book_keeps_the_newest_orders() -> None:
    market, book = Market(5), Book()
    sale = next(between(market, account("b"), 0, NOW, NOW))
    for n in range(10_050):
        book.place("b", f"k{n}", "", NOW, lambda take: [sale._replace(id=take(), user="b")])
    assert len(book.of("b")) == 10_000


def test_a_brazilian_tax_number_checks_itself() -> None:
    good = [int(c) for c in "52998224725"]
    assert is_cpf(good)
    assert not is_cpf([1] * 11)
    assert not is_cpf(good[:10])
    wrong = [[*good[:n], (good[n] + 1) % 10, *good[n + 1 :]] for n in range(11)]
    assert not any(is_cpf(digits) for digits in wrong)
