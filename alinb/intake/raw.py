"""A request as it stands on the wire, or its URL alone."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl

from ..attempts import Attempt
from ..errors import IntakeError
from ..wire import header
from .parts import attempt

REQUEST_LINE = re.compile(r"(GET|POST|PUT|DELETE|PATCH|HEAD)\s+(\S.*?)(?:\s+HTTP/[\d.]+)?\s*$")


def from_http(text: str) -> Attempt:
    head, _, body = re.sub(r"\r\n?", "\n", text).partition("\n\n")
    first, *lines = head.split("\n")
    line = REQUEST_LINE.match(first)
    if line is None:
        raise IntakeError(
            f"{first[:60]!r} is not a request line.", next_step="Begin with GET or POST and a path."
        )
    headers = tuple(
        (n.strip(), v.strip()) for n, colon, v in (x.partition(":") for x in lines) if colon
    )
    target = line[2].strip()
    if target.startswith("/"):
        host = header(headers, "host")
        if not host:
            raise IntakeError(
                "The raw request has no Host header.",
                next_step="Add a line such as Host: api-sg.aliexpress.com.",
            )
        scheme = "http" if re.match(r"localhost|127\.|\[::1\]", host) else "https"
        target = f"{scheme}://{host}{target}"
    body, answer = _with_answer(body)
    if "multipart/" in header(headers, "content-type").lower():
        body = body.replace("\n", "\r\n")
    return attempt(line[1], target, headers=headers, body=body, **answer)


_STATUS_LINE = re.compile(r"^HTTP/[\d.]+ (\d{3})[^\n]*\n", re.MULTILINE)


def _with_answer(body: str) -> tuple[str, dict[str, Any]]:
    """A raw request's body, and the raw answer that was pasted behind it."""
    found = _STATUS_LINE.search(body)
    if found is None:
        return body, {}
    head, _, content = body[found.end() :].partition("\n\n")
    lines = (line.partition(":") for line in head.split("\n"))
    return body[: found.start()].rstrip("\n"), {
        "status": int(found[1]),
        "reply_headers": tuple((n.strip(), v.strip()) for n, colon, v in lines if colon),
        "reply_text": content,
    }


def from_url(text: str) -> Attempt:
    """A URL as people copy it: in quotes or brackets, with raw blanks, with `&amp;`."""
    url = text.strip("<>\"'` ")
    if "&amp;" in url:
        url = unescape(url)
    return attempt("GET", re.sub(r"\s", "%20", url))


def from_network_panel(text: str) -> Attempt:
    """What a browser's network panel shows: `Request URL: …`, `Request Method: …`."""
    url = re.search(r"Request URL:?\s*(\S+)", text, re.IGNORECASE)
    method = re.search(r"Request Method:?\s*(\w+)", text, re.IGNORECASE)
    if url is None:
        raise IntakeError("It names no request URL.", next_step="Copy the request as cURL.")
    return attempt(method[1] if method else "GET", url[1])


def from_query(text: str) -> Attempt:
    """A path with a query, or a query alone: the host does not matter to the signature."""
    text = unescape(text) if "&amp;" in text else text
    query = text if text.startswith(("/", "?")) or "?" in text else f"?{text}"
    if query.startswith("?"):
        params = dict(parse_qsl(query[1:], keep_blank_values=True))
        if "_aop_signature" in params:
            raise IntakeError(
                "A query of the param2 gateway alone does not name its path, which is signed.",
                next_step="Give the whole URL.",
            )
        query = ("/sync" if params.get("method") else "/rest/auth/token/create") + query
    if not query.startswith("/"):
        return attempt("GET", f"https://{query}")
    return attempt("GET", f"https://api-sg.aliexpress.com{query}")
