"""From a request to its diagnosis: verdicts, proof, and what else tells a secret from a recipe."""

import hashlib
import hmac
import json
import os
import random
from urllib.parse import urlencode

import pytest

import alinb

SECRET = "8b1f6c0a2e9d4735b6c8d0e1f2a3b4c5"
APP = alinb.App("500102", SECRET)
CODE = "3_500102_tQ4mVbX8sLr2YpKd7NcWfJ"
PATH = "/auth/token/create"
BASE = "https://api-sg.aliexpress.com"
PARAMS = {
    "app_key": "500102",
    "code": CODE,
    "timestamp": "1777306720082",
    "sign_method": "sha256",
}


def pairs(params=PARAMS):
    return "".join(name + params[name] for name in sorted(params))


def mac(text, secret=SECRET):
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


def url(sign, params=PARAMS, path="/rest" + PATH):
    return f"{BASE}{path}?{urlencode({**params, 'sign': sign})}"


def test_a_right_request_is_correct():
    found = alinb.diagnose(url(mac(PATH + pairs())), secret=SECRET)
    assert found.verdict == "correct"
    assert found.mistakes == ()
    assert found.right.signature == found.theirs.signature
    assert found.diff == ()


def test_the_founding_case_is_explained_and_proved():
    found = alinb.diagnose(url(mac(SECRET + pairs() + SECRET)), secret=SECRET)
    assert found.verdict == "explained"
    assert found.mistakes == ("path_prefix_missing", "secret_wrapped")
    assert found.theirs.signature == mac(SECRET + pairs() + SECRET)
    assert {f.id for f in found.findings if f.certainty == "proved"} >= set(found.mistakes)
    assert [stage for stage, right, theirs in found.stages if right != theirs] == [
        "wrap", "digest", "encode",
    ]  # fmt: skip


def test_its_sequel_is_explained():
    params = {"method": PATH, **PARAMS}
    found = alinb.diagnose(url(mac(PATH + pairs()), params, "/sync"), secret=SECRET)
    assert found.mistakes == ("method_not_signed",)
    assert "system_api_on_sync" in {f.id for f in found.findings}


def test_without_the_secret_only_the_request_is_judged():
    found = alinb.diagnose(url("AB" * 32) + "&app_secret=hidden12345")
    assert (found.verdict, found.searched) == ("unexplained", 0)
    assert [f.id for f in found.findings] == ["secret_sent_as_param"]
    assert "Without the app secret" in found.summary
    assert "hidden12345" not in str(found) + json.dumps(found.as_dict())


def test_another_secret_is_said_as_plainly():
    found = alinb.diagnose(url(mac(PATH + pairs(), "other")), secret=SECRET, depth=2)
    assert found.verdict == "unexplained"
    assert found.mistakes == ()
    assert found.searched > 1000
    assert "another secret" in found.summary
    (finding,) = [f for f in found.findings if f.id == "wrong_secret"]
    assert finding.certainty == "possible"


def test_another_request_that_is_right_proves_the_secret():
    wrong = url(mac("who knows"))
    right = url(mac(PATH + pairs()))
    found = alinb.diagnose(wrong, secret=SECRET, others=[right], depth=1)
    assert [f.id for f in found.findings] == ["changed_after_signing"]


@pytest.mark.parametrize("code", ["InvalidCode", "IllegalAccessToken", "ApiCallLimit"])
def test_a_reply_that_comes_after_the_signature_check_tells_of_another_secret(code):
    request = {
        "url": url(mac(PATH + pairs(), "other")),
        "response": {"type": "ISV", "code": code, "message": "no"},
    }
    found = alinb.diagnose(request, secret=SECRET, depth=1)
    (finding,) = [f for f in found.findings if f.id == "wrong_secret"]
    assert finding.certainty == "likely"
    assert code in finding.evidence


