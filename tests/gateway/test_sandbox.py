"""The sandbox as a thing: how it starts and stops, where it listens, what it shows of itself."""

import copy
import re
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

import alinb
from alinb.errors import InputError, MissingSecret, PortInUse, UnknownPlatform
from alinb.gateway import Sandbox

SECRET = "a-secret-that-nobody-shows"


@pytest.fixture
def web() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=5) as client:
        yield client


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def port_of(box: Sandbox) -> int:
    return httpx.URL(box.url).port or 0


class TestServing:
    def test_a_free_port_of_this_machine_is_taken(self, web: httpx.Client) -> None:
        with Sandbox(products=1).serve() as box:
            assert re.fullmatch(r"http://127\.0\.0\.1:\d{4,5}", box.url)
            assert web.post(f"{box.url}/sandbox/code").json()["app_key"] == box.app.key

    def test_nothing_listens_on_other_addresses(self) -> None:
        with Sandbox(products=1).serve() as box, socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.2", port_of(box))) != 0

    def test_the_app_points_at_the_port_while_it_is_served(self) -> None:
        box = Sandbox(products=1)
        assert box.app.platform.api == "http://127.0.0.1"
        with box.serve():
            platform = box.app.platform
            assert platform.api == platform.token_api == box.url
            assert platform.authorize_url == f"{box.url}/oauth/authorize"
            assert box.asgi is None
        assert box.app.platform.api == "http://127.0.0.1"
        assert box.asgi is not None

    def test_to_serve_twice_is_to_serve_once(self) -> None:
        with Sandbox(products=1).serve() as box:
            url = box.url
            assert box.serve() is box
            assert box.url == url

    def test_a_port_in_use_is_an_error_that_names_it(self) -> None:
        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            box = Sandbox(products=1)
            with pytest.raises(PortInUse, match=rf"cannot listen on port {port}\. Choose another"):
                box.serve(port)
            assert box.url == ""
            assert box.asgi is not None, "it can still be used in process"
            with box.serve():
                assert port_of(box) != port

    def test_two_sandboxes_do_not_share_a_port(self) -> None:
        with Sandbox(products=1).serve() as one, pytest.raises(PortInUse):
            Sandbox(products=1).serve(port_of(one))

    def test_closing_frees_the_port_at_once(self) -> None:
        box = Sandbox(products=1).serve()
        port = port_of(box)
        assert listens(port)
        box.close()
        assert not listens(port)
        with Sandbox(products=1).serve(port) as another:
            assert port_of(another) == port

    def test_it_serves_again_after_a_close_and_remembers_its_codes(self, web: Any) -> None:
        box = Sandbox(products=1)
        code = box.code()
        for _ in range(2):
            with box.serve():
                assert web.get(f"{box.url}/inspector").status_code == 200
        with box.serve(), alinb.Client(box, journal=False) as client:
            assert client.exchange(code).refreshable

    def test_closing_twice_or_without_serving_is_no_error(self) -> None:
        box = Sandbox(products=1)
        box.close()
        box.serve().close()
        box.close()
        assert box.url == ""

    def test_leaving_the_context_stops_it_even_by_an_exception(self) -> None:
        before = set(threading.enumerate())
        box = Sandbox(products=1)
        with pytest.raises(ZeroDivisionError), box.serve():
            listens(port := port_of(box)) / 0
        assert not listens(port)
        left = set(threading.enumerate()) - before
        assert "alinb-sandbox" not in {thread.name for thread in left}

    def test_a_client_that_holds_its_connection_does_not_hold_up_the_close(
        self, web: httpx.Client
    ) -> None:
        box = Sandbox(products=1).serve()
        web.get(f"{box.url}/inspector")
        began = time.monotonic()
        box.close()
        assert time.monotonic() - began < 2

    def test_many_at_once_keep_to_themselves(self) -> None:
        with ExitStack() as stack:
            boxes = [stack.enter_context(Sandbox(products=1).serve()) for _ in range(6)]
            clients = [stack.enter_context(alinb.Client(b, journal=False)) for b in boxes]
            assert len({box.url for box in boxes}) == 6
            codes = [box.code() for box in boxes]
            tokens = [c.exchange(code) for c, code in zip(clients, codes, strict=True)]
            assert len({token.access_token for token in tokens}) == 6
            with pytest.raises(alinb.CodeRefused):
                clients[0].exchange(boxes[1].code())

    def test_keep_alive_calls_take_less_than_15_ms(self, web: httpx.Client) -> None:
        """Without TCP_NODELAY each answer waits about 40 ms for an acknowledgment."""
        with Sandbox(products=1).serve() as box:
            web.get(f"{box.url}/sync")
            took = []
            for _ in range(40):
                start = time.perf_counter()
                assert web.get(f"{box.url}/sync").status_code == 200
                took.append((time.perf_counter() - start) * 1000)
        assert statistics.median(took) < 15


