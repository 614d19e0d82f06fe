"""Both clients, in process and on a port: calls, tokens, refusals, and answers that never come."""

import asyncio
import inspect
import json
import logging
import os
import re
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

import alinb
from alinb import AsyncClient, Call, Client, Journal, MemoryStore, Secret, Token
from alinb.client import fetch_code, to_request
from alinb.session import needs_token

CREATE, REFRESH = "/auth/token/create", "/auth/token/refresh"
SEARCH, DETAIL = "aliexpress.ds.text.search", "aliexpress.ds.product.get"
QUERY = "aliexpress.affiliate.product.query"
WHERE = {"local": "en_US", "countryCode": "US", "currency": "USD"}
SECRET = "a-secret-that-nobody-shows"
APP = alinb.App("500102", SECRET, alinb.Platform.named("aliexpress").at("http://127.0.0.1:9"))
DAY = 86_400


class Awaited:
    """An `AsyncClient` whose coroutines are run at once, so that one test serves both clients."""

    def __init__(self, client: AsyncClient, runner: asyncio.Runner) -> None:
        self.client, self.runner = client, runner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        if not inspect.iscoroutinefunction(found):
            return found
        return lambda *args, **more: self.runner.run(found(*args, **more))

    def __repr__(self) -> str:
        return repr(self.client)


@pytest.fixture
def box(clock: Any) -> alinb.Sandbox:
    return alinb.Sandbox(app_key="500102", secret=SECRET, clock=clock, products=30)


@pytest.fixture
def new(kind: str, clock: Any) -> Iterator[Callable[..., Any]]:
    """Makes a client of the kind under test; the clock is the sandbox's."""
    opened: list[Any] = []
    runner = asyncio.Runner()

    def made(app: Any, **options: Any) -> Any:
        options.setdefault("clock", clock)
        made = Client(app, **options) if kind == "sync" else AsyncClient(app, **options)
        opened.append(made if kind == "sync" else Awaited(made, runner))
        return opened[-1]

    yield made
    for client in opened:
        client.close()
    runner.close()


@pytest.fixture
def client(new: Any, box: alinb.Sandbox, place: str) -> Iterator[Any]:
    if place == "served":
        box.serve()
    yield new(box)
    box.close()


@pytest.fixture
def place() -> str:
    return "in process"


both_kinds = pytest.mark.parametrize("kind", ["sync", "async"])
both_places = pytest.mark.parametrize("place", ["in process", "served"])


def journal() -> Journal:
    return Journal(os.environ["ALINB_JOURNAL"])


def verdicts() -> list[tuple[str, str, str]]:
    """What the journal holds, oldest first."""
    rows = reversed(journal().rows())
    return [(row["name"], row["verdict"], row["code"]) for row in rows]


def answer(body: Any = None, **how: Any) -> httpx.MockTransport:
    """A transport that keeps what it was asked, in `asked`, and answers the same to everything."""
    asked: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        request.read()
        asked.append(request)
        return httpx.Response(200, **(how or {"json": body or {"code": "0"}}))

    transport = httpx.MockTransport(reply)
    transport.asked = asked  # type: ignore[attr-defined]
    return transport


def sent(request: httpx.Request) -> dict[str, str]:
    """The parameters of a request, wherever they travel."""
    query = urlsplit(str(request.url)).query
    form = request.content.decode() if b"multipart" not in _kind(request) else ""
    pairs = parse_qs(f"{query}&{form}", keep_blank_values=True)
    return {name: values[-1] for name, values in pairs.items()}


def _kind(request: httpx.Request) -> bytes:
    return request.headers.get("content-type", "").encode()


