"""The filters of a list of attempts as SQL that an index answers."""

from __future__ import annotations

from dataclasses import dataclass

from .schema import COLUMNS


@dataclass(frozen=True, slots=True)
class Filter:
    """Which attempts are wanted; empty fields want all. `since` is epoch s."""

    verdict: str = ""
    name: str = ""
    code: str = ""
    since: float | None = None

    def select(self, limit: int | None = None) -> tuple[str, list[object]]:
        """The query and its values: the newest attempts first, every column."""
        where, values = self._where()
        columns = ", ".join(COLUMNS)
        if limit is None or not self._needs_facts:
            query = f"SELECT {columns} FROM attempts {where} ORDER BY id DESC LIMIT ?"
            return query, [*values, -1 if limit is None else limit]
        # The index alone finds the few; going through the rows could read nearly all of them.
        found = f"SELECT id FROM {self._source} {where} ORDER BY id DESC LIMIT ?"
        query = f"SELECT {columns} FROM attempts WHERE id IN ({found}) ORDER BY id DESC"
        return query, [*values, limit]

    def count(self) -> tuple[str, list[object]]:
        """The query and its values: how many."""
        where, values = self._where()
        return f"SELECT count(*) FROM {self._source} {where}", values

    @property
    def _needs_facts(self) -> bool:
        several = bool(self.verdict) + bool(self.name) > 1
        return several or bool(self.code) or self.since is not None

    @property
    def _source(self) -> str:
        return "attempts" + " INDEXED BY attempts_by_facts" * self._needs_facts

    def _where(self) -> tuple[str, list[object]]:
        wanted: list[tuple[str, object]] = [
            (f"{column} = ?", value)
            for column, value in (("verdict", self.verdict), ("name", self.name),
                                  ("code", self.code))
            if value
        ]  # fmt: skip
        if self.since is not None:
            wanted.append(("at >= ?", self.since))
        if not wanted:
            return "", []
        return "WHERE " + " AND ".join(text for text, _ in wanted), [v for _, v in wanted]
