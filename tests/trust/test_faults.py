"""The fault matrix: whatever goes wrong on the line is a reply with a verdict, or one typed error.

Each attempt is kept, nothing is sent twice, and nothing that the gateway sends fills the memory.
"""

import asyncio
import gzip
import os
import re
import resource
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

import alinb
from alinb import AsyncClient, Client, Journal
from alinb.receiving import LARGEST, Body, Unusable
from tests.virtual import VirtualLoop

QUERY, CREATE = "aliexpress.affiliate.product.query", "/auth/token/create"
SECRET = "a-secret-that-nobody-shows"
SOUND = b'{"code":"0","request_id":"1"}'

Talk = Callable[[socket.socket], None]


def app_at(url: str) -> alinb.App:
    return alinb.App("500102", SECRET, alinb.Platform.named("aliexpress").at(url))


def ask(kind: str, app: Any, **options: Any) -> Any:
    """One call by a client of the kind; the reply, or the error it raises."""
    options = {"timeout": 1.0, **options}

    params = {"keywords": "lamp"}

    async def by_async() -> Any:
        async with AsyncClient(app, **options) as client:
            if kind == "in a pull":
                signed = client.signed(QUERY, params)
                return (await client.fetch(signed)).read(signed)
            return await client.call(QUERY, **params)

    try:
        if kind != "sync":
            return asyncio.run(by_async())
        with Client(app, **options) as client:
            return client.call(QUERY, **params)
    except alinb.AlinbError as error:
        return error


def judge(came: Any) -> str:
    """The verdict, after what must be true of every reply and of every error."""
    kept = list(Journal(os.environ["ALINB_JOURNAL"]).attempts())
    assert len(kept) == 1, "one attempt, kept"
    assert kept[0].name == QUERY
    if isinstance(came, alinb.Reply):
        assert came.attempt_id == kept[0].id
        assert kept[0].verdict == came.verdict
        if came.ok:
            return came.verdict
        try:
            came.raise_for_refusal()
        except alinb.AlinbError as error:
            came, verdict = error, came.verdict
    else:
        verdict = "error"
    assert isinstance(came, alinb.NoReply | alinb.Refused | alinb.UnreadableReply)
    assert came.next_step.endswith(".")
    assert "\n" not in str(came)
    assert SECRET not in str(came)
    assert came.evidence["attempt_id"] == kept[0].id
    return f"{verdict}: {came}"


kinds = pytest.mark.parametrize("kind", ["sync", "async"])


#: A fault of the sandbox, and what becomes of it.
OF_THE_SANDBOX = [
    ("latency=50", "ok"),
    ("slow_start=50", "ok"),
    ("drip=1", "ok"),
    ("latency=3000", "error: .* no answer in time"),
    ("slow_start=3000", "error: .* no answer in time"),
    ("drip=200", "error: .* no whole answer in time"),
    ("reset", "error: .* connection"),
    ("reset_after_headers", "error: .* connection"),
    ("cut_body", "unreadable: .* cut off"),
    ("wrong_length", "error: .* closed in the middle"),
    ("broken_text", "unreadable: .*"),
    ("empty_body", "unreadable: .* is empty"),
    ("html_200", "unreadable: .* HTML page"),
    ("html_502", "unreadable: .* .HTTP 502. is an HTML page"),
    ("status_500", "unreadable: .* .HTTP 500. is plain text"),
    ("status_503", "unreadable: .* .HTTP 503. is plain text"),
    ("status_429", "refused: .* ApiCallLimit"),
    ("redirect", "unreadable: .* is a redirect to 127.0.0.1, which is not followed"),
    ("gzip", "ok"),
    ("gzip_bomb=100", "error: .* larger than 64 MiB"),
    ("huge_body=100", "error: .* larger than 64 MiB"),
    ("clock_skew=900", "ok"),
    ("clock_skew=10800", "refused: .*"),
    ("ServiceUnavailable", "refused: .* ServiceUnavailable"),
    ("isp.top-remote-connection-timeout", "refused: .*"),
]  # fmt: skip