@both_kinds
@both_places
class TestCalls:
    def test_exchange_refresh_and_call(self, client: Any, box: alinb.Sandbox, clock: Any) -> None:
        token = client.exchange(box.code())
        assert token.expires_at == clock() + DAY
        assert token.refresh_expires_at == clock() + 2 * DAY
        assert token.about["account_platform"] == "buyerApp"
        assert client.token == token
        clock.forward(3600)
        new = client.refresh()
        assert client.token == new
        assert new.access_token != token.access_token
        assert (new.expires_at, new.refresh_expires_at) == (
            clock() + DAY,
            token.refresh_expires_at,
        )
        found = client.call(SEARCH, keyWord="lamp", pageSize=2, **WHERE)
        assert (found.verdict, found.code, found.shape) == ("ok", "00", "D")
        assert found.payload["data"]["pageSize"] == 2
        assert verdicts() == [(CREATE, "ok", "0"), (REFRESH, "ok", "0"), (SEARCH, "ok", "00")]

    def test_get_and_post_bring_the_same(self, client: Any, box: alinb.Sandbox) -> None:
        client.exchange(box.code())
        asked = {"keyWord": "lumière", "pageSize": 3, **WHERE}
        gotten, posted = (client.call(SEARCH, verb=verb, **asked) for verb in ("GET", "POST"))
        assert gotten.ok
        assert gotten.payload["data"] == posted.payload["data"]
        one, other = (journal().get(number) for number in (2, 3))
        assert (one.method, other.method) == ("GET", "POST")
        assert "keyWord=lumi%C3%A8re" in one.url
        assert "keyWord" not in other.url
        assert "keyWord=lumi%C3%A8re" in other.body
        assert one.body == ""

    def test_values_arrive_as_they_were_given(self, client: Any) -> None:
        for value in ("câble USB 中文 & 100%+/=", "a\nb\t\"'\\", "😀", " zq "):
            assert client.call(QUERY, keywords=value).verdict == "empty", value
        nested = client.call(QUERY, keywords="lamp", fields={"a": [1, True, None, "é"]}, x=None)
        assert nested.ok
        kept = journal().get(5).params
        assert kept["fields"] == '{"a":[1,true,null,"é"]}'
        assert "x" not in kept

    def test_a_parameter_may_be_called_name(self, client: Any) -> None:
        assert client.call(QUERY, name="n").ok
        assert journal().get(1).params["name"] == "n"
        assert client.sign("/a", name="n").params["name"] == "n"

    def test_a_file_is_sent_and_not_signed(self, client: Any, box: alinb.Sandbox) -> None:
        client.exchange(box.code())
        picture = {"shpt_to": "US", "image_file_bytes": b"\x00\xff" * 50}
        reply = client.call(Call.of("aliexpress.ds.image.search", picture))
        assert reply.ok
        assert reply.payload["data"]["products"]["traffic_image_product_d_t_o"]
        kept = journal().get(reply.attempt_id)
        assert kept.wire.files == ("image_file_bytes",)
        assert kept.params["shpt_to"] == "US"

    def test_a_reply_knows_its_attempt(self, client: Any) -> None:
        numbers = [client.call(QUERY).attempt_id for _ in range(3)]
        assert numbers == [1, 2, 3]
        assert journal().get(2).reply.attempt_id == 2


