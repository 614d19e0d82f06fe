"""What SECURITY.md says of dependencies and proofs is true, and CI's versions are pinned."""

import re
import subprocess
import sys
from pathlib import Path

from tests.plain_dependencies import ROOT, asked_for, pinned

SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_every_plain_dependency_is_justified_and_no_other() -> None:
    table = SECURITY.partition("## Dependencies")[2]
    rows = re.findall(r"^\| ([\w, ]+) \| (.+) \| (.+) \|$", table, re.MULTILINE)
    named = [name for names, *_ in rows[1:] for name in names.split(", ")]
    assert sorted(named) == sorted(asked_for())
    assert all(len(why) > 15 for _, why, _ in rows[1:])


def test_every_proof_that_is_named_exists() -> None:
    named = set(re.findall(r"`(?:tests/(?:trust/)?)?(test_\w+\.py)`", SECURITY))
    found = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert len(named) >= 6
    assert named <= found


def test_each_version_is_pinned_and_fits_what_is_asked_for() -> None:
    versions = pinned()
    assert len(versions) > 80
    assert set(asked_for()) <= set(versions)
    lines = Path(ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name in asked_for():
        least = re.search(rf'"{name}>=([\d.]+)', lines)
        assert least
        asked, has = (tuple(map(int, v.split(".")[:2])) for v in (f"{least[1]}.0", versions[name]))
        assert has >= asked, name


def test_ci_installs_by_the_pins_and_with_the_commands_of_the_readme() -> None:
    run = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert 'PIP_CONSTRAINT="$PWD/tests/constraints.txt"' in run
    assert "pip-audit" in run


def test_the_list_for_the_audit_is_whole() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.plain_dependencies"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(done.stdout.split()) == len(asked_for())
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in done.stdout.split())
