"""The sandbox over HTTP: a short way for gateway calls, Starlette for the pages."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import string
import time
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from .. import wire
from ..app import is_full_url
from ..errors import InputError
from . import delivery, inspector, pages
from .core import Exchange, Gateway, Incoming, Outgoing
from .faults import HEADER, NOTHING, Faults
from .guard import Guard, admits, host_of
from .state import ACCOUNTS

_FAULT_HEADER = HEADER.encode()
LARGEST_BODY = 8 * 1024 * 1024
_IN_QUERY = string.punctuation
_CONTROL = re.compile(r"[\x00-\x20\x7f]")
_ENTRANCES = frozenset({"/rest", "/sync", "/router/rest"})


def build(gateway: Gateway, faults: Faults, *, callback: str, page_token: str) -> ASGIApp:
    """The ASGI app of a gateway. `callback` is the registered redirect URI, "" for any.

    `page_token` has to come with whatever changes something by way of a page.
    """
    consent = _Consent(gateway, callback, page_token)
    routes: list[BaseRoute] = [
        Route("/", _home, methods=["GET"]),
        Route("/oauth/authorize", consent.page, methods=["GET", "POST"]),
        Route("/apps/oauth/authorize", consent.page, methods=["GET", "POST"]),
        Route("/authorize", consent.page, methods=["GET", "POST"]),
        Route("/callback", consent.landed, methods=["GET"]),
        Route("/about", _about, methods=["GET"]),
        Route("/sandbox/code", consent.code, methods=["POST"]),
        *inspector.routes(
            gateway.exchanges, secret=gateway.app.secret, faults=faults, page_token=page_token
        ),
    ]
    return Front(gateway, faults, Guard(Starlette(routes=routes), delivery.MARK))


class Front:
    """Answers gateway calls itself and hands everything else to the guarded pages.

    A call takes this short way because a framework's routing and request objects would cost more
    than all the checks. Being outermost it sees the connection, which a fault may have to break.
    """

    def __init__(self, gateway: Gateway, faults: Faults, others: ASGIApp) -> None:
        self._gateway = gateway
        self._faults = faults
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and (path in _ENTRANCES or path.startswith("/rest/")):
            host = host_of(scope["headers"])
            if admits(host, scope.get("server")):
                await self._call(scope, receive, send, host)
                return
        if not scope.get("query_string", b"").isascii():
            # Starlette reads a query as UTF-8, and raises where it is none.
            scope = {**scope, "query_string": quote(scope["query_string"], _IN_QUERY).encode()}
        await self._others(scope, receive, send)

    async def _call(self, scope: Scope, receive: Receive, send: Send, host: bytes) -> None:
        gateway, tick = self._gateway, time.perf_counter()
        if scope["method"] not in ("GET", "POST", "HEAD"):
            return await _say(send, 405, "MethodNotAllowed", "Use GET or POST.")
        body = await _body(receive)
        if body is None:
            return await _say(send, 413, "RequestTooLarge", "The body is larger than 8 MiB.")
        request = _incoming(scope, host, body, gateway.clock())
        asked = dict(scope["headers"]).get(_FAULT_HEADER, b"")
        try:
            drawn = self._faults.draw(asked.decode("latin-1"))
        except InputError as error:
            return await _say(send, 400, "InvalidFault", str(error))
        answered = gateway.answer(request, drawn)
        request.release()
        if "latency" in drawn.values:
            await asyncio.sleep(drawn.values["latency"] / 1000)
        planned = delivery.plan(answered, drawn)
        # Kept before it goes out: who has the answer finds it in the list.
        gateway.exchanges.add(
            Exchange(
                gateway.exchanges.number(), request, planned.status, answered.headers,
                planned.content, answered.code, drawn.names, planned.problem,
                (time.perf_counter() - tick) * 1000,
            )
        )  # fmt: skip
        await delivery.deliver(send, planned, drawn)
        return None


class _Consent:
    """The consent page, where it leads, and codes without it."""

    def __init__(self, gateway: Gateway, callback: str, page_token: str) -> None:
        self._gateway = gateway
        self._callback = callback
        self._token = page_token

    async def page(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if request.method == "POST":
            body = await _body(request.receive)
            asked = dict(wire.parse("", "", body or b"").form)
            if not hmac.compare_digest(asked.pop("form_token", "").encode(), self._token.encode()):
                said = "Open the consent link again: this form is too old."
                return _page(pages.problem(said), 403)
        if why := self._unusable(asked):
            return _page(pages.problem(why), 400)
        decision, account = asked.pop("decision", ""), asked.pop("account", "")
        if request.method == "GET":
            return _page(pages.consent(self._gateway.app.key, asked, self._token))
        own = str(request.url.replace(path="/callback", query=""))
        back = asked.get("redirect_uri") or self._callback or own
        more = {"error": "access_denied"}
        if decision == "allow":
            who = account if account in ACCOUNTS else "buyer"
            country = asked.get("country", "")
            more = {"code": self._gateway.state.new_code(account=who, country=country)}
        if "state" in asked:
            more["state"] = asked["state"]
        return RedirectResponse(pages.with_query(back, more), 303)

    async def landed(self, request: Request) -> Response:
        return _page(pages.callback(str(request.url), dict(request.query_params)))

    async def code(self, request: Request) -> Response:
        asked = request.query_params
        made = self._gateway.state.new_code(
            account=asked.get("account", "buyer"), app_key=asked.get("app_key", "")
        )
        return JSONResponse({"code": made, "app_key": self._gateway.app.key})

    def _unusable(self, asked: dict[str, str]) -> str:
        """Why a consent link cannot be used, "" where it can."""
        key, platform = self._gateway.app.key, self._gateway.app.platform
        if asked.get("client_id") != key:
            return f"client_id is {asked.get('client_id')!r}; this sandbox's app is {key!r}."
        if asked.get("response_type") != "code":
            return "response_type has to be “code”."
        if "uuid" in asked and platform.name.startswith("lazada"):
            return "uuid is not available; leave it out."
        back = asked.get("redirect_uri", "")
        if back and self._callback and back != self._callback:
            return (
                "Redirect uri does not match the callback URL of the APP: registered is "
                f"{self._callback!r}. Invalid redirect_uri."
            )
        if back and not is_full_url(back, "http", "https"):
            return "Invalid redirect_uri: it has to be a full http or https URL."
        return ""


async def _about(request: Request) -> Response:
    return _page(pages.about())


async def _home(request: Request) -> Response:
    return RedirectResponse("/inspector", 303)


def _incoming(scope: Scope, host: bytes, body: bytes, now: float) -> Incoming:
    # Some servers' raw_path has the query in it.
    raw: bytes = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
    query: bytes = scope["query_string"]
    path = raw.decode("latin-1")
    text = f"http://{host.decode('latin-1')}{path}" + (
        f"?{query.decode('latin-1')}" if query else ""
    )
    verb = "GET" if scope["method"] == "HEAD" else scope["method"]
    if not text.isprintable():
        # Reading a URL drops a raw tab or line end in it, and what is acted on is what was signed.
        text = _CONTROL.sub(lambda found: f"%{ord(found[0]):02X}", text)
    known = path if "#" not in path and path.isprintable() else None
    return Incoming(verb, text, scope["headers"], body, now, path=known)


async def _body(receive: Receive) -> bytes | None:
    """The body, or None where it is larger than any call's."""
    message = await receive()
    body: bytes = message.get("body", b"")
    read = len(body)
    # What is too large is read too, up to a point: who still sends does not hear a refusal.
    while message.get("more_body") and read <= 8 * LARGEST_BODY:
        message = await receive()
        more: bytes = message.get("body", b"")
        read += len(more)
        body = body + more if read <= LARGEST_BODY else b""
    return body if read <= LARGEST_BODY else None


async def _say(send: Send, status: int, code: str, message: str) -> None:
    """An answer of the sandbox itself, not of the gateway that it stands for."""
    content = json.dumps({"type": "ISV", "code": code, "message": message}).encode()
    said = Outgoing(status, content)
    await delivery.deliver(send, delivery.plan(said, NOTHING), NOTHING)


def _page(html: str, status: int = 200) -> HTMLResponse:
    policy = {
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
        "frame-ancestors 'none'; base-uri 'none'",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return HTMLResponse(html, status, policy)
