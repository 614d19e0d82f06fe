"""The notebooks with panels in Notebook 7 and in Voila: every cell runs, every panel shows."""

from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

from tests.rebuild_notebooks import NOTEBOOKS

from .conftest import KERNEL
from .lab import jupyter
from .test_elsewhere import IDLE

expect = pytest.importorskip("playwright.sync_api").expect

#: What makes a panel in a notebook's code.
PANELS = ("SignatureBench(", "OAuthWalkthrough(", "ApiExplorer(", "AttemptBrowser(",
          "AttemptCompare(", "PullMonitor(")  # fmt: skip
RAN = """() => {
  const cells = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")];
  return cells.length && cells.every(cell => /\\d/.test(cell.innerText));
}"""


def _panels(path: Path) -> int:
    cells = nbformat.read(path, as_version=4).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    return sum(source.count(f"alinb.{panel}") for source in code for panel in PANELS)


def _copy(path: Path, root: Path) -> Path:
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.kernelspec.name = KERNEL
    nbformat.write(notebook, root / path.name)
    return root / path.name


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["notebook", "voila"])
def test_notebooks_with_panels_run_and_show_them(kind, browser, environment, tmp_path):
    if find_spec(kind) is None:
        pytest.skip(f"{kind} is not installed")
    root, home = tmp_path / "notebooks", tmp_path / "jupyter"
    home.mkdir()
    root.mkdir()
    paths = [_copy(path, root) for path in sorted(NOTEBOOKS.glob("*.ipynb")) if _panels(path)]
    assert len(paths) >= 2
    with jupyter(kind, root, home, **environment) as base:
        for path in paths:
            page = browser.new_page(viewport={"width": 1100, "height": 12_000})
            if kind == "voila":
                page.goto(f"{base}/voila/render/{path.name}", timeout=120_000)
            else:
                page.goto(f"{base}/notebooks/{path.name}")
                page.wait_for_function(IDLE, timeout=90_000)
                page.evaluate("() => void window.jupyterapp.commands.execute("
                              "'notebook:restart-run-all', {}).catch(() => {})")  # fmt: skip
                accept = page.locator(".jp-Dialog .jp-mod-accept")
                accept.click(timeout=10_000)
                page.wait_for_function(RAN, timeout=120_000)
            live = page.locator(".alinb-panel:not(.alinb-still)")
            expect(live).to_have_count(_panels(path), timeout=60_000)
            for number in range(_panels(path)):
                expect(live.nth(number).get_by_role("status")).not_to_be_empty()
            kinds = (
                "[data-mime-type='application/vnd.jupyter.error']",
                ".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']",
            )
            wrong = page.locator(", ".join(kinds))
            assert wrong.all_inner_texts() == [], path.name
            page.close()
