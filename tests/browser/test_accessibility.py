"""Each panel under axe-core, light and dark, wide and at 320 px; axe is fetched for the test."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

expect = pytest.importorskip("playwright.sync_api").expect

#: Each panel by its name: the cell that makes it, and a text that is there when it is drawn.
PANELS = {
    "bench": ("import alinb\nalinb.SignatureBench()", "Right signature"),
    "bench turned": (
        "import alinb\nb = alinb.SignatureBench()\nb.turn('wrap', 'secret_wrapped')\nb",
        "Change this.",
    ),
    "walkthrough": ("import alinb\nalinb.OAuthWalkthrough(alinb.sandbox())", "Copy the link"),
    "walkthrough asking": ("import alinb\nalinb.OAuthWalkthrough()", "App secret"),
    "walkthrough refused, then done": (
        "import alinb\nw = alinb.OAuthWalkthrough(alinb.sandbox())\n"
        "from alinb.widgets.base import Event\n"
        "w.act('exchange', Event(fields={'callback': 'wrong'}))\nw.act('sandbox_code')\nw",
        "time left",
    ),
    "explorer": ("import alinb\nalinb.ApiExplorer(alinb.sandbox())", "is ready"),
    "explorer near": (
        "import alinb\nfrom alinb.widgets.base import Event\ne = alinb.ApiExplorer()\n"
        "e.act('search', Event(value='txet.serach'))\ne",
        "Near it",
    ),
    "explorer answered": (
        "import alinb\nfrom alinb.widgets.base import Event\n"
        "e = alinb.ApiExplorer(alinb.sandbox())\ne.act('sandbox_token')\n"
        "e.act('send', Event(fields={'p.local': 'en_US', 'p.countryCode': 'US',"
        " 'p.currency': 'USD', 'p.keyWord': 'lamp'}))\ne",
        "4. The reply",
    ),
    "explorer refused": (
        "import alinb\nfrom alinb.widgets.base import Event\n"
        "e = alinb.ApiExplorer(alinb.sandbox())\ne.act('send', Event())\ne",
        "4. The reply",
    ),
    "attempts": (
        "import alinb\nfrom alinb.widgets.base import Event\n"
        "c = alinb.Client(alinb.sandbox(), journal=alinb.Journal('axe.sqlite3'))\n"
        "c.call('/auth/token/create', code='3_8_wrong')\nc.call('aliexpress.ds.category.get')\n"
        "b = alinb.AttemptBrowser(c.journal)\nb.act('show', Event('1'))\n"
        "b.act('mark', Event('1', 'on'))\nb.act('mark', Event('2', 'on'))\nb.act('compare')\n"
        "b.act('export', Event(fields={'form': 'ticket'}))\nb",
        "Export: ",
    ),
    "compare": (
        "import alinb\nleft = alinb.Attempt('GET', 'https://h/rest/a?x=1000&y=1')\n"
        "right = alinb.Attempt('GET', 'https://h/rest/a?x=1200&y=1')\n"
        "alinb.AttemptCompare(left, right)",
        "rows differ",
    ),
    "monitor": (
        "import alinb\nbox = alinb.sandbox()\nc = alinb.Client(box)\nc.exchange(box.code())\n"
        "m = alinb.PullMonitor(c.pull('aliexpress.ds.text.search', keyWord='lamp', local='en_US',"
        " countryCode='US', currency='USD', pageSize=10))\nm.start()\nm.wait()\nm",
        "Done",
    ),
}
RUN = """async () => {
  const panel = document.querySelector(".alinb-panel");
  const found = await axe.run(panel, { resultTypes: ["violations"] });
  return found.violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html.slice(0, 200))]);
}"""


@pytest.fixture(scope="session")
def axe(tmp_path_factory):
    """The text of axe-core, from npm."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("axe")
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), "axe-core@4"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        pytest.skip("npm does not answer in time")
    script = folder / "node_modules/axe-core/axe.min.js"
    if done.returncode or not script.exists():
        pytest.skip(f"axe-core cannot be fetched: {done.stderr.strip()[-200:]}")
    return Path(script).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PANELS)
def test_axe_finds_nothing_serious(notebook, axe, name):
    cell, text = PANELS[name]
    book = notebook(cell)
    panel = book.page.locator(".alinb-panel")
    expect(panel).to_contain_text(text, timeout=30_000)
    book.page.evaluate(axe)
    found = {}
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        book.theme(theme)
        for width in ("", "320px"):
            panel.evaluate("(panel, width) => { panel.style.width = width }", width)
            book.page.wait_for_timeout(200)
            found[theme, width] = [
                v for v in book.page.evaluate(RUN) if v[0] in ("serious", "critical")
            ]
            assert panel.evaluate("panel => panel.scrollWidth <= panel.clientWidth + 1"), width
    book.theme("JupyterLab Light")
    assert not any(found.values()), json.dumps(list(found.items()), indent=1)
