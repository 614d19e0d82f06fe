"""From a request to its diagnosis."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import intake
from ..attempts import Attempt
from ..explanations import explain
from ..redact import Redactor, Secret
from ..signing import check, recipe_for
from ..stages import Context, Recipe, Turn, Walk
from .apart import told_apart_by
from .explore import DEFAULT_DEPTH, Found, Progress, explore
from .lint import Finding, finding, lint
from .mistakes import turns
from .report import Diagnosis, name_of
from .search import Search
from .states import Path
from .strings import Piece, align, invention, makings
from .subject import Subject

#: What `diagnose` and `verify` take: an attempt, its JSON, or text in any form `intake` reads.
Request = Attempt | Mapping[str, Any] | str | bytes

#: Codes that come only after the signature was accepted (order of checks, seen in two clients).
_AFTER_SIGNATURE = frozenset(
    {"InvalidCode", "IllegalRefreshToken", "IllegalAccessToken", "AUTH_TYPE_UNSUPPORTED",
     "InsufficientPermission", "ApiCallLimit", "AppApiCallLimit", "AppCallLimit"}
)  # fmt: skip


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
    seen = [*lint(subject), *_what_the_reply_says(read)]
    if key is None or not subject.sign:
        return _of_the_request_alone(subject, seen, key is not None, (clock() - began) * 1000)
    beside = [
        *(other for other in several if other is not read and other.sign),
        *(other for given in others for other in intake.read_all(given)),
    ]
    case = _Case(subject, key, depth, progress)
    return case.diagnosis(seen, beside, lambda: (clock() - began) * 1000)


def _of_the_request_alone(
    subject: Subject, seen: list[Finding], had_secret: bool, elapsed_ms: float
) -> Diagnosis:
    return Diagnosis(
        verdict="unexplained",
        mistakes=(),
        alternatives=(),
        findings=tuple(seen),
        cure=_cure(seen),
        searched=0,
        elapsed_ms=elapsed_ms,
        interface=subject.interface,
        had_secret=had_secret,
        hidden=subject.params,
    )


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
        subject, context = self.subject, self.subject.context(self.key)
        base = recipe_for(subject.interface, subject.params.get("sign_method", ""))
        right = base.signer(context).walk(subject.params)
        found = explore(
            base,
            subject.interface,
            subject.params,
            context,
            subject.sign,
            self.depth,
            self.progress,
        )
        if not found.explanations and subject.attempt.string_to_sign:
            found = self._by_the_authors_string(base, context, found)
        paths = sorted(found.explanations, key=lambda path: [_rank(turn) for turn in path])
        best = paths[0] if paths else ()
        recipe = base.turned(*best)
        known = bool(paths) and not any(turn.id in _INVENTED for turn in best)
        theirs = recipe.signer(context).walk(subject.params) if known else None
        verdict = "unexplained" if not paths else "explained" if best else "correct"
        findings = [*map(_proved, best), *_declared(subject, best), *seen]
        if verdict == "unexplained":
            findings += self._why_unexplained(beside)
        alternatives = list(dict.fromkeys(_ids(path) for path in paths))
        return Diagnosis(
            verdict=verdict,
            mistakes=_ids(best),
            alternatives=tuple(ids for ids in alternatives if ids != _ids(best)),
            findings=tuple({found.id: found for found in reversed(findings)}.values())[::-1],
            cure=_cure(findings) or ("" if verdict == "correct" else _UNEXPLAINED),
            searched=found.tried,
            elapsed_ms=elapsed(),
            interface=subject.interface,
            right=right,
            theirs=theirs,
            had_secret=True,
            complete=found.complete,
            apart=self._apart(base, paths, alternatives, context),
            diff=self._diff(theirs, right),
            hidden=subject.params,
        )

    def _space(self, base: Recipe, context: Context) -> Search:
        wrong = turns(base, self.subject.interface, self.subject.params, context)
        return Search(base, wrong, self.subject.params, context)

    def _by_the_authors_string(self, base: Recipe, context: Context, found: Found) -> Found:
        """What the author's own string proves where no recipe alone gives the signature."""
        theirs = self.subject.attempt.string_to_sign
        space = self._space(base, context)
        message = theirs.encode("utf-8", "surrogatepass")
        ends = space.ends(message, self.subject.sign, self.depth)
        if not ends:
            return found
        made = makings(space, theirs, self.depth)
        if not made:
            id_ = invention(theirs)
            made = [(Turn(id_, "join", "join", (), mistake=True),)]
        paths = [(*text, *end) for text in made for end in ends]
        return Found(tuple(paths), found.tried + space.tried, found.complete)

    def _why_unexplained(self, beside: list[Attempt]) -> list[Finding]:
        """Whether the secret or the recipe is at fault, as far as anything tells."""
        subject = self.subject
        reply = subject.attempt.reply
        if any(check(other, self.key) for other in beside):
            return [_altered("another request of this app is signed right with this secret")]
        if reply is not None and (reply.ok or reply.decisive_code in _AFTER_SIGNATURE):
            said = reply.decisive_code or "success"
            return [_other_secret("likely", f"the gateway answered {said}, so it accepted it")]
        theirs = subject.attempt.string_to_sign
        context = subject.context(self.key)
        base = recipe_for(subject.interface, subject.params.get("sign_method", ""))
        if theirs and makings(self._space(base, context), theirs, self.depth):
            return [_other_secret("likely", "the string is explained, the signature of it is not")]
        return [_other_secret("possible", f"no recipe of up to {self.depth} mistakes gives it")]

    def _diff(self, theirs: Walk | None, right: Walk) -> tuple[Piece, ...]:
        """The author's string, or the one that was found, against the right one, both redacted."""
        made = self.subject.attempt.string_to_sign or (theirs.string_to_sign if theirs else "")
        if not made or made == right.string_to_sign:
            return ()
        redactor = Redactor(b"diagnosis", [("app_secret", self.key.reveal())])
        redactor.learn_request(self.subject.params.items())
        wanted = [s._replace(text=redactor.text(s.text)) for s in right.segments]
        return tuple(align(redactor.text(made), wanted))

    def _apart(
        self,
        base: Recipe,
        paths: list[Path],
        alternatives: list[tuple[str, ...]],
        context: Context,
    ) -> tuple[str, str] | None:
        if len(alternatives) < 2 or any(turn.id in _INVENTED for path in paths for turn in path):
            return None
        one_each = [next(p for p in paths if _ids(p) == ids) for ids in alternatives[:6]]
        recipes = [base.turned(*path) for path in one_each]
        return told_apart_by(recipes, self.subject.params, context)


