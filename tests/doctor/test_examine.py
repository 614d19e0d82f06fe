"""From a request to its diagnosis: verdicts, proof, and what else tells a secret from a recipe."""

import hashlib
import hmac
import json
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
