"""Forged callbacks: none is taken, whichever way it comes in; the right one is, once."""

import random
import secrets
from urllib.parse import urlencode

import pytest

import alinb
from alinb import oauth
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
    with Listener(patience=300) as listener:
        for n in range(10_000):
            query = urlencode({"code": f"forged{n}", "state": forged(listener.state, rng)})
            status, said = listener.take(f"/callback?{query}")
            assert status == 403
            assert listener.state not in said
        assert listener.outcome is None
        assert listener.take(f"/callback?code={CODE}&state={listener.state}")[0] == 200
        again = listener.take(f"/callback?code=other&state={listener.state}")
        assert again[0] == 410
        listener.answered()
        assert listener.wait(10).code.reveal() == CODE


def test_states_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every comparison of a state goes through the one function made for it."""
    compared: list[tuple[bytes, bytes]] = []

    class Watched:
        @staticmethod
        def compare_digest(a: bytes, b: bytes) -> bool:
            compared.append((a, b))
            return a == b

    monkeypatch.setattr(oauth, "hmac", Watched)
    link = alinb.authorize(APP)
    with pytest.raises(CallbackError):
        link.callback(f"?code={CODE}&state=other")
    link.callback(f"?code={CODE}&state={link.state}")
    right = link.state.encode()
    assert [set(pair) for pair in compared] == [{b"other", right}, {right}]


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
