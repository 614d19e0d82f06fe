"""What came and what was answered: the bounded list that the inspector shows."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn
from urllib.parse import urlsplit

from .. import wire
from ..attempts import Attempt

#: How many requests the inspector remembers, and how much of their bodies, in bytes.
REMEMBERED = 500
REMEMBERED_BYTES = 32 * 1024 * 1024


class Incoming:
    """A request as it came; `params` are its parameters from URL and body together.

    `path` is the URL's, percent signs and all. Headers may be given as an ASGI scope has them. What
    only the inspector shows is read when it does.
    """

    __slots__ = ("_headers", "_params", "_wire", "at", "body", "method", "path", "url")

    def __init__(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]] | Sequence[tuple[bytes, bytes]] = (),
        body: bytes = b"",
        at: float = 0.0,
        *,
        path: str | None = None,
    ) -> None:
        self.method, self.url, self.body, self.at = method, url, body, at
        self.path = urlsplit(url).path if path is None else path
        self._headers = headers
        self._wire: wire.Wire | None = None
        self._params: dict[str, str] | None = None

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        return tuple([(_text(name), _text(value)) for name, value in self._headers])

    @property
    def wire(self) -> wire.Wire:
        if self._wire is None:
            self._wire = wire.parse(self.url, self._content_type, self.body)
        return self._wire

    @property
    def files(self) -> dict[str, bytes]:
        """What the file parts hold, by their names."""
        return wire.file_contents(self._content_type, self.body) if self.wire.files else {}

    @property
    def params(self) -> dict[str, str]:
        if self._params is None:
            self._params = dict(self.wire.params)
        return self._params

    def release(self) -> None:
        """Let go of what was read; it is read again where the inspector asks for it."""
        self._wire = self._params = None

    @property
    def _content_type(self) -> str:
        for name, value in self._headers:
            if name == b"content-type":
                return _text(value)
        return wire.header(self.headers, "content-type")

    def __repr__(self) -> str:
        return f"<Incoming {self.method} {len(self.url)} + {len(self.body)} bytes>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a request that came is not pickled; export its attempt, redacted")


def _text(text: str | bytes) -> str:
    return text if isinstance(text, str) else text.decode("latin-1")


#: The headers of nearly every answer.
JSON = (("content-type", "application/json"),)


class Outgoing(NamedTuple):
    """An answer: HTTP status, content as sent, and the refusal's code ("" where it is none)."""

    status: int
    content: bytes
    code: str = ""
    headers: tuple[tuple[str, str], ...] = JSON

    @property
    def body(self) -> dict[str, Any]:
        """The content read as JSON."""
        read: dict[str, Any] = json.loads(self.content)
        return read

    def __repr__(self) -> str:
        return f"<Outgoing {self.status} {self.code} {len(self.content)} bytes>"


class Exchange(NamedTuple):
    """One request and its answer; `faults` are the faults that were at work on it.

    `status` is None where the connection was broken on purpose, or no answer came; `problem` says
    why. `elapsed_ms` is what the answer took.
    """

    number: int
    request: Incoming
    status: int | None
    headers: tuple[tuple[str, str], ...]
    content: bytes
    code: str = ""
    faults: tuple[str, ...] = ()
    problem: str = ""
    elapsed_ms: float | None = None
    source: str = "sandbox"

    @property
    def size(self) -> int:
        return len(self.request.url) + len(self.request.body) + len(self.content)

    def __repr__(self) -> str:
        return f"<Exchange {self.number} {self.request!r} {self.status} {self.code}>"

    def attempt(self) -> Attempt:
        """The same as an attempt, with true values; `Attempt.redacted` hides them."""
        return Attempt(
            method=self.request.method,
            url=self.request.url,
            headers=self.request.headers,
            body=self.request.body.decode("utf-8", "replace"),
            status=self.status,
            reply_headers=self.headers,
            reply_text=self.content.decode("utf-8", "replace"),
            problem=self.problem,
            source=self.source,
            at=self.request.at,
            elapsed_ms=self.elapsed_ms,
        )


@dataclass(eq=False)
class _Listener:
    loop: asyncio.AbstractEventLoop
    changed: asyncio.Event
    closed: bool = False


@dataclass
class Exchanges:
    """The latest exchanges, newest last, bounded in number and bytes; safe from any thread.

    `keep` is called with each one, and may put it into a journal.
    """

    limit: int = REMEMBERED
    limit_bytes: int = REMEMBERED_BYTES
    keep: Callable[[Exchange], None] | None = None
    _held: deque[Exchange] = field(default_factory=deque, repr=False)
    _bytes: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _listeners: set[_Listener] = field(default_factory=set, repr=False)

    def number(self) -> int:
        """The next exchange's number, from 1."""
        return next(self._numbers)

    def add(self, exchange: Exchange) -> None:
        """Remember an exchange, forget the oldest beyond the bounds, and tell who listens."""
        with self._lock:
            held = self._held
            held.append(exchange)
            self._bytes += exchange.size
            while len(held) > self.limit or (self._bytes > self.limit_bytes and len(held) > 1):
                self._bytes -= held.popleft().size
        if self.keep is not None:
            self.keep(exchange)
        if self._listeners:
            self._tell()

    def clear(self) -> None:
        """Forget all; numbers go on."""
        with self._lock:
            self._held.clear()
            self._bytes = 0
        self._tell()

    def get(self, number: int) -> Exchange | None:
        return next((each for each in self if each.number == number), None)

    def __iter__(self) -> Iterator[Exchange]:
        """The remembered ones, newest first; a copy, for requests go on coming."""
        with self._lock:
            return iter(tuple(reversed(self._held)))

    def __len__(self) -> int:
        return len(self._held)

    async def changes(self, patience_s: float | None = None) -> AsyncGenerator[bool]:
        """True after each change, for as long as the iterator is held, or until `close`.

        Changes that come together count as one; what is there now says what they were. Where none
        comes for `patience_s` it gives False.
        """
        changed = asyncio.Event()
        listener = _Listener(asyncio.get_running_loop(), changed)
        self._listeners.add(listener)
        try:
            while not listener.closed:
                try:
                    async with asyncio.timeout(patience_s):
                        await changed.wait()
                except TimeoutError:
                    yield False
                    continue
                changed.clear()
                if not listener.closed:
                    yield True
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """End every `changes`, as a server that stops has to."""
        for listener in tuple(self._listeners):
            listener.closed = True
        self._tell()

    def _tell(self) -> None:
        for listener in tuple(self._listeners):
            # A loop that has closed has nobody who listens.
            with suppress(RuntimeError):
                listener.loop.call_soon_threadsafe(listener.changed.set)
