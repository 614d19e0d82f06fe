"""One process that fetches pages and prints the CPU it took: `python -m tests.benchmarks.carrier`.

bare      the transport alone: signed-looking posts, whole bodies, no JSON
json      the same with the JSON read, as whoever pulls by hand would
alinb     the same pages as a pull: signed, paced, read, judged, told apart
Each over httpx, or over the fast transport; `plain` is httpx without the help of sniffio.
"""

import asyncio
import json
import os
import sys
import time
from urllib.parse import urlencode

#: Pages fetched before the clock starts: connections, imports and caches are there then.
WARM_UP = 60
IN_FLIGHT = 8
SEARCH = "aliexpress.ds.text.search"
PARAMS = {"keyWord": "x", "local": "en_US", "countryCode": "US", "currency": "USD"}


async def bare(url: str, pages: int, fast: bool, read: bool = False) -> float:
    import httpx

    transport = None
    if fast:
        from httpx_aiohttp import AiohttpTransport

        transport = AiohttpTransport()
    common = {"method": SEARCH, "app_key": "1", "timestamp": "1777306720082", "sign": "A" * 64}
    async with httpx.AsyncClient(transport=transport, trust_env=False) as client:
        numbers = iter(range(1, pages + WARM_UP + 1))
        began: list[float] = []

        async def worker() -> None:
            for number in numbers:
                if number == WARM_UP:
                    began.append(time.process_time())
                form = {**PARAMS, "pageIndex": str(number), "pageSize": "50"}
                response = await client.post(f"{url}/sync?{urlencode(common)}", data=form)
                assert len(response.content) > 20_000
                if read:
                    assert response.json()

        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
        return time.process_time() - began[0]


async def pulled(url: str, pages: int, fast: bool) -> float:
    from alinb import App, AsyncClient, Platform, Token
    from alinb.pacing import Pacer
    from alinb.redact import Secret

    os.environ["ALINB_TRANSPORT"] = "fast" if fast else "httpx"
    app = App("1", "a-secret", Platform.named("aliexpress").at(url))
    client = AsyncClient(app, journal=False, token=Token(Secret("5" * 60, "access_token")))
    pull = client.pull(SEARCH, concurrency=IN_FLIGHT, keep="none", pacer=Pacer(1e6), **PARAMS)
    began, count = 0.0, 0
    async for page in pull:
        count += 1
        assert len(page) == 50
        if count == WARM_UP:
            began = time.process_time()
        if count == pages + WARM_UP:
            break
    took = time.process_time() - began
    await client.close()
    return took


def main() -> None:
    what, how, url, pages = sys.argv[1:5]
    fast, count = how == "fast", int(pages)
    run = pulled(url, count, fast) if what == "alinb" else bare(url, count, fast, what == "json")
    print(json.dumps(asyncio.run(run)))


if __name__ == "__main__":
    main()
