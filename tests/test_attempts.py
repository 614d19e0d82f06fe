"""An attempt: what it tells, what it hides, and two of them side by side."""

import base64
import json
import re
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alinb import intake
from alinb.attempts import Attempt, compare
from alinb.redact import Redactor
from alinb.stages import STAGES

REST = "https://api-sg.aliexpress.com/rest/auth/token/create"
SYNC = "https://api-sg.aliexpress.com/sync"
FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
REFUSAL = {
    "type": "ISV",
    "code": "IncompleteSignature",
    "message": "The request signature does not conform to platform standards",
    "request_id": "2141f00d",
}


def answered(**changes):
    """A token call that was refused, as the client records one."""
    return Attempt(
        **{
            "method": "POST",
            "url": f"{REST}?app_key=500102&sign_method=sha256&sign=AB12",
            "headers": FORM,
            "body": "code=3_500102_abcdef",
            "status": 200,
            "reply_headers": (("Content-Type", "application/json"),),
            "reply_text": json.dumps(REFUSAL),
            "name": "/auth/token/create",
            "platform": "aliexpress",
            "source": "client",
            "at": 1711606626.25,
            "elapsed_ms": 181.4,
            "id": 7,
        }
        | changes
    )


# ---- what an attempt tells


def test_parameters_come_from_url_and_body():
    attempt = answered()
    assert attempt.params == {
        "app_key": "500102",
        "sign_method": "sha256",
        "sign": "AB12",
        "code": "3_500102_abcdef",
    }
    assert attempt.wire.form == (("code", "3_500102_abcdef"),)


@pytest.mark.parametrize(
    ("url", "stated", "sign"),
    [
        (f"{SYNC}?sign=AB", "", "AB"),
        (f"{SYNC}?sign=AB", "CD", "CD"),
        (SYNC, "CD", "CD"),
        (SYNC, "", ""),
        ("http://gw.api.alibaba.com/openapi/param2/1/a/b/1?_aop_signature=EF", "", "EF"),
        (f"{SYNC}?_aop_signature=EF&sign=AB", "", "AB"),
    ],
)
def test_the_stated_signature_wins_over_the_one_in_the_url(url, stated, sign):
    attempt = Attempt("GET", url, stated_sign=stated)
    assert attempt.sign == sign
    assert attempt.params.get("sign", "") == (sign if "sign=AB" in url or stated else "")


@pytest.mark.parametrize(
    ("url", "body", "given_name", "name"),
    [
        (f"{SYNC}?method=aliexpress.ds.product.get", "", "", "aliexpress.ds.product.get"),
        (f"{SYNC}?method=x.y", "", "other.name", "other.name"),
        (SYNC, "method=%2Fauth%2Ftoken%2Fcreate", "", "/auth/token/create"),
        (f"{REST}?app_key=1", "", "", "/auth/token/create"),
        ("https://api.lazada.sg/rest/order/get", "", "", "/order/get"),
        (SYNC, "", "", "?"),
    ],
)
def test_the_api_name_is_given_or_read_from_the_request(url, body, given_name, name):
    assert Attempt("POST", url, headers=FORM, body=body, name=given_name).api_name == name


@pytest.mark.parametrize(
    ("changes", "verdict", "code"),
    [
        ({"status": None}, "unsent", ""),
        ({"status": None, "problem": "connection reset"}, "no_reply", ""),
        ({"reply_text": '{"code":"0","access_token":"5000"}'}, "ok", "0"),
        ({"reply_text": '{"a_response":{"resp_result":{"resp_code":405}}}'}, "empty", "405"),
        ({}, "refused", "IncompleteSignature"),
        ({"reply_text": "<html>", "status": 502}, "unreadable", ""),
        (
            {"reply_text": '{"error_response":{"code":15,"sub_code":"isv.402"}}'},
            "refused",
            "isv.402",
        ),
    ],
)
def test_the_verdict_and_the_deciding_code_are_those_of_the_reply(changes, verdict, code):
    attempt = answered(**changes)
    assert (attempt.verdict, attempt.code) == (verdict, code)


