"""Requests in the forms people have them: curl, HAR, a URL, raw HTTP, an attempt as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from ..attempts import Attempt
from ..errors import IntakeError
from ..wire import header
from .curl import from_curl, to_curl
from .har import from_har, to_har
from .parts import as_float, as_int, as_moment, as_text, attempt, header_pairs, text_mapping

__all__ = ["last_signed", "read", "read_all", "to_curl", "to_har", "to_jsonl"]

_FORMS = "a curl command, a URL, a raw HTTP request, a HAR file or an attempt as JSON"
_REQUEST_LINE = re.compile(r"(GET|POST|PUT|DELETE|PATCH|HEAD)\s+(\S.*?)(?:\s+HTTP/[\d.]+)?\s*$")
_LARGEST = 20_000_000


def read(source: Attempt | Mapping[str, Any] | str | bytes) -> Attempt:
    """One attempt from any form; of several in a HAR file, the last one that is signed.

    Raises `IntakeError` where it is none of them.
    """
    return last_signed(read_all(source))


def read_all(source: Attempt | Mapping[str, Any] | str | bytes) -> list[Attempt]:
    """Every attempt in the source, in its order; at least one."""
    if isinstance(source, Attempt):
        return [source]
    if isinstance(source, Mapping):
        return _from_data(dict(source))
    text = source.decode("utf-8", "replace") if isinstance(source, bytes) else source
    text = text.removeprefix("\ufeff").strip()
    if not text or len(text) > _LARGEST:
        raise IntakeError(
            "There is nothing in it." if not text else "It is larger than 20 MB.",
            next_step=f"Give {_FORMS}.",
        )
    if text[0] in "{[":
        return _from_data(_json(text))
    if re.match(r"(?:\$\s+)?curl(?:\.exe)?\s", text):
        return [from_curl(text)]
    first = text.splitlines()[0]
    if _REQUEST_LINE.match(first):
        return [_from_http(text)]
    if re.match(r"https?://\S+$", text, re.IGNORECASE):
        return [attempt("GET", text)]
    if "sign=" in text and re.match(r"[\w.-]*[/?]\S+$|[\w.]+=\S+$", text):
        return [_bare_query(text)]
    raise IntakeError(
        f"It is none of the forms alinb reads: it begins with {first[:40]!r}.",
        next_step=f"Give {_FORMS}.",
    )


def to_jsonl(attempts: Iterable[Attempt]) -> str:
    """The attempts as JSON, one a line."""
    return "".join(json.dumps(a.as_dict(), ensure_ascii=False) + "\n" for a in attempts)


def last_signed(attempts: list[Attempt]) -> Attempt:
    """Of several requests the last one that is signed; the last one where none is."""
    signed = [attempt for attempt in attempts if attempt.sign]
    return (signed or attempts)[-1]


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) > 1 and text[0] == "{":
            try:
                return [json.loads(line) for line in lines]
            except (ValueError, RecursionError):
                pass
        raise IntakeError(
            f"It looks like JSON and is not: {error}.", next_step=f"Give {_FORMS}."
        ) from None


def _from_data(data: Any) -> list[Attempt]:
    items = data if isinstance(data, list) else [data]
    if isinstance(data, dict) and isinstance(data.get("log"), dict):
        entries = data["log"].get("entries")
        if not isinstance(entries, list) or not entries:
            raise IntakeError(
                "The HAR file has no entries.",
                next_step="Record again with the network panel open, then export.",
            )
        return [from_har(entry) for entry in entries]
    attempts = [_from_object(item) for item in items if isinstance(item, dict)]
    if not attempts or len(attempts) != len(items):
        raise IntakeError("The JSON holds no request.", next_step=f"Give {_FORMS}.")
    return attempts


def _from_object(item: Mapping[str, Any]) -> Attempt:
    request = item.get("request")
    if isinstance(request, Mapping) and "url" not in item:
        item = {**item, **request}
    if not isinstance(item.get("url"), str):
        raise IntakeError(
            'The JSON has no "url".',
            next_step='An attempt is {"method": "GET", "url": "https://…", "body": ""}.',
        )
    response = item.get("response")
    answered = response if isinstance(response, Mapping) else {}
    body = item.get("body") or ""
    headers = header_pairs(item.get("headers"))
    if isinstance(body, Mapping):
        body, headers = _body_of(body, headers)
    return attempt(
        str(item.get("method") or item.get("http_method") or "GET"),
        item["url"],
        headers=headers,
        body=as_text(body),
        stated_sign=str(item.get("sign") or ""),
        string_to_sign=str(item.get("string_to_sign") or ""),
        status=as_int(answered.get("status"), 200) if answered else None,
        reply_headers=header_pairs(answered.get("headers")),
        reply_text=as_text(answered.get("body")),
        name=str(item.get("name") or ""),
        platform=str(item.get("platform") or ""),
        at=as_moment(item.get("at")),
        elapsed_ms=as_float(item.get("elapsed_ms")),
        problem=str(item.get("problem") or ""),
        stages=text_mapping(item.get("stages")),
        diagnosis=item["diagnosis"] if isinstance(item.get("diagnosis"), Mapping) else None,
    )


def _body_of(
    body: Mapping[str, Any], headers: tuple[tuple[str, str], ...]
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A body given as an object: JSON where the headers say so, else a form."""
    if "json" in header(headers, "content-type").lower():
        return json.dumps(body, ensure_ascii=False), headers
    return urlencode(
        {k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items()}
    ), headers


def _from_http(text: str) -> Attempt:
    head, _, body = re.sub(r"\r\n?", "\n", text).partition("\n\n")
    first, *lines = head.split("\n")
    line = _REQUEST_LINE.match(first)
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
    multipart = "multipart/" in header(headers, "content-type").lower()
    return attempt(
        line[1], target, headers=headers, body=body.replace("\n", "\r\n") if multipart else body
    )


def _bare_query(text: str) -> Attempt:
    """A path with a query, or a query alone: the host does not matter to the signature."""
    query = text if text.startswith(("/", "?")) or "?" in text else f"?{text}"
    if query.startswith("?"):
        params = dict(parse_qsl(query[1:], keep_blank_values=True))
        query = ("/sync" if params.get("method") else "/rest/auth/token/create") + query
    if not query.startswith("/"):
        return attempt("GET", f"https://{query}")
    return attempt("GET", f"https://api-sg.aliexpress.com{query}")
