"""Rate limits: who may send when, so that a quota is used and not overrun.

A call takes a `Turn` and waits for it. Turns stand on an absolute schedule (GCRA): the lateness of
one wake-up is not lost, and not made up for in a burst. One `Pacer` an app is shared by everything
in the process, from any thread and any event loop; it keeps no task, no timer and no loop.
Two processes that use one app key do not know of each other: give each key one owner.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from .errors import RateLimited
from .knowledge import load
from .replies import Reply

#: How much of the permitted rate is used: a bucket without slack refuses on the smallest jitter.
SHARE = 0.98
#: A ban longer than this, in s, is not waited out: it is a spent daily allowance.
LONG_BAN_S = 60.0
#: A ban without a number lasts this long, in s: the usual one (seen in independent clients).
USUAL_BAN_S = 1
#: After a refusal the rate stays for so long, in s; a vain climb doubles that, up to the most.
HOLD_S, LONGEST_HOLD_S = 15.0, 600.0
#: How much of the published rate is regained in a second after that.
CLIMB = 0.005
#: The most that a rate falls which had climbed by itself, and never below what it had before: that
#: is known to be good.
STEP_BACK = 0.9
#: How late a wake-up may be, in s or in parts of an interval, before the schedule gives it up.
LATE_S, LATE_PART = 0.012, 0.2
#: After a rest of so many s so many turns come at twice the interval: cold connections bunch up.
REST_S, COLD = 2.0, 5
#: Nobody sleeps longer at a time, in s, since turns move up when others leave.
NAP_S = 0.25
#: The rate of a whole app after its first refusal is at least this many calls a second.
LOWEST = 0.1


class Lane:
    """The schedule of one quota. `qps` is the published number of calls a second, None for none.

    The rate starts at 0.98 of it, halves on a refusal, stays for a while and climbs back slowly.
    A refusal of a rate that had climbed takes a step back instead, and the next climb waits twice
    as long. The clock is monotonic, in s.
    """

    def __init__(
        self, qps: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self.ceiling = math.inf if qps is None else qps * SHARE
        self.refusals = 0
        self._lock = threading.Lock()
        self._held = self.ceiling
        self._hold_s, self._hold_until = HOLD_S, -math.inf
        self._cut_at = self._ban_until = -math.inf
        #: The next free moment of the schedule, and when the gateway's bucket is even again.
        self._next = self._even = -math.inf
        self._waiting: dict[Place, None] = {}
        self._cold = 0
        self._sent: list[float] = []

    @property
    def rate(self) -> float:
        """The calls a second that are sent at most at this moment."""
        return self._rate(self.clock())

    def _rate(self, now: float) -> float:
        if self._held >= self.ceiling or self.ceiling == math.inf:
            return self._held
        return min(self.ceiling, self._held + max(0.0, now - self._hold_until) * self._climb)

    @property
    def _climb(self) -> float:
        return CLIMB * self.ceiling

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def banned_for(self) -> float:
        """How long a ban still lasts, in s."""
        return max(0.0, self._ban_until - self.clock())

    def take(self) -> Place:
        """A place in the schedule, behind everybody who waits."""
        with self._lock:
            now = self.clock()
            if now - self._next > REST_S:
                self._cold = COLD
            moment = max(self._next, now, self._ban_until)
            self._cold, pace = max(0, self._cold - 1), 2 if self._cold else 1
            self._next = moment + pace / self._rate(now)
            place = Place(self, moment)
            self._waiting[place] = None
            return place

    def left(self, place: Place) -> float:
        """How long a place has to wait yet, in s."""
        with self._lock:
            interval = 1 / self._rate(self.clock())
            moment = max(place.moment, self._even - _tolerance(interval), self._ban_until)
            return max(0.0, moment - self.clock())

    def start(self, place: Place) -> None:
        """The call of this place goes out now."""
        with self._lock:
            now = self.clock()
            interval = 1 / self._rate(now)
            self._waiting.pop(place, None)
            place.sent_at = now
            self._even = max(self._even, now) + interval
            if now - place.moment > _tolerance(interval):
                # Too late to be made up for: whoever comes next stands behind those who wait.
                self._next = max(self._next, self._even + len(self._waiting) * interval)
            self._sent.append(now)
            if len(self._sent) > 64:
                del self._sent[:32]

    def leave(self, place: Place) -> None:
        """Give a place up; everybody behind it moves up by one."""
        with self._lock:
            if place not in self._waiting:
                return
            places = list(self._waiting)
            free = place.moment
            for later in places[places.index(place) + 1 :]:
                later.moment, free = free, later.moment
            del self._waiting[place]
            self._next = min(self._next, free) if free > self.clock() else self._next

    def refused(self, place: Place, ban_s: float) -> None:
        """The gateway refused the call of this place and bans for so long, in s."""
        with self._lock:
            now = self.clock()
            self.refusals += 1
            self._ban_until = max(self._ban_until, now + ban_s)
            if place.sent_at > self._cut_at:  # else it was sent at a rate that is given up already
                self._cut(now)
            self._plan(now)

    def _cut(self, now: float) -> None:
        rate = self._rate(now)
        if self.ceiling == math.inf:
            rate = self.ceiling = max(LOWEST, self._achieved(now))
            self._held = rate
        climbed = rate > self._held + self._climb
        self._held = max(self._held, rate * STEP_BACK) if climbed else max(LOWEST, rate / 2)
        self._hold_s = min(2 * self._hold_s, LONGEST_HOLD_S) if climbed else HOLD_S
        self._hold_until = self._ban_until + self._hold_s
        self._cut_at = now

    def _achieved(self, now: float) -> float:
        """The calls a second of late, where nobody ever published how many may be."""
        if len(self._sent) < 2:
            return 1.0
        return len(self._sent) / max(now - self._sent[0], 1.0)

    def _plan(self, now: float) -> None:
        """Everybody who waits, anew from the end of the ban, in the order they came."""
        interval = 1 / self._rate(now)
        self._next = self._even = max(now, self._ban_until)
        for place in self._waiting:
            place.moment = self._next
            self._next += interval


class Place:
    """One call's place in a lane; `moment` and `sent_at` are times of the lane's clock."""

    __slots__ = ("lane", "moment", "sent_at")

    def __init__(self, lane: Lane, moment: float) -> None:
        self.lane, self.moment, self.sent_at = lane, moment, -math.inf


class Turn:
    """A call's places in the lanes of its app and its method."""

    __slots__ = ("asked_at", "name", "places")

    def __init__(self, name: str, places: tuple[Place, ...]) -> None:
        self.name, self.places = name, places
        self.asked_at = places[0].lane.clock()

    def left(self) -> float:
        """How long to wait yet, in s."""
        return max(place.lane.left(place) for place in self.places)

    def _ready(self) -> float:
        """0.0 and the turn is taken, or how long to sleep; a long ban raises `RateLimited`."""
        ban = max(place.lane.banned_for() for place in self.places)
        if ban > LONG_BAN_S:
            self.leave()
            raise banned(self.name, ban)
        left = self.left()
        if left <= 0:
            for place in self.places:
                place.lane.start(place)
        return min(left, NAP_S)

    async def come(
        self,
        sleep: Callable[[float], Awaitable[Any]] | None = None,
        unless: Callable[[], bool] = lambda: False,
    ) -> float | None:
        """Wait in an event loop; gives the waiting time in s. Whoever is cancelled leaves, and
        whoever may not go on any more, by `unless`: that gives None."""
        import anyio

        doze = sleep or anyio.sleep
        try:
            while not unless():
                nap = self._ready()
                if not nap:
                    break
                await doze(nap)
            else:
                self.leave()
                return None
        except BaseException:
            self.leave()
            raise
        return self.places[0].sent_at - self.asked_at

    def wait(self, sleep: Callable[[float], Any] = time.sleep) -> float:
        """Wait in a thread; gives the waiting time in s."""
        try:
            while nap := self._ready():
                sleep(nap)
        except BaseException:
            self.leave()
            raise
        return self.places[0].sent_at - self.asked_at

    def leave(self) -> None:
        for place in self.places:
            place.lane.leave(place)

    def refused(self, reply: Reply, retry_after_s: float | None = None) -> float:
        """Obey a reply that refuses for too many calls; gives how long nothing is sent, in s.

        One second more than the gateway says, which is what clients found to be enough. A refusal
        of the whole app slows all its methods, another only its own.
        """
        said = reply.ban_seconds if reply.ban_seconds is not None else retry_after_s
        ban = (USUAL_BAN_S if said is None else said) + 1
        method, app = self.places
        chosen = app if _is_of_app(reply) else method
        chosen.lane.refused(chosen, ban)
        return ban


