"""The one switch between transports, and that they name the same faults alike."""

import httpx
import pytest

from alinb import AsyncClient, Client, bounded, errors, transports


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("ALINB_TRANSPORT", raising=False)


@pytest.fixture(params=["fast", "httpx"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either transport of an async client."""
    if request.param == "fast":
        pytest.importorskip("httpx_aiohttp")
    monkeypatch.setenv("ALINB_TRANSPORT", request.param)


def test_the_fast_one_is_taken_where_it_is_installed() -> None:
    pytest.importorskip("httpx_aiohttp")
    assert type(transports.chosen()).__name__ == "Fast"


def test_the_switch_turns_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALINB_TRANSPORT", "httpx")
    assert type(transports.chosen()) is httpx.AsyncHTTPTransport


def test_a_proxy_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert transports.chosen(may_use_proxy=True) is None
    assert transports.chosen(may_use_proxy=False) is not None


def test_without_the_extra_httpx_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "find_spec", lambda name: None)
    assert type(transports.chosen()) is httpx.AsyncHTTPTransport
    monkeypatch.setenv("ALINB_TRANSPORT", "fast")
    with pytest.raises(errors.MissingExtra, match=r"alinb\[fast\]"):
        transports.chosen()


def test_what_is_no_proxy_for_a_call_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("FTP_PROXY", "http://127.0.0.1:9")
    assert transports.chosen(may_use_proxy=True) is not None
    assert bounded.chosen(may_use_proxy=True) is not None


@pytest.mark.usefixtures("either")
def test_answers_are_asked_for_as_they_can_be_unpacked() -> None:
    """Whatever else the libraries could take is not named, or an answer would be lost."""
    import asyncio
    import http.server
    import threading

    from alinb import App, Platform

    asked: list[str] = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.headers.get("Accept-Encoding", ""))
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "12")
            self.end_headers()
            self.wfile.write(b'{"code":"0"}')

        def log_message(self, *words: object) -> None: ...

    async def ask(app: App) -> None:
        async with AsyncClient(app, journal=False) as client:
            signed = client.signed("aliexpress.affiliate.product.query", {})
            assert (await client.send(signed)).ok
            assert (await client.fetch(signed)).read(signed).ok

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        app = App(
            "1", "s", Platform.named("aliexpress").at(f"http://127.0.0.1:{server.server_port}")
        )
        asyncio.run(ask(app))
        with Client(app, journal=False) as client:
            assert client.call("aliexpress.affiliate.product.query").ok
        server.shutdown()
        thread.join()
    assert asked == ["gzip, deflate"] * 3


async def asked(client: AsyncClient) -> str:
    reply = await client.call("/auth/token/refresh", refresh_token="r")
    await client.close()
    return reply.decisive_code


def test_a_sync_transport_serves_an_async_client() -> None:
    import asyncio

    from alinb import App

    answer = {"code": "IllegalRefreshToken", "message": "no", "type": "ISV"}

    class Sync(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            assert request.content
            return httpx.Response(200, json=answer)

    client = AsyncClient(App("1", "s"), transport=transports.as_async(Sync()), journal=False)
    assert asyncio.run(asked(client)) == "IllegalRefreshToken"


@pytest.mark.usefixtures("either")
def test_what_a_pull_sends_fails_alike_on_either() -> None:
    import asyncio
    import socket
    import threading

    from alinb import App, NoReply, Platform

    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    answers = [b"", b"\x16\x03 what?\r\n\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"]

    def talk() -> None:
        for answer in answers:
            connection, _ = listening.accept()
            connection.recv(65536)
            connection.sendall(answer)
            connection.close()
        listening.close()

    async def asked() -> list[tuple[str, bool]]:
        app = App("1", "s", Platform.named("aliexpress").at(f"http://127.0.0.1:{port}"))
        found = []
        async with AsyncClient(app, journal=False, timeout=5) as client:
            for number in range(len(answers) + 1):
                if number == len(answers):
                    thread.join()
                with pytest.raises(NoReply) as caught:
                    await client.fetch(client.signed("aliexpress.affiliate.product.query", {}))
                said = str(caught.value).partition(": ")[2].partition(" (")[0]
                found.append((said, caught.value.evidence["connected"]))
        return found

    thread = threading.Thread(target=talk)
    thread.start()
    closed = ("the connection was closed in the middle", True)
    assert asyncio.run(asked()) == [closed, closed, closed, ("could not connect", False)]
