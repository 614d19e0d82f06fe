"""The records of a pull in their order, each once, and the frames they make in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .. import frames, replies
from ..replies import Reply
from .plan import Item, Plan
from .store import Store

#: So many records make one frame: enough to be worth its overhead, few enough for the memory.
BATCH = 5000
#: So many hashes, and less than a batch more, are sorted into one array: one array of all would be
#: there twice whenever it grows, and many small ones would all have to be searched.
RUN = 100_000
#: What a column that names the item of a row is called: the parameter behind this word.
ASKED = "asked_"


class Seen:
    """Keys that came before, as 64-bit hashes in sorted arrays: 8 bytes a record.

    Two of a million keys share a hash once in 37 million such pulls.
    """

    def __init__(self) -> None:
        self._runs: list[Any] = []  # of numpy, which is loaded with the first that are settled
        self._fresh: set[int] = set()

    def fresh(self, records: list[Any], keys: list[Any] | None) -> list[Any]:
        """The records whose keys are new; all of them where there are no keys."""
        if not keys:
            return records
        numbers = list(map(hash, keys))
        known = self._known(numbers)
        new = records
        if known or len(set(numbers)) < len(numbers):
            new = []
            for number, record in zip(numbers, records, strict=True):
                if number not in known:
                    known.add(number)
                    new.append(record)
        self._fresh.update(numbers)
        if len(self._fresh) >= BATCH:
            self._settle()
        return new

    def _known(self, numbers: list[int]) -> set[int]:
        """Those of the hashes that came before."""
        known = self._fresh.intersection(numbers)
        if self._runs:
            import numpy

            wanted = numpy.array(numbers, numpy.int64)
            for run in self._runs:
                at = run.searchsorted(wanted)
                at[at == run.size] = 0
                known.update(wanted[run[at] == wanted].tolist())
        return known

    def _settle(self) -> None:
        import numpy

        more = numpy.fromiter(self._fresh, numpy.int64, len(self._fresh))
        self._fresh.clear()
        more.sort()
        if self._runs and self._runs[-1].size < RUN:
            more = numpy.concatenate((self._runs.pop(), more))
            more.sort(kind="stable")  # of two sorted parts: a merge more than a sort
        self._runs.append(more)


class Batch(NamedTuple):
    """Records that follow each other, the page of each, and a reply that holds them."""

    records: list[Any]
    pages: list[tuple[str, int]]
    reply: Reply


@dataclass
class Rows:
    """Reads a store in order; counts what was left out because it came before."""

    plan: Plan
    store: Store
    limit: int | None = None
    duplicates: int = 0
    count: int = 0
    #: What changed from one batch to the next: column, page, and how.
    drift: list[dict[str, str]] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[str, int, Any, Reply]]:
        """Each record once: its item's key, its page, itself, and the reply it came in."""
        paging = self.plan.paging
        seen, before = Seen(), ""
        for item, part in self._in_order():
            if item.key != before:
                # An item may well hold what another holds; within one everything is there once.
                seen, before = Seen(), item.key
            reply = replies.read(200, self.store.read(item.key, part), self.plan.name, {})
            asked = {f"{ASKED}{name}": value for name, value in item.shown_params().items()}
            came = paging.found(reply).records
            fresh = seen.fresh(came, paging.keys(came))
            self.duplicates += len(came) - len(fresh)
            for record in fresh:
                if self.limit is not None and self.count >= self.limit:
                    return
                self.count += 1
                if not isinstance(record, Mapping):
                    record = {paging.id or "value": record}
                yield item.key, part, {**record, **asked} if asked else record, reply

    def batches(self) -> Iterator[Batch]:
        """The records in batches, each with a reply that `alinb.frame` reads."""
        records: list[Any] = []
        pages: list[tuple[str, int]] = []
        for key, part, record, _ in self:
            records.append(record)
            pages.append((key, part))
            if len(records) >= BATCH:
                yield Batch(records, pages, self._reply(records))
                records, pages = [], []
        if records:
            yield Batch(records, pages, self._reply(records))

    def frames(self) -> Iterator[Any]:
        """The records as DataFrames of at most `BATCH` rows."""
        for batch in self.batches():
            yield frames.frame(batch.reply, self.plan.name)

    def frame(self) -> Any:
        """All records as one DataFrame."""
        table = frames.Table(self.plan.name)
        for batch in self.batches():
            table.add(batch.reply)
        return table.frame(joined=True)

    def _in_order(self) -> Iterator[tuple[Item, int]]:
        """The pages that are there, by item and number."""
        for item in self.plan.items:
            for part in self.store.held.parts(item.key):
                yield item, part

    def _reply(self, records: list[Any]) -> Reply:
        """One reply with all these records where the method has them."""
        payload: Any = {"pulled": records}
        for step in reversed((self.plan.paging.records or "records").split(".")):
            payload = {step: payload}
        return Reply(
            status=200, verdict="ok", shape="D", name=self.plan.name,
            params=self.plan.shown_params(), payload=payload, data=payload,
        )  # fmt: skip
