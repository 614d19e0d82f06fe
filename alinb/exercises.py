"""What checks the exercises of the notebooks: the engine and the doctor, which also say why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlencode

from .app import App
from .attempts import Attempt
from .doctor import Diagnosis, diagnose
from .errors import CallbackError
from .knowledge import load
from .oauth import parse_callback
from .redact import Secret
from .signing import Signed, sign
from .stages import STAGES


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """Whether an answer is right, and why."""

    ok: bool
    why: str

    def __bool__(self) -> bool:
        return self.ok

    def __repr__(self) -> str:
        return f"✓ Right. {self.why}" if self.ok else f"✗ Not yet. {self.why}"


#: The app of the platform's own worked example (AliExpress openservice 1385).
APP = App("12345678", "helloworld")
_AT = 1517820392000

#: Calls that tell one signing rule from another; the first is the platform's published example.
CALLS: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("/auth/token/create", {"code": "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26"}),
    ("aliexpress.affiliate.category.get", {}),
    ("aliexpress.ds.recommend.feed.get",
     {"feed_name": "DS bestseller & more", "page_size": "20", "pageNo": "1"}),
    ("aliexpress.ds.text.search", {"keyWord": "lámpara 100%", "local": "es_ES"}),
)  # fmt: skip


def signing(yours: Callable[[str, dict[str, str], str], str]) -> Verdict:
    """Check a function that signs: `yours(name, params, secret)` gives the signature.

    `name` is an API name with or without slashes, `params` everything that is sent but `sign`. It
    is tried on `CALLS`; where one differs, the doctor names the mistake.
    """
    for name, params in CALLS:
        right = sign(name, params, app=APP, timestamp=_AT)
        sent = {k: v for k, v in right.params.items() if k != "sign"}
        try:
            got = yours(name, dict(sent), APP.secret.reveal())
        except Exception as error:
            return Verdict(False, f"On {name} it raised {type(error).__name__}: {error}")
        if got != right.signature:
            return Verdict(False, f"On {name}: {_why(right, got)}")
    return Verdict(True, f"All {len(CALLS)} calls are signed as the platform does it.")


def _why(right: Signed, got: Any) -> str:
    if not isinstance(got, str) or not got:
        return f"it gave {got!r}, where a signature is text."
    request = f"{right.endpoint}?{urlencode({**right.params, 'sign': got})}"
    found = diagnose(request, secret=APP.secret)
    if found.verdict == "explained":
        cure = next((f.cure for f in found.findings if f.id in found.mistakes), found.cure)
        seen = found.summary.removeprefix("Proved: ")
        return f"{seen[0].upper()}{seen[1:]} {cure}"
    return "no known mistake gives your signature; print your string beside `alinb.sign(…)`'s."


def stage(found: Diagnosis, answer: str) -> Verdict:
    """Check which stage took the wrong turn, on a diagnosis that explains its request."""
    if answer not in STAGES:
        return Verdict(False, f"Answer with one of the eight stages: {', '.join(STAGES)}.")
    walk = found.theirs
    wrong = {turn.stage for turn in walk.recipe.turns if turn.mistake} if walk else set()
    differs = [name for name, right, theirs in found.stages if right != theirs]
    if answer in wrong:
        return Verdict(True, f"At {answer}. {found.summary}")
    if answer in differs:
        return Verdict(
            False, f"What {answer} gives differs, but only because an earlier stage gave another "
            f"result: {differs[0]} is the first that differs.",
        )  # fmt: skip
    return Verdict(False, f"What {answer} gives is the same in both.")


def mistake(found: Diagnosis | Attempt, answer: str) -> Verdict:
    """Check the name of the mistake behind a diagnosis, or an attempt that was diagnosed."""
    made: tuple[str, ...] = tuple(
        found.mistakes
        if isinstance(found, Diagnosis)
        else (found.diagnosis or {}).get("mistakes", ())
    )
    known = load("mistakes")["mistakes"]
    if answer not in known:
        near = get_close_matches(answer, known, 3, 0.5) or ["path_prefix_missing"]
        said = f"{answer!r} is no id of a mistake" if answer else "No id is given"
        return Verdict(False, f"{said}; ids are spelled like {', '.join(near)}.")
    name = known[answer]["name"]
    if answer in made:
        others = [known[other]["name"] for other in made if other != answer]
        also = f" There is another one: {'; '.join(others)}." if others else ""
        return Verdict(True, f"{name}. {known[answer]['cure']}{also}")
    looks = known[answer]["looks_like"]
    return Verdict(False, f"“{name}” would show like this: {looks}")


def fewest_calls(pull: Callable[[int], Any], size: int) -> Verdict:
    """Check a page size: all records in the fewest calls, and no more asked for than a page holds.

    `pull(size)` gives a pull, not begun yet, that asks for pages of that size.
    """
    if size < 1:
        return Verdict(False, "A page holds one record at least.")
    tried = pull(size)
    records, calls = len(tried.frame()), tried.stats.calls
    page = max((len(page.records) for page in pull(_MORE_THAN_ANY)), default=0)
    said = f"{records} records took {calls} calls with {size} a page"
    best = -(-records // max(page, 1))
    if calls > best:
        return Verdict(False, f"{said}; {best} would do.")
    if size > page:
        return Verdict(False, f"{said}, but no page held more than {page}.")
    return Verdict(True, f"{said}, and a page holds {page} at most.")


#: More records than any page holds.
_MORE_THAN_ANY = 1000
_STATE = "c0ffee"
_BACK = "https://shop.example/callback"
#: What a person may paste, what is so special about it, and why it is read as it is where the
#: error does not say that.
_PASTED = (
    (f"{_BACK}?code=3_500102_JxZ05&state={_STATE}", "a plain callback",
     "The code is the value of `code` alone."),
    (f"{_BACK}?state={_STATE}&code=3_500102_JxZ05", "the same in another order",
     "A parameter is found by its name, not by its place."),
    (f"{_BACK}?state={_STATE}&code=3_500102_Jx%2B05", "a percent-encoded code",
     "In an address `+` is written %2B; what is signed and sent is the decoded value."),
    (f"{_BACK}?code=3_500102_JxZ05&state=another", "the state of another link", ""),
    (f"{_BACK}?code=3_500102_JxZ05", "no state at all", ""),
    (f"{_BACK}?error=access_denied&state={_STATE}", "a refusal by the person", ""),
)  # fmt: skip


def callback(yours: Callable[[str, str], str | None]) -> Verdict:
    """Check a function that reads a callback: `yours(address, state)` gives the code or None.

    None where the address must not be used: another state, no state, or no code.
    """
    for address, what, why in _PASTED:
        try:
            right, reason = parse_callback(address, state=_STATE).code.reveal(), why
        except CallbackError as error:
            right, reason = None, error.message
        try:
            got = yours(address, _STATE)
        except Exception as error:
            return Verdict(False, f"On {what} it raised {type(error).__name__}: {error}")
        got = got.reveal() if isinstance(got, Secret) else got
        if got != right:
            return Verdict(False, f"On {what} it must give {right!r}, not {got!r}. {reason}")
    return Verdict(
        True, f"All {len(_PASTED)} addresses are read right: by name, decoded, and never with"
        " another link's state.",
    )  # fmt: skip