@kinds
@pytest.mark.parametrize(("fault", "becomes"), OF_THE_SANDBOX)
def test_faults_of_a_gateway(kind: str, fault: str, becomes: str) -> None:
    with alinb.Sandbox(app_key="500102", secret=SECRET, fault=fault, products=60).serve() as box:
        timeout = 1.0 if "00" in fault and "bomb" not in fault and "huge" not in fault else 20.0
        timeout = 0.3 if fault == "drip=200" else timeout
        came = ask(kind, box.app, timeout=timeout)
        assert matches(judge(came), becomes)
        assert len(list(box.gateway.exchanges)) <= 1, "nothing is sent twice"


def matches(said: str, pattern: str) -> bool:
    assert re.match(pattern, said), f"{said!r} is not {pattern!r}"
    return True


def skewed(minutes: float) -> Callable[[], float]:
    return lambda: time.time() + 60 * minutes


#: The documented tolerance is 7200 s each way; a quarter of an hour is nothing.
@kinds
@pytest.mark.parametrize("side", [-1, 1], ids=["slow", "fast"])
@pytest.mark.parametrize(
    ("minutes", "becomes"),
    [(15, "ok$"), (119, "ok$"), (121, "refused: .* IllegalTimestamp"),
     (180, "refused: .* IllegalTimestamp")],
)  # fmt: skip
def test_a_clock_that_is_wrong_here(kind: str, minutes: float, side: int, becomes: str) -> None:
    with alinb.Sandbox(app_key="500102", secret=SECRET, products=60).serve() as box:
        assert matches(judge(ask(kind, box.app, clock=skewed(side * minutes))), becomes)
        assert len(list(box.gateway.exchanges)) == 1


class Line:
    """A raw server: `talk` gets each connection, which is closed afterward."""

    def __init__(self, talk: Talk) -> None:
        self.requests = 0
        self._talk = talk
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.requests += 1
            with connection, suppress(OSError):
                connection.settimeout(20)
                self._talk(connection)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def heard(connection: socket.socket) -> bytes:
    """Read a request to its end: closing over what is unread would reset the line."""
    came = b""
    while b"\r\n\r\n" not in came:
        if not (part := connection.recv(65536)):
            return b""
        came += part
    told = re.search(rb"content-length: (\d+)", came, re.IGNORECASE)
    left = (int(told[1]) if told else 0) - len(came.partition(b"\r\n\r\n")[2])
    while left > 0 and (part := connection.recv(65536)):
        left -= len(part)
    return came


def saying(*parts: bytes, pause: float = 0.0, read: bool = True) -> Talk:
    def talk(connection: socket.socket) -> None:
        if read:
            heard(connection)
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)

    return talk


def head(*headers: str, status: str = "200 OK") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


def whole(content: bytes, *headers: str, status: str = "200 OK") -> bytes:
    return head(f"Content-Length: {len(content)}", *headers, status=status) + content


