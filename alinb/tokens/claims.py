"""The right to renew one token, and what came back kept before anything else is done with it."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Protocol, Self

from .. import files, replies
from ..errors import (
    AlinbError,
    CodeRefused,
    InputError,
    JournalError,
    NoReply,
    Refused,
    TokenRefused,
    TokenStoreError,
)
from ..quiet import quiet
from ..redact import Secret
from .pair import Token

#: How long one waits for another that renews the same token, in s.
CLAIM_S = 60.0
#: The pause between two looks, in s.
LOOK_S = 0.01


class Drawer(Protocol):
    """Where a reply with new tokens lies from its arrival until its tokens are in the store."""

    def prepare(self, spent: str) -> None:
        """Make room before the request is sent, and keep that what has this digest is being spent.

        Raises `TokenStoreError` where there is no room.
        """

    def put(self, reply: BytesIO) -> None:
        """Keep a reply so that it outlives the process.

        It comes in a buffer, which a traceback that shows values does not show the inside of.
        """

    def unsent(self) -> None:
        """The request never left this machine."""

    def settle(self) -> None:
        """Bring what lies there into the store, and clear it.

        Where no reply came to a request that may have left, that is kept until `answered`.
        """

    def unanswered(self, spent: str) -> float | None:
        """When (epoch s) a request without a known answer began to spend what has this digest."""

    def answered(self) -> None:
        """A pair has come: what is kept of requests without an answer is of no use any more."""


class NoDrawer:
    """For a store that does not outlive the process either."""

    def prepare(self, spent: str) -> None: ...
    def put(self, reply: BytesIO) -> None: ...
    def unsent(self) -> None: ...
    def settle(self) -> None: ...
    def unanswered(self, spent: str) -> None: ...
    def answered(self) -> None: ...


class Claim:
    """The right to renew a token, held by one at a time; its end lets the next one in.

    `spending` goes around the request, `receive` right after the reply: from there on the new
    refresh token survives whatever happens to the process.
    """

    def __init__(self, drawer: Drawer, release: Callable[[], None]) -> None:
        self._drawer, self._release = drawer, release

    @contextmanager
    def spending(self, secret: Secret) -> Iterator[None]:
        """Around the request that spends a code or a refresh token.

        A process that is killed between the request and its reply loses the new pair, which nobody
        can help. That it may have been spent is kept before, so that a later refusal says so.
        Raises `TokenStoreError` before anything is spent where there is no room for the reply.
        """
        digest = _digest(secret)
        before = self._drawer.unanswered(digest)
        self._drawer.prepare(digest)
        try:
            yield
        except (NoReply, InputError) as error:
            if not error.evidence.get("connected", isinstance(error, JournalError)):
                self._drawer.unsent()
            raise
        except (CodeRefused, TokenRefused) as error:
            if before is not None:
                _tell(error, secret.kind, before)
            raise
        self._drawer.answered()

    def receive(self, reply: BytesIO) -> None:
        """Keep the reply as it came."""
        self._drawer.put(reply)

    def close(self) -> None:
        """Bring what was received into the store, and let the next one in."""
        try:
            self._drawer.settle()
        finally:
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


def _digest(secret: Secret) -> str:
    """Enough to know it again, and no help in finding it."""
    return hashlib.sha256(secret.reveal().encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _tell(error: Refused, kind: str, began: float) -> None:
    at = datetime.fromtimestamp(began, UTC).isoformat(" ", "seconds").removesuffix("+00:00")
    error.message += (
        f" The same {kind.replace('_', ' ')} may have been spent at {at} UTC: that request was "
        "begun, and the program ended or the line broke before its answer was kept."
    )
    error.next_step = (
        "What it gave is lost: open the consent page again and exchange a new code; "
        "alinb token url begins the way."
    )
    error.evidence["spent_before"] = began


def granted(drawer: Drawer, lock: files.Lock) -> Claim | None:
    """The claim of who takes the lock, once what a predecessor received is in the store.

    None where another has the lock; raises `OSError` where its file cannot be made.
    """
    if not lock.take():
        return None
    try:
        drawer.settle()
    except BaseException:
        lock.release()
        raise
    return Claim(drawer, lock.release)


class Recovering:
    """A store that brings in what one who died had received before it is read or written."""

    @quiet
    def load(self, platform: str, app_key: str) -> Token | None:
        self._recover(platform, app_key)
        return self._load(platform, app_key)

    @quiet
    def save(self, platform: str, app_key: str, token: Token) -> None:
        self._recover(platform, app_key)
        self._save(platform, app_key, token)

    def _recover(self, platform: str, app_key: str) -> None:
        """While the receiver lives, it sees to that itself."""
        if self._left_behind(platform, app_key):
            claim = self.claim(platform, app_key)
            if claim is not None:
                claim.close()

    def claim(self, platform: str, app_key: str) -> Claim | None:
        raise NotImplementedError

    def _left_behind(self, platform: str, app_key: str) -> bool:
        raise NotImplementedError

    def _load(self, platform: str, app_key: str) -> Token | None:
        raise NotImplementedError

    def _save(self, platform: str, app_key: str, token: Token) -> None:
        raise NotImplementedError


def claim_of(store: Any, platform: str, app_key: str) -> Claim | None:
    """The claim of any store; one that has none of its own is guarded within this process."""
    if hasattr(store, "claim"):
        found: Claim | None = store.claim(platform, app_key)
        return found
    with _guarding:
        lock = _guards.setdefault((platform, app_key), threading.Lock())
    return Claim(NoDrawer(), lock.release) if lock.acquire(blocking=False) else None


_guards: dict[tuple[str, str], threading.Lock] = {}
_guarding = threading.Lock()


class Waiting:
    """Looks of one who waits for a claim: `claim()` gives None until it is time to sleep on."""

    def __init__(self, look: Callable[[], Claim | None]) -> None:
        self._look = look
        self._deadline = time.monotonic() + CLAIM_S

    def claim(self) -> Claim | None:
        """The claim, or None where another look is due in `LOOK_S`.

        Raises `TokenStoreError` when it has taken too long.
        """
        found = self._look()
        if found is None and time.monotonic() > self._deadline:
            raise TokenStoreError(
                f"Another process has been renewing this token for {CLAIM_S:.0f} s.",
                next_step="See what it waits for; nothing was sent and nothing was changed.",
            )
        return found


def tokens_in(reply: bytes, at: float, before: Token | None) -> Token | None:
    """The pair in a reply that was received at `at`, epoch s; None where it holds none."""
    try:
        return Token.read(replies.read(200, reply, "/auth/token/refresh").payload, at, before)
    except (AlinbError, AttributeError, TypeError):
        return None
