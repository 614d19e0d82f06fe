"""What nobody sends on purpose: signed requests with a byte changed, and random ones.

CI runs a few thousand; `ALINB_FUZZED=100000` as many as are promised, `ALINB_SEED` others.
"""

import asyncio
import contextlib
import http.client
import os
import random
import socket
import time
from collections import Counter
from collections.abc import Callable
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl

import pytest

from alinb.gateway import Sandbox
from tests.gateway.arbitrary import Request, Requests, changed, signature
from tests.gateway.direct import Answer, asked

FUZZED = int(os.environ.get("ALINB_FUZZED", "3000"))
SEED = int(os.environ.get("ALINB_SEED", "20261124"))
NOW = 1_800_000_000.0
KEY, SECRET = "500102", "helloworld"
PLATFORMS = ["aliexpress", "lazada-th", "top", "miravia", "alibaba"]

#: What each interface computes with, restated.
BY_ROUTE = {"path": {"sha256", "hmac-sha256"}, "dotted": {"sha256", "hmac-sha256", "md5", "hmac"}}


def pseudo_random() -> Callable[[int], bytes]:
    count = iter(range(10**9))
    return lambda size: blake2b(str(next(count)).encode(), digest_size=size).digest()


def sandbox(**options: Any) -> Sandbox:
    known: dict[str, Any] = {"app_key": KEY, "secret": SECRET, "products": 60}
    return Sandbox(clock=lambda: NOW, random=pseudo_random(), **{**known, **options})


def page_token(box: Sandbox) -> str:
    """The token of its own pages, as a person's browser has it."""
    page = asyncio.run(asked(box.asgi, "GET", b"/inspector"))
    return page.content.partition(b'name="alinb-page" content="')[2].partition(b'"')[0].decode()


def params_of(request: Request) -> dict[str, str]:
    """The parameters as the standard library reads them, for a request without parts."""
    query = request.target.partition(b"#")[0].partition(b"?")[2].decode("latin-1")
    body = request.body.decode("utf-8", "replace").strip("\r\n")
    how: dict[str, Any] = {"keep_blank_values": True, "errors": "replace"}
    return dict(parse_qsl(query, **how) + (parse_qsl(body, **how) if "=" in body else []))


def is_signed(request: Request, params: dict[str, str]) -> bool:
    """Whether the signature is right for what is asked, by hashlib and the documented rules."""
    route = request.target.partition(b"#")[0].partition(b"?")[0].decode("latin-1")
    method, by = params.get("method", ""), params["sign_method"]
    path = route.removeprefix("/rest").removeprefix("/2.0") if route.startswith("/rest/") else ""
    if route.startswith("/rest/") and not path.strip("/"):
        path = ""
    if not path and route != "/router/rest" and "/" in method:
        path = method
    if by not in BY_ROUTE["path" if path else "dotted"]:
        return False
    kept = {name: value for name, value in params.items() if value}
    return any(signature(SECRET, each, path, by) == params["sign"] for each in (params, kept))


def test_of_signed_requests_with_one_byte_changed_none_is_taken_that_is_wrong() -> None:
    """And none is refused that is still right, as where a changed name is spelled otherwise."""
    pick = random.Random(SEED)
    found: Counter[str] = Counter()

    async def run() -> None:
        box = sandbox()
        requests = Requests(box, SEED)
        signed = [requests.signed(noise=False) for _ in range(300)]
        signed += [requests.signed() for _ in range(100)]
        for number in range(FUZZED):
            if number % 5000 == 0:
                box = sandbox()
            base = pick.choice(signed)
            in_body = base.body and pick.random() < len(base.body) / len(base.body + base.target)
            if in_body:
                spoiled = base._replace(body=changed(pick, base.body))
            else:
                spoiled = base._replace(target=b"/" + changed(pick, base.target[1:]))
            found[await judged(box, spoiled)] += 1

    asyncio.run(run())
    assert not [what for what in found if what.startswith("WRONG")]
    assert found["refused"] > FUZZED * 0.8, found
    assert found["still right"] > FUZZED * 0.005, found


async def judged(box: Sandbox, request: Request) -> str:
    count = box.gateway.exchanges.number()
    answer = await asked(box.asgi, *request)
    latest = next(iter(box.gateway.exchanges), None)
    if latest is None or latest.number != count + 1:
        # No gateway call any more: a byte of the route itself was changed.
        return "elsewhere" if answer.status in (404, 405) else f"WRONG STATUS {answer.status}"
    params = dict(latest.request.params)
    has_parts = any("multipart" in value for _, value in request.headers)
    if not has_parts and params != params_of(request):
        return f"WRONG PARAMETERS {request}"
    absent = [n for n in ("app_key", "sign", "timestamp", "sign_method") if not params.get(n)]
    right = not absent and params["app_key"] == KEY and is_signed(request, params)
    taken = not (latest.code in ("IncompleteSignature", "InvalidAppKey") or absent)
    if taken != right:
        return f"WRONG {latest.code!r} {request}"
    return "still right" if taken else "refused"


