"""Escaped HTML and plain text from plain data: one model, two views, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, TypeAlias

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


class Markup(str):
    """Text that is HTML already: the only text that `tag` does not escape."""

    __slots__ = ()


#: What `tag` takes inside: text is escaped, markup is not, None is left out.
Inside: TypeAlias = Any

#: Elements without an end.
_VOID = frozenset({"input", "br", "hr", "wbr", "col"})
#: Where a link may lead: a page, never a script.
_WEB = ("https://", "http://")


def tag(name: str, /, *inside: Inside, **attributes: Any) -> Markup:
    """An element; everything given is escaped unless it is `Markup`.

    `class_` is class, `data_key` is data-key; True gives a bare attribute, None and False leave it
    out. Raises ValueError for an event handler, for `style`, and for a link that is no web address.

    >>> tag("b", "1 < 2", title='"')
    '<b title="&quot;">1 &lt; 2</b>'
    """
    drawn = []
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if key.startswith("on") or key == "style":
            raise ValueError(f"{key} is no attribute to draw")
        if key in ("href", "src", "action") and not str(value).startswith(_WEB):
            raise ValueError(f"{key} is not a web address")
        drawn.append(f" {key}" if value is True else f' {key}="{escape(str(value), quote=True)}"')
    opened = f"<{name}{''.join(drawn)}>"
    return Markup(opened if name in _VOID else f"{opened}{join(*inside)}</{name}>")


def join(*inside: Inside) -> Markup:
    """Pieces one after the other; text is escaped, iterables are joined, None is left out."""
    drawn: list[str] = []
    for piece in inside:
        if isinstance(piece, Markup):
            drawn.append(piece)
        elif piece is None:
            continue
        elif isinstance(piece, str) or not isinstance(piece, Iterable):
            drawn.append(escape(str(piece)))
        else:
            drawn.append(join(*piece))
    return Markup("".join(drawn))


def prose(text: str) -> Markup:
    """A sentence in which `…` marks code.

    >>> prose("Sort, then join with `&`.")
    'Sort, then join with <code>&amp;</code>.'
    """
    pieces = text.split("`")
    if len(pieces) % 2 == 0:  # a lone mark is a character like any other
        return join(text)
    return join(tag("code", p) if i % 2 else p for i, p in enumerate(pieces))


def html(title: str, *parts: str) -> str:
    """A self-contained block: a heading and parts that are HTML already."""
    heading = f"<strong>{escape(title)}</strong>" if title else ""
    return f'{_STYLE}<div class="alinb">{heading}{"".join(parts)}</div>'


def paragraph(text: Any) -> Markup:
    return tag("p", str(text))


def link(url: str, label: str) -> str:
    """A link that opens beside the notebook, with the URL to copy under it."""
    safe = escape(url, quote=True)
    anchor = f'<a href="{safe}" target="_blank" rel="noopener noreferrer">{escape(label)}</a>'
    return html("", f"<p>{anchor}</p><code>{safe}</code>")


def listing(items: Iterable[Any]) -> Markup:
    return tag("ul", [tag("li", str(item)) for item in items])


def table(
    head: Sequence[Any],
    rows: Iterable[Sequence[Any]],
    differs: Iterable[int] = (),
    prose: bool = False,
) -> Markup:
    """A table of code, or of prose; the rows in `differs` are bold, which a mark must say too."""
    bold = set(differs)
    cells = "".join(f'<th scope="col">{escape(str(cell))}</th>' for cell in head)
    body = "".join(
        f"<tr{' class=differs' if i in bold else ''}>{_cells(row, prose)}</tr>"
        for i, row in enumerate(rows)
    )
    return Markup(f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>")


def diff(pieces: Iterable[tuple[str, str, str, str]]) -> Markup:
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
    return Markup(f"<code>{''.join(drawn)}</code>")


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
