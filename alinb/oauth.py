"""The OAuth steps around the code-for-token exchange: the consent link, the callback, the calls."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Protocol
from urllib.parse import parse_qs, urlencode, urlsplit

from .app import Platform, is_full_url
from .calls import Call
from .errors import CallbackError, InputError
from .quiet import quiet
from .redact import Secret

_QUOTES = " \t\r\n\"'`“”‘’„‚«»<>"
#: Names fit to be shown: a code pasted in the place of a name is not one of them.
_NAME = re.compile(r"[A-Za-z_]{1,20}")
_APP_IN_CODE = re.compile(r"\d+_(\d+)_\w+")


class Registered(Protocol):
    """What a consent link needs of an app: no secret."""

    @property
    def key(self) -> str: ...
    @property
    def platform(self) -> Platform: ...


@dataclass(frozen=True, slots=True)
class Callback:
    """What a pasted callback holds: the authorization code, and whether its state was checked."""

    code: Secret
    state: str = ""
    state_checked: bool = False

    @property
    def app_key(self) -> str:
        """The app key inside the code (`3_<app key>_…`, Lazada `0_<app key>_…`), "" without one.

        Codes are opaque by contract; the shape is what several clients have seen.
        """
        found = _APP_IN_CODE.fullmatch(self.code.reveal())
        return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Authorization:
    """A consent link and the state that its callback must bring back, once."""

    url: str
    state: str
    _came: list[bytes] = field(default_factory=list, init=False, repr=False, compare=False)

    def callback(self, text: str) -> Callback:
        """The code in a pasted callback of this link; see `parse_callback`.

        The same callback may be read again; one that brings the state back with another code is
        refused with a `CallbackError`, for whoever learnt the state could have made it.
        """
        found = parse_callback(text, state=self.state)
        if found.state:
            mark = hashlib.sha256(found.code.reveal().encode("utf-8", "surrogatepass")).digest()
            if not self._came:
                self._came.append(mark)
            if self._came[0] != mark:
                raise CallbackError(
                    "The `state` of this link came back before, with another code.",
                    next_step="Make a new link, and take the callback that it leads to.",
                )
        return found

    def _repr_html_(self) -> str:
        from .render import link

        return link(self.url, "Open the consent page")


@quiet
def authorize(
    app: Registered,
    redirect_uri: str = "",
    *,
    state: str | None = None,
    force_auth: bool = False,
    country: str = "",
    random: Callable[[int], str] = secrets.token_hex,
) -> Authorization:
    """The consent link of an app, with 128 bits of fresh `state`.

    `redirect_uri` must equal the callback URL in the console, to the last slash; without it the
    registered one is used. `force_auth` asks for a fresh login. `country` is for Lazada and Daraz.
    `uuid` is never sent: it spoils the code. Source: developer.alibaba.com 120687; DS reference.
    """
    platform = app.platform
    if platform.retired:
        raise InputError(
            f"{platform.title} takes no new consents.", next_step="Use the aliexpress platform."
        )
    if redirect_uri and not is_full_url(redirect_uri):
        raise InputError(
            f"{redirect_uri!r} is not a full URL.",
            next_step="Give the callback URL of the console, with https://.",
        )
    if country and "country" not in platform.authorize_parameters:
        raise InputError(f"{platform.title} takes no country.", next_step="Leave `country` out.")
    chosen = random(16) if state is None else state
    query = {
        "response_type": "code",
        "client_id": app.key,
        "redirect_uri": redirect_uri,
        "state": chosen,
        "force_auth": "true" if force_auth else "",
        "country": country,
    }
    sent = {name: value for name, value in query.items() if value}
    return Authorization(f"{platform.authorize_url}?{urlencode(sent)}", chosen)


@quiet
def parse_callback(text: str, *, state: str | None = None) -> Callback:
    """The authorization code in whatever the user could copy: a URL, its query, or the code.

    Quotes, brackets and white space around it are trimmed. Where `state` is given it must come
    back unchanged; it is compared in constant time. A bare code brings no state, so `state_checked`
    stays false. Raises `CallbackError`, which says what is missing.

    >>> parse_callback(" 'https://example.com/cb?code=3_500102_Jx&state=ab' ", state="ab").code
    ‹code •••• 11›
    """
    pasted = _unwrapped(text)
    if not pasted:
        raise CallbackError(
            "Nothing was pasted.",
            next_step="Copy the address bar after the consent page sent you back.",
        )
    if "=" not in pasted and "?" not in pasted and "://" not in pasted:
        return _bare(pasted)
    fields = _fields(pasted)
    if "error" in fields:
        described = f" ({fields['error_description'][0]})" if "error_description" in fields else ""
        raise CallbackError(
            f"The consent page answered {fields['error'][0]!r}{described}.",
            next_step="Open the consent link again and allow the access.",
            fields=_names(fields),
        )
    stripped = (code.strip(_QUOTES) for code in fields.get("code", []))
    codes = list(dict.fromkeys(filter(None, stripped)))
    if len(codes) != 1:
        seen = ", ".join(_names(fields)) or ("no plain name" if fields else "no parameter at all")
        what = f"{len(codes)} different codes" if codes else f"no `code` (it has: {seen})"
        raise CallbackError(
            f"The pasted callback holds {what}.",
            next_step="Copy the whole address that the consent page sent the browser to.",
            fields=_names(fields),
        )
    returned = fields.get("state", [""])[0]
    if state is not None and not _same(returned, state):
        raise CallbackError(
            "The `state` in the callback is "
            + ("missing." if not returned else "not the one this link was made with."),
            next_step="It may belong to another consent; open the latest link and paste again.",
            fields=_names(fields),
        )
    return Callback(Secret(codes[0], "code"), returned, state_checked=state is not None)


def exchange_call(code: str | Secret) -> Call:
    """The call that trades an authorization code for tokens; a code works once."""
    return Call.of("/auth/token/create", {"code": Secret(code).reveal()})


def refresh_call(refresh_token: str | Secret) -> Call:
    """The call that trades a refresh token for a new pair."""
    return Call.of("/auth/token/refresh", {"refresh_token": Secret(refresh_token).reveal()})


def _unwrapped(text: str) -> str:
    """What was meant to be copied, without quotes, JSON, or the rest of a log line around it."""
    pasted = text.strip(_QUOTES)
    if re.fullmatch(r"\{.*\}", pasted, re.DOTALL):
        try:
            fields = json.loads(pasted)
        except (ValueError, RecursionError):
            fields = None
        if isinstance(fields, dict) and all(isinstance(v, str) for v in fields.values()):
            return urlencode(fields, errors="surrogatepass")
    pasted = re.sub(r"^(?:GET|POST)\s+|\s+HTTP/[\d.]+$", "", pasted)
    pasted = re.sub(r"^code\s*[:=]\s*(?=[\w-]+$)", "", pasted)
    if "?" in pasted or "://" in pasted or pasted.startswith("code="):
        pasted = unescape(pasted) if "&amp;" in pasted else pasted
    return pasted.strip(_QUOTES)


def _bare(pasted: str) -> Callback:
    if re.search(r"\s", pasted):
        raise CallbackError(
            "The pasted text is neither a callback URL nor a code.",
            next_step="Copy the address bar after the consent page sent you back.",
        )
    return Callback(Secret(pasted, "code"))


def _same(returned: str, state: str) -> bool:
    # Half a surrogate pair can be pasted, and has no bytes of its own.
    sent, back = (text.encode("utf-8", "surrogatepass") for text in (state, returned))
    return hmac.compare_digest(sent, back)


def _names(fields: dict[str, list[str]]) -> list[str]:
    return sorted(filter(_NAME.fullmatch, fields))


def _fields(pasted: str) -> dict[str, list[str]]:
    """The parameters of a URL's query and fragment, or of a bare query string."""
    try:
        parts = urlsplit(pasted)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme or "?" in pasted:
        found = parse_qs(parts.query, keep_blank_values=True)
        # A page with hash routes has the parameters behind the hash, with or without a route.
        fragment = parts.fragment.rpartition("?")[2]
        for name, values in parse_qs(fragment, keep_blank_values=True).items():
            found.setdefault(name, values)
        return found
    return parse_qs(pasted.lstrip("?&#"), keep_blank_values=True)
