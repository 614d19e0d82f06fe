"""What changed between two pulls: new rows, gone rows, changed fields, moved prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from .. import render
from ..errors import InputError

#: Columns read from the one they stand beside, which is compared itself.
_READ = ("_amount", "_percent", "_at_least", "_utc")
_TITLES = ("title", "product_title", "subject", "product_name", "item_title")


@dataclass(frozen=True, eq=False, repr=False)
class Changes:
    """The difference of two frames whose rows `key` tells apart.

    `new` and `gone` are rows of the later and of the earlier frame. `changed` has a row a changed
    field: the key, `field`, `before`, `after`. `moves` has a row a moved price, the largest fall
    first: the key, the title where there is one, `field`, `currency`, `before`, `after`, `change`
    (both in the major unit) and `percent`; a price whose currency changed is no move, and stands in
    `changed`. `same` counts the rows without a change. `left_out` counts rows of either frame
    without a key, or followed by another with the same key.
    """

    key: tuple[str, ...]
    new: pd.DataFrame
    gone: pd.DataFrame
    changed: pd.DataFrame
    moves: pd.DataFrame
    same: int
    left_out: int

    def __bool__(self) -> bool:
        return bool(len(self.new) or len(self.gone) or len(self.changed))

    def __repr__(self) -> str:
        rows = len(self.changed[list(self.key)].drop_duplicates())
        aside = f", {self.left_out} left out" if self.left_out else ""
        return (
            f"<Changes {len(self.new)} new, {len(self.gone)} gone, {rows} changed,"
            f" {self.same} as before{aside}; {len(self.moves)} price moves>"
        )

    def _repr_html_(self) -> str:
        heads = [c for c in self.moves.columns if c != "change"]
        rows = [
            tuple(_shown(row[head]) for head in heads)
            for row in self.moves[heads].head(20).to_dict("records")
        ]
        return render.html(repr(self), render.table(heads, rows) if rows else "")


def changes(before: Any, after: Any, *, key: str | Sequence[str] | None = None) -> Changes:
    """What is new, gone or different in `after`, and which prices moved.

    Takes two frames, or anything that `alinb.frame` takes or that has a `frame()`: replies,
    attempts, pulls. `key` names the columns that tell rows apart; without it, it is what alinb
    knows of the method (`frame.attrs["key"]`). Raises InputError where there is no key.

        monday = alinb.frame(reply)
        alinb.changes(monday, alinb.frame(later_reply)).moves
    """
    left, right = _frame(before), _frame(after)
    names = _key(left, right, key)
    old, dropped_old = _keyed(left, names)
    new, dropped_new = _keyed(right, names)
    both = old.index.intersection(new.index, sort=False)
    was, now = old.loc[both], new.loc[both]
    changed = _changed(was, now, names)
    return Changes(
        key=tuple(names),
        new=new.loc[new.index.difference(old.index, sort=False)].reset_index(),
        gone=old.loc[old.index.difference(new.index, sort=False)].reset_index(),
        changed=changed,
        moves=_moves(was, now, names),
        same=len(both) - len(changed[names].drop_duplicates()),
        left_out=dropped_old + dropped_new,
    )


def _frame(thing: Any) -> pd.DataFrame:
    if isinstance(thing, pd.DataFrame):
        return thing
    if hasattr(thing, "frame"):
        found: pd.DataFrame = thing.frame()
        return found
    from . import frame

    return frame(thing)


def _key(left: pd.DataFrame, right: pd.DataFrame, key: str | Sequence[str] | None) -> list[str]:
    given = [key] if isinstance(key, str) else list(key or ())
    names = given or list(left.attrs.get("key") or right.attrs.get("key") or ())
    if not names:
        raise InputError(
            "Nothing is known that tells these rows apart.",
            next_step='Name the columns that do: alinb.changes(before, after, key="product_id").',
        )
    for frame, side in ((left, "before"), (right, "after")):
        if missing := [name for name in names if name not in frame.columns]:
            raise InputError(
                f"The frame {side} has no column {missing[0]!r}, which is to tell its rows apart.",
                next_step=f"It has {', '.join(map(str, frame.columns[:12]))}, …",
            )
    return names


def _keyed(frame: pd.DataFrame, names: list[str]) -> tuple[pd.DataFrame, int]:
    """The frame under its key, and how many rows that left out."""
    held = frame.dropna(subset=names).drop_duplicates(names, keep="last")
    return held.set_index(names), len(frame) - len(held)


def _changed(was: pd.DataFrame, now: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    parts = []
    for column in was.columns.intersection(now.columns, sort=False):
        if any(column.endswith(e) and column.removesuffix(e) in now.columns for e in _READ):
            continue
        a, b = was[column].astype(object), now[column].astype(object)
        gaps = a.isna() & b.isna()
        differs = ~gaps & (a.map(_comparable) != b.map(_comparable))
        if differs.any():
            part = pd.DataFrame({"field": column, "before": a[differs], "after": b[differs]})
            parts.append(part.reset_index())
    if not parts:
        return pd.DataFrame(columns=[*names, "field", "before", "after"])
    return pd.concat(parts, ignore_index=True)


def _comparable(value: Any) -> Any:
    # NA would make every comparison NA; lists are compared item by item.
    if isinstance(value, list | dict):
        return repr(value)
    return None if pd.isna(value) else value


def _moves(was: pd.DataFrame, now: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    title = next((t for t in _TITLES if t in now.columns), None)
    parts = []
    for column in now.columns:
        name = column.removesuffix("_amount")
        currency = f"{name}_currency"
        if name == column or not {column, currency} <= set(was.columns) & set(now.columns):
            continue
        a, b = was[column].astype("Float64"), now[column].astype("Float64")
        moved = ((a != b) & (was[currency] == now[currency])).fillna(False).astype(bool)
        facts = {
            **({"title": now[title]} if title else {}),
            "field": name,
            "currency": now[currency],
            "before": a,
            "after": b,
            "change": (b - a).round(4),
            "percent": ((b - a) / a.mask(a == 0) * 100).round(2),
        }
        parts.append(pd.DataFrame(facts, index=now.index)[moved].reset_index())
    heads = [*names, "field", "currency", "before", "after", "change", "percent"]
    kept = [part for part in parts if len(part)]
    if not kept:
        return pd.DataFrame(columns=heads)
    return pd.concat(kept).sort_values("percent", kind="stable", ignore_index=True)


def _shown(value: Any) -> str:
    return "—" if not isinstance(value, list) and pd.isna(value) else str(value)
