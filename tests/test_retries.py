"""What is sent again: reads, orders with a key of their own, and never a code."""

import json
from typing import Any

import pytest
import stamina

from alinb import Call, errors, replies
from alinb.knowledge import load
from alinb.retries import may_repeat, policy, worth_another

ORDER = "aliexpress.ds.order.create"
PARAMETER = "param_place_order_request4_open_api_d_t_o"
DETAIL = Call.of("aliexpress.ds.product.get", {"product_id": 1})


def order(**more: Any) -> Call:
    return Call.of(ORDER, {PARAMETER: {"product_items": [], **more}})


def refused(code: str, status: int = 200) -> errors.AlinbError:
    body = json.dumps({"error_response": {"code": code, "msg": "no"}})
    with pytest.raises(errors.AlinbError) as caught:
        replies.read(status, body, DETAIL.name).raise_for_refusal()
    return caught.value


@pytest.mark.parametrize(
    ("call", "may"),
    [
        (DETAIL, True),
        (Call.of("aliexpress.affiliate.order.listbyindex"), True),
        (Call.of("aliexpress.ds.image.searchV2"), True),
        (Call.of("/products/get"), True),
        (order(), False),
        (order(out_order_id=""), False),
        (order(out_order_id="mine-1"), True),
        (Call.of(ORDER, {PARAMETER: "no json"}), False),
        (Call.of("aliexpress.trade.buy.placeorder", {PARAMETER: {"out_order_id": "1"}}), False),
        (Call.of("/auth/token/create", {"code": "3_1_x"}), False),
        (Call.of("/auth/token/security/create"), False),
        (Call.of("/auth/token/refresh"), False),
        (Call.of("aliexpress.ds.search.event.report"), False),
        (Call.of("some.thing.nobody.knows"), False),
        (Call.of("/product/create"), False),
        (Call.of("aliexpress.ds.image.search", {"image_file_bytes": b"x"}), False),
    ],
)
def test_what_may_be_sent_twice(call: Call, may: bool) -> None:
    assert may_repeat(call) is may


@pytest.mark.parametrize("name", sorted(load("methods")["methods"]))
def test_every_method_is_a_read_or_named_as_a_write(name: str) -> None:
    rules = load("paging")["repeating"]
    read = name.endswith(tuple(rules["endings"]))
    assert read or name in rules["never"] or name in rules["keyed"]


@pytest.mark.parametrize(
    ("code", "status", "worth"),
    [
        ("ServiceUnavailable", 200, True),
        ("ServiceTimeout", 200, True),
        ("isp.top-remote-connection-timeout", 200, True),
        ("InternalError", 200, True),
        ("whatever", 502, True),
        ("IncompleteSignature", 200, False),
        ("InvalidAppKey", 200, False),
        ("InsufficientPermission", 200, False),
        ("MissingParameter", 200, False),
        ("ApiCallLimit", 200, False),
        ("isv.invalid-parameter", 200, False),
        ("nobody-knows-this-one", 200, False),
    ],
)
def test_which_refusals_pass_by_themselves(code: str, status: int, worth: bool) -> None:
    assert worth_another(refused(code, status), DETAIL) is worth


def test_no_answer_and_no_connection() -> None:
    lost = errors.NoReply("x", connected=True)
    never_left = errors.NoReply("x", connected=False)
    assert worth_another(lost, DETAIL)
    assert not worth_another(lost, order()), "it may have been carried out"
    assert worth_another(never_left, order()), "nothing can have been carried out"
    assert not worth_another(never_left, Call.of("/auth/token/create", {"code": "3_1_x"}))
    assert worth_another(errors.UnreadableReply("x"), DETAIL)
    assert not worth_another(errors.UnreadableReply("x"), order())
    assert not worth_another(errors.InputError("x"), DETAIL)


def test_the_policy_is_one_of_stamina() -> None:
    tries = []

    @stamina.retry(**policy(DETAIL))
    def fail() -> None:
        tries.append(1)
        raise errors.UnreadableReply("x")

    with stamina.set_testing(True, attempts=3), pytest.raises(errors.UnreadableReply):
        fail()
    assert len(tries) == 3


@pytest.mark.parametrize(
    ("code", "status", "times"),
    [("ServiceUnavailable", 200, 8), ("InternalError", 200, 3), ("InternalError", 500, 8),
     ("IncompleteSignature", 200, 1)],
)  # fmt: skip
def test_how_often_a_refused_call_is_tried(code: str, status: int, times: int) -> None:
    tried: list[int] = []
    error = refused(code, status)

    def fail() -> None:
        tried.append(1)
        raise error

    for _ in range(2):
        tried.clear()
        with pytest.raises(errors.AlinbError):
            stamina.retry(**{**policy(DETAIL), "wait_initial": 0, "wait_max": 0, "wait_jitter": 0})(
                fail
            )()
        assert len(tried) == times
