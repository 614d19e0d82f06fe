"""SignatureBench in JupyterLab: turn a stage, follow a parameter, paste; answered at once."""

import statistics

import pytest

import alinb

expect = pytest.importorskip("playwright.sync_api").expect

APP = alinb.App("12345678", "helloworld")
BENCH = "import alinb\nalinb.SignatureBench(app=alinb.App('12345678', 'helloworld'))"
MANY = """
import alinb
app = alinb.App("12345678", "helloworld")
many = {f"param_{i:02}": f"value {i} é+%" for i in range(36)}
alinb.SignatureBench(alinb.sign("aliexpress.ds.product.get", many, app=app))
"""
KEY_PRESS_MS = 100

#: From the key press to the picture that shows both the new string and the new signature.
TIMED = """async ([field, text]) => {
  const panel = document.querySelector(".alinb-panel");
  const input = panel.querySelector(`input[aria-label="${field}"]`);
  input.focus();
  input.value = text;
  const shown = () => [...panel.querySelectorAll(".string .pair.lit code")].map(c => c.textContent);
  const signature = () => panel.querySelector("[data-key='sig-actual'] code").textContent;
  const before = signature();
  const begun = performance.now();
  input.dispatchEvent(new InputEvent("input", { bubbles: true }));
  while (signature() === before || !shown().includes(text)) {
    if (performance.now() - begun > 5000) throw new Error("no new picture");
    await new Promise(requestAnimationFrame);
  }
  return performance.now() - begun;
}"""

#: How long a kernel takes to do nothing, there and back.
BARE = """async () => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const begun = performance.now();
  await kernel.requestExecute({ code: "pass", store_history: false }).done;
  return performance.now() - begun;
}"""


@pytest.fixture
def panel(notebook):
    book = notebook(BENCH)
    shown = book.page.locator(".alinb-panel")
    expect(shown.get_by_role("status")).to_contain_text("Right signature", timeout=30_000)
    return shown


@pytest.mark.scenario
def test_a_stage_turned_wrong_by_keyboard_is_named(panel):
    page = panel.page
    panel.get_by_role("switch", name="wrap").press("Space")
    expect(panel.get_by_role("status")).to_contain_text("The API path is missing in front")
    expect(panel.get_by_role("switch", name="wrap")).not_to_be_checked()
    expect(panel.locator(".note.bad")).to_contain_text("Change this.")
    panel.get_by_label("Turn at wrap").focus()
    page.keyboard.type("wrong: The secret stands around")
    expect(panel.get_by_role("status")).to_contain_text("The secret stands around the string")
    expect(panel.locator(".string .seg.secret")).to_have_count(2)
    panel.get_by_role("button", name="Put every stage right").press("Enter")
    expect(panel.get_by_role("status")).to_contain_text("Right signature")
    expect(panel.get_by_role("switch", name="wrap")).to_be_checked()


def test_the_string_follows_pointer_and_keyboard(panel):
    lit = panel.locator(".string .lit")
    panel.get_by_label("Value of sign_method").focus()
    expect(lit).to_have_count(1)
    expect(lit).to_contain_text("sha256")
    panel.get_by_label("Name of app_key").hover()
    expect(lit).to_contain_text("12345678")
    panel.get_by_role("status").hover()
    panel.locator(".string .pair", has_text="timestamp").hover()
    expect(panel.locator("tr.lit")).to_have_attribute("data-param", "timestamp")


def test_typing_changes_the_string_and_keeps_what_is_typed(panel):
    field = panel.get_by_label("Value of app_key")
    field.fill("")
    field.press_sequentially("dd00bb", delay=5)
    expect(panel.locator(".string")).to_contain_text("dd00bb")
    expect(field).to_have_value("dd00bb")
    expect(field).to_be_focused()
    expect(panel.page.locator(".jp-Notebook .jp-Cell")).to_have_count(1)
    panel.get_by_role("button", name="Add a parameter").press("Enter")
    expect(panel.get_by_label("Name of the new parameter")).to_be_focused()
    panel.page.keyboard.type("zebra")
    panel.page.keyboard.press("Tab")
    panel.page.keyboard.type("striped")
    expect(panel.locator(".string .pair").last).to_contain_text("zebra")
    expect(panel.locator(".string .pair").last).to_contain_text("striped")


