"""about: what a report of a problem needs, and nothing secret."""

from __future__ import annotations

import os
import platform
import re
import stat
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from ..errors import AlinbError, InputError, UnknownPlatform
from ..redact import hide
from .common import Json, emit

#: Settings whose values are told; of all others only whether they are set.
_TOLD = ("ALINB_PLATFORM", "ALINB_JOURNAL", "ALINB_TOKENS", "ALINB_TRANSPORT")
_ASKED = (
    "ALINB_APP_KEY", "ALINB_APP_SECRET", "ALINB_GATEWAY", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY",
    "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
)  # fmt: skip


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
        "extras": _extras(),
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
    found = {name: _version(name) for name, extra in _asked_for() if not extra}
    return dict(sorted(found.items()))


def _extras() -> dict[str, bool]:
    """Which extras are there with all that they ask for."""
    found: dict[str, bool] = {}
    for name, extra in _asked_for():
        if extra not in ("", "test"):
            found[extra] = found.get(extra, True) and _version(name) != "missing"
    return dict(sorted(found.items()))


def _asked_for() -> Iterator[tuple[str, str]]:
    """Each package and the extra that asks for it, "" for alinb itself."""
    for line in metadata.requires("alinb") or ():
        extra = re.search(r"extra == ['\"]([\w-]+)", line)
        yield re.split(r"[^\w.-]", line)[0], extra[1] if extra else ""


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


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
