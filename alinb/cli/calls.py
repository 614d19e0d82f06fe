"""call: one signed call, sent, kept, and shown as a table."""

from __future__ import annotations

from typing import Annotated

import typer

from ..redact import Redactor
from .common import AppKey, GatewayUrl, Json, Params, PlatformName, Verb, app_from, emit, pairs


def call(
    name: Annotated[str, typer.Argument(help="/auth/token/create or aliexpress.ds.product.get")],
    param: Params = None,
    app_key: AppKey = None,
    platform: PlatformName = None,
    gateway: GatewayUrl = None,
    verb: Verb = "POST",
    as_json: Json = False,
) -> None:
    """Call an API by name; the attempt is kept. Exit status 1 where the call is refused."""
    from ..calls import Call
    from ..client import Client
    from ..frames import frame
    from ..tokens import default_store

    app = app_from(app_key, platform, gateway)
    with Client(app, store=default_store()) as client:
        reply = client.call(Call.of(name, pairs(param)), verb=verb.upper())
    if as_json:
        document = reply.as_dict()
        # Tokens are shown by alinb token, where that is asked for.
        emit(Redactor(b"call").data(document) if name.startswith("/auth/") else document)
        raise typer.Exit(0 if reply.ok else 2 if reply.verdict == "unreadable" else 1)
    reply.raise_for_refusal()
    table = frame(reply)
    if table.empty:
        print("The call succeeded and found nothing.")
    else:
        print(table.to_string(max_colwidth=32, max_cols=10, max_rows=30))
