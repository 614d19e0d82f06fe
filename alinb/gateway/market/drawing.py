"""Figures that look random and are the same on every machine, Python version and run."""

from __future__ import annotations

import hashlib
import json

#: JSON text as the platform nests it in a field: no blanks, letters as they are.
as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Draw:
    """A series of small numbers from one text."""

    __slots__ = ("_pool",)

    def __init__(self, text: str) -> None:
        self._pool = int.from_bytes(hashlib.blake2b(text.encode()).digest(), "big")

    def below(self, limit: int) -> int:
        self._pool, value = divmod(self._pool, limit)
        return value


def drawn(text: str, limit: int) -> int:
    """One number below `limit` from a text."""
    digest = hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % limit


def name_of(text: str) -> str:
    """32 hex digits that stand for a text, as the names of pictures and short links do."""
    return hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


def half_up(number: int, divisor: int) -> int:
    return (2 * number + divisor) // (2 * divisor)
