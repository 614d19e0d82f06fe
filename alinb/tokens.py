"""An access and refresh token with absolute expiry, and the places that keep one."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from .errors import TokenStoreError
from .redact import Secret

#: The documented moment to refresh, in s before the access token ends (DS reference).
REFRESH_AHEAD_S = 1800

_NOT_KEPT = frozenset(
    {"access_token", "refresh_token", "expires_in", "expire_time", "refresh_expires_in",
     "refresh_token_valid_time", "code", "request_id", "_trace_id_", "type", "message"}
)  # fmt: skip
_KEPT: Mapping[str, tuple[type, ...]] = {
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

    def refresh_due(self, now: float) -> bool:
        """Whether less than half an hour is left, the documented moment to refresh."""
        return self.expires_at is not None and now >= self.expires_at - REFRESH_AHEAD_S

    def can_refresh(self, now: float) -> bool:
        """Whether a refresh can work: it is not forbidden and the refresh token still lives."""
        end = self.refresh_expires_at
        return self.refreshable and (end is None or now < end)

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


class TokenStore(Protocol):
    """Where tokens are kept, one a (platform, app key)."""

    def load(self, platform: str, app_key: str) -> Token | None: ...
    def save(self, platform: str, app_key: str, token: Token) -> None: ...
    def forget(self, platform: str, app_key: str) -> bool: ...


class MemoryStore:
    """Tokens that live as long as the process."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, str], Token] = {}

    def load(self, platform: str, app_key: str) -> Token | None:
        return self._tokens.get((platform, app_key))

    def save(self, platform: str, app_key: str, token: Token) -> None:
        self._tokens[platform, app_key] = token

    def forget(self, platform: str, app_key: str) -> bool:
        return self._tokens.pop((platform, app_key), None) is not None


def default_path() -> Path:
    """ALINB_TOKENS, else `tokens.json` in the user's data folder."""
    if chosen := os.environ.get("ALINB_TOKENS"):
        return Path(chosen)
    from platformdirs import user_data_dir

    return Path(user_data_dir("alinb", appauthor=False)) / "tokens.json"


class FileStore:
    """Tokens in one JSON file in clear text, mode 0600 from its creation, replaced atomically.

    Its folder is made with mode 0700. Raises `TokenStoreError` where the file is not one of ours,
    and leaves it as it is.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = Path(path).expanduser() if path is not None else default_path()

    def load(self, platform: str, app_key: str) -> Token | None:
        kept = self._read().get(f"{platform}:{app_key}")
        if kept is None:
            return None
        return Token(
            access_token=Secret(kept["access_token"], "access_token"),
            refresh_token=Secret(kept["refresh_token"], "refresh_token")
            if kept["refresh_token"]
            else None,
            expires_at=kept["expires_at"],
            refresh_expires_at=kept["refresh_expires_at"],
            refreshable=kept["refreshable"],
            about=kept["about"],
        )

    def save(self, platform: str, app_key: str, token: Token) -> None:
        tokens = self._read()
        tokens[f"{platform}:{app_key}"] = {
            "access_token": token.access_token.reveal(),
            "refresh_token": token.refresh_token.reveal() if token.refresh_token else "",
            "expires_at": token.expires_at,
            "refresh_expires_at": token.refresh_expires_at,
            "refreshable": token.refreshable,
            "about": dict(token.about),
        }
        self._write(tokens)

    def forget(self, platform: str, app_key: str) -> bool:
        tokens = self._read()
        if tokens.pop(f"{platform}:{app_key}", None) is None:
            return False
        self._write(tokens)
        return True

    def _read(self) -> dict[str, Any]:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise self._broken(str(error)) from None
        try:
            file = json.loads(text)
            tokens = file["tokens"]
            ours = "alinb" in file and all(
                isinstance(kept[name], kinds)
                for kept in tokens.values()
                for name, kinds in _KEPT.items()
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            ours = False
        if not ours:
            raise self._broken("it is not a token file of alinb") from None
        return dict(tokens)

    def open(self) -> None:
        """Raises `TokenStoreError` where a token could not be kept; nothing is changed."""
        self._read()
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path.parent):
                pass
        except OSError as error:
            raise self._unwritable(error) from None

    def _write(self, tokens: Mapping[str, Any]) -> None:
        text = json.dumps({"alinb": 1, "tokens": tokens}, indent=1)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkstemp creates with mode 0600 whatever the umask is.
            descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(name, self.path)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(name)
                raise
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> TokenStoreError:
        return TokenStoreError(
            f"The token file {self.path} cannot be written: {error.strerror}.",
            next_step="Choose another place with ALINB_TOKENS; the old file is untouched.",
        )

    def _broken(self, why: str) -> TokenStoreError:
        return TokenStoreError(
            f"The token file {self.path} cannot be used: {why}.",
            next_step="Move it away, or choose another place with ALINB_TOKENS.",
        )


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
