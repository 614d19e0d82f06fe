"""Escaped HTML and plain text from plain data: one model, two views, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

#: Cells longer than this may be broken anywhere; shorter ones stay on one line.
_LONG = 36

# JupyterLab styles tables and code in outputs; a class twice outweighs its selectors.
_STYLE = (
    "<style>.alinb.alinb{font:inherit;color:inherit;max-width:100%;overflow-x:auto}"
    ".alinb.alinb table{border-collapse:collapse;table-layout:auto}"
    ".alinb.alinb :is(th,td){border:1px solid"
    " var(--jp-border-color2,var(--vscode-panel-border,#8886));padding:.2em .6em;text-align:left;"
    "vertical-align:top;color:inherit;background:transparent;white-space:nowrap;max-width:none}"
    ".alinb.alinb .long{white-space:normal;overflow-wrap:anywhere;min-width:14em}"
    ".alinb.alinb .differs{font-weight:600}"
    ".alinb.alinb del{background:#ffd7d5;color:#5c0a06}"
    ".alinb.alinb ins{background:#c8f0cf;color:#06391a;text-decoration:none}"
    ".alinb.alinb code{font-family:var(--jp-code-font-family,monospace);background:transparent;"
    "color:inherit;padding:0;white-space:inherit}</style>"
)


def html(title: str, *parts: str) -> str:
    """A self-contained block: a heading and parts that are HTML already."""
    heading = f"<strong>{escape(title)}</strong>" if title else ""
    return f'{_STYLE}<div class="alinb">{heading}{"".join(parts)}</div>'


def paragraph(text: Any) -> str:
    return f"<p>{escape(str(text))}</p>"


def link(url: str, label: str) -> str:
    """A link that opens beside the notebook, with the URL to copy under it."""
    safe = escape(url, quote=True)
    anchor = f'<a href="{safe}" target="_blank" rel="noopener noreferrer">{escape(label)}</a>'
    return html("", f"<p>{anchor}</p><code>{safe}</code>")


def listing(items: Iterable[Any]) -> str:
    return "<ul>" + "".join(f"<li>{escape(str(item))}</li>" for item in items) + "</ul>"


def table(
    head: Sequence[Any],
    rows: Iterable[Sequence[Any]],
    differs: Iterable[int] = (),
    prose: bool = False,
) -> str:
    """A table of code, or of prose; the rows in `differs` are bold, which a mark must say too."""
    bold = set(differs)
    cells = "".join(f'<th scope="col">{escape(str(cell))}</th>' for cell in head)
    body = "".join(
        f"<tr{' class=differs' if i in bold else ''}>{_cells(row, prose)}</tr>"
        for i, row in enumerate(rows)
    )
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def diff(pieces: Iterable[tuple[str, str, str, str]]) -> str:
    """Aligned runs (kind, theirs, right, label) as HTML: struck where too much, added where not."""
    drawn = []
    for kind, theirs, right, label in pieces:
        title = escape(label, quote=True)
        if kind == "same":
            drawn.append(f'<span title="{title}">{escape(right)}</span>')
            continue
        if theirs:
            drawn.append(f'<del title="{title}">[−{escape(theirs)}]</del>')
        if right:
            drawn.append(f'<ins title="{title}">[+{escape(right)}]</ins>')
    return f"<code>{''.join(drawn)}</code>"


def text_diff(pieces: Iterable[tuple[str, str, str, str]]) -> str:
    """The same as text: `[-too much-]` and `{+lacking+}`."""
    drawn = []
    for kind, theirs, right, _ in pieces:
        if kind == "same":
            drawn.append(right)
            continue
        drawn.append((f"[-{theirs}-]" if theirs else "") + (f"{{+{right}+}}" if right else ""))
    return "".join(drawn)


def text_table(head: Sequence[Any], rows: Iterable[Sequence[Any]], widest: int = 60) -> str:
    """The same table as text, long cells cut in the middle."""
    lines = [[_cut(str(cell), widest) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    drawn = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines]
    rule = "  ".join("─" * width for width in widths)
    return "\n".join(line.rstrip() for line in (drawn[0], rule, *drawn[1:]))


def cut_pair(left: str, right: str, widest: int) -> tuple[str, str]:
    """Two texts cut to a width so that the first place where they differ stays in sight."""
    if left == right or max(len(left), len(right)) <= widest:
        return _cut(left, widest), _cut(right, widest)
    same = next(
        (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b),
        min(len(left), len(right)),
    )
    start = 0 if same < widest * 2 // 3 else same - widest // 3
    # Both begin at the same place, so that a longer one is seen to be longer.
    start = min(start, max(len(left), len(right)) - widest)
    return _window(left, start, widest), _window(right, start, widest)


def _window(text: str, start: int, widest: int) -> str:
    text = text.replace("\n", "⏎")
    head = "…" if start else ""
    shown = text[start + len(head) : start + widest]
    return head + shown if start + widest >= len(text) else head + shown[:-1] + "…"


def _cells(row: Sequence[Any], prose: bool) -> str:
    drawn = []
    for text in map(str, row):
        inner = escape(text) if prose else f"<code>{escape(text)}</code>"
        drawn.append(f"<td{' class=long' if len(text) > _LONG else ''}>{inner}</td>")
    return "".join(drawn)


def _cut(text: str, widest: int) -> str:
    text = text.replace("\n", "⏎")
    if len(text) <= widest:
        return text
    half = (widest - 1) // 2
    return f"{text[:half]}…{text[-half:]}"
