"""Send signed calls and keep every attempt: thin shells, sync and async, over the pure core."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, cast

import anyio
import httpx

from . import replies
from .app import App
from .calls import Call
from .errors import InputError
from .journal import Journal
from .redact import hide
from .renewal import AsyncRenewing, Renewing
from .replies import Reply
from .session import Target
from .signing import Signed
from .tokens import Claim, Token, TokenStore

#: Seconds to wait for a connection, and for each part of an answer.
TIMEOUT_S = 20.0


def to_request(signed: Signed) -> httpx.Request:
    """The HTTP request of a signed call; files make it multipart, their parts unsigned."""
    files = {name: (file, content) for name, (file, content) in signed.call.files.items()}
    if files:
        return httpx.Request(signed.method, signed.url, data=dict(signed.form), files=files)
    headers = {"Accept": "application/json"}
    if signed.method == "GET":
        return httpx.Request("GET", signed.url, headers=headers)
    headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    return httpx.Request("POST", signed.url, content=signed.body.encode(), headers=headers)


def to_reply(response: httpx.Response, signed: Signed) -> Reply:
    """The reply in an HTTP response that has been read."""
    return _read(response, response.content, signed)


def _read(response: httpx.Response, content: bytes, signed: Signed) -> Reply:
    return replies.read(response.status_code, content, signed.call.name, signed.params)


def fetch_code(gateway: str) -> str:
    """A fresh authorization code from a sandbox at a base URL, without a browser.

    Raises `InputError` where no sandbox answers there.
    """
    url = gateway.strip().rstrip("/") + "/sandbox/code"
    try:
        response = httpx.post(url, timeout=TIMEOUT_S, trust_env=False)
        return str(response.json()["code"])
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        raise InputError(
            f"No alinb sandbox answers at {gateway}.",
            next_step="Start one with alinb sandbox, and give its URL with --gateway.",
        ) from None


class _HideSecrets(logging.Filter):
    """httpx logs whole URLs; a token or a code in one is hidden before any handler sees it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                hide(str(arg)) if isinstance(arg, str | httpx.URL) else arg for arg in record.args
            )
        return True


logging.getLogger("httpx").addFilter(_HideSecrets())


