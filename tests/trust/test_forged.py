"""Forged callbacks: none is taken, whichever way it comes in; the right one is, once."""

import contextlib
import random
import secrets
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

import alinb
from alinb import listener, oauth
from alinb.errors import CallbackError
from alinb.listener import Listener

APP = alinb.App("500102", "a-secret-that-nobody-shows")
CODE = "3_500102_JxZ05Ux3cnnSSUm6dCxYg6Q26"


def forged(state: str, rng: random.Random) -> str:
    """A state that is not the right one, and often nearly."""
    at = rng.randrange(len(state))
    other = rng.choice([c for c in "0123456789abcdef" if c != state[at]])
    return rng.choice(
        [
            secrets.token_hex(16), state[:at] + other + state[at + 1 :], state[:at], state + other,
            state.upper() + "X", "", " ", state[::-1] + "0", state * 2, "0" * 32, f"{state}\0",
            f"{state}&state={state}x", "%00", "null", "undefined", "*", "ſ" + state[1:],
        ]
    )  # fmt: skip


def test_ten_thousand_pasted_callbacks_are_refused() -> None:
    rng, accepted = random.Random(7), 0
    said: set[str] = set()
    link = alinb.authorize(APP, "https://shop.example/cb")
    for n in range(10_000):
        fields = {"code": f"forged{n}", "state": forged(link.state, rng)}
        pasted = rng.choice(["https://shop.example/cb?{}", "?{}", "{}", "'{}'"])
        try:
            link.callback(pasted.format(urlencode(fields)))
            accepted += 1
        except CallbackError as error:
            said.add(str(error))
    assert accepted == 0
    assert not any(link.state in each for each in said)
    right = link.callback(f"https://shop.example/cb?code={CODE}&state={link.state}")
    assert right.state_checked
    assert right.code.reveal() == CODE


def test_ten_thousand_at_the_listener_do_not_end_the_wait() -> None:
    rng = random.Random(8)
    with Listener(patience=300) as waiting:
        for n in range(10_000):
            query = urlencode({"code": f"forged{n}", "state": forged(waiting.state, rng)})
            status, said = waiting.take(f"/callback?{query}")
            assert status == 403
            assert waiting.state not in said
        assert waiting.outcome is None
        assert waiting.take(f"/callback?code={CODE}&state={waiting.state}")[0] == 200
        again = waiting.take(f"/callback?code=other&state={waiting.state}")
        assert again[0] == 410
        waiting.answered()
        assert waiting.wait(10).code.reveal() == CODE


class Watched:
    """Stands for `hmac`, and tells what was compared by it."""

    def __init__(self) -> None:
        self.compared: list[set[bytes]] = []

    def compare_digest(self, a: bytes, b: bytes) -> bool:
        self.compared.append({a, b})
        return a == b


def by_link(state: str) -> tuple[str, str]:
    link = alinb.authorize(APP)
    with contextlib.suppress(CallbackError):
        link.callback(f"?code={CODE}&state={state or link.state}")
    return link.state, "oauth"


def by_listener(state: str) -> tuple[str, str]:
    with Listener(patience=60) as waiting:
        waiting.take(f"/callback?code={CODE}&state={state or waiting.state}")
        return waiting.state, "listener"


def by_probe(state: str) -> tuple[str, str]:
    with Listener(patience=60) as waiting:
        nonce = waiting.probe.partition("?")[2]
        waiting.take(f"/reached?{state or nonce}")
        return nonce, "listener"


@pytest.mark.parametrize("state", ["other", ""], ids=["forged", "right"])
@pytest.mark.parametrize("compare", [by_link, by_listener, by_probe])
def test_states_are_compared_in_constant_time(
    monkeypatch: pytest.MonkeyPatch, compare: Callable[[str], tuple[str, str]], state: str
) -> None:
    """Every comparison of a state goes through the one function made for it."""
    watched = {"oauth": Watched(), "listener": Watched()}
    monkeypatch.setattr(oauth, "hmac", watched["oauth"])
    monkeypatch.setattr(listener, "hmac", watched["listener"])
    right, where = compare(state)
    assert watched[where].compared == [{(state or right).encode(), right.encode()}]


def test_a_walkthrough_takes_a_state_once() -> None:
    from alinb.widgets.base import Event
    from alinb.widgets.walkthrough import OAuthWalkthrough

    with alinb.sandbox(secret="a-secret-that-nobody-shows", products=1) as box:
        walk = OAuthWalkthrough(box)
        client = walk.client
        assert client is not None
        assert walk.link is not None
        used = walk.link.state
        for state in ("forged", used, used):
            came = urlencode({"code": box.code(), "state": state})
            walk.act("exchange", Event(fields={"callback": f"https://x.example/?{came}"}))
        asked = [each for each in box.gateway.exchanges if "/auth/token/" in each.request.url]
        walk.close()
        client.close()
    assert len(asked) == 1, "the forged one and the replayed one were not sent"
