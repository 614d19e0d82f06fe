"""ApiExplorer in JupyterLab: by keyboard from a name to a table; nothing kept, nothing run."""

import json

import pytest

expect = pytest.importorskip("playwright.sync_api").expect

CELL = """
import alinb
box = alinb.sandbox()
client = alinb.Client(box)
client.exchange(box.code())
explorer = alinb.ApiExplorer(client, "aliexpress.ds.category.get")
explorer
"""
AGAIN = "explorer = alinb.ApiExplorer(client)\nexplorer"
TOKENS = """
twin = alinb.sandbox()
print(client.token.access_token.reveal(),
      alinb.Client(twin, journal=False).exchange(twin.code()).access_token.reveal())
"""
COUNT = "from ipywidgets.widgets.widget import _instances; print(len(_instances))"
EVIL = "<img src=x onerror='window.evil=1'>"


def opened(book):
    panel = book.page.locator(".alinb-panel")
    expect(panel.get_by_role("status")).to_contain_text("is ready", timeout=30_000)
    return panel


@pytest.mark.scenario
def test_from_a_name_to_a_table_by_keyboard_alone(notebook):
    book = notebook(CELL)
    page, panel = book.page, opened(book)
    search = panel.get_by_label("Search the names")
    search.focus()
    page.keyboard.type("nothing like it")
    expect(panel.locator("[data-key=near]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(search).to_have_value("")
    expect(panel.locator("[data-key=near]")).to_have_count(0)
    page.keyboard.type("text search")
    expect(panel.get_by_label("1 of")).to_be_visible()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("status")).to_contain_text("aliexpress.ds.text.search is ready")
    expect(panel.locator("[data-key=remarks] li")).to_have_count(3)
    expect(search).to_have_value("")
    for label, value in [("local", "en_US"), ("countryCode", "US"), ("currency", "USD"),
                         ("keyWord", "lamp"), ("pageSize", "7")]:  # fmt: skip
        field = panel.get_by_label(label).first
        while not field.evaluate("field => field === document.activeElement"):
            page.keyboard.press("Tab")
        page.keyboard.type(value)
    expect(panel.locator("[data-key=remarks]")).to_have_count(0)
    expect(panel.locator(".sent")).to_contain_text("lamp")
    page.keyboard.press("Enter")
    expect(panel.get_by_role("status")).to_contain_text("✓ ok")
    expect(panel.locator("[data-key=reply]")).to_be_focused()
    expect(panel.locator("table.records tbody tr").first).to_be_visible()
    assert panel.locator("table.records").first.locator("tbody tr").count() == 7
    shown = panel.locator("table.records tbody tr td").first.inner_text()
    assert shown == book.python("print(explorer.frame()['itemId'][0])")
    raw = panel.locator("summary", has_text="Raw JSON")
    raw.focus()
    page.keyboard.press("Enter")
    expect(panel.locator(".tree > li > details > summary")).to_be_visible()
    assert page.locator(".jp-Notebook .jp-Cell").count() == 1


def test_a_refused_call_is_explained_in_place_and_html_is_inert(notebook):
    book = notebook(CELL)
    panel = opened(book)
    panel.get_by_label("Search the names").fill("product.gte")
    panel.get_by_role("button", name="aliexpress.ds.product.get", exact=True).click()
    field = panel.get_by_label("product_id")
    field.fill(EVIL)
    field.press("Enter")
    expect(panel.get_by_role("status")).to_contain_text("✗ refused")
    expect(panel.locator("[data-key=trouble]")).to_contain_text("in the journal")
    assert panel.locator("img, script").count() == 0
    assert book.page.evaluate("() => window.evil") is None


def test_a_typed_code_and_the_tokens_reach_no_saved_file(notebook):
    book = notebook(CELL)
    panel = opened(book)
    panel.get_by_label("Search the names").fill("/auth/token/create")
    panel.get_by_label("Search the names").press("Enter")
    code, secret = book.python("print(box.code(), box.app.secret.reveal())").split()
    field = panel.get_by_label("code")
    field.press_sequentially(code)
    expect(panel.locator(".sent")).to_contain_text("‹code")
    saves = [book.save()]
    field.press("Enter")
    expect(panel.get_by_role("status")).to_contain_text("✓ ok")
    saves.append(book.save())
    tokens = book.python("p = explorer.reply.payload; print(p['access_token'], p['refresh_token'])")
    held = book.python("print(client.token.access_token.reveal())")
    canaries = [code, secret, held, *tokens.split()]
    assert all("widgets" in json.loads(saved)["metadata"] for saved in saves)
    assert [c for c in canaries for saved in saves if c in saved] == []
    assert len(canaries) == 5


def test_a_token_pasted_into_any_field_reaches_no_saved_file(notebook):
    book = notebook(CELL)
    panel = opened(book)
    held, other = book.python(TOKENS).split()
    panel.get_by_label("Search the names").fill("text.search")
    panel.get_by_label("Search the names").press("Enter")
    # Pasted into the wrong field, and among the parameters that the catalogue does not name.
    panel.get_by_label("keyWord").fill(other)
    expect(panel.locator(".sent")).to_contain_text("‹access_token")
    saves = [book.save()]
    panel.get_by_label("keyWord").fill(held)
    panel.locator("summary", has_text="Other parameters").click()
    panel.get_by_label("One a line").fill(f"session={other}\nnote={other}")
    expect(panel.locator(".sent")).to_contain_text("note")
    saves.append(book.save())
    panel.get_by_role("button", name="Send").click()
    expect(panel.get_by_role("status")).to_contain_text("attempt")
    saves.append(book.save())
    assert all("widgets" in json.loads(saved)["metadata"] for saved in saves)
    assert [t for t in (held, other) for saved in saves if t in saved] == []


def test_twenty_runs_leave_the_models_of_one(notebook):
    book = notebook(CELL.rpartition("explorer = ")[0], AGAIN)
    opened(book)
    once = book.python(COUNT)
    for _ in range(20):
        book.run()
        book.python("pass")
    assert book.python(COUNT) == once == "2"
