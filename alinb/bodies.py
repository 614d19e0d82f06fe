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


def read(content: bytes | str) -> tuple[str, Any, str]:
    """A body as text, what its JSON holds, and why it is no JSON object ("" where it is one)."""
    if isinstance(content, bytes):
        try:
            # The codec that skips a mark is written in Python.
            text = content.decode("utf-8-sig" if content.startswith(BOM_UTF8) else "utf-8")
        except UnicodeDecodeError as error:
            text = content.decode("utf-8", "replace")
            return text, None, f"is not UTF-8 text (byte {error.start})"
    else:
        text = content.removeprefix("\ufeff")
    if not text.strip():
        return text, None, "is empty"
    try:
        data = parse_json(text)
    except (ValueError, RecursionError) as error:
        return text, None, _why_not_json(text, error)
    if not isinstance(data, dict):
        return text, data, f"is JSON, but a {type(data).__name__} and not an object"
    return text, data, ""


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
