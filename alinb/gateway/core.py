"""The gateway's side of the protocol, without I/O: one request in, one answer out."""

from __future__ import annotations

import hmac
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from .. import signing
from ..app import App
from ..attempts import Attempt
from ..signing import Interface, interface_at
from ..stages import Context, Signer
from . import methods, refusals
from .exchanges import Exchange, Exchanges, Incoming, Outgoing
from .faults import NOTHING, PAGING, Drawn
from .limits import Limits
from .methods import Asked
from .refusals import Refusal
from .state import Grant, State
from .switches import Switches

__all__ = ["Exchange", "Exchanges", "Gateway", "Incoming", "Outgoing"]

#: How far a timestamp may be from the gateway's clock, in s (AliExpress common parameters).
SKEW_S = 7200

#: What each interface computes with. A path call is never seen to work with md5; TOP's own names
#: are md5 and hmac, hmac-sha256 came later (open.alitrip.com 101617; AliExpress openservice 1385).
_SIGN_METHODS = {
    "system": {"sha256", "hmac-sha256"},
    "system_sync": {"sha256", "hmac-sha256"},
    "business": {"sha256", "hmac-sha256", "md5", "hmac"},
    "top": {"sha256", "hmac-sha256", "md5", "hmac"},
}

#: App categories as options, and what the App Console calls them; `all` is what no real app may.
CATEGORIES: Mapping[str, str] = {
    "all": "",
    "dropshipping": "Drop Shipping",
    "affiliate": "Affiliate",
    "developer": "Commercial or Individual Developer",
}

#: Answers to longer parameters than these characters are made anew each time.
_LONGEST_KEPT = 2000

_found = lru_cache(1024)(interface_at)
_NONE: frozenset[str] = frozenset()
_SEPARATORS = (",", ":")
_TOKEN_CALLS = {
    "/auth/token/create": "create",
    "/auth/token/security/create": "create",
    "/auth/token/createWithOpenId": "create",
    "/auth/token/refresh": "refresh",
    "/auth/token/security/refresh": "refresh",
}


