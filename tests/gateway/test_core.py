"""The gateway's checks: their order, the shapes of its refusals, and what its signature covers."""

import json
import random
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from alinb.errors import InputError
from alinb.gateway import Sandbox
from alinb.gateway.exchanges import Incoming
from alinb.knowledge import load
from alinb.signing import interface

Ask = Callable[..., dict[str, Any]]
Sign = Callable[..., dict[str, str]]

CREATE, REFRESH = "/auth/token/create", "/auth/token/refresh"
SEARCH, DETAIL = "aliexpress.ds.text.search", "aliexpress.ds.product.get"
QUERY = "aliexpress.affiliate.product.query"
FORM = "application/x-www-form-urlencoded"
SUPPLY = "the input parameter “{}” that is mandatory for processing this request is not supplied"
IDS = {"request_id", "_trace_id_"}


@pytest.fixture
def box(clock: Any) -> Sandbox:
    return Sandbox(app_key="500102", secret="helloworld", clock=clock, products=12)


@pytest.fixture
def token(box: Sandbox, ask: Ask) -> str:
    return str(ask(box, CREATE, {"code": box.code()})["access_token"])


def code_of(answer: dict[str, Any]) -> str:
    """The refusal's code in any of the shapes, "" where the answer is none."""
    body = answer.get("error_response", answer)
    return "" if body.get("code") == "0" else str(body.get("code", ""))


