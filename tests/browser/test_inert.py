"""HTML in every parameter, reply and error of all six panels at once: shown, and never run."""

import pytest

expect = pytest.importorskip("playwright.sync_api").expect

EVIL = (
    '<img src=x onerror="window.evil=1"><script>window.evil=1</script>'
    "<a href=\"javascript:window.evil=1\" onfocus='window.evil=1'>x</a>"
)
#: A gateway that answers with it: `answers` in turn to business calls, else refusals.
GATEWAY = f"""
import json, threading, alinb
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
EVIL = {EVIL!r}

class Gateway(BaseHTTPRequestHandler):
    answers = []

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        wrong = {{"code": EVIL, "type": EVIL, "message": EVIL, "request_id": EVIL}}
        takes = "/sync" in self.path and self.answers
        body = json.dumps(self.answers.pop() if takes else wrong).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args): pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
threading.Thread(target=server.serve_forever, daemon=True).start()
at = f"http://127.0.0.1:{{server.server_port}}"
app = alinb.App("500102", "a-secret-of-no-one", alinb.Platform.named("aliexpress").at(at))
token = alinb.Token(alinb.Secret("a-token-of-no-one", "access_token"))
client = alinb.Client(app, token=token, journal=alinb.Journal("inert.sqlite3"))
NAME = "aliexpress.ds.category.get"
RECORDS = {{"code": "0", "request_id": EVIL, "result": [{{EVIL: EVIL, "b": {{EVIL: EVIL}}}}] * 3}}
Gateway.answers.append(RECORDS)
records = client.call(NAME, **{{EVIL: EVIL}})
refused = client.send(alinb.mistaken(client.sign(NAME, **{{EVIL: EVIL}}), "secret_wrapped"))
Gateway.answers.append(RECORDS)
"""
CELLS = (
    GATEWAY,
    "bench = alinb.SignatureBench(client.sign(NAME, **{EVIL: EVIL}))\nbench",
    "walk = alinb.OAuthWalkthrough(app)\nwalk",
    "explorer = alinb.ApiExplorer(client, NAME)\nexplorer",
    "attempts = alinb.AttemptBrowser(client.journal)\nattempts",
    "compare = alinb.AttemptCompare(1, 2, client.journal)\ncompare",
    'monitor = alinb.PullMonitor(client.pull("aliexpress.ds.text.search", keyWord=EVIL,'
    ' local="en_US", countryCode="US", currency="USD"))\nmonitor',
)
STILL = """
for panel in (bench, walk, explorer, attempts, compare, monitor):
    print(panel._repr_html_())
"""
SHOWN = "<img src=x onerror="


def harmed(page):
    """What of it came alive anywhere in the notebook."""
    return page.evaluate("""() => [
      ...(window.evil ? ["a script ran"] : []),
      ...[...document.querySelectorAll(".alinb-panel :is(img, script, [onerror], [onfocus],"
        + " [href^=javascript])")].map(node => node.outerHTML),
    ]""")


@pytest.fixture
def panels(notebook):
    book = notebook(*CELLS)
    page = book.page
    page.set_viewport_size({"width": 1280, "height": 9000})
    found = page.locator(".alinb-panel")
    expect(found).to_have_count(6, timeout=60_000)
    yield book, [found.nth(number) for number in range(6)]
    page.set_viewport_size({"width": 1280, "height": 900})


def test_html_anywhere_is_shown_and_never_run(panels, browser):
    book, (bench, walk, explorer, attempts, compare, monitor) = panels
    said = {panel: panel.get_by_role("status") for panel in (walk, explorer, attempts, monitor)}

    expect(bench.locator(".string")).to_contain_text(SHOWN)
    bench.get_by_label("API name").fill(EVIL)
    bench.get_by_role("button", name="Use this name").click()
    expect(bench.get_by_role("status")).to_contain_text("✗")
    bench.locator("summary", has_text="Paste a request").click()
    bench.get_by_label("Request").fill(EVIL)
    bench.get_by_role("button", name="Lay it on the bench").click()
    bench.get_by_role("button", name="Add a parameter").click()
    bench.get_by_label("Name of the new parameter").fill(f"zz{EVIL}")
    expect(bench.locator(".string .pair").last).to_contain_text(f"zz{SHOWN}")

    walk.get_by_label("Callback address").fill("3_500102_acodethatisnone")
    walk.get_by_label("Callback address").press("Enter")
    expect(said[walk]).to_contain_text(SHOWN)
    expect(walk.locator("[data-key=try-1]")).to_contain_text(SHOWN)

    explorer.locator("summary", has_text="Other parameters").click()
    explorer.get_by_label("One a line").fill(f"{EVIL}={EVIL}")
    expect(explorer.locator(".sent")).to_contain_text(SHOWN)
    explorer.get_by_label("Search the names").fill(EVIL)
    expect(explorer.locator("[data-key=near]")).to_be_visible()
    explorer.get_by_role("button", name="Send").click()
    expect(explorer.locator("table.records").first).to_contain_text(SHOWN)
    explorer.get_by_role("button", name="Send").click()
    expect(said[explorer]).to_contain_text(SHOWN)
    expect(explorer.locator(".tree")).to_contain_text(SHOWN)

    attempts.get_by_role("button", name="Open attempt 2").click()
    expect(attempts.locator("[data-key=attempt-2]")).to_contain_text(SHOWN)
    attempts.get_by_label("Export the marked").select_option("har")
    attempts.get_by_role("button", name="Export", exact=True).click()
    expect(attempts.locator("[data-key=export-har]")).to_contain_text("<img src=x")
    expect(compare.locator("table.sides").first).to_contain_text(SHOWN)

    monitor.get_by_role("button", name="Start").click()
    expect(said[monitor]).to_contain_text("✗", timeout=30_000)
    expect(said[monitor]).to_contain_text(SHOWN)
    book.page.wait_for_timeout(300)
    assert harmed(book.page) == []
    stored = browser.new_page()
    stored.set_content(book.python(STILL))
    expect(stored.locator(".alinb-panel")).to_have_count(6)
    for number in range(6):
        assert SHOWN in stored.locator(".alinb-panel").nth(number).text_content()
    stored.wait_for_timeout(300)
    assert harmed(stored) == []
    stored.close()
