"""What the sync and the async client share: everything but sending."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from . import oauth
from .app import App, is_loopback
from .attempts import Attempt
from .calls import Call
from .doctor import diagnose
from .errors import InputError, JournalError, NoReply
from .journal import Journal
from .knowledge import load
from .quiet import quiet
from .redact import Secret, hide
from .replies import Reply
from .signing import Signed, sign
from .stages import Recipe, Signer
from .tokens import MemoryStore, Token, TokenStore, claim_of
from .tokens.claims import Waiting

#: The parameters a user's token goes in.
TOKEN_NAMES = ("access_token", "session")


class Target(Protocol):
    """Something with an app and an ASGI gateway inside this process: a `Sandbox`."""

    @property
    def app(self) -> App: ...
    @property
    def asgi(self) -> Any: ...


class Session:
    """What both clients share: no I/O but the token store and the journal."""

    def __init__(
        self,
        app: App | Target | None,
        *,
        journal: Journal | bool | None,
        store: TokenStore | None,
        token: Token | None,
        gateway: str | None,
        clock: Callable[[], float],
    ) -> None:
        chosen = App.from_env() if app is None else app
        if not isinstance(chosen, App) and not hasattr(chosen, "asgi"):
            raise InputError(
                f"A client is made for an App, not for a {type(chosen).__name__}.",
                next_step="Give an App or a sandbox; a gateway's URL goes in as gateway=…",
            )
        self.app = chosen if isinstance(chosen, App) else chosen.app
        self.asgi = None if isinstance(chosen, App) or gateway else chosen.asgi
        if gateway:
            self.app = App(self.app.key, self.app.secret, self.app.platform.at(gateway))
        if isinstance(journal, Journal):
            self.journal: Journal | None = journal
        else:
            self.journal = None if journal is False else Journal()
        self.store: TokenStore = MemoryStore() if store is None else store
        self.clock = clock
        self._signers: dict[Any, tuple[App, Signer]] = {}
        if token is not None:
            self.save_token(token)

    @property
    def may_use_proxy(self) -> bool:
        """A gateway on this machine is reached directly, whatever proxy the environment names."""
        return not is_loopback(urlsplit(self.app.platform.api).hostname or "")

    @property
    def token(self) -> Token | None:
        return self.store.load(self.app.platform.place, self.app.key)

    def save_token(self, token: Token) -> None:
        self.store.save(self.app.platform.place, self.app.key, token)

    def signed(self, name: str | Call, params: Mapping[str, Any], **how: Any) -> Signed:
        call = name if isinstance(name, Call) else Call.of(name, params)
        platform, token = self.app.platform, self.token
        if token and needs_token(call.name) and not any(n in call.params for n in TOKEN_NAMES):
            carried = (
                platform.token_parameter if call.is_path else platform.business_token_parameter
            )
            more = {carried: token.access_token.reveal()}
            call = Call(call.name, {**call.params, **more}, call.files)
        return sign(call, app=self.app, clock=self.clock, signers=self._signers, **how)

    @quiet
    def sign(
        self, name: str, /, *, verb: str = "POST", recipe: Recipe | None = None, **params: Any
    ) -> Signed:
        """The call signed but not sent, by another recipe where one is given."""
        return self.signed(name, params, verb=verb, recipe=recipe)

    @quiet
    def pull(self, name: str | Call, /, **how: Any) -> Any:
        """Every page of a method, paced and resumable; see `alinb.Pull`.

        client.pull("aliexpress.ds.product.get", over={"product_id": ids}, ship_to_country="US")
        """
        from alinb import pull

        return pull(cast(Any, self), name, **how)

    def attempt(
        self,
        signed: Signed,
        headers: tuple[tuple[str, str], ...],
        body: str,
        started: float,
        elapsed_ms: float,
        **outcome: Any,
    ) -> Attempt:
        return Attempt(
            method=signed.method,
            url=signed.url,
            headers=headers,
            body=body,
            string_to_sign=signed.string_to_sign,
            stages=signed.walk.stages,
            name=signed.call.name,
            platform=self.app.platform.name,
            source="client",
            at=started,
            elapsed_ms=elapsed_ms,
            **outcome,
        )

    def open_journal(self) -> None:
        """Fail before anything is sent where the attempt could not be kept: a code works once."""
        if self.journal is not None:
            self.journal.open()

    def open_store(self) -> None:
        """Fail before a code or a refresh token is spent where the new pair could not be kept."""
        if hasattr(self.store, "open"):
            self.store.open()

    def waiting(self) -> Waiting:
        """Looks for the right to renew the token; one at a time has it on this machine."""
        self.open_store()
        place, key = self.app.platform.place, self.app.key
        return Waiting(lambda: claim_of(self.store, place, key))

    def lasting(self, margin_s: float) -> tuple[Token, bool]:
        """The token that is held, and whether it is to be renewed first.

        Raises `InputError` where there is none.
        """
        held, now = self.token, self.clock()
        if held is None:
            raise InputError(
                f"No token is held for app {self.app.key}.",
                next_step="Exchange a code first: alinb token url begins the way to one.",
            )
        due = held.refresh_due(now, margin_s)
        return held, due and (held.can_refresh(now) or held.expired(now))

    def renewed(self, used: Token | None) -> Token | None:
        """The pair that another has put in the place of `used` in the meantime."""
        held = self.token
        if held is None or used is None or held.access_token == used.access_token:
            return None
        return None if held.expired(self.clock()) else held

    def record(self, attempt: Attempt) -> Attempt:
        """Diagnose a refusal while its values are in memory, and keep the attempt."""
        if attempt.verdict == "refused":
            found = diagnose(attempt, secret=self.app.secret)
            attempt = replace(attempt, diagnosis=found.as_dict())
        if self.journal is None:
            return attempt
        token = self.token
        known = (token.access_token, token.refresh_token) if token else ()
        return self.journal.record(attempt, self.app.secret, *known)

    def answered(self, reply: Reply, attempt: Attempt) -> Reply:
        """The reply with its attempt's number; where that cannot be kept the error has the reply.

        A full disk must not take an answer along that may not come twice.
        """
        try:
            return replace(reply, attempt_id=self.record(attempt).id)
        except JournalError as error:
            error.evidence["reply"] = reply
            raise

    def no_reply(self, attempt: Attempt, *, connected: bool) -> NoReply:
        """What to raise where no answer came; `connected`: whether anything can have arrived."""
        next_step = "It is not known whether the call was carried out; a read may be sent again."
        if not connected:
            next_step = "Check the gateway's address and the network, then send it again."
        elif attempt.api_name.startswith("/auth/token/create"):
            next_step = "The code may be spent: get a new one before trying again."
        elif attempt.api_name.startswith("/auth/token/refresh"):
            next_step = "The refresh token may be spent: refresh again, which says so where it is."
        host = urlsplit(attempt.url).hostname
        return NoReply(
            f"{attempt.api_name} got no answer from {host}: {attempt.problem}.",
            next_step=next_step,
            attempt_id=attempt.id,
            connected=connected,
        )

    def new_token(self, reply: Reply, before: Token | None = None) -> Token:
        reply.raise_for_refusal()
        token = Token.read(reply.payload, self.clock(), before)
        self.save_token(token)
        return token

    def refreshable(self, token: Token | None) -> tuple[Token, Secret]:
        held = token or self.token
        if held is None or held.refresh_token is None or not held.can_refresh(self.clock()):
            raise InputError(
                "There is no token here that can be refreshed.",
                next_step="Open the consent page again and exchange a new code.",
            )
        return held, held.refresh_token


def check_open(signed: Signed, *, closed: bool) -> None:
    """Raises `InputError` where a call must not be sent: by a closed client, or in the clear."""
    if closed:
        raise InputError("This client is closed.", next_step="Make a new one.")
    parts = urlsplit(signed.endpoint)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise InputError(
            f"{signed.call.name} would go to {parts.hostname} over plain {parts.scheme or 'text'}.",
            next_step="Use https, with gateway=…; plain http is for 127.0.0.1 only.",
        )


@contextmanager
def sound_settings() -> Iterator[None]:
    """Names the environment where no HTTP client can be made with its settings."""
    try:
        yield
    except (ValueError, OSError, ImportError, TypeError) as error:
        raise InputError(
            f"The settings for HTTP cannot be used: {hide(str(error)).rstrip('.')}.",
            next_step="Look at HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR.",
        ) from None


def check_token(session: Session, params: Mapping[str, Any], name: str) -> None:
    """Raise `InputError` where a call surely needs a user's token and none would go along."""
    certain = load("methods")["methods"].get(name, {}).get("token") is True
    if certain and not any(n in params for n in TOKEN_NAMES) and session.token is None:
        raise InputError(
            f"{name} needs an access token, and none is held for app {session.app.key}.",
            next_step="Nothing was sent. Exchange a code first: alinb token url begins the way.",
        )


def needs_token(name: str) -> bool:
    """Whether a user's token belongs on this call, by the catalogue; an unknown call takes one."""
    facts = load("methods")
    known = facts["methods"].get(name, {})
    if "token" in known:
        return bool(known["token"])
    family = max((f for f in facts["families"] if name.startswith(f)), key=len)
    return bool(facts["families"][family]["token"])


def code_of(code: str | Secret | oauth.Callback) -> Secret:
    return code.code if isinstance(code, oauth.Callback) else Secret(code, "code")
