"""HTTP for the sync client whose calls have an end, however slowly the bytes of an answer come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.request import getproxies

import httpcore
import httpx

#: What is written at once, in bytes: how much may go out between two looks at the time.
_PIECE = 64 * 1024
_OF_HTTPCORE = (
    httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)  # fmt: skip

#: When the call that this thread is in has to be over, on the monotonic clock in s.
_end: ContextVar[float] = ContextVar("_end", default=float("inf"))


@contextmanager
def ending_in(seconds: float) -> Iterator[None]:
    """A call by `Bounded` or `InProcess` in it raises `TimeoutError` after so many s."""
    before = _end.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _end.reset(before)


def left(timeout: float | None = None) -> float | None:
    """The s that a step may take; raises `TimeoutError` where the call's time is over."""
    rest = _end.get() - time.monotonic()
    if rest <= 0:
        raise TimeoutError
    return min(rest, timeout or rest) if rest < float("inf") else timeout


class _Stream(httpcore.NetworkStream):
    """A connection whose reads and writes end when the call has to."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._inner.read(max_bytes, left(timeout))
        except httpcore.ReadTimeout:
            left()  # it was the whole call's time that is over
            raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            for at in range(0, len(buffer), _PIECE):
                self._inner.write(buffer[at : at + _PIECE], left(timeout))
        except httpcore.WriteTimeout:
            left()
            raise

    def start_tls(self, ssl_context: Any, server_hostname: Any = None, timeout: Any = None) -> Any:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left(timeout)))


class _Backend(httpcore.SyncBackend):
    def connect_tcp(self, host: str, port: int, timeout: Any = None, *how: Any, **more: Any) -> Any:
        return _Stream(super().connect_tcp(host, port, left(timeout), *how, **more))


def a_proxy_is_set() -> bool:
    """Whether the environment names a proxy that a call would go through."""
    found = getproxies()
    return any(found.get(scheme) for scheme in ("http", "https", "all"))


def chosen(*, may_use_proxy: bool) -> httpx.BaseTransport | None:
    """The transport of a sync client; None for httpx's own, which alone knows proxies."""
    if may_use_proxy and a_proxy_is_set():
        return None
    return Bounded(trust_env=may_use_proxy)


class Bounded(httpx.BaseTransport):
    """As httpx's own transport, but a call has an end however slowly its bytes come.

    httpx knows a time for each read alone: an answer whose head comes byte by byte could hold a
    sync call for hours.
    """

    def __init__(self, *, trust_env: bool) -> None:
        self._pool = httpcore.ConnectionPool(
            httpx.create_ssl_context(trust_env=trust_env), max_connections=100,
            max_keepalive_connections=20, keepalive_expiry=5.0, network_backend=_Backend(),
        )  # fmt: skip

    def close(self) -> None:
        self._pool.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        asked = httpcore.Request(
            request.method,
            httpcore.URL(
                scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_of_httpx():
            came = self._pool.handle_request(asked)
        return httpx.Response(
            came.status, headers=came.headers, extensions=came.extensions, stream=_Answer(came)
        )


class _Answer(httpx.SyncByteStream):
    def __init__(self, came: httpcore.Response) -> None:
        self._came = came

    def __iter__(self) -> Iterator[bytes]:
        with _as_of_httpx():
            yield from self._came.iter_stream()

    def close(self) -> None:
        self._came.close()


@contextmanager
def _as_of_httpx() -> Iterator[None]:
    """Errors of httpcore as httpx names them, which is the same."""
    try:
        yield
    except _OF_HTTPCORE as error:
        kinds = (getattr(httpx, kind.__name__, None) for kind in type(error).__mro__)
        raise next(kind for kind in kinds if kind)(str(error)) from None
