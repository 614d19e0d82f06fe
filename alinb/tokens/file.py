"""Tokens in one JSON file for its owner alone."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from .. import files
from ..errors import TokenStoreError
from .claims import Claim, Recovering, granted, tokens_in
from .pair import Token

#: The room made for a reply before its request is sent; token replies take less than 2 kB.
ROOM = 16 * 1024
#: How long one waits for another who writes the file, in s; a write takes some ms.
WRITE_S = 30.0


def default_path() -> Path:
    """ALINB_TOKENS, else `tokens.json` in the user's data folder."""
    if chosen := os.environ.get("ALINB_TOKENS"):
        return Path(chosen)
    from platformdirs import user_data_dir

    return Path(user_data_dir("alinb", appauthor=False)) / "tokens.json"


class FileStore(Recovering):
    """Tokens in one JSON file in clear text, mode 0600 from its creation, replaced atomically.

    Its folder is made with mode 0700. Any number of threads and processes may use it at once. A
    reply with new tokens is kept beside it until they are in it, so that a process that dies in
    between loses none. Raises `TokenStoreError` where the file is not one of ours, and leaves it as
    it is.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = Path(path).expanduser() if path is not None else default_path()

    def forget(self, platform: str, app_key: str) -> bool:
        if self.load(platform, app_key) is None:
            return False
        self._change(lambda tokens: tokens.pop(_name(platform, app_key), None))
        return True

    def claim(self, platform: str, app_key: str) -> Claim | None:
        """The right to renew a token; None while another thread or process has it.

        Whoever gets it finds what a predecessor that died had received already in the store.
        Raises `TokenStoreError` where the folder takes no file.
        """
        drawer = self._drawer(platform, app_key)
        try:
            files.private_folder(self.path.parent)
            return granted(drawer, files.Lock(drawer.path.with_suffix(".lock")))
        except OSError as error:
            raise self._unwritable(error) from None

    def open(self) -> None:
        """Raises `TokenStoreError` where a token could not be kept; no token is changed."""
        self._read()
        try:
            self._lock().release()
        except OSError as error:
            raise self._unwritable(error) from None

    def _left_behind(self, platform: str, app_key: str) -> bool:
        return self._drawer(platform, app_key).path.exists()

    def _save(self, platform: str, app_key: str, token: Token) -> None:
        self._change(lambda tokens: tokens.update({_name(platform, app_key): token.as_stored()}))

    def _load(self, platform: str, app_key: str) -> Token | None:
        kept = self._read().get(_name(platform, app_key))
        return None if kept is None else Token.stored(kept)

    def _drawer(self, platform: str, app_key: str) -> _FileDrawer:
        # Names of platforms can be URLs, which are no names of files.
        digest = hashlib.sha256(_name(platform, app_key).encode()).hexdigest()[:12]
        path = self.path.with_name(f".{self.path.name}.{digest}.reply")
        return _FileDrawer(self, path, platform, app_key)

    # What holds tokens in clear text is left before an error is raised: a traceback that shows
    # values would show them.

    def _read(self) -> dict[str, Any]:
        tokens, why = None, "it is not a token file of alinb"
        try:
            tokens = self._tokens()
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            why = str(error)
        if tokens is None:
            raise self._broken(why)
        return tokens

    def _tokens(self) -> dict[str, Any] | None:
        """What is in the file; None where it is not one of ours."""
        text = self.path.read_text(encoding="utf-8")
        try:
            file = json.loads(text)
            tokens: dict[str, Any] = file["tokens"]
            for kept in tokens.values():
                Token.stored(kept)
            return tokens if "alinb" in file else None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def _change(self, change: Callable[[dict[str, Any]], object]) -> None:
        self._read()  # a file that is not ours gets no lock beside it
        try:
            with self._lock():
                self._rewrite(change)
        except OSError as error:
            raise self._unwritable(error) from None

    def _rewrite(self, change: Callable[[dict[str, Any]], object]) -> None:
        tokens = self._read()
        change(tokens)
        files.replace(self.path, json.dumps({"alinb": 1, "tokens": tokens}, indent=1).encode())

    def _lock(self) -> files.Lock:
        files.private_folder(self.path.parent)
        lock = files.Lock(self.path.with_name(f".{self.path.name}.lock"))
        lock.wait(WRITE_S)
        return lock

    def _unwritable(self, error: OSError) -> TokenStoreError:
        return TokenStoreError(
            f"The token file {self.path} cannot be written: {error.strerror or error}.",
            next_step="Choose another place with ALINB_TOKENS; the old file is untouched.",
        )

    def _broken(self, why: str) -> TokenStoreError:
        return TokenStoreError(
            f"The token file {self.path} cannot be used: {why}.",
            next_step="Move it away, or choose another place with ALINB_TOKENS.",
        )


class _FileDrawer:
    """A file beside the tokens: a line that says when its request began, then the reply.

    The line of a request without a reply goes on as a file of its own, `.unanswered`.
    """

    def __init__(self, store: FileStore, path: Path, platform: str, app_key: str) -> None:
        self._store, self.path = store, path
        self._platform, self._app_key = platform, app_key
        self._descriptor: int | None = None
        self._note = path.with_suffix(".unanswered")
        self._sent = True

    def prepare(self, spent: str) -> None:
        about = {"alinb": 1, "at": time.time(), "spent": spent}
        head = json.dumps(about).encode() + b"\n"
        try:
            self._descriptor = files.private_file(self.path, os.O_TRUNC)
            os.write(self._descriptor, head)
            if hasattr(os, "posix_fallocate"):  # a disk that fills up takes no token along
                os.posix_fallocate(self._descriptor, len(head), ROOM)
            os.fsync(self._descriptor)
            files.sync_folder(self.path.parent)
        except OSError as error:
            self._clear()
            raise self._store._unwritable(error) from None

    def put(self, reply: BytesIO) -> None:
        if self._descriptor is not None:
            os.write(self._descriptor, reply.getbuffer())
            os.fsync(self._descriptor)

    def unsent(self) -> None:
        self._sent = False

    def settle(self) -> None:
        token = self._token()
        if token is not None:
            self._store._save(self._platform, self._app_key, token)
        self._clear()

    def unanswered(self, spent: str) -> float | None:
        try:
            head = self._note.read_bytes()
        except OSError:
            return None
        return _began(head) if spent and spent.encode() in head else None

    def answered(self) -> None:
        with suppress(OSError):  # an old note must not hide that the call went well
            self._note.unlink()

    def _token(self) -> Token | None:
        """The pair in the reply, where it is another than the one in the store."""
        try:
            head, _, rest = self.path.read_bytes().partition(b"\n")
        except FileNotFoundError:
            return None
        reply = rest.rstrip(b"\0")
        if not reply and head and self._sent:
            with suppress(OSError):  # a full disk must not hide what has happened
                files.replace(self._note, head)
        held = self._store._load(self._platform, self._app_key)
        found = tokens_in(reply, _began(head), held)
        return None if found and held and found.access_token == held.access_token else found

    def _clear(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        with suppress(FileNotFoundError):
            self.path.unlink()


def _began(head: bytes) -> float:
    try:
        found: Mapping[str, Any] = json.loads(head)
        return float(found["at"])
    except (ValueError, KeyError, TypeError):
        return time.time()


def _name(platform: str, app_key: str) -> str:
    return f"{platform}:{app_key}"
