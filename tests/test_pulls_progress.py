"""The bars of a pull: what they say while it runs, and what they say at its end."""

import io
import re
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from alinb import App, Client, Platform
from alinb.pacing import Pacer
from alinb.pulls import Stats, progress
from tests.pages import QUERY, Pages, serving


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A wide terminal in the place of standard error; no fixture, as pytest puts its own back."""
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "300")
    return screen


@pytest.fixture
def pages() -> Iterator[Pages]:
    """Twenty pages at 50 a second, the second of which is refused once."""

    def limited(page: int, nth: int) -> str:
        return "limit" if (page, nth) == (2, 1) else ""

    with serving(Pages(total=1000, latency_s=0.05, fault=limited, ban_s=0)) as started:
        yield started


@pytest.fixture
def search(pages: Pages) -> Callable[..., Any]:
    platform = Platform.named("aliexpress").at(pages.url)
    client = Client(App("500102", "a-secret", platform), journal=False)

    def made(**how: Any) -> Any:
        return client.pull(QUERY, keywords="lamp", page_size=50, **{"pacer": Pacer(100), **how})

    return made


@pytest.mark.parametrize(
    ("stats", "text"),
    [
        (Stats(rate=48.96, permitted=49, records=1200), "49.0 of 49.0/s, 1200 records"),
        (Stats(records=3, calls=4, waited_s=2), "0.0 of 0.0/s, 3 records, 0.50 s wait"),
        (Stats(refusals=2, banned_s=31), "0.0 of 0.0/s, 0 records, 2 refused, 31 s of bans"),
        (Stats(remaining_s=59.4), "0.0 of 0.0/s, 0 records, 0:59 left"),
        (Stats(remaining_s=3725), "0.0 of 0.0/s, 0 records, 1:02:05 left"),
        (Stats(state="paused"), "paused: 0.0 of 0.0/s, 0 records"),
    ],
)
def test_the_words_of_a_bar(stats: Stats, text: str) -> None:
    assert progress.said(stats) == text


def frames_of(screen: Terminal) -> list[str]:
    """What a terminal showed one after the other, without its colours."""
    return re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue()))


def test_a_bar_in_a_terminal(search: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    screen = terminal(monkeypatch)
    assert search(progress=True).frame().shape[0] == 1000
    shown = [frame.rstrip() for frame in frames_of(screen) if QUERY in frame]
    running = [frame for frame in shown if re.search(r" \d+/20 ", frame)]
    assert running, shown
    words = r"\d+\.\d of \d+\.\d/s, \d+ records, 1 refused, 1 s of bans, \d\.\d\d s wait"
    assert any(re.search(words + r", 0:0\d left$", frame) for frame in running), running
    assert re.search(r" 20/20 \d+\.\d of \d+\.\d/s, 1000 records, ", running[-1])
    assert not running[-1].endswith("left")


@pytest.mark.filterwarnings("ignore::Warning")
def test_a_bar_in_a_notebook(search: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are no widgets, tqdm draws the same as text."""
    screen = terminal(monkeypatch)
    tqdm = pytest.importorskip("tqdm")
    monkeypatch.setattr("tqdm.auto.tqdm", tqdm.tqdm)
    monkeypatch.setattr(progress, "_in_notebook", lambda: True)
    assert search().frame().shape[0] == 1000
    last = [frame for frame in frames_of(screen) if QUERY in frame][-1].rstrip()
    assert re.search(r": 100%\|.+\| 20/20 \[00:0\d<00:00, +\d+\.\d+ pages/s, ", last), last
    assert "1000 records, 1 refused, 1 s of bans" in last


def test_a_ban_is_part_of_what_is_left(search: Callable[..., Any], pages: Pages) -> None:
    pages.ban_s, told = 3, list[Stats]()
    search(progress=told.append).frame()
    first = next(stats.remaining_s for stats in told if stats.refusals)
    assert 3 < (first or 0) < 6, "the ban, one second more, and the other pages"


def test_nobody_watches(
    search: Callable[..., Any], pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages.fault = None
    for quiet in ({"progress": False}, {}):
        monkeypatch.setattr("sys.stderr", io.StringIO())
        search(**quiet).frame()
        assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


def test_a_function_is_told_of_the_end(search: Callable[..., Any], pages: Pages) -> None:
    pages.fault, told = None, list[Stats]()
    search(progress=told.append).frame()
    assert [stats.state for stats in told[:-1]] == ["running"] * (len(told) - 1)
    assert len(told) > 1
    assert (told[-1].state, told[-1].pages, told[-1].records) == ("done", 20, 1000)
    assert told[-1].remaining_s is None
    assert str(told[-1]).startswith("done: 20 of 20 pages, 1000 records, ")


def test_a_function_that_fails_ends_the_pull(
    search: Callable[..., Any], pages: Pages, tmp_path: Any
) -> None:
    """What came is kept; nothing more is sent."""
    pages.total, pages.fault, out = 5000, None, tmp_path / "lamps.jsonl"

    def fail(stats: Stats) -> None:
        if stats.pages >= 8:
            raise ZeroDivisionError

    pull = search(progress=fail)
    with pytest.raises(ZeroDivisionError):
        pull.to_jsonl(out)
    asked = sum(pages.asked.values())
    assert 8 <= asked < 90
    time.sleep(0.3)
    assert sum(pages.asked.values()) == asked
    assert pull.stats.state == "stopped"
    assert search(progress=False).to_jsonl(out).records == 5000
    assert sum(pages.asked.values()) <= 101 + 16
