"""A pull by several app keys on the workers of a Dask cluster: one owner a key.

Worth it only where the quota of one key is not the bottleneck of one machine: below some thirty
busy keys a single process does the same in the same time, and a second machine on the same key adds
nothing but refusals. Each worker runs all its keys in one event loop, with a limiter of its own
for each, and writes part files that the caller brings together. A lost worker's keys are taken up
by another one, which goes on after the pages that are there.

Secrets travel to the workers: use a cluster of your own, over TLS where it is not on this machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any
from uuid import uuid4

from .. import errors
from ..client import AsyncClient, Client
from ..errors import AlinbError, InputError, MissingExtra
from .monitor import Monitor, Stats
from .plan import Plan
from .progress import Bar
from .shards import TICK_S, Sealed, Shard, run
from .store import PartStore

#: How long workers may take to come up, and to end after Ctrl-C, in s.
START_S, GRACE_S = 30.0, 10.0
#: The figures of several keys that add up to those of one pull.
_SUMMED = (
    "pages", "kept_pages", "records", "duplicates", "calls", "retries", "refusals", "refreshes",
    "under_way", "rate", "permitted", "waited_s", "banned_s",
)  # fmt: skip


@dataclass
class Cluster:
    """The caller's side: hands the shards out and brings back what became of them."""

    cluster: Any
    clients: Sequence[Client | AsyncClient]
    concurrency: int
    qps: float | None

    def __post_init__(self) -> None:
        keys = [client.app.key for client in self.clients]
        if len(set(keys)) < len(keys):
            raise InputError(
                "Two of the clients have the same app key.",
                next_step="A key has one owner: give each client an app of its own.",
            )
        if any(client.asgi is not None for client in self.clients):
            raise InputError(
                "Workers cannot reach a sandbox in this process.",
                next_step="Put it on a port first: sandbox.serve().",
            )

    def fill(
        self, plan: Plan, store: PartStore, monitor: Monitor, bar: Bar, refused: list[Any]
    ) -> None:
        """Fetch what is not held into the store's folder; raises what ended a key early."""
        dask, own = _dask(self.cluster)
        try:
            results = self._results(dask, plan, store, monitor, bar)
            monitor.show(_sum([result["stats"] for result in results]))
            bar.update(monitor.stats())
        finally:
            bar.close()
            store.load()
            if own:
                dask.close()
        for result in results:
            refused += result["refused"]
        failed = [result["error"] for result in results if result["error"]]
        if failed:
            kind = getattr(errors, failed[0]["kind"], AlinbError)
            raise kind(
                failed[0]["message"], next_step=failed[0]["next_step"], **failed[0]["evidence"]
            )

    def _results(
        self, dask: Any, plan: Plan, store: PartStore, monitor: Monitor, bar: Bar
    ) -> list[dict[str, Any]]:
        distributed = import_module("distributed")
        topic = f"alinb-pull-{uuid4().hex}"
        shards = self._shards(dask, plan, store.folder.name, topic)
        told: dict[str, list[Stats]] = {}

        def hear(event: tuple[float, Mapping[str, Any]]) -> None:
            said = event[1]
            told[said["shard"]] = [Stats(**stats) for stats in said["stats"]]

        dask.subscribe_topic(topic, hear)
        how = {"allow_other_workers": True, "pure": False, "retries": 1}
        futures = [
            dask.submit(run, shard, key=f"{topic}-{number}", workers=[worker], **how)
            for number, (worker, shard) in enumerate(shards)
        ]
        try:
            while True:
                try:
                    distributed.wait(futures, timeout=TICK_S)
                except TimeoutError:
                    monitor.show(_sum([s for stats in told.values() for s in stats]))
                    bar.update(monitor.stats())
                else:
                    return [result for part in dask.gather(futures) for result in part]
        except distributed.KilledWorker:
            raise AlinbError(
                "The workers were lost again and again.",
                next_step="Look at their logs; the pages that are there stay.",
            ) from None
        except BaseException:
            distributed.Event(topic, client=dask).set()
            with suppress(TimeoutError):
                distributed.wait(futures, timeout=GRACE_S)
            raise
        finally:
            # Whatever ended it: the old token of a key that was renewed is worth nothing any more.
            for future in futures:
                if future.status == "finished":
                    self._bring_home(future.result())
            dask.unsubscribe_topic(topic)

    def _bring_home(self, results: Sequence[Mapping[str, Any]]) -> None:
        """Keep the tokens that workers renewed."""
        known = {client.app.key: client for client in self.clients}
        for result in results:
            if result["renewed"] is not None and (token := result["renewed"].opened()):
                known[result["key"]].save_token(token)

    def _shards(self, dask: Any, plan: Plan, folder: str, topic: str) -> list[tuple[str, Shard]]:
        """The items dealt out to the keys, and the keys to the workers."""
        dask.wait_for_workers(1, timeout=START_S)
        workers = sorted(dask.scheduler_info(n_workers=-1)["workers"])
        share = len(self.clients)
        keys = [
            (Sealed.of(client), replace(plan, items=plan.items[number::share]))
            for number, client in enumerate(self.clients)
            if plan.items[number::share]
        ]
        return [
            (worker, Shard(tuple(mine), folder, self.concurrency, self.qps, topic))
            for number, worker in enumerate(workers)
            if (mine := keys[number :: len(workers)])
        ]


def is_local(cluster: Any) -> bool:
    """Whether all workers are on this machine, so that a folder of it is a folder of theirs."""
    dask, own = _dask(cluster)
    try:
        dask.wait_for_workers(1, timeout=START_S)
        addresses = list(dask.scheduler_info(n_workers=-1)["workers"])
    finally:
        if own:
            dask.close()
    return all("://127." in address or address.startswith("inproc") for address in addresses)


def _dask(cluster: Any) -> tuple[Any, bool]:
    """A Dask client for one, for a cluster, or for a scheduler's address; and whether it is new."""
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise MissingExtra(
            "A pull on a cluster needs Dask, which is not installed.",
            next_step='Install it: pip install "alinb[scale]".',
        ) from None
    if isinstance(cluster, distributed.Client):
        return cluster, False
    try:
        return distributed.Client(cluster, timeout=START_S, set_as_default=False), True
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"There is no Dask cluster at {cluster}: {str(error) or type(error).__name__}.",
            next_step="Give a dask client, a cluster, or the address of a scheduler.",
        ) from None


def _sum(all_stats: Sequence[Stats]) -> Stats:
    """The keys' figures as those of one pull."""
    if not all_stats:
        return Stats(state="running")
    summed: dict[str, Any] = {}
    for name in _SUMMED:
        summed[name] = sum(getattr(stats, name) for stats in all_stats)
    expected = [stats.expected_pages for stats in all_stats]
    left = [stats.remaining_s for stats in all_stats if stats.remaining_s is not None]
    states = {stats.state for stats in all_stats}
    ended = "done" if states == {"done"} else "stopped"
    return Stats(
        state=ended if states <= {"done", "stopped"} else "running",
        expected_pages=None if None in expected else sum(count or 0 for count in expected),
        elapsed_s=max(stats.elapsed_s for stats in all_stats),
        remaining_s=max(left, default=None),
        **summed,
    )
