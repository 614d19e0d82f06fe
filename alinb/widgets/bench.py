"""SignatureBench: turn a stage wrong, watch string and signature change, and be told why."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

from ..errors import InputError
from ..redact import Secret
from ..render import Markup
from .base import Event, Panel
from .bench_picture import Picture
from .turning import Workings, key_of, plain_name
from .twin import Bench
from .workings import FIRST


class SignatureBench(Panel):
    """A request laid open: edit its parameters, turn its eight stages wrong, see the mistake named.

    `what` is an API name, a `Call`, a `Signed`, an `Attempt` or a request as text (a curl command,
    a URL, raw HTTP); `app` an `App`, a client or a sandbox, without it the environment's or, for a
    call, the practice app of the platform's documentation. "Break it for me" deals a mistake to
    find; `score` counts, and is kept nowhere but in the kernel. `bench` is the plain twin: what
    `alinb.bench(…)` gives.

        alinb.SignatureBench("/auth/token/create", app=app)
    """

    title = "Signature bench"

    def __init__(
        self, what: Any = FIRST, *, app: Any = None, chance: random.Random | None = None
    ) -> None:
        self.bench = Bench()
        #: How many dealt mistakes were found, given up, and how often a stage was turned for it.
        self.score = {"found": 0, "given up": 0, "tries": 0}
        self._chance = chance or random.Random()  # noqa: S311
        #: How the dealt mistake came out, "" while it is looked for.
        self._end, self._fresh = "", 0
        self.bench.load(what, getattr(app, "app", app))
        super().__init__()
        self._judge()

    # ---- actions

    def act_edit(self, event: Event) -> None:
        """A key press in a parameter's name or value; `arg` is `number.name` or `number.value`."""
        number, _, what = event.arg.partition(".")
        self.bench.edit(int(number), what, event.value)
        self._judge()

    def act_add(self, event: Event) -> None:
        """A parameter more, with the keyboard in its name."""
        row = self.bench.add()
        self.draw()
        self.move_to(f"name-{row.number}")

    def act_remove(self, event: Event) -> None:
        """A parameter less."""
        self.bench.remove(int(event.arg))
        self._judge()
        self.move_to("add")

    def act_rename(self, event: Event) -> None:
        """Another API name."""
        self._fresh += 1
        self.bench.rename(event["name"].strip())
        self._judge()

    def act_switch(self, event: Event) -> None:
        """A stage's switch: on is right; off takes the first wrong turn possible there."""
        options = self.bench.workings().options[event.arg]
        if event.value != "on" and not options:
            raise InputError(
                f"Nothing can go wrong at {event.arg} with these parameters.",
                next_step="Add one, such as a value with a blank or an empty one.",
            )
        self.turn(event.arg, "" if event.value == "on" else key_of(options[0]))

    def act_turn(self, event: Event) -> None:
        """A stage's list: another wrong turn, or the right one."""
        self.turn(event.arg, event.value)

    def act_straighten(self, event: Event) -> None:
        """Every stage right again."""
        self.bench.straighten()
        self._judge()

    def act_deal(self, event: Event) -> None:
        """Break the signature in a way to be found out."""
        self.deal()

    def act_give_up(self, event: Event) -> None:
        """Show the mistake that was dealt."""
        self.give_up()

    def act_load(self, event: Event) -> None:
        """Lay a pasted request on the bench."""
        self.say("Reading the request, and looking for its mistake …", "busy")
        self._fresh += 1
        self.load(event["request"])

    def act_secret(self, event: Event) -> None:
        """Sign with another app secret."""
        typed = event["secret"]
        if not typed:
            raise InputError("No secret was typed.", next_step="Copy it from the app's page.")
        self.bench.use(Secret(typed))
        self._judge()

    # ---- what the actions do

    def turn(self, stage: str, wrong: str = "") -> None:
        """Take a wrong turn at a stage, by mistake id; without one put the stage right."""
        self.bench.turn(stage, wrong)
        if self.bench.dealt and wrong and not self._end:
            self.score["tries"] += 1
        self._judge()

    def load(self, request: Any, app: Any = None) -> None:
        """Lay another request on the bench; the app stays where none is given."""
        self.bench.load(request, getattr(app, "app", app) or self.bench.app)
        self._end = ""
        self._judge()

    def deal(self) -> None:
        """Deal a mistake: the bench shows what the broken program made, and you find out how."""
        self._end = ""
        self.bench.deal(self._chance)
        self._judge()

    def give_up(self) -> None:
        """Turn the bench the way the dealt mistake is turned, and name it."""
        if not self.bench.dealt:
            return
        if not self._end:
            self.score["given up"] += 1
            self._end = "It was this"
        self.bench.show_dealt()
        self._judge()

    @property
    def mistakes(self) -> tuple[str, ...]:
        """The ids of the wrong turns taken."""
        return self.bench.mistakes

    def _judge(self) -> None:
        """Put the verdict in the status; a dealt mistake that was found is counted once."""
        now = self.bench.workings()
        puzzle = self.bench.puzzle()
        if puzzle is None:
            good = now.ok and not now.turned and not self._foreign(now)
            mood = ("good" if good else "bad") if self.bench.has_secret else ""
            self.note(self.bench.verdict(now), mood)
            return
        found = (now.made.string_to_sign, now.actual) == (puzzle.string_to_sign, puzzle.signature)
        if found and not self._end:
            self._end = "Found"
            self.score["found"] += 1
        named = " and ".join(map(plain_name, now.turned))
        if found:
            self.note(f"{self._end}: {named}. The program makes this very signature.", "good")
        else:
            self.note("A program signs wrong. Turn the stages until actual equals the program's.")
        self.whisper("score", self._score_line())

    def _score_line(self) -> str:
        return ", ".join(f"{what} {count}" for what, count in self.score.items())

    def _foreign(self, now: Workings) -> bool:
        return bool(self.bench.received) and self.bench.received != now.actual

    def _searching(self) -> bool:
        return bool(self.bench.dealt) and not self._end

    # ---- how it is shown

    def heading(self) -> str:
        return f"{self.title}: {self.bench.verb} {self.bench.name}"

    def hidden(self) -> Iterable[Secret | None]:
        return self.bench.secrets()

    def text(self) -> str:
        return str(self.bench)

    def body(self) -> Markup:
        return Picture(self.bench, self._searching(), self._fresh).body()
