"""What the sandbox remembers: codes and tokens, with the lives the platform gives them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .switches import Switches

DAY_S = 86_400

#: Access and refresh token lives in s by app status (AliExpress DS API reference).
LIVES = {"test": (DAY_S, 2 * DAY_S), "online": (30 * DAY_S, 60 * DAY_S)}

#: The same of the relatives. Two Lazada pages disagree on a test app's refresh token (14 or 30
#: days); Daraz and Miravia publish none and share Lazada's platform; Alibaba.com by one client.
_OTHER_LIVES: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "lazada": {"test": (7 * DAY_S, 30 * DAY_S), "online": (30 * DAY_S, 180 * DAY_S)},
    "daraz": {"test": (7 * DAY_S, 30 * DAY_S), "online": (30 * DAY_S, 180 * DAY_S)},
    "miravia": {"test": (7 * DAY_S, 30 * DAY_S), "online": (30 * DAY_S, 180 * DAY_S)},
    "alibaba": {"test": (10 * DAY_S, 60 * DAY_S), "online": (10 * DAY_S, 60 * DAY_S)},
}

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"

_HOME = {"lazada": "sg", "daraz": "pk", "miravia": "ARISE_ES"}

#: Who may log in on the consent page, and what the platform calls that account.
ACCOUNTS = {"buyer": "buyerApp", "seller": "seller_center"}


def lives(platform: str, status: str) -> tuple[int, int]:
    """Access and refresh token lives in s of an app of this status on a platform."""
    return _OTHER_LIVES.get(platform.partition("-")[0], LIVES)[status]


@dataclass(frozen=True, slots=True)
class Grant:
    """A token pair that the sandbox gave out for `code`; times are epoch s."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: float
    refresh_expires_at: float
    account: str = "buyer"
    country: str = ""
    code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Code:
    ends: float
    account: str
    country: str


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
        platform: str = "aliexpress",
        switches: Switches | None = None,
    ) -> None:
        self._app_key = app_key
        self._platform = platform.partition("-")[0]
        self._region = platform.partition("-")[2]
        self._lives = lives(platform, status)
        self._code_seconds = code_seconds
        self._clock = clock
        self._random = random
        self._switches = switches or Switches()
        self._lock = threading.Lock()
        self._codes: dict[str, _Code] = {}
        self._by_access: dict[str, Grant] = {}
        self._by_refresh: dict[str, Grant] = {}

    def new_code(self, *, account: str = "buyer", country: str = "", app_key: str = "") -> str:
        """A fresh authorization code, in the shape seen live of its platform.

        `account` is buyer or seller; with another `app_key` it is a code that this app is refused.
        """
        # The leading digit's meaning is not known: 3 is seen on AliExpress, 0 on Lazada.
        first = "3" if self._platform in ("aliexpress", "top") else "0"
        code = f"{first}_{app_key or self._app_key}_{self._letters(22)}"
        now = self._clock()
        with self._lock:
            self._codes = {c: held for c, held in self._codes.items() if held.ends > now}
            if app_key in ("", self._app_key):
                self._codes[code] = _Code(now + self._code_seconds, account, country)
        return code

    def exchange(self, code: str) -> Grant | None:
        """The tokens for a code, or None where it is unknown, used or too old."""
        now = self._clock()
        with self._lock:
            held = self._codes.pop(code, None)
            if held is None and self._switches.replayed_code == "revokes":
                self._revoke(code)
            if held is None or held.ends <= now:
                return None
            self._forget_ended(now)
            first = Grant("", "", 0, now + self._lives[1], held.account, held.country, code)
            return self._renew(first, now)

    def refresh(self, refresh_token: str) -> Grant | None:
        """A new pair for a refresh token, or None where it is unknown or its clock has run out."""
        now = self._clock()
        with self._lock:
            held = self._by_refresh.get(refresh_token)
            if held is None or held.refresh_expires_at <= now:
                return None
            if self._switches.old_refresh == "refused":
                del self._by_refresh[refresh_token]
            if self._switches.old_access == "refused":
                self._by_access.pop(held.access_token, None)
            return self._renew(held, now)

    def accepts(self, access_token: str) -> bool:
        """Whether an access token is one of this app's, and still alive."""
        return self.grant(access_token) is not None

    def grant(self, access_token: str) -> Grant | None:
        """The pair that a living access token belongs to."""
        held = self._by_access.get(access_token)
        return held if held is not None and held.expires_at > self._clock() else None

    def end_access_tokens(self) -> None:
        """Let every access token end now; refresh tokens go on."""
        with self._lock:
            self._by_access.clear()

    def _renew(self, held: Grant, now: float) -> Grant:
        end = held.refresh_expires_at
        made = replace(
            held,
            access_token="50000" + self._letters(56),
            refresh_token="50001" + self._letters(56),
            expires_at=min(now + self._lives[0], end),
        )
        self._by_access[made.access_token] = self._by_refresh[made.refresh_token] = made
        return made

    def _revoke(self, code: str) -> None:
        for held in (self._by_access, self._by_refresh):
            for token in [token for token, grant in held.items() if grant.code == code]:
                del held[token]

    def _forget_ended(self, now: float) -> None:
        """A sandbox that runs for weeks does not keep what nobody can use."""
        for held in (self._by_access, self._by_refresh):
            for token in [t for t, grant in held.items() if grant.refresh_expires_at <= now]:
                del held[token]

    def _letters(self, count: int) -> str:
        return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in self._random(count))

    def user(self, grant: Grant | None) -> str:
        """The account's id behind a grant, "" for none."""
        if grant is None:
            return ""
        number = 2_000_000_000 + sum(self._app_key.encode()) * 7919
        return str(number + list(ACCOUNTS).index(grant.account))

    def reply(self, grant: Grant, *, kind: str = "create", secure: bool = False) -> dict[str, Any]:
        """The flat reply of a token endpoint, field by field as a live one.

        `kind` is create or refresh: Lazada names its list of shops otherwise in a refresh. The
        security/create reply lacks the account.
        """
        now = self._clock()
        return {
            "access_token": grant.access_token,
            "refresh_token": grant.refresh_token,
            "expires_in": round(grant.expires_at - now),
            "expire_time": round(grant.expires_at * 1000),
            "refresh_expires_in": round(grant.refresh_expires_at - now),
            "refresh_token_valid_time": round(grant.refresh_expires_at * 1000),
            **self._account(grant, kind, secure),
            "code": "0",
        }

    def _account(self, grant: Grant, kind: str, secure: bool) -> dict[str, Any]:
        user = self.user(grant)
        mail = f"sandbox{user}@example.com"
        if self._platform in ("lazada", "daraz", "miravia"):
            country = (
                grant.country or self._region or ("sg" if self._platform == "lazada" else "pk")
            )
            country = "ARISE_ES" if self._platform == "miravia" else country
            shop = {
                "country": country, "user_id": user, "seller_id": user,
                "short_code": f"SG{user[:6]}",
            }  # fmt: skip
            shops = "country_user_info" + ("_list" if kind == "refresh" else "")
            more = {} if self._platform == "miravia" else {shops: [shop]}
            return {
                "account": mail, "account_platform": "seller_center", "account_id": None,
                "country": country, **more,
            }  # fmt: skip
        if self._platform == "alibaba":
            return {"account": mail, "account_platform": "seller_center", "user_id": user}
        about = {"user_id": user, "seller_id": user, "sp": "ae", "locale": "zh_CN"}
        if secure:
            return about
        # A seller's live reply has account_id null, a buyer's none at all.
        seller = {"account_id": None} if grant.account == "seller" else {}
        return {
            **about, "user_nick": f"us{user}", "havana_id": user, "account": mail,
            "account_platform": ACCOUNTS[grant.account], **seller,
        }  # fmt: skip
