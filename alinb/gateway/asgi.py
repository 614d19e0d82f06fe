"""The sandbox over HTTP: a thin Starlette shell around the gateway's core."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .. import doctor, wire
from ..attempts import Attempt
from ..redact import Redactor
from . import pages
from .core import Gateway, Incoming

#: Every answer says that it does not come from the platform.
MARK = {"x-alinb-sandbox": "not the real gateway"}
LARGEST_BODY = 8 * 1024 * 1024
#: How long one load of the inspector may search for mistakes, in s; one search may take a second.
INSPECTION_S = 3.0
#: Names this machine goes by; any other Host is a page of somebody else's (DNS rebinding).
_HOSTS = ["127.0.0.1", "localhost", "[::1]"]


def build(gateway: Gateway, *, latency_s: float = 0.0, callback: str = "") -> Starlette:
    """The ASGI app of a gateway. `callback` is the registered redirect URI, "" for any."""
    form_token = secrets.token_urlsafe(16)
    summaries: dict[tuple[str, str], str] = {}

    async def call(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return JSONResponse({"type": "ISV", "code": "RequestTooLarge"}, 413)
        if latency_s:
            await asyncio.sleep(latency_s)
        answered = gateway.answer(_incoming(request, body, gateway.clock()))
        return JSONResponse(answered.body, answered.status)

    async def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        if request.method == "POST":
            asked = dict(wire.parse("", "", await _body(request) or b"").form)
            if not hmac.compare_digest(asked.pop("form_token", "").encode(), form_token.encode()):
                return _page(
                    pages.problem("Open the consent link again: this form is too old."), 403
                )
        if why := _unusable(asked, gateway, callback):
            return _page(pages.problem(why), 400)
        decision, _account = asked.pop("decision", ""), asked.pop("account", "")
        if request.method == "GET":
            return _page(pages.consent(gateway.app.key, asked, form_token))
        back = (
            asked.get("redirect_uri")
            or callback
            or str(request.url.replace(path="/callback", query=""))
        )
        more = (
            {"code": gateway.state.new_code()}
            if decision == "allow"
            else {"error": "access_denied"}
        )
        if "state" in asked:
            more["state"] = asked["state"]
        return RedirectResponse(pages.with_query(back, more), 303)

    async def landed(request: Request) -> Response:
        return _page(pages.callback(str(request.url), dict(request.query_params)))

    async def code(request: Request) -> Response:
        return JSONResponse({"code": gateway.state.new_code(), "app_key": gateway.app.key})

    async def inspector(request: Request) -> Response:
        return _page(pages.inspector(await asyncio.to_thread(_diagnosed, gateway, summaries)))

    async def home(request: Request) -> Response:
        return RedirectResponse("/inspector", 303)

    both = ["GET", "POST"]
    routes: list[tuple[str, Callable[[Request], Awaitable[Response]], list[str]]] = [
        ("/", home, ["GET"]),
        ("/oauth/authorize", authorize, both),
        ("/apps/oauth/authorize", authorize, both),
        ("/callback", landed, ["GET"]),
        ("/sandbox/code", code, ["POST"]),
        ("/inspector", inspector, ["GET"]),
        ("/rest", call, both),
        ("/rest/{path:path}", call, both),
        ("/sync", call, both),
        ("/router/rest", call, both),
    ]
    return Starlette(
        routes=[Route(path, endpoint, methods=methods) for path, endpoint, methods in routes],
        middleware=[
            Middleware(_Marked),
            Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS, www_redirect=False),
        ],
    )


class _Marked:
    """Puts `MARK` on every answer, the refused hosts and unknown paths among them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(MARK)
            await send(message)

        await self.app(scope, receive, marked)


async def _body(request: Request) -> bytes | None:
    """The body, or None where it is larger than any call's."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return body


def _incoming(request: Request, body: bytes, now: float) -> Incoming:
    headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in request.headers.raw)
    return Incoming(request.method, str(request.url), headers, body, now)


def _unusable(asked: dict[str, str], gateway: Gateway, callback: str) -> str:
    """Why a consent link cannot be used, "" where it can."""
    if asked.get("client_id") != gateway.app.key:
        return (
            f"client_id is {asked.get('client_id')!r}; this sandbox's app is {gateway.app.key!r}."
        )
    if asked.get("response_type") != "code":
        return "response_type has to be “code”."
    back = asked.get("redirect_uri", "")
    if back and callback and back != callback:
        return f"Invalid redirect_uri: the registered callback is {callback!r}."
    if back and not _is_web_address(back):
        return "Invalid redirect_uri: it has to be a full http or https URL."
    return ""


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _diagnosed(
    gateway: Gateway, summaries: dict[tuple[str, str], str]
) -> list[tuple[Attempt, str]]:
    """The latest requests, each with what the doctor says of a wrong signature.

    `summaries` holds what was found before, by URL and body, and is brought up to date.
    """
    redactor = Redactor(secrets.token_bytes(16), [("app_secret", gateway.app.secret.reveal())])
    deadline = time.monotonic() + INSPECTION_S
    rows, kept = [], set()
    for attempt in gateway.attempts():
        key = (attempt.url, attempt.body)
        said = summaries.get(key, "")
        if attempt.code in ("IncompleteSignature", "25") and not said:
            said = "Reload this page for the diagnosis."
            if time.monotonic() < deadline:
                said = doctor.diagnose(attempt, secret=gateway.app.secret).summary
                summaries[key] = said
        kept.add(key)
        rows.append((attempt.redacted(redactor), said))
    for key in summaries.keys() - kept:
        summaries.pop(key, None)
    return rows


def _page(html: str, status: int = 200) -> HTMLResponse:
    policy = {
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
        "frame-ancestors 'none'; base-uri 'none'",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
    return HTMLResponse(html, status, policy)
