"""What the commands share: options, secrets, files in, text and JSON out."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from ..app import App, Platform
from ..errors import InputError, MissingSecret
from ..intake import decoded
from ..redact import Secret
from ..segments import Segment, shown

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Print codes and tokens whole.")]
Params = Annotated[
    list[str] | None, typer.Option("-p", "--param", help="A parameter as name=value; repeatable.")
]
PlatformName = Annotated[
    str | None,
    typer.Option("--platform", help="aliexpress, lazada-th, daraz-bd, miravia, top, …"),
]
AppKey = Annotated[str | None, typer.Option("--app-key", help="The app key; else ALINB_APP_KEY.")]
GatewayUrl = Annotated[
    str | None,
    typer.Option("--gateway", help="Base URL of a gateway or sandbox; else ALINB_GATEWAY."),
]
InKeyring = Annotated[
    bool,
    typer.Option(
        "--keyring", help="Keep tokens in the system's keyring; also by ALINB_TOKENS=keyring."
    ),
]
Verb = Annotated[str, typer.Option("--verb", help="GET or POST.")]
Source = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="A file or - for standard input: a curl command, a HAR file, a raw URL, a raw HTTP "
        "request, or an attempt as JSON.",
    ),
]


class Registered(NamedTuple):
    """An app without its secret: enough for a consent link and for what is kept."""

    key: str
    platform: Platform


def app_from(key: str | None, platform: str | None, gateway: str | None) -> App:
    """The app that options, then the environment, name; the secret may be asked for."""
    found = registered(key, platform, gateway)
    return App(found.key, needed_secret(), found.platform)


def registered(key: str | None, platform: str | None, gateway: str | None) -> Registered:
    """The same where the secret is not needed, and not asked for."""
    chosen = (key or os.environ.get("ALINB_APP_KEY") or "").strip()
    if not chosen:
        raise MissingSecret(
            "There is no app key.", next_step="Give --app-key, or set ALINB_APP_KEY."
        )
    profile = Platform.named(platform or os.environ.get("ALINB_PLATFORM") or "aliexpress")
    if base := gateway or os.environ.get("ALINB_GATEWAY"):
        profile = profile.at(base)
    return Registered(chosen, profile)


def secret() -> Secret | None:
    """The app secret from ALINB_APP_SECRET, or from a prompt where a person is there; else None."""
    value = os.environ.get("ALINB_APP_SECRET", "").strip()
    if not value and sys.stdin.isatty() and sys.stderr.isatty():
        value = typer.prompt(
            "App secret (Enter for none)", default="", hide_input=True, show_default=False, err=True
        ).strip()
    return Secret(value) if value else None


def pasted(what: str) -> str:
    """One line of standard input; a person is asked for it, and what is pasted is not shown."""
    if sys.stdin.isatty() and sys.stderr.isatty():
        return str(typer.prompt(what, hide_input=True, err=True))
    return sys.stdin.readline()


def needed_secret() -> Secret:
    found = secret()
    if found is None:
        raise MissingSecret(
            "There is no app secret.",
            next_step="Set ALINB_APP_SECRET; it is never taken from an argument.",
        )
    return found


def pairs(
    params: Iterable[str] | None, what: str = "parameter", like: str = "-p product_id=1005…"
) -> dict[str, str]:
    """Options given as name=value. Raises `InputError` for one without a `=`."""
    found: dict[str, str] = {}
    for item in params or ():
        name, equals, value = item.partition("=")
        if not equals or not name:
            raise InputError(f"The {what} {item!r} is not name=value.", next_step=f"Write {like}.")
        found[name] = value
    return found


def read_source(source: str) -> str:
    """The text of a file, or of standard input for `-`."""
    if source == "-":
        return decoded(sys.stdin.buffer.read())
    try:
        return decoded(Path(source).read_bytes())
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"{source!r} cannot be read: {why.lower()}.",
            next_step="Give a file's path, or - for standard input.",
        ) from None


def emit(document: Any) -> None:
    """Print one JSON document."""
    print(json.dumps(document, ensure_ascii=False, indent=2))


def console(*, wrap: bool = False) -> Any:
    """A rich console on standard output; built when it is needed, as importing rich takes time.

    With `wrap` it breaks lines at the terminal's width, as a table needs.
    """
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not wrap)


def string_segments(segments: Iterable[Segment], *, reveal: bool) -> Any:
    """The string to sign as colored text: names bold, the path and the secret marked."""
    from rich.text import Text

    styles = {"path": "bold magenta", "name": "bold", "secret": "bold red", "separator": "yellow"}
    text = Text()
    for segment in shown(segments, reveal=reveal):
        text.append(segment.text, styles.get(segment.kind, ""))
    return text