def endless(start: bytes, more: bytes) -> Talk:
    """As long as anybody listens."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(start)
        for _ in range(200_000_000 // len(more)):
            connection.sendall(more)

    return talk


def resetting(*parts: bytes) -> Talk:
    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        for part in parts:
            connection.sendall(part)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    return talk


def bare_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


PACKED = "Content-Encoding: gzip"
PAGE = b"<!doctype html><html><head><title>Oops</title></head><body>No.</body></html>"
OF_THE_LINE = {
    "closed at once": (saying(read=False), "error: "),
    "reset before headers": (resetting(), "error: .* connection"),
    "reset in the body": (resetting(head("Content-Length: 99"), b"{"), "error: .* connection"),
    "no HTTP at all": (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), "error: "),
    "a head without an end": (endless(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 8000 + b"\r\n"),
                              "error: "),
    "a header line without an end": (endless(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 8192), "error: "),
    "cut chunks": (saying(head("Transfer-Encoding: chunked") + b"5\r\n{\"a\":\r\n"), "error: "),
    "broken chunks": (saying(head("Transfer-Encoding: chunked") + b"zz\r\n{}\r\n"), "error: "),
    "two lengths": (saying(head("Content-Length: 5", "Content-Length: 9") + b"{}"), "error: "),
    "a body without an end": (endless(head(), b" " * 65536), "error: .* larger than 64 MiB"),
    "bytes before the head": (saying(b"\x00\xff\xfe"), "error: "),
    "a redirect elsewhere": (saying(whole(b"", "Location: https://evil.example/?a=1",
                                          status="307 Temporary Redirect")),
                             "unreadable: .* a redirect to evil.example"),
    "a redirect to no address": (saying(whole(b"{}", "Location: http://[", status="302 Found")),
                                 "unreadable: .* is a redirect to "),
    "a redirect to a path": (saying(whole(b"{}", "Location: /login", status="301 Moved")),
                             "unreadable: .* a redirect to another path"),
    "429 as a page": (saying(whole(PAGE, "Retry-After: 7", status="429 Too Many Requests")),
                      "unreadable: .* .HTTP 429. is an HTML page titled .Oops"),
    "500 as a page": (saying(whole(PAGE, status="500 Internal Server Error")),
                      "unreadable: .* .HTTP 500. is an HTML page titled .Oops"),
    "503 as a page": (saying(whole(PAGE, "Retry-After: 7", status="503 Service Unavailable")),
                      "unreadable: .* .HTTP 503. is an HTML page titled .Oops"),
    "no content": (saying(head(status="204 No Content")), "unreadable: .* is empty"),
    "a body that is no gzip": (saying(whole(SOUND, PACKED)), "error: .* is no gzip"),
    "a cut gzip": (saying(whole(gzip.compress(SOUND)[:-9], PACKED)), "error: .* is cut"),
    "an unknown packing": (saying(whole(SOUND, "Content-Encoding: br")), "error: .* packed as 'br'"),  # noqa: E501
    "packed twice": (saying(whole(SOUND, "Content-Encoding: gzip, gzip")), "error: .* packed as"),
    "gzip": (saying(whole(gzip.compress(SOUND), PACKED)), "ok"),
    "deflate": (saying(whole(zlib.compress(SOUND), "Content-Encoding: deflate")), "ok"),
    "bare deflate": (saying(whole(bare_deflate(SOUND), "Content-Encoding: deflate")), "ok"),
    "HTTP/1.0 without a length": (saying(b"HTTP/1.0 200 OK\r\n\r\n" + SOUND), "ok"),
    "a number too long": (saying(whole(b'{"code":' + b"9" * 5000 + b"}")), "(unreadable|refused): "),  # noqa: E501
    "JSON too deep": (saying(whole(b"[" * 100_000)), "unreadable: "),
    "a lone surrogate": (saying(whole(b'{"code":"0","x":"\\ud800"}')), "ok"),
    "a byte order mark": (saying(whole(b"\xef\xbb\xbf" + SOUND)), "(ok|unreadable: )"),
    "UTF-16": (saying(whole('{"code":"0"}'.encode("utf-16"))), "unreadable: "),
}  # fmt: skip


@kinds
@pytest.mark.parametrize("fault", OF_THE_LINE)
def test_faults_of_the_line(kind: str, fault: str) -> None:
    talk, becomes = OF_THE_LINE[fault]
    line = Line(talk)
    try:
        assert matches(judge(ask(kind, app_at(line.url), timeout=10)), becomes)
        assert line.requests == 1, "nothing is sent twice, or to anybody else"
    finally:
        line.close()


ORDER = "aliexpress.ds.order.create"
ORDERED = {"product_items": [{"product_id": 1005001, "product_count": 1}]}
ORDER_IN = "param_place_order_request4_open_api_d_t_o"
#: What does something each time it comes: an order has no number of its own here.
ONCE: dict[str, dict[str, Any]] = {
    ORDER: {ORDER_IN: ORDERED, "session": "50000session"},
    CREATE: {"code": "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26"},
}
LOST: dict[str, bytes] = {"no byte": b"", "the headers": head("Content-Length: 99")}


def losing(begun: bytes, got: list[bytes]) -> Talk:
    """Takes a call of /warm, and resets the line after the first bytes of any other answer."""

    def talk(connection: socket.socket) -> None:
        while came := heard(connection):
            if b"/warm?" in came:
                connection.sendall(whole(SOUND))
                continue
            got.append(came)
            connection.sendall(begun)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return

    return talk


@pytest.mark.parametrize("name", ONCE)
@pytest.mark.parametrize("begun", LOST)
@pytest.mark.parametrize("line", ["new", "kept"])
@pytest.mark.parametrize("verb", ["POST", "GET"])
@pytest.mark.parametrize("kind", ["sync", "async", "httpx async", "in a pull"])
def test_what_may_be_carried_out_is_sent_once_where_its_answer_is_lost(
    kind: str, verb: str, line: str, begun: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP clients are given to sending a GET again by themselves."""
    monkeypatch.setenv("ALINB_TRANSPORT", "httpx" if kind.startswith("httpx") else "")
    got: list[bytes] = []
    server = Line(losing(LOST[begun], got))
    app = app_at(server.url)

    def by_sync() -> None:
        with Client(app, timeout=2) as client:
            if line == "kept":
                client.call("/warm", verb="GET")
            client.call(name, verb=verb, **ONCE[name])

    async def by_async() -> None:
        async with AsyncClient(app, timeout=2) as client:
            if line == "kept":
                await client.call("/warm", verb="GET")
            if kind == "in a pull":
                await client.fetch(client.sign(name, verb=verb, **ONCE[name]))
            else:
                await client.call(name, verb=verb, **ONCE[name])

    try:
        with pytest.raises(alinb.NoReply, match="connection"):
            by_sync() if kind == "sync" else asyncio.run(by_async())
    finally:
        server.close()
    assert len(got) == 1
    assert server.requests == 1, "one connection, the kept one"


