"""The controls of panels, each with its label, as escaped HTML."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..render import Inside, Markup, tag

#: Beside every color stands a mark.
MARKS = {"": "", "busy": "…", "good": "✓", "bad": "✗"}


def part(label: str) -> Markup:
    """The heading of a part of a panel; a heading element would be numbered by JupyterLab."""
    return tag("div", label, role="heading", aria_level="4", class_="part")


def button(
    label: Inside, act: str = "", arg: str = "", *, primary: bool = False, **more: Any
) -> Markup:
    """A button that does an action; without `act` it submits the form around it."""
    return tag(
        "button",
        label,
        type="button" if act else "submit",
        class_="primary" if primary else None,
        data_act=act or None,
        data_arg=arg or None,
        **more,
    )


def form(act: str, *inside: Inside, arg: str = "", **more: Any) -> Markup:
    """Fields sent together, by Enter in any of them or by its button."""
    more.setdefault("class_", "row")
    return tag("form", *inside, data_act=act, data_arg=arg or None, **more)


def field(label: str, name: str = "", value: str = "", **more: Any) -> Markup:
    """A labelled text field; `name` is that of the form's field."""
    return tag(
        "label",
        label,
        tag(
            "input",
            type=more.pop("type", "text"),
            name=name or None,
            value=value,
            **more,
        ),
        class_="wide",
    )


def secret_field(label: str, name: str, *, shown: bool = False, **more: Any) -> Markup:
    """A field whose text never rests in any state; it is emptied when its form is sent.

    `shown` lets people see what they type or paste, such as a callback.
    """
    return field(label, name, "", type="text" if shown else "password", data_secret=True, **more)


def choice(
    label: str,
    options: Iterable[tuple[str, str]],
    chosen: str = "",
    *,
    name: str = "",
    act: str = "",
    arg: str = "",
    unseen_label: bool = False,
    **more: Any,
) -> Markup:
    """A labelled list of (value, text) to choose from, in a form or with an action of its own."""
    drawn = [tag("option", text, value=value, selected=value == chosen) for value, text in options]
    select = tag(
        "select",
        drawn,
        name=name or None,
        data_act=act or None,
        data_arg=arg or None,
        data_when="change" if act else None,
        aria_label=label if unseen_label else None,
        **more,
    )
    return select if unseen_label else tag("label", label, select)


def switch(label: str, on: bool, act: str, arg: str = "", **more: Any) -> Markup:
    """A labelled on-off switch; the action's event has the value "on" or ""."""
    return tag(
        "label",
        tag(
            "input", type="checkbox", role="switch", checked=on, data_act=act, data_arg=arg or None,
            data_when="change", **more,
        ),
        label,
        class_="inline",
    )  # fmt: skip


def until(moment: float, now: float) -> Markup:
    """The time left to a moment (epoch s); the page counts it down."""
    return tag("time", spell_seconds(moment - now), data_until=f"{moment:.0f}")


def spell_seconds(seconds: float) -> str:
    """A duration in days, hours, minutes and seconds; "over" where none is left.

    >>> spell_seconds(86399)
    '23 h 59 min 59 s'
    """
    if seconds <= 0:
        return "over"
    left = int(seconds)
    parts = [(left // 86_400, "d"), (left // 3600 % 24, "h"), (left // 60 % 60, "min"),
             (left % 60, "s")]  # fmt: skip
    while len(parts) > 1 and parts[0][0] == 0:
        parts.pop(0)
    return " ".join(f"{amount} {unit}" for amount, unit in parts)


def copy_button(label: str, text: str, **more: Any) -> Markup:
    """A button that puts a text on the clipboard."""
    return tag("button", label, type="button", data_copy=text, **more)


def code_block(code: str, label: str = "The same in code") -> Markup:
    """The step as plain Python, folded, with a button to copy it."""
    return tag(
        "details",
        tag("summary", label),
        tag("pre", tag("code", code)),
        copy_button("Copy the code", code),
        data_key=f"code {label}",
    )
