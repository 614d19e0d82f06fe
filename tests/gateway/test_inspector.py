"""The inspector over HTTP: rows as they come, one request's detail, exports, switches."""

import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from html import unescape
from html.parser import HTMLParser
from http.client import HTTPConnection, IncompleteRead
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

import alinb
from alinb import intake
from alinb.gateway import inspector
from alinb.gateway.exchanges import Exchange, Exchanges, Incoming
from alinb.gateway.faults import Faults
from alinb.gateway.guard import Guard
from alinb.gateway.orders import HEADERS, TOKEN_HEADER
from alinb.gateway.serving import Serving
from alinb.redact import Secret

SECRET, CODE, TOKEN = "canary-app-secret-0001", "3_500102_canaryCode0002", "50000canaryToken0003"
REFRESH = "50001canaryRefresh0004"
CANARIES = (SECRET, CODE, TOKEN, REFRESH)
PAGE_TOKEN = "page-token-of-the-test"
APP = alinb.App("500102", SECRET, alinb.Platform.named("aliexpress").at("http://127.0.0.1:8700"))
CREATE, QUERY = "/auth/token/create", "aliexpress.affiliate.product.query"

JSON, MULTIPART = ("content-type", "application/json"), ("content-type", "multipart/form-data")
REFUSED = {"type": "ISV", "code": "IncompleteSignature", "message": "…", "request_id": "2101"}
GRANTED = {"code": "0", "access_token": TOKEN, "refresh_token": REFRESH, "account": "a@b.example"}


class Desk:
    """An inspector on a port, its list, its faults, and a client of its page."""

    def __init__(self, secret: str = SECRET, **options: Any) -> None:
        self.exchanges = Exchanges(**options)
        self.faults = Faults((), secrets.token_bytes)
        routes = inspector.routes(
            self.exchanges, secret=Secret(secret) if secret else None, faults=self.faults,
            page_token=PAGE_TOKEN,
        )  # fmt: skip
        self.serving = Serving(Guard(Starlette(routes=routes), ("x-alinb-sandbox", "test")))
        self.web = httpx.Client(base_url=self.serving.url, trust_env=False, timeout=20)

    def add(
        self,
        signed: alinb.Signed,
        reply: Any = REFUSED,
        *,
        faults: tuple[str, ...] = (),
        **more: Any,
    ) -> int:
        request = Incoming(
            signed.method, signed.url,
            (("content-type", "application/x-www-form-urlencoded"), ("cookie", "sid=" + TOKEN)),
            signed.body.encode(), 1_800_000_000.25,
        )  # fmt: skip
        return self.put(request, reply, faults=faults, **more)

    def put(self, request: Incoming, reply: Any = REFUSED, **more: Any) -> int:
        content = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        made: dict[str, Any] = {"status": 200, "elapsed_ms": 1.5, **more}
        number = self.exchanges.number()
        self.exchanges.add(
            Exchange(number, request, headers=(("content-type", "application/json"),),
                     content=content, **made)
        )  # fmt: skip
        return number

    def detail(self, number: int) -> Any:
        answered = self.web.get(f"/inspector/requests/{number}")
        assert answered.status_code == 200, answered.text
        return answered.json()

    def order(self, path: str, order: Any = None, **headers: str) -> httpx.Response:
        sent = {TOKEN_HEADER: PAGE_TOKEN, "content-type": "application/json", **headers}
        content = json.dumps({} if order is None else order)
        return self.web.post(path, content=content, headers={k: v for k, v in sent.items() if v})

    def close(self) -> None:
        self.web.close()
        self.exchanges.close()
        self.serving.close()


@pytest.fixture
def open_desk() -> Iterator[Callable[..., Desk]]:
    opened: list[Desk] = []

    def one(*given: Any, **options: Any) -> Desk:
        opened.append(Desk(*given, **options))
        return opened[-1]

    yield one
    for desk in opened:
        desk.close()


@pytest.fixture
def desk(open_desk: Any) -> Desk:
    return open_desk()  # type: ignore[no-any-return]


def call(name: str = QUERY, *mistakes: str, **params: str) -> alinb.Signed:
    signed = alinb.sign(name, params, app=APP)
    return alinb.mistaken(signed, *mistakes) if mistakes else signed


