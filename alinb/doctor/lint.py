"""What can be seen in a request without its secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import NamedTuple
from urllib.parse import urlsplit

from ..app import is_loopback
from ..errors import CallbackError
from ..knowledge import load
from ..oauth import parse_callback
from ..redact import REQUEST_KINDS, hide
from .subject import Subject


class Finding(NamedTuple):
    """One thing that is wrong, or may be.

    `certainty` is proved (the signature was reproduced, or the fact stands in the request), likely
    or possible. `evidence` is what was seen, `cure` what to change.
    """

    id: str
    certainty: str
    evidence: str
    cure: str


#: The signature that the documentation prints on every API page; nothing reproduces it.
_PLACEHOLDER = re.compile(r"D13F2A03[0-9A-F]{52}91EC", re.IGNORECASE)
_TAKEN = {
    "system": {"sha256", "hmac-sha256"},
    "system_sync": {"sha256", "hmac-sha256"},
    "business": {"sha256", "hmac-sha256", "md5", "hmac"},
    "top": {"md5", "hmac", "hmac-sha256", "sha256"},
}
_RETIRED_HOSTS = frozenset(
    {"gw.api.taobao.com", "eco.taobao.com", "api.taobao.com", "gw.api.alibaba.com",
     "openapi.aliexpress.com"}
)  # fmt: skip
_OAUTH_HOSTS = frozenset({"oauth.aliexpress.com", "oauth.taobao.com"})
#: How far a timestamp may be from the gateway's clock, in s (AliExpress common parameters).
SKEW_S = 7200
#: How exactly a clock in another zone is right, in s.
_ZONE_SLACK_S = 120


#: What each `sign_method` declares, in small letters without marks; see `plain`.
DECLARES = {
    "sha256": "sha256", "hmacsha256": "sha256", "md5": "md5", "hmac": "hmac", "hmacmd5": "hmac",
    "hmacsha1": "hmac-sha1", "sha1": "sha1", "hmacsha512": "hmac-sha512", "sha512": "hmac-sha512",
}  # fmt: skip
_HEX = re.compile(r"(?:[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{128})")
#: How many hex digits each of them gives.
_DIGITS = {"sha256": 64, "md5": 32, "hmac": 32, "hmac-sha1": 40, "sha1": 40, "hmac-sha512": 128}


def plain(sign_method: str) -> str:
    """A `sign_method` without the differences of spelling that people make."""
    return re.sub(r"[-_ ]", "", sign_method.lower())


def lint(subject: Subject) -> list[Finding]:
    """Every finding that needs no secret, in the order a person would look."""
    looks = (
        _signature, _sign_method, _timestamp, _keys, _body, _scheme, _endpoint, _method, _token,
        _token_call,
    )  # fmt: skip
    return [finding for look in looks for finding in look(subject)]


def finding(id_: str, certainty: str, evidence: str) -> Finding:
    """A finding whose cure stands in `knowledge/mistakes.toml`."""
    return Finding(id_, certainty, evidence, load("mistakes")["mistakes"][id_]["cure"])


def _signature(subject: Subject) -> Iterator[Finding]:
    if not subject.sign:
        yield finding("no_sign", "proved", "There is no `sign` parameter.")
    elif _PLACEHOLDER.fullmatch(subject.sign):
        seen = "`sign` is the sample that every API page of the documentation prints."
        yield finding("docs_placeholder_sign", "proved", seen)


def _sign_method(subject: Subject) -> Iterator[Finding]:
    declared, kind = subject.params.get("sign_method", ""), subject.interface.kind
    if kind == "aop":
        return
    if not declared:
        yield finding("sign_method_missing", "proved", "There is no `sign_method` parameter.")
    elif declared not in _TAKEN[kind]:
        taken = _listed(_TAKEN[kind])
        seen = f"`sign_method` is {declared[:40]!r}; this interface takes {taken}."
        yield finding("sign_method_unsupported", "proved", seen)
    digits = _DIGITS.get(DECLARES.get(plain(declared), ""))
    if digits and len(subject.sign) != digits and _HEX.fullmatch(subject.sign):
        seen = (
            f"`sign_method` {declared!r} gives {digits} hex digits; {len(subject.sign)} are sent."
        )
        yield finding("declared_method_mismatch", "likely", seen)


def _timestamp(subject: Subject) -> Iterator[Finding]:
    text, found = subject.params.get("timestamp", ""), subject.interface
    if not text:
        return
    moment: float | None = None
    if re.fullmatch(r"\d{10}(\.\d+)?", text):
        seen = f"`timestamp` is {text}: {len(text)} digits are seconds."
        yield finding("timestamp_seconds", "proved", seen)
        moment = float(text)
    elif re.fullmatch(r"\d{13}", text):
        moment = int(text) / 1000
    elif (said := _text_time(text)) is not None:
        certainty = "likely" if found.kind == "system" else "possible"
        yield finding("timestamp_text", certainty, f"`timestamp` is the text {text!r}.")
        if zone := _zone(said, subject.attempt.at):
            seen = f"`timestamp` is {text!r}, {zone} hours from UTC at the moment it was sent."
            yield finding("timestamp_wrong_zone", "likely", seen)
    else:
        yield finding("timestamp_unreadable", "likely", f"`timestamp` is {text[:40]!r}.")
    at = subject.attempt.at
    if at is not None and moment is not None and abs(moment - at) > SKEW_S:
        off = f"{abs(moment - at) / 3600:.1f} hours {'ahead' if moment > at else 'behind'}"
        seen = f"`timestamp` is {off} of the moment it was sent; 2 hours are allowed."
        yield finding("timestamp_skew", "proved", seen)


def _text_time(text: str) -> float | None:
    """The epoch s of a date as text, taken as UTC where it names no zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if text.isdigit():
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _zone(moment: float, at: float | None) -> str:
    """How many hours a date is off, where it is a zone's: neither UTC nor GMT+8, yet whole."""
    off = 0.0 if at is None else moment - at
    hours = round(off / 1800) / 2
    is_zone = hours not in (0, 8) and abs(hours) <= 14 and abs(off - hours * 3600) < _ZONE_SLACK_S
    return f"{hours:+g}" if is_zone else ""


