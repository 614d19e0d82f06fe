"""The tree of categories: the ids on every product's path, and no others."""

from __future__ import annotations

from functools import cache
from typing import Any

from .asked import Asked, number, unmapped
from .products import KINDS
from .verdicts import empty, listed


def category_get(asked: Asked) -> dict[str, Any]:
    """All categories, or with `categoryId` that one and those right below it."""
    wanted = asked.text("categoryId").strip()
    if wanted and number(wanted, -1) < 0:
        unmapped("categoryId")
    found = [record for record in tree() if not wanted or int(wanted) in _ids(record)]
    if not found:
        return empty()
    return listed("categories", "category", found, total_result_count=len(found))


def _ids(record: dict[str, Any]) -> tuple[int, int]:
    return record["category_id"], record.get("parent_category_id", -1)


@cache
def tree() -> tuple[dict[str, Any], ...]:
    """One record a category; those of the first level have no parent."""
    made: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        noun, path, first, second, *_ = kind.split("|")
        parent = ""
        for each, name in zip(path.split(","), (first, second, noun), strict=True):
            record: dict[str, Any] = {"category_id": int(each), "category_name": name}
            made.setdefault(each, record | ({"parent_category_id": int(parent)} if parent else {}))
            parent = each
    return tuple(sorted(made.values(), key=lambda record: "parent_category_id" in record))