@both_kinds
@both_places
class TestRefusals:
    @pytest.mark.parametrize(
        ("secret", "key", "used", "error", "code"),
        [
            (SECRET, "500102", True, alinb.CodeRefused, "InvalidCode"),
            ("another", "500102", False, alinb.SignatureRefused, "IncompleteSignature"),
            (SECRET, "1", False, alinb.AppKeyRefused, "InvalidAppKey"),
        ],
    )
    def test_a_refused_exchange_raises_its_class_and_is_kept(
        self,
        new: Any,
        client: Any,
        box: alinb.Sandbox,
        secret: str,
        key: str,
        used: bool,
        error: type[alinb.Refused],
        code: str,
    ) -> None:
        given = box.code()
        if used:
            assert box.gateway.state.exchange(given) is not None
        transport = None if box.url else _transport(client)
        other = new(alinb.App(key, secret, box.app.platform), transport=transport)
        with pytest.raises(error) as caught:
            other.exchange(given)
        assert type(caught.value) is error
        assert caught.value.code == code
        assert caught.value.next_step == f"alinb explain {code} says what that means."
        assert caught.value.evidence["attempt_id"] == 1
        assert caught.value.reply.code == code
        assert verdicts() == [(CREATE, "refused", code)]
        assert other.token is None

    def test_the_founding_case_is_diagnosed_and_kept(self, client: Any, box: alinb.Sandbox) -> None:
        code = box.code()
        signed = client.sign(CREATE, verb="GET", code=code, format="json")
        reply = client.send(alinb.mistaken(signed, "path_prefix_missing", "secret_wrapped"))
        assert reply.code == "IncompleteSignature"
        kept = journal().get(reply.attempt_id)
        assert kept.diagnosis is not None
        assert kept.diagnosis["mistakes"] == ["path_prefix_missing", "secret_wrapped"]
        assert journal().rows()[0]["mistakes"] == "path_prefix_missing secret_wrapped"
        assert client.exchange(code).refreshable, "the wrong one did not spend the code"


def _transport(client: Any) -> Any:
    return getattr(client, "client", client)._http._transport


@both_kinds
class TestRefusalClasses:
    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            ("isv.account-migration-check-fail", alinb.Refused),
            ("InsufficientPermission", alinb.PermissionRefused),
            ("isv.insufficient-permission", alinb.PermissionRefused),
            ("AppWhiteIpLimit", alinb.PermissionRefused),
            ("ServiceUnavailable", alinb.ServiceFailed),
            ("isp.top-remote-connection-timeout", alinb.ServiceFailed),
            ("ApiCallLimit", alinb.RateLimited),
            ("IllegalAccessToken", alinb.TokenRefused),
        ],
    )
    def test_each_fault_has_its_class(
        self, new: Any, clock: Any, fault: str, error: type[alinb.Refused]
    ) -> None:
        client = new(alinb.Sandbox(fault=fault, clock=clock, products=0))
        with pytest.raises(error) as caught:
            client.exchange("3_500102_abc")
        assert type(caught.value) is error
        assert caught.value.code == fault
        with pytest.raises(error):
            client.call(QUERY).frame()

    def test_a_ban_says_how_long_it_lasts(self, new: Any, clock: Any) -> None:
        client = new(alinb.Sandbox(qps=1, clock=clock, products=0))
        replies = [client.call(QUERY) for _ in range(3)]
        banned = next(reply for reply in replies if not reply.ok)
        assert banned.is_limit
        with pytest.raises(alinb.RateLimited) as caught:
            banned.raise_for_refusal()
        assert caught.value.ban_seconds == banned.ban_seconds == 2

    def test_a_call_with_an_expired_token(self, new: Any, box: Any, clock: Any) -> None:
        client = new(box)
        client.exchange(box.code())
        clock.forward(DAY)
        with pytest.raises(alinb.TokenRefused):
            client.call(SEARCH, **WHERE).raise_for_refusal()
        client.refresh()
        assert client.call(SEARCH, **WHERE).ok

    def test_what_cannot_be_refreshed_is_not_sent(self, new: Any, box: Any, clock: Any) -> None:
        client = new(box)
        with pytest.raises(alinb.InputError, match="no token here that can be refreshed"):
            client.refresh()
        client.exchange(box.code())
        clock.forward(2 * DAY)
        with pytest.raises(alinb.InputError, match="Open the consent page again"):
            client.refresh()
        with pytest.raises(alinb.InputError):
            client.refresh(Token(Secret("a"), Secret("r"), refreshable=False))
        assert len(journal()) == 1

    def test_a_code_may_be_text_a_secret_or_a_pasted_callback(self, new: Any, box: Any) -> None:
        client = new(box)
        link = alinb.authorize(client.app, "https://shop.example/cb")
        pasted = f"https://shop.example/cb?code={box.code()}&state={link.state}"
        for code in (box.code(), Secret(box.code(), "code"), link.callback(pasted)):
            assert client.exchange(code).access_token


