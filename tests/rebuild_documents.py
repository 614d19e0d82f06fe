"""`python -m tests.rebuild_documents`: write the tables of the sandbox's document.

--check   change nothing; exit 1 where a table is not what the code says
"""

import argparse
import re
import sys
from pathlib import Path

from alinb.gateway.tables import TABLES, cell

DOCUMENT = Path(__file__).parents[1] / "alinb/gateway/README.md"
_HEAD = "<!-- {}: python -m tests.rebuild_documents -->\n"
_END = "<!-- end -->"


def table(name: str) -> str:
    """One of the sandbox's tables as Markdown."""
    columns, rows = TABLES[name]()
    lines = [columns, ["---"] * len(columns), *([_shown(value) for value in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def rebuilt(text: str) -> str:
    """The document with every table made anew. Raises `ValueError` where one has no place."""
    for name in TABLES:
        head = _HEAD.format(name)
        place = re.compile(re.escape(head) + r".*?" + re.escape(_END), re.DOTALL)
        made = f"{head}{table(name)}{_END}"
        text, times = place.subn(lambda _, made=made: made, text)
        if times != 1:
            raise ValueError(f"the table {name} has {times} places")
    return text


def _shown(value: object) -> str:
    return cell(value).replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.rebuild_documents")
    options.add_argument("--check", action="store_true", help="change nothing")
    text = DOCUMENT.read_text(encoding="utf-8")
    made = rebuilt(text)
    if options.parse_args().check:
        sys.exit(f"{DOCUMENT.name} is not what the code says" if made != text else 0)
    DOCUMENT.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
