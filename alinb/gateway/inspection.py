"""What the inspector says of an exchange: a row, a diagnosis, the strings; nothing secret in it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from .. import doctor, explanations, intake, signing
from ..attempts import Attempt
from ..doctor.strings import Piece, align
from ..errors import InputError
from ..redact import REQUEST_KINDS, Redactor, Secret
from ..stages import Segment, mask
from .exchanges import Exchange
from .notebook import cell

#: How long one search for mistakes may go on before it begins no further step, in s.
SEARCH_S = 4.0
#: How many diagnoses are kept.
KEPT = 200
#: What is shown of a body, and what is looked through for secrets before, in characters.
SHOWN, READ = 100_000, 1_000_000


class Diagnoses:
    """Diagnoses of exchanges, each made once, one at a time, from any thread.

    Without `secret` only the request itself is judged.
    """

    def __init__(self, secret: Secret | None, seconds: float = SEARCH_S) -> None:
        self.secret = secret
        self._seconds = seconds
        self._kept: OrderedDict[int, doctor.Diagnosis] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, exchange: Exchange) -> doctor.Diagnosis:
        """The diagnosis; where none was made before this takes up to a few seconds."""
        with self._lock:
            found = self._kept.get(exchange.number)
            if found is None:
                deadline = time.monotonic() + self._seconds
                found = doctor.diagnose(
                    exchange.attempt(),
                    secret=self.secret,
                    progress=lambda *_: time.monotonic() < deadline,
                )
                self._kept[exchange.number] = found
                if len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            return found


class Row(NamedTuple):
    """One line of the list; `at` in epoch s, `ms` None where the time is not known."""

    number: int
    at: float
    verb: str
    call: str
    verdict: str
    code: str
    ms: float | None
    faults: tuple[str, ...]


class Inspection:
    """Rows and details of exchanges, with every secret in them hidden by value."""

    def __init__(self, diagnoses: Diagnoses) -> None:
        self._diagnoses = diagnoses
        self._rows: dict[int, Row] = {}

    def rows(self, exchanges: Iterable[Exchange]) -> list[Row]:
        """A row for each; those made before are remembered for as long as they are asked for."""
        before = self._rows
        rows = [before.get(each.number) or self._row(each) for each in exchanges]
        self._rows = {row.number: row for row in rows}
        return rows

    def _row(self, exchange: Exchange) -> Row:
        request, attempt = exchange.request, exchange.attempt()
        redactor = self._redactor()
        redactor.learn_request(request.params.items())
        redactor.learn_request(request.headers)
        reply = attempt.reply
        return Row(
            exchange.number,
            request.at,
            request.method,
            redactor.text(attempt.api_name)[:200],
            reply.verdict if reply else attempt.verdict,
            redactor.text(reply.decisive_code if reply else exchange.code)[:100],
            exchange.elapsed_ms,
            exchange.faults,
        )

    def redacted(self, exchange: Exchange) -> Attempt:
        """The exchange as an attempt that may be shown and exported."""
        return _brief(_readable(exchange.attempt()).redacted(self._redactor()))

    def summary(self, exchange: Exchange) -> str:
        return self._diagnoses.of(exchange).summary

    def detail(self, exchange: Exchange, *, revealed: bool = False) -> dict[str, Any]:
        """All that is shown of one exchange; `revealed` shows all but the app secret."""
        attempt, redactor = exchange.attempt(), self._redactor()
        if revealed:
            shown, hide = _without_secret(_readable(attempt), redactor), redactor.by_value
        else:
            shown, hide = _readable(attempt).redacted(redactor), redactor.text
        shown = _brief(shown)
        found = self._diagnoses.of(exchange)
        right = signing.check(attempt, self._diagnoses.secret or "unknown").walk
        said = found.as_dict()
        stages, _ = said.pop("stages"), said.pop("diff")
        return {
            **self._row(exchange)._asdict(),
            "status": exchange.status,
            "problem": shown.problem,
            "revealed": revealed,
            "diagnosis": said,
            "strings": {
                **_strings(found, right.segments, hide),
                "stages": [stage for stage in stages if stage["differs"]],
            },
            "explanation": redactor.data(_explained(attempt)),
            "parameters": _parameters(shown, right.selected),
            "request": _request(shown),
            "reply": _reply(shown),
            "curl": intake.to_curl(shown),
            "cell": cell(shown),
        }

    def _redactor(self) -> Redactor:
        # The doctor's own key: the same value has the same mark in its findings and around them.
        redactor = Redactor(b"diagnosis")
        redactor.learn("app_secret", self._diagnoses.secret)
        return redactor


def _readable(attempt: Attempt) -> Attempt:
    """The attempt with no more of its answer than can be looked through at once."""
    if len(attempt.reply_text) <= READ:
        return attempt
    return replace(attempt, reply_text=attempt.reply_text[:READ])


def _brief(shown: Attempt) -> Attempt:
    """The attempt with the beginning of what is too long; cut last, so that no secret is halved."""
    if max(len(shown.body), len(shown.reply_text)) < READ:
        return shown
    return replace(shown, body=_cut(shown.body), reply_text=_cut(shown.reply_text))


def _without_secret(attempt: Attempt, redactor: Redactor) -> Attempt:
    """The true values of one attempt, but no app secret, and nothing sent under such a name."""
    for name, value in (*attempt.params.items(), *attempt.headers):
        if REQUEST_KINDS.get(name.lower()) == "app_secret":
            redactor.learn("app_secret", value)
    hide = redactor.by_value
    return replace(
        attempt,
        url=hide(attempt.url),
        headers=tuple((hide(name), hide(value)) for name, value in attempt.headers),
        body=hide(attempt.body),
        reply_headers=tuple((hide(name), hide(value)) for name, value in attempt.reply_headers),
        reply_text=hide(attempt.reply_text),
        problem=hide(attempt.problem),
    )


def _strings(found: doctor.Diagnosis, segments: tuple[Segment, ...], hide: Any) -> dict[str, Any]:
    """The string as the gateway signs it beside the one that its author signed, in marked pieces.

    A piece's `mark` is "+" where only the gateway signs it, "-" where only the author did.
    """
    shown = [
        s._replace(text="‹app_secret›" if s.kind == "secret" else hide(s.text)) for s in segments
    ]
    theirs = found.theirs
    if theirs is None:
        pieces = [Piece("same", "", "".join(s.text for s in shown), "")]
        author = None
    else:
        pieces = align(hide(mask(theirs.segments)), shown)
        author = [
            {"text": p.theirs, "mark": "" if p.kind == "same" else "-"} for p in pieces if p.theirs
        ]
    return {
        "gateway": _marked(pieces, shown),
        "author": author,
        "differ": any(piece.kind != "same" for piece in pieces),
        "author_note": "" if theirs else _unknown_string(found),
    }


def _marked(pieces: Iterable[Piece], segments: Iterable[Segment]) -> list[dict[str, str]]:
    """The gateway's segments, cut where a piece begins or ends."""
    marked, rest = [], list(segments)[::-1]
    for piece in pieces:
        mark, wanted = "" if piece.kind == "same" else "+", len(piece.right)
        while wanted and rest:
            segment = rest.pop()
            text = segment.text[:wanted]
            if len(text) < len(segment.text):
                rest.append(segment._replace(text=segment.text[len(text) :]))
            wanted -= len(text)
            marked.append({**segment._replace(text=text)._asdict(), "mark": mark})
    return marked


