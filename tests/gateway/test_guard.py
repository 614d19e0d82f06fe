"""The guard: pages answer to this machine's own names only, and every answer is marked."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from alinb.gateway.guard import Guard


def answer(hosts: list[bytes], port: int | None = 8700, kind: str = "http") -> tuple[Any, Any]:
    """What a guarded app that says yes answers: status and headers."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
        await send({"type": "http.response.body", "body": b"yes"})

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": kind, "headers": [(b"host", host) for host in hosts], "server": ("127.0.0.1", port),
    }  # fmt: skip
    asyncio.run(Guard(app, ("X-Mark", "here"))(scope, receive, send))
    if kind != "http":
        return sent[0]["type"], sent[0].get("code")
    return sent[0]["status"], dict(sent[0]["headers"])


@pytest.mark.parametrize(
    ("host", "port"),
    [
        (b"127.0.0.1:8700", 8700), (b"localhost:8700", 8700), (b"[::1]:8700", 8700),
        (b"LocalHost:8700", 8700), (b"localhost", 8700), (b"127.0.0.1", 80), (b"localhost:80", 80),
        (b"127.0.0.1", None), (b"localhost:1234", None), (b"[::1]", None),
    ],
)  # fmt: skip
def test_this_machines_names_are_served_and_marked(host: bytes, port: int | None) -> None:
    assert answer([host], port) == (200, {b"x-own": b"1", b"x-mark": b"here"})


@pytest.mark.parametrize(
    "hosts",
    [
        [b"evil.example"], [b"evil.example:8700"], [b"127.0.0.1.evil.example:8700"],
        [b"localhost.evil.example"], [b"127.0.0.1:8701"], [b"localhost:80"], [b"127.0.0.2:8700"],
        [b"localhost.:8700"], [b"[::1"], [b"::1"], [b"127.0.0.1:8700@evil.example"], [b""], [],
        [b"localhost:8700", b"evil.example"], [b"localhost:8700", b"localhost:8700"],
        [b"\xff\xfe:8700"], [b"0.0.0.0:8700"], [b"127.1:8700"], [b"user@localhost:8700"],
    ],
)  # fmt: skip
def test_a_foreign_host_is_refused_with_one_line_and_marked(hosts: list[bytes]) -> None:
    status, headers = answer(hosts)
    assert status == 400
    assert headers[b"x-mark"] == b"here"
    assert b"x-own" not in headers


def test_a_websocket_is_turned_away() -> None:
    assert answer([b"127.0.0.1:8700"], kind="websocket") == ("websocket.close", 1008)


def test_the_refusal_repeats_a_host_harmlessly() -> None:
    async def app(*_: Any) -> None:
        raise AssertionError

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    receive: Callable[[], Any] = lambda: None  # noqa: E731
    scope = {"type": "http", "headers": [(b"host", b"<b>\r\n" + b"x" * 9999)], "server": None}
    asyncio.run(Guard(app, ("x", "y"))(scope, receive, send))
    text = sent[1]["body"].decode()
    assert text.count("\n") == 1
    assert len(text) < 250
    assert dict(sent[0]["headers"])[b"content-type"] == b"text/plain; charset=utf-8"
