"""What a page on this machine may ask of the program behind it, and how it is told no."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

#: The page's own token travels in this header; no other origin can set it.
TOKEN_HEADER = "x-alinb-page"  # noqa: S105
#: What an order may hold, in bytes.
LARGEST = 64 * 1024

#: Headers of every answer: nothing is kept, framed, guessed, or read by another origin.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class Problem(Exception):
    """Why a request of the page is refused: HTTP status and one line."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def as_json(data: Any, status: int = 200) -> Response:
    """JSON in ASCII: a reply may hold half a surrogate pair, which UTF-8 has no bytes for."""
    return Response(json.dumps(data), status, media_type="application/json")


def safely(endpoint: Endpoint, *, linked: bool = False) -> Endpoint:
    """The endpoint with `HEADERS` on every answer, and with problems as JSON.

    Only a `linked` one may be opened from another site's page.
    """

    async def answered(request: Request) -> Response:
        try:
            asker = request.headers.get("sec-fetch-site", "none")
            if not linked and asker not in ("none", "same-origin"):
                raise Problem(403, "Only the inspector's own page may read that.")
            response = await endpoint(request)
        except Problem as problem:
            response = as_json({"problem": problem.text}, problem.status)
        response.headers.update(HEADERS)
        return response

    return answered


async def order(request: Request, token: str) -> dict[str, Any]:
    """The JSON object that the page sent to change something. Raises `Problem` for another's."""
    given = request.headers.get(TOKEN_HEADER, "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
        raise Problem(403, "Reload the page: its token is not this program's.")
    origin = request.headers.get("origin")
    if origin is not None and origin != f"http://{request.headers.get('host', '')}":
        raise Problem(403, "Only the inspector's own page may do that.")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Problem(415, "Send JSON.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise Problem(413, "That is more than any order of the page.")
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise Problem(400, "Send a JSON object.")
    return read
