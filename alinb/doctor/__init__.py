"""Name the exact mistake in a request, and prove it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from .. import intake
from ..attempts import Attempt
from ..calls import Call
from ..errors import InputError
from ..explanations import explain
from ..redact import Secret, hide
from ..signing import Signed, Verification, check, interface, recipe_for, sign
from ..stages import Context, Turn
from .explore import DEFAULT_DEPTH, Progress, explore
from .lint import Finding, finding, lint
from .mistakes import turns
from .report import Diagnosis, name_of
from .search import Path

__all__ = ["Diagnosis", "Finding", "diagnose", "mistaken", "name_of", "verify"]

#: What `diagnose` and `verify` take: an attempt, its JSON, or text in any form `intake` reads.
Request = Attempt | Mapping[str, Any] | str | bytes


def verify(attempt: Request, *, secret: str | Secret) -> Verification:
    """Whether a request's signature is right, with the right string to sign.

    Raises `IntakeError` where the request cannot be read, `InputError` where it has no signature.

    >>> verify("https://api-sg.aliexpress.com/rest/test/api?bar=2&foo=1&sign=98", secret="s").ok
    False
    """
    read = intake.read(attempt)
    if not read.sign:
        raise InputError(
            "The request has no `sign` to verify.",
            next_step="alinb diagnose says what else is seen.",
        )
    return check(read, secret)


def diagnose(
    attempt: Request,
    *,
    secret: str | Secret | None = None,
    depth: int = DEFAULT_DEPTH,
    progress: Progress | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Diagnosis:
    """Find the fewest mistakes that reproduce a request's signature, and what else is wrong.

    Without `secret` only the request itself is judged. `depth` is the largest number of mistakes
    at once. Raises `IntakeError` where the request cannot be read.

        alinb.diagnose("curl 'https://api-sg.aliexpress.com/rest/auth/token/create?…'", secret=…)
    """
    began = clock()
    read = intake.read(attempt)
    found = interface(read.url, read.params)
    seen = lint(read, found)
    answered = _what_the_reply_says(read)
    if secret is None or not read.sign or not Secret(secret):
        return Diagnosis(
            verdict="unexplained",
            mistakes=(),
            alternatives=(),
            findings=(*seen, *answered),
            cure=_cure([*seen, *answered]),
            searched=0,
            elapsed_ms=(clock() - began) * 1000,
            interface=found,
            had_secret=secret is not None,
        )
    key = Secret(secret)
    checked = check(read, key)
    context = Context(
        key, path=found.path, app_key=read.params.get("app_key", ""), verb=read.method,
        url=read.url, body=read.body,
    )  # fmt: skip
    base = checked.walk.recipe
    result = explore(base, found, read.params, context, checked.received, depth, progress)
    paths = sorted(result.explanations, key=lambda path: [_rank(turn) for turn in path])
    best = paths[0] if paths else ()
    proved = [_proved(turn) for turn in best]
    seen += _declared(read.params.get("sign_method", ""), best)
    findings = [*proved, *_once(seen), *answered]
    verdict = ("explained" if best else "correct") if paths else "unexplained"
    return Diagnosis(
        verdict=verdict,
        mistakes=_ids(best),
        alternatives=_alternatives(paths),
        findings=tuple(findings),
        cure=_cure(findings) if verdict != "unexplained" or findings else _UNEXPLAINED,
        searched=result.tried,
        elapsed_ms=(clock() - began) * 1000,
        interface=found,
        right=checked.walk,
        theirs=base.turned(*best).signer(context).walk(read.params) if paths else None,
        had_secret=True,
    )


def mistaken(signed: Signed, *mistakes: str) -> Signed:
    """The same call signed with these mistakes, to see how a refusal comes about.

    Raises `InputError` for an id that cannot be made on this call.

        client.send(alinb.mistaken(client.sign("/auth/token/create", code=…), "secret_wrapped"))
    """
    found = interface(signed.endpoint, signed.params)
    base = recipe_for(found, signed.params.get("sign_method", ""))
    context = Context(
        signed.app.secret, path=found.path, app_key=signed.app.key, verb=signed.method,
        url=signed.endpoint, body=signed.body,
    )  # fmt: skip
    known = {turn.id: turn for turn in reversed(turns(base, found, signed.params, context))}
    for id_ in mistakes:
        if id_ not in known:
            raise InputError(
                f"{id_!r} is no mistake that this call's signature can have.",
                next_step=f"Possible here: {', '.join(sorted(known))}.",
            )
    recipe = base.turned(*(known[id_] for id_ in mistakes))
    resigned = Call(signed.call.name, signed.params, signed.call.files)
    return sign(resigned, app=signed.app, verb=signed.method, recipe=recipe)


_UNEXPLAINED = (
    "Check that this secret belongs to this app key in the console, and that the request is pasted "
    "exactly as it was sent; `alinb sign` shows the right string to compare with your own."
)


def _ids(path: Path) -> tuple[str, ...]:
    return tuple(sorted({turn.id for turn in path}))


def _alternatives(paths: list[Path]) -> tuple[tuple[str, ...], ...]:
    sets = list(dict.fromkeys(_ids(path) for path in paths))
    return tuple(sets[1:])


#: Among equal explanations the one met in most projects comes first.
_COMMONEST = (
    "path_prefix_missing", "secret_wrapped", "lowercase_hex", "digest_md5", "digest_plain_sha256",
    "kv_separators", "prefix_on_business", "secret_front_only", "digest_hmac_md5",
)  # fmt: skip


def _rank(turn: Turn) -> tuple[int, str, str]:
    place = _COMMONEST.index(turn.id) if turn.id in _COMMONEST else len(_COMMONEST)
    return place, turn.id, turn.detail


def _proved(turn: Turn) -> Finding:
    detail = f" ({turn.detail})" if turn.detail else ""
    said = name_of(turn.id)
    return finding(turn.id, "proved", f"{said[0].upper()}{said[1:]}{detail}.")


def _declared(sign_method: str, path: Path) -> list[Finding]:
    used = [turn.id for turn in path if turn.id.startswith("digest_")]
    if not used or not sign_method:
        return []
    return [
        finding(
            "declared_method_mismatch",
            "proved",
            f"`sign_method` says {sign_method!r}, the signature is made with "
            f"{used[0].removeprefix('digest_').replace('_', '-')}.",
        )
    ]


def _what_the_reply_says(attempt: Attempt) -> list[Finding]:
    reply = attempt.reply
    if reply is None or reply.ok:
        return []
    meaning = explain(reply)
    said = meaning.message or meaning.meaning
    evidence = hide(f"The gateway answered {meaning.code}: {said}. {meaning.unknown}".strip())
    return [Finding(meaning.code, "possible", evidence, meaning.cures[0])]


def _once(findings: list[Finding]) -> list[Finding]:
    return list({found.id: found for found in findings}.values())


def _cure(findings: list[Finding]) -> str:
    return " ".join(dict.fromkeys(found.cure for found in findings))
