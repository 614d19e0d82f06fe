"""One page of a pull."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..redact import Redactor
from ..replies import Reply
from .frontier import Facts


@dataclass(frozen=True, slots=True, repr=False)
class Page:
    """One page of a pull: the parameters of its item, its number, its records and the reply."""

    params: Mapping[str, str]
    part: int
    records: list[Any]
    facts: Facts
    reply: Reply
    key: str = ""
    content: bytes = b""
    keys: list[Any] | None = None
    digest: int | None = None

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        params = Redactor(b"pull").pairs(self.params.items())
        shown = "".join(f" {name}={value}" for name, value in params)
        return f"<Page {self.part}{shown}: {len(self.records)} records>"

    def frame(self) -> Any:
        """The page as a pandas DataFrame; see `alinb.frame`."""
        return self.reply.frame()