class Client(Renewing):
    """Signs calls, sends them and keeps every attempt.

    `app` is an `App`, a sandbox, or None for the environment's. `transport` is any httpx transport.
    `journal` is a `Journal`, None for the default one, False for none. A refusal is a `Reply` like
    any other; `reply.raise_for_refusal()` and `reply.frame()` raise it.

        with alinb.sandbox() as gateway, alinb.Client(gateway) as client:
            client.exchange(gateway.code())
            client.call("aliexpress.ds.text.search", keyWord="lamp", local="en_US",
                        countryCode="US", currency="USD").frame()
    """

    def __init__(
        self,
        app: App | Target | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        journal: Journal | bool | None = None,
        store: TokenStore | None = None,
        token: Token | None = None,
        gateway: str | None = None,
        timeout: float = TIMEOUT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(
            app, journal=journal, store=store, token=token, gateway=gateway, clock=clock
        )
        inside = _InProcess(self.asgi) if self.asgi is not None and transport is None else None
        self._http = httpx.Client(
            transport=transport or inside, timeout=timeout, trust_env=self.may_use_proxy
        )

    def call(self, name: str | Call, /, *, verb: str = "POST", **params: Any) -> Reply:
        """Call an API by name. The token that is held goes along where the call takes one."""
        return self.send(self.signed(name, params, verb=verb))

    def send(self, signed: Signed) -> Reply:
        """Send a signed call as it is, once. Raises `NoReply` where no whole answer comes."""
        return self._send(signed)

    def _send(self, signed: Signed, claim: Claim | None = None) -> Reply:
        self.open_journal()
        request, started, tick = to_request(signed), self.clock(), time.perf_counter()
        response, came = None, bytearray()
        try:
            response = self._http.send(request, stream=True)
            for chunk in response.iter_bytes():
                came += chunk
            if claim is not None:
                claim.receive(bytes(came))
        except httpx.HTTPError as error:
            elapsed = (time.perf_counter() - tick) * 1000
            sent = signed, *_as_sent(signed, request), started, elapsed
            kept = self.record(self.attempt(*sent, **_cut_off(error, response, came)))
            raise self.no_reply(kept, connected=_connected(error)) from None
        finally:
            if response is not None:
                response.close()
        elapsed = (time.perf_counter() - tick) * 1000
        reply = _read(response, bytes(came), signed)
        kept = self.attempt(
            signed, *_as_sent(signed, request), started, elapsed, **_answer(response, reply)
        )
        return self.answered(reply, kept)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client {self.app.key} at {self.app.platform.api}>"


class AsyncClient(AsyncRenewing):
    """The same as `Client` for `await`; usable with top-level await in a notebook."""

    def __init__(
        self,
        app: App | Target | None = None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        journal: Journal | bool | None = None,
        store: TokenStore | None = None,
        token: Token | None = None,
        gateway: str | None = None,
        timeout: float = TIMEOUT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(
            app, journal=journal, store=store, token=token, gateway=gateway, clock=clock
        )
        if self.asgi is not None and transport is None:
            transport = _Inside(self.asgi)
        self._http = httpx.AsyncClient(
            transport=transport, timeout=timeout, trust_env=self.may_use_proxy
        )

    async def call(self, name: str | Call, /, *, verb: str = "POST", **params: Any) -> Reply:
        """Call an API by name; see `Client.call`."""
        return await self.send(self.signed(name, params, verb=verb))

    async def send(self, signed: Signed) -> Reply:
        """Send a signed call as it is, once; see `Client.send`."""
        return await self._send(signed)

    async def _send(self, signed: Signed, claim: Claim | None = None) -> Reply:
        await anyio.to_thread.run_sync(self.open_journal)
        request, started, tick = to_request(signed), self.clock(), time.perf_counter()
        response, came = None, bytearray()
        try:
            response = await self._http.send(request, stream=True)
            async for chunk in response.aiter_bytes():
                came += chunk
            if claim is not None:
                claim.receive(bytes(came))
        except httpx.HTTPError as error:
            elapsed = (time.perf_counter() - tick) * 1000
            sent = signed, *_as_sent(signed, request), started, elapsed
            failed = self.attempt(*sent, **_cut_off(error, response, came))
            kept = await anyio.to_thread.run_sync(self.record, failed)
            raise self.no_reply(kept, connected=_connected(error)) from None
        finally:
            if response is not None:
                await response.aclose()
        elapsed = (time.perf_counter() - tick) * 1000
        reply = _read(response, bytes(came), signed)
        done = self.attempt(
            signed, *_as_sent(signed, request), started, elapsed, **_answer(response, reply)
        )
        return await anyio.to_thread.run_sync(self.answered, reply, done)

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncClient {self.app.key} at {self.app.platform.api}>"


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


class _InProcess(httpx.BaseTransport):
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


def _as_sent(signed: Signed, request: httpx.Request) -> tuple[tuple[tuple[str, str], ...], str]:
    """The headers that were sent, and the body as text: of files the names alone."""
    headers = tuple(request.headers.multi_items())
    if not signed.call.files:
        return headers, signed.body
    without_content = httpx.Request(
        "POST",
        signed.url,
        data=dict(signed.form),
        files={name: (file, b"") for name, (file, _) in signed.call.files.items()},
        headers={"Content-Type": request.headers["Content-Type"]},
    )
    return headers, without_content.read().decode("utf-8", "replace")


def _connected(error: Exception) -> bool:
    return not isinstance(error, httpx.ConnectError)


def _answer(response: httpx.Response, reply: Reply) -> dict[str, Any]:
    return {
        "status": response.status_code,
        "reply_headers": tuple(response.headers.multi_items()),
        "reply_text": reply.text,
        "problem": reply.reason,
    }


def _cut_off(error: Exception, response: httpx.Response | None, came: bytearray) -> dict[str, Any]:
    """What is known of an answer that never came, or came in part."""
    problem = what_broke(error)
    if response is None:
        return {"problem": problem}
    return {
        "status": response.status_code,
        "reply_headers": tuple(response.headers.multi_items()),
        "reply_text": came.decode("utf-8", "replace"),
        "problem": problem,
    }


def what_broke(error: Exception) -> str:
    """What went wrong on the line, in words that hold no secret."""
    kind = {
        "ConnectError": "could not connect",
        "ConnectTimeout": "could not connect in time",
        "ReadTimeout": "no answer in time",
        "RemoteProtocolError": "the connection was closed in the middle",
        "ReadError": "the connection broke",
    }.get(type(error).__name__, type(error).__name__)
    return hide(f"{kind} ({error})" if str(error) else kind)
