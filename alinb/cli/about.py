"""about: what a report of a problem needs, and nothing secret."""

from __future__ import annotations

import os
import platform
import re
import stat
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from ..errors import AlinbError, InputError, UnknownPlatform
from ..redact import hide
from .common import Json, emit

#: Settings whose values are told; of all others only whether they are set.
_TOLD = ("ALINB_PLATFORM", "ALINB_JOURNAL", "ALINB_TOKENS")
_ASKED = (
    "ALINB_APP_KEY", "ALINB_APP_SECRET", "ALINB_GATEWAY", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY",
    "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip
_EXTRAS = {"lab": "jupyterlab", "keyring": "keyring"}


def about(
    clock: Annotated[
        bool, typer.Option("--clock", help="Ask the gateway for its time, without a signature.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print versions, settings and paths for a bug report; no secret, and no name of yours."""
    facts = gathered(clock=clock)
    if as_json:
        emit(facts)
        return
    for part, inner in facts.items():
        if isinstance(inner, dict):
            print(part)
            for name, value in inner.items():
                print(f"  {name:20} {_said(value)}")
        else:
            print(f"{part:22} {_said(inner)}")


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def gathered(*, clock: bool = False) -> dict[str, Any]:
    """The facts as JSON; `clock` asks the gateway over the network."""
    from .. import __version__
    from ..journal import default_path as journal_path
    from ..tokens import default_path as token_path

    keyring = os.environ.get("ALINB_TOKENS") == "keyring"
    facts: dict[str, Any] = {
        "alinb": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "encoding": f"{sys.stdout.encoding or '?'} (files {sys.getfilesystemencoding()})",
        "packages": _versions(),
        "extras": {name: find_spec(module) is not None for name, module in _EXTRAS.items()},
        "settings": {name: _setting(name) for name in (*_TOLD, *_ASKED)},
        "gateway": _gateway(),
        "journal": {**_place(journal_path()), **_journal()},
        "tokens": {"kept in": "keyring"} if keyring else _place(token_path()),
    }
    if clock:
        facts["clock"] = _clock(facts["gateway"].get("url", ""))
    return facts


def _versions() -> dict[str, str]:
    """Of everything that alinb itself asks for, by its own metadata."""
    found = {}
    for line in metadata.requires("alinb") or ():
        if "extra ==" in line:
            continue
        name = re.split(r"[^\w.-]", line)[0]
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    return dict(sorted(found.items()))


def _setting(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        return "not set"
    return _short(hide(value)) if name in _TOLD else "set"


def _short(path: str) -> str:
    """A path without the name of the person whose home it is in."""
    home = os.path.expanduser("~")
    return "~" + path[len(home) :] if home not in ("", "/") and path.startswith(home) else path


def _place(path: Path) -> dict[str, Any]:
    """Where a file lies, and who may read it and its folder."""
    return {"path": _short(str(path)), "mode": _mode(path), "folder mode": _mode(path.parent)}


def _mode(path: Path) -> str:
    try:
        return f"{stat.S_IMODE(path.stat().st_mode):04o}"
    except FileNotFoundError:
        return "not there yet"
    except OSError as error:
        return f"unknown ({error.strerror})"


def _journal() -> dict[str, Any]:
    from ..journal import Journal

    journal = Journal()
    if not journal.path.exists():
        return {}
    try:
        facts = journal.facts()
    except AlinbError as error:
        return {"problem": _short(hide(str(error)))}
    return {"bytes": facts["bytes"], "attempts": facts["attempts"], "schema": facts["schema"]}


def _gateway() -> dict[str, Any]:
    from ..app import Platform

    try:
        profile = Platform.named(os.environ.get("ALINB_PLATFORM") or "aliexpress")
        if given := os.environ.get("ALINB_GATEWAY"):
            profile = profile.at(given)
    except UnknownPlatform as error:
        return {"problem": hide(str(error))}
    except InputError:  # whose message holds the URL, and that may hold a password
        return {"problem": "ALINB_GATEWAY is no base URL that is used: https, or 127.0.0.1."}
    parts = urlsplit(profile.api)
    port = f":{parts.port}" if parts.port else ""
    return {"platform": profile.name, "url": f"{parts.scheme}://{parts.hostname}{port}"}


def _clock(url: str) -> dict[str, Any]:
    """How far this clock is from the gateway's, by the Date of an answer, in s."""
    from ..client import clock_offset

    try:
        return {"seconds ahead of the gateway": clock_offset(url)}
    except AlinbError as error:
        return {"problem": hide(str(error))}
