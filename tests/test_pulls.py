"""Pulls over real HTTP: every record once, in order, whatever the pages do."""

import asyncio
import json
import math
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

import alinb
from alinb import App, AsyncClient, Client, Journal, Platform, Token, errors
from alinb.pacing import Pacer
from alinb.pulls import Pull, Stats
from alinb.pulls.store import frames
from tests.pages import DETAIL, FEED, FIRST_ID, MATCH, ORDERS, QUERY, SEARCH, Pages, serving

WHERE = {"local": "en_US", "countryCode": "US", "currency": "USD"}
SECRET = "a-secret-that-nobody-shows"
TOKEN = "50000-an-access-token-of-the-first-day"
ERROR = {"type": "ISV", "message": "no", "request_id": "2101000000000000000000"}
WINDOW = {"start_time": "2026-01-01 00:00:00", "end_time": "2026-01-02 00:00:00", "status": "x"}


@pytest.fixture(params=["fast", "httpx"])
def transport(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ALINB_TRANSPORT", request.param)
    return request.param


@pytest.fixture
def pages() -> Iterator[Pages]:
    with serving(Pages(total=230)) as started:
        yield started


def client_of(pages: Pages, kind: type = Client, **options: Any) -> Any:
    app = App("500102", SECRET, Platform.named("aliexpress").at(pages.url))
    options.setdefault("journal", False)
    token = Token.read(
        {"access_token": TOKEN, "refresh_token": "a-refresh-token-of-the-first-day",
         "expires_in": 86400, "refresh_expires_in": 172800}, time.time(),
    )  # fmt: skip
    return kind(app, token=token, **options)


@pytest.fixture
def search(pages: Pages) -> Callable[..., Pull]:
    def made(**how: Any) -> Pull:
        how.setdefault("pacer", Pacer(2000))
        return client_of(pages).pull(SEARCH, **{"keyWord": "lamp", **WHERE, **how})

    return made


def ids(count: int, first: int = 0) -> list[str]:
    return [str(FIRST_ID + i) for i in range(first, first + count)]


class TestPages:
    def test_a_frame_has_every_record_in_order(
        self, search: Callable[..., Pull], pages: Pages, transport: str
    ) -> None:
        pull = search()
        table = pull.frame()
        assert list(table["itemId"]) == ids(230)
        assert sorted(pages.asked.items()) == [(page, 1) for page in range(1, 6)]
        assert (pull.stats.state, pull.stats.pages, pull.stats.records) == ("done", 5, 230)
        assert table.attrs["method"] == SEARCH
        assert table.attrs["params"] == {"keyWord": "lamp", **WHERE}

    def test_pages_come_one_by_one(self, search: Callable[..., Pull]) -> None:
        pages = sorted(search(pageSize=100), key=lambda page: page.part)
        assert [len(page) for page in pages] == [50, 50, 50, 50, 30], "the gateway gives 50 at most"
        assert pages[-1].frame()["itemId"].iloc[-1] == ids(230)[-1]

    def test_async_for_with_either_client(self, pages: Pages) -> None:
        async def through(kind: type) -> list[str]:
            client = client_of(pages, kind)
            pull = client.pull(SEARCH, keyWord="lamp", pacer=Pacer(2000), **WHERE)
            found = [record["itemId"] async for page in pull for record in page.records]
            closed = client.close()
            if closed is not None:
                await closed
            return found

        for kind in (Client, AsyncClient):
            assert sorted(asyncio.run(through(kind))) == ids(230)

    def test_a_frame_inside_a_running_loop(self, search: Callable[..., Pull]) -> None:
        async def cell() -> int:
            return len(search().frame())

        assert asyncio.run(cell()) == 230

    def test_who_stops_looking_stops_the_fetching(
        self, search: Callable[..., Pull], pages: Pages
    ) -> None:
        pages.total, pages.latency_s = 100_000, 0.01
        for _ in search():
            break
        asked = sum(pages.asked.values())
        assert asked <= 1 + 2 * 16
        time.sleep(0.1)
        assert sum(pages.asked.values()) == asked
        assert not [t for t in threading.enumerate() if t.name == "alinb-pull"]

    def test_a_limit_fetches_no_more_pages_than_it_needs(
        self, search: Callable[..., Pull], pages: Pages
    ) -> None:
        pull = search()
        assert list(pull.frame(limit=120)["itemId"]) == ids(120)
        assert sorted(pages.asked) == [1, 2, 3]
        assert list(pull.frame(limit=150)["itemId"]) == ids(150)
        assert sum(pages.asked.values()) == 3, "what is there is not fetched again"
        assert list(pull.frame()["itemId"]) == ids(230)

    def test_no_record_at_all(self, search: Callable[..., Pull], pages: Pages) -> None:
        pages.total = 0
        assert search().frame().empty

    def test_a_total_that_grows_is_followed(
        self, search: Callable[..., Pull], pages: Pages
    ) -> None:
        def grow(page: int, nth: int) -> str:
            if page == 4:
                pages.total = 420
            return ""

        pages.fault = grow
        assert list(search(concurrency=1).frame()["itemId"]) == ids(420)

    def test_a_total_that_shrinks_ends_with_empty_pages(
        self, search: Callable[..., Pull], pages: Pages
    ) -> None:
        pages.total = 5000

        def shrink(page: int, nth: int) -> str:
            pages.total = 160
            return ""

        pages.fault = shrink
        assert list(search(concurrency=2).frame()["itemId"]) == ids(160)
        assert sum(pages.asked.values()) < 40

    @pytest.mark.parametrize("fault", ["wrong_page", "repeated_page"])
    def test_a_page_that_comes_twice_is_fetched_again(
        self, search: Callable[..., Pull], pages: Pages, fault: str
    ) -> None:
        pages.fault = lambda page, nth: fault if (page, nth) == (3, 1) else ""
        assert list(search(concurrency=1).frame()["itemId"]) == ids(230)
        assert sum(pages.asked.values()) <= 7

    def test_the_earlier_of_two_equal_pages_may_be_the_wrong_one(
        self, search: Callable[..., Pull], pages: Pages
    ) -> None:
        pages.fault = lambda page, nth: "repeated_page" if (page, nth) == (1, 1) else ""
        assert list(search(concurrency=1).frame()["itemId"]) == ids(230)

    def test_records_that_move_to_the_next_page_are_there_once(
        self, search: Callable[..., Pull], pages: Pages
    ) -> None:
        pull = search(concurrency=1)
        moved = pages.page

        def later(page: int, params: dict[str, str], rows: int | None = None) -> Any:
            number, body = moved(page, params, rows)
            # Ten new ones have come in front since page 1.
            shift = str(FIRST_ID // 10**9).encode()
            if page > 1:
                for i in range((page - 1) * 50, (page - 1) * 50 + 10):
                    body = body.replace(b'"%d"' % (FIRST_ID + i), b'"%d"' % (FIRST_ID + i - 10))
            assert shift in body
            return number, body

        pages.page = later  # type: ignore[method-assign]
        found = list(pull.frame()["itemId"])
        assert len(found) == len(set(found))
        assert pull.so_far().attrs["duplicates"] > 0


class TestCursors:
    def test_ids_by_a_cursor(self, pages: Pages) -> None:
        pages.total, pages.size = 450, 200
        pull = client_of(pages).pull(FEED, feed_name="DS", pacer=Pacer(2000))
        found = pull.frame()
        assert [int(i) for i in found["product_id"]] == [FIRST_ID + i for i in range(450)]
        assert sum(pages.asked.values()) == 3, "total says that nothing is left"

    def test_orders_by_an_index_end_with_an_empty_page(self, pages: Pages) -> None:
        pull = client_of(pages).pull(ORDERS, pacer=Pacer(2000), **WINDOW)
        assert [int(i) for i in pull.frame()["order_id"]] == [8 * 10**15 + i for i in range(230)]

    def test_pages_without_a_total_end_where_the_last_comes_again(self, pages: Pages) -> None:
        pull = client_of(pages).pull(MATCH, device_id="d", pacer=Pacer(2000))
        assert [int(i) for i in pull.frame()["product_id"]] == [FIRST_ID + i for i in range(230)]
        assert sum(pages.asked.values()) <= 9

    def test_an_empty_result_with_a_code_of_its_own(self, pages: Pages) -> None:
        pages.total = 0
        assert client_of(pages).pull(QUERY, keywords="x", pacer=Pacer(2000)).frame().empty


class TestFanOut:
    def test_ids_with_some_that_are_refused(self, pages: Pages) -> None:
        wanted = [*range(1, 40), -1, -2]
        pull = client_of(pages).pull(
            DETAIL, over={"product_id": wanted}, ship_to_country="US", pacer=Pacer(2000)
        )
        table = pull.frame()
        assert list(table["asked_product_id"]) == [str(i) for i in range(1, 40)]
        refused = {(row["product_id"], row["code"]) for row in pull.refused}
        assert refused == {("-1", "605"), ("-2", "605")}
        assert pages.most_under_way <= 16

    def test_items_that_are_all_refused_end_the_pull(self, pages: Pages) -> None:
        pull = client_of(pages).pull(
            DETAIL, over={"product_id": range(-500, 0)}, ship_to_country="US", pacer=Pacer(2000)
        )
        with pytest.raises(errors.Refused, match="ITEM_ID_NOT_FOUND"):
            pull.frame()
        assert sum(pages.asked.values()) <= 5 + 16

    def test_words_and_countries(self, search: Callable[..., Pull], pages: Pages) -> None:
        pages.total = 60
        how = {"over": {"keyWord": ["lamp", "desk"], "countryCode": ["US", "FR"]}}
        client = client_of(pages)
        pull = client.pull(SEARCH, local="en_US", currency="USD", pacer=Pacer(2000), **how)
        table = pull.frame()
        counted = table.groupby(["asked_keyWord", "asked_countryCode"], sort=False).size()
        assert counted.to_dict() == {
            ("lamp", "US"): 60, ("lamp", "FR"): 60, ("desk", "US"): 60, ("desk", "FR"): 60,
        }  # fmt: skip

    def test_days(self, pages: Pages) -> None:
        days = alinb.date_windows("2026-01-01", "2026-01-05", days=2)
        assert [w["end_time"][:10] for w in days] == ["2026-01-02", "2026-01-04", "2026-01-05"]
        pages.total = 10
        pull = client_of(pages).pull(ORDERS, over=days, status="x", pacer=Pacer(2000))
        assert list(pull.frame()["asked_start_time"].unique()) == [w["start_time"] for w in days]


class TestFaults:
    @pytest.mark.parametrize("seed", [7, 16, 23])
    def test_a_tenth_of_the_answers_fail_and_every_record_is_there_once(
        self, pages: Pages, seed: int
    ) -> None:
        from tests.pages import TRANSIENT

        pages.total, chance = 50_000, random.Random(seed)
        pages.fault = lambda page, nth: chance.choice(TRANSIENT) if chance.random() < 0.1 else ""
        pull = client_of(pages).pull(SEARCH, keyWord="x", pacer=Pacer(5000), **WHERE)
        found = [record["itemId"] for record in pull.records()]
        assert sorted(found) == ids(50_000)
        failed = sum(pages.faults.values())
        assert set(pages.faults) == {*TRANSIENT, ""}
        again = sum(pages.asked.values()) - 1000
        assert failed <= again <= math.ceil(1.25 * failed)
        assert pull.stats.retries == again

    def test_each_try_is_signed_anew(self, search: Callable[..., Pull], pages: Pages) -> None:
        pages.fault = lambda page, nth: "html_502" if nth == 1 else ""
        search().frame()
        assert len(set(pages.signatures)) == len(pages.signatures) == 10

    def test_what_does_not_pass_ends_the_pull_and_what_came_stays(
        self, search: Callable[..., Pull], pages: Pages
    ) -> None:
        pages.fault = lambda page, nth: "IncompleteSignature" if page == 4 else ""
        pull = search(concurrency=1)
        with pytest.raises(errors.SignatureRefused):
            pull.frame()
        assert pages.asked[4] == 1
        assert list(pull.so_far()["itemId"]) == ids(150)
        pages.fault = None
        assert list(pull.frame()["itemId"]) == ids(230)
        assert pages.asked[3] == 1

    @pytest.mark.parametrize("fault", ["limit", "http_429"])
    def test_a_ban_is_obeyed_and_the_page_fetched(
        self, search: Callable[..., Pull], pages: Pages, fault: str
    ) -> None:
        pages.fault = lambda page, nth: fault if (page, nth) == (2, 1) else ""
        pull, began = search(concurrency=1), time.monotonic()
        assert list(pull.frame()["itemId"]) == ids(230)
        assert 2.0 <= time.monotonic() - began < 4
        assert (pull.stats.refusals, pull.stats.banned_s) == (1, 2)
        assert pull.pacer.lane(SEARCH).rate == pytest.approx(980)

    def test_a_long_ban_stops_the_pull_and_says_how_to_go_on(
        self, search: Callable[..., Pull], pages: Pages, tmp_path: Path
    ) -> None:
        pages.fault = lambda page, nth: "long_ban" if page == 3 else ""
        pull, out = search(concurrency=1), tmp_path / "lamps.jsonl"
        with pytest.raises(errors.RateLimited) as caught:
            pull.to_jsonl(out)
        said = str(caught.value)
        assert "banned for 14230 s, until 20" in said
        assert f"alinb pull {SEARCH} -p keyWord=lamp" in said
        assert said.endswith(f"--out {out}")
        assert caught.value.ban_seconds == 14230
        assert len(out.read_text().splitlines()) == 100, "what came is there to be used"
        asked = sum(pages.asked.values())
        with pytest.raises(errors.RateLimited):
            search(pacer=pull.pacer).frame()
        assert sum(pages.asked.values()) == asked, "nothing is sent while it lasts"


class TestSandbox:
    """The same through the sandbox's own faults."""

    SIZE, PAGES = 20, 100
    HARMLESS = frozenset(
        {
            "gzip",
            "drip",
            "slow_start",
            "latency",
            "huge_body",
            "moving_total",
            "expire_token",
        }
    )
    #: Those after which the same call, sent again, is answered whole. A share of one in ten.
    PASSING = (
        "reset", "reset_after_headers", "cut_body", "wrong_length", "broken_text", "empty_body",
        "html_200", "html_502", "status_500", "status_503=0", "status_429=0", "empty_page",
        "duplicate_page", "gzip", "drip=1", "slow_start=20", "latency=20", "ServiceUnavailable",
        "ServiceTimeout", "redirect", "gzip_bomb=1", "huge_body=1", "moving_total",
        "expire_token=30",
    )  # fmt: skip

    def test_a_tenth_of_all_fails_and_every_record_is_there_once(self, transport: str) -> None:
        share = 0.1 / len(self.PASSING)
        fault = ",".join(f"{name}@{share:.4f}" for name in self.PASSING)
        options = {"products": self.SIZE * self.PAGES, "random": random.Random(5).randbytes}
        with (
            alinb.sandbox(**options).serve() as gateway,
            Client(gateway, journal=False) as client,
        ):
            client.exchange(gateway.code())
            wanted = {"keyWord": "", "pageSize": str(self.SIZE), "pacer": Pacer(5000), **WHERE}
            whole = list(client.pull(SEARCH, **wanted).frame()["itemId"])
            assert len(whole) == len(set(whole)) == self.SIZE * self.PAGES
            before = len(gateway.gateway.exchanges)
            gateway.faults.switch_on(fault)
            pull = client.pull(SEARCH, **wanted)
            assert list(pull.frame()["itemId"]) == whole
            came = list(gateway.gateway.exchanges)[:-before]
            failed = [each.faults for each in came if not set(each.faults) <= self.HARMLESS]
            assert len(failed) > 3
            assert len(failed) <= len(came) - self.PAGES <= math.ceil(1.25 * len(failed))

    def test_a_call_that_needs_a_token_is_not_sent_without(self) -> None:
        with alinb.sandbox() as gateway, Client(gateway, journal=False) as client:
            before = len(gateway.gateway.exchanges)
            with pytest.raises(
                errors.InputError, match=r"needs an access token.* Nothing was sent"
            ):
                client.pull(SEARCH, keyWord="lamp", **WHERE).frame()
            assert len(gateway.gateway.exchanges) == before


class TestTokens:
    def test_one_refresh_for_all_who_wait(self, pages: Pages) -> None:
        pages.total, pages.latency_s, pages.token = 2000, 0.01, TOKEN
        client = client_of(pages)

        def expire(page: int, nth: int) -> str:
            if page == 20 and nth == 1:
                pages.token = "nobody has this one"
            return ""

        pages.fault = expire
        pull = client.pull(SEARCH, keyWord="x", pacer=Pacer(5000), **WHERE)
        assert list(pull.frame()["itemId"]) == ids(2000)
        assert (pages.refreshes, pull.stats.refreshes) == (1, 1)
        assert client.token.access_token.reveal() == "new-access-token-001"

    def test_a_token_known_to_be_over_is_renewed_before_anything_is_sent(
        self, pages: Pages, clock: Any
    ) -> None:
        client = client_of(pages, clock=lambda: time.time() + 90_000)
        pages.token = "new-access-token-001"
        client.pull(SEARCH, keyWord="x", pacer=Pacer(5000), **WHERE).frame()
        assert pages.refreshes == 1
        assert sum(pages.asked.values()) == 5

    def test_a_token_that_cannot_be_renewed_ends_the_pull(self, pages: Pages) -> None:
        pages.token = "nobody has this one"
        client = client_of(pages)
        client.save_token(Token(client.token.access_token))
        with pytest.raises(errors.TokenRefused):
            client.pull(SEARCH, keyWord="x", pacer=Pacer(5000), **WHERE).frame()
        assert pages.refreshes == 0


class TestInput:
    @pytest.mark.parametrize(
        ("name", "how", "said"),
        [
            ("aliexpress.ds.text.serch", WHERE, "Did you mean aliexpress.ds.text.search"),
            (SEARCH, {"local": "en_US", "currency": "USD"}, "needs countryCode"),
            (
                DETAIL,
                {"over": {"product_id": [1, ""]}, "ship_to_country": "US"},
                "needs product_id",
            ),
            (SEARCH, {**WHERE, "over": []}, "nothing to fan out over"),
            (SEARCH, {**WHERE, "pageSize": "many"}, "pageSize=many"),
            (SEARCH, {**WHERE, "keep": "some"}, "keep='some'"),
            (SEARCH, {**WHERE, "qps": 0}, "qps=0"),
            (SEARCH, {**WHERE, "paging": {"kind": "pages"}}, "no paging"),
            (SEARCH, {**WHERE, "paging": {"pages": "p"}}, "no paging"),
            ("/auth/token/create", {"code": "3_1_x"}, "client.exchange"),
        ],
    )
    def test_bad_input_is_one_line_before_anything_is_sent(
        self, pages: Pages, name: str, how: dict[str, Any], said: str
    ) -> None:
        with pytest.raises(errors.InputError, match=said):
            client_of(pages).pull(name, **how)
        assert not pages.signatures

    def test_an_unknown_method_with_its_paging(self, pages: Pages) -> None:
        client = client_of(pages)
        pages._things_list = pages._product_query  # type: ignore[attr-defined]
        paging = {"kind": "page", "page": "page_no", "size": "page_size"}
        pull = client.pull("some.things.list", paging=paging, page_size=50, pacer=Pacer(2000))
        assert sum(len(page) for page in pull) == 230

    @pytest.mark.parametrize("path", ["/proc/nowhere/lamps.jsonl", "/dev/null/lamps.csv"])
    def test_an_unwritable_path_is_found_first(
        self, search: Callable[..., Pull], pages: Pages, path: str
    ) -> None:
        with pytest.raises(errors.InputError, match="cannot be written"):
            search().to_file(path)
        assert not pages.signatures

    def test_an_ending_nobody_writes(self, search: Callable[..., Pull], tmp_path: Path) -> None:
        with pytest.raises(errors.InputError, match=r"\.parquet, \.csv, \.jsonl"):
            search().to_file(tmp_path / "lamps.xlsx")


def started(pull: Pull, until: Callable[[], bool]) -> threading.Thread:
    """A thread that takes the pull's frame, once it has come so far."""
    running = threading.Thread(target=pull.frame, daemon=True)
    running.start()
    while not until():
        time.sleep(0.005)
    return running


class TestControl:
    def test_pause_go_on_and_stop(self, search: Callable[..., Pull], pages: Pages) -> None:
        pages.total, pages.latency_s = 100_000, 0.01
        seen: list[Stats] = []
        pull = search(progress=seen.append)
        running = started(pull, lambda: sum(pages.asked.values()) > 16)
        pull.pause()
        time.sleep(0.2)
        held = sum(pages.asked.values())
        time.sleep(0.2)
        assert sum(pages.asked.values()) == held
        assert pull.stats.state == "paused"
        pull.go_on()
        time.sleep(0.2)
        assert sum(pages.asked.values()) > held
        pull.stop()
        running.join(5)
        assert not running.is_alive()
        assert pull.stats.state == "stopped"
        assert len(pull.so_far()) == pull.stats.records == 50 * pull.stats.pages
        assert {stats.state for stats in seen} >= {"running", "paused"}
        assert pull.stats.expected_pages == 2000

    def test_a_pause_holds_those_who_wait_for_their_turn(
        self, search: Callable[..., Pull], pages: Pages
    ) -> None:
        pages.total = 2000
        pull = search(pacer=Pacer(40), concurrency=16)
        running = started(pull, lambda: sum(pages.asked.values()) >= 4)
        pull.pause()
        time.sleep(0.1)
        held = sum(pages.asked.values())
        time.sleep(0.5)
        assert sum(pages.asked.values()) == held < 12
        assert pull.pacer.lane(SEARCH).waiting == 0
        pull.go_on()
        running.join(10)
        assert pages.asked == dict.fromkeys(range(1, 41), 1)
        assert len(pull.so_far()) == 2000

    def test_stopped_with_its_last_pages_under_way_it_lacks_them(
        self, search: Callable[..., Pull], pages: Pages, tmp_path: Path
    ) -> None:
        pages.total, pages.latency_s = 1000, 0.05
        pull, out = search(pacer=Pacer(60), concurrency=16), tmp_path / "lamps.jsonl"
        pull.monitor.listeners.append(lambda stats: stats.pages >= 8 and pull.stop())
        done = pull.to_jsonl(out)
        assert (pull.stats.state, done.complete) == ("stopped", False)
        assert done.pages < 20
        asked = sum(pages.asked.values())
        pull.monitor.listeners.clear()
        assert search().to_jsonl(out).records == 1000
        assert sum(pages.asked.values()) - asked == 20 - done.pages

    @pytest.mark.parametrize("fault", ["long", "short"])
    def test_a_stop_while_the_last_call_is_under_way_sends_no_more(
        self, search: Callable[..., Pull], pages: Pages, fault: str
    ) -> None:
        """Neither after a ban nor after the pause before another try."""
        pages.latency_s, pages.ban_s = 0.3, 20
        pages.fault = lambda page, nth: "limit" if fault == "long" else "html_502"
        pull = search(concurrency=1)
        running = started(pull, lambda: pages.under_way > 0)
        pull.stop()
        running.join(5)
        assert not running.is_alive()
        assert sum(pages.asked.values()) == 1
        assert pull.stats.state == "stopped"

    @pytest.mark.parametrize("end", ["stop", "refusal"])
    def test_an_end_after_an_item_was_tried_again_and_refused(
        self, pages: Pages, tmp_path: Path, end: str
    ) -> None:
        """The worker of that item pauses no more: it is not to be cancelled as one that does."""
        asked: list[str] = []

        async def answer(request: httpx.Request) -> httpx.Response:
            number = parse_qs(request.content.decode())["product_id"][0]
            asked.append(number)
            if number == "1":
                if asked.count("1") == 1:
                    return httpx.Response(503)
                return httpx.Response(200, json=ERROR | {"code": "InvalidParameter"})
            if number == "3":
                while asked.count("1") < 2:
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.3)
                if end == "stop":
                    pull.stop()
                    await asyncio.sleep(0.3)
                else:
                    return httpx.Response(200, json=ERROR | {"code": "IncompleteSignature"})
            info = {"ae_item_base_info_dto": {"product_id": int(number)}}
            body = {"result": info, "rsp_code": 200}
            return httpx.Response(200, json={"aliexpress_ds_product_get_response": body})

        pull = client_of(pages, transport=httpx.MockTransport(answer)).pull(
            DETAIL, over={"product_id": ["2", "1", "3"]}, ship_to_country="US", pacer=Pacer(5000)
        )
        if end == "stop":
            assert pull.to_jsonl(tmp_path / "found.jsonl").records == 2, "3 was under way"
        else:
            with pytest.raises(errors.SignatureRefused):
                pull.to_jsonl(tmp_path / "found.jsonl")
        assert [item["code"] for item in pull.refused][:1] == ["InvalidParameter"]

    def test_no_command_tells_a_fan_out_of_unlike_items(self, pages: Pages) -> None:
        items = [{"product_id": "1", "target_language": "EN"}, {"product_id": "2"}]
        pull = client_of(pages).pull(DETAIL, over=items, ship_to_country="US", pacer=Pacer(5000))
        with pytest.raises(errors.InputError, match="No command tells"):
            pull.command("x.jsonl")

    def test_who_is_paused_can_be_stopped(self, search: Callable[..., Pull], pages: Pages) -> None:
        pages.total = 2000
        pull = search(pacer=Pacer(40))
        running = started(pull, lambda: sum(pages.asked.values()) >= 4)
        pull.pause()
        time.sleep(0.1)
        pull.stop()
        running.join(5)
        assert not running.is_alive()
        assert len(pull.so_far()) == pull.stats.records < 2000

    def test_a_listener_hears_of_every_page(self, search: Callable[..., Pull]) -> None:
        pull, heard = search(), []
        pull.monitor.listeners.append(heard.append)
        pull.frame()
        assert [stats.pages for stats in heard] == [1, 2, 3, 4, 5]
        assert heard[-1].records == 230
        assert pull.history[-1][2] == 1960

    def test_the_rate_is_the_permitted_one(self, search: Callable[..., Pull], pages: Pages) -> None:
        pages.total = 5000
        pull = search(pacer=Pacer(30))
        pull.frame()
        assert 20 <= pull.stats.rate <= 30
        assert "of 29.4 calls/s, 0 refusals" in str(pull.stats)

    def test_ctrl_c_leaves_what_came(self, pages: Pages, tmp_path: Path) -> None:
        pages.total, pages.latency_s = 100_000, 0.02
        out = tmp_path / "lamps.jsonl"
        child = _child(pages, out)
        deadline = time.monotonic() + 30
        while sum(pages.asked.values()) < 100 and time.monotonic() < deadline:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
        assert child.returncode != 0
        assert "KeyboardInterrupt" in said
        rows = [json.loads(line)["itemId"] for line in out.read_text().splitlines()]
        assert len(rows) >= 100 * 50 - 16 * 50
        assert rows == sorted(set(rows))
        assert (tmp_path / "lamps.jsonl.parts").is_dir()


def _child(pages: Pages, out: Path, journal: Path | None = None) -> subprocess.Popen[str]:
    """A process that pulls into a file, with every call in a journal where there is one."""
    kept = f"alinb.Journal({str(journal)!r})" if journal else "False"
    code = f"""
import alinb
from alinb.pacing import Pacer
app = alinb.App("500102", {SECRET!r}, alinb.Platform.named("aliexpress").at({pages.url!r}))
token = alinb.Token(alinb.Secret({TOKEN!r}, "access_token"))
client = alinb.Client(app, journal={kept}, token=token)
where = dict({WHERE!r}, keep="all")
done = client.pull({SEARCH!r}, keyWord="lamp", pacer=Pacer(5000), **where).to_file({str(out)!r})
print(done.records)
"""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


class TestResume:
    def test_killed_again_and_again_it_ends_with_the_same_rows(
        self, pages: Pages, tmp_path: Path
    ) -> None:
        pages.total, pages.latency_s = 20_000, 0.02
        out, chance = tmp_path / "lamps.jsonl", random.Random(3)
        for _ in range(4):
            before = sum(pages.asked.values())
            child = _child(pages, out)
            deadline = time.monotonic() + 30
            more = chance.randrange(10, 70)
            while sum(pages.asked.values()) < before + more and time.monotonic() < deadline:
                time.sleep(0.005)
            child.kill()
            child.communicate()
        child = _child(pages, out)
        said, wrong = child.communicate(timeout=60)
        assert (said.strip(), wrong) == ("20000", "")
        rows = [json.loads(line)["itemId"] for line in out.read_text().splitlines()]
        assert rows == ids(20_000)
        again = sum(pages.asked.values()) - 400
        assert again <= 4 * 16, "at most the pages under way"
        assert list(tmp_path.iterdir()) == [out], "the part files are gone"

    def test_a_killed_pull_loses_no_call_of_a_page_that_is_there(
        self, pages: Pages, tmp_path: Path
    ) -> None:
        pages.total, pages.latency_s = 10_000, 0.02
        out, path = tmp_path / "lamps.jsonl", tmp_path / "journal.sqlite3"
        there: set[int] = set()
        for end in (30, 60, 100, 140):
            child = _child(pages, out, path)
            deadline = time.monotonic() + 30
            while sum(pages.asked.values()) < end and time.monotonic() < deadline:
                time.sleep(0.005)
            child.kill()
            child.communicate()
            for part in (tmp_path / "lamps.jsonl.parts").glob("*.pages"):
                with open(part, "rb") as file:
                    there |= {number for _, number, _ in frames(file, part.name)}
            with closing(sqlite3.connect(path)) as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            kept = [parse_qs(attempt.body) for attempt in alinb.Journal(path).attempts()]
            assert there <= {int(fields["pageIndex"][0]) for fields in kept}
        assert len(there) > 30
        said, wrong = _child(pages, out, path).communicate(timeout=60)
        assert (said.strip(), wrong) == ("10000", "")

    def test_a_torn_frame_is_fetched_again(
        self, search: Callable[..., Pull], pages: Pages, tmp_path: Path
    ) -> None:
        out = tmp_path / "lamps.csv"
        search(concurrency=1).to_file(out, limit=200)
        pages.fault = lambda page, nth: "IncompleteSignature" if page == 5 else ""
        with pytest.raises(errors.SignatureRefused):
            search(concurrency=1).to_file(out)
        (part,) = (tmp_path / "lamps.csv.parts").glob("part-*.pages")
        part.write_bytes(part.read_bytes()[:-7])
        pages.fault = None
        done = search().to_file(out)
        assert (done.complete, done.records) == (True, 230)
        assert pages.asked == {1: 2, 2: 2, 3: 2, 4: 3, 5: 2}

    def test_more_items_later_fetch_only_what_is_new(self, pages: Pages, tmp_path: Path) -> None:
        pages.total = 60
        out = tmp_path / "found.jsonl"

        def pull(*words: str) -> Pull:
            return client_of(pages).pull(
                SEARCH, over={"keyWord": words}, pacer=Pacer(2000), **WHERE
            )

        pages.fault = lambda page, nth: "IncompleteSignature" if pages.asked[1] > 2 else ""
        with pytest.raises(errors.SignatureRefused):
            pull("lamp", "desk", "mug").to_file(out)
        pages.fault = None
        before = sum(pages.asked.values())
        assert pull("mug", "lamp", "desk", "pen").to_file(out).records == 240
        assert sum(pages.asked.values()) - before < 8

    def test_another_pull_is_not_mixed_in(
        self, search: Callable[..., Pull], pages: Pages, tmp_path: Path
    ) -> None:
        out = tmp_path / "lamps.csv"
        pages.fault = lambda page, nth: "IncompleteSignature" if page == 3 else ""
        with pytest.raises(errors.SignatureRefused):
            search(concurrency=1).to_file(out)
        asked = sum(pages.asked.values())
        pages.fault = None
        with pytest.raises(errors.InputError, match=r"another pull.*keyWord.*lamp"):
            search(keyWord="desk").to_file(out)
        assert sum(pages.asked.values()) == asked
        assert search(keyWord="desk").to_file(out, fresh=True).records == 230

    def test_two_at_once_are_kept_apart(self, search: Callable[..., Pull], tmp_path: Path) -> None:
        from alinb.pulls.folders import LocalFolder
        from alinb.pulls.store import PartStore

        held = PartStore(LocalFolder(tmp_path / "lamps.csv.parts"), search().plan)
        with pytest.raises(errors.InputError, match="Another process is pulling"):
            search().to_file(tmp_path / "lamps.csv")
        held.release()
        assert search().to_file(tmp_path / "lamps.csv").complete

    def test_an_index_goes_on_and_a_short_lived_cursor_starts_anew(
        self, pages: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(page: int, nth: int) -> str:
            return "IncompleteSignature" if page >= 150 else ""

        for name, how in ((ORDERS, WINDOW), (FEED, {"feed_name": "DS"})):
            pages.asked.clear()
            pages.fault = broken
            pull = client_of(pages).pull(name, pacer=Pacer(2000), **how)
            with pytest.raises(errors.SignatureRefused):
                pull.to_jsonl(tmp_path / "found")
            assert pages.asked == {0: 1, 50: 1, 100: 1, 150: 1}
            pages.fault = None
            if name == FEED:
                now = time.time() + 61
                monkeypatch.setattr("alinb.pulls.frontier.time.time", lambda now=now: now)
            assert pull.to_jsonl(tmp_path / "found").records == 230
            assert pages.asked[0] == (2 if name == FEED else 1)


class TestFiles:
    def test_parquet_csv_and_lines_hold_the_same(
        self, search: Callable[..., Pull], tmp_path: Path
    ) -> None:
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        whole = search().frame()
        done = search().to_parquet(tmp_path / "lamps")
        assert (done.path, done.complete, done.records) == (
            str(tmp_path / "lamps.parquet"), True, 230,
        )  # fmt: skip
        parquet = pandas.read_parquet(done.path)
        pandas.testing.assert_frame_equal(parquet, whole, check_dtype=False)
        search().to_csv(tmp_path / "lamps.csv")
        assert list(pandas.read_csv(tmp_path / "lamps.csv", dtype=str)["itemId"]) == ids(230)
        search().to_jsonl(tmp_path / "lamps.jsonl", limit=7)
        lines = (tmp_path / "lamps.jsonl").read_text().splitlines()
        assert [json.loads(line)["itemId"] for line in lines] == ids(7)

    @pytest.mark.parametrize("suffix", ["parquet", "csv"])
    def test_columns_that_change_are_reported_and_all_are_there(
        self, pages: Pages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
    ) -> None:
        pandas = pytest.importorskip("pandas")
        pytest.importorskip("pyarrow")
        monkeypatch.setattr("alinb.pulls.rows.BATCH", 50)
        plain = pages.page

        def drifting(page: int, params: dict[str, str], rows: int | None = None) -> Any:
            number, body = plain(page, params, rows)
            if page >= 3:
                body = body.replace(b'"title":', b'"novelty":%d,"title":' % page)
            if page >= 4:
                body = body.replace(b'"novelty":4', b'"novelty":"many"')
            return number, body

        pages.page = drifting  # type: ignore[method-assign]
        pull = client_of(pages).pull(SEARCH, keyWord="x", pacer=Pacer(2000), **WHERE)
        done = pull.to_file(tmp_path / f"lamps.{suffix}")
        assert {(d["column"], d["what"]) for d in done.drift} >= {("novelty", "new")}
        assert "novelty is new near row" in str(done)
        read = pandas.read_parquet if suffix == "parquet" else pandas.read_csv
        table = read(done.path)
        assert len(table) == 230
        assert [str(v) for v in table["novelty"].iloc[[100, 150, 200]]][1:] == ["many", "5"]
        assert table["novelty"].isna().sum() == 100

    def test_a_file_tells_where_it_came_from(
        self, search: Callable[..., Pull], tmp_path: Path
    ) -> None:
        parquet = pytest.importorskip("pyarrow.parquet")
        search().to_parquet(tmp_path / "lamps.parquet")
        told = json.loads(parquet.read_schema(tmp_path / "lamps.parquet").metadata[b"alinb"])
        assert (told["method"], told["complete"], told["pages"]) == (SEARCH, True, 5)


class TestAttempts:
    def test_the_first_page_and_what_went_wrong_are_kept(self, pages: Pages) -> None:
        journal = Journal()
        pages.fault = lambda page, nth: "html_502" if (page, nth) == (3, 1) else ""
        client = client_of(pages, journal=journal)
        pull = client.pull(SEARCH, keyWord="x", pacer=Pacer(2000), **WHERE)
        table = pull.frame()
        assert [row["verdict"] for row in journal.rows()] == ["unreadable", "ok"]
        assert table.attrs["attempt_ids"] == [1, 2]

    @pytest.mark.parametrize(("keep", "kept"), [("all", 5), ("none", 0)])
    def test_all_or_none(self, pages: Pages, keep: str, kept: int) -> None:
        journal = Journal()
        client = client_of(pages, journal=journal)
        client.pull(SEARCH, keyWord="x", keep=keep, pacer=Pacer(2000), **WHERE).frame()
        assert len(journal) == kept


def test_no_secret_is_in_anything_a_pull_writes_or_says(
    pages: Pages, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    pages.fault = lambda page, nth: {2: "html_502", 4: "IncompleteSignature"}.get(
        page * (nth < 3), ""
    )
    client = client_of(pages, journal=Journal())
    pull = client.pull(
        SEARCH, keyWord="x", access_token=TOKEN, concurrency=1, pacer=Pacer(2000), **WHERE
    )
    with pytest.raises(errors.AlinbError) as caught:
        pull.to_csv(tmp_path / "out.csv")
    told = [str(caught.value), repr(caught.value), repr(pull), str(pull.stats), caplog.text]
    told += [json.dumps(pull.about()), pull.command("x.csv"), repr(vars(pull.plan) if 0 else "")]
    found = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert any(p.suffix == ".pages" for p in found)
    for text in [*told, *(p.read_bytes().decode("latin-1") for p in found)]:
        assert SECRET not in text
        assert TOKEN not in text
