"""Tokens bought and renewed, sync and async: one request on this machine, whoever needs it."""

from __future__ import annotations

import time

import anyio

from . import oauth
from .calls import Call
from .quiet import quiet, quiet_async
from .redact import Secret
from .replies import Reply
from .session import Session, code_of
from .signing import Signed
from .tokens import REFRESH_AHEAD_S, Claim, Token
from .tokens.claims import LOOK_S


class Renewing(Session):
    """The OAuth steps of the sync client."""

    def _send(self, signed: Signed, claim: Claim | None = None) -> Reply:
        raise NotImplementedError

    @quiet
    def exchange(self, code: str | Secret | oauth.Callback) -> Token:
        """Trade an authorization code for a token pair, once: a code is never sent twice.

        Takes a code or what `parse_callback` gave. Raises `CodeRefused`, `SignatureRefused`, …
        """
        spent = code_of(code)
        with self._claimed() as claim:
            return self._spend(oauth.exchange_call(spent), claim, spent)

    @quiet
    def refresh(self, token: Token | None = None) -> Token:
        """A new pair for the one held; the refresh token's own clock goes on as before."""
        with self._claimed() as claim:
            held, refresh_token = self.refreshable(token)
            return self._spend(oauth.refresh_call(refresh_token), claim, refresh_token, held)

    @quiet
    def valid_token(self, margin_s: float = REFRESH_AHEAD_S) -> Token:
        """The token that is held, refreshed first where less than `margin_s` (s) is left of it.

        Of all threads and processes that share the store, one refreshes and the others get what it
        got. A token that cannot be refreshed is given as long as it lives. Raises `InputError`
        where none is held or it has ended for good.
        """
        held, due = self.lasting(margin_s)
        return self.refresh_once(held) if due else held

    @quiet
    def refresh_once(self, used: Token | None = None) -> Token:
        """A newer pair than `used`, such as one that was refused: refreshed at most once.

        Where another thread or process has renewed it in the meantime, no request is made.
        """
        used = used or self.token
        with self._claimed() as claim:
            if newer := self.renewed(used):
                return newer
            held, refresh_token = self.refreshable(None if self.token else used)
            return self._spend(oauth.refresh_call(refresh_token), claim, refresh_token, held)

    def _claimed(self) -> Claim:
        waiting = self.waiting()
        while (claim := waiting.claim()) is None:
            time.sleep(LOOK_S)
        return claim

    def _spend(self, call: Call, claim: Claim, spent: Secret, before: Token | None = None) -> Token:
        with claim.spending(spent):
            return self.new_token(self._send(self.signed(call, {}), claim), before)


class AsyncRenewing(Session):
    """The OAuth steps of the async client."""

    async def _send(self, signed: Signed, claim: Claim | None = None) -> Reply:
        raise NotImplementedError

    @quiet_async
    async def exchange(self, code: str | Secret | oauth.Callback) -> Token:
        """Trade an authorization code for a token pair, once; see `Client.exchange`."""
        spent = code_of(code)
        with await self._claimed() as claim:
            return await self._spend(oauth.exchange_call(spent), claim, spent)

    @quiet_async
    async def refresh(self, token: Token | None = None) -> Token:
        """A new pair for the one held; see `Client.refresh`."""
        with await self._claimed() as claim:
            held, refresh_token = self.refreshable(token)
            return await self._spend(oauth.refresh_call(refresh_token), claim, refresh_token, held)

    @quiet_async
    async def valid_token(self, margin_s: float = REFRESH_AHEAD_S) -> Token:
        """The token that is held, refreshed first where it is about to end; as in `Client`."""
        held, due = self.lasting(margin_s)
        return await self.refresh_once(held) if due else held

    @quiet_async
    async def refresh_once(self, used: Token | None = None) -> Token:
        """A newer pair than `used`, refreshed at most once; see `Client.refresh_once`."""
        used = used or self.token
        with await self._claimed() as claim:
            if newer := self.renewed(used):
                return newer
            held, refresh_token = self.refreshable(None if self.token else used)
            return await self._spend(oauth.refresh_call(refresh_token), claim, refresh_token, held)

    async def _claimed(self) -> Claim:
        waiting = self.waiting()
        while (claim := waiting.claim()) is None:
            await anyio.sleep(LOOK_S)
        return claim

    async def _spend(
        self, call: Call, claim: Claim, spent: Secret, before: Token | None = None
    ) -> Token:
        with claim.spending(spent):
            return self.new_token(await self._send(self.signed(call, {}), claim), before)
