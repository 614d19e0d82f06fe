"""`python -m tests.benchmarks`: every figure as a ratio of two things measured in one run.

--quick   fewer rounds, for CI        --json     one JSON document
--only    one room                    --readme   write the README's table, too
"""

import argparse
import hashlib
import hmac
import json
import random
import statistics
import subprocess
import sys
import timeit
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from alinb.recipes import SYSTEM
from alinb.redact import Secret
from alinb.stages import Context

from . import doctor, frames, gateway, journal, pulls, redaction
from .figures import Figure, figure

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"

HEAVY = ("pandas", "IPython", "ipywidgets", "httpx", "starlette")


def naive_sign(secret: str, params: Mapping[str, str], path: str) -> str:
    """The loop of a typical SDK: what a signature costs without alinb."""
    text = path
    for name in sorted(params):
        text += name + params[name]
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


def call_of(count: int) -> dict[str, str]:
    """A call with so many parameters, in no order."""
    params = {
        "app_key": "12345678",
        "timestamp": "1517820392000",
        "sign_method": "sha256",
        "method": "aliexpress.ds.product.get",
        "session": "5000hKXcr0S0ACrUkpdKWxeutOScLyM9fnh5HIs5yX0mkJreJuypLtZHY3q6I3gN",
    }
    params |= {f"parameter_{i}": f"some value {i}" for i in range(count - len(params))}
    items = list(params.items())
    random.Random(count).shuffle(items)
    return dict(items)


def signing(count: int, rounds: int) -> Figure:
    params, secret, path = call_of(count), "helloworld", "/auth/token/create"
    sign = SYSTEM.signer(Context(Secret(secret), path=path)).sign
    assert sign(params) == naive_sign(secret, params, path)
    ratios = paired(lambda: sign(params), lambda: naive_sign(secret, params, path), rounds)
    return figure(f"sign {count} parameters / naive loop", ratios, 0.65, "x")


def paired(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int, number: int = 300
) -> list[float]:
    """The ratio ours/theirs round by round, each side first as often as the other."""
    timed = {False: ours, True: theirs}
    ratios = []
    for i in range(rounds):
        took = {side: timeit.timeit(timed[side], number=number) for side in (i % 2 > 0, i % 2 < 1)}
        ratios.append(took[False] / took[True])
    return ratios


def importing(rounds: int) -> list[Figure]:
    """`import alinb` over bare Python, and beside all that it may load later."""
    bare, ours, eager = "pass", "import alinb", f"import {', '.join(HEAVY)}"
    took: dict[str, list[float]] = {bare: [], ours: [], eager: []}
    for _ in range(rounds):
        for code in took:
            took[code].append(_process_ms(code))
    over = [b - a for a, b in zip(took[bare], took[ours], strict=True)]
    all_of_it = statistics.median(took[eager]) - statistics.median(took[bare])
    return [
        figure("import alinb over bare Python", over, 60.0, "ms"),
        figure("the same / everything heavy at once", [ms / all_of_it for ms in over], 0.05, "x"),
    ]


def heavy_modules() -> Figure:
    code = f"import sys, alinb; print(sum(m in sys.modules for m in {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = float(done.stdout)
    return Figure(f"of {', '.join(HEAVY)} loaded by it", loaded, 0, "", (loaded, loaded))


def _process_ms(code: str) -> float:
    run = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}], check=True)"
    return timeit.timeit(run, number=1) * 1000


def core(quick: bool) -> list[Figure]:
    rounds = 40 if quick else 200
    return [
        *importing(9 if quick else 25),
        heavy_modules(),
        signing(12, rounds),
        signing(40, rounds),
    ]


#: What is measured, by the room it is about.
ROOMS: Mapping[str, Callable[[bool], list[Figure]]] = {
    "core": core,
    "doctor": doctor.measure,
    "frames": frames.measure,
    "journal": journal.measure,
    "redaction": redaction.measure,
    "pulls": pulls.measure,
    "gateway": gateway.measure,
}


def shown(figures: Iterable[Figure]) -> str:
    """The figures as a table for people."""
    lines = [f"{'':3}{'what':60}{'measured':>10}{'promised':>10}   middle half of the rounds"]
    for f in figures:
        low, high = f.spread
        lines.append(
            f"{'ok ' if f.ok else 'NO '}{f.what:60}{f.measured:8.3g} {f.unit:2}{f.limit:7.3g} "
            f"{f.unit:2}   {low:.3g} – {high:.3g}"
        )
    return "\n".join(lines)


def as_markdown(figures: Iterable[Figure]) -> str:
    """The same as the table of the README."""
    lines = ["| what | measured | middle half of the rounds | promised |", "|---|---|---|---|"]
    for f in figures:
        low, high = f.spread
        unit = f" {f.unit}" if f.unit else ""
        lines.append(
            f"| {f.what} | {f.measured:.3g}{unit} | {low:.3g} – {high:.3g} | {f.limit:.3g}{unit} |"
        )
    return "\n".join(lines)


def write_readme(figures: Iterable[Figure]) -> None:
    """Put the table between the README's marks."""
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    table = as_markdown(figures)
    README.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    options.add_argument("--quick", action="store_true", help="fewer rounds")
    options.add_argument("--json", action="store_true", help="one JSON document")
    options.add_argument("--readme", action="store_true", help="write the README's table, too")
    options.add_argument("--only", action="append", choices=ROOMS, help="one room; repeatable")
    chosen = options.parse_args()
    measured = [(room, f) for room in chosen.only or ROOMS for f in ROOMS[room](chosen.quick)]
    figures = [f for _, f in measured]
    if chosen.readme:
        write_readme(figures)
    if chosen.json:
        print(json.dumps([{"room": r, **f._asdict(), "ok": f.ok} for r, f in measured], indent=1))
    else:
        print(shown(figures))
    sys.exit(0 if all(f.ok for f in figures) else 1)


if __name__ == "__main__":
    main()
