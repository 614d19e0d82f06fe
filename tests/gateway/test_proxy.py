"""The proxy: byte for byte to one upstream and back, each attempt kept and diagnosed."""

import gc
import gzip
import importlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

import alinb
from alinb.errors import InputError, PortInUse
from alinb.gateway import Sandbox
from alinb.gateway.proxy import LARGEST_BODY, MARK, Proxy, upstream_of

KEY, SECRET = "500102", "canary-secret-of-the-proxy"
QUERY = "aliexpress.affiliate.product.query"
TOKEN = "50000canaryTokenOfTheCaller"

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Recorder:
    """An upstream that keeps the bytes of each request and answers with the bytes it was given."""

    def __init__(self) -> None:
        self.answer = PLAIN
        self.seen: list[bytes] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                self.seen.append(self._request(connection))
                connection.sendall(self.answer)

    @staticmethod
    def _request(connection: socket.socket) -> bytes:
        got = b""
        while b"\r\n\r\n" not in got:
            piece = connection.recv(65536)
            if not piece:
                return got
            got += piece
        head, _, body = got.partition(b"\r\n\r\n")
        said = re.search(rb"\ncontent-length: *(\d+)", head, re.IGNORECASE)
        length = int(said[1]) if said else 0
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body

    def close(self) -> None:
        self._listening.close()

    @property
    def last(self) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
        """Request line, headers and body of the latest request."""
        head, _, body = self.seen[-1].partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        pairs = [line.partition(b": ")[::2] for line in lines]
        return first, [(name.lower(), value) for name, value in pairs], body


@pytest.fixture
def upstream() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Proxy]]:
    started: list[Proxy] = []

    def one(upstream: str, **options: Any) -> Proxy:
        started.append(Proxy(upstream, **options))
        return started[-1]

    yield one
    for proxy in started:
        proxy.close()


@pytest.fixture
def proxy(upstream: Recorder, start: Any) -> Proxy:
    return start(upstream.url, journal=False)  # type: ignore[no-any-return]


def raw(proxy: Proxy, request: bytes) -> bytes:
    """The bytes of an answer to the bytes of a request; `HOST` stands for the right Host."""
    host = proxy.url.removeprefix("http://").encode()
    with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), 5) as line:
        line.sendall(request.replace(b"HOST", host))
        line.settimeout(10)
        got = b""
        while piece := line.recv(65536):
            got += piece
    return got


def get(proxy: Proxy, target: bytes, *more: bytes) -> bytes:
    lines = (b"GET " + target + b" HTTP/1.1", b"Host: HOST", b"Connection: close", *more)
    return raw(proxy, b"\r\n".join(lines) + b"\r\n\r\n")


