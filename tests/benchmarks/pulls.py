"""What a pull costs and keeps: rate, waiting, CPU, memory, faults, kills, a cluster."""

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from alinb import App, Client, Platform, Token
from alinb.pacing import Pacer
from alinb.pulls import Pull
from alinb.redact import Secret
from tests.pages import SEARCH, TRANSIENT, Pages, serving

from .figures import Figure, figure

WHERE = {"local": "en_US", "countryCode": "US", "currency": "USD"}
LATENCY_S, RATE, CREW = 0.05, 50, 16
FAR = ("--qps", str(RATE), "--latency-ms", str(LATENCY_S * 1000))
#: What a plain `pip install httpx` brings, without sniffio.
PLAIN = ("httpx", "httpcore", "h11", "anyio", "idna", "certifi", "typing_extensions.py")


def one(what: str, measured: float, limit: float, unit: str = "x") -> Figure:
    return Figure(what, measured, limit, unit, (measured, measured))


def client_of(url: str, key: str = "500102") -> Client:
    app = App(key, "a-secret", Platform.named("aliexpress").at(url))
    return Client(app, journal=False, token=Token(Secret("5" * 60, "access_token")))


class Waits:
    """Keeps what every call of a pull waited for its turn, and when it was sent."""

    def __init__(self, pull: Pull) -> None:
        self.waited: list[float] = []
        self.at: list[float] = []
        tell = pull.monitor.sent

        def sent(waited_s: float) -> None:
            self.waited.append(waited_s)
            self.at.append(time.monotonic())
            tell(waited_s)

        pull.monitor.sent = sent  # type: ignore[method-assign]


def rate(pages: int) -> list[Figure]:
    """So many pages at 50 a second, burst 2, 50 ms away."""
    with server_process("--total", str(pages * 50), *FAR) as url:
        pull = client_of(url).pull(
            SEARCH, keyWord="x", keep="none", progress=False, pacer=Pacer(RATE), **WHERE
        )
        waits = Waits(pull)
        assert sum(len(page) for page in pull) == pages * 50
        refused = _figures(url)["refused"]
    achieved = (len(waits.at) - 1) / (waits.at[-1] - waits.at[0])
    p99 = statistics.quantiles(waits.waited[CREW:], n=100)[98]
    what = f"{pages} pages at {RATE}/s: "
    return [
        one(f"{what}refused", refused, 0, ""),
        one(f"{what}permitted / achieved rate", RATE / achieved, 1 / 0.97),
        one(f"{what}p99 wait / ideal", p99 / (CREW / RATE - LATENCY_S), 1.15),
    ]


def halving(before_s: float, after_s: float) -> list[Figure]:
    """The quota halves in mid-run."""
    words = ("--total", "50000000", *FAR, "--halve-after", str(before_s))
    with server_process(*words) as url:
        pull = client_of(url).pull(
            SEARCH, keyWord="x", keep="none", progress=False, pacer=Pacer(RATE), **WHERE
        )
        came: list[float] = []
        for _ in pull:
            came.append(time.monotonic())
            if came[-1] - came[0] > before_s + 10 + after_s:
                break
        refused = _figures(url)["refused"]
    settled = [at for at in came if at - came[0] > before_s + 10]
    new_rate = (len(settled) - 1) / (settled[-1] - settled[0])
    return [
        one("the quota halves: refused", refused, 5, ""),
        one("the quota halves: new / achieved rate after 10 s", RATE / 2 / new_rate, 1 / 0.9),
    ]


def _figures(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/figures", timeout=10) as reply:
        found: dict[str, Any] = json.loads(reply.read())
    return found


def cpu(rounds: int, pages: int) -> list[Figure]:
    """CPU a page, beside bare clients that read the same JSON, in processes taken in turn."""
    took: dict[tuple[str, str], list[float]] = {}
    cases = (("json", "httpx"), ("json", "plain"), ("alinb", "httpx"), ("alinb", "fast"))
    with server_process("--total", "50000000", "--wide") as url, plain_site() as site:
        for number in range(rounds):
            for case in cases if number % 2 else reversed(cases):
                took.setdefault(case, []).append(_carried(*case, url, pages, site))
    pairs = zip(took["alinb", "httpx"], took["json", "httpx"], strict=True)
    fast = zip(took["alinb", "fast"], took["json", "plain"], strict=True)
    return [
        figure("CPU of a pull / bare httpx with its JSON", [a / b for a, b in pairs], 1.15, "x"),
        figure("CPU of a pull with fast / plain httpx", [a / b for a, b in fast], 0.40, "x"),
    ]


def _carried(what: str, how: str, url: str, pages: int, site: str) -> float:
    script = str(Path(__file__).with_name("carrier.py"))
    words = [sys.executable, "-m", "tests.benchmarks.carrier", what, how, url, str(pages)]
    if how == "plain":
        given = [script, what, how, url, str(pages)]
        code = f"import sys; sys.path.append({site!r}); sys.argv = {given!r}\n"
        code += f"exec(open({script!r}).read())"
        words = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120)
    return float(json.loads(done.stdout))


@contextmanager
def plain_site() -> Iterator[str]:
    """A folder with what a plain install of httpx has, and no more."""
    import httpx

    installed = Path(httpx.__file__).parents[1]
    with tempfile.TemporaryDirectory() as folder:
        for name in PLAIN:
            (Path(folder) / name).symlink_to(installed / name)
        yield folder


