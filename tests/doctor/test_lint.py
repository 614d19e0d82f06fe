"""What is seen in a request without its secret: each finding where it belongs, and nowhere else."""

import json

import pytest

from alinb import intake
from alinb.doctor.lint import lint
from alinb.doctor.subject import Subject

MS = "1777306720082"
TOKEN_URL = "https://api-sg.aliexpress.com/rest/auth/token/create"
SYNC = "https://api-sg.aliexpress.com/sync"
COMMON = f"app_key=500102&timestamp={MS}&sign_method=sha256&sign=AB"
CODE = "code=3_500102_tQ4mVbX8sLr2YpKd"


def found(request):
    return [finding.id for finding in lint(Subject.of(intake.read(request)))]


def post(url, body, kind="application/x-www-form-urlencoded", **more):
    return {"method": "POST", "url": url, "headers": {"Content-Type": kind}, "body": body, **more}


CLEAN = [
    f"{TOKEN_URL}?{COMMON}&{CODE}",
    f"{SYNC}?{COMMON}&method=aliexpress.ds.product.get&session=5000abc",
    post(SYNC, f"{COMMON}&method=aliexpress.affiliate.product.query"),
    f"https://eco.taobao.com/router/rest?{COMMON.replace('sha256', 'md5')}&method=taobao.item.get",
    f"https://auth.lazada.com/rest/auth/token/create?{COMMON}&code=0_500102_abcdefgh1",
    f"http://127.0.0.1:8700/rest/auth/token/create?{COMMON}&{CODE}",
]


@pytest.mark.parametrize("request_", CLEAN)
def test_a_right_request_gives_no_finding(request_):
    assert found(request_) == []


TABLE = {
    "no_sign": f"{TOKEN_URL}?app_key=500102&timestamp={MS}&sign_method=sha256&{CODE}",
    "docs_placeholder_sign": f"{TOKEN_URL}?{COMMON}&{CODE}".replace(
        "sign=AB", "sign=D13F2A03" + "0" * 52 + "91EC"
    ),
    "sign_method_missing": f"{TOKEN_URL}?app_key=500102&timestamp={MS}&sign=AB&{CODE}",
    "sign_method_unsupported": f"{TOKEN_URL}?{COMMON.replace('sha256', 'md5')}&{CODE}",
    "timestamp_seconds": f"{TOKEN_URL}?{COMMON.replace(MS, MS[:10])}&{CODE}",
    "timestamp_text": f"{SYNC}?{COMMON.replace(MS, '2026-11-24 10:00:00')}&method=a.b",
    "timestamp_unreadable": f"{TOKEN_URL}?{COMMON.replace(MS, 'now')}&{CODE}",
    "secret_sent_as_param": f"{TOKEN_URL}?{COMMON}&{CODE}&app_secret=abcdefgh",
    "app_key_whitespace": f"{TOKEN_URL}?{COMMON.replace('500102', '500102%0D%0A')}&{CODE}",
    "client_id_instead_of_app_key": f"{TOKEN_URL}?{COMMON.replace('app_key', 'client_id')}&{CODE}",
    "json_body": post(
        TOKEN_URL, json.dumps({"app_key": "500102", "sign": "AB"}), "application/json"
    ),
    "multipart_body": post(
        SYNC,
        '--b\r\nContent-Disposition: form-data; name="sign"\r\n\r\nAB\r\n--b--\r\n',
        "multipart/form-data; boundary=b",
    ),
    "params_in_url_and_body": post(f"{SYNC}?{COMMON}&method=a.b", f"{COMMON}&method=a.b"),
    "http_scheme": f"{SYNC}?{COMMON}&method=a.b".replace("https", "http"),
    "system_api_on_sync": f"{SYNC}?{COMMON}&method=%2Fauth%2Ftoken%2Fcreate&{CODE}",
    "legacy_oauth_host": post(
        "https://oauth.aliexpress.com/token", "client_id=1&code=3_1_abcdefgh"
    ),
    "wrong_endpoint_path": f"https://api-sg.aliexpress.com/rest/2.0/auth/token/create?{COMMON}",
    "method_param_on_system": f"{TOKEN_URL}?{COMMON}&{CODE}&method=auth.token.create",
    "unknown_method": f"{SYNC}?{COMMON}&method=aliexpress.ds.products.get",
    "token_where_not_wanted": f"{SYNC}?{COMMON}&session=t&method=aliexpress.affiliate.category.get",
    "uuid_sent": f"{TOKEN_URL}?{COMMON}&{CODE}&uuid=1",
    "redirect_uri_on_token_call": f"{TOKEN_URL}?{COMMON}&{CODE}&redirect_uri=https%3A%2F%2Fa",
    "bad_code": f"{TOKEN_URL}?{COMMON}&code=500102",
    "code_of_another_app": f"{TOKEN_URL}?{COMMON}&code=3_999999_tQ4mVbX8sLr2",
}


@pytest.mark.parametrize("id_", TABLE)
def test_a_finding_is_made_where_it_belongs(id_):
    assert id_ in found(TABLE[id_])


def test_the_clock_is_judged_by_the_moment_of_the_request():
    url = f"{TOKEN_URL}?{COMMON}&{CODE}"
    at = int(MS) / 1000
    assert "timestamp_skew" not in found({"url": url, "at": at + 7199})
    late = lint(Subject.of(intake.read({"url": url, "at": at + 3 * 3600})))
    (skew,) = [finding for finding in late if finding.id == "timestamp_skew"]
    assert "3.0 hours behind" in skew.evidence


def test_an_unknown_method_names_the_nearest():
    request = intake.read(TABLE["unknown_method"])
    (finding,) = [f for f in lint(Subject.of(request)) if f.id == "unknown_method"]
    assert "aliexpress.ds.product.get" in finding.evidence


@pytest.mark.parametrize(
    "url",
    [
        "https://openapi.aliexpress.com/gateway.do",
        "https://gw.api.taobao.com/router/rest",
        "https://api-sg.aliexpress.com/router/rest",
        "https://api-sg.aliexpress.com/sync/portal/affiliate",
    ],
)
def test_retired_and_invented_addresses(url):
    assert "wrong_endpoint_path" in found(f"{url}?{COMMON}&method=aliexpress.ds.product.get")


def test_every_finding_carries_its_cure_and_hides_the_code():
    for request in TABLE.values():
        for finding in lint(Subject.of(intake.read(request))):
            assert finding.certainty in ("proved", "likely", "possible")
            assert finding.cure
            assert "tQ4mVbX8sLr2YpKd" not in finding.evidence
            assert "abcdefgh" not in finding.evidence
