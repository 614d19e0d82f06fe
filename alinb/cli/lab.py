"""lab: JupyterLab on the notebooks, with a sandbox at hand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError, MissingExtra
from ..share import folder


def lab(
    to: Annotated[
        Path, typer.Option("--to", help="Folder for your copies of the notebooks.")
    ] = Path("alinb-notebooks"),
    port: Annotated[int, typer.Option(help="JupyterLab's port.")] = 8888,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Open JupyterLab on copies of the notebooks; your own changes are never overwritten."""
    if find_spec("jupyterlab") is None:
        raise MissingExtra(
            "JupyterLab is not installed.", next_step="pip install 'alinb[lab]', then alinb lab."
        )
    copied = copy_notebooks(to)
    print(f"{len(copied)} new notebooks in {to}; those already there are as you left them.")

    from ..gateway import Sandbox

    with Sandbox().serve() as box:
        environment = {
            **os.environ,
            "ALINB_GATEWAY": box.url,
            "ALINB_APP_KEY": box.app.key,
            "ALINB_APP_SECRET": box.app.secret.reveal(),
        }
        print(f"A sandbox gateway listens at {box.url}; its inspector is {box.url}/inspector")
        command = [
            sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={to.resolve()}",
            f"--port={port}", *([] if browser else ["--no-browser"]),
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")
        status = subprocess.call(command, env=environment)  # noqa: S603
    raise typer.Exit(status)


def copy_notebooks(to: Path) -> list[str]:
    """Copy the notebooks that are not there yet; the names of those copied."""
    try:
        to.mkdir(parents=True, exist_ok=True)
        copied = []
        for notebook in sorted(folder("notebooks").glob("*.ipynb")):
            target = to / notebook.name
            if not target.exists():
                shutil.copyfile(notebook, target)
                copied.append(notebook.name)
    except OSError as error:
        raise InputError(
            f"The notebooks cannot be copied to {to}: {error.strerror}.",
            next_step="Choose another folder with --to.",
        ) from None
    return copied
