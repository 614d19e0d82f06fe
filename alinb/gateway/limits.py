"""How often an app may call: frequency by method and over all, and a number of calls a day."""

from __future__ import annotations

import difflib
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from ..errors import InputError
from ..knowledge import load
from .refusals import Refusal

#: A figure for all calls together, one for each named method, or `published` for the platform's.
Rates: TypeAlias = float | str | Mapping[str, float]

#: The platform's day ends at midnight there (ALI 108426).
_ZONE = timedelta(hours=8)


class Limits:
    """Token buckets by method and one over all, and a count by day; safe from any thread.

    `qps` and `quota` are calls a second and calls a day; 0 or nothing is no limit. `burst` calls
    may come at once. `ban_s` is how long every further call is refused once one was, in s; with 0
    only what comes too early is. The clock gives epoch s.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        qps: Rates = 0.0,
        quota: int = 0,
        burst: int = 2,
        ban_s: float = 0.0,
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._free: dict[str, float] = {}
        self._banned: dict[str, float] = {}
        self._day = -1
        self._today = 0
        self.qps = qps
        self.quota = _whole(quota, "quota")
        self.burst = _whole(burst, "burst", least=1)
        if not 0 <= ban_s < math.inf:
            raise InputError(f"A ban of {ban_s} s makes no sense.", next_step="Use 0 or more.")
        self.ban_s = ban_s

    @property
    def qps(self) -> Rates:
        """The permitted calls a second; may be set while requests come."""
        return self._qps

    @qps.setter
    def qps(self, rates: Rates) -> None:
        self._rates = _rates(rates)
        self._qps = rates

    def take(self, name: str) -> None:
        """Count one call of a method. Raises `Refusal` where it is one too many."""
        if not self.quota and not self._rates:
            return
        now = self._clock()
        with self._lock:
            if self.quota:
                self._take_of_day(now)
            for key in (name, ""):
                if rate := self._rates.get(key):
                    self._take_of_second(key, rate, now)

    def _take_of_day(self, now: float) -> None:
        local = datetime.fromtimestamp(now, UTC) + _ZONE
        if local.toordinal() != self._day:
            self._day, self._today = local.toordinal(), 0
        if self._today >= self.quota:
            midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            raise Refusal("AppCallLimit", seconds=math.ceil((midnight - local).total_seconds()))
        self._today += 1

    def _take_of_second(self, key: str, rate: float, now: float) -> None:
        free = max(now, self._free.get(key, now))
        banned = self._banned.get(key, 0.0)
        if now < banned:
            raise Refusal("ApiCallLimit", seconds=math.ceil(banned - now))
        # A clock read twice within one call's time may be off by its own grain.
        if free - now > (self.burst - 1) / rate + 1e-9:
            if self.ban_s:
                self._banned[key] = now + self.ban_s
            seconds = max(1, math.ceil(self.ban_s or free - now))
            raise Refusal("ApiCallLimit", seconds=seconds)
        self._free[key] = free + 1 / rate


def read(texts: Iterable[str]) -> Rates:
    """Rates from text: `N` for all calls together, `published`, `NAME=N` for one method.

    The last of several holds. Raises `InputError` for a rate or a method there is not.

    >>> read(["published", "aliexpress.ds.product.get=2", "50"])["aliexpress.ds.product.get"]
    2.0
    """
    found: dict[str, float] = {}
    for text in texts:
        name, equals, number = text.rpartition("=")
        if text == "published":
            found |= _rates(text)
            continue
        if equals and name not in (known := load("methods")["methods"]):
            near = difflib.get_close_matches(name, known, 3, 0.6)
            raise InputError(
                f"There is no method {name!r} to limit.",
                next_step=f"Did you mean {' or '.join(near)}?" if near else "Use NAME=N.",
            )
        try:
            found[name] = float(number)
        except ValueError:
            raise InputError(
                f"{text!r} is no rate.", next_step="Use N, published, or NAME=N."
            ) from None
    _rates(found)
    return found


def _rates(rates: Rates) -> dict[str, float]:
    if isinstance(rates, str):
        if rates != "published":
            raise InputError(f"{rates!r} is no rate.", next_step="Use a number, or published.")
        return {name: float(qps) for name, qps in load("quotas")["qps"].items()}
    found = dict(rates) if isinstance(rates, Mapping) else {"": rates}
    for name, rate in found.items():
        if not 0 <= rate < math.inf:
            raise InputError(
                f"{rate!r} calls a second{f' of {name}' if name else ''} is no rate.",
                next_step="Use a number above 0, or 0 for no limit.",
            )
    return {name: float(rate) for name, rate in found.items() if rate}


def _whole(number: int, what: str, least: int = 0) -> int:
    if number < least or number != int(number):
        raise InputError(
            f"A {what} of {number!r} makes no sense.", next_step=f"Use {least} or more."
        )
    return int(number)
