"""HTTP Archive 1.2, as browsers and proxies export it."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from ..attempts import Attempt
from ..errors import IntakeError
from ..wire import header
from .curl import Part, multipart_body
from .parts import as_float, as_int, as_moment, as_text, attempt, name_values


def to_har(attempts: Iterable[Attempt], version: str = "") -> dict[str, Any]:
    """The attempts as an HTTP Archive 1.2."""
    entries = [_har_entry(attempt) for attempt in attempts]
    creator = {"name": "alinb", "version": version}
    return {"log": {"version": "1.2", "creator": creator, "entries": entries}}


def from_har(entry: Any) -> Attempt:
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(request, dict) or not isinstance(request.get("url"), str):
        raise IntakeError("A HAR entry has no request.", next_step="Export the HAR file again.")
    posted = _object(request.get("postData"))
    headers = tuple(name_values(request.get("headers")))
    body = posted.get("text") or ""
    if not body and isinstance(posted.get("params"), list):
        body, headers = _posted_params(posted, headers)
    elif posted.get("mimeType") and not header(headers, "content-type"):
        headers = (*headers, ("Content-Type", str(posted["mimeType"])))
    response = _object(entry.get("response"))
    status = as_int(response.get("status"), 0)
    started = entry.get("startedDateTime")
    return attempt(
        str(request.get("method") or "GET"),
        request["url"],
        headers=headers,
        body=str(body),
        status=status or None,
        reply_headers=tuple(name_values(response.get("headers"))),
        reply_text=_har_content(response.get("content")),
        at=as_moment(_instant(started)),
        elapsed_ms=as_float(entry.get("time")),
    )


def _posted_params(
    posted: dict[str, Any], headers: tuple[tuple[str, str], ...]
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A body put together again from its parameters, with the content type that fits it."""
    mime = str(posted.get("mimeType") or "") or header(headers, "content-type")
    items = [item for item in posted["params"] if isinstance(item, dict) and "name" in item]
    if "multipart/" not in mime.lower():
        if not header(headers, "content-type") and mime:
            headers = (*headers, ("Content-Type", mime))
        return urlencode(name_values(items)), headers
    changed = list(headers)
    parts = [
        Part(str(item["name"]), str(item.get("fileName") or item.get("value") or ""),
             "fileName" in item)
        for item in items
    ]  # fmt: skip
    return multipart_body(parts, changed), tuple(changed)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _har_content(content: Any) -> str:
    if not isinstance(content, dict):
        return ""
    text = as_text(content.get("text"))
    if content.get("encoding") == "base64":
        try:
            return base64.b64decode(text).decode("utf-8", "replace")
        except ValueError:
            return text
    return text


def _har_entry(attempt: Attempt) -> dict[str, Any]:
    at = datetime.fromtimestamp(attempt.at or 0, UTC).isoformat(timespec="milliseconds")
    elapsed = attempt.elapsed_ms or 0
    request: dict[str, Any] = {
        "method": attempt.method,
        "url": attempt.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _har_pairs(attempt.headers),
        "queryString": _har_pairs(attempt.wire.query),
        "headersSize": -1,
        "bodySize": len(attempt.body.encode("utf-8", "replace")),
    }
    if attempt.body:
        mime = header(attempt.headers, "content-type") or "application/x-www-form-urlencoded"
        request["postData"] = {"mimeType": mime, "text": attempt.body}
    size = len(attempt.reply_text.encode("utf-8", "replace"))
    mime = header(attempt.reply_headers, "content-type") or "application/json"
    return {
        "startedDateTime": at,
        "time": elapsed,
        "request": request,
        "response": {
            "status": attempt.status or 0,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _har_pairs(attempt.reply_headers),
            "content": {"size": size, "mimeType": mime, "text": attempt.reply_text},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": size,
        },
        "cache": {},
        "timings": {"send": 0, "wait": elapsed, "receive": 0},
    }


def _har_pairs(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _instant(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError):
        return None
