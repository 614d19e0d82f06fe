"""A market to ask, and asking it as the gateway does once a call has passed its checks."""

from collections.abc import Callable
from typing import Any

import pytest

from alinb.gateway.methods import ANSWERS, Asked, Market

NOW = 1_800_000_000.0


@pytest.fixture(scope="session")
def market() -> Market:
    return Market(240)


@pytest.fixture
def answer(market: Market) -> Callable[..., dict[str, Any]]:
    def ask(
        name: str,
        params: dict[str, str] | None = None,
        *,
        user: str = "buyer",
        now: float = NOW,
        faults: tuple[str, ...] = (),
        count: int = 0,
        files: dict[str, bytes] | None = None,
    ) -> dict[str, Any]:
        asked = Asked(market, params or {}, user, now, frozenset(faults), count, files or {})
        return ANSWERS[name](asked)

    return ask