class TestRequests:
    @pytest.mark.parametrize(
        "target",
        [
            b"/sync?b=2&a=1&a=3&empty=&bare&plus=+%20%2B&low=%c3%a9&up=%C3%A9",
            b"/rest/auth/token/create?code=3_500102_x%2fy&x=%25%32%35",
            b"/rest/a/../b/./c//d/%2e%2e/e?x=/?y=?&&z",
            b"/sync?q='%22<>^`{|}~!*();:@&=+$,[]",
            b"/sync?a=1#fragment&b=2",
            b"/%00%ff\\x?%zz=%",
            b"/",
            b"/router/rest?",
        ],
    )
    def test_the_target_goes_on_byte_for_byte(
        self, proxy: Proxy, upstream: Recorder, target: bytes
    ) -> None:
        assert get(proxy, target).startswith(b"HTTP/1.1 200 ")
        # ASGI does not tell a bare ? from none; it holds no parameter.
        assert upstream.last[0] == b"GET " + target.removesuffix(b"?") + b" HTTP/1.1"

    def test_the_body_and_the_verb_go_on(self, proxy: Proxy, upstream: Recorder) -> None:
        body = bytes(range(256)) * 40
        for verb in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET"):
            httpx.request(verb, f"{proxy.url}/sync?a=1", content=body, trust_env=False)
            first, headers, came = upstream.last
            assert first == f"{verb} /sync?a=1 HTTP/1.1".encode()
            assert came == body
            assert headers.count((b"content-length", b"10240")) == 1

    def test_end_to_end_headers_go_on_in_order_and_none_is_added(
        self, proxy: Proxy, upstream: Recorder
    ) -> None:
        get(
            proxy, b"/sync", b"X-One: 1", b"Accept-Encoding: br;q=1, gzip", b"X-Two:  two words ",
            b"Cookie: a=b", b"x-one: again", b"Authorization: Bearer x", b"Keep-Alive: 5",
            b"Proxy-Authorization: Basic x", b"TE: trailers", b"Connection: x-mine", b"X-Mine: 1",
        )  # fmt: skip
        assert upstream.last[1] == [
            (b"host", upstream.url.removeprefix("http://").encode()), (b"x-one", b"1"),
            (b"accept-encoding", b"br;q=1, gzip"), (b"x-two", b"two words"), (b"cookie", b"a=b"),
            (b"x-one", b"again"), (b"authorization", b"Bearer x"),
        ]  # fmt: skip

    def test_a_body_in_chunks_goes_on_whole(self, proxy: Proxy, upstream: Recorder) -> None:
        raw(
            proxy,
            b"POST /sync HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n3\r\na=1\r\n4\r\n&b=2\r\n0\r\n\r\n",
        )
        _, headers, body = upstream.last
        assert body == b"a=1&b=2"
        assert (b"content-length", b"7") in headers
        assert not any(name == b"transfer-encoding" for name, _ in headers)

    @pytest.mark.parametrize(
        "head",
        [
            b"GET http://evil.example/sync HTTP/1.1\r\nHost: HOST",
            b"GET //evil.example/sync HTTP/1.1\r\nHost: HOST",
            b"CONNECT evil.example:443 HTTP/1.1\r\nHost: HOST",
            b"OPTIONS * HTTP/1.1\r\nHost: HOST",
            b"GET /sync HTTP/1.1\r\nHost: evil.example",
            b"GET /sync HTTP/1.1\r\nHost: evil.example:80\r\nX: HOST",
            b"GET /sync HTTP/1.1\r\nHost: HOST\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13",
        ],
    )
    def test_what_is_meant_for_another_host_goes_nowhere(
        self, proxy: Proxy, upstream: Recorder, head: bytes
    ) -> None:
        answered = raw(proxy, head + b"\r\nConnection: close\r\n\r\n")
        assert answered.startswith(b"HTTP/1.1 400 "), answered
        assert MARK.encode() in answered
        assert upstream.seen == []

    def test_a_body_past_the_limit_goes_nowhere(self, proxy: Proxy, upstream: Recorder) -> None:
        content = b"x" * (LARGEST_BODY + 1)
        answered = httpx.post(f"{proxy.url}/sync", content=content, trust_env=False)
        assert answered.status_code == 413
        assert answered.json()["code"] == "AlinbProxyNotForwarded"
        assert upstream.seen == []

    def test_half_a_request_goes_nowhere(self, proxy: Proxy, upstream: Recorder) -> None:
        with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), 5) as line:
            host = proxy.url.removeprefix("http://").encode()
            line.sendall(b"POST /sync HTTP/1.1\r\nHost: " + host)
            line.sendall(b"\r\nContent-Length: 9\r\n\r\na=1")
        get(proxy, b"/after")
        assert [request[:10] for request in upstream.seen] == [b"GET /after"]


def answered(status: str, *headers: bytes, body: bytes = b"") -> bytes:
    head = b"\r\n".join([f"HTTP/1.1 {status}".encode(), *headers])
    return head + b"\r\n\r\n" + body


