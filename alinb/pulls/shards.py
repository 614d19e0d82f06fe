"""What a worker of a cluster does: its app keys, each with the items that are its own."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from uuid import uuid4

from ..app import App, Platform
from ..client import AsyncClient, Client
from ..errors import AlinbError
from ..pacing import pacer_of
from ..redact import Secret
from ..tokens import Token
from .engine import Engine
from .folders import folder_of
from .monitor import Monitor
from .plan import Plan
from .store import PartStore

#: How often the workers say how they are doing, and listen whether they are to stop, in s.
TICK_S = 0.5


@dataclass(frozen=True, repr=False)
class Sealed:
    """An app and its token on the way to a worker; what Dask logs of it shows neither."""

    key: str
    secret: str
    platform: Platform
    token: tuple[str, str, float | None, float | None, bool] | None = None

    @classmethod
    def of(cls, client: Client | AsyncClient) -> Sealed:
        app, held = client.app, client.token
        return cls(
            app.key, app.secret.reveal(), app.platform, None if held is None else _open(held)
        )

    def client(self) -> AsyncClient:
        app = App(self.key, self.secret, self.platform)
        return AsyncClient(app, journal=False, token=self.opened())

    def opened(self) -> Token | None:
        if self.token is None:
            return None
        access, refresh, ends, refresh_ends, refreshable = self.token
        second = Secret(refresh, "refresh_token") if refresh else None
        return Token(Secret(access, "access_token"), second, ends, refresh_ends, refreshable)

    def __repr__(self) -> str:
        return f"<Sealed app {self.key}>"


@dataclass(frozen=True, repr=False)
class Shard:
    """The work of one worker: its keys, each with the items that are its own."""

    keys: tuple[tuple[Sealed, Plan], ...]
    folder: str
    concurrency: int
    qps: float | None
    topic: str

    def __repr__(self) -> str:
        return f"<Shard of {len(self.keys)} app keys into {self.folder}>"


def run(shard: Shard) -> list[dict[str, Any]]:
    """What a worker does: every key of its shard, at the same time."""

    async def all_of_them() -> list[dict[str, Any]]:
        # Whatever blocks the loop is done before the first turn is granted.
        distributed = import_module("distributed")
        worker, over = distributed.get_worker(), distributed.Event(shard.topic)
        over.is_set()
        monitors = [Monitor() for _ in shard.keys]
        pulls = [
            _Pull(shard, sealed, plan, monitor, sealed.client())
            for (sealed, plan), monitor in zip(shard.keys, monitors, strict=True)
        ]
        # A full collection in a process with all of Dask's objects holds everybody up for so long
        # that calls bunch up after it; the next one is due when there are many more objects.
        gc.collect()
        teller = asyncio.create_task(_tell(shard, monitors, worker, over))
        try:
            return await asyncio.gather(*(pull.run() for pull in pulls))
        finally:
            teller.cancel()

    return asyncio.run(all_of_them())


@dataclass
class _Pull:
    """One key's items."""

    shard: Shard
    sealed: Sealed
    plan: Plan
    monitor: Monitor
    client: AsyncClient

    def __post_init__(self) -> None:
        stem = f"part-{self.sealed.key}-{uuid4().hex[:8]}"
        self.store = PartStore(folder_of(self.shard.folder), self.plan, stem=stem)

    async def run(self) -> dict[str, Any]:
        """Pull; an error comes back as data, since its evidence would not survive otherwise."""
        pacer = pacer_of(self.sealed.platform.place, self.sealed.key)
        pacer.lane(self.plan.name, self.shard.qps)
        failed: dict[str, Any] | None = None
        async with self.client as client:
            crew = self.shard.concurrency
            engine = Engine(client, self.plan, pacer, self.monitor, crew, keep="none")
            try:
                await engine.run(self.store.add, self.store.held.facts(), None, self.store.forget)
            except AlinbError as error:
                failed = {
                    "kind": type(error).__name__, "message": error.message,
                    "next_step": error.next_step,
                    "evidence": {k: v for k, v in error.evidence.items() if k != "reply"},
                }  # fmt: skip
            finally:
                self.store.close()
            new = client.token
        unchanged = new is None or _open(new) == self.sealed.token
        return {
            "key": self.sealed.key, "error": failed, "refused": engine.refused,
            "renewed": None if unchanged else Sealed.of(client), "stats": self.monitor.stats(),
        }  # fmt: skip


async def _tell(shard: Shard, monitors: Sequence[Monitor], worker: Any, over: Any) -> None:
    """Tell the caller how the shard is doing, and stop where it says so."""
    name = shard.keys[0][0].key
    while True:
        await asyncio.sleep(TICK_S)
        stats = [monitor.stats() for monitor in monitors]
        worker.log_event(shard.topic, {"shard": name, "stats": [s.as_dict() for s in stats]})
        if await asyncio.to_thread(over.is_set):
            for monitor in monitors:
                monitor.stop()


def _open(token: Token) -> tuple[str, str, float | None, float | None, bool]:
    refresh = token.refresh_token.reveal() if token.refresh_token else ""
    return (
        token.access_token.reveal(), refresh, token.expires_at, token.refresh_expires_at,
        token.refreshable,
    )  # fmt: skip
