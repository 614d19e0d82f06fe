"""Send signed calls and keep every attempt: thin shells, sync and async, over the pure core."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Protocol, Self

import anyio
import httpx

from . import oauth, replies
from .app import App, is_loopback
from .attempts import Attempt
from .calls import Call
from .doctor import diagnose
from .errors import InputError, NoReply
from .journal import Journal
from .knowledge import load
from .redact import Secret, hide
from .replies import Reply
from .signing import Signed, sign
from .stages import Recipe
from .tokens import MemoryStore, Token, TokenStore

#: Seconds to wait for a connection, and for each part of an answer.
TIMEOUT_S = 20.0


class Target(Protocol):
    """Something with an app and an ASGI gateway inside this process: a `Sandbox`."""

    @property
    def app(self) -> App: ...
    @property
    def asgi(self) -> Any: ...


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
    return replies.read(response.status_code, response.content, signed.call.name, signed.params)


class _Core:
    """What both clients share: no I/O but the token store and the journal."""

    def __init__(
        self,
        app: App | Target | None,
        *,
        journal: Journal | bool | None,
        store: TokenStore | None,
        token: Token | None,
        gateway: str | None,
        clock: Callable[[], float],
    ) -> None:
        chosen = App.from_env() if app is None else app
        self.app = chosen if isinstance(chosen, App) else chosen.app
        self.asgi = None if isinstance(chosen, App) or gateway else chosen.asgi
        if gateway:
            self.app = App(self.app.key, self.app.secret, self.app.platform.at(gateway))
        if isinstance(journal, Journal):
            self.journal: Journal | None = journal
        else:
            self.journal = None if journal is False else Journal()
        self.store: TokenStore = MemoryStore() if store is None else store
        self.clock = clock
        if token is not None:
            self.save_token(token)

    @property
    def may_use_proxy(self) -> bool:
        """A gateway on this machine is reached directly, whatever proxy the environment names."""
        return not is_loopback(httpx.URL(self.app.platform.api).host)

    @property
    def token(self) -> Token | None:
        return self.store.load(self.app.platform.name, self.app.key)

    def save_token(self, token: Token) -> None:
        self.store.save(self.app.platform.name, self.app.key, token)

    def signed(self, name: str | Call, params: Mapping[str, Any], **how: Any) -> Signed:
        call = name if isinstance(name, Call) else Call.of(name, params)
        platform, token = self.app.platform, self.token
        token_names = ("access_token", "session")
        if token and needs_token(call.name) and not any(n in call.params for n in token_names):
            carried = (
                platform.token_parameter if call.is_path else platform.business_token_parameter
            )
            more = {carried: token.access_token.reveal()}
            call = Call(call.name, {**call.params, **more}, call.files)
        return sign(call, app=self.app, clock=self.clock, **how)

    def sign(
        self, name: str, /, *, verb: str = "POST", recipe: Recipe | None = None, **params: Any
    ) -> Signed:
        """The call signed but not sent, by another recipe where one is given."""
        return self.signed(name, params, verb=verb, recipe=recipe)

    def attempt(
        self,
        signed: Signed,
        request: httpx.Request,
        started: float,
        elapsed_ms: float,
        **outcome: Any,
    ) -> Attempt:
        return Attempt(
            method=signed.method,
            url=signed.url,
            headers=tuple(request.headers.multi_items()),
            body=signed.body or _text_parts(signed, request),
            string_to_sign=signed.string_to_sign,
            stages=signed.walk.stages,
            name=signed.call.name,
            platform=self.app.platform.name,
            source="client",
            at=started,
            elapsed_ms=elapsed_ms,
            **outcome,
        )

    def open_journal(self) -> None:
        """Fail before anything is sent where the attempt could not be kept: a code works once."""
        if self.journal is not None:
            self.journal.open()

    def record(self, attempt: Attempt) -> Attempt:
        """Diagnose a refusal while its values are in memory, and keep the attempt."""
        if attempt.verdict == "refused":
            found = diagnose(attempt, secret=self.app.secret)
            attempt = replace(attempt, diagnosis=found.as_dict())
        if self.journal is None:
            return attempt
        token = self.token
        known = (token.access_token, token.refresh_token) if token else ()
        return self.journal.record(attempt, self.app.secret, *known)

    def no_reply(self, error: Exception, attempt: Attempt) -> NoReply:
        host = httpx.URL(attempt.url).host
        return NoReply(
            f"{attempt.api_name} got no answer from {host}: {attempt.problem}.",
            next_step=_next_step(error, attempt),
            attempt_id=attempt.id,
        )

    def new_token(self, reply: Reply, before: Token | None = None) -> Token:
        reply.raise_for_refusal()
        token = Token.read(reply.payload, self.clock(), before)
        self.save_token(token)
        return token

    def refreshable(self, token: Token | None) -> tuple[Token, Secret]:
        held = token or self.token
        if held is None or held.refresh_token is None or not held.can_refresh(self.clock()):
            raise InputError(
                "There is no token here that can be refreshed.",
                next_step="Open the consent page again and exchange a new code.",
            )
        return held, held.refresh_token


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


def needs_token(name: str) -> bool:
    """Whether a user's token belongs on this call, by the catalogue; an unknown call takes one."""
    facts = load("methods")
    known = facts["methods"].get(name, {})
    if "token" in known:
        return bool(known["token"])
    family = max((f for f in facts["families"] if name.startswith(f)), key=len)
    return bool(facts["families"][family]["token"])


