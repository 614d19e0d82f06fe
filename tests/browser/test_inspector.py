"""The inspector and the consent page in Chromium, by keyboard alone, in light and dark, small."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import alinb
from alinb import intake
from alinb.gateway import Sandbox
from alinb.gateway.exchanges import Exchange, Incoming

expect = pytest.importorskip("playwright.sync_api").expect

KEY, SECRET = "500102", "canary-secret-in-the-browser"
CREATE, QUERY = "/auth/token/create", "aliexpress.affiliate.product.query"


class Stand:
    """A sandbox on a port, with its inspector, and a client of it."""

    def __init__(self) -> None:
        self.box = Sandbox(app_key=KEY, secret=SECRET, products=60).serve()
        self.url, self.faults = self.box.url, self.box.faults
        self.exchanges = self.box.gateway.exchanges
        self.client = alinb.Client(self.box.app, journal=False)

    def mistaken(self, name: str, *mistakes: str, **params: Any) -> None:
        self.client.send(alinb.mistaken(self.client.sign(name, **params), *mistakes))

    def fill(self) -> None:
        """A few requests, right and wrong."""
        self.client.exchange(self.box.code())
        self.client.call(QUERY, keywords="lamp", page_size=2)
        self.mistaken(CREATE, "path_prefix_missing", code=self.box.code())
        self.mistaken(QUERY, "secret_wrapped", keywords="câble & lamp")
        self.mistaken(QUERY, "lowercase_hex", keywords="lamp")
        self.client.call("no.such.method")

    def close(self) -> None:
        self.client.close()
        self.box.close()


@pytest.fixture
def new_page(browser: Any) -> Iterator[Any]:
    """Opens a page; at the end no error but a refusal that is shown may have been reported."""
    contexts, errors = [], []

    def opened(**options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: said.type == "error" and errors.append(said.text))
        page.on("dialog", lambda dialog: errors.append(f"a dialog: {dialog.message}"))
        return page

    yield opened
    for context in contexts:
        context.close()
    allowed = ("400 (Bad Request)", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING")
    assert [error for error in errors if not any(text in error for text in allowed)] == []


@pytest.fixture
def stand() -> Iterator[Stand]:
    made = Stand()
    yield made
    made.close()


def opened(page: Any, stand: Stand) -> Any:
    page.goto(f"{stand.url}/inspector")
    expect(page.get_by_text("● live")).to_be_visible()
    return page


def calls(page: Any) -> list[str]:
    return page.locator("#rows tr:not([hidden]) .pick").all_inner_texts()  # type: ignore[no-any-return]


def focused(page: Any) -> str:
    return page.evaluate("document.activeElement.innerText || document.activeElement.id")  # type: ignore[no-any-return]


def tab_to(page: Any, text: str, most: int = 30) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if text in focused(page):
            return
    raise AssertionError(f"{text!r} cannot be reached with Tab")


def test_requests_appear_as_they_arrive(new_page: Any, stand: Stand) -> None:
    page = opened(new_page(), stand)
    expect(page.get_by_text("No request yet.")).to_be_visible()
    began = time.perf_counter()
    stand.client.call(QUERY, keywords="lamp")
    expect(page.locator("#rows tr")).to_have_count(1)
    assert time.perf_counter() - began < 2
    stand.client.call("no.such.method")
    expect(page.locator("#rows tr")).to_have_count(2)
    assert calls(page) == ["no.such.method", QUERY]
    row = page.locator("#rows tr").first
    assert row.locator("td.verdict").inner_text() == "refused"
    assert row.locator("td.code").inner_text() == "InvalidApiPath"
    expect(page.get_by_role("status").first).to_have_text("2 requests")
    assert len(page.get_by_role("row").all()) == 3, "the header and two rows"


def test_a_second_page_and_a_cleared_list_agree(new_page: Any, stand: Stand) -> None:
    stand.fill()
    one, two = opened(new_page(), stand), opened(new_page(), stand)
    expect(two.locator("#rows tr")).to_have_count(6)
    one.get_by_role("button", name="Clear list").click()
    for page in (one, two):
        expect(page.locator("#rows tr")).to_have_count(0)
        expect(page.get_by_text("No request yet.")).to_be_visible()


def test_from_the_list_to_the_curl_command_by_keyboard_alone(new_page: Any, stand: Stand) -> None:
    stand.fill()
    page = opened(new_page(), stand)
    tab_to(page, "no.such.method")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus is seen"
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert focused(page) == CREATE
    page.keyboard.press("End")
    page.keyboard.press("Home")
    assert focused(page) == "no.such.method"
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Proved: the API path is missing in front.")).to_be_visible()
    assert focused(page) == f"POST {CREATE}: refused IncompleteSignature"
    assert page.locator("[aria-current=true]").inner_text() == CREATE
    expect(page.locator("ins")).to_have_text(f"[+{CREATE}]")
    tab_to(page, "Copy as curl")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Copied as curl.")).to_be_visible()
    copied = intake.read(page.evaluate("navigator.clipboard.readText()"))
    assert copied.api_name == CREATE
    assert copied.params["code"].startswith("‹code ")
    page.keyboard.press("Escape")
    assert focused(page) == CREATE
    expect(page.locator("#detail")).to_be_hidden()


def test_only_one_row_stands_in_the_way_of_tab(new_page: Any, stand: Stand) -> None:
    stand.fill()
    page = opened(new_page(), stand)
    assert page.locator('#rows .pick[tabindex="0"]').count() == 1
    page.locator("#rows .pick").nth(2).click()
    assert page.locator('#rows .pick[tabindex="0"]').count() == 1


def test_the_list_can_be_filtered(new_page: Any, stand: Stand) -> None:
    stand.fill()
    page = opened(new_page(), stand)
    page.get_by_label("Verdict").select_option("refused")
    assert set(page.locator("#rows tr:not([hidden]) td.verdict").all_inner_texts()) == {"refused"}
    page.get_by_role("searchbox", name="Text").fill("PRODUCT.QUERY")
    assert calls(page) == [QUERY, QUERY]
    expect(page.get_by_role("status").first).to_have_text("2 of 6 requests")
    stand.client.call("another.method")
    expect(page.get_by_role("status").first).to_have_text("2 of 7 requests")


def test_a_fault_that_is_switched_on_strikes_the_next_call(new_page: Any, stand: Stand) -> None:
    page = opened(new_page(), stand)
    assert stand.client.call(QUERY, keywords="lamp").verdict in ("ok", "empty")
    tab_to(page, "Faults")
    page.keyboard.press("Enter")
    switch = page.get_by_role("switch", name="status_503")
    switch.focus()
    page.get_by_label("status_503: times").fill("1")
    switch.focus()
    page.keyboard.press("Space")
    expect(page.locator("#at-work")).to_have_text("at work: status_503=1x1")
    assert stand.client.call(QUERY, keywords="lamp").status == 503
    expect(page.locator("#at-work")).to_have_text("(none at work)")
    expect(switch).not_to_be_checked()
    expect(page.locator("#rows tr").first.locator("td.faults")).to_have_text("status_503")
    assert stand.client.call(QUERY, keywords="lamp").status == 200


def test_a_code_is_suggested_switched_on_and_off(new_page: Any, stand: Stand) -> None:
    page = opened(new_page(), stand)
    page.locator("#faults summary").click()
    expect(page.locator(".kind")).to_have_count(23)
    assert "ApiCallLimit" in page.locator("#codes option").evaluate_all(
        "all => all.map(o => o.value)"
    )
    page.get_by_label("Refuse with code").fill("ApiCallLimit")
    page.get_by_label("ban, s").fill("30")
    page.get_by_role("button", name="Switch on").click()
    expect(page.locator("#at-work")).to_have_text("at work: ApiCallLimit=30")
    assert [str(fault) for fault in stand.faults.active] == ["ApiCallLimit=30"]
    page.get_by_role("button", name="Switch off ApiCallLimit").click()
    expect(page.locator("#at-work")).to_have_text("(none at work)")
    page.get_by_label("Refuse with code").fill("NoSuchCode")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("'NoSuchCode' is no fault.")).to_be_visible()
    assert not stand.faults


EVIL = '<img src=x onerror="alert(1)"><script>alert(2)</script>{{token}}'


def test_what_a_caller_sends_is_inert(new_page: Any, stand: Stand) -> None:
    page = opened(new_page(), stand)
    for _ in range(2):
        httpx.get(f"{stand.url}/sync", params={"method": EVIL, EVIL: EVIL}, headers={"x": EVIL},
                  trust_env=False)  # fmt: skip
    expect(page.locator("#rows tr")).to_have_count(2)
    page.reload()
    expect(page.locator("#rows tr")).to_have_count(2)
    page.locator(".pick").first.click()
    expect(page.get_by_text("Parameters", exact=True)).to_be_visible()
    assert EVIL in page.locator("#detail").inner_text()
    assert page.locator("main img, #detail img, main script, #detail script").count() == 0


def test_values_are_shown_only_when_asked_for(new_page: Any, stand: Stand) -> None:
    stand.client.exchange(stand.box.code())
    token = stand.client.token.access_token.reveal()
    page = opened(new_page(), stand)
    page.locator(".pick").first.click()
    page.get_by_role("button", name="Show values").press("Enter")
    expect(page.get_by_text("This request's tokens and codes are shown.")).to_be_visible()
    assert token in page.locator("#detail").inner_text()
    page.get_by_role("button", name="Hide values").press("Enter")
    expect(page.get_by_role("button", name="Show values")).to_be_visible()
    assert token not in page.content()
    assert SECRET not in page.content()


def test_the_notebook_and_the_har_are_downloaded(
    new_page: Any, stand: Stand, tmp_path: Path
) -> None:
    stand.fill()
    page = opened(new_page(), stand)
    page.locator(".pick").nth(2).click()
    with page.expect_download() as notebook:
        page.get_by_role("link", name="Open in a notebook").click()
    assert notebook.value.suggested_filename == "request-4.ipynb"
    book = json.loads(Path(notebook.value.path()).read_text(encoding="utf-8"))
    assert "alinb.diagnose" in book["cells"][1]["source"]
    with page.expect_download() as har:
        page.get_by_role("link", name="Export HAR").first.click()
    assert len(intake.read_all(Path(har.value.path()).read_text(encoding="utf-8"))) == 6


def test_it_goes_on_after_the_program_was_started_again(new_page: Any) -> None:
    first = Stand()
    page = opened(new_page(), first)
    first.client.call("no.such.method")
    expect(page.locator("#rows tr")).to_have_count(1)
    first.close()
    expect(page.get_by_text("○ not connected")).to_be_visible()


def test_without_a_script_it_is_a_plain_table(new_page: Any, stand: Stand) -> None:
    stand.fill()
    page = new_page(java_script_enabled=False)
    page.goto(f"{stand.url}/inspector")
    assert len(calls(page)) == 6
    expect(page.get_by_text("No request yet.")).to_be_hidden()


def test_five_hundred_rows_are_drawn_at_once(new_page: Any, stand: Stand) -> None:
    for i in range(500):
        came = Incoming("GET", f"http://127.0.0.1/sync?method={QUERY}&x={i}", at=1_800_000_000 + i)
        content = b'{"error_response":{"code":"IncompleteSignature","msg":"x"}}'
        stand.exchanges.add(Exchange(stand.exchanges.number(), came, 200, (), content))
    page = opened(new_page(), stand)
    expect(page.locator("#rows tr")).to_have_count(500)
    took = [page.evaluate(_DRAWING) for _ in range(5)]
    bare = min(page.evaluate(_BARE) for _ in range(5))
    assert page.locator("#rows tr").count() == 500
    # A loaded machine is slow at anything: then it may take so much of what bare boxes take.
    assert min(took) < max(100, 5 * bare)


#: How long as many boxes with a word in each take, in ms.
_BARE = """() => {
  const began = performance.now();
  const all = document.createElement("div");
  for (let i = 0; i < 500 * 9; i++) {
    const box = document.createElement("div");
    box.textContent = "a.b";
    all.append(box);
  }
  document.body.append(all);
  document.body.offsetHeight;
  const took = performance.now() - began;
  all.remove();
  return took;
}"""

#: How long the page takes to draw 500 new rows and lay them out, in ms.
_DRAWING = """() => {
  drop(null);
  const row = { at: 1.8e9, verb: "GET", call: "a.b", verdict: "ok", code: "", ms: 1, faults: [] };
  const news = [...Array(500).keys()].map((i) => ({ ...row, number: 1000 + i }));
  const began = performance.now();
  add(news);
  tidy();
  document.body.offsetHeight;
  return performance.now() - began;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_wider_than_the_window_and_all_text_can_be_read(
    new_page: Any, stand: Stand, scheme: str, width: int, tmp_path: Path
) -> None:
    stand.fill()
    page = opened(
        new_page(viewport={"width": width, "height": 800}, color_scheme=scheme,
                 reduced_motion="reduce"), stand,
    )  # fmt: skip
    page.locator("#faults summary").click()
    expect(page.locator(".kind")).to_have_count(23)
    page.locator(".pick").nth(3).click()
    expect(page.get_by_text("Proved: the API path")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(_CONTRASTS) == []
    assert page.evaluate("document.getAnimations().length") == 0
    page.screenshot(path=tmp_path / f"inspector-{scheme}-{width}.png", full_page=True)


#: Texts whose contrast with what is behind them is under 4.5 (WCAG 2.1, 1.4.3).
_CONTRASTS = """() => {
  const channels = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) {
    const c = channels(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  const poor = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || !e.offsetParent || e.tagName === "OPTION") continue;
    const a = light(channels(getComputedStyle(e).color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.push(`${e.tagName}.${e.className} ${e.innerText.slice(0, 30)} ${ratio}`);
  }
  return poor;
}"""


@pytest.fixture
def served() -> Iterator[Sandbox]:
    with Sandbox(app_key=KEY, secret=SECRET, products=6).serve() as box:
        yield box


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 320)])
@pytest.mark.parametrize("decision", ["Allow", "Deny"])
def test_consent_by_keyboard_alone(
    new_page: Any, served: Sandbox, decision: str, scheme: str, width: int, tmp_path: Path
) -> None:
    page = new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto(alinb.authorize(served.app, f"{served.url}/callback").url)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(_CONTRASTS) == []
    page.screenshot(path=tmp_path / "consent.png", full_page=True)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "buyer"
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.value") == "seller"
    tab_to(page, decision, 3)
    page.keyboard.press("Enter")
    if decision == "Deny":
        expect(page.get_by_role("heading")).to_have_text("alinb sandbox: access was not allowed")
        return
    expect(page.get_by_role("heading")).to_have_text("alinb sandbox: copy this address")
    callback = alinb.parse_callback(page.locator("pre").inner_text())
    with alinb.Client(served.app, journal=False) as client:
        assert client.exchange(callback).access_token