@both_kinds
class TestTokens:
    """Which parameter carries the token that is held, by what reaches the wire."""

    TOKEN = Token(Secret("HELD-ACCESS", "access_token"), Secret("HELD-REFRESH", "refresh_token"))

    def asked(self, new: Any, call: str, **params: Any) -> dict[str, str]:
        transport = answer()
        new(APP, transport=transport, token=self.TOKEN).call(call, **params)
        (request,) = transport.asked  # type: ignore[attr-defined]
        assert "HELD-REFRESH" not in request.content.decode()
        return sent(request)

    @pytest.mark.parametrize("name", [DETAIL, SEARCH, "aliexpress.no.such"])
    def test_business_calls_carry_it_as_session(self, new: Any, name: str) -> None:
        asked = self.asked(new, name)
        assert asked["session"] == "HELD-ACCESS"
        assert "access_token" not in asked

    def test_path_calls_carry_it_as_access_token(self, new: Any) -> None:
        asked = self.asked(new, "/order/get")
        assert asked["access_token"] == "HELD-ACCESS"
        assert "session" not in asked

    @pytest.mark.parametrize(
        "name",
        [
            QUERY, "aliexpress.affiliate.link.generate", "aliexpress.ds.category.get", CREATE,
            REFRESH, "aliexpress.ds.feedname.get", "/auth/token/security/refresh",
        ],
    )  # fmt: skip
    def test_calls_that_take_none_get_none(self, new: Any, name: str) -> None:
        assert not needs_token(name)
        asked = self.asked(new, name)
        assert "HELD-ACCESS" not in asked.values()
        assert not {"session", "access_token"} & asked.keys()

    @pytest.mark.parametrize("given", ["session", "access_token"])
    @pytest.mark.parametrize("name", [DETAIL, QUERY, "/order/get"])
    def test_an_explicit_token_wins(self, new: Any, name: str, given: str) -> None:
        asked = self.asked(new, name, **{given: "MINE"})
        assert asked[given] == "MINE"
        assert "HELD-ACCESS" not in asked.values()
        assert len({"session", "access_token"} & asked.keys()) == 1

    def test_without_a_token_none_is_sent(self, new: Any) -> None:
        transport = answer()
        new(APP, transport=transport).call(DETAIL)
        (request,) = transport.asked  # type: ignore[attr-defined]
        assert not {"session", "access_token"} & sent(request).keys()

    def test_a_store_is_shared_and_keyed_by_app(self, new: Any, box: Any) -> None:
        store = MemoryStore()
        token = new(box, store=store).exchange(box.code())
        assert new(box, store=store).token == token
        stranger = alinb.App("2", SECRET, box.app.platform)
        assert new(stranger, store=store, transport=answer()).token is None


