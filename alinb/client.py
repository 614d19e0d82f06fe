"""Send signed calls and keep every attempt: thin shells, sync and async, over the pure core."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any, Self

import anyio
import httpx

from . import bounded, transports
from .app import App
from .calls import Call
from .errors import InputError, NoReply
from .exchange import (
    BROKEN,
    Answer,
    answer_facts,
    as_sent,
    connected,
    cut_off,
    each_part,
    exchanged,
    headers_of,
    held,
    packing,
    read_reply,
    to_request,
)
from .journal import Journal
from .quiet import LOGGERS, HideSecrets, quiet, quiet_async
from .receiving import WHOLE, Body, what_broke
from .renewal import AsyncRenewing, Renewing
from .replies import Reply
from .session import Target, check_open, sound_settings
from .signing import Signed
from .tokens import Claim, Token, TokenStore

#: Seconds to wait for a connection, and for each part of an answer; for all of it 6 times that.
TIMEOUT_S = 20.0


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
        self.carrier, self.timeout = transport, timeout
        self._whole_s = WHOLE * timeout
        with sound_settings():
            if transport is None:
                transport = (
                    bounded.chosen(may_use_proxy=self.may_use_proxy)
                    if self.asgi is None
                    else transports.InProcess(self.asgi)
                )
            self._http = httpx.Client(
                transport=transport, timeout=timeout, trust_env=self.may_use_proxy
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
            with bounded.ending_in(self._whole_s):
                response = self._http.send(request, stream=True)
                body = Body(packing(response))
                for chunk in held(response) or response.iter_raw():
                    body.add(chunk)
                    if time.perf_counter() - tick > self._whole_s:
                        raise TimeoutError
            came = body.end()
            if claim is not None:
                claim.receive(came)
        except BROKEN as error:
            elapsed = (time.perf_counter() - tick) * 1000
            sent = signed, *as_sent(signed, request), started, elapsed
            kept = self.record(self.attempt(*sent, **cut_off(error, response, body)))
            raise self.no_reply(kept, connected=connected(error)) from None
        finally:
            if response is not None:
                response.close()
        elapsed = (time.perf_counter() - tick) * 1000
        reply = read_reply(response, came.getvalue(), signed)
        kept = self.attempt(
            signed, *as_sent(signed, request), started, elapsed, **answer_facts(response, reply)
        )
        return self.answered(reply, kept)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
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
        self._whole_s = WHOLE * timeout
        with sound_settings():
            if transport is None:
                transport = (
                    transports.chosen(may_use_proxy=self.may_use_proxy)
                    if self.asgi is None
                    else transports.within(self.asgi)
                )
            self._swift = transports.swift(transport, timeout)
            self._http = httpx.AsyncClient(
                transport=transport, timeout=timeout, trust_env=self.may_use_proxy
            )
            self._straight = transport or self._http

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
                body = Body(packing(response))
                async for chunk in each_part(response):
                    body.add(chunk)
            came = body.end()
            if claim is not None:
                claim.receive(came)
        except BROKEN as error:
            elapsed = (time.perf_counter() - tick) * 1000
            sent = signed, *as_sent(signed, request), started, elapsed
            failed = self.attempt(*sent, **cut_off(error, response, body))
            kept = await anyio.to_thread.run_sync(self.record, failed)
            raise self.no_reply(kept, connected=connected(error)) from None
        finally:
            if response is not None:
                await response.aclose()
        elapsed = (time.perf_counter() - tick) * 1000
        reply = read_reply(response, came.getvalue(), signed)
        done = self.attempt(
            signed, *as_sent(signed, request), started, elapsed, **answer_facts(response, reply)
        )
        return await anyio.to_thread.run_sync(self.answered, reply, done)

    @quiet_async
    async def fetch(self, signed: Signed) -> Answer:
        """Send a signed call once, and give what came back unread and not yet kept.

        Raises `NoReply` where no answer comes, which is kept. This is what a pull uses: it goes
        straight to the transport, and to the fast one without the objects of httpx.
        """
        check_open(signed, closed=self._http.is_closed)
        started, tick = self.clock(), time.perf_counter()
        try:
            if self._swift is not None and not signed.call.files:
                headers = headers_of(signed)
                came = await self._swift(signed.method, signed.url, headers, signed.body)
            else:
                with anyio.fail_after(self._whole_s):
                    came = await exchanged(self._straight, to_request(signed), self.timeout)
        except BROKEN as error:
            elapsed = (time.perf_counter() - tick) * 1000
            sent = signed, *as_sent(signed, to_request(signed)), started, elapsed
            failed = self.attempt(*sent, problem=what_broke(error))
            kept = await anyio.to_thread.run_sync(self.record, failed)
            raise self.no_reply(kept, connected=connected(error)) from None
        return Answer(*came, started, (time.perf_counter() - tick) * 1000)

    async def keep(self, signed: Signed, answer: Answer, reply: Reply) -> Reply:
        """Keep what was sent and came back; gives the reply with the attempt's number."""
        done = self.attempt(
            signed,
            *as_sent(signed, to_request(signed)),
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

    async def __aexit__(self, *raised: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncClient {self.app.key} at {self.app.platform.api}>"
