"""What was sent, what was signed, what came back, when and how long: the center of the house."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from . import render, replies, wire
from .quiet import Copied
from .redact import Redactor
from .replies import Reply
from .signing import interface
from .stages import STAGES


@dataclass(frozen=True, slots=True, repr=False)
class Attempt(Copied):
    """One request and what became of it, from any source: the client, the sandbox, a pasted curl.

    `string_to_sign` is what its author's code signed, and `stages` what each signing stage gave,
    where they are known. `status` is None where no answer came; `problem` says why. `at` is epoch
    s, `elapsed_ms` ms. An attempt in memory holds true values, which its repr and its pickle do not
    show; one from the journal holds none.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    string_to_sign: str = ""
    stages: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None
    reply_headers: tuple[tuple[str, str], ...] = ()
    reply_text: str = ""
    problem: str = ""
    name: str = ""
    platform: str = ""
    source: str = ""
    at: float | None = None
    elapsed_ms: float | None = None
    diagnosis: Mapping[str, Any] | None = None
    id: int | None = None
    stated_sign: str = ""

    @property
    def wire(self) -> wire.Wire:
        """The request's parameters by the place they travel in."""
        return wire.parse(self.url, wire.header(self.headers, "content-type"), self.body)

    @property
    def params(self) -> Mapping[str, str]:
        """All parameters, decoded; the signature its author states wins over the one in the URL."""
        params = dict(self.wire.params)
        return params | ({"sign": self.stated_sign} if self.stated_sign else {})

    @property
    def sign(self) -> str:
        return self.params.get("sign") or self.params.get("_aop_signature", "")

    @property
    def api_name(self) -> str:
        """The API name: as given, else the `method` parameter, else the path after /rest."""
        return self.name or self.params.get("method") or interface(self.url, {}).path or "?"

    @property
    def reply(self) -> Reply | None:
        """The answer, read; None where none came."""
        if self.status is None:
            return None
        reply = replies.read(self.status, self.reply_text, self.api_name, self.params)
        if self.problem:
            # The text was repaired to be kept; what was wrong with the bytes still counts.
            reply = replace(reply, verdict="unreadable", reason=self.problem)
        return replace(reply, attempt_id=self.id)

    @property
    def verdict(self) -> str:
        """ok, empty, refused, unreadable, no_reply, or unsent where it was only pasted."""
        reply = self.reply
        if reply is not None:
            return reply.verdict
        return "no_reply" if self.problem else "unsent"

    @property
    def code(self) -> str:
        reply = self.reply
        return reply.decisive_code if reply else ""

    def redacted(self, redactor: Redactor) -> Attempt:
        """The same attempt with every secret value in it replaced by its kind and fingerprint."""
        sent = self.wire
        redactor.learn_request((*sent.query, *sent.form, *self.headers))
        redactor.learn("app_secret", _wrapped_around(self.string_to_sign, self.params))
        reply = self.reply
        if reply is not None:
            redactor.learn_reply(reply.data)
        text = redactor.text
        return replace(
            self,
            url=text(self.url),
            headers=redactor.pairs(self.headers),
            body=text(self.body),
            string_to_sign=text(self.string_to_sign),
            stages={stage: text(shown) for stage, shown in self.stages.items()},
            reply_headers=redactor.pairs(self.reply_headers),
            reply_text=text(self.reply_text),
            problem=text(self.problem),
            diagnosis=redactor.data(self.diagnosis),
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        return object.__reduce_ex__(self.redacted(Redactor(b"pickle")), protocol)

    def as_dict(self) -> dict[str, Any]:
        """The attempt in the form that alinb reads back; it holds what the attempt holds."""
        return {
            "method": self.method,
            "url": self.url,
            "headers": dict(self.headers),
            "body": self.body,
            "sign": self.sign,
            "string_to_sign": self.string_to_sign or None,
            "response": None
            if self.status is None
            else {
                "status": self.status,
                "headers": dict(self.reply_headers),
                "body": self.reply_text,
            },
            "name": self.api_name,
            "platform": self.platform,
            "at": self.at,
            "elapsed_ms": self.elapsed_ms,
            "problem": self.problem,
            "stages": dict(self.stages),
            "diagnosis": self.diagnosis,
            "id": self.id,
            "verdict": self.verdict,
            "code": self.code,
        }

    def __repr__(self) -> str:
        number = f" {self.id}" if self.id is not None else ""
        took = f" {self.elapsed_ms:.0f} ms" if self.elapsed_ms is not None else ""
        code = f" {self.code}" if self.code else ""
        return f"<Attempt{number} {self.method} {self.api_name} {self.verdict}{code}{took}>"

    def _repr_html_(self) -> str:
        shown = self.redacted(Redactor(b"attempt"))
        reply = shown.reply
        facts = [
            ("endpoint", shown.url.partition("?")[0]),
            *shown.wire.params.items(),
            *((f"stage {stage}", text) for stage, text in shown.stages.items()),
            ("verdict", f"{shown.verdict} {shown.code}"),
            ("message", reply.decisive_message if reply else shown.problem),
            ("diagnosis", (shown.diagnosis or {}).get("summary", "")),
        ]
        return render.html(repr(self), render.table(("what", ""), [f for f in facts if f[1]]))


def _wrapped_around(text: str, params: Mapping[str, str]) -> str:
    """What a string to sign begins and ends with beside its pairs: a secret put around it."""
    for length in range(min(len(text) // 2, 200), 7, -1):
        ends = text[:length]
        if text.endswith(ends):
            return "" if ends.startswith(("/", *filter(None, params))) else ends
    return ""


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Two attempts side by side; every row is (what, left, right), equal or not.

    `parameters` has a row a parameter, `stages` one a signing stage, `outcome` verdict, code,
    message and request id, `timing` the moment and the duration. "—" stands for an absent value.
    """

    left: str
    right: str
    parameters: tuple[tuple[str, str, str], ...]
    stages: tuple[tuple[str, str, str], ...]
    outcome: tuple[tuple[str, str, str], ...]
    timing: tuple[tuple[str, str, str], ...]

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """All rows as (part, what, left, right)."""
        return [
            (part, *row)
            for part in ("parameters", "stages", "outcome", "timing")
            for row in getattr(self, part)
        ]

    @property
    def differences(self) -> list[tuple[str, str, str, str]]:
        return [row for row in self.rows if row[2] != row[3]]

    def as_dict(self) -> dict[str, Any]:
        return {
            "left": self.left,
            "right": self.right,
            "rows": [
                {"part": p, "what": w, "left": a, "right": b, "differs": a != b}
                for p, w, a, b in self.rows
            ],
        }

    def _marked(self) -> list[tuple[str, str, str, str, str]]:
        return [("≠" if a != b else "=", part, what, a, b) for part, what, a, b in self.rows]

    def __repr__(self) -> str:
        return f"<Comparison {len(self.differences)} of {len(self.rows)} rows differ>"

    def text(self, width: int = 160) -> str:
        """The table as text at most `width` characters wide, or 50 where that is less.

        Long cells show where they differ.
        """
        marked = self._marked()
        longest = max((len(row[2]) for row in marked), default=0)
        name = min(longest, max(12, width // 4))
        # 19 characters go to the mark, the part and the gaps.
        widest = max(8, (width - 19 - max(name, len("what"))) // 2)
        rows = [
            (*row[:2], render.cut_pair(row[2], row[2], name)[0], *render.cut_pair(*row[3:], widest))
            for row in marked
        ]
        return render.text_table(("", "part", "what", self.left, self.right), rows, widest)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        rows = self._marked()
        return render.html(
            "Two attempts side by side",
            render.table(
                ("", "part", "what", self.left, self.right),
                rows,
                differs=[i for i, row in enumerate(rows) if row[0] == "≠"],
            ),
        )


_ABSENT = "—"


def compare(a: Attempt, b: Attempt) -> Comparison:
    """Lay two attempts side by side: parameters, each signing stage, verdict, timing.

    >>> left = Attempt("GET", "https://api-sg.aliexpress.com/sync?page_no=1")
    >>> right = Attempt("GET", "https://api-sg.aliexpress.com/sync?page_no=2")
    >>> compare(left, right).differences
    [('parameters', 'page_no', '1', '2')]
    """
    redactor = Redactor(b"compare")
    left, right = a.redacted(redactor), b.redacted(redactor)
    return Comparison(
        left=f"{a.id if a.id is not None else 'left'}: {a.api_name}",
        right=f"{b.id if b.id is not None else 'right'}: {b.api_name}",
        parameters=_side_by_side(
            redactor.pairs(left.params.items()), redactor.pairs(right.params.items())
        ),
        stages=tuple(
            (stage, left.stages.get(stage, _ABSENT), right.stages.get(stage, _ABSENT))
            for stage in STAGES
            if left.stages or right.stages
        ),
        outcome=tuple(_outcome(left, right)),
        timing=(
            ("at", _moment(left.at), _moment(right.at)),
            ("elapsed", _ms(left.elapsed_ms), _ms(right.elapsed_ms)),
        )
        if any(t is not None for a in (left, right) for t in (a.at, a.elapsed_ms))
        else (),
    )


def _side_by_side(left: Any, right: Any) -> tuple[tuple[str, str, str], ...]:
    ours, theirs = dict(left), dict(right)
    return tuple(
        (name, ours.get(name, _ABSENT), theirs.get(name, _ABSENT))
        for name in dict.fromkeys([*ours, *theirs])
    )


def _outcome(left: Attempt, right: Attempt) -> list[tuple[str, str, str]]:
    def facts(attempt: Attempt) -> dict[str, str]:
        reply = attempt.reply
        return {
            "endpoint": attempt.url.partition("?")[0],
            "verb": attempt.method,
            "verdict": attempt.verdict,
            "code": attempt.code,
            "message": reply.decisive_message if reply else attempt.problem,
            "request id": reply.request_id if reply else "",
            "mistakes": " ".join(map(str, (attempt.diagnosis or {}).get("mistakes") or ())),
        }

    ours, theirs = facts(left), facts(right)
    return [
        (what, ours[what] or _ABSENT, theirs[what] or _ABSENT)
        for what in ours
        if ours[what] or theirs[what]
    ]


def _moment(at: float | None) -> str:
    return _ABSENT if at is None else datetime.fromtimestamp(at, UTC).isoformat(" ", "milliseconds")


def _ms(elapsed: float | None) -> str:
    return _ABSENT if elapsed is None else f"{elapsed:.0f} ms"
