"""What keeping attempts costs: power-safe commits, a million rows as a frame, a filtered list."""

import json
import os
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from alinb.journal import Journal
from alinb.journal.packing import Row
from alinb.journal.schema import COLUMNS, connect
from alinb.journal.writer import Writer

from .figures import Figure, figure

MARKS = ", ".join("?" * len(COLUMNS[1:]))
INSERT = f"INSERT INTO attempts ({', '.join(COLUMNS[1:])}) VALUES ({MARKS})"
NAME = "aliexpress.ds.method3.get"

#: Every filter that is hard for a list: none found, all found, found among the oldest alone.
FILTERS: list[dict[str, object]] = [
    {}, {"verdict": "ok"}, {"verdict": "no_reply"}, {"name": NAME}, {"name": "none"},
    {"name": NAME, "verdict": "refused"}, {"name": NAME, "verdict": "no_reply"},
    {"code": "isv.invalid-parameter"}, {"code": "none"}, {"since": 1.8e9}, {"since": 2e9},
    {"verdict": "ok", "since": 2e9}, {"verdict": "refused", "code": "200"},
    {"verdict": "ok", "code": "200", "since": 2e9}, {"verdict": "ok", "code": "isv.rare"},
]  # fmt: skip

LOAD = """
import sqlite3, sys, time
import pandas, pyarrow, alinb.journal_frame
from alinb.journal import Journal
from alinb.journal.schema import COLUMNS
from tests.benchmarks.growth import peak_mib
pandas.DataFrame({"a": ["x"]})
before = peak_mib()
began = time.process_time()
if sys.argv[1] == "ours":
    frame = Journal(sys.argv[2]).frame()
else:
    query = f"SELECT {', '.join(COLUMNS)} FROM attempts ORDER BY id DESC"
    frame = pandas.read_sql(query, sqlite3.connect(sys.argv[2]))
grown = peak_mib() - before
print(time.process_time() - began, grown, len(frame))
"""


def packed(count: int, body_bytes: int) -> list[Row]:
    """Rows as a packed reply of so many bytes gives, each its own."""
    return [
        Row(facts, os.urandom(300), os.urandom(body_bytes))
        for facts in light(count)
    ]  # fmt: skip


def light(count: int) -> Iterator[tuple[object, ...]]:
    """The facts of attempts of twenty methods, a tenth of them refused, one with a rare code."""
    rng = random.Random(5)
    for n in range(count):
        refused = rng.random() < 0.1
        code = "isv.rare" if n == 3 else "isv.invalid-parameter" if refused else "200"
        yield (
            1.8e9 + n / 2, f"aliexpress.ds.method{rng.randrange(20)}.get",
            "refused" if refused else "ok", code, "A parameter is wrong" if refused else "",
            f"2141{n:012x}", "POST", "https://api-sg.aliexpress.com/sync", 200, rng.random() * 300,
            "", "aliexpress", "client", "",
        )  # fmt: skip


def one_by_one(path: Path, given: list[Row]) -> float:
    """WAL NORMAL, one plain table, a commit each: fast, and a power cut can take it back."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute(f"CREATE TABLE attempts ({', '.join(COLUMNS[1:])}, contents, body)")
        began = time.perf_counter()
        for facts, contents, body in given:
            with db:
                db.execute(f"INSERT INTO attempts VALUES ({MARKS}, ?, ?)", (*facts, contents, body))
        return time.perf_counter() - began


def in_groups(path: Path, given: list[Row]) -> float:
    """Through the writer's thread and into all tables, every commit on the disk."""
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
    """The time of power-safe groups over that of single commits that are not."""
    given, ratios = packed(count, body_bytes), []
    with tempfile.TemporaryDirectory() as folder:
        for n in range(rounds):
            ways = [("ours", in_groups), ("single", one_by_one)]
            took = {
                name: way(Path(folder, f"{name}{n}.sqlite3"), given)
                for name, way in (ways if n % 2 else ways[::-1])
            }
            ratios.append(took["ours"] / took["single"])
    what = f"journal: power-safe groups / NORMAL, {body_bytes / 1000:g} kB"
    return figure(what, ratios, 1 / 0.9, "x")


def filled(path: Path, count: int) -> None:
    with closing(connect(path)) as db, db:
        db.executemany(INSERT, light(count))


def loads(path: Path, rounds: int) -> list[Figure]:
    """CPU time and growth of fresh processes that load all rows, over those of read_sql."""
    times, memories = [], []
    for n in range(rounds):
        got = {}
        for way in ("ours", "read_sql") if n % 2 else ("read_sql", "ours"):
            done = subprocess.run(
                [sys.executable, "-c", LOAD, way, str(path)], capture_output=True, check=True
            )
            got[way] = [float(part) for part in done.stdout.split()]
        times.append(got["ours"][0] / got["read_sql"][0])
        memories.append(got["ours"][1] / got["read_sql"][1])
    rows = f"{round(got['ours'][2]):,} rows"
    return [
        figure(f"journal.frame() of {rows} / read_sql, time", times, 0.8, "x"),
        figure(f"journal.frame() of {rows} / read_sql, memory", memories, 0.4, "x"),
    ]


def lists(path: Path, rounds: int) -> list[Figure]:
    """The slowest of the filters, s, and one whole command, s of CPU."""
    journal, worst, whole = Journal(path), [], []
    rows = f"{len(journal):,} rows"
    for _ in range(rounds):
        took = []
        for wanted in FILTERS:
            began = time.perf_counter()
            journal.rows(limit=20, **wanted)  # type: ignore[arg-type]
            journal.count(**wanted)  # type: ignore[arg-type]
            took.append(time.perf_counter() - began)
        worst.append(max(took))
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "alinb", "attempts", "ls", "--verdict", "ok", "--code",
             "isv.rare", "--json"],
            capture_output=True, env={**os.environ, "ALINB_JOURNAL": str(path)},
        )  # fmt: skip
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        whole.append(spent.ru_utime + spent.ru_stime - began.ru_utime - began.ru_stime)
        assert isinstance(json.loads(done.stdout), list)
    return [
        figure(f"the slowest filter over {rows}", worst, 0.5, "s"),
        figure(f"alinb attempts ls, filtered, {rows}, CPU", whole, 0.5, "s"),
    ]


def measure(quick: bool) -> list[Figure]:
    rounds = 5 if quick else 9
    found = [commits(2000, 1000, rounds), commits(12000, 500, rounds)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.sqlite3")
        filled(path, 100_000 if quick else 1_000_000)
        return [*found, *loads(path, 5), *lists(path, rounds)]
