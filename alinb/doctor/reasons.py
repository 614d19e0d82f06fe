"""What a diagnosis says beside the mistakes: proof, the declared digest, the reply, the secret."""

from __future__ import annotations

from ..attempts import Attempt
from ..errors import Refused, SignatureRefused, UnreadableReply
from ..explanations import explain
from ..stages import Recipe, Turn
from .lint import DECLARES, Finding, finding, plain
from .report import name_of
from .subject import Subject

#: Codes that come only after the signature was accepted (order of checks, seen in two clients).
_AFTER_SIGNATURE = frozenset(
    {"InvalidCode", "IllegalRefreshToken", "IllegalAccessToken", "AUTH_TYPE_UNSUPPORTED",
     "InsufficientPermission", "ApiCallLimit", "AppApiCallLimit", "AppCallLimit"}
)  # fmt: skip

#: The digests by the turns that run them, as `sign_method` may call them.
_DIGESTS = {
    "hmac_sha256": "sha256", "digest_hmac_sha256": "sha256", "digest_plain_sha256": "sha256",
    "md5": "md5", "digest_md5": "md5", "hmac_md5": "hmac", "digest_hmac_md5": "hmac",
    "hmac_sha1": "hmac-sha1", "digest_hmac_sha1": "hmac-sha1", "digest_sha1": "sha1",
    "digest_hmac_sha512": "hmac-sha512",
}  # fmt: skip


def proved(turn: Turn) -> Finding:
    """A mistake that reproduces the signature."""
    said = name_of(turn.id)
    detail = f": {turn.detail}" if turn.detail else ""
    return finding(turn.id, "proved", f"{said[0].upper()}{said[1:]}{detail}.")


def declared(subject: Subject, recipe: Recipe) -> list[Finding]:
    """A digest other than the one that `sign_method` names, where the recipe is known."""
    said = subject.params.get("sign_method", "")
    used = _DIGESTS.get(recipe.only("digest", "function").id)
    if not used or not said or DECLARES.get(plain(said)) in (None, used):
        return []
    seen = f"`sign_method` says {said[:40]!r}, the signature is made with what is called {used!r}."
    return [finding("declared_method_mismatch", "proved", seen)]


def said_by(attempt: Attempt) -> list[Finding]:
    """What the gateway's reply says, as far as its meaning is known."""
    reply = attempt.reply
    if reply is None or reply.ok:
        return []
    meaning = explain(reply)
    said = f"The gateway answered {meaning.code}: {meaning.message or meaning.meaning}".rstrip(".")
    unsettled = meaning.confidence in ("unknown", "single report")
    sure = " What that means is not known." if unsettled else ""
    more = f"{said}.{sure} `alinb explain {meaning.code}` says more."
    return [Finding(meaning.code, "possible", more, meaning.cures[0])]


def why_refused(subject: Subject) -> list[Finding]:
    """What may be at fault where the signature is right by the rule and was refused."""
    if not _signature_refused(subject.attempt):
        return []
    found = []
    if empty := [name for name, value in subject.params.items() if value == ""]:
        seen = f"Signed without a value: {', '.join(sorted(empty))}; the gateway may leave it out."
        found.append(finding("empty_values_included", "possible", seen))
    why = "by the rule the signature is right under this one, and the gateway refused it"
    return [*found, _other_secret("possible", why)]


def _signature_refused(attempt: Attempt) -> bool:
    reply = attempt.reply
    try:
        if reply is not None:
            reply.raise_for_refusal()
    except (Refused, UnreadableReply) as refusal:
        return isinstance(refusal, SignatureRefused)
    return False


def why_unexplained(
    subject: Subject, secret_proved: bool, string_explained: bool, depth: int
) -> list[Finding]:
    """Whether the secret or the recipe is at fault, as far as anything tells."""
    reply = subject.attempt.reply
    if secret_proved:
        return [_altered("another request of this app is signed right with this secret")]
    if reply is not None and (reply.ok or reply.decisive_code in _AFTER_SIGNATURE):
        said = reply.decisive_code or "success"
        return [_other_secret("likely", f"the gateway answered {said}, so it accepted it")]
    if string_explained:
        return [_other_secret("likely", "the string is explained, the signature of it is not")]
    return [_other_secret("possible", f"no recipe of up to {depth} mistakes gives it")]


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
