"""The sync client's own transport: TLS, connections used again, proxies, and where a call ends."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

import alinb
from alinb import bounded


class Says(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        got = self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append((self.client_address[1], self.path, len(got)))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "12")
        self.end_headers()
        self.wfile.write(b'{"code":"0"}')

    def do_CONNECT(self) -> None:
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        self.send_error(403)

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Says) as running:
        running.daemon_threads = True
        running.seen = []  # type: ignore[attr-defined]
        threading.Thread(target=running.serve_forever, args=(0.01,)).start()
        yield running
        running.shutdown()


def test_a_connection_is_used_again(server: Any) -> None:
    app = alinb.App(
        "1", "s" * 20, alinb.Platform.named().at(f"http://127.0.0.1:{server.server_port}")
    )
    with alinb.Client(app, journal=False) as client:
        for size in (1, 300_000):
            assert client.call("a.b", note="x" * size).ok
    (port, path, _), (again, _, size) = server.seen
    assert port == again
    assert path.startswith("/sync?method=a.b&")
    assert size > 300_000


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate by openssl")
def test_tls(server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key,
         "-out", certificate, "-subj", "/CN=alinb", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"https://127.0.0.1:{server.server_port}/a?b=%2F"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with httpx.Client(transport=bounded.Bounded(trust_env=True)) as client:
        assert client.post(url, content=b"x").json() == {"code": "0"}
    assert server.seen[0][1:] == ("/a?b=%2F", 1)
    monkeypatch.delenv("SSL_CERT_FILE")
    with (
        httpx.Client(transport=bounded.Bounded(trust_env=True)) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.post(url, content=b"x")


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_asked(
    server: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    with (
        alinb.Client(alinb.App("1", "s" * 20), journal=False) as client,
        pytest.raises(alinb.NoReply),
    ):
        client.call("a.b")
    assert server.seen == ["api-sg.aliexpress.com:443"]


def test_a_server_that_reads_slowly_ends_the_call_too() -> None:
    """Each piece goes out in time, and all of it would take a minute."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        over = threading.Event()

        def read() -> None:
            connection, _ = listener.accept()
            with connection:
                while not over.wait(0.02):
                    connection.recv(32 * 1024)

        thread = threading.Thread(target=read)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        began = time.monotonic()
        with (
            httpx.Client(transport=bounded.Bounded(trust_env=False), timeout=5) as client,
            pytest.raises(TimeoutError),
            bounded.ending_in(0.5),
        ):
            client.post(url, content=b"x" * 60_000_000)
        assert 0.5 <= time.monotonic() - began < 4
        over.set()
        thread.join()


def test_a_gateway_of_this_process_ends_in_time_too() -> None:
    box = alinb.Sandbox(products=1, latency_ms=60_000)
    with (
        alinb.Client(box, journal=False, timeout=0.05) as client,
        pytest.raises(alinb.NoReply, match="no whole answer in time"),
    ):
        client.call("aliexpress.affiliate.product.query", keywords="lamp")


def test_outside_of_a_call_nothing_ends() -> None:
    assert (bounded.left(), bounded.left(3)) == (None, 3)
    with bounded.ending_in(2):
        assert 1 < (bounded.left(3) or 0) <= 2
        assert bounded.left(1) == 1
    assert bounded.left() is None
