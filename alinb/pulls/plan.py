"""What a pull asks for: a method, its fixed parameters, the items it fans out over, its paging."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from itertools import product
from typing import Any, NamedTuple

from ..calls import Call, spell
from ..errors import InputError
from ..knowledge import load
from ..redact import REQUEST_KINDS, Redactor
from ..replies import Reply

KINDS = ("none", "page", "cursor")


class Found(NamedTuple):
    """The records of a page, how many there are in all, the next cursor, and the page it is."""

    records: list[Any]
    total: int | None
    next: str
    stated: int | None


@dataclass(frozen=True, slots=True)
class Paging:
    """How a method is paged; see `knowledge/paging.toml` for what each field means."""

    kind: str = "none"
    page: str = ""
    offset: bool = False
    size: str = ""
    largest: int = 0
    cursor: str = ""
    next: str = ""
    total: str = ""
    at: str = ""
    left: bool = False
    expires_s: float = 0.0
    records: str = ""
    id: str = ""

    @classmethod
    def of(cls, name: str, given: Mapping[str, Any] | str | None = None) -> Paging:
        """The paging that is known of a method, or the one given for it."""
        if isinstance(given, str):
            given = {"kind": given}
        known = load("paging")["methods"].get(name, {})
        facts = {**known, **(given or {})}
        where = load("records")["methods"].get(name, {}).get("records", "")
        facts.setdefault("records", where if isinstance(where, str) and where != "." else "")
        fields = cls.__dataclass_fields__
        unknown = sorted(set(given or {}) - set(fields))
        made = cls(**{key: value for key, value in facts.items() if key in fields})
        if unknown or made.kind not in KINDS or (made.kind == "page" and not made.page):
            raise InputError(
                f"That is no paging: {unknown or dict(given or {})}.",
                next_step='Say "none", or {"kind": "page", "page": "page_no"}.',
            )
        return made

    def found(self, reply: Reply) -> Found:
        """What a page holds, and what it says of its place among the others."""
        payload = reply.payload
        if reply.verdict == "empty":
            records: list[Any] = []
        elif self.records:
            records = _records(_at(payload, self.records))
        else:
            records = _densest(payload)
            if not records and self.kind == "none":
                records = _records(payload)
        total = _count(_at(payload, self.total)) if self.total else None
        following = _at(payload, self.next) if self.next else None
        ended = not records or (self.left and total == 0)
        stated = _count(_at(payload, self.at)) if self.at else None
        return Found(records, total, "" if ended or following is None else str(following), stated)

    def keys(self, records: Sequence[Any]) -> list[Any] | None:
        """What tells each record from any other; None where nothing does, or of one without it."""
        if not self.id:
            return None
        first, *more = self.id.split()
        keys: list[Any]
        try:
            keys = [record[first] for record in records]
        except (KeyError, TypeError):
            keys = [record.get(first) if isinstance(record, dict) else record for record in records]
        if more:
            rest = [[record.get(name) for name in more] for record in records]
            keys = [(key, *others) for key, others in zip(keys, rest, strict=True)]
            keys = [key if any(part is not None for part in key) else None for key in keys]
        return None if None in keys else keys


@dataclass(frozen=True, slots=True, repr=False)
class Item:
    """One element of a fan-out: the parameters that are its own, and a key made of them."""

    params: Mapping[str, str]
    key: str

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Item:
        texts = {name: spell(value, name) for name, value in params.items()}
        return cls(texts, _digest(texts)[:16])

    def shown_params(self) -> dict[str, str]:
        """Its parameters without secrets, for people."""
        return dict(Redactor(b"pull").pairs(self.params.items()))

    def __repr__(self) -> str:
        return f"Item({self.shown_params()})"


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """A whole pull, checked before anything is sent; `size` is the page size that is asked for."""

    name: str
    params: Mapping[str, str]
    items: tuple[Item, ...]
    paging: Paging
    size: int
    first_page: int = 1
    start: int = 0

    def call(self, item: Item, part: int, cursor: str) -> Call:
        """The call of one page."""
        paging = self.paging
        more: dict[str, str] = dict(item.params)
        if paging.kind == "page":
            more[paging.page] = str(self.start + (part - 1) * self.size if paging.offset else part)
        elif paging.kind == "cursor" and cursor:
            more[paging.cursor] = cursor
        if paging.kind != "none" and paging.size and self.size:
            more.setdefault(paging.size, str(self.size))
        return Call(self.name, {**self.params, **more})

    @property
    def fingerprint(self) -> str:
        """Equal for pulls whose pages belong together."""
        hidden = {k: v for k, v in self.params.items() if k.lower() not in REQUEST_KINDS}
        return _digest({"name": self.name, "params": hidden, "size": self.size})

    def shown_params(self) -> dict[str, str]:
        """The fixed parameters without secrets, for people and files."""
        return dict(Redactor(b"pull").pairs(self.params.items()))

    def __repr__(self) -> str:
        return f"Plan({self.name!r}, {self.shown_params()}, {len(self.items)} items)"


def make(
    name: str | Call,
    params: Mapping[str, Any],
    over: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]] | None = None,
    paging: Mapping[str, Any] | str | None = None,
) -> Plan:
    """Check a pull and plan it. Raises `InputError`: a name nobody knows, with the nearest ones; a
    required parameter that is missing; a call that has to be made once."""
    call = name if isinstance(name, Call) else Call.of(name, params)
    _check_name(call, known_paging=paging is not None)
    items = tuple(Item.of(element) for element in elements(over))
    _check_required(call, items)
    found = Paging.of(call.name, paging)
    texts = dict(call.params)
    size = _whole(texts.pop(found.size, ""), found.size) if found.size else None
    first = texts.pop(found.page, "") if found.kind == "page" else ""
    size = size or found.largest
    if not found.offset:
        return Plan(call.name, texts, items, found, size, _whole(first, found.page) or 1)
    # Pages of another size than was asked for would leave gaps.
    size = min(size, found.largest or size) or 1
    start = _whole(first, found.page, least=0) or 0
    return Plan(call.name, texts, items, found, size, 1, start)


def elements(
    over: Mapping[str, Iterable[Any]] | Iterable[Mapping[str, Any]] | None,
) -> list[Mapping[str, Any]]:
    """The parameters of each item: of all combinations where several lists are given.

    >>> elements({"keyWord": ["lamp", "desk"], "countryCode": ["US"]})
    [{'keyWord': 'lamp', 'countryCode': 'US'}, {'keyWord': 'desk', 'countryCode': 'US'}]
    """
    if over is None:
        return [{}]
    if isinstance(over, Mapping):
        lists = [[v] if isinstance(v, str | int) else list(v) for v in over.values()]
        made: list[Mapping[str, Any]] = [
            dict(zip(over, values, strict=True)) for values in product(*lists)
        ]
    else:
        made = list(over)
    if not made or not all(isinstance(element, Mapping) for element in made):
        raise InputError(
            "There is nothing to fan out over.",
            next_step='Give lists by parameter, over={"keyWord": ["lamp", "desk"]}.',
        )
    # The same element twice would be fetched twice and counted once.
    return list({Item.of(element).key: element for element in made}.values())


def date_windows(
    start: str | date, end: str | date, *, days: int = 1, names: tuple[str, str] = ("", "")
) -> list[dict[str, str]]:
    """Windows of so many days between two days, both included, to fan an order pull out over.

    Texts are `YYYY-MM-DD HH:MM:SS`, which the order methods read as US Pacific time (reference).

    >>> date_windows("2026-03-01", "2026-03-03", days=2)[1]
    {'start_time': '2026-03-03 00:00:00', 'end_time': '2026-03-03 23:59:59'}
    """
    first, last = (datetime.fromisoformat(str(moment)).date() for moment in (start, end))
    if days < 1 or last < first:
        raise InputError(
            f"There is no window from {first} to {last} in steps of {days} days.",
            next_step="Give the earlier day first, and days=1 or more.",
        )
    begin, finish = names if all(names) else ("start_time", "end_time")
    windows = []
    while first <= last:
        until = min(first + timedelta(days=days - 1), last)
        windows.append({begin: f"{first} 00:00:00", finish: f"{until} 23:59:59"})
        first = until + timedelta(days=1)
    return windows


def _check_name(call: Call, *, known_paging: bool) -> None:
    known = load("methods")["methods"]
    if call.name.startswith("/auth/"):
        raise InputError(
            f"{call.name} is not pulled: a code or a refresh token is used once.",
            next_step="Use client.exchange(code) or client.refresh().",
        )
    if call.name in known or known_paging:
        return
    near = get_close_matches(call.name, known, n=3, cutoff=0.5)
    raise InputError(
        f"{call.name!r} is no method that alinb knows.",
        next_step=(f"Did you mean {', '.join(near)}? " if near else "")
        + 'Or say how it is paged: paging="none".',
    )


def _check_required(call: Call, items: Sequence[Item]) -> None:
    required = load("methods")["methods"].get(call.name, {}).get("required", ())
    given = {*call.params, *call.files}
    for item in items:
        missing = [name for name in required if name not in given and not item.params.get(name)]
        if missing:
            raise InputError(
                f"{call.name} needs {', '.join(missing)}.",
                next_step=f"Give {missing[0]}=…; nothing was sent.",
            )


def _whole(text: str, name: str, least: int = 1) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and least <= int(text) < 10**9):
        raise InputError(
            f"{name}={text} is no whole number from {least}.", next_step=f"Give {name}=20 or so."
        )
    return int(text)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _at(payload: Any, path: str) -> Any:
    for step in path.split("."):
        payload = payload.get(step) if isinstance(payload, Mapping) else None
    return payload


def _records(found: Any) -> list[Any]:
    """A list in a live reply is an object with one key whose value is the list."""
    if isinstance(found, Mapping) and len(found) == 1:
        (inner,) = found.values()
        found = inner if isinstance(inner, list) else found
    if isinstance(found, list):
        return found
    return [found] if found else []


def _densest(payload: Any) -> list[Any]:
    """For a method nobody described: the longest list of objects."""
    best: list[Any] = []
    queue = [payload]
    while queue:
        value = queue.pop(0)
        inner = _records(value)
        if isinstance(value, Mapping) and inner == [value]:
            queue += value.values()
        elif inner and all(isinstance(record, Mapping) for record in inner):
            best = max(best, inner, key=len)
    return best


def _count(value: Any) -> int | None:
    return int(value) if str(value).isdigit() and len(str(value)) < 13 else None
