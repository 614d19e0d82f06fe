"""The sandbox over HTTP: calls, the consent page, the inspector, and whatever else is thrown at it.

Most of it runs twice, in this process and on a port.
"""

import asyncio
import re
import threading
import time
from collections.abc import Callable, Iterator
from hashlib import blake2b
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from alinb.gateway import Sandbox, asgi
from alinb.gateway.exchanges import Exchange, Incoming
from tests.gateway.direct import asked

Sign = Callable[..., dict[str, str]]
Wire = Callable[..., httpx.Client]

CREATE, QUERY = "/auth/token/create", "aliexpress.affiliate.product.query"
SECRET = "a-secret-that-nobody-shows"
MARK = "x-alinb-sandbox"


class Inside(httpx.BaseTransport):
    """Talks to an ASGI app in this process; an exception in the app comes out here."""

    def __init__(self, app: Any) -> None:
        self._runner = asyncio.Runner()
        self._inner = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._runner.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answered = await self._inner.handle_async_request(request)
        content = await answered.aread()
        return httpx.Response(answered.status_code, headers=answered.headers, content=content)

    def close(self) -> None:
        self._runner.close()


def pseudo_random() -> Callable[[int], bytes]:
    count = iter(range(10**9))
    return lambda size: blake2b(str(next(count)).encode(), digest_size=size).digest()


@pytest.fixture
def connect() -> Iterator[Callable[[Sandbox, str], httpx.Client]]:
    opened: list[Any] = []

    def to(box: Sandbox, place: str) -> httpx.Client:
        if place == "in process":
            client = httpx.Client(transport=Inside(box.asgi), base_url="http://127.0.0.1")
        else:
            opened.append(box.serve())
            client = httpx.Client(base_url=box.url, trust_env=False)
        opened.append(client)
        return client

    yield to
    for thing in reversed(opened):
        thing.close()


@pytest.fixture
def make(clock: Any, connect: Any, place: str) -> Callable[..., tuple[Sandbox, httpx.Client]]:
    def made(**options: Any) -> tuple[Sandbox, httpx.Client]:
        known: dict[str, Any] = {"app_key": "500102", "secret": SECRET, "products": 6}
        box = Sandbox(clock=clock, **{**known, **options})
        return box, connect(box, place)

    return made


@pytest.fixture
def box_and_web(make: Any) -> tuple[Sandbox, httpx.Client]:
    made: tuple[Sandbox, httpx.Client] = make()
    return made


@pytest.fixture
def box(box_and_web: tuple[Sandbox, httpx.Client]) -> Sandbox:
    return box_and_web[0]


@pytest.fixture
def web(box_and_web: tuple[Sandbox, httpx.Client]) -> httpx.Client:
    return box_and_web[1]


@pytest.fixture
def place() -> str:
    return "in process"


both_places = pytest.mark.parametrize("place", ["in process", "served"])


def link(**changed: str) -> str:
    asked = {"response_type": "code", "client_id": "500102", **changed}
    return f"/oauth/authorize?{urlencode(asked)}"


