"""One diagnosis, three views: text, HTML and JSON say the same and hide the same."""

import base64
import hashlib
import hmac
import json
import pickle
from html import unescape
from urllib.parse import quote, urlencode

import pytest

import alinb
from alinb.doctor import name_of
from alinb.knowledge import load
from alinb.stages import STAGES

SECRET = "CANARY0secret/8b1f6c+0a2e9d4735b6"
TOKEN = "5000CANARY1access&token=ZxYw"
REFRESH = "5000CANARY2refresh~token"
CODE = "3_500102_CANARY3codeabcdef9"
CANARIES = {"secret": SECRET, "access token": TOKEN, "refresh token": REFRESH, "code": CODE}
PARAMS = {
    "app_key": "500102",
    "code": CODE,
    "access_token": TOKEN,
    "refresh_token": REFRESH,
    "timestamp": "1777306720082",
    "sign_method": "sha256",
    "note": '<b>50% & "more"</b>',
}
URL = "https://api-sg.aliexpress.com/rest/auth/token/create"


def pairs(params=PARAMS, between="", joined=""):
    return joined.join(name + between + params[name] for name in sorted(params))


def mac(text, secret=SECRET):
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


def request(sign, **more):
    return {"method": "GET", "url": f"{URL}?{urlencode({**PARAMS, 'sign': sign})}", **more}


REPLY = {
    "status": 200,
    "body": {
        "code": "IncompleteSignature",
        "message": f"no good: {quote(CODE)} {TOKEN}",
        "refresh_token": REFRESH,
    },
}
STRING = SECRET + pairs() + SECRET


def diagnoses():
    wrong = mac(STRING)
    own = f"my own {SECRET} {TOKEN} {CODE}"
    yield "explained", alinb.diagnose(request(wrong, response=REPLY), secret=SECRET)
    yield "with string", alinb.diagnose(request(wrong, string_to_sign=STRING), secret=SECRET)
    yield "invented", alinb.diagnose(request(mac(own), string_to_sign=own), secret=SECRET, depth=1)
    yield (
        "correct",
        alinb.diagnose(request(mac("/auth/token/create" + pairs()), response=REPLY), secret=SECRET),
    )
    yield (
        "unexplained",
        alinb.diagnose(
            request(mac("x"), string_to_sign=STRING, response=REPLY), secret=SECRET, depth=2
        ),
    )
    yield "alone", alinb.diagnose(request("AB" * 32, response=REPLY))
    yield "stopped", alinb.diagnose(request(mac("x")), secret=SECRET, progress=lambda *_: False)
    spelled = "/auth/token/create" + quote(pairs(), safe="-_.!~*'()")
    yield "encoded", alinb.diagnose(request(mac(spelled)), secret=SECRET)
    top = {**PARAMS, "method": "taobao.item.get", "sign_method": "md5"}
    sign = hashlib.md5((SECRET + pairs(top, "=", "&") + SECRET).encode()).hexdigest().upper()
    url = f"https://eco.taobao.com/router/rest?{urlencode({**top, 'sign': sign})}"
    yield "md5", alinb.diagnose(url, secret=SECRET)
    odd = {**PARAMS, "x": SECRET}
    url = f"{URL}?{urlencode({**odd, 'sign': mac(pairs(odd))})}"
    yield "secret in a value", alinb.diagnose(url, secret=SECRET)
    odd = {**PARAMS, "timestamp": SECRET, "app_key": f" {SECRET}", "method": SECRET}
    yield (
        "secret everywhere",
        alinb.diagnose(
            f"{URL}?{urlencode({**odd, 'sign': mac(pairs(odd).lower())})}", secret=SECRET, depth=1
        ),
    )


FOUND = dict(diagnoses())


def views(found):
    """Everything that shows a diagnosis, by name."""
    return {
        "str": str(found),
        "repr": repr(found),
        "html": unescape(found._repr_html_()),
        "json": json.dumps(found.as_dict(), ensure_ascii=False),
        "summary": found.summary,
        "cure": found.cure,
        "findings": "\n".join(f"{f.id} {f.evidence} {f.cure}" for f in found.findings),
        "format": f"{found} {found!r}",
    }


