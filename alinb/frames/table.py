"""Replies of one method gathered into tables, page after page."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pandas as pd

from ..errors import InputError
from ..redact import Redactor
from ..replies import Reply
from . import facts
from .arrow import as_arrow
from .build import build, build_joined
from .columns import Columns
from .facts import Field, TableFacts
from .pages import (
    Answer,
    apart,
    beside,
    name_from_root,
    page_of,
    param,
    read_answer,
    without_secrets,
)

#: What stands around the records, a row a reply.
_REPLIES = TableFacts("replies", fields={"attempt_id": Field("integer")})
#: Records, and characters of replies, that are taken apart at once.
_ENOUGH, _MUCH = 2_000, 800_000


class Table:
    """The records of one method, gathered from any number of its replies.

    `add` keeps a page's records until there are enough to take apart at once; `frame`, `tables` and
    `arrow` give what has been gathered, and `clear` starts over for the next part. Columns, their
    order and their types are the same for every page of a method that alinb knows. `only` names the
    tables inside the records that are wanted; the others are then passed over.

        table = alinb.frames.Table("aliexpress.affiliate.product.query")
        for body in bodies:
            table.add(body)
        table.frame()
    """

    def __init__(self, name: str = "", *, only: Iterable[str] = ()) -> None:
        self.name = name
        self._only = frozenset(only)
        self._known: Columns | None = None
        self._rest = Columns(_REPLIES, "replies")
        self._waiting: list[_Page] = []
        self._size = self._count = self._characters = 0
        self._about: _About | None = None

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        replies = self._about.replies if self._about else 0
        return f"<Table {self.name} {len(self)} rows of {replies} replies>"

    def add(self, answer: Answer, params: Mapping[str, str] | None = None) -> int:
        """Take a reply's records in; gives their number, 0 for an empty page.

        `params` are the request's, where the answer is a bare body. Raises the error of the refusal
        or the unreadable body, and then adds nothing.
        """
        reply, at = read_answer(answer, self.name, params or {})
        reply.raise_for_refusal()
        self.name = self.name or reply.name or name_from_root(reply)
        known = facts.method(self.name)
        data, payload = without_secrets(reply)
        records, rest = apart(payload, known, empty=reply.verdict == "empty")
        if isinstance(data, Mapping) and data is not payload:
            rest = beside(data, rest) | rest
        if reply.attempt_id is not None:
            rest = {"attempt_id": reply.attempt_id} | rest
        given = [param(reply.params, path) for path in known.given.values()]
        asked = reply.params.get("target_currency") or reply.params.get("currency")
        self._waiting.append(_Page(records, rest, given, asked))
        if self._about is None:
            self._about = _About(reply.params, reply.attempt_id, reply.request_id, at)
        self._about.add(reply, rest, at)
        self._size += len(records)
        self._count += len(records)
        self._characters += len(reply.body)
        if self._count >= _ENOUGH or self._characters >= _MUCH:
            self._settle()
        return len(records)

    def frame(self, name: str = "", *, joined: bool = False) -> pd.DataFrame:
        """The records as a DataFrame, or another of the `tables`; `attrs` says where from.

        `joined` puts the columns of the records around them beside them: one row a SKU with its
        product's columns. Raises InputError for a table that is not there.
        """
        found = self._named()
        if name and name not in found:
            raise InputError(
                f"There is no table {name!r} here.", next_step=f"There are {', '.join(found)}."
            )
        return self._framed(found[name or next(iter(found))], found, joined)

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name: the records, those inside them, and what stood beside them."""
        found = self._named()
        return {name: self._framed(columns, found) for name, columns in found.items()}

    def arrow(self, name: str = "") -> Any:
        """A table as a `pyarrow.Table`; raises MissingExtra without pyarrow."""
        return as_arrow(self.frame(name))

    def clear(self) -> None:
        """Forget what was gathered; row numbers go on."""
        for columns in (self._main, self._rest):
            columns.clear()
        self._about = None
        self._size = 0

    @property
    def _main(self) -> Columns:
        """The records' columns, with all pages in them."""
        self._settle()
        if self._known is None:
            known = facts.method(self.name)
            self._known = Columns(
                known.table, known.table.name, given=tuple(known.given), only=self._only
            )
        return self._known

    def _settle(self) -> None:
        """Take the waiting pages apart, all at once: that costs a tenth of page by page."""
        pages, self._waiting = self._waiting, []
        self._count = self._characters = 0
        if not pages:
            return
        main = self._main
        start = main.rows
        main.add([record for page in pages for record in page.records])
        for i, name in enumerate(main.given):
            main.complete(name, [page.given[i] for page in pages for _ in page.records], start)
        asked = [page.asked for page in pages for _ in page.records]
        main.asked.extend(asked, set(map(type, asked)))
        self._rest.add([page.rest for page in pages])

    def _named(self) -> dict[str, Columns]:
        found: dict[str, Columns] = {}
        for columns in (*self._main.walk(), *self._rest.walk()):
            if columns.owner and not columns.kept:
                continue
            name = columns.name
            while name in found:
                name = f"{columns.owner.name if columns.owner else 'other'}.{name}"
            found[name] = columns
        return found

    def _framed(
        self, columns: Columns, found: Mapping[str, Columns], joined: bool = False
    ) -> pd.DataFrame:
        frame = build_joined(columns) if joined else build(columns)
        about = self._about or _About({}, None, "", None)
        rows = {name: each.rows for name, each in found.items()}
        frame.attrs = {"method": self.name} | about.attrs() | {"tables": rows} | frame.attrs
        return frame


class _Page(NamedTuple):
    """A page's records and the rest of it, what its request gave, and the currency it asked for."""

    records: list[Any]
    rest: dict[str, Any]
    given: list[str | None]
    asked: str | None


class _About:
    """Where the rows came from: what their requests had in common, and when they were made."""

    def __init__(
        self, params: Mapping[str, str], attempt_id: int | None, request_id: str, at: float | None
    ) -> None:
        self.replies = 0
        self._params = dict(params)
        self._first = attempt_id, request_id
        self._times = [at, at]
        self._attempts: list[int] = []
        self._page: dict[Hashable, int] = {}

    def add(self, reply: Reply, rest: Mapping[str, Any], at: float | None) -> None:
        self.replies += 1
        if self._params != reply.params:
            given = reply.params
            self._params = {k: v for k, v in self._params.items() if given.get(k) == v}
        if reply.attempt_id is not None:
            self._attempts.append(reply.attempt_id)
        if at is not None:
            self._times = [self._times[0] or at, at]
        self._page = page_of(rest)

    def attrs(self) -> dict[Hashable, Any]:
        return {
            "params": dict(Redactor(b"frame").pairs(self._params.items())),
            "attempt_id": self._first[0],
            "attempt_ids": [*self._attempts],
            "request_id": self._first[1],
            "at": _moment(self._times[0]),
            "until": _moment(self._times[1]),
            **self._page,
        }


def _moment(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(" ", "milliseconds")
