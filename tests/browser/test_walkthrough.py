"""OAuthWalkthrough in JupyterLab: by keyboard alone, refused and explained, nothing kept."""

import re

import pytest

expect = pytest.importorskip("playwright.sync_api").expect

START = "import alinb\nbox = alinb.sandbox()"
WALK = "walk = alinb.OAuthWalkthrough(box)\nwalk"
ASKING = "import alinb\nbox = alinb.sandbox().serve()\nwalk = alinb.OAuthWalkthrough()\nwalk"
REVEALED = """
token = walk.token
print(box.app.secret.reveal(), token.access_token.reveal(), token.refresh_token.reveal())
"""


def tab_to(page, what, limit=40):
    """Press Tab until the control of that name has the keyboard."""
    for _ in range(limit):
        focused = page.evaluate("""() => {
          const e = document.activeElement;
          if (!e.matches("a, button, input, select, summary")) return "";
          return `${e.innerText || ""} ${e.labels?.[0]?.innerText || ""}`;
        }""")
        if what in focused:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab never came to {what!r}")


def consent_by_keyboard(page):
    """Open the link that has the keyboard, allow, and give the address that comes back."""
    with page.expect_popup() as opened:
        page.keyboard.press("Enter")
    tab = opened.value
    tab.get_by_role("button", name="Allow").wait_for()
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("button", name="Allow")).to_be_focused()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/callback?*")
    address = tab.url
    tab.close()
    page.bring_to_front()
    return address


@pytest.mark.scenario
def test_from_link_to_token_by_keyboard_alone(notebook):
    book = notebook(START, WALK)
    page, panel = book.page, book.page.locator(".alinb-panel")
    expect(panel.get_by_role("status")).to_contain_text("Open the consent page", timeout=30_000)
    panel.focus()
    tab_to(page, "Open the consent page")
    address = consent_by_keyboard(page)
    tab_to(page, "Callback address")
    page.keyboard.insert_text(address)
    expect(panel.locator("[data-key=check]")).to_contain_text("its state is this link's")
    page.keyboard.press("Enter")
    expect(panel.get_by_role("status")).to_have_text("✓ The token is here.")
    expect(panel.get_by_role("button", name="Refresh")).to_be_focused()
    clocks = panel.locator("time")
    expect(clocks).to_have_count(2)
    expect(clocks.first).to_have_text(re.compile(r"23 h 59 min \d+ s"))
    first = clocks.first.inner_text()
    expect(clocks.first).not_to_have_text(first)
    page.keyboard.press("Enter")
    expect(panel.get_by_role("status")).to_contain_text("The pair is new")
    tab_to(page, "Forget the token")
    page.keyboard.press("Enter")
    expect(panel.locator("[data-key=consent]")).to_be_visible()
    assert page.locator(".jp-Notebook .jp-Cell").count() == 2


@pytest.mark.scenario
def test_a_wrong_code_is_recorded_explained_and_compared_with_the_right_one(notebook):
    book = notebook(START, WALK)
    page, panel = book.page, book.page.locator(".alinb-panel")
    field = panel.get_by_label("Callback address")
    field.fill("a-wrong-code", timeout=30_000)
    field.press("Enter")
    expect(panel.get_by_role("status")).to_contain_text("InvalidCode")
    tried = panel.locator("[data-key=try-1]")
    expect(tried).to_contain_text("attempt")
    expect(tried).to_contain_text("too old, already used")
    tried.get_by_role("button", name="Get a new code").press("Enter")
    expect(panel.locator("[data-key=consent]")).to_be_focused()
    field.fill(consent_by_keyboard(page))
    field.press("Enter")
    expect(panel.get_by_role("status")).to_have_text("✓ The token is here.")
    said = book.python("""
from alinb import compare
wrong, right = list(walk.client.journal.attempts())[-2:]
print([row[1:] for row in compare(wrong, right).rows if row[1] in ("verdict", "code")][:3])
""")
    assert "'verdict', 'refused', 'ok'" in said


def test_the_callback_comes_by_itself_through_the_listener(notebook):
    book = notebook(START, WALK)
    page, panel = book.page, book.page.locator(".alinb-panel")
    panel.get_by_role("button", name="Let the callback come here").click(timeout=30_000)
    expect(panel.get_by_role("status")).to_contain_text("Listening", timeout=15_000)
    with page.expect_popup() as opened:
        panel.locator("[data-key=consent]").click()
    opened.value.get_by_role("button", name="Allow").click()
    expect(opened.value.locator("p")).to_contain_text("The code has arrived")
    opened.value.close()
    expect(panel.get_by_role("status")).to_have_text("✓ The token is here.")
    assert book.python("print(walk.listener)") == "None"


def test_no_secret_token_or_code_reaches_the_saved_notebook(notebook):
    book = notebook(ASKING)
    panel = book.page.locator(".alinb-panel")
    secret, key, url = book.python("print(box.app.secret.reveal(), box.app.key, box.url)").split()
    panel.get_by_label("App key", exact=True).fill(key, timeout=30_000)
    panel.get_by_label("Gateway").fill(url)
    typed = panel.get_by_label("App secret")
    typed.press_sequentially(secret)
    saves = [book.save()]  # typed, not submitted
    typed.press("Enter")
    expect(panel.get_by_label("Callback address")).to_be_visible()
    saves.append(book.save())
    codes = [book.python("print(box.code())") for _ in range(3)]
    state = book.python("print(walk.link.state)")
    field = panel.get_by_label("Callback address")
    for code in codes[:2]:
        field.fill(f"https://example.com/cb?code={code}&state={state}")
        expect(panel.locator("[data-key=check]")).to_contain_text("A code of")
        saves.append(book.save())  # typed and checked, not submitted
    field.fill(codes[0] + "WRONG")
    field.press("Enter")
    expect(panel.locator("[data-key=try-1]")).to_be_visible()
    saves.append(book.save())
    field.fill(codes[2])
    field.press("Enter")
    expect(panel.get_by_role("status")).to_have_text("✓ The token is here.")
    first = book.python(REVEALED).split()
    saves.append(book.save())
    panel.get_by_role("button", name="Refresh").click()
    expect(panel.get_by_role("status")).to_contain_text("The pair is new")
    saves.append(book.save())
    canaries = {secret, *codes, *first, *book.python(REVEALED).split()}
    assert len(canaries) == 8
    assert all('"view"' in saved for saved in saves), "state saving is on, or this proves nothing"
    assert [c for c in canaries for saved in saves if c in saved] == []


def test_html_in_what_is_pasted_is_inert(notebook):
    book = notebook(START, WALK)
    page, panel = book.page, book.page.locator(".alinb-panel")
    evil = "<img src=x onerror=window.evil=1>"
    field = panel.get_by_label("Callback address")
    field.fill(f"https://x/?error={evil}&error_description={evil}", timeout=30_000)
    expect(panel.locator("[data-key=check]")).to_contain_text("<img src=x")
    field.press("Enter")
    expect(panel.get_by_role("status")).to_contain_text("<img src=x")
    assert page.evaluate("() => window.evil") is None
    assert panel.locator("img").count() == 0
