"""From a request to its diagnosis."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import intake
from ..attempts import Attempt
from ..quiet import quiet
from ..redact import Redactor, Secret
from ..signing import check, recipe_for
from ..stages import Context, Params, Recipe, Turn, Walk
from . import reasons
from .apart import told_apart_by
from .explore import DEFAULT_DEPTH, Found, Progress, explore
from .lint import Finding, lint
from .mistakes import turns
from .report import Diagnosis
from .search import Search
from .states import Path
from .strings import Piece, align, invention, makings
from .subject import Subject

#: What `diagnose` and `verify` take: an attempt, its JSON, or text in any form `intake` reads.
Request = Attempt | Mapping[str, Any] | str | bytes


@quiet
def diagnose(
    attempt: Request,
    *,
    secret: str | Secret | None = None,
    others: Iterable[Request] = (),
    depth: int = DEFAULT_DEPTH,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Diagnosis:
    """Find the fewest mistakes that reproduce a request's signature, and what else is wrong.

    Without `secret` only the request itself is judged. `others` are further requests of the same
    app: one that is signed right proves the secret. `depth` is the largest number of mistakes at
    once; `progress` is called as (steps done, steps in all, what comes next) and stops the search
    by returning False. Raises `IntakeError` where a request cannot be read.

        alinb.diagnose("curl 'https://api-sg.aliexpress.com/rest/auth/token/create?…'", secret=…)
    """
    began = clock()
    several = intake.read_all(attempt)
    read = intake.read(attempt)
    subject = Subject.of(read)
    key = Secret(secret) if secret else None
    seen = [*lint(subject), *reasons.said_by(read)]
    nothing_to_search = not subject.sign or any(f.id == "docs_placeholder_sign" for f in seen)
    if key is None or nothing_to_search:
        return _of_the_request_alone(subject, seen, key, (clock() - began) * 1000)
    beside = [
        *(other for other in several if other != read),
        *(other for given in others for other in intake.read_all(given)),
    ]
    case = _Case(subject, key, min(depth, _affordable(subject)), progress)
    return case.diagnosis(seen, beside, lambda: (clock() - began) * 1000)


#: Two parameters left out are one mistake and two findings.
_EACH_PARAMETER = frozenset({"unsigned_param", "param_signed_not_sent", "values_urlencoded"})

#: The deepest search of a request by its length in characters; a state costs time and memory
#: in proportion to it.
_AFFORDABLE = ((3_000, 9), (10_000, 3), (50_000, 2), (1_000_000, 1))


def _affordable(subject: Subject) -> int:
    size = sum(len(name) + len(value) for name, value in subject.params.items())
    return next((depth for longest, depth in _AFFORDABLE if size <= longest), 0)


def _redacted(findings: list[Finding], subject: Subject, key: Secret | None) -> tuple[Finding, ...]:
    """Each finding once, without what a reply repeats of secrets or a request holds oddly."""
    once = {
        (found.id, found.evidence if found.id in _EACH_PARAMETER else ""): found
        for found in reversed(findings)
    }
    redactor = Redactor(b"diagnosis")
    redactor.learn("app_secret", key)
    redactor.learn_request(subject.params.items())
    redactor.learn_request(subject.attempt.headers)
    if (reply := subject.attempt.reply) is not None:
        redactor.learn_reply(reply.data)
    shown = [f._replace(evidence=redactor.text(f.evidence)) for f in once.values()]
    return tuple(shown[::-1])


def _of_the_request_alone(
    subject: Subject, seen: list[Finding], key: Secret | None, elapsed_ms: float
) -> Diagnosis:
    return Diagnosis(
        verdict="unexplained",
        mistakes=(),
        alternatives=(),
        findings=_redacted(seen, subject, key),
        cure=_cure(seen),
        searched=0,
        elapsed_ms=elapsed_ms,
        interface=subject.interface,
        had_secret=key is not None,
        hidden=subject.params,
        key=key,
    )


@dataclass(frozen=True)
class _Reading:
    """What its author may have signed of a request, and what explains the signature then.

    `string_explained` says whether wrong turns make the string that its author states.
    """

    params: Params
    base: Recipe
    context: Context
    found: Found
    string_explained: bool = False

    @property
    def paths(self) -> list[Path]:
        """The explanations, the likeliest first."""
        return sorted(self.found.explanations, key=lambda path: [_rank(turn) for turn in path])

    def walk(self, path: Path) -> Walk:
        return self.base.turned(*path).signer(self.context).walk(self.params)


@dataclass
class _Case:
    """One request, one secret: the search and what follows from it."""

    subject: Subject
    key: Secret
    depth: int
    progress: Progress | None

    def diagnosis(
        self, seen: list[Finding], beside: list[Attempt], elapsed: Callable[[], float]
    ) -> Diagnosis:
        subject, reading = self.subject, self._reading()
        found, paths = reading.found, reading.paths
        best = paths[0] if paths else ()
        theirs = reading.walk(best) if paths and not _invented(best) else None
        right = reading.walk(())
        verdict = "unexplained" if not paths else "explained" if best else "correct"
        findings = [*map(reasons.proved, best), *seen]
        if theirs:
            findings[len(best) : len(best)] = reasons.declared(subject, theirs.recipe)
        if verdict == "correct":
            findings += reasons.why_refused(subject)
        elif verdict == "unexplained" and found.complete:
            findings += reasons.why_unexplained(
                subject, self._proves_the_secret(beside), reading.string_explained, self.depth
            )
        alternatives = list(dict.fromkeys(_ids(path) for path in paths))
        return Diagnosis(
            verdict=verdict,
            mistakes=_ids(best),
            alternatives=tuple(ids for ids in alternatives if ids != _ids(best)),
            findings=_redacted(findings, subject, self.key),
            cure=_cure(findings) or ("" if verdict == "correct" else _UNEXPLAINED),
            searched=found.tried,
            elapsed_ms=elapsed(),
            interface=subject.interface,
            right=right,
            theirs=theirs,
            had_secret=True,
            complete=found.complete,
            apart=_apart(reading, paths, alternatives),
            diff=self._diff(theirs, right),
            hidden=subject.params,
            key=self.key,
        )

    def _reading(self) -> _Reading:
        """The reading of the request that needs the fewest mistakes."""
        subject, context = self.subject, self.subject.context(self.key)
        base = recipe_for(subject.interface, subject.params.get("sign_method", ""))
        readings: list[_Reading] = []
        for params in subject.readings:
            found = explore(
                base, subject.interface, params, context, subject.sign, self.depth, self.progress
            )
            readings.append(_Reading(params, base, context, found))
            if found.stopped:
                return readings[-1]
        best = min(readings, key=_size)
        if not best.found.explanations and subject.attempt.string_to_sign:
            readings = [self._by_the_authors_string(reading) for reading in readings]
            best = min(readings, key=_size)
        tried = sum(reading.found.tried for reading in readings)
        return replace(best, found=replace(best.found, tried=tried))

    def _by_the_authors_string(self, reading: _Reading) -> _Reading:
        """What the author's own string proves where no recipe alone gives the signature."""
        theirs = self.subject.attempt.string_to_sign
        wrong = turns(reading.base, self.subject.interface, reading.params, reading.context)
        space = Search(reading.base, wrong, reading.params, reading.context)
        message = theirs.encode("utf-8", "surrogatepass")
        ends = space.ends(message, self.subject.sign, self.depth)
        made = makings(space, theirs, reading.params, self.depth)
        explained = bool(made)
        if not made:
            made = [(Turn(invention(theirs), "join", "join", (), mistake=True),)]
        paths = tuple((*text, *end) for text in made for end in ends)
        complete = reading.found.complete or paths != ()
        found = Found(paths, reading.found.tried + space.tried, complete)
        return replace(reading, found=found, string_explained=explained)

    def _proves_the_secret(self, beside: list[Attempt]) -> bool:
        """Whether another request of the same app is signed right with the secret."""
        app_key = self.subject.params.get("app_key", "")
        return any(
            other.sign and other.params.get("app_key", "") == app_key and check(other, self.key)
            for other in beside
        )

    def _diff(self, theirs: Walk | None, right: Walk) -> tuple[Piece, ...]:
        """The author's string, or the one that was found, against the right one, both redacted."""
        made = self.subject.attempt.string_to_sign or (theirs.string_to_sign if theirs else "")
        if not made or made == right.string_to_sign:
            return ()
        redactor = Redactor(b"diagnosis", [("app_secret", self.key.reveal())])
        redactor.learn_request(self.subject.params.items())
        wanted = [s._replace(text=redactor.text(s.text)) for s in right.segments]
        return tuple(align(redactor.text(made), wanted))


