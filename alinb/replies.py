"""What came back, with one verdict read out of the gateway's many envelopes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from . import bodies, errors
from .quiet import Copied
from .redact import Redactor

#: Codes that mean success, as text; they come as numbers, as text and as booleans.
SUCCESSES = frozenset({"0", "00", "200", "true", "success"})

_BAN = re.compile(
    r"\b(?:ban\s+will\s+)?last\s+(?:for\s+)?(\d{1,12})\s*(?:more\s+)?second", re.IGNORECASE
)
_LIMIT = re.compile(
    r"limited-by|access-limited|reach limit|frequency .*exceed|calls?.?limit", re.IGNORECASE
)
#: Lazada's numbers for limits (seen in independent clients), and TOP's (open.alitrip.com 102707).
_LIMIT_NUMBERS = {
    "A": {
        "901", "E901", "E0901", "1002", "E1002", "506", "E506", "4154", "SYS_REQUEST_TOO_FAST",
    },
    "C": {"4", "5", "6", "7", "8"},
}  # fmt: skip


@dataclass(frozen=True, slots=True, repr=False)
class Reply(Copied):
    """One answer of a gateway.

    `verdict` is ok, empty (a successful search without a hit), refused or unreadable. `shape` names
    the envelope: A (flat, path calls), B (error_response, text code), B15 (code 15 around a refusal
    by the service behind the gateway), C (TOP, number code), D (…_response), E (simplified),
    "" where unreadable. `code` is text whatever it came as; `decisive_code` is the sub-code where
    there is one. `payload` is what stands inside the root object, `data` the whole JSON,
    `body` the answer as it came.
    A pickle holds no token, code or account.
    Source: AliExpress DS API reference and live payloads.
    """

    status: int
    verdict: str
    shape: str = ""
    code: str = ""
    message: str = ""
    sub_code: str = ""
    sub_message: str = ""
    type: str = ""
    request_id: str = ""
    trace_id: str = ""
    reason: str = ""
    name: str = ""
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    payload: Any = field(default=None, repr=False)
    data: Any = field(default=None, repr=False)
    body: bytes | str = field(default="", repr=False)
    attempt_id: int | None = None

    @property
    def text(self) -> str:
        """The body as text."""
        return bodies.as_text(self.body)

    @property
    def ok(self) -> bool:
        """True where the call did what it was asked to; an empty result counts."""
        return self.verdict in ("ok", "empty")

    @property
    def decisive_code(self) -> str:
        return self.sub_code or self.code

    @property
    def decisive_message(self) -> str:
        return self.sub_message or self.message

    @property
    def is_limit(self) -> bool:
        """Whether this refuses because of too many calls."""
        if self.verdict != "refused":
            return False
        texts = (self.code, self.sub_code, self.message, self.sub_message)
        numbered = self.code in _LIMIT_NUMBERS.get(self.shape, ())
        return numbered or self.status == 429 or any(_LIMIT.search(text) for text in texts)

    @property
    def ban_seconds(self) -> int | None:
        """How long a limit lasts in s, where the message says so."""
        found = _BAN.search(f"{self.message} {self.sub_message}")
        return int(found[1]) if found else None

    def raise_for_refusal(self) -> Reply:
        """This reply, where it is ok; else raises `Refused` or `UnreadableReply`."""
        if self.ok:
            return self
        if self.verdict == "unreadable":
            raise errors.UnreadableReply(
                f"The reply to {self.name or 'the call'} (HTTP {self.status}) {self.reason}.",
                next_step=f"{_UNREADABLE.get(self.status, _ELSEWHERE)} The attempt keeps the whole"
                " reply.",
                reply=self,
                attempt_id=self.attempt_id,
            )
        words = filter(None, (self.decisive_code, self.decisive_message.rstrip(".")))
        raise _refusal(self)(
            f"{self.name or 'The call'} was refused: {': '.join(words) or 'no reason given'}.",
            next_step=f"alinb explain {self.decisive_code} says what that means."
            if self.decisive_code
            else "Look at the reply: it gives no code.",
            code=self.decisive_code,
            reply=self,
            attempt_id=self.attempt_id,
            ban_seconds=self.ban_seconds,
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        return object.__reduce_ex__(self._redacted(), protocol)

    def _redacted(self) -> Reply:
        redactor = Redactor(b"pickle")
        redactor.learn_request(self.params.items())
        redactor.learn_reply(self.data)
        text, data = redactor.text, redactor.data
        return replace(
            self,
            params=dict(redactor.pairs(self.params.items())),
            message=text(self.message),
            sub_message=text(self.sub_message),
            reason=text(self.reason),
            payload=data(self.payload),
            data=data(self.data),
            body=text(self.text),
        )

    def __repr__(self) -> str:
        said = f" {self.decisive_code}: {self.decisive_message}" if not self.ok else ""
        return f"<Reply {self.name} {self.verdict}{said}{' ' + self.reason if self.reason else ''}>"

    def frame(self, each: str = "") -> Any:
        """The reply's records as a pandas DataFrame; see `alinb.frame`."""
        from alinb import frame

        return frame(self, each=each)

    def tables(self) -> dict[str, Any]:
        """All that the reply holds, as pandas DataFrames by name; see `alinb.tables`."""
        from alinb import tables

        return tables(self)

    def as_dict(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "verdict": self.verdict,
            "status": self.status,
            "shape": self.shape,
            "code": self.code,
            "message": self.message,
            "sub_code": self.sub_code,
            "sub_message": self.sub_message,
            "request_id": self.request_id,
            "attempt_id": self.attempt_id,
            "data": self.data if self.data is not None else self.text,
        }


