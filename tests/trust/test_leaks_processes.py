"""No secret leaves a process: notebooks that ran, commands, their children, and crashes."""

import ast
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import alinb
from tests.trust.canaries import survivors

SECRET = "CANARY-secret/0+1aB2cD3eF4gH5"
CREATE, SEARCH = "/auth/token/create", "aliexpress.ds.text.search"


class Desk:
    """A sandbox on a port, whose codes and tokens are all known, and an environment for it."""

    def __init__(self, box: alinb.Sandbox, folder: Path) -> None:
        self.box, self.folder = box, folder
        self.codes: list[str] = []
        self.environment = {
            **os.environ,
            "ALINB_APP_KEY": box.app.key, "ALINB_APP_SECRET": SECRET, "ALINB_GATEWAY": box.url,
            "COLUMNS": "300", "NO_COLOR": "1", "IPYTHONDIR": str(folder / "ipython"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        }  # fmt: skip

    def code(self) -> str:
        self.codes.append(self.box.code())
        return self.codes[-1]

    def canaries(self) -> list[str]:
        """The secret, and each code and token that the sandbox took or gave."""
        found = {SECRET, *self.codes}
        for each in self.box.gateway.exchanges:
            answered = json.loads(each.content or b"{}")
            found |= {answered.get("access_token"), answered.get("refresh_token")}
            found.add(each.request.params.get("code"))
        return [value for value in found if value]

    def leaks(self, *shown: str | bytes) -> list[str]:
        return [found for text in shown for found in survivors(text, self.canaries())]

    def run(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *words], env=self.environment, input=stdin, cwd=self.folder,
            capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
        )  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with alinb.Sandbox(app_key="500102", secret=SECRET, products=20).serve() as box:
        yield Desk(box, tmp_path)


#: Cells as careless people write them; none has a secret in its own text.
CELLS = """
%load_ext alinb
%alinb
---
import os, logging, alinb
from alinb.client import fetch_code
logging.basicConfig(level=logging.DEBUG, force=True)
logging.getLogger("traitlets").setLevel("ERROR"); logging.getLogger("Comm").setLevel("ERROR")
client = alinb.Client(); client
---
token = client.exchange(fetch_code(os.environ["ALINB_GATEWAY"]))
token
---
print(token, client.app, client.store, vars(client))
---
import pandas as pd
pd.DataFrame([token.as_dict()])
---
reply = client.call("aliexpress.ds.text.search", keyWord="lamp", local="en_US", countryCode="US",
                    currency="USD", pageSize=2)
display(reply, reply.frame(), reply.tables()["replies"])
---
code = alinb.Secret(fetch_code(os.environ["ALINB_GATEWAY"]), "code")
signed = client.sign("/auth/token/create", verb="GET", code=code)
display(signed, signed.segments, signed.walk, signed.call)
---
wrong = alinb.mistaken(signed, "secret_wrapped")
refused = client.send(wrong); refused
---
%xmode Verbose
client.send(wrong).raise_for_refusal()
---
%xmode Context
client.refresh(); client.call("/auth/token/create", code=code).frame()
---
%xmode Plain
client.exchange(code)
---
from rich import traceback as rich_traceback, pretty
pretty.install()
%xmode Verbose
[client, token, reply, signed]
---
rich_traceback.install(show_locals=True)
client.exchange(code)
---
alinb.diagnose(wrong.url, secret=client.app.secret)
---
client.journal.get(1)
---
pull = client.pull("aliexpress.ds.text.search", over={"keyWord": ["lamp", "cup"]}, local="en_US",
                   countryCode="US", currency="USD", pageSize=2, session=token.access_token)
pages = [page async for page in pull]
display(pull, pull.stats, pages[0])
---
pull.frame()
---
client.pull("aliexpress.ds.text.search", over={"session": [token.access_token]}, pageSize="x")
---
over = {"session": [token.access_token], "keyWord": ["lamp"]}
pull = client.pull("aliexpress.ds.text.search", over=over, local="en_US",
                   countryCode="US", currency="USD", pageSize=2)
pull.to_csv("found.csv")
---
[page for page in pull]
---
client.pull("aliexpress.ds.text.search", keyWord="lamp", local="en_US", countryCode="US",
            currency="USD", pageSize=2).frame(3)
---
alinb.support_bundle(client.journal.get(1), client.journal.get(2))
---
client.journal.frame()
---
alinb.OAuthWalkthrough(client)
---
alinb.SignatureBench(wrong, app=client)
---
%whos
---
error = None
try:
    client.exchange(code)
except alinb.AlinbError as caught:
    caught.add_note(f"with {token} and {client.app}")
    raise
---
client.close()
try:
    client.call("/auth/token/create", code=code)
finally:
    print(globals().keys())
"""


