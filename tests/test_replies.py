"""Every envelope of the gateways, read into one verdict; nothing that arrives raises."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alinb import errors, replies
from alinb.knowledge import load

ISV_CHECK = {
    "code": 15,
    "type": "ISP",
    "msg": "Remote service error",
    "sub_code": "isv.account-migration-check-fail",
    "sub_msg": "The account migration does not conform to platform standards",
    "request_id": "2141f00d",
}


def read(data, status=200, name="the.method"):
    return replies.read(status, json.dumps(data), name)


# ---- A: flat, path calls


def test_a_flat_refusal_is_shape_a_with_all_its_words():
    reply = read(
        {
            "type": "ISV",
            "code": "InvalidCode",
            "message": "Invalid authorization code",
            "request_id": "2141aa",
            "_trace_id_": "2101bb",
        }
    )
    assert (reply.verdict, reply.shape, reply.ok) == ("refused", "A", False)
    assert (reply.code, reply.type) == ("InvalidCode", "ISV")
    assert reply.message == "Invalid authorization code"
    assert (reply.request_id, reply.trace_id) == ("2141aa", "2101bb")
    assert (reply.sub_code, reply.decisive_code) == ("", "InvalidCode")


TOKENS = {
    "access_token": "50000600aA",
    "refresh_token": "50001600bB",
    "expires_in": 86400,
    "refresh_expires_in": 172800,
    "expire_time": 1711693026000,
    "account_platform": "buyerApp",
    "request_id": "2141cc",
}


@pytest.mark.parametrize("code", ["0", 0, None])
def test_a_token_reply_is_ok_with_its_figures_untouched(code):
    data = TOKENS if code is None else TOKENS | {"code": code}
    reply = read(data)
    assert (reply.verdict, reply.shape) == ("ok", "A")
    assert reply.payload["expires_in"] == 86400
    assert reply.payload["expire_time"] == 1711693026000
    assert reply.request_id == "2141cc"


@pytest.mark.parametrize("code", ["901", 901])
def test_a_number_as_flat_code_is_text_whatever_it_came_as(code):
    reply = read({"code": code, "type": "ISP", "message": "Limit service request speed."})
    assert (reply.shape, reply.code, reply.verdict) == ("A", "901", "refused")


# ---- B, B15, C: error_response


def test_error_response_with_a_word_is_shape_b():
    reply = read(
        {
            "error_response": {
                "type": "ISV",
                "code": "IllegalAccessToken",
                "msg": "The specified access token is invalid or expired",
                "request_id": "2141dd",
                "_trace_id_": "2101ee",
            }
        }
    )
    assert (reply.shape, reply.code, reply.verdict) == ("B", "IllegalAccessToken", "refused")
    assert reply.message == "The specified access token is invalid or expired"
    assert (reply.request_id, reply.trace_id) == ("2141dd", "2101ee")


def test_message_is_read_from_error_response_too():
    reply = read({"error_response": {"code": "InvalidApiPath", "message": "no such path"}})
    assert (reply.shape, reply.message) == ("B", "no such path")


@pytest.mark.parametrize("code", [15, "15"])
@pytest.mark.parametrize("flat", [False, True])
def test_code_15_is_the_wrapper_and_its_sub_code_decides(code, flat):
    inner = ISV_CHECK | {"code": code}
    reply = read(inner if flat else {"error_response": inner})
    assert (reply.shape, reply.code) == ("B15", "15")
    assert reply.decisive_code == reply.sub_code == "isv.account-migration-check-fail"
    assert reply.decisive_message == (
        "The account migration does not conform to platform standards"
    )
    assert (reply.type, reply.request_id) == ("ISP", "2141f00d")


def test_the_official_python_sdk_wording_of_sub_message_is_read():
    reply = read({"code": "15", "sub_code": "isv.402", "sub_message": "tradeId is invalid"})
    assert (reply.shape, reply.sub_message) == ("B15", "tradeId is invalid")


def test_an_integer_code_in_error_response_is_top():
    reply = read(
        {
            "error_response": {
                "code": 29,
                "msg": "Invalid app Key",
                "sub_code": "isv.appkey-not-exists",
                "request_id": "1u9",
            }
        }
    )
    assert (reply.shape, reply.code, reply.sub_code) == ("C", "29", "isv.appkey-not-exists")
    assert (reply.decisive_message, reply.request_id) == ("Invalid app Key", "1u9")


def test_the_same_number_as_text_is_the_new_gateway():
    assert read({"error_response": {"code": "29", "msg": "x"}}).shape == "B"


# ---- D and E: business verdicts


def _cases():
    found = {"products": {"product": [{"product_id": 1005001}]}}
    return {
        "affiliate": (
            {"resp_result": {"resp_code": 200, "resp_msg": "Call succeeds", "result": found}},
            ("ok", "200", "Call succeeds"),
        ),
        "affiliate refused": (
            {"resp_result": {"resp_code": 401, "resp_msg": "This publisher is not registered"}},
            ("refused", "401", "This publisher is not registered"),
        ),
        "affiliate empty": (
            {"resp_result": {"resp_code": 405, "resp_msg": "The result is empty"}},
            ("empty", "405", "The result is empty"),
        ),
        "affiliate empty as text": (
            {"resp_result": {"resp_code": "405", "resp_msg": "The result is empty"}},
            ("empty", "405", "The result is empty"),
        ),
        "product": (
            {"rsp_code": 200, "rsp_msg": "Call succeeds", "result": {"product_id": 1}},
            ("ok", "200", "Call succeeds"),
        ),
        "product refused": (
            {"rsp_code": "602", "rsp_msg": "Item is not allowed to this country"},
            ("refused", "602", "Item is not allowed to this country"),
        ),
        "405 elsewhere is a refusal": (
            {"rsp_code": 405, "rsp_msg": "no"},
            ("refused", "405", "no"),
        ),
        "member benefit": ({"rsp_code": "200", "result": [{"code": "X"}]}, ("ok", "200", "")),
        "freight": (
            {"result": {"success": True, "code": 200, "delivery_options": {}}},
            ("ok", "200", ""),
        ),
        "freight refused": (
            {"result": {"success": False, "code": 501, "msg": "DELIVERY_INFO_EMPTY"}},
            ("refused", "501", "DELIVERY_INFO_EMPTY"),
        ),
        "order": (
            {"result": {"is_success": True, "order_list": {"number": [8190000000000001]}}},
            ("ok", "", ""),
        ),
        "order created, not paid": (
            {
                "result": {
                    "is_success": True,
                    "error_msg": "OrderCreated, autoPay fail:APIPayFail",
                    "order_list": {"number": [8190000000000001]},
                }
            },
            ("ok", "", "OrderCreated, autoPay fail:APIPayFail"),
        ),
        "order refused": (
            {
                "result": {
                    "is_success": False,
                    "error_code": "INVENTORY_HOLD_ERROR",
                    "error_msg": "no stock",
                }
            },
            ("refused", "INVENTORY_HOLD_ERROR", "no stock"),
        ),
        "tracking": ({"result": {"ret": True, "data": {}}}, ("ok", "", "")),
        "tracking refused": (
            {"result": {"ret": False, "code": 1001, "msg": "TRACKING DATA NOT FOUND"}},
            ("refused", "1001", "TRACKING DATA NOT FOUND"),
        ),
        "image search refused": (
            {"result": {"ret": "false", "code": "500", "err_message": "bad picture"}},
            ("refused", "500", "bad picture"),
        ),
        "specialinfo refused": (
            {"result": {"ret": False, "code": "E1", "messages": ["a", "b"]}},
            ("refused", "E1", '["a", "b"]'),
        ),
        "text search": (
            {"code": "00", "msg": "success", "data": {"totalCount": 3984}},
            ("ok", "00", "success"),
        ),
        "text search refused": (
            {"code": "EXCEPTION_TEXT_SEARCH_FOR_DS", "msg": "failed", "data": {}},
            ("refused", "EXCEPTION_TEXT_SEARCH_FOR_DS", "failed"),
        ),
        "sku detail": (
            {"result": {"code": 200, "success": True, "result": {"ae_item_info": {}}}},
            ("ok", "200", ""),
        ),
        "sku detail refused": (
            {"result": {"code": 500, "success": False, "message": "unread"}},
            ("refused", "500", ""),
        ),
        "no verdict at all": ({"result": {"order_id": 1}}, ("ok", "", "")),
    }


CASES = _cases()


@pytest.mark.parametrize("case", CASES)
def test_a_business_reply_says_its_verdict(case):
    inner, (verdict, code, message) = CASES[case]
    reply = read({"aliexpress_some_method_response": inner | {"request_id": "21D"}})
    assert reply.shape == "D"
    assert (reply.verdict, reply.code, reply.message) == (verdict, code, message)
    assert reply.ok is (verdict != "refused")
    assert reply.request_id == "21D"
    assert reply.payload == inner | {"request_id": "21D"}


@pytest.mark.parametrize("case", CASES)
def test_a_simplified_reply_says_the_same(case):
    inner, (verdict, code, message) = CASES[case]
    reply = read(inner | {"request_id": "21E"})
    assert reply.shape == "E"
    assert (reply.verdict, reply.code, reply.message) == (verdict, code, message)
    assert reply.request_id == "21E"


@pytest.mark.parametrize("code", [0, "0", "00", 200, "200", True, "true", "success", "SUCCESS"])
def test_every_success_code_means_success_everywhere(code):
    assert replies.is_success(code)
    assert read({"code": code, "message": "fine"}).verdict == "ok"
    assert read({"x_response": {"rsp_code": code, "result": {}}}).verdict == "ok"
    assert read({"x_response": {"resp_result": {"resp_code": code}}}).verdict == "ok"


@pytest.mark.parametrize(("flag", "code"), [(True, "true"), (False, "false")])
def test_a_flag_as_code_is_text_as_json_writes_it(flag, code):
    assert read({"code": flag}).code == code


@pytest.mark.parametrize("code", [1, "1", 405, "000", "2000", "", None, False, "false", 15, [], {}])
def test_nothing_else_means_success(code):
    assert not replies.is_success(code)


@pytest.mark.parametrize("inside", [True, False])
def test_the_request_id_is_found_inside_and_beside_the_root(inside):
    ids = {"request_id": "2102r", "_trace_id_": "2102t"}
    root = {"rsp_code": 200, "result": {}}
    data = {"x_response": root | ids} if inside else {"x_response": root} | ids
    reply = read(data)
    assert (reply.request_id, reply.trace_id) == ("2102r", "2102t")


def test_ids_are_never_rounded():
    reply = replies.read(200, '{"x_response":{"result":{"sku_id":12000030000000001}}}')
    assert reply.payload["result"]["sku_id"] == 12000030000000001


def test_the_java_wrapper_is_opened():
    inner = {"code": "InvalidCode", "message": "Invalid authorization code", "request_id": "21J"}
    reply = read(
        {
            "gopErrorCode": "InvalidCode",
            "gopRequestId": "21J",
            "gopResponseBody": json.dumps(inner),
            "success": False,
        }
    )
    assert (reply.shape, reply.code, reply.request_id) == ("A", "InvalidCode", "21J")
    assert reply.data["gopErrorCode"] == "InvalidCode"


def test_the_java_wrapper_of_a_token_is_ok():
    reply = read({"gopResponseBody": json.dumps(TOKENS | {"code": "0"}), "success": True})
    assert (reply.verdict, reply.payload["access_token"]) == ("ok", "50000600aA")


def test_a_java_wrapper_around_no_json_is_not_opened():
    reply = read({"code": "ServiceUnavailable", "gopResponseBody": "<html>"})
    assert (reply.verdict, reply.code) == ("refused", "ServiceUnavailable")


# ---- HTTP status


@pytest.mark.parametrize("status", [400, 502])
def test_an_http_error_is_no_success_whatever_its_json_says(status):
    reply = read({"data": {}}, status)
    assert (reply.verdict, reply.code, reply.status) == ("refused", f"HTTP {status}", status)


def test_an_http_error_with_a_refusal_keeps_the_refusal():
    reply = read({"code": "ServiceUnavailable", "message": "Service Unavailable"}, 503)
    assert (reply.verdict, reply.code) == ("refused", "ServiceUnavailable")


# ---- unreadable

PAGE = "<!DOCTYPE html>\n<html><head><title> 404 Not Found </title></head></html>"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (PAGE, "is an HTML page titled “404 Not Found”"),
        ("<html><body>punish</body></html>", "is an HTML page"),
        ("<?xml version='1.0'?><error/>", "is a page of markup"),
        ('{"code": "0", "access_token": "5000', "is JSON cut off after 35 characters"),
        ('{"code": ', "is JSON cut off after 9 characters"),
        ('{"code" "0", "message": "x"}', "is broken JSON at character 8 of 28"),
        ("", "is empty"),
        (" \r\n\t", "is empty"),
        ("upstream connect error", "is plain text, not JSON"),
        ('["a"]', "is JSON, but a list and not an object"),
        ("17", "is JSON, but a int and not an object"),
        ("null", "is JSON, but a NoneType and not an object"),
        (b'{"code":"\xff"}', "is not UTF-8 text (byte 9)"),
        ('{"code": ' + "9" * 5000 + "}", "is JSON with too long a number or too deep a nesting"),
        (
            '{"code": ' + "[" * 100_000 + "]" * 100_000 + "}",
            "is JSON with too long a number or too deep a nesting",
        ),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_cannot_be_read_says_why_and_is_kept_whole(content, reason):
    reply = replies.read(200, content, "/auth/token/create")
    assert (reply.verdict, reply.ok, reply.shape) == ("unreadable", False, "")
    assert reply.reason == reason
    text = content if isinstance(content, str) else content.decode("utf-8", "replace")
    assert reply.text == text
    with pytest.raises(errors.UnreadableReply) as raised:
        reply.raise_for_refusal()
    assert str(raised.value).startswith(f"The reply to /auth/token/create (HTTP 200) {reason}.")
    assert raised.value.evidence["reply"] is reply


@pytest.mark.parametrize("content", ['\ufeff{"code":"0"}', b'\xef\xbb\xbf{"code":"0"}'])
def test_a_byte_order_mark_does_not_hide_the_json(content):
    reply = replies.read(200, content)
    assert (reply.verdict, reply.code, reply.text) == ("ok", "0", '{"code":"0"}')


@pytest.mark.parametrize("depth", range(900, 1001, 5))
def test_a_deeply_nested_code_is_a_refusal_or_unreadable(depth):
    reply = replies.read(200, '{"code": ' + "[" * depth + "]" * depth + "}")
    assert reply.verdict in ("refused", "unreadable")
    assert reply.code[:1] in ("[", "a", "")


@settings(deadline=None, max_examples=500)
@given(st.binary(max_size=300), st.integers(100, 599))
def test_no_bytes_raise(content, status):
    reply = replies.read(status, content)
    assert reply.verdict in ("ok", "refused", "unreadable")
    assert reply.status == status
    assert isinstance(reply.as_dict()["data"], dict | list | str | int | float | bool)


NAMES = st.sampled_from(
    [
        "error_response", "x_response", "y_response", "result", "resp_result", "resp_code",
        "rsp_code", "code", "sub_code", "msg", "message", "success", "is_success", "ret", "data",
        "request_id", "_trace_id_", "gopResponseBody", "access_token",
    ]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["0", "200", "15", "405", '{"code":1}', "last 1 seconds"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None, max_examples=1000)
@given(JSON)
def test_no_json_raises_and_every_field_keeps_its_type(data):
    reply = read(data)
    assert reply.verdict in ("ok", "empty", "refused", "unreadable")
    assert (reply.verdict == "unreadable") is not isinstance(data, dict)
    for field in ("code", "message", "sub_code", "sub_message", "type", "request_id", "trace_id"):
        assert isinstance(getattr(reply, field), str), field
    assert reply.is_limit in (True, False)
    assert reply.ban_seconds is None or reply.ban_seconds >= 0
    assert repr(reply).startswith("<Reply ")
    if reply.ok:
        assert reply.raise_for_refusal() is reply
    else:
        with pytest.raises((errors.Refused, errors.UnreadableReply)) as raised:
            reply.raise_for_refusal()
        assert str(raised.value).endswith(raised.value.next_step)


# ---- limits


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Api access frequency exceeds the limit. this ban will last 1 seconds", 1),
        ("Api access frequency exceeds the limit. this ban will last 0 seconds", 0),
        ("Api access frequency exceeds the limit.this ban will last 1 seconds.", 1),
        ("The frequency of app access to the api exceeds the limit. "
         "This ban will last 14229 seconds", 14229),
        ("This ban will last for 22238 more seconds", 22238),
        ("This ban will last for 1 more second", 1),
        ("THIS BAN WILL LAST FOR 7 SECONDS", 7),
        ("this ban will last 12seconds", 12),
        ("Api access frequency exceeds the limit", None),
        ("the last 3 orders", None),
        ("ballast 5 seconds", None),
        (f"this ban will last {'9' * 5000} seconds", None),
    ],
    ids=lambda value: str(value)[-30:],
)  # fmt: skip
@pytest.mark.parametrize("place", ["message", "sub_msg"])
def test_the_seconds_of_a_ban_are_read_from_either_message(message, seconds, place):
    if place == "message":
        reply = read({"code": "ApiCallLimit", "message": message})
    else:
        sub = "accesscontrol.limited-by-app-access-count"
        reply = read(
            {"error_response": {"code": 7, "msg": "x", "sub_code": sub, "sub_msg": message}}
        )
    assert reply.ban_seconds == seconds
    with pytest.raises(errors.RateLimited) as raised:
        reply.raise_for_refusal()
    assert raised.value.ban_seconds == seconds


ENTRIES = load("errors")["error"]


def _natural(entry, code, message):
    """The reply in which such a code comes."""
    number = code.isdigit()
    if entry["family"] == "top" or (entry["family"] == "limit" and number and int(code) < 100):
        return {"error_response": {"code": int(code), "msg": message}}
    if code.startswith("accesscontrol.") or "access-limited" in code:
        return {"error_response": {"code": 7, "msg": "x", "sub_code": code, "sub_msg": message}}
    if entry["family"] == "sub":
        return {"error_response": {"code": 15, "msg": "x", "sub_code": code, "sub_msg": message}}
    if entry["family"] == "business":
        return {"x_response": {"rsp_code": code, "rsp_msg": message}}
    return {"code": code, "message": message}


def _spoken(limits):
    return [
        pytest.param(entry, code, text.replace("{}", "17"), id=f"{code} {text[:20]}")
        for entry in ENTRIES
        if (entry["family"] == "limit") is limits
        for code in (entry["code"], *entry["aliases"])
        for text in (*entry["messages"], "")
    ]


@pytest.mark.parametrize(("entry", "code", "message"), _spoken(True))
def test_every_limit_code_is_a_limit(entry, code, message):
    status = 429 if code in ("429", "HTTP 429") else 200
    reply = read(_natural(entry, code, message), status)
    assert reply.is_limit
    with pytest.raises(errors.RateLimited):
        reply.raise_for_refusal()


@pytest.mark.parametrize(("entry", "code", "message"), _spoken(False))
def test_no_other_code_is_a_limit(entry, code, message):
    assert not read(_natural(entry, code, message)).is_limit


@pytest.mark.parametrize("shape", ["x_response", "error_response"])
def test_the_number_of_a_limit_elsewhere_is_no_limit(shape):
    inner = {"rsp_code": 506} if shape == "x_response" else {"code": "506", "msg": "x"}
    assert not read({shape: inner}).is_limit


@pytest.mark.parametrize("code", ["0", "200"])
def test_a_success_is_never_a_limit(code):
    assert not read({"code": code, "message": "calls limit reach limit"}).is_limit


# ---- errors


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"code": "IncompleteSignature"}, errors.SignatureRefused),
        ({"error_response": {"code": "IncompleteSignature"}}, errors.SignatureRefused),
        ({"error_response": {"code": 25}}, errors.SignatureRefused),
        ({"code": "InvalidAppKey"}, errors.AppKeyRefused),
        ({"code": "InvalidAppkey"}, errors.AppKeyRefused),
        ({"error_response": {"code": 29}}, errors.AppKeyRefused),
        (
            {"error_response": {"code": 29, "sub_code": "isv.appkey-not-exists"}},
            errors.AppKeyRefused,
        ),
        ({"code": "InvalidCode"}, errors.CodeRefused),
        ({"code": "IllegalAccessToken"}, errors.TokenRefused),
        ({"code": "IllegalRefreshToken"}, errors.TokenRefused),
        ({"error_response": {"code": 27}}, errors.TokenRefused),
        ({"error_response": {"code": 27, "sub_code": "invalid-sessionkey"}}, errors.TokenRefused),
        ({"code": "InsufficientPermission"}, errors.PermissionRefused),
        (
            {"error_response": {"code": "15", "sub_code": "isv.insufficient-permission"}},
            errors.PermissionRefused,
        ),
        ({"code": "AppWhiteIpLimit"}, errors.PermissionRefused),
        ({"code": "ApiCallLimit"}, errors.RateLimited),
        ({"code": "Reach Limit"}, errors.RateLimited),
        ({"code": "ServiceUnavailable"}, errors.ServiceFailed),
        ({"code": "SERVICE_TIMEOUT"}, errors.ServiceFailed),
        ({"code": "InternalError"}, errors.ServiceFailed),
        ({"error_response": {"code": 10}}, errors.ServiceFailed),
        (
            {"error_response": {"code": 15, "sub_code": "isp.top-remote-connection-timeout"}},
            errors.ServiceFailed,
        ),
        ({"error_response": ISV_CHECK}, errors.Refused),
        ({"code": "MissingParameter"}, errors.Refused),
        ({"x_response": {"rsp_code": 25}}, errors.Refused),
        ({"x_response": {"rsp_code": 605, "rsp_msg": "ITEM_ID_NOT_FOUND"}}, errors.Refused),
    ],
)
def test_each_refusal_has_its_error(data, error):
    reply = read(data, name="/auth/token/create")
    with pytest.raises(errors.Refused) as raised:
        reply.raise_for_refusal()
    assert type(raised.value) is error
    assert raised.value.code == reply.decisive_code
    assert raised.value.reply is reply


def test_a_refusal_says_the_name_the_words_and_ends_with_the_next_step():
    with pytest.raises(errors.Refused) as raised:
        read({"error_response": ISV_CHECK}, name="/auth/token/create").raise_for_refusal()
    assert str(raised.value) == (
        "/auth/token/create was refused: isv.account-migration-check-fail: "
        "The account migration does not conform to platform standards. "
        "alinb explain isv.account-migration-check-fail says what that means."
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"code": "InvalidCode"}, "x was refused: InvalidCode."),
        ({"code": "E1", "message": "Insufficient permission."},
         "x was refused: E1: Insufficient permission."),
        ({"result": {"is_success": False, "error_msg": "sold out"}}, "x was refused: sold out."),
        ({"result": {"is_success": False}}, "x was refused: no reason given."),
    ],
)  # fmt: skip
def test_a_message_has_no_holes(data, message):
    with pytest.raises(errors.Refused) as raised:
        read(data, name="x").raise_for_refusal()
    assert raised.value.message == message
    assert "  " not in str(raised.value)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_error_page_in_json_is_a_failed_service(status):
    with pytest.raises(errors.ServiceFailed):
        read({"data": None}, status).raise_for_refusal()


def test_an_ok_reply_hands_itself_back():
    reply = read({"code": "0"})
    assert reply.raise_for_refusal() is reply


def test_as_dict_holds_the_verdict_and_all_the_data():
    shown = replies.read(200, json.dumps({"error_response": ISV_CHECK})).as_dict()
    assert shown == {
        "ok": False,
        "verdict": "refused",
        "status": 200,
        "shape": "B15",
        "code": "15",
        "message": "Remote service error",
        "sub_code": "isv.account-migration-check-fail",
        "sub_message": "The account migration does not conform to platform standards",
        "request_id": "2141f00d",
        "attempt_id": None,
        "data": {"error_response": ISV_CHECK},
    }
    assert replies.read(502, PAGE).as_dict()["data"] == PAGE


def test_repr_shows_no_data():
    reply = read(TOKENS | {"code": "0"}, name="/auth/token/create")
    assert repr(reply) == "<Reply /auth/token/create ok>"


@pytest.mark.parametrize(
    "text",
    [
        '{"id":123456789012345678901234567890}',
        '{"id": 18446744073709551616}',
        '{"ids":[1,18446744073709551616]}',
        '{"id":-18446744073709551616,"trace":"21016ab512345678901234567890"}',
        '{"id":12000034567890123,"trace":"2101000000021795511934948"}',
        '{"a":"\\ud800"}',
        '{"a":NaN,"b":Infinity}',
        '{"a":1e400}',
        '{"a":1,"a":2}',
        '{"price":0.1234567890123456789012345}',
    ],
)
def test_a_faster_reader_reads_the_same(text: str) -> None:
    read = replies.read(200, text.encode()).data
    assert repr(read) == repr(json.loads(text))
