"""What Python prints of a request: http.client's debug lines, and a request's attributes."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any

#: What to do with a program, whose values nobody knows before it is run.
PYTHON = (
    "alinb runs no program: paste the URL and the body that it sent. In Python that is what"
    " print(vars(r.request)) shows, after `r = requests.post(…)`."
)

_BYTES = r"b'(?:[^'\\\n]|\\.)*'|b\"(?:[^\"\\\n]|\\.)*\""
_TEXT = r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\""
_CALL = r"\b(?:requests|httpx|session)\.(?:get|post|request|Request)\("
_PROGRAM = re.compile(
    rf"^[ \t]*(?:import|from) \w+|{_CALL}|^[ \t]*<\w*(?:Request|Response)\b", re.MULTILINE
)


def sent_by_python(text: str) -> str:
    """The raw request in `send: b'POST …'` lines (`http.client.HTTPConnection.debuglevel`), or "".

    Of several requests in them it is the last one.
    """
    try:
        pieces = [literal(found) for found in re.findall(rf"^send: ({_BYTES})", text, re.M)]
    except ValueError:
        return ""
    starts = [n for n, piece in enumerate(pieces) if re.match(rb"[A-Z]+ \S+ HTTP/", piece)]
    return b"".join(pieces[starts[-1] :]).decode("utf-8", "replace") if starts else ""


def literal(text: str) -> Any:
    """The value of a literal; raises `ValueError` for whatever is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that Python will do without
        try:
            return ast.literal_eval(text)
        except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
            raise ValueError(str(error)) from None


def is_python(text: str) -> bool:
    """Whether it looks like a program that sends requests, or like one's request object."""
    return bool(_PROGRAM.search(text))


def without_objects(text: str) -> str:
    """A printed dictionary with None for what has no literal, such as <RequestsCookieJar[]>."""
    return re.sub(
        rf"({_TEXT})|<[A-Za-z_][^<>\n]*(?:<[^<>\n]*>[^<>\n]*)*>",
        lambda found: found[1] or "None",
        text,
    )
