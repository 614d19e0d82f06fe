"""Every error alinb raises.

AlinbError                  carries its evidence; the message ends with the next step
├─ InputError               what was given cannot be used
│  ├─ CallbackError         a pasted callback holds no usable authorization code
│  ├─ UnknownPlatform       no profile of that name
│  ├─ MissingSecret         no app secret where one is needed
│  ├─ IntakeError           a pasted request cannot be read
│  ├─ JournalError          the journal cannot be opened, read or written
│  ├─ TokenStoreError       the token file cannot be read or written
│  ├─ PortInUse             the sandbox cannot listen there
│  └─ MissingExtra          an optional package is not installed
├─ NoReply                  the request never got an answer
├─ UnreadableReply          the answer is not one of the gateway's (HTML, cut JSON)
└─ Refused                  the gateway or the service behind it said no
   ├─ SignatureRefused      the signature is wrong
   ├─ AppKeyRefused         the app key is unknown
   ├─ CodeRefused           the authorization code is used, late or foreign
   ├─ TokenRefused          the access or refresh token is not accepted
   ├─ PermissionRefused     the app or its address may not call this
   ├─ RateLimited           too many calls; `ban_seconds` says how long
   └─ ServiceFailed         the service behind the gateway failed; try again later
"""

from __future__ import annotations

from typing import Any


class AlinbError(Exception):
    """Root of the tree: one line that says what is wrong, `next_step`, and the `evidence`."""

    def __init__(self, message: str, *, next_step: str = "", **evidence: Any) -> None:
        super().__init__(message)  # the rest would not survive pickling
        self.message = message
        self.next_step = next_step
        #: What the error knows: the reply, the attempt's id, the names that were found, …
        self.evidence: dict[str, Any] = evidence

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".strip()


class InputError(AlinbError):
    """What was given cannot be used; nothing was sent and nothing was changed."""


class CallbackError(InputError):
    """A pasted callback holds no usable authorization code."""


class UnknownPlatform(InputError):
    """No platform profile has that name."""


class MissingSecret(InputError):
    """The app secret is needed and was not given."""


class IntakeError(InputError):
    """A pasted request is in none of the forms alinb reads."""


class JournalError(InputError):
    """The journal cannot be opened, read or written; what it holds is untouched."""


class TokenStoreError(InputError):
    """The token file cannot be read or written; what it holds is untouched."""


class PortInUse(InputError):
    """Another program listens on the port the sandbox was to use."""


class MissingExtra(InputError):
    """A feature needs an optional package that is not installed."""


class NoReply(AlinbError):
    """The request was sent, or tried to be, and no answer came."""


class UnreadableReply(AlinbError):
    """The answer is not one of the gateway's; the attempt keeps it whole."""


class Refused(AlinbError):
    """The gateway, or the service behind it, said no; `code` and `reply` say how."""

    @property
    def code(self) -> str:
        """The deciding code: the sub-code where there is one."""
        return str(self.evidence.get("code", ""))

    @property
    def reply(self) -> Any:
        """The `Reply` that refused."""
        return self.evidence.get("reply")


class SignatureRefused(Refused):
    """The string to sign or the secret differs from what the gateway computed."""


class AppKeyRefused(Refused):
    """The gateway does not know this app key."""


class CodeRefused(Refused):
    """The authorization code is used, too old, or belongs to another app."""


class TokenRefused(Refused):
    """The access or refresh token is invalid, expired, or not wanted here."""


class PermissionRefused(Refused):
    """The app, its category or its address may not make this call."""


class RateLimited(Refused):
    """Too many calls; wait `ban_seconds` and one more."""

    @property
    def ban_seconds(self) -> int | None:
        """How long the ban lasts, in s, where the gateway said so."""
        seconds = self.evidence.get("ban_seconds")
        return None if seconds is None else int(seconds)


class ServiceFailed(Refused):
    """The service behind the gateway failed; the same request may work later."""
