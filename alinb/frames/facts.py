"""What is known of a method's records, out of the knowledge, in the form the columns need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ..knowledge import load

#: Endings of the names of ids, for fields that nobody described.
_ID_ENDINGS = ("_id", "Id", "_ids", "_no", "ID")


@dataclass(frozen=True, slots=True)
class Field:
    """What a field holds; `beside` is its currency's field, or the zone of its times."""

    kind: str = ""
    beside: str = ""
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One kind of record: its columns in order, its key, and the records inside it."""

    name: str = "records"
    key: tuple[str, ...] = ()
    hoist: frozenset[str] = frozenset()
    nested: Mapping[str, str] = field(default_factory=dict)
    value: str = "value"
    fields: Mapping[str, Field] = field(default_factory=dict)
    json: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()

    def field(self, column: str) -> Field:
        """What the column holds; the name alone tells ids where nothing else is known."""
        return self.fields.get(column) or Field("id" if is_id(column) else "")


@dataclass(frozen=True, slots=True)
class MethodFacts:
    """Where a method's records stand; no path where nobody described it."""

    paths: tuple[str, ...]
    table: TableFacts
    given: Mapping[str, str]


@cache
def method(name: str) -> MethodFacts:
    known: Mapping[str, Any] = load("records")["methods"].get(name, {})
    paths = known.get("records", ())
    return MethodFacts(
        (paths,) if isinstance(paths, str) else tuple(paths),
        table(known["table"]) if known else TableFacts(),
        known.get("given", {}),
    )


@cache
def table(name: str) -> TableFacts:
    known: Mapping[str, Any] = load("records")["tables"][name]
    fields = {column: _field(kind) for column, kind in known["fields"].items()}
    return TableFacts(
        known.get("name", name),
        tuple(known.get("key", ())),
        frozenset(known.get("hoist", ())),
        known.get("nested", {}),
        known.get("value", "value"),
        fields,
        *(frozenset(c for c, f in fields.items() if f.kind == kind) for kind in ("json", "images")),
    )


@cache
def whole_currencies() -> frozenset[str]:
    """The currencies that have no smaller unit."""
    return frozenset(load("records")["currencies"]["whole"])


@cache
def is_id(column: str) -> bool:
    # The country of a product's id on another site stands one step below it: sub_product_id.US
    return any(part.endswith(_ID_ENDINGS) for part in column.split(".")[-2:])


def _field(kind: str | Mapping[str, Any]) -> Field:
    if isinstance(kind, str):
        return Field(kind)
    ((name, beside),) = ((k, v) for k, v in kind.items() if k != "inferred")
    return Field(name, beside, bool(kind.get("inferred")))