def _size(reading: _Reading) -> float:
    return min(map(len, reading.found.explanations), default=float("inf"))


def _invented(path: Path) -> bool:
    """Whether only the author's own string shows it: no recipe can walk there."""
    return any(turn.run == () for turn in path)


def _apart(
    reading: _Reading, paths: list[Path], alternatives: list[tuple[str, ...]]
) -> tuple[str, str] | None:
    if len(alternatives) < 2 or any(map(_invented, paths)):
        return None
    one_each = [next(p for p in paths if _ids(p) == ids) for ids in alternatives[:6]]
    recipes = [reading.base.turned(*path) for path in one_each]
    return told_apart_by(recipes, reading.params, reading.context)


_UNEXPLAINED = (
    "Check that this secret belongs to this app key in the console, and that the request is pasted "
    "exactly as it was sent; `alinb sign` shows the right string to compare with your own."
)

#: Among equal explanations the one met in most projects comes first.
_COMMONEST = (
    "path_prefix_missing", "secret_wrapped", "lowercase_hex", "digest_md5", "digest_plain_sha256",
    "kv_separators", "prefix_on_business", "secret_front_only", "digest_hmac_md5", "sort_locale",
    "sign_method_not_signed", "values_urlencoded",
)  # fmt: skip


def _rank(turn: Turn) -> tuple[int, str, str]:
    place = _COMMONEST.index(turn.id) if turn.id in _COMMONEST else len(_COMMONEST)
    return place, turn.id, turn.detail


def _ids(path: Path) -> tuple[str, ...]:
    return tuple(sorted({turn.id for turn in path}))


def _cure(findings: list[Finding]) -> str:
    return " ".join(dict.fromkeys(found.cure for found in findings))
