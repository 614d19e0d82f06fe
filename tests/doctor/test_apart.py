"""What would tell two explanations apart is a parameter on which they really differ."""

import hashlib
import hmac
from urllib.parse import urlencode

import pytest

import alinb
from alinb.doctor.apart import told_apart_by
from alinb.doctor.mistakes import turns
from alinb.recipes import BUSINESS
from alinb.redact import Secret
from alinb.signing import Interface
from alinb.stages import Context

SECRET = "8b1f6c0a2e9d4735b6c8d0e1f2a3b4c5"
PARAMS = {
    "app_key": "500102",
    "method": "aliexpress.ds.product.get",
    "sign_method": "sha256",
    "timestamp": "1777306720082",
}
CONTEXT = Context(Secret(SECRET), app_key="500102", url="https://api-sg.aliexpress.com/sync")
HELD = {**PARAMS, "q": "a b/~", "on": "true", "list": '["a",1]', "none": ""}


def recipe(id_: str, detail: str = "", base=BUSINESS, kind="business", path="", context=CONTEXT):
    known = turns(base, Interface(kind, path), HELD, context)
    return base.turned(next(t for t in known if (t.id, t.detail) == (id_, detail)))


@pytest.mark.parametrize(
    "ids",
    [
        ("values_urlencoded", "values_urlencoded_plus"),
        ("values_urlencoded", "values_double_encoded"),
        ("values_urlencoded", "string_urlencoded"),
        ("sort_locale", "sort_case_insensitive"),
        ("sort_locale", "unsorted"),
        ("sort_case_insensitive", "unsorted"),
        ("json_spaced", "object_tostring"),
        ("python_bool", "json_spaced"),
        ("encoding_low_byte", "lowercase_hex"),
        ("kv_separators", "kv_equals_only"),
    ],
)
def test_a_parameter_is_named_on_which_the_signatures_differ(ids):
    context = CONTEXT
    params = {**HELD, "title": "é"}
    known = turns(BUSINESS, Interface("business", ""), params, context)
    recipes = [BUSINESS.turned(next(t for t in known if t.id == id_)) for id_ in ids]
    name, value = told_apart_by(recipes, PARAMS, context)
    changed = {**PARAMS, **dict.fromkeys(name.split(" and "), value)}
    assert len({recipe.signer(context).sign(changed) for recipe in recipes}) == len(ids)


def test_equal_recipes_cannot_be_told_apart():
    assert told_apart_by([BUSINESS, BUSINESS], PARAMS, CONTEXT) is None


def test_as_many_as_can_be_are_told_apart_at_once():
    ids = ("values_urlencoded", "values_urlencoded_plus", "values_double_encoded", "python_bool")
    recipes = [recipe(id_) for id_ in ids]
    name, value = told_apart_by(recipes, PARAMS, CONTEXT)
    signers = [r.signer(CONTEXT) for r in recipes]
    assert len({signer.sign({**PARAMS, name: value}) for signer in signers}) == 4


def test_two_spellings_are_told_apart_by_the_character_they_differ_on():
    spelled = [recipe("values_urlencoded"), recipe("values_urlencoded", "quote")]
    _, value = told_apart_by(spelled, PARAMS, CONTEXT)
    assert "/" in value


def test_what_decides_the_recipe_is_never_asked_to_be_changed():
    pair = [recipe("kv_separators"), recipe("kv_equals_only")]
    name, _ = told_apart_by(pair, PARAMS, CONTEXT)
    assert name not in ("sign", "sign_method", "method")


def test_a_diagnosis_says_it_and_the_proposed_call_decides():
    """The proposed parameter, sent by the same wrong program, leaves one explanation."""
    params = {**PARAMS, "keywords": "café"}

    def sent(params: dict[str, str], spell) -> str:
        text = "".join(name + spell(params[name]) for name in sorted(params))
        sign = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest().upper()
        return f"https://api-sg.aliexpress.com/sync?{urlencode({**params, 'sign': sign})}"

    def plus(text: str) -> str:
        return urlencode({"": text})[1:]

    found = alinb.diagnose(sent(params, plus), secret=SECRET)
    named = {found.mistakes, *found.alternatives}
    assert named >= {("values_urlencoded",), ("values_urlencoded_plus",)}
    name, value = found.apart
    assert f"A call with {name}={value!r} would tell the explanations apart." in str(found)
    assert found.as_dict()["apart"] == {"parameter": name, "value": value}

    again = alinb.diagnose(sent({**params, name: value}, plus), secret=SECRET)
    left = {again.mistakes, *again.alternatives}
    assert ("values_urlencoded_plus",) in left
    assert ("values_urlencoded",) not in left


def test_a_single_explanation_needs_nothing_to_tell_it_apart():
    text = "".join(name + PARAMS[name] for name in sorted(PARAMS))
    sign = hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    url = f"https://api-sg.aliexpress.com/sync?{urlencode({**PARAMS, 'sign': sign})}"
    found = alinb.diagnose(url, secret=SECRET)
    assert found.mistakes == ("lowercase_hex",)
    assert found.apart is None
