"""`python -m tests.browser.kernels 6.31.0 7.3.0`: the panels on other releases of ipykernel.

Each release gets a virtual environment of its own, which is thrown away. Callbacks run there on
another thread, or while a cell runs, or not. More arguments go to pytest; without any it runs what
people come for (-m scenario), which uses all six panels. Exit 1 where a panel fails on any of them.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path

TREE = Path(__file__).parents[2]
RELEASES = ("6.31.0", "7.3.0")
NAME = "alinb-other-kernel"


def tried(release: str, arguments: Sequence[str]) -> int:
    """Install the kernel in an environment of its own, and run the browser tests on it."""
    with tempfile.TemporaryDirectory(prefix=f"ipykernel-{release}-") as folder:
        at = Path(folder)
        venv.create(at, with_pip=True)
        python = str(at / "bin/python")
        install = [python, "-m", "pip", "install", "-q", str(TREE), f"ipykernel=={release}"]
        # The tree's own constraints name the latest kernel.
        subprocess.run(install, check=True, env={**os.environ, "PIP_CONSTRAINT": ""})
        spec = [python, "-m", "ipykernel", "install", "--prefix", folder, "--name", NAME]
        subprocess.run(spec, check=True, capture_output=True)
        here = {
            **os.environ,
            "JUPYTER_PATH": str(at / "share/jupyter"),
            "ALINB_TEST_KERNEL": NAME,
            "ALINB_TEST_IPYKERNEL": release,
            "ALINB_LONG": "1",
        }
        print(f"== ipykernel {release}", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", str(TREE / "tests/browser"), *arguments]
        return subprocess.run(command, cwd=TREE, env=here).returncode


def main(arguments: Sequence[str]) -> int:
    releases = [given for given in arguments if re.fullmatch(r"\d+\.\d+(\.\d+)?", given)]
    rest = [given for given in arguments if given not in releases] or ["-m", "scenario"]
    failed = []
    for release in releases or RELEASES:
        began = time.monotonic()
        if tried(release, rest):
            failed.append(release)
        print(f"ipykernel {release}: {time.monotonic() - began:.0f} s", flush=True)
    print(f"Fails on {', '.join(failed)}." if failed else "The panels work on each of them.")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