def read(
    status: int,
    content: bytes | str,
    name: str = "",
    params: Mapping[str, str] | None = None,
) -> Reply:
    """Read one HTTP answer; what cannot be read is an unreadable reply, kept whole, no error."""
    data, reason = bodies.read(content)
    common: dict[str, Any] = {
        "status": status, "name": name, "params": params or {}, "body": content, "data": data,
    }  # fmt: skip
    if reason:
        return Reply(verdict="unreadable", reason=reason, **common)
    body = _unwrap_java(data)
    facts = _ids(body) | _verdict(body)
    if status >= 400 and facts["verdict"] == "ok":
        facts |= {"verdict": "refused", "code": f"HTTP {status}", "message": "HTTP status"}
    return Reply(**common, **facts)


def is_success(code: Any) -> bool:
    """Whether a code of any type means success: 0, "0", "00", 200, "200", true.

    >>> [is_success(code) for code in (0, "00", "200", True, 405, "", None)]
    [True, True, True, True, False, False, False]
    """
    return _text(code).strip().lower() in SUCCESSES


def _unwrap_java(data: dict[str, Any]) -> dict[str, Any]:
    """The Java SDK hands on an object of its own with the gateway's JSON as text inside."""
    inner = data.get("gopResponseBody")
    if isinstance(inner, str):
        parsed, reason = bodies.read(inner)
        if not reason and isinstance(parsed, dict):
            return parsed
    return data


def _ids(data: dict[str, Any]) -> dict[str, str]:
    places = (data, *(value for value in data.values() if isinstance(value, dict)))
    return {
        "request_id": _first(places, "request_id", "requestId"),
        "trace_id": _first(places, "_trace_id_", "trace_id"),
    }


def _first(places: tuple[dict[str, Any], ...], *names: str) -> str:
    for place in places:
        for name in names:
            if name in place and (text := _text(place[name])):
                return text
    return ""


def _verdict(data: dict[str, Any]) -> dict[str, Any]:
    error = data.get("error_response")
    if isinstance(error, dict):
        return _refused(error, _error_shape(error))
    roots = [key for key in data if key.endswith("_response") and isinstance(data[key], dict)]
    if len(roots) == 1:
        return _business(data[roots[0]], "D")
    if "code" in data and not _is_business(data):
        if is_success(data["code"]):
            return {"verdict": "ok", "shape": "A", "code": _text(data["code"]), "payload": data}
        return _refused(data, "B15" if data.get("sub_code") else "A")
    if "access_token" in data:
        return {"verdict": "ok", "shape": "A", "payload": data}
    return _business(data, "E")


def _error_shape(error: dict[str, Any]) -> str:
    # Code 15 wraps a refusal by the service behind the gateway, as text or as a number.
    if _text(error.get("code")) == "15":
        return "B15"
    return "C" if isinstance(error.get("code"), int) else "B"


