"""Imports point one way, and nothing heavy is loaded before it is used."""

import subprocess
import sys

HEAVY = (
    "pandas",
    "IPython",
    "ipywidgets",
    "anywidget",
    "httpx",
    "starlette",
    "uvicorn",
    "typer",
    "rich",
)


def _run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_layers_import_only_what_lies_below_them():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 kept, 0 broken" in done.stdout


def test_every_module_is_in_a_layer():
    import tomllib
    from pathlib import Path

    import alinb

    root = Path(alinb.__file__).parent
    with (root.parent / "pyproject.toml").open("rb") as file:
        contract = tomllib.load(file)["tool"]["importlinter"]["contracts"][0]
    layered = {name.strip() for layer in contract["layers"] for name in layer.split(":")}
    modules = {
        f"alinb.{path.stem}"
        for path in root.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists())
        and not path.stem.startswith("_")
    }
    assert modules == layered


def test_importing_alinb_loads_nothing_heavy():
    code = f"import sys, alinb; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert _run(code).strip() == "[]"


def test_signing_and_diagnosing_load_nothing_heavy():
    code = (
        "import sys, alinb; alinb.sign('/a', app=alinb.App('1', 's'));"
        "alinb.diagnose('https://h/rest/a?app_key=1&sign=A', secret='s');"
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    assert _run(code).strip() == "[]"


def test_httpx_and_pandas_are_imported_in_their_own_rooms_alone():
    from pathlib import Path

    import alinb

    root = Path(alinb.__file__).parent
    homes = {
        word: [
            path.relative_to(root).parts[0]
            for path in root.rglob("*.py")
            if f"import {word}" in path.read_text(encoding="utf-8")
        ]
        for word in ("httpx", "pandas")
    }
    assert sorted(homes["httpx"]) == [
        "bounded.py", "client.py", "exchange.py", "forwarder.py", "transports.py",
    ]  # fmt: skip
    assert set(homes["pandas"]) == {"frames", "journal_frame.py"}


def test_widgets_alone_import_ipywidgets_and_anywidget():
    from pathlib import Path

    import alinb

    root = Path(alinb.__file__).parent
    words = ("import ipywidgets", "from ipywidgets", "import anywidget", "from anywidget")
    rooms = {
        path.relative_to(root).parts[0]
        for path in root.rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in words)
    }
    assert rooms == {"widgets"}
