"""`alinb sandbox` as a program: every option has its effect, and its lists are shown."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import alinb
from alinb.gateway.faults import KINDS
from alinb.gateway.pages import NOT_EMULATED
from alinb.gateway.provoked import table
from alinb.gateway.switches import UNKNOWN

KEY, SECRET = "500102", "a-secret-of-this-test"
QUERY, DETAIL = "aliexpress.affiliate.product.query", "aliexpress.ds.product.get"
COMMAND = [sys.executable, "-m", "alinb", "sandbox"]


@contextmanager
def started(*words: str) -> Iterator[str]:
    """The URL of a sandbox that runs with these options; ended by SIGINT."""
    env = {**os.environ, "ALINB_APP_SECRET": SECRET, "ALINB_APP_KEY": KEY}
    running = subprocess.Popen(
        [*COMMAND, "--port", "0", "--json", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
    )  # fmt: skip
    try:
        line = running.stdout.readline()  # type: ignore[union-attr]
        assert line, running.stderr.read()  # type: ignore[union-attr]
        yield json.loads(line)["url"]
        running.send_signal(signal.SIGINT)
        rest, said = running.communicate(timeout=20)
        assert (running.returncode, rest, said) == (0, "", "")
    finally:
        running.kill()
        running.communicate()


def codes(url: str, name: str, times: int = 1, **params: Any) -> list[str]:
    """What calls without a token are answered: the refusal's code, "" for none."""
    found = []
    with alinb.Client(alinb.App(KEY, SECRET), gateway=url, journal=False) as client:
        for _ in range(times):
            try:
                reply = client.call(name, **params)
            except alinb.NoReply:
                found.append("no reply")
            else:
                found.append("" if reply.ok else reply.code)
    return found


def test_faults_are_repeated_and_of_both_sorts() -> None:
    with started("--fault", "resetx1", "--fault", "ServiceTimeout@1x2") as url:
        assert codes(url, QUERY, 3) == ["no reply", "ServiceTimeout", ""]


def test_category_assumptions_and_rates_of_one_method() -> None:
    with started(
        "--category", "affiliate", "--assume", "md5=refused", "--assume", "empties=dropped",
        "--qps", "published", "--qps", f"{QUERY}=0.01", "--burst", "3", "--ban", "60",
    ) as url:  # fmt: skip
        assert codes(url, DETAIL, product_id=1) == ["InsufficientPermission"]
        assert codes(url, QUERY, 5) == ["", "", "", "ApiCallLimit", "ApiCallLimit"]
        assert codes(url, "aliexpress.affiliate.category.get", 5) == [""] * 5


def test_a_quota_of_the_day() -> None:
    with started("--quota", "2") as url:
        assert codes(url, QUERY, 3) == ["", "", "AppCallLimit"]


def test_the_journal_holds_every_request_and_no_secret(tmp_path: Path) -> None:
    path, app = tmp_path / "kept" / "all.sqlite3", alinb.App(KEY, SECRET)
    path.parent.mkdir()
    with started("--journal", str(path)) as url:
        with alinb.Client(app, gateway=url, journal=False) as client:
            code = alinb.client.fetch_code(url)
            token = client.exchange(code)
            for _ in range(40):
                client.call(QUERY, keywords="lamp")
        assert codes(url, DETAIL, product_id=1) == ["MissingParameter"]
    journal = alinb.Journal(path)
    rows = journal.rows(limit=100)
    assert [row["code"] for row in rows] == ["MissingParameter"] + ["200"] * 40 + ["0"]
    assert {journal.get(row["id"]).source for row in rows} == {"sandbox"}
    held = b"".join(each.read_bytes() for each in path.parent.iterdir())
    for canary in (SECRET, code, token.access_token.reveal(), token.refresh_token.reveal()):
        assert canary.encode() not in held


LISTS: dict[str, list[str]] = {
    "faults": list(KINDS),
    "codes": [code for _, code, _ in table()],
    "assumptions": list(UNKNOWN),
    "absent": [what for what, _ in NOT_EMULATED],
}


@pytest.mark.parametrize("what", LISTS)
def test_a_list_for_people_and_for_programs(what: str) -> None:
    began = time.monotonic()
    env = {**os.environ, "COLUMNS": "400", "NO_COLOR": "1"}
    shown, document = (
        subprocess.run(
            [*COMMAND, "--list", what, *more], capture_output=True, text=True, check=True, env=env
        ).stdout
        for more in ([], ["--json"])
    )
    rows = json.loads(document)
    key = {"faults": "fault", "codes": "code", "assumptions": "name", "absent": "what"}[what]
    assert [row[key] for row in rows] == LISTS[what]
    lines = shown.splitlines()
    assert len(lines) == len(rows) + 1
    for line, row in zip(lines[1:], rows, strict=True):
        for value in row.values():
            said = ", ".join(value) if isinstance(value, list) else "" if value is None else value
            assert str(said) in line
    assert time.monotonic() - began < 20, "nothing was started that waits for a signal"
