"""An ASGI gateway inside this process as a transport, sync and async."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, cast

import httpx


def within(asgi: Any) -> httpx.AsyncBaseTransport:
    """An ASGI gateway in this process, for an async client."""
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
        self._inner = _Inside(asgi)
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
        return asyncio.run_coroutine_threadsafe(self._answer(request), self._loop).result()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        # As it came: reading the response would unpack it, and the caller's would do so again.
        stream = cast(httpx.AsyncByteStream, response.stream)
        content = b"".join([part async for part in stream])
        return httpx.Response(
            response.status_code, headers=response.headers, stream=httpx.ByteStream(content)
        )

    def close(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = self._thread = None
