"""The panels in Notebook 7 and in Voila."""

from importlib.util import find_spec

import pytest

from .conftest import write
from .lab import jupyter

expect = pytest.importorskip("playwright.sync_api").expect

CELLS = (
    "import alinb\nalinb.SignatureBench()",
    "box = alinb.sandbox()\nwalk = alinb.OAuthWalkthrough(box)\nwalk",
)
IDLE = (
    "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
    " === 'idle'"
)


@pytest.mark.parametrize("kind", ["notebook", "voila"])
def test_bench_and_walkthrough_work_there(kind, browser, environment, tmp_path):
    if find_spec(kind) is None:
        pytest.skip(f"{kind} is not installed")
    root, home = tmp_path / "notebooks", tmp_path / "jupyter"
    root.mkdir()
    home.mkdir()
    write(root / "panels.ipynb", *CELLS)
    with jupyter(kind, root, home, **environment) as base:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        if kind == "voila":
            page.goto(f"{base}/voila/render/panels.ipynb", timeout=90_000)
        else:
            page.goto(f"{base}/notebooks/panels.ipynb")
            page.wait_for_function(IDLE, timeout=90_000)
            page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        bench, walk = (page.locator(".alinb-panel").nth(i) for i in (0, 1))
        expect(bench.get_by_role("status")).to_contain_text("Right signature", timeout=60_000)
        bench.get_by_role("switch", name="wrap").press("Space")
        expect(bench.get_by_role("status")).to_contain_text("The API path is missing in front")
        field = walk.get_by_label("Callback address")
        field.fill("wrong")
        field.press("Enter")
        expect(walk.get_by_role("status")).to_contain_text("InvalidCode")
        walk.get_by_role("button", name="Take a code").press("Enter")
        expect(walk.get_by_role("status")).to_have_text("✓ The token is here.")
        page.close()