def test_the_reply_knows_its_call_and_its_attempt():
    reply = answered().reply
    assert (reply.name, reply.attempt_id, reply.status) == ("/auth/token/create", 7, 200)
    assert reply.params["app_key"] == "500102"
    assert answered(status=None).reply is None


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "<Attempt 7 POST /auth/token/create refused IncompleteSignature 181 ms>"),
        ({"id": None}, "<Attempt POST /auth/token/create refused IncompleteSignature 181 ms>"),
        ({"status": None, "elapsed_ms": None}, "<Attempt 7 POST /auth/token/create unsent>"),
        ({"id": 0, "elapsed_ms": 0.4, "reply_text": '{"code":"0"}'},
         "<Attempt 0 POST /auth/token/create ok 0 0 ms>"),
    ],
)  # fmt: skip
def test_repr_is_one_short_line(changes, shown):
    assert repr(answered(**changes)) == shown


# ---- redaction

SECRET = "appSecretCanary0123456789/+"
TOKEN = "50000600accessCanary+/=x"
REFRESH = "50001600refreshCanary"
CODE = "3_500102_codeCanaryJxZ05Ux3"
CANARIES = (SECRET, TOKEN, REFRESH, CODE)


def loaded():
    """An attempt that carries every secret in every place, spelled in many ways."""
    fields = {"code": CODE, "access_token": TOKEN, "app_secret": SECRET, "refresh_token": REFRESH}
    pasted = " ".join(
        f"{c} {quote(c)} {quote(c, safe='')} {quote(quote(c, safe=''), safe='')} "
        f"{c.upper()} {json.dumps(c)} {c.encode().hex()} {base64.b64encode(c.encode()).decode()}"
        for c in CANARIES
    )
    return answered(
        url=f"{REST}?app_key=500102&sign=AB12&{urlencode(fields)}",
        headers=(
            ("Content-Type", "application/json"),
            ("Authorization", f"Bearer {TOKEN}"),
            ("Cookie", f"session={TOKEN}"),
            ("X-Note", pasted),
        ),
        body=json.dumps(fields | {"note": pasted}),
        string_to_sign=f"{SECRET}/auth/token/createapp_key500102code{CODE}{SECRET}",
        stages=dict.fromkeys(STAGES, pasted),
        reply_headers=(("Set-Cookie", f"t={TOKEN}"), ("X-Echo", pasted)),
        reply_text=json.dumps(
            {
                "code": "0",
                "access_token": TOKEN,
                "refresh_token": REFRESH,
                "account": "jane@shop.example",
                "user_nick": "brCanary10",
                "echo": pasted,
            }
        ),
        problem=f"could not connect with {pasted}",
        diagnosis={"summary": pasted, "mistakes": [pasted], "deep": {"list": [{"x": pasted}]}},
    )


def redactor(key=b"k"):
    return Redactor(key, [("app_secret", SECRET)])


def _whole(attempt):
    return "\n".join(str(getattr(attempt, name)) for name in Attempt.__slots__)


@pytest.mark.parametrize("canary", CANARIES)
def test_no_secret_is_left_anywhere_in_any_spelling(canary):
    text = _whole(loaded().redacted(redactor())).lower()
    raw = canary.encode()
    for spelling in (
        canary,
        quote(canary, safe=""),
        quote(quote(canary, safe=""), safe=""),
        json.dumps(canary)[1:-1],
        raw.hex(),
        base64.b64encode(raw).decode().rstrip("=")[:-1],
        canary[4:-4],
    ):
        assert spelling.lower() not in text


def test_personal_data_of_the_reply_is_hidden_too():
    text = _whole(loaded().redacted(redactor()))
    assert "jane@shop.example" not in text
    assert "brCanary10" not in text


