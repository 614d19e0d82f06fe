"""What the sandbox can do wrong, refuses, assumes and lacks, as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from . import provoked
from .faults import KINDS
from .pages import NOT_EMULATED
from .switches import UNKNOWN

#: The columns' names, and rows of text, numbers and lists of text.
Table: TypeAlias = tuple[tuple[str, ...], list[tuple[Any, ...]]]


def faults() -> Table:
    """Every fault but the codes: its name, what it does, its value's unit and default."""
    rows = [
        (name, kind.does, kind.value, kind.default if kind.value else None)
        for name, kind in KINDS.items()
    ]
    return ("fault", "does", "unit", "default"), [*rows]


def codes() -> Table:
    """Every refusal: where it comes from, its code, and how to provoke it."""
    return ("of", "code", "way"), [*provoked.table()]


def assumptions() -> Table:
    """What nobody outside the platform knows: the choices, the first the default, and why."""
    return ("name", "question", "choices", "why"), [
        (name, fact.question, [*fact.choices], fact.why) for name, fact in UNKNOWN.items()
    ]


def absent() -> Table:
    """What is not emulated, and what that means."""
    return ("what", "means"), [*NOT_EMULATED]


def cell(value: Any) -> str:
    """A cell of a table as text."""
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else f"{value:g}" if isinstance(value, float | int) else value


TABLES: Mapping[str, Callable[[], Table]] = {
    "faults": faults,
    "codes": codes,
    "assumptions": assumptions,
    "absent": absent,
}
