"""How an answer goes out: as it is, or with the faults of a bad line and a bad day."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from starlette.types import Send

from .exchanges import JSON, Outgoing
from .faults import Drawn

Headers: TypeAlias = list[tuple[bytes, bytes]]

#: Every answer says that it does not come from the platform.
MARK = ("x-alinb-sandbox", "not the real gateway")
_MARK = (MARK[0].encode(), MARK[1].encode())
_JSON = (b"content-type", b"application/json")
#: A drip's piece, in bytes.
_PIECE = 256
_MB = 1024 * 1024
_GZIP = {"content-encoding": "gzip"}

_HTML = (
    "<!DOCTYPE html><html><head><title>{title}</title></head><body><center><h1>{title}</h1>"
    "</center><hr><center>Tengine</center></body></html>"
)


class Broken(ConnectionResetError):
    """The connection is broken on purpose; raised where no socket is there to break."""


class Plan(NamedTuple):
    """What will go out: `status` is None where nothing will, `problem` says what is broken."""

    status: int | None
    headers: Headers
    content: bytes
    problem: str = ""


def plan(answered: Outgoing, drawn: Drawn) -> Plan:
    """How an answer will go out under the faults that struck."""
    values = drawn.values
    if not values:
        content = answered.content
        if answered.headers is JSON:
            length = (b"content-length", b"%d" % len(content))
            return Plan(answered.status, [length, _JSON, _MARK], content)
        return Plan(answered.status, _headers(answered.headers, len(content), {}), content)
    if "reset" in values:
        return Plan(None, [], b"", "reset on purpose before the answer")
    status, content, more = _replaced(answered, values)
    if "reset_after_headers" in values:
        headers = _headers(answered.headers, len(content), more)
        return Plan(status, headers, b"", "reset on purpose after the headers")
    if "wrong_length" in values:
        headers = _headers(answered.headers, len(content) + 100, more)
        return Plan(status, headers, content, "closed on purpose before the promised length")
    return Plan(status, _headers(answered.headers, len(content), more), content)


async def deliver(send: Send, planned: Plan, drawn: Drawn) -> None:
    """Send a planned answer. Raises `Broken` where a line is to break and there is no socket."""
    status, headers, content, problem = planned
    if status is None:
        _break(send)
        return
    await send({"type": "http.response.start", "status": status, "headers": headers})
    values = drawn.values
    if not values:
        await send({"type": "http.response.body", "body": content})
        return
    if "reset_after_headers" in values:
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        _break(send)
        return
    if "slow_start" in values:
        await asyncio.sleep(values["slow_start"] / 1000)
    if "drip" in values:
        for start in range(0, len(content), _PIECE):
            await asyncio.sleep(values["drip"] / 1000)
            piece = content[start : start + _PIECE]
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        content = b""
    if problem:
        await send({"type": "http.response.body", "body": content, "more_body": True})
        _break(send, reset=False)
        return
    await send({"type": "http.response.body", "body": content})


def _replaced(answered: Outgoing, values: Mapping[str, float]) -> tuple[int, bytes, dict[str, str]]:
    """Status, content and headers after the faults that change what is said."""
    status, content = answered.status, answered.content
    html = {"content-type": "text/html; charset=utf-8"}
    if "html_502" in values:
        return 502, _HTML.format(title="502 Bad Gateway").encode(), html
    if "html_200" in values:
        return 200, _HTML.format(title="System maintenance").encode(), html
    if "status_500" in values:
        return 500, b"Internal Server Error", {"content-type": "text/plain"}
    if "status_503" in values:
        after = {"retry-after": f"{values['status_503']:.0f}", "content-type": "text/plain"}
        return 503, b"Service Unavailable", after
    if "status_429" in values:
        seconds = round(values["status_429"])
        said = f"Api access frequency exceeds the limit. this ban will last {seconds} seconds"
        limited = {"type": "ISV", "code": "ApiCallLimit", "message": said}
        return 429, json.dumps(limited).encode(), {"retry-after": str(seconds)}
    if "redirect" in values:
        return 302, b"", {"location": "http://127.0.0.1:9/elsewhere"}
    if "empty_body" in values:
        return status, b"", {}
    if "cut_body" in values:
        content = content[: len(content) // 2]
    if "broken_text" in values:
        content = content[: len(content) // 2] + "é".encode()[:1]
    if "huge_body" in values:
        content += b" " * round(values["huge_body"] * _MB)
    if "gzip_bomb" in values:
        return (
            status,
            _bomb(content, round(values["gzip_bomb"] * _MB)),
            _GZIP,
        )
    if "gzip" in values:
        return status, gzip.compress(content, mtime=0), _GZIP
    return status, content, {}


def _headers(
    of_answer: Iterable[tuple[str, str]],
    length: int,
    more: Mapping[str, str],
) -> Headers:
    headers = [(b"content-length", str(length).encode())]
    headers += [(n.encode(), v.encode()) for n, v in of_answer if n not in more]
    return [*headers, *((n.encode(), v.encode()) for n, v in more.items()), _MARK]


def _break(send: Send, *, reset: bool = True) -> None:
    """Break the connection under an answer: by a reset, or by closing it too early."""
    # uvicorn hands over its protocol's own method, and offers no other way to the socket.
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise Broken("broken on purpose")
    if not reset:
        transport.close()
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        linger = struct.pack("ii", 1, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()


def _bomb(content: bytes, size: int) -> bytes:
    """Gzip of the content and then `size` blanks, made piece by piece."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = [packer.compress(content)]
    blanks = b" " * _MB
    packed += [packer.compress(blanks) for _ in range(size // _MB)]
    return b"".join([*packed, packer.flush()])