class Events:
    """The page's event stream, read in a thread."""

    def __init__(self, desk: Desk, path: str = "/inspector/events", **headers: str) -> None:
        self.lines: list[str] = []
        self.ended = threading.Event()
        self._connection = HTTPConnection(desk.serving.url.removeprefix("http://"), timeout=20)
        self._thread = threading.Thread(target=self._read, args=(path, headers), daemon=True)
        self._thread.start()
        self.wait(lambda: bool(self.data))

    def _read(self, path: str, headers: dict[str, str]) -> None:
        self._connection.request("GET", path, headers=headers)
        answered = self._connection.getresponse()
        with answered, suppress(IncompleteRead):
            while line := answered.readline():
                self.lines.append(line.decode().rstrip("\n"))
        self.ended.set()

    @property
    def data(self) -> list[Any]:
        return [json.loads(line[6:]) for line in self.lines if line.startswith("data: ")]

    @property
    def ids(self) -> list[str]:
        return [line[4:] for line in self.lines if line.startswith("id: ")]

    @property
    def numbers(self) -> list[int]:
        return [row["number"] for event in self.data for row in event["rows"]]

    def wait(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not ready():
            assert time.monotonic() < deadline, self.lines
            time.sleep(0.01)

    def close(self) -> None:
        if not self.ended.is_set() and self._connection.sock is not None:
            # The reader sees the end of the stream, and leaves.
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._connection.close()


@pytest.fixture
def listen() -> Iterator[Callable[..., Events]]:
    opened: list[Events] = []

    def one(desk: Desk, *given: Any, **headers: str) -> Events:
        opened.append(Events(desk, *given, **headers))
        return opened[-1]

    yield one
    for events in opened:
        events.close()


class Cells(HTMLParser):
    """The cells of the server-drawn table."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        if tag == "tr" and dict(attrs).get("data-number"):
            self.rows.append([])
        elif tag == "td":
            self.rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "td"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.rows[-1][-1] += data


class TestPage:
    def test_it_lists_requests_newest_first_without_a_script(self, desk: Desk) -> None:
        desk.add(call(CREATE, code=CODE), GRANTED)
        desk.add(call(QUERY), REFUSED, faults=("drip", "latency"), elapsed_ms=None)
        page = desk.web.get("/inspector")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert Cells(page.text).rows == [
            ["08:00:00.250", "POST", QUERY, "refused", "IncompleteSignature", "", "drip, latency"],
            ["08:00:00.250", "POST", CREATE, "ok", "0", "2", ""],
        ]
        assert "2 requests" in page.text

    @pytest.mark.parametrize(
        "path",
        [
            "", "/export.har", "/requests/1", "/requests/99", "/static/inspector.js",
            "/static/nothing",
        ],
    )  # fmt: skip
    def test_every_answer_has_the_headers_of_a_closed_page(self, desk: Desk, path: str) -> None:
        desk.add(call())
        headers = desk.web.get(f"/inspector{path}").headers
        assert {name: headers.get(name) for name in HEADERS} == HEADERS
        assert headers["x-alinb-sandbox"] == "test"
        assert "'unsafe" not in headers["content-security-policy"]
        assert "access-control-allow-origin" not in headers

    def test_it_fetches_nothing_but_its_own_two_files(self, desk: Desk) -> None:
        text = desk.web.get("/inspector").text
        for name, kind in (("inspector.css", "text/css"), ("inspector.js", "text/javascript")):
            assert f"/inspector/static/{name}" in text
            answered = desk.web.get(f"/inspector/static/{name}")
            assert answered.headers["content-type"].startswith(kind)
            whole = answered.text
            assert "http://" not in whole
            assert "https://" not in whole
            assert "innerHTML" not in whole
        assert "http" not in text
        assert "<style" not in text
        assert "style=" not in text

    def test_what_a_caller_sends_stays_text(self, desk: Desk) -> None:
        evil = '"><img src=x onerror=alert(1)>{{token}}</td><script>'
        desk.put(Incoming("GET", f"http://127.0.0.1/sync?method={evil}", at=1.0))
        page = desk.web.get("/inspector")
        assert Cells(page.text).tags.count("img") == 0
        assert Cells(page.text).tags.count("script") == 1
        assert Cells(page.text).rows[0][2].startswith('"><img src=x onerror=alert(1)>{{token}}')
        assert page.text.count(PAGE_TOKEN) == 1

    def test_five_hundred_rows_come_within_100_ms(self, desk: Desk) -> None:
        for i in range(500):
            desk.add(call(QUERY, keywords=f"lamp {i}"))
        took = []
        for _ in range(5):
            began = time.perf_counter()
            page = desk.web.get("/inspector")
            took.append(time.perf_counter() - began)
        assert len(Cells(page.text).rows) == 500
        assert min(took) < 0.1
        assert took[0] < 2


class TestEvents:
    def test_requests_come_as_they_arrive(self, desk: Desk, listen: Any) -> None:
        desk.add(call())
        events = listen(desk)
        assert events.numbers == [1]
        desk.add(call(CREATE, code=CODE), GRANTED, faults=("drip",))
        events.wait(lambda: events.numbers == [1, 2])
        assert events.data[-1]["rows"] == [
            {"number": 2, "at": 1_800_000_000.25, "verb": "POST", "call": CREATE, "verdict": "ok",
             "code": "0", "ms": 1.5, "faults": ["drip"]}
        ]  # fmt: skip

    def test_a_burst_comes_together(self, desk: Desk, listen: Any) -> None:
        events = listen(desk)
        for _ in range(200):
            desk.add(call())
        events.wait(lambda: len(events.numbers) == 200)
        assert sorted(events.numbers) == list(range(1, 201))
        assert len(events.data) < 50

    def test_it_goes_on_after_the_last_event_that_was_seen(self, desk: Desk, listen: Any) -> None:
        desk.add(call())
        desk.add(call())
        first = listen(desk)
        first.close()
        desk.add(call())
        assert listen(desk, **{"Last-Event-ID": first.ids[-1]}).numbers == [3]
        assert listen(desk, f"/inspector/events?after={first.ids[-1]}").numbers == [3]
        assert listen(desk, **{"Last-Event-ID": "rubbish"}).data == [{"reload": True}]

    def test_a_page_of_an_earlier_run_is_told_to_reload(self, desk: Desk, listen: Any) -> None:
        assert listen(desk, **{"Last-Event-ID": "0badc0de-57"}).data == [{"reload": True}]

    def test_what_is_no_longer_held_is_told(self, open_desk: Any, listen: Any) -> None:
        desk = open_desk(limit=3)
        events = listen(desk)
        for _ in range(5):
            desk.add(call())
        events.wait(lambda: events.data[-1]["oldest"] == 3)
        assert desk.order("/inspector/clear").json() == {"cleared": True}
        events.wait(lambda: events.data[-1]["oldest"] is None)
        assert Cells(desk.web.get("/inspector").text).rows == []

    def test_a_heartbeat_comes_where_nothing_else_does(
        self, desk: Desk, listen: Any, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(inspector, "HEARTBEAT_S", 0.05)
        events = listen(desk)
        events.wait(lambda: events.lines.count(": still here") >= 2)

    def test_it_ends_when_the_program_does(self, desk: Desk, listen: Any) -> None:
        events = listen(desk)
        desk.exchanges.close()
        assert events.ended.wait(5)

    def test_a_listener_that_left_is_forgotten(self, desk: Desk, listen: Any) -> None:
        events = listen(desk)
        assert len(desk.exchanges._listeners) == 1
        events.close()
        desk.add(call())
        deadline = time.monotonic() + 10
        while desk.exchanges._listeners:
            assert time.monotonic() < deadline
            time.sleep(0.02)


class TestDetail:
    def test_the_mistake_is_proved_and_marked_in_both_strings(self, desk: Desk) -> None:
        found = desk.detail(desk.add(call(CREATE, "path_prefix_missing", code=CODE)))
        assert found["diagnosis"]["mistakes"] == ["path_prefix_missing"]
        assert found["diagnosis"]["summary"] == "Proved: the API path is missing in front."
        gateway, author = found["strings"]["gateway"], found["strings"]["author"]
        assert gateway[0] == {"kind": "path", "text": CREATE, "parameter": "", "mark": "+"}
        assert {piece["mark"] for piece in gateway[1:]} == {""}
        assert ("name", "app_key") in [(piece["kind"], piece["parameter"]) for piece in gateway]
        right = "".join(piece["text"] for piece in gateway)
        theirs = "".join(piece["text"] for piece in author)
        assert right == CREATE + theirs
        assert found["explanation"]["code"] == "IncompleteSignature"

    def test_what_only_the_caller_signed_is_marked_there(self, desk: Desk) -> None:
        found = desk.detail(desk.add(call(QUERY, "secret_wrapped", keywords="lamp")))
        marked = [p["text"] for p in found["strings"]["author"] if p["mark"] == "-"]
        assert marked == ["‹app_secret›", "‹app_secret›"]
        assert {piece["mark"] for piece in found["strings"]["gateway"]} == {""}

    def test_a_difference_after_the_string_is_shown_by_stage(self, desk: Desk) -> None:
        found = desk.detail(desk.add(call(QUERY, "lowercase_hex")))
        assert found["strings"]["differ"] is False
        assert [stage["stage"] for stage in found["strings"]["stages"]] == ["encode"]

    def test_a_right_request_has_one_string_twice(self, desk: Desk) -> None:
        found = desk.detail(desk.add(call(CREATE, code=CODE), GRANTED))
        assert found["diagnosis"]["verdict"] == "correct"
        assert found["strings"]["differ"] is False
        assert found["explanation"] is None

    def test_a_wrong_secret_leaves_the_callers_string_unknown(self, open_desk: Any) -> None:
        found = (desk := open_desk("another-secret")).detail(desk.add(call()))
        assert found["strings"]["author"] is None
        assert found["strings"]["author_note"].startswith("Unknown: no string that was tried")

    def test_without_the_secret_the_gateways_string_is_still_known(self, open_desk: Any) -> None:
        found = (desk := open_desk("")).detail(desk.add(call(CREATE, code="x1")))
        assert found["strings"]["gateway"][0]["text"] == CREATE
        assert "without the app secret" in found["strings"]["author_note"]

    def test_parameters_say_where_they_came_and_whether_they_are_signed(self, desk: Desk) -> None:
        found = desk.detail(desk.add(call(QUERY, keywords="câble & 中文")))
        rows = {row["name"]: row for row in found["parameters"]}
        assert rows["keywords"] == {
            "name": "keywords", "value": "câble & 中文", "place": "body", "signed": True,
            "repeated": False,
        }  # fmt: skip
        assert (rows["sign"]["place"], rows["sign"]["signed"]) == ("URL", False)

    def test_the_curl_command_is_the_request(self, desk: Desk) -> None:
        signed = call(QUERY, keywords="it's $HOME")
        read = intake.read(desk.detail(desk.add(signed))["curl"])
        assert (read.method, read.url, read.body) == ("POST", signed.url, signed.body)

    def test_a_connection_that_was_broken(self, desk: Desk) -> None:
        number = desk.add(call(), b"", status=None, problem="reset on purpose", faults=("reset",))
        found = desk.detail(number)
        assert (found["verdict"], found["problem"]) == ("no_reply", "reset on purpose")
        assert found["reply"] == ""

    def test_a_request_that_is_gone(self, desk: Desk) -> None:
        gone = desk.web.get("/inspector/requests/7")
        assert gone.status_code == 404
        assert gone.json() == {"problem": "That request is no longer in the list."}

    @pytest.mark.parametrize(
        "request_",
        [
            Incoming("GET", "http://127.0.0.1/"),
            Incoming("POST", "http://127.0.0.1/sync", (), b"\xff\xfe\x00" * 100),
            Incoming("POST", "http://127.0.0.1/sync", (JSON,), b"[" * 9000),
            Incoming("GET", "http://127.0.0.1/rest/%00\\[" + "é" * 50 + "?sign=%FF&app_key=\ud800"),
            Incoming("GET", "http://127.0.0.1/sync?sign=" + "A" * 64 + "&x=1&x=2&&=&method=a/b"),
            Incoming("POST", "http://127.0.0.1/sync?sign=A", (MULTIPART,), b"x"),
            Incoming("POST", "http://127.0.0.1/sync?sign=B", (), b"a=" + b"x" * 2_000_000),
        ],
    )  # fmt: skip
    def test_odd_requests_are_shown_too(self, desk: Desk, request_: Incoming) -> None:
        number = desk.put(request_, b"\xff<html>" + b"y" * 2_000_000)
        found = desk.detail(number)
        assert found["verdict"] == "unreadable"
        assert len(json.dumps(found)) < 3_000_000
        for path in (f"/inspector/requests/{number}/export.har", "/inspector/export.har",
                     f"/inspector/requests/{number}/request.ipynb", "/inspector"):  # fmt: skip
            assert desk.web.get(path).status_code == 200

    def test_a_diagnosis_is_made_once(self, desk: Desk, monkeypatch: Any) -> None:
        made = []
        diagnose = alinb.diagnose
        monkeypatch.setattr(
            "alinb.doctor.diagnose", lambda *a, **k: made.append(1) or diagnose(*a, **k)
        )
        number = desk.add(call(QUERY, "secret_wrapped"))
        assert desk.detail(number) == desk.detail(number)
        assert made == [1]

    def test_a_long_search_is_waited_for_in_parts(self, desk: Desk, monkeypatch: Any) -> None:
        monkeypatch.setattr(inspector, "PATIENCE_S", 0.01)
        monkeypatch.setattr("alinb.doctor.diagnose", lambda *a, **k: time.sleep(0.5) or alinb_ok())
        number = desk.add(call())
        assert desk.web.get(f"/inspector/requests/{number}").status_code == 202
        began = time.perf_counter()
        desk.web.get("/inspector")
        assert time.perf_counter() - began < 0.4, "the page answers while a search goes on"
        monkeypatch.setattr(inspector, "PATIENCE_S", 10)
        assert desk.detail(number)["diagnosis"]["verdict"] == "correct"


def alinb_ok() -> alinb.Diagnosis:
    return alinb.diagnose(f"{(s := call()).url}&{s.body}", secret=SECRET)


class TestSecrets:
    def everything(self, desk: Desk) -> str:
        numbers = [each.number for each in desk.exchanges]
        paths = ["/inspector", "/inspector/export.har", "/inspector/faults"]
        for number in numbers:
            one = f"/inspector/requests/{number}"
            paths += [one, f"{one}/export.har", f"{one}/request.ipynb"]
        return "\n".join(unescape(desk.web.get(path).text) for path in paths)

    def test_nothing_that_is_shown_or_exported_holds_one(self, desk: Desk, listen: Any) -> None:
        desk.add(call(CREATE, code=CODE), GRANTED)
        desk.add(call(QUERY, "secret_wrapped", session=TOKEN, keywords=SECRET))
        desk.add(call("/auth/token/refresh", refresh_token=REFRESH), GRANTED)
        url = f"http://127.0.0.1/sync?method={SECRET}&app_secret={SECRET}&sign=1"
        refused = {"code": SECRET, "msg": f"{TOKEN} {SECRET}", "access_token": TOKEN}
        desk.put(Incoming("GET", url), {"error_response": refused}, problem=f"with {SECRET}")
        text = self.everything(desk) + "\n".join(listen(desk).lines)
        assert [canary for canary in CANARIES if canary in text] == []
        assert "‹access_token " in text

    def test_values_are_shown_when_the_person_asks_and_never_the_secret(self, desk: Desk) -> None:
        number = desk.put(
            Incoming("GET", f"http://127.0.0.1/sync?session={TOKEN}&app_secret=unknown-secret-0009"
                     f"&x={SECRET}&sign=1&method=a.b", (("authorization", "Bearer abcdefgh"),)),
            GRANTED,
        )  # fmt: skip
        assert TOKEN not in json.dumps(desk.detail(number))
        shown = desk.order(f"/inspector/requests/{number}/values").json()
        assert shown["revealed"] is True
        text = json.dumps(shown)
        assert TOKEN in shown["curl"]
        assert REFRESH in shown["reply"]
        assert "Bearer abcdefgh" in text
        assert SECRET not in text
        assert "unknown-secret-0009" not in text
        assert TOKEN not in json.dumps(desk.detail(number))


class TestExports:
    def test_har_of_all_and_of_one_reads_back(self, desk: Desk) -> None:
        for i in range(3):
            desk.add(call(QUERY, keywords=f"lamp {i}"))
        har = desk.web.get("/inspector/export.har")
        assert har.headers["content-disposition"] == 'attachment; filename="requests.har"'
        read = intake.read_all(har.text)
        assert [each.params["keywords"] for each in read] == ["lamp 0", "lamp 1", "lamp 2"]
        assert {each.code for each in read} == {"IncompleteSignature"}
        one = desk.web.get("/inspector/requests/2/export.har")
        assert [each.params["keywords"] for each in intake.read_all(one.text)] == ["lamp 1"]
        assert one.headers["content-disposition"] == 'attachment; filename="request-2.har"'

    @pytest.mark.parametrize("token", ["", TOKEN])
    def test_the_notebook_diagnoses_the_very_request(
        self, desk: Desk, token: str, monkeypatch: Any
    ) -> None:
        import nbformat

        params = {"keywords": 'it\'s "quoted" \\ 中文'} | ({"session": token} if token else {})
        number = desk.add(call(QUERY, "secret_wrapped", **params))
        answered = desk.web.get(f"/inspector/requests/{number}/request.ipynb")
        book = nbformat.reads(answered.text, 4)
        nbformat.validate(book)
        monkeypatch.setenv("ALINB_APP_SECRET", SECRET)
        monkeypatch.setenv("ALINB_ACCESS_TOKEN", token)
        head, _, last = book.cells[1].source.strip().rpartition("\n")
        names: dict[str, Any] = {}
        exec(head, names)  # noqa: S102
        found = eval(last, names)  # noqa: S307
        assert (found.verdict, found.mistakes) == ("explained", ("secret_wrapped",))
        assert desk.detail(number)["cell"] == book.cells[1].source


class TestOrders:
    ORDERS = (
        ("/inspector/clear", {}),
        ("/inspector/faults", {"on": "drip"}),
        ("/inspector/requests/1/values", {}),
    )

    @pytest.mark.parametrize(("path", "order"), ORDERS)
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            ({TOKEN_HEADER: ""}, 403), ({TOKEN_HEADER: PAGE_TOKEN[:-1]}, 403),
            ({"origin": "http://evil.example"}, 403), ({"origin": "null"}, 403),
            ({"origin": "http://127.0.0.1:1"}, 403), ({"sec-fetch-site": "cross-site"}, 403),
            ({"sec-fetch-site": "same-site"}, 403), ({"content-type": "text/plain"}, 415),
            ({"content-type": "application/x-www-form-urlencoded"}, 415),
            ({"content-type": ""}, 415),
        ],
    )  # fmt: skip
    def test_another_page_can_change_and_reveal_nothing(
        self, desk: Desk, path: str, order: Any, headers: dict[str, str], status: int
    ) -> None:
        desk.add(call(QUERY, session=TOKEN))
        refused = desk.order(path, order, **headers)
        assert (refused.status_code, list(refused.json())) == (status, ["problem"])
        assert TOKEN not in refused.text
        assert len(desk.exchanges) == 1
        assert not desk.faults

    def test_the_page_itself_can(self, desk: Desk) -> None:
        own = {"origin": desk.serving.url, "sec-fetch-site": "same-origin"}
        assert desk.order("/inspector/faults", {"on": "drip=20@0.5x3"}, **own).status_code == 200
        assert [str(fault) for fault in desk.faults.active] == ["drip=20@0.5x3"]

    def test_reading_is_for_the_page_too(self, desk: Desk) -> None:
        desk.add(call())
        for path in ("/inspector/requests/1", "/inspector/events", "/inspector/export.har"):
            refused = desk.web.get(path, headers={"sec-fetch-site": "cross-site"})
            assert refused.status_code == 403
        linked = desk.web.get("/inspector", headers={"sec-fetch-site": "cross-site"})
        assert linked.status_code == 200

    def test_orders_that_cannot_be_read(self, desk: Desk) -> None:
        for content, status in (
            ("", 400), ("{", 400), ("[1]", 400), ("[" * 60_000, 400), ('"x"', 400),
            ("{}", 400), ('{"on": 1}', 400), ('{"on": "drip", "off": "drip"}', 400),
            ('{"on": "dripp"}', 400), ('{"on": "drip@7"}', 400), ("x" * 70_000, 413),
        ):  # fmt: skip
            headers = {TOKEN_HEADER: PAGE_TOKEN, "content-type": "application/json"}
            said = desk.web.post("/inspector/faults", content=content, headers=headers)
            assert (said.status_code, list(said.json())) == (status, ["problem"]), content[:40]
        assert not desk.faults

    def test_faults_go_on_and_off(self, desk: Desk, listen: Any) -> None:
        events = listen(desk)
        state = desk.web.get("/inspector/faults").json()
        assert len(state["kinds"]) == 23
        assert "ApiCallLimit" in state["codes"]
        assert state["active"] == []
        on = desk.order("/inspector/faults", {"on": "latency=5, ApiCallLimit=30x2"}).json()
        assert on["active"] == [
            {"name": "latency", "value": 5.0, "times": None, "text": "latency=5"},
            {"name": "ApiCallLimit", "value": 30.0, "times": 2, "text": "ApiCallLimit=30x2"},
        ]
        desk.add(call())
        events.wait(lambda: events.data[-1]["faults"] == ["latency=5", "ApiCallLimit=30x2"])
        assert desk.order("/inspector/faults", {"off": "latency"}).json()["active"][0]["times"] == 2
        assert desk.order("/inspector/faults", {"off": ""}).json()["active"] == []
