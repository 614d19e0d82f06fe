"""An event loop whose time jumps to the next thing that happens."""

import asyncio
import random
import selectors
from collections.abc import Coroutine
from typing import Any


class VirtualLoop(asyncio.SelectorEventLoop):
    """Nothing in it takes time but sleeping, and that takes none of ours."""

    def __init__(self, late_s: float = 0.0, seed: int = 1) -> None:
        self.now, self.late_s, self.random = 1000.0, late_s, random.Random(seed)
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self.now


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout:
            self.loop.now += timeout + self.loop.random.random() * self.loop.late_s
        return super().select(0)


def run(coroutine: Coroutine[Any, Any, Any], late_s: float = 0.0, seed: int = 1) -> Any:
    """Run to the end in virtual time; each wake-up is late by at most `late_s`."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(late_s, seed)) as runner:
        return runner.run(coroutine)


class Bucket:
    """A gateway's quota: `rate` calls a second, of which `burst` may come at once."""

    def __init__(self, rate: float, burst: int = 2) -> None:
        self.rate, self.burst, self.even = rate, burst, 0.0
        self.refused: list[float] = []
        self.taken: list[float] = []

    def takes(self, now: float) -> bool:
        interval = 1 / self.rate
        if now < self.even - (self.burst - 1) * interval:
            self.refused.append(now)
            return False
        self.even = max(self.even, now) + interval
        self.taken.append(now)
        return True
