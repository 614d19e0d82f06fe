"""`python -m tests.rebuild_notebooks`: run every notebook and store its outputs.

--check   change nothing; exit 1 where a notebook holds widget state or is too large
"""

import argparse
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
LARGEST = 200_000
#: Stored pictures of widgets are still ones: a reader without the model sees the page, no error.
_LIVE_VIEW = "application/vnd.jupyter.widget-view+json"
#: What a notebook that was run may not have seen: the app, journal and tokens of who ran it.
_NOBODYS = {"ALINB_JOURNAL": "journal.sqlite3", "ALINB_TOKENS": "tokens.json"}
#: A notebook takes half a minute; one that takes longer says what each of its threads is at, in s.
_TOO_LONG_S = 110
_WATCHED = (
    "--IPKernelApp.exec_lines=import faulthandler as _f, sys as _s;"
    f" _f.dump_traceback_later({_TOO_LONG_S}, repeat=True, file=_s.__stderr__); del _f, _s"
)


def rebuild(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    for name in [name for name in os.environ if name.startswith("ALINB_")]:
        del os.environ[name]
    os.environ |= _NOBODYS
    NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        store_widget_state=False,
        extra_arguments=[_WATCHED],
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(_LIVE_VIEW, None)
    nbformat.write(notebook, path)


def problems(path: Path) -> list[str]:
    """What keeps a notebook from being committed."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    found = []
    if "widgets" in notebook.metadata:
        found.append("widget state is saved in it")
    if path.stat().st_size > LARGEST:
        found.append(f"larger than {LARGEST:,} bytes")
    if len(notebook.cells) > 20:
        found.append("more than twenty cells")
    if "parameters" not in code[0].metadata.get("tags", []):
        found.append("its first code cell has no tag `parameters`")
    if any(_LIVE_VIEW in out.get("data", {}) for cell in code for out in cell.outputs):
        found.append("a widget is stored as a view of a model that nobody has")
    if any(cell.execution_count is None for cell in code):
        found.append("a cell was never run")
    return found


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.rebuild_notebooks")
    options.add_argument("--check", action="store_true")
    check = options.parse_args().check
    wrong = 0
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if not check:
            rebuild(path)
        for problem in problems(path):
            wrong += 1
            print(f"{path.name}: {problem}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