def test_the_reply_joins_the_findings_and_is_honest():
    request = {
        "url": url(mac(SECRET + pairs() + SECRET)),
        "response": {
            "error_response": {
                "code": 15,
                "msg": "Remote service error",
                "sub_code": "isv.account-migration-check-fail",
                "sub_msg": "The account migration does not conform to platform standards",
            }
        },
    }
    found = alinb.diagnose(request, secret=SECRET)
    finding = found.findings[-1]
    assert finding.id == "isv.account-migration-check-fail"
    assert finding.certainty == "possible"
    assert "not known" in finding.evidence


def test_a_json_body_is_read_as_its_author_meant_it():
    params = {**PARAMS, "sign": mac(SECRET + pairs() + SECRET)}
    request = {
        "method": "POST",
        "url": f"{BASE}/rest{PATH}",
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(params),
    }
    found = alinb.diagnose(request, secret=SECRET)
    assert found.mistakes == ("path_prefix_missing", "secret_wrapped")
    assert "json_body" in {f.id for f in found.findings}


def with_string(string, sign, **more):
    return alinb.diagnose({"url": url(sign), "string_to_sign": string}, secret=SECRET, **more)


def test_the_authors_string_explains_what_is_deeper_than_the_search():
    string = "&".join(f"{n}={PARAMS[n]}" for n in sorted(PARAMS)) + SECRET
    sign = hashlib.md5(string.encode()).hexdigest()
    found = with_string(string, sign, depth=3)
    assert found.verdict == "explained"
    assert set(found.mistakes) == {
        "digest_md5", "kv_separators", "lowercase_hex", "path_prefix_missing", "secret_back_only",
    }  # fmt: skip


def test_a_string_of_its_own_invention_is_proved_by_its_hash():
    found = with_string("my very own text", mac("my very own text").lower(), depth=2)
    assert found.mistakes == ("ad_hoc_string", "lowercase_hex")
    assert found.diff


def test_aliyuns_rule_is_known_by_sight():
    string = "GET&%2F&app_key%3D500102"
    assert with_string(string, mac(string), depth=1).mistakes == ("aliyun_rpc_string",)


def test_a_right_string_under_another_secret_is_told_from_a_wrong_recipe():
    string = PATH + pairs()
    found = with_string(string, mac(string, "other"), depth=2)
    assert found.verdict == "unexplained"
    (finding,) = [f for f in found.findings if f.id == "wrong_secret"]
    assert finding.certainty == "likely"


def test_equal_explanations_are_all_named_and_told_apart():
    sign = mac("".join(n + PARAMS[n] for n in sorted(PARAMS)).replace("/", ""))
    found = alinb.diagnose(url(sign), secret=SECRET)
    assert found.mistakes == ("path_prefix_missing",)
    params = {"pageNo": "1", "page_size": "2", **PARAMS, "method": "a.b"}
    order = sorted(params, key=str.lower)
    sign = mac("".join(n + params[n] for n in order))
    found = alinb.diagnose(url(sign, params, "/sync"), secret=SECRET)
    named = {found.mistakes, *found.alternatives}
    assert named >= {("sort_case_insensitive",), ("sort_locale",)}
    assert found.apart is not None


def test_progress_is_told_and_can_stop_the_search():
    told = []

    def progress(done, steps, what):
        told.append((done, steps, what))
        return done < 2

    found = alinb.diagnose(url(mac("nothing")), secret=SECRET, progress=progress)
    assert [done for done, *_ in told] == [0, 1, 2]
    assert not found.complete
    assert "stopped" in found.summary


def test_depth_limits_the_number_of_mistakes():
    wrong = url(mac(SECRET + pairs() + SECRET))
    assert alinb.diagnose(wrong, secret=SECRET, depth=1).verdict == "unexplained"
    assert alinb.diagnose(wrong, secret=SECRET, depth=2).verdict == "explained"


def test_a_request_without_a_signature():
    found = alinb.diagnose(f"{BASE}/rest{PATH}?{urlencode(PARAMS)}", secret=SECRET)
    assert found.verdict == "unexplained"
    assert "no_sign" in {f.id for f in found.findings}


