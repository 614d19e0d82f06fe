"""An access and refresh token with absolute expiry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..errors import TokenStoreError
from ..redact import Secret

#: The documented moment to refresh, in s before the access token ends (DS reference).
REFRESH_AHEAD_S = 1800

_NOT_KEPT = frozenset(
    {"access_token", "refresh_token", "expires_in", "expire_time", "refresh_expires_in",
     "refresh_token_valid_time", "code", "request_id", "_trace_id_", "type", "message"}
)  # fmt: skip
_STORED: Mapping[str, tuple[type, ...]] = {
    "access_token": (str,),
    "refresh_token": (str,),
    "expires_at": (int, float, type(None)),
    "refresh_expires_at": (int, float, type(None)),
    "refreshable": (bool,),
    "about": (dict,),
}
_PERSONAL = frozenset({"account", "user_nick", "email"})


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A pair of tokens. Times are epoch s; None where the platform did not say.

    `refreshable` is false where the platform answered `refresh_expires_in` 0. `about` holds the
    other fields of the reply: user and seller ids, account platform, country.
    """

    access_token: Secret
    refresh_token: Secret | None = None
    expires_at: float | None = None
    refresh_expires_at: float | None = None
    refreshable: bool = True
    about: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, data: Mapping[str, Any], now: float, before: Token | None = None) -> Token:
        """The token in a token endpoint's reply, received at `now` (epoch s).

        Figures come as numbers or as text; `expire_time` and `refresh_token_valid_time` (epoch ms)
        win over the relative `expires_in` and `refresh_expires_in` (s). `before` is the pair that
        was refreshed: the refresh token's clock does not restart with a refresh, so its end is
        kept where the reply does not state one. Source: AliExpress DS API reference.
        """
        access = str(data.get("access_token") or "")
        if not access:
            raise TokenStoreError(
                "There is no access_token in that reply.",
                next_step="Look at the attempt: the gateway may have answered something else.",
            )
        refresh = str(data.get("refresh_token") or "")
        left = _number(data.get("refresh_expires_in"))
        refresh_end = _end(data.get("refresh_token_valid_time"), left, now)
        if refresh_end is None and before is not None:
            refresh_end = before.refresh_expires_at
        about = {k: v for k, v in data.items() if k not in _NOT_KEPT and v not in (None, "")}
        return cls(
            access_token=Secret(access, "access_token"),
            refresh_token=Secret(refresh, "refresh_token") if refresh else None,
            expires_at=_end(data.get("expire_time"), _number(data.get("expires_in")), now),
            refresh_expires_at=refresh_end,
            refreshable=bool(refresh) and left != 0,
            about=about,
        )

    def expired(self, now: float) -> bool:
        return self.expires_at is not None and now >= self.expires_at

    def refresh_due(self, now: float, margin_s: float = REFRESH_AHEAD_S) -> bool:
        """Whether less than half an hour is left, the documented moment, or less than so many s."""
        return self.expires_at is not None and now >= self.expires_at - margin_s

    def can_refresh(self, now: float) -> bool:
        """Whether a refresh can work: it is not forbidden and the refresh token still lives."""
        end = self.refresh_expires_at
        return self.refreshable and (end is None or now < end)

    def as_stored(self) -> dict[str, Any]:
        """The pair as JSON in clear text, for a store to keep."""
        return {
            "access_token": self.access_token.reveal(),
            "refresh_token": self.refresh_token.reveal() if self.refresh_token else "",
            "expires_at": self.expires_at,
            "refresh_expires_at": self.refresh_expires_at,
            "refreshable": self.refreshable,
            "about": dict(self.about),
        }

    @classmethod
    def stored(cls, kept: Any) -> Token:
        """The pair that `as_stored` gave. Raises `ValueError` where it is none."""
        fits = isinstance(kept, dict) and all(
            isinstance(kept.get(name, ...), kinds) for name, kinds in _STORED.items()
        )
        if not fits:
            raise ValueError("it holds no token of alinb")
        refresh = kept["refresh_token"]
        return cls(
            access_token=Secret(kept["access_token"], "access_token"),
            refresh_token=Secret(refresh, "refresh_token") if refresh else None,
            expires_at=kept["expires_at"],
            refresh_expires_at=kept["refresh_expires_at"],
            refreshable=kept["refreshable"],
            about=kept["about"],
        )

    def as_dict(self, *, reveal: bool = False) -> dict[str, Any]:
        """The pair as JSON; masked, without e-mail and nickname, unless `reveal` is set."""
        shown = (
            self.about if reveal else {k: v for k, v in self.about.items() if k not in _PERSONAL}
        )
        refresh = self.refresh_token

        def show(secret: Secret) -> str:
            return secret.reveal() if reveal else repr(secret)

        return {
            "access_token": show(self.access_token),
            "refresh_token": show(refresh) if refresh else "",
            "expires_at": _iso(self.expires_at),
            "refresh_expires_at": _iso(self.refresh_expires_at),
            "refreshable": self.refreshable,
            **shown,
        }

    def __repr__(self) -> str:
        return f"<Token {self.access_token!r} until {_iso(self.expires_at) or 'unknown'}>"


def _number(value: Any) -> float | None:
    try:
        number = float(str(value).strip())
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _end(absolute_ms: Any, left_s: float | None, now: float) -> float | None:
    absolute = _number(absolute_ms)
    if absolute:
        return absolute / 1000
    return None if left_s is None or left_s == 0 else now + left_s


def _iso(moment: float | None) -> str:
    if moment is None or not 0 <= moment < 253_402_300_800:
        return ""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
