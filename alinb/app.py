"""Who calls and where: an app's key and secret, and the platform's hosts and rules."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from .errors import InputError, MissingSecret, UnknownPlatform
from .knowledge import load
from .quiet import quiet
from .redact import Secret


@dataclass(frozen=True, slots=True)
class Platform:
    """Hosts, routes and signing rules of one gateway; see `knowledge/platforms.toml`.

    `code_seconds` is the life of an authorization code in s. `business` is empty where every
    call has a path name, `system` where every call has a dotted name.
    """

    name: str
    title: str
    api: str
    system: str
    business: str
    authorize_url: str
    token_api: str
    sign_method: str
    sign_parameter: str
    token_parameter: str
    business_token_parameter: str
    timestamp: str
    code_seconds: int
    always_sent: Mapping[str, str] = field(hash=False)
    authorize_parameters: tuple[str, ...]
    retired: str
    confidence: str
    source: str

    @classmethod
    def named(cls, name: str = "aliexpress") -> Platform:
        """The profile of `aliexpress`, `lazada`, `lazada-th`, `daraz-bd`, `top`, …

        Raises `UnknownPlatform`, which names the nearest ones.
        """
        found = platforms().get(name.strip().lower())
        if found is None:
            near = get_close_matches(name.lower(), platforms(), n=3, cutoff=0.4)
            raise UnknownPlatform(
                f"There is no platform {name!r}.",
                next_step=f"Did you mean {' or '.join(near)}?"
                if near
                else f"Known: {', '.join(platforms())}.",
            )
        return found

    def at(self, gateway: str) -> Platform:
        """The same rules with every host replaced by one base URL, such as a sandbox's.

        Raises `InputError` where the URL is not http(s), or is plain http to another machine.
        """
        base = gateway.strip().rstrip("/")
        if not is_full_url(base, "http", "https"):
            raise InputError(
                f"{'That' if '@' in gateway else repr(gateway)} is not a gateway's base URL.",
                next_step="Give something like http://127.0.0.1:8700 or https://api-sg.aliexpress.com.",
            )
        parts = urlsplit(base)
        if "@" in parts.netloc:
            raise InputError(
                "A gateway's base URL holds no user name and no password.",
                next_step="Leave out what stands before the @.",
            )
        if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise InputError(
                f"{gateway} would carry the app key and tokens over plain http.",
                next_step="Use https; plain http is for 127.0.0.1 only.",
            )
        path = urlsplit(self.authorize_url).path
        return replace(self, api=base, token_api=base, authorize_url=base + path)

    @property
    def place(self) -> str:
        """What a token of this platform is kept under: its name, and its host where it is another.

        A sandbox's token must not take the place of the platform's.
        """
        return self.name if self == platforms().get(self.name) else f"{self.name}@{self.api}"

    def route(self, name: str) -> str:
        """Full URL of a call by its API name, without a query.

        Raises `InputError` where the platform has no such kind of call.
        """
        if "/" in name:
            if not self.system:
                raise InputError(
                    f"{self.title} has no path calls such as {name}.",
                    next_step="Use a dotted method name, or another platform.",
                )
            path = name if name.startswith("/") else f"/{name}"
            base = self.token_api if path.startswith("/auth/token/") else self.api
            return base + self.system + path
        if not self.business:
            raise InputError(
                f"{self.title} has no dotted calls such as {name}.",
                next_step="Use the path name, such as /order/get.",
            )
        return self.api + self.business


@cache
def platforms() -> Mapping[str, Platform]:
    """Every known profile by name; a platform with regions has one a region besides its default."""
    found: dict[str, Platform] = {}
    facts = load("platforms")
    for name, own in facts.items():
        if name == "defaults":
            continue
        facts_here = {**facts["defaults"], **own}
        regions = own.get("regions") or {"": own["api"]}
        default = own.get("default_region", "")
        found[name] = _profile(name, facts_here, default, regions[default])
        for region, api in regions.items():
            if region:
                full_name = f"{name}-{region}"
                found[full_name] = _profile(full_name, facts_here, region, api)
    return found


def _profile(name: str, facts: Mapping[str, Any], region: str, api: str) -> Platform:
    auth = facts.get("auth_regions", {}).get(region) or facts["auth"] or api
    return Platform(
        name=name,
        title=facts["title"] + (f" {region}" if region and name.endswith(f"-{region}") else ""),
        api=api,
        authorize_url=auth + facts["authorize"],
        token_api=facts["token"] or api,
        authorize_parameters=tuple(facts["authorize_parameters"]),
        **{
            key: facts[key]
            for key in (
                "system",
                "business",
                "sign_method",
                "sign_parameter",
                "token_parameter",
                "business_token_parameter",
                "timestamp",
                "code_seconds",
                "always_sent",
                "retired",
                "confidence",
                "source",
            )
        },
    )


@dataclass(frozen=True, slots=True)
class App:
    """An app's key, its secret and the platform it is registered with.

    Raises `InputError` where key or secret has white space around it, which the gateway refuses.

    >>> App("12345678", "helloworld")
    App(key='12345678', secret=‹app_secret •••• 10›, platform='aliexpress')
    """

    key: str
    secret: Secret
    platform: Platform

    @quiet
    def __init__(
        self, key: str, secret: str | Secret, platform: str | Platform = "aliexpress"
    ) -> None:
        hidden = Secret(secret)
        for what, text in (("app key", key), ("app secret", hidden.reveal())):
            if not text:
                raise MissingSecret(
                    f"The {what} is empty.", next_step="Copy it from the app's page in the console."
                )
            if text != text.strip():
                raise InputError(
                    f"The {what} has a blank or line end around it ({len(text)} characters).",
                    next_step="Trim it: the gateway takes it literally and refuses it.",
                )
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "secret", hidden)
        object.__setattr__(
            self, "platform", Platform.named(platform) if isinstance(platform, str) else platform
        )

    def __repr__(self) -> str:
        return f"App(key={self.key!r}, secret={self.secret!r}, platform={self.platform.name!r})"

    @classmethod
    @quiet
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> App:
        """The app that ALINB_APP_KEY, ALINB_APP_SECRET, ALINB_PLATFORM and ALINB_GATEWAY name.

        White space around the values is trimmed. Raises `MissingSecret` where one is not set.
        """
        names = ("ALINB_APP_KEY", "ALINB_APP_SECRET", "ALINB_PLATFORM", "ALINB_GATEWAY")
        key, secret, platform, gateway = (environ.get(name, "").strip() for name in names)
        for name, value in zip(names, (key, secret), strict=False):
            if not value:
                raise MissingSecret(
                    f"{name} is not set.",
                    next_step=f"Set it in the environment: export {name}=…",
                )
        profile = Platform.named(platform or "aliexpress")
        return cls(key, secret, profile.at(gateway) if gateway else profile)


def is_full_url(url: str, *schemes: str) -> bool:
    """Whether it has a scheme, one of those given where any are, and a host that can be one."""
    try:
        parts = urlsplit(url)
        (parts.hostname or "").encode("idna")
        whole = bool(parts.scheme and parts.hostname) and parts.port != 0
    except ValueError:
        return False
    known = not schemes or parts.scheme in schemes
    return whole and known and url.isprintable() and not re.search(r"\s", url)


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
