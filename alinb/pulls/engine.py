"""A crew that fetches the pages of a plan, in one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import anyio

from ..client import AsyncClient
from ..errors import Refused
from ..pacing import Pacer
from ..session import check_token
from .fetch import Fetcher
from .frontier import Facts, Frontier, Task
from .monitor import Monitor
from .page import Page
from .plan import Plan

#: So many items refused, and none accepted, mean that the call itself is wrong.
HOPELESS = 5

Deliver: TypeAlias = "Callable[[Page], Awaitable[None] | None]"
Forget: TypeAlias = "Callable[[str], None]"


@dataclass
class Engine:
    """One run of a pull in an event loop, `concurrency` pages at a time.

    `keep` says which attempts the journal gets: problems (and the first page), all, or none.
    `refused` lists the items the gateway said no to, with code and message.
    """

    client: AsyncClient
    plan: Plan
    pacer: Pacer
    monitor: Monitor
    concurrency: int = 16
    keep: str = "problems"
    attempts: list[int] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)

    async def run(
        self,
        deliver: Deliver,
        held: Mapping[str, Mapping[int, Facts]] | None = None,
        limit: int | None = None,
        forget: Forget = lambda key: None,
    ) -> Frontier:
        """Fetch what is not held and hand over each page; raises what ends the pull early.

        `forget` is told of items whose held pages are of no use, for their cursor has run out.
        Ends early, too, when the monitor is told to stop; the frontier says whether it is finished.
        """
        frontier = self.frontier = Frontier(self.plan, held, limit)
        if frontier.has_more:
            asked = {**self.plan.params, **self.plan.items[0].params}
            check_token(self.client, asked, self.plan.name)
        self.monitor.begin(frontier, self.pacer.lane(self.plan.name))
        self.fetcher = Fetcher(
            self.client, self.plan, self.pacer, self.monitor, frontier, self.keep, self.attempts
        )
        self._sleeping: list[asyncio.Future[None]] = []
        self._error: BaseException | None = None
        loop = asyncio.get_running_loop()
        self.monitor.wake = lambda: loop.call_soon_threadsafe(self._changed)
        if self.keep != "none":
            await asyncio.to_thread(self.client.open_journal)
        # While imports and connections are cold, calls would bunch up: what sleeps is loaded now,
        # and the first page goes alone.
        await anyio.sleep(0)
        self._warm = asyncio.Event()
        crew = [
            asyncio.create_task(self._worker(deliver, forget, first=not number))
            for number in range(self.concurrency)
        ]
        try:
            await asyncio.gather(*crew)
        finally:
            self.monitor.wake = None
            for task in crew:
                task.cancel()
            await asyncio.gather(*crew, return_exceptions=True)
            self.monitor.end()
        if self._error is not None:
            raise self._error
        return frontier

    async def _worker(self, deliver: Deliver, forget: Forget, *, first: bool) -> None:
        """Fetches one page after the other, until there are none."""
        frontier, monitor = self.frontier, self.monitor
        if not first:
            await self._warm.wait()
        while not monitor.stopping.is_set():
            wanted = None if monitor.paused else frontier.take()
            while frontier.stale:
                forget(frontier.stale.pop())
            if wanted is not None:
                await self._one(wanted, deliver)
                self._warm.set()
                self._announce()
            elif frontier.finished:
                break
            else:
                await self._news()
        self._warm.set()
        self._announce()

    async def _one(self, wanted: Task, deliver: Deliver) -> None:
        try:
            page = await self.fetcher.page(wanted)
            handed = deliver(page)
            if handed is not None:
                await handed
        except asyncio.CancelledError:
            self.frontier.dropped(wanted)
            if not self.monitor.stopping.is_set():
                raise
        except Exception as error:
            self._failed(wanted, error)
        else:
            self.frontier.done(wanted, page.facts, page.digest)
            self.monitor.page()

    def _failed(self, wanted: Task, error: Exception) -> None:
        """A refused item among others is noted; everything else ends the pull."""
        if type(error) is Refused and len(self.plan.items) > 1:
            self.frontier.failed(wanted)
            said = {"code": error.code, "message": error.reply.decisive_message}
            self.refused.append({**wanted.item.shown_params(), **said})
            if self.frontier.pages or len(self.refused) < min(HOPELESS, len(self.plan.items)):
                return
        else:
            self.frontier.dropped(wanted)
        if self._error is None:
            self._error = error
        self.monitor.stop()

    async def _news(self) -> None:
        """Sleep until there may be a page to fetch."""
        waiting = asyncio.get_running_loop().create_future()
        self._sleeping.append(waiting)
        await waiting

    def _announce(self) -> None:
        """Wake whoever has something to do: one for the next page, everybody at the end."""
        if not self._sleeping:
            return
        over = self.frontier.finished or self.monitor.stopping.is_set()
        if not over and not self.frontier.has_more:
            return
        for waiting in self._sleeping if over else self._sleeping[:1]:
            if not waiting.done():
                waiting.set_result(None)
        self._sleeping = [] if over else self._sleeping[1:]

    def _changed(self) -> None:
        """The monitor was told to go on or to stop."""
        if self.monitor.stopping.is_set():
            self.fetcher.interrupt()
        self.fetcher.going.set()
        sleeping, self._sleeping = self._sleeping, []
        for waiting in sleeping:
            if not waiting.done():
                waiting.set_result(None)
