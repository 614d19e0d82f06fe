"""What can be seen in a request without its secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from ..app import is_loopback
from ..attempts import Attempt
from ..errors import CallbackError
from ..knowledge import load
from ..oauth import parse_callback
from ..signing import Interface
from ..wire import Wire


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
_SECRET_NAMES = ("app_secret", "appsecret", "client_secret", "appSecret", "secret")
_TAKEN = {
    "system": {"sha256", "hmac-sha256"},
    "system_sync": {"sha256", "hmac-sha256"},
    "business": {"sha256", "hmac-sha256", "md5", "hmac"},
    "top": {"md5", "hmac", "hmac-sha256", "sha256"},
}
_RETIRED_HOSTS = re.compile(
    r"(^|\.)(gw\.api\.taobao\.com|eco\.taobao\.com|api\.taobao\.com|gw\.api\.alibaba\.com"
    r"|oauth\.aliexpress\.com|oauth\.taobao\.com|openapi\.aliexpress\.com)$"
)
_OAUTH_HOSTS = ("oauth.aliexpress.com", "oauth.taobao.com")


def lint(attempt: Attempt, found: Interface) -> list[Finding]:
    """Every finding that needs no secret, in the order a person would look."""
    wire, params = attempt.wire, attempt.params
    return [
        finding
        for look in (_signature, _sign_method, _timestamp, _keys, _body, _address, _token_call)
        for finding in look(attempt, wire, params, found)
    ]


def finding(id_: str, certainty: str, evidence: str) -> Finding:
    """A finding whose cure stands in `knowledge/mistakes.toml`."""
    return Finding(id_, certainty, evidence, load("mistakes")["mistakes"][id_]["cure"])


def _signature(
    attempt: Attempt, wire: Wire, params: Mapping[str, str], found: Interface
) -> Iterator[Finding]:
    if not attempt.sign:
        yield finding("no_sign", "proved", "There is no `sign` parameter.")
    elif _PLACEHOLDER.fullmatch(attempt.sign):
        yield finding(
            "docs_placeholder_sign", "proved", "`sign` is the sample that every API page prints."
        )


def _sign_method(
    attempt: Attempt, wire: Wire, params: Mapping[str, str], found: Interface
) -> Iterator[Finding]:
    declared = params.get("sign_method", "")
    if found.kind == "aop" or not attempt.sign:
        return
    if not declared:
        yield finding("sign_method_missing", "proved", "There is no `sign_method` parameter.")
    elif declared not in _TAKEN[found.kind]:
        yield finding(
            "sign_method_unsupported",
            "proved",
            f"`sign_method` is {declared!r}; this interface takes {_listed(_TAKEN[found.kind])}.",
        )


def _timestamp(
    attempt: Attempt, wire: Wire, params: Mapping[str, str], found: Interface
) -> Iterator[Finding]:
    text = params.get("timestamp", "")
    if re.fullmatch(r"\d{10}(\.\d+)?", text):
        yield finding(
            "timestamp_seconds", "proved", f"`timestamp` has {len(text)} digits: seconds."
        )
    elif re.match(r"\d{4}-?\d\d-?\d\d", text) and not text.isdigit():
        certainty = "likely" if found.kind == "system" else "possible"
        yield finding("timestamp_text", certainty, f"`timestamp` is the text {text!r}.")


def _keys(
    attempt: Attempt, wire: Wire, params: Mapping[str, str], found: Interface
) -> Iterator[Finding]:
    for name in _SECRET_NAMES:
        if name in params:
            yield finding("secret_sent_as_param", "proved", f"`{name}` travels with the request.")
    key = params.get("app_key", "")
    if key != key.strip():
        yield finding("app_key_whitespace", "proved", f"`app_key` is {key!r}.")
    if "client_id" in params and "app_key" not in params:
        yield finding(
            "client_id_instead_of_app_key", "proved", "`client_id` is sent, and no `app_key`."
        )


def _body(
    attempt: Attempt, wire: Wire, params: Mapping[str, str], found: Interface
) -> Iterator[Finding]:
    if wire.body_kind == "json":
        yield finding(
            "json_body", "proved", "The body is JSON: the gateway reads no parameter in it."
        )
    elif wire.body_kind == "multipart" and not wire.files:
        yield finding("multipart_body", "possible", "The body is multipart and holds no file.")
    in_form = {name for name, _ in wire.form}
    both = [name for name, _ in wire.query if name in in_form]
    if both:
        yield finding(
            "params_in_url_and_body", "proved", f"In the URL and in the body: {_listed(both)}."
        )


def _address(
    attempt: Attempt, wire: Wire, params: Mapping[str, str], found: Interface
) -> Iterator[Finding]:
    parts = urlsplit(attempt.url)
    host = parts.hostname or ""
    if parts.scheme == "http" and not is_loopback(host):
        yield finding("http_scheme", "proved", "The address begins with http://.")
    if found.kind == "system_sync":
        yield finding(
            "system_api_on_sync", "proved", f"{found.path} is sent to {parts.path} as `method`."
        )
    if host in _OAUTH_HOSTS or parts.path.startswith("/oauth/token"):
        yield finding("legacy_oauth_host", "proved", f"The token call goes to {host}{parts.path}.")
    elif _is_wrong_path(parts.path, host) or (_RETIRED_HOSTS.search(host) and found.kind != "top"):
        yield finding("wrong_endpoint_path", "proved", f"{host}{parts.path} is no current gateway.")
    if found.kind == "system" and "method" in params:
        yield finding(
            "method_param_on_system", "proved", f"`method` is {params['method']!r} on a path call."
        )


def _is_wrong_path(path: str, host: str) -> bool:
    if "/rest/2.0/" in path or path.endswith("gateway.do") or path.startswith("/sync/"):
        return True
    return path.rstrip("/").endswith("/router/rest") and "aliexpress.com" in host


def _token_call(
    attempt: Attempt, wire: Wire, params: Mapping[str, str], found: Interface
) -> Iterator[Finding]:
    if not found.path.startswith("/auth/token/"):
        return
    if "uuid" in params:
        yield finding("uuid_sent", "proved", "`uuid` is sent with the token call.")
    if "redirect_uri" in params:
        yield finding(
            "redirect_uri_on_token_call", "proved", "`redirect_uri` is sent with the token call."
        )
    code, key = params.get("code", ""), params.get("app_key", "")
    if not found.path.endswith("/create") or "code" not in params or not key:
        return
    if code == key or len(code) < 8 or not re.search(r"\d", code):
        yield finding("bad_code", "likely", "`code` does not look like an authorization code.")
        return
    try:
        named = parse_callback(code).app_key
    except CallbackError:
        yield finding("bad_code", "likely", "`code` does not look like an authorization code.")
        return
    if named and named != key.strip():
        yield finding(
            "code_of_another_app", "likely", f"`code` names app {named}, the request app {key}."
        )


def _listed(names: object) -> str:
    return ", ".join(sorted(names))  # type: ignore[call-overload]