class Pacer:
    """The lanes of one app: one for all its calls, and one a method.

    `qps` replaces the published number for every method that is asked for by no other.
    """

    def __init__(
        self, qps: float | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self._qps = qps
        self._lock = threading.Lock()
        self.app_lane = Lane(clock=clock)
        self._lanes: dict[str, Lane] = {}

    def lane(self, name: str, qps: float | None = None) -> Lane:
        """The lane of a method; a `qps` given here begins it anew where it differs."""
        with self._lock:
            known = self._lanes.get(name)
            if known is None or (qps is not None and known.ceiling != qps * SHARE):
                chosen = qps or self._qps or published(name)
                known = self._lanes[name] = Lane(chosen, clock=self.clock)
            return known

    def take(self, name: str) -> Turn:
        """A turn for one call of a method; wait for it with `come()` or `wait()`."""
        return Turn(name, (self.lane(name).take(), self.app_lane.take()))


_pacers: dict[tuple[str, str], Pacer] = {}
_pacers_lock = threading.Lock()


def pacer_of(place: str, app_key: str) -> Pacer:
    """The one pacer of an app in this process; `place` is the platform's, such as its host."""
    with _pacers_lock:
        return _pacers.setdefault((place, app_key), Pacer())


def published(name: str) -> float:
    """The calls a second that may be sent of a method; an assumed number where none is published.

    >>> published("aliexpress.ds.address.get")
    4.0
    """
    return float(load("quotas")["qps"].get(name, load("paging")["assumed"]["qps"]))


def banned(name: str, ban_s: float, reply: Reply | None = None) -> RateLimited:
    """The error of a ban that is too long to wait for; `evidence["released_at"]` is epoch s."""
    released = time.time() + ban_s
    moment = datetime.fromtimestamp(released).astimezone()
    return RateLimited(
        f"{name} is banned for {ban_s:.0f} s, until {moment:%Y-%m-%d %H:%M:%S %Z}.",
        next_step="Nothing more was sent; go on after that.",
        ban_seconds=math.ceil(ban_s),
        released_at=released,
        reply=reply,
        code=reply.decisive_code if reply else "",
    )


def _is_of_app(reply: Reply) -> bool:
    """Whether a limit is that of the whole app: AppCallLimit, TOP's app-access-count."""
    words = f"{reply.code} {reply.sub_code}".lower()
    return "appcalllimit" in words.replace("s ", " ") or "by-app-access" in words


def _tolerance(interval: float) -> float:
    # A counter of whole seconds takes two calls at once; some of that is left for the network.
    return max(LATE_PART * interval, min(LATE_S, 8 * interval))
