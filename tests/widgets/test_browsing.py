"""AttemptBrowser and AttemptCompare over a journal with refused, good and cut-off attempts."""

import html
import json
import os
import re

import pytest

import alinb
from alinb.attempts import Attempt
from alinb.errors import InputError, JournalError
from alinb.widgets.base import Event
from alinb.widgets.browsing import FORMS, STEP
from tests.conftest import NOW

EVIL = "<img src=x onerror=alert(1)>"
SECRET, CODE = "s3cretCANARY0123456789", "3_841207_CANARYcodeCANARY"


@pytest.fixture
def journal(tmp_path):
    return alinb.Journal(tmp_path / "attempts.sqlite3")


@pytest.fixture
def tokens(journal):
    """A journal with a wrong code, a token, a wrong signature and a search; gives the tokens."""
    with alinb.sandbox(secret=SECRET) as box, alinb.Client(box, journal=journal) as client:
        client.call("/auth/token/create", code=CODE)
        token = client.exchange(box.code())
        signed = client.sign("aliexpress.ds.category.get")
        client.send(alinb.mistaken(signed, "secret_wrapped"))
        client.call(
            "aliexpress.ds.text.search",
            keyWord="lamp", local="en_US", countryCode="US", currency="USD",
        )  # fmt: skip
    return token.access_token.reveal(), token.refresh_token.reveal()


@pytest.fixture
def panel(journal, tokens):
    made = alinb.AttemptBrowser(journal)
    yield made
    made.close()


def numbers(panel):
    return [int(n) for n in re.findall(r'aria-label="Open attempt (\d+)"', panel.view)]


def everything(panel):
    """Whatever of a panel may be saved or shown."""
    data, _ = panel._repr_mimebundle_()
    return "\n".join([str(panel.get_state()), str(data), repr(panel), str(panel), panel.status])


def test_the_list_is_the_journal_newest_first(panel):
    assert numbers(panel) == [4, 3, 2, 1]
    assert panel.status == "4 attempts."
    assert panel.view.count("✗ refused</td>") == 2
    assert panel.view.count("✓ ok</td>") == 2
    assert "secret_wrapped" in panel.view
    assert [line.split()[0] for line in str(panel).splitlines()[2:6]] == ["4", "3", "2", "1"]
    assert str(panel).endswith("4 attempts.")


@pytest.mark.parametrize(
    ("what", "value", "left"),
    [
        ("verdict", "refused", [3, 1]),
        ("name", "/auth/token/create", [2, 1]),
        ("verdict", "no_reply", []),
        ("span", "1h", [4, 3, 2, 1]),
    ],
)
def test_filters(panel, what, value, left):
    panel.act("filter", Event(what, value))
    assert panel.last_error is None
    assert numbers(panel) == left
    if len(left) < 4:
        assert panel.status == f"{len(left)} of 4 attempts match."
    panel.act("filter", Event(what, ""))
    assert numbers(panel) == [4, 3, 2, 1]


def test_a_filter_by_time_counts_from_now(journal, clock):
    for hours in (0.5, 3, 30):
        journal.record(Attempt("GET", "https://h/rest/a", at=NOW - hours * 3600))
    panel = alinb.AttemptBrowser(journal, span="1d", clock=clock)
    assert panel.status == "2 of 3 attempts match."
    panel.act("filter", Event("span", "1h"))
    assert panel.status == "1 of 3 attempts match."
    panel.act("filter", Event("span", "soon"))
    assert "is no time span" in panel.status
    with pytest.raises(InputError, match="no filter 'color'"):
        panel.filter(color="red")
    panel.close()


def test_a_long_list_comes_in_steps(journal):
    for number in range(2 * STEP + 3):
        journal.record(Attempt("GET", f"https://h/rest/a?n={number}"))
    panel = alinb.AttemptBrowser(journal)
    assert len(numbers(panel)) == STEP
    assert f"Show more; {STEP + 3} are left" in panel.view
    panel.act("more")
    panel.act("more")
    assert len(numbers(panel)) == 2 * STEP + 3
    assert "Show more" not in panel.view
    panel.close()


