"""Keep values out of tracebacks and pickles: what failed shows where, not with what."""

from __future__ import annotations

import functools
import logging
import re
import traceback
from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import fields, replace
from typing import Any, ParamSpec, Self, TypeVar

from .redact import hide

P = ParamSpec("P")
R = TypeVar("R")


def quiet(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, whose errors carry no local values of alinb's or of what it called.

    `%xmode Verbose`, rich's `show_locals`, error trackers and `%debug` read them from the frames of
    a traceback, where a URL, a form or a reply would tell a code or a token. Lines and names stay.
    """

    @functools.wraps(function)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            args = kwargs = None  # type: ignore[assignment]
            forget(error)
            raise

    return inner


def quiet_async(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """The same for a coroutine function."""

    @functools.wraps(function)
    async def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await function(*args, **kwargs)
        except BaseException as error:
            args = kwargs = None  # type: ignore[assignment]
            forget(error)
            raise

    return inner


def forget(error: BaseException) -> None:
    """Empty the ended frames of an error, of what led to it and of what it was raised for.

    What an error was raised from None for is let go: no traceback shows it, but some picklers
    (tblib, which Dask brings) take it along, and an error of httpx holds the whole request.
    """
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        traceback.clear_frames(one.__traceback__)
        if one.__suppress_context__:
            one.__context__ = None
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


class Copied:
    """A dataclass that is copied by its fields, so that pickling may hide what a copy keeps."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return replace(self)  # type: ignore[type-var]

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        inner = {each.name: deepcopy(getattr(self, each.name), memo) for each in fields(self)}  # type: ignore[arg-type]
        return replace(self, **inner)  # type: ignore[type-var]


class HideSecrets(logging.Filter):
    """For the loggers of libraries that are handed whole URLs and headers of ours."""

    @classmethod
    def watch(cls, *loggers: str) -> None:
        for name in loggers:
            logging.getLogger(name).addFilter(cls())

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true: the record goes on, without what would tell a secret."""
        if isinstance(record.msg, str):
            record.msg = _HEADER.sub(_header, hide(record.msg))
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg if arg is None or isinstance(arg, int | float) else hide(str(arg))
                for arg in record.args
            )
        return True


#: A logger of its own has each part of httpcore; filters are not handed down.
LOGGERS = tuple(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks"))

#: Response headers that tell nothing; the gateway may put anything into the others.
_SHOWN = frozenset(
    {"content-type", "content-length", "content-encoding", "transfer-encoding", "connection",
     "date", "server", "vary", "cache-control", "keep-alive", "retry-after"}
)  # fmt: skip
_HEADER = re.compile(r"""\((b'([^']*)'), b(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\)""")


def _header(found: re.Match[str]) -> str:
    """A header as httpcore logs it."""
    return found[0] if found[2].lower() in _SHOWN else f"({found[1]}, ‹hidden›)"
