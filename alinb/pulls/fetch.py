"""One page: its turn, its signature, its token, and what is done where it comes wrong."""

from __future__ import annotations

import asyncio
import logging
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import stamina

from ..calls import Call
from ..client import AsyncClient
from ..errors import AlinbError, TokenRefused
from ..exchange import Answer
from ..pacing import LONG_BAN_S, Pacer, Turn, banned
from ..replies import Reply
from ..retries import policy, worth_another
from ..signing import Signed
from ..tokens import Token
from .frontier import AGAIN, Facts, Frontier, Task
from .monitor import Monitor
from .page import Page
from .plan import Found, Plan

#: An answer of so many bytes is read in a thread, so that the loop goes on granting turns; below
#: that the change of threads takes longer than the reading.
READ_ASIDE = 128 * 1024
#: So many refusals of one page for too many calls are enough.
MOST_LIMITS = 30

_repeating: ContextVar[bool] = ContextVar("alinb_repeating", default=False)


class _Quiet(logging.Filter):
    """A pull counts its repeats and says so; stamina need not warn of each of them."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not _repeating.get()


logging.getLogger("stamina").addFilter(_Quiet())


@dataclass
class Fetcher:
    """Fetches pages for a crew; `attempts` collects the numbers of the attempts that are kept."""

    client: AsyncClient
    plan: Plan
    pacer: Pacer
    monitor: Monitor
    frontier: Frontier
    keep: str
    attempts: list[int]

    def __post_init__(self) -> None:
        self._idle: set[asyncio.Task[Any]] = set()
        self._refreshing = asyncio.Lock()
        self.going = asyncio.Event()

    def interrupt(self) -> None:
        """Cancel those who wait for a turn or pause before another try; nothing is under way."""
        for task in list(self._idle):
            task.cancel()

    async def page(self, task: Task) -> Page:
        """A page, sent again where that is safe and of use. Raises what cannot be helped."""
        try:
            return await self._page(task)
        finally:
            self._work()  # a worker that pauses no more is not to be cancelled for it

    async def _page(self, task: Task) -> Page:
        call = self.plan.call(task.item, task.part, task.cursor)
        try:
            return await self._once(task, call)
        except AlinbError as error:
            if not worth_another(error, call):
                raise
            failed: AlinbError | None = error
        _repeating.set(True)
        async for attempt in stamina.retry_context(**policy(call)):
            with attempt:
                if failed is not None:
                    # The first try was made outside: it costs less where nothing fails.
                    before, failed = failed, None
                    self._rest()
                    raise before
                self._ask_on()
                self.monitor.count("retries")
                try:
                    return await self._once(task, call)
                except AlinbError:
                    self._rest()
                    raise
        raise AssertionError("stamina raises the last error")

    async def _once(self, task: Task, call: Call) -> Page:
        """One page, with the limits that are waited out and the token that is renewed."""
        again: dict[str, int] = {}
        limits = refreshed = 0
        while True:
            answer, reply, token = await self._exchange(call)
            if answer.status == 429 or reply.is_limit:
                limits += 1
                if limits > MOST_LIMITS:
                    reply.raise_for_refusal()
                continue
            try:
                reply.raise_for_refusal()
            except TokenRefused:
                if refreshed > 1 or not await self._renew(token):
                    raise
                refreshed += 1
                continue
            found = self.plan.paging.found(reply)
            page = self._read(task, found, answer, reply)
            doubt = self.frontier.suspect(task, page.facts, page.digest, found.stated)
            if not doubt:
                return page
            again[doubt] = again.get(doubt, 0) + 1
            if again[doubt] > AGAIN[doubt]:
                if doubt == "another page":
                    # It insists on another page than was asked for: this one does not exist.
                    return self._read(task, found._replace(records=[], next=""), answer, reply)
                return page
            self.monitor.count("retries")

    async def _exchange(self, call: Call) -> tuple[Answer, Reply, Token | None]:
        turn = await self._turn(call.name)
        token = self.client.token
        if token is not None and token.expired(self.client.clock()) and await self._renew(token):
            token = self.client.token
        signed = self.client.signed(call, {})
        answer = await self.client.fetch(signed)
        if len(answer.content) < READ_ASIDE:
            reply = answer.read(signed)
        else:
            reply = await asyncio.to_thread(answer.read, signed)
        if answer.status == 429 or reply.is_limit:
            reply = await self._kept(signed, answer, reply)
            ban = turn.refused(reply, answer.retry_after_s)
            self.monitor.refused(ban)
            if ban > LONG_BAN_S:
                raise banned(call.name, ban, reply)
        elif self.keep == "all" or (self.keep == "problems" and not (reply.ok and self.attempts)):
            reply = await self._kept(signed, answer, reply)
        return answer, reply, token

    async def _turn(self, name: str) -> Turn:
        """A turn that has come; whoever waits for one while the pull is paused gives it back."""
        self._rest()
        waited = None
        while waited is None:
            self._ask_on()
            while self.monitor.paused:
                self.going.clear()
                if self.monitor.paused:
                    await self.going.wait()
            turn = self.pacer.take(name)
            waited = await turn.come(unless=lambda: self.monitor.paused)
        self.monitor.sent(waited)
        self._work()
        return turn

    async def _kept(self, signed: Signed, answer: Answer, reply: Reply) -> Reply:
        if self.keep == "none":
            return reply
        reply = await self.client.keep(signed, answer, reply)
        if reply.attempt_id is not None:
            self.attempts.append(reply.attempt_id)
        return reply

    async def _renew(self, refused: Token | None) -> bool:
        """A new token, once for everybody whose calls the old one went along with."""
        if refused is None or refused.refresh_token is None:
            return False
        if not refused.can_refresh(self.client.clock()):
            return False
        async with self._refreshing:
            if self.client.token == refused:
                await self.client.refresh()
                self.monitor.count("refreshes")
        return True

    def _read(self, task: Task, found: Found, answer: Answer, reply: Reply) -> Page:
        facts = Facts(len(found.records), found.total, found.next, time.time())
        keys, digest = None, None
        if found.records and self.plan.paging.kind != "none":
            keys = self.plan.paging.keys(found.records)
            digest = hash(repr(found.records) if keys is None else tuple(keys))
        return Page(
            task.item.params, task.part, found.records, facts, reply, task.item.key,
            answer.content, keys, digest,
        )  # fmt: skip

    def _ask_on(self) -> None:
        """Ends this task where the pull was stopped while its last call was under way."""
        if self.monitor.stopping.is_set():
            raise asyncio.CancelledError

    def _rest(self) -> None:
        """This task waits for its turn or pauses: stopping the pull may cancel it."""
        task = asyncio.current_task()
        if task is not None:
            self._idle.add(task)

    def _work(self) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._idle.discard(task)