class TestTransport:
    @both_kinds
    def test_an_injected_transport_gets_every_request(self, new: Any, clock: Any) -> None:
        transport = answer({"code": "0", "x": "é"})
        reply = new(APP, transport=transport).call("/a/b", p="q r")
        (request,) = transport.asked  # type: ignore[attr-defined]
        assert (request.method, request.url.path) == ("POST", "/rest/a/b")
        assert request.headers["accept"] == "application/json"
        assert _kind(request) == b"application/x-www-form-urlencoded; charset=utf-8"
        assert request.content == b"p=q+r"
        assert sent(request)["timestamp"] == "1800000000000", "the clock that was injected"
        assert reply.data == {"code": "0", "x": "é"}
        assert journal().get(1).at == clock()

    @both_kinds
    def test_it_wins_over_a_sandbox_in_process(self, new: Any, box: Any) -> None:
        transport = answer()
        new(box, transport=transport).call(QUERY)
        assert len(transport.asked) == 1  # type: ignore[attr-defined]
        assert box.gateway.attempts() == []

    def test_the_injected_clock_dates_a_token(self, clock: Any) -> None:
        reply = {"access_token": "aaaa", "refresh_token": "rrrr", "expires_in": "60", "code": "0"}
        with Client(APP, transport=answer(reply), clock=clock) as client:
            assert client.exchange("3_1_x").expires_at == clock() + 60

    def test_requests_are_pure(self) -> None:
        signed = alinb.sign("/a/b", {"x": "é"}, app=APP, timestamp=1, verb="GET")
        request = to_request(signed)
        assert str(request.url) == signed.url
        assert request.content == b""
        assert to_request(signed).url == request.url

    def test_a_gateway_replaces_every_host(self, box: alinb.Sandbox) -> None:
        with box.serve():
            app = alinb.App(box.app.key, SECRET)
            with Client(app, gateway=box.url, clock=box.gateway.clock) as client:
                assert client.exchange(box.code()).refreshable
                assert repr(client) == f"<Client 500102 at {box.url}>"
            assert app.platform.api == "https://api-sg.aliexpress.com"

    def test_without_an_app_the_environment_is_asked(
        self, box: alinb.Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(alinb.MissingSecret, match=r"ALINB_APP_KEY is not set"):
            Client()
        with box.serve():
            for name, value in (
                ("APP_KEY", "500102"),
                ("APP_SECRET", SECRET),
                ("GATEWAY", box.url),
            ):
                monkeypatch.setenv(f"ALINB_{name}", value)
            with Client(clock=box.gateway.clock) as client:
                assert client.call(QUERY).ok

    def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
        self, box: alinb.Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
        with box.serve(), Client(box, clock=box.gateway.clock) as client:
            assert client.call(QUERY).ok
            assert fetch_code(box.url).startswith("3_500102_")

    def test_fetch_code_names_what_is_wrong(self) -> None:
        for place in ("http://127.0.0.1:9", "nonsense", "", "http://["):
            with pytest.raises(alinb.InputError, match="No alinb sandbox answers at"):
                fetch_code(place)


class Server:
    """A raw socket server: `talk` is called with each connection, which is closed afterward."""

    def __init__(self, talk: Callable[[socket.socket], None]) -> None:
        self.connections = 0
        self.talk = talk
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                self.talk(connection)

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], Server]]:
    opened: list[Server] = []

    def started(talk: Callable[[socket.socket], None]) -> Server:
        opened.append(Server(talk))
        return opened[-1]

    yield started
    for server in opened:
        server.close()


def read_request(connection: socket.socket) -> bytes:
    """One whole request, head and body; b"" where the other side has closed."""
    got = b""
    while b"\r\n\r\n" not in got:
        if not (more := connection.recv(65536)):
            return b""
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def respond(connection: socket.socket, content: bytes, kind: str = "application/json") -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
    connection.sendall(head.encode() + content)


def at(url: str) -> alinb.App:
    return alinb.App("500102", SECRET, alinb.Platform.named("aliexpress").at(url))