@pytest.mark.parametrize("id_", ["secret_wrapped", "lowercase_hex", "unsorted", "digest_md5"])
def test_a_call_mistaken_on_purpose_is_diagnosed_as_such(id_):
    signed = alinb.sign(PATH, {"code": CODE}, app=APP, timestamp=1777306720082, verb="GET")
    found = alinb.diagnose(alinb.mistaken(signed, id_).url, secret=SECRET)
    assert id_ in {*found.mistakes, *(i for ids in found.alternatives for i in ids)}


def test_a_mistake_that_a_call_cannot_have_names_those_it_can():
    signed = alinb.sign(PATH, {"code": CODE}, app=APP)
    with pytest.raises(alinb.InputError, match="secret_wrapped"):
        alinb.mistaken(signed, "prefix_on_business")


def test_verify_says_yes_and_no_and_wants_a_signature():
    assert alinb.verify(url(mac(PATH + pairs())), secret=SECRET).ok
    assert not alinb.verify(url(mac(PATH + pairs()).lower()), secret=SECRET)
    with pytest.raises(alinb.InputError, match="no `sign`"):
        alinb.verify(f"{BASE}/rest{PATH}?{urlencode(PARAMS)}", secret=SECRET)


def test_no_output_holds_secret_token_or_code():
    token = "5000canaryTOKENcanaryTOKEN"
    params = {**PARAMS, "access_token": token}
    found = alinb.diagnose(url(mac(SECRET + pairs(params) + SECRET), params), secret=SECRET)
    shown = [str(found), repr(found), found._repr_html_(), json.dumps(found.as_dict()), found.cure]
    for text in shown:
        assert SECRET not in text
        assert token not in text
        assert CODE not in text
    assert "‹app_secret" in str(found)


def test_html_in_a_request_stays_text():
    params = {**PARAMS, "x": "<img src=x onerror=alert(1)>"}
    found = alinb.diagnose(url(mac(SECRET + pairs(params)), params), secret=SECRET)
    assert "<img" not in found._repr_html_()
    assert "&lt;img" in found._repr_html_()


def test_the_placeholder_of_the_documentation_is_not_searched_for():
    sample = "D13F2A03BE94D9AAE9F933FFA7B13E0A5AD84A3DAEBC62A458A3C382EC2E91EC"
    found = alinb.diagnose(url(sample), secret=SECRET)
    assert (found.verdict, found.searched) == ("unexplained", 0)
    assert [f.id for f in found.findings] == ["docs_placeholder_sign"]


REFUSED = {"type": "ISV", "code": "IncompleteSignature", "message": "no"}


def test_a_right_signature_that_was_refused_leaves_the_empties_and_the_secret():
    params = {**PARAMS, "tracking_id": ""}
    request = {"url": url(mac(PATH + pairs(params)), params), "response": REFUSED}
    found = alinb.diagnose(request, secret=SECRET)
    assert found.verdict == "correct"
    certain = {f.id: f.certainty for f in found.findings}
    assert certain["empty_values_included"] == certain["wrong_secret"] == "possible"
    (empty,) = [f for f in found.findings if f.id == "empty_values_included"]
    assert "tracking_id" in empty.evidence
    assert "empty value" in empty.cure

    request = {"url": url(mac(PATH + pairs())), "response": REFUSED}
    ids = {f.id for f in alinb.diagnose(request, secret=SECRET).findings}
    assert "wrong_secret" in ids
    assert "empty_values_included" not in ids
    del request["response"]
    assert alinb.diagnose(request, secret=SECRET).findings == ()


def test_a_right_signature_with_another_refusal_accuses_nobody():
    answer = {"type": "ISV", "code": "InvalidCode", "message": "no"}
    request = {"url": url(mac(PATH + pairs({**PARAMS, "x": ""})), {**PARAMS, "x": ""})}
    found = alinb.diagnose({**request, "response": answer}, secret=SECRET)
    assert [f.id for f in found.findings] == ["InvalidCode"]


