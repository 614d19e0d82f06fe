"""The one base of all panels.

A panel is a single model: the kernel draws it as escaped HTML in `view`, its only state besides
the layout, and the page makes that picture live. What people type stays in the page and reaches
the kernel in custom messages, which no notebook keeps. A new panel needs four things:

    class Counter(Panel):
        title = "Counter"                      # heading, and the name in reprs

        def __init__(self) -> None:
            self.count = 0                     # own state first: the base draws at once
            super().__init__()

        def body(self) -> Markup:              # the picture of the state, made with render.tag
            return join(
                tag("p", f"{self.count} so far"),
                button("Add", "add", arg="1"),
                form("set", field("Set to", "value"), button("Set", primary=True)),
            )

        def text(self) -> str:                 # its twin in plain text
            return f"{self.count} so far"

        def act_add(self, event: Event) -> None:     # what `button(…, "add")` calls
            self.count += int(event.arg)

        def act_set(self, event: Event) -> None:     # `event.fields` has the form's fields by name
            self.count = int(event["value"])

An action runs with errors caught: an `AlinbError` or any other exception becomes the status line
(`told(error)` words it), and stays in `last_error`. After it the panel is drawn again. Actions come
one after the other, but on any thread; a worker thread of a panel calls `draw()` or `say()` itself,
and wraps what it does in `with self.guarded():`. `say("Sending …", "busy")` shows at once, before
something that blocks.

What a panel offers:
    say(text, mood)         the status line (`role="status"`); mood "", busy, good or bad, each with
                            a mark of its own; `note` for one that can wait for the action's end
    draw()                  show the present state
    whisper(place, text)    text for `tag("span", data_whisper=place)`, never part of the state
    move_to(key)            moves the keyboard to the element with `data_key=key`
    hidden()                override it: every `Secret` that the panel holds. Their values are
                            replaced in all that is shown, in any spelling
    close()                 frees the panel's models and what `closing()` (override it) lets go

Its elements are those of `alinb.widgets.elements`: `part`, `button`, `form`, `field`,
`secret_field`, `choice`, `switch`, `until`, `copy_button`, and `code_block` for the step in plain
code. Attributes the page understands, as `render.tag` spells them: `data_key` names an element that
keeps its place among changing ones; `data_act` with `data_arg` on an input sends each key press,
with `data_when="change"` only the finished value (`event.value`); `data_fresh` with a new figure
makes the page take the `value` over what was typed; `data_param` lights up all elements of the same
parameter under pointer or focus; `data_next` gets the focus when what had it is gone. Style with
the classes of panel.css: row, wide, columns, scroll, note, good, bad, unseen.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from typing import Any, ClassVar

import traitlets
from anywidget import AnyWidget
from ipywidgets import Widget

from ..errors import AlinbError
from ..redact import Redactor, Secret
from ..render import Markup, tag
from .cells import enter
from .elements import MARKS

_LOG = logging.getLogger("alinb.widgets")
_TAG = re.compile(r"(<[^>]*>)")
_STYLE = files(__package__).joinpath("panel.css").read_text(encoding="utf-8")
#: JupyterLab and nbconvert style the tables, lists and code of outputs: two classes outweigh that.
_STILL = _STYLE.replace(".alinb-panel", ".alinb-panel.alinb-still")


@dataclass(frozen=True, slots=True)
class Event:
    """What somebody did: the element's `arg`, an input's `value`, a form's fields by name."""

    arg: str = ""
    value: str = field(default="", repr=False)
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> str:
        """A field of the form, "" where it has none."""
        return self.fields.get(name, "")


