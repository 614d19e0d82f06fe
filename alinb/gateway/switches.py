"""What nobody outside the platform knows, as switches, each with a stated default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import NamedTuple

from ..errors import InputError


class Unknown(NamedTuple):
    """A fact that no source settles: the choices, the first of which is the default, and why."""

    question: str
    choices: tuple[str, ...]
    why: str


UNKNOWN: Mapping[str, Unknown] = {
    "empties": Unknown(
        "Is a parameter sent without a value signed?",
        ("either", "signed", "dropped"),
        "The Java SDK drops empties, the Python and PHP SDKs sign the bare name.",
    ),
    "old_refresh": Unknown(
        "Does a refresh token work after it has been used?",
        ("refused", "accepted"),
        "A refresh gives a new pair and the newest is to be stored; nothing is said of the old.",
    ),
    "old_access": Unknown(
        "Does an access token work after its pair has been refreshed?",
        ("refused", "accepted"),
        "Nothing was found.",
    ),
    "replayed_code": Unknown(
        "What becomes of a code's tokens when the code is sent again?",
        ("revokes", "keeps"),
        "RFC 6749 4.1.2 wants them revoked; of the platform only the refusal is known.",
    ),
    "lower_hex": Unknown(
        "Is a signature in lower-case hex taken?",
        ("refused", "accepted"),
        "Every source shows upper case.",
    ),
    "md5": Unknown(
        "Is sign_method md5 still taken on /sync?",
        ("accepted", "refused"),
        "Two clients live on it; one report of July 2026 has it refused.",
    ),
    "epoch_seconds": Unknown(
        "Is a timestamp in seconds taken?",
        ("refused", "accepted"),
        "Nothing says that it works.",
    ),
    "text_zone": Unknown(
        "Which zone has a timestamp written as text on a dotted call?",
        ("either", "utc", "gmt+8"),
        "TOP says GMT+8, the current reference names no zone.",
    ),
    "lazada_tokens": Unknown(
        "Are Lazada's token calls answered on an API host too?",
        ("anywhere", "central"),
        "The guides have one central token host; what an API host answers is not written.",
    ),
}


@dataclass(frozen=True, slots=True)
class Switches:
    """One choice for each of `UNKNOWN`."""

    empties: str = "either"
    old_refresh: str = "refused"
    old_access: str = "refused"
    replayed_code: str = "revokes"
    lower_hex: str = "refused"
    md5: str = "accepted"
    epoch_seconds: str = "refused"
    text_zone: str = "either"
    lazada_tokens: str = "anywhere"

    def __post_init__(self) -> None:
        for name in (each.name for each in fields(self)):
            chosen, choices = getattr(self, name), UNKNOWN[name].choices
            if chosen not in choices:
                raise InputError(
                    f"{name} cannot be {chosen!r}.", next_step=f"Use {' or '.join(choices)}."
                )

    @classmethod
    def of(cls, assumed: Mapping[str, str]) -> Switches:
        """The defaults but for these. Raises `InputError` for a name or a choice there is not."""
        for name in assumed:
            if name not in UNKNOWN:
                raise InputError(
                    f"There is nothing to assume about {name!r}.",
                    next_step=f"Known: {', '.join(UNKNOWN)}.",
                )
        return cls(**assumed)