@pytest.mark.parametrize(
    ("declared", "digest", "mismatch"),
    [
        ("sha256", hashlib.sha256, False),
        ("HMAC_SHA256", hashlib.sha256, False),
        ("hmac", hashlib.sha256, True),
        ("md5", hashlib.sha256, True),
        ("hmac", hashlib.md5, False),
        ("hmac_md5", hashlib.md5, False),
        ("md5", hashlib.md5, True),
        ("sha256", hashlib.sha1, True),
        ("something", hashlib.sha256, False),
    ],
)
def test_a_digest_other_than_the_declared_one_is_proved(declared, digest, mismatch):
    params = {**PARAMS, "sign_method": declared}
    sign = hmac.new(SECRET.encode(), (PATH + pairs(params)).encode(), digest).hexdigest().upper()
    found = alinb.diagnose(url(sign, params), secret=SECRET)
    said = [f.certainty for f in found.findings if f.id == "declared_method_mismatch"]
    assert said == (["proved"] if mismatch else [])


def test_without_the_secret_the_length_tells_of_another_digest():
    found = alinb.diagnose(url("AB" * 16))
    (finding,) = found.findings
    assert (finding.id, finding.certainty) == ("declared_method_mismatch", "likely")
    assert alinb.diagnose(url("AB" * 30)).findings == ()


def json_body(signed, outside, body):
    return {
        "method": "POST",
        "url": url(mac(signed), outside, "/rest/product/update"),
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }


def test_a_json_body_may_have_been_left_out_of_the_string():
    outside = {"app_key": "500102", "timestamp": "1777306720082", "sign_method": "sha256"}
    body = {"payload": {"sku": "a b"}}
    signed = "&".join(f"{n}={outside[n]}" for n in sorted(outside)) + json.dumps(body)
    found = alinb.diagnose(json_body(signed, outside, body), secret=SECRET)
    assert found.mistakes == ("body_appended", "kv_separators", "path_prefix_missing")
    assert found.theirs.string_to_sign == signed
    right = alinb.diagnose(
        json_body("/product/update" + pairs(outside), outside, body), secret=SECRET
    )
    assert right.verdict == "correct"


def test_a_clock_far_off_is_explained_by_the_authors_string():
    signed = {**PARAMS, "timestamp": "1777306999999"}
    string = SECRET + pairs(signed)
    found = with_string(string, mac(string), depth=3)
    assert found.mistakes == ("path_prefix_missing", "secret_front_only", "timestamp_drift")
    assert any("+279917" in f.evidence for f in found.findings)
    assert found.theirs.string_to_sign == string


def test_a_request_of_another_app_proves_nothing_of_this_secret():
    other = {**PARAMS, "app_key": "999999"}
    entries = [
        {"request": {"method": "GET", "url": url(mac(PATH + pairs(other)), other), "headers": []}},
        {"request": {"method": "GET", "url": url(mac("who knows")), "headers": []}},
    ]
    found = alinb.diagnose({"log": {"entries": entries}}, secret=SECRET, depth=1)
    assert [f.id for f in found.findings] == ["wrong_secret"]
    entries[0]["request"]["url"] = url(mac(PATH + pairs()))
    found = alinb.diagnose({"log": {"entries": entries}}, secret=SECRET, depth=1)
    assert [f.id for f in found.findings] == ["changed_after_signing"]


def test_a_mistake_that_makes_no_difference_is_not_made_on_purpose():
    signed = alinb.sign(PATH, {"code": CODE}, app=APP)
    for id_ in ("sort_case_insensitive", "values_urlencoded", "python_bool"):
        with pytest.raises(alinb.InputError, match="no mistake"):
            alinb.mistaken(signed, id_)


# ---- mangled requests

