"""The base of all panels where people meet it: JupyterLab in Chromium, widget state saved."""

import json
import os
from urllib.parse import urlsplit

import pytest

expect = pytest.importorskip("playwright.sync_api").expect

#: The release of ipykernel that the kernel has to be of.
ASKED = os.environ.get("ALINB_TEST_IPYKERNEL")
TYPED, SENT = "CANARY-typed-4711", "CANARY-sent-0815"

PROBE = """
from alinb.render import Markup, join, tag
from alinb.widgets.base import Panel
from alinb.widgets.elements import button, form, secret_field

class Probe(Panel):
    title = "Probe"
    def __init__(self):
        self.count, self.key = 0, ""
        super().__init__()
    def body(self):
        return join(
            button("Add", "add"), tag("p", f"{self.count} so far", class_="so-far"),
            form("keep", secret_field("Key", "key"), button("Keep")),
            tag("p", f"key of {len(self.key)}", class_="key"),
            Markup("<img src=x onerror='window.evil=1'><a href='javascript:window.evil=1'>x</a>"
                   "<script>window.evil=1</script><b onclick='window.evil=1'>bold</b>"),
        )
    def text(self): return f"{self.count} so far"
    def act_add(self, event): self.count += 1
    def act_keep(self, event): self.key = event["key"]

probe = Probe()
probe
"""


def test_a_panel_lives_keeps_secrets_out_and_lets_nothing_run(notebook):
    book = notebook(PROBE, run=False)
    page, asked = book.page, []
    page.on("request", lambda request: asked.append(urlsplit(request.url).hostname))
    book.run()
    panel = page.locator(".alinb-panel")
    expect(panel.locator(".so-far")).to_have_text("0 so far", timeout=30_000)
    panel.get_by_role("button", name="Add").press("Enter")
    panel.get_by_role("button", name="Add").press("Space")
    expect(panel.locator(".so-far")).to_have_text("2 so far")
    assert page.locator(".jp-Notebook .jp-Cell").count() == 1, "letters and Enter are ours"

    field = panel.get_by_label("Key")
    field.press_sequentially(SENT)
    field.press("Enter")
    expect(panel.locator(".key")).to_have_text(f"key of {len(SENT)}")
    expect(field).to_have_value("")
    field.press_sequentially("aabbdd" + TYPED)
    panel.get_by_role("button", name="Add").click()
    expect(panel.locator(".so-far")).to_have_text("3 so far")
    expect(field).to_have_value("aabbdd" + TYPED)

    saved = book.save()
    assert "widgets" in json.loads(saved)["metadata"], "state saving is on, or this proves nothing"
    assert [word for word in (TYPED, SENT) if word in saved] == []
    panel.locator("b").click()
    # None: a blob, which is how anywidget loads a script that came with the model.
    assert set(asked) <= {"127.0.0.1", None}, "nothing is loaded from elsewhere"
    assert page.evaluate("() => window.evil") is None
    assert panel.locator("img, script").count() == 0
    assert panel.locator("a").get_attribute("href") is None


def test_running_a_cell_again_leaves_one_panel(notebook):
    book = notebook(PROBE)
    expect(book.page.locator(".alinb-panel")).to_have_count(1, timeout=30_000)
    count = "from ipywidgets.widgets.widget import _instances; print(len(_instances))"
    once = book.python(count)
    for _ in range(20):
        book.run()
        book.python("pass")
    assert book.python(count) == once == "2"
    expect(book.page.locator(".alinb-panel")).to_have_count(1)
    book.page.locator(".alinb-panel").get_by_role("button", name="Add").click()
    expect(book.page.locator(".alinb-panel .so-far")).to_have_text("1 so far")


@pytest.mark.scenario
@pytest.mark.skipif(not ASKED, reason="tests.browser.kernels asks for one")
def test_the_kernel_is_of_the_release_that_was_asked_for(notebook):
    book = notebook("import ipykernel")
    assert book.python("import ipykernel; print(ipykernel.__version__)") == ASKED
