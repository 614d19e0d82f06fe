"""A reply in a panel: its tables, and its JSON as a tree that folds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import AlinbError
from ..render import Markup, join, tag
from ..replies import Reply

#: Rows and columns of a table that are shown, and characters of a cell.
ROWS, COLUMNS, CELL = 20, 12, 48
#: Characters of a value in a tree.
LINE = 1000
#: Nodes of a tree that are drawn, and children of one of them.
NODES, CHILDREN = 600, 25
#: How deep a tree folds; what lies deeper is JSON on one line.
DEEPEST = 20
#: A node with at most so many children stands open at first, down to this depth.
_OPEN, _DEPTH = 6, 2


def tables_of(reply: Reply) -> dict[str, Any]:
    """A reply's records as DataFrames by name; {} where it was refused or holds none."""
    if not reply.ok:
        return {}
    try:
        if hasattr(reply, "tables"):
            found: dict[str, Any] = reply.tables()
        else:
            found = {"records": reply.frame()}
    except AlinbError:
        return {}
    return {name: table for name, table in found.items() if len(table.columns)}


def table_html(table: Any) -> Markup:
    """The first rows and columns of a DataFrame as an escaped table, with what is left out said."""
    columns = list(table.columns)[:COLUMNS]
    head = tag("tr", tag("th", "row", scope="col"), [tag("th", c, scope="col") for c in columns])
    rows = [
        tag("tr", tag("th", number, scope="row"), [tag("td", _cell(value)) for value in row])
        for number, row in zip(
            table.index[:ROWS],
            table[columns].head(ROWS).itertuples(index=False, name=None),
            strict=True,
        )
    ]
    return join(
        tag("table", tag("thead", head), tag("tbody", rows), class_="records"),
        tag("p", left) if (left := _left_out(len(table), len(table.columns))) else None,
    )


def tables_html(tables: Mapping[str, Any]) -> Markup:
    """Tables by name, each folded; the first one stands open."""
    return join(
        tag(
            "details",
            tag("summary", f"{name}: {_count(len(table), 'row')}, "
                f"{_count(len(table.columns), 'column')}"),
            scrolled(f"Table {name}", table_html(table)),
            open=number == 0,
            data_key=f"table-{name}",
        )
        for number, (name, table) in enumerate(tables.items())
    )  # fmt: skip


def scrolled(label: str, inside: Any) -> Markup:
    """A part that scrolls by itself, also by keyboard."""
    return tag("div", inside, class_="scroll", tabindex="0", role="group", aria_label=label)


def tree(data: Any, label: str = "Reply") -> Markup:
    """Parsed JSON as a list that folds; of very much the first nodes alone."""
    drawn = _Tree().node(label, data, 0)
    return tag("ul", drawn, class_="tree")


class _Tree:
    """Draws nodes until there are too many."""

    def __init__(self) -> None:
        self.left = NODES

    def node(self, name: Any, value: Any, depth: int) -> Markup:
        self.left -= 1
        shown_name = tag("span", f"{name}: ", class_="key")
        if not isinstance(value, dict | list) or not value or depth > DEEPEST:
            return tag("li", shown_name, tag("code", _json(value)))
        children = list(value.items() if isinstance(value, dict) else enumerate(value))
        what = "member" if isinstance(value, dict) else "item"
        is_open = depth < _DEPTH and len(children) <= _OPEN
        return tag(
            "li",
            tag(
                "details",
                tag("summary", shown_name, _count(len(children), what)),
                tag("ul", self._children(children, depth)),
                open=is_open,
            ),
        )

    def _children(self, children: list[tuple[Any, Any]], depth: int) -> Iterable[Markup]:
        drawn = 0
        for name, value in children[:CHILDREN]:
            if self.left <= 0:
                break
            yield self.node(name, value, depth + 1)
            drawn += 1
        if drawn < len(children):
            yield tag("li", f"… {len(children) - drawn} more, in the reply's data")


def _json(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "… nested too deeply"
    return text if len(text) <= LINE else f"{text[:LINE]}… ({len(text)} characters)"


def _cell(value: Any) -> str:
    text = str(value)
    if not isinstance(value, str) and text in _NOTHING:
        return ""
    return text if len(text) <= CELL else f"{text[:CELL]}…"


#: How a gap in a column reads.
_NOTHING = frozenset({"None", "nan", "NaN", "NaT", "<NA>"})


def _left_out(rows: int, columns: int) -> str | None:
    left = [_count(count - most, what) for count, most, what in
            ((rows, ROWS, "row"), (columns, COLUMNS, "column")) if count > most]  # fmt: skip
    return f"… {' and '.join(left)} more" if left else None


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
