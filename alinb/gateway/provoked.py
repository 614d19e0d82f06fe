"""How each of the gateway's own refusals is provoked: by what a caller does, or by a fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..knowledge import load
from .market.provoked import PROVOKED as BUSINESS

__all__ = ["BUSINESS", "PLATFORM", "Way", "table"]


class Way(NamedTuple):
    """What provokes a code, in words; `fault` is what to switch on, "" where a call is enough."""

    does: str
    fault: str = ""


def _fault(text: str) -> Way:
    return Way(f"switch on the fault {text}", text)


#: By code, of shapes A, B and B15 (path calls and dotted calls); the codes of the reference first.
PLATFORM: Mapping[str, Way] = {
    "InvalidAppKey": Way("send another app key than the sandbox's"),
    "IncompleteSignature": Way("sign with another secret, or leave the API path out"),
    "IllegalTimestamp": Way("send a timestamp more than 7200 s away, or one in seconds"),
    "MissingParameter": Way("leave out a required parameter, or the token where one is needed"),
    "InvalidApiPath": Way("call a name that is in no book, such as /no/such/path"),
    "InvalidCode": Way("exchange a code twice, after 3 minutes, with uuid, or of another app"),
    "isv.402": Way("send a wrong code to /auth/token/security/create"),
    "IllegalAccessToken": Way("send a dead token, or any token to an affiliate method"),
    "IllegalRefreshToken": Way("refresh with a used or an unknown refresh token"),
    "InsufficientPermission": Way("start with --category affiliate and call a ds method"),
    "UnsupportedParamMapping": Way("send text that is no JSON where a parameter wants an object"),
    "ApiCallLimit": Way("start with --qps 1 and call three times at once"),
    "AppCallLimit": Way("start with --quota 2 and call three times"),
    "AppApiCallLimit": _fault("AppApiCallLimit=14229"),
    "SellerCallLimit": _fault("SellerCallLimit=1"),
    "Reach Limit": _fault("Reach Limit"),
    "AUTH_TYPE_UNSUPPORTED": _fault("AUTH_TYPE_UNSUPPORTED"),
    "AppWhiteIpLimit": _fault("AppWhiteIpLimit"),
    "AppNotSubscribed": _fault("AppNotSubscribed"),
    "InvalidApi": _fault("InvalidApi"),
    "MissingPartner": _fault("MissingPartner"),
    "UnsupportedParam": _fault("UnsupportedParam"),
    "ServiceUnavailable": _fault("ServiceUnavailable"),
    "ServiceTimeout": _fault("ServiceTimeout"),
    "InternalError": _fault("InternalError"),
    "isv.account-migration-check-fail": _fault("isv.account-migration-check-fail"),
    "isv.insufficient-permission": _fault("isv.insufficient-permission"),
    "isv.invalid-authorization": _fault("isv.invalid-authorization"),
    "isv.invalid-parameter": _fault("isv.invalid-parameter"),
    "isv.missing-parameter": _fault("isv.missing-parameter"),
    "isp.service-unavailable": _fault("isp.service-unavailable"),
    "isp.top-remote-connection-timeout": _fault("isp.top-remote-connection-timeout"),
    "isp.top-remote-service-unavailable": _fault("isp.top-remote-service-unavailable"),
    "isp.top-remote-unknown-error": _fault("isp.top-remote-unknown-error"),
}

#: What provokes a TOP number at /router/rest; every other number by the fault of that name.
TOP: Mapping[str, Way] = {
    "7": Way("start with --qps 1 and call three times at once"),
    "11": Way("start with --category affiliate and call a ds method"),
    "21": Way("leave out method"),
    "22": Way("call a method that is in no book"),
    "24": Way("leave out sign"),
    "25": Way("sign with another secret"),
    "26": Way("leave out session where a method needs one"),
    "27": Way("send a dead session"),
    "28": Way("leave out app_key"),
    "29": Way("send another app key than the sandbox's"),
    "30": Way("leave out timestamp"),
    "31": Way("send a timestamp more than 7200 s away"),
    "40": Way("leave out a required parameter"),
}


def table() -> list[tuple[str, str, str]]:
    """Every refusal the sandbox can give: where, the code, and how to provoke it."""
    rows = [("gateway", code, way.does) for code, way in PLATFORM.items()]
    numbers = [e["code"] for e in load("errors")["error"] if e["family"] == "top"]
    rows += [("TOP", number, (TOP.get(number) or _fault(number)).does) for number in numbers]
    rows += [("business", code, does) for code, does in BUSINESS.items()]
    return rows