def test_random_requests_give_no_server_error() -> None:
    found: Counter[int] = Counter()
    each = max(200, FUZZED // 50)

    async def run(number: int, page: str, box: Sandbox) -> None:
        requests = Requests(box, SEED + number, page_token=page)
        for _ in range(each):
            request = requests.one()
            answer = await asked(box.asgi, *request)
            assert answer.status < 500, (box, request)
            assert ("x-alinb-sandbox", "not the real gateway") in answer.headers
            found[answer.status] += 1

    done = 0
    while done < FUZZED:
        number = done // each
        limits = {"qps": 50.0, "quota": 40} if number % 7 == 3 else {}
        box = sandbox(
            platform=PLATFORMS[number % 5],
            category=["all", "dropshipping", "affiliate"][number % 3],
            callback="https://shop.example/cb?a=1#f" if number % 4 == 1 else "",
            **limits,
        )
        asyncio.run(run(number, page_token(box), box))
        done += each
    assert found[200] > FUZZED / 3, found
    assert {303, 400, 403, 404, 405} <= found.keys(), found


class Line:
    """A connection that is kept, but for the server's idle time; requests go out in one piece."""

    def __init__(self, host: str) -> None:
        self._host, self._used = host, float("-inf")
        self._socket = socket.socket()

    def answer(self, request: Request) -> Answer:
        if time.monotonic() - self._used > 2:
            self._socket.close()
            name, _, port = self._host.partition(":")
            self._socket = socket.create_connection((name, int(port)), timeout=60)
        headers = [("host", self._host), *request.headers]
        headers.append(("content-length", str(len(request.body))))
        lines = [f"{name}: {value}\r\n".encode("latin-1") for name, value in headers]
        head = b"%b %b HTTP/1.1\r\n" % (request.method.encode(), request.target)
        self._socket.sendall(head + b"".join(lines) + b"\r\n" + request.body)
        got = http.client.HTTPResponse(self._socket, method=request.method)
        got.begin()
        content = got.read()
        got.close()
        self._used = time.monotonic()
        return Answer(got.status, tuple((n.lower(), v) for n, v in got.getheaders()), content)

    def close(self) -> None:
        self._socket.close()


def fits_a_socket(request: Request) -> bool:
    """Whether an HTTP server takes these bytes at all, and reads them to the end."""
    return all(33 <= byte < 127 for byte in request.target) and len(request.body) < 2**16


@pytest.mark.parametrize("platform", ["aliexpress", "lazada-th"])
def test_in_process_and_over_a_socket_the_answers_are_identical(
    platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status, headers and bodies, ids included; Date is the server's own."""
    monkeypatch.setattr("secrets.token_urlsafe", lambda size: "the-page-token")
    monkeypatch.setattr("secrets.token_hex", lambda size: "01ab")
    inside, outside = sandbox(platform=platform), sandbox(platform=platform)
    outside.serve()
    host = outside.url.removeprefix("http://")
    port = int(host.partition(":")[2])
    count = max(2000, min(FUZZED, 20_000)) // 2
    rows = [
        Requests(box, SEED, page_token="the-page-token", odd=False) for box in (inside, outside)
    ]
    line = Line(host)
    statuses: Counter[int] = Counter()
    with outside, asyncio.Runner() as runner, contextlib.closing(line):
        for _ in range(count):
            request, again = (requests.one() for requests in rows)
            assert request == again
            if not fits_a_socket(request):
                continue
            here = runner.run(asked(inside.asgi, *request, port=port))
            there = line.answer(request)
            assert simple(here, request) == simple(there, request), request
            statuses[here.status] += 1
    assert sum(statuses.values()) > count * 0.9
    assert len(statuses) > 5, statuses


def simple(answer: Answer, request: Request) -> tuple[int, dict[str, str], bytes]:
    """What has to be the same; the inspector shows how long things took, and who asked."""
    timed = request.target.startswith(b"/inspector") and answer.status == 200
    aside = {"date", "content-length"} if timed else {"date"}
    content = b"" if request.method == "HEAD" or timed else answer.content
    return answer.status, {n: v for n, v in answer.headers if n not in aside}, content