class TestAnswers:
    def test_status_headers_and_body_come_back_unchanged(
        self, proxy: Proxy, upstream: Recorder
    ) -> None:
        upstream.answer = answered(
            "418 Short And Stout", b"X-One: 1", b"Set-Cookie: a=1; Path=/", b"Set-Cookie: b=2",
            b"Content-Type: text/html; charset=gbk", b"Date: Mon, 01 Jan 2001 00:00:00 GMT",
            b"Server: Tengine", b"Keep-Alive: timeout=5", b"Connection: x-hop", b"X-Hop: 1",
            b"Content-Length: 256", body=bytes(range(256)),
        )  # fmt: skip
        head, _, body = get(proxy, b"/sync").partition(b"\r\n\r\n")
        assert body == bytes(range(256))
        first, *lines = head.lower().split(b"\r\n")
        assert first.startswith(b"http/1.1 418 ")
        assert [line for line in lines if line != b"connection: close"] == [
            b"x-one: 1", b"set-cookie: a=1; path=/", b"set-cookie: b=2",
            b"content-type: text/html; charset=gbk", b"date: mon, 01 jan 2001 00:00:00 gmt",
            b"server: tengine", b"content-length: 256",
            f"{MARK}: in front of {upstream.url}".encode(),
        ]  # fmt: skip

    def test_no_cookie_of_an_answer_is_sent_with_the_next_request(
        self, proxy: Proxy, upstream: Recorder
    ) -> None:
        upstream.answer = answered("200 OK", b"Set-Cookie: a=1", b"Content-Length: 0")
        get(proxy, b"/one")
        get(proxy, b"/two")
        assert upstream.last[0] == b"GET /two HTTP/1.1"
        assert b"cookie" not in dict(upstream.last[1])

    @pytest.mark.parametrize(
        ("name", "packed"),
        [
            ("gzip", gzip.compress(b'{"code":"0"}')),
            ("deflate", zlib.compress(b'{"code":"0"}')),
            ("br", b"\x0b\x05\x80not unpacked here\x03"),
        ],
    )
    def test_a_packed_body_stays_packed(
        self, proxy: Proxy, upstream: Recorder, name: str, packed: bytes
    ) -> None:
        length = f"Content-Length: {len(packed)}".encode()
        upstream.answer = answered(
            "200 OK", f"Content-Encoding: {name}".encode(), length, body=packed
        )
        head, _, body = get(proxy, b"/sync").partition(b"\r\n\r\n")
        assert body == packed
        assert f"content-encoding: {name}".encode() in head.lower()
        (exchange,) = proxy.exchanges
        readable = ("ok", '{"code":"0"}') if name != "br" else ("unreadable", "")
        assert (exchange.attempt().verdict, exchange.attempt().reply_text) == readable

    def test_a_body_in_chunks_comes_back_with_its_length(
        self, proxy: Proxy, upstream: Recorder
    ) -> None:
        upstream.answer = answered(
            "200 OK", b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
        head, _, body = get(proxy, b"/sync").partition(b"\r\n\r\n")
        assert body == b"abcde"
        assert b"content-length: 5" in head.lower()
        assert b"transfer-encoding" not in head.lower()

    def test_a_redirect_is_passed_on_and_not_followed(
        self, proxy: Proxy, upstream: Recorder
    ) -> None:
        upstream.answer = answered(
            "302 Found", b"Location: http://evil.example/x?y=1", b"Content-Length: 0"
        )
        head = get(proxy, b"/sync")
        assert head.startswith(b"HTTP/1.1 302 ")
        assert b"\r\nlocation: http://evil.example/x?y=1\r\n" in head.replace(b"L", b"l")
        assert len(upstream.seen) == 1

    @pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
    def test_an_answer_without_a_body(self, proxy: Proxy, upstream: Recorder, status: str) -> None:
        upstream.answer = answered(status, b"ETag: x")
        head, _, body = get(proxy, b"/sync").partition(b"\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status[:3]} ".encode())
        assert body == b""
        assert b"content-length" not in head.lower()

    def test_head_keeps_the_length_of_the_body_that_is_not_there(
        self, proxy: Proxy, upstream: Recorder
    ) -> None:
        upstream.answer = answered("200 OK", b"Content-Length: 1234")
        got = raw(proxy, b"HEAD /sync HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")
        assert b"\r\ncontent-length: 1234\r\n" in got.lower()
        assert got.endswith(b"\r\n\r\n")

    @pytest.mark.parametrize(
        "answer",
        [b"", b"not http at all\r\n\r\n", answered("200 OK", b"Content-Length: 9", body=b"cut")],
    )
    def test_a_broken_upstream_is_named(
        self, proxy: Proxy, upstream: Recorder, answer: bytes
    ) -> None:
        upstream.answer = answer
        said = httpx.get(f"{proxy.url}/sync?a=1", trust_env=False)
        assert said.status_code == 502
        assert said.json()["code"] == "AlinbProxyNoAnswerFromUpstream"
        assert said.json()["message"].startswith(f"alinb proxy: {upstream.url} gave no answer: ")
        (exchange,) = proxy.exchanges
        assert (exchange.status, exchange.attempt().verdict) == (None, "no_reply")

    def test_an_upstream_that_is_not_there(self, start: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        proxy = start(f"http://127.0.0.1:{port}", journal=False)
        said = httpx.get(f"{proxy.url}/sync", trust_env=False)
        assert said.status_code == 502
        assert "could not connect" in said.json()["message"]


@pytest.mark.parametrize(
    "url",
    [
        "", "api-sg.aliexpress.com", "ftp://127.0.0.1", "http://api-sg.aliexpress.com",
        "https://x@127.0.0.1", "https://127.0.0.1/rest", "https://127.0.0.1?a", "https://[",
        "http://127.0.0.1:0", "http://127.0.0.1:99999", "http://127.0.0.1.evil.example",
        "https://api-sg.aliexpress.com/#x",
    ],
)  # fmt: skip
def test_only_a_safe_upstream_is_taken(url: str) -> None:
    with pytest.raises(InputError):
        upstream_of(url)


def test_an_upstream_is_scheme_and_host() -> None:
    assert upstream_of(" https://api-sg.aliexpress.com/ ") == "https://api-sg.aliexpress.com"
    assert upstream_of("http://localhost:8700") == "http://localhost:8700"


def test_a_port_that_is_taken(upstream: Recorder) -> None:
    with pytest.raises(PortInUse, match="The proxy cannot listen on port"):
        Proxy(upstream.url, port=int(upstream.url.rpartition(":")[2]), journal=False)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(app_key=KEY, secret=SECRET, products=24).serve() as served:
        yield served


@pytest.fixture
def before_box(start: Any, box: Sandbox) -> Proxy:
    return start(box.url, secret=SECRET)  # type: ignore[no-any-return]


def client_at(proxy: Proxy, secret: str = SECRET) -> alinb.Client:
    platform = alinb.Platform.named("aliexpress").at(proxy.url)
    return alinb.Client(alinb.App(KEY, secret, platform), journal=False)


class TestInFrontOfASandbox:
    def test_a_walk_through_oauth(self, before_box: Proxy, box: Sandbox) -> None:
        with client_at(before_box) as client:
            token = client.exchange(box.code())
            assert client.refresh().access_token != token.access_token
            found = client.call(QUERY, keywords="câble 中文 & 100%+/=", page_size=2)
        assert found.ok or found.verdict == "empty"
        names = [exchange.attempt().api_name for exchange in before_box.exchanges]
        assert names == [QUERY, "/auth/token/refresh", "/auth/token/create"]

    @pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
    def test_lazop_sdk_cannot_tell(
        self, before_box: Proxy, box: Sandbox, tmp_path: Path, monkeypatch: Any
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        sdk = importlib.import_module("lazop_sdk")
        client = sdk.LazopClient(f"{before_box.url}/rest", KEY, SECRET)
        request = sdk.LazopRequest("/auth/token/create")
        request.add_api_param("code", box.code())
        made = client.execute(request)
        assert (made.code, made.body["expires_in"]) == ("0", 86_400)
        request = sdk.LazopRequest("/image/upload")
        request.add_api_param("note", "câble 中文 & 100%+/=")
        request.add_file_param("image", bytes(range(256)))
        assert client.execute(request).code == "InvalidApiPath"

    @pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
    def test_python_aliexpress_api_cannot_tell(self, before_box: Proxy, monkeypatch: Any) -> None:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        rest = importlib.import_module("aliexpress_api.skd.api.rest")
        package = importlib.import_module("aliexpress_api")
        name = "AliexpressAffiliateProductQueryRequest"
        port = int(before_box.url.rpartition(":")[2])
        monkeypatch.setattr(rest, name, partial(getattr(rest, name), "127.0.0.1", port))
        models = package.models
        api = package.AliexpressApi(KEY, SECRET, models.Language.EN, models.Currency.EUR, "mine")
        found = api.get_products(keywords="lamp", page_size=2)
        assert found.current_record_count == 2
        (exchange,) = before_box.exchanges
        assert exchange.attempt().params["sign_method"] == "md5"
        gc.collect()

    def test_the_answer_is_the_sandboxs_byte_for_byte(
        self, before_box: Proxy, box: Sandbox, signed: Any
    ) -> None:
        sent = signed(box, QUERY, {"page_size": "3"})
        sent["sign"] = "0" * 64
        there, here = (
            httpx.post(f"{base}/sync", data=sent, trust_env=False)
            for base in (box.url, before_box.url)
        )
        assert here.status_code == there.status_code
        one, two = there.json()["error_response"], here.json()["error_response"]
        own = {"request_id": "", "_trace_id_": ""}
        assert {**one, **own} == {**two, **own}
        assert here.headers["x-alinb-sandbox"] == there.headers["x-alinb-sandbox"]

    def test_attempts_are_kept_with_their_diagnosis_and_without_secrets(
        self, start: Any, box: Sandbox, tmp_path: Path
    ) -> None:
        journal = alinb.Journal(tmp_path / "kept.sqlite3")
        proxy = start(box.url, secret=SECRET, journal=journal)
        with client_at(proxy) as client:
            signed = client.sign("/auth/token/create", code="3_500102_canaryOfTheCode")
            client.send(alinb.mistaken(signed, "path_prefix_missing"))
            client.call(QUERY, keywords="lamp", session=TOKEN)
        proxy.close()
        wrong, right = journal.attempts()
        assert (wrong.source, wrong.verdict) == ("proxy", "refused")
        assert wrong.code == "IncompleteSignature"
        assert wrong.url.startswith(f"{box.url}/rest/auth/token/create")
        assert wrong.diagnosis is not None
        assert wrong.diagnosis["mistakes"] == ["path_prefix_missing"]
        assert right.api_name == QUERY
        kept = json.dumps([wrong.as_dict(), right.as_dict()])
        files = b"".join(path.read_bytes() for path in tmp_path.glob("kept.sqlite3*"))
        for canary in (SECRET, TOKEN, "canaryOfTheCode"):
            assert canary not in kept
            assert canary.encode() not in files

    def test_the_page_shows_it(self, before_box: Proxy, box: Sandbox) -> None:
        with client_at(before_box, "another") as client:
            client.call(QUERY, keywords="lamp")
        with httpx.Client(base_url=before_box.url, trust_env=False) as web:
            page = web.get("/inspector")
            detail = web.get("/inspector/requests/1").json()
            assert web.get("/inspector/faults").status_code == 404
        assert f"alinb proxy to {box.url}" in page.text
        assert page.headers[MARK] == f"in front of {box.url}"
        assert QUERY in page.text
        assert detail["code"] == "IncompleteSignature"
        assert detail["diagnosis"]["verdict"] == "unexplained"


def test_the_command_runs_until_it_is_told_to_stop(box: Sandbox) -> None:
    words = ["proxy", "--upstream", box.url, "--port", "0", "--json"]
    command = [sys.executable, "-m", "alinb", *words]
    environ = {**os.environ, "ALINB_APP_SECRET": SECRET}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as running:
        assert running.stdout is not None
        facts = json.loads(running.stdout.readline())
        try:
            page = httpx.get(facts["inspector_url"], trust_env=False)
            refused = httpx.get(f"{facts['url']}/rest/auth/token/create", trust_env=False)
        finally:
            running.send_signal(signal.SIGTERM)
    assert running.returncode == 0
    assert (facts["upstream"], facts["diagnoses"]) == (box.url, True)
    assert page.status_code == 200
    assert refused.json()["code"] == "MissingParameter"
    (kept,) = alinb.Journal(facts["journal"]).rows()
    assert (kept["source"], kept["code"]) == ("proxy", "MissingParameter")
