"""alinb lab: copies of the notebooks, a sandbox beside JupyterLab, and an end that ends both."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import alinb
from alinb.cli.lab import _told, copy_notebooks, differing, environment_for
from alinb.errors import InputError
from alinb.share import folder

NAMES = sorted(path.name for path in folder("notebooks").glob("*.ipynb"))


def test_what_the_reader_changed_is_never_overwritten(tmp_path: Path):
    assert copy_notebooks(tmp_path) == NAMES
    changed, gone = tmp_path / NAMES[0], tmp_path / NAMES[1]
    changed.write_text("mine")
    gone.unlink()
    assert copy_notebooks(tmp_path) == [NAMES[1]]
    assert changed.read_text() == "mine"
    assert gone.read_bytes() == (folder("notebooks") / NAMES[1]).read_bytes()


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path):
    elsewhere = tmp_path / "elsewhere.ipynb"
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / NAMES[0]).symlink_to(elsewhere)
    assert NAMES[0] not in copy_notebooks(tmp_path / "to")
    assert not elsewhere.exists()


def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Choose another folder"):
        copy_notebooks(tmp_path / "file" / "notebooks")


def test_one_is_said_as_one():
    assert _told(["a"], [], Path("x")).startswith("1 notebook was copied to x;")
    assert _told(["a", "b"], [], Path("x")).startswith("2 notebooks were copied to x;")
    assert "as you left them" in _told([], [], Path("x"))


def test_what_is_kept_though_alinbs_is_another_is_named(tmp_path: Path):
    copy_notebooks(tmp_path)
    assert differing(tmp_path) == []
    ran, changed, broken = (tmp_path / name for name in NAMES[:3])
    for path, cell in ((ran, "outputs"), (changed, "source")):
        content = json.loads(path.read_text("utf-8"))
        next(c for c in content["cells"] if c["cell_type"] == "code")[cell] = []
        path.write_text(json.dumps(content), "utf-8")
    broken.write_text("[" * 100_000)
    assert copy_notebooks(tmp_path) == []
    assert differing(tmp_path) == NAMES[1:3]
    said = _told([], NAMES[1:3], tmp_path)
    assert f"Kept as you have them, though alinb's are others: {NAMES[1]}, {NAMES[2]}." in said
    assert "move yours away and run this again" in said


def test_an_app_of_ones_own_is_not_replaced_by_the_sandboxs():
    with alinb.sandbox().serve() as box:
        lent = environment_for(box, {"PATH": "/bin", "ALINB_APP_KEY": "only half"})
        assert alinb.App.from_env(lent) == box.app
        assert lent["PATH"] == "/bin"
        own = {"ALINB_APP_KEY": "1", "ALINB_APP_SECRET": "s"}
        assert environment_for(box, own) == own


def test_a_terminated_lab_takes_jupyterlab_along(tmp_path: Path):
    pytest.importorskip("jupyterlab")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {k: v for k, v in os.environ.items() if not k.startswith("ALINB_APP")}
    for what in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
        env[f"JUPYTER_{what}"] = str(tmp_path / what)
    words = ["lab", "--no-browser", "--port", str(port), "--to", str(tmp_path / "mine")]
    log = tmp_path / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "alinb", *words],
            env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        _until(lambda: _answers(f"http://127.0.0.1:{port}/api"), 90)
        gateway = re.search(r"listens at (http://127\.0\.0\.1:\d+);", log.read_text())[1]
        assert _answers(f"{gateway}/inspector")
    finally:
        process.terminate()
        process.wait(30)
    said = log.read_text()
    assert f"{len(NAMES)} notebooks were copied to" in said
    assert not _answers(f"http://127.0.0.1:{port}/api")
    assert not _answers(f"{gateway}/inspector")
    assert "Traceback" not in said
    assert "Shutting down" in said, "asked to stop, not killed"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def _until(true, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "JupyterLab did not start"
        time.sleep(0.2)