@both_kinds
class TestNoReply:
    def test_a_dropped_exchange_is_sent_once(self, new: Any, serve: Any) -> None:
        requests: list[bytes] = []
        server = serve(lambda connection: requests.append(read_request(connection)))
        with pytest.raises(alinb.NoReply) as caught:
            new(at(server.url)).exchange("3_500102_abcdef")
        assert server.connections == len(requests) == 1
        assert b"code=3_500102_abcdef" in requests[0]
        assert "the connection was closed in the middle" in str(caught.value)
        assert caught.value.next_step == (
            "The code may be spent: get a new one before trying again."
        )
        assert "3_500102_abcdef" not in str(caught.value)
        assert verdicts() == [(CREATE, "no_reply", "")]

    def test_it_is_sent_once_on_a_kept_connection_too(self, new: Any, serve: Any) -> None:
        requests: list[bytes] = []

        def talk(connection: socket.socket) -> None:
            requests.append(read_request(connection))
            respond(connection, b'{"code":"0"}')
            requests.append(read_request(connection))

        server = serve(talk)
        client = new(at(server.url))
        assert client.call("/a").ok
        with pytest.raises(alinb.NoReply):
            client.exchange("3_500102_abcdef")
        assert (server.connections, len(requests)) == (1, 2)
        assert sum(b"3_500102_abcdef" in request for request in requests) == 1

    def test_a_closed_port(self, new: Any) -> None:
        with socket.create_server(("127.0.0.1", 0)) as held:
            port = held.getsockname()[1]
        client = new(at(f"http://127.0.0.1:{port}"))
        with pytest.raises(alinb.NoReply) as caught:
            client.call(QUERY)
        assert str(caught.value).startswith(
            f"{QUERY} got no answer from 127.0.0.1: could not connect ("
        )
        assert caught.value.next_step == (
            "Check the gateway's address and the network, then send it again."
        )
        assert caught.value.evidence == {"attempt_id": 1, "connected": False}
        kept = journal().get(1)
        assert (kept.verdict, kept.status, kept.reply) == ("no_reply", None, None)
        assert kept.problem.startswith("could not connect")
        assert kept.string_to_sign.startswith("app_key500102method")

    def test_an_answer_that_takes_too_long(self, new: Any, serve: Any) -> None:
        done = threading.Event()
        server = serve(lambda connection: (read_request(connection), done.wait(10)))
        client = new(at(server.url), timeout=0.2)
        with pytest.raises(alinb.NoReply, match="no answer in time") as caught:
            client.call(QUERY)
        done.set()
        assert "a read may be sent again" in caught.value.next_step
        kept = journal().get(1)
        assert kept.elapsed_ms is not None
        assert 150 < kept.elapsed_ms < 5000
        assert server.connections == 1

    def test_an_answer_that_breaks_off(self, new: Any, serve: Any) -> None:
        def talk(connection: socket.socket) -> None:
            read_request(connection)
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"code":')

        client = new(at(serve(talk).url))
        with pytest.raises(alinb.NoReply, match="closed in the middle"):
            client.call(QUERY)
        assert verdicts() == [(QUERY, "unreadable", "")]
        kept = journal().get(1)
        assert (kept.status, kept.reply_text) == (200, '{"code":')
        assert kept.problem.startswith("the connection was closed in the middle")
        assert kept.reply is not None
        assert kept.reply.reason == kept.problem

    def test_a_journal_that_cannot_be_used_stops_a_call_before_it_is_sent(
        self, new: Any, box: Any, tmp_path: Path
    ) -> None:
        """A code works once: spent on an attempt that cannot be kept, its tokens would be lost."""
        other = tmp_path / "notes.txt"
        other.write_text("not a database, and long enough to look like something")
        client, code = new(box, journal=Journal(other)), box.code()
        with pytest.raises(alinb.JournalError, match="not a database"):
            client.exchange(code)
        assert box.gateway.attempts() == []
        assert new(box).exchange(code).refreshable


#: What a wrong address or a broken line answers, and what is said of it.
UNREADABLE = [
    (
        b"<!doctype html><html><head><title>404 Not Found</title></head></html>",
        "text/html",
        "is an HTML page titled “404 Not Found”",
    ),
    (
        b'{"aliexpress_ds_product_get_resp',
        "application/json",
        "is JSON cut off after 32 characters",
    ),
    (b'{"a": 1, b}', "application/json", "is broken JSON at character 9 of 11"),
    (b"", "application/json", "is empty"),
    (b"Bad gateway", "text/plain", "is plain text, not JSON"),
    (b"[1, 2]", "application/json", "is JSON, but a list and not an object"),
    (b'"\xff\xfe', "application/json", "is not UTF-8 text (byte 1)"),
]


