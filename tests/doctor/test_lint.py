"""What is seen in a request without its secret: each finding where it belongs, and nowhere else."""

import json

import pytest

from alinb import intake
from alinb.doctor.lint import lint
from alinb.doctor.subject import Subject
from alinb.knowledge import load

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
    "declared_method_mismatch": f"{TOKEN_URL}?{COMMON.replace('=AB', '=' + 'AB' * 16)}&{CODE}",
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


@pytest.mark.parametrize(
    ("text", "off"),
    [("10:00", 0), ("18:00", 0), ("03:00", "-7"), ("15:30", "+5.5"), ("10:40", 0), ("12:01", "+2")],
)
def test_a_date_in_another_zone_is_told_from_utc_and_gmt8(text, off):
    url = f"{SYNC}?{COMMON.replace(MS, f'2026-11-24 {text}:00')}&method=a.b"
    at = 1795514405  # 2026-11-24 10:00:05 UTC
    seen = lint(Subject.of(intake.read({"url": url, "at": at})))
    zones = [finding for finding in seen if finding.id == "timestamp_wrong_zone"]
    assert [f"{off} hours" in finding.evidence for finding in zones] == ([True] if off else [])
    assert "timestamp_wrong_zone" not in found(url)


def test_dates_with_a_zone_of_their_own_are_read_so():
    url = f"{SYNC}?{COMMON.replace(MS, '2026-11-24T12:00:00%2B02:00')}&method=a.b"
    assert found({"url": url, "at": 1795514405}) == ["timestamp_text"]


#: What is near to a finding and none.
NEGATIVE = {
    "docs_placeholder_sign": f"{TOKEN_URL}?{COMMON}&{CODE}".replace(
        "sign=AB", "sign=D13F2A03" + "0" * 51 + "91EC"
    ),
    "sign_method_unsupported": f"{SYNC}?{COMMON.replace('sha256', 'md5')}&method=a.b",
    "declared_method_mismatch": f"{SYNC}?{COMMON.replace('=AB', '=' + 'AB' * 32)}&method=a.b",
    "timestamp_seconds": f"{TOKEN_URL}?{COMMON.replace(MS, MS[:11])}&{CODE}",
    "timestamp_text": f"{TOKEN_URL}?{COMMON.replace(MS, '20261124')}&{CODE}",
    "timestamp_unreadable": f"{TOKEN_URL}?{COMMON.replace('timestamp=' + MS + '&', '')}&{CODE}",
    "secret_sent_as_param": f"{TOKEN_URL}?{COMMON}&{CODE}&secret_santa=abcdefgh",
    "app_key_whitespace": f"{TOKEN_URL}?{COMMON.replace('500102', '500+102')}&{CODE}",
    "client_id_instead_of_app_key": f"{TOKEN_URL}?{COMMON}&{CODE}&client_id=500102",
    "json_body": post(SYNC, f"{COMMON}&method=a.b&json=%7B%7D"),
    "multipart_body": post(
        SYNC,
        '--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\nAB\r\n--b--\r\n',
        "multipart/form-data; boundary=b",
    ),
    "params_in_url_and_body": post(f"{SYNC}?{COMMON}", "method=a.b"),
    "http_scheme": f"http://localhost:8700/sync?{COMMON}&method=a.b",
    "system_api_on_sync": f"{SYNC}?{COMMON}&method=auth.token.create",
    "legacy_oauth_host": f"https://api-sg.aliexpress.com/oauth/authorize?{COMMON}",
    "wrong_endpoint_path": f"https://eco.taobao.com/router/rest?{COMMON}&method=taobao.item.get",
    "method_param_on_system": f"{SYNC}?{COMMON}&method=%2Fauth%2Ftoken%2Fcreate&{CODE}",
    "unknown_method": f"{SYNC}?{COMMON}&method=taobao.never.heard.of",
    "token_where_not_wanted": f"{SYNC}?{COMMON}&session=&method=aliexpress.affiliate.category.get",
    "uuid_sent": f"{SYNC}?{COMMON}&uuid=1&method=aliexpress.ds.product.get",
    "redirect_uri_on_token_call": f"{SYNC}?{COMMON}&redirect_uri=https%3A%2F%2Fa&method=a.b",
    "bad_code": f"{TOKEN_URL}?{COMMON}&code=0_500102_2DL4DV3jcU1UOT7WGI1A4rY91",
    "code_of_another_app": f"{TOKEN_URL}?{COMMON}&{CODE}",
}


@pytest.mark.parametrize("id_", NEGATIVE)
def test_what_is_near_to_a_finding_is_none(id_):
    assert id_ not in found(NEGATIVE[id_])


def test_every_finding_has_its_table_rows():
    by_clock = {"timestamp_skew", "timestamp_wrong_zone"}  # they need the moment of sending
    known = {
        id_ for id_, told in load("mistakes")["mistakes"].items() if told["where"] != "signature"
    }
    assert set(TABLE) | by_clock == known
    assert set(NEGATIVE) >= set(TABLE) - {"no_sign", "sign_method_missing"}


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
