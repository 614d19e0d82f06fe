"""An ASGI app called without any client: one request in, status, headers and body out."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote

Headers = Iterable[tuple[str, str]]


class Answer(NamedTuple):
    status: int
    headers: tuple[tuple[str, str], ...]
    content: bytes


async def asked(
    app: Any,
    method: str,
    target: bytes,
    headers: Headers = (),
    body: bytes = b"",
    *,
    port: int = 80,
) -> Answer:
    """The answer to a raw request target; what the app raises comes out here."""
    host = f"127.0.0.1:{port}" if port != 80 else "127.0.0.1"
    path, _, query = target.partition(b"?")
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "http",
        "path": _unquoted(path), "raw_path": path, "query_string": query, "root_path": "",
        "headers": [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers],
        "server": ("127.0.0.1", port), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    scope["headers"].insert(0, (b"host", host.encode()))
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    return Answer(
        start["status"],
        tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in start["headers"]),
        b"".join(message.get("body", b"") for message in sent[1:]),
    )


def _unquoted(path: bytes) -> str:
    """What a server makes of a path, in the way of uvicorn."""
    return unquote(path.decode("latin-1"))
