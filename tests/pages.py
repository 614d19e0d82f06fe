"""A gateway of pages on a port: as fast, as strict and as faulty as a test wants it.

It speaks HTTP/1.1 over a bare socket, so that it can break every rule of it. What it does not do is
check signatures: `alinb.sandbox` does.

    python -m tests.pages --total 1000 --qps 50 --latency-ms 50    prints its port, then serves
"""

import argparse
import asyncio
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from alinb import Client, Sandbox
from tests.virtual import Bucket

SEARCH, QUERY = "aliexpress.ds.text.search", "aliexpress.affiliate.product.query"
FEED, ORDERS = "aliexpress.ds.feed.itemids.get", "aliexpress.affiliate.order.listbyindex"
DETAIL, MATCH = "aliexpress.ds.product.get", "aliexpress.affiliate.product.smartmatch"

#: Faults that pass when the call is sent again, each with the bytes on the wire.
TRANSIENT = (
    "reset", "reset_after_headers", "cut", "not_http", "html_502", "http_503", "http_500",
    "no_json", "half_utf8", "empty_body", "a_list", "ServiceUnavailable", "ServiceTimeout",
    "isp.top-remote-connection-timeout", "top_10", "wrong_page", "repeated_page", "empty_page",
)  # fmt: skip
FIRST_ID = 1_005_000_000_000_000


