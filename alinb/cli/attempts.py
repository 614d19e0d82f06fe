"""attempts: the journal, listed, shown, compared, exported and imported."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from ..redact import Secret
from .common import Json, Source, console, emit, read_source

app = typer.Typer(help="Every attempt that was kept.", no_args_is_help=True)


@app.command("ls")
def list_(
    verdict: Annotated[str, typer.Option(help="ok, empty, refused, unreadable, no_reply")] = "",
    name: Annotated[str, typer.Option(help="The API name.")] = "",
    limit: Annotated[int, typer.Option(help="How many, newest first.")] = 20,
    as_json: Json = False,
) -> None:
    """List attempts, newest first."""
    from ..journal import Journal
    from ..render import text_table

    rows = Journal().rows(verdict=verdict, name=name, limit=limit)
    if as_json:
        emit(rows)
        return
    columns = ("id", "verdict", "name", "code", "mistakes", "elapsed_ms")
    if not rows:
        print("The journal is empty.")
        return
    shown = [
        [f"{row[c]:.0f}" if isinstance(row[c], float) else row[c] or "" for c in columns]
        for row in rows
    ]
    print(text_table(columns, shown))


@app.command()
def show(number: Annotated[int, typer.Argument(metavar="ID")], as_json: Json = False) -> None:
    """Show one attempt whole, with its diagnosis."""
    from ..journal import Journal

    attempt = Journal().get(number)
    if as_json:
        emit(attempt.as_dict())
        return
    out = console()
    out.print(repr(attempt), markup=False, style="bold")
    out.print(f"{attempt.method} {attempt.url}\n{attempt.body}".strip(), markup=False)
    for stage, text in attempt.stages.items():
        out.print(f"{stage:8} {text}", markup=False)
    out.print(f"\nHTTP {attempt.status}\n{attempt.reply_text or attempt.problem}", markup=False)
    if attempt.diagnosis:
        out.print(f"\n{attempt.diagnosis['summary']}\n{attempt.diagnosis['cure']}", markup=False)


@app.command()
def diff(
    left: Annotated[int, typer.Argument(metavar="A")],
    right: Annotated[int, typer.Argument(metavar="B")],
    as_json: Json = False,
) -> None:
    """Lay two attempts side by side."""
    from ..attempts import compare
    from ..journal import Journal

    journal = Journal()
    compared = compare(journal.get(left), journal.get(right))
    if as_json:
        emit(compared.as_dict())
    else:
        out = console()
        print(compared.text(out.width if out.is_terminal else 160))


@app.command("export")
def export_(
    numbers: Annotated[list[int] | None, typer.Argument(metavar="[ID]...")] = None,
    form: Annotated[str, typer.Option("--format", help="har, curl or jsonl")] = "jsonl",
    out: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
) -> None:
    """Write attempts, redacted as they are kept: all of them, or those numbered."""
    from .. import __version__, intake
    from ..journal import Journal

    attempts = list(Journal().attempts(numbers or None))
    if form == "har":
        text = json.dumps(intake.to_har(attempts, __version__), ensure_ascii=False, indent=1) + "\n"
    elif form == "curl":
        text = "".join(intake.to_curl(attempt) + "\n" for attempt in attempts)
    elif form == "jsonl":
        text = intake.to_jsonl(attempts)
    else:
        raise InputError(f"{form!r} is no format.", next_step="Use har, curl or jsonl.")
    if out is None:
        print(text, end="")
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{out} cannot be written: {error.strerror}.", next_step="Choose another --out."
        ) from None
    print(f"{len(attempts)} attempts written to {out}.")


@app.command("import")
def import_(source: Source, as_json: Json = False) -> None:
    """Keep the attempts of a curl command, a HAR file, a URL, a raw request or JSON Lines.

    An app secret in ALINB_APP_SECRET is hidden wherever they hold it, such as in a string to sign.
    """
    from .. import intake
    from ..journal import Journal

    journal = Journal()
    known = Secret(os.environ.get("ALINB_APP_SECRET", "").strip())
    kept = [journal.record(attempt, known).id for attempt in intake.read_all(read_source(source))]
    if as_json:
        emit({"ids": kept})
    else:
        print(f"Kept as {', '.join(map(str, kept))}; alinb attempts show says more.")
