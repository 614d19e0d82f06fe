"""The inspector in front of a real gateway: requests pass unchanged, and are diagnosed beside."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from starlette.applications import Starlette

from ..app import is_loopback
from ..errors import InputError, JournalError, NoReply
from ..forwarder import Forwarder
from ..journal import Journal
from ..redact import Secret
from . import inspector
from .exchanges import Exchange, Exchanges, Incoming
from .guard import Guard, Receive, Scope, Send
from .inspection import Diagnoses
from .serving import Serving

Headers: TypeAlias = list[tuple[bytes, bytes]]

#: Every answer says that it came this way.
MARK = "x-alinb-proxy"
#: The longest request and answer that pass, in bytes, and the longest an answer may take, in s.
LARGEST_BODY, LARGEST_ANSWER, ANSWER_S = 8 * 1024 * 1024, 64 * 1024 * 1024, 60.0
#: So many exchanges may wait for the journal before refusals are kept without a diagnosis.
BACKLOG = 50

#: What concerns one connection only (RFC 9110 7.6.1); `expect` is settled before the body is read.
_HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"expect",
     b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)  # fmt: skip


class Proxy:
    """Forwards to one upstream from a port of 127.0.0.1, keeps every attempt, shows the inspector.

    `upstream` is scheme and host, https unless it is this machine. With `secret` refusals are
    diagnosed. `journal` is a `Journal`, None for the default one, False for none. Raises
    `InputError` for another upstream, `PortInUse` where the port is taken.
    """

    def __init__(
        self,
        upstream: str,
        *,
        port: int = 0,
        secret: str | Secret | None = None,
        journal: Journal | bool | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.upstream = upstream_of(upstream)
        parts = urlsplit(self.upstream)
        self._host, self._clock = parts.netloc.encode(), clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self.exchanges = Exchanges()
        diagnoses = Diagnoses(Secret(secret) if secret else None)
        if journal is not False:
            self._keeper = _Keeper(
                journal if isinstance(journal, Journal) else Journal(), diagnoses
            )
            self.exchanges.keep = self._keeper.put
        self._forwarder = Forwarder(self.upstream, direct=is_loopback(parts.hostname or ""))
        title = f"alinb proxy to {self.upstream}"
        self._pages = Starlette(
            routes=inspector.routes(self.exchanges, title=title, diagnoses=diagnoses)
        )
        guarded = Guard(self._answer, (MARK, f"in front of {self.upstream}"))
        # h11 alone hands on a target as it came; httptools cuts a fragment off.
        self._serving = Serving(
            guarded, port, what="proxy", http="h11", ws="none", date_header=False
        )
        self.url = self._serving.url

    def close(self) -> None:
        """Stop listening, and write what is still to be kept."""
        self.exchanges.close()
        loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._forwarder.close(), loop).result(5)
        self._serving.close()
        if self.exchanges.keep is not None:
            self._keeper.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw, query = scope["raw_path"], scope["query_string"]
        if raw == b"/inspector" or raw.startswith(b"/inspector/"):
            await self._pages(scope, receive, send)
            return
        headers = list(scope["headers"])
        try:
            body = await _body(receive)
        except ConnectionError:
            return  # half a request is no request
        if why := _unfit(scope, headers, body):
            await _send(send, *_said("NotForwarded", why, 413 if body is None else 400))
            return
        target = raw + (b"?" + query if query else b"")
        url = f"{self.upstream}{target.decode('latin-1')}"
        shown = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in headers)
        request = Incoming(scope["method"], url, shown, body or b"", self._clock())
        await _send(send, *await self._forwarded(request, target, headers))

    async def _forwarded(
        self, request: Incoming, target: bytes, headers: Headers
    ) -> tuple[int, Headers, bytes]:
        began, problem = time.perf_counter(), ""
        status: int | None = None
        came: Headers = []
        content = b""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_S):
                status, came, content = await self._forwarder.forward(
                    request.method, target, self._onward(headers), request.body, LARGEST_ANSWER
                )
        except (NoReply, TimeoutError) as error:
            problem = str(error) or f"no whole answer within {ANSWER_S:.0f} s"
        elapsed = (time.perf_counter() - began) * 1000
        text, odd = _unpacked(came, content)
        shown = tuple((n.decode("latin-1").lower(), v.decode("latin-1")) for n, v in came)
        self.exchanges.add(
            Exchange(
                self.exchanges.number(), request, status, shown, text,
                problem=problem or odd, elapsed_ms=elapsed, source="proxy",
            )
        )  # fmt: skip
        if status is None:
            return _said("NoAnswerFromUpstream", f"{self.upstream} gave no answer: {problem}.", 502)
        # A body that came in chunks goes on in one piece, so its length has to be said.
        kept = _end_to_end(came)
        names = {name.lower() for name, _ in kept}
        if b"content-length" not in names and request.method != "HEAD" and status not in (204, 304):
            kept.append((b"content-length", str(len(content)).encode()))
        return status, kept, content

    def _onward(self, headers: Headers) -> Headers:
        return [
            (name, self._host if name == b"host" else value) for name, value in _end_to_end(headers)
        ]


def upstream_of(url: str) -> str:
    """Scheme and host of an upstream. Raises `InputError` for one that is none, or not safe."""
    text = url.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        host, plain = parts.hostname, parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        host, plain = None, False
    whole = parts._replace(scheme="", netloc="").geturl() if host else "?"
    if not host or not plain or whole or parts.scheme not in ("http", "https"):
        raise InputError(
            f"{'That' if '@' in url else repr(url)} is no upstream.",
            next_step="Give scheme and host alone, such as https://api-sg.aliexpress.com.",
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise InputError(
            f"{url} would carry the app key and tokens over plain http.",
            next_step="Use https; plain http is for 127.0.0.1 only.",
        )
    return f"{parts.scheme}://{parts.netloc}"


async def _body(receive: Receive) -> bytes | None:
    """The body, or None where it is larger than what passes. Raises where the caller has gone."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST_BODY:
            return None
    return body