class Pages:
    """`total` records by `size` at most a page; may be changed while it serves.

    `qps` is the quota of each app key. `fault(page, nth)` names what goes wrong with the nth
    request of a page. `token` is the access token that is taken, "" for any. `ban_s` is the number
    in a refusal.
    """

    def __init__(
        self,
        total: int = 1000,
        *,
        size: int = 50,
        latency_s: float = 0.0,
        qps: float = 0.0,
        burst: int = 2,
        ban_s: int = 1,
        fault: Callable[[int, int], str] | None = None,
        token: str = "",
        wide: bool = False,
    ) -> None:
        self.total, self.size, self.latency_s, self.qps, self.burst = (
            total,
            size,
            latency_s,
            qps,
            burst,
        )
        self.ban_s, self.fault, self.token = ban_s, fault, token
        self.limit_code = "ApiCallLimit"
        self.halve_after_s = 0.0
        self.asked: Counter[Any] = Counter()
        self.faults: Counter[str] = Counter()
        self.signatures: list[str] = []
        self.refreshes = 0
        self.buckets: dict[str, Bucket] = {}
        self.under_way = self.most_under_way = 0
        self._template = _template() if wide else None
        self.url = ""

    @property
    def refused(self) -> int:
        return sum(len(bucket.refused) for bucket in self.buckets.values())

    def bucket(self, app_key: str) -> Bucket:
        if app_key not in self.buckets:
            self.buckets[app_key] = Bucket(self.qps, self.burst)
        return self.buckets[app_key]

    def answer(self, path: str, params: dict[str, str]) -> tuple[int, bytes, str]:
        """Status, body, and the fault on the wire."""
        if path == "/figures":
            taken = [at for bucket in self.buckets.values() for at in bucket.taken]
            wall = max(taken) - min(taken) + self.latency_s if taken else 0.0
            return 200, json.dumps({"refused": self.refused, "wall_s": wall}).encode(), ""
        name = params.get("method") or path.removeprefix("/rest")
        self.signatures.append(params.get("sign", ""))
        if name == "/auth/token/refresh":
            return 200, self._refresh(), ""
        if self.token and self.token not in (params.get("session"), params.get("access_token")):
            return 200, _error("IllegalAccessToken"), ""
        page, body = getattr(self, f"_{name.split('.')[-2]}_{name.split('.')[-1]}")(params)
        self.asked[page] += 1
        fault = self.fault(page, self.asked[page]) if self.fault else ""
        self.faults[fault] += bool(fault)
        return self._faulty(fault, page, params, body)

    def _takes(self, app_key: str, now: float) -> bool:
        bucket = self.bucket(app_key)
        if self.halve_after_s and bucket.taken and now - bucket.taken[0] > self.halve_after_s:
            bucket.rate = self.qps / 2
        return bucket.takes(now)

    def _faulty(
        self, fault: str, page: int, params: dict[str, str], body: bytes
    ) -> tuple[int, bytes, str]:
        match fault:
            case "html_502":
                return 502, b"<html><head><title>502 Bad Gateway</title></head></html>", ""
            case "http_503":
                return 503, body, ""
            case "http_500":
                return 500, b"Internal Server Error", ""
            case "http_429":
                return 429, b"slow down", ""
            case "no_json":
                return 200, b"oops", ""
            case "half_utf8":
                return 200, body[:-2] + b"\xc3", ""
            case "empty_body":
                return 200, b"", ""
            case "a_list":
                return 200, b"[]", ""
            case "limit":
                return 200, self._limit(), ""
            case "long_ban":
                return 200, self._limit("AppApiCallLimit", 14229), ""
            case "top_10":
                return (
                    200,
                    b'{"error_response":{"code":10,"msg":"Service Currently Unavailable"}}',
                    "",
                )
            case "wrong_page" | "repeated_page":
                other = max(1, page - 1) if page > 1 else page + 1
                found = self.page(other, params)[1]
                if fault == "repeated_page":
                    found = found.replace(b'"pageIndex":%d,' % other, b'"pageIndex":%d,' % page)
                return 200, found, ""
            case "empty_page":
                return 200, self.page(page, params, rows=0)[1], ""
            case "reset" | "reset_after_headers" | "cut" | "not_http" | "":
                return 200, body, fault
            case _:
                return 200, _error(fault), ""

    def _limit(self, code: str = "", seconds: int | None = None) -> bytes:
        said = f"this ban will last {self.ban_s if seconds is None else seconds} seconds"
        return _error(code or self.limit_code, f"Api access frequency exceeds the limit. {said}")

    def _refresh(self) -> bytes:
        self.refreshes += 1
        self.token = f"new-access-token-{self.refreshes:03}"
        return json.dumps(
            {"access_token": self.token, "refresh_token": f"new-refresh-token-{self.refreshes:03}",
             "expires_in": 86400, "refresh_expires_in": 172800, "code": "0"}
        ).encode()  # fmt: skip

    def _text_search(self, params: dict[str, str]) -> tuple[int, bytes]:
        return self.page(int(params.get("pageIndex", "1")), params)

    def page(self, page: int, params: dict[str, str], rows: int | None = None) -> tuple[int, bytes]:
        """A page of a text search in its live shape."""
        size = min(int(params.get("pageSize", "20")), self.size)
        first = (page - 1) * size
        count = max(0, min(size, self.total - first)) if rows is None else rows
        records = b",".join(self._record(first + i, params) for i in range(count))
        products = b'"products":{"selection_search_product":[%s]},' % records if count else b""
        return page, (
            b'{"aliexpress_ds_text_search_response":{"code":"00","data":{%s"pageIndex":%d,'
            b'"pageSize":%d,"totalCount":%d},"request_id":"2101"}}'
            % (products, page, size, self.total)
        )

    def _record(self, number: int, params: dict[str, str]) -> bytes:
        identity = b"%d" % (FIRST_ID + number)
        if self._template is not None:
            return identity.join(self._template[number % len(self._template)])
        return (
            b'{"itemId":"%s","title":"%s %d","targetSalePrice":"%d.25",'
            b'"targetOriginalPriceCurrency":"USD"}'
            % (identity, params.get("keyWord", "lamp").encode(), number, number % 90)
        )

    def _product_query(self, params: dict[str, str]) -> tuple[int, bytes]:
        """A page of an affiliate search; past the end it is empty with code 405."""
        page, size = int(params["page_no"]), min(int(params.get("page_size", "20")), self.size)
        first = (page - 1) * size
        ids = range(first, min(first + size, self.total))
        result: dict[str, Any] = {"resp_code": 405, "resp_msg": "The result is empty"}
        if ids:
            result = {
                "resp_code": 200,
                "resp_msg": "ok",
                "result": {
                    "current_page_no": page,
                    "total_record_count": self.total,
                    "products": {"product": [{"product_id": FIRST_ID + i} for i in ids]},
                },
            }
        body = {"aliexpress_affiliate_product_query_response": {"resp_result": result}}
        return page, json.dumps(body).encode()

    def _product_smartmatch(self, params: dict[str, str]) -> tuple[int, bytes]:
        """No total and no page size, and the last page again for whoever asks beyond it."""
        page = min(int(params["page_no"]), -(-self.total // self.size))
        first = (page - 1) * self.size
        ids = range(first, min(first + self.size, self.total))
        result = {"products": {"product": [{"product_id": FIRST_ID + i} for i in ids]}}
        body = {"resp_result": {"resp_code": 200, "result": result}}
        root = "aliexpress_affiliate_product_smartmatch_response"
        return int(params["page_no"]), json.dumps({root: body}).encode()

    def _itemids_get(self, params: dict[str, str]) -> tuple[int, bytes]:
        """Ids by a cursor; `total` counts those that are left."""
        first = int(params.get("search_id", "0").removeprefix("s"))
        last = min(first + min(int(params.get("page_size", "200")), self.size), self.total)
        result = {
            "products": {"number": [FIRST_ID + i for i in range(first, last)]},
            "search_id": f"s{last}",
            "total": self.total - last,
        }
        body = {"result": result, "rsp_code": 200}
        return first, json.dumps({"aliexpress_ds_feed_itemids_get_response": body}).encode()

    def _order_listbyindex(self, params: dict[str, str]) -> tuple[int, bytes]:
        """Orders by an index; a page beyond the end is empty."""
        first = int(params.get("start_query_index_id", "0") or 0)
        last = min(first + self.size, self.total)
        orders = [
            {"order_id": 8_000_000_000_000_000 + i, "paid_amount": i} for i in range(first, last)
        ]
        result: dict[str, Any] = {"resp_code": 200, "result": {"orders": {"order": orders}}}
        if orders:
            result["result"]["max_query_index_id"] = str(last)
        root = "aliexpress_affiliate_order_listbyindex_response"
        return first, json.dumps({root: {"resp_result": result}}).encode()

    def _product_get(self, params: dict[str, str]) -> tuple[int, bytes]:
        number = int(params["product_id"])
        body: dict[str, Any] = {"rsp_code": 605, "rsp_msg": "ITEM_ID_NOT_FOUND"}
        if number > 0:
            info = {"product_id": number, "subject": f"thing {number}"}
            body = {"result": {"ae_item_base_info_dto": info}, "rsp_code": 200}
        return number, json.dumps({"aliexpress_ds_product_get_response": body}).encode()

    async def serve(self, started: Callable[[int], None], stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        started(server.sockets[0].getsockname()[1])
        async with server:
            await stop.wait()
            server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        line, *headers = head.decode("latin-1").split("\r\n")
        length = next((int(h[15:]) for h in headers if h.lower().startswith("content-length:")), 0)
        form = (await reader.readexactly(length)).decode()
        url = urlsplit(line.split()[1])
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        came = time.monotonic()
        params = dict(parse_qsl(f"{url.query}&{form}", keep_blank_values=True))
        # A gateway counts a call when it comes, and works on it after that.
        over = bool(self.qps and "app_key" in params) and not self._takes(params["app_key"], came)
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        status, body, fault = (200, self._limit(), "") if over else self.answer(url.path, params)
        self.under_way -= 1
        start = f"HTTP/1.1 {status} x\r\ncontent-length: {len(body)}\r\n"
        if status == 429:
            start += "retry-after: 1\r\n"
        match fault:
            case "reset":
                writer.transport.abort()
                return False
            case "reset_after_headers":
                writer.write(f"{start}\r\n".encode())
                await writer.drain()
                writer.transport.abort()
                return False
            case "cut":
                writer.write(f"{start}\r\n".encode() + body[: len(body) // 2])
                await writer.drain()
                return False
            case "not_http":
                writer.write(b"\x16\x03\x01 what?\r\n\r\n")
                return False
        writer.write(f"{start}\r\n".encode() + body)
        await writer.drain()
        return True


def _error(code: str, said: str = "no") -> bytes:
    body: dict[str, Any] = {"type": "ISV", "code": code, "msg": said, "request_id": "2101"}
    if "." in code:
        body |= {"code": "15", "msg": "Remote service error", "sub_code": code, "sub_msg": said}
    return json.dumps({"error_response": body}).encode()


def _template() -> list[list[bytes]]:
    """Products of the sandbox as bytes, split where their ids stand."""
    box = Sandbox(products=300)
    with Client(box, journal=False) as client:
        client.exchange(box.code())
        where = {"local": "en_US", "countryCode": "US", "currency": "USD"}
        reply = client.call(SEARCH, keyWord="", pageSize=50, **where)
    made = []
    for record in reply.payload["data"]["products"]["selection_search_product"]:
        text = json.dumps(record, ensure_ascii=False).encode()
        made.append(text.replace(record["itemId"].encode(), b"\0").split(b"\0"))
    return made


@contextmanager
def serving(pages: Pages) -> Iterator[Pages]:
    """On a port, from a thread; `pages.url` says where."""
    ready, ports = threading.Event(), []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    def started(port: int) -> None:
        ports.append(port)
        ready.set()

    thread = threading.Thread(
        target=lambda: loop.run_until_complete(pages.serve(started, stop)), daemon=True
    )
    thread.start()
    assert ready.wait(10)
    pages.url = f"http://127.0.0.1:{ports[0]}"
    try:
        yield pages
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--total", type=int, default=1000)
    options.add_argument("--qps", type=float, default=0)
    options.add_argument("--latency-ms", type=float, default=0)
    options.add_argument("--wide", action="store_true", help="whole products, about 1 KB each")
    options.add_argument("--halve-after", type=float, default=0, help="s after the first call")
    chosen = options.parse_args()
    pages = Pages(
        chosen.total, qps=chosen.qps, latency_s=chosen.latency_ms / 1000, wide=chosen.wide
    )
    pages.halve_after_s = chosen.halve_after
    with suppress(OSError):
        os.nice(-10)  # a gateway that is late itself sees calls bunch up
    asyncio.run(pages.serve(lambda port: print(port, flush=True), asyncio.Event()))


if __name__ == "__main__":
    main()
