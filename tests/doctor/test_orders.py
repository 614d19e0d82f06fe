"""A string put together by hand, in an order that no sort gives."""

import hmac
import random
from urllib.parse import urlencode

import pytest

from alinb.doctor import diagnose

VALUES = {
    "app_key": "500102", "code": "3_500102_abcdef", "sign_method": "sha256",
    "timestamp": "1517820392000", "format": "json", "grant_type": "authorization_code",
    "redirect_uri": "https://x.example/cb", "state": "s-1",
}  # fmt: skip
PATH, SECRET = "/auth/token/create", "helloworld"


def request(order: list[str], before: str = PATH, after: str = "", secret: str = SECRET) -> str:
    """A URL that was sent in the order of the alphabet and signed in another."""
    text = before + "".join(name + VALUES[name] for name in order) + after
    sign = hmac.new(secret.encode(), text.encode(), "sha256").hexdigest().upper()
    sent = {name: VALUES[name] for name in sorted(order)}
    return f"https://api-sg.aliexpress.com/rest{PATH}?{urlencode({**sent, 'sign': sign})}"


@pytest.mark.parametrize("count", [4, 5, 6, 7])
def test_an_order_of_its_own_is_found_and_named(count: int) -> None:
    order = list(VALUES)[:count]
    random.Random(count).shuffle(order)
    found = diagnose(request(order), secret=SECRET)
    assert (found.verdict, found.mistakes) == ("explained", ("unsorted",))
    (finding,) = [each for each in found.findings if each.id == "unsorted"]
    assert ", ".join(order) in finding.evidence


def test_beside_two_more_mistakes_of_a_short_request() -> None:
    order = ["code", "app_key", "timestamp", "sign_method"]
    found = diagnose(request(order, SECRET, SECRET), secret=SECRET)
    assert set(found.mistakes) == {"unsorted", "path_prefix_missing", "secret_wrapped"}


def test_another_secret_is_not_explained_by_an_order() -> None:
    order = ["code", "app_key", "timestamp", "sign_method"]
    found = diagnose(request(order, secret="another"), secret=SECRET)
    assert (found.verdict, found.mistakes) == ("unexplained", ())


def test_a_long_request_is_not_searched_for_it() -> None:
    order = list(VALUES)
    random.Random(1).shuffle(order)
    found = diagnose(request(order), secret=SECRET)
    assert found.verdict == "unexplained"
