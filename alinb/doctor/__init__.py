"""Name the exact mistake in a request, and prove it."""

from __future__ import annotations

from .. import intake
from ..calls import Call
from ..errors import InputError
from ..quiet import quiet
from ..redact import Secret
from ..signing import Signed, Verification, check, interface, recipe_for, sign
from ..stages import Context
from .examine import Request, diagnose
from .lint import Finding
from .mistakes import turns
from .report import Diagnosis, name_of
from .strings import Piece
from .subject import Subject

__all__ = ["Diagnosis", "Finding", "Piece", "diagnose", "mistaken", "name_of", "verify"]


@quiet
def verify(attempt: Request, *, secret: str | Secret) -> Verification:
    """Whether a request's signature is right, with the right string to sign.

    Raises `IntakeError` where the request cannot be read, `InputError` where it has no signature.

    >>> verify("https://api-sg.aliexpress.com/rest/test/api?bar=2&foo=1&sign=98", secret="s").ok
    False
    """
    subject = Subject.of(intake.read(attempt))
    if not subject.sign:
        raise InputError(
            "The request has no `sign` to verify.",
            next_step="alinb diagnose says what else is seen.",
        )
    return check(subject, secret)


@quiet
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
    right = base.signer(context).sign(signed.params)
    known = {
        turn.id: turn
        for turn in reversed(turns(base, found, signed.params, context))
        if base.turned(turn).signer(context).sign(signed.params) != right
    }
    for id_ in mistakes:
        if id_ not in known:
            raise InputError(
                f"{id_!r} is no mistake that this call's signature can have.",
                next_step=f"Possible here: {', '.join(sorted(known))}.",
            )
    recipe = base.turned(*(known[id_] for id_ in mistakes))
    resigned = Call(signed.call.name, signed.params, signed.call.files)
    return sign(resigned, app=signed.app, verb=signed.method, recipe=recipe)
