"""The labelled pieces that a string to sign is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .redact import REQUEST_KINDS


class Segment(NamedTuple):
    """A labelled piece of the string to sign.

    `kind` is path, name, value, separator, secret, body or other; `parameter` names the parameter
    that a name or value belongs to. The repr shows no secret, code or token.
    """

    kind: str
    text: str
    parameter: str = ""

    @property
    def secret(self) -> str:
        """What kind of secret the piece is, such as app_secret or code; "" where it is none."""
        if self.kind == "secret":
            return "app_secret"
        return REQUEST_KINDS.get(self.parameter.lower(), "") if self.kind == "value" else ""

    def __repr__(self) -> str:
        shown = f"‹{self.secret}›" if self.secret else repr(self.text)
        return f"Segment({self.kind!r}, {shown}, {self.parameter!r})"


def mask(segments: Iterable[Segment]) -> str:
    """The string to sign with the secret's own segments masked."""
    return "".join("‹app_secret›" if s.kind == "secret" else s.text for s in segments)
