"""Commands in odd places: no home or a read-only one, blanks and other letters, C, no network."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import alinb
from alinb import Journal

ROOT = Path(alinb.__file__).parents[1]
SIGN = (
    "sign",
    "aliexpress.ds.product.get",
    "-p",
    "product_id=1005",
    "--timestamp",
    "1517820392000",
)


class Place:
    """A folder and an environment to run commands in; the paths are alinb's own choice."""

    def __init__(self, folder: Path, **changed: str | None) -> None:
        self.folder = folder
        kept = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("ALINB_", "LC_", "XDG_", "PYTHONIO", "PYTHONUTF8"))
            and name.lower() not in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
        }  # fmt: skip
        known = {"PYTHONPATH": str(ROOT), "ALINB_APP_KEY": "500102", "ALINB_APP_SECRET": "s" * 20}
        whole = {**kept, **known, "TMPDIR": str(folder), "NO_COLOR": "1", **changed}
        self.environment = {name: value for name, value in whole.items() if value is not None}

    def run(self, *words: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [*self.prefix(), sys.executable, "-m", "alinb", *words], env=self.environment,
            cwd=self.folder, input=stdin, capture_output=True, timeout=120, check=False,
        )  # fmt: skip

    def prefix(self) -> list[str]:
        return []

    def works(self) -> None:
        demo = self.run("demo")
        assert demo.returncode == 0, demo.stderr.decode()
        assert b"path_prefix_missing" in demo.stdout
        assert b"secret_wrapped" in demo.stdout
        signed = self.run(*SIGN, "--json")
        assert signed.returncode == 0, signed.stderr.decode()
        assert len(json.loads(signed.stdout)["signature"]) == 64
        curl = f"curl '{json.loads(signed.stdout)['url']}' --data 'product_id=1005'"
        found = self.run("diagnose", "-", stdin=curl.encode())
        assert found.returncode == 0, found.stderr.decode()
        assert b"The signature is right" in found.stdout
        assert found.stderr == demo.stderr == signed.stderr == b""

    def is_one_clear_line(self, *words: str) -> str:
        done = self.run(*words)
        lines = done.stderr.decode().splitlines()
        assert (done.returncode, len(lines)) == (2, 1), done
        assert lines[0].startswith("alinb: ")
        assert lines[0].endswith(".")
        return lines[0]


CALL = ("call", "aliexpress.affiliate.product.query", "-p", "keywords=lamp")


def test_no_home_at_all(tmp_path: Path) -> None:
    Place(tmp_path, HOME=None).works()


@pytest.mark.parametrize("home", ["/nonexistent/home", "relative", ""])
def test_a_home_that_is_none(tmp_path: Path, home: str) -> None:
    Place(tmp_path, HOME=home).works()


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    """A file in its place refuses everybody, the root user too."""
    (tmp_path / "home").write_text("")
    place = Place(tmp_path, HOME=str(tmp_path / "home"))
    place.works()
    said = place.is_one_clear_line(*CALL, "--gateway", "http://127.0.0.1:9")
    assert f"{tmp_path}/home/.local/share/alinb/" in said


@pytest.mark.skipif(not Path("/usr/bin/setpriv").exists(), reason="needs setpriv to leave root")
@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root may become another")
def test_a_read_only_home_of_another_user(request: pytest.FixtureRequest) -> None:
    # Below pytest's own folder no other user can go.
    base = Path(tempfile.mkdtemp(prefix="alinb-home-"))
    request.addfinalizer(lambda: shutil.rmtree(base))
    base.chmod(0o755)
    home, work = base / "home", base / "work"
    home.mkdir(mode=0o555)
    work.mkdir()
    work.chmod(0o777)

    class Unprivileged(Place):
        def prefix(self) -> list[str]:
            return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    place = Unprivileged(work, HOME=str(home), PYTHONDONTWRITEBYTECODE="1")
    if place.run("--version").returncode:
        pytest.skip("another user cannot read this Python")
    place.works()
    said = place.is_one_clear_line(*CALL, "--gateway", "http://127.0.0.1:9")
    assert f"{home}/.local" in said or "journal" in said


@pytest.mark.parametrize(
    "name", ["with blanks in it", "żółw 中文 🦆", "quote ' and \" $HOME", "a%20b#c?"]
)
def test_a_folder_with_odd_letters(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    place = Place(folder, HOME=str(folder), ALINB_JOURNAL=str(folder / "jour nal.sqlite3"))
    place.works()
    with alinb.Sandbox(app_key="500102", secret="s" * 20, products=9).serve() as box:
        done = place.run(*CALL, "--gateway", box.url)
    assert done.returncode == 0, done.stderr.decode()
    assert len(Journal(folder / "jour nal.sqlite3")) == 1
    (folder / "request é.txt").write_text("https://api-sg.aliexpress.com/sync?sign=1&x=é", "utf-8")
    assert place.run("diagnose", "request é.txt").returncode == 1


@pytest.mark.parametrize("language", ["C", "POSIX", "de_DE.ISO-8859-1", "nonsense"])
def test_another_language(tmp_path: Path, language: str) -> None:
    Place(tmp_path, LANG=language, LC_ALL=language).works()
    strict = Place(tmp_path, LANG=language, LC_ALL=language, PYTHONUTF8="0",
                   PYTHONCOERCECLOCALE="0", PYTHONIOENCODING="ascii")  # fmt: skip
    strict.works()


def test_no_network_at_all(tmp_path: Path) -> None:
    dead = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    place = Place(tmp_path, HOME=str(tmp_path), **dead)
    place.works()
    said = place.is_one_clear_line(*CALL)
    assert "got no answer from api-sg.aliexpress.com: could not connect" in said


@pytest.mark.skipif(not Path("/usr/bin/unshare").exists(), reason="needs unshare")
def test_no_network_interface(tmp_path: Path) -> None:
    """In a namespace of its own, where not even a name can be looked up."""

    class Alone(Place):
        def prefix(self) -> list[str]:
            script = 'ip link set lo up 2>/dev/null; exec "$@"'
            return ["unshare", "--net", "--map-root-user", "sh", "-c", script, "-"]

    place = Alone(tmp_path, HOME=str(tmp_path))
    if place.run("--version").returncode:
        pytest.skip("this machine gives no namespaces")
    signed = place.run(*SIGN, "--json")
    assert len(json.loads(signed.stdout)["signature"]) == 64
    assert place.run("explain", "InvalidCode").returncode == 0
    assert "got no answer" in place.is_one_clear_line(*CALL)


@pytest.mark.skipif(not Path("/usr/bin/unshare").exists(), reason="needs unshare")
def test_not_even_the_loopback(tmp_path: Path) -> None:
    """In a new namespace it is down until somebody brings it up."""

    class Cut(Place):
        def prefix(self) -> list[str]:
            return ["unshare", "--net", "--map-root-user"]

    place = Cut(tmp_path, HOME=str(tmp_path))
    if place.run("--version").returncode:
        pytest.skip("this machine gives no namespaces")
    place.works()
    assert b"A sandbox gateway runs in this program;" in place.run("demo").stdout
