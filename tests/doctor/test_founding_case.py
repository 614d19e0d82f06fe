"""The case this project was made for, and its sequel: each question is answered plainly."""

import hashlib
import hmac
import json

import pytest

import alinb
from alinb import intake
from alinb.share import folder

CASE = json.loads((folder("data") / "attempts/founding_case.json").read_text("utf-8"))
SEQUEL = json.loads((folder("data") / "attempts/founding_case_sequel.json").read_text("utf-8"))
SECRET = CASE["app_secret"]
SUB_CODE = "isv.account-migration-check-fail"


def by_hand(text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


def pairs(case: dict, *left_out: str) -> str:
    params = dict(intake.read(case).params)
    names = sorted(params.keys() - {"sign", *left_out})
    return "".join(name + params[name] for name in names)


@pytest.fixture(scope="module")
def found():
    return alinb.diagnose(CASE, secret=SECRET)


def test_what_is_wrong_with_my_signature(found):
    assert found.verdict == "explained"
    assert found.mistakes == ("path_prefix_missing", "secret_wrapped")
    assert found.alternatives == ()
    proved = [finding.id for finding in found.findings if finding.certainty == "proved"]
    assert set(proved) == {"path_prefix_missing", "secret_wrapped"}
    assert found.summary.startswith("Proved: ")


def test_the_proof_is_their_very_signature(found):
    theirs = by_hand(SECRET + pairs(CASE) + SECRET)
    assert found.theirs.signature == theirs == intake.read(CASE).sign
    assert found.theirs.string_to_sign == SECRET + pairs(CASE) + SECRET
    right = "/auth/token/create" + pairs(CASE)
    assert found.right.string_to_sign == right
    assert found.right.signature == by_hand(right)


def test_what_to_change_is_said_in_one_breath_and_without_the_secret(found):
    assert '"/auth/token/create" + s' in found.cure
    assert "secret" in found.cure
    for text in (str(found), repr(found), found._repr_html_(), json.dumps(found.as_dict())):
        assert SECRET not in text
        assert "tQ4mVbX8sLr2YpKd" not in text


def test_the_reply_is_named_with_what_is_not_known(found):
    (reply,) = [finding for finding in found.findings if finding.id == SUB_CODE]
    assert reply.certainty == "possible"
    assert "What that means is not known." in reply.evidence
    assert f"alinb explain {SUB_CODE}" in reply.evidence


def test_the_secret_that_was_sent_too_is_seen():
    request = {**CASE, "url": CASE["url"] + "&app_secret=" + SECRET}
    found = alinb.diagnose(request)
    assert "secret_sent_as_param" in {finding.id for finding in found.findings}
    assert SECRET not in str(found)


def test_the_sequel_has_the_path_and_lost_the_method():
    found = alinb.diagnose(SEQUEL, secret=SECRET)
    assert found.mistakes == ("method_not_signed",)
    assert found.theirs.signature == by_hand("/auth/token/create" + pairs(SEQUEL, "method"))
    ids = {finding.id for finding in found.findings}
    assert {"method_not_signed", "system_api_on_sync", "IncompleteSignature"} <= ids


def test_signing_right_at_last_is_correct():
    params = dict(intake.read(CASE).params)
    right = by_hand("/auth/token/create" + pairs(CASE))
    url = CASE["url"].replace(params["sign"], right)
    assert alinb.diagnose({**CASE, "url": url}, secret=SECRET).verdict == "correct"
    assert alinb.verify({**CASE, "url": url}, secret=SECRET)


QUESTIONS = {
    "migration does not conform": ("not known", "no official text"),
    "account type or registration": ("not proved",),
    "separate dropshipper registration": ("agreement", "not known"),
    "authorization policy or the grant type": ("unlikely", "inferences"),
    "region or the singapore endpoint": ("nothing found says so",),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_question_is_answered_plainly(question):
    explained = alinb.explain(CASE)
    assert explained.code == SUB_CODE
    (answer,) = [a for q, a in explained.questions if question in q.lower()]
    for words in QUESTIONS[question]:
        assert words in answer.lower()


def test_the_explanation_parts_the_known_from_the_inferred():
    explained = alinb.explain(CASE)
    assert explained.confidence == "single report"
    assert "no official text" in explained.unknown
    assert "Code 15 wraps a refusal" in explained.proves
    assert explained.wrapped_in == "15"
    assert all(cause.startswith("Unproven") for cause in explained.causes)
    assert "Make the request right first" in explained.cures[0]
    assert "support" in explained.cures[-1]
    assert any("request_id" in answer for question, answer in explained.questions)


def test_what_is_reach_limit():
    explained = alinb.explain("Reach Limit")
    assert explained.confidence == "single report"
    ((question, answer),) = explained.questions
    assert "Reach Limit" in question
    assert "rate limit" in answer
    assert explained.retry_kind == "wait"


def test_a_pasted_curl_command_of_another_language_gets_the_same_answer(found):
    curl = f"curl '{CASE['url']}' -H 'accept: application/json'"
    har = {"log": {"entries": [{"request": {"method": "GET", "url": CASE["url"], "headers": []}}]}}
    for request in (curl, CASE["url"], json.dumps(har)):
        again = alinb.diagnose(request, secret=SECRET)
        assert again.mistakes == found.mistakes
        assert again.right.signature == found.right.signature