@pytest.mark.parametrize("begun", LOST)
@pytest.mark.parametrize(("own", "times"), [({}, 1), ({"out_order_id": "mine-1"}, 3)])
def test_a_pull_of_orders_sends_again_what_has_a_number_of_its_own(
    own: dict[str, str], times: int, begun: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alinb.retries.TRIES", 3)
    got: list[bytes] = []
    server = Line(losing(LOST[begun], got))
    try:
        with Client(app_at(server.url), timeout=2) as client:
            params = {**ONCE[ORDER], ORDER_IN: ORDERED | own}
            with pytest.raises(alinb.NoReply, match="connection"):
                client.pull(ORDER, over={"n": [1]}, qps=1000, **params).frame()
    finally:
        server.close()
    assert len(got) == times


def dripping(before: bytes, dripped: bytes) -> Talk:
    """A byte each 20 ms, which no time for one read ever ends."""

    def talk(connection: socket.socket) -> None:
        heard(connection)
        connection.sendall(before)
        for at in range(600):
            connection.sendall(dripped[at % len(dripped) :][:1])
            time.sleep(0.02)

    return talk


DRIPS = {
    "of the first line": dripping(b"", b"HTTP/1.1 200 " + b"O" * 400),
    "of a header": dripping(b"HTTP/1.1 200 OK\r\n", b"X-Slow: " + b"x" * 400),
    "of many headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n" * 60),
    "of interim answers": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 20),
    "of the body": dripping(head("Content-Length: 999"), b" "),
    "of chunks": dripping(head("Transfer-Encoding: chunked"), b"1\r\n \r\n"),
    "of a packed body": dripping(head(PACKED), gzip.compress(SOUND) + b" "),
}