def spellings(value):
    """A canary as it may be spelled: raw, percent-encoded, in JSON, in base64 and in hex."""
    raw = value.encode()
    once = quote(value, safe="")
    yield from (value, once, quote(value), quote(once, safe=""), json.dumps(value)[1:-1])
    yield from (raw.hex(), raw.hex().upper(), base64.b64encode(raw).decode().rstrip("="))


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("canary", CANARIES)
def test_no_view_holds_a_canary_in_any_spelling(name, canary):
    for view, text in views(FOUND[name]).items():
        for spelled in spellings(CANARIES[canary]):
            assert spelled not in text, view
        assert f"CANARY{list(CANARIES).index(canary)}" not in text, view


@pytest.mark.parametrize("name", FOUND)
def test_the_html_is_escaped_and_the_other_views_hold_the_text_itself(name):
    found = FOUND[name]
    html = found._repr_html_()
    assert "<b>" not in html
    assert "onerror" not in html
    if found.right and name != "md5":
        assert "&lt;b&gt;50" in html or "%3Cb%3E" in html


@pytest.mark.parametrize("name", FOUND)
def test_the_views_say_the_same(name):
    found = FOUND[name]
    shown = views(found)
    data = json.loads(shown["json"])
    for view in ("str", "html"):
        assert found.summary in shown[view]
        for finding in data["findings"]:
            assert finding["id"] in shown[view]
            assert finding["evidence"] in shown[view]
            assert finding["cure"] in shown[view]
        for ids in data["alternatives"]:
            assert " + ".join(ids) in shown[view]
    assert data["summary"] == found.summary
    assert data["mistakes"] == list(found.mistakes)
    assert data["cure"] == found.cure


def test_the_json_holds_what_a_program_needs():
    data = FOUND["explained"].as_dict()
    assert list(data) == [
        "verdict", "mistakes", "alternatives", "findings", "cure", "searched", "elapsed_ms",
        "summary", "apart", "diff", "stages",
    ]  # fmt: skip
    assert data["verdict"] == "explained"
    assert data["mistakes"] == ["path_prefix_missing", "secret_wrapped"]
    assert [finding["id"] for finding in data["findings"]][:2] == data["mistakes"]
    assert data["searched"] > 100
    assert data["elapsed_ms"] > 0
    assert [stage["stage"] for stage in data["stages"]] == list(STAGES)
    assert [s["stage"] for s in data["stages"] if s["differs"]] == ["wrap", "digest", "encode"]
    assert all(s["differs"] == (s["right"] != s["theirs"]) for s in data["stages"])
    assert json.loads(json.dumps(data)) == data


def test_the_difference_is_drawn_in_text_and_html_and_told_in_json():
    found = FOUND["with string"]
    kinds = [piece["kind"] for piece in found.as_dict()["diff"]]
    assert set(kinds) >= {"same", "extra"} or set(kinds) >= {"same", "changed"}
    assert "the difference, [-too much-] and {+lacking+}" in str(found)
    assert "{+/auth/token/create+}" in str(found)
    assert "<del" in found._repr_html_()
    assert "<ins" in found._repr_html_()
    assert FOUND["correct"].as_dict()["diff"] == []


def test_the_summary_of_each_verdict():
    assert FOUND["correct"].summary == "The signature is right."
    named = " and ".join(map(name_of, FOUND["explained"].mistakes))
    assert FOUND["explained"].summary == f"Proved: {named}."
    assert "another secret" in FOUND["unexplained"].summary
    assert "Without the app secret" in FOUND["alone"].summary
    assert "stopped" in FOUND["stopped"].summary
    unsigned = f"{URL}?{urlencode(PARAMS)}"
    sample = f"{unsigned}&sign=D13F2A03{'0' * 52}91EC"
    for secret in (None, SECRET):
        assert alinb.diagnose(unsigned, secret=secret).summary == "The request has no signature."
        assert "documentation's sample" in alinb.diagnose(sample, secret=secret).summary


def test_the_repr_is_one_short_line():
    assert repr(FOUND["explained"]) == (
        "<Diagnosis explained: path_prefix_missing, secret_wrapped>"
    )
    for found in FOUND.values():
        assert "\n" not in repr(found)


def test_a_stopped_search_accuses_nobody():
    assert "wrong_secret" not in {finding.id for finding in FOUND["stopped"].findings}


def test_what_a_pickle_of_the_views_holds_is_hidden_too():
    for found in FOUND.values():
        packed = pickle.dumps((found.as_dict(), str(found), found._repr_html_()))
        assert b"CANARY" not in packed


def test_each_mistake_has_a_plain_name():
    for id_, told in load("mistakes")["mistakes"].items():
        assert name_of(id_).lower() == told["name"].lower()
    assert name_of("never_heard_of") == "never_heard_of"
