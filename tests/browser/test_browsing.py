"""AttemptBrowser in JupyterLab: filter, open, compare, export by keyboard; nothing secret kept."""

import json

import pytest

expect = pytest.importorskip("playwright.sync_api").expect

CELL = """
import alinb, tempfile
box = alinb.sandbox()
client = alinb.Client(box, journal=alinb.Journal(tempfile.mkdtemp() + "/journal.sqlite3"))
client.call("/auth/token/create", code="3_841207_CANARYwrongCODE")
token = client.exchange(box.code())
client.send(alinb.mistaken(client.sign("aliexpress.ds.category.get"), "secret_wrapped"))
browser = alinb.AttemptBrowser(client.journal)
browser
"""
COMPARE = """
alinb.AttemptCompare(1, 3, client.journal)
"""
COUNT = "from ipywidgets.widgets.widget import _instances; print(len(_instances))"


def opened(book):
    panel = book.page.locator(".alinb-panel")
    expect(panel.get_by_role("status")).to_contain_text("attempts", timeout=30_000)
    return panel


@pytest.mark.scenario
def test_from_the_list_to_a_ticket_by_keyboard(notebook):
    book = notebook(CELL)
    page, panel = book.page, opened(book)
    status = panel.get_by_role("status")
    panel.get_by_label("Verdict").select_option("refused")
    expect(status).to_have_text("2 of 3 attempts match.")
    expect(panel.locator("table.attempts tbody tr")).to_have_count(2)
    panel.get_by_label("Verdict").select_option("")
    panel.get_by_role("button", name="Open attempt 3").focus()
    page.keyboard.press("Enter")
    expect(panel.locator("[data-key=open]")).to_be_focused()
    expect(panel.locator("[data-key=attempt-3]")).to_contain_text("secret stands around the string")
    for number in (1, 2):
        panel.get_by_label(f"Mark attempt {number}").focus()
        page.keyboard.press("Space")
        expect(panel.get_by_label(f"Mark attempt {number}")).to_be_checked()
    compare = panel.get_by_role("button", name="Compare the two marked")
    expect(compare).to_be_enabled()
    compare.focus()
    page.keyboard.press("Enter")
    expect(status).to_contain_text("rows differ")
    expect(panel.locator("[data-key=compared]")).to_be_focused()
    every = panel.locator("table.sides tbody tr").count()
    panel.get_by_role("switch", name="Only what differs").focus()
    page.keyboard.press("Space")
    expect(panel.locator("table.sides [aria-label=same]")).to_have_count(0)
    assert 0 < panel.locator("table.sides tbody tr").count() < every
    panel.get_by_label("Export the marked").select_option("ticket")
    panel.get_by_role("button", name="Export", exact=True).focus()
    page.keyboard.press("Enter")
    expect(panel.locator("[data-key=export-ticket]")).to_contain_text("What was tried")
    panel.get_by_role("button", name="Copy the export").press("Enter")
    expect(panel.locator("[data-whisper=copied]")).to_have_text("Copied.")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied.startswith("/auth/token/create: ok")
    revealed = book.python(
        "print(box.app.secret.reveal(), token.access_token.reveal(), token.refresh_token.reveal())"
    )
    canaries = [*revealed.split(), "CANARYwrongCODE"]
    saved = book.save()
    assert "widgets" in json.loads(saved)["metadata"]
    source = json.dumps(CELL)[1:-1]
    shown = saved.replace("CANARYwrongCODE", "", 1) if "CANARYwrongCODE" in source else saved
    assert [c for c in canaries if c in shown + copied] == []
    assert len(canaries) == 4


@pytest.mark.scenario
def test_two_attempts_are_compared_by_keyboard(notebook):
    book = notebook(CELL.rpartition("browser = ")[0], COMPARE)
    page, panel = book.page, book.page.locator(".alinb-panel")
    status = panel.get_by_role("status")
    expect(status).to_contain_text("rows differ", timeout=30_000)
    left, right = panel.get_by_label("Left, by number"), panel.get_by_label("Right, by number")
    left.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    expect(panel.locator(".title")).to_have_text(
        "Two attempts: 2: /auth/token/create and 3: aliexpress.ds.category.get"
    )
    stages = panel.locator("[aria-label='Stage by stage, side by side'] tbody tr")
    wrap = stages.filter(has=page.get_by_role("rowheader", name="wrap"))
    expect(wrap.locator("del")).to_contain_text("/auth/token/create")
    expect(wrap.locator("ins")).to_contain_text("‹app_secret›")
    expect(panel.get_by_text("The secret stands around the string").first).to_be_visible()
    every = panel.locator("table.sides tbody tr").count()
    panel.get_by_role("switch", name="Only what differs").press("Space")
    expect(panel.locator("table.sides [aria-label=same]")).to_have_count(0)
    assert 0 < panel.locator("table.sides tbody tr").count() < every
    panel.get_by_role("button", name="Swap the sides").press("Enter")
    expect(left).to_have_value("3")
    expect(right).to_have_value("2")
    right.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("99")
    page.keyboard.press("Enter")
    expect(status).to_contain_text("✗ The journal holds no attempt 99.")
    expect(right).to_be_focused()


def test_twenty_runs_leave_the_models_of_one(notebook):
    book = notebook(CELL)
    opened(book)
    once = book.python(COUNT)
    for _ in range(20):
        book.run()
        book.python("pass")
    assert book.python(COUNT) == once == "2"
