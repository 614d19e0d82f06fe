"""The sandbox under load: its own work beside a bare route's, errors, and memory.

Servers run in processes of their own and say what CPU time they took; the client is this process,
with 64 connections that are kept. Both sides answer the same bytes on the same uvicorn settings.
"""

import asyncio
import hashlib
import hmac
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from .figures import Figure, figure

CONNECTIONS = 64
KEY, SECRET, DETAIL = "500102", "helloworld", "aliexpress.ds.product.get"
IN_QUERY = ("method", "app_key", "timestamp", "sign_method", "sign", "session")
#: What uvicorn runs with where nothing but alinb is installed.
SERVER = {"http": "h11", "loop": "asyncio"}
#: A request as a common client of today writes it.
HEADERS = (
    "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nUser-Agent: Python/3.12 aiohttp/3.14\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n"
)


class Facts(NamedTuple):
    """What a server says of itself: CPU time in s, resident memory in MiB."""

    cpu_s: float
    rss_mb: float


def _sandbox(pipe: Connection) -> None:
    from alinb.gateway import Sandbox
    from alinb.gateway.serving import Serving

    box = Sandbox(app_key=KEY, secret=SECRET)
    grant = box.gateway.state.exchange(box.code())
    assert grant is not None
    _serve(pipe, Serving(box.asgi, **SERVER).url, grant.access_token, box.gateway.market.ids[5])


def _bare(pipe: Connection) -> None:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from alinb.gateway.serving import Serving

    content: bytes = pipe.recv()

    async def answer(request: Request) -> Response:
        await request.body()
        return Response(content, media_type="application/json")

    app = Starlette(routes=[Route("/sync", answer, methods=["GET", "POST"])])
    _serve(pipe, Serving(app, **SERVER).url, "x" * 61, 0)


def _serve(pipe: Connection, *facts: Any) -> None:
    pipe.send(facts)
    with suppress(EOFError):
        while pipe.recv():
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            pipe.send(Facts(time.process_time(), pages * os.sysconf("SC_PAGESIZE") / 2**20))
    os._exit(0)


class Server:
    """A server in a process of its own, and the request that it is sent."""

    def __init__(self, target: Any, *first: bytes) -> None:
        spawning = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawning.Pipe()
        self._process = spawning.Process(target=target, args=(theirs,), daemon=True)
        self._process.start()
        for each in first:
            self._pipe.send(each)
        url, self._token, self._product = self._pipe.recv()
        parts = urlsplit(url)
        self.host, self.port = str(parts.hostname), int(parts.port or 0)

    def facts(self) -> Facts:
        self._pipe.send(True)
        found: Facts = self._pipe.recv()
        return found

    def request(self) -> bytes:
        """A product's detail, signed by hand; system parameters in the query, others in a form."""
        sent = {
            "app_key": KEY, "timestamp": str(round(time.time() * 1000)), "sign_method": "sha256",
            "method": DETAIL, "session": self._token, "product_id": str(self._product),
            "ship_to_country": "US", "target_currency": "USD", "target_language": "EN",
            "simplify": "false", "format": "json", "v": "2.0",
        }  # fmt: skip
        text = "".join(name + sent[name] for name in sorted(sent))
        sent["sign"] = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest().upper()
        query = urlencode({name: sent[name] for name in IN_QUERY})
        body = urlencode({name: value for name, value in sent.items() if name not in IN_QUERY})
        head = f"POST /sync?{query} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n{HEADERS}"
        return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()

    def close(self) -> None:
        self._pipe.close()
        self._process.join(5)
        self._process.kill()


@contextmanager
def running(*servers: Server) -> Iterator[None]:
    try:
        yield
    finally:
        for server in servers:
            server.close()


async def _exchange(reader: asyncio.StreamReader, writer: Any, request: bytes) -> bytes:
    """The body of the answer to one request, b"" where the status is not 200."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    return body if head.startswith(b"HTTP/1.1 200 ") else b""


def load(server: Server, count: int) -> int:
    """Send so many requests over 64 connections; how many were not answered with a product."""
    wrong, left = 0, count

    async def worker() -> None:
        nonlocal wrong, left
        reader, writer = await asyncio.open_connection(server.host, server.port)
        while left > 0:
            left -= 1
            body = await _exchange(reader, writer, server.request())
            wrong += b'"ae_item_base_info_dto"' not in body
        writer.close()

    async def run() -> None:
        await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))

    asyncio.run(run())
    return wrong


def own_work(sandbox: Server, rounds: int, count: int) -> tuple[list[float], int]:
    """CPU time of the sandbox over that of a bare route, round by round, and the errors."""

    async def first() -> bytes:
        reader, writer = await asyncio.open_connection(sandbox.host, sandbox.port)
        body = await _exchange(reader, writer, sandbox.request())
        writer.close()
        return body

    bare = Server(_bare, asyncio.run(first()))
    ratios, wrong = [], 0
    with running(bare):
        load(bare, count // 2), load(sandbox, count // 2)
        for number in range(rounds):
            took = {}
            for server in (sandbox, bare) if number % 2 else (bare, sandbox):
                before = server.facts().cpu_s
                wrong += load(server, count)
                took[server] = server.facts().cpu_s - before
            ratios.append(took[sandbox] / took[bare])
    return ratios, wrong


def _listen(host: str, port: int) -> None:
    """The inspector's page, open: it reads its events for as long as it may."""
    asyncio.run(_listening_at(host, port))


async def _listening_at(host: str, port: int) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET /inspector/events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    while await reader.read(65536):
        pass


def growth(server: Server, early: int, late: int, *, watched: bool) -> tuple[float, int]:
    """MiB that the server grows by from `early` to `late` requests, and the errors."""
    spawning = multiprocessing.get_context("spawn")
    page = spawning.Process(target=_listen, args=(server.host, server.port), daemon=True)
    if watched:
        page.start()
    wrong = load(server, early)
    before = server.facts().rss_mb
    wrong += load(server, late - early)
    after = server.facts().rss_mb
    if watched:
        assert page.is_alive(), "the page was listening to the end"
        page.kill()
    return after - before, wrong


def measure(quick: bool) -> list[Figure]:
    rounds, count = (5, 1000) if quick else (15, 4000)
    early, late = (2000, 6000) if quick else (50_000, 200_000)
    sandbox, watched = Server(_sandbox), Server(_sandbox)
    with running(sandbox, watched):
        ratios, wrong = own_work(sandbox, rounds, count)
        grown = {}
        for server in (sandbox, watched):
            grown[server], more = growth(server, early, late, watched=server is watched)
            wrong += more
    total = rounds * count + 2 * late

    def exactly(what: str, value: float, limit: float, unit: str) -> Figure:
        return Figure(what, value, limit, unit, (value, value))

    return [
        figure("sandbox / bare starlette route, CPU a request", ratios, 1.5, "x"),
        exactly(f"errors among {total:,} calls at 64 connections", wrong, 0, ""),
        exactly(f"memory from {early:,} to {late:,} calls", grown[sandbox], 8, "MB"),
        exactly("the same with the inspector open", grown[watched], 8, "MB"),
    ]
