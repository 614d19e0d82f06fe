"""The labelled pieces that a string to sign is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .redact import REQUEST_KINDS, Redactor


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


def shown(segments: Iterable[Segment], *, reveal: bool = False) -> list[Segment]:
    """The segments with codes and tokens masked as `‹code 3f9a›`, or whole where `reveal` is set.

    The app secret is masked in any case.
    """
    pieces = list(segments)
    hiding = hider(pieces)
    return [_shown(piece, None if reveal else hiding) for piece in pieces]


def hider(segments: Iterable[Segment]) -> Redactor:
    """What hides the codes and tokens of a string to sign wherever else they stand."""
    redactor = Redactor(b"string to sign")
    redactor.learn_request((s.parameter, s.text) for s in segments if s.kind == "value")
    return redactor


def _shown(piece: Segment, hiding: Redactor | None) -> Segment:
    if piece.kind == "secret":
        return piece._replace(text="‹app_secret›")
    if hiding is None:
        return piece
    kind = piece.secret
    return piece._replace(text=hiding.mark(kind, piece.text) if kind else hiding.text(piece.text))
