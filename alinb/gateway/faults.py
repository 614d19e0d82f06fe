"""What can go wrong on purpose: faults to switch on, for every request or for one."""

from __future__ import annotations

import difflib
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ..errors import InputError
from .refusals import entry

#: A request may name its own faults in this header.
HEADER = "x-alinb-fault"


class Kind(NamedTuple):
    """A sort of fault: what it does, and the value it takes (a name for it, and its default)."""

    does: str
    value: str = ""
    default: float = 0.0


KINDS: Mapping[str, Kind] = {
    "latency": Kind("answers so much later", "ms", 200),
    "slow_start": Kind("sends the headers at once, the body so much later", "ms", 2000),
    "drip": Kind("sends the body in small pieces with a pause before each", "ms", 50),
    "reset": Kind("resets the connection before any answer"),
    "reset_after_headers": Kind("resets the connection after the headers"),
    "cut_body": Kind("sends the first half of the body as if it were all"),
    "wrong_length": Kind("promises a longer body than it sends, and closes"),
    "broken_text": Kind("cuts the body in the middle of a UTF-8 character"),
    "empty_body": Kind("answers with no body at all"),
    "html_200": Kind("answers with an HTML page and status 200"),
    "html_502": Kind("answers with an HTML page and status 502"),
    "status_500": Kind("answers with status 500 and plain text"),
    "status_503": Kind("answers with status 503 and Retry-After", "s", 1),
    "status_429": Kind("answers with status 429 and Retry-After", "s", 1),
    "redirect": Kind("sends the caller to another address"),
    "gzip": Kind("compresses the answer whether or not the caller takes that"),
    "gzip_bomb": Kind("answers with a small body that unpacks to so much", "MB", 100),
    "huge_body": Kind("pads the answer with blanks to so much", "MB", 100),
    "duplicate_page": Kind("gives a page the records of the one before it"),
    "moving_total": Kind("changes the total from page to page"),
    "empty_page": Kind("gives a page without records where some were due"),
    "expire_token": Kind("ends every access token after so many calls that used one", "calls", 3),
    "clock_skew": Kind("sets the gateway's clock forward so much", "s", 10_800),
}

#: Faults that business methods see to; the rest are done to the answer on its way.
PAGING = frozenset({"duplicate_page", "moving_total", "empty_page"})

_SPEC = re.compile(
    r"(?P<name>[^=@\s]+?)(?:=(?P<value>[^@\s]*?))?(?:@(?P<share>[\d.]+))?(?:x(?P<times>\d+))?"
)


@dataclass(frozen=True)
class Fault:
    """One fault at work: its kind or a refusal's code, its value, and how often it strikes.

    `share` is the part of requests it strikes, from 0 to 1; `times` how many are left, None
    without end. A code's value is the seconds of its ban.
    """

    name: str
    value: float = 0.0
    share: float = 1.0
    times: int | None = None

    def __str__(self) -> str:
        value = f"={self.value:g}" if self.value else ""
        share = f"@{self.share:g}" if self.share < 1 else ""
        return f"{self.name}{value}{share}{'' if self.times is None else f'x{self.times}'}"


def read(text: str) -> tuple[Fault, ...]:
    """Faults from text: `NAME[=VALUE][@SHARE][xTIMES]`, several with commas between.

    A name is one of `KINDS` or a code of the book of refusals. Raises `InputError` for others.

    >>> [str(fault) for fault in read("drip=20, reset@0.1, ApiCallLimit=14229x3")]
    ['drip=20', 'reset@0.1', 'ApiCallLimit=14229x3']
    """
    # One code of the book has a comma of its own.
    parts = [text] if entry(text.strip()) else text.split(",")
    return tuple(_one(part.strip()) for part in parts if part.strip())


def _one(text: str) -> Fault:
    # A code may itself hold blanks, or end in x and a digit.
    if entry(text):
        return Fault(text)
    found = _SPEC.fullmatch(text)
    name = found["name"] if found else text
    if found is None or not (name in KINDS or _is_code(name)):
        near = difflib.get_close_matches(name, [*KINDS, *_codes()], 3, 0.6)
        raise InputError(
            f"{text!r} is no fault.",
            next_step=f"Did you mean {' or '.join(near)}?"
            if near
            else "alinb sandbox --list faults shows them; a code of a refusal is one too.",
        )
    value = _number(found["value"], text, KINDS[name].default if name in KINDS else 0.0)
    share = _number(found["share"], text, 1.0)
    if not 0 <= share <= 1:
        raise InputError(f"{text!r} has a share of {share:g}.", next_step="Use one from 0 to 1.")
    return Fault(name, value, share, int(found["times"]) if found["times"] else None)


def _number(text: str | None, whole: str, default: float) -> float:
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e9:
        raise InputError(f"{text!r} in {whole!r} is no amount.", next_step="Use a number from 0.")
    return number


def _is_code(name: str) -> bool:
    # Sub-codes are open-ended on the platform; those of the book are not all there are.
    return bool(entry(name)) or name.startswith(("isv.", "isp."))


def _codes() -> list[str]:
    from ..knowledge import load

    return [each["code"] for each in load("errors")["error"]]


@dataclass(frozen=True)
class Drawn:
    """The faults that strike one request, by name, and the code it is refused with, if any."""

    values: Mapping[str, float] = field(default_factory=dict)
    code: str = ""
    seconds: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.values or self.code)

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.values, *((self.code,) if self.code else ()))


NOTHING = Drawn()


class Faults:
    """The faults that are switched on; safe to switch from any thread while requests come.

    `random` gives that many random bytes.
    """

    def __init__(self, faults: Iterable[Fault], random: Callable[[int], bytes]) -> None:
        self._active = {fault.name: fault for fault in faults}
        self._random = random
        self._lock = threading.Lock()

    def switch_on(self, text: str) -> None:
        """Add faults, or change the ones of the same name. Raises `InputError`; see `read`."""
        wanted = read(text)
        with self._lock:
            self._active |= {fault.name: fault for fault in wanted}

    def switch_off(self, name: str = "") -> None:
        """Switch one fault off, or all."""
        with self._lock:
            self._active = {
                key: fault for key, fault in self._active.items() if name and key != name
            }

    @property
    def active(self) -> tuple[Fault, ...]:
        return tuple(self._active.values())

    def __bool__(self) -> bool:
        return bool(self._active)

    def draw(self, header: str = "") -> Drawn:
        """The faults that strike the next request, with those its own header asks for."""
        if not self._active and not header:
            return NOTHING
        with self._lock:
            struck = [fault for fault in self._active.values() if self._strikes(fault)]
            for fault in struck:
                if fault.times is not None:
                    self._active[fault.name] = replace(fault, times=fault.times - 1)
            self._active = {k: fault for k, fault in self._active.items() if fault.times != 0}
        struck += [fault for fault in read(header) if self._strikes(fault)]
        code = next((fault for fault in struck if fault.name not in KINDS), None)
        return Drawn(
            {fault.name: fault.value for fault in struck if fault.name in KINDS},
            code.name if code else "",
            code.value if code else 0.0,
        )

    def _strikes(self, fault: Fault) -> bool:
        if fault.times == 0:
            return False
        if fault.share >= 1:
            return True
        return int.from_bytes(self._random(4)) / 2**32 < fault.share