def test_a_new_attempt_is_seen_when_one_looks_again(panel, journal):
    journal.record(Attempt("GET", "https://h/rest/a"))
    assert len(numbers(panel)) == 4
    panel.act("again")
    assert numbers(panel)[0] == 5


def test_an_empty_journal_says_so(journal):
    panel = alinb.AttemptBrowser(journal)
    assert panel.status == "The journal is empty."
    assert "Every call of a client leaves one" in panel.view
    panel.close()


def test_an_attempt_opens_with_its_diagnosis_and_reply(panel):
    panel.act("show", Event("3"))
    assert panel.status == "Attempt 3 is open below the list."
    found = panel.attempt.diagnosis
    assert found["mistakes"] == ["secret_wrapped"]
    seen = html.unescape(re.sub("<[^>]+>", "", panel.view))
    assert found["summary"].replace("`", "") in seen
    assert "IncompleteSignature" in seen
    assert "Stages of the signature: 8" in seen
    assert "request id" in seen
    panel.act("show", Event("1"))
    assert "InvalidCode" in panel.view
    panel.act("show", Event("99"))
    assert panel.status.startswith("✗ The journal holds no attempt 99.")


def test_two_marked_are_compared_and_only_differences_shown(panel, journal):
    panel.act("compare")
    assert "0 attempts are marked" in panel.status
    panel.act("mark", Event("2", "on"))
    assert re.search(r'data-act="compare" disabled|disabled[^>]*data-act="compare"', panel.view)
    panel.act("mark", Event("1", "on"))
    panel.act("compare")
    compared = alinb.compare(journal.get(1), journal.get(2))
    assert panel.comparison == compared
    assert panel.status == f"{len(compared.differences)} of {len(compared.rows)} rows differ."
    same = panel.view.count('aria-label="same"')
    assert same == len(compared.rows) - len(compared.differences) > 0
    panel.act("only", Event(value="on"))
    assert 'aria-label="same"' not in panel.view
    assert panel.view.count('aria-label="differs"') == len(compared.differences)


@pytest.mark.parametrize("form", FORMS)
def test_no_export_holds_a_canary(panel, journal, tokens, tmp_path, form):
    for number in (1, 2, 3, 4):
        panel.act("mark", Event(str(number), "on"))
    panel.act("export", Event(fields={"form": form}))
    assert panel.status.startswith("✓ The export is below")
    target = tmp_path / f"out.{FORMS[form]}"
    panel.act("save", Event(fields={"path": str(target)}))
    assert panel.status == f"✓ Written to {target}."
    text = target.read_text(encoding="utf-8")
    assert text == panel.exported
    for canary in (SECRET, CODE, *tokens):
        assert canary not in text + everything(panel)
    assert "‹access_token" in text
    assert "‹code" in text or form == "ticket"
    assert os.stat(target).st_mode & 0o777 == 0o600
    panel.act("save", Event(fields={"path": str(target)}))
    assert "cannot be written: File exists" in panel.status


def test_an_export_is_read_back(panel, journal):
    panel.act("mark", Event("1", "on"))
    panel.act("mark", Event("4", "on"))
    har = json.loads(panel.export("har"))
    assert [e["request"]["url"].partition("?")[0] for e in har["log"]["entries"]] == [
        "http://127.0.0.1/rest/auth/token/create", "http://127.0.0.1/sync",
    ]  # fmt: skip
    assert har["log"]["creator"]["version"] == alinb.__version__
    lines = panel.export("jsonl").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [1, 4]
    assert panel.export("curl").count("curl -X POST") == 2
    with pytest.raises(InputError, match="'pdf' is no format"):
        panel.export("pdf")


def test_nothing_marked_exports_the_open_one_or_says_so(panel):
    panel.act("export", Event(fields={"form": "curl"}))
    assert "Nothing is marked" in panel.status
    panel.act("show", Event("4"))
    panel.act("export", Event(fields={"form": "ticket"}))
    assert panel.exported.startswith("aliexpress.ds.text.search: ok")
    assert "What was tried" not in panel.exported
    panel.act("show", Event("2"))
    panel.act("export", Event(fields={"form": "ticket"}))
    tried = panel.exported.partition("What was tried\n")[2]
    assert "InvalidCode" in tried, "the earlier try of the same call is told"