@pytest.mark.parametrize(
    ("kind", "drip"),
    [("sync", drip) for drip in DRIPS]
    + [(kind, drip) for kind in ("async", "httpx async", "in a pull")
       for drip in ("of a header", "of interim answers", "of the body")],
)  # fmt: skip
def test_a_slow_drip_ends_when_the_whole_call_has_to(
    kind: str, drip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At six times the time for one part, though each part comes in time."""
    monkeypatch.setenv("ALINB_TRANSPORT", "httpx" if kind.startswith("httpx") else "")
    line = Line(DRIPS[drip])
    try:
        began = time.monotonic()
        came = ask(kind.removeprefix("httpx "), app_at(line.url), timeout=0.15)
        took = time.monotonic() - began
    finally:
        line.close()
    assert matches(judge(came), "error: .* no whole answer in time")
    assert 0.9 <= took < 5
    assert line.requests == 1


@kinds
def test_nobody_listens(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    assert matches(judge(ask(kind, app_at(f"http://127.0.0.1:{port}"))), "error: .*not connect")


@kinds
@pytest.mark.parametrize("host", ["no-such-host.invalid", "127.0.0.1.no.invalid"])
def test_a_name_that_is_none(kind: str, host: str) -> None:
    assert matches(judge(ask(kind, app_at(f"https://{host}"))), "error: .*not connect")


@kinds
def test_https_to_a_plain_port(kind: str) -> None:
    with alinb.Sandbox(app_key="500102", secret=SECRET, products=1).serve() as box:
        url = box.url.replace("http://", "https://")
        assert matches(judge(ask(kind, app_at(url))), "error: .*not connect")


@kinds
def test_a_connection_that_nobody_takes(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        held = []
        for _ in range(4):  # the queue is full, and what comes then is not answered
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
            held.append(waiting)
        app = app_at(f"http://127.0.0.1:{full.getsockname()[1]}")
        assert matches(judge(ask(kind, app)), "error: .* (in time|not connect)")
        for waiting in held:
            waiting.close()


@pytest.mark.parametrize("carrier", ["httpx", ""])
@pytest.mark.parametrize(
    ("fault", "becomes"),
    [("gzip_bomb=100", "larger than 64 MiB"), ("huge_body=100", "larger than 64 MiB"),
     ("drip=700", "no whole answer in time|no answer in time"), ("reset", "connection"),
     ("redirect", "a redirect to 127.0.0.1, which is not followed"), ("gzip", "")],
)  # fmt: skip
def test_what_a_pull_fetches_with(
    carrier: str, fault: str, becomes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unread answers, by httpx and by the fast transport where it is installed."""
    monkeypatch.setenv("ALINB_TRANSPORT", carrier)

    async def fetch(app: alinb.App) -> str:
        async with AsyncClient(app, timeout=0.6 if "drip" in fault else 20) as client:
            signed = client.signed(QUERY, {"keywords": "lamp"})
            try:
                reply = (await client.fetch(signed)).read(signed)
            except alinb.NoReply as error:
                return str(error)
            return reply.reason

    with alinb.Sandbox(app_key="500102", secret=SECRET, fault=fault, products=60).serve() as box:
        assert re.search(becomes, asyncio.run(fetch(box.app)))


# ---- Where a call may go


class TestNeverInTheClear:
    def test_a_platform_made_by_hand(self) -> None:
        from dataclasses import replace

        platform = replace(alinb.Platform.named(), api="http://gateway.example")
        app = alinb.App("1", SECRET, platform)
        for kind in ("sync", "async"):
            error = ask(kind, app, journal=False)
            assert isinstance(error, alinb.InputError)
            assert "over plain http" in str(error)

    @pytest.mark.parametrize("gateway", ["http://gateway.example", "http://10.0.0.1:80", "ftp://a"])
    def test_every_way_to_name_a_gateway(
        self, gateway: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(alinb.InputError):
            Client(alinb.App("1", SECRET), gateway=gateway)
        with pytest.raises(alinb.InputError):
            app_at(gateway)
        for name, value in (("APP_KEY", "1"), ("APP_SECRET", SECRET), ("GATEWAY", gateway)):
            monkeypatch.setenv(f"ALINB_{name}", value)
        with pytest.raises(alinb.InputError):
            Client()

    def test_a_signed_call_of_another_app(self) -> None:
        from dataclasses import replace

        signed = replace(alinb.sign(QUERY, app=app_at("http://127.0.0.1:9")),
                         endpoint="http://gateway.example/sync")  # fmt: skip
        with (
            Client(app_at("http://127.0.0.1:9"), journal=False) as client,
            pytest.raises(alinb.InputError, match="over plain http"),
        ):
            client.send(signed)


def test_what_is_no_app_is_one_clear_line() -> None:
    for thing in ("http://127.0.0.1:8700", 7, object()):
        for kind in (Client, AsyncClient):
            with pytest.raises(alinb.InputError, match="made for an App, not for a"):
                kind(thing)  # type: ignore[arg-type]


def test_a_closed_client_says_so() -> None:
    client = Client(app_at("http://127.0.0.1:9"), journal=False)
    client.close()
    with pytest.raises(alinb.InputError, match="This client is closed"):
        client.call(QUERY)

    async def by_async() -> None:
        fast = AsyncClient(app_at("http://127.0.0.1:9"), journal=False)
        await fast.close()
        await fast.call(QUERY)

    with pytest.raises(alinb.InputError, match="This client is closed"):
        asyncio.run(by_async())

    async def by_a_pull() -> None:
        fast = AsyncClient(app_at("http://127.0.0.1:9"), journal=False)
        signed = fast.signed(QUERY, {})
        await fast.close()
        await fast.fetch(signed)

    with pytest.raises(alinb.InputError, match="This client is closed"):
        asyncio.run(by_a_pull())


@pytest.mark.parametrize(
    ("name", "value"),
    [("HTTPS_PROXY", "nonsense://u:pa55word@x"), ("SSL_CERT_FILE", "/no/such/file"),
     ("ALL_PROXY", "socks9://x")],
)  # fmt: skip
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_settings_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, kind: Any
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(alinb.InputError, match="settings for HTTP") as caught:
        kind(alinb.App("1", SECRET), journal=False)
    assert "pa55word" not in str(caught.value)


@kinds
def test_a_proxy_that_is_no_address_is_not_gone_around(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What httpx only finds out when it connects: the gateway is not asked for without it."""
    sought: list[str] = []

    def resolve(host: Any, *_: Any, **__: Any) -> Any:
        sought.append(host.decode() if isinstance(host, bytes) else host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setenv("HTTPS_PROXY", "http://[bad")
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert matches(judge(ask(kind, alinb.App("1", SECRET))), "error: .*not connect")
    assert sought
    assert all(host.endswith("bad") for host in sought), sought


# ---- Memory


@pytest.mark.parametrize("encoding", ["", "gzip"])
def test_a_body_stops_at_its_cap(encoding: str) -> None:
    cap = 4 * 1024 * 1024
    raw = b" " * (1024 * 1024) * 100
    packed = gzip.compress(raw) if encoding else raw
    assert not encoding or len(packed) * 900 < len(raw), "a bomb of about 1,000 to 1"
    body = Body(encoding, cap)
    tracemalloc.start()
    with pytest.raises(Unusable, match="larger than 4 MiB"):
        deque((body.add(packed[at : at + 65536]) for at in range(0, len(packed), 65536)), maxlen=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert body.content.tell() <= cap
    assert peak <= 2 * cap


BOMBED = """
import asyncio, sys, alinb, alinb.retries
from tests.benchmarks.growth import peak_mib

app = alinb.App("500102", "s" * 20, alinb.Platform.named().at(sys.argv[1]))

async def fast(app):
    async with alinb.AsyncClient(app, timeout=60) as client:
        await client.call("/a")

async def fetched(app):
    async with alinb.AsyncClient(app, timeout=60) as client:
        await client.fetch(client.sign("/a"))

def slow(app):
    with alinb.Client(app, timeout=60) as client:
        client.call("/a")

def pulled(app):
    alinb.retries.TRIES = 2  # and what the first try held is given back
    with alinb.Client(app, timeout=60) as client:
        client.pull("aliexpress.affiliate.product.query", over={"keywords": ["lamp"]}).frame()

go = {
    "sync": slow, "a pull": pulled,
    "async": lambda app: asyncio.run(fast(app)), "fetch": lambda app: asyncio.run(fetched(app)),
}[sys.argv[2]]
go(alinb.Sandbox(products=1))  # brings in what a process needs anyhow
before = peak_mib()
try:
    go(app)
except alinb.NoReply as error:
    print(error)
print(round((peak_mib() - before) * 2**20))
"""


@pytest.mark.parametrize("fault", ["gzip_bomb=150", "huge_body=150"])
@pytest.mark.parametrize(
    ("kind", "carrier"),
    [("sync", ""), ("async", ""), ("fetch", ""), ("fetch", "httpx"), ("a pull", "")],
)
def test_what_a_bomb_costs_a_whole_process(
    fault: str, kind: str, carrier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALINB_TRANSPORT", carrier)
    with alinb.Sandbox(app_key="500102", secret="s" * 20, fault=fault, products=1).serve() as box:
        done = subprocess.run(
            [sys.executable, "-c", BOMBED, box.url, kind], capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said, grown = done.stdout.strip().splitlines()
    assert "larger than 64 MiB" in said
    assert int(grown) <= 2 * LARGEST


# ---- A soak


class Soaked(NamedTuple):
    attempts: int
    virtual_s: float
    verdicts: dict[str, int]
    rss_bytes: int
    descriptors: int
    rss_mib: list[float]


def soak(attempts: int, journal: Journal | bool) -> Soaked:
    """Calls one after the other with every kind of answer, a second apart in virtual time.

    What the process holds is looked at ten times; the first fifth is for warming up.
    """
    answers = [
        lambda: httpx.Response(200, content=SOUND),
        lambda: httpx.Response(200, content=b'{"error_response":{"code":"ApiCallLimit"}}'),
        lambda: httpx.Response(502, content=b"<html><title>Bad gateway</title></html>"),
        lambda: httpx.Response(200, content=b'{"cut'),
        lambda: httpx.Response(200, content=gzip.compress(SOUND), headers=packed),
        lambda: httpx.ReadError("gone"),
    ]  # fmt: skip
    count, packed = 0, {"content-encoding": "gzip"}

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        came = answers[count % len(answers)]()
        if isinstance(came, Exception):
            raise came
        return came

    verdicts: dict[str, int] = {}
    marks: list[tuple[int, int]] = []

    async def run() -> float:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        app = app_at("http://127.0.0.1:9")
        transport = httpx.MockTransport(answer)
        options: dict[str, Any] = {"transport": transport, "journal": journal, "clock": loop.time}
        async with AsyncClient(app, **options) as client:
            for number in range(1, attempts + 1):
                try:
                    verdict = (await client.call(QUERY, page_no=number)).verdict
                except alinb.NoReply:
                    verdict = "no_reply"
                verdicts[verdict] = verdicts.get(verdict, 0) + 1
                await asyncio.sleep(1)
                if number % (attempts // 10) == 0:
                    marks.append((rss(), len(os.listdir("/proc/self/fd"))))
        return loop.time() - begun

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        virtual_s = runner.run(run())
    held = [bytes_held for bytes_held, _ in marks]
    descriptors = [count for _, count in marks]
    grown, opened = held[-1] - held[1], max(descriptors[1:]) - descriptors[1]
    in_mib = [round(each / 2**20, 2) for each in held]
    return Soaked(attempts, virtual_s, verdicts, grown, opened, in_mib)


def rss() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads Linux's /proc")
@pytest.mark.slow
@pytest.mark.parametrize("kept", [False, True], ids=["without a journal", "with a journal"])
def test_a_soak_keeps_memory_and_descriptors_flat(kept: bool, tmp_path: Path) -> None:
    """ALINB_SOAK=1000000 runs the whole proof: at most 1 MiB for each 100,000 attempts."""
    attempts = int(os.environ.get("ALINB_SOAK", "600" if kept else "4000"))
    journal = Journal(tmp_path / "soak.sqlite3")
    done = soak(attempts, journal if kept else False)
    print(done)
    assert len(journal) == attempts * kept
    assert sum(done.verdicts.values()) == done.attempts
    assert set(done.verdicts) == {"ok", "refused", "unreadable", "no_reply"}
    assert done.virtual_s >= done.attempts
    assert done.descriptors == 0
    # A short run sees what the allocator rounds up to, which a long one divides by more, and how
    # the 2 MB that SQLite keeps of a file fill.
    assert done.rss_bytes <= (max(1, done.attempts / 100_000) + 2 * kept) * 1024 * 1024
