"""`python -m tests.benchmarks`: every figure as a ratio of two things measured in one run.

--quick   fewer rounds, for CI        --json   one JSON document
"""

import argparse
import hashlib
import hmac
import json
import random
import subprocess
import sys
import timeit
from collections.abc import Callable, Mapping

from alinb.recipes import SYSTEM
from alinb.redact import Secret
from alinb.stages import Context

from . import doctor, frames, gateway, journal, pulls, redaction
from .figures import Figure, figure

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


def importing(rounds: int) -> Figure:
    """`import alinb` over bare Python, in ms of fresh processes taken in turn."""
    bare, ours = "pass", "import alinb"
    took: dict[str, list[float]] = {bare: [], ours: []}
    for _ in range(rounds):
        for code in (bare, ours):
            took[code].append(_process_ms(code))
    over = [b - a for a, b in zip(took[bare], took[ours], strict=True)]
    return figure("import alinb over bare Python", over, 60.0, "ms")


def heavy_modules() -> Figure:
    code = f"import sys, alinb; print(sum(m in sys.modules for m in {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = float(done.stdout)
    return Figure(f"of {', '.join(HEAVY)} loaded by it", loaded, 0, "", (loaded, loaded))


def _process_ms(code: str) -> float:
    run = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}], check=True)"
    return timeit.timeit(run, number=1) * 1000


def measure(quick: bool) -> list[Figure]:
    rounds = 40 if quick else 200
    return [
        importing(9 if quick else 25),
        heavy_modules(),
        signing(12, rounds),
        signing(40, rounds),
        *doctor.measure(quick),
        *frames.measure(quick),
        *journal.measure(quick),
        *redaction.measure(quick),
        *pulls.measure(quick),
        *gateway.measure(quick),
    ]


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    options.add_argument("--quick", action="store_true", help="fewer rounds")
    options.add_argument("--json", action="store_true", help="one JSON document")
    chosen = options.parse_args()
    figures = measure(chosen.quick)
    if chosen.json:
        print(json.dumps([{**f._asdict(), "ok": f.ok} for f in figures], indent=1))
    else:
        print(f"{'':3}{'what':52}{'measured':>10}{'promised':>10}   middle half of the rounds")
        for f in figures:
            mark = "ok " if f.ok else "NO "
            low, high = f.spread
            print(
                f"{mark}{f.what:52}{f.measured:8.3g} {f.unit:2}{f.limit:7.3g} {f.unit:2}"
                f"   {low:.3g} – {high:.3g}"
            )
    sys.exit(0 if all(f.ok for f in figures) else 1)


if __name__ == "__main__":
    main()
