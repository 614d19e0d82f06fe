"""OAuthWalkthrough: from the app's key to a token, step by step, each refused try explained."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from ..app import App, Platform
from ..client import Client, fetch_code
from ..errors import AlinbError, CallbackError, InputError, MissingSecret, TokenStoreError
from ..journal import Journal
from ..oauth import Authorization, Callback, authorize, parse_callback
from ..redact import Secret
from ..render import Markup
from ..tokens import Token, TokenStore
from .base import Event
from .listening import Listening
from .tries import Try
from .walkthrough_picture import Picture, Step


class OAuthWalkthrough(Listening):
    """The way from an app's key and secret to a token: consent link, callback, exchange, refresh.

    `app` is an `App`, a `Client` or a sandbox (which is put on a port, for its consent page);
    without it the environment's, else the panel asks. `store` and `journal` are those of `Client`;
    by default tokens live as long as the kernel, and every try is in the default journal. A code
    is sent once and never again. `client` goes on from here: it holds the token, and stays open
    when the panel is closed.

        walk = alinb.OAuthWalkthrough()
        walk                                  # in a cell; then, when the token is there:
        walk.client.call("aliexpress.ds.text.search", keyWord="lamp", local="en_US",
                         countryCode="US", currency="USD").frame()
    """

    title = "From app key to token"

    def __init__(
        self,
        app: Any = None,
        *,
        redirect_uri: str = "",
        store: TokenStore | None = None,
        journal: Journal | bool | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.client: Client | None = None
        self.link: Authorization | None = None
        #: Every exchange or refresh that was refused or got no answer, oldest first.
        self.tries: list[Try] = []
        self.step = Step()
        self._options: dict[str, Any] = {"store": store, "journal": journal, "clock": clock}
        self._clock = clock
        self._redirect_uri = redirect_uri
        self._sent: set[Secret] = set()
        self._begin(app)
        super().__init__()
        self.say(*self._where())

    def _begin(self, app: Any) -> None:
        """Take the app that was given, else the environment's; else the panel asks for it."""
        if isinstance(app, Client):
            self._use(app)
            return
        if app is not None:
            if hasattr(app, "serve"):
                app.serve()  # a consent page needs a port
            self._use(Client(app, **self._options))
            return
        try:
            self._use(Client(App.from_env(), **self._options))
            self.step.from_environment = True
        except MissingSecret:
            self.step.trouble = ""
        except AlinbError as error:
            self.step.trouble = str(error)

    def _use(self, client: Client) -> None:
        self.link = authorize(client.app, self._redirect_uri)
        self.client = client
        self.step.check = None

    # ---- what a person does; the actions of the page call these

    def new_link(self) -> Authorization:
        """A consent link with a fresh state; a callback of an older link no longer fits."""
        app = self._client().app
        state = self.listener.state if self.listener else None
        back = self.listener.redirect_uri if self.listener else self._redirect_uri
        self.link = authorize(app, back, state=state)
        self.step.check = None
        return self.link

    def exchange(self, pasted: str) -> Token:
        """Trade the code in a pasted callback for a token, once; see `parse_callback`.

        Raises what `Client.exchange` raises, and `InputError` for a code that was sent before.
        """
        return self.use_callback(self._parsed(pasted))

    def refresh(self) -> Token:
        """A new pair for the one held."""
        return self._tried("refresh", lambda: self._client().refresh())

    def forget(self) -> None:
        """Throw the token away, here and in the store; the platform does not hear of it."""
        client = self._client()
        client.store.forget(client.app.platform.place, client.app.key)
        self.new_link()

    @property
    def token(self) -> Token | None:
        """The token that is held."""
        if self.client is None:
            return None
        try:
            return self.client.token
        except TokenStoreError as error:
            self.note(str(error), "bad")
            return None

    def use_callback(self, callback: Callback) -> Token:
        if callback.code in self._sent:
            raise InputError(
                "This code was sent before, and a code works once.", next_step="Get a new code."
            )
        self._sent.add(callback.code)
        self.step.check = None
        token = self._tried("exchange", lambda: self._client().exchange(callback))
        self.new_link()  # a state brings one token
        return token

    def _tried(self, what: str, send: Callable[[], Token]) -> Token:
        try:
            return send()
        except AlinbError as error:
            self.tries.append(Try.of(what, error, self._client().journal, self._clock()))
            raise

    def _parsed(self, pasted: str) -> Callback:
        return parse_callback(pasted, state=self.link.state if self.link else None)

    def _client(self) -> Client:
        if self.client is None:
            raise InputError("There is no app yet.", next_step="Give its key and secret first.")
        return self.client

    # ---- actions of the page

    def act_app(self, event: Event) -> None:
        """App key, secret, platform and gateway as typed."""
        platform = Platform.named(event["platform"] or "aliexpress")
        if gateway := event["gateway"].strip():
            platform = platform.at(gateway)
        app = App(event["key"].strip(), Secret(event["secret"].strip()), platform)
        self.step.from_environment = False
        self._use(Client(app, **self._options))
        self.note(*self._where())
        self.move_to("consent")

    def act_other_app(self, event: Event) -> None:
        """Ask for the app again; its token stays where it is kept."""
        self.stop_listening()
        if self.client:
            self.client.close()
        self.client = self.link = None
        self.tries = []
        self.note(*self._where())

    def act_redirect(self, event: Event) -> None:
        """Another redirect URI, in a new link."""
        self.stop_listening()
        self._redirect_uri = event["redirect_uri"].strip()
        self.new_link()
        self.note("The link is new; it names this redirect URI.", "good")

    def act_new_code(self, event: Event) -> None:
        """A new link, with the keyboard on it."""
        self.stop_listening()
        self.new_link()
        self.note("The link is new: open it, allow the access, and paste what comes back.")
        self.draw()
        self.move_to("consent")

    def act_check(self, event: Event) -> None:
        """Look at what is being pasted, and send nothing."""
        if not event.value.strip():
            self.step.check = None
            return
        try:
            self.step.check = self._checked(self._parsed(event.value))
        except CallbackError as error:
            self.step.check = ("bad", str(error))

    def act_exchange(self, event: Event) -> None:
        """The exchange, once."""
        callback = self._parsed(event["callback"])
        self.say("Exchanging the code, once …", "busy")
        self.use_callback(callback)
        self.stop_listening()
        self.note("The token is here.", "good")

    def act_sandbox_code(self, event: Event) -> None:
        """A code straight from the sandbox, exchanged."""
        self.say("Asking the sandbox for a code …", "busy")
        code = Secret(fetch_code(self._client().app.platform.api), "code")
        self.use_callback(Callback(code))
        self.stop_listening()
        self.note("The token is here.", "good")

    def act_refresh(self, event: Event) -> None:
        """A new pair for the one held."""
        self.say("Refreshing …", "busy")
        self.refresh()
        self.note("The pair is new; the refresh token's own clock went on.", "good")

    def act_forget(self, event: Event) -> None:
        """Throw the token away."""
        self.forget()
        self.note("The token is forgotten here; the platform does not hear of it.")

    def told(self, error: Exception) -> str:
        if self.tries and isinstance(error, AlinbError) and self.tries[-1].error is error:
            return f"{error.message} The try is explained below."
        return super().told(error)

    # ---- how it is shown

    @property
    def in_sandbox(self) -> bool:
        api = self.client.app.platform.api if self.client else ""
        return api.startswith("http://")  # plain http is for this machine only

    def hidden(self) -> Iterable[Secret | None]:
        token = self.token
        held = (token.access_token, token.refresh_token) if token else ()
        app = self.client.app if self.client else None
        return (app.secret if app else None, *held, *self._sent)

    def text(self) -> str:
        return Picture(self, self._clock()).text()

    def body(self) -> Markup:
        return Picture(self, self._clock()).body()

    def _checked(self, callback: Callback) -> tuple[str, str]:
        length = len(callback.code.reveal())
        if callback.code in self._sent:
            return "bad", "This code was sent before, and a code works once. Get a new code."
        ours = self._client().app.key
        if callback.app_key and callback.app_key != ours:
            return "bad", f"This code belongs to app {callback.app_key}; this app is {ours}."
        if callback.state_checked:
            return "good", f"A code of {length} characters, and its state is this link's."
        return "good", f"A bare code of {length} characters; it brings no state to check."

    def _where(self) -> tuple[str, str]:
        if self.step.trouble:
            return self.step.trouble, "bad"
        if self.client is None:
            return "Give the app's key and secret.", ""
        if self.token:
            return "A token is held already.", "good"
        return "Open the consent page, allow the access, and paste what comes back.", ""
