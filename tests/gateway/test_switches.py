"""What nobody knows of the platform: each has a default, and each choice does what it says."""

from typing import Any

import pytest

from alinb.errors import InputError
from alinb.gateway import Sandbox
from alinb.gateway.switches import UNKNOWN, Switches

CREATE, REFRESH = "/auth/token/create", "/auth/token/refresh"
QUERY, DETAIL = "aliexpress.affiliate.product.query", "aliexpress.ds.product.get"


def code_of(answer: dict[str, Any]) -> str:
    return str(answer.get("error_response", answer).get("code", ""))


@pytest.fixture
def make(clock: Any) -> Any:
    return lambda **assume: Sandbox(clock=clock, products=3, assume=assume)


def test_each_has_its_first_choice_for_a_default() -> None:
    standing = Switches()
    assert {name: getattr(standing, name) for name in UNKNOWN} == {
        name: unknown.choices[0] for name, unknown in UNKNOWN.items()
    }
    for name, unknown in UNKNOWN.items():
        assert unknown.question.endswith("?"), name
        assert unknown.why.endswith("."), name


def test_a_name_or_a_choice_there_is_not_is_one_clear_line() -> None:
    with pytest.raises(InputError, match=r"nothing to assume about 'lower'.*lower_hex"):
        Sandbox(products=0, assume={"lower": "x"})
    with pytest.raises(InputError, match=r"lower_hex cannot be 'maybe'. Use refused or accepted"):
        Sandbox(products=0, assume={"lower_hex": "maybe"})


@pytest.mark.parametrize(
    ("empties", "signed_with", "accepted"),
    [
        ("either", True, True),
        ("either", False, True),
        ("signed", True, True),
        ("signed", False, False),
        ("dropped", True, False),
        ("dropped", False, True),
    ],
)
def test_empties(make: Any, ask: Any, empties: str, signed_with: bool, accepted: bool) -> None:
    box = make(empties=empties)
    with_empty: Any = {"keywords": "", "tracking_id": "t"}
    if signed_with:
        answer = ask(box, QUERY, with_empty)
    else:
        answer = ask(box, QUERY, {"tracking_id": "t"}, changed={"keywords": ""})
    assert (code_of(answer) != "IncompleteSignature") is accepted


def test_a_value_that_is_not_empty_is_always_signed(make: Any, ask: Any) -> None:
    for empties in UNKNOWN["empties"].choices:
        answer = ask(make(empties=empties), QUERY, changed={"keywords": "x"})
        assert code_of(answer) == "IncompleteSignature"


@pytest.mark.parametrize("choice", ["refused", "accepted"])
def test_old_tokens(make: Any, ask: Any, choice: str) -> None:
    box = make(old_refresh=choice, old_access=choice)
    first = ask(box, CREATE, {"code": box.code()})
    second = ask(box, REFRESH, {"refresh_token": first["refresh_token"]})
    assert second["code"] == "0"
    again = ask(box, REFRESH, {"refresh_token": first["refresh_token"]})
    assert again["code"] == ("0" if choice == "accepted" else "IllegalRefreshToken")
    old = ask(box, DETAIL, {"session": first["access_token"]})
    assert code_of(old) == ("MissingParameter" if choice == "accepted" else "IllegalAccessToken")


@pytest.mark.parametrize("choice", ["revokes", "keeps"])
def test_a_replayed_code(make: Any, ask: Any, choice: str) -> None:
    box = make(replayed_code=choice)
    code = box.code()
    first = ask(box, CREATE, {"code": code})
    other = ask(box, CREATE, {"code": box.code()})
    assert ask(box, CREATE, {"code": code})["code"] == "InvalidCode"
    for held, alive in ((first, choice == "keeps"), (other, True)):
        answer = ask(box, DETAIL, {"session": held["access_token"]})
        assert (code_of(answer) == "MissingParameter") is alive
        again = ask(box, REFRESH, {"refresh_token": held["refresh_token"]})
        assert (again["code"] == "0") is alive


@pytest.mark.parametrize(("choice", "code"), [("refused", "IncompleteSignature"), ("accepted", "")])
def test_lower_hex(make: Any, ask: Any, signed: Any, choice: str, code: str) -> None:
    box = make(lower_hex=choice)
    lower = signed(box, QUERY)["sign"].lower()
    assert code_of(ask(box, QUERY, changed={"sign": lower})) == code


@pytest.mark.parametrize(("choice", "code"), [("accepted", ""), ("refused", "IncompleteSignature")])
def test_md5(make: Any, ask: Any, choice: str, code: str) -> None:
    box = make(md5=choice)
    assert code_of(ask(box, QUERY, by="md5")) == code
    assert code_of(ask(box, QUERY, by="md5", at="/router/rest")) == "", "TOP always took it"


@pytest.mark.parametrize(("choice", "code"), [("refused", "IllegalTimestamp"), ("accepted", "")])
def test_epoch_seconds(make: Any, ask: Any, choice: str, code: str) -> None:
    assert code_of(ask(make(epoch_seconds=choice), QUERY, {"timestamp": "1800000000"})) == code


@pytest.mark.parametrize(
    ("choice", "utc", "china"),
    [
        ("either", "", ""),
        ("utc", "", "IllegalTimestamp"),
        ("gmt+8", "IllegalTimestamp", ""),
    ],
)
def test_text_zone(make: Any, ask: Any, choice: str, utc: str, china: str) -> None:
    box = make(text_zone=choice)
    assert code_of(ask(box, QUERY, {"timestamp": "2027-01-15 08:00:00"})) == utc
    assert code_of(ask(box, QUERY, {"timestamp": "2027-01-15 16:00:00"})) == china


@pytest.mark.parametrize("choice", ["anywhere", "central"])
def test_lazada_tokens(clock: Any, signed: Any, choice: str) -> None:
    from urllib.parse import urlencode

    from alinb.gateway.exchanges import Incoming

    box = Sandbox(platform="lazada-sg", clock=clock, products=0, assume={"lazada_tokens": choice})
    for host in ("127.0.0.1:8700", "localhost:8700"):
        query = urlencode(signed(box, CREATE, {"code": box.code()}))
        answered = box.gateway.answer(Incoming("GET", f"http://{host}/rest{CREATE}?{query}"))
        refused = choice == "central" and host.startswith("127")
        assert answered.code == ("InvalidCode" if refused else "")
