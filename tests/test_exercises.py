"""The exercises' checks: right answers pass, each wrong one is told why."""

import hashlib
import hmac
from urllib.parse import parse_qs, quote, urlsplit

import pytest

import alinb
from alinb import exercises

SECRET = "8b1f6c0a2e9d4735b6c8d0e1f2a3b4c5"
APP = alinb.App("500102", SECRET)


def right(name, params, secret):
    text = "".join(key + params[key] for key in sorted(params))
    text = name + text if "/" in name else text
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


def always_path(name, params, secret):
    return right("/" + name if "/" not in name else name, params, secret)


def quoted(name, params, secret):
    return right(name, {key: quote(value, safe="") for key, value in params.items()}, secret)


def unsorted(name, params, secret):
    order = sorted(params, key=str.lower)
    text = ("/" in name) * name + "".join(key + params[key] for key in order)
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


def separated(name, params, secret):
    text = ("/" in name) * name + "&".join(f"{key}={params[key]}" for key in sorted(params))
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


def test_a_function_that_signs_right_passes():
    verdict = exercises.signing(right)
    assert verdict
    assert repr(verdict) == "✓ Right. All 4 calls are signed as the platform does it."


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (always_path, "On aliexpress.affiliate.category.get: Something stands before a business"),
        (quoted, "On aliexpress.ds.recommend.feed.get: Values are percent-encoded"),
        (unsorted, "On aliexpress.ds.recommend.feed.get: Names are sorted"),
        (separated, "On /auth/token/create: The pairs are joined like a URL query."),
        (lambda *_: None, "it gave None"),
        (lambda *_: "F" * 64, "no known mistake gives your signature"),
        (lambda: "", "raised TypeError"),
    ],
)
def test_a_function_that_signs_wrong_is_told_why(function, said):
    verdict = exercises.signing(function)
    assert not verdict
    assert repr(verdict).startswith("✗ Not yet. On ")
    assert said in verdict.why


@pytest.fixture
def found():
    signed = alinb.sign("/auth/token/create", {"code": "3_1_x"}, app=APP, verb="GET")
    return alinb.diagnose(alinb.mistaken(signed, "secret_wrapped").url, secret=SECRET)


@pytest.mark.parametrize(
    ("answer", "ok", "said"),
    [
        ("wrap", True, "the secret stands around the string"),
        ("digest", False, "wrap is the first that differs"),
        ("join", False, "the same in both"),
        ("", False, "one of the eight stages"),
    ],
)
def test_the_stage_of_the_wrong_turn(found, answer, ok, said):
    verdict = exercises.stage(found, answer)
    assert (verdict.ok, said in verdict.why) == (ok, True), verdict


@pytest.mark.parametrize(
    ("answer", "ok", "said"),
    [
        ("secret_wrapped", True, "The secret stands around the string."),
        ("kv_separators", False, "would show like this"),
        ("", False, "No id is given; ids are spelled like path_prefix_missing."),
        (
            "secret wrapped",
            False,
            "'secret wrapped' is no id of a mistake; ids are spelled like secret_wrapped",
        ),
        ("?", False, "spelled like path_prefix_missing."),
    ],
)
def test_the_name_of_the_mistake(found, answer, ok, said):
    verdict = exercises.mistake(found, answer)
    assert (verdict.ok, said in verdict.why) == (ok, True), verdict
    kept = alinb.Attempt("GET", "https://h/rest/a", diagnosis=found.as_dict())
    assert exercises.mistake(kept, answer) == verdict
    assert not exercises.mistake(alinb.Attempt("GET", "https://h/rest/a"), "secret_wrapped")


def read(address, state):
    fields = parse_qs(urlsplit(address).query)
    return fields["code"][0] if fields.get("state") == [state] and "code" in fields else None


def test_a_function_that_reads_callbacks_right_passes():
    assert exercises.callback(read)
    assert exercises.callback(lambda a, s: alinb.Secret(c) if (c := read(a, s)) else None)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda a, s: a.split("code=")[1].split("&")[0],
         "not '3_500102_Jx%2B05'. In an address `+` is written %2B"),
        (lambda a, s: parse_qs(urlsplit(a).query)["code"][0], "the state of another link"),
        (lambda a, s: None, "a plain callback"),
        (lambda a, s: parse_qs(urlsplit(a).query)["code"][0] if s in a else None,
         "raised KeyError: 'code'"),
    ],
)  # fmt: skip
def test_a_function_that_reads_callbacks_wrong_is_told_why(function, said):
    verdict = exercises.callback(function)
    assert not verdict
    assert said in verdict.why


@pytest.mark.parametrize(
    ("size", "ok", "why"),
    [
        (0, False, "one record at least"),
        (20, False, "84 records took 5 calls with 20 a page; 2 would do."),
        (60, False, "but no page held more than 50."),
        (50, True, "84 records took 2 calls with 50 a page, and a page holds 50 at most."),
    ],
)
def test_a_page_size_is_tried_and_counted(size, ok, why):
    box = alinb.sandbox(products=1000)
    with alinb.Client(box, journal=False) as client:
        client.exchange(box.code())
        asked = {"keyWord": "lamp", "local": "en_US", "countryCode": "FR", "currency": "EUR"}

        def pull(size):
            return client.pull(
                "aliexpress.ds.text.search", pageSize=size, qps=1000, progress=False, **asked
            )

        found = exercises.fewest_calls(pull, size)
    assert found.ok is ok
    assert why in found.why