def _keys(subject: Subject) -> Iterator[Finding]:
    params = subject.params
    for name in params:
        if REQUEST_KINDS.get(name.lower()) == "app_secret":
            yield finding("secret_sent_as_param", "proved", f"`{name}` travels with the request.")
    key = params.get("app_key", "")
    if key != key.strip():
        yield finding("app_key_whitespace", "proved", f"`app_key` is {key!r}.")
    if "client_id" in params and "app_key" not in params:
        seen = "`client_id` is sent, and no `app_key`."
        yield finding("client_id_instead_of_app_key", "proved", seen)


def _body(subject: Subject) -> Iterator[Finding]:
    wire = subject.attempt.wire
    if wire.body_kind == "json":
        seen = "The body is JSON: the gateway reads no parameter in it."
        yield finding("json_body", "proved", seen)
    elif wire.body_kind == "multipart" and not wire.files:
        seen = "The body is multipart and holds no file."
        yield finding("multipart_body", "possible", seen)
    in_form = {name for name, _ in wire.form}
    if both := [name for name, _ in wire.query if name in in_form]:
        seen = f"In the URL and in the body: {_listed(both)}."
        yield finding("params_in_url_and_body", "proved", seen)


def _scheme(subject: Subject) -> Iterator[Finding]:
    parts = urlsplit(subject.url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        yield finding("http_scheme", "proved", "The address begins with http://.")


def _endpoint(subject: Subject) -> Iterator[Finding]:
    parts, found = urlsplit(subject.url), subject.interface
    host, path = parts.hostname or "", parts.path.rstrip("/")
    if found.kind == "system_sync":
        seen = f"{found.path} is sent to {parts.path} as `method`."
        yield finding("system_api_on_sync", "proved", seen)
    if host in _OAUTH_HOSTS or path.startswith("/oauth/token"):
        seen = f"The token call goes to {host}{parts.path}."
        yield finding("legacy_oauth_host", "proved", seen)
    elif _is_wrong(host, path, subject):
        seen = f"{host}{parts.path} is no current gateway for this call."
        yield finding("wrong_endpoint_path", "proved", seen)
    if found.kind == "system" and "method" in subject.params:
        seen = f"`method` is {subject.params['method'][:60]!r} on a path call."
        yield finding("method_param_on_system", "proved", seen)


def _is_wrong(host: str, path: str, subject: Subject) -> bool:
    if "/rest/2.0/" in path or path.endswith("gateway.do") or path.startswith("/sync/"):
        return True
    if path.endswith("/router/rest"):
        method = subject.params.get("method", "")
        return host.endswith("aliexpress.com") or method.startswith("aliexpress.")
    return host in _RETIRED_HOSTS and subject.interface.kind != "aop"


def _method(subject: Subject) -> Iterator[Finding]:
    """A name that the catalogue does not have, with the nearest it has."""
    name = subject.interface.path or subject.params.get("method", "")
    known = load("methods")["methods"]
    if not name.startswith(("aliexpress.", "/auth/", "/aliexpress/", "auth.")) or name in known:
        return
    near = get_close_matches(name, known, n=3, cutoff=0.7)
    seen = f"{name!r} is no name that alinb knows"
    seen += f"; the nearest are {', '.join(near)}." if near else "."
    yield finding("unknown_method", "possible", seen)


def _token(subject: Subject) -> Iterator[Finding]:
    held = [name for name in ("access_token", "session") if subject.params.get(name)]
    if held and subject.params.get("method", "").startswith("aliexpress.affiliate."):
        seen = f"`{held[0]}` is sent on an affiliate call, which takes no user's token."
        yield finding("token_where_not_wanted", "likely", seen)


def _token_call(subject: Subject) -> Iterator[Finding]:
    path, params = subject.interface.path, subject.params
    if not path.startswith("/auth/token/"):
        return
    if "uuid" in params:
        yield finding("uuid_sent", "proved", "`uuid` is sent with the token call.")
    if "redirect_uri" in params:
        seen = "`redirect_uri` is sent with the token call."
        yield finding("redirect_uri_on_token_call", "proved", seen)
    if path.endswith("/create") and "code" in params:
        yield from _code(params["code"], params.get("app_key", "").strip())


def _code(code: str, key: str) -> Iterator[Finding]:
    unlike = finding("bad_code", "likely", "`code` does not look like an authorization code.")
    if code == key or len(code) < 8 or not re.search(r"\d", code):
        yield unlike
        return
    try:
        named = parse_callback(code).app_key
    except CallbackError:
        yield unlike
        return
    if named and key and named != key:
        seen = hide(f"The middle of `code` names app {named}; the request is of app {key}.")
        yield finding("code_of_another_app", "likely", seen)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
