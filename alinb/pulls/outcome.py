"""What became of a pull into a file, for people and for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .. import render
from .monitor import Stats


@dataclass(frozen=True)
class Pulled:
    """What became of a pull into a file.

    `complete` is false where it ended early: the file then holds what came, and the same call goes
    on. `refused` lists the items the gateway said no to, `drift` the columns that changed.
    """

    path: str
    complete: bool
    records: int
    pages: int
    duplicates: int
    refused: list[dict[str, Any]] = field(default_factory=list)
    drift: list[dict[str, str]] = field(default_factory=list)
    stats: Stats = field(default_factory=Stats, repr=False)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        lines = [
            f"{self.records} records of {self.pages} pages in {self.path}"
            + ("" if self.complete else "; more are to come")
        ]
        if self.duplicates:
            lines.append(f"{self.duplicates} came twice and are there once")
        lines += [f"refused: {_said(row)}" for row in self.refused[:10]]
        lines += [f"{d['column']} is {d['what']} near {d['near']}" for d in self.drift[:10]]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        first, *rest = str(self).split("\n")
        return render.html("", render.paragraph(first), render.listing(rest) if rest else "")


def _said(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items() if value)
