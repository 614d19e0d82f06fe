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

    A signature alone is left where it is: with no string beside it, it may be part of a request.
    """
    found = list(_LINE.finditer(text))
    strings = [match for match in found if match["string"]]
    if not strings:
        return text, "", ""
    signs = [match for match in found if match["sign"]]
    rest = text
    for match in reversed(found):
        rest = rest[: match.start()] + rest[match.end() :]
    signature = _bare(signs[-1]["text"]) if signs else ""
    return rest.strip(), _bare(strings[-1]["text"]), signature


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
