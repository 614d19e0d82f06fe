"""Who may read a page on this machine: only what asks for it by this machine's own name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_NAMES = ("127.0.0.1", "localhost", "[::1]")


class Guard:
    """An ASGI app that answers only where Host names the address it listens on, and marks answers.

    A page of somebody else's whose name leads here (DNS rebinding) gets status 400 and one line.
    `mark` is a header of every answer, of the refused ones too. WebSockets are turned away.
    """

    def __init__(self, app: Asgi, mark: tuple[str, str]) -> None:
        self._app = app
        self._mark = (mark[0].lower().encode("latin-1"), mark[1].encode("latin-1"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return

        async def marked(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), self._mark]
            await send(message)

        host = host_of(scope["headers"])
        if admits(host, scope.get("server")):
            await self._app(scope, receive, marked)
        else:
            await _refuse(host, marked)


def host_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The Host header; empty where there is none, or more than one."""
    found = [value for name, value in headers if name == b"host"]
    return found[0] if len(found) == 1 else b""


def admits(host: bytes, server: tuple[str, int | None] | None) -> bool:
    """Whether a Host header names the address that `server` listens on."""
    return host in _own(server[1] if server else None) or _is_own(host, server)


@lru_cache(maxsize=64)
def _own(port: int | None) -> frozenset[bytes]:
    return frozenset(
        f"{name}:{port}".encode() if port not in (None, 80) else name.encode() for name in _NAMES
    )


def _is_own(host: bytes, server: tuple[str, int | None] | None) -> bool:
    """The same for seldom spellings: capital letters, no port, any port where ours is not known."""
    name, colon, port = host.decode("latin-1").lower().rpartition(":")
    if not colon or name.startswith("[") != name.endswith("]"):
        name, port = host.decode("latin-1").lower(), ""
    known = server[1] if server else None
    return name in _NAMES and (not port or known is None or port == str(known))


async def _refuse(host: bytes, send: Send) -> None:
    said = ascii(host.decode("latin-1"))
    text = (
        f"This page is for this machine alone: Host is {said[:80]}, "
        "and has to be 127.0.0.1, localhost or [::1] with the port that it listens on.\n"
    ).encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(text)).encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": text})
