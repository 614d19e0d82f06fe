"""The command line: prints for people, or one JSON document with --json.

Exit status: 0 done, 1 the answer is "no" (signature wrong, call refused), 2 bad input.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from ..errors import AlinbError, Refused
from . import about, attempts, calls, demo, lab, proxy, pull, requests, sandbox, snippet, tokens

app = typer.Typer(
    name="alinb",
    help="Sign AliExpress Open Platform requests right, and learn why one was refused.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("about")(about.about)
app.command("demo")(demo.demo)
app.command("lab")(lab.lab)
app.command("sandbox")(sandbox.sandbox)
app.command("proxy")(proxy.proxy)
app.command("code")(sandbox.code)
app.command("sign")(requests.sign)
app.command("verify")(requests.verify)
app.command("diagnose")(requests.diagnose)
app.command("explain")(requests.explain)
app.command("call")(calls.call)
app.command("pull")(pull.pull)
app.command("snippet")(snippet.snippet)
app.add_typer(tokens.app, name="token")
app.add_typer(attempts.app, name="attempts")


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        print(__version__)
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None: ...


#: What typer raises for a wrong command line; it brings click along under another name.
_UsageProblem: type[Exception] = next(
    kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"
)


def main() -> None:
    """Run the command line; an error becomes one line on standard error and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        # A reply may hold half a surrogate pair, and a terminal may take ASCII alone.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(app(prog_name="alinb", standalone_mode=False) or 0)
    except _UsageProblem as error:
        context = getattr(error, "ctx", None)
        said = " ".join(str(error.format_message()).split())  # type: ignore[attr-defined]
        command = context.command_path if context else "alinb"
        if said:  # without a command the help has been printed, and says enough
            print(f"alinb: {said.rstrip('.')}. Try {command} --help.", file=sys.stderr)
        sys.exit(2)
    except typer.Abort:
        sys.exit(130)
    except AlinbError as error:
        print(f"alinb: {error}", file=sys.stderr)
        sys.exit(1 if isinstance(error, Refused) else 2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe, such as head, has seen enough.
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        print(f"alinb: {error.strerror or error}. Nothing more was written.", file=sys.stderr)
        sys.exit(2)
