"""The list of requests that the inspector shows: bounded, ordered, listened to."""

import asyncio
import threading
from typing import Any

from alinb.gateway.exchanges import REMEMBERED, Exchange, Exchanges, Incoming, Outgoing

URL = "http://127.0.0.1/sync?method=aliexpress.affiliate.product.query&keywords=n{}"


def exchange(number: int, body: bytes = b"{}", **more: Any) -> Exchange:
    return Exchange(number, Incoming("GET", URL.format(number), at=5.0), 200, (), body, **more)


def test_the_latest_are_held_newest_first() -> None:
    held = Exchanges()
    for _ in range(REMEMBERED + 5):
        held.add(exchange(held.number()))
    assert len(held) == REMEMBERED == 500
    assert [each.number for each in held][:2] == [505, 504]
    assert [each.number for each in held][-1] == 6
    assert held.get(5) is None
    newest = held.get(505)
    assert newest is not None
    attempt = newest.attempt()
    assert (attempt.at, attempt.status, attempt.source) == (5.0, 200, "sandbox")
    assert attempt.params["keywords"] == "n505"


def test_bytes_are_bounded_too_but_the_latest_is_always_there() -> None:
    held = Exchanges(limit_bytes=1200)
    for number in range(10):
        held.add(exchange(number, b"x" * 300))
    assert [each.number for each in held] == [9, 8, 7]
    held.add(exchange(10, b"x" * 5000))
    assert [each.number for each in held] == [10]


def test_each_is_kept_where_somebody_keeps_them() -> None:
    kept: list[Exchange] = []
    held = Exchanges(limit=2, keep=kept.append)
    for number in range(5):
        held.add(exchange(number))
    assert [each.number for each in kept] == [0, 1, 2, 3, 4]
    held.clear()
    assert len(held) == 0


def test_who_watches_is_told_from_any_thread_and_until_the_close() -> None:
    held = Exchanges()

    async def watched() -> list[int]:
        counts = []
        async for changed in held.changes():
            assert changed
            counts.append(len(held))
            if len(held) == 3:
                held.close()
        return counts

    async def main() -> list[int]:
        watching = asyncio.create_task(watched())
        await asyncio.sleep(0.01)
        adding = threading.Thread(target=lambda: [held.add(exchange(n)) for n in (1, 2, 3)])
        adding.start()
        return await asyncio.wait_for(watching, 5)

    assert asyncio.run(main())[-1] == 3
    assert not held._listeners


def test_where_nothing_comes_a_watcher_is_told_that() -> None:
    held = Exchanges()

    async def main() -> bool:
        changes = held.changes(0.01)
        said = await anext(changes)
        await changes.aclose()
        return said

    assert asyncio.run(main()) is False
    held.add(exchange(1))


def test_numbers_are_each_given_once_to_many_threads() -> None:
    held, given = Exchanges(), []
    threads = [
        threading.Thread(target=lambda: given.extend(held.number() for _ in range(1000)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, 8001))


def test_an_answer_reads_its_own_json() -> None:
    assert Outgoing(200, b'{"code":"0"}').body == {"code": "0"}
