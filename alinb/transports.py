"""What carries requests: HTTP, a faster HTTP where it is there, or a gateway in this process."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import Any, TypeAlias, cast

import anyio.to_thread
import httpx

from . import receiving
from .bounded import a_proxy_is_set, left
from .errors import MissingExtra

Exchanged: TypeAlias = "tuple[int, tuple[tuple[str, str], ...], bytes]"
Swift: TypeAlias = "Callable[[str, str, Mapping[str, str], str], Awaitable[Exchanged]]"

#: How long a connection without a call is kept, in s, as httpx does.
KEPT_OPEN_S = 5.0


def chosen(*, may_use_proxy: bool = True) -> httpx.AsyncBaseTransport | None:
    """The transport of an async client, None where httpx has to look for a proxy.

    With the extra `fast` installed, aiohttp carries the requests at about a third of the CPU;
    ALINB_TRANSPORT=httpx turns that off, and ALINB_TRANSPORT=fast raises `MissingExtra` where the
    extra is not there. A proxy that the environment names is taken by a client of httpx alone.
    """
    wanted = os.environ.get("ALINB_TRANSPORT", "").strip().lower()
    there = find_spec("httpx_aiohttp") is not None
    if wanted == "fast" and not there:
        raise MissingExtra(
            "ALINB_TRANSPORT asks for the fast transport, and it is not installed.",
            next_step='Install it: pip install "alinb[fast]".',
        )
    if may_use_proxy and a_proxy_is_set():
        return None
    if wanted == "httpx" or not there:
        return httpx.AsyncHTTPTransport(trust_env=may_use_proxy)
    return _fast(may_use_proxy)


def _fast(trust_env: bool) -> httpx.AsyncBaseTransport:
    import aiohttp
    import yarl
    from httpx_aiohttp import AiohttpTransport

    @contextmanager
    def as_of_httpx() -> Iterator[None]:
        """Its errors as httpx names them: it takes every broken connection for a late connect."""
        try:
            yield
        except (httpx.HTTPError, aiohttp.ClientError) as error:
            cause = error if isinstance(error, aiohttp.ClientError) else error.__cause__ or error
            if isinstance(cause, aiohttp.ConnectionTimeoutError):
                raise httpx.ConnectTimeout(str(cause)) from None
            if isinstance(cause, TimeoutError):
                raise httpx.ReadTimeout(str(cause)) from None
            if isinstance(cause, aiohttp.ClientConnectorError):
                raise httpx.ConnectError(str(cause)) from None
            raise httpx.RemoteProtocolError(str(cause)) from None

    class Body(httpx.AsyncByteStream):
        def __init__(self, inner: httpx.AsyncByteStream) -> None:
            self._inner = inner

        async def __aiter__(self) -> AsyncIterator[bytes]:
            with as_of_httpx():
                async for chunk in self._inner:
                    yield chunk

        async def aclose(self) -> None:
            await self._inner.aclose()

    class Fast(AiohttpTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            with as_of_httpx():
                response = await super().handle_async_request(request)
            response.stream = Body(cast(httpx.AsyncByteStream, response.stream))
            return response

        async def exchange(
            self, timeout: Any, method: str, url: str, headers: Mapping[str, str], body: str
        ) -> Exchanged:
            """One exchange by the session itself."""
            if not isinstance(self.client, aiohttp.ClientSession):
                self.client = self.get_client()
            with as_of_httpx():
                async with self.client.request(
                    method, yarl.URL(url, encoded=True), data=body.encode() or None,
                    headers=headers, allow_redirects=False, timeout=timeout,
                    auto_decompress=False,
                ) as response:  # fmt: skip
                    came = receiving.Body(response.headers.get("content-encoding", ""))
                    async for part in response.content.iter_any():
                        came.add(part)
            return response.status, tuple(response.headers.items()), came.end().getvalue()

    tls = httpx.create_ssl_context(trust_env=trust_env)

    def session() -> aiohttp.ClientSession:
        made = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, keepalive_timeout=KEPT_OPEN_S),
            # No call depends on a cookie, and looking for one costs.
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        # It would send a GET whose line breaks again by itself: a code or an order goes out once.
        made._retry_connection = False
        return made

    return Fast(verify=tls, client=session)


def swift(transport: Any, timeout_s: float) -> Swift | None:
    """The fast transport without httpx around it, None for any other.

    Method, URL, headers and body in; status, headers and content out. Errors are httpx's.
    """
    exchange = getattr(transport, "exchange", None)
    if exchange is None:
        return None
    import aiohttp

    return partial(
        exchange,
        aiohttp.ClientTimeout(
            total=receiving.WHOLE * timeout_s, sock_connect=timeout_s, sock_read=timeout_s
        ),
    )


def as_async(transport: Any) -> httpx.AsyncBaseTransport:
    """A transport for an async client: a sync one is run in a thread."""
    if isinstance(transport, httpx.AsyncBaseTransport):
        return transport
    return _Threaded(transport)


class _Threaded(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()

        def ask() -> httpx.Response:
            response = self._inner.handle_request(request)
            content = b"".join(cast(httpx.SyncByteStream, response.stream))
            return httpx.Response(
                response.status_code, headers=response.headers, stream=httpx.ByteStream(content)
            )

        return await anyio.to_thread.run_sync(ask)


def within(asgi: Any) -> httpx.AsyncBaseTransport:
    """Into an ASGI gateway of this process, for an async client."""
    return _Inside(asgi)


class _Inside(httpx.AsyncBaseTransport):
    """An ASGI gateway in this process, whose broken lines and failures look as over a socket."""

    def __init__(self, asgi: Any) -> None:
        self._inner = httpx.ASGITransport(asgi)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._inner.handle_async_request(request)
        except ConnectionResetError as error:
            raise httpx.ReadError(str(error), request=request) from None
        except Exception:
            return httpx.Response(500, content=b"Internal Server Error")


class InProcess(httpx.BaseTransport):
    """Lets the sync client talk to an ASGI gateway in this process, on an event loop of its own.

    The loop's thread is a daemon: a client that nobody closes does not keep the program running.
    """

    def __init__(self, asgi: Any) -> None:
        self._inner = within(asgi)
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
                self._thread.start()
        coming = asyncio.run_coroutine_threadsafe(self._answer(request), self._loop)
        try:
            return coming.result(left())
        except BaseException:
            coming.cancel()
            raise

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        # As it came: reading the response would unpack it, and the caller's would do so again.
        stream = cast(httpx.AsyncByteStream, response.stream)
        content = b"".join([part async for part in stream])
        return httpx.Response(
            response.status_code, headers=response.headers, stream=httpx.ByteStream(content)
        )

    async def _end(self) -> None:
        """What a caller gave up is over before the loop is."""
        given_up = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*given_up, return_exceptions=True)

    def close(self) -> None:
        if self._loop is not None and self._thread is not None:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = self._thread = None