def _refused(error: Mapping[str, Any], shape: str) -> dict[str, Any]:
    return {
        "verdict": "refused",
        "shape": shape,
        "type": _text(error.get("type")),
        "code": _text(error.get("code")),
        "message": _text(error.get("message") or error.get("msg")),
        "sub_code": _text(error.get("sub_code")),
        "sub_message": _text(error.get("sub_msg") or error.get("sub_message")),
        "payload": dict(error),
    }


def _is_business(data: dict[str, Any]) -> bool:
    return any(key in data for key in ("resp_result", "rsp_code", "result", "data"))


def _business(root: dict[str, Any], shape: str) -> dict[str, Any]:
    """The verdict inside a business reply; there is no single convention, so each is tried."""
    code, message, succeeded = _business_code(root)
    facts = {"shape": shape, "payload": root, "code": code, "message": message}
    if code == "405" and isinstance(root.get("resp_result"), dict):
        return facts | {"verdict": "empty"}
    return facts | {"verdict": "ok" if succeeded else "refused"}


def _business_code(root: dict[str, Any]) -> tuple[str, str, bool]:
    inner = root.get("resp_result")
    if isinstance(inner, dict) and "resp_code" in inner:
        code = _text(inner["resp_code"])
        return code, _text(inner.get("resp_msg")), is_success(code)
    if "rsp_code" in root:
        return _text(root["rsp_code"]), _text(root.get("rsp_msg")), is_success(root["rsp_code"])
    result = root.get("result")
    if isinstance(result, dict):
        for flag in ("success", "is_success", "ret"):
            if flag in result:
                return (*_result_words(result), is_success(result[flag]))
    if "code" in root:
        message = _text(root.get("msg") or root.get("message"))
        return _text(root["code"]), message, is_success(root["code"])
    return "", "", True


def _result_words(result: dict[str, Any]) -> tuple[str, str]:
    code = next((_text(result[k]) for k in ("error_code", "code") if result.get(k)), "")
    words = ("error_msg", "msg", "err_message", "messages")
    return code, next((_text(result[k]) for k in words if result.get(k)), "")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        try:
            return json.dumps(value, ensure_ascii=False)
        except RecursionError:
            return f"a {type(value).__name__} nested too deeply"
    return str(value)


_REFUSALS: Mapping[str, type[errors.Refused]] = {
    "IncompleteSignature": errors.SignatureRefused,
    "InvalidAppKey": errors.AppKeyRefused,
    "InvalidAppkey": errors.AppKeyRefused,
    "isv.appkey-not-exists": errors.AppKeyRefused,
    "InvalidCode": errors.CodeRefused,
    "IllegalAccessToken": errors.TokenRefused,
    "IllegalRefreshToken": errors.TokenRefused,
    "invalid-sessionkey": errors.TokenRefused,
    "InsufficientPermission": errors.PermissionRefused,
    "isv.insufficient-permission": errors.PermissionRefused,
    "AppWhiteIpLimit": errors.PermissionRefused,
    "ServiceUnavailable": errors.ServiceFailed,
    "ServiceTimeout": errors.ServiceFailed,
    "SERVICE_TIMEOUT": errors.ServiceFailed,
    "InternalError": errors.ServiceFailed,
}

_TOP_REFUSALS: Mapping[str, type[errors.Refused]] = {
    "10": errors.ServiceFailed,
    "25": errors.SignatureRefused,
    "27": errors.TokenRefused,
    "29": errors.AppKeyRefused,
}


#: What to do where a page came instead of a reply, by its HTTP status.
_UNREADABLE = dict.fromkeys((429, 502, 503, 504), "Wait a while before you send a read again.")
_ELSEWHERE = "Check the gateway's address."


def _refusal(reply: Reply) -> type[errors.Refused]:
    if reply.is_limit:
        return errors.RateLimited
    if reply.decisive_code in _REFUSALS:
        return _REFUSALS[reply.decisive_code]
    if reply.shape == "C" and reply.code in _TOP_REFUSALS:
        return _TOP_REFUSALS[reply.code]
    if reply.decisive_code.startswith("isp.") or reply.code in ("HTTP 502", "HTTP 503", "HTTP 504"):
        return errors.ServiceFailed
    return errors.Refused
