"""`%load_ext alinb`: `%alinb` says what is set, `%%alinb diagnose` takes a pasted request."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from typing import Any

from .app import App
from .errors import AlinbError, InputError
from .redact import Secret, hide

_VERBS = ("diagnose", "verify", "explain")
_TO_PROVE = (
    "Set ALINB_APP_SECRET before Jupyter starts, or name a variable that holds the app secret:"
    " `import getpass`, `secret = getpass.getpass()`, then %%alinb {verb} secret."
)


def alinb(line: str, cell: str | None = None, *, namespace: dict[str, Any] | None = None) -> Any:
    """What the magic does: status for a line, a diagnosis for a cell.

    A cell's first line is `%%alinb [diagnose|verify|explain] [name]`; `name` is a variable that
    holds an app, a client, a sandbox or a secret. Without one the secret of the environment counts.
    An error is returned as its one line, since a traceback would show the cell's text.
    """
    secret: Secret | None = None
    try:
        if cell is None:
            return _status(line.strip())
        verb, name = _asked(line.split())
        secret = _secret(name, namespace or {})
        return _answer(verb, cell, secret)
    except AlinbError as error:
        return Message(hide(f"{type(error).__name__}: {error}", secret))


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
        found = diagnose(cell, secret=secret)
        if secret is None:
            print(f"Without the app secret nothing is proved. {_TO_PROVE.format(verb=verb)}")
        return found
    if secret is None:
        raise InputError("There is no app secret.", next_step=_TO_PROVE.format(verb=verb))
    return verify(cell, secret=secret)


def _asked(words: list[str]) -> tuple[str, str]:
    """The verb, and the name of a variable or ""."""
    verb = words.pop(0) if words and words[0] in _VERBS else ""
    if len(words) > 1:
        near = "" if verb else next(iter(get_close_matches(words[0], _VERBS, 1)), "")
        raise InputError(
            f"Did you mean {near}?" if near else "There is a word too many.",
            next_step=f"Write %%alinb {near or verb or 'diagnose'} and then one name, or none.",
        )
    return verb or "diagnose", (words[0].removeprefix("secret=") if words else "")


def _secret(name: str, namespace: dict[str, Any]) -> Secret | None:
    if not name:
        value = os.environ.get("ALINB_APP_SECRET", "").strip()
        return Secret(value) if value else None
    if name not in namespace:
        # A word that may be the secret itself is not repeated: what a cell shows is saved.
        is_name = name.isidentifier() and not re.fullmatch(r"(?=\D*\d)\w{16,}", name)
        raise InputError(
            f"There is no variable {name!r}." if is_name else "That is no variable's name.",
            next_step="Name one that holds an App, a Client, a Sandbox or a Secret; the secret"
            " itself never stands in a cell, for notebooks remember.",
        )
    held = namespace[name]
    held = getattr(held, "app", held)
    if isinstance(held, App):
        return held.secret
    if isinstance(held, str) and held.strip():
        return Secret(held)
    if isinstance(held, Secret):
        return held
    raise InputError(
        f"{name} holds {'an empty text' if held == '' else f'a {type(held).__name__}'}.",
        next_step="Name a variable that holds an App, a Client, a Sandbox, a Secret or its text.",
    )


def _status(words: str) -> Message:
    if words:
        raise InputError(
            "%alinb alone shows what is set, and takes no word.",
            next_step="For a request begin a cell with %%alinb diagnose, two percent signs, and"
            " paste it on the lines below.",
        )
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
