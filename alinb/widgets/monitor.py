"""PullMonitor: a pull while it runs, with its rate against what is permitted, to pause and stop."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import AlinbError
from ..redact import Secret
from ..render import Markup, join, tag
from .base import Event, Panel
from .elements import button, code_block, part, spell_seconds

#: How often a running pull is looked at, in s.
TICK_S = 0.5
#: How many of the last seconds the row of bars shows.
BARS = 60
_BLOCKS = "▁▂▃▄▅▆▇█"
_STATES = {
    "ready": ("Not started yet.", ""),
    "running": ("Running.", "busy"),
    "paused": ("Paused: nothing more is sent, what is under way comes in.", ""),
    "stopping": ("Stopping: what is under way comes in.", "busy"),
    "done": ("Done: every page is in hand.", "good"),
    "stopped": ("Stopped. What came is kept; it can go on from there.", ""),
}


class PullMonitor(Panel):
    """A pull as it runs: pages, rate against quota, waits, refusals; pause, resume, stop.

    `pull` is what `client.pull(…)` gives. The panel starts it, into a frame or into the file at
    `path`, or watches one that runs elsewhere. `result` is then the DataFrame, or what became of
    the file; `pull.so_far()` has what came in the meantime. `limit` is the most records. Closing
    the panel, as running its cell again does, stops a pull that the panel has started.

        monitor = alinb.PullMonitor(client.pull("aliexpress.ds.text.search", keyWord="lamp", …))
        monitor                               # in a cell; then, when it is done:
        monitor.result
    """

    title = "Pull"

    def __init__(
        self,
        pull: Any,
        path: str | Path = "",
        *,
        limit: int | None = None,
        tick_s: float = TICK_S,
    ) -> None:
        self.pull, self.path, self.limit = pull, str(path), limit
        #: What the pull gave, once it ended.
        self.result: Any = None
        #: What ended it early, if anything.
        self.failure: Exception | None = None
        self._tick_s = tick_s
        self._worker: threading.Thread | None = None
        self._working = False
        self._over, self._looking = threading.Event(), threading.Lock()
        self._seen: tuple[str, Any] = ("", None)
        super().__init__()
        self._look()
        threading.Thread(target=self._watch, name="alinb-monitor", daemon=True).start()

    # ---- what a person does; the actions of the page call these

    def start(self) -> None:
        """Begin the pull, or go on with one that was stopped; it runs beside the kernel's cells."""
        if self.busy:
            return
        if self.pull.progress is None:
            self.pull.progress = False  # this panel is its bar
        self.failure, self._working = None, True
        self._worker = threading.Thread(target=self._work, name="alinb-monitored", daemon=True)
        self._worker.start()

    def pause(self) -> None:
        """Send nothing more until `resume`."""
        self.pull.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        self.pull.go_on()

    def stop(self) -> None:
        """End it as it is; what is under way comes in, and what came is kept."""
        self.pull.stop()

    def wait(self, timeout_s: float | None = None) -> Any:
        """The result, once the pull that this panel started has ended; None where it has not."""
        if self._worker is not None:
            self._worker.join(timeout_s)
        self._look()
        return self.result

    @property
    def busy(self) -> bool:
        """Whether it runs, by this panel or elsewhere."""
        return self._working or self.state in ("running", "paused", "stopping")

    @property
    def state(self) -> str:
        """ready, running, paused, stopping, done or stopped."""
        return str(self.pull.stats.state)

    def _work(self) -> None:
        try:
            if self.path:
                self.result = self.pull.to_file(self.path, limit=self.limit)
            else:
                self.result = self.pull.frame(self.limit)
        except Exception as error:
            self.failure = self.last_error = error
        self._working, self._seen = False, ("", None)
        with self.guarded():
            self._look()

    def _watch(self) -> None:
        while not self._over.wait(self._tick_s):
            with self.guarded():
                self._look()

    def _look(self) -> None:
        """Draw what is new; the status line changes with the state alone, for it is read out."""
        with self._looking:
            stats = self.pull.stats
            seen = (stats.state, stats)
            if seen == self._seen:
                return
            changed, self._seen = self._seen[0] != stats.state, seen
            if changed:
                self.note(*self._told_state(stats.state))
            self.draw()

    def _told_state(self, state: str) -> tuple[str, str]:
        if self.failure is not None and state not in ("running", "paused"):
            return self.told(self.failure), "bad"
        if state == "stopped" and self.limit is not None and self.result is not None:
            return "Done: the limit is reached.", "good"
        return _STATES[state]

    # ---- actions of the page

    def act_start(self, event: Event) -> None:
        """Start, or go on."""
        self.start()
        self.say("Starting …", "busy")
        self.move_to("pause")

    def act_pause(self, event: Event) -> None:
        """Pause."""
        self.pause()
        self._look()
        self.move_to("resume")

    def act_resume(self, event: Event) -> None:
        """Go on after a pause."""
        self.resume()
        self._look()
        self.move_to("pause")

    def act_stop(self, event: Event) -> None:
        """Stop."""
        self.stop()
        self._look()

    def closing(self) -> None:
        self._over.set()
        if self._working:
            self.pull.stop()

    # ---- how it is shown

    def hidden(self) -> Iterable[Secret | None]:
        client = self.pull.client
        try:
            token = client.token
        except AlinbError:
            token = None
        held = (token.access_token, token.refresh_token) if token else ()
        return (client.app.secret, *held)

    def heading(self) -> str:
        return f"{self.title}: {self.pull.plan.name}"

    def text(self) -> str:
        lines = [f"{self.pull.plan.name} {self.pull.stats}"]
        lines += [f"refused: {_said(row)}" for row in self.pull.refused[:10]]
        return "\n".join(lines)

    def body(self) -> Markup:
        stats = self.pull.stats
        return join(
            self._buttons(stats.state),
            tag("div", _pages(stats), _rate(stats), class_="gauges"),
            tag("ul", [tag("li", tag("strong", figure), f" {what}")
                       for what, figure in _figures(stats)], class_="figures"),
            self._history(),
            self._refused(),
            code_block(self._code()),
        )  # fmt: skip

    def _buttons(self, state: str) -> Markup:
        starting = self._working and state in ("ready", "stopped")
        can_pause = starting or state == "running"
        failed = self.failure is not None and state == "done"
        can_start = not self._working and (failed or state in ("ready", "stopped"))
        label = "Start" if state == "ready" else "Go on from there"
        return tag(
            "div",
            button(label, "start", primary=True, data_key="start") if can_start else None,
            button("Pause", "pause", data_key="pause", data_next=True) if can_pause else None,
            button("Resume", "resume", primary=True, data_key="resume", data_next=True)
            if state == "paused" else None,
            button("Stop", "stop", data_key="stop",
                   disabled=not (can_pause or state == "paused")),
            class_="row tools",
        )  # fmt: skip

    def _history(self) -> Markup | None:
        rates = [row[1] for row in self.pull.history[-BARS:]]
        if len(rates) < 2:
            return None
        most = max(*rates, 1e-9)
        drawn = "".join(_BLOCKS[min(7, int(rate / most * 7.999))] for rate in rates)
        label = f"Calls a second, last {len(rates)} s: {min(rates):.0f} to {max(rates):.0f}"
        return tag("p", label, tag("br"), tag("span", drawn, class_="bars", aria_hidden="true"))

    def _refused(self) -> Markup | None:
        refused = self.pull.refused
        if not refused:
            return None
        shown = [tag("li", _said(row)) for row in refused[:10]]
        more = tag("li", f"… {len(refused) - 10} more in pull.refused") if refused[10:] else None
        return tag("div", part(f"Refused: {len(refused)}"), tag("ul", shown, more),
                   class_="note bad", data_key="refused")  # fmt: skip

    def _code(self) -> str:
        given = [repr(self.pull.plan.name)]
        given += [
            f"{k}={v!r}" for k, v in self.pull.plan.shown_params().items() if k.isidentifier()
        ]
        limit = f"limit={self.limit}" if self.limit is not None else ""
        into = f"to_file({', '.join(filter(None, (repr(self.path), limit)))})"
        return "\n".join([
            "import alinb", "", "client = alinb.Client(alinb.App.from_env())",
            f"pull = client.pull({', '.join(given)})",
            f"pull.{into}" if self.path else f"pull.frame({limit})",
        ])  # fmt: skip