class TestOptions:
    @pytest.mark.parametrize("status", ["", "Test", "live", "production"])
    def test_a_status_is_test_or_online(self, status: str) -> None:
        with pytest.raises(InputError, match=rf"{status!r} is no app status\. Use test or online"):
            Sandbox(status=status)

    def test_an_unknown_platform_is_named(self) -> None:
        with pytest.raises(UnknownPlatform, match=r"no platform 'lazda'\. .*lazada"):
            Sandbox(platform="lazda")

    @pytest.mark.parametrize("secret", [" x", "x\n"])
    def test_a_secret_with_a_blank_around_it_is_refused(self, secret: str) -> None:
        with pytest.raises(InputError, match="blank or line end") as caught:
            Sandbox(secret=secret)
        assert secret not in str(caught.value)

    def test_key_and_secret_are_made_up_where_they_are_not_given(self) -> None:
        boxes = [Sandbox(products=0) for _ in range(20)]
        assert all(re.fullmatch(r"[5-8]\d{5}", box.app.key) for box in boxes)
        secrets = {box.app.secret.reveal() for box in boxes}
        assert len(secrets) == 20
        assert all(re.fullmatch(r"[0-9a-f]{32}", secret) for secret in secrets)

    def test_key_and_secret_given_are_kept(self) -> None:
        box = Sandbox(app_key="12345678", secret="helloworld", products=0)
        assert box.app == alinb.App("12345678", "helloworld", box.app.platform)

    def test_the_same_random_source_makes_the_same_sandbox(self) -> None:
        def zeros(count: int) -> bytes:
            return bytes(count)

        one, two = (Sandbox(random=zeros, products=0) for _ in range(2))
        assert one.app.key == two.app.key == "500000"
        assert one.code() == two.code() == "3_500000_" + "A" * 22

    def test_products_sets_the_size_of_the_catalogue(self) -> None:
        assert len(Sandbox(products=7).gateway.market.ids) == 7

    def test_the_short_form_takes_the_same_options(self) -> None:
        box = alinb.sandbox(app_key="7", secret="s", products=2)
        assert isinstance(box, Sandbox)
        assert box.app.key == "7"
        with pytest.raises(TypeError):
            alinb.sandbox(nonsense=1)

    def test_a_lazada_sandbox_has_path_calls_only(self) -> None:
        box = Sandbox(platform="lazada-th", products=0)
        with alinb.Client(box, journal=False) as client:
            assert client.exchange(box.code()).refreshable
            with pytest.raises(InputError, match="no dotted calls"):
                client.call("aliexpress.ds.product.get")

    def test_an_empty_secret_is_made_up_and_an_empty_key_too(self) -> None:
        box = Sandbox(app_key="", secret="", products=0)
        assert box.app.key
        assert box.app.secret
        with pytest.raises(MissingSecret):
            alinb.App("", "x")


class TestWhatItShows:
    def test_its_repr_names_the_app_and_the_place(self) -> None:
        box = Sandbox(app_key="12345678", secret=SECRET, products=0)
        assert repr(box) == "<Sandbox app 12345678 in process>"
        with box.serve():
            assert repr(box) == f"<Sandbox app 12345678 at {box.url}>"

    def test_no_repr_holds_the_secret_or_a_code(self) -> None:
        box = Sandbox(secret=SECRET, products=0)
        code = box.code()
        for thing in (box, box.app, box.gateway, box.gateway.state, box.app.secret):
            for shown in (repr(thing), str(thing), f"{thing}"):
                assert SECRET not in shown
                assert code not in shown

    def test_the_secret_is_there_for_those_who_ask(self) -> None:
        box = Sandbox(secret=SECRET, products=0)
        assert box.app.secret.reveal() == SECRET
        assert copy.copy(box.app.secret) == box.app.secret
