"""Turns: the whole quota and no more, in order, from any thread and loop, and bans obeyed."""

import asyncio
import itertools
import statistics
import threading
import time
from typing import Any

import pytest

from alinb import errors, replies
from alinb.knowledge import load
from alinb.pacing import HOLD_S, Lane, Pacer, pacer_of, published
from tests.virtual import Bucket, run

DETAIL = "aliexpress.ds.product.get"
LATENCY_S = 0.05


def limit(code: str = "ApiCallLimit", seconds: int | str = 1) -> replies.Reply:
    said = f"Api access frequency exceeds the limit. this ban will last {seconds} seconds"
    body = f'{{"error_response": {{"code": "{code}", "msg": "{said}"}}}}'
    return replies.read(200, body, DETAIL)


def pulled(
    bucket: Bucket, pacer: Pacer, calls: int, *, workers: int = 16, halve_at: float = 0.0
) -> list[float]:
    """What every call waited, in s, where so many workers are always ready to call."""
    waited: list[float] = []

    async def worker() -> None:
        loop = asyncio.get_running_loop()
        while len(waited) < calls:
            turn = pacer.take(DETAIL)
            waited.append(await turn.come(asyncio.sleep))
            # Arrivals jitter, too.
            await asyncio.sleep(LATENCY_S / 2 + loop.random.random() * 0.002)
            if halve_at and loop.time() - 1000 > halve_at:
                bucket.rate = 25
            taken = bucket.takes(loop.time())
            await asyncio.sleep(LATENCY_S / 2)
            if not taken:
                turn.refused(limit())

    async def all_of_them() -> None:
        pacer.clock = pacer.app_lane.clock = asyncio.get_running_loop().time
        await asyncio.gather(*(worker() for _ in range(workers)))

    run(all_of_them(), late_s=0.003)
    return waited


def test_ten_thousand_pages_use_the_quota_and_are_never_refused() -> None:
    bucket = Bucket(50)
    waited = pulled(bucket, Pacer(50), 10_000)
    assert bucket.refused == []
    achieved = (len(bucket.taken) - 1) / (bucket.taken[-1] - bucket.taken[0])
    assert achieved >= 0.97 * 50
    ideal = 16 / 50 - LATENCY_S
    assert statistics.quantiles(waited[16:], n=100)[98] <= 1.15 * ideal


def test_a_quota_that_halves_costs_five_refusals_at_most() -> None:
    bucket = Bucket(50)
    pulled(bucket, Pacer(50), 4000, halve_at=30)
    assert 1 <= len(bucket.refused) <= 5
    since = bucket.refused[0] + 10
    for length in (30, 60, 90):  # in less, the two seconds of one ban weigh more
        settled = [at for at in bucket.taken if since <= at < since + length]
        assert len(settled) >= 0.9 * 25 * length


def test_late_wake_ups_are_not_made_up_for_in_a_burst() -> None:
    async def stalls() -> None:
        loop = asyncio.get_running_loop()
        pacer = Pacer(50, clock=loop.time)

        async def worker() -> None:
            for _ in range(50):
                await pacer.take(DETAIL).come(asyncio.sleep)
                assert bucket.takes(loop.time())

        async def stall() -> None:
            for _ in range(20):
                await asyncio.sleep(0.5)
                loop.now += 0.2  # something else held the loop

        await asyncio.gather(stall(), *(worker() for _ in range(16)))

    bucket = Bucket(50)
    run(stalls())
    assert bucket.refused == []
    assert len(bucket.taken) == 800


def test_turns_come_in_the_order_they_were_taken_and_are_fair() -> None:
    async def crowd() -> dict[int, int]:
        loop = asyncio.get_running_loop()
        pacer = Pacer(50, clock=loop.time)
        came: dict[int, int] = {}

        async def worker(number: int) -> None:
            while loop.time() < 1020:
                await pacer.take(DETAIL).come(asyncio.sleep)
                came[number] = came.get(number, 0) + 1

        await asyncio.gather(*map(worker, range(16)))
        return came

    came = run(crowd(), late_s=0.003)
    assert min(came.values()) >= 0.8 * statistics.mean(came.values())


def test_a_thousand_cancelled_turns_are_neither_lost_nor_doubled() -> None:
    async def crowd() -> tuple[list[float], float]:
        loop = asyncio.get_running_loop()
        pacer = Pacer(50, clock=loop.time)
        sent: list[float] = []

        async def one() -> None:
            await pacer.take(DETAIL).come(asyncio.sleep)
            sent.append(loop.time())

        first = asyncio.create_task(one())
        doomed = [asyncio.create_task(one()) for _ in range(1000)]
        await asyncio.sleep(0)
        last = [asyncio.create_task(one()) for _ in range(50)]
        await asyncio.sleep(0.001)
        for task in doomed:
            task.cancel()
        began = loop.time()
        await asyncio.gather(first, *last)
        assert pacer.lane(DETAIL).waiting == 0
        return sent, began

    sent, began = run(crowd())
    assert len(sent) == 51
    # 51 turns at 49/s, and half a nap at most until those who sleep hear of it.
    assert sent[-1] - began <= 51 / 49 + 0.3
    assert min(b - a for a, b in itertools.pairwise(sent[1:])) >= 0.2 / 49


