"""Which page comes next: pure bookkeeping of what is fetched, under way and yet to come."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .plan import Item, Plan

#: A page's records are compared with so many of the item's last pages.
REMEMBERED = 512
#: So many empty pages in a row end an item, whatever total it states.
EMPTY_IN_A_ROW = 3
#: How often a page that looks wrong is fetched again before it is taken for right.
#: Where a total says that more records are due one more try is cheap, and a lost page is not.
AGAIN = {"another page": 3, "repeated": 1, "repeated early": 3, "empty": 3, "the end": 1}


class Task(NamedTuple):
    """One page to fetch: its item, its number from 1, and the cursor that leads to it."""

    item: Item
    part: int
    cursor: str = ""


class Facts(NamedTuple):
    """What a page says of itself; `at` is epoch s. This much of it is kept beside each page."""

    rows: int
    total: int | None = None
    next: str = ""
    at: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return self._asdict()


@dataclass(eq=False)
class _State:
    """How far one item is."""

    item: Item
    size: int
    done: dict[int, int] = field(default_factory=dict)  # rows by page
    planned: int = 0  # pages up to this number have been taken, or are held
    last: int = 0  # the number of the last page, as far as is known
    total: int | None = None
    ended_at: int | None = None
    open: int = 0
    digests: dict[int, int] = field(default_factory=dict)
    checked: set[tuple[int, int | None]] = field(default_factory=set)
    #: What a page under way was found equal to, by content, for as long as it is fetched again: by
    #: then the other's content may be remembered no more.
    doubts: dict[int, dict[int | None, int]] = field(default_factory=dict)


def _equal(state: _State, part: int, digest: int | None) -> int:
    """Another page with the same content, the page itself where none is known."""
    if digest is None:
        return part
    doubted = state.doubts.get(part, {})
    return state.digests.get(digest, doubted.get(digest, part))


class Frontier:
    """The pages of a plan in order, items first, without those that are held already.

    A page of a known total opens all its followers, a cursor opens the next page. `limit` rows end
    it: so many pages are under way at most as the rows that lack need. Not for several threads.
    """

    def __init__(
        self,
        plan: Plan,
        held: Mapping[str, Mapping[int, Facts]] | None = None,
        limit: int | None = None,
        now: float | None = None,
    ) -> None:
        self.plan, self.limit = plan, limit
        self.rows = 0
        self.pages = 0
        self.under_way = 0
        #: How often a page was fetched again because another one was equal to it.
        self.checks = 0
        #: Items whose held pages are of no use any more, for their cursor has run out.
        self.stale: list[str] = []
        self._now = time.time() if now is None else now
        self._held = held or {}
        self._items = iter(plan.items)
        self._ready: deque[Task] = deque()
        self._planning: deque[_State] = deque()
        self._states: dict[str, _State] = {}
        self._left = len(plan.items)
        self._expected = 0
        self._begun = 0
        for item in plan.items:
            for part, facts in self._held.get(item.key, {}).items():
                self.rows += facts.rows
                self.pages += part > 0

    @property
    def finished(self) -> bool:
        if self.under_way:
            return False
        return self._is_full() or not (self._ready or self._planning or self._left)

    @property
    def has_more(self) -> bool:
        """Whether there is a page that nobody has taken."""
        return bool(self._ready or self._planning or self._left) and not self._is_full()

    @property
    def expected_pages(self) -> int | None:
        """How many pages there will be, as far as is known; None before anything is."""
        if not self._begun:
            return None
        each = max(1.0, self._expected / self._begun)
        expected = math.ceil(self._expected + each * self._left)
        if self.limit is not None and self.plan.size:
            expected = min(expected, math.ceil(self.limit / self.plan.size))
        return expected

    def take(self) -> Task | None:
        """The next page to fetch, None where there is none at the moment."""
        if self._is_full() or self._lacks_no_more():
            return None
        self._refill()
        while not self._ready and self._left:
            if self.limit is not None and self.plan.paging.kind != "none" and self._states:
                return None  # the first rows are those of the first items
            self._begin(next(self._items))
            self._refill()
        if not self._ready:
            return None
        task = self._ready.popleft()
        state = self._states[task.item.key]
        if state.ended_at is not None and task.part > state.ended_at:
            self._close(state)
            return self.take()
        self.under_way += 1
        return task

    def suspect(self, task: Task, facts: Facts, digest: int | None, stated: int | None) -> str:
        """Why a page may be a wrong one (a key of `AGAIN`), "" where nothing speaks against it."""
        state, paging = self._states[task.item.key], self.plan.paging
        if paging.kind == "none":
            return ""
        if paging.kind == "page" and stated is not None and stated != task.part:
            return "another page"
        if not facts.rows:
            return self._doubt_of_none(state, task.part, facts)
        other = _equal(state, task.part, digest)
        if other == task.part:
            return ""
        doubts = state.doubts.setdefault(task.part, {})
        if digest in doubts:
            state.checked.add((task.part, digest))
        doubts[digest] = other
        return "repeated early" if state.total else "repeated"

    def _doubt_of_none(self, state: _State, part: int, facts: Facts) -> str:
        """Why there may be records on a page that came without any."""
        paging = self.plan.paging
        if paging.left:
            return "empty" if state.total else ""
        if not paging.total or paging.kind == "cursor":
            return "the end" if part > self.plan.first_page else ""
        total = state.total if facts.total is None else facts.total
        expected = math.ceil(total / state.size) if total and state.size else 0
        # The total may have moved a little, and with it the last page.
        return "empty" if part < expected else "the end" if part == expected else ""

    def done(self, task: Task, facts: Facts, digest: int | None = None) -> None:
        """A page is there; what follows it can be taken."""
        self.under_way -= 1
        self.pages += 1
        self.rows += facts.rows
        state = self._states[task.item.key]
        state.done[task.part] = facts.rows
        other = task.part
        if digest is not None and facts.rows:
            other = _equal(state, task.part, digest)
            state.digests[digest] = task.part
            if len(state.digests) > REMEMBERED:
                del state.digests[next(iter(state.digests))]
        doubts = state.doubts.pop(task.part, {})
        if self.plan.paging.kind == "page":
            for seen, another in doubts.items():
                # It came with other content before: that other page is the likelier wrong one.
                if seen != digest:
                    self._check_again(state, another, seen)
        if other != task.part and self.plan.paging.kind == "page":
            self._check_again(state, other, digest)
            self._check_again(state, task.part, digest)
        self._follow(state, task.part, facts, repeats=other != task.part)
        self._close(state)

    def failed(self, task: Task) -> None:
        """A page, and with it the rest of its item, is given up."""
        self.under_way -= 1
        state = self._states[task.item.key]
        state.ended_at = min(task.part - 1, state.ended_at or task.part)
        self._close(state)

    def dropped(self, task: Task) -> None:
        """The pull ends before this page is there: it is yet to come."""
        self.under_way -= 1
        self._ready.appendleft(task)

    def _check_again(self, state: _State, part: int, digest: int | None) -> None:
        """A page equals another one, and either may be the wrong one; once for each content."""
        if (part, digest) not in state.checked:
            state.checked.add((part, digest))
            self.checks += 1
            self.pages -= 1
            self.rows -= state.done.pop(part, 0)
            self._push(state, Task(state.item, part))

    def _is_full(self) -> bool:
        return self.limit is not None and self.rows >= self.limit

    def _lacks_no_more(self) -> bool:
        if self.limit is None or not self.under_way:
            return False
        return self.rows + self.under_way * max(1, self.plan.size) >= self.limit

    def _begin(self, item: Item) -> None:
        self._left -= 1
        self._begun += 1
        self._expected += 1
        state = self._states[item.key] = _State(item, self.plan.size)
        first = self.plan.first_page
        state.planned = first
        held = dict(sorted(self._held.get(item.key, {}).items()))
        if held and self.plan.paging.kind == "cursor":
            self._go_on(state, held)
            return
        if first not in held:
            self._push(state, Task(item, first))
        for part, facts in held.items():
            state.done[part] = facts.rows
            self._follow(state, part, facts, repeats=False)
        if first in held:
            self._settle(state)

    def _go_on(self, state: _State, held: dict[int, Facts]) -> None:
        """After the last of the cursor's pages in a row, or from the start where it has run out."""
        last = max(part for part in held if set(range(1, part + 1)) <= held.keys() or part == 1)
        facts = held[last]
        lives = self.plan.paging.expires_s
        if facts.next and lives and self._now - facts.at > lives:
            self.stale.append(state.item.key)
            self.rows -= sum(f.rows for f in held.values())
            self.pages -= len(held)
            self._push(state, Task(state.item, 1))
            return
        state.done.update({part: held[part].rows for part in range(1, last + 1)})
        if facts.next:
            self._push(state, Task(state.item, last + 1, facts.next))
        else:
            self._finish(state)

    def _follow(self, state: _State, part: int, facts: Facts, repeats: bool) -> None:
        """Open what a page leads to."""
        kind = self.plan.paging.kind
        if kind == "cursor":
            state.total = facts.total
            if facts.next and facts.rows and not repeats:
                self._expected += 1
                self._push(state, Task(state.item, part + 1, facts.next))
            return
        if kind == "none":
            return
        if not facts.rows:
            run = range(part - EMPTY_IN_A_ROW + 1, part + 1)
            if facts.total is None or all(state.done.get(number) == 0 for number in run):
                state.ended_at = min(part, state.ended_at or part)
        if self.plan.paging.total:
            if facts.total is not None:
                self._plan_pages(state, part, facts)
        elif facts.rows and not repeats and part == state.planned:
            # Nobody says how many there are: one page after the other, until one is empty.
            self._expected += 1
            state.planned = part + 1
            if part + 1 not in state.done:
                self._push(state, Task(state.item, part + 1))

    def _plan_pages(self, state: _State, part: int, facts: Facts) -> None:
        first = self.plan.first_page
        total = facts.total or 0
        if part == first and facts.rows < total and facts.rows:
            state.size = facts.rows  # the gateway may give smaller pages than were asked for
        if not state.size:
            return
        state.total = total
        last = math.ceil(total / state.size)
        if last > state.last:
            self._expected += last - max(state.last, self.plan.first_page)
            state.last = last
            if state.planned < last and state not in self._planning:
                self._planning.append(state)

    def _refill(self) -> None:
        """Make the next page that is planned ready, where none is."""
        while not self._ready and self._planning:
            state = self._planning[0]
            held = self._held.get(state.item.key, {})
            if state.planned >= state.last or state.ended_at is not None:
                self._planning.popleft()
                self._settle(state)
                continue
            state.planned += 1
            if state.planned not in held:
                self._push(state, Task(state.item, state.planned))

    def _push(self, state: _State, task: Task) -> None:
        state.open += 1
        self._ready.append(task)

    def _close(self, state: _State) -> None:
        state.open -= 1
        self._settle(state)

    def _settle(self, state: _State) -> None:
        if not state.open and state not in self._planning:
            self._finish(state)

    def _finish(self, state: _State) -> None:
        self._states.pop(state.item.key, None)