def test_a_pasted_curl_command_is_explained_and_its_token_not_kept(notebook):
    book = notebook(BENCH)
    panel = book.page.locator(".alinb-panel")
    wrong = alinb.mistaken(
        alinb.sign("/auth/token/refresh", {"refresh_token": "REFRESHCANARY"}, app=APP, verb="GET"),
        "secret_wrapped",
    )
    panel.locator("summary", has_text="Paste a request").click(timeout=30_000)
    panel.get_by_label("Request").fill(f"curl '{wrong.url}&typed=TYPEDCANARY'")
    panel.get_by_label("Request").fill(f"curl '{wrong.url}'")
    panel.get_by_role("button", name="Lay it on the bench").click()
    expect(panel.get_by_role("status")).to_contain_text("The secret stands around the string")
    expect(panel.locator("[data-key='sig-received']")).to_contain_text("= actual")
    panel.get_by_label("Request").fill("code=TYPEDCANARY")
    saved = book.save()
    assert "view" in saved
    assert [word for word in ("REFRESHCANARY", "TYPEDCANARY", "helloworld") if word in
            saved.replace("App('12345678', 'helloworld')", "")] == []  # fmt: skip


def test_no_typed_secret_reaches_the_saved_notebook(notebook):
    book = notebook("import alinb\nbench = alinb.SignatureBench()\nbench")
    panel = book.page.locator(".alinb-panel")
    panel.get_by_role("button", name="Add a parameter").click(timeout=30_000)
    saves = []
    # The value before the name that tells that it is a secret, then another the other way round.
    panel.get_by_label("Value of the new parameter").press_sequentially("CANARY-value-first")
    saves.append(book.save())
    panel.get_by_label("Name of the new parameter").press_sequentially("session")
    panel.get_by_role("button", name="Add a parameter").click()
    panel.get_by_label("Name of the new parameter").press_sequentially("access_token")
    panel.get_by_label("Value of access_token").press_sequentially("CANARY-name-first")
    expect(panel.locator(".string")).to_contain_text("‹access_token›")
    saves.append(book.save())
    panel.locator("summary", has_text="Sign with another app secret").click()
    field = panel.get_by_label("App secret")
    field.press_sequentially("CANARY-app-secret")
    saves.append(book.save())  # typed, not submitted
    before = panel.locator("[data-key=sig-expected] code").inner_text()
    field.press("Enter")
    expect(field).to_have_value("")
    expect(panel.locator("[data-key=sig-expected] code")).not_to_have_text(before)
    saves.append(book.save())
    panel.locator("summary", has_text="Paste a request").click()
    panel.get_by_label("Request").fill(
        "curl 'https://api-sg.aliexpress.com/rest/auth/token/create?app_key=1&sign=AB"
        "&app_secret=CANARY-in-curl&code=CANARY-code' -H 'Authorization: Bearer CANARY-header'"
    )
    saves.append(book.save())
    panel.get_by_role("button", name="Lay it on the bench").click()
    expect(panel.get_by_label("Value of app_secret")).to_be_visible()
    saves.append(book.save())
    assert book.python("print(bench.bench.params['app_secret'])") == "CANARY-in-curl"
    assert all('"view"' in saved for saved in saves), "state saving is on, or this proves nothing"
    assert [number for number, saved in enumerate(saves) if "CANARY" in saved] == []


def test_a_dealt_mistake_is_not_in_the_picture(panel):
    panel.get_by_role("button", name="Break it for me").click()
    expect(panel.get_by_role("status")).to_contain_text("A program signs wrong")
    expect(panel.locator(".note.bad")).to_have_count(0)
    panel.get_by_role("button", name="Show me").click()
    expect(panel.get_by_role("status")).to_contain_text("It was this: ")
    expect(panel.locator("[data-whisper=score]")).to_have_text("found 0, given up 1, tries 0")


def test_a_key_press_is_answered_within_a_tenth_of_a_second(notebook):
    book = notebook(MANY)
    panel = book.page.locator(".alinb-panel")
    expect(panel.locator("tr[data-key^=row]")).to_have_count(40, timeout=30_000)
    expect(panel.get_by_role("status")).to_contain_text("Right signature")
    for tries in range(3):  # a busy machine may be late once
        took = [
            book.page.evaluate(TIMED, ["Value of param_20", f"typed {tries} {i}"])
            for i in range(20)
        ]
        bare = statistics.median(book.page.evaluate(BARE) for _ in range(10))
        print(f"key press to picture: median {statistics.median(took):.0f} ms, worst of 20 "
              f"{max(took):.0f} ms; nothing at all from this kernel: {bare:.0f} ms")  # fmt: skip
        # A loaded machine is slow at anything: then it may take a few times what nothing takes.
        if statistics.median(took) < max(KEY_PRESS_MS, 4 * bare):
            return
    pytest.fail(f"{statistics.median(took):.0f} ms")
