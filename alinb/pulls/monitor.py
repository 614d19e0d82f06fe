"""How a pull is doing, live, and the handles to hold it, let it go on, or end it."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from ..pacing import Lane
from .frontier import Frontier

#: The achieved rate is that of so many of the last seconds.
WINDOW_S = 10.0


@dataclass(frozen=True, slots=True)
class Stats:
    """One moment of a pull.

    Rates are calls a second: `rate` achieved in the last ten seconds, `permitted` by the pacer.
    Times are s: `elapsed_s`; `waited_s` summed over the calls that waited for their turn;
    `banned_s` of bans; `remaining_s` an estimate, None where nobody can tell. `pages` counts those
    in hand, `kept_pages` of them from an earlier run. `state` is ready, running, paused, stopping,
    done or stopped.
    """

    state: str = "ready"
    pages: int = 0
    expected_pages: int | None = None
    kept_pages: int = 0
    records: int = 0
    duplicates: int = 0
    calls: int = 0
    retries: int = 0
    refusals: int = 0
    refreshes: int = 0
    under_way: int = 0
    rate: float = 0.0
    permitted: float = 0.0
    elapsed_s: float = 0.0
    waited_s: float = 0.0
    banned_s: float = 0.0
    remaining_s: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        pages = f"{self.pages} of {self.expected_pages}" if self.expected_pages else self.pages
        parts = [
            f"{pages} pages", f"{self.records} records",
            f"{self.rate:.1f} of {self.permitted:.1f} calls/s",
            f"{self.refusals} refusals", f"{self.retries} retries",
        ]  # fmt: skip
        if self.remaining_s is not None and self.state == "running":
            parts.append(f"about {self.remaining_s:.0f} s left")
        return f"{self.state}: " + ", ".join(parts)


class Monitor:
    """Counts what a pull does, from whatever thread; `listeners` are told of each page.

    `history` has (s since the start, calls a second achieved, permitted, refusals so far) about
    once a second, for a plot.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(("calls", "retries", "refusals", "refreshes", "duplicates"), 0)
        self._seconds = {"waited_s": 0.0, "banned_s": 0.0}
        self._sent: deque[float] = deque(maxlen=4096)
        self._began: float | None = None
        self._ended: float | None = None
        self._kept_pages = 0
        self._paused = threading.Event()
        self.stopping = threading.Event()
        self._frontier: Frontier | None = None
        self._lane: Lane | None = None
        self._shown: Stats | None = None
        self.history: list[tuple[float, float, float, int]] = []
        self.listeners: list[Callable[[Stats], None]] = []
        #: Set while a loop runs: tells it to look again.
        self.wake: Callable[[], object] | None = None

    def ready(self) -> None:
        """A run is asked for: a stop of the one before counts no more, one from now on does."""
        self.stopping.clear()

    def begin(self, frontier: Frontier, lane: Lane) -> None:
        self._frontier, self._lane = frontier, lane
        self._kept_pages = frontier.pages
        self._began, self._ended = self._clock(), None

    def end(self) -> None:
        self._ended = self._clock()
        self._sample()

    def pause(self) -> None:
        """Send nothing more until `go_on()`; what is under way comes in."""
        self._paused.set()

    def go_on(self) -> None:
        self._paused.clear()
        self._woken()

    def stop(self) -> None:
        """Send nothing more; what is under way comes in, and the pull ends as it is."""
        self.stopping.set()
        self._paused.clear()
        self._woken()

    def _woken(self) -> None:
        wake = self.wake
        if wake is not None:
            wake()

    @property
    def paused(self) -> bool:
        return self._paused.is_set()

    def sent(self, waited_s: float) -> None:
        with self._lock:
            self._counts["calls"] += 1
            self._seconds["waited_s"] += waited_s
            self._sent.append(self._clock())

    def count(self, what: str, number: int = 1) -> None:
        with self._lock:
            self._counts[what] += number

    def refused(self, ban_s: float) -> None:
        with self._lock:
            self._counts["refusals"] += 1
            self._seconds["banned_s"] += ban_s

    def page(self) -> None:
        """A page is in hand."""
        self._sample()
        if self.listeners:
            stats = self.stats()
            for listener in self.listeners:
                listener(stats)

    def show(self, stats: Stats) -> None:
        """Figures from elsewhere, such as the workers of a cluster."""
        self._shown = stats
        if stats.elapsed_s and stats.permitted:
            self.history.append((stats.elapsed_s, stats.rate, stats.permitted, stats.refusals))

    def stats(self) -> Stats:
        """Where the pull is at this moment."""
        if self._shown is not None:
            return self._shown
        now = self._ended if self._ended is not None else self._clock()
        frontier, lane = self._frontier, self._lane
        if frontier is None or lane is None or self._began is None:
            return Stats()
        elapsed = now - self._began
        pages, expected = frontier.pages, frontier.expected_pages
        with self._lock:
            counts, seconds = dict(self._counts), dict(self._seconds)
            counts["retries"] += frontier.checks
            rate = self._rate(now)
        remaining, ban = None, lane.banned_for()
        # A ban empties the window: what was achieved before it says nothing of what comes after.
        pace = lane.rate if ban and lane.rate < math.inf else rate
        if expected is not None and pace > 0 and self._ended is None:
            remaining = ban + max(0, expected - pages) / pace
        return Stats(
            state=self._state(),
            pages=pages,
            expected_pages=expected,
            kept_pages=self._kept_pages,
            records=frontier.rows,
            under_way=frontier.under_way,
            rate=rate,
            permitted=lane.rate,
            elapsed_s=elapsed,
            remaining_s=remaining,
            **counts,
            waited_s=seconds["waited_s"],
            banned_s=seconds["banned_s"],
        )

    def _state(self) -> str:
        if self._ended is not None:
            return "done" if self._frontier and self._frontier.finished else "stopped"
        if self.stopping.is_set():
            return "stopping"
        return "paused" if self.paused else "running"

    def _rate(self, now: float) -> float:
        recent = [at for at in self._sent if at > now - WINDOW_S]
        if len(recent) < 2:
            return 0.0
        return (len(recent) - 1) / max(recent[-1] - recent[0], 1e-3)

    def _sample(self) -> None:
        if self._began is None or self._lane is None:
            return
        now = self._clock()
        if self.history and now - self._began - self.history[-1][0] < 1.0:
            return
        with self._lock:
            recent = sum(at > now - 1.0 for at in self._sent)
            row = (now - self._began, float(recent), self._lane.rate, self._counts["refusals"])
        self.history.append(row)
