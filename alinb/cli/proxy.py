"""proxy: the inspector in front of a real gateway."""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import Annotated

import typer

from .common import Json


def proxy(
    upstream: Annotated[
        str, typer.Option(help="The gateway's scheme and host: https://api-sg.aliexpress.com")
    ],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 for a free one.")
    ] = 8701,
    as_json: Json = False,
) -> None:
    """Forward requests unchanged from 127.0.0.1 to a gateway until Ctrl-C, and show each one.

    Refusals are diagnosed where ALINB_APP_SECRET is set. Every attempt is kept in the journal.
    """
    from ..gateway.proxy import Proxy
    from ..journal import default_path

    known = os.environ.get("ALINB_APP_SECRET", "").strip()
    stop = threading.Event()
    for wanted in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wanted, lambda *_: stop.set())
    running = Proxy(upstream, port=port, secret=known or None)
    facts = {
        "url": running.url,
        "upstream": running.upstream,
        "inspector_url": f"{running.url}/inspector",
        "journal": str(default_path()),
        "diagnoses": bool(known),
    }
    if as_json:
        print(json.dumps(facts), flush=True)
    else:
        for name, value in facts.items():
            print(f"{name:14} {value}", flush=True)
    stop.wait()
    running.close()
