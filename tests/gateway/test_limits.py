"""How often an app may call, and what it is told when it called too often."""

import math
import re
from typing import Any

import pytest

from alinb.errors import InputError
from alinb.gateway import Sandbox
from alinb.gateway.limits import Limits
from alinb.gateway.limits import read as rates_of
from alinb.gateway.refusals import Refusal
from alinb.knowledge import load
from alinb.replies import read

PRODUCT, ADDRESS = "aliexpress.ds.product.get", "aliexpress.ds.address.get"
QUERY = "aliexpress.affiliate.product.query"


def refused(limits: Limits, name: str) -> tuple[str, int] | None:
    try:
        limits.take(name)
    except Refusal as refusal:
        return refusal.code, refusal.seconds
    return None


def granted(limits: Limits, clock: Any, name: str, seconds: float, tries_a_second: int) -> int:
    """How many of steady tries are granted."""
    count = 0
    for _ in range(round(seconds * tries_a_second)):
        count += refused(limits, name) is None
        clock.forward(1 / tries_a_second)
    return count


def test_without_a_figure_there_is_no_limit(clock: Any) -> None:
    limits = Limits(clock)
    assert {refused(limits, PRODUCT) for _ in range(1000)} == {None}


def test_over_a_minute_the_permitted_rate_is_granted_and_no_more(clock: Any) -> None:
    limits = Limits(clock, qps=10)
    assert granted(limits, clock, PRODUCT, 60, 100) == pytest.approx(600, abs=2)


def test_steady_calls_at_the_permitted_rate_are_all_granted(clock: Any) -> None:
    limits = Limits(clock, qps=50)
    assert granted(limits, clock, PRODUCT, 60, 50) == 3000


@pytest.mark.parametrize("burst", [1, 2, 5])
def test_a_burst_comes_at_once(clock: Any, burst: int) -> None:
    limits = Limits(clock, qps=1, burst=burst)
    assert [refused(limits, PRODUCT) for _ in range(burst)] == [None] * burst
    assert refused(limits, PRODUCT) == ("ApiCallLimit", burst)


def test_the_published_figures_hold_by_method(clock: Any) -> None:
    limits = Limits(clock, qps="published")
    assert load("quotas")["qps"][ADDRESS] == 4
    assert granted(limits, clock, ADDRESS, 10, 100) == pytest.approx(40, abs=2)
    assert granted(limits, clock, PRODUCT, 10, 1000) == pytest.approx(5000, abs=2)
    assert {refused(limits, QUERY) for _ in range(100)} == {None}, "no figure is published"


def test_one_method_may_have_a_figure_of_its_own(clock: Any) -> None:
    limits = Limits(clock, qps={QUERY: 1})
    assert {refused(limits, PRODUCT) for _ in range(100)} == {None}
    assert [refused(limits, QUERY) for _ in range(3)][-1] == ("ApiCallLimit", 2)


def test_the_rate_may_be_halved_while_calls_come(clock: Any) -> None:
    limits = Limits(clock, qps=20)
    assert granted(limits, clock, QUERY, 10, 100) == pytest.approx(200, abs=2)
    limits.qps = 10
    assert granted(limits, clock, QUERY, 10, 100) == pytest.approx(100, abs=2)


def test_a_ban_refuses_everything_until_it_ends(clock: Any) -> None:
    limits = Limits(clock, qps=10, ban_s=3)
    assert [refused(limits, QUERY) for _ in range(3)] == [None, None, ("ApiCallLimit", 3)]
    clock.forward(1)
    assert refused(limits, QUERY) == ("ApiCallLimit", 2)
    clock.forward(1.9)
    assert refused(limits, QUERY) == ("ApiCallLimit", 1)
    clock.forward(0.11)
    assert refused(limits, QUERY) is None


def test_a_day_ends_at_midnight_in_china(clock: Any) -> None:
    """The clock stands at 16:00 there, eight hours before the day's end."""
    limits = Limits(clock, quota=3)
    assert [refused(limits, QUERY) for _ in range(3)] == [None] * 3
    assert refused(limits, PRODUCT) == ("AppCallLimit", 8 * 3600)
    clock.forward(8 * 3600 - 1)
    assert refused(limits, QUERY) == ("AppCallLimit", 1)
    clock.forward(1)
    assert [refused(limits, QUERY) for _ in range(3)] == [None] * 3
    assert refused(limits, QUERY) == ("AppCallLimit", 86_400)


@pytest.mark.parametrize(
    ("options", "at", "said", "seconds"),
    [
        ({"qps": 1}, "/sync", "this ban will last 2 seconds", 2),
        ({"qps": 1}, "/router/rest", "This ban will last for 2 more seconds", 2),
        ({"quota": 2}, "/sync", "This ban will last 28800 seconds", 28_800),
        ({"quota": 2}, "/router/rest", "This ban will last for 28800 more seconds", 28_800),
        ({"fault": "AppApiCallLimit=14229"}, "/sync", "This ban will last 14229 seconds", 14_229),
        ({"fault": "ApiCallLimit=1"}, "/sync", "this ban will last 1 seconds", 1),
        ({"fault": "AppCallLimit=22238"}, "/router/rest", "last for 22238 more seconds", 22_238),
    ],
)
def test_ban_texts_in_every_spelling_are_read_by_the_client(
    clock: Any, ask: Any, options: Any, at: str, said: str, seconds: int
) -> None:
    box = Sandbox(clock=clock, products=1, **options)
    answers = [ask(box, QUERY, at=at, by="md5" if "router" in at else "sha256") for _ in range(3)]
    reply = read(200, str(answers[-1]).replace("'", '"'))
    assert said in str(answers[-1])
    assert (reply.is_limit, reply.ban_seconds) == (True, seconds)


@pytest.mark.parametrize(
    "options",
    [{"qps": -1}, {"qps": float("nan")}, {"qps": "fast"}, {"qps": {QUERY: -2}}, {"quota": -1},
     {"burst": 0}, {"quota": 1.5}],
)  # fmt: skip
def test_a_limit_that_cannot_be_is_one_clear_line(options: Any) -> None:
    with pytest.raises(InputError) as caught:
        Sandbox(products=0, **options)
    assert "\n" not in str(caught.value)
    assert "Use" in str(caught.value)


def test_rates_as_text_the_last_of_several_holds() -> None:
    detail = "aliexpress.ds.product.get"
    assert rates_of([]) == {}
    assert rates_of(["5"]) == {"": 5.0}
    assert rates_of([f"{detail}=1", "published"]) == load("quotas")["qps"]
    assert rates_of(["published", f"{detail}=1", "9"]) == {
        **load("quotas")["qps"], detail: 1.0, "": 9.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fast", "'fast' is no rate. Use N, published, or NAME=N."),
        ("aliexpress.ds.product.get=x", "'aliexpress.ds.product.get=x' is no rate."),
        ("aliexpress.ds.adress.get=1", "Did you mean aliexpress.ds.address.get"),
        ("nan", "nan calls a second is no rate"),
    ],
)
def test_a_text_that_is_no_rate(text: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        rates_of([text])


@pytest.mark.parametrize("ban", [-1.0, math.inf, math.nan])
def test_a_ban_that_makes_no_sense(ban: float) -> None:
    with pytest.raises(InputError, match="makes no sense"):
        Limits(lambda: 0.0, ban_s=ban)
