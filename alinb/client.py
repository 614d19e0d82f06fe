"""Send signed calls and keep every attempt: thin shells, sync and async, over the pure core."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import anyio
import httpx

from . import replies, transports, wire
from .app import App
from .calls import Call
from .errors import InputError, NoReply
from .journal import Journal
from .quiet import LOGGERS, HideSecrets, quiet, quiet_async
from .receiving import WHOLE, Body, Unusable, what_broke
from .redact import hide
from .renewal import AsyncRenewing, Renewing
from .replies import Reply
from .session import Target, check_open, sound_settings
from .signing import Signed
from .tokens import Claim, Token, TokenStore

_BROKEN = (httpx.HTTPError, TimeoutError, UnicodeError, Unusable)
#: Seconds to wait for a connection, and for each part of an answer; for all of it 6 times that.
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
    reply = replies.read(response.status_code, content, signed.call.name, signed.params)
    if not response.has_redirect_location:
        return reply
    where = urlsplit(response.headers["location"]).hostname or "another path"
    # Followed, it would carry the signed query, a code or a token, to whoever is named.
    reason = hide(f"is a redirect to {where}, which is not followed")
    return replace(reply, verdict="unreadable", reason=reason)


class Answer(NamedTuple):
    """What came back over HTTP, unread: `started` epoch s, `elapsed_ms` ms."""

    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes
    started: float
    elapsed_ms: float

    def read(self, signed: Signed) -> Reply:
        return replies.read(self.status, self.content, signed.call.name, signed.params)

    @property
    def retry_after_s(self) -> float | None:
        """The seconds of a Retry-After header, where there is one of figures."""
        said = wire.header(self.headers, "retry-after")
        return float(said) if said.isdigit() and len(said) < 9 else None


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


def clock_offset(url: str) -> float:
    """How many s this clock is ahead of a gateway's, by the Date of an answer, to about 1 s.

    Nothing is signed or sent along. Raises `NoReply` where no answer tells a time.
    """
    try:
        tick = time.time()
        response = httpx.get(url, timeout=TIMEOUT_S, trust_env=True, follow_redirects=False)
        theirs = parsedate_to_datetime(response.headers["date"]).timestamp()
        return round((tick + time.time()) / 2 - theirs - 0.5, 1)  # a Date is cut to whole seconds
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError) as error:
        raise NoReply(
            f"No time came from {url}: {what_broke(error)}.",
            next_step="Check the network, or set the clock by another source.",
        ) from None


HideSecrets.watch("httpx", *LOGGERS)


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
        inside = (
            transports.InProcess(self.asgi) if self.asgi is not None and transport is None else None
        )
        self.carrier, self.timeout = transport, timeout
        self._whole_s = WHOLE * timeout
        with sound_settings():
            self._http = httpx.Client(
                transport=transport or inside, timeout=timeout, trust_env=self.may_use_proxy
            )

    @quiet
    def call(self, name: str | Call, /, *, verb: str = "POST", **params: Any) -> Reply:
        """Call an API by name. The token that is held goes along where the call takes one."""
        return self.send(self.signed(name, params, verb=verb))

    @quiet
    def send(self, signed: Signed) -> Reply:
        """Send a signed call as it is, once. Raises `NoReply` where no whole answer comes."""
        return self._send(signed)

    def _send(self, signed: Signed, claim: Claim | None = None) -> Reply:
        check_open(signed, closed=self._http.is_closed)
        self.open_journal()
        request, started, tick = to_request(signed), self.clock(), time.perf_counter()
        response, body = None, Body()
        try:
            response = self._http.send(request, stream=True)
            body = Body(_packing(response))
            for chunk in _held(response) or response.iter_raw():
                body.add(chunk)
                if time.perf_counter() - tick > self._whole_s:
                    raise TimeoutError
            came = body.end()
            if claim is not None:
                claim.receive(came)
        except _BROKEN as error:
            elapsed = (time.perf_counter() - tick) * 1000
            sent = signed, *_as_sent(signed, request), started, elapsed
            kept = self.record(self.attempt(*sent, **_cut_off(error, response, body)))
            raise self.no_reply(kept, connected=_connected(error)) from None
        finally:
            if response is not None:
                response.close()
        elapsed = (time.perf_counter() - tick) * 1000
        reply = _read(response, came.getvalue(), signed)
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
        self.carrier, self.timeout = transport, timeout
        if transport is None:
            transport = (
                transports.chosen(may_use_proxy=self.may_use_proxy)
                if self.asgi is None
                else transports.within(self.asgi)
            )
        self._swift = transports.swift(transport, timeout)
        self._whole_s = WHOLE * timeout
        with sound_settings():
            self._http = httpx.AsyncClient(
                transport=transport, timeout=timeout, trust_env=self.may_use_proxy
            )

    @classmethod
    def beside(cls, other: Client | AsyncClient) -> AsyncClient:
        """An async client for another event loop: same app, token store, journal and clock."""
        carrier = None if other.carrier is None else transports.as_async(other.carrier)
        return cls(
            other.app if other.asgi is None else other,
            transport=carrier,
            journal=False if other.journal is None else other.journal,
            store=other.store,
            timeout=other.timeout,
            clock=other.clock,
        )

    @quiet_async
    async def call(self, name: str | Call, /, *, verb: str = "POST", **params: Any) -> Reply:
        """Call an API by name; see `Client.call`."""
        return await self.send(self.signed(name, params, verb=verb))

    @quiet_async
    async def send(self, signed: Signed) -> Reply:
        """Send a signed call as it is, once; see `Client.send`."""
        return await self._send(signed)

    async def _send(self, signed: Signed, claim: Claim | None = None) -> Reply:
        check_open(signed, closed=self._http.is_closed)
        await anyio.to_thread.run_sync(self.open_journal)
        request, started, tick = to_request(signed), self.clock(), time.perf_counter()
        response, body = None, Body()
        try:
            with anyio.fail_after(self._whole_s):
                response = await self._http.send(request, stream=True)
                body = Body(_packing(response))
                async for chunk in _each(response):
                    body.add(chunk)
            came = body.end()
            if claim is not None:
                claim.receive(came)
        except _BROKEN as error:
            elapsed = (time.perf_counter() - tick) * 1000
            sent = signed, *_as_sent(signed, request), started, elapsed
            failed = self.attempt(*sent, **_cut_off(error, response, body))
            kept = await anyio.to_thread.run_sync(self.record, failed)
            raise self.no_reply(kept, connected=_connected(error)) from None
        finally:
            if response is not None:
                await response.aclose()
        elapsed = (time.perf_counter() - tick) * 1000
        reply = _read(response, came.getvalue(), signed)
        done = self.attempt(
            signed, *_as_sent(signed, request), started, elapsed, **_answer(response, reply)
        )
        return await anyio.to_thread.run_sync(self.answered, reply, done)

    async def fetch(self, signed: Signed) -> Answer:
        """Send a signed call once, and give what came back unread and not yet kept.

        Raises `NoReply` where no answer comes, which is kept. This is what a pull uses: the fast
        transport carries it without the objects of httpx, at half the cost.
        """
        started, tick = self.clock(), time.perf_counter()
        try:
            if self._swift is not None and not signed.call.files:
                came = await self._swift(signed.method, signed.url, signed.body)
            else:
                response = await self._http.send(to_request(signed))
                headers = tuple(response.headers.multi_items())
                came = response.status_code, headers, response.content
        except httpx.HTTPError as error:
            elapsed = (time.perf_counter() - tick) * 1000
            sent = signed, *_as_sent(signed, to_request(signed)), started, elapsed
            failed = self.attempt(*sent, problem=what_broke(error))
            kept = await anyio.to_thread.run_sync(self.record, failed)
            raise self.no_reply(kept, connected=_connected(error)) from None
        return Answer(*came, started, (time.perf_counter() - tick) * 1000)

    async def keep(self, signed: Signed, answer: Answer, reply: Reply) -> Reply:
        """Keep what was sent and came back; gives the reply with the attempt's number."""
        done = self.attempt(
            signed,
            *_as_sent(signed, to_request(signed)),
            answer.started,
            answer.elapsed_ms,
            status=answer.status,
            reply_headers=answer.headers,
            reply_text=reply.text,
            problem=reply.reason,
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


def _held(response: httpx.Response) -> list[bytes]:
    """The body of an answer that its transport had read and unpacked before."""
    return [response.content] if response.is_stream_consumed else []


def _packing(response: httpx.Response) -> str:
    packed = "" if response.is_stream_consumed else response.headers.get("content-encoding", "")
    return str(packed)


async def _each(response: httpx.Response) -> AsyncIterator[bytes]:
    for chunk in _held(response):
        yield chunk
    if not response.is_stream_consumed:
        async for chunk in response.aiter_raw():
            yield chunk


def _cut_off(error: Exception, response: httpx.Response | None, body: Body) -> dict[str, Any]:
    """What is known of an answer that never came, or came in part."""
    problem = what_broke(error)
    if response is None:
        return {"problem": problem}
    return {
        "status": response.status_code,
        "reply_headers": tuple(response.headers.multi_items()),
        "reply_text": body.begun.decode("utf-8", "replace"),
        "problem": problem,
    }