def fields(page: str) -> dict[str, str]:
    """The hidden fields of the consent form, as a browser would send them."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {unescape(name): unescape(value) for name, value in found}


def decide(web: httpx.Client, decision: str, **asked: str) -> httpx.Response:
    page = web.get(link(**asked))
    assert page.status_code == 200, page.text
    return web.post("/oauth/authorize", data={**fields(page.text), "decision": decision})


def location(answered: httpx.Response) -> tuple[str, dict[str, list[str]]]:
    assert answered.status_code == 303, answered.text
    base, _, query = answered.headers["location"].partition("?")
    return base, parse_qs(query, keep_blank_values=True)


@both_places
class TestCalls:
    def test_get_and_post_reach_every_route(
        self, box: Sandbox, web: httpx.Client, signed: Sign
    ) -> None:
        sent = signed(box, QUERY, {"page_size": "1"})
        for answered in (
            web.get("/sync", params=sent),
            web.post("/sync", params=sent),
            web.post("/sync", data=sent),
            web.post("/sync", files={k: (None, v) for k, v in sent.items()}),
            web.post("/rest", data=sent),
            web.get("/router/rest", params=signed(box, QUERY, {"page_size": "1"}, by="md5")),
        ):
            assert answered.status_code == 200
            assert answered.headers["content-type"] == "application/json"
            result = answered.json()["aliexpress_affiliate_product_query_response"]["resp_result"]
            assert result["result"]["current_record_count"] == 1

    def test_a_code_becomes_a_token(self, box: Sandbox, web: httpx.Client, signed: Sign) -> None:
        code = web.post("/sandbox/code").json()
        assert code.keys() == {"code", "app_key"}
        assert code["app_key"] == "500102"
        assert code["code"].startswith("3_500102_")
        token = web.post(f"/rest{CREATE}", data=signed(box, CREATE, {"code": code["code"]})).json()
        assert (token["code"], token["expires_in"]) == ("0", 86_400)

    def test_a_refusal_is_http_200(self, web: httpx.Client) -> None:
        refused = web.get(f"/rest{CREATE}")
        assert refused.status_code == 200
        assert refused.json()["code"] == "MissingParameter"

    def test_values_arrive_as_they_were_sent(
        self, box: Sandbox, web: httpx.Client, signed: Sign
    ) -> None:
        sent = signed(box, QUERY, {"keywords": "câble USB 中文 😀 & 100%+/= \"'<>#"})
        for answered in (web.get("/sync", params=sent), web.post("/sync", data=sent)):
            inside = answered.json()["aliexpress_affiliate_product_query_response"]
            assert inside["resp_result"]["resp_code"] == 405

    def test_a_body_past_the_limit_is_refused(self, web: httpx.Client) -> None:
        large = web.post("/sync", content=b"x" * (asgi.LARGEST_BODY + 1))
        assert large.status_code == 413
        assert large.json()["code"] == "RequestTooLarge"
        assert web.post("/sync", content=b"x" * 1_000_000).status_code == 200


@both_places
def test_every_answer_says_that_it_is_a_sandboxs(web: httpx.Client) -> None:
    for verb, path, status in (
        ("GET", "/", 303), ("GET", "/inspector", 200), ("GET", "/callback?code=1", 200),
        ("GET", link(), 200), ("GET", "/oauth/authorize", 400), ("POST", "/oauth/authorize", 403),
        ("POST", "/sandbox/code", 200), ("GET", "/sandbox/code", 405), ("GET", "/sync", 200),
        ("GET", f"/rest{CREATE}", 200), ("PUT", "/sync", 405), ("GET", "/nothing/here", 404),
        ("HEAD", "/inspector", 200), ("OPTIONS", "/sync", 405), ("GET", "/rest/%00%ff", 200),
    ):  # fmt: skip
        answered = web.request(verb, path)
        assert answered.status_code == status, (verb, path)
        assert answered.headers.get_list(MARK) == ["not the real gateway"], (verb, path)
    foreign = web.get("/inspector", headers={"Host": "evil.example"})
    assert foreign.headers.get_list(MARK) == ["not the real gateway"]


class TestHosts:
    @pytest.mark.parametrize(
        "host",
        ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"],
    )
    @both_places
    def test_a_foreign_host_is_refused(self, web: httpx.Client, host: str) -> None:
        for verb, path in (("GET", "/inspector"), ("POST", "/sandbox/code"), ("GET", link())):
            answered = web.request(verb, path, headers={"Host": host})
            assert answered.status_code == 400
            assert "Host is" in answered.text
            assert "127.0.0.1" in answered.text

    @pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1"])
    def test_this_machine_is_served(self, web: httpx.Client, host: str) -> None:
        assert web.get("/inspector", headers={"Host": host}).status_code == 200


class TestConsent:
    def test_the_page_names_the_app_and_carries_the_question(self, web: httpx.Client) -> None:
        page = web.get(link(redirect_uri="https://shop.example/cb", state="s1", force_auth="true"))
        assert page.status_code == 200
        assert "App <code>500102</code> asks for access" in page.text
        assert "<code>https://shop.example/cb</code>" in page.text
        hidden = fields(page.text)
        assert hidden.pop("form_token")
        assert hidden == {
            "response_type": "code", "client_id": "500102", "state": "s1", "force_auth": "true",
            "redirect_uri": "https://shop.example/cb",
        }  # fmt: skip

    @both_places
    def test_allow_brings_a_code_that_works_and_the_state(
        self, box: Sandbox, web: httpx.Client, signed: Sign
    ) -> None:
        back, query = location(
            decide(web, "allow", redirect_uri="https://shop.example/cb", state="s1")
        )
        assert back == "https://shop.example/cb"
        assert query.keys() == {"code", "state"}
        assert query["state"] == ["s1"]
        sent = signed(box, CREATE, {"code": query["code"][0]})
        assert web.get(f"/rest{CREATE}", params=sent).json()["code"] == "0"

    def test_deny_brings_an_error_and_the_state(self, web: httpx.Client) -> None:
        back, query = location(decide(web, "deny", redirect_uri="http://127.0.0.1:9/cb", state="s"))
        assert back == "http://127.0.0.1:9/cb"
        assert query == {"error": ["access_denied"], "state": ["s"]}

    @pytest.mark.parametrize("decision", ["", "Allow", "yes"])
    def test_only_the_word_allow_allows(self, web: httpx.Client, decision: str) -> None:
        _, query = location(decide(web, decision))
        assert query == {"error": ["access_denied"]}

    @pytest.mark.parametrize(
        "state", ["", "a b&c=d#e%20+", "zürich 中文 😀", '"><script>', "\r\nX: y"]
    )
    def test_the_state_comes_back_unchanged(self, web: httpx.Client, state: str) -> None:
        answered = decide(web, "allow", state=state)
        assert location(answered)[1]["state"] == [state]
        assert "x" not in answered.headers

    def test_without_a_state_none_comes_back(self, web: httpx.Client) -> None:
        assert location(decide(web, "allow"))[1].keys() == {"code"}

    def test_a_redirect_keeps_its_query_and_its_fragment(self, web: httpx.Client) -> None:
        answered = decide(web, "allow", redirect_uri="https://shop.example/cb?shop=1#top")
        parts = urlsplit(answered.headers["location"])
        assert parse_qs(parts.query).keys() == {"shop", "code"}
        assert parts.fragment == "top"

    @both_places
    def test_without_a_redirect_it_lands_on_a_page_to_copy_from(self, web: httpx.Client) -> None:
        answered = decide(web, "allow", state="s1")
        back, query = location(answered)
        assert back == str(web.base_url.join("/callback"))
        landed = web.get(answered.headers["location"])
        shown = re.search(r'<pre tabindex="0">(.*?)</pre>', landed.text)
        assert shown is not None
        assert unescape(shown[1]) == answered.headers["location"]
        assert query["code"][0] in shown[1]
        denied = web.get(decide(web, "deny").headers["location"])
        assert "access_denied" in denied.text

    @both_places
    def test_the_form_token_is_needed(self, web: httpx.Client) -> None:
        form = fields(web.get(link()).text) | {"decision": "allow"}
        token = form.pop("form_token")
        for wrong in ({}, {"form_token": ""}, {"form_token": token[:-1]}, {"form_token": "ü"}):
            refused = web.post("/oauth/authorize", data=form | wrong)
            assert refused.status_code == 403
            assert "location" not in refused.headers
        assert web.post("/oauth/authorize", data=form | {"form_token": token}).status_code == 303

    def test_a_link_cannot_decide_by_itself(self, web: httpx.Client) -> None:
        page = web.get(link(decision="allow"))
        assert page.status_code == 200
        assert "decision" not in fields(page.text)

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"client_id": "1"}, "client_id is '1'; this sandbox's app is '500102'."),
            ({"client_id": ""}, "client_id is ''"),
            ({"response_type": "token"}, "response_type has to be “code”."),
        ],
    )
    def test_a_wrong_link_is_explained(
        self, web: httpx.Client, changed: dict[str, str], said: str
    ) -> None:
        page = web.get(link(**changed))
        assert page.status_code == 400
        assert said in unescape(page.text)
        form = fields(web.get(link()).text) | {"decision": "allow"} | changed
        assert web.post("/oauth/authorize", data=form).status_code == 400

    @pytest.mark.parametrize(
        "target",
        [
            "javascript:alert(1)", "JavaScript://x.example/%0aalert(1)", "data:text/html,x",
            "file:///etc/passwd", "//evil.example/cb", "shop.example/cb", "http:cb", "https://",
            "http://[", "http://[::1", "ftp://shop.example/cb",
        ],
    )  # fmt: skip
    def test_no_redirect_but_to_a_web_address(self, web: httpx.Client, target: str) -> None:
        page = web.get(link(redirect_uri=target))
        assert page.status_code == 400
        assert "Invalid redirect_uri" in page.text
        form = fields(web.get(link()).text) | {"decision": "allow", "redirect_uri": target}
        refused = web.post("/oauth/authorize", data=form)
        assert refused.status_code == 400
        assert "location" not in refused.headers

    @pytest.mark.parametrize(
        "target",
        [
            "https://shop.example/cb/", "https://shop.example/cb?x=1", "http://shop.example/cb",
            "https://shop.example:443/cb", "https://SHOP.example/cb", "https://evil.example/cb",
        ],
    )  # fmt: skip
    def test_a_registered_callback_is_the_only_one(self, make: Any, target: str) -> None:
        _, web = make(callback="https://shop.example/cb")
        page = web.get(link(redirect_uri=target))
        assert page.status_code == 400
        assert "registered is 'https://shop.example/cb'." in unescape(page.text)
        assert location(decide(web, "allow"))[0] == "https://shop.example/cb"
        same = decide(web, "allow", redirect_uri="https://shop.example/cb")
        assert location(same)[0] == "https://shop.example/cb"

    def test_what_stands_in_the_link_is_escaped(self, web: httpx.Client) -> None:
        nasty = "\"'><script>alert(1)</script>"
        pages = (
            link(state=nasty, **{nasty: nasty}), link(client_id=nasty), f"/callback?error={nasty}",
            link(redirect_uri=f"https://x.example/{nasty}"), f"/callback?code={nasty}",
        )  # fmt: skip
        for path in pages:
            assert "<script" not in web.get(path).text, path
        assert fields(web.get(pages[0]).text)[nasty] == nasty

    def test_pages_may_load_nothing_and_be_framed_by_nobody(self, web: httpx.Client) -> None:
        for path in (link(), "/inspector", "/callback?code=x", link(client_id="1")):
            page = web.get(path)
            policy = page.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert page.headers["referrer-policy"] == "no-referrer"
            assert page.headers["cache-control"] == "no-store"
            assert not re.search(r"(src|href)=.?(https?:|//)|@import|url\(", page.text)

    def test_the_miravia_path_serves_the_same_page(self, web: httpx.Client) -> None:
        page = web.get(f"/apps{link(state='s')}")
        assert fields(page.text)["state"] == "s"


def rows(page: httpx.Response) -> list[list[str]]:
    """The inspector's table, one list of cells a request."""
    assert page.status_code == 200
    body = page.text.partition("<tbody>")[2]
    return [
        [unescape(cell) for cell in re.findall(r"<td><code>(.*?)</code></td>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", body)
    ]


class TestRemembering:
    def test_it_can_be_drawn_while_requests_come(self, box: Sandbox) -> None:
        """The inspector reads on a thread of its own what the event loop goes on writing."""
        stop = threading.Event()

        def call() -> None:
            while not stop.is_set():
                came = Incoming("GET", "http://127.0.0.1/sync?method=x")
                held = box.gateway.exchanges
                held.add(Exchange(held.number(), came, 200, (), b"{}"))

        calling = threading.Thread(target=call)
        calling.start()
        try:
            end = time.monotonic() + 1
            while time.monotonic() < end:
                assert len(box.gateway.attempts()) <= 500
        finally:
            stop.set()
            calling.join()


@both_places
def test_latency_delays_calls_and_nothing_else(make: Any, signed: Sign) -> None:
    box, web = make(latency_ms=150)
    sent = signed(box, QUERY)

    def took(path: str, **params: str) -> float:
        start = time.perf_counter()
        assert web.get(path, params=params).status_code == 200
        return time.perf_counter() - start

    took("/inspector")
    assert 0.15 <= took("/sync", **sent) < 1.0
    assert took("/callback", code="x") < 0.1


def test_the_same_requests_get_the_same_answers_in_process_and_on_a_port(
    clock: Any, connect: Any, signed: Sign
) -> None:
    def answers(place: str) -> list[Any]:
        box = Sandbox(app_key="1", secret="s", clock=clock, random=pseudo_random(), products=9)
        web = connect(box, place)
        code = web.post("/sandbox/code").json()["code"]
        token = web.post(f"/rest{CREATE}", data=signed(box, CREATE, {"code": code})).json()
        search = {"local": "en_US", "countryCode": "US", "currency": "USD", "pageSize": "3"}
        held = {"session": token["access_token"]}
        business = "aliexpress.ds.text.search"
        return [
            code, token,
            web.get("/sync", params=signed(box, business, {**search, **held})).json(),
            web.get("/sync", params=signed(box, business, search)).json(),
            web.post("/sync", data=signed(box, QUERY, {"keywords": "é中"})).json(),
            web.post("/sync", data=signed(box, QUERY, by="md5") | {"sign": "x"}).json(),
            web.get(f"/rest{CREATE}", params=signed(box, CREATE, {"code": code})).json(),
            web.get("/rest/a%2Fb%20c/%C3%A9").json(), web.get("/sync?=&&a").json(),
            rows(web.get("/inspector")),
        ]  # fmt: skip

    inside, outside = answers("in process"), answers("served")
    assert inside == outside
    assert inside[2]["aliexpress_ds_text_search_response"]["data"]["totalCount"] == 9


@both_places
def test_a_body_that_is_too_large_is_read_to_its_end_and_refused(make: Any) -> None:
    """A client that still sends when the answer comes would hear of a broken line instead."""
    _, web = make()
    answered = web.post("/sync", content=b"a=" + b"b" * asgi.LARGEST_BODY)
    assert (answered.status_code, answered.json()["code"]) == (413, "RequestTooLarge")


@pytest.mark.parametrize("raw", [b"\t", b"\r", b"\n", b" ", b"\x00", b"\x7f"])
def test_a_raw_control_character_is_part_of_the_value(
    box: Sandbox, signed: Sign, raw: bytes
) -> None:
    """Reading a URL would drop it, and so take what was signed without it."""
    query = urlencode(signed(box, QUERY, {"keywords": "lamp"})).encode()
    for spoiled, code in (
        (query, ""),
        (query.replace(b"lamp", b"la%bmp" % raw), "IncompleteSignature"),
        (query.replace(b"app_key=", b"app_key=%b" % raw), "InvalidAppKey"),
    ):
        answer = asyncio.run(asked(box.asgi, "GET", b"/sync?" + spoiled))
        assert answer.status == 200
        assert next(iter(box.gateway.exchanges)).code == code


@pytest.mark.parametrize("path", ["/callback", "/oauth/authorize", "/inspector", "/nothing"])
def test_a_query_that_is_no_utf_8_breaks_no_page(box: Sandbox, path: str) -> None:
    answer = asyncio.run(asked(box.asgi, "GET", path.encode() + b"?code=\xf2\xff&client_id=\xc3"))
    assert answer.status < 500
