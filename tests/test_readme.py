"""The README is true: its commands, its example, its names."""

import re
import subprocess
import sys
from pathlib import Path

import alinb

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_it_begins_with_exactly_two_commands_of_one_line_each():
    demo, tests = (block.strip() for block in _blocks("sh"))
    assert "\n" not in demo + tests
    assert demo.endswith("alinb demo")
    assert tests.endswith("pytest -q")
    assert README.index(tests) < 2500


def test_ci_runs_these_very_commands():
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "readme_command 0" in script
    assert "readme_command 1" in script
    assert "pytest" not in script


def test_the_examples_run_and_are_short(tmp_path):
    call, pull = _blocks("python")
    said = [_printed(example, tmp_path) for example in (call, pull)]
    assert "targetSalePrice_amount" in said[0]
    assert re.search(r"^0 +1005\d{12}", said[0], re.MULTILINE)
    assert alinb.explain("InvalidCode").cures[0] in said[0]
    assert said[1].strip() == "100"


def _printed(example, tmp_path):
    assert len([line for line in example.splitlines() if line.strip()]) <= 10
    done = subprocess.run(
        [sys.executable, "-c", example],
        capture_output=True,
        text=True,
        env={"ALINB_JOURNAL": str(tmp_path / "j"), "PATH": "", "PYTHONUTF8": "1"},
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_file_it_names_exists():
    for name in re.findall(r"\]\((?!http)([^)#]+)\)|`((?:alinb|data|tests)/[\w./]+)`", README):
        path = ROOT / (name[0] or name[1])
        assert path.exists(), path


def test_every_command_it_names_is_one():
    from alinb.cli import app

    commands = {c.name for c in app.registered_commands} | {g.name for g in app.registered_groups}
    # A word after `alinb` in code; prose such as "alinb signs" is not in code.
    prose = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    code = [*re.findall(r"`([^`]+)`", prose), *_blocks("sh"), *_blocks("console")]
    named = {word for text in code for word in re.findall(r"\balinb\s+([a-z]+)", text)}
    assert named <= commands
    assert {"demo", "lab", "diagnose", "sandbox", "explain"} <= named


def test_every_setting_it_names_is_read():
    ours, checks = README.split("Longer checks than the tests'")
    checks, more = checks.split("\n## ", 1)
    assert _settings(ours + more) == _settings(_source("alinb"))
    assert _settings(checks) <= _settings(_source("tests"))


def _settings(text: str) -> set[str]:
    return set(re.findall(r"ALINB_[A-Z_]+", text))


def _source(folder: str) -> str:
    return "".join(p.read_text(encoding="utf-8") for p in (ROOT / folder).rglob("*.py"))


def test_the_changelog_names_the_version():
    assert f"## {alinb.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


TRUST = (ROOT / "tests/trust/README.md").read_text(encoding="utf-8")


def test_the_tests_of_trust_are_there_under_their_names():
    named = re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`", TRUST)
    assert len(named) > 70
    for file, path in named:
        text = (ROOT / file).read_text(encoding="utf-8")
        for name in path.split("::"):
            assert re.search(rf"^ *(?:async )?(?:def|class) {name}\b", text, re.MULTILINE), name


def test_every_setting_of_a_longer_check_is_read_by_a_test():
    settings = set(re.findall(r"ALINB_[A-Z_]+(?==\d)", README + TRUST))
    assert len(settings) > 8
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    for name in settings:
        assert any(f'"{name}"' in text for text in texts), name


def test_every_benchmark_of_a_longer_check_is_one():
    from tests.benchmarks.pulls import CHOICES

    named = set(re.findall(r"tests\.benchmarks\.pulls (\w+):", README + TRUST))
    assert named
    assert named <= set(CHOICES)