def test_html_in_an_attempt_stays_text(journal):
    journal.record(
        Attempt(
            "GET", f"https://h/rest/a?{EVIL}={EVIL}", status=200, name=EVIL, string_to_sign=EVIL,
            reply_text=json.dumps({"code": EVIL, "message": EVIL, EVIL: [EVIL]}),
            stages={"join": EVIL}, platform=EVIL, source=EVIL,
            diagnosis={"summary": EVIL, "cure": EVIL, "mistakes": [EVIL],
                       "findings": [{"certainty": EVIL, "evidence": EVIL, "cure": EVIL}]},
        )
    )  # fmt: skip
    journal.record(Attempt("POST", "https://h/rest/a", status=200, reply_text=f"<html>{EVIL}"))
    panel = alinb.AttemptBrowser(journal)
    panel.act("show", Event("1"))
    for number in ("1", "2"):
        panel.act("mark", Event(number, "on"))
    panel.act("compare")
    for form in FORMS:
        panel.act("export", Event(fields={"form": form}))
        assert panel.last_error is None
        assert "<img" not in panel.view + panel._repr_html_()
    panel.act("show", Event("2"))
    assert "<img" not in panel.view
    assert "&lt;img" in panel.view
    side = alinb.AttemptCompare(1, 2, journal)
    assert "<img" not in side.view
    panel.close()
    side.close()


# ---- AttemptCompare


def test_two_attempts_side_by_side(journal, tokens):
    panel = alinb.AttemptCompare(1, 2, journal)
    compared = alinb.compare(journal.get(1), journal.get(2))
    assert all(row[1] in str(panel) for row in compared.rows)
    for what in ("Parameters", "Stage by stage", "What became of it", "When"):
        assert f">{what}</div>" in panel.view
    assert "<del>" in panel.view
    assert "<ins>" in panel.view
    assert ">Why: the left one</div>" in panel.view
    assert ">Why: the right one</div>" not in panel.view
    panel.act("swap")
    assert panel.comparison == alinb.compare(journal.get(2), journal.get(1))
    assert ">Why: the right one</div>" in panel.view
    panel.act("numbers", Event(fields={"left": "3", "right": " 4 "}))
    assert (panel.left.id, panel.right.id) == (3, 4)
    panel.act("numbers", Event(fields={"left": "x", "right": "4"}))
    assert "'x' is no attempt's number" in panel.status
    for canary in (SECRET, CODE, *tokens):
        assert canary not in everything(panel)
    panel.close()


def test_what_differs_is_marked_and_what_is_the_same_is_not():
    left = Attempt("GET", "https://h/rest/a?x=1000&y=1")
    right = Attempt("GET", "https://h/rest/a?x=1200&y=1")
    panel = alinb.AttemptCompare(left, right, only_differences=True)
    assert "<code>1<del>0</del>00</code>" in panel.view
    assert "<code>1<ins>2</ins>00</code>" in panel.view
    assert ">y</th>" not in panel.view
    panel.act("only", Event())
    assert ">y</th>" in panel.view
    same = alinb.AttemptCompare(left, left, only_differences=True)
    assert "Nothing differs." in same.view
    assert same.status.endswith("rows are the same.")
    panel.close()
    same.close()


def test_a_mark_for_a_hidden_value_stays_in_one_piece(journal, tokens):
    panel = alinb.AttemptCompare(1, 2, journal)
    compared = {what: (a, b) for part, what, a, b in panel.comparison.rows if part == "stages"}
    for text in compared["format"]:
        assert text in html.unescape(re.sub("<[^>]+>", "", panel.view))
    panel.close()


def test_attempts_in_memory_are_redacted_before_they_are_shown():
    left = Attempt("GET", f"https://h/rest/a?access_token={CODE}", body=f"code={CODE}")
    right = Attempt(
        "GET", "https://h/rest/a", status=200, reply_text=f'{{"access_token":"{CODE}"}}'
    )
    panel = alinb.AttemptCompare(left, right)
    assert CODE not in everything(panel)
    panel.close()


def test_a_number_that_is_not_there_is_an_error(journal):
    with pytest.raises(JournalError, match="no attempt 7"):
        alinb.AttemptCompare(7, 8, journal)
