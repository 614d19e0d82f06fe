"""What a store of tokens does, and the one that lives as long as the process."""

from __future__ import annotations

import threading
from typing import Protocol

from .claims import Claim, NoDrawer
from .pair import Token


class TokenStore(Protocol):
    """Where tokens are kept, one a (platform, app key).

    A store may have `claim(platform, app_key) -> Claim | None` besides: the right to renew one, so
    that of many who find an expired token one refreshes it. Other stores get one a process.
    """

    def load(self, platform: str, app_key: str) -> Token | None: ...
    def save(self, platform: str, app_key: str, token: Token) -> None: ...
    def forget(self, platform: str, app_key: str) -> bool: ...


class MemoryStore:
    """Tokens that live as long as the process."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, str], Token] = {}
        self._renewing: dict[tuple[str, str], threading.Lock] = {}

    def load(self, platform: str, app_key: str) -> Token | None:
        return self._tokens.get((platform, app_key))

    def save(self, platform: str, app_key: str, token: Token) -> None:
        self._tokens[platform, app_key] = token

    def forget(self, platform: str, app_key: str) -> bool:
        return self._tokens.pop((platform, app_key), None) is not None

    def claim(self, platform: str, app_key: str) -> Claim | None:
        """The right to renew a token; None while another thread or task has it."""
        lock = self._renewing.setdefault((platform, app_key), threading.Lock())
        return Claim(NoDrawer(), lock.release) if lock.acquire(blocking=False) else None
