"""Hide secrets by type and by value: the only place in alinb that does."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NoReturn
from urllib.parse import unquote_plus

from . import disguise

#: Request parameters and headers whose values are never shown, and what each of them is.
REQUEST_KINDS: Mapping[str, str] = {
    "access_token": "access_token",
    "session": "access_token",
    "refresh_token": "refresh_token",
    "code": "code",
    "app_secret": "app_secret",
    "appsecret": "app_secret",
    "client_secret": "app_secret",
    "secret": "app_secret",
    "authorization": "authorization",
    "cookie": "cookie",
    "set-cookie": "cookie",
}

#: Reply fields whose values are never stored. `code` is an error code there, not a secret.
REPLY_KINDS: Mapping[str, str] = {
    "access_token": "access_token",
    "refresh_token": "refresh_token",
    "account": "account",
    "user_nick": "account",
    "email": "account",
}

#: In parsed JSON both count, but for `code`.
_DATA_KINDS = {name: kind for name, kind in {**REQUEST_KINDS, **REPLY_KINDS}.items()
               if name != "code"}  # fmt: skip

#: A shorter value would also hide innocent text, so it is hidden by its field's name alone.
SHORTEST_BY_VALUE = disguise.SHORTEST

#: A mark, or another stand-in such as the repr of a `Secret`: what is not hidden again.
_MARK = r"‹[a-z_]+(?: [^‹›]*)?›"
_IN_FORM = re.compile(
    r"(?:(?<=[?&\s'\"])|^)("
    + "|".join(sorted(REQUEST_KINDS, key=len, reverse=True))
    + rf")=(?!{_MARK}[)\].,;:>}}]*(?:[&\s'\"#\\]|$))((?:{_MARK}|\\/|[^&\s'\"#\\])+)",
    re.IGNORECASE,
)
_NOT_CODE = sorted(({*REQUEST_KINDS} | {*REPLY_KINDS}) - {"code"}, key=len, reverse=True)
_IN_JSON = re.compile(
    # A quote after a backslash ends the value in JSON within JSON, and belongs to it in plain JSON.
    r"(\\*\"(?:" + "|".join(_NOT_CODE) + r")\\*\"\s*:\s*(\\+)?\")"
    rf"(?!{_MARK}\\*(?:\"|\Z))((?:[^\"\\]|\\(?!\")[^\"]|(?(2)(?!)|\\\"))+)",
    re.IGNORECASE,
)
_IN_HEADER = re.compile(
    r"(?:^|(?<=[\n\r'\"]))((?:proxy-)?authorization|(?:set-)?cookie)(\s*:\s*)(?!‹)([^\r\n'\"]+)",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"‹[a-z_]+ [0-9a-f]{4}›")

# A search for a few words is much faster than a pattern that finds nothing.
_FORM_HINTS = tuple(f"{name}=" for name in REQUEST_KINDS)
_JSON_HINTS = tuple(name + end for name in _NOT_CODE for end in ('"', "\\"))
_HEADER_HINTS = ("authorization", "cookie")


class Secret:
    """A text that no repr, format, log, traceback or pickle shows; `reveal()` gives it back.

    >>> Secret("helloworld")
    ‹app_secret •••• 10›
    """

    __slots__ = ("_value", "kind")

    def __init__(self, value: str | Secret, kind: str = "app_secret") -> None:
        self._value: str = value.reveal() if isinstance(value, Secret) else value
        self.kind = kind

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return f"‹{self.kind} •••• {len(self._value)}›"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (s._value.encode("utf-8", "surrogatepass") for s in (self, other))
        return hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {self.kind} is not pickled; call .reveal() where you mean to store it")


class Redactor:
    """Replaces every known secret value, in any spelling, by its kind and a short fingerprint.

    `key` makes the fingerprints of one journal comparable with each other and useless elsewhere.
    Values are found raw, in base64 and in hex, in any letter case, with any of their characters
    escaped in URLs and JSON, in up to six layers; a value that holds a backslash as encoders write
    it. What is not a secret comes back byte for byte.
    """

    def __init__(self, key: bytes, values: Iterable[tuple[str, str]] = ()) -> None:
        self._key = key
        self._kinds: dict[str, str] = {}
        self._spellings: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self._escapes: re.Pattern[str] | None = None
        self._long: list[str] = []
        self._plain = True
        for kind, value in values:
            self.learn(kind, value)

    def learn(self, kind: str, value: str | Secret | None) -> None:
        """Remember a value to hide; empty and unknown values are ignored."""
        text = value.reveal() if isinstance(value, Secret) else value
        if not text or text in self._kinds or _HIDDEN.fullmatch(text):
            return
        self._kinds[text] = kind
        if len(text) < SHORTEST_BY_VALUE:
            return
        for spelling in disguise.spellings(text):
            self._spellings.setdefault(spelling.lower(), text)
            if len(spelling.lower()) != len(spelling):  # İ, which would not match its lower case
                self._spellings.setdefault(spelling, text)
        self._pattern = None

    def learn_request(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Remember what the names of request parameters or headers give away as secret."""
        for name, value in pairs:
            if kind := REQUEST_KINDS.get(name.lower()):
                self.learn(kind, value)
            elif value[:1] in ("{", "["):  # a form hides the field names of the JSON in it
                with suppress(ValueError, RecursionError):
                    self.learn_reply(json.loads(value))

    def learn_reply(self, data: Any) -> None:
        """Remember what the field names of JSON give away as secret, however deep."""
        waiting = [data]
        while waiting:
            inner = waiting.pop()
            if isinstance(inner, dict):
                for name, value in inner.items():
                    kind = _DATA_KINDS.get(str(name).lower())
                    if kind and isinstance(value, str):
                        self.learn(kind, value)
                    elif isinstance(value, dict | list):
                        waiting.append(value)
            elif isinstance(inner, list):
                waiting += [item for item in inner if isinstance(item, dict | list)]

    def mark(self, kind: str, value: str) -> str:
        """`‹kind 3f9a›`: the same for the same value under the same key."""
        digest = hmac.digest(self._key, value.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"‹{kind} {digest[:2].hex()}›"

    def text(self, text: str) -> str:
        """Hide known values anywhere in a text, and the values of tell-tale fields in it."""
        text = self.by_value(text)
        low = _lowered(text)
        if low is None or any(hint in low for hint in _FORM_HINTS):
            text = _IN_FORM.sub(self._form_field, text)
        if low is None or any(hint in low for hint in _HEADER_HINTS):
            text = _IN_HEADER.sub(self._header, text)
        if low is None or any(hint in low for hint in _JSON_HINTS):
            text = _IN_JSON.sub(self._json_field, text)
        return text

    def pairs(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """Hide the values of named parameters or headers, and known values in their names."""
        return tuple(
            (self.text(name), self._named(REQUEST_KINDS, name, value)) for name, value in pairs
        )

    def data(self, data: Any) -> Any:
        """Hide values inside parsed JSON, keeping its shape."""
        if isinstance(data, str):
            return self.text(data)
        if isinstance(data, Mapping):
            return {
                self.text(name) if isinstance(name, str) else name: self._field(str(name), value)
                for name, value in data.items()
            }
        if isinstance(data, list | tuple):
            return [self.data(item) for item in data]
        return data

    def _field(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            return self._named(_DATA_KINDS, name, value)
        if isinstance(value, list) and name.lower() in _DATA_KINDS:
            return [self._field(name, item) for item in value]
        if isinstance(value, int) and not isinstance(value, bool) and name.lower() in _DATA_KINDS:
            return self.mark(_DATA_KINDS[name.lower()], str(value))
        return self.data(value)

    def _named(self, kinds: Mapping[str, str], name: str, value: str) -> str:
        kind = kinds.get(name.lower())
        if not kind or not value or _HIDDEN.fullmatch(value):
            return self.text(value)
        return self.mark(self._kinds.get(value, kind), value)

    def by_value(self, text: str) -> str:
        """Hide known values anywhere in a text, and nothing else."""
        if not self._spellings:
            return text
        if self._pattern is None or self._escapes is None:
            longest_first = sorted(self._spellings, key=len, reverse=True)
            known = "|".join(map(re.escape, longest_first))
            self._pattern = re.compile(f"(?-i:{_HIDDEN.pattern})|{known}", re.IGNORECASE)
            self._long = [value for value in self._kinds if len(value) >= SHORTEST_BY_VALUE]
            self._escapes = disguise.escapes_of(self._long)
            self._plain = known.isascii()
        if self._escapes.search(text):  # first: the rest of an escape can look like a beginning
            text = self._disguised(text)
        low = _lowered(text) if self._plain or text.isascii() else None
        if low is None or any(spelling in low for spelling in self._spellings):
            text = self._pattern.sub(self._known, text)
        return text

    def _disguised(self, text: str) -> str:
        """Hide values of which any character is escaped, in a way no encoder has or in layers."""
        needles = re.compile(
            f"(?-i:({_HIDDEN.pattern}))|{disguise.needles(self._long)}", re.IGNORECASE
        )
        while True:
            for plain, begins in disguise.unescaped(text, self._long):
                found = [f for f in needles.finditer(plain) if not f[1]]
                for one in reversed(found):
                    shown = self.mark(*self._meant(one[0]))
                    text = text[: begins[one.start()]] + shown + text[begins[one.end()] :]
                if found:
                    break
            else:
                return text

    def _meant(self, found: str) -> tuple[str, str]:
        """The kind and the value of what stood behind a disguise."""
        for value in self._long:
            if re.fullmatch(disguise.needles([value]), found, re.IGNORECASE):
                return self._kinds[value], value
        return "secret", found

    def _known(self, match: re.Match[str]) -> str:
        if _HIDDEN.fullmatch(match[0]):
            return match[0]
        value = self._spellings.get(match[0].lower())
        if value is None:  # letters whose lower case has another length, such as İ
            return "‹secret 0000›"
        return self.mark(self._kinds[value], value)

    def _header(self, match: re.Match[str]) -> str:
        name, colon, value = match.groups()
        kind = "cookie" if name.lower().endswith("cookie") else "authorization"
        return f"{name}{colon}{self.mark(kind, value)}"

    def _form_field(self, match: re.Match[str]) -> str:
        name, value = match.groups()
        return f"{name}={self.mark(REQUEST_KINDS[name.lower()], unquote_plus(value))}"

    def _json_field(self, match: re.Match[str]) -> str:
        head, _, value = match.groups()
        name = re.sub(r"[^a-z_-]", "", head.lower())
        return head + self.mark(REPLY_KINDS.get(name) or REQUEST_KINDS[name], value)


def _lowered(text: str) -> str | None:
    """The text in lower case; None where some letter has no plain one."""
    return None if not text.isascii() and disguise.ODD.search(text) else text.lower()


def hide(text: str, *secrets: Secret | str | None) -> str:
    """A text fit for an error message: the given secrets and tell-tale fields are masked."""
    redactor = Redactor(b"message")
    for secret in secrets:
        redactor.learn(secret.kind if isinstance(secret, Secret) else "secret", secret)
    return re.sub(r"‹([a-z_]+) [0-9a-f]{4}›", r"‹\1›", redactor.text(text))
