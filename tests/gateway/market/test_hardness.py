"""Whatever a caller sends, a method answers with JSON or refuses; it never breaks."""

import json
import random
from typing import Any

import pytest

from alinb.gateway.faults import PAGING
from alinb.gateway.market.provoked import freight_params, in_stock, order_params
from alinb.gateway.market.sales import account, between
from alinb.gateway.methods import ANSWERS, Asked, Market, missing
from alinb.gateway.refusals import Refusal
from alinb.knowledge import load

NOW = 1_800_000_000.0
DEEP = "[" * 100_000
ODD = [
    "", " ", "0", "-1", "1", "2.5", "1e9", "9" * 19, "9" * 5000, "٣", "abc", "null", "true", "{}",
    "[]", "[{}]", '{"a": NaN}', '"\\ud800"', '{"order_id": "\\ud800"}', DEEP, '{"order_id": 1e400}',
    "US", "us", "USA", "KP", "中文", "\x00", "a" * 10_000, "2026-01-01", "2026-01-01 00:00:00",
    "9999-12-31 23:59:59", "0001-01-01", "12/31/2026", "Payment Completed", "orders,desc", "200",
    '{"order_id": [1]}', '{"order_id": true}', '{"order_id": 1.5}', ",,,", "1,2,3", "../..", "%s",
]  # fmt: skip
MOMENTS = [NOW, NOW + 86_400, NOW, 0.0, -5.0, 1.0, 1e12, 1e18, float("inf")]


def params_of(name: str, chance: random.Random, market: Market) -> dict[str, str]:
    facts = load("methods")["methods"][name]
    names = [*facts.get("required", []), *facts.get("optional", [])]
    given = {each: chance.choice(ODD) for each in names if chance.random() < 0.8}
    newest = [*between(market, account("buyer"), 0, NOW, NOW)][-1]
    real = {
        "product_id": str(in_stock(market).id), "ship_to_country": "US", "tracking_id": "mine",
        "feed_name": "DS bestseller", "countryCode": "US", "currency": "EUR", "local": "en_US",
        "status": "Payment Completed", "start_time": "2026-01-01", "end_time": "2027-12-01",
        "single_order_query": json.dumps({"order_id": newest.id}), "created_after": "2026-12-01",
        "param0": '{"sellerAdminSeq": "1"}', "ae_order_id": str(newest.id),
        "param_aeop_freight_calculate_for_buyer_d_t_o": json.dumps({
            "product_id": in_stock(market).id, "product_num": 1, "country_code": "US",
            "send_goods_country_code": "CN"}),
        **freight_params(market), **order_params(market),
    }  # fmt: skip
    for each in set(names) & set(real):
        if chance.random() < 0.5:
            given[each] = real[each]
    return given


def mangled(text: str, chance: random.Random) -> str:
    """A JSON parameter with one member changed, dropped or of another type."""
    try:
        read = json.loads(text)
    except ValueError:
        return text
    where: Any = read
    while isinstance(where, (dict, list)) and where:
        key = chance.choice(list(where) if isinstance(where, dict) else range(len(where)))
        if chance.random() < 0.5 or not isinstance(where[key], (dict, list)):
            odd = [None, "", 0, -1, 10**30, True, [], {}, [1], {"a": 1}, 1.5, "x", "\ud800", "KP"]
            where[key] = chance.choice(odd)
            break
        where = where[key]
    return json.dumps(read)


@pytest.mark.parametrize("name", ANSWERS)
def test_odd_parameters_get_an_answer(name: str, market: Market) -> None:
    chance = random.Random(name)
    answered = 0
    for n in range(400):
        params = params_of(name, chance, market)
        for each in list(params):
            if params[each].startswith("{") and chance.random() < 0.5:
                params[each] = mangled(params[each], chance)
        if missing(name, params, ["image_file_bytes"]):
            continue
        faults = frozenset(fault for fault in PAGING if chance.random() < 0.2)
        asked = Asked(
            market, params, chance.choice(["", "buyer", "buyer", "5" * 100]),
            chance.choice(MOMENTS), faults, n, {"image_file_bytes": b"\x89PNG"},
        )  # fmt: skip
        try:
            payload = ANSWERS[name](asked)
        except Refusal:
            continue
        text = json.dumps(payload, ensure_ascii=False, allow_nan=False).encode()
        assert json.loads(text) == payload
        answered += 1
    assert answered >= 5