def _unknown_string(found: doctor.Diagnosis) -> str:
    if not found.had_secret:
        return "Unknown: without the app secret nobody can tell which string gives a signature."
    return "Unknown: no string that was tried gives this signature with this secret."


def _explained(shown: Attempt) -> dict[str, Any] | None:
    try:
        return explanations.explain(shown).as_dict()
    except InputError:
        return None


def _parameters(shown: Attempt, signed: Any) -> list[dict[str, Any]]:
    wire = shown.wire
    places = [("URL", name, value) for name, value in wire.query]
    places += [("body", name, value) for name, value in wire.form]
    places += [("body, a file", name, "") for name in wire.files]
    return [
        {
            "name": name,
            "value": value[:SHOWN],
            "place": place,
            "signed": name in signed and place != "body, a file",
            "repeated": name in wire.repeated,
        }
        for place, name, value in places
    ]


def _request(shown: Attempt) -> str:
    lines = [f"{shown.method} {shown.url}", *(f"{n}: {v}" for n, v in shown.headers)]
    return "\n".join(lines) + "\n\n" + _cut(shown.body)


def _reply(shown: Attempt) -> str:
    if shown.status is None:
        return ""
    lines = [f"HTTP {shown.status}", *(f"{n}: {v}" for n, v in shown.reply_headers)]
    return "\n".join(lines) + "\n\n" + _cut(shown.reply_text)


def _cut(text: str) -> str:
    more = len(text) - SHOWN
    return text if more <= 0 else f"{text[:SHOWN]}\n… and more"