@both_kinds
@pytest.mark.parametrize(("content", "mime", "reason"), UNREADABLE)
def test_an_unreadable_answer_is_a_reply_and_is_kept_whole(
    new: Any, serve: Any, content: bytes, mime: str, reason: str
) -> None:
    def talk(connection: socket.socket) -> None:
        read_request(connection)
        respond(connection, content, mime)

    reply = new(at(serve(talk).url)).call(QUERY)
    assert (reply.verdict, reply.status, reply.ok, reply.reason) == (
        "unreadable",
        200,
        False,
        reason,
    )
    whole = content.decode("utf-8", "replace")
    assert reply.text == whole
    with pytest.raises(alinb.UnreadableReply) as caught:
        reply.frame()
    assert str(caught.value).startswith(f"The reply to {QUERY} (HTTP 200) {reason}.")
    assert caught.value.evidence["attempt_id"] == 1
    kept = journal().get(1)
    assert (kept.reply_text, kept.verdict) == (whole, "unreadable")
    assert dict(kept.reply_headers)["content-type"] == mime
    assert caught.value.evidence["reply"] is reply


@both_kinds
@pytest.mark.parametrize("status", [403, 429, 502])
def test_a_status_that_is_no_success_is_a_refusal(new: Any, status: int) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json={"result": {}}))
    reply = new(APP, transport=transport).call(QUERY)
    assert (reply.verdict, reply.code) == ("refused", f"HTTP {status}")
    assert reply.is_limit is (status == 429)


class TestJournal:
    @both_kinds
    def test_false_keeps_nothing(self, new: Any, box: Any, tmp_path: Path) -> None:
        client = new(box, journal=False)
        assert client.exchange(box.code()).refreshable
        assert client.call(QUERY).attempt_id is None
        assert client.journal is None
        assert list(tmp_path.iterdir()) == []

    @both_kinds
    def test_a_journal_of_its_own(self, new: Any, box: Any, tmp_path: Path) -> None:
        own = Journal(tmp_path / "own" / "j.sqlite3")
        assert new(box, journal=own).call(QUERY).attempt_id == 1
        assert len(own) == 1
        assert not Path(os.environ["ALINB_JOURNAL"]).exists()

    @both_kinds
    def test_an_attempt_says_what_was_signed_at_each_stage(self, new: Any, box: Any) -> None:
        new(box).call("/order/get", b="2", a="1")
        kept = journal().get(1)
        signed = "/order/geta1app_key500102b2sign_methodsha256timestamp1800000000000"
        assert kept.string_to_sign == signed
        assert list(kept.stages) == list(alinb.stages.STAGES)
        assert kept.stages["wrap"] == signed
        assert kept.stages["encode"] == kept.sign
        assert (kept.source, kept.platform, kept.at) == ("client", "aliexpress", 1_800_000_000.0)
        assert kept.elapsed_ms is not None


