"""A clock read twice: the string holds a timestamp some milliseconds off the one that was sent.

Ten thousand timestamps are too many turns for the search, and need none: the messages are made once
with a stand-in, and each candidate is put in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from ..stages import Context, Params, Turn
from .endings import Way
from .search import Search, chosen
from .states import Path

#: The widest drift, in ms, and the one that is looked for beside other mistakes.
WIDEST_MS = 5000
USUAL_MS = 50

_SECONDS = [way * s for s in range(1, WIDEST_MS // 1000 + 1) for way in (1, -1)]
_TEXT = "%Y-%m-%d %H:%M:%S"
_MOST_PATHS = 64


def drifted(space: Search, signature: str, params: Params, total: int, widest: int) -> list[Path]:
    """Paths of exactly `total` mistakes, one of them a timestamp up to `widest` ms off."""
    timestamp = params.get("timestamp", "")
    candidates = dict(_near(timestamp, widest))
    if not candidates or total < 1:
        return []
    stand_in = _stand_in(timestamp, params)
    split = _splitter(stand_in, list(candidates))
    found: list[Path] = []
    #: What several batches have in common is hashed once.
    known: dict[tuple[Way, bytes], dict[bytes, str]] = {}
    for batch in space.batches(signature, total - 1, {**params, "timestamp": stand_in}):
        for node, body in zip(batch.nodes, batch.bodies, strict=True):
            parts = split(body)
            if parts is None:
                continue
            head, ends = batch.head + parts[0], parts[1]
            for way in batch.ways:
                key = (way, batch.head + body)
                if key not in known:
                    space.tried += len(ends) * len(way.wanted)
                    known[key] = _hits(way, head, ends, list(candidates))
                for mac, near in known[key].items():
                    turn = clock_turn(near, candidates[near])
                    paths = islice(batch.paths(node, way, mac), _MOST_PATHS)
                    found += [(turn, *path) for path in paths]
    return chosen(found)


def _hits(way: Way, head: bytes, ends: list[bytes], candidates: list[str]) -> dict[bytes, str]:
    """The wanted MACs that some timestamp gives, each with the timestamp."""
    mac_of = way.make(head)
    if way.wanted.keys().isdisjoint(map(mac_of, ends)):
        return {}
    macs = map(mac_of, ends)
    return {mac: near for mac, near in zip(macs, candidates, strict=True) if mac in way.wanted}


def _near(timestamp: str, widest: int) -> Iterator[tuple[str, str]]:
    """The timestamps around this one, nearest first, each with how far off it is."""
    if re.fullmatch(r"\d{13}", timestamp):
        for distance in range(1, widest + 1):
            for offset in (distance, -distance):
                yield str(int(timestamp) + offset), f"{offset:+} ms"
        return
    if re.fullmatch(r"\d{10}", timestamp):
        for offset in _SECONDS:
            yield str(int(timestamp) + offset), f"{offset:+} s"
        return
    try:
        moment = datetime.strptime(timestamp, _TEXT)
        for offset in _SECONDS:
            yield (moment + timedelta(seconds=offset)).strftime(_TEXT), f"{offset:+} s"
    except (ValueError, OverflowError):
        return


def _stand_in(timestamp: str, params: Params) -> str:
    """A text of the timestamp's form that is nowhere else in the request, and sorts like it."""
    values = "".join(params.values())
    kept = timestamp[:6] if timestamp.isdigit() else timestamp[:4]
    for mark in ("73", "29", "61", "83", "57"):
        digits = iter(mark * 7)
        text = kept + "".join(
            next(digits) if c.isdigit() else c for c in timestamp[len(kept):]
        )  # fmt: skip
        if text not in values:
            break
    return text


def _splitter(
    stand_in: str, candidates: list[str]
) -> Callable[[bytes], tuple[bytes, list[bytes]] | None]:
    """Cuts a body at the stand-in: what is before it, and what may be in its place and after it.

    The marks in a date may be spelled otherwise there, by percent-encoding once or more.
    """
    if stand_in.isdigit():
        mark, plain = stand_in.encode(), [text.encode() for text in candidates]

        def at_digits(body: bytes) -> tuple[bytes, list[bytes]] | None:
            before, found, after = body.partition(mark)
            return (before, [text + after for text in plain]) if found else None

        return at_digits
    digits, clock = stand_in.split(" ")
    pieces = [re.escape(piece.encode()) for piece in (digits, *clock.split(":"))]
    day, hour, minute, second = pieces
    form = re.compile(
        day + rb"(.{1,9}?)" + hour + rb"(?P<colon>.{1,9}?)" + minute + rb"(?P=colon)" + second
    )

    def at_date(body: bytes) -> tuple[bytes, list[bytes]] | None:
        found = form.search(body)
        if found is None:
            return None
        after = body[found.end() :]
        return body[: found.start()], [
            text.encode().replace(b" ", found[1]).replace(b":", found["colon"]) + after
            for text in candidates
        ]

    return at_date


def clock_turn(text: str, offset: str) -> Turn:
    """The turn that signs this timestamp instead of the one that is sent."""

    def run(context: Context) -> Callable[[Params], Params]:
        return lambda params: {**params, "timestamp": text} if "timestamp" in params else params

    return Turn("timestamp_drift", "format", "timestamp", run, mistake=True, detail=offset)
