"""Tokens in the system's keyring, where it is one that keeps secrets."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

from .. import files
from ..errors import MissingExtra, TokenStoreError
from ..redact import Secret
from .claims import Claim, Recovering, granted, tokens_in
from .pair import Token

#: What the entries stand under in the keyring.
SERVICE = "alinb"


class KeyringStore(Recovering):
    """Tokens in the operating system's keyring.

    Backends that keep nothing, or keep it in plain text, are refused by name: those with a priority
    below 1 and those that call themselves plain text. Raises `MissingExtra` without the `keyring`
    package, `TokenStoreError` where the backend is refused or does not answer.

        alinb.Client(app, store=alinb.KeyringStore())
    """

    def __init__(self, backend: Any = None) -> None:
        try:
            import keyring
            from keyring.errors import KeyringError
        except ImportError:
            raise MissingExtra(
                "The keyring needs a package that is not installed.",
                next_step="pip install 'alinb[keyring]', or keep tokens in a file.",
            ) from None
        self._errors = KeyringError
        self._backend = _safe(keyring.get_keyring() if backend is None else backend)

    @property
    def backend(self) -> str:
        """The full name of the backend that keeps the tokens."""
        return _title(self._backend)

    def _left_behind(self, platform: str, app_key: str) -> bool:
        return self._get(_pending(platform, app_key)) is not None

    def _save(self, platform: str, app_key: str, token: Token) -> None:
        self._set(f"{platform}:{app_key}", Secret(json.dumps(token.as_stored()), "token"))

    def forget(self, platform: str, app_key: str) -> bool:
        if self.load(platform, app_key) is None:
            return False
        self._delete(f"{platform}:{app_key}")
        return True

    def claim(self, platform: str, app_key: str) -> Claim | None:
        """The right to renew a token; None while another thread or process has it."""
        from platformdirs import user_data_dir

        folder = Path(user_data_dir("alinb", appauthor=False))
        digest = hashlib.sha256(f"{platform}:{app_key}".encode()).hexdigest()[:12]
        try:
            files.private_folder(folder)
            drawer = _KeyringDrawer(self, platform, app_key)
            return granted(drawer, files.Lock(folder / f".keyring.{digest}.lock"))
        except OSError as error:
            raise TokenStoreError(
                f"The folder {folder} takes no lock: {error.strerror or error}.",
                next_step="Make it writable; nothing was sent and nothing was changed.",
            ) from None

    def open(self) -> None:
        """Raises `TokenStoreError` where the keyring does not answer."""
        self._get("alinb")

    def _load(self, platform: str, app_key: str) -> Token | None:
        text = self._get(f"{platform}:{app_key}")
        if text is None:
            return None
        try:
            return Token.stored(json.loads(text.reveal()))
        except ValueError:
            raise TokenStoreError(
                f"The entry {platform}:{app_key} of the keyring is not one of alinb's.",
                next_step="Delete it, or keep tokens in a file.",
            ) from None

    def _get(self, name: str) -> Secret | None:
        return self._asked(lambda: self._backend.get_password(SERVICE, name))

    def _set(self, name: str, value: Secret) -> None:
        self._asked(lambda: self._backend.set_password(SERVICE, name, value.reveal()))

    def _delete(self, name: str) -> None:
        if self._get(name) is not None:
            self._asked(lambda: self._backend.delete_password(SERVICE, name))

    def _asked(self, ask: Callable[[], str | None]) -> Secret | None:
        try:
            found = ask()
            return None if found is None else Secret(found, "token")
        except (self._errors, RuntimeError, OSError) as error:
            kind = type(error).__name__
        raise TokenStoreError(
            f"The keyring {self.backend} does not answer ({kind}).",
            next_step="Unlock it, or keep tokens in a file.",
        )

    def __repr__(self) -> str:
        return f"KeyringStore({self.backend})"


class _KeyringDrawer:
    """An entry beside the token's: a reply in clear text belongs into no file here."""

    def __init__(self, store: KeyringStore, platform: str, app_key: str) -> None:
        self._store, self._platform, self._app_key = store, platform, app_key
        self._name = _pending(platform, app_key)
        self._note = f"{platform}:{app_key}:unanswered"
        self._sent = True

    def prepare(self, spent: str) -> None:
        about = {"at": time.time(), "spent": spent, "reply": ""}
        self._store._set(self._name, Secret(json.dumps(about), "token"))

    def unsent(self) -> None:
        self._sent = False

    def unanswered(self, spent: str) -> float | None:
        with suppress(TokenStoreError, ValueError, KeyError, TypeError, AttributeError):
            note = self._store._get(self._note)
            about = json.loads(note.reveal()) if note else {}
            return float(about["at"]) if spent and about.get("spent") == spent else None
        return None

    def answered(self) -> None:
        with suppress(TokenStoreError):  # an old note must not hide that the call went well
            self._store._delete(self._note)

    def put(self, reply: BytesIO) -> None:
        self._store._set(self._name, _entry(reply))

    def settle(self) -> None:
        kept = self._store._get(self._name)
        if kept is None:
            return
        token = self._token(kept)
        if token is not None:
            self._store._save(self._platform, self._app_key, token)
        self._store._delete(self._name)

    def _token(self, kept: Secret) -> Token | None:
        """The pair in the reply, where it is another than the one in the store."""
        held = self._store._load(self._platform, self._app_key)
        entry = json.loads(kept.reveal())
        if not entry["reply"] and self._sent:
            self._store._set(self._note, kept)
        found = tokens_in(entry["reply"].encode(), entry["at"], held)
        return None if found and held and found.access_token == held.access_token else found


def _entry(reply: BytesIO) -> Secret:
    text = reply.getvalue().decode("utf-8", "replace")
    return Secret(json.dumps({"at": time.time(), "reply": text}), "token")


def _pending(platform: str, app_key: str) -> str:
    return f"{platform}:{app_key}:reply"


def _safe(backend: Any) -> Any:
    """The backend, or of a chain the first safe one. Raises `TokenStoreError` for the others."""
    chain = list(getattr(backend, "backends", None) or [backend])
    for candidate in chain:
        if not _weakness(candidate):
            return candidate
    named = "; ".join(f"{_title(candidate)} {_weakness(candidate)}" for candidate in chain)
    raise TokenStoreError(
        f"There is no safe keyring here: {named}.",
        next_step="Set one up, or keep tokens in a file of mode 0600: leave out --keyring.",
    )


def _weakness(backend: Any) -> str:
    """What is wrong with a backend; "" where it is safe."""
    name = _title(backend).lower()
    if "fail" in name.split("."):
        return "keeps nothing"
    if "null" in name.split("."):
        return "forgets what it is given"
    if "plaintext" in name.replace("_", ""):
        return "keeps plain text"
    try:
        priority = float(backend.priority)
    except Exception as error:
        return f"cannot work here ({type(error).__name__})"
    return "" if priority >= 1 else f"is weak (priority {priority:g})"


def _title(backend: Any) -> str:
    return f"{type(backend).__module__}.{type(backend).__name__}"
