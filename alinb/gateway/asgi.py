"""The sandbox over HTTP: a thin Starlette shell around the gateway's core."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from .. import doctor, wire
from ..attempts import Attempt
from ..redact import Redactor
from . import pages
from .core import Gateway, Incoming

#: Every answer says that it does not come from the platform.
MARK = {"x-alinb-sandbox": "not the real gateway"}
LARGEST_BODY = 8 * 1024 * 1024
#: Names this machine goes by; any other Host is a page of somebody else's (DNS rebinding).
_HOSTS = ["127.0.0.1", "localhost", "[::1]"]


def build(gateway: Gateway, *, latency_s: float = 0.0, callback: str = "") -> Starlette:
    """The ASGI app of a gateway. `callback` is the registered redirect URI, "" for any."""
    form_token = secrets.token_urlsafe(16)

    async def call(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return JSONResponse({"type": "ISV", "code": "RequestTooLarge"}, 413, MARK)
        if latency_s:
            await asyncio.sleep(latency_s)
        answered = gateway.answer(_incoming(request, body, gateway.clock()))
        return JSONResponse(answered.body, answered.status, MARK)

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
        return RedirectResponse(pages.with_query(back, more), 303, MARK)

    async def landed(request: Request) -> Response:
        return _page(pages.callback(str(request.url), dict(request.query_params)))

    async def code(request: Request) -> Response:
        return JSONResponse(
            {"code": gateway.state.new_code(), "app_key": gateway.app.key}, 200, MARK
        )

    async def inspector(request: Request) -> Response:
        return _page(pages.inspector(await asyncio.to_thread(_diagnosed, gateway)))

    async def home(request: Request) -> Response:
        return RedirectResponse("/inspector", 303, MARK)

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
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS, www_redirect=False)],
    )


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
    if back and urlsplit(back).scheme not in ("http", "https"):
        return "Invalid redirect_uri: it has to be a full http or https URL."
    return ""


def _diagnosed(gateway: Gateway) -> list[tuple[Attempt, doctor.Diagnosis | None]]:
    redactor = Redactor(secrets.token_bytes(16), [("app_secret", gateway.app.secret.reveal())])
    rows = []
    for attempt in gateway.attempts():
        wrong = attempt.code in ("IncompleteSignature", "25")
        found = doctor.diagnose(attempt, secret=gateway.app.secret) if wrong else None
        rows.append((attempt.redacted(redactor), found))
    return rows


def _page(html: str, status: int = 200) -> HTMLResponse:
    policy = {
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; "
        "frame-ancestors 'none'; base-uri 'none'",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
    return HTMLResponse(html, status, {**MARK, **policy})