@contextmanager
def server_process(*words: str) -> Iterator[str]:
    """A gateway of pages in a process of its own."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.pages", *words], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(child.stdout.readline())}"
    finally:
        child.terminate()
        child.wait()


def memory(few: int, many: int) -> list[Figure]:
    """How much a process grows that writes so many records to Parquet."""
    grown = {}
    for count in (few, many):
        with server_process("--total", str(count)) as url:
            words = [sys.executable, "-m", "tests.benchmarks.growth", url, str(count)]
            done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=3600)
            grown[count] = json.loads(done.stdout)
    return [
        one(f"{many:.0e} records to Parquet: growth", grown[many]["grown_mib"], 150, "MiB"),
        one(
            f"the same / {few:.0e} records",
            grown[many]["grown_mib"] / grown[few]["grown_mib"],
            1.2,
        ),
    ]


def faults(pages: int) -> list[Figure]:
    """A tenth of the answers go wrong, in every way there is."""
    chance = random.Random(7)

    def fault(page: int, nth: int) -> str:
        return chance.choice(TRANSIENT) if chance.random() < 0.1 else ""

    with serving(Pages(pages * 50, fault=fault)) as server:
        pull = client_of(server.url).pull(
            SEARCH, keyWord="x", keep="none", progress=False, pacer=Pacer(5000), **WHERE
        )
        found = [record["itemId"] for record in pull.records()]
        missing = pages * 50 - len(set(found)) + len(found) - len(set(found))
        failed = sum(count for name, count in server.faults.items() if name)
        again = sum(server.asked.values()) - pages
        what = f"{pages} pages, a tenth fail: "
        return [
            one(f"{what}records missing or twice", missing, 0, ""),
            one(f"{what}fetched again / the least", again / failed, 1.25),
        ]


def kills(times: int, pages: int) -> list[Figure]:
    """A process that pulls into a file is killed so often, and begun again."""
    chance = random.Random(3)
    with (
        serving(Pages(pages * 50, latency_s=0.02)) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        out = Path(folder) / "found.jsonl"
        for _ in range(times):
            before = sum(server.asked.values())
            child = _puller(server.url, out)
            wanted = before + chance.randrange(5, pages // times)
            while sum(server.asked.values()) < wanted and child.poll() is None:
                time.sleep(0.002)
            child.send_signal(signal.SIGKILL)
            child.wait()
        assert _puller(server.url, out).wait(timeout=300) == 0
        rows = [json.loads(line)["itemId"] for line in out.read_text().splitlines()]
        wrong = abs(len(rows) - pages * 50) + len(rows) - len(set(rows))
        again = sum(server.asked.values()) - pages
    return [
        one(f"{times} kills: rows that differ from an undisturbed pull", wrong, 0, ""),
        one(f"{times} kills: pages fetched again a kill", again / times, CREW, ""),
    ]


def _puller(url: str, out: Path) -> subprocess.Popen[bytes]:
    code = (
        "from tests.benchmarks.pulls import *\n"
        f"client_of({url!r}).pull(SEARCH, keyWord='x', keep='none', progress=False,"
        f" pacer=Pacer(5000), **WHERE).to_jsonl({str(out)!r})"
    )
    return subprocess.Popen([sys.executable, "-c", code])


def cluster(pages: int, keys: int = 8, qps: float = 20) -> list[Figure]:
    """So many pages for each of eight keys at 20 a second, by two workers."""
    import distributed

    options: dict[str, Any] = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    far = ("--qps", str(qps), "--latency-ms", str(LATENCY_S * 1000))
    with (
        server_process("--total", str(pages * 50), *far) as url,
        distributed.LocalCluster(**options, silence_logs=50) as local,
        distributed.Client(local) as dask,
        tempfile.TemporaryDirectory() as folder,
    ):
        dask.run(_warm)
        first, *others = [client_of(url, f"50010{i}") for i in range(keys)]
        pull = first.pull(
            SEARCH, over={"keyWord": [f"word{i}" for i in range(keys)]}, cluster=dask,
            clients=others, qps=qps, progress=False, **WHERE,
        )  # fmt: skip
        done = pull.to_jsonl(f"{folder}/found.jsonl")
        assert done.records == keys * pages * 50
        ended = _figures(url)
    ideal = (pages - 1) / qps + LATENCY_S
    return [
        one(f"{keys} keys, 2 Dask workers: wall / ideal", ended["wall_s"] / ideal, 1.05),
        one(f"{keys} keys, 2 Dask workers: refused", ended["refused"], 0, ""),
    ]


def _warm() -> None:
    import alinb.pulls.shards  # noqa: F401


def measure(quick: bool) -> list[Figure]:
    """The figures of a pull; CPU and the cluster in the long form alone, as they need a machine
    that does nothing else."""
    with suppress(OSError):
        os.nice(-10)  # where that is allowed, the other work of the machine is not measured
    if quick:
        return [
            *rate(500), *halving(3, 3), *memory(25_000, 75_000), *faults(300), *kills(3, 150),
        ]  # fmt: skip
    return [
        *rate(10_000), *halving(30, 30), *cpu(10, 1000), *memory(100_000, 1_000_000),
        *faults(1000), *kills(20, 600), *cluster(300),
    ]  # fmt: skip


#: What can be measured alone, with the numbers behind its name.
CHOICES = {f.__name__: f for f in (rate, halving, cpu, memory, faults, kills, cluster)}


def main() -> None:
    """One or several of the figures by name, to look at them alone."""
    chosen = [word.partition(":") for word in sys.argv[1:]]
    if not chosen or any(name not in CHOICES for name, _, _ in chosen):
        sys.exit(f"python -m tests.benchmarks.pulls rate:10000 …; names: {', '.join(CHOICES)}")
    with suppress(OSError):
        os.nice(-10)
    for name, _, numbers in chosen:
        number = float if name == "halving" else int
        for f in CHOICES[name](*map(number, numbers.split(","))):
            print(f"{'ok ' if f.ok else 'NO '}{f.what:58}{f.measured:9.3f} {f.limit:9.3f} {f.unit}")


if __name__ == "__main__":
    main()
