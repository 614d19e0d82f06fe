"""PullMonitor over real pulls against a sandbox: start, pause, resume, stop, go on, watch."""

import html
import re
import threading
import time

import pytest
from ipywidgets.widgets.widget import _instances

import alinb
from alinb.errors import SignatureRefused
from alinb.widgets.base import Event

LAMP = {"keyWord": "lamp", "local": "en_US", "countryCode": "US", "currency": "USD"}
SECRET = "s3cretCANARY0123456789"
#: Pages under way at most, which still come in after a pause.
CREW = 2


@pytest.fixture
def client():
    with alinb.sandbox(secret=SECRET) as box, alinb.Client(box) as made:
        made.exchange(box.code())
        yield made


@pytest.fixture
def watching(client):
    made = []

    def make(qps=20.0, **how):
        options = {k: how.pop(k) for k in ("path", "limit") if k in how}
        given = {"pageSize": 10, "concurrency": CREW, "qps": qps, **LAMP, **how}
        pull = client.pull("aliexpress.ds.text.search", **given)
        made.append(alinb.PullMonitor(pull, tick_s=0.02, **options))
        return made[-1]

    yield make
    for panel in made:
        panel.close()


def until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def figures(panel):
    page = re.findall("<li><strong>([^<]+)</strong> ([^<]+)</li>", panel.view)
    return {what: html.unescape(figure) for figure, what in page}


def test_a_pull_runs_to_its_end_in_the_panel(watching):
    panel = watching(qps=200.0)
    assert panel.status == "Not started yet."
    panel.act("start")
    table = panel.wait(30)
    assert len(table) == 417
    until(lambda: panel.status == "✓ Done: every page is in hand.")
    assert "42 of 42 pages" in panel.view
    assert figures(panel)["records"] == "417"
    assert figures(panel)["refusals of the rate"] == "0"
    assert "aliexpress.ds.text.search done: 42 of 42 pages" in str(panel)


def test_a_paused_pull_sends_nothing_until_it_goes_on(watching):
    panel = watching()
    panel.act("start")
    until(lambda: panel.pull.stats.pages >= 2)
    panel.act("pause")
    assert panel.status.startswith("Paused")
    assert ">Resume</button>" in panel.view
    until(lambda: panel.pull.stats.pages == panel.pull.stats.calls)  # what was sent has come in
    held = panel.pull.stats.calls
    time.sleep(0.4)
    assert panel.pull.stats.calls == held
    assert int(figures(panel)["waiting or under way"]) <= CREW
    panel.act("resume")
    until(lambda: panel.pull.stats.calls > held)
    assert panel.status == "… Running."


def test_a_stopped_pull_keeps_what_came_and_goes_on_from_there(watching):
    panel = watching()
    panel.act("start")
    until(lambda: panel.pull.stats.pages >= 3)
    panel.act("stop")
    part = panel.wait(10)
    until(lambda: panel.status.startswith("Stopped."))
    assert 0 < len(part) < 417
    calls = panel.pull.stats.calls
    assert calls < 42
    until(lambda: ">Go on from there</button>" in panel.view)
    panel.pull.pacer.lane(panel.pull.plan.name, 200.0)
    panel.act("start")
    until(lambda: panel.status.startswith("✓ Done"))
    assert len(panel.wait(30)) == 417
    assert int(figures(panel)["calls"]) >= 42


def test_the_rate_stands_beside_what_is_permitted(watching):
    panel = watching()
    panel.act("start")
    until(lambda: panel.pull.stats.pages >= 10)
    panel.draw()
    rate, permitted = re.search(
        r"([\d.]+) of ([\d.]+) calls a second permitted", panel.view
    ).groups()
    assert 0 < float(rate) <= float(permitted) * 1.05 <= 21
    gauge = re.search(r'<progress value="([\d.]+)" max="([\d.]+)" aria-label="Calls', panel.view)
    assert float(gauge[1]) <= float(gauge[2])
    panel.act("stop")


def test_what_ends_a_pull_early_is_told():
    with alinb.sandbox() as box:
        box.serve()
        other = alinb.App(box.app.key, "another secret", box.app.platform)
        with alinb.Client(box) as ours:
            token = ours.exchange(box.code())
        with alinb.Client(other, token=token) as client:
            panel = alinb.PullMonitor(
                client.pull("aliexpress.ds.text.search", **LAMP, qps=200.0), tick_s=0.02
            )
            panel.act("start")
            panel.wait(20)
            until(lambda: panel.status.startswith("✗"))
            assert "IncompleteSignature" in panel.status
            assert isinstance(panel.failure, SignatureRefused)
            assert panel.last_error is panel.failure
            assert panel.result is None
            until(lambda: ">Go on from there</button>" in panel.view)
            panel.close()


def test_a_pull_into_a_file(watching, tmp_path):
    panel = watching(qps=200.0, path=tmp_path / "lamps.csv")
    panel.act("start")
    assert panel.wait(30).complete
    assert (tmp_path / "lamps.csv").read_text(encoding="utf-8").count("\n") == 418
    assert "pull.to_file(" in html.unescape(panel.view)


def test_a_pull_that_runs_elsewhere_is_watched_and_not_stopped_with_the_panel(watching):
    panel = watching()
    held = []
    runner = threading.Thread(target=lambda: held.append(panel.pull.frame()))
    runner.start()
    until(lambda: panel.status == "… Running.")
    assert ">Start</button>" not in panel.view
    panel.close()
    panel.pull.pacer.lane(panel.pull.plan.name, 200.0)
    runner.join(30)
    assert len(held[0]) == 417


def test_closing_stops_the_pull_that_the_panel_started_and_frees_all(watching):
    before, threads = len(_instances), threading.active_count()
    panel = watching()
    panel.act("start")
    until(lambda: panel.pull.stats.pages >= 2)
    panel.close()
    until(lambda: panel.pull.stats.state == "stopped")
    assert len(_instances) == before
    until(lambda: threading.active_count() <= threads)
    assert panel.pull.stats.calls < 42


def test_an_idle_panel_draws_nothing(watching):
    panel = watching()
    drawn = []
    panel.observe(drawn.append, "view")
    time.sleep(0.2)
    assert drawn == []


def test_nothing_secret_and_nothing_injected_is_shown(client, watching):
    evil = "<img src=x onerror=alert(1)>"
    panel = watching(qps=200.0, keyWord=evil, limit=20)
    panel.act("start")
    panel.wait(20)
    until(lambda: not panel.busy)
    panel.pull.refused.append({"keyWord": evil, "code": evil, "message": SECRET})
    panel.draw()
    data, _ = panel._repr_mimebundle_()
    shown = "\n".join([str(panel.get_state()), str(data), repr(panel), str(panel)])
    assert "<img" not in panel.view + panel._repr_html_()
    token = client.token
    for canary in (SECRET, token.access_token.reveal(), token.refresh_token.reveal()):
        assert canary not in shown


def test_the_buttons_are_those_that_do_something(watching):
    panel = watching()

    def offered():
        return re.findall(r"<button(?![^>]*disabled)[^>]*>(\w[^<]*)</button>", panel.view)

    assert offered()[:1] == ["Start"]
    assert "Stop" not in offered()
    panel.act("start")
    until(lambda: panel.state == "running")
    panel.draw()
    assert offered()[:2] == ["Pause", "Stop"]
    panel.act("stop")
    panel.act("nothing", Event())
    assert "no action 'nothing'" in panel.status
