"""A bar for people: tqdm in a notebook, rich in a terminal, or whatever function is given."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, TypeAlias

from .monitor import Stats

Progress: TypeAlias = "Callable[[Stats], object] | bool | None"


class Bar(Protocol):
    def update(self, stats: Stats) -> None: ...
    def close(self) -> None: ...


class NoBar:
    def update(self, stats: Stats) -> None: ...
    def close(self) -> None: ...


class Called:
    """Hands the moments of a pull to a function."""

    def __init__(self, function: Callable[[Stats], object]) -> None:
        self._function = function

    def update(self, stats: Stats) -> None:
        self._function(stats)

    def close(self) -> None: ...


class TqdmBar:
    """tqdm.auto: a widget in a notebook, text elsewhere."""

    def __init__(self, name: str) -> None:
        from tqdm.auto import tqdm

        self._bar: Any = tqdm(desc=name, unit=" pages", leave=True)

    def update(self, stats: Stats) -> None:
        if stats.expected_pages:
            self._bar.total = stats.expected_pages
        self._bar.set_postfix_str(said(stats), refresh=False)
        self._bar.update(stats.pages - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class RichBar:
    """rich on standard error."""

    def __init__(self, name: str) -> None:
        from rich import progress
        from rich.console import Console

        self._progress: Any = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[said]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(name, total=None, said="")
        self._progress.start()

    def update(self, stats: Stats) -> None:
        self._progress.update(
            self._task, completed=stats.pages, total=stats.expected_pages, said=said(stats)
        )

    def close(self) -> None:
        self._progress.stop()


def said(stats: Stats) -> str:
    """The part of a bar that is words: rate, waiting, what is left."""
    text = f"{stats.rate:.1f} of {stats.permitted:.1f}/s, {stats.records} records"
    if stats.refusals:
        text += f", {stats.refusals} refused, {stats.banned_s:.0f} s of bans"
    if stats.calls:
        text += f", {stats.waited_s / stats.calls:.2f} s wait"
    if stats.remaining_s is not None:
        text += f", {_clock(stats.remaining_s)} left"
    return f"paused: {text}" if stats.state == "paused" else text


def bar_of(progress: Progress, name: str) -> Bar:
    """The bar that is asked for: None picks by where we are, True wants one, False none."""
    if callable(progress):
        return Called(progress)
    if progress is False:
        return NoBar()
    if _in_notebook():
        with suppress(ImportError):
            return TqdmBar(name)
    if progress or sys.stderr.isatty():
        return RichBar(name)
    return NoBar()


def _in_notebook() -> bool:
    """Whether a kernel runs this: then the page it shows is no terminal."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
