"""JupyterLab, Notebook or Voila on a free port of this machine, with settings of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: Chromium in a container, as root, with nothing that calls home.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
START_S = 90.0
_QUIET = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True,
    },
    # The worst case for secrets: whatever is in a widget's state reaches the file.
    "@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings": {"saveState": True},
}  # fmt: skip


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def jupyter(
    kind: str,
    root: Path,
    home: Path,
    settings: Mapping[str, Any] | None = None,
    **environment: str,
) -> Iterator[str]:
    """The base URL of a jupyterlab, notebook or voila on the notebooks in `root`.

    Its own files are in `home`.
    """
    for plugin, chosen in {**_QUIET, **(settings or {})}.items():
        path = home / "settings" / plugin
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(chosen), encoding="utf-8")
    port = free_port()
    here = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        **environment,
    }
    log = home / f"{kind}.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            _command(kind, root, port), stdout=out, stderr=subprocess.STDOUT, env=here
        )
        try:
            asked = "voila/static/" if kind == "voila" else "api"
            _wait(f"http://127.0.0.1:{port}/{asked}", server, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(20)


def _command(kind: str, root: Path, port: int) -> list[str]:
    start = [sys.executable, "-m", kind, "--no-browser", f"--port={port}"]
    if kind == "voila":
        return [*start, "--Voila.ip=127.0.0.1", str(root)]
    app = {"jupyterlab": "LabApp", "notebook": "JupyterNotebookApp"}[kind]
    return [
        *start, "--allow-root", "--ip=127.0.0.1", "--ServerApp.port_retries=0",
        "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True",
        f"--ServerApp.root_dir={root}", f"--{app}.expose_app_in_browser=True",
        "--LabApp.news_url=None",
    ]  # fmt: skip


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"The server did not start: {log.read_text()[-2000:]}")
