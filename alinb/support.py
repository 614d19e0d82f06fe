"""What a support ticket needs of an attempt, with nothing in it that must stay secret."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import intake, render
from .attempts import Attempt
from .errors import InputError
from .explanations import Explanation, explain
from .redact import Redactor, Secret

#: Characters of a reply that a ticket gets.
LONGEST_REPLY = 4_000


@dataclass(frozen=True, slots=True, repr=False)
class SupportBundle:
    """An attempt for a ticket: ids, times, the request and the reply, what was checked and tried.

    `attempt` and `tried` are redacted. `str()` gives plain text to paste.
    """

    attempt: Attempt
    tried: tuple[Attempt, ...] = ()
    explanation: Explanation | None = None

    @property
    def facts(self) -> dict[str, str]:
        """What the platform looks the call up by; only what is known."""
        attempt, reply = self.attempt, self.attempt.reply
        found = {
            "platform": attempt.platform,
            "app key": attempt.params.get("app_key", "") or attempt.params.get("client_id", ""),
            "API name": attempt.api_name,
            "request id": reply.request_id if reply else "",
            "trace id": reply.trace_id if reply else "",
            "time": _moment(attempt.at),
            "took": _took(attempt),
            "endpoint": f"{attempt.method} {attempt.url.partition('?')[0]}",
            "answer": _answer(attempt),
        }
        return {what: text for what, text in found.items() if text}

    @property
    def checked(self) -> list[str]:
        """What alinb found out about the request, a sentence each."""
        found: list[str] = []
        diagnosis = self.attempt.diagnosis or {}
        if diagnosis.get("verdict") == "correct":
            found.append("The signature was recomputed with the app secret, and is right.")
        elif diagnosis.get("summary"):
            found.append(f"The signature: {diagnosis['summary']}")
        found += [f"{f['evidence']}" for f in diagnosis.get("findings", ()) if f.get("evidence")]
        if self.explanation:
            known = self.explanation
            found.append(f"{known.code} ({known.confidence}): {known.meaning}")
            found += [f"Not known: {known.unknown}"] if known.unknown else []
        return list(dict.fromkeys(found))

    @property
    def history(self) -> list[tuple[str, str, str, str]]:
        """Every other try: (time, API name, what came, request id), oldest first."""
        return [
            (_moment(a.at), a.api_name, _answer(a), a.reply.request_id if a.reply else "")
            for a in sorted(self.tried, key=lambda a: a.at or 0)
        ]

    def as_dict(self) -> dict[str, Any]:
        return {
            "facts": self.facts,
            "request": intake.to_curl(self.attempt),
            "reply": self.attempt.reply_text[:LONGEST_REPLY],
            "checked": self.checked,
            "tried": [
                {"time": at, "name": name, "answer": answer, "request_id": request_id}
                for at, name, answer, request_id in self.history
            ],
        }

    def __repr__(self) -> str:
        return f"<SupportBundle {self.attempt.api_name} {self.attempt.verdict}>"

    def __str__(self) -> str:
        reply = self.attempt.reply_text
        cut = f"\n… {len(reply) - LONGEST_REPLY} characters more" * (len(reply) > LONGEST_REPLY)
        lines = [f"{self.attempt.api_name}: {_answer(self.attempt)}", ""]
        lines += [f"{what:<11} {text}" for what, text in self.facts.items()]
        lines += ["", "Request; hidden values stand as ‹kind fingerprint›",
                  intake.to_curl(self.attempt)]  # fmt: skip
        lines += ["", "Reply", f"{reply[:LONGEST_REPLY]}{cut}" if reply else self.attempt.problem]
        if self.checked:
            lines += ["", "What was checked", *(f"- {text}" for text in self.checked)]
        if self.history:
            lines += ["", "What was tried", *("  ".join(filter(None, row)) for row in self.history)]
        return "\n".join(lines) + "\n"

    def _repr_html_(self) -> str:
        parts = [render.table(("what", ""), list(self.facts.items())),
                 render.listing(self.checked)]  # fmt: skip
        if self.history:
            parts.append(render.table(("tried at", "API name", "answer", "request id"),
                                      self.history))  # fmt: skip
        return render.html(f"For a ticket: {self.attempt.api_name}", *parts,
                           str(render.tag("pre", str(self))))  # fmt: skip


def support_bundle(
    attempt: Attempt, *tried: Attempt, secret: Secret | str | None = None
) -> SupportBundle:
    """What a support ticket needs of an attempt, and of others that were tried before or after.

    Tokens, codes and accounts are replaced by their kind and a fingerprint; so is the app secret,
    the one given and the environment's, wherever its value stands. Raises `InputError` for what is
    no attempt.

        print(alinb.support_bundle(journal.get(12), *journal.attempts([10, 11])))
    """
    for each in (attempt, *tried):
        if not isinstance(each, Attempt):
            raise InputError(
                f"A {type(each).__name__} is no attempt.", next_step="Take one with journal.get(…)."
            )
    redactor = Redactor(os.urandom(16))
    redactor.learn("app_secret", secret)
    redactor.learn("app_secret", os.environ.get("ALINB_APP_SECRET", "").strip())
    shown = attempt.redacted(redactor)
    return SupportBundle(
        shown, tuple(other.redacted(redactor) for other in tried), _explanation(shown)
    )


def _explanation(attempt: Attempt) -> Explanation | None:
    reply = attempt.reply
    return explain(reply) if reply is not None and not reply.ok else None


def _answer(attempt: Attempt) -> str:
    reply = attempt.reply
    if reply is None:
        return f"no answer: {attempt.problem}" if attempt.problem else "not sent"
    words = ": ".join(filter(None, (reply.decisive_code, reply.decisive_message)))
    said = "" if reply.ok else f", {words or reply.reason}"
    return f"{reply.verdict} (HTTP {attempt.status}){said}"


def _moment(at: float | None) -> str:
    if at is None:
        return ""
    try:
        return f"{datetime.fromtimestamp(at, UTC).isoformat(' ', 'milliseconds')[:-6]} UTC"
    except (OverflowError, ValueError, OSError):
        return f"{at:g}"


def _took(attempt: Attempt) -> str:
    return "" if attempt.elapsed_ms is None else f"{attempt.elapsed_ms:.0f} ms"
