"""What the sandbox remembers: codes and tokens, with the lives the platform gives them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

DAY_S = 86_400

#: Access and refresh token lives in s by app status (AliExpress DS API reference).
LIVES = {"test": (DAY_S, 2 * DAY_S), "online": (30 * DAY_S, 60 * DAY_S)}

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Grant:
    """A token pair that the sandbox gave out; times are epoch s."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float
    refresh_expires_at: float


class State:
    """Authorization codes and token pairs of one app; safe to use from several threads.

    `random` gives that many random bytes. A code lives `code_seconds` and works once; a refresh
    gives a new pair, and the refresh token's clock goes on where it was.
    """

    def __init__(
        self,
        app_key: str,
        *,
        status: str,
        code_seconds: int,
        clock: Callable[[], float],
        random: Callable[[int], bytes],
    ) -> None:
        self._app_key = app_key
        self._lives = LIVES[status]
        self._code_seconds = code_seconds
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._codes: dict[str, float] = {}
        self._by_access: dict[str, Grant] = {}
        self._by_refresh: dict[str, Grant] = {}

    def new_code(self) -> str:
        """A fresh authorization code in the shape seen live: `3_<app key>_<letters and digits>`."""
        code = f"3_{self._app_key}_{self._letters(22)}"
        now = self._clock()
        with self._lock:
            self._codes = {c: end for c, end in self._codes.items() if end > now}
            self._codes[code] = now + self._code_seconds
        return code

    def exchange(self, code: str) -> Grant | None:
        """The tokens for a code, or None where it is unknown, used or too old."""
        now = self._clock()
        with self._lock:
            if self._codes.pop(code, 0.0) <= now:
                return None
            return self._grant(now, now + self._lives[1])

    def refresh(self, refresh_token: str) -> Grant | None:
        """A new pair for a refresh token, or None where it is unknown or its clock has run out."""
        now = self._clock()
        with self._lock:
            held = self._by_refresh.get(refresh_token)
            if held is None or held.refresh_expires_at <= now:
                return None
            del self._by_refresh[refresh_token]
            self._by_access.pop(held.access_token, None)
            return self._grant(now, held.refresh_expires_at)

    def accepts(self, access_token: str) -> bool:
        held = self._by_access.get(access_token)
        return held is not None and held.expires_at > self._clock()

    def _grant(self, now: float, refresh_end: float) -> Grant:
        made = Grant(
            access_token="50000" + self._letters(56),
            refresh_token="50001" + self._letters(56),
            expires_at=min(now + self._lives[0], refresh_end),
            refresh_expires_at=refresh_end,
        )
        self._by_access[made.access_token] = self._by_refresh[made.refresh_token] = made
        return made

    def _letters(self, count: int) -> str:
        return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in self._random(count))

    def reply(self, grant: Grant, *, secure: bool = False) -> dict[str, Any]:
        """The flat reply of a token endpoint, field by field as a live one."""
        now = self._clock()
        user = str(2_000_000_000 + sum(self._app_key.encode()) * 7919)
        account = {
            "user_nick": f"us{user}", "havana_id": user, "account": f"sandbox{user}@example.com",
            "account_platform": "buyerApp",
        }  # fmt: skip
        return {
            "access_token": grant.access_token,
            "refresh_token": grant.refresh_token,
            "expires_in": round(grant.expires_at - now),
            "expire_time": round(grant.expires_at * 1000),
            "refresh_expires_in": round(grant.refresh_expires_at - now),
            "refresh_token_valid_time": round(grant.refresh_expires_at * 1000),
            "user_id": user,
            "seller_id": user,
            **({} if secure else account),
            "sp": "ae",
            "locale": "zh_CN",
            "code": "0",
        }
