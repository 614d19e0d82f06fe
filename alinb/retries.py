"""What may be sent twice, and what is worth sending again: one policy for everything that repeats.

A call is signed anew each time. A code is never exchanged twice, and an order is placed again only
where its `out_order_id` makes the second one the first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from .calls import Call
from .errors import NoReply, Refused, ServiceFailed, UnreadableReply
from .explanations import explain
from .knowledge import load

#: How often a page is tried, and how long the pause before another try is at first and at most, s.
TRIES, FIRST_PAUSE_S, LONGEST_PAUSE_S, JITTER_S = 8, 0.1, 5.0, 0.2


def may_repeat(call: Call) -> bool:
    """Whether sending a call twice does what sending it once does.

    Reads may be, by their name; of the writes only what carries a key of its own. An unknown name
    counts as a write.

    >>> may_repeat(Call.of("aliexpress.ds.product.get")), may_repeat(Call.of("/auth/token/create"))
    (True, False)
    """
    rules: Mapping[str, Any] = load("paging")["repeating"]
    if call.name in rules["never"] or call.files:
        return False
    keyed = rules["keyed"].get(call.name)
    if keyed is not None:
        return bool(_inside(call.params.get(keyed["parameter"], "")).get(keyed["key"]))
    return call.name.endswith(tuple(rules["endings"]))


def worth_another(error: BaseException, call: Call) -> bool:
    """Whether the call that ended in this error is to be sent again, after a pause.

    A call that never left, as nothing listened, may be sent again whatever it is. What a refusal
    calls for is known to `alinb.explain`; limits and bans are the pacer's.
    """
    if isinstance(error, NoReply) and not error.evidence.get("connected", True):
        return call.name not in load("paging")["repeating"]["never"]
    if not may_repeat(call):
        return False
    if isinstance(error, NoReply | UnreadableReply | ServiceFailed):
        return True
    return isinstance(error, Refused) and _passes(error)


def policy(call: Call) -> dict[str, Any]:
    """The arguments of `stamina.retry_context` for one call: they count its tries."""
    tried = count(1)

    def another(error: Exception) -> bool:
        return next(tried) < tries(error) and worth_another(error, call)

    return {
        "on": another, "attempts": TRIES, "timeout": None, "wait_initial": FIRST_PAUSE_S,
        "wait_max": LONGEST_PAUSE_S, "wait_jitter": JITTER_S,
    }  # fmt: skip


def tries(error: BaseException) -> int:
    """How often in all a call is tried that ends like this."""
    reply = error.reply if isinstance(error, Refused) else None
    if reply is None or reply.status >= 500:
        return TRIES
    return explain(reply).tries or TRIES


def _passes(error: Refused) -> bool:
    """Whether the refusal is of a kind that passes by itself."""
    reply = error.reply
    if reply is None or reply.is_limit:
        return False
    if reply.status >= 500:
        return True
    return explain(reply).retry_kind == "backoff"


def _inside(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