MANGLED = int(os.environ.get("ALINB_MANGLED", "300"))
BODY = urlencode({**PARAMS, "sign": "AB" * 32})
PARTS = (
    '--b\r\nContent-Disposition: form-data; name="sign"\r\n\r\nAB\r\n'
    '--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nx\r\n--b--\r\n'
)
FORMS = (
    f"curl -X POST '{BASE}/rest{PATH}' -H 'Content-Type: text/plain' --data '{BODY}'",
    f"curl '{BASE}/rest{PATH}' -F sign=AB -F app_key=1 -F f=@x.txt",
    url("AB" * 32),
    f"/sync?method=aliexpress.ds.product.get&{BODY}",
    f"POST /rest{PATH} HTTP/1.1\r\nHost: a.b\r\n\r\n" + json.dumps({**PARAMS, "sign": "AB"}),
    f"POST /sync HTTP/1.1\nHost: a\nContent-Type: multipart/form-data; boundary=b\n\n{PARTS}",
    json.dumps({"url": url("AB" * 16), "string_to_sign": "a", "at": 1.5, "response": REFUSED}),
    json.dumps({"log": {"entries": [{"request": {"method": "GET", "url": url("QUI=")}}]}}),
    json.dumps({"url": "https://a.b/openapi/param2/1/x/y?_aop_signature=AB&a=b"}),
)
BITS = (
    "%", "%zz", "%00", "&", "=", "?", "#", "'", '"', "\\", "\n", "\r\n", "\x00", "é", "手", "🎁",
    "\ud800", "\u200b", "{", "}", "[", "]", ":", ",", "null", "true", "1e999", "-1", "NaN",
    "9" * 400, "sign=", "timestamp=", "method=/", "--data", "-H", "https://[", "/rest/", "\\ud83d",
    "$'", "`", "^", "a" * 5000, "[" * 2000, "\ufeff", "sign_method=md5", "_aop_signature=",
    "timestamp=１７７７３０６７２００８２", "app_key=%0D%0A", "\\u0000",
)  # fmt: skip


def mangled(rng):
    text = rng.choice(FORMS)
    for _ in range(rng.randint(1, 6)):
        at = rng.randint(0, len(text))
        to = min(len(text), at + rng.choice((0, 1, 2, 5, 20, 100)))
        other = rng.choice(FORMS)
        cut = rng.randint(0, len(other))
        middle = rng.choice(
            ("", rng.choice(BITS), text[at:to][::-1], chr(rng.randrange(0x3000)), other[cut:][:50])
        )
        text = text[:at] + middle + text[to:]
    return text.encode("utf-8", "surrogatepass") if rng.random() < 0.2 else text


def test_what_cannot_be_read_is_said_to_be_so_and_nothing_else_is_raised():
    rng = random.Random(MANGLED)
    read = 0
    for _ in range(MANGLED):
        text = mangled(rng)
        for look in (
            lambda: alinb.diagnose(text, secret=SECRET, depth=1),  # noqa: B023
            lambda: alinb.diagnose(text),  # noqa: B023
            lambda: alinb.verify(text, secret=SECRET),  # noqa: B023
        ):
            try:
                found = look()
            except alinb.InputError:
                continue
            read += 1
            assert json.dumps(found.as_dict()) + repr(found)
    assert read > MANGLED


def test_each_parameter_that_was_left_out_is_named():
    params = {**PARAMS, "format": "json", "partner_id": "x"}
    found = alinb.diagnose(url(mac(PATH + pairs()), params), secret=SECRET)
    assert found.mistakes == ("unsigned_param",)
    seen = " ".join(f.evidence for f in found.findings if f.id == "unsigned_param")
    assert "format" in seen
    assert "partner_id" in seen


def test_a_very_long_request_is_judged_in_bounded_time():
    params = {**PARAMS, "x": "v" * 300_000}
    found = alinb.diagnose(url(mac(PATH + pairs(params) + "!"), params), secret=SECRET)
    assert found.verdict == "unexplained"
    assert found.searched < 20_000
