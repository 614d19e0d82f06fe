"""`alinb pull` as a program: files, tables, JSON, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pages import DETAIL, FIRST_ID, QUERY, SEARCH, Pages, serving

SECRET = "a-secret-that-nobody-shows"
LAMPS = ["-p", "keywords=lamp", "--qps", "2000"]


@pytest.fixture
def pages() -> Iterator[Pages]:
    with serving(Pages(total=120)) as started:
        yield started


def start(pages: Pages, *words: str) -> subprocess.Popen[str]:
    known = {"ALINB_APP_KEY": "500102", "ALINB_APP_SECRET": SECRET, "ALINB_GATEWAY": pages.url}
    return subprocess.Popen(
        [sys.executable, "-m", "alinb", "pull", *words],
        env={**os.environ, **known}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(pages: Pages, *words: str) -> tuple[int, str, str]:
    child = start(pages, *words)
    out, err = child.communicate(timeout=60)
    return child.returncode, out, err


def test_into_a_file(pages: Pages, tmp_path: Path) -> None:
    out = tmp_path / "lamps.jsonl"
    assert run(pages, QUERY, *LAMPS, "--out", str(out)) == (
        0, f"120 records of 3 pages in {out}\n", "",
    )  # fmt: skip
    rows = [json.loads(line)["product_id"] for line in out.read_text().splitlines()]
    assert rows == [FIRST_ID + i for i in range(120)]


def test_as_json(pages: Pages, tmp_path: Path) -> None:
    out = tmp_path / "lamps.csv"
    status, said, wrong = run(pages, QUERY, *LAMPS, "--out", str(out), "--limit", "7", "--json")
    document: dict[str, Any] = json.loads(said)
    assert (status, wrong) == (0, "")
    assert (document["complete"], document["records"], document["path"]) == (True, 7, str(out))
    assert document["stats"]["refusals"] == 0
    assert len(out.read_text().splitlines()) == 8


def test_onto_the_terminal(pages: Pages) -> None:
    status, said, wrong = run(pages, QUERY, *LAMPS, "--limit", "3")
    assert (status, wrong) == (0, "")
    assert said.splitlines()[0].split()[0] == "product_id"
    assert str(FIRST_ID + 2) in said
    status, said, _ = run(pages, QUERY, *LAMPS, "--limit", "3", "--json")
    document = json.loads(said)
    assert (document["about"]["method"], len(document["records"])) == (QUERY, 3)


def test_over_lists_and_files(pages: Pages, tmp_path: Path) -> None:
    pages.total = 10
    (tmp_path / "words.txt").write_text("lamp\ndesk\n\nmug\n")
    words = f"keywords=@{tmp_path / 'words.txt'}"
    out = tmp_path / "found.jsonl"
    more = ["--over", words, "--over", "ship_to_country=US,FR", "--out", str(out)]
    assert run(pages, QUERY, "--qps", "2000", *more)[0] == 0
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) == 60
    assert {(r["asked_keywords"], r["asked_ship_to_country"]) for r in rows} == {
        (word, country) for word in ("lamp", "desk", "mug") for country in ("US", "FR")
    }


def test_items_that_are_refused(pages: Pages, tmp_path: Path) -> None:
    out = tmp_path / "found.jsonl"
    words = ["-p", "ship_to_country=US", "-p", "session=a-token", "--over", "product_id=5,-6"]
    status, said, wrong = run(pages, DETAIL, *words, "--out", str(out))
    assert (status, wrong) == (1, "")
    assert "refused: product_id -6, code 605, message ITEM_ID_NOT_FOUND" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["aliexpress.affiliate.product.qery"], f"Did you mean {QUERY}"),
        ([SEARCH, "-p", "local=en_US"], "needs countryCode, currency. Give countryCode=…"),
        ([QUERY, "--out", "/proc/nowhere/lamps.csv"], "cannot be written"),
        ([QUERY, "--out", "lamps.xlsx"], "ends in none of .parquet, .csv, .jsonl"),
        ([QUERY, "--over", "keywords=@/nowhere"], "'/nowhere' cannot be read"),
        ([QUERY, "--over", "keywords"], "is not name=value"),
        ([QUERY, "--limit", "0"], "--limit"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_sent(
    pages: Pages, words: list[str], said: str
) -> None:
    status, out, err = run(pages, *words)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert not pages.signatures


def test_a_long_ban_ends_it_with_the_command_to_go_on(pages: Pages, tmp_path: Path) -> None:
    pages.fault = lambda page, nth: "long_ban" if page == 2 else ""
    out = tmp_path / "lamps.jsonl"
    words = [QUERY, *LAMPS, "--concurrency", "1", "--out", str(out)]
    status, said, wrong = run(pages, *words)
    assert (status, said, wrong.count("\n")) == (1, "", 1)
    assert f"run the same again to go on: alinb pull {QUERY} -p keywords=lamp --out {out}" in wrong
    pages.fault = None
    assert run(pages, *words)[0] == 0
    assert pages.asked == {1: 1, 2: 2, 3: 1}


def test_ctrl_c_leaves_what_came_and_the_same_command_goes_on(pages: Pages, tmp_path: Path) -> None:
    pages.total, pages.latency_s = 5000, 0.5
    out = tmp_path / "lamps.jsonl"
    words = [QUERY, *LAMPS, "--concurrency", "4", "--out", str(out)]
    child = start(pages, *words)
    deadline = time.monotonic() + 30
    while sum(pages.asked.values()) < 12 and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    said, wrong = child.communicate(timeout=30)
    assert (child.returncode, said) == (130, "")
    assert "Traceback" not in wrong
    came = len(out.read_text().splitlines())
    assert came >= 8 * 50
    assert wrong == f"alinb: stopped with {came} records in {out}; the same command goes on.\n"
    pages.latency_s = 0
    assert run(pages, *words)[0] == 0
    assert len(out.read_text().splitlines()) == 5000
    assert sum(pages.asked.values()) <= 100 + 4


def test_no_secret_in_what_is_said(pages: Pages, tmp_path: Path) -> None:
    pages.fault = lambda page, nth: "IncompleteSignature"
    out = tmp_path / "lamps.jsonl"
    for words in ([], ["--json"]):
        status, said, wrong = run(pages, QUERY, *LAMPS, "--out", str(out), *words)
        assert status == 1
        assert "IncompleteSignature" in wrong
        assert SECRET not in said + wrong
