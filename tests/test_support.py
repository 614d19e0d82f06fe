"""What a ticket gets: ids, times, request, reply, what was checked and tried; no secret."""

import json

import pytest

import alinb
from alinb.attempts import Attempt
from alinb.errors import InputError
from alinb.redact import Secret

SECRET, TOKEN, CODE = "s3cretCANARY", "tokenCANARY-1234", "codeCANARY-5678"
REPLY = {"code": "InvalidCode", "type": "ISV", "message": "bad code", "request_id": "2101",
         "_trace_id_": "2140"}  # fmt: skip


def attempt(**more):
    body = f"code={CODE}&access_token={TOKEN}&app_key=12345"
    made = {
        "method": "POST", "url": "https://api-sg.aliexpress.com/rest/auth/token/create?sign=ABC",
        "headers": (("Content-Type", "application/x-www-form-urlencoded"),
                    ("Authorization", f"Bearer {TOKEN}")),
        "body": body, "status": 200, "reply_text": json.dumps(REPLY), "platform": "aliexpress",
        "at": 1_800_000_000.123, "elapsed_ms": 41.6, "id": 7,
    }  # fmt: skip
    return Attempt(**{**made, **more})


def test_the_facts_are_those_that_support_asks_for():
    bundle = alinb.support_bundle(attempt())
    assert bundle.facts == {
        "platform": "aliexpress", "app key": "12345", "API name": "/auth/token/create",
        "request id": "2101", "trace id": "2140", "time": "2027-01-15 08:00:00.123 UTC",
        "took": "42 ms", "endpoint": "POST https://api-sg.aliexpress.com/rest/auth/token/create",
        "answer": "refused (HTTP 200), InvalidCode: bad code",
    }  # fmt: skip
    assert bundle.explanation.code == "InvalidCode"
    text = str(bundle)
    for line in ("request id  2101", "What was checked", "- InvalidCode (", '"bad code"'):
        assert line in text
    assert repr(bundle) == "<SupportBundle /auth/token/create refused>"


def test_what_was_tried_is_told_in_order():
    before = attempt(at=1_799_999_000.0, id=6, reply_text='{"code":"0","request_id":"99"}')
    silent = attempt(at=1_800_000_100.0, id=8, status=None, reply_text="", problem="timed out")
    bundle = alinb.support_bundle(attempt(), silent, before)
    assert [row[2] for row in bundle.history] == ["ok (HTTP 200)", "no answer: timed out"]
    assert bundle.history[0][3] == "99"
    assert "What was tried" in str(bundle)
    assert bundle.as_dict()["tried"][0]["time"] == "2027-01-15 07:43:20.000 UTC"


@pytest.mark.parametrize("secret", [SECRET, Secret(SECRET), None])
def test_no_secret_token_or_code_is_in_it(secret, monkeypatch):
    if secret is None:
        monkeypatch.setenv("ALINB_APP_SECRET", SECRET)
    held = attempt(
        string_to_sign=f"{SECRET}a1{SECRET}", stages={"wrap": f"{SECRET}a1{SECRET}"},
        problem=f"{SECRET} in a message",
        reply_text=json.dumps({**REPLY, "message": f"code {CODE} of {SECRET}",
                               "access_token": TOKEN}),
    )  # fmt: skip
    bundle = alinb.support_bundle(held, held, secret=secret)
    shown = "\n".join([str(bundle), repr(bundle), bundle._repr_html_(),
                       json.dumps(bundle.as_dict(), ensure_ascii=False)])  # fmt: skip
    for canary in (SECRET, TOKEN, CODE):
        assert canary not in shown
    assert "‹code " in shown
    assert "‹access_token " in shown


def test_a_diagnosis_and_its_findings_are_what_was_checked():
    wrong = {"verdict": "explained", "summary": "Proved: the secret stands around the string.",
             "findings": [{"evidence": "`timestamp` is 3 h off."}]}  # fmt: skip
    assert alinb.support_bundle(attempt(diagnosis=wrong)).checked[:2] == [
        "The signature: Proved: the secret stands around the string.", "`timestamp` is 3 h off.",
    ]  # fmt: skip
    right = alinb.support_bundle(attempt(diagnosis={"verdict": "correct"}))
    assert right.checked[0].startswith("The signature was recomputed")


def test_a_long_reply_is_cut_and_html_is_text():
    long = attempt(reply_text="<img src=x onerror=alert(1)>" + "x" * 9000)
    bundle = alinb.support_bundle(long)
    assert "characters more" in str(bundle)
    assert len(str(bundle)) < 7000
    assert "<img" not in bundle._repr_html_()


def test_what_is_no_attempt_is_refused():
    with pytest.raises(InputError, match="A dict is no attempt"):
        alinb.support_bundle({"url": "x"})


def test_an_attempt_that_was_never_sent_has_a_bundle_too():
    bundle = alinb.support_bundle(Attempt("GET", "https://h/rest/a?x=1"))
    assert bundle.facts["answer"] == "not sent"
    assert "time" not in bundle.facts
