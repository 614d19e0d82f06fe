"""ApiExplorer: find a method, fill in its form, see the signed request, send it, read the reply."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from ..client import fetch_code
from ..errors import AlinbError, InputError
from ..redact import Secret
from ..render import Markup
from ..replies import Reply
from .base import Event, Panel
from .explorer_picture import Picture
from .exploring import FIRST, Exploration, client_of
from .tries import Try


class ApiExplorer(Panel):
    """Every method of the catalogue with a form of its own: preview, send, tables, JSON, code.

    `app` is an `App`, a `Client` or a sandbox; without it the environment's. A client's token goes
    along where a method takes one; `OAuthWalkthrough(…).client` holds one. `exploration` is the
    plain twin, what `alinb.explore(…)` gives; `reply` and `frame()` hand the last answer on.

        explorer = alinb.ApiExplorer(walk.client)
        explorer                              # in a cell; then, when something was sent:
        explorer.frame()
    """

    title = "API explorer"

    def __init__(
        self, app: Any = None, name: str = FIRST, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.exploration = Exploration(client_of(app), name)
        #: What is looked for in the names.
        self.search = ""
        #: The last call that was refused or got no answer.
        self.trouble: Try | None = None
        self._box = app if hasattr(app, "code") else None
        self._clock = clock
        #: Counts methods chosen, so that the page takes the new fields.
        self.fresh = 0
        self._drawn: tuple[Reply | None, Markup] = (None, Markup())
        super().__init__()
        self.say(*self._where())

    @property
    def reply(self) -> Reply | None:
        """The last reply."""
        return self.exploration.reply

    def frame(self) -> Any:
        """The last reply's records as a DataFrame. Raises `InputError` where nothing was sent."""
        if self.reply is None:
            raise InputError("Nothing came back yet.", next_step="Send the call first.")
        return self.reply.frame()

    # ---- what a person does; the actions of the page call these

    def choose(self, name: str) -> None:
        """Another method, by its full name."""
        self.exploration.choose(name.strip())
        self.trouble = None
        self.fresh += 1

    def call(self) -> Reply:
        """Send the call once and keep the attempt; a refusal is a reply like any other."""
        self.trouble = None
        reply = None
        try:
            reply = self.exploration.send()
            reply.raise_for_refusal()
        except AlinbError as error:
            client = self.exploration.client
            if client is not None and not isinstance(error, InputError):
                self.trouble = Try.of(self.exploration.name, error, client.journal, self._clock())
            if reply is None:
                raise
        return reply

    # ---- actions of the page

    def act_search(self, event: Event) -> None:
        """A key press in the search field."""
        self.search = event.value

    def act_choose(self, event: Event) -> None:
        """A method of the list, or a near name."""
        self._choose(event.value or event.arg)

    def act_take(self, event: Event) -> None:
        """Enter in the search field: the one method that is left, or the name as it stands."""
        self.search = event["search"]
        found = Picture(self).found
        typed = self.search.strip()
        if typed in found or (("." in typed or "/" in typed) and not found):
            self._choose(typed)
        elif found:
            self._choose(found[0])
        else:
            raise InputError(
                f"No method has {typed!r} in its name.",
                next_step="Take a name near it, or another.",
            )

    def act_verb(self, event: Event) -> None:
        """POST or GET."""
        self.exploration.verb = "GET" if event.value == "GET" else "POST"

    def act_edit(self, event: Event) -> None:
        """A key press in a parameter."""
        self.exploration.set(event.arg, event.value)

    def act_send(self, event: Event) -> None:
        """Send the call with the fields as they are."""
        other = event["other"] if "other" in event.fields else ""
        for name, value in event.fields.items():
            if name.startswith("p."):
                self.exploration.set(name[2:], value)
        self._take_other(other)
        self.say(f"Sending {self.exploration.name} …", "busy")
        self.call()
        self.note(*self._ended())
        self.move_to("reply")

    def act_other(self, event: Event) -> None:
        """A key press in the parameters that the catalogue does not name."""
        self._take_other(event.value)

    def act_sandbox_token(self, event: Event) -> None:
        """A token of the sandbox, without its consent page."""
        client = self.exploration.client
        if client is None:
            raise InputError("There is no app.", next_step="Give a sandbox.")
        self.say("Exchanging a code of the sandbox …", "busy")
        client.exchange(self._box.code() if self._box else fetch_code(client.app.platform.api))
        self.note("A token of the sandbox is held, and goes along.", "good")

    def _choose(self, name: str) -> None:
        if not name:
            return
        self.choose(name)
        self.search = ""
        self.note(*self._where())

    def _take_other(self, text: str) -> None:
        """Lines of name=value; those that were taken before and are gone go."""
        known = {p.name for p in self.exploration.parameters}
        given: dict[str, str] = {}
        for line in text.splitlines():
            name, equals, value = line.partition("=")
            if equals and name.strip():
                given[name.strip()] = value.strip()
        for name in [n for n in self.exploration.values if n not in known and n not in given]:
            self.exploration.set(name, "")
        for name, value in given.items():
            self.exploration.set(name, value)

    # ---- how it is shown

    @property
    def in_sandbox(self) -> bool:
        client = self.exploration.client
        return client is not None and (
            self._box is not None
            or (client.asgi is None and client.app.platform.api.startswith("http://"))
        )

    def _where(self) -> tuple[str, str]:
        if self.exploration.client is None:
            return ("No app: the forms can be read, nothing can be signed. Set ALINB_APP_KEY and "
                    "ALINB_APP_SECRET, or give an app or a client.", "")  # fmt: skip
        return f"{self.exploration.name} is ready to be filled in.", ""

    def _ended(self) -> tuple[str, str]:
        return self.exploration.outcome, "good" if self.trouble is None else "bad"

    def told(self, error: Exception) -> str:
        if self.trouble is not None and self.trouble.error is error:
            return f"{self.trouble.error.message} The try is explained below."
        return super().told(error)

    def answer(self) -> Markup:
        """The reply's picture, drawn once a reply."""
        shown = self.exploration.shown
        if self._drawn[0] is not shown:
            self._drawn = shown, Picture(self).answer(shown) if shown else Markup()
        return self._drawn[1]

    def hidden(self) -> Iterable[Secret | None]:
        return self.exploration.secrets()

    def heading(self) -> str:
        return f"{self.title}: {self.exploration.name}"

    def text(self) -> str:
        return str(self.exploration)

    def body(self) -> Markup:
        return Picture(self).body()
