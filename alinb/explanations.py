"""What a refusal means, as far as anybody knows, by its code, its message or its reply."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from difflib import get_close_matches
from typing import Any

from . import intake, render, replies
from .attempts import Attempt
from .errors import InputError
from .knowledge import load
from .quiet import quiet
from .replies import Reply

_NUMBER_FAMILIES = {"A": ("limit", "platform"), "B": ("platform", "sub"), "C": ("top", "limit")}


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """What a code means, what causes it, what cures it, and how sure that is.

    `proves` is what the answer says about the request, from the order in which the gateway checks.
    `unknown` says plainly what nobody knows. `retry_kind` is no, after_fix, wait or backoff;
    `tries` is how often in all a call is to be tried, where that is known to be few.
    `confidence` is documented, observed, single report, inferred or unknown. `wrapped_in` names the
    code around a sub-code. `ban_seconds` is how long a limit lasts, where the reply said so, in s.
    """

    code: str
    meaning: str
    causes: tuple[str, ...]
    cures: tuple[str, ...]
    retry: str
    retry_kind: str
    confidence: str
    sources: tuple[str, ...]
    message: str = ""
    proves: str = ""
    unknown: str = ""
    family: str = ""
    methods: tuple[str, ...] = ()
    wrapped_in: str = ""
    ban_seconds: int | None = None
    tries: int | None = None
    questions: tuple[tuple[str, str], ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {
            "questions": [{"question": q, "answer": a} for q, a in self.questions]
        }

    def __repr__(self) -> str:
        return f"<Explanation {self.code}: {self.confidence}>"

    def __str__(self) -> str:
        lines = [f"{self.code}: {self.meaning}", f"How sure: {self.confidence}"]
        if self.unknown:
            lines.append(f"Not known: {self.unknown}")
        if self.proves:
            lines.append(f"What it proves: {self.proves}")
        lines += ["Causes:", *(f"  - {cause}" for cause in self.causes)]
        lines += ["Do, in this order:", *(f"  {i}. {c}" for i, c in enumerate(self.cures, 1))]
        lines.append(f"Send it again? {self.retry}")
        for question, answer in self.questions:
            lines += [f"{question}", f"  {answer}"]
        lines += ["Sources:", *(f"  - {source}" for source in self.sources)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = [render.paragraph(self.meaning), render.paragraph(f"How sure: {self.confidence}")]
        if self.unknown:
            parts.append(render.paragraph(f"Not known: {self.unknown}"))
        if self.proves:
            parts.append(render.paragraph(f"What it proves: {self.proves}"))
        for heading, items in (("Causes", self.causes), ("Do, in this order", self.cures)):
            parts += [render.paragraph(heading), render.listing(items)]
        parts.append(render.paragraph(f"Send it again? {self.retry}"))
        parts += [render.paragraph(f"{q} {a}") for q, a in self.questions]
        return render.html(self.code, *parts, render.listing(self.sources))


@quiet
def explain(thing: str | Attempt | Reply | Mapping[str, Any]) -> Explanation:
    """Explain an error code, a message, a reply (JSON or `Reply`) or an attempt.

    What is not known says so in `unknown`. Raises `InputError` where there is nothing to explain:
    an attempt without a reply, or a reply that is no refusal.

    >>> explain("InvalidCode").retry_kind
    'after_fix'
    """
    if isinstance(thing, Attempt):
        if thing.reply is None:
            raise InputError(
                "That attempt has no reply to explain.",
                next_step="Add the gateway's answer as “response”, or use diagnose.",
            )
        return _of_reply(thing.reply)
    if isinstance(thing, Reply):
        return _of_reply(thing)
    if isinstance(thing, Mapping) and isinstance(thing.get("url"), str):
        return explain(intake.read(thing))
    if isinstance(thing, Mapping):
        return _of_reply(replies.read(200, json.dumps(thing)))
    text = thing.strip()
    if not text:
        raise InputError("There is no code.", next_step="Give one such as IncompleteSignature.")
    if text.startswith("{"):
        return _of_reply(replies.read(200, text))
    return _of_words(text)


def _of_reply(reply: Reply) -> Explanation:
    if reply.verdict == "unreadable":
        return _unreadable(reply)
    if reply.ok:
        raise InputError(
            f"That reply is no refusal: its verdict is {reply.verdict}.",
            next_step="Its data is in reply.data, or in reply.frame().",
        )
    entry = _entry(reply.decisive_code, reply.decisive_message, reply.name, reply.shape)
    found = (
        _explanation(entry, reply.decisive_code)
        if entry
        else _unheard_of(reply.decisive_code or reply.decisive_message or f"HTTP {reply.status}")
    )
    return _with(
        found,
        message=reply.decisive_message,
        wrapped_in=reply.code if reply.sub_code else "",
        ban_seconds=reply.ban_seconds,
    )


def _of_words(text: str) -> Explanation:
    entry = _entry(text, text, "", "")
    return _explanation(entry, entry["code"]) if entry else _unheard_of(text)


def _entry(code: str, message: str, method: str, shape: str) -> dict[str, Any] | None:
    entries: list[dict[str, Any]] = load("errors")["error"]
    bare = code.partition(":")[0] if code.startswith(("isv.", "isp.")) else code
    named = [
        entry
        for entry in entries
        if bare and bare.lower() in (name.lower() for name in (entry["code"], *entry["aliases"]))
    ]
    best = _best(named, method, shape, message)
    if best is None and message:
        spoken = [entry for entry in entries if _says(entry, message)]
        best = _best(spoken, method, shape, message)
    return best


def _best(
    candidates: list[dict[str, Any]], method: str, shape: str, message: str
) -> dict[str, Any] | None:
    """Of the entries for one code, the one whose method, envelope and message fit best."""

    def fit(entry: Mapping[str, Any]) -> tuple[bool, bool, bool, bool]:
        return (
            any(_matches(method, pattern) for pattern in entry["methods"]),
            entry["family"] in _NUMBER_FAMILIES.get(shape, ()),
            _says(entry, message),
            not entry["methods"] and not entry["platforms"],
        )

    usable = [
        entry
        for entry in candidates
        if not (method and entry["methods"])
        or any(_matches(method, pattern) for pattern in entry["methods"])
    ]
    return max(usable or candidates, key=fit, default=None)


def _matches(method: str, pattern: str) -> bool:
    return method.startswith(pattern[:-1]) if pattern.endswith("*") else method == pattern


def _says(entry: Mapping[str, Any], message: str) -> bool:
    for pattern in entry["messages"]:
        # Short words such as "System Error" stand in many messages by chance.
        parts = ".*?".join(re.escape(part) for part in pattern.split("{}"))
        if re.fullmatch(rf"\W*{parts}\W*", message, re.IGNORECASE | re.DOTALL):
            return True
    return False


def _explanation(entry: Mapping[str, Any], code: str) -> Explanation:
    return Explanation(
        code=code or entry["code"],
        meaning=entry["meaning"],
        causes=tuple(entry["causes"]),
        cures=tuple(entry["cures"]),
        retry=entry["retry"],
        retry_kind=entry["retry_kind"],
        confidence=entry["confidence"],
        sources=tuple(entry["sources"]),
        message=entry["messages"][0] if entry["messages"] else "",
        proves=entry["proves"],
        unknown=entry["unknown"],
        family=entry["family"],
        methods=tuple(entry["methods"]),
        tries=entry.get("tries"),
        questions=tuple((q["question"], q["answer"]) for q in entry.get("questions", ())),
    )


def nearest(text: str) -> list[str]:
    """The known codes that are spelled most like a text, the nearest first, three at most.

    >>> nearest("IncompleteSignatur")[0]
    'IncompleteSignature'
    """
    by_spelling = {
        name.lower(): entry["code"]
        for entry in reversed(load("errors")["error"])
        for name in (*entry["aliases"], entry["code"])
    }
    near = get_close_matches(text.strip().lower(), by_spelling, n=6, cutoff=0.7)
    return list(dict.fromkeys(by_spelling[name] for name in near))[:3]


def _unheard_of(code: str) -> Explanation:
    known = {
        "isv.": ("The caller has to change something.", "after_fix"),
        "isp.": ("The service behind the gateway failed.", "backoff"),
    }
    side, retry_kind = next(
        (known[start] for start in known if code.lower().startswith(start)),
        ("Whose fault it is cannot be told from the code.", "no"),
    )
    return Explanation(
        code=code,
        meaning=f"alinb knows no such code, message or business verdict. {side}",
        causes=("Not known.",),
        cures=(
            *(f"Look at {near}, which is spelled much like it." for near in nearest(code)[:1]),
            "Read the message beside the code: it often names the parameter.",
            "Check the signature with `alinb verify`, then the method's required parameters.",
            "Send the request id, app key, time and API name to the platform's support.",
        ),
        retry="Not before something was changed." if retry_kind != "backoff" else "Yes, later.",
        retry_kind=retry_kind,
        confidence="unknown",
        sources=("Rule of the isv./isp. prefixes: Taobao Open Platform, article 102707",),
        unknown="What this code means.",
    )


#: What an HTTP status says of a page that came instead of a reply.
_BUSY = {
    429: ("What stands before the gateway counts too many calls.",),
    **dict.fromkeys((502, 503, 504), ("The gateway, or what stands before it, is out of order.",)),
}


def _unreadable(reply: Reply) -> Explanation:
    return Explanation(
        code="unreadable",
        meaning=f"The reply (HTTP {reply.status}) {reply.reason}; the gateway always answers JSON.",
        causes=(
            *_BUSY.get(reply.status, ()),
            "The address is not the gateway's: a wrong host or path answers with a page.",
            "A proxy, firewall or risk control answered instead of the gateway.",
            "The connection broke before the whole body arrived.",
        ),
        cures=(
            "Compare the address with https://api-sg.aliexpress.com/rest/… or /sync.",
            "Look at the reply itself: it is kept whole with the attempt.",
            "Send the request again when the connection is sound, but never an exchange of a code.",
        ),
        retry="A read may be sent again; an authorization code may be spent already.",
        retry_kind="backoff",
        confidence="observed",
        sources=("gateway.do answers an HTML 404 page with HTTP 200, seen in one client",),
    )


def _with(found: Explanation, **more: Any) -> Explanation:

    return replace(
        found, **{name: value for name, value in more.items() if value not in ("", None)}
    )
