"""Runs an engine: in the event loop one is in, or on a loop of its own for everybody else.

A notebook's cells run inside a loop already, so the sync methods of a pull use a thread. The thread
that called stays free: it draws the bar, and Ctrl-C reaches it at once.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextlib import suppress
from typing import Any

from ..client import AsyncClient, Client
from .engine import Engine
from .page import Page
from .progress import Bar
from .store import Store

#: How often the bar is drawn, in s.
TICK_S = 0.2
#: How long the pages under way may take to come in after Ctrl-C, in s.
GRACE_S = 3.0
#: So many pages may wait to be looked at before no more are fetched.
AHEAD = 64


class Driver:
    """One run of an engine for a client; `engine` is made by the function with an async client."""

    def __init__(
        self, client: Client | AsyncClient, engine: Callable[[AsyncClient], Engine]
    ) -> None:
        self.client, self.make = client, engine

    def fill(
        self,
        store: Store,
        bar: Bar,
        limit: int | None,
    ) -> Engine:
        """Fetch everything in a thread; a second Ctrl-C does not wait for what is under way.

        Whatever else a bar raises ends the pull like Ctrl-C.
        """
        made: list[Engine] = []

        async def run() -> None:
            async with AsyncClient.beside(self.client) as client:
                made.append(self.make(client))
                await made[0].run(store.add, store.held.facts(), limit, store.forget)

        thread = _Thread(run())
        thread.start()
        try:
            while not thread.ended(TICK_S):
                if made:
                    bar.update(made[0].monitor.stats())
            if made:
                bar.update(made[0].monitor.stats())
        except BaseException:
            if made:
                made[0].monitor.stop()
            with suppress(KeyboardInterrupt):
                thread.ended(GRACE_S)
            thread.cancel()
            thread.ended()
            raise
        finally:
            bar.close()
        thread.result()
        return made[0]

    def pages(self, limit: int | None) -> Generator[Page]:
        """The pages as they come; who stops looking stops the fetching."""
        inbox: queue.Queue[Page | None] = queue.Queue()
        made: list[Engine] = []

        async def deliver(page: Page) -> None:
            inbox.put(page)
            while inbox.qsize() > AHEAD and not made[0].monitor.stopping.is_set():
                await asyncio.sleep(0.01)

        async def run() -> None:
            try:
                async with AsyncClient.beside(self.client) as client:
                    made.append(self.make(client))
                    await made[0].run(deliver, None, limit)
            finally:
                inbox.put(None)

        thread = _Thread(run())
        thread.start()
        try:
            while (page := inbox.get()) is not None:
                yield page
            thread.ended()
            thread.result()
        finally:
            if made:
                made[0].monitor.stop()
            thread.ended(GRACE_S)
            thread.cancel()
            thread.ended()

    async def apages(self, limit: int | None) -> AsyncIterator[Page]:
        """The same in the running loop, by the async client itself where there is one."""
        inbox: asyncio.Queue[Page | None] = asyncio.Queue(AHEAD)
        own = isinstance(self.client, AsyncClient)
        client = self.client if isinstance(self.client, AsyncClient) else None
        client = client or AsyncClient.beside(self.client)
        engine = self.make(client)

        async def run() -> None:
            try:
                await engine.run(inbox.put, None, limit)
            finally:
                await inbox.put(None)

        task = asyncio.create_task(run())
        try:
            while (page := await inbox.get()) is not None:
                yield page
            await task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
            if not own:
                await client.close()


class _Thread(threading.Thread):
    """A coroutine on a loop of its own; `result` raises what it raised."""

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        super().__init__(name="alinb-pull", daemon=True)
        self._coroutine = coroutine
        # Not `join`: interrupted by Ctrl-C, it takes a thread that runs for one that has ended
        # (Python 3.11), and what it still writes would meet what is written after it.
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def run(self) -> None:
        async def main() -> None:
            self._loop = asyncio.get_running_loop()
            self._task = asyncio.current_task()
            await self._coroutine

        try:
            asyncio.run(main())
        except BaseException as error:
            self._error = error
        finally:
            self._over.set()

    def ended(self, timeout: float | None = None) -> bool:
        """Wait for the end, so many s at most; whether it has come."""
        return self._over.wait(timeout)

    def cancel(self) -> None:
        loop, task = self._loop, self._task
        if loop is not None and task is not None and not self._over.is_set():
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)

    def result(self) -> None:
        if self._error is not None:
            raise self._error
