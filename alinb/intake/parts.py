"""What the readers share: a checked attempt, and lenient readings of loose data."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..attempts import Attempt
from ..errors import IntakeError
from ..redact import hide

FORMS = (
    "a curl command, a URL, a raw HTTP request, a fetch() call, a HAR file or an attempt as JSON"
)


def attempt(method: str, url: str, **more: Any) -> Attempt:
    url = url.strip()
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    if not host:
        raise IntakeError(
            f"{hide(url)[:60]!r} is not a full URL.",
            next_step="It has to begin with https:// and a host.",
        )
    return Attempt(method=method.upper(), url=url, source="pasted", **more)


def header_pairs(headers: Any) -> tuple[tuple[str, str], ...]:
    if isinstance(headers, Mapping):
        return tuple((str(name), str(value)) for name, value in headers.items())
    if isinstance(headers, list):
        if all(isinstance(item, list | tuple) and len(item) == 2 for item in headers):
            return tuple((str(name), str(value)) for name, value in headers)
        return tuple(name_values(headers))
    return ()


def name_values(items: Any) -> list[tuple[str, str]]:
    return [
        (str(item["name"]), str(item.get("value", "")))
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, Mapping) and "name" in item
    ]


def text_mapping(value: Any) -> dict[str, str]:
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, Mapping) else {}


def as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else as_json(value)


def as_json(value: Any) -> str:
    """A value that Python may have printed, as JSON. Raises `IntakeError` where it has no form."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        raise IntakeError(
            f"A {type(value).__name__} is no value of a parameter.", next_step=f"Give {FORMS}."
        ) from None


def as_int(value: Any, otherwise: int) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return otherwise


def as_float(value: Any) -> float | None:
    try:
        number = math.nan if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_moment(value: Any) -> float | None:
    """Epoch s between the years 1970 and 9999; anything else is no moment."""
    number = as_float(value)
    return number if number is not None and 0 <= number < 253_402_300_800 else None