@dataclass
class Gateway:
    """Checks app key, then signature, then the rest, in the order and shapes of the platform.

    `category` is the app's, which decides its permission groups. The clock gives epoch s.
    """

    app: App
    state: State
    market: methods.Market
    limits: Limits
    clock: Callable[[], float]
    switches: Switches = field(default_factory=Switches)
    category: str = "all"
    exchanges: Exchanges = field(default_factory=Exchanges, repr=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)
    _token_calls: int = 0

    def __post_init__(self) -> None:
        self._signer = lru_cache(256)(self._new_signer)
        self._page = lru_cache(512)(self._new_page)

    def answer(self, request: Incoming, drawn: Drawn = NOTHING) -> Outgoing:
        """The answer to a request; HTTP 200 whatever it says."""
        number = next(self._numbers)
        found = self._interface(request)
        try:
            return Outgoing(200, self._checked(request, found, drawn, number))
        except Refusal as refusal:
            if refusal.payload is not None:
                payload = _payload(refusal.payload, request.params.get("simplify") == "true")
                content = self._rooted(request.params, found, payload, number)
                return Outgoing(200, content, refusal.code)
            ids = self._ids(number)
            body = refusals.body(refusal, found, ids, platform=self.app.platform.name)
            return Outgoing(200, _encoded(body), refusal.code)

    def _interface(self, request: Incoming) -> Interface:
        path, method = request.path, request.params.get("method", "")
        # Names are kept for the next call; what is longer than a name is nobody's next call.
        return (_found if len(path) + len(method) < 200 else interface_at)(path, method)

    def attempts(self) -> list[Attempt]:
        """The remembered requests as attempts, newest first."""
        return [exchange.attempt() for exchange in self.exchanges]

    def _checked(self, request: Incoming, found: Interface, drawn: Drawn, number: int) -> bytes:
        params = request.params
        for name in ("app_key", "sign"):
            if not params.get(name):
                raise Refusal("MissingParameter", name)
        if params["app_key"] != self.app.key:
            raise Refusal("InvalidAppKey")
        for name in ("timestamp", "sign_method"):
            if not params.get(name):
                raise Refusal("MissingParameter", name)
        if not self._is_signed(request, found):
            raise Refusal("IncompleteSignature")
        now = self.clock() + drawn.values.get("clock_skew", 0.0)
        self._check_time(params["timestamp"], found, now)
        name = found.path or params.get("method", "")
        self.limits.take(name)
        if drawn.code:
            raise self._asked_for(name, drawn)
        if found.path in _TOKEN_CALLS:
            body = self._token_call(found.path, request)
            return _encoded({**body, **self._ids(number)})
        if not name:
            raise Refusal("MissingParameter", "method")
        return self._business(name, found, request, drawn, number)

    def _is_signed(self, request: Incoming, found: Interface) -> bool:
        params = request.params
        by = params["sign_method"]
        if by not in _SIGN_METHODS.get(found.kind, ()):
            return False
        if by == "md5" and found.kind == "business" and self.switches.md5 == "refused":
            return False
        signer, received = self._signer(found, by), params["sign"]
        if self.switches.lower_hex == "accepted":
            received = received.upper()
        given = received.encode("utf-8", "surrogatepass")
        empties = self.switches.empties if "" in params.values() else "signed"
        if empties != "dropped" and hmac.compare_digest(signer.sign(params).encode(), given):
            return True
        kept = {name: value for name, value in params.items() if value}
        return empties != "signed" and hmac.compare_digest(signer.sign(kept).encode(), given)

    def _new_signer(self, found: Interface, sign_method: str) -> Signer:
        recipe = signing.recipe_for(found, sign_method)
        return recipe.signer(Context(self.app.secret, path=found.path, app_key=self.app.key))

    def _check_time(self, text: str, found: Interface, now: float) -> None:
        if len(text) == 13 and text.isascii() and text.isdigit():
            moments = [int(text) / 1000]
        else:
            moments = self._moments(text, found)
        for moment in moments:
            if abs(moment - now) <= SKEW_S:
                return
        raise Refusal("IllegalTimestamp")

    def _asked_for(self, name: str, drawn: Drawn) -> Refusal:
        """The refusal that a fault asks for: a business code stands inside an accepted reply."""
        payload = methods.refused_payload(name, drawn.code)
        return Refusal(drawn.code, seconds=round(drawn.seconds) or 1, payload=payload)

    def _token_call(self, path: str, request: Incoming) -> dict[str, Any]:
        kind, params = _TOKEN_CALLS[path], request.params
        given = "code" if kind == "create" else "refresh_token"
        secure = path == "/auth/token/security/create"
        if not params.get(given):
            raise Refusal("MissingParameter", given)
        if not self._is_token_host(request):
            raise Refusal("InvalidCode" if kind == "create" else "IllegalRefreshToken")
        if kind == "create":
            # A uuid spoils the code, the token reference says.
            grant = None if "uuid" in params else self.state.exchange(params["code"])
            if grant is None:
                raise Refusal("isv.402" if secure else "InvalidCode")
        else:
            grant = self.state.refresh(params["refresh_token"])
            if grant is None:
                raise Refusal("IllegalRefreshToken")
        return self.state.reply(grant, kind=kind, secure=secure)

    def _is_token_host(self, request: Incoming) -> bool:
        platform = self.app.platform
        if self.switches.lazada_tokens == "anywhere" or not platform.name.startswith("lazada"):
            return True
        # The sandbox has two names: the address is the API's host, localhost the central one.
        return request.url.startswith("http://localhost")

    def _business(
        self, name: str, found: Interface, request: Incoming, drawn: Drawn, number: int
    ) -> bytes:
        params = request.params
        if name not in methods.ANSWERS or not self._is_of_platform(name):
            raise Refusal("InvalidApiPath")
        grant = self._granted(name, params, drawn)
        if absent := methods.missing(name, params, request.wire.files):
            raise Refusal("MissingParameter", absent)
        simplify = params.get("simplify") == "true"
        struck = PAGING.intersection(drawn.values) if drawn.values else _NONE
        short = len(request.url) + len(request.body) < _LONGEST_KEPT
        if short and not struck and methods.pure(name):
            asked = tuple([pair for pair in params.items() if pair[0] not in _COMMON])
            payload = self._page(name, asked, simplify, self.market.edition)
        else:
            user = self.state.user(grant)
            asking = Asked(
                self.market, params, user, self.clock(), frozenset(struck), number, request.files
            )
            payload = _payload(methods.ANSWERS[name](asking), simplify)
        return self._rooted(params, found, payload, number)

    def _granted(self, name: str, params: Mapping[str, str], drawn: Drawn) -> Grant | None:
        """The grant behind a call that app and token may make; None where none is needed."""
        category = CATEGORIES[self.category]
        if category and methods.group(name) not in methods.allowed(category):
            raise Refusal("InsufficientPermission")
        token = params.get("session") or params.get("access_token") or ""
        grant = self.state.grant(token) if token else None
        # An affiliate call takes no token, not even a living one; the other calls that need none
        # are only known to work without.
        if token and (grant is None or name.startswith("aliexpress.affiliate.")):
            raise Refusal("IllegalAccessToken")
        if methods.takes_token(name) and not token:
            if name == "aliexpress.ds.text.search":
                raise Refusal(
                    "EXCEPTION_TEXT_SEARCH_FOR_DS",
                    payload={
                        "code": "EXCEPTION_TEXT_SEARCH_FOR_DS", "msg": "access token is missing"
                    },
                )  # fmt: skip
            raise Refusal("MissingParameter", "access_token")
        if grant is not None and "expire_token" in drawn.values:
            self._count_token_call(int(drawn.values["expire_token"]))
        return grant

    def _is_of_platform(self, name: str) -> bool:
        """Dotted names are AliExpress's and TOP's, path names the relatives', but for its own."""
        if self.app.platform.business:
            return not name.startswith("/") or name.startswith("/aliexpress/")
        return name.startswith("/") and not name.startswith("/aliexpress/")

    def _count_token_call(self, most: int) -> None:
        self._token_calls += 1
        if self._token_calls > most:
            self._token_calls = 0
            self.state.end_access_tokens()
            raise Refusal("IllegalAccessToken")

    def _new_page(
        self, name: str, params: tuple[tuple[str, str], ...], simplify: bool, edition: int
    ) -> bytes:
        asking = Asked(self.market, dict(params))
        return _payload(methods.ANSWERS[name](asking), simplify)

    def _rooted(
        self, params: Mapping[str, str], found: Interface, payload: bytes, number: int
    ) -> bytes:
        """A payload, JSON without its outer braces, under its root and with the ids inside."""
        one, other = self._ids(number).values()
        ids = f'"request_id":"{one}","_trace_id_":"{other}"}}'.encode()
        comma = b"," if payload else b""
        if found.path or params.get("simplify") == "true":
            return b"{%b%b%b" % (payload, comma, ids)
        root = params["method"].replace(".", "_").encode()
        return b'{"%b_response":{%b%b%b}' % (root, payload, comma, ids)

    def _ids(self, number: int) -> dict[str, str]:
        moment = int(self.clock() * 1000)
        return {
            "request_id": f"2101{number:08x}{moment}",
            "_trace_id_": f"2140{number:08x}{moment}e{number % 9973:04x}",
        }

    def _moments(self, text: str, found: Interface) -> list[float]:
        """The moments that text may mean, in epoch s; none where the gateway cannot read it."""
        if text.isascii() and text.isdigit() and len(text) == 10:
            return [float(text)] if self.switches.epoch_seconds == "accepted" else []
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return []
        if moment.tzinfo is not None:
            return [moment.timestamp()]
        if found.path:
            # Text without a zone is documented for the TOP protocol only.
            return []
        utc = (moment - datetime(1970, 1, 1)) / timedelta(seconds=1)
        china = utc - 8 * 3600
        # Reports have both zones accepted on /sync; the zone is not documented.
        zones = {"either": [utc, china], "utc": [utc], "gmt+8": [china]}
        return zones[self.switches.text_zone]


#: Parameters that no answer depends on.
_COMMON = frozenset(
    {
        "app_key", "timestamp", "sign", "sign_method", "session", "access_token", "format", "v",
        "partner_id", "simplify", "method", "debug", "app_signature",
    }
)  # fmt: skip


def _encoded(body: Mapping[str, Any]) -> bytes:
    text = json.dumps(body, ensure_ascii=False, separators=_SEPARATORS)
    # Half a surrogate pair can come in through JSON text; it cannot go out as UTF-8.
    return text.encode("utf-8", "replace")


def _payload(payload: Mapping[str, Any], simplify: bool) -> bytes:
    """A payload as JSON without its outer braces."""
    shown = (
        {key: methods.simplified(value) for key, value in payload.items()} if simplify else payload
    )
    return _encoded(shown)[1:-1]
