"""sandbox, code: a gateway on this machine, and codes from it."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import Annotated

import typer

from ..errors import InputError
from .common import AppKey, GatewayUrl, Json, PlatformName, emit


def sandbox(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 for a free one.")
    ] = 8700,
    app_key: AppKey = None,
    platform: PlatformName = None,
    status: Annotated[str, typer.Option(help="test or online: sets the tokens' lives.")] = "test",
    callback: Annotated[str, typer.Option(help="The registered redirect URI; any if empty.")] = "",
    fault: Annotated[str, typer.Option(help="Refuse every signed call with this code.")] = "",
    latency: Annotated[float, typer.Option(help="Delay each answer by so many ms.")] = 0.0,
    qps: Annotated[
        float, typer.Option(help="Calls a second before ApiCallLimit; 0 for any.")
    ] = 0.0,
    as_json: Json = False,
) -> None:
    """Run the gateway on 127.0.0.1 until Ctrl-C. Its secret is ALINB_APP_SECRET, or made up."""
    from ..gateway import Sandbox
    from ..oauth import authorize

    given = os.environ.get("ALINB_APP_SECRET", "").strip()
    box = Sandbox(
        app_key=app_key or os.environ.get("ALINB_APP_KEY", "").strip(),
        secret=given,
        platform=platform or os.environ.get("ALINB_PLATFORM") or "aliexpress",
        status=status,
        callback=callback,
        fault=fault,
        latency_ms=latency,
        qps=qps,
    ).serve(port)
    stop = threading.Event()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, lambda *_: stop.set())
    facts = {
        "url": box.url,
        "app_key": box.app.key,
        "authorize_url": authorize(box.app, f"{box.url}/callback").url,
        "inspector_url": f"{box.url}/inspector",
    }
    if as_json:
        print(json.dumps(facts), flush=True)
    else:
        for name, value in facts.items():
            print(f"{name:14} {value}")
    if not given:
        shown = box.app.secret.reveal()
        print(f"app_secret     {shown}   (made up, shown this once)", file=sys.stderr)
    sys.stdout.flush()
    stop.wait()
    box.close()


def code(gateway: GatewayUrl = None, as_json: Json = False) -> None:
    """Print a fresh authorization code from a sandbox, and nothing else."""
    from ..client import fetch_code

    base = gateway or os.environ.get("ALINB_GATEWAY")
    if not base:
        raise InputError(
            "There is no sandbox to ask.", next_step="Give --gateway, or set ALINB_GATEWAY."
        )
    found = fetch_code(base)
    if as_json:
        emit({"code": found})
    else:
        print(found)