class TestSecrecy:
    """The secret, the code and the tokens: in no repr, no error, no log, no byte of the journal."""

    @both_kinds
    def test_reprs(self, new: Any, box: Any) -> None:
        client = new(box)
        token = client.exchange(code := box.code())
        reply = client.call(SEARCH, **WHERE)
        signed = client.sign(CREATE, code=code)
        hidden = [SECRET, code, token.access_token.reveal(), token.refresh_token.reveal()]
        kept = journal().get(1)
        for thing in (client, client.app, token, reply, signed, signed.call, kept, client.store):
            for shown in (repr(thing), str(thing), f"{thing}"):
                assert not any(value in shown for value in hidden), type(thing)
        name = "Client" if "Async" not in repr(client) else "AsyncClient"
        assert repr(client) == f"<{name} 500102 at http://127.0.0.1>"

    @both_kinds
    def test_errors_with_their_tracebacks(self, new: Any, box: Any, clock: Any) -> None:
        client, used = new(box), box.code()
        token = client.exchange(used)
        clock.forward(3 * DAY)
        hidden = [SECRET, used, token.access_token.reveal(), token.refresh_token.reveal()]
        refused = (
            lambda: client.exchange(used),
            lambda: client.call(DETAIL, product_id="1").frame(),
            lambda: client.call(REFRESH, refresh_token=token.refresh_token).raise_for_refusal(),
        )
        for attempt in refused:
            with pytest.raises(alinb.Refused) as caught:
                attempt()
            drawn = "".join(traceback.format_exception(caught.value))
            shown = f"{drawn}{caught.value!r}{caught.value.evidence}"
            assert not any(value in shown for value in hidden)

    @both_kinds
    def test_a_gateway_that_repeats_them_does_not_bring_them_into_the_journal(
        self, new: Any
    ) -> None:
        said = {"code": "InvalidCode", "message": f"Invalid code 3_500102_abcdef of {SECRET}"}
        new(APP, transport=answer(said)).call(CREATE, code="3_500102_abcdef")
        kept = json.dumps([journal().get(1).as_dict(), journal().rows()], ensure_ascii=False)
        assert SECRET not in kept
        assert "3_500102_abcdef" not in kept
        assert "Invalid code ‹code " in kept

    @both_kinds
    @both_places
    def test_logs(self, client: Any, box: Any, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG):
            token = client.exchange(code := box.code())
            client.call(SEARCH, **WHERE)
            client.refresh()
            for verb in ("GET", "POST"):
                client.call(CREATE, verb=verb, code="3_500102_GIVENCODE")
        ours = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("alinb"))
        hidden = [SECRET, code, token.access_token.reveal(), token.refresh_token.reveal()]
        assert not any(value in ours for value in [*hidden, "GIVENCODE"])
        every = "\n".join(record.getMessage() for record in caplog.records)
        assert not any(value in every for value in hidden), "what is posted is in nobody's log"

    @both_kinds
    def test_a_session_given_by_hand_is_hidden_in_a_multipart_body_too(
        self, new: Any, box: Any
    ) -> None:
        held = "50000-given-by-hand-and-held-by-no-store"
        params = {"session": held, "shpt_to": "US", "image_file_bytes": b"\xff\xd8"}
        new(box).call(Call.of("aliexpress.ds.image.search", params))
        kept = journal().get(1)
        assert held not in kept.body
        assert re.fullmatch(r"‹access_token [0-9a-f]{4}›", kept.params["session"])
        assert kept.params["shpt_to"] == "US"


def test_a_client_that_nobody_closes_does_not_keep_the_program_running() -> None:
    """The in-process client runs an event loop of its own."""
    script = (
        "import alinb\n"
        "box = alinb.sandbox(products=1)\n"
        "client = alinb.Client(box, journal=False)\n"
        "print(client.exchange(box.code()).refreshable)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "True\n"


def test_one_client_serves_several_threads(box: alinb.Sandbox) -> None:
    with Client(box, clock=box.gateway.clock) as client:
        results: list[str] = []

        def call() -> None:
            results.extend(client.call(QUERY, page_size=1).verdict for _ in range(5))

        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == ["ok"] * 20
    assert len(journal()) == 20


def test_several_calls_at_once_on_one_async_client(box: alinb.Sandbox) -> None:
    async def run() -> list[str]:
        async with AsyncClient(box, clock=box.gateway.clock) as client:
            calls = [client.call(QUERY, keywords=word) for word in ("lamp", "zzzz", "mug")]
            return [reply.verdict for reply in await asyncio.gather(*calls)]

    assert asyncio.run(run()) == ["ok", "empty", "ok"]
    assert len(journal()) == 3


def test_a_closed_client_can_be_closed_again(box: alinb.Sandbox) -> None:
    client = Client(box, clock=box.gateway.clock)
    assert client.call(QUERY).ok
    client.close()
    client.close()


def test_a_reply_whose_bytes_are_no_text_stays_unreadable_in_the_journal(tmp_path):
    content = b'{"code": "0", "access_token": "caf\xe9"}'
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=content))
    journal = alinb.Journal(tmp_path / "j")
    app = alinb.App("1", "secret-of-app")
    with alinb.Client(app, transport=transport, journal=journal) as client:
        reply = client.call("/test/api")
    assert reply.verdict == "unreadable"
    kept = journal.get(reply.attempt_id)
    assert (kept.verdict, kept.reply.reason) == ("unreadable", reply.reason)