#: Mistakes that no recipe can walk: only the author's own string shows them.
_INVENTED = frozenset({"ad_hoc_string", "aliyun_rpc_string"})

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


def _proved(turn: Turn) -> Finding:
    said = name_of(turn.id)
    detail = f": {turn.detail}" if turn.detail else ""
    return finding(turn.id, "proved", f"{said[0].upper()}{said[1:]}{detail}.")


def _declared(subject: Subject, path: Path) -> list[Finding]:
    """A digest other than the declared one."""
    used = [turn.id for turn in path if turn.id.startswith("digest_")]
    declared = subject.params.get("sign_method")
    if not used or not declared:
        return []
    made = used[0].removeprefix("digest_").replace("_", "-")
    seen = f"`sign_method` says {declared!r}, the signature is made with {made}."
    return [finding("declared_method_mismatch", "proved", seen)]


def _altered(why: str) -> Finding:
    return Finding(
        "changed_after_signing",
        "likely",
        f"The secret is right ({why}), so a value of this request was changed after signing, or "
        "the recipe is one that alinb does not know.",
        "Print the string to sign just before it is hashed and give it as `string_to_sign`.",
    )


def _other_secret(certainty: str, why: str) -> Finding:
    return finding("wrong_secret", certainty, f"Another secret may have been used: {why}.")


def _what_the_reply_says(attempt: Attempt) -> list[Finding]:
    reply = attempt.reply
    if reply is None or reply.ok:
        return []
    meaning = explain(reply)
    said = f"The gateway answered {meaning.code}: {meaning.message or meaning.meaning}".rstrip(".")
    sure = " What that means is not known." if meaning.unknown else ""
    more = f"{said}.{sure} `alinb explain {meaning.code}` says more."
    return [Finding(meaning.code, "possible", more, meaning.cures[0])]


def _cure(findings: list[Finding]) -> str:
    return " ".join(dict.fromkeys(found.cure for found in findings))
