"""A clock read twice: the string holds a timestamp some milliseconds off the one that was sent.

Ten thousand timestamps are too many turns for the search, and need none: the messages are made once
with a stand-in, and each candidate is put in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from ..stages import Context, Params, Turn
from .search import Path, Search

#: The widest drift, in ms, and the one that is looked for beside other mistakes.
WIDEST_MS = 5000
USUAL_MS = 50

_TEXT = "%Y-%m-%d %H:%M:%S"


def drifted(space: Search, signature: str, params: Params, total: int, widest: int) -> list[Path]:
    """Paths of exactly `total` mistakes, one of them a timestamp up to `widest` ms off."""
    timestamp = params.get("timestamp", "")
    candidates = list(_near(timestamp, widest))
    if not candidates or total < 1:
        return []
    stand_in = _stand_in(timestamp, params)
    found: list[Path] = []
    replaced = {**params, "timestamp": stand_in}
    for altered, ways, messages in space.walk(signature, total - 1, replaced):
        # What several paths have in common is hashed once.
        paths_to: dict[tuple[bytes, int], list[Callable[[], Iterator[Path]]]] = {}
        for message, path_to, left in messages:
            paths_to.setdefault((message, left), []).append(path_to)
        for (message, left), before in paths_to.items():
            head, mark, tail = message.partition(stand_in.encode())
            ends = [text + tail for text, _ in candidates] if mark else []
            for make, targets in ways[left] if mark else ():
                mac_of = make(head)
                space.tried += len(ends)
                macs = list(map(mac_of, ends))
                for target, end in targets:
                    if target in macs:
                        text, offset = candidates[macs.index(target)]
                        turn = _turn(text.decode(), offset)
                        found += [
                            (*altered, turn, *path, *end)
                            for path_to in before
                            for path in path_to()
                        ]
    return [tuple(sorted(path, key=lambda turn: turn.place)) for path in found]


def _near(timestamp: str, widest: int) -> Iterator[tuple[bytes, str]]:
    """The timestamps around this one, nearest first, each with how far off it is."""
    if re.fullmatch(r"\d{13}", timestamp):
        for distance in range(1, widest + 1):
            for offset in (distance, -distance):
                yield str(int(timestamp) + offset).encode(), f"{offset:+} ms"
        return
    try:
        moment = datetime.strptime(timestamp, _TEXT)
    except ValueError:
        return
    for seconds in range(1, WIDEST_MS // 1000 + 1):
        for offset in (seconds, -seconds):
            near = moment + timedelta(seconds=offset)
            yield near.strftime(_TEXT).encode(), f"{offset:+} s"


def _stand_in(timestamp: str, params: Params) -> str:
    """A text of the timestamp's form that is nowhere else in the request."""
    values = "".join(params.values())
    marks = [pair * 7 for pair in ("73", "29", "61", "83")]
    if timestamp.isdigit():
        marks = [mark[:13] for mark in marks]
    else:
        marks = [f"{m[:4]}-{m[:2]}-{m[:2]} {m[:2]}:{m[:2]}:{m[:2]}" for m in marks]
    return next((mark for mark in marks if mark not in values), marks[0])


def _turn(text: str, offset: str) -> Turn:
    def run(context: Context) -> Callable[[Params], Params]:
        return lambda params: {**params, "timestamp": text} if "timestamp" in params else params

    return Turn("timestamp_drift", "format", "timestamp", run, mistake=True, detail=offset)
