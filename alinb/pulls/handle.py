"""What `client.pull` gives: a pull to iterate, to frame, to write, to watch and to stop."""

from __future__ import annotations

import tempfile
from collections.abc import (
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..calls import Call
from ..client import AsyncClient, Client
from ..errors import InputError
from ..pacing import Pacer, pacer_of
from ..quiet import forget, quiet
from .cluster import Cluster, is_local
from .drive import Driver
from .engine import Engine
from .filing import command, into_file
from .folders import LocalFolder
from .monitor import Monitor, Stats
from .outcome import Pulled
from .page import Page
from .plan import Plan, make
from .progress import Progress, bar_of
from .rows import Rows, Seen
from .store import MemoryStore, PartStore, Store

KEEP = ("problems", "all", "none")
_OWN = (
    "over", "concurrency", "qps", "keep", "progress", "paging", "pacer", "cluster", "clients",
)  # fmt: skip


class Pull:
    """Every page of one method, for one set of parameters or many.

    Iterate it for `Page`s, also with `async for`; or take all at once with `frame()`,
    `to_parquet()`, `to_csv()`, `to_jsonl()`. `over` fans out: lists by parameter (all of their
    combinations), or a list of parameter dictionaries such as `date_windows(…)`. So many pages
    as `concurrency` says are under way at most; `qps` replaces the published rate. `keep` says
    which attempts the journal gets: problems and the first page, all, or none. `progress` is a
    function that is given `Stats`, True, False, or None for a bar where a person watches.
    `paging` says how an unknown method is paged.

    `cluster` is a Dask client, a cluster or a scheduler's address: then `clients`, each with an app
    key of its own, share the items with this one; see `alinb.pulls.cluster` for when that helps.

    `stats`, `history`, `pause()`, `go_on()` and `stop()` work from any thread while it runs. A sync
    method called inside a running loop blocks that loop, as any blocking call does; there use
    `async for`, or `await asyncio.to_thread(pull.frame)`.
    """

    @quiet
    def __init__(
        self,
        client: Client | AsyncClient,
        name: str | Call,
        params: Mapping[str, Any] | None = None,
        *,
        over: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]] | None = None,
        concurrency: int = 16,
        qps: float | None = None,
        keep: str = "problems",
        progress: Progress = None,
        paging: Mapping[str, Any] | str | None = None,
        pacer: Pacer | None = None,
        cluster: Any = None,
        clients: Sequence[Client | AsyncClient] = (),
    ) -> None:
        if keep not in KEEP or concurrency < 1 or (qps is not None and qps <= 0):
            raise InputError(
                f"keep={keep!r}, concurrency={concurrency}, qps={qps} cannot be.",
                next_step=f"keep is one of {', '.join(KEEP)}; the others are above 0.",
            )
        self.client = client
        self.plan: Plan = make(name, params or {}, over, paging)
        self.concurrency, self.keep, self.progress = concurrency, keep, progress
        self.pacer = pacer or pacer_of(client.app.platform.place, client.app.key)
        self.pacer.lane(self.plan.name, qps)
        self.monitor = Monitor()
        self.refused: list[dict[str, Any]] = []
        self.attempts: list[int] = []
        #: What the last `to_…` left, also where it ended early.
        self.pulled: Pulled | None = None
        self._memory: MemoryStore | PartStore = MemoryStore()
        self._driver = Driver(client, self._engine)
        self._cluster: Cluster | None = None
        if cluster is not None:
            self._cluster = Cluster(cluster, [client, *clients], concurrency, qps)
        elif clients:
            raise InputError(
                "More clients share a pull on a cluster only.",
                next_step="Give cluster=…, or pull with each client in turn.",
            )

    @property
    def stats(self) -> Stats:
        return self.monitor.stats()

    @property
    def history(self) -> list[tuple[float, float, float, int]]:
        """(s since the start, calls a second achieved, permitted, refusals), once a second."""
        return self.monitor.history

    def pause(self) -> None:
        """Send nothing more until `go_on()`."""
        self.monitor.pause()

    def go_on(self) -> None:
        self.monitor.go_on()

    def stop(self) -> None:
        """End the pull as it is; what is under way still comes in."""
        self.monitor.stop()

    def __iter__(self) -> Iterator[Page]:
        """The pages as they come, each record once."""
        if self._cluster is not None:
            raise InputError(
                "A pull on a cluster has no pages to look at.",
                next_step="Take its frame(), or write it to a file.",
            )
        self.monitor.ready()
        return self._once(self._driver.pages(None))

    async def __aiter__(self) -> AsyncIterator[Page]:
        """The same in the running loop."""
        self.monitor.ready()
        fresh = self._fresh()
        try:
            async for page in self._driver.apages(None):
                yield fresh(page)
        except BaseException as error:
            forget(error)
            raise

    def records(self) -> Iterator[Any]:
        """The records one by one, as the replies have them, each once."""
        for page in self:
            yield from page.records

    @quiet
    def frame(self, limit: int | None = None) -> Any:
        """All records, or the first `limit`, as a pandas DataFrame.

        After Ctrl-C or an error `so_far()` gives what came, and `frame()` goes on from there.
        `attrs` names the method, the parameters without secrets, the kept attempts and the time.
        """
        if self._cluster is not None:
            return self._frame_of_cluster(self._cluster, limit)
        self._run(self._memory, limit)
        return self.so_far(limit)

    @quiet
    def so_far(self, limit: int | None = None) -> Any:
        """What `frame()` has fetched until now, as a DataFrame."""
        rows = Rows(self.plan, self._memory, limit)
        table = rows.frame()
        table.attrs |= self.about() | {"duplicates": rows.duplicates}
        return table

    def to_parquet(self, path: str | Path, **how: Any) -> Pulled:
        """All records into a Parquet file (zstd), with `about()` in its metadata; see `to_file`."""
        return self.to_file(_ending(path, ".parquet"), **how)

    def to_csv(self, path: str | Path, **how: Any) -> Pulled:
        """All records into a CSV file with the columns of the frame; see `to_file`."""
        return self.to_file(_ending(path, ".csv"), **how)

    def to_jsonl(self, path: str | Path, **how: Any) -> Pulled:
        """All records into JSON Lines, as the replies have them; see `to_file`."""
        return self.to_file(_ending(path, ".jsonl"), **how)

    @quiet
    def to_file(self, path: str | Path, *, limit: int | None = None, fresh: bool = False) -> Pulled:
        """All records, or the first `limit`, into a file named by its ending.

        Pages are kept beside it in `<path>.parts` until it is whole: killed, banned or stopped, the
        same call goes on where it was; `fresh` starts anew. Raises `InputError` where the path
        cannot be written, before anything is sent; `RateLimited` with the time of release where a
        ban is too long to wait for; whatever ends a pull early, after the file was written with
        what came.
        """
        return into_file(self, path, lambda store: self._run(store, limit), limit, fresh)

    def about(self) -> dict[str, Any]:
        """What was asked, when, and which attempts tell more; no secret is in it."""
        return {
            "method": self.plan.name,
            "params": self.plan.shown_params(),
            "over": sorted({name for item in self.plan.items for name in item.params}),
            "items": len(self.plan.items),
            "attempt_ids": list(self.attempts),
            "pulled_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "pages": self.stats.pages,
            "refused": len(self.refused),
        }

    def command(self, path: str | Path) -> str:
        """The command that does, or goes on with, this pull into a file; it shows no secret."""
        return command(self.plan, path)

    def _engine(self, client: AsyncClient) -> Engine:
        self.refused, self.attempts = [], []
        return Engine(
            client, self.plan, self.pacer, self.monitor, self.concurrency, self.keep,
            self.attempts, self.refused,
        )  # fmt: skip

    def _run(self, store: Store, limit: int | None) -> None:
        self.monitor.ready()
        bar = bar_of(self.progress, self.plan.name)
        if self._cluster is None:
            self._driver.fill(store, bar, limit)
            return
        if limit is not None or not isinstance(store, PartStore):
            raise InputError(
                "A pull on a cluster has no limit.", next_step="Fan out over fewer items."
            )
        self.refused = []
        self._cluster.fill(self.plan, store, self.monitor, bar, self.refused)

    def _frame_of_cluster(self, cluster: Cluster, limit: int | None) -> Any:
        if not is_local(cluster.cluster):
            raise InputError(
                "The workers are on other machines.",
                next_step="Name a file that all of them reach: to_parquet('s3://…').",
            )
        with tempfile.TemporaryDirectory(prefix="alinb-") as folder:
            self._memory = PartStore(LocalFolder(Path(folder)), self.plan)
            try:
                self._run(self._memory, limit)
                return self.so_far()
            finally:
                self._memory.release()
                self._memory = MemoryStore()

    def _fresh(self) -> Callable[[Page], Page]:
        """Takes the records out of a page that came before in the same item."""
        seen: dict[str, Seen] = {}

        def fresh(page: Page) -> Page:
            known = seen.get(page.key)
            if known is None:
                known = seen[page.key] = Seen()
            records = known.fresh(page.records, page.keys)
            if records is page.records:
                return page
            self.monitor.count("duplicates", len(page.records) - len(records))
            return replace(page, records=records)

        return fresh

    def _once(self, pages: Generator[Page]) -> Iterator[Page]:
        fresh = self._fresh()
        try:
            with closing(pages):
                yield from map(fresh, pages)
        except BaseException as error:
            forget(error)
            raise

    def __repr__(self) -> str:
        many = f" over {len(self.plan.items)} items" if len(self.plan.items) > 1 else ""
        return f"<Pull {self.plan.name}{many} {self.stats.state}>"


@quiet
def pull(client: Client | AsyncClient, name: str | Call, /, **how: Any) -> Pull:
    """A pull of a method: `client.pull` for those who hold a client; see `Pull`.

    Names of `Pull`'s own arguments are taken by it, all others are the method's parameters.
    """
    own = {key: how.pop(key) for key in _OWN if key in how}
    return Pull(client, name, how, **own)


def _ending(path: str | Path, suffix: str) -> str:
    return str(path) if str(path).lower().endswith(suffix) else f"{path}{suffix}"
