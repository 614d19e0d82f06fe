"""How the walkthrough looks: escaped HTML, and the same as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..app import platforms
from ..render import Markup, join, tag
from ..tokens import Token
from .elements import (
    button,
    choice,
    code_block,
    copy_button,
    field,
    form,
    part,
    secret_field,
    spell_seconds,
    until,
)

if TYPE_CHECKING:
    from .walkthrough import OAuthWalkthrough


@dataclass(slots=True)
class Step:
    """Where a walk stands beside its app, link, token and tries.

    `check` is what was seen in the field being pasted into, as (mood, text); `trouble` what the
    environment's app lacks.
    """

    check: tuple[str, str] | None = None
    trouble: str = ""
    from_environment: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A walk as HTML and as text at a moment (epoch s)."""

    walk: OAuthWalkthrough
    now: float

    def body(self) -> Markup:
        if self.walk.client is None:
            return join(self._ask_for_app(), self._code())
        token = self.walk.token
        return join(
            self._app(),
            self._link() if token is None else None,
            self._callback() if token is None else None,
            self._token(token) if token is not None else None,
            self._tries(),
            self._code(),
        )

    # ---- step by step

    def _ask_for_app(self) -> Markup:
        known = [(name, p.title) for name, p in platforms().items() if not p.retired]
        return join(
            part("1. The app"),
            tag("p", "The secret goes to the kernel and nowhere else: no notebook keeps it. Set "
                "ALINB_APP_KEY and ALINB_APP_SECRET in the environment to skip this step."),
            form(
                "app",
                field("App key", "key", data_next=True),
                secret_field("App secret", "secret"),
                choice("Platform", known, "aliexpress", name="platform"),
                field("Gateway, if not the platform's", "gateway",
                      placeholder="http://127.0.0.1:8700 for a sandbox"),
                button("Use this app", primary=True),
            ),
        )  # fmt: skip

    def _app(self) -> Markup:
        app = self.walk.client.app if self.walk.client else None
        source = "from the environment" if self.walk.step.from_environment else "as given"
        return join(
            part("1. The app"),
            tag("p", "App key ", tag("code", app and app.key), f" on {app and app.platform.title}, "
                f"{source}; the secret is held in the kernel. "),
            tag("p", "Gateway ", tag("code", app and app.platform.api)),
            button("Use another app", "other_app"),
        )  # fmt: skip

    def _link(self) -> Markup:
        walk, link = self.walk, self.walk.link
        if link is None or walk.client is None:
            return Markup()
        app = walk.client.app
        minutes = app.platform.code_seconds // 60
        return join(
            part("2. The consent"),
            tag("p", "Open the page, log in, and allow the access. The code that comes back "
                f"lives {minutes} minutes and works once."),
            tag(
                "div",
                tag("a", "Open the consent page", href=link.url, target="_blank",
                    rel="noopener noreferrer", data_key="consent"),
                copy_button("Copy the link", link.url),
                button("New link", "new_code"),
                self._listen_button(),
                button("Take a code from the sandbox and exchange it", "sandbox_code")
                if walk.in_sandbox else None,
                class_="row",
            ),
            tag(
                "details",
                tag("summary", "The link, and where it leads back to"),
                tag("p", tag("code", link.url)),
                form(
                    "redirect",
                    field("Redirect URI, exactly as in the console; empty for the registered one",
                          "redirect_uri"),
                    button("Use this redirect URI"),
                ),
                data_key="link",
            ),
        )  # fmt: skip

    def _listen_button(self) -> Markup | None:
        if self.walk.listening:
            return button("Stop listening", "stop_listening")
        if not self.walk.may_listen:
            return None
        return button("Let the callback come here by itself", "listen")

    def _callback(self) -> Markup:
        mood, text = self.walk.step.check or ("", "")
        marks = {"good": "✓ ", "bad": "✗ ", "": ""}
        return join(
            part("3. The callback"),
            tag("p", "Paste the whole address that the browser was sent to, its query, or the code "
                "alone. It goes to the kernel and is not kept."),
            form(
                "exchange",
                secret_field("Callback address, query or code", "callback", shown=True,
                             data_act="check", data_next=True),
                button("Exchange the code, once", primary=True),
            ),
            tag("p", marks[mood] + text, class_=mood or None, aria_live="polite", data_key="check"),
        )  # fmt: skip

    def _token(self, token: Token) -> Markup:
        rows = [("Access token", token.access_token, token.expires_at)]
        if token.refresh_token:
            rows.append(("Refresh token", token.refresh_token, token.refresh_expires_at))
        drawn = [
            tag("tr", tag("th", what, scope="row"), tag("td", tag("code", repr(secret))),
                tag("td", until(end, self.now) if end else "time unknown"))
            for what, secret, end in rows
        ]  # fmt: skip
        head = tag("tr", [tag("th", text, scope="col") for text in ("", "masked", "time left")])
        can = token.can_refresh(self.now)
        return join(
            tag("p", "✓ Steps 2 and 3, consent and exchange, are done."),
            part("4. The token"),
            tag("table", tag("thead", head), tag("tbody", drawn), class_="token"),
            tag("p", "Less than half an hour is left: refresh now." if token.refresh_due(self.now)
                else "A refresh gives a new pair; the refresh token's clock goes on."),
            None if can else tag("p", "This token cannot be refreshed."),
            tag(
                "div",
                button("Refresh", "refresh", disabled=not can, primary=True, data_next=can),
                button("Forget the token", "forget", data_next=not can),
                class_="row",
            ),
        )  # fmt: skip

    def _tries(self) -> Markup | None:
        if not self.walk.tries:
            return None
        again = None if self.walk.token else button("Get a new code", "new_code")
        notes = [
            tag("div", each.html(), again, class_="note bad",
                data_key=f"try-{number}")
            for number, each in reversed(list(enumerate(self.walk.tries, 1)))
        ]  # fmt: skip
        return join(part("Refused tries, newest first"), notes)

    def _code(self) -> Markup:
        return code_block(self.code())

    # ---- the twin

    def code(self) -> str:
        """The same steps in plain Python."""
        return "\n".join([
            "import alinb", "",
            "client = alinb.Client(alinb.App.from_env())",
            "link = alinb.authorize(client.app)",
            "print(link.url)  # open it, allow the access, copy the address it leads to",
            'token = client.exchange(link.callback(input("callback: ")))',
            "token = client.refresh()",
        ])  # fmt: skip

    def text(self) -> str:
        """Where the walk stands, as text."""
        walk = self.walk
        if walk.client is None:
            return "1. The app: key and secret are not given yet."
        app = walk.client.app
        lines = [f"1. The app: key {app.key} on {app.platform.title}, gateway {app.platform.api}."]
        token = walk.token
        if token is None:
            lines.append(f"2. The consent: open {walk.link.url if walk.link else ''}")
            lines.append("3. The callback: not exchanged yet.")
        else:
            lines.append(f"4. The token: {token.access_token!r}, {self._left(token.expires_at)}; "
                         f"refresh token {self._left(token.refresh_expires_at)}.")  # fmt: skip
        return "\n".join([*lines, *(each.text() for each in walk.tries)])

    def _left(self, end: float | None) -> str:
        return "time unknown" if end is None else f"{spell_seconds(end - self.now)} left"
