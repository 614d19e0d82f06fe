"""The plain twin of the signature bench: the same as text, HTML and JSON, without a widget."""

from __future__ import annotations

import os
from typing import Any

from .. import render
from ..errors import InputError
from ..redact import REQUEST_KINDS, Redactor, Secret
from ..stages import STAGES, Segment, Walk
from .turning import Workings, plain_name
from .workings import FIRST, Workbench


class Bench(Workbench):
    """A request laid open, as `bench` gives it: see `workings()`, `mistakes`, `turn`, `as_dict`."""

    def secrets(self) -> list[Secret]:
        """Everything on the bench that nobody is to see."""
        kinds = [(row, REQUEST_KINDS.get(row.name.lower(), "secret")) for row in self.rows]
        held = [Secret(row.value, kind) for row, kind in kinds if row.hidden and row.value]
        return [*held, *([self.secret] if self.secret else [])]

    def shown_segments(self, walk: Walk) -> list[Segment]:
        """The labelled pieces of a string to sign, secrets masked."""
        hidden = {row.name.lower() for row in self.rows if row.hidden} | set(REQUEST_KINDS)
        hide = self._redactor().text

        def shown(segment: Segment) -> Segment:
            kind, text, parameter = segment
            if kind == "secret" or (kind == "value" and parameter.lower() in hidden):
                return segment._replace(text=f"‹{parameter or 'app_secret'}›")
            return segment._replace(text=hide(text)) if kind == "body" else segment

        return [shown(segment) for segment in walk.segments]

    def shown_string(self, walk: Walk) -> str:
        return self._redactor().text("".join(s.text for s in self.shown_segments(walk)))

    def _redactor(self) -> Redactor:
        redactor = Redactor(os.urandom(16))
        for secret in self.secrets():
            redactor.learn(secret.kind, secret)
        return redactor

    def as_dict(self) -> dict[str, Any]:
        """What the bench shows, as JSON."""
        now = self.workings()
        shown: dict[str, Any] = self._redactor().data({
            "name": self.name,
            "interface": now.interface.kind,
            "mistakes": list(self.mistakes),
            "string_to_sign": self.shown_string(now.made),
            "expected": now.expected if self.has_secret else "",
            "actual": now.actual if self.has_secret else "",
            "received": self.received,
            "stages": now.made.stages,
        })  # fmt: skip
        return shown

    def verdict(self, now: Workings | None = None) -> str:
        """One line: whether the stages as they are set give the right signature, and why not."""
        now = now or self.workings()
        if not self.has_secret:
            return "The app secret is needed to make a signature; the string can be seen without."
        named = " and ".join(f"{plain_name(t)} (at {t.stage})" for t in now.turned)
        if now.turned and now.ok:
            return f"{named}: that changes nothing on this request."
        if now.turned:
            return f"Wrong signature. {named}."
        if self.received and self.received != now.expected:
            return (
                "Every stage is right here, but the request came with another signature: made "
                "with another secret, or a value was changed after signing."
            )
        return "Right signature: every stage takes the platform's turn."

    def code(self) -> str:
        """The same step in plain Python; secrets are names that you set."""
        shown = ", ".join(
            f"{row.name!r}: {f'‹your {row.name}›' if row.hidden else row.value!r}"
            for row in self.rows if row.name
        )  # fmt: skip
        lines = [
            "import alinb", "", "app = alinb.App.from_env()",
            f"signed = alinb.sign({self.name!r}, {{{shown}}}, app=app, verb={self.verb!r})",
            "signed.signature, signed.segments",
        ]  # fmt: skip
        if self.mistakes:
            lines.append(f"alinb.mistaken(signed, {', '.join(map(repr, self.mistakes))})")
        return "\n".join(lines)

    def __repr__(self) -> str:
        turned = " + ".join(self.mistakes) or "every stage right"
        return f"<Bench {self.name}: {turned}>"

    def __str__(self) -> str:
        shown = self.as_dict()
        lines = [f"{self.verb} {self.name}: {self.verdict()}", "", "string to sign:"]
        lines += [f"  {shown['string_to_sign']}", ""]
        lines += [f"{what:<10}{shown[what]}" for what in ("expected", "actual", "received")
                  if shown[what]]  # fmt: skip
        rows = [(stage, shown["stages"][stage]) for stage in STAGES]
        return "\n".join([*lines, "", render.text_table(("stage", "gives"), rows)])

    def _repr_html_(self) -> str:
        shown = self.as_dict()
        facts = [("string to sign", shown["string_to_sign"])]
        facts += [(what, shown[what]) for what in ("expected", "actual", "received") if shown[what]]
        facts += [(f"stage {stage}", shown["stages"][stage]) for stage in STAGES]
        return render.html(f"{self.verb} {self.name}", render.paragraph(self.verdict()),
                           render.table(("what", ""), facts))  # fmt: skip


def bench(what: Any = FIRST, *mistakes: str, app: Any = None) -> Bench:
    """A request laid open with these mistakes made: the plain twin of `SignatureBench`.

    `what` is an API name, a `Call`, a `Signed`, an `Attempt`, or a request as text: a curl command,
    a URL, raw HTTP. `app` is an `App` or something that has one; without it the environment's, and
    for a call the practice app of the platform's documentation. Raises `InputError` for a mistake
    that this request cannot have.

    >>> bench("/auth/token/create", "secret_wrapped").mistakes
    ('secret_wrapped',)
    """
    made = Bench()
    made.load(what, getattr(app, "app", app))
    for mistake in mistakes:
        now = made.workings()
        stage = next((s for s, ts in now.options.items() if any(t.id == mistake for t in ts)), "")
        if not stage:
            known = sorted({t.id for ts in now.options.values() for t in ts})
            raise InputError(
                f"{mistake!r} is no mistake that this request can have.",
                next_step=f"Possible here: {', '.join(known)}.",
            )
        made.turn(stage, mistake)
    return made
