"""Pass requests on to one upstream byte for byte: the client of the proxy."""

from __future__ import annotations

from contextlib import aclosing
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from .client import TIMEOUT_S
from .errors import NoReply
from .exchange import url_of
from .receiving import what_broke


class Forwarder:
    """Sends requests to one upstream byte for byte, and gives its answers back the same way.

    No redirect is followed, no cookie kept, nothing unpacked. Raises `InputError` where the host of
    `base` is none.
    """

    def __init__(self, base: str, *, direct: bool, timeout: float = TIMEOUT_S) -> None:
        self._base = url_of(base)
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._http = httpx.AsyncClient(timeout=timeout, trust_env=not direct, cookies=no_cookies)
        self.close = self._http.aclose

    async def forward(
        self, method: str, target: bytes, headers: list[tuple[bytes, bytes]], body: bytes, most: int
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Status, headers and body as they came; `target` is path and query as the caller sent it.

        Raises `NoReply` where none came whole, or the body has more than `most` bytes.
        """
        # httpx would spell a target its own way, and every byte of it may be signed.
        how: dict[str, Any] = {"headers": headers, "extensions": {"target": target}}
        content = b""
        try:
            request = httpx.Request(method, self._base, content=body or None, **how)
            async with aclosing(await self._http.send(request, stream=True)) as answered:
                async for piece in answered.aiter_raw():
                    content += piece
                    if len(content) > most:
                        raise NoReply(f"the answer has more than {most:,} bytes")
        except httpx.HTTPError as error:
            raise NoReply(what_broke(error)) from None
        return answered.status_code, answered.headers.raw, content
