"""What keeping attempts costs: power-safe commits, a million rows as a frame, a filtered list."""

import os
import tempfile
import time
from contextlib import closing
from pathlib import Path

from alinb.journal.packing import Row
from alinb.journal.schema import COLUMNS, connect
from alinb.journal.writer import Writer

from .figures import Figure, figure

INSERT = (
    f"INSERT INTO attempts ({', '.join(COLUMNS[1:])}) VALUES ({', '.join('?' * len(COLUMNS[1:]))})"
)


def rows(count: int, body_bytes: int) -> list[Row]:
    """Rows as a packed reply of so many bytes gives, each its own."""
    made = []
    for n in range(count):
        facts = (
            1.8e9 + n, "aliexpress.ds.product.get", "ok", "200", "", f"r{n}", "POST",
            "https://api-sg.aliexpress.com/sync", 200, 12.5, "", "aliexpress", "client", "",
        )  # fmt: skip
        made.append(Row(facts, os.urandom(300), os.urandom(body_bytes)))
    return made


def one_by_one(path: Path, given: list[Row]) -> float:
    """WAL NORMAL, a commit each: the usual way, which a power cut can take back."""
    with closing(connect(path)) as db:
        db.execute("PRAGMA synchronous = NORMAL")
        began = time.perf_counter()
        for facts, contents, body in given:
            with db:
                number = db.execute(INSERT, facts).lastrowid
                db.execute("INSERT INTO contents VALUES (?, ?)", (number, contents))
                db.execute("INSERT INTO bodies VALUES (?, ?)", (number, body))
        return time.perf_counter() - began


def in_groups(path: Path, given: list[Row]) -> float:
    """Through the writer's thread, every commit on the disk before it counts."""
    writer = Writer(path)
    connect(path).close()
    began = time.perf_counter()
    for row in given:
        writer.store_later(lambda row=row: row)
    writer.flush()
    took = time.perf_counter() - began
    writer.close()
    return took


def commits(body_bytes: int, count: int, rounds: int) -> Figure:
    """Attempts a second of the power-safe groups over those of single commits that are not."""
    given, ratios = rows(count, body_bytes), []
    with tempfile.TemporaryDirectory() as folder:
        for n in range(rounds):
            ways = [("ours", in_groups), ("single", one_by_one)]
            took = {
                name: way(Path(folder, f"{name}{n}.sqlite3"), given)
                for name, way in (ways if n % 2 else ways[::-1])
            }
            ratios.append(took["ours"] / took["single"])
    return figure(f"power-safe group commit / single, {body_bytes} B", ratios, 1 / 0.9, "x")
