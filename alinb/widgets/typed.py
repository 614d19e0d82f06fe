"""What was typed into a field, and whether it may be shown."""

from __future__ import annotations

import re

from ..redact import REQUEST_KINDS

#: A token as the platforms give it: long, of letters and digits alone, and of both.
_TOKEN = re.compile(r"(?=[a-zA-Z]*\d)(?=\d*[a-zA-Z])[a-zA-Z\d]{48,}")


def kind_of(name: str, value: str = "") -> str:
    """What a typed parameter holds that is never shown, "" for nothing.

    Its name tells, or the look of its value: somebody may paste a token into any field.

    >>> kind_of("session"), kind_of("keyWord", "lamp"), kind_of("keyWord", "5000" + "0aB" * 19)
    ('access_token', '', 'access_token')
    """
    return REQUEST_KINDS.get(
        name.lower(), "access_token" if _TOKEN.fullmatch(value.strip()) else ""
    )