def test_a_token_that_only_the_reply_brings_is_hidden_wherever_it_is_repeated():
    fresh = answered(
        reply_text=json.dumps({"code": "0", "access_token": TOKEN, "more": {"account": "jane@x"}}),
        reply_headers=(("X-Token", TOKEN),),
        problem=f"{TOKEN} of jane@x could not be kept",
    )
    marks = redactor()
    hidden = fresh.redacted(marks)
    token, account = marks.mark("access_token", TOKEN), marks.mark("account", "jane@x")
    assert hidden.problem == f"{token} of {account} could not be kept"
    assert hidden.reply_headers == (("X-Token", token),)
    assert TOKEN not in hidden.reply_text


def test_what_is_no_secret_stays_readable():
    hidden = loaded().redacted(redactor())
    assert hidden.params["app_key"] == "500102"
    assert hidden.params["sign"] == hidden.sign == "AB12"
    assert hidden.verdict == "unreadable"
    assert hidden.reply.payload["code"] == "0"
    assert "/auth/token/createapp_key500102code‹code " in hidden.string_to_sign
    assert dict(hidden.headers)["Content-Type"] == "application/json"
    assert list(hidden.stages) == list(STAGES)
    assert (hidden.id, hidden.at, hidden.elapsed_ms) == (7, 1711606626.25, 181.4)


def test_the_same_secret_has_the_same_mark_in_every_place():
    marks = redactor()
    hidden = loaded().redacted(marks)
    mark = marks.mark("code", CODE)
    assert hidden.params["code"] == mark
    assert mark in hidden.body
    assert mark in hidden.string_to_sign
    assert mark in hidden.stages["wrap"]
    assert mark in hidden.problem
    assert mark in hidden.diagnosis["deep"]["list"][0]["x"]
    assert json.loads(hidden.reply_text)["access_token"] == marks.mark("access_token", TOKEN)


def test_an_attempt_without_secrets_is_untouched():
    plain = answered(body="", url=f"{SYNC}?method=x.y&sign=AB&code=")
    assert plain.redacted(redactor()) == plain


@pytest.mark.parametrize("other_key", [b"k", b"another"])
def test_redacting_twice_changes_nothing_more(other_key):
    once = loaded().redacted(redactor())
    assert once.redacted(redactor(other_key)) == once


def test_the_attempt_itself_keeps_its_values():
    attempt = loaded()
    attempt.redacted(redactor())
    assert attempt == loaded()
    assert attempt.params["code"] == CODE


@pytest.mark.parametrize("canary", CANARIES)
def test_no_view_of_an_attempt_or_a_comparison_shows_a_secret(canary):
    attempt = loaded()
    both = compare(attempt, answered())
    seen = [repr(attempt), str(attempt), repr(both), str(both), both.text(100_000)]
    seen += [both._repr_html_(), json.dumps(both.as_dict(), ensure_ascii=False)]
    # The app secret is known to its owner alone; what names it gives it away.
    assert all(canary not in text for text in seen)


# ---- comparing


def test_parameters_are_laid_side_by_side_in_the_order_they_came():
    left = Attempt("GET", f"{SYNC}?method=x.y&page_no=1&only_left=a")
    right = Attempt("GET", f"{SYNC}?only_right=b&page_no=2&method=x.y")
    assert compare(left, right).parameters == (
        ("method", "x.y", "x.y"),
        ("page_no", "1", "2"),
        ("only_left", "a", "—"),
        ("only_right", "—", "b"),
    )


def test_the_same_secret_compares_as_equal_another_one_as_different():
    one = Attempt("GET", f"{SYNC}?session=50000600aaaa")
    same = Attempt("POST", SYNC, headers=FORM, body="session=50000600aaaa")
    other = Attempt("GET", f"{SYNC}?session=50000600bbbb")
    (row,) = compare(one, same).parameters
    assert row[1] == row[2]
    assert row[1].startswith("‹access_token ")
    (row,) = compare(one, other).parameters
    assert row[1] != row[2]


