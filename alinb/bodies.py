"""The body of an answer: JSON, or why it is none."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """What `json.loads` gives, in less than half the time; the same errors.

    Whole numbers keep every digit, however many there are.
    """
    import msgspec

    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        # It is stricter (NaN, lone surrogates), and words its errors in another way.
        return json.loads(text)


def read(content: bytes | str) -> tuple[Any, str]:
    """What the JSON of a body holds, and why it is no JSON object ("" where it is one)."""
    import msgspec

    try:
        # As it came: text would have to be encoded again to be read.
        data = msgspec.json.decode(
            content.removeprefix(BOM_UTF8) if isinstance(content, bytes) else as_text(content)
        )
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _read_slowly(content)
    return data, "" if isinstance(data, dict) else _no_object(data)


def as_text(content: bytes | str) -> str:
    """A body as text, without a byte order mark; what is not UTF-8 becomes U+FFFD."""
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    return content.removeprefix(BOM_UTF8).decode("utf-8", "replace")


def _read_slowly(content: bytes | str) -> tuple[Any, str]:
    """The same for what no strict reader takes."""
    if isinstance(content, bytes):
        try:
            content.removeprefix(BOM_UTF8).decode()
        except UnicodeDecodeError as error:
            return None, f"is not UTF-8 text (byte {error.start})"
    text = as_text(content)
    if not text.strip():
        return None, "is empty"
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        return None, _why_not_json(text, error)
    return data, "" if isinstance(data, dict) else _no_object(data)


def _no_object(data: Any) -> str:
    return f"is JSON, but a {type(data).__name__} and not an object"


def _why_not_json(text: str, error: Exception) -> str:
    start = text.lstrip()[:200].lower()
    if start.startswith("<"):
        title = re.search(r"<title[^>]*>([^<]{1,80})", text, re.IGNORECASE)
        what = "an HTML page" if "<html" in start or "<!doctype" in start else "a page of markup"
        return f"is {what}" + (f" titled “{title[1].strip()}”" if title else "")
    if start[:1] in "{[" and isinstance(error, json.JSONDecodeError):
        if error.pos >= len(text.rstrip()) - 1 or "Unterminated" in error.msg:
            return f"is JSON cut off after {len(text)} characters"
        return f"is broken JSON at character {error.pos} of {len(text)}"
    if start[:1] in "{[":
        return "is JSON with too long a number or too deep a nesting"
    return "is plain text, not JSON"
