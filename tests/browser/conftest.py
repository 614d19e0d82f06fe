"""A JupyterLab and a Chromium for the session, and a notebook for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
import pytest

from .lab import FLAGS, jupyter

#: Another kernel than that of this environment; see kernels.py.
KERNEL = os.environ.get("ALINB_TEST_KERNEL", "python3")
#: How often in a row each scenario runs: ALINB_TIMES=10 pytest tests/browser -m scenario
TIMES = int(os.environ.get("ALINB_TIMES") or 1)
CHROMIUM = os.environ.get("ALINB_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    absent = [name for name in ("jupyterlab", "pytest_playwright") if find_spec(name) is None]
    why = f"{' and '.join(absent)} is not installed" if absent else ""
    if not Path(CHROMIUM).exists():
        why = f"there is no Chromium at {CHROMIUM}; apt-get install chromium, or set ALINB_CHROMIUM"
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in here:
        item.add_marker("browser")
        if why:
            item.add_marker(pytest.mark.skip(reason=why))
    # Playwright leaves its event loop running in this thread, where asyncio.run then fails.
    items[:] = [item for item in items if item not in here] + here


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if TIMES > 1 and metafunc.definition.get_closest_marker("scenario"):
        metafunc.fixturenames.append("time_of_many")
        names = [f"{number} of {TIMES}" for number in range(1, TIMES + 1)]
        metafunc.parametrize("time_of_many", names)


def write(path: Path, *cells: str) -> None:
    """A notebook of code cells."""
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": KERNEL, "display_name": KERNEL}},
    )
    nbformat.write(made, path)


@dataclass
class Notebook:
    """A notebook that is open in JupyterLab, its cells run."""

    page: Any
    path: Path

    def save(self) -> str:
        """Save it as a person would, and give its text."""
        before = self.path.stat().st_mtime_ns
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        for _ in range(100):
            if self.path.stat().st_mtime_ns != before:
                break
            self.page.wait_for_timeout(50)
        return self.path.read_text(encoding="utf-8")

    def run(self) -> None:
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def python(self, code: str) -> str:
        """What the kernel prints for a piece of code, beside the notebook's cells."""
        return str(self.page.evaluate(_ASK_KERNEL, code)).strip()

    def theme(self, name: str) -> None:
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name
        )
        dark = "false" if "Dark" in name else "true"
        self.page.wait_for_selector(f"body[data-jp-theme-light='{dark}']", state="attached")


_ASK_KERNEL = """async code => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const asked = kernel.requestExecute({ code, store_history: false });
  let said = "";
  asked.onIOPub = message => {
    if (message.header.msg_type === "stream") said += message.content.text;
    if (message.header.msg_type === "error") said += message.content.traceback.join("\\n");
  };
  await asked.done;
  return said;
}"""
_READY = """path => {
  const open = window.jupyterapp.shell.currentWidget;
  return open && open.context && open.context.path === path
    && open.sessionContext.session?.kernel?.status === "idle";
}"""


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What kernels see: this tree, and files of their own."""
    home = tmp_path_factory.mktemp("home")
    paths = (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", ""))
    return {
        "ALINB_JOURNAL": str(home / "journal.sqlite3"),
        "ALINB_TOKENS": str(home / "tokens.json"),
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


@pytest.fixture(scope="session")
def lab(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> Iterator[tuple[str, Path]]:
    root, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("jupyter")
    with jupyter("jupyterlab", root, home, **environment) as base:
        yield base, root


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture(scope="session")
def lab_page(lab: tuple[str, Path], browser: Any) -> Iterator[Any]:
    base, _ = lab
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{base}/lab?reset")
    page.wait_for_function(
        "() => window.jupyterapp && window.jupyterapp.restored.then(() => true)", timeout=90_000
    )
    yield page
    context.close()


@pytest.fixture
def notebook(
    lab: tuple[str, Path], lab_page: Any, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Notebook]]:
    """Makes a notebook of code cells, opens it and runs it."""
    _, root = lab

    def opened(*cells: str, run: bool = True) -> Notebook:
        path = root / f"{request.node.name.partition('[')[0]}.ipynb"
        write(path, *cells)
        lab_page.evaluate(
            "path => window.jupyterapp.commands.execute('docmanager:open', {path})", path.name
        )
        lab_page.wait_for_function(_READY, arg=path.name, timeout=90_000)
        book = Notebook(lab_page, path)
        if run:
            book.run()
        return book

    yield opened
    lab_page.evaluate("""async () => {
      const { commands } = window.jupyterapp;
      await commands.execute("kernelmenu:shutdown").catch(() => {});
      await commands.execute("docmanager:save");
      await commands.execute("application:close-all");
    }""")
