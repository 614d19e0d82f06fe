"""Real failures, rebuilt with made-up apps, are named and proved."""

import json
import os
from pathlib import Path

import pytest

import alinb
from alinb.share import folder

CASES = sorted((folder("data") / "attempts").glob("*.json"))
SHARED = Path(os.environ.get("ALINB_SHARED", Path(__file__).parents[3] / "shared"))


def test_the_founding_case_and_its_sequel_are_among_them():
    assert {"founding_case", "founding_case_sequel"} <= {path.stem for path in CASES}
    assert len(CASES) >= 15


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_real_case_is_explained(path):
    case = json.loads(path.read_text(encoding="utf-8"))
    expected = case["expected"]
    found = alinb.diagnose(case, secret=case["app_secret"])
    explanations = [list(found.mistakes), *map(list, found.alternatives)]
    assert expected["mistakes"] in explanations
    assert set(expected["findings"]) <= {finding.id for finding in found.findings}
    if expected["mistakes"]:
        assert found.verdict == "explained"
        assert found.theirs.signature == alinb.verify(case, secret=case["app_secret"]).received
    for text in (str(found), json.dumps(found.as_dict()), found._repr_html_()):
        assert case["app_secret"] not in text


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_without_the_secret_what_can_be_seen_is_still_said(path):
    case = json.loads(path.read_text(encoding="utf-8"))
    needs_secret = {"declared_method_mismatch"}
    found = alinb.diagnose(case)
    assert found.verdict == "unexplained"
    seen = {finding.id for finding in found.findings}
    assert set(case["expected"]["findings"]) - needs_secret <= seen


def _rows(name: str) -> list[dict]:
    lines = (SHARED / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.skipif(not (SHARED / "failure_cases.jsonl").is_file(), reason="no further cases here")
@pytest.mark.parametrize("name", ["failure_cases.jsonl", "failure_fuzz.jsonl"])
def test_further_cases_are_explained_with_no_more_mistakes_than_were_made(name):
    for row in _rows(name):
        request = row["request"]
        attempt = {
            "method": request["http_method"],
            "url": request["url"],
            "headers": request["headers"],
            "body": request["body"] or "",
            "sign": row["wrong_sign"] or "",
        }
        found = alinb.diagnose(attempt, secret=row["app_secret"])
        # This one compared its signature with the placeholder, which is not in the request.
        asked = set(row.get("request_labels", ())) - {"docs_placeholder_sign"}
        assert asked <= {finding.id for finding in found.findings}, row["id"]
        if not row["solvable_without_string"]:
            continue
        assert len(found.mistakes) <= row["minimal_size"], row["id"]
        assert found.verdict == ("explained" if row["minimal_size"] else "correct"), row["id"]
        accepted = [tuple(sorted(labels)) for labels in row["accepted_label_sets"]]
        if len(found.mistakes) == row["minimal_size"]:
            assert found.mistakes in accepted, row["id"]
            assert set(found.alternatives) <= set(accepted), row["id"]
