"""Codes and tokens of the sandbox: how long they live, how often they work."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from threading import Barrier
from typing import Any

import pytest

from alinb.app import Platform
from alinb.gateway import Sandbox
from alinb.gateway.state import Grant, State

DAY = 86_400
KEY = "500102"


def pseudo_random(count: int) -> bytes:
    """The same bytes at every call, to see what is made of them."""
    return bytes(range(count))


@pytest.fixture
def state(clock: Any) -> State:
    return make(clock)


def make(clock: Any, **changed: Any) -> State:
    counter = iter(range(10**6))

    def random(count: int) -> bytes:
        return blake2b(str(next(counter)).encode(), digest_size=count).digest()

    options: dict[str, Any] = {
        "status": "test", "code_seconds": 180, "clock": clock, "random": random,
    }  # fmt: skip
    return State(KEY, **{**options, **changed})


def granted(state: State) -> Grant:
    grant = state.exchange(state.new_code())
    assert grant is not None
    return grant


def test_a_code_has_the_shape_that_is_seen_live(state: State) -> None:
    first, second = state.new_code(), state.new_code()
    assert re.fullmatch(r"3_500102_[A-Za-z0-9]{22}", first)
    assert first != second


def test_the_bytes_of_a_code_come_from_the_random_source_given(clock: Any) -> None:
    one, two = (make(clock, random=pseudo_random).new_code() for _ in range(2))
    assert one == two == "3_500102_ABCDEFGHJKLMNPQRSTUVWX"


@pytest.mark.parametrize(("waited", "accepted"), [(0, True), (179.9, True), (180, False)])
def test_a_code_lives_180_seconds(state: State, clock: Any, waited: float, accepted: bool) -> None:
    code = state.new_code()
    clock.forward(waited)
    assert (state.exchange(code) is not None) is accepted


@pytest.mark.parametrize(
    ("platform", "seconds"),
    [("aliexpress", 180), ("lazada", 1800), ("daraz-bd", 1800), ("miravia", 1800)],
)
def test_a_sandbox_gives_codes_the_life_of_its_platform(
    clock: Any, platform: str, seconds: int
) -> None:
    assert Platform.named(platform).code_seconds == seconds
    for waited, accepted in ((seconds - 1, True), (seconds, False)):
        box = Sandbox(platform=platform, clock=clock, products=1)
        code = box.code()
        clock.forward(waited)
        assert (box.gateway.state.exchange(code) is not None) is accepted


def test_a_code_works_once(state: State) -> None:
    code = state.new_code()
    assert state.exchange(code) is not None
    assert state.exchange(code) is None


def test_a_code_works_once_however_many_ask_at_the_same_moment(state: State) -> None:
    asking = 8
    for _ in range(50):
        code, together = state.new_code(), Barrier(asking)

        def exchange(code: str = code, together: Barrier = together) -> Grant | None:
            together.wait()
            return state.exchange(code)

        with ThreadPoolExecutor(asking) as pool:
            grants = [future.result() for future in [pool.submit(exchange) for _ in range(asking)]]
        assert sum(grant is not None for grant in grants) == 1


@pytest.mark.parametrize("code", ["", "3_500102_ABCDEFGHJKLMNPQRSTUVWX", "0", "ünïcode"])
def test_a_code_that_was_never_given_is_refused(state: State, code: str) -> None:
    assert state.exchange(code) is None


def test_the_code_of_another_sandbox_is_refused(clock: Any) -> None:
    mine, theirs = Sandbox(clock=clock, products=1), Sandbox(clock=clock, products=1)
    code = theirs.code()
    assert mine.gateway.state.exchange(code) is None
    assert theirs.gateway.state.exchange(code) is not None


def test_old_codes_are_forgotten(state: State, clock: Any) -> None:
    old = [state.new_code() for _ in range(100)]
    clock.forward(181)
    state.new_code()
    assert len(state._codes) == 1, "the hundred that ran out are kept"
    assert all(state.exchange(code) is None for code in old)


@pytest.mark.parametrize(("status", "access", "refresh"), [("test", 1, 2), ("online", 30, 60)])
def test_token_lives_follow_the_status_of_the_app(
    clock: Any, status: str, access: int, refresh: int
) -> None:
    state = make(clock, status=status)
    reply = state.reply(granted(state))
    assert reply["expires_in"] == access * DAY
    assert reply["refresh_expires_in"] == refresh * DAY
    assert reply["expire_time"] == (1_800_000_000 + access * DAY) * 1000
    assert reply["refresh_token_valid_time"] == (1_800_000_000 + refresh * DAY) * 1000


def test_the_reply_has_the_fields_and_types_of_a_live_one(state: State) -> None:
    reply = state.reply(granted(state))
    assert {name: type(value) for name, value in reply.items()} == {
        "access_token": str, "refresh_token": str, "expires_in": int, "expire_time": int,
        "refresh_expires_in": int, "refresh_token_valid_time": int, "user_id": str,
        "seller_id": str, "user_nick": str, "havana_id": str, "account": str,
        "account_platform": str, "sp": str, "locale": str, "code": str,
    }  # fmt: skip
    assert reply["account_platform"] == "buyerApp"
    assert (reply["sp"], reply["locale"], reply["code"]) == ("ae", "zh_CN", "0")
    assert reply["user_id"] == reply["seller_id"] == reply["havana_id"]
    assert re.fullmatch(r"50000\w{56}", reply["access_token"])
    assert re.fullmatch(r"50001\w{56}", reply["refresh_token"])


def test_the_security_reply_lacks_the_four_account_fields(state: State) -> None:
    grant = granted(state)
    plain, secure = state.reply(grant), state.reply(grant, secure=True)
    missing = {"user_nick", "havana_id", "account", "account_platform"}
    assert plain.keys() - secure.keys() == missing
    assert secure == {name: value for name, value in plain.items() if name not in missing}


def test_an_access_token_ends_with_its_day(state: State, clock: Any) -> None:
    grant = granted(state)
    clock.forward(DAY - 1)
    assert state.accepts(grant.access_token)
    clock.forward(1)
    assert not state.accepts(grant.access_token)


def test_only_an_access_token_is_accepted_as_one(state: State) -> None:
    grant = granted(state)
    assert not state.accepts(grant.refresh_token)
    assert not state.accepts("")
    assert not state.accepts(grant.access_token.lower())


def test_a_refresh_gives_a_new_pair_and_ends_the_old_one(state: State) -> None:
    old = granted(state)
    new = state.refresh(old.refresh_token)
    assert new is not None
    assert len({old.access_token, old.refresh_token, new.access_token, new.refresh_token}) == 4
    assert state.accepts(new.access_token)
    assert not state.accepts(old.access_token)
    assert state.refresh(old.refresh_token) is None
    assert state.refresh(new.refresh_token) is not None


def test_a_refresh_restarts_the_access_clock_and_not_the_refresh_clock(
    state: State, clock: Any
) -> None:
    old = granted(state)
    clock.forward(DAY // 2)
    new = state.refresh(old.refresh_token)
    assert new is not None
    assert new.expires_at == clock() + DAY
    assert new.refresh_expires_at == old.refresh_expires_at
    reply = state.reply(new)
    assert reply["expires_in"] == DAY
    assert reply["refresh_expires_in"] == 2 * DAY - DAY // 2


def test_no_chain_of_refreshes_outlives_the_consent(state: State, clock: Any) -> None:
    grant = granted(state)
    for _ in range(3):
        clock.forward(DAY // 2)
        refreshed = state.refresh(grant.refresh_token)
        assert refreshed is not None
        grant = refreshed
    assert state.reply(grant)["expires_in"] == DAY // 2, "the access token outlives the refresh one"
    clock.forward(DAY // 2)
    assert not state.accepts(grant.access_token)
    assert state.refresh(grant.refresh_token) is None


@pytest.mark.parametrize(("waited", "accepted"), [(2 * DAY - 1, True), (2 * DAY, False)])
def test_a_refresh_token_ends_after_two_days_in_test_status(
    state: State, clock: Any, waited: int, accepted: bool
) -> None:
    grant = granted(state)
    clock.forward(waited)
    assert (state.refresh(grant.refresh_token) is not None) is accepted


def test_an_access_token_does_not_refresh(state: State) -> None:
    assert state.refresh(granted(state).access_token) is None


def test_no_token_stands_in_a_repr(state: State) -> None:
    grant = granted(state)
    for shown in (repr(grant), str(grant), repr(state)):
        assert grant.access_token not in shown
        assert grant.refresh_token not in shown


class TestThroughTheGateway:
    """The same over the gateway's checks, in requests that are signed by hand."""

    @pytest.fixture
    def box(self, clock: Any) -> Sandbox:
        return Sandbox(clock=clock, products=3)

    def test_exchange_then_refresh(self, box: Sandbox, ask: Callable[..., Any]) -> None:
        token = ask(box, "/auth/token/create", {"code": box.code()})
        assert (token["code"], token["expires_in"]) == ("0", DAY)
        again = ask(box, "/auth/token/refresh", {"refresh_token": token["refresh_token"]})
        assert again["code"] == "0"
        assert again["access_token"] != token["access_token"]
        late = ask(box, "/auth/token/refresh", {"refresh_token": token["refresh_token"]})
        assert late["code"] == "IllegalRefreshToken"
        assert late["message"] == "The specified refresh token is invalid or expired"

    def test_a_second_exchange_is_refused(self, box: Sandbox, ask: Callable[..., Any]) -> None:
        code = box.code()
        assert ask(box, "/auth/token/create", {"code": code})["code"] == "0"
        again = ask(box, "/auth/token/create", {"code": code})
        assert (again["code"], again["message"]) == ("InvalidCode", "Invalid authorization code")

    def test_a_wrong_signature_does_not_spend_the_code(
        self, box: Sandbox, ask: Callable[..., Any]
    ) -> None:
        code = box.code()
        for changed in ({"sign": "0" * 64}, {"format": "json"}):
            wrong = ask(box, "/auth/token/create", {"code": code}, changed=changed)
            assert wrong["code"] == "IncompleteSignature"
        assert ask(box, "/auth/token/create", {"code": code})["code"] == "0"

    def test_neither_does_a_late_timestamp(
        self, box: Sandbox, ask: Callable[..., Any], clock: Any
    ) -> None:
        code, late = box.code(), str(round((clock() - 7201) * 1000))
        refused = ask(box, "/auth/token/create", {"code": code, "timestamp": late})
        assert refused["code"] == "IllegalTimestamp"
        assert ask(box, "/auth/token/create", {"code": code})["code"] == "0"

    @pytest.mark.parametrize("uuid", ["", "1", "6b1f7e2c"])
    def test_a_uuid_spoils_the_exchange(
        self, box: Sandbox, ask: Callable[..., Any], uuid: str
    ) -> None:
        spoiled = ask(box, "/auth/token/create", {"code": box.code(), "uuid": uuid})
        assert spoiled["code"] == "InvalidCode"

    def test_the_security_pair(self, box: Sandbox, ask: Callable[..., Any]) -> None:
        made = ask(box, "/auth/token/security/create", {"code": box.code()})
        assert made["code"] == "0"
        assert "account" not in made
        renewed = ask(box, "/auth/token/security/refresh", {"refresh_token": made["refresh_token"]})
        assert renewed["code"] == "0"
        assert renewed["account_platform"] == "buyerApp"

    @pytest.mark.parametrize(
        ("name", "parameter"),
        [
            ("/auth/token/create", "code"),
            ("/auth/token/security/create", "code"),
            ("/auth/token/refresh", "refresh_token"),
            ("/auth/token/security/refresh", "refresh_token"),
        ],
    )
    @pytest.mark.parametrize("value", [None, ""])
    def test_the_missing_parameter_is_named(
        self, box: Sandbox, ask: Callable[..., Any], name: str, parameter: str, value: str | None
    ) -> None:
        refused = ask(box, name, {parameter: value})
        assert refused["code"] == "MissingParameter"
        assert f"“{parameter}”" in refused["message"]

    def test_an_expired_access_token_is_refused_and_a_refreshed_one_taken(
        self, box: Sandbox, ask: Callable[..., Any], clock: Any
    ) -> None:
        token = ask(box, "/auth/token/create", {"code": box.code()})
        search = {"local": "en_US", "countryCode": "US", "currency": "USD"}

        def searched(access_token: str) -> dict[str, Any]:
            found: dict[str, Any] = ask(
                box, "aliexpress.ds.text.search", {**search, "session": access_token}
            )
            return found

        assert "aliexpress_ds_text_search_response" in searched(token["access_token"])
        clock.forward(DAY)
        refused = searched(token["access_token"])["error_response"]
        assert refused["code"] == "IllegalAccessToken"
        assert refused["msg"] == "The specified access token is invalid or expired"
        new = ask(box, "/auth/token/refresh", {"refresh_token": token["refresh_token"]})
        assert "aliexpress_ds_text_search_response" in searched(new["access_token"])
