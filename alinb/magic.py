"""`%load_ext alinb`: `%alinb` says what is set, `%%alinb diagnose` takes a pasted request."""

from __future__ import annotations

import os
from typing import Any

from .app import App
from .errors import AlinbError, InputError
from .redact import Secret

_VERBS = ("diagnose", "verify", "explain")


def alinb(line: str, cell: str | None = None, *, namespace: dict[str, Any] | None = None) -> Any:
    """What the magic does: status for a line, a diagnosis for a cell.

    A cell's first line is `%%alinb [diagnose|verify|explain] [name]`; `name` is a variable that
    holds an app, a client, a sandbox or a secret. Without one the secret of the environment counts.
    An error is returned as its one line, since a traceback would show the cell's text.
    """
    words = line.split()
    try:
        if cell is None:
            return _status()
        verb = words.pop(0) if words and words[0] in _VERBS else "diagnose"
        return _answer(verb, cell, _secret(words, namespace or {}))
    except AlinbError as error:
        return Message(f"{type(error).__name__}: {error}")


class Message(str):
    """A text that a notebook shows as it is, not as a quoted string."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _answer(verb: str, cell: str, secret: Secret | None) -> Any:
    if verb == "explain":
        from .explanations import explain

        return explain(cell)
    from .doctor import diagnose, verify

    if verb == "diagnose":
        return diagnose(cell, secret=secret)
    if secret is None:
        raise InputError(
            "There is no app secret.", next_step="Name a variable with it, or set ALINB_APP_SECRET."
        )
    return verify(cell, secret=secret)


def _secret(words: list[str], namespace: dict[str, Any]) -> Secret | None:
    if not words:
        value = os.environ.get("ALINB_APP_SECRET", "").strip()
        return Secret(value) if value else None
    if words[0] not in namespace:
        raise InputError(
            f"There is no variable {words[0]!r}.",
            next_step="Name one that holds an App, a Client, a Sandbox or a Secret.",
        )
    held = namespace[words[0]]
    held = getattr(held, "app", held)
    if isinstance(held, App):
        return held.secret
    return held if isinstance(held, Secret) else Secret(str(held))


def _status() -> Message:
    from . import __version__
    from .journal import default_path as journal_path
    from .tokens import default_path as token_path

    def said(name: str) -> str:
        value = os.environ.get(name, "")
        return ("set" if name.endswith("SECRET") else value) if value else "not set"

    names = ("ALINB_APP_KEY", "ALINB_APP_SECRET", "ALINB_PLATFORM", "ALINB_GATEWAY")
    lines = [f"alinb {__version__}", *(f"{name}: {said(name)}" for name in names)]
    for what, path in (("journal", journal_path()), ("tokens", token_path())):
        lines.append(f"{what}: {path}{'' if path.exists() else ' (not there yet)'}")
    return Message("\n".join(lines))


def register(ipython: Any) -> None:
    """Make `%alinb` and `%%alinb` known to an IPython shell."""

    def magic(line: str, cell: str | None = None) -> Any:
        return alinb(line, cell, namespace=ipython.user_ns)

    ipython.register_magic_function(magic, "line_cell", "alinb")
