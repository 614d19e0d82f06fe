"""lab: JupyterLab on the notebooks, with a sandbox at hand."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError, MissingExtra
from ..share import folder

if TYPE_CHECKING:
    from ..gateway import Sandbox

#: How long JupyterLab may take to stop its kernels before it is killed.
STOP_S = 15.0


def lab(
    to: Annotated[
        Path, typer.Option("--to", help="Folder for your copies of the notebooks.")
    ] = Path("alinb-notebooks"),
    port: Annotated[int, typer.Option(help="JupyterLab's port.")] = 8888,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Open JupyterLab on copies of the notebooks; your own changes are never overwritten.

    With target = "environment" the notebooks use your own app where ALINB_APP_KEY and
    ALINB_APP_SECRET name one, else the sandbox that runs beside JupyterLab.
    """
    if find_spec("jupyterlab") is None:
        raise MissingExtra(
            "JupyterLab is not installed.", next_step="pip install 'alinb[lab]', then alinb lab."
        )
    print(_told(copy_notebooks(to), differing(to), to))

    from ..gateway import Sandbox

    with Sandbox().serve() as box:
        print(f"A sandbox gateway listens at {box.url}; its inspector is {box.url}/inspector")
        environment = environment_for(box, os.environ)
        whose = "the sandbox's" if environment.get("ALINB_GATEWAY") == box.url else "your own"
        print(f'target = "environment" means {whose} app; target = "sandbox" needs none.')
        sys.stdout.flush()
        command = [
            sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={to.resolve()}",
            f"--port={port}", *([] if browser else ["--no-browser"]),
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")
        with _ended_with_us(subprocess.Popen(command, env=environment)) as server:  # noqa: S603
            status = server.wait()
    raise typer.Exit(status if status >= 0 else 128 - status)


def environment_for(box: Sandbox, ours: Mapping[str, str]) -> dict[str, str]:
    """The environment of the kernels: the sandbox's app, but never in the place of one's own."""
    if ours.get("ALINB_APP_KEY", "").strip() and ours.get("ALINB_APP_SECRET", "").strip():
        return dict(ours)
    return {
        **ours,
        "ALINB_GATEWAY": box.url,
        "ALINB_APP_KEY": box.app.key,
        "ALINB_APP_SECRET": box.app.secret.reveal(),
        "ALINB_PLATFORM": box.app.platform.name,
    }


def copy_notebooks(to: Path) -> list[str]:
    """Copy the notebooks that are not there yet; the names of those copied."""
    try:
        to.mkdir(parents=True, exist_ok=True)
        return [
            notebook.name
            for notebook in sorted(folder("notebooks").glob("*.ipynb"))
            if _copy(notebook, to / notebook.name)
        ]
    except OSError as error:
        raise InputError(
            f"The notebooks cannot be copied to {to}: {error.strerror}.",
            next_step="Choose another folder with --to.",
        ) from None


def _copy(source: Path, target: Path) -> bool:
    """Copy a file whole or not at all, and never onto anything that is there."""
    content = source.read_bytes()
    try:
        made = target.open("xb")
    except FileExistsError:
        return False
    try:
        with made:
            made.write(content)
    except OSError:
        target.unlink()  # half a notebook would be taken for the reader's own from now on
        raise
    return True


def differing(to: Path) -> list[str]:
    """The names of the notebooks whose cells are not alinb's: changed by you, or of another alinb.

    What a cell gave when it was run does not count.
    """
    return [
        notebook.name
        for notebook in sorted(folder("notebooks").glob("*.ipynb"))
        if _cells(to / notebook.name) != _cells(notebook)
    ]


def _cells(notebook: Path) -> list[tuple[str, str]] | None:
    """Kind and text of each cell; None for what is no notebook."""
    try:
        cells = json.loads(notebook.read_bytes())["cells"]
        return [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _told(copied: list[str], differ: list[str], to: Path) -> str:
    if copied:
        count = "1 notebook was" if len(copied) == 1 else f"{len(copied)} notebooks were"
        said = f"{count} copied to {to}; begin with 00_start_here.ipynb."
    else:
        said = f"The notebooks in {to} are as you left them; begin with 00_start_here.ipynb."
    if not differ:
        return said
    return (
        f"{said}\nKept as you have them, though alinb's are others: {', '.join(differ)}."
        " To get alinb's, move yours away and run this again, or take another folder with --to."
    )


@contextmanager
def _ended_with_us(server: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """JupyterLab, which ends when we are told to; Ctrl-C is its own to ask about."""

    def stop(*_: Any) -> None:
        server.terminate()

    before = {
        wanted: signal.signal(wanted, then)
        for wanted, then in ((signal.SIGTERM, stop), (signal.SIGINT, lambda *_: None))
    }
    try:
        yield server
    finally:
        if server.poll() is None:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(STOP_S)
            if server.poll() is None:
                server.kill()
        for wanted, then in before.items():
            signal.signal(wanted, then)
