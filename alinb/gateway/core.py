"""The gateway's side of the protocol, without I/O: one request in, one answer out."""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from .. import wire
from ..app import App
from ..attempts import Attempt
from ..knowledge import load
from ..signing import Interface, check, interface
from .methods import ANSWERS, Asked, Market, missing, simplified, takes_token
from .state import State

#: How far a timestamp may be from the gateway's clock, in s (AliExpress common parameters).
SKEW_S = 7200
#: How many requests the inspector remembers.
REMEMBERED = 200

#: The TOP number and text of each refusal (open.alitrip.com 102707).
_TOP = {
    "MissingParameter:method": (21, "Missing Method"),
    "MissingParameter:sign": (24, "Missing Signature"),
    "MissingParameter:app_key": (28, "Missing App Key"),
    "MissingParameter:timestamp": (30, "Missing Timestamp"),
    "MissingParameter:access_token": (26, "Missing Session"),
    "MissingParameter": (40, "Missing Required Arguments"),
    "InvalidApiPath": (22, "Invalid Method"),
    "IncompleteSignature": (25, "Invalid signature"),
    "IllegalAccessToken": (27, "Invalid session"),
    "InvalidAppKey": (29, "Invalid app Key"),
    "IllegalTimestamp": (31, "Invalid timestamp"),
    "ApiCallLimit": (7, "App Call Limited"),
}

_TEXTS = {
    "InvalidAppKey": "The specified App Key is invalid",
    "IncompleteSignature": "The request signature does not conform to platform standards",
    "IllegalTimestamp": "The specified timestamp is invalid or expired",
    "InvalidApiPath": "The specified API Path is invalid",
    "InvalidCode": "Invalid authorization code",
    "IllegalAccessToken": "The specified access token is invalid or expired",
    "IllegalRefreshToken": "The specified refresh token is invalid or expired",
    "ApiCallLimit": "Api access frequency exceeds the limit. this ban will last {seconds} seconds",
}


@dataclass(frozen=True)
class Incoming:
    """A request as it came; `params` are its parameters from URL and body together."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    at: float = 0.0

    @cached_property
    def wire(self) -> wire.Wire:
        return wire.parse(self.url, wire.header(self.headers, "content-type"), self.body)

    @cached_property
    def params(self) -> Mapping[str, str]:
        return self.wire.params


class Outgoing(NamedTuple):
    """An answer: HTTP status, JSON body, and the refusal's code ("" where it is none)."""

    status: int
    body: dict[str, Any]
    code: str = ""


class Refusal(Exception):
    """Why the gateway says no; caught where the answer is shaped."""

    def __init__(self, code: str, parameter: str = "", **more: str) -> None:
        super().__init__(code)
        self.code, self.parameter, self.more = code, parameter, more


