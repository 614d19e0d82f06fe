"""One exchange over HTTP: the request of a signed call, and what an attempt keeps of the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from . import replies, wire
from .errors import InputError
from .receiving import PACKINGS, Body, Unusable, what_broke
from .redact import hide
from .replies import Reply
from .signing import Signed

#: What a broken line raises.
BROKEN = (httpx.HTTPError, TimeoutError, UnicodeError, Unusable)


#: What httpx takes for a URL, in characters.
LONGEST_URL = 65_536
#: What breaks before anything of a request is out.
_UNSENT = (
    httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError,
    httpx.UnsupportedProtocol,
)  # fmt: skip


def to_request(signed: Signed) -> httpx.Request:
    """The HTTP request of a signed call; files make it multipart, their parts unsigned.

    Raises `InputError` where no HTTP client takes its URL.
    """
    url = url_of(signed.url)
    files = {name: (file, content) for name, (file, content) in signed.call.files.items()}
    headers = headers_of(signed)
    if files:
        form = dict(signed.form)
        return httpx.Request(signed.method, url, data=form, files=files, headers=headers)
    if signed.method == "GET":
        return httpx.Request("GET", url, headers=headers)
    return httpx.Request("POST", url, content=signed.body.encode(), headers=headers)


def headers_of(signed: Signed) -> dict[str, str]:
    """The headers that a signed call sets; the boundary of files is the HTTP client's to name."""
    headers = {"Accept": "application/json", "Accept-Encoding": PACKINGS}
    if signed.method == "POST" and not signed.call.files:
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    return headers


def url_of(text: str) -> httpx.URL:
    """A URL as httpx takes it. Raises `InputError` where its host is none, or it is too long."""
    if len(text) > LONGEST_URL:
        raise InputError(
            f"The call makes a URL of {len(text)} characters, and {LONGEST_URL} is the most.",
            next_step='Send it with verb="POST".',
        )
    try:
        url = httpx.URL(text)
        if url.host:
            return url
    except (httpx.InvalidURL, UnicodeError):
        pass
    raise InputError(
        f"{urlsplit(text).hostname!r} is no name or address of a host.",
        next_step="Look at the gateway's URL: --gateway, ALINB_GATEWAY or gateway=….",
    )


def to_reply(response: httpx.Response, signed: Signed) -> Reply:
    """The reply in an HTTP response that has been read."""
    return read_reply(response, response.content, signed)


def read_reply(response: httpx.Response, content: bytes, signed: Signed) -> Reply:
    """The reply in what came; a redirect is reported and not followed."""
    reply = replies.read(response.status_code, content, signed.call.name, signed.params)
    location = response.headers.get("location", "") if response.has_redirect_location else ""
    return _unfollowed(reply, location)


def _unfollowed(reply: Reply, location: str) -> Reply:
    if not location:
        return reply
    try:
        where = urlsplit(location).hostname or "another path"
    except ValueError:
        where = "what is no address"
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
        reply = replies.read(self.status, self.content, signed.call.name, signed.params)
        moved = self.status in (301, 302, 303, 307, 308)
        return _unfollowed(reply, wire.header(self.headers, "location") if moved else "")

    @property
    def retry_after_s(self) -> float | None:
        """The seconds of a Retry-After header, where there is one of figures."""
        said = wire.header(self.headers, "retry-after")
        return float(said) if said.isdigit() and len(said) < 9 else None


def as_sent(signed: Signed, request: httpx.Request) -> tuple[tuple[tuple[str, str], ...], str]:
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


def connected(error: Exception) -> bool:
    """Whether the line stood before it broke, and the request may have arrived."""
    return not isinstance(error, _UNSENT)


def answer_facts(response: httpx.Response, reply: Reply) -> dict[str, Any]:
    """What an attempt keeps of an answer."""
    return {
        "status": response.status_code,
        "reply_headers": tuple(response.headers.multi_items()),
        "reply_text": reply.text,
        "problem": reply.reason,
    }


def held(response: httpx.Response) -> list[bytes]:
    """The body of an answer that its transport had read and unpacked before."""
    return [response.content] if response.is_stream_consumed else []


def packing(response: httpx.Response) -> str:
    """How the body that is still to come is packed."""
    packed = "" if response.is_stream_consumed else response.headers.get("content-encoding", "")
    return str(packed)


async def each_part(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body as it comes over the line, or as its transport holds it."""
    for chunk in held(response):
        yield chunk
    if not response.is_stream_consumed:
        async for chunk in response.aiter_raw():
            yield chunk


async def exchanged(
    carrier: httpx.AsyncClient | httpx.AsyncBaseTransport, request: httpx.Request, timeout_s: float
) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Status, headers and content of one exchange, unpacked within bounds.

    A transport does without a client's cookies, redirects and log: a fifth of the CPU.
    """
    if isinstance(carrier, httpx.AsyncClient):
        response = await carrier.send(request, stream=True)
    else:
        request.extensions["timeout"] = dict.fromkeys(
            ("connect", "read", "write", "pool"), timeout_s
        )
        response = await carrier.handle_async_request(request)
    try:
        body = Body(packing(response))
        async for part in each_part(response):
            body.add(part)
    finally:
        await response.aclose()
    return response.status_code, tuple(response.headers.multi_items()), body.end().getvalue()


def cut_off(error: Exception, response: httpx.Response | None, body: Body) -> dict[str, Any]:
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
