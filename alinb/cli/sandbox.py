"""sandbox, code: a gateway on this machine, and codes from it."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .common import AppKey, GatewayUrl, Json, PlatformName, console, emit, pairs

if TYPE_CHECKING:
    from ..gateway import Sandbox
    from ..gateway.keeping import Keeper

Faults = Annotated[
    list[str] | None,
    typer.Option(
        "--fault", help="NAME[=VALUE][@SHARE][xTIMES], or a refusal's code; repeatable. See --list."
    ),
]
Rates = Annotated[
    list[str] | None,
    typer.Option(
        "--qps", help="Calls a second: N over all, published, or NAME=N for a method; repeatable."
    ),
]
Assumed = Annotated[
    list[str] | None,
    typer.Option(
        "--assume", metavar="NAME=CHOICE", help="Settle what nobody knows; repeatable. See --list."
    ),
]


def sandbox(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 for a free one.")
    ] = 8700,
    app_key: AppKey = None,
    platform: PlatformName = None,
    status: Annotated[str, typer.Option(help="test or online: sets the tokens' lives.")] = "test",
    category: Annotated[
        str, typer.Option(help="The app's: all, dropshipping, affiliate or developer.")
    ] = "all",
    callback: Annotated[str, typer.Option(help="The registered redirect URI; any if empty.")] = "",
    fault: Faults = None,
    latency: Annotated[float, typer.Option(help="Delay each answer by so many ms.")] = 0.0,
    qps: Rates = None,
    quota: Annotated[int, typer.Option(help="Calls a day; 0 for any.")] = 0,
    burst: Annotated[int, typer.Option(help="Calls that --qps lets come at once.")] = 2,
    ban: Annotated[float, typer.Option(help="Seconds without calls for who exceeds --qps.")] = 0.0,
    assume: Assumed = None,
    journal: Annotated[
        Path | None, typer.Option(help="Keep every request in this journal.")
    ] = None,
    listed: Annotated[
        str,
        typer.Option(
            "--list", help="Show faults, codes, assumptions or absent, and start nothing."
        ),
    ] = "",
    as_json: Json = False,
) -> None:
    """Run the gateway on 127.0.0.1 until Ctrl-C. Its secret is ALINB_APP_SECRET, or made up."""
    if listed:
        _list(listed, as_json)
        return
    from ..gateway import Sandbox
    from ..gateway.limits import read

    box = Sandbox(
        app_key=app_key or os.environ.get("ALINB_APP_KEY", "").strip(),
        secret=os.environ.get("ALINB_APP_SECRET", "").strip(),
        platform=platform or os.environ.get("ALINB_PLATFORM") or "aliexpress",
        status=status,
        category=category,
        callback=callback,
        fault=fault or (),
        latency_ms=latency,
        qps=read(qps or ()),
        quota=quota,
        burst=burst,
        ban_s=ban,
        assume=pairs(assume, "assumption", "--assume empties=signed"),
    )
    keeper = _keeper(box, journal) if journal else None
    _run(box.serve(port), keeper, as_json)


def _keeper(box: Sandbox, path: Path) -> Keeper:
    from ..gateway.keeping import Keeper
    from ..journal import Journal

    keeper = Keeper(Journal(path), box.app.secret)
    box.gateway.exchanges.keep = keeper
    return keeper


def _run(box: Sandbox, keeper: Keeper | None, as_json: bool) -> None:
    """Say where it is, and go on until a signal comes."""
    from ..oauth import authorize

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
    if not os.environ.get("ALINB_APP_SECRET", "").strip():
        shown = box.app.secret.reveal()
        print(f"app_secret     {shown}   (made up, shown this once)", file=sys.stderr)
    sys.stdout.flush()
    stop.wait()
    box.close()
    if keeper is not None:
        keeper.close()
        if keeper.problem:
            print(f"alinb: {keeper.problem}", file=sys.stderr)


def _list(what: str, as_json: bool) -> None:
    """One of the sandbox's tables: what to switch on, what it refuses, what it assumes."""
    from ..gateway import tables

    if what not in tables.TABLES:
        raise InputError(
            f"There is no list of {what!r}.", next_step=f"Use {', '.join(tables.TABLES)}."
        )
    columns, rows = tables.TABLES[what]()
    if as_json:
        emit([dict(zip(columns, row, strict=True)) for row in rows])
        return
    from rich.table import Table

    shown = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        shown.add_row(*map(tables.cell, row))
    console(wrap=True).print(shown)


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