class TestRates:
    def lane(self, clock: Any, qps: float | None = 100) -> Lane:
        return Lane(qps, clock=clock)

    def refuse(self, lane: Lane, ban_s: float = 2.0) -> None:
        place = lane.take()
        lane.start(place)
        lane.refused(place, ban_s)

    def test_it_starts_a_little_under_the_published_rate(self, clock: Any) -> None:
        assert self.lane(clock).rate == 98

    def test_a_refusal_halves_and_the_rate_comes_back_slowly(self, clock: Any) -> None:
        lane = self.lane(clock)
        self.refuse(lane)
        assert lane.rate == 49
        clock.forward(2 + HOLD_S)
        assert lane.rate == 49
        clock.forward(20)
        assert lane.rate == pytest.approx(49 + 20 * 0.49)
        clock.forward(3600)
        assert lane.rate == 98

    def test_refusals_of_calls_that_were_under_way_halve_once(self, clock: Any) -> None:
        lane = self.lane(clock)
        places = [lane.take() for _ in range(4)]
        for place in places:
            lane.start(place)
        clock.forward(0.1)
        for place in places:
            lane.refused(place, 2)
        assert lane.rate == 49
        assert lane.refusals == 4
        clock.forward(3)
        self.refuse(lane)
        assert lane.rate == 24.5

    def test_a_climb_that_is_refused_takes_a_step_back_and_waits_longer(self, clock: Any) -> None:
        lane = self.lane(clock)
        self.refuse(lane)
        clock.forward(2 + HOLD_S + 20)
        climbed = lane.rate
        self.refuse(lane)
        assert lane.rate == pytest.approx(0.9 * climbed)
        clock.forward(2 + 2 * HOLD_S)
        assert lane.rate == pytest.approx(0.9 * climbed)

    def test_a_step_back_does_not_fall_below_what_was_good(self, clock: Any) -> None:
        lane = self.lane(clock)
        self.refuse(lane)
        clock.forward(2 + HOLD_S + 3)
        assert 50 < lane.rate < 51
        self.refuse(lane)
        assert lane.rate == 49

    def test_nothing_is_sent_before_a_ban_ends(self, clock: Any) -> None:
        lane = self.lane(clock)
        waiting = [lane.take() for _ in range(3)]
        self.refuse(lane, ban_s=6)
        assert [round(lane.left(place), 3) for place in waiting] == [
            6.0, pytest.approx(6 + 1 / 49, abs=1e-3), pytest.approx(6 + 2 / 49, abs=1e-3),
        ]  # fmt: skip
        assert lane.left(lane.take()) == pytest.approx(6 + 3 / 49)

    def test_an_app_has_no_rate_until_it_is_refused(self, clock: Any) -> None:
        pacer = Pacer(1000, clock=clock)
        for _ in range(40):
            turn = pacer.take(DETAIL)
            turn.wait(clock.forward)
        clock.forward(1)
        turn.refused(limit("AppCallLimit"))
        assert pacer.app_lane.rate == pytest.approx(40 / 1.04 / 2, rel=0.05)
        assert pacer.lane(DETAIL).rate == 980, "the method itself was not refused"
        assert pacer.take("aliexpress.ds.freight.query").left() == pytest.approx(2, abs=0.1)


class TestBans:
    def test_the_seconds_of_the_text_are_waited_out_and_one_more(self, clock: Any) -> None:
        pacer = Pacer(50, clock=clock)
        turn = pacer.take(DETAIL)
        turn.wait(clock.forward)
        assert turn.refused(limit(seconds=4)) == 5
        began = clock()
        assert pacer.take(DETAIL).wait(clock.forward) == pytest.approx(5)
        assert clock() - began == pytest.approx(5)

    @pytest.mark.parametrize(
        ("status", "text"),
        [
            (429, "{}"),
            (429, "<html><title>Too Many Requests</title></html>"),
            (200, '{"type":"ISV","code":"901","message":"The request is too frequent"}'),
        ],
    )
    def test_limits_without_a_number_ban_for_the_usual_second(
        self, clock: Any, status: int, text: str
    ) -> None:
        pacer = Pacer(50, clock=clock)
        turn = pacer.take(DETAIL)
        turn.wait(clock.forward)
        assert turn.refused(replies.read(status, text, DETAIL)) == 2
        assert turn.refused(replies.read(status, text, DETAIL), retry_after_s=7) == 8

    def test_a_long_ban_is_not_waited_out(self, clock: Any) -> None:
        pacer = Pacer(50, clock=clock)
        turn = pacer.take(DETAIL)
        turn.wait(clock.forward)
        turn.refused(limit("AppApiCallLimit", 14229))
        with pytest.raises(errors.RateLimited, match="banned for 14230 s, until 20") as caught:
            pacer.take(DETAIL).wait(clock.forward)
        assert caught.value.evidence["released_at"] == pytest.approx(time.time() + 14230, abs=2)
        assert pacer.lane(DETAIL).waiting == 0
        pacer.take("aliexpress.ds.freight.query").wait(clock.forward)


def test_threads_and_loops_share_one_schedule() -> None:
    pacer, sent, lock = Pacer(200), [], threading.Lock()

    def note() -> None:
        with lock:
            sent.append(time.monotonic())

    def in_thread() -> None:
        for _ in range(15):
            pacer.take(DETAIL).wait()
            note()

    async def several() -> None:
        async def one() -> None:
            for _ in range(15):
                await pacer.take(DETAIL).come()
                note()

        await asyncio.gather(one(), one())

    threads = [threading.Thread(target=in_thread) for _ in range(2)]
    threads += [threading.Thread(target=lambda: asyncio.run(several())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == 90
    assert 90 / 196 * 0.95 <= max(sent) - min(sent) <= 90 / 196 * 1.6


def test_one_pacer_an_app() -> None:
    assert pacer_of("h", "1") is pacer_of("h", "1")
    assert pacer_of("h", "1") is not pacer_of("h", "2")


def test_published_rates() -> None:
    assert published("aliexpress.ds.feed.itemids.get") == 3
    assert published(DETAIL) == 500
    assert published("no.such.method") == load("paging")["assumed"]["qps"]
