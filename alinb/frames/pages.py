"""A reply taken apart: its records, and what stands around them."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypeAlias

from .. import replies
from ..attempts import Attempt
from ..bodies import parse_json
from ..errors import InputError
from ..knowledge import load
from ..redact import REQUEST_KINDS, Redactor
from ..replies import Reply
from .facts import MethodFacts

#: What `Table` and `frame` read.
Answer: TypeAlias = Reply | Attempt | Mapping[str, Any] | str | bytes

_TOKENS = ("access_token", "refresh_token")
_PAGE = {"totalCount": "total", "total_record_count": "total", "total_count": "total",
         "total": "total", "pageIndex": "page", "current_page_no": "page", "page_no": "page",
         "pageSize": "page_size", "page_size": "page_size"}  # fmt: skip


def name_from_root(reply: Reply) -> str:
    """The method whose root object the reply has: dots stand as underscores there."""
    roots = [key for key in reply.data if key.endswith("_response")]
    names = load("records")["methods"]
    return next(
        (n for n in names for root in roots if n.replace(".", "_") + "_response" == root), ""
    )


def read_answer(answer: Answer, name: str, params: Mapping[str, str]) -> tuple[Reply, float | None]:
    at = None
    if isinstance(answer, Attempt):
        if answer.reply is None:
            raise InputError(
                "That attempt has no reply.", next_step="Choose one that was answered."
            )
        at = answer.at
        answer = answer.reply
    if not isinstance(answer, Reply):
        body = answer if isinstance(answer, str | bytes) else json.dumps(answer, ensure_ascii=False)
        answer = replies.read(200, body, name, params)
    stamp = answer.params.get("timestamp", "")
    if at is None and stamp.isascii() and stamp.isdigit() and len(stamp) == 13:
        at = int(stamp) / 1000
    return answer, at


def without_secrets(reply: Reply) -> tuple[Any, Any]:
    """The reply's JSON and the part inside the root, with tokens and known secrets hidden."""
    secrets = [v for n, v in reply.params.items() if v and n.lower() in REQUEST_KINDS]
    named = any(name in data for data in (reply.data, reply.payload) for name in _TOKENS)
    if not named and not (secrets and _any_in(secrets, reply.text)):
        return reply.data, reply.payload
    redactor = Redactor(b"frame")
    redactor.learn_request(reply.params.items())
    redactor.learn_reply(reply.data)
    hidden = redactor.data(reply.data)
    return hidden, redactor.data(reply.payload)


def _any_in(values: Iterable[str], text: str) -> bool:
    return any(value in text for value in values)


def apart(payload: Any, known: MethodFacts, empty: bool) -> tuple[list[Any], dict[str, Any]]:
    """The records, and a copy of what is left of the payload without them."""
    if not isinstance(payload, dict):
        return ([] if payload is None else [payload]), {}
    payload = dict(payload)
    if "." in known.paths:
        return [payload], {}
    for path in known.paths:
        steps = path.split(".")
        around, rest = _descend(payload, steps)
        if around is not None and steps[-1] in around:
            return _records(around.pop(steps[-1])), rest
    if empty or (known.paths and _descend(payload, known.paths[0].split("."))[0] is not None):
        # A list without items may be missing altogether.
        return [], payload
    steps = _longest(payload)
    if not steps:
        return [payload], {}
    around, rest = _descend(payload, steps)
    return _records((around or {}).pop(steps[-1])), rest


def _descend(
    payload: dict[str, Any], steps: list[str]
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The object that holds the last step, in a copy of the payload that may be changed."""
    rest = dict(payload)
    around = rest
    for step in steps[:-1]:
        inner = around.get(step)
        if not isinstance(inner, dict):
            return None, payload
        around[step] = dict(inner)
        around = around[step]
    return around, rest


def _records(found: Any) -> list[Any]:
    if isinstance(found, dict) and len(found) == 1:
        (inner,) = found.values()
        if isinstance(inner, list):
            return inner
        if inner is None:
            return []
    if isinstance(found, list):
        return found
    # An empty list arrives as {} in live replies.
    return [found] if found else []


def _longest(payload: Mapping[str, Any]) -> list[str]:
    """For a method nobody described: the way to the longest list of objects, else no step."""
    best: list[str] = []
    most = 0
    queue: list[tuple[list[str], Any]] = [([], payload)]
    for steps, value in queue:
        if isinstance(value, dict):
            inner = next(iter(value.values())) if len(value) == 1 else None
            if not (steps and isinstance(inner, list)):
                queue += [([*steps, key], below) for key, below in value.items()]
                continue
            value = inner
        more = isinstance(value, list) and len(value) > most
        if more and all(isinstance(item, dict) for item in value):
            best, most = steps, len(value)
    return best


def beside(data: Mapping[str, Any], inside: Mapping[str, Any]) -> dict[str, Any]:
    """What stands beside the root object, and around the text that the Java SDK wraps."""
    found = {}
    for key, value in data.items():
        if key != "gopResponseBody" and not (key.endswith("_response") and isinstance(value, dict)):
            found[f"{key}~" if inside.get(key, value) != value else key] = value
    return found


def param(params: Mapping[str, str], path: str) -> str | None:
    """A parameter of the request, or a field of one that is JSON: `single_order_query.order_id`."""
    name, _, inner = path.partition(".")
    value: Any = params.get(name)
    if inner and value:
        try:
            value = parse_json(value).get(inner)
        except (ValueError, AttributeError, RecursionError):
            return None
    return str(value) if value not in (None, "") else None


def page_of(rest: Mapping[str, Any]) -> dict[Hashable, int]:
    """Total, page and page size, wherever the envelope says them."""
    found: dict[Hashable, int] = {}
    queue = [rest]
    for value in queue:
        for key, inner in value.items():
            if isinstance(inner, dict):
                queue.append(inner)
            elif key in _PAGE and str(inner).isdigit():
                found.setdefault(_PAGE[key], int(inner))
    return found
