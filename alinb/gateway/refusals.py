"""How the gateway says no: a code, its text, and the envelope that each interface puts it in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from ..knowledge import load
from ..signing import Interface

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
    "InsufficientPermission": (11, "Insufficient isv permissions"),
    "ApiCallLimit": (7, "App Call Limited"),
    "AppApiCallLimit": (7, "App Call Limited"),
    "AppCallLimit": (7, "App Call Limited"),
}

#: What TOP adds to a number (open.alitrip.com 102707; sub-codes of 7 and 29 seen in clients).
_TOP_SUB = {
    "InvalidAppKey": ("isv.appkey-not-exists", "Invalid app Key"),
    "IllegalAccessToken": ("invalid-sessionkey", "SessionKey is invalid"),
    "ApiCallLimit": ("accesscontrol.limited-by-api-access-count", ""),
    "AppApiCallLimit": ("accesscontrol.limited-by-app-api-access-count", ""),
    "AppCallLimit": ("accesscontrol.limited-by-app-access-count", ""),
}
_TOP_BAN = "This ban will last for {seconds} more seconds"

_TEXTS = {
    "InvalidAppKey": "The specified App Key is invalid",
    "IncompleteSignature": "The request signature does not conform to platform standards",
    "IllegalTimestamp": "The specified timestamp is invalid or expired",
    "InvalidApiPath": "The specified API Path is invalid",
    "InvalidCode": "Invalid authorization code",
    "IllegalAccessToken": "The specified access token is invalid or expired",
    "IllegalRefreshToken": "The specified refresh token is invalid or expired",
    "ApiCallLimit": "Api access frequency exceeds the limit. this ban will last {seconds} seconds",
    "AppApiCallLimit": "The frequency of app access to the api exceeds the limit. "
    "This ban will last {seconds} seconds",
    "AppCallLimit": "App access frequency exceeds the limit. This ban will last {seconds} seconds",
}
#: Lazada names itself where AliExpress says “platform” (Lazada Open Platform guides).
_LAZADA = {
    "IncompleteSignature": "The request signature does not conform to lazada standards",
}


class Refusal(Exception):
    """Why the gateway says no; caught where the answer is shaped.

    `parameter` is the one that is missing, `seconds` how long a ban lasts. `payload` is set where
    the verdict stands inside an accepted reply, as business codes do.
    """

    def __init__(
        self,
        code: str,
        parameter: str = "",
        *,
        text: str = "",
        seconds: int = 1,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code, self.parameter, self.seconds = code, parameter, seconds
        self.text, self.payload = text, payload


def body(
    refusal: Refusal, found: Interface, ids: Mapping[str, str], *, platform: str = "aliexpress"
) -> dict[str, Any]:
    """The reply of a refusal: shapes A, B, B15 and C of the platform's interfaces.

    A is flat (path calls), B stands in error_response with a text code (dotted calls), B15 wraps a
    refusal by the service behind the gateway, C is TOP's with a number.
    """
    code, text = refusal.code, text_of(refusal, platform)
    if found.kind == "top":
        return {"error_response": {**_top(refusal, text), **ids}}
    if code.startswith(("isv.", "isp.")) and code != "isv.402":
        return _wrapped(code, text, ids, flat=platform.startswith("alibaba"))
    kind = entry(code).get("type") or "ISV"
    if found.path:
        return {"type": kind, "code": code, "message": text, **ids}
    return {"error_response": {"type": kind, "code": code, "msg": text, **ids}}


def text_of(refusal: Refusal, platform: str = "aliexpress") -> str:
    """What the gateway says beside a code, with the parameter or the seconds in place."""
    code = refusal.code
    if code == "MissingParameter":
        return (
            f"the input parameter “{refusal.parameter}” that is mandatory for processing this "
            "request is not supplied"
        )
    said = refusal.text or (_LAZADA.get(code, "") if platform.startswith("lazada") else "")
    said = said or _TEXTS.get(code) or next(iter(entry(code).get("messages", [])), code)
    return re.sub(r"\{\w*\}", str(refusal.seconds), said)


@cache
def entry(code: str) -> Mapping[str, Any]:
    """What the book of refusals says of a code; empty for one it does not hold."""
    entries: list[dict[str, Any]] = load("errors")["error"]
    return next((e for e in entries if code in (e["code"], *e["aliases"])), {})


def _top(refusal: Refusal, text: str) -> dict[str, Any]:
    code = refusal.code
    if code.isdigit():
        return {"code": int(code), "msg": text}
    if code.startswith(("isv.", "isp.")):
        return {"code": 15, "msg": "Remote service error", "sub_code": code, "sub_msg": text}
    number, said = _TOP.get(f"{code}:{refusal.parameter}") or _TOP.get(code, (15, text))
    top: dict[str, Any] = {"code": number, "msg": said}
    if code in _TOP_SUB:
        sub_code, sub_text = _TOP_SUB[code]
        ban = _TOP_BAN.format(seconds=refusal.seconds)
        top |= {"sub_code": sub_code, "sub_msg": sub_text or ban}
    return top


def _wrapped(sub_code: str, said: str, ids: Mapping[str, str], *, flat: bool) -> dict[str, Any]:
    # The only public report of a migration refusal gives the code as a number, the documentation's
    # own sample of this wrapper as text; Alibaba.com has it without the error_response around it.
    number: Any = 15 if sub_code == "isv.account-migration-check-fail" else "15"
    kind = {} if number == 15 else {"type": "ISP"}
    inner = {
        "code": number, **kind, "msg": "Remote service error", "sub_code": sub_code,
        "sub_msg": said, **ids,
    }  # fmt: skip
    return inner if flat else {"error_response": inner}
