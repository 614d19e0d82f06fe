"""token: the OAuth steps from the consent link to a refreshed token."""

from __future__ import annotations

import sys
import time
from typing import Annotated, Any

import typer

from ..errors import InputError
from .common import (
    AppKey,
    GatewayUrl,
    InKeyring,
    Json,
    PlatformName,
    Reveal,
    app_from,
    emit,
    pasted,
    registered,
)

app = typer.Typer(help="The OAuth steps: consent link, exchange, refresh.", no_args_is_help=True)


@app.command()
def url(
    redirect_uri: Annotated[str, typer.Option(help="The callback URL of the console.")] = "",
    force_auth: Annotated[bool, typer.Option(help="Ask for a fresh login.")] = False,
    country: Annotated[str, typer.Option(help="Lazada and Daraz: the country to preselect.")] = "",
    app_key: AppKey = None,
    platform: PlatformName = None,
    gateway: GatewayUrl = None,
    as_json: Json = False,
) -> None:
    """Print a consent link, and the state its callback must bring back."""
    from ..oauth import authorize

    link = authorize(
        registered(app_key, platform, gateway),
        redirect_uri,
        force_auth=force_auth,
        country=country,
    )
    if as_json:
        emit({"url": link.url, "state": link.state})
    else:
        print(link.url)
        print(f"\nThen: alinb token exchange --state {link.state}")
        print("It asks for the address you land on.")


@app.command()
def exchange(
    callback: Annotated[
        str,
        typer.Argument(
            help="The whole callback URL, its query, or the code. Left out, or -, it is asked for "
            "or read from standard input, and stands in no history and no list of processes.",
            show_default=False,
        ),
    ] = "-",
    state: Annotated[
        str | None, typer.Option(help="The state of the link, to be checked in a callback.")
    ] = None,
    app_key: AppKey = None,
    platform: PlatformName = None,
    gateway: GatewayUrl = None,
    keyring: InKeyring = False,
    reveal: Reveal = False,
    as_json: Json = False,
) -> None:
    """Trade an authorization code for a token, once, and keep it."""
    from ..oauth import parse_callback
    from ..tokens import FileStore

    text = pasted("The address you landed on, or the code") if callback == "-" else callback
    parsed = parse_callback(text, state=state)
    with _client(app_key, platform, gateway, keyring) as client:
        _show(client.exchange(parsed), reveal, as_json)
        if isinstance(client.store, FileStore) and not as_json:
            print(
                f"Kept in clear text in {client.store.path}, for you alone to read; --keyring"
                " keeps it in the system's keyring.",
                file=sys.stderr,
            )


@app.command()
def refresh(
    app_key: AppKey = None,
    platform: PlatformName = None,
    gateway: GatewayUrl = None,
    keyring: InKeyring = False,
    reveal: Reveal = False,
    as_json: Json = False,
) -> None:
    """Trade the refresh token that is kept for a new pair."""
    with _client(app_key, platform, gateway, keyring) as client:
        _show(client.refresh(), reveal, as_json)


@app.command()
def show(
    app_key: AppKey = None,
    platform: PlatformName = None,
    gateway: GatewayUrl = None,
    keyring: InKeyring = False,
    reveal: Reveal = False,
    as_json: Json = False,
) -> None:
    """Show the token that is kept, masked."""
    from ..tokens import default_store

    app = registered(app_key, platform, gateway)
    token = default_store(keyring=keyring).load(app.platform.place, app.key)
    if token is None:
        raise InputError(
            f"No token is kept for app {app.key}.",
            next_step="alinb token url begins the way to one.",
        )
    _show(token, reveal, as_json)


@app.command()
def forget(
    app_key: AppKey = None,
    platform: PlatformName = None,
    gateway: GatewayUrl = None,
    keyring: InKeyring = False,
    as_json: Json = False,
) -> None:
    """Delete the token that is kept."""
    from ..tokens import default_store

    app = registered(app_key, platform, gateway)
    gone = default_store(keyring=keyring).forget(app.platform.place, app.key)
    if as_json:
        emit({"forgotten": gone})
    else:
        print("The token is deleted." if gone else "There was no token.")


def _client(app_key: str | None, platform: str | None, gateway: str | None, keyring: bool) -> Any:
    from ..client import Client
    from ..tokens import default_store

    store = default_store(keyring=keyring)  # before a secret is asked for
    return Client(app_from(app_key, platform, gateway), store=store)


def _show(token: Any, reveal: bool, as_json: bool) -> None:
    facts = token.as_dict(reveal=reveal)
    if as_json:
        emit(facts)
        return
    for name, value in facts.items():
        print(f"{name:20} {value}")
    now = time.time()
    if token.expired(now):
        print("The access token has expired: alinb token refresh.")
    elif token.refresh_due(now):
        print("Less than half an hour is left: alinb token refresh.")