class Panel(AnyWidget):
    """A widget whose picture is drawn in the kernel; see the module for how to make one."""

    _esm = files(__package__).joinpath("panel.js").read_text(encoding="utf-8")
    _css = _STYLE
    view = traitlets.Unicode().tag(sync=True)

    title: ClassVar[str] = "Panel"
    #: A panel that never came to be has nothing to close.
    _closed = True

    def __init__(self) -> None:
        #: The last exception of an action, whatever it was.
        self.last_error: Exception | None = None
        #: The host name of the page that shows the panel, once it is shown; "" before.
        self.page_host = ""
        self._status = ("", "")
        self._closed = False
        self._acting, self._drawing = threading.RLock(), threading.RLock()
        self._salt = os.urandom(16)
        self._held: tuple[Secret, ...] = ()
        self._redact = Redactor(self._salt)
        self._pieces: dict[str, str] = {}
        super().__init__()
        enter(self)
        self.on_msg(self._heard)
        self.draw()

    # ---- what a panel is made of

    def body(self) -> Markup:
        """The picture of the present state."""
        raise NotImplementedError

    def text(self) -> str:
        """The same as plain text."""
        raise NotImplementedError

    def heading(self) -> str:
        """The line at the top."""
        return self.title

    def hidden(self) -> Iterable[Secret | None]:
        """Every secret that the panel holds."""
        return ()

    def closing(self) -> None:
        """Let go what else the panel holds: threads, sockets, files."""

    def told(self, error: Exception) -> str:
        """What the status says of an exception."""
        if isinstance(error, AlinbError):
            return str(error)
        return f"{type(error).__name__}: {error}"

    # ---- what a panel does

    def draw(self) -> None:
        """Show the present state."""
        with self._drawing:
            if not self._closed:
                self.view = self._picture()

    def say(self, text: str, mood: str = "") -> None:
        """Put a line in the status, and show it at once; mood is "", busy, good or bad."""
        self.note(text, mood)
        self.draw()

    def note(self, text: str, mood: str = "") -> None:
        """Put a line in the status, to be shown when the action is over."""
        self._status = (text, mood)

    @property
    def status(self) -> str:
        """The status line, with the mark of its mood."""
        text, mood = self._status
        return self._redacted_text(f"{MARKS[mood]} {text}".strip())

    def whisper(self, place: str, text: str) -> None:
        """Show a text that is never part of the panel's state."""
        self.send({"whisper": place, "text": _sendable(self._redacted_text(text))})

    def move_to(self, key: str) -> None:
        """Move the keyboard to the element with `data_key=key`, once it is drawn."""
        self.send({"focus": key})

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Show an exception in the status instead of losing it, as it would be in a callback."""
        try:
            yield
        except Exception as error:
            _LOG.debug("an action failed", exc_info=True)
            self.last_error = error
            self.say(self.told(error), "bad")

    def act(self, name: str, event: Event | None = None) -> None:
        """Do what an element's action does, errors caught, and draw; tests call this too."""
        with self._acting, self.guarded():
            action = getattr(self, f"act_{name}", None)
            if action is None:
                raise LookupError(f"this panel has no action {name!r}")
            action(event or Event())
            self.draw()

    def close(self) -> None:
        """Free every model of the panel; its last picture stays readable."""
        if self._closed:
            return
        with self._drawing:
            if self._closed:
                return
            self._closed = True
        with self.guarded():
            self.closing()
        for part in _parts(self):
            part.close()
        super().close()

    def act_hello(self, event: Event) -> None:
        """The page says where it is shown."""
        self.page_host = event.value

    # ---- how it is shown

    def _picture(self) -> str:
        text, mood = self._status
        with self._drawing:
            try:
                body = self.body()
            except Exception as error:
                # An error in it must not take the status along.
                self.last_error = error
                body = tag("p", f"✗ This cannot be drawn. {self.told(error)}", class_="note bad")
            return _sendable(self._redacted(tag(
                "section",
                # Not h3: JupyterLab would number it as part of the notebook.
                tag("div", self.heading(), role="heading", aria_level="3", class_="title"),
                tag("p", f"{MARKS[mood]} {text}".strip(), role="status", aria_live="polite",
                    class_=mood or None),
                body,
                tag("span", role="log", aria_label="Copying", class_="unseen",
                    data_whisper="copied"),
                aria_label=self.title,
            )))  # fmt: skip

    def _redactor(self) -> Redactor:
        held = tuple(secret for secret in self.hidden() if secret)
        if held != self._held:
            self._held, self._redact, self._pieces = held, Redactor(self._salt), {}
            for secret in held:
                self._redact.learn(secret.kind, secret)
                self._redact.learn(secret.kind, escape(secret.reveal(), quote=True))
        return self._redact

    def _redacted(self, page: Markup) -> str:
        """A page with every secret in it replaced: text by text and tag by tag, for a hidden value
        may not take markup with it. Pieces that the last page had are not searched again."""
        redact, before = self._redactor().text, self._pieces
        self._pieces = {
            piece: before[piece] if piece in before else redact(piece) for piece in _TAG.split(page)
        }
        return "".join(map(self._pieces.__getitem__, _TAG.split(page)))

    def _redacted_text(self, text: str) -> str:
        return self._redactor().text(text)

    def _heard(self, _: Any, content: Any, buffers: Any) -> None:
        if not isinstance(content, Mapping) or not isinstance(content.get("act"), str):
            return
        fields = content.get("fields") or {}
        self.act(
            content["act"],
            Event(
                str(content.get("arg") or ""),
                str(content.get("value") or ""),
                {str(name): str(value) for name, value in fields.items()},
            ),
        )
        self.send({"ack": content.get("n", 0)})

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._redacted_text(self.heading())}>"

    def __str__(self) -> str:
        return self._redacted_text(self.text())

    def _repr_html_(self) -> str:
        """A still picture, for pages without a kernel and without the widget's script."""
        still = tag("div", Markup(self._picture()), class_="alinb-panel alinb-still")
        return f"<style>{_STILL}</style>{still}"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, "text/plain": str(self), "text/html": self._repr_html_()}, metadata


def _sendable(text: str) -> str:
    """A text without half surrogate pairs, which can be pasted but not sent."""
    return text.encode("utf-8", "replace").decode()


def _parts(owner: Widget) -> list[Widget]:
    """The widgets that a widget holds in its state, those they hold first."""
    found: list[Widget] = []
    for name in owner.keys:
        value = getattr(owner, name, None)
        for part in value if isinstance(value, list | tuple) else (value,):
            if isinstance(part, Widget) and part not in found:
                found += [*_parts(part), part]
    return found
