"""snippet: signing code for another language, and the lines of it that a failing request lacks."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ..errors import InputError
from .common import Json, PlatformName, emit, read_source, secret


def snippet(
    language: Annotated[
        str | None, typer.Argument(metavar="LANG", help="python, ts, php, java, go, … (--list)")
    ] = None,
    name: Annotated[
        str | None,
        typer.Argument(help="/auth/token/create (the default) or aliexpress.ds.product.get"),
    ] = None,
    platform: PlatformName = None,
    fix: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Show only the lines to change: a failing request in any form, or - for standard "
            "input.",
        ),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the languages.")] = False,
    as_json: Json = False,
) -> None:
    """Print a program in another language that signs and sends a call, and nothing else.

    With --fix the secret comes from ALINB_APP_SECRET or a prompt. Exit 1 if unexplained.
    """
    if listed:
        _list(as_json)
    elif not language:
        raise InputError("There is no language.", next_step="alinb snippet --list shows them.")
    elif fix is not None:
        _fix(language, name, platform, fix, as_json)
    else:
        from ..snippets import snippet as written

        chosen = platform or os.environ.get("ALINB_PLATFORM") or "aliexpress"
        made = written(language, name or "/auth/token/create", platform=chosen)
        if as_json:
            emit(made.as_dict())
        else:
            print(made.code, end="")


def _list(as_json: bool) -> None:
    from ..snippets import languages

    facts = [
        {"language": each.name, "title": each.title, "aliases": list(each.aliases),
         "needs": each.needs, "file_name": each.file_name}
        for each in languages().values()
    ]  # fmt: skip
    if as_json:
        emit(facts)
        return
    for one in facts:
        print(f"{one['language']:12} {one['needs']}  (also: {', '.join(one['aliases'])})")


def _fix(language: str, name: str | None, platform: str | None, source: str, as_json: bool) -> None:
    from .. import intake
    from ..doctor import diagnose
    from ..snippets import fix, language_named

    template = language_named(language)
    attempt = intake.read(read_source(source))
    found = diagnose(attempt, secret=secret())
    chosen = platform or os.environ.get("ALINB_PLATFORM") or _platform_of(attempt.url)
    called = name or (attempt.api_name if attempt.api_name != "?" else "/auth/token/create")
    lines = fix(language, found, called, platform=chosen)
    if as_json:
        emit(
            {
                "language": template.name,
                "name": called,
                "platform": chosen,
                "verdict": found.verdict,
                "mistakes": list(found.mistakes),
                "fix": lines,
            }
        )
    else:
        print(lines)
    raise typer.Exit(1 if found.verdict == "unexplained" and found.had_secret else 0)


def _platform_of(url: str) -> str:
    """The platform whose host a request went to; a sandbox's requests are taken for AliExpress."""
    from ..app import platforms

    for each in platforms().values():
        if url.startswith((f"{each.api}/", f"{each.token_api}/")):
            return each.name
    return "aliexpress"
