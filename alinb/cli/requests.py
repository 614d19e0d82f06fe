"""sign, verify, diagnose, explain: requests looked at, nothing sent."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .. import signing
from ..errors import InputError, IntakeError
from ..recipes import RECIPES

if TYPE_CHECKING:
    from ..doctor.explore import Progress

from .common import (
    AppKey,
    Json,
    Params,
    PlatformName,
    Reveal,
    Source,
    Verb,
    app_from,
    console,
    emit,
    needed_secret,
    pairs,
    read_source,
    secret,
    string_segments,
)


def sign(
    name: Annotated[str, typer.Argument(help="/auth/token/create or aliexpress.ds.product.get")],
    param: Params = None,
    app_key: AppKey = None,
    platform: PlatformName = None,
    timestamp: Annotated[
        str | None, typer.Option(help="Epoch milliseconds; now where left out.")
    ] = None,
    verb: Verb = "POST",
    recipe: Annotated[
        str | None, typer.Option(help=f"Sign by another rule: {', '.join(RECIPES)}.")
    ] = None,
    reveal: Reveal = False,
    as_json: Json = False,
) -> None:
    """Sign a call and show the string to sign, the signature and the request.

    Codes and tokens are masked unless --reveal is given; the app secret always is.
    """
    signed = signing.sign(
        name,
        pairs(param),
        app=app_from(app_key, platform, None),
        timestamp=timestamp,
        verb=verb.upper(),
        recipe=signing.recipe_named(recipe) if recipe else None,
    )
    told = signed.as_dict(reveal=reveal)
    if as_json:
        emit(told)
        return
    out = console()
    out.print("String to sign", style="bold underline")
    out.print(string_segments(signed.segments, reveal=reveal))
    out.print(f"\nSignature\n{told['signature']}\n\n{told['method']} {told['url']}", markup=False)
    if told["body"]:
        out.print(f"\n{told['body']}", markup=False)
    if told != signed.as_dict(reveal=True):
        out.print("\nWhat is masked was signed whole: --reveal shows it.")


def verify(source: Source, reveal: Reveal = False, as_json: Json = False) -> None:
    """Is this request's signature right? Exit status 1 where it is not."""
    from ..doctor import verify as check

    checked = check(read_source(source), secret=needed_secret())
    if as_json:
        emit(checked.as_dict(reveal=reveal))
    else:
        out = console()
        out.print("The signature is right." if checked.ok else "The signature is wrong.")
        out.print(f"received  {checked.received}\nexpected  {checked.expected}", markup=False)
        out.print("string to sign", style="bold")
        out.print(string_segments(checked.walk.segments, reveal=reveal))
        if not checked.ok:
            out.print("\nalinb diagnose says which line is wrong.")
    raise typer.Exit(0 if checked.ok else 1)


def diagnose(
    source: Source,
    depth: Annotated[
        int, typer.Option(min=0, max=6, help="The largest number of mistakes at once.")
    ] = 4,
    string: Annotated[
        str | None,
        typer.Option("--string", metavar="FILE", help="A file with the string that was hashed."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Which mistakes make this very signature, and what else is wrong? Exit 1 if unexplained.

    The secret comes from ALINB_APP_SECRET or a prompt; without it only the request is judged.
    """
    from .. import intake
    from ..doctor import diagnose as examine

    attempts = intake.read_all(read_source(source))
    subject = intake.last_signed(attempts)
    others = [attempt for attempt in attempts if attempt is not subject and attempt.sign]
    if string is not None:
        subject = replace(subject, string_to_sign=read_source(string).rstrip("\r\n"))
    key = secret()
    with _progress(as_json) as progress:
        found = examine(subject, secret=key, others=others, depth=depth, progress=progress)
    if as_json:
        emit(found.as_dict())
    else:
        console().print(str(found), markup=False)
    raise typer.Exit(1 if found.verdict == "unexplained" and found.had_secret else 0)


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress | None]:
    """Says on standard error, to a person, what a long search is at; Ctrl-C stops it."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("reading") as status:
        yield lambda done, steps, what: status.update(f"{done} of {steps}: {what}")


def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="CODE_OR_FILE",
            help="An error code, a message, or a file (- for standard input) with a reply, a HAR "
            "file or an attempt.",
        ),
    ],
    as_json: Json = False,
) -> None:
    """What does this error mean, what causes it, and what cures it? Exit 2 if nobody knows it."""
    from .. import intake
    from ..explanations import explain as look_up

    thing = what
    if what == "-" or (len(what) < 4096 and Path(what).is_file()):
        thing = read_source(what)
    try:
        found = look_up(intake.read(thing)) if what != thing or what == "-" else look_up(thing)
    except IntakeError:
        found = look_up(thing)
    if thing is what and found.confidence == "unknown":
        _refuse_nonsense(what)
    if as_json:
        emit(found.as_dict())
    else:
        console().print(str(found), markup=False)


def _refuse_nonsense(words: str) -> None:
    """Raise where words are no code at all; a reply, and what begins isv. or isp., may be new."""
    from ..explanations import nearest

    if words.lstrip().startswith("{") or words.strip().lower().startswith(("isv.", "isp.")):
        return
    near = nearest(words)
    shown = words.strip() if len(words) <= 60 else f"{words.strip()[:57]}…"
    raise InputError(
        f"alinb knows no code or message {shown!r}.",
        next_step=f"Did you mean {' or '.join(near)}?"
        if near
        else "Give the whole reply as a file: what stands beside the code often says more.",
    )
