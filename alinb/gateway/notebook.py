"""One request as a notebook that diagnoses it; it holds no secret and asks for what it needs."""

from __future__ import annotations

import re
from pprint import pformat
from typing import Any

from ..attempts import Attempt

_MARK = re.compile(r"‹([a-z_]+) [0-9a-f]{4}›")


def cell(shown: Attempt) -> str:
    """Code that diagnoses a redacted attempt, hidden values and the app secret asked for.

    They come from the environment where it has them: ALINB_APP_SECRET, ALINB_ACCESS_TOKEN, …
    """
    held = {k: v for k, v in shown.as_dict().items() if k in _KEPT and v}
    lines = ["import os", "from getpass import getpass"]
    hidden = {m[0]: f"ALINB_{m[1].upper()}" for m in _MARK.finditer(f"{shown.url}\n{shown.body}")}
    if hidden:
        lines.append("from urllib.parse import quote")
    lines += ["", "import alinb", "", f"attempt = {pformat(held, width=96, sort_dicts=False)}"]
    if hidden:
        lines += [
            f"hidden = {pformat(hidden, width=96)}",
            "for mark, name in hidden.items():",
            '    value = os.environ.get(name) or getpass(f"{mark} (Enter if unknown): ") or mark',
            '    for part in ("url", "body"):',
            "        if part in attempt and value != mark:",
            '            attempt[part] = attempt[part].replace(mark, quote(value, safe=""))',
        ]
    lines += [
        'secret = os.environ.get("ALINB_APP_SECRET") or getpass("App secret: ")',
        "alinb.diagnose(attempt, secret=secret)",
    ]
    return "\n".join(lines) + "\n"


def notebook(shown: Attempt, summary: str) -> dict[str, Any]:
    """A notebook (nbformat 4.5) with that cell under a heading and what the doctor said."""
    title = f"# {shown.method} {_plain(shown.api_name)}: {_plain(shown.verdict)}"
    text = f"{title}\n\n{_plain(summary)}\n\nHidden values stand as `‹kind fingerprint›`."
    code: dict[str, Any] = {
        "cell_type": "code",
        "execution_count": None,
        "outputs": [],
        "id": "diagnosis",
    }
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
        },
        "cells": [
            {"cell_type": "markdown", "id": "what", "metadata": {}, "source": text},
            {**code, "metadata": {}, "source": cell(shown)},
        ],
    }


_KEPT = ("method", "url", "headers", "body", "response")


def _plain(text: str) -> str:
    """Text that Markdown takes as it is: what a caller sends must not become a link or HTML."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|&~$-])", r"\\\1", text.replace("\n", " "))
