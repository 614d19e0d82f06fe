"""Faults as text, how often they strike, and what the caller's line sees of each."""

import asyncio
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from alinb.errors import InputError
from alinb.gateway import Sandbox
from alinb.gateway.faults import KINDS, NOTHING, Faults, read

QUERY, DETAIL = "aliexpress.affiliate.product.query", "aliexpress.ds.product.get"
SEARCH, CREATE = "aliexpress.ds.text.search", "/auth/token/create"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("reset", ["reset"]),
        ("latency", ["latency=200"]),
        ("latency=5", ["latency=5"]),
        (" drip=20 , reset@0.1,", ["drip=20", "reset@0.1"]),
        ("ApiCallLimit=14229x3", ["ApiCallLimit=14229x3"]),
        ("html_502x2", ["html_502x2"]),
        ("status_429=7@0.5x2", ["status_429=7@0.5x2"]),
        ("Reach Limit", ["Reach Limit"]),
        ("602", ["602"]),
        ("isv.account-migration-check-fail", ["isv.account-migration-check-fail"]),
        ("isv.something-new", ["isv.something-new"]),
        ("OrderCreated, autoPay fail:APIPayFail", ["OrderCreated, autoPay fail:APIPayFail"]),
        ("", []),
    ],
)
def test_text_is_read_and_shown_again(text: str, shown: list[str]) -> None:
    assert [str(fault) for fault in read(text)] == shown
    assert read(",".join(shown)) == read(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latncy", "Did you mean latency"),
        ("IncompleteSignatur", "Did you mean IncompleteSignature"),
        ("drip=-1", "no amount"),
        ("drip=fast", "no amount"),
        ("reset@2", "share of 2"),
        ("zzzz", "is no fault"),
    ],
)
def test_what_is_no_fault_is_one_clear_line(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def switched(text: str, bytes_given: bytes = b"\x00\x00\x00\x00") -> Faults:
    return Faults(read(text), lambda count: bytes_given[:count])


def test_nothing_strikes_where_nothing_is_on() -> None:
    assert switched("").draw() is NOTHING
    assert not NOTHING


def test_a_fault_strikes_so_many_times() -> None:
    faults = switched("resetx2, drip=5")
    assert [faults.draw().names for _ in range(3)] == [
        ("reset", "drip"),
        ("reset", "drip"),
        ("drip",),
    ]
    assert [str(fault) for fault in faults.active] == ["drip=5"]


def test_a_share_strikes_as_often_as_it_says() -> None:
    import random

    faults = Faults(read("reset@0.1"), random.Random(7).randbytes)
    struck = sum(bool(faults.draw()) for _ in range(10_000))
    assert 900 < struck < 1100


def test_a_request_may_ask_for_its_own() -> None:
    faults = switched("drip=5")
    assert faults.draw("html_502, ApiCallLimit=9").names == ("drip", "html_502", "ApiCallLimit")
    assert faults.draw().names == ("drip",)
    with pytest.raises(InputError):
        faults.draw("nonsense")


def test_faults_are_switched_on_and_off() -> None:
    faults = switched("reset")
    faults.switch_on("reset@0.5, drip")
    assert [str(fault) for fault in faults.active] == ["reset@0.5", "drip=50"]
    faults.switch_off("reset")
    assert [str(fault) for fault in faults.active] == ["drip=50"]
    faults.switch_off()
    assert faults.active == ()


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(app_key="500102", secret="helloworld", products=60).serve() as served:
        yield served


@pytest.fixture
def call(box: Sandbox, signed: Any) -> Any:
    """The answer over a real socket to a call that asks for a fault in its header."""

    def answer(fault: str, name: str = QUERY, params: Any = None, timeout: float = 5) -> Any:
        query = urlencode(signed(box, name, params))
        route = f"/rest{name}" if name.startswith("/") else "/sync"
        with httpx.Client(trust_env=False, timeout=timeout) as web:
            headers = {"x-alinb-fault": fault, "accept-encoding": "identity"}
            return web.get(f"{box.url}{route}?{query}", headers=headers)

    return answer


class TestOnTheLine:
    def test_a_reset_is_a_reset(self, box: Sandbox, signed: Any) -> None:
        query = urlencode(signed(box, QUERY))
        port = int(box.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
            line.sendall(
                f"GET /sync?{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                "x-alinb-fault: reset\r\n\r\n".encode()
            )
            with pytest.raises(ConnectionResetError):
                line.recv(1000)

    def test_a_reset_after_the_headers(self, call: Any) -> None:
        with pytest.raises(httpx.TransportError):
            call("reset_after_headers")

    def test_a_length_that_is_wrong(self, call: Any) -> None:
        with pytest.raises(httpx.RemoteProtocolError, match=r"incomplete|without sending complete"):
            call("wrong_length")

    def test_a_body_that_is_cut(self, call: Any) -> None:
        whole, cut = call(""), call("cut_body")
        assert cut.status_code == 200
        assert len(cut.content) == pytest.approx(len(whole.content) / 2, abs=20)
        with pytest.raises(ValueError, match=r".+"):
            cut.json()

    def test_a_character_that_is_cut(self, call: Any) -> None:
        with pytest.raises(UnicodeDecodeError):
            call("broken_text").content.decode()

    def test_no_body_at_all(self, call: Any) -> None:
        assert call("empty_body").content == b""

    @pytest.mark.parametrize(
        ("fault", "status", "kind", "text"),
        [
            ("html_200", 200, "text/html", "System maintenance"),
            ("html_502", 502, "text/html", "502 Bad Gateway"),
            ("status_500", 500, "text/plain", "Internal Server Error"),
            ("status_503", 503, "text/plain", "Service Unavailable"),
            ("status_429=7", 429, "application/json", "ban will last 7 seconds"),
        ],
    )
    def test_other_answers(self, call: Any, fault: str, status: int, kind: str, text: str) -> None:
        answer = call(fault)
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (
            status,
            kind,
        )
        assert text in answer.text
        assert "x-alinb-sandbox" in answer.headers
        if status in (429, 503):
            assert answer.headers["retry-after"] == ("7" if status == 429 else "1")

    def test_a_redirect_leads_elsewhere_on_this_machine(self, call: Any) -> None:
        answer = call("redirect")
        assert (answer.status_code, answer.headers["location"][:17]) == (302, "http://127.0.0.1:")

    def test_gzip_for_who_did_not_ask(self, box: Sandbox, call: Any) -> None:
        answer = call("gzip")
        assert answer.headers["content-encoding"] == "gzip"
        assert "resp_result" in answer.text

    def test_a_bomb_is_small_on_the_line(self, call: Any) -> None:
        answer = call("gzip_bomb=20")
        assert int(answer.headers["content-length"]) < 200_000
        assert len(answer.content) > 20 * 1024 * 1024

    def test_a_huge_body_is_what_it_says(self, call: Any) -> None:
        answer = call("huge_body=3")
        assert 3 * 1024 * 1024 < len(answer.content) < 4 * 1024 * 1024
        assert answer.json()

    @pytest.mark.parametrize(("fault", "least"), [("latency=120", 0.12), ("slow_start=120", 0.12)])
    def test_it_takes_its_time(self, call: Any, fault: str, least: float) -> None:
        import time

        began = time.perf_counter()
        assert call(fault).status_code == 200
        assert time.perf_counter() - began >= least

    def test_slow_start_sends_the_headers_first(self, box: Sandbox, signed: Any) -> None:
        import time

        query = urlencode(signed(box, QUERY))
        with httpx.Client(trust_env=False) as web:
            began = time.perf_counter()
            headers = {"x-alinb-fault": "slow_start=400"}
            with web.stream("GET", f"{box.url}/sync?{query}", headers=headers) as answer:
                first = time.perf_counter() - began
                answer.read()
                assert first < 0.3 < 0.4 <= time.perf_counter() - began

    def test_a_drip_comes_in_pieces(self, box: Sandbox, signed: Any) -> None:
        query = urlencode(signed(box, QUERY))
        with httpx.Client(trust_env=False) as web:
            headers = {"x-alinb-fault": "drip=1"}
            with web.stream("GET", f"{box.url}/sync?{query}", headers=headers) as answer:
                pieces = list(answer.iter_raw())
        assert len(pieces) > 10
        assert json.loads(b"".join(pieces))

    def test_a_fault_that_is_none_is_told(self, call: Any) -> None:
        answer = call("nonsense")
        assert (answer.status_code, answer.json()["code"]) == (400, "InvalidFault")

    def test_the_inspectors_list_tells_what_was_done(self, box: Sandbox, call: Any) -> None:
        with pytest.raises(httpx.TransportError):
            call("reset")
        call("html_502")
        latest = iter(box.gateway.exchanges)
        page, broken = next(latest), next(latest)
        assert (page.status, page.faults) == (502, ("html_502",))
        assert (broken.status, broken.faults) == (None, ("reset",))
        assert broken.attempt().verdict == "no_reply"


class TestOnTheGateway:
    def test_a_skewed_clock_refuses_what_is_on_time(self, call: Any) -> None:
        assert call("clock_skew=7300").json()["error_response"]["code"] == "IllegalTimestamp"
        assert "resp_result" in call("clock_skew=7000").text

    def test_tokens_end_in_the_middle_of_a_pull(self, clock: Any, ask: Any) -> None:
        box = Sandbox(clock=clock, products=3, fault="expire_token=3")
        held = ask(box, CREATE, {"code": box.code()})
        wanted = {
            "session": held["access_token"], "local": "en_US", "countryCode": "US",
            "currency": "USD",
        }  # fmt: skip
        answers = [ask(box, SEARCH, wanted) for _ in range(5)]
        codes = [answer.get("error_response", {}).get("code") for answer in answers]
        assert codes == [None, None, None, "IllegalAccessToken", "IllegalAccessToken"]
        again = ask(box, "/auth/token/refresh", {"refresh_token": held["refresh_token"]})
        wanted["session"] = again["access_token"]
        assert "error_response" not in ask(box, SEARCH, wanted)


class TestInProcess:
    """The same without a socket: what breaks a line breaks the call in the same way."""

    @pytest.mark.parametrize("fault", ["reset", "reset_after_headers", "wrong_length"])
    def test_a_broken_line_is_no_reply(self, fault: str) -> None:
        import alinb

        with alinb.sandbox(products=3, fault=fault) as inside:
            with alinb.Client(inside) as client, pytest.raises(alinb.NoReply):
                client.call(QUERY)
            inside.serve()
            with alinb.Client(inside) as client, pytest.raises(alinb.NoReply):
                client.call(QUERY)

    def test_the_async_client_sees_it_too(self) -> None:
        import alinb

        async def main() -> None:
            with alinb.sandbox(products=3, fault="reset") as inside:
                async with alinb.AsyncClient(inside) as client:
                    with pytest.raises(alinb.NoReply):
                        await client.call(QUERY)

        asyncio.run(main())

    @pytest.mark.parametrize(
        "fault", ["cut_body", "html_200", "html_502", "status_429=2", "gzip", "broken_text"]
    )
    def test_an_answer_is_the_same_in_process_and_on_a_port(self, fault: str) -> None:
        import alinb

        seen = []
        with alinb.sandbox(products=3, fault=fault, clock=lambda: 1.8e9) as inside:
            for _ in range(2):
                with alinb.Client(inside, clock=lambda: 1.8e9) as client:
                    reply = client.call(QUERY)
                seen.append((reply.verdict, reply.status, reply.code, reply.reason))
                inside.serve()
        assert seen[0] == seen[1]


def test_every_kind_is_explained_and_switched_on_by_its_name() -> None:
    for name, kind in KINDS.items():
        assert [fault.name for fault in read(name)] == [name]
        assert kind.does
        assert bool(kind.value) == bool(kind.default)
    assert len(KINDS) >= 20
