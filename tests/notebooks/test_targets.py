"""Notebooks with another target: papermill's parameters, and an app of the environment's."""

import os
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import nbformat
import pytest

import alinb
from tests.rebuild_notebooks import NOTEBOOKS

jupyter_client = pytest.importorskip("jupyter_client")
FOUND = sorted(NOTEBOOKS.glob("*.ipynb"))
#: Another kernel than this environment's; tests/browser/conftest.py says how to make one.
KERNEL = os.environ.get("ALINB_TEST_KERNEL", "python3")


class Reader:
    """Somebody at a kernel: runs cells, and pastes a callback when asked for one."""

    def __init__(self, box: alinb.Sandbox, environment: dict[str, str]) -> None:
        self.box, self.state, self.asked = box, "", 0
        self.manager = jupyter_client.KernelManager(kernel_name=KERNEL)
        self.manager.start_kernel(env=environment)
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(60)

    def run(self, source: str) -> str:
        said: list[str] = []

        def out(message) -> None:
            content = message["content"]
            text = content.get("text", "") + str(content.get("data", ""))
            if message["msg_type"] == "error":
                pytest.fail("\n".join(content["traceback"]))
            if found := re.findall(r"state=([0-9a-f]{32})", text):
                self.state = found[-1]
            said.append(text)

        def paste(message) -> None:
            assert message["content"]["password"], "a code that is typed in sight stays in the file"
            self.asked += 1
            while not self.state:  # the link was shown, but may be read after the question
                out(self.client.get_iopub_msg(timeout=10))
            back = f"{self.box.url}/callback?code={self.box.code()}&state={self.state}"
            self.client.input(back)

        self.client.execute_interactive(
            source, allow_stdin=True, stdin_hook=paste, output_hook=out, timeout=60
        )
        return "".join(said)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def seen() -> list[tuple[str, str]]:
    """Path and refusal's code of each request that reached the app of the environment."""
    return []


@pytest.fixture
def reader(seen, tmp_path) -> Iterator[Reader]:
    def keep(exchange) -> None:
        seen.append((urlsplit(exchange.request.url).path, exchange.attempt().code))

    with alinb.Sandbox(app_key="771", keep=keep).serve() as box:
        environment = {
            **os.environ,
            "ALINB_APP_KEY": "771",
            "ALINB_APP_SECRET": box.app.secret.reveal(),
            "ALINB_GATEWAY": box.url,
            "ALINB_JOURNAL": str(tmp_path / "journal.sqlite3"),
            "ALINB_TOKENS": str(tmp_path / "tokens.json"),
        }
        somebody = Reader(box, environment)
        try:
            yield somebody
        finally:
            somebody.close()


def _code(name: str, **parameters: str) -> Iterator[str]:
    for cell in nbformat.read(next(NOTEBOOKS.glob(f"{name}*")), as_version=4).cells:
        if cell.cell_type == "code":
            yield cell.source
            if "parameters" in cell.metadata.get("tags", []):
                yield "\n".join(f"{key} = {value!r}" for key, value in parameters.items())


def test_start_here_asks_ones_own_app_for_no_mistake(reader, seen):
    for source in _code("00", target="environment"):
        reader.run(source)
    assert reader.asked == 1
    assert seen == [("/rest/auth/token/create", "0"), ("/sync", "00")]


def test_code_for_token_exchanges_once_and_refreshes(reader, seen):
    for source in _code("02", target="environment"):
        reader.run(source)
    assert reader.asked == 1
    assert seen == [("/rest/auth/token/create", "0"), ("/rest/auth/token/refresh", "0")]


def test_the_real_account_gets_nothing_in_a_dry_run(reader, seen):
    said = "".join(reader.run(source) for source in _code("07", target="environment"))
    assert (reader.asked, seen) == (0, [])
    assert said.count("Dry run") == 3
    assert "ALINB_APP_SECRET: set" in said
    assert reader.box.app.secret.reveal() not in said


def test_the_real_account_gets_three_calls_where_the_reader_says_so(reader, seen):
    said = "".join(reader.run(source) for source in _code("07", target="environment", send=True))
    assert reader.asked == 1
    create = "/rest/auth/token/create"
    assert seen == [(create, "InvalidCode"), (create, "0"), ("/sync", "00")]
    assert "Dry run" not in said
    assert "buyerApp" in said
    assert not re.search(r"5000[01][A-Za-z0-9]{40,}", said)


@pytest.mark.slow
@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_papermill_runs_it_with_the_sandbox(path, tmp_path, monkeypatch):
    papermill = pytest.importorskip("papermill")
    monkeypatch.setenv("ALINB_JOURNAL", str(tmp_path / "journal.sqlite3"))
    made = tmp_path / path.name
    papermill.execute_notebook(
        path, made, {"target": "sandbox"}, kernel_name=KERNEL, progress_bar=False,
        store_widget_state=False,
    )  # fmt: skip
    done = nbformat.read(made, as_version=4)
    assert any("injected-parameters" in cell.metadata.get("tags", []) for cell in done.cells)
    assert all(cell.execution_count for cell in done.cells if cell.cell_type == "code")
