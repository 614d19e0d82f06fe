"""attempts: the journal, listed, shown, compared, exported and imported."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from ..attempts import Attempt
from ..errors import InputError
from ..redact import Secret
from ..render import text_table
from .common import Json, Source, console, emit, read_source

app = typer.Typer(help="Every attempt that was kept.", no_args_is_help=True)


Age = Annotated[str, typer.Option(metavar="SPAN", help="Such as 30d, 12h or 90m.")]


@app.command("ls")
def list_(
    verdict: Annotated[str, typer.Option(help="ok, empty, refused, unreadable, no_reply")] = "",
    name: Annotated[str, typer.Option(help="The API name.")] = "",
    code: Annotated[str, typer.Option(help="The error code.")] = "",
    since: Annotated[str, typer.Option(metavar="SPAN", help="Of the last 30d, 12h or 90m.")] = "",
    limit: Annotated[int, typer.Option(help="How many, newest first.")] = 20,
    as_json: Json = False,
) -> None:
    """List attempts, newest first."""
    from ..journal import Journal
    from ..journal.listing import LISTED, cells
    from ..journal.retention import seconds

    journal = Journal()
    wanted: dict[str, Any] = {"verdict": verdict, "name": name, "code": code}
    if since:
        wanted["since"] = time.time() - seconds(since)
    rows = journal.rows(**wanted, limit=limit)
    if as_json:
        emit(rows)
        return
    matching, all_of_them = journal.count(**wanted), len(journal)
    if rows:
        print(text_table(LISTED, map(cells, rows)))
    elif all_of_them and not matching:
        said = [f"{what} {value}" for what, value in (*list(wanted.items())[:3], ("since", since))
                if value]  # fmt: skip
        print(f"No attempt has {' and '.join(said)}.")
    print(_summary(len(rows), matching, all_of_them, journal))


def _summary(shown: int, matching: int, all_of_them: int, journal: Any) -> str:
    from ..journal.retention import size

    if not all_of_them:
        return "The journal is empty."
    that_match = f" of {matching:,} that match" if matching != all_of_them else ""
    return (
        f"\n{shown:,}{that_match} of {_attempts(all_of_them)}, {_megabytes(size(journal.path))} "
        f"in {journal.path}."
    )


def _attempts(count: int) -> str:
    return f"{count:,} attempt{'s' * (count != 1)}"


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


@app.command()
def status(as_json: Json = False) -> None:
    """Say where the journal is, what it holds, and how large it is."""
    from ..journal import Journal
    from ..journal.listing import moment

    facts = Journal().facts()
    if as_json:
        emit(facts)
        return
    said = {
        "journal": facts["path"],
        "size": _megabytes(facts["bytes"]),
        "attempts": f"{facts['attempts']:,}",
        **{f"  {verdict}": f"{count:,}" for verdict, count in sorted(facts["verdicts"].items())},
        **{name: moment(facts[name]) for name in ("oldest", "newest") if facts[name] is not None},
    }
    for name, value in said.items():
        print(f"{name:14} {value}")


@app.command()
def prune(
    older_than: Age = "",
    keep: Annotated[
        int | None, typer.Option(min=0, help="So many of the newest stay in any case.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Delete old attempts and shorten the file; with both options, only what both let go."""
    from ..journal import Journal
    from ..journal.retention import seconds

    if not older_than and keep is None:
        raise InputError(
            "Nothing says which attempts may go.", next_step="Give --older-than 30d or --keep 1000."
        )
    journal = Journal()
    gone = journal.prune(older_than=seconds(older_than) if older_than else None, keep=keep)
    facts = journal.facts()
    if as_json:
        emit({"deleted": gone, "attempts": facts["attempts"], "bytes": facts["bytes"]})
    else:
        stay = f"{facts['attempts']:,} stay, {_megabytes(facts['bytes'])}"
        print(f"{_attempts(gone)} deleted; {stay}.")


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


@app.command()
def bundle(
    number: Annotated[int, typer.Argument(metavar="ID")],
    tried: Annotated[list[int] | None, typer.Argument(metavar="[TRIED]...")] = None,
    as_json: Json = False,
) -> None:
    """Print what a support ticket needs of an attempt, and of others that were tried, redacted."""
    from ..journal import Journal
    from ..support import support_bundle

    journal = Journal()
    made = support_bundle(journal.get(number), *journal.attempts(tried or ()))
    if as_json:
        emit(made.as_dict())
    else:
        print(made)


@app.command("export")
def export_(
    numbers: Annotated[list[int] | None, typer.Argument(metavar="[ID]...")] = None,
    form: Annotated[str, typer.Option("--format", help="har, curl or jsonl")] = "jsonl",
    out: Annotated[Path | None, typer.Option(help="Write to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Write attempts, redacted as they are kept: all of them, or those numbered."""
    from .. import __version__, intake
    from ..journal import Journal

    attempts = list(Journal().attempts(numbers or None))
    text = intake.written(attempts, form, __version__)
    if out is None:
        if as_json and form != "har":
            emit(text.splitlines() if form == "curl" else [a.as_dict() for a in attempts])
        else:
            print(text, end="")
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{out} cannot be written: {error.strerror}.", next_step="Choose another --out."
        ) from None
    if as_json:
        emit({"attempts": len(attempts), "format": form, "out": str(out)})
    else:
        print(f"{_attempts(len(attempts))} written to {out}.")


@app.command("import")
def import_(source: Source, as_json: Json = False) -> None:
    """Keep the attempts of a curl command, a HAR file, a URL, a raw request or JSON Lines.

    With the app secret in ALINB_APP_SECRET those that were refused or never sent are diagnosed, and
    it is hidden wherever they hold it, such as in a string to sign.
    """
    from .. import intake
    from ..journal import Journal

    journal = Journal()
    known = Secret(os.environ.get("ALINB_APP_SECRET", "").strip())
    read = [_diagnosed(attempt, known) for attempt in intake.read_all(read_source(source))]
    kept = [journal.record(attempt, known) for attempt in read]
    if as_json:
        found = {str(a.id): a.diagnosis["mistakes"] for a in kept if a.diagnosis}
        emit({"ids": [attempt.id for attempt in kept], "mistakes": found})
        return
    print(f"Kept as {', '.join(str(a.id) for a in kept)}; alinb attempts show says more.")
    for attempt in kept:
        if attempt.diagnosis:
            print(f"{attempt.id}: {attempt.diagnosis['summary']}")


def _diagnosed(attempt: Attempt, secret: Secret) -> Attempt:
    """With a diagnosis where one is wanted and can be had: hidden values sign nothing."""
    if attempt.diagnosis or not secret or not attempt.sign:
        return attempt
    if attempt.verdict not in ("refused", "unsent") or "‹" in "".join(attempt.params.values()):
        return attempt
    from ..doctor import diagnose

    found = diagnose(attempt, secret=secret)
    return replace(attempt, diagnosis=found.as_dict())