def test_stages_come_in_the_order_of_signing_even_where_one_side_has_none():
    stages = {stage: f"after {stage}" for stage in reversed(STAGES)}
    both = compare(answered(stages=stages), answered(stages=stages | {"wrap": "path in front"}))
    assert tuple(row[0] for row in both.stages) == STAGES
    assert [row for row in both.stages if row[1] != row[2]] == [
        ("wrap", "after wrap", "path in front")
    ]
    half = compare(answered(stages=stages), answered())
    assert [row[2] for row in half.stages] == ["—"] * len(STAGES)
    assert compare(answered(), answered()).stages == ()


def test_the_outcome_tells_what_became_of_both():
    good = answered(
        reply_text='{"code":"0","access_token":"5000xyz","request_id":"2141beef"}',
        url=f"{REST}?app_key=500102",
        method="GET",
    )
    bad = answered(url=f"{SYNC}?app_key=500102", diagnosis={"mistakes": ["secret_wrapped", "x"]})
    assert compare(bad, good).outcome == (
        ("endpoint", SYNC, REST),
        ("verb", "POST", "GET"),
        ("verdict", "refused", "ok"),
        ("code", "IncompleteSignature", "0"),
        ("message", REFUSAL["message"], "—"),
        ("request id", "2141f00d", "2141beef"),
        ("mistakes", "secret_wrapped x", "—"),
    )


def test_an_attempt_that_got_no_answer_tells_its_problem():
    both = compare(answered(status=None, problem="timed out"), answered(status=None))
    outcome = {what: sides for what, *sides in both.outcome}
    assert outcome["verdict"] == ["no_reply", "unsent"]
    assert outcome["message"] == ["timed out", "—"]
    assert "code" not in outcome


@pytest.mark.parametrize("diagnosis", [{}, {"mistakes": None}, {"mistakes": [1, None]}, None])
def test_a_pasted_diagnosis_of_another_form_breaks_nothing(diagnosis):
    assert compare(answered(diagnosis=diagnosis), answered()).outcome


def test_the_moment_is_utc_and_the_duration_in_milliseconds():
    both = compare(answered(), answered(at=None, elapsed_ms=None))
    assert both.timing == (
        ("at", "2024-03-28 06:17:06.250+00:00", "—"),
        ("elapsed", "181 ms", "—"),
    )
    unplaced = answered(at=None)
    assert {what: left for what, left, _ in compare(unplaced, unplaced).timing} == {
        "at": "—",
        "elapsed": "181 ms",
    }
    timeless = answered(at=None, elapsed_ms=None)
    assert compare(timeless, timeless).timing == ()


def test_differences_are_the_rows_that_differ_and_no_others():
    both = compare(answered(), answered(url=f"{REST}?app_key=500103&sign_method=sha256&sign=AB12"))
    assert both.differences == [("parameters", "app_key", "500102", "500103")]
    assert len(both.rows) == 12
    assert compare(answered(), answered()).differences == []


def test_as_dict_marks_each_row():
    shown = compare(answered(id=1), answered(id=2, method="GET")).as_dict()
    assert (shown["left"], shown["right"]) == ("1: /auth/token/create", "2: /auth/token/create")
    differing = [row for row in shown["rows"] if row["differs"]]
    assert differing == [
        {"part": "outcome", "what": "verb", "left": "POST", "right": "GET", "differs": True}
    ]
    assert json.loads(json.dumps(shown)) == shown


def test_without_ids_the_sides_are_named_left_and_right():
    both = compare(answered(id=None), answered(id=None))
    assert (both.left, both.right) == ("left: /auth/token/create", "right: /auth/token/create")


def _long():
    long_name = "param_place_order_request4_open_api_d_t_o"
    stages = {stage: f"app_key500102{'x' * 300}{stage}" for stage in STAGES}
    left = answered(
        url=f"{SYNC}?{long_name}={'y' * 400}&method=aliexpress.logistics.redefining.getonline",
        stages=stages,
        name="",
    )
    return left, replace(left, url=left.url.replace("yyy&", "yyz&"), id=123456)


@pytest.mark.parametrize("width", [50, 60, 80, 100, 120, 160, 200, 300])
def test_the_text_is_no_wider_than_asked_and_uses_the_room(width):
    lines = compare(*_long()).text(width).splitlines()
    assert max(map(len, lines)) <= width
    assert max(map(len, lines)) >= width - 20
    assert len(lines) == 2 + len(compare(*_long()).rows)


