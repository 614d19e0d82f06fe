"""Every exercise as a reader meets it: not yet, then right with an answer that is right."""

import io
from contextlib import redirect_stdout

import nbformat
import pytest

from tests.rebuild_notebooks import NOTEBOOKS

SIGN = """
def sign_like_a_guide(name, params, secret):
    text = "".join(key + params[key] for key in sorted(params))
    text = name + text if name.startswith("/") else text
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()
"""
READ = """
def read_callback(address, state):
    fields = dict(parse_qsl(urlsplit(address).query))
    return fields.get("code") if fields.get("state") == state else None
"""
#: By notebook: the right answers to its exercises, in their order.
ANSWERS = {
    "01_signing_step_by_step": [SIGN, "answer = 'format'"],
    "02_code_for_token": [READ],
    "03_why_was_i_refused": ["answer = 'prefix_with_rest'"],
    "05_compare_attempts": ["answer = 'values_urlencoded'"],
    "06_pull_a_lot": ["answer = 50"],
}


def test_every_exercise_has_an_answer_here():
    counts = {path.stem: len(_exercises(_cells(path.stem))) for path in NOTEBOOKS.glob("*.ipynb")}
    assert {name: n for name, n in counts.items() if n} == {
        name: len(answers) for name, answers in ANSWERS.items()
    }


@pytest.mark.parametrize("name", ANSWERS)
def test_an_exercise_says_not_yet_and_right(name, monkeypatch, tmp_path):
    shell_module = pytest.importorskip("IPython.core.interactiveshell")
    for variable in ("ALINB_JOURNAL", "ALINB_TOKENS"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    shell = shell_module.InteractiveShell()
    answers = iter(ANSWERS[name])
    for cell in _cells(name):
        result = _run(shell, cell.source)
        if "exercise" not in cell.metadata.get("tags", []):
            continue
        assert repr(result).startswith("✗ Not yet. "), cell.source
        *body, check = cell.source.strip().splitlines()
        verdict = _run(shell, "\n".join([*body, next(answers), check]))
        assert repr(verdict).startswith("✓ Right. "), verdict


def _run(shell, source):
    with redirect_stdout(io.StringIO()):
        ran = shell.run_cell(source)
    ran.raise_error()
    return ran.result


def _cells(name):
    cells = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"]


def _exercises(cells):
    return [cell for cell in cells if "exercise" in cell.metadata.get("tags", [])]
