"""A panel that may wait on this machine for a callback, where the page reaches it."""

from __future__ import annotations

from typing import Any

from ..app import is_loopback
from ..errors import CallbackError
from ..listener import Listener
from ..oauth import Callback
from .base import Event, Panel


class Listening(Panel):
    """Listens on loopback, once the page is known to reach the port; pasting is always possible.

    `listening` is "" where it does not, "asked" while the page tries, "yes" while it waits. A panel
    of this kind has a `new_link`, which is to lead to the listener where there is one.
    """

    def __init__(self) -> None:
        self.listener: Listener | None = None
        self.listening = ""
        super().__init__()

    def new_link(self) -> Any:
        """A link with a fresh state."""
        raise NotImplementedError

    def use_callback(self, callback: Callback) -> Any:
        """What is done with a callback that has come."""
        raise NotImplementedError

    @property
    def may_listen(self) -> bool:
        """Whether a listener is offered: only to a page that comes from this machine itself."""
        return bool(self.page_host) and is_loopback(self.page_host.strip("[]"))

    def act_listen(self, event: Event) -> None:
        """Start listening, and have the page find out whether it reaches the port."""
        self.stop_listening()
        self.listener = Listener(
            then=lambda: self.act("arrived"), when_reached=lambda: self.act("reached")
        )
        self.listening = "asked"
        self.say("Looking whether this browser reaches the kernel's machine …", "busy")
        self.send({"probe": self.listener.probe})

    def act_unreached(self, event: Event) -> None:
        """The page could not reach the port: the kernel is on another machine."""
        if self.listening == "asked":
            self.stop_listening()
            self.note("This browser does not reach the kernel's machine; paste the callback.")

    def act_reached(self, event: Event) -> None:
        """The page reached the port: the link now leads back to it."""
        if self.listener and self.listening == "asked":
            self.listening = "yes"
            self.new_link()
            self.note("Listening: open the link and allow the access; the code comes by itself.",
                      "good")  # fmt: skip
            self.move_to("consent")

    def act_arrived(self, event: Event) -> None:
        """The listener is over: with a code, a refusal, or nothing."""
        listener = self.listener
        if listener is None or listener.listening:
            return
        outcome = listener.outcome
        self.stop_listening()
        if isinstance(outcome, CallbackError):
            raise outcome
        if outcome is not None:
            self.say("The callback has arrived. Exchanging the code, once …", "busy")
            self.use_callback(outcome)
            self.note("The token is here.", "good")

    def act_stop_listening(self, event: Event) -> None:
        """Close the port; the callback can be pasted."""
        self.stop_listening()
        self.new_link()
        self.note("No longer listening; paste the callback.")

    def stop_listening(self) -> None:
        listener, self.listener = self.listener, None
        self.listening = ""
        if listener is not None:
            listener.close()

    def closing(self) -> None:
        self.stop_listening()