class Client(_Core):
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
        """Send a signed call as it is, once. Raises `NoReply` where no answer comes."""
        self.open_journal()
        request, started, tick = to_request(signed), self.clock(), time.perf_counter()
        try:
            response = self._http.send(request)
        except httpx.HTTPError as error:
            elapsed = (time.perf_counter() - tick) * 1000
            failed = self.attempt(signed, request, started, elapsed, problem=_problem(error))
            raise self.no_reply(error, self.record(failed)) from None
        elapsed = (time.perf_counter() - tick) * 1000
        reply = to_reply(response, signed)
        kept = self.attempt(signed, request, started, elapsed, **_answer(response, reply))
        return _numbered(reply, self.record(kept))

    def exchange(self, code: str | Secret | oauth.Callback) -> Token:
        """Trade an authorization code for a token pair, once: a code is never sent twice.

        Takes a code or what `parse_callback` gave. Raises `CodeRefused`, `SignatureRefused`, …
        """
        return self.new_token(self.call(oauth.exchange_call(_code(code))))

    def refresh(self, token: Token | None = None) -> Token:
        """A new pair for the one held; the refresh token's own clock goes on as before."""
        held, refresh_token = self.refreshable(token)
        return self.new_token(self.call(oauth.refresh_call(refresh_token)), held)

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


class AsyncClient(_Core):
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
            transport = httpx.ASGITransport(self.asgi, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(
            transport=transport, timeout=timeout, trust_env=self.may_use_proxy
        )

    async def call(self, name: str | Call, /, *, verb: str = "POST", **params: Any) -> Reply:
        """Call an API by name; see `Client.call`."""
        return await self.send(self.signed(name, params, verb=verb))

    async def send(self, signed: Signed) -> Reply:
        """Send a signed call as it is, once; see `Client.send`."""
        await anyio.to_thread.run_sync(self.open_journal)
        request, started, tick = to_request(signed), self.clock(), time.perf_counter()
        try:
            response = await self._http.send(request)
        except httpx.HTTPError as error:
            elapsed = (time.perf_counter() - tick) * 1000
            failed = self.attempt(signed, request, started, elapsed, problem=_problem(error))
            kept = await anyio.to_thread.run_sync(self.record, failed)
            raise self.no_reply(error, kept) from None
        elapsed = (time.perf_counter() - tick) * 1000
        reply = to_reply(response, signed)
        done = self.attempt(signed, request, started, elapsed, **_answer(response, reply))
        return _numbered(reply, await anyio.to_thread.run_sync(self.record, done))

    async def exchange(self, code: str | Secret | oauth.Callback) -> Token:
        """Trade an authorization code for a token pair, once; see `Client.exchange`."""
        return self.new_token(await self.call(oauth.exchange_call(_code(code))))

    async def refresh(self, token: Token | None = None) -> Token:
        """A new pair for the one held; see `Client.refresh`."""
        held, refresh_token = self.refreshable(token)
        return self.new_token(await self.call(oauth.refresh_call(refresh_token)), held)

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


class _InProcess(httpx.BaseTransport):
    """Lets the sync client talk to an ASGI gateway in this process, on an event loop of its own.

    The loop's thread is a daemon: a client that nobody closes does not keep the program running.
    """

    def __init__(self, asgi: Any) -> None:
        self._inner = httpx.ASGITransport(asgi, raise_app_exceptions=False)
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
        content = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=content)

    def close(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = self._thread = None


def _text_parts(signed: Signed, sent: httpx.Request) -> str:
    """What a multipart body said, as text: the parts that are signed, and the names of files."""
    if not signed.call.files:
        return ""
    request = httpx.Request(
        "POST",
        signed.url,
        data=dict(signed.form),
        files={name: (file, b"") for name, (file, _) in signed.call.files.items()},
        headers={"Content-Type": sent.headers["Content-Type"]},
    )
    return request.read().decode("utf-8", "replace")


def _answer(response: httpx.Response, reply: Reply) -> dict[str, Any]:
    return {
        "status": response.status_code,
        "reply_headers": tuple(response.headers.multi_items()),
        "reply_text": reply.text,
        "problem": reply.reason,
    }


def _numbered(reply: Reply, attempt: Attempt) -> Reply:
    return replace(reply, attempt_id=attempt.id)


def _code(code: str | Secret | oauth.Callback) -> Secret:
    return code.code if isinstance(code, oauth.Callback) else Secret(code, "code")


def _problem(error: Exception) -> str:
    kind = {
        "ConnectError": "could not connect",
        "ConnectTimeout": "could not connect in time",
        "ReadTimeout": "no answer in time",
        "RemoteProtocolError": "the connection was closed in the middle",
        "ReadError": "the connection broke",
    }.get(type(error).__name__, type(error).__name__)
    return hide(f"{kind} ({error})" if str(error) else kind)


def _next_step(error: Exception, attempt: Attempt) -> str:
    if attempt.api_name.startswith("/auth/token/create"):
        return "The code may be spent: get a new one before trying again."
    if isinstance(error, httpx.ConnectError):
        return "Check the gateway's address and the network, then send it again."
    return "It is not known whether the call was carried out; a read may be sent again."