def _unfit(scope: Scope, headers: Headers, body: bytes | None) -> str:
    """Why a request is not forwarded, "" where it is."""
    raw = scope["raw_path"]
    if scope["method"] == "CONNECT" or not raw.startswith(b"/") or raw.startswith(b"//"):
        return "The request names a host of its own; only a path of the upstream passes."
    if any(name == b"upgrade" and b"websocket" in value.lower() for name, value in headers):
        return "WebSockets do not pass."
    return f"The body has more than {LARGEST_BODY:,} bytes." if body is None else ""


def _end_to_end(headers: Headers) -> Headers:
    """The headers without those of one connection, in their order."""
    named = {
        option.strip().lower()
        for name, value in headers
        if name.lower() == b"connection"
        for option in value.split(b",")
    }
    return [
        (name, value)
        for name, value in headers
        if name.lower() not in _HOP_BY_HOP and name.lower() not in named - {b"host"}
    ]


def _said(code: str, why: str, status: int) -> tuple[int, Headers, bytes]:
    said = {"type": "PROXY", "code": f"AlinbProxy{code}", "message": f"alinb proxy: {why}"}
    content = json.dumps(said, ensure_ascii=False).encode()
    length = str(len(content)).encode()
    return status, [(b"content-type", b"application/json"), (b"content-length", length)], content


async def _send(send: Send, status: int, headers: Headers, content: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _unpacked(headers: Headers, content: bytes) -> tuple[bytes, str]:
    """The content as text is read from it, and why it cannot be read, "" where it can."""
    packed = [v.strip().lower() for n, v in headers if n.lower() == b"content-encoding"]
    if not content or not packed or packed == [b"identity"]:
        return content, ""
    if packed not in ([b"gzip"], [b"x-gzip"], [b"deflate"]):
        return b"", f"the answer is packed as {b', '.join(packed).decode('latin-1')}"
    for bits in (47, -15):  # some send deflate without its frame
        unpacking = zlib.decompressobj(bits)
        try:
            unpacked = unpacking.decompress(content, LARGEST_ANSWER)
        except zlib.error:
            continue
        whole = unpacking.eof or bool(unpacking.unconsumed_tail)
        return unpacked, "" if whole else "the packed answer is cut"
    return b"", "the packed answer cannot be unpacked"


class _Keeper:
    """Writes exchanges into a journal from a thread of its own, refusals with their diagnosis."""

    def __init__(self, journal: Journal, diagnoses: Diagnoses) -> None:
        journal.open()
        self._journal, self._diagnoses = journal, diagnoses
        self._waiting: queue.Queue[Exchange | None] = queue.Queue()
        self._thread = threading.Thread(target=self._write, name="alinb-keeper", daemon=True)
        self._thread.start()
        self.put: Callable[[Exchange], None] = self._waiting.put

    def close(self) -> None:
        self._waiting.put(None)
        self._thread.join(10)

    def _write(self) -> None:
        for exchange in iter(self._waiting.get, None):
            attempt = exchange.attempt()
            found: dict[str, Any] | None = None
            if attempt.verdict == "refused" and self._waiting.qsize() < BACKLOG:
                found = self._diagnoses.of(exchange).as_dict()
            try:
                self._journal.record(replace(attempt, diagnosis=found), self._diagnoses.secret)
            except JournalError:
                continue  # the disk may be full now and not later; the answer went out long ago
