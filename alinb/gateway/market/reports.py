"""Methods that only acknowledge, and the benefits of an account's level."""

from __future__ import annotations

from typing import Any

from .asked import Asked, document
from .verdicts import plain

ADD_INFO = "aliexpress.ds.add.info"

_BENEFITS = (
    ("DS_COMMISSION", "Commission on dropshipping orders", True, True),
    ("DS_DISCOUNT", "Member price", True, True),
    ("DS_API_PAY", "Automatic payment", True, False),
    ("DS_MANAGER", "Account manager", False, False),
)


def benefit_get(asked: Asked) -> dict[str, Any]:
    """The benefits of the dropshipping level, and which of them the account has."""
    held = [
        {"code": code, "title": title, "canApply": can_apply, "canBenefit": can_benefit}
        for code, title, can_apply, can_benefit in _BENEFITS
    ]
    return {"result": {"benefit": held}, **plain("200", "Call succeeds")}


def event_report(asked: Asked) -> dict[str, Any]:
    """Takes note of a search event; the text is not looked at."""
    return {"code": "00", "msg": "success", "data": "true"}


def add_info(asked: Asked) -> dict[str, Any]:
    document(asked, ADD_INFO, "param0")
    return {"result": True, "result_code": 200, "result_msg": "Call succeeds"}


def orderdata_submit(asked: Asked) -> dict[str, Any]:
    return {"result": True, **plain(200, "Call succeeds")}
