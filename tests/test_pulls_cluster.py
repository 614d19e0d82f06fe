"""Pulls on a Dask cluster: one owner a key, part files for all, and workers that get lost."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import alinb
from alinb import App, Client, Platform, Token, errors
from alinb.pulls.shards import Sealed, Shard
from tests.pages import DETAIL, FIRST_ID, SEARCH, Pages, serving

distributed = pytest.importorskip("distributed")

SECRET = "a-secret-that-nobody-shows"
TOKEN = "50000-an-access-token-of-the-first-day"
WHERE = {"local": "en_US", "countryCode": "US", "currency": "USD"}
pytestmark = pytest.mark.filterwarnings("ignore::Warning")


@pytest.fixture(scope="module")
def dask() -> Iterator[Any]:
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(**options, silence_logs=logging.CRITICAL) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def pages() -> Iterator[Pages]:
    with serving(Pages(total=60)) as started:
        yield started


@pytest.fixture
def clients(pages: Pages) -> Callable[[int], list[Client]]:
    def made(count: int) -> list[Client]:
        platform = Platform.named("aliexpress").at(pages.url)
        data = {"access_token": TOKEN, "refresh_token": "a-refresh-token-of-the-first-day"}
        token = Token.read(data, time.time())
        return [
            Client(App(f"50010{i}", SECRET, platform), journal=False, token=token)
            for i in range(count)
        ]

    return made


def test_every_key_at_its_own_rate_and_every_record_once(
    dask: Any, pages: Pages, clients: Any, tmp_path: Path
) -> None:
    pages.qps = 40
    first, *others = clients(4)
    words = [f"word{i}" for i in range(8)]
    pull = first.pull(
        SEARCH, over={"keyWord": words}, cluster=dask, clients=others, qps=40, **WHERE
    )
    done = pull.to_jsonl(tmp_path / "found.jsonl")
    assert (done.complete, done.records, done.pages) == (True, 8 * 60, 16)
    assert pages.refused == 0
    assert {key: len(bucket.taken) for key, bucket in pages.buckets.items()} == {
        f"50010{i}": 4 for i in range(4)
    }
    assert done.stats.calls == 16
    assert list(tmp_path.iterdir()) == [tmp_path / "found.jsonl"]


def test_a_frame_in_the_order_of_the_items(dask: Any, clients: Any) -> None:
    first, *others = clients(3)
    pull = first.pull(
        DETAIL, over={"product_id": [*range(1, 30), -1]}, ship_to_country="US",
        cluster=dask, clients=others, qps=1000,
    )  # fmt: skip
    table = pull.frame()
    assert list(table["asked_product_id"]) == [str(i) for i in range(1, 30)]
    assert [row["product_id"] for row in pull.refused] == ["-1"]


def test_a_lost_worker_is_replaced_and_its_pages_are_not_fetched_again(
    dask: Any, pages: Pages, clients: Any, tmp_path: Path
) -> None:
    pages.total, pages.latency_s = 3000, 0.05
    first, *others = clients(2)
    pull = first.pull(
        SEARCH, over={"keyWord": ["lamp", "desk"]}, cluster=dask, clients=others, qps=2000,
        concurrency=4, **WHERE,
    )  # fmt: skip

    def kill() -> None:
        while sum(pages.asked.values()) < 40:
            time.sleep(0.01)
        pids = dask.run(os.getpid)
        os.kill(next(iter(pids.values())), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    done = pull.to_jsonl(tmp_path / "found.jsonl")
    killer.join()
    assert (done.complete, done.records) == (True, 6000)
    assert sum(pages.asked.values()) <= 120 + 4


def test_any_fsspec_path(dask: Any, pages: Pages, clients: Any, tmp_path: Path) -> None:
    (first,) = clients(1)
    url = f"file://{tmp_path}/found.jsonl"
    done = first.pull(SEARCH, keyWord="x", cluster=dask, qps=1000, **WHERE).to_jsonl(url)
    assert (done.path, done.records) == (url, 60)
    assert len((tmp_path / "found.jsonl").read_text().splitlines()) == 60


def test_parts_in_an_object_store_resume_too(pages: Pages, clients: Any) -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    (client,) = clients(1)
    pages.total = 3000
    pages.fault = lambda page, nth: "IncompleteSignature" if page == 50 else ""
    with pytest.raises(errors.SignatureRefused, match="run the same again to go on"):
        client.pull(SEARCH, keyWord="x", qps=2000, **WHERE).to_jsonl("memory://bucket/found.jsonl")
    assert len(memory.cat("/bucket/found.jsonl").splitlines()) >= 32 * 50
    pages.fault, before = None, sum(pages.asked.values())
    done = client.pull(SEARCH, keyWord="x", qps=2000, **WHERE).to_jsonl(
        "memory://bucket/found.jsonl"
    )
    assert (done.complete, done.records) == (True, 3000)
    assert sum(pages.asked.values()) - before <= 60 - 48 + 16
    assert memory.ls("/bucket", detail=False) == ["/bucket/found.jsonl"]


@pytest.mark.parametrize("what", [KeyboardInterrupt, ZeroDivisionError])
def test_what_ends_the_bar_ends_the_workers(
    dask: Any, pages: Pages, clients: Any, tmp_path: Path, what: type[BaseException]
) -> None:
    """Ctrl-C, or a function that fails: what is under way comes in, and no more is sent."""
    pages.total, pages.latency_s = 5000, 0.05

    def fail(stats: alinb.pulls.Stats) -> None:
        if stats.pages >= 4:
            raise what

    first, second = clients(2)
    asked = {"over": {"keyWord": ["lamp", "mug"]}, "cluster": dask, "clients": [second], **WHERE}
    with pytest.raises(what):
        first.pull(SEARCH, **asked, qps=50, progress=fail).to_jsonl(tmp_path / "found.jsonl")
    sent = sum(pages.asked.values())
    assert 4 <= sent < 190
    time.sleep(0.5)
    assert sum(pages.asked.values()) == sent
    told: list[alinb.pulls.Stats] = []
    pull = first.pull(SEARCH, **asked, qps=5000, progress=told.append)
    assert pull.to_jsonl(tmp_path / "found.jsonl").records == 2 * 5000
    assert sum(pages.asked.values()) <= 200 + 32
    assert (told[-1].pages, told[-1].records) == (200, 10_000)


def test_a_refusal_of_the_call_comes_back_as_itself(
    dask: Any, pages: Pages, clients: Any, tmp_path: Path
) -> None:
    pages.fault = lambda page, nth: "long_ban"
    (first,) = clients(1)
    with pytest.raises(errors.RateLimited, match="banned for 14230 s") as caught:
        first.pull(SEARCH, keyWord="x", cluster=dask, qps=1000, **WHERE).to_jsonl(
            tmp_path / "found.jsonl"
        )
    assert caught.value.ban_seconds == 14230


def test_a_token_renewed_by_a_worker_comes_home(dask: Any, pages: Pages, clients: Any) -> None:
    pages.token = "nobody has this one"
    (first,) = clients(1)
    assert len(first.pull(SEARCH, keyWord="x", cluster=dask, qps=1000, **WHERE).frame()) == 60
    assert first.token.access_token.reveal() == "new-access-token-001"


def test_a_token_renewed_by_a_worker_comes_home_from_a_pull_that_is_ended(
    dask: Any, pages: Pages, clients: Any, tmp_path: Path
) -> None:
    pages.token, pages.total, pages.latency_s = "nobody has this one", 50_000, 0.05

    def end(stats: alinb.pulls.Stats) -> None:
        if stats.pages >= 4:
            raise KeyboardInterrupt

    (first,) = clients(1)
    pull = first.pull(SEARCH, keyWord="x", cluster=dask, qps=50, progress=end, **WHERE)
    with pytest.raises(KeyboardInterrupt):
        pull.to_jsonl(tmp_path / "found.jsonl")
    assert first.token.access_token.reveal() == "new-access-token-001"


class TestInput:
    def test_two_owners_of_a_key(self, dask: Any, clients: Any) -> None:
        (first,) = clients(1)
        (again,) = clients(1)
        with pytest.raises(errors.InputError, match="same app key"):
            first.pull(SEARCH, keyWord="x", cluster=dask, clients=[again], **WHERE)

    def test_clients_without_a_cluster(self, clients: Any) -> None:
        first, *others = clients(2)
        with pytest.raises(errors.InputError, match="on a cluster only"):
            first.pull(SEARCH, keyWord="x", clients=others, **WHERE)

    def test_a_sandbox_in_this_process(self, dask: Any) -> None:
        with pytest.raises(errors.InputError, match=r"sandbox\.serve"):
            Client(alinb.sandbox(), journal=False).pull(SEARCH, keyWord="x", cluster=dask, **WHERE)

    def test_pages_and_limits(self, dask: Any, clients: Any, tmp_path: Path) -> None:
        (first,) = clients(1)
        pull = first.pull(SEARCH, keyWord="x", cluster=dask, **WHERE)
        with pytest.raises(errors.InputError, match="has no pages"):
            next(iter(pull))
        with pytest.raises(errors.InputError, match="has no limit"):
            pull.to_jsonl(tmp_path / "x", limit=3)

    def test_an_address_where_nothing_listens(
        self, clients: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr("alinb.pulls.cluster.START_S", 0.5)
        (first,) = clients(1)
        pull = first.pull(SEARCH, keyWord="x", cluster="tcp://127.0.0.1:9", **WHERE)
        with pytest.raises(errors.InputError, match="no Dask cluster at tcp://127"):
            pull.to_jsonl(tmp_path / "x")


def test_what_dask_logs_of_a_shard_shows_no_secret(clients: Any) -> None:
    (client,) = clients(1)
    sealed = Sealed.of(client)
    shard = Shard(((sealed, client.pull(SEARCH, keyWord="x", **WHERE).plan),), "f", 1, None, "t")
    for text in (repr(sealed), str(sealed), repr(shard), repr((shard,)), f"{shard}"):
        assert SECRET not in text
        assert TOKEN not in text
    assert sealed.client().token == client.token
    assert FIRST_ID
