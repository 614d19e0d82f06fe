"""Requests in the forms people have them, in and out.

Read are curl commands (as shells, browsers and Postman write them), HAR files, raw URLs, raw HTTP
requests, fetch() and Invoke-WebRequest as browsers copy them, what Python prints of a request, and
attempts or parameters as JSON. A line `string to sign: …` may stand beside any of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..attempts import Attempt
from ..errors import InputError, IntakeError
from ..quiet import quiet
from . import stated
from .curl import from_curl, to_curl
from .har import to_har
from .objects import from_data, loaded
from .parts import FORMS
from .printed import PYTHON, is_python, sent_by_python
from .raw import REQUEST_LINE, from_http, from_network_panel, from_query, from_url
from .script import from_fetch, from_powershell

__all__ = ["decoded", "last_signed", "read", "read_all", "to_curl", "to_har", "to_jsonl", "written"]

_LARGEST = 20_000_000

#: What a terminal shows in front of a command, and people copy along.
_PROMPT = re.compile(
    r"^(?:\$|>|%|#(?=\s+curl)|PS [^>\n]*>|[\w.-]+@[\w.-]+:[^$#\n]*[$#])\s+|^(?:sudo|time)\s+"
)
_CURL = re.compile(r"curl(?:\.exe)?\s", re.IGNORECASE)
_CURLY = str.maketrans("“”„‘’‚", '"' * 3 + "'" * 3)


@quiet
def read(source: Attempt | Mapping[str, Any] | str | bytes) -> Attempt:
    """One attempt from any form; of several in a HAR file, the last one that is signed.

    Raises `IntakeError` where it is none of them.
    """
    return last_signed(read_all(source))


@quiet
def read_all(source: Attempt | Mapping[str, Any] | str | bytes) -> list[Attempt]:
    """Every attempt in the source, in its order; at least one."""
    if isinstance(source, Attempt):
        return [source]
    if isinstance(source, Mapping):
        return from_data(dict(source))
    text = _cleaned(decoded(source) if isinstance(source, bytes) else source)
    if text[:1] not in ("{", "["):
        return _read_with_string(text)
    try:
        return _read(text)
    except IntakeError:
        if stated.apart(text)[1]:
            return _read_with_string(text)
        raise


def _read_with_string(text: str) -> list[Attempt]:
    """What is in a text that may tell the string to sign of its request, too."""
    rest, string, signature = stated.apart(text) if len(text) <= _LARGEST else (text, "", "")
    if not string:
        return _read(text)
    if not rest:
        raise stated.alone()
    return [stated.with_them(one, string, signature) for one in _read(rest)]


def _read(text: str) -> list[Attempt]:
    if not text or len(text) > _LARGEST:
        raise IntakeError(
            "There is nothing in it." if not text else "It is larger than 20 MB.",
            next_step=f"Give {FORMS}.",
        )
    if text[0] in "{[":
        return from_data(loaded(text))
    if _CURL.match(text):
        return [from_curl(command) for command in _commands(text)]
    return [_from_text(text)]


def _from_text(text: str) -> Attempt:
    first = text.splitlines()[0]
    if REQUEST_LINE.match(first):
        return from_http(text)
    if re.match(r"(?:await\s+)?(?:window\.)?fetch\(", text):
        return from_fetch(text)
    if re.search(r"^(?:\$\w+\s*=.*\n)*.*Invoke-(?:WebRequest|RestMethod)\b", text, re.IGNORECASE):
        return from_powershell(text)
    if re.match(r"[<\"'`]?https?://", text, re.IGNORECASE) and "\n" not in text:
        return from_url(text)
    if re.search(r"^\s*Request URL", text, re.IGNORECASE | re.MULTILINE):
        return from_network_panel(text)
    if "sign" in text and re.match(r"[\w.-]*[/?]\S+$|[\w.]+=\S+$", text):
        return from_query(text)
    if logged := re.search(r"\"((?:GET|POST) /\S*[?&]sign=\S*)(?: HTTP/[\d.]+)?\"", text):
        return from_query(logged[1].partition(" ")[2])
    if sent := sent_by_python(text):
        return from_http(sent)
    if re.match(r"[^\s=&]*app_key[^\s=&]*$", first):
        raise stated.alone()
    raise IntakeError(
        f"It is none of the forms alinb reads: it begins with {_beginning(first)!r}.",
        next_step=PYTHON if is_python(text) else f"Give {FORMS}.",
    )


def _beginning(line: str) -> str:
    """The first words of a line; a long one with digits may be a secret, a token or a code."""
    return re.sub(r"(?=\S*\d)\S{12,}", "…", line[:200])[:40]


def decoded(content: bytes) -> str:
    """A file's text: UTF-8, or UTF-16 where its first bytes say so, as PowerShell's `>` writes."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8", "replace")


def to_jsonl(attempts: Iterable[Attempt]) -> str:
    """The attempts as JSON, one a line."""
    return "".join(json.dumps(a.as_dict(), ensure_ascii=False) + "\n" for a in attempts)


def written(attempts: Iterable[Attempt], form: str, version: str = "") -> str:
    """The attempts in a form that others read: har, curl (one command a line) or jsonl.

    They are written as they are: redact those that still have true values. Raises `InputError` for
    another form.
    """
    if form == "har":
        return json.dumps(to_har(attempts, version), ensure_ascii=False, indent=1) + "\n"
    if form == "curl":
        return "".join(to_curl(attempt) + "\n" for attempt in attempts)
    if form == "jsonl":
        return to_jsonl(attempts)
    raise InputError(f"{form!r} is no format.", next_step="Use har, curl or jsonl.")


def last_signed(attempts: list[Attempt]) -> Attempt:
    """Of several requests the last one that is signed; the last one where none is."""
    signed = [attempt for attempt in attempts if attempt.sign]
    return (signed or attempts)[-1]


def _cleaned(text: str) -> str:
    """The text without what stands around it: code fences, prompts, comments above a command."""
    text = text.removeprefix("\ufeff").strip()
    fenced = re.fullmatch(r"```\w*\n(.*?)\n?```", text, re.DOTALL)
    text = fenced[1].strip() if fenced else text
    while shortened := re.match(r"#(?!\s*curl\b)[^\n]*\n+(?=\S)", text):
        text = text[shortened.end() :]
    while shortened := _PROMPT.match(text):
        text = text[shortened.end() :]
    if _CURL.match(text) and not re.search("[\"']", text):
        text = text.translate(_CURLY)  # a word processor's quotes: a shell's are straight
    return text


def _commands(text: str) -> list[str]:
    """The commands of a paste: browsers copy all requests as several, each on lines of its own."""
    starts = [0, *(m.start(1) for m in re.finditer(r"[;&]\s*\n\s*(curl\s)", text))]
    ends = [*starts[1:], len(text)]
    return [text[a:b].strip().rstrip(";&").strip() for a, b in zip(starts, ends, strict=True)]