def test_a_notebook_that_ran(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    for name, value in desk.environment.items():
        monkeypatch.setenv(name, value)
    sources = [cell.strip() for cell in CELLS.split("---\n")]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    where = {"metadata": {"path": str(desk.folder)}}
    how = {"kernel_name": "python3", "timeout": 120, "allow_errors": True, "resources": where}
    NotebookClient(book, **how).execute()
    text = nbformat.writes(book)
    (desk.folder / "careless.ipynb").write_text(text, encoding="utf-8")
    kinds = [out.output_type for cell in book.cells for out in cell.outputs]
    errors = [out.ename for cell in book.cells for out in cell.outputs if "ename" in out]
    assert errors.count("CodeRefused") + text.count("CodeRefused") >= 3
    assert "SignatureRefused" in errors
    assert kinds.count("execute_result") >= 8
    assert "application/vnd.jupyter.widget-view+json" in text
    assert len(desk.canaries()) > 6
    for cell in book.cells:
        assert desk.leaks(json.dumps(cell.outputs)) == [], cell.source
    assert desk.leaks(text) == []
    for each in desk.folder.rglob("*"):
        if each.is_file():
            assert desk.leaks(each.read_bytes()) == [], each


@contextmanager
def started(desk: Desk, *words: str, stdin: str = "") -> Iterator["subprocess.Popen[str]"]:
    """A command that goes on, and ends with this together with what it started."""
    process = subprocess.Popen(
        [sys.executable, "-m", "alinb", *words], env=desk.environment, cwd=desk.folder, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(stdin)
    process.stdin.flush()
    try:
        yield process
    finally:
        own = children(process.pid)
        process.terminate()
        for number in own:
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGTERM)
        process.communicate(timeout=30)


def children(number: int) -> list[int]:
    found = Path(f"/proc/{number}/task").glob("*/children")
    return [int(each) for path in found for each in path.read_text().split()]


def environ(number: int) -> bytes:
    return Path(f"/proc/{number}/environ").read_bytes()


def cmdline(number: int) -> bytes:
    return Path(f"/proc/{number}/cmdline").read_bytes()


def told_by_ps(*values: str) -> set[int]:
    """The processes of this machine whose command lines tell one of the values."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            if survivors(path.read_bytes(), values):
                found.add(int(path.parent.name))
    return found


reads_proc = pytest.mark.skipif(
    not Path("/proc/thread-self/children").exists(), reason="reads Linux's /proc"
)


class TestCommands:
    def test_what_they_print(self, desk: Desk) -> None:
        link = alinb.authorize(desk.box.app, "https://shop.example/cb")
        came = f"https://shop.example/cb?code={desk.code()}&state={link.state}\n"
        printed = []

        def alinb_(*words: str, stdin: str = "", fine: tuple[int, ...] = (0,)) -> str:
            done = desk.run("-m", "alinb", *words, stdin=stdin)
            assert done.returncode in fine, (words, done.stdout, done.stderr)
            printed.append(done.stdout + done.stderr)
            return done.stdout

        alinb_("token", "exchange", "--state", link.state, "-", stdin=came)
        alinb_("token", "refresh", "--json")
        alinb_("token", "show")
        alinb_("call", SEARCH, "-p", "keyWord=lamp", "-p", "local=en_US", "-p", "countryCode=US",
               "-p", "currency=USD")  # fmt: skip
        alinb_("call", CREATE, "-p", f"code={desk.code()}", "--json")
        alinb_("call", CREATE, "-p", f"code={desk.code()}")
        alinb_("attempts", "ls", "--json")
        alinb_("attempts", "show", "1")
        alinb_("attempts", "diff", "1", "2")
        alinb_("attempts", "bundle", "1", "2", "3")
        alinb_("pull", SEARCH, "-p", "keyWord=lamp", "-p", "local=en_US", "-p", "countryCode=US",
               "-p", "currency=USD", "--out", "found.jsonl")  # fmt: skip
        for form in ("har", "curl", "jsonl"):
            alinb_("attempts", "export", "--format", form)
        signed = alinb.sign(CREATE, {"code": desk.code()}, app=desk.box.app, verb="GET")
        wrong = alinb.mistaken(signed, "secret_wrapped")
        for more in ((), ("--json",)):
            alinb_("diagnose", "-", *more, stdin=f"curl '{wrong.url}'")
            alinb_("explain", "-", *more, stdin=json.dumps({"code": "InvalidCode"}))
        desk.codes += ["50000CANARYsession0123456789", "50001CANARYrefresh/+0123456789"]
        session, refresh = desk.codes[-2:]
        nested = json.dumps({"access_token": session})
        for more, url, verb, status in (
            ((), signed.url, "GET", 0),
            (("--json",), wrong.url, "POST", 1),
        ):
            alinb_("sign", CREATE, "-p", f"code={desk.code()}", "-p", f"session={session}",
                   "-p", f"access_token={session}", "-p", f"refresh_token={refresh}",
                   "-p", f"payload={nested}", "--verb", verb, *more)  # fmt: skip
            alinb_("verify", "-", *more, stdin=f"curl '{url}'", fine=(status,))
        alinb_("token", "url")
        alinb_("demo")
        alinb_("token", "exchange", "-", stdin=came, fine=(1,))
        assert "‹access_token" in "".join(printed)
        assert len(desk.canaries()) > 8
        assert desk.leaks(*printed) == []

    @reads_proc
    @pytest.mark.parametrize("careless", [False, True], ids=["as told", "as an argument"])
    @pytest.mark.parametrize("command", ["token exchange", "pull"])
    def test_ps_and_children(self, desk: Desk, command: str, careless: bool) -> None:
        """With a request that has arrived and no answer: all its secrets are in use.

        Given as an argument a value is seen, by whoever is on this machine.
        """
        with socket.create_server(("127.0.0.1", 0)) as gateway:
            gateway.settimeout(60)
            url = f"http://127.0.0.1:{gateway.getsockname()[1]}"
            kept = desk.folder / "kept.json"
            desk.environment |= {"ALINB_GATEWAY": url, "ALINB_TOKENS": str(kept)}
            if command == "pull":
                value = "50000CANARY" + secrets.token_hex(16)
                words = ["pull", SEARCH, "-p", "keyWord=lamp", "-p", "local=en_US"]
                words += ["-p", "countryCode=US", "-p", "currency=USD"]
                words += ["-p", f"session={value}"] * careless
                place = alinb.Platform.named().at(url).place
                token = alinb.Token(alinb.Secret(value, "access_token"))
                alinb.FileStore(kept).save(place, "500102", token)
            else:
                value = desk.code()
                words = ["token", "exchange", value if careless else "-"]
            given = "" if careless or command == "pull" else f"{value}\n"
            with started(desk, *words, stdin=given) as process:
                connection, _ = gateway.accept()
                with connection:
                    connection.settimeout(60)
                    came = b""
                    while value.encode() not in came:
                        came += connection.recv(65536) or pytest.fail(f"no {value} in {came!r}")
                    assert process.poll() is None
                    assert told_by_ps(SECRET, value) == ({process.pid} if careless else set())
                    assert survivors(environ(process.pid), [SECRET]), "where it was told to be"
                    assert survivors(environ(process.pid), [value]) == []
                    assert children(process.pid) == []

    @reads_proc
    @pytest.mark.parametrize("whose", ["own", "made up"])
    def test_ps_while_a_sandbox_runs(self, desk: Desk, whose: str) -> None:
        """With the secret of the environment, or a made-up one, which it says once."""
        if whose == "made up":
            del desk.environment["ALINB_APP_SECRET"]
        seen = secrets.token_hex(16)
        words = ["sandbox", "--port", "0", "--json", "--callback", f"https://x.example/?a={seen}"]
        with started(desk, *words) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            facts = process.stdout.readline()
            secret = SECRET if whose == "own" else process.stderr.readline().split()[1]
            assert len(secret) > 20
            assert json.loads(facts)["url"].startswith("http://127.0.0.1:")
            assert told_by_ps(seen) == {process.pid}
            assert told_by_ps(secret) == set()
            assert bool(survivors(environ(process.pid), [secret])) is (whose == "own")
            assert survivors(facts, [secret]) == []
            assert children(process.pid) == []

    @reads_proc
    @pytest.mark.parametrize("whose", ["own", "made up"])
    def test_ps_while_a_lab_runs(self, desk: Desk, whose: str) -> None:
        """JupyterLab gets a secret for its kernels: in its environment, and nowhere else."""
        pytest.importorskip("jupyterlab")
        for name in ("CONFIG", "DATA"):
            desk.environment[f"JUPYTER_{name}_DIR"] = str(desk.folder / name)
        if whose == "made up":
            del desk.environment["ALINB_APP_SECRET"]
        with started(desk, "lab", "--no-browser", "--port", "0", "--to", "mine") as process:
            deadline = time.monotonic() + 60
            while not (own := children(process.pid)) or b"jupyterlab" not in cmdline(own[0]):
                assert time.monotonic() < deadline, "JupyterLab was not started"
                assert process.poll() is None
                time.sleep(0.01)
            assert len(own) == 1
            given = dict(each.partition(b"=")[::2] for each in environ(own[0]).split(b"\0"))
            secret = given[b"ALINB_APP_SECRET"].decode()
            assert (secret == SECRET) is (whose == "own")
            assert len(secret) > 20
            assert bool(survivors(environ(process.pid), [secret])) is (whose == "own")
            assert told_by_ps(secret) == set()

    def test_no_option_takes_a_secret(self) -> None:
        from typer.main import get_command

        from alinb.cli import app

        waiting, names = [get_command(app)], []
        while waiting:
            command = waiting.pop()
            waiting += getattr(command, "commands", {}).values()
            names += [option for each in command.params for option in each.opts]
        assert "--app-key" in names
        assert [name for name in names if "secret" in name or "refresh-token" in name] == []

    def test_one_module_alone_starts_other_programs(self) -> None:
        """JupyterLab, which gets the secret of the sandbox that was made for it."""
        root, found = Path(alinb.__file__).parent, set()
        for path in root.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    names = {each.name.partition(".")[0] for each in node.names}
                    if "subprocess" in {*names, getattr(node, "module", "")}:
                        found.add(str(path.relative_to(root)))
                if isinstance(node, ast.Attribute) and node.attr in {"system", "popen", "execve"}:
                    owner = getattr(node.value, "id", "")
                    if owner == "os":
                        found.add(str(path.relative_to(root)))
        assert found <= {"cli/lab.py"}


CRASHES = {
    "an exception nobody catches": "client.exchange(code)",
    "one in a thread": """
        import threading
        thread = threading.Thread(target=lambda: client.exchange(code))
        thread.start(); thread.join()""",
    "one at exit": "import atexit; atexit.register(lambda: client.exchange(code))",
    "one in a task": """
        import asyncio
        async def main():
            fast = alinb.AsyncClient()
            task = asyncio.ensure_future(fast.exchange(code))
            await asyncio.sleep(1)
            del task
        asyncio.run(main(), debug=True)""",
    "one that is not raised": """
        class Thing:
            def __del__(self): client.exchange(code)
        Thing()""",
    "an abort": "import os, faulthandler; faulthandler.enable(); os.abort()",
    "a hang": """
        import faulthandler, time
        faulthandler.dump_traceback_later(0.2, exit=True); time.sleep(5)""",
    "a logged exception": """
        import logging; logging.basicConfig(level=10)
        try: client.exchange(code)
        except Exception: logging.exception("failed with %r %s", token, client.app)""",
}


@pytest.mark.parametrize("crash", CRASHES)
def test_crashes(desk: Desk, crash: str) -> None:
    script = (
        "import sys, alinb\n"
        "client = alinb.Client()\n"
        "code = alinb.Secret(sys.stdin.readline().strip(), 'code')\n"
        "token = client.exchange(code)\n" + textwrap.dedent(CRASHES[crash])
    )
    done = desk.run("-X", "dev", "-W", "ignore", "-c", script, stdin=desk.code() + "\n")
    assert "Traceback" in done.stderr or "most recent call first" in done.stderr, done
    assert len(desk.canaries()) == 4
    assert desk.leaks(done.stdout, done.stderr) == []
    left = [each for each in desk.folder.rglob("*") if each.is_file()]
    for each in left:
        assert desk.leaks(each.read_bytes()) == [], each


def test_progress_says_no_value(desk: Desk) -> None:
    """What a long search tells while it goes on."""
    said: list[Any] = []
    signed = alinb.sign(CREATE, {"code": desk.code()}, app=desk.box.app, verb="GET")
    wrong = signed.url.replace("sign=", "sign=0").replace(desk.codes[0], desk.codes[0] + "x")
    began = time.perf_counter()
    alinb.diagnose(wrong, secret=SECRET, progress=lambda *now: said.append(now) or True)
    assert time.perf_counter() - began < 60
    assert said
    assert desk.leaks(repr(said)) == []