@dataclass
class Gateway:
    """Checks app key, then signature, then the rest, in the order and shapes of the platform.

    `fault` is a code that every properly signed call is refused with, `qps` a limit of calls a
    second over all methods. The clock gives epoch s.
    """

    app: App
    state: State
    catalogue: Market
    clock: Callable[[], float]
    fault: str = ""
    qps: float = 0.0
    seen: deque[tuple[Incoming, Outgoing]] = field(
        default_factory=lambda: deque(maxlen=REMEMBERED), repr=False
    )
    _count: int = 0
    _next_free: float = 0.0

    def answer(self, request: Incoming) -> Outgoing:
        """The answer to a request; HTTP 200 whatever it says."""
        self._count += 1
        found = interface(request.url, request.params)
        try:
            body = self._checked(request, found)
            answered = Outgoing(200, body)
        except Refusal as refusal:
            answered = Outgoing(200, self._refused(refusal, found), refusal.code)
        self.seen.append((request, answered))
        return answered

    def _checked(self, request: Incoming, found: Interface) -> dict[str, Any]:
        params = request.params
        for name in ("app_key", "sign"):
            if not params.get(name):
                raise Refusal("MissingParameter", name)
        if params["app_key"] != self.app.key:
            raise Refusal("InvalidAppKey")
        for name in ("timestamp", "sign_method"):
            if not params.get(name):
                raise Refusal("MissingParameter", name)
        if not check(request, self.app.secret):
            raise Refusal("IncompleteSignature")
        self._check_time(params["timestamp"], found)
        self._check_rate()
        if self.fault:
            raise Refusal(self.fault)
        if found.path:
            return {**self._system(found.path, params), **self._ids()}
        name = params.get("method", "")
        if not name:
            raise Refusal("MissingParameter", "method")
        payload = {**self._business(name, params), **self._ids()}
        if params.get("simplify") == "true":
            return {key: simplified(value) for key, value in payload.items()}
        return {name.replace(".", "_") + "_response": payload}

    def _check_time(self, text: str, found: Interface) -> None:
        moments = list(_moments(text, found))
        if not any(abs(moment - self.clock()) <= SKEW_S for moment in moments):
            raise Refusal("IllegalTimestamp")

    def _check_rate(self) -> None:
        if not self.qps:
            return
        now = self.clock()
        if now < self._next_free - 1 / self.qps:
            raise Refusal("ApiCallLimit", seconds=str(max(1, math.ceil(self._next_free - now))))
        self._next_free = max(now, self._next_free) + 1 / self.qps

    def _system(self, path: str, params: Mapping[str, str]) -> dict[str, Any]:
        if path in ("/auth/token/create", "/auth/token/security/create"):
            if not params.get("code"):
                raise Refusal("MissingParameter", "code")
            # A uuid spoils the code, the token reference says.
            grant = None if "uuid" in params else self.state.exchange(params["code"])
            if grant is None:
                raise Refusal("InvalidCode")
        elif path in ("/auth/token/refresh", "/auth/token/security/refresh"):
            if not params.get("refresh_token"):
                raise Refusal("MissingParameter", "refresh_token")
            grant = self.state.refresh(params["refresh_token"])
            if grant is None:
                raise Refusal("IllegalRefreshToken")
        else:
            raise Refusal("InvalidApiPath")
        return self.state.reply(grant, secure=path == "/auth/token/security/create")

    def _business(self, name: str, params: Mapping[str, str]) -> dict[str, Any]:
        if name not in ANSWERS:
            raise Refusal("InvalidApiPath")
        token = params.get("session") or params.get("access_token") or ""
        if token and not (takes_token(name) and self.state.accepts(token)):
            raise Refusal("IllegalAccessToken")
        if takes_token(name) and not token:
            if name == "aliexpress.ds.text.search":
                return {"code": "EXCEPTION_TEXT_SEARCH_FOR_DS", "msg": "access token is missing"}
            raise Refusal("MissingParameter", "access_token")
        if absent := missing(name, params):
            raise Refusal("MissingParameter", absent)
        return ANSWERS[name](Asked(self.catalogue, params, now=self.clock(), count=self._count))

    def _refused(self, refusal: Refusal, found: Interface) -> dict[str, Any]:
        code = refusal.code
        text = _text_of(code, refusal)
        if code.startswith(("isv.", "isp.")):
            return {"error_response": self._wrapped(code, text)}
        if found.kind == "top":
            number, said = _TOP.get(f"{code}:{refusal.parameter}") or _TOP.get(code, (15, text))
            body: dict[str, Any] = {"code": number, "msg": said, **self._ids()}
            if code == "InvalidAppKey":
                body |= {"sub_code": "isv.appkey-not-exists", "sub_msg": said}
            return {"error_response": body}
        kind = _entry(code).get("type") or "ISV"
        if found.path:
            return {"type": kind, "code": code, "message": text, **self._ids()}
        return {"error_response": {"type": kind, "code": code, "msg": text, **self._ids()}}

    def _wrapped(self, sub_code: str, said: str) -> dict[str, Any]:
        """A refusal by the service behind the gateway: code 15 around the sub-code."""
        return {
            "code": 15, "msg": "Remote service error", "sub_code": sub_code, "sub_msg": said,
            **self._ids(),
        }  # fmt: skip

    def _ids(self) -> dict[str, str]:
        moment = int(self.clock() * 1000)
        return {
            "request_id": f"2101{self._count:08x}{moment}",
            "_trace_id_": f"2140{self._count:08x}{moment}e{self._count % 9973:04x}",
        }

    def attempts(self) -> list[Attempt]:
        """The remembered requests as attempts, newest first."""
        # A copy: requests go on coming while another thread draws the inspector.
        return [_as_attempt(request, answered) for request, answered in reversed(list(self.seen))]


def _moments(text: str, found: Interface) -> list[float]:
    """The moments a timestamp may mean, in epoch s; none where the gateway cannot read it."""
    if re.fullmatch(r"\d{13}", text):
        return [int(text) / 1000]
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
    # Reports have both UTC and GMT+8 accepted on /sync; the zone is not documented.
    return [utc, utc - 8 * 3600]


def _text_of(code: str, refusal: Refusal) -> str:
    if code == "MissingParameter":
        return (
            f"the input parameter “{refusal.parameter}” that is mandatory for processing this "
            "request is not supplied"
        )
    said = _TEXTS.get(code) or next(iter(_entry(code).get("messages", [])), code)
    for value in refusal.more.values():
        said = re.sub(r"\{\w*\}", value, said, count=1)
    return re.sub(r"\{\w*\}", "1", said)


def _entry(code: str) -> Mapping[str, Any]:
    entries: list[dict[str, Any]] = load("errors")["error"]
    return next((e for e in entries if code in (e["code"], *e["aliases"])), {})


def _as_attempt(request: Incoming, answered: Outgoing) -> Attempt:
    import json

    return Attempt(
        method=request.method,
        url=request.url,
        headers=request.headers,
        body=request.body.decode("utf-8", "replace"),
        status=answered.status,
        reply_text=json.dumps(answered.body, ensure_ascii=False),
        source="sandbox",
        at=request.at,
    )
