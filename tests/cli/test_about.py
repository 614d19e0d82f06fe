"""`alinb about`: what a report of a problem needs, and no secret in it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import alinb
from alinb.journal.schema import SCHEMA_VERSION
from tests.trust.canaries import survivors

CANARY = "CANARY-secret/0+1aB2cD3eF4gH5"


def about(*words: str, **changed: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "alinb", "about", *words], env={**os.environ, **changed},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def box() -> Iterator[alinb.Sandbox]:
    with alinb.Sandbox(app_key="500102", secret=CANARY, products=1).serve() as served:
        yield served


def test_it_says_what_a_report_needs(box: alinb.Sandbox) -> None:
    with alinb.Client(box) as client:
        client.exchange(box.code())
    done = about("--json", ALINB_GATEWAY=box.url, ALINB_APP_KEY="500102", ALINB_PLATFORM="lazada")
    assert (done.returncode, done.stderr) == (0, "")
    facts = json.loads(done.stdout)
    assert facts["alinb"] == alinb.__version__
    assert facts["python"].endswith(".".join(map(str, sys.version_info[:3])))
    assert re.fullmatch(r"\d+\.\d+.*", facts["packages"]["httpx"])
    assert "pytest" not in facts["packages"]
    offered = set(metadata.metadata("alinb").get_all("Provides-Extra")) - {"test"}
    assert set(facts["extras"]) == offered >= {"lab"}
    assert facts["extras"]["lab"] is True
    assert facts["settings"]["ALINB_PLATFORM"] == "lazada"
    assert facts["settings"]["ALINB_APP_KEY"] == "set"
    assert facts["settings"]["ALINB_APP_SECRET"] == "not set"
    assert facts["gateway"] == {"platform": "lazada", "url": box.url}
    assert facts["journal"]["attempts"] == 1
    assert facts["journal"]["schema"] == SCHEMA_VERSION
    assert facts["journal"]["mode"] == "0600"
    assert facts["tokens"]["mode"] == "not there yet"
    assert "clock" not in facts
    text = about(ALINB_GATEWAY=box.url).stdout
    assert f"url                  {box.url}" in text
    assert "attempts             1" in text


def test_no_secret_and_no_name_is_in_it(box: alinb.Sandbox, tmp_path: Path) -> None:
    home = tmp_path / "jane-doe"
    home.mkdir()
    settings = {
        "HOME": str(home), "ALINB_APP_SECRET": CANARY, "ALINB_APP_KEY": CANARY,
        "ALINB_JOURNAL": str(home / "j.sqlite3"), "ALINB_TOKENS": str(home / "t.json"),
        "HTTPS_PROXY": f"http://user:{CANARY}@127.0.0.1:9",
        "ALINB_GATEWAY": box.url.replace("//", f"//user:{CANARY}@"),
    }  # fmt: skip
    for changed in ({}, {"ALINB_GATEWAY": f"http://u:{CANARY}@gw.example"}):
        for words in ((), ("--json",)):
            done = about(*words, **{**settings, **changed})
            assert done.returncode == 0, done.stderr
            shown = done.stdout + done.stderr
            assert survivors(shown, [CANARY]) == []
            assert "jane-doe" not in shown
            assert "~/j.sqlite3" in shown


def test_the_clock_is_asked_only_when_told_to(box: alinb.Sandbox) -> None:
    json.loads(about("--json", ALINB_GATEWAY=box.url).stdout)
    assert list(box.gateway.exchanges) == []
    facts = json.loads(about("--json", "--clock", ALINB_GATEWAY=box.url).stdout)
    assert abs(facts["clock"]["seconds ahead of the gateway"]) < 3
    dead = json.loads(about("--json", "--clock", ALINB_GATEWAY="http://127.0.0.1:9").stdout)
    assert "No time came from http://127.0.0.1:9" in dead["clock"]["problem"]


@pytest.mark.parametrize(
    ("name", "value", "part", "said"),
    [
        ("ALINB_PLATFORM", "nowhere", "gateway", "There is no platform 'nowhere'"),
        ("ALINB_GATEWAY", "ftp://x", "gateway", "ALINB_GATEWAY is no base URL"),
    ],
)
def test_what_is_wrong_is_told_and_the_rest_too(
    name: str, value: str, part: str, said: str
) -> None:
    facts = json.loads(about("--json", **{name: value}).stdout)
    assert said in facts[part]["problem"]
    assert facts["packages"]


def test_a_journal_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "notes"
    path.write_text("no database, and long enough to look like something else entirely")
    facts = json.loads(about("--json", ALINB_JOURNAL=str(path)).stdout)
    assert "cannot be used" in facts["journal"]["problem"]


def test_tokens_in_the_keyring() -> None:
    done = about("--json", ALINB_TOKENS="keyring")
    assert json.loads(done.stdout)["tokens"] == {"kept in": "keyring"}
