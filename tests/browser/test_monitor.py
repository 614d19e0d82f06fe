"""PullMonitor in JupyterLab: start, pause, resume and stop by keyboard; one panel a cell."""

import re

import pytest

expect = pytest.importorskip("playwright.sync_api").expect

SETUP = """
import alinb
box = alinb.sandbox()
client = alinb.Client(box)
client.exchange(box.code())
"""
CELL = """
pull = client.pull("aliexpress.ds.text.search", keyWord="lamp", local="en_US", countryCode="US",
                   currency="USD", pageSize=10, qps=8, concurrency=2)
monitor = alinb.PullMonitor(pull)
monitor
"""
CALLS = "print(pull.stats.calls)"
SECRETS = """
token = client.token
print(client.app.secret.reveal(), token.access_token.reveal(), token.refresh_token.reveal())
"""
COUNT = "from ipywidgets.widgets.widget import _instances; print(len(_instances))"


@pytest.mark.scenario
def test_start_pause_resume_and_stop_by_keyboard(notebook):
    book = notebook(SETUP, CELL)
    page, panel = book.page, book.page.locator(".alinb-panel")
    status = panel.get_by_role("status")
    expect(status).to_have_text("Not started yet.", timeout=30_000)
    panel.get_by_role("button", name="Start").focus()
    page.keyboard.press("Enter")
    expect(status).to_have_text("… Running.")
    expect(panel).to_contain_text(re.compile(r"[2-9] of 42 pages"))
    expect(panel.get_by_role("button", name="Pause")).to_be_focused()
    page.keyboard.press("Enter")
    expect(status).to_contain_text("Paused")
    expect(panel.get_by_role("button", name="Resume")).to_be_focused()
    page.wait_for_timeout(600)
    held = book.python(CALLS)
    page.wait_for_timeout(1000)
    assert book.python(CALLS) == held, "paused means that nothing is sent"
    page.keyboard.press("Space")
    expect(status).to_have_text("… Running.")
    page.wait_for_timeout(600)
    assert int(book.python(CALLS)) > int(held)
    expect(panel).to_contain_text(re.compile(r"[\d.]+ of [78]\.\d calls a second permitted"))
    panel.get_by_role("button", name="Stop").focus()
    page.keyboard.press("Enter")
    expect(status).to_contain_text("Stopped.", timeout=10_000)
    page.wait_for_timeout(200)
    assert page.evaluate("() => document.activeElement.closest('.alinb-panel') !== null")
    stopped = int(book.python(CALLS))
    page.wait_for_timeout(1000)
    assert int(book.python(CALLS)) == stopped < 42
    assert int(book.python("print(len(monitor.result))")) > 0
    assert page.locator(".jp-Notebook .jp-Cell").count() == 2
    saved, held = book.save(), book.python(SECRETS).split()
    assert '"view"' in saved
    assert len(held) == 3
    assert [secret for secret in held if secret in saved] == []


def test_twenty_runs_leave_the_models_and_the_pull_of_one(notebook):
    book = notebook(SETUP, CELL + "monitor.start()")
    expect(book.page.locator(".alinb-panel")).to_have_count(0)
    book.python("pass")
    once = book.python(COUNT)
    for _ in range(20):
        book.run()
        book.python("pass")
    assert book.python(COUNT) == once == "2"
    alive = "import threading; print(sum(t.name == 'alinb-monitor' for t in threading.enumerate()))"
    book.page.wait_for_timeout(1500)
    assert book.python(alive) == "1"
    book.python("monitor.close()")