def _pages(stats: Any) -> Markup:
    expected = stats.expected_pages
    text = f"{stats.pages:,} of {expected:,} pages" if expected else f"{stats.pages:,} pages"
    gauge = tag("progress", value=stats.pages, max=expected, aria_label="Pages in hand")
    return tag("div", text, gauge if expected else None)


def _rate(stats: Any) -> Markup:
    text = f"{stats.rate:.1f} of {stats.permitted:.1f} calls a second permitted"
    shown = f"{min(stats.rate, stats.permitted):.2f}"
    gauge = tag("progress", value=shown, max=f"{stats.permitted:.2f}",
                aria_label="Calls a second of those permitted")  # fmt: skip
    return tag("div", text, gauge if stats.permitted else None)


def _figures(stats: Any) -> list[tuple[str, str]]:
    left = stats.remaining_s
    ended = stats.state in ("done", "stopped")
    return [
        ("records", f"{stats.records:,}"),
        ("duplicates", f"{stats.duplicates:,}"),
        ("calls", f"{stats.calls:,}"),
        ("waiting or under way", f"{stats.under_way:,}"),
        ("refusals of the rate", f"{stats.refusals:,}"),
        ("sent again", f"{stats.retries:,}"),
        ("token refreshes", f"{stats.refreshes:,}"),
        ("of waits in all calls", f"{stats.waited_s:.1f} s"),
        ("of bans", f"{stats.banned_s:.0f} s"),
        ("in all" if ended else "so far", f"{stats.elapsed_s:.0f} s"),
        *([] if ended or left is None else [("left", f"about {spell_seconds(max(left, 1))}")]),
    ]


def _said(row: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items() if value)
