"""One process that pulls so many records into a Parquet file and prints how much it grew."""

import json
import sys
import tempfile
from importlib import import_module
from pathlib import Path

from alinb.pacing import Pacer
from tests.pages import FIRST_ID

from .pulls import SEARCH, WHERE, client_of

#: Loaded before the growth is counted.
MODULES = ("pandas", "pyarrow.parquet", "msgspec", "alinb.frames", "alinb.pulls", "alinb.client")


def peak_mib() -> float:
    """The most this process has held; `ru_maxrss` begins with what its parent held."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("this system does not say how much a process has held")


def main() -> None:
    url, count = sys.argv[1], int(sys.argv[2])
    for module in MODULES:
        import_module(module)
    client = client_of(url)
    before = peak_mib()
    with tempfile.TemporaryDirectory() as folder:
        pull = client.pull(
            SEARCH, keyWord="x", keep="none", progress=False, pacer=Pacer(1e6), **WHERE
        )
        done = pull.to_parquet(f"{folder}/found.parquet")
        peak = peak_mib()
        check(f"{folder}/found.parquet", count)
    assert done.records == count
    print(json.dumps({"grown_mib": peak - before, "peak_mib": peak}))


def check(path: str, count: int) -> None:
    """Every record once, by their number and the sum of their ids."""
    column = import_module("pyarrow.parquet").read_table(path, columns=["itemId"])["itemId"]
    numbers = column.to_numpy().astype("int64") - FIRST_ID
    assert (len(numbers), int(numbers.sum())) == (count, count * (count - 1) // 2)


if __name__ == "__main__":
    main()
