"""A figure, and the one that is promised."""

import statistics
from typing import NamedTuple


class Figure(NamedTuple):
    """One figure beside the one that is promised; `spread` is the middle half of its rounds."""

    what: str
    measured: float
    limit: float
    unit: str
    spread: tuple[float, float]

    @property
    def ok(self) -> bool:
        return self.measured <= self.limit


def figure(what: str, values: list[float], limit: float, unit: str) -> Figure:
    low, middle, high = statistics.quantiles(values, n=4)
    return Figure(what, middle, limit, unit, (low, high))