def test_the_text_marks_what_differs_and_shows_the_place():
    text = compare(*_long()).text(100)
    (row,) = [line for line in text.splitlines() if line.startswith("≠")]
    assert "parameters  param_place_" in row
    left, right = row.split()[-2:]
    assert left.startswith("…")
    assert (left[-1], right[-1]) == ("y", "z")
    assert str(compare(*_long())) == compare(*_long()).text(160)


@settings(deadline=None, max_examples=100)
@given(st.integers(50, 220), st.text(max_size=300), st.text(max_size=300), st.text(max_size=60))
def test_no_text_of_any_values_is_too_wide_or_too_long(width, a, b, name):
    left = Attempt("GET", f"{SYNC}?{urlencode([(name, a)])}", name=name)
    right = Attempt("GET", f"{SYNC}?{urlencode([(name, b)])}", name=name)
    both = compare(left, right)
    lines = both.text(width).split("\n")
    assert all(len(line) <= width for line in lines)
    assert len(lines) == 2 + len(both.rows)


IMG = "<img src=x onerror=alert(1)>"


def test_html_escapes_what_a_request_or_a_reply_brings():
    evil = answered(
        method=IMG,
        url=f"{SYNC}?{urlencode({IMG: IMG})}",
        name=IMG,
        body="",
        stages=dict.fromkeys(STAGES, IMG),
        reply_text=json.dumps({"code": IMG, "message": IMG, "request_id": IMG}),
        problem=IMG,
        diagnosis={"mistakes": [IMG], "summary": IMG},
        id=None,
    )
    for html in (
        compare(evil, answered())._repr_html_(),
        compare(answered(), evil)._repr_html_(),
        evil._repr_html_(),
    ):
        assert "<img" not in html
        assert "&lt;img src=x onerror=alert(1)&gt;" in html


def test_html_marks_each_differing_row_by_sign_and_by_weight():
    html = compare(answered(), answered(method="GET"))._repr_html_()
    rows = re.findall(r"<tr([^>]*)><td[^>]*><code>(.)</code>", html)
    assert ["differs" in attributes for attributes, _ in rows] == [mark == "≠" for _, mark in rows]
    assert sorted(mark for _, mark in rows) == ["="] * 11 + ["≠"]


# ---- to data and back


def test_as_dict_tells_the_verdict_beside_the_request():
    shown = answered().as_dict()
    assert shown["verdict"] == "refused"
    assert shown["code"] == "IncompleteSignature"
    assert shown["sign"] == "AB12"
    assert shown["response"] == {
        "status": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(REFUSAL),
    }
    assert answered(status=None).as_dict()["response"] is None


@pytest.mark.parametrize(
    "attempt",
    [
        answered(),
        answered(status=None, reply_text="", reply_headers=(), problem="timed out"),
        answered(url=SYNC, body="", headers=(), name="", at=None, elapsed_ms=None, platform=""),
        answered(
            string_to_sign="app_key500102é\n",
            stages={"wrap": "x", "encode": "y"},
            diagnosis={"mistakes": ["secret_wrapped"], "verdict": "explained"},
            stated_sign="CD34",
        ),
        answered(status=502, reply_text="<html>"),
        loaded(),
        loaded().redacted(redactor()),
    ],
)
def test_an_attempt_read_back_from_its_data_is_the_same(attempt):
    for source in (attempt.as_dict(), json.dumps(attempt.as_dict())):
        back = intake.read(source)
        assert back.params == attempt.params
        assert back.sign == attempt.sign
        assert back.api_name == attempt.api_name
        assert back.verdict == attempt.verdict
        # A number belongs to one journal; the rest is spelled out where it was read off.
        spelled = {"id": None, "source": "pasted"}
        spelled |= {"name": attempt.api_name, "stated_sign": attempt.sign}
        assert back == replace(attempt, **spelled)
        assert intake.read(back.as_dict()) == back
