"""What the signature bench works with: a request whose stages can be turned wrong, one engine."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from .. import intake
from ..app import App
from ..attempts import Attempt
from ..calls import Call
from ..doctor import diagnose
from ..doctor.subject import Subject
from ..errors import InputError, MissingSecret
from ..redact import REQUEST_KINDS, Secret
from ..signing import Signed, sign
from ..stages import STAGES, Context, Walk
from .turning import Workings, key_of, work

#: The app of the platform's own worked example (AliExpress openservice 1385): practice needs one.
PRACTICE = ("12345678", "helloworld")
#: The call most people fail at first, with the code of the reference's own sample.
FIRST = Call("/auth/token/create", {"code": "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26"})
#: Stands where a secret has to be and nobody gave one.
_NO_SECRET = Secret("?")


@dataclass(slots=True)
class Row:
    """A parameter on the bench; one that was ever hidden stays hidden."""

    number: int
    name: str
    value: str = field(repr=False)
    hidden: bool = False

    def note_name(self) -> None:
        self.hidden = self.hidden or self.name.strip().lower() in REQUEST_KINDS


class Workbench:
    """A request laid open: its parameters, its eight stages, the string and both signatures.

    `mistakes` are the ids of the wrong turns taken; `turn(stage, id)` takes one, `turn(stage)` puts
    the stage right again. `received` is the signature that came with a pasted request. Where no
    secret is known `has_secret` is false, and signatures mean nothing.
    """

    def __init__(self) -> None:
        self.name, self.verb, self.url, self.received = "", "POST", "", ""
        self.rows: list[Row] = []
        self.secret: Secret | None = None
        self.app: App | None = None
        self.dealt = ""
        self._in_query: frozenset[str] = frozenset()
        self._turned: dict[str, tuple[str, ...]] = {}
        self._known: dict[Any, Workings] = {}
        self._offered: set[str] | None = None
        self._count = 0

    # ---- what lies on it

    def load(self, what: Any, app: App | None = None) -> None:
        """Lay a call, a signed call, an attempt or a pasted request on the bench.

        Raises `InputError` or `IntakeError` for anything else, and leaves the bench as it was.
        """
        if isinstance(what, Signed):
            self._lay_signed(what)
        elif isinstance(what, Call) or (isinstance(what, str) and _is_name(what)):
            chosen = app or _own_app() or App(*PRACTICE)
            self._lay_signed(sign(what, app=chosen))
        else:
            self._lay_attempt(intake.read(what), app or _own_app())

    def _lay_signed(self, signed: Signed) -> None:
        self.app, self.secret = signed.app, signed.app.secret
        self.name, self.verb, self.url = signed.call.name, signed.method, signed.endpoint
        self.received = ""
        self._in_query = frozenset(signed.query)
        self._lay(signed.params, signed.app.platform.sign_parameter)

    def _lay_attempt(self, attempt: Attempt, app: App | None) -> None:
        subject = Subject.of(attempt)
        self.app, self.secret = app, app.secret if app else None
        self.name, self.verb, self.url = attempt.api_name, attempt.method, attempt.url
        self.received = subject.sign
        self._in_query = frozenset(name for name, _ in attempt.wire.query)
        self._lay(subject.params, subject.sign_parameter)
        self._explain(attempt)

    def _lay(self, params: Mapping[str, str], sign_parameter: str) -> None:
        self.rows, self._turned, self.dealt = [], {}, ""
        self._anew()
        for name, value in params.items():
            if name != sign_parameter:
                self.add(name, value)

    def _explain(self, attempt: Attempt) -> None:
        """Turn the stages the way the doctor proves that the sender's are turned."""
        if self.secret is None or not self.received:
            return
        found = diagnose(attempt, secret=self.secret)
        if found.verdict == "explained" and found.theirs is not None:
            for turn in found.theirs.recipe.turns:
                if turn.mistake:
                    before = self._turned.get(turn.stage, ())
                    self._turned[turn.stage] = (*before, key_of(turn))

    # ---- what is done with it

    def add(self, name: str = "", value: str = "") -> Row:
        """A parameter more."""
        self._anew()
        self._count += 1
        row = Row(self._count, name, value)
        row.note_name()
        self.rows.append(row)
        return row

    def edit(self, number: int, what: str, text: str) -> None:
        """Another name or value for a parameter."""
        row = self.row(number)
        # While a value is typed the list of wrong turns stays: trying them all takes longest.
        self._offered = None
        if what == "value" and row.name:
            options = self.workings().options.values()
            self._offered = {key_of(turn) for turns in options for turn in turns}
        if what == "name":
            row.name = text
            row.note_name()
        else:
            row.value = text

    def remove(self, number: int) -> None:
        """A parameter less."""
        self.rows.remove(self.row(number))
        self._anew()

    def row(self, number: int) -> Row:
        return next(row for row in self.rows if row.number == number)

    def rename(self, name: str) -> None:
        """Another API name, with its URL and its `method`. Raises `InputError` for none."""
        call = Call.of(name)
        self._anew()
        platform = self.app.platform if self.app else App(*PRACTICE).platform
        self.url, self.name = platform.route(call.name), call.name
        method = next((row for row in self.rows if row.name == "method"), None)
        if call.is_path and method:
            self.rows.remove(method)
        elif not call.is_path:
            (method or self.add("method")).value = call.name

    def use(self, app_secret: Secret) -> None:
        """Sign with another secret."""
        self.secret = app_secret
        self._anew()

    def turn(self, stage: str, wrong: str = "") -> None:
        """Take a wrong turn at a stage, by mistake id or key; without one put the stage right."""
        if stage not in STAGES:
            raise InputError(
                f"There is no stage {stage!r}.", next_step=f"Stages: {', '.join(STAGES)}."
            )
        self._anew()
        if not wrong:
            self._turned.pop(stage, None)
            return
        for option in self.workings().options[stage]:
            if wrong in (option.id, key_of(option)):
                self._turned[stage] = (key_of(option),)
                return
        raise InputError(
            f"{wrong!r} is no wrong turn at {stage} that this request can take.",
            next_step="alinb.bench(…).workings().options lists them.",
        )

    def straighten(self) -> None:
        """Put every stage right."""
        self._turned = {}
        self._anew()

    def deal(self, chance: random.Random) -> None:
        """Break the signature in a way to be found out: `dealt` is the wrong turn taken."""
        self.straighten()
        options = [option for turns in self.workings().options.values() for option in turns]
        ids = sorted({option.id for option in options})
        if not ids:
            raise InputError("Nothing here can go wrong.", next_step="Add a parameter first.")
        chosen = chance.choice(ids)
        self.dealt = key_of(chance.choice([o for o in options if o.id == chosen]))

    def show_dealt(self) -> None:
        """Take the wrong turn that was dealt."""
        stage = next((t.stage for t in self._work([self.dealt]).turned), "")
        if stage:
            self._turned = {stage: (self.dealt,)}

    def _anew(self) -> None:
        """Have every wrong turn tried again."""
        self._offered, self._known = None, {}

    # ---- what comes out

    @property
    def has_secret(self) -> bool:
        return self.secret is not None

    @property
    def params(self) -> dict[str, str]:
        """The parameters as they are sent, without the signature; of two of a name the last."""
        return {row.name: row.value for row in self.rows if row.name}

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The ids of the wrong turns taken."""
        return tuple(turn.id for turn in self.workings().turned)

    def workings(self) -> Workings:
        """Walk both ways, with the parameters and stages as they are now."""
        return self._work(key for keys in self._turned.values() for key in keys)

    def puzzle(self) -> Walk | None:
        """How the broken program that was dealt signs; None where nothing was dealt."""
        if not self.dealt:
            return None
        now = self._work([self.dealt])
        return now.made if now.turned else None

    def _work(self, taken: Iterable[str]) -> Workings:
        params, keys = self.params, tuple(taken)
        secret = self.secret or _NO_SECRET
        asked = (tuple(params.items()), self.verb, self.url, secret, keys)
        if asked not in self._known:
            # One picture asks several times: for the stages as set, and for what was dealt.
            context = Context(secret, verb=self.verb, url=self.url, body=self._body(params))
            now = work(params, context, keys, self._offered)
            self._known = {**dict([*self._known.items()][-1:]), asked: now}
        return self._known[asked]

    def _body(self, params: Mapping[str, str]) -> str:
        if self.verb == "GET":
            return ""
        form = {name: value for name, value in params.items() if name not in self._in_query}
        return urlencode(form, errors="surrogatepass")


def _is_name(text: str) -> bool:
    try:
        return bool(Call.of(text.strip())) and not text.startswith("curl ")
    except InputError:
        return False


def _own_app() -> App | None:
    try:
        return App.from_env()
    except MissingSecret:
        return None
