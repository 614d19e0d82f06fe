"""Requests as browsers copy them for a program: fetch() and PowerShell's Invoke-WebRequest."""

from __future__ import annotations

import json
import re

from ..attempts import Attempt
from ..errors import IntakeError
from .objects import from_data
from .parts import attempt

#: A PowerShell option and its value.
_OPTION = re.compile(r"(?<=\s)-(\w+)\s+(\"(?:[^\"`]|`.|\"\")*\"|'(?:[^']|'')*'|[^\s-]\S*)")
_TEXT = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`"


def from_fetch(text: str) -> Attempt:
    """`fetch("…", {"headers": {…}, "body": "…", "method": "POST"})`, as text, nothing is run."""
    found = re.search(rf"fetch\(\s*({_TEXT})\s*(?:,\s*(\{{.*\}}))?\s*\)", text, re.DOTALL)
    if found is None:
        raise IntakeError(
            "The fetch() call has no URL written in it.",
            next_step="Copy it from the browser's network panel: Copy as fetch.",
        )
    options = _object(found[2] or "{}")
    options = {name: options.get(name) for name in ("method", "headers", "body")}
    method = options["method"] or ("POST" if options["body"] else "GET")
    return from_data({**options, "method": method, "url": _text(found[1])})[0]


def from_powershell(text: str) -> Attempt:
    """`Invoke-WebRequest -Uri "…" -Method "POST" -Body "…" -ContentType "…"`."""
    text = re.sub(r"`\s*\r?\n", " ", text)
    given = {name.lower(): _powershell_text(value) for name, value in _OPTION.findall(text)}
    if "uri" not in given:
        raise IntakeError("Invoke-WebRequest names no -Uri.", next_step="Copy the whole command.")
    pairs = re.search(r"-Headers\s+@\{(.*?)\}", text, re.DOTALL | re.IGNORECASE)
    headers = [
        (_powershell_text(name), _powershell_text(value))
        for name, value in re.findall(r"(\"[^\"]*\"|[\w-]+)\s*=\s*(\"(?:[^\"`]|`.)*\")", pairs[1])
    ] if pairs else []  # fmt: skip
    if kind := given.get("contenttype"):
        headers.append(("Content-Type", kind))
    body = given.get("body", "")
    method = given.get("method") or ("POST" if body else "GET")
    return attempt(method, given["uri"], headers=tuple(headers), body=body)


def _text(literal: str) -> str:
    """A JavaScript text literal's content."""
    inner = literal[1:-1]
    if literal[0] != '"':
        inner = inner.replace("\\'", "'").replace("\\`", "`").replace('"', '\\"')
    try:
        return str(json.loads(f'"{inner}"', strict=False))
    except ValueError:
        return inner


def _object(text: str) -> dict[str, object]:
    """A JavaScript object of texts; names may stand without quotes."""
    try:
        return dict(json.loads(text, strict=False))
    except ValueError:
        pass
    # Only what stands outside of texts is spelled anew.
    drawn, last = [], 0
    for literal in re.finditer(_TEXT, text):
        drawn += [_bare(text[last : literal.start()]), json.dumps(_text(literal[0]))]
        last = literal.end()
    drawn.append(_bare(text[last:]))
    try:
        return dict(json.loads("".join(drawn), strict=False))
    except (ValueError, TypeError):
        raise IntakeError(
            "The options of the fetch() call are code, not values.",
            next_step="Copy it from the browser's network panel, or give the URL and body.",
        ) from None


def _bare(text: str) -> str:
    text = re.sub(r"([\w$-]+)(\s*:)", r'"\1"\2', text)
    return re.sub(r",(\s*\})", r"\1", text)


def _powershell_text(literal: str) -> str:
    if literal.startswith("'"):
        return literal[1:-1].replace("''", "'")
    inner = literal[1:-1] if literal.startswith('"') else literal
    return re.sub(r"`(.)", r"\1", inner.replace('""', '"'))
