"""What a person writes beside a request: the string that was hashed, and the signature of it."""

from __future__ import annotations

import re
from dataclasses import replace

from ..attempts import Attempt
from ..errors import IntakeError
from .parts import FORMS

_LINE = re.compile(
    r"^[ \t]*(?:(?P<string>string[ _-]?to[ _-]?sign|sign(?:ed)?[ _-]?string|base[ _-]?string)"
    r"|(?P<sign>sign(?:ature)?))[ \t]*[:=][ \t]*(?P<text>\S[^\n]*)$",
    re.IGNORECASE | re.MULTILINE,
)


def apart(text: str) -> tuple[str, str, str]:
    """A paste without such lines, the string to sign and the signature, "" where it has none.

    A signature is taken from a line next to the string's: elsewhere it may be part of a request.
    """
    found = list(_LINE.finditer(text))
    strings = [match for match in found if match["string"]]
    if not strings:
        return text, "", ""
    signs = [match for match in found if match["sign"] and _is_next_to(match, strings, text)]
    rest = text
    for match in sorted((*strings, *signs), key=re.Match.start, reverse=True):
        rest = rest[: match.start()] + rest[match.end() :].removeprefix("\n")
    signature = _bare(signs[-1]["text"]) if signs else ""
    return rest.strip(), _bare(strings[-1]["text"]), signature


def _is_next_to(match: re.Match[str], others: list[re.Match[str]], text: str) -> bool:
    """Whether nothing but blanks stands between a line and one of the others."""
    gaps = [(match.end(), other.start()) for other in others]
    gaps += [(other.end(), match.start()) for other in others]
    return any(start <= end and not text[start:end].strip() for start, end in gaps)


def with_them(attempt: Attempt, string: str, signature: str) -> Attempt:
    """The attempt with the string that was hashed for it; the signature where it has none."""
    signature = attempt.stated_sign if attempt.sign else signature
    return replace(attempt, string_to_sign=string, stated_sign=signature)


def alone() -> IntakeError:
    return IntakeError(
        "A string to sign alone does not say what was sent.",
        next_step=f"Put the request above it: {FORMS}.",
    )


def _bare(text: str) -> str:
    text = text.rstrip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`" else text
