"""A pair of tokens, the places that keep one, and the right to renew it."""

from __future__ import annotations

import os

from .claims import Claim, claim_of
from .file import FileStore, default_path
from .keyrings import KeyringStore
from .pair import REFRESH_AHEAD_S, Token
from .stores import MemoryStore, TokenStore

__all__ = [
    "REFRESH_AHEAD_S",
    "Claim",
    "FileStore",
    "KeyringStore",
    "MemoryStore",
    "Token",
    "TokenStore",
    "claim_of",
    "default_path",
    "default_store",
]


def default_store(*, keyring: bool = False) -> TokenStore:
    """The system's keyring where it is asked for or ALINB_TOKENS says `keyring`, else a file.

    The file is the one ALINB_TOKENS names, else `tokens.json` in the user's data folder. Raises
    `MissingExtra` or `TokenStoreError` where there is no keyring that is safe.
    """
    if keyring or os.environ.get("ALINB_TOKENS") == "keyring":
        return KeyringStore()
    return FileStore()
