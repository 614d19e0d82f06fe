"""Attempts as JSON, JSON Lines, HAR, or what Python prints of a dictionary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from ..attempts import Attempt
from ..errors import IntakeError
from ..wire import header
from .har import from_har
from .parts import (
    FORMS,
    as_float,
    as_int,
    as_json,
    as_moment,
    as_text,
    attempt,
    header_pairs,
    text_mapping,
)
from .printed import literal, without_objects
from .raw import from_query


def loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) > 1 and text[0] == "{":
            try:
                return [json.loads(line) for line in lines]
            except (ValueError, RecursionError):
                pass
        try:
            return literal(without_objects(text))  # what Python prints of a dictionary
        except ValueError:
            raise IntakeError(
                f"It looks like JSON and is not: {error}.", next_step=f"Give {FORMS}."
            ) from None


def from_data(data: Any) -> list[Attempt]:
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
        raise IntakeError("The JSON holds no request.", next_step=f"Give {FORMS}.")
    return attempts


def _from_object(item: Mapping[str, Any]) -> Attempt:
    request = item.get("request")
    if isinstance(request, Mapping) and "url" not in item:
        item = {**item, **request}
    if not isinstance(item.get("url"), str):
        if "app_key" in item and "sign" in item:
            return from_query(urlencode({str(k): as_text(v) for k, v in item.items()}))
        raise _no_request(item)
    answered = _response(item.get("response"))
    method = as_text(item.get("method") or item.get("http_method") or "GET").upper()
    url, body, headers = item["url"], item.get("body") or "", header_pairs(item.get("headers"))
    if isinstance(body, Mapping):
        body, headers = _body_of(body, headers)
    if (params := _params(item.get("params"))) and not body and "sign=" not in url:
        if method == "GET":
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(params)}"
        else:
            body, headers = _body_of(dict(params), headers)
    return attempt(
        method,
        url,
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


def _no_request(item: Mapping[str, Any]) -> IntakeError:
    roots = {name for name in item if isinstance(name, str) and name.endswith("_response")}
    if roots or {"code", "message"} <= item.keys() or {"code", "request_id"} <= item.keys():
        return IntakeError(
            "It is a reply, not a request.",
            next_step=f"alinb explain says what it means; to find a mistake, give {FORMS}.",
        )
    return IntakeError(
        'The JSON has no "url".',
        next_step='An attempt is {"method": "GET", "url": "https://…", "body": ""}.',
    )


def _response(response: Any) -> Mapping[str, Any]:
    """The answer as status, headers and body; a reply given bare, or as text, is its body."""
    if isinstance(response, str) and response.strip():
        return {"status": 200, "body": response}
    if not isinstance(response, Mapping) or not response:
        return {}
    return response if {"body", "status"} & set(response) else {"status": 200, "body": response}


def _params(params: Any) -> list[tuple[str, str]]:
    if isinstance(params, Mapping):
        return [(str(name), as_text(value)) for name, value in params.items()]
    return list(header_pairs(params))


def _body_of(
    body: Mapping[str, Any], headers: tuple[tuple[str, str], ...]
) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A body given as an object: JSON where the headers say so, else a form."""
    if "json" in header(headers, "content-type").lower():
        return as_json(body), headers
    return urlencode({k: v if isinstance(v, str) else as_json(v) for k, v in body.items()}), headers
