"""All six panels in Notebook 7 and in Voila: each is used there, and what that does is seen."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from .conftest import write
from .lab import jupyter

expect = pytest.importorskip("playwright.sync_api").expect

SETUP = """
import alinb
box = alinb.sandbox()
client = alinb.Client(box, journal=alinb.Journal("elsewhere.sqlite3"))
client.call("/auth/token/create", code="3_500102_wrong")
client.exchange(box.code())
SEARCH = dict(local="en_US", countryCode="US", currency="USD", keyWord="lamp")
"""
CELLS = (
    SETUP,
    "alinb.SignatureBench()",
    "alinb.OAuthWalkthrough(alinb.sandbox())",
    "explorer = alinb.ApiExplorer(client)\nexplorer",
    "alinb.AttemptBrowser(client.journal)",
    "alinb.AttemptCompare(1, 2, client.journal)",
    "alinb.PullMonitor(client.pull('aliexpress.ds.text.search', pageSize=10, qps=6, **SEARCH))",
)
IDLE = (
    "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
    " === 'idle'"
)


@pytest.fixture(scope="module", params=["notebook", "voila"])
def panels(
    request: pytest.FixtureRequest,
    browser: Any,
    environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[Any]]:
    """The six panels on one page of that front end."""
    kind = request.param
    if find_spec(kind) is None:
        pytest.skip(f"{kind} is not installed")
    root, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("jupyter")
    write(root / "panels.ipynb", *CELLS)
    with jupyter(kind, root, home, **environment) as base:
        page = browser.new_page(viewport={"width": 1280, "height": 6000})
        if kind == "voila":
            page.goto(f"{base}/voila/render/panels.ipynb", timeout=90_000)
        else:
            page.goto(f"{base}/notebooks/panels.ipynb")
            page.wait_for_function(IDLE, timeout=90_000)
            page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        found = page.locator(".alinb-panel:not(.alinb-still)")
        expect(found).to_have_count(6, timeout=60_000)
        yield [found.nth(number) for number in range(6)]
        page.close()


def status(panel: Any) -> Any:
    return panel.get_by_role("status")


def test_bench_a_stage_is_turned_and_the_mistake_named(panels):
    expect(status(panels[0])).to_contain_text("Right signature")
    panels[0].get_by_role("switch", name="wrap").press("Space")
    expect(status(panels[0])).to_contain_text("The API path is missing in front")


def test_walkthrough_a_wrong_code_is_refused_and_a_right_one_exchanged(panels):
    field = panels[1].get_by_label("Callback address")
    field.fill("wrong")
    field.press("Enter")
    expect(status(panels[1])).to_contain_text("InvalidCode")
    panels[1].get_by_role("button", name="Take a code").press("Enter")
    expect(status(panels[1])).to_have_text("✓ The token is here.")


def test_explorer_a_call_becomes_a_table(panels):
    for label, value in [("local", "en_US"), ("countryCode", "US"), ("currency", "USD"),
                         ("keyWord", "lamp"), ("pageSize", "7")]:  # fmt: skip
        panels[2].get_by_label(label).first.fill(value)
    panels[2].get_by_label("pageSize").press("Enter")
    expect(status(panels[2])).to_contain_text("✓ ok")
    expect(panels[2].locator("table.records").first.locator("tbody tr")).to_have_count(7)


def test_attempts_are_filtered_opened_and_exported(panels):
    panels[3].get_by_label("Verdict").select_option("refused")
    expect(panels[3].locator("table.attempts tbody tr")).to_have_count(1)
    panels[3].get_by_role("button", name="Open attempt 1").press("Enter")
    expect(panels[3].locator("[data-key=attempt-1]")).to_contain_text("InvalidCode")
    panels[3].get_by_role("button", name="Export", exact=True).press("Enter")
    expect(panels[3].locator("[data-key=export-har]")).to_contain_text("startedDateTime")


def test_compare_shows_only_what_differs_and_swaps(panels):
    expect(status(panels[4])).to_contain_text("rows differ")
    panels[4].get_by_role("switch", name="Only what differs").press("Space")
    expect(panels[4].locator("table.sides [aria-label=same]")).to_have_count(0)
    panels[4].get_by_role("button", name="Swap the sides").press("Enter")
    expect(panels[4].get_by_label("Left, by number")).to_have_value("2")


def test_monitor_starts_pauses_goes_on_and_stops(panels):
    panels[5].get_by_role("button", name="Start").press("Enter")
    expect(status(panels[5])).to_have_text("… Running.")
    panels[5].get_by_role("button", name="Pause").press("Enter")
    expect(status(panels[5])).to_contain_text("Paused")
    panels[5].get_by_role("button", name="Resume").press("Enter")
    expect(status(panels[5])).to_have_text("… Running.")
    panels[5].get_by_role("button", name="Stop").press("Enter")
    expect(status(panels[5])).to_contain_text("Stopped.", timeout=10_000)