def without_ids(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer without the ids that every one of them carries, inside or beside the root."""
    inner = answer.get("error_response")
    if inner is not None:
        assert inner.keys() >= IDS
        return {"error_response": {k: v for k, v in inner.items() if k not in IDS}}
    assert answer.keys() >= IDS
    return {k: v for k, v in answer.items() if k not in IDS}


class TestOrder:
    """Each row mends one thing more, and the next check answers: the order is the platform's."""

    def test_of_a_path_call(self, box: Sandbox, ask: Ask, clock: Any) -> None:
        path, late = "/no/such/path", str(round((clock() - 9000) * 1000))
        wrong: dict[str, str | None] = {
            "app_key": None, "sign": None, "timestamp": None, "sign_method": None,
        }  # fmt: skip
        seen = []
        for mended in (
            {}, {"app_key": "1"}, {"sign": "F" * 64}, {"app_key": "500102"}, {"timestamp": late},
            {"sign_method": "sha256"},
        ):  # fmt: skip
            wrong |= mended
            answer = ask(box, path, changed=wrong)
            seen.append((answer["code"], answer["message"].partition("“")[2].partition("”")[0]))
        assert seen == [
            ("MissingParameter", "app_key"),
            ("MissingParameter", "sign"),
            ("InvalidAppKey", ""),
            ("MissingParameter", "timestamp"),
            ("MissingParameter", "sign_method"),
            ("IncompleteSignature", ""),
        ]
        assert ask(box, path, {"timestamp": late})["code"] == "IllegalTimestamp"
        assert ask(box, path)["code"] == "InvalidApiPath"

    def test_of_a_business_call(self, box: Sandbox, ask: Ask, token: str) -> None:
        def refusal(name: str, params: dict[str, str | None], **how: Any) -> tuple[str, str]:
            answer = ask(box, name, params, **how)["error_response"]
            return answer["code"], answer["msg"].partition("“")[2].partition("”")[0]

        assert refusal("", {"method": None}) == ("MissingParameter", "method")
        assert refusal("aliexpress.no.such", {"session": "x"}) == ("InvalidApiPath", "")
        assert refusal(DETAIL, {"session": "x"}) == ("IllegalAccessToken", "")
        assert refusal(DETAIL, {}) == ("MissingParameter", "access_token")
        assert refusal(DETAIL, {"session": token}) == ("MissingParameter", "product_id")
        assert refusal(DETAIL, {"session": token, "product_id": "1"}) == (
            "MissingParameter",
            "ship_to_country",
        )

    def test_a_fault_is_met_by_signed_requests_only(self, clock: Any, ask: Ask) -> None:
        box = Sandbox(clock=clock, fault="ServiceUnavailable", products=1)
        assert ask(box, CREATE, changed={"app_key": "1"})["code"] == "InvalidAppKey"
        assert ask(box, CREATE, changed={"sign": "0"})["code"] == "IncompleteSignature"
        assert ask(box, CREATE, {"timestamp": "1"})["code"] == "IllegalTimestamp"
        assert ask(box, CREATE)["code"] == "ServiceUnavailable"

    def test_the_limit_is_met_by_signed_requests_only(self, clock: Any, ask: Ask) -> None:
        box = Sandbox(clock=clock, qps=1, products=1)
        for _ in range(5):
            assert ask(box, CREATE, changed={"sign": "0"})["code"] == "IncompleteSignature"
        assert ask(box, CREATE)["code"] == "MissingParameter"

    @pytest.mark.parametrize("name", ["app_key", "sign", "timestamp", "sign_method"])
    @pytest.mark.parametrize("value", [None, ""])
    def test_an_empty_common_parameter_is_a_missing_one(
        self, box: Sandbox, ask: Ask, name: str, value: str | None
    ) -> None:
        answer = ask(box, CREATE, changed={name: value})
        assert answer["message"] == SUPPLY.format(name)


class TestShapes:
    @pytest.mark.parametrize(
        ("changed", "code", "message"),
        [
            ({"app_key": None}, "MissingParameter", SUPPLY.format("app_key")),
            ({"app_key": "1"}, "InvalidAppKey", "The specified App Key is invalid"),
            (
                {"sign": "0" * 64},
                "IncompleteSignature",
                "The request signature does not conform to platform standards",
            ),
        ],
    )
    def test_of_refusals_before_the_signature(
        self, box: Sandbox, ask: Ask, changed: dict[str, Any], code: str, message: str
    ) -> None:
        flat = {"type": "ISV", "code": code, "message": message}
        nested = {"error_response": {"type": "ISV", "code": code, "msg": message}}
        assert without_ids(ask(box, CREATE, {"code": "x"}, changed=changed)) == flat
        assert without_ids(ask(box, QUERY, changed=changed)) == nested

    @pytest.mark.parametrize(
        ("name", "params", "code", "message"),
        [
            (CREATE, {}, "MissingParameter", SUPPLY.format("code")),
            (CREATE, {"code": "3_1_x"}, "InvalidCode", "Invalid authorization code"),
            (REFRESH, {}, "MissingParameter", SUPPLY.format("refresh_token")),
            (
                REFRESH,
                {"refresh_token": "x"},
                "IllegalRefreshToken",
                "The specified refresh token is invalid or expired",
            ),
            ("/order/get", {}, "InvalidApiPath", "The specified API Path is invalid"),
            (
                CREATE,
                {"timestamp": "2"},
                "IllegalTimestamp",
                "The specified timestamp is invalid or expired",
            ),
        ],
    )
    def test_a_is_flat_and_says_message(
        self, box: Sandbox, ask: Ask, name: str, params: dict[str, str], code: str, message: str
    ) -> None:
        expected = {"type": "ISV", "code": code, "message": message}
        assert without_ids(ask(box, name, params)) == expected

    @pytest.mark.parametrize(
        ("name", "params", "code", "message"),
        [
            (DETAIL, {}, "MissingParameter", SUPPLY.format("access_token")),
            (
                DETAIL,
                {"session": "x"},
                "IllegalAccessToken",
                "The specified access token is invalid or expired",
            ),
            ("aliexpress.x.y", {}, "InvalidApiPath", "The specified API Path is invalid"),
            (
                QUERY,
                {"timestamp": "2"},
                "IllegalTimestamp",
                "The specified timestamp is invalid or expired",
            ),
        ],
    )
    def test_b_is_nested_and_says_msg(
        self, box: Sandbox, ask: Ask, name: str, params: dict[str, str], code: str, message: str
    ) -> None:
        expected = {"error_response": {"type": "ISV", "code": code, "msg": message}}
        assert without_ids(ask(box, name, params)) == expected

    @pytest.mark.parametrize(
        ("name", "params", "changed", "code", "message"),
        [
            ("", {"method": None}, {}, 21, "Missing Method"),
            ("taobao.x.y", {}, {}, 22, "Invalid Method"),
            (QUERY, {}, {"sign": None}, 24, "Missing Signature"),
            (QUERY, {}, {"sign": "0" * 32}, 25, "Invalid signature"),
            (DETAIL, {}, {}, 26, "Missing Session"),
            (QUERY, {}, {"app_key": None}, 28, "Missing App Key"),
            (QUERY, {}, {"timestamp": None}, 30, "Missing Timestamp"),
            (QUERY, {"timestamp": "1999-01-01 00:00:00"}, {}, 31, "Invalid timestamp"),
        ],
    )
    def test_c_has_numbers(
        self, box: Sandbox, ask: Ask, name: str, params: Any, changed: Any, code: int, message: str
    ) -> None:
        answer = ask(box, name, params, at="/router/rest", by="md5", changed=changed)
        assert without_ids(answer) == {"error_response": {"code": code, "msg": message}}

    def test_c_of_missing_arguments_and_of_an_unknown_key(
        self, box: Sandbox, ask: Ask, token: str
    ) -> None:
        missing = ask(box, DETAIL, {"session": token}, at="/router/rest", by="hmac")
        assert without_ids(missing) == {
            "error_response": {"code": 40, "msg": "Missing Required Arguments"}
        }
        dead = ask(box, DETAIL, {"session": "x"}, at="/router/rest", by="md5")
        assert without_ids(dead) == {
            "error_response": {
                "code": 27,
                "msg": "Invalid session",
                "sub_code": "invalid-sessionkey",
                "sub_msg": "SessionKey is invalid",
            }
        }
        unknown = ask(box, QUERY, at="/router/rest", by="hmac", changed={"app_key": "1"})
        assert without_ids(unknown) == {
            "error_response": {
                "code": 29,
                "msg": "Invalid app Key",
                "sub_code": "isv.appkey-not-exists",
                "sub_msg": "Invalid app Key",
            }
        }

    def test_c_of_the_limit(self, clock: Any, ask: Ask) -> None:
        box = Sandbox(clock=clock, qps=1, products=1)
        assert "resp_result" in str(ask(box, QUERY, at="/router/rest", by="md5"))
        answers = [ask(box, QUERY, at="/router/rest", by="md5") for _ in range(3)]
        assert without_ids(answers[-1]) == {
            "error_response": {
                "code": 7,
                "msg": "App Call Limited",
                "sub_code": "accesscontrol.limited-by-api-access-count",
                "sub_msg": "This ban will last for 2 more seconds",
            }
        }

    def test_every_answer_has_ids_of_its_own(self, box: Sandbox, ask: Ask) -> None:
        answers = [ask(box, CREATE, {"code": box.code()}) for _ in range(5)]
        answers += [ask(box, "/order/get") for _ in range(5)]
        for name in IDS:
            assert len({answer[name] for answer in answers}) == 10
        inside = ask(box, QUERY)["aliexpress_affiliate_product_query_response"]
        assert inside.keys() == {"resp_result"} | IDS

    def test_a_path_in_the_method_parameter_is_a_system_call(self, box: Sandbox, ask: Ask) -> None:
        """The official Python and PHP SDKs do this: the path in front, and `method` signed too."""
        right = ask(box, CREATE, {"method": CREATE, "code": box.code()}, at="/sync")
        assert (right["code"], right["account_platform"]) == ("0", "buyerApp")
        again = ask(box, CREATE, {"method": CREATE, "code": "x"}, at="/sync")
        assert without_ids(again) == {
            "type": "ISV", "code": "InvalidCode", "message": "Invalid authorization code",
        }  # fmt: skip

    def test_method_sent_and_not_signed_is_refused(self, box: Sandbox, ask: Ask) -> None:
        """The second turn of the founding case."""
        answer = ask(box, CREATE, {"code": box.code()}, at="/sync", changed={"method": CREATE})
        assert answer["code"] == "IncompleteSignature"


class TestTimestamps:
    """The clock stands at 1800000000, which is 2027-01-15 08:00:00 in UTC and 16:00:00 in GMT+8."""

    @pytest.mark.parametrize(
        "text",
        [
            "1800000000000",
            "1799992801000",
            "1800007199000",
            "2027-01-15T08:00:00Z",
            "2027-01-15T09:59:59Z",
            "2027-01-15T16:00:00+08:00",
            "2027-01-15T03:00:00-0500",
            "2027-01-15 08:00:00+00:00",
        ],
    )
    @pytest.mark.parametrize("name", [QUERY, "/order/get"])
    def test_taken_everywhere(self, box: Sandbox, ask: Ask, name: str, text: str) -> None:
        expected = {QUERY: "", "/order/get": "InvalidApiPath"}
        assert code_of(ask(box, name, {"timestamp": text})) == expected[name]

    @pytest.mark.parametrize(
        "text",
        [
            "1800000000",
            "1800000000.5",
            "1799992799000",
            "1800007201000",
            "18000000000000",
            "2027-01-15T10:00:01Z",
            "2027-01-15T05:59:59Z",
            "Fri, 15 Jan 2027 08:00:00 GMT",
            "now",
            "-1800000000000",
            "0",
            "2027-01-15 12:00:00",
            "2027-01-15 10:00:01",
            "2027-01-15 13:59:59",
        ],
    )
    @pytest.mark.parametrize("name", [QUERY, "/order/get"])
    def test_refused_everywhere(self, box: Sandbox, ask: Ask, name: str, text: str) -> None:
        assert code_of(ask(box, name, {"timestamp": text})) == "IllegalTimestamp"

    @pytest.mark.parametrize(
        "text",
        [
            "2027-01-15 08:00:00",
            "2027-01-15 09:59:59",
            "2027-01-15 06:00:01",
            "2027-01-15 16:00:00",
            "2027-01-15 17:59:59",
            "2027-01-15 14:00:01",
        ],
    )
    def test_text_without_a_zone_is_utc_or_gmt8_on_sync_and_nothing_on_rest(
        self, box: Sandbox, ask: Ask, text: str
    ) -> None:
        assert code_of(ask(box, QUERY, {"timestamp": text})) == ""
        assert code_of(ask(box, QUERY, {"timestamp": text}, at="/router/rest", by="md5")) == ""
        assert code_of(ask(box, "/order/get", {"timestamp": text})) == "IllegalTimestamp"

    @pytest.mark.parametrize(("off", "accepted"), [(7199, True), (7200, True), (7201, False)])
    @pytest.mark.parametrize("sign", [1, -1])
    def test_two_hours_is_the_limit_on_either_side(
        self, box: Sandbox, ask: Ask, clock: Any, off: int, accepted: bool, sign: int
    ) -> None:
        text = str(round((clock() + sign * off) * 1000))
        assert (code_of(ask(box, QUERY, {"timestamp": text})) == "") is accepted


class TestFaults:
    FOUNDING = "isv.account-migration-check-fail"

    @pytest.mark.parametrize("route", ["rest", "sync", "business"])
    def test_the_founding_case_word_for_word(self, clock: Any, ask: Ask, route: str) -> None:
        box = Sandbox(clock=clock, fault=self.FOUNDING, products=1)
        asked: dict[str, tuple[str, dict[str, str], str]] = {
            "rest": (CREATE, {"code": box.code()}, ""),
            "sync": (CREATE, {"code": box.code(), "method": CREATE}, "/sync"),
            "business": (QUERY, {}, ""),
        }
        name, params, at = asked[route]
        assert without_ids(ask(box, name, params, at=at)) == {
            "error_response": {
                "code": 15,
                "msg": "Remote service error",
                "sub_code": "isv.account-migration-check-fail",
                "sub_msg": "The account migration does not conform to platform standards",
            }
        }

    def test_a_fault_spends_no_code(self, clock: Any, ask: Ask) -> None:
        box = Sandbox(clock=clock, fault=self.FOUNDING, products=1)
        code = box.code()
        ask(box, CREATE, {"code": code})
        box.faults.switch_off()
        assert ask(box, CREATE, {"code": code})["code"] == "0"

    @pytest.mark.parametrize(
        ("fault", "kind", "message"),
        [
            ("ServiceUnavailable", "ISP", "Service Unavailable"),
            ("InvalidCode", "ISV", "Invalid authorization code"),
            (
                "ApiCallLimit",
                "ISV",
                "Api access frequency exceeds the limit. this ban will last 1 seconds",
            ),
            (
                "AppApiCallLimit",
                "ISV",
                "The frequency of app access to the api exceeds the limit. "
                "This ban will last 1 seconds",
            ),
            ("InsufficientPermission", "ISV", "App does not have permission to access this api"),
        ],
    )
    def test_any_code_can_be_asked_for(
        self, clock: Any, ask: Ask, fault: str, kind: str, message: str
    ) -> None:
        box = Sandbox(clock=clock, fault=fault, products=1)
        flat = without_ids(ask(box, CREATE, {"code": "x"}))
        assert flat == {"type": kind, "code": fault, "message": message}
        nested = without_ids(ask(box, QUERY))
        assert nested == {"error_response": {"type": kind, "code": fault, "msg": message}}

    def test_a_code_that_no_book_holds_is_refused_with_the_nearest(self) -> None:
        with pytest.raises(InputError, match="Did you mean IncompleteSignature"):
            Sandbox(fault="IncompletSignature", products=0)

    def test_no_message_keeps_a_placeholder(self, clock: Any, ask: Ask) -> None:
        for entry in load("errors")["error"]:
            box = Sandbox(clock=clock, fault=entry["code"], products=0)
            answer = ask(box, QUERY)
            said = answer.get("error_response", answer)
            assert not re.search(r"\{\w*\}", str(said)), entry["code"]


class TestLimits:
    def test_two_calls_a_second_then_a_ban_that_says_how_long(self, clock: Any, ask: Ask) -> None:
        box = Sandbox(clock=clock, qps=2, products=1)
        codes = []
        for _ in range(6):
            codes.append(code_of(ask(box, QUERY)))
            clock.forward(0.1)
        assert codes[:2] == ["", ""]
        assert "ApiCallLimit" in codes[2:]
        while code_of(banned := ask(box, QUERY)) == "":
            pass
        assert banned["error_response"]["msg"] == (
            "Api access frequency exceeds the limit. this ban will last 1 seconds"
        )

    def test_the_stated_ban_is_long_enough(self, clock: Any, ask: Ask) -> None:
        box = Sandbox(clock=clock, qps=0.1, products=1)
        while code_of(answer := ask(box, QUERY)) == "":
            pass
        words = answer["error_response"]["msg"].split()
        seconds = int(words[words.index("last") + 1])
        assert 10 < seconds <= 20
        clock.forward(seconds)
        assert code_of(ask(box, QUERY)) == ""

    @pytest.mark.parametrize("qps", [5, 20])
    def test_over_a_minute_no_more_than_the_rate_gets_through(
        self, clock: Any, ask: Ask, qps: int
    ) -> None:
        box = Sandbox(clock=clock, qps=qps, products=0)
        passed = 0
        for _ in range(60 * 4 * qps):
            passed += code_of(ask(box, QUERY)) == ""
            clock.forward(1 / (4 * qps))
        assert 60 * qps <= passed <= 60 * qps + 2

    def test_a_client_that_keeps_to_the_rate_is_never_refused(self, clock: Any, ask: Ask) -> None:
        box = Sandbox(clock=clock, qps=4, products=0)
        for _ in range(50):
            assert code_of(ask(box, QUERY)) == ""
            clock.forward(0.25)


class TestTokens:
    @pytest.mark.parametrize("carrier", ["session", "access_token"])
    def test_either_name_carries_the_token(
        self, box: Sandbox, ask: Ask, token: str, carrier: str
    ) -> None:
        found = ask(
            box,
            SEARCH,
            {carrier: token, "local": "en_US", "countryCode": "US", "currency": "USD"},
        )
        assert found["aliexpress_ds_text_search_response"]["code"] == "00"

    def test_the_token_is_signed(self, box: Sandbox, ask: Ask, token: str) -> None:
        wanted = {"local": "en_US", "countryCode": "US", "currency": "USD"}
        answer = ask(box, SEARCH, wanted, changed={"session": token})
        assert code_of(answer) == "IncompleteSignature"

    @pytest.mark.parametrize("carrier", ["session", "access_token"])
    def test_a_token_on_an_affiliate_call_is_refused(
        self, box: Sandbox, ask: Ask, token: str, carrier: str
    ) -> None:
        assert code_of(ask(box, QUERY, {carrier: token})) == "IllegalAccessToken"
        assert code_of(ask(box, QUERY, {carrier: ""})) == ""

    def test_a_search_without_a_token_says_so_in_its_own_shape(
        self, box: Sandbox, ask: Ask
    ) -> None:
        answer = ask(box, SEARCH, {"local": "en_US", "countryCode": "US", "currency": "USD"})
        inside = answer["aliexpress_ds_text_search_response"]
        assert (inside["code"], inside["msg"]) == (
            "EXCEPTION_TEXT_SEARCH_FOR_DS",
            "access token is missing",
        )


class TestSimplify:
    def test_the_root_and_the_objects_around_lists_go(self, box: Sandbox, ask: Ask) -> None:
        whole = ask(box, QUERY, {"page_size": "3"})
        short = ask(box, QUERY, {"page_size": "3", "simplify": "true"})
        products = whole["aliexpress_affiliate_product_query_response"]["resp_result"]["result"][
            "products"
        ]["product"]
        flat = short["resp_result"]["result"]["products"]
        assert isinstance(flat, list)
        assert len(flat) == len(products) == 3
        for one, other in zip(flat, products, strict=True):
            assert one["product_small_image_urls"] == other["product_small_image_urls"]["string"]
            same = one.keys() - {"product_small_image_urls"}
            assert {k: one[k] for k in same} == {k: other[k] for k in same}
        assert short.keys() == {"resp_result"} | IDS

    @pytest.mark.parametrize("value", ["false", "", "True", "1"])
    def test_anything_but_true_changes_nothing(self, box: Sandbox, ask: Ask, value: str) -> None:
        answer = ask(box, QUERY, {"simplify": value})
        assert answer.keys() == {"aliexpress_affiliate_product_query_response"}

    def test_a_refusal_is_not_simplified(self, box: Sandbox, ask: Ask) -> None:
        answer = ask(box, DETAIL, {"simplify": "true"})
        assert answer["error_response"]["code"] == "MissingParameter"


class TestWhereParametersTravel:
    """Captured clients send them in the query, in a form, in multipart parts, and mixed."""

    PARAMS = {"keywords": "câble USB 中文 & 100%+/=", "page_size": "2", "empty": ""}  # noqa: RUF012

    @pytest.fixture
    def sent(self, box: Sandbox, signed: Sign) -> dict[str, str]:
        return signed(box, QUERY, self.PARAMS)

    @staticmethod
    def post(box: Sandbox, query: Any, body: bytes = b"", kind: str = FORM) -> str:
        url = "http://127.0.0.1/sync" + (f"?{urlencode(query)}" if query else "")
        headers = (("Content-Type", kind),)
        came = Incoming("POST", url, headers, body, box.gateway.clock())
        return code_of(box.gateway.answer(came).body)

    @staticmethod
    def multipart(fields: dict[str, str], files: dict[str, bytes]) -> bytes:
        body = b""
        for name, text in fields.items():
            body += b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n' % name.encode()
            body += text.encode() + b"\r\n"
        for name, content in files.items():
            head = f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="a.jpg"\r\n'
            body += head.encode() + b"Content-Type: image/jpeg\r\n\r\n" + content + b"\r\n"
        return body + b"--x--\r\n"

    def test_query(self, box: Sandbox, sent: dict[str, str]) -> None:
        assert self.post(box, sent) == ""

    @pytest.mark.parametrize("kind", [FORM, f"{FORM};charset=UTF-8", FORM.upper(), ""])
    def test_form(self, box: Sandbox, sent: dict[str, str], kind: str) -> None:
        assert self.post(box, {}, urlencode(sent).encode(), kind) == ""

    def test_multipart_with_a_file_that_is_not_signed(
        self, box: Sandbox, sent: dict[str, str]
    ) -> None:
        body = self.multipart(sent, {"image_file_bytes": bytes(range(256))})
        assert self.post(box, {}, body, "multipart/form-data; boundary=x") == ""

    def test_system_parameters_in_the_query_and_the_others_in_the_body(
        self, box: Sandbox, sent: dict[str, str]
    ) -> None:
        body = {name: sent.pop(name) for name in self.PARAMS}
        assert self.post(box, sent, urlencode(body).encode()) == ""
        parts = self.multipart(body, {})
        assert self.post(box, sent, parts, "multipart/form-data; boundary=x") == ""

    def test_the_order_on_the_wire_is_free(self, box: Sandbox, sent: dict[str, str]) -> None:
        pairs = list(sent.items())
        for seed in range(5):
            random.Random(seed).shuffle(pairs)
            assert self.post(box, pairs) == ""

    def test_a_parameter_in_query_and_body_counts_once(
        self, box: Sandbox, sent: dict[str, str]
    ) -> None:
        assert self.post(box, sent, urlencode(sent).encode()) == ""

    def test_method_twice_in_the_query_counts_once(
        self, box: Sandbox, sent: dict[str, str]
    ) -> None:
        """What the official Java SDK sends."""
        assert self.post(box, [("method", QUERY), *sent.items()]) == ""

    def test_a_second_other_value_is_not_what_was_signed(
        self, box: Sandbox, sent: dict[str, str]
    ) -> None:
        assert self.post(box, [*sent.items(), ("page_size", "9")]) == "IncompleteSignature"
        assert self.post(box, sent, b"page_size=9") == "IncompleteSignature"

    def test_json_holds_no_parameter(self, box: Sandbox, sent: dict[str, str]) -> None:
        body = json.dumps(sent).encode()
        assert self.post(box, {}, body, "application/json") == "MissingParameter"

    def test_an_unsigned_extra_is_refused_wherever_it_stands(
        self, box: Sandbox, sent: dict[str, str]
    ) -> None:
        assert self.post(box, {**sent, "x": "1"}) == "IncompleteSignature"
        assert self.post(box, sent, b"x=1") == "IncompleteSignature"

    @pytest.mark.parametrize("spelling", ["lower", "title"])
    def test_the_signature_is_wanted_in_upper_case(
        self, box: Sandbox, sent: dict[str, str], spelling: str
    ) -> None:
        sent["sign"] = getattr(sent["sign"], spelling)()
        assert self.post(box, sent) == "IncompleteSignature"


class TestSignMethods:
    @pytest.mark.parametrize("by", ["sha256", "md5", "hmac"])
    @pytest.mark.parametrize("at", ["/sync", "/router/rest"])
    def test_business_calls_take_each(self, box: Sandbox, ask: Ask, by: str, at: str) -> None:
        assert code_of(ask(box, QUERY, at=at, by=by)) == ""

    @pytest.mark.parametrize("by", ["md5", "hmac"])
    def test_path_calls_are_sha256_whatever_they_declare(
        self, box: Sandbox, ask: Ask, by: str
    ) -> None:
        assert code_of(ask(box, "/order/get", by=by)) == "IncompleteSignature"

    def test_the_documented_vector_is_accepted_by_a_sandbox_of_its_time(self) -> None:
        """Published with the signature algorithm: app key 12345678, secret helloworld."""
        box = Sandbox(
            app_key="12345678", secret="helloworld", clock=lambda: 1517820392.0, products=0
        )
        query = urlencode(
            {
                "app_key": "12345678",
                "code": "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26",
                "sign_method": "sha256",
                "timestamp": "1517820392000",
                "sign": "35607762342831B6A417A0DED84B79C05FEFBF116969C48AD6DC00279A9F4D81",
            }
        )
        answered = box.gateway.answer(Incoming("GET", f"http://127.0.0.1/rest{CREATE}?{query}"))
        assert answered.code == "InvalidCode", "key, time and signature are right, the code is not"


#: What a request with a wrong signature may be told, as all of it is said before or by that check.
UNSIGNED = {"MissingParameter", "InvalidAppKey", "IncompleteSignature"}
COMMON = {"app_key", "sign", "timestamp", "sign_method"}


@pytest.mark.parametrize(
    ("name", "by", "place"),
    [
        (CREATE, "sha256", "query"),
        (CREATE, "sha256", "body"),
        (QUERY, "sha256", "query"),
        (QUERY, "sha256", "body"),
        (QUERY, "md5", "query"),
    ],
)
def test_no_request_with_one_byte_changed_is_accepted(
    box: Sandbox, signed: Sign, name: str, by: str, place: str
) -> None:
    """2,000 for each row, 10,000 in all; a change that leaves the signed text alone is no test."""
    seeded = random.Random(f"{name} {by} {place}")
    params = {"code": "3_500102_JxZ05Ux3cnnSS"} if name == CREATE else {"keywords": "a+b é &="}
    whole = urlencode(signed(box, name, params, by=by)).encode()
    route = f"http://127.0.0.1/{'rest' + name if name == CREATE else 'sync'}"
    headers = (("content-type", FORM),)

    def request(sent: bytes, path: str = route) -> Incoming:
        if place == "body":
            return Incoming("POST", path, headers, sent)
        return Incoming("GET", f"{path}?{sent.decode('latin-1')}")

    def covered(asked: Incoming) -> tuple[Any, ...]:
        return interface(asked.url, asked.params).path, dict(asked.params)

    right = request(whole)
    assert box.gateway.answer(right).code in ("", "InvalidCode")
    tried = accepted = 0
    while tried < 2000:
        changed = bytearray(whole)
        at = seeded.randrange(len(whole))
        changed[at] = seeded.choice([b for b in range(0x21, 0x7F) if b != whole[at]])
        asked = request(bytes(changed))
        if covered(asked) == covered(right):
            continue
        answered = box.gateway.answer(asked)
        tried += 1
        text = str(answered.body)
        lacks = answered.code == "MissingParameter" and any(f"“{c}”" in text for c in COMMON)
        accepted += not (lacks or answered.code in UNSIGNED - {"MissingParameter"})
    assert accepted == 0


def test_a_changed_path_is_a_changed_signature(box: Sandbox, signed: Sign) -> None:
    query = urlencode(signed(box, CREATE, {"code": "x"}))
    for path in ("/auth/token/creat", "/auth/token/create/", "/Auth/token/create", "/auth/token"):
        asked = Incoming("GET", f"http://127.0.0.1/rest{path}?{query}")
        assert box.gateway.answer(asked).code == "IncompleteSignature", path


class TestMemory:
    def test_no_request_stands_in_the_gateways_repr(
        self, box: Sandbox, ask: Ask, token: str
    ) -> None:
        ask(box, DETAIL, {"session": token})
        shown = repr(box.gateway)
        assert token not in shown
        assert "helloworld" not in shown
        assert "500102" in shown
