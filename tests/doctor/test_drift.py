"""A clock read twice is found, alone at some seconds and beside other mistakes at some ms."""

import hashlib
import hmac
from urllib.parse import urlencode

import pytest

import alinb
from alinb.doctor.drift import USUAL_MS, WIDEST_MS

SECRET = "8b1f6c0a2e9d4735b6c8d0e1f2a3b4c5"
SENT = 1777306720082
PARAMS = {"app_key": "1", "code": "3_1_abcdefgh9", "sign_method": "sha256"}


def request(signed_at: int, *, prefix: str = "/auth/token/create", lower: bool = False) -> str:
    """An exchange whose string holds another timestamp than the request."""
    signed = {**PARAMS, "timestamp": str(signed_at)}
    text = prefix + "".join(name + signed[name] for name in sorted(signed))
    sign = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    query = {**PARAMS, "timestamp": str(SENT), "sign": sign if lower else sign.upper()}
    return f"https://api-sg.aliexpress.com/rest/auth/token/create?{urlencode(query)}"


@pytest.mark.parametrize("offset", [1, -1, 24, -26, 999, -WIDEST_MS, WIDEST_MS])
def test_a_drift_alone_is_found_up_to_five_seconds(offset):
    found = alinb.diagnose(request(SENT + offset), secret=SECRET)
    assert found.mistakes == ("timestamp_drift",)
    assert f"{offset:+} ms" in found.findings[0].evidence
    assert found.theirs.formatted["timestamp"] == str(SENT + offset)


def test_a_drift_of_more_than_that_is_not():
    found = alinb.diagnose(request(SENT + WIDEST_MS + 1), secret=SECRET, depth=1)
    assert found.verdict == "unexplained"


@pytest.mark.parametrize("offset", [3, -USUAL_MS, USUAL_MS])
def test_a_drift_is_found_beside_other_mistakes(offset):
    wrong = request(SENT + offset, prefix="", lower=True)
    found = alinb.diagnose(wrong, secret=SECRET)
    assert found.mistakes == ("lowercase_hex", "path_prefix_missing", "timestamp_drift")


def test_seconds_in_the_string_are_no_drift():
    found = alinb.diagnose(request(SENT // 1000), secret=SECRET)
    assert found.mistakes == ("timestamp_seconds_signed",)


def test_a_text_timestamp_drifts_by_seconds():
    sent, signed = "2026-03-22 12:34:56", "2026-03-22 12:34:58"
    params = {"app_key": "1", "method": "a.b", "sign_method": "md5", "timestamp": signed}
    text = SECRET + "".join(name + params[name] for name in sorted(params)) + SECRET
    sign = hashlib.md5(text.encode()).hexdigest().upper()
    query = urlencode({**params, "timestamp": sent, "sign": sign})
    found = alinb.diagnose(f"https://api-sg.aliexpress.com/sync?{query}", secret=SECRET)
    assert found.mistakes == ("timestamp_drift",)
    assert "+2 s" in found.findings[0].evidence
