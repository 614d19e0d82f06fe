import copy
import hashlib
import hmac
import itertools
import pickle
import random
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

from alinb.recipes import (
    APP_SECRET,
    HMAC_MD5,
    NO_PREFIX,
    PATH_IN_FRONT,
    RECIPES,
    SECRET_BOTH_SIDES,
    UPPER_HEX,
    UTF8,
)
from alinb.redact import Secret
from alinb.stages import NAME, SLOTS, STAGES, VALUE, Context, Recipe, Segment, Turn, Walk, mask

SECRET = "helloworld"
PATH = "/auth/token/create"
CONTEXT = Context(
    Secret(SECRET), path=PATH, app_key="12345678", url="https://api-sg.aliexpress.com/rest" + PATH
)
PARAMS = {"foo": "1", "bar": "é &", "foo_bar": "", "sign": "OLD"}
BUSINESS, SYSTEM, TOP_MD5 = RECIPES["business"], RECIPES["system"], RECIPES["top_md5"]


def wrong(stage: str, slot: str, run: Any, **more: Any) -> Turn:
    return Turn("wrong_" + slot, stage, slot, run, mistake=True, **more)


def walked(recipe: Recipe, params: dict[str, str] | None = None) -> Walk:
    return recipe.signer(CONTEXT).walk(PARAMS if params is None else params)


def joined(walk: Walk) -> str:
    return "".join(segment.text for segment in walk.segments)


def joins(*pattern: str) -> Turn:
    return wrong("join", "join", pattern)


def wraps(slot: str, before: str, after: str) -> Turn:
    kind = "secret" if SECRET in before + after else "other"
    around = tuple((Segment(kind, text),) if text else () for text in (before, after))
    return wrong("wrap", slot, lambda context: around)


PERCENT = wrong("wrap", "spelling", partial(quote, safe="", errors="surrogatepass"))
WRAPS = [
    (NO_PREFIX, "", ""),
    (PATH_IN_FRONT, PATH, ""),
    (SECRET_BOTH_SIDES, SECRET, SECRET),
    (wraps("secret", SECRET, ""), SECRET, ""),
    (wraps("secret", "", SECRET), "", SECRET),
    (wraps("prefix", "", ""), "", ""),
    (wraps("prefix", "GET", ""), "GET", ""),
    (wraps("body", "", '{"a":1}'), "", '{"a":1}'),
]


# ---- the stages of a walk


def test_the_stages_of_a_path_call() -> None:
    walk = walked(SYSTEM)
    text = f"{PATH}baré &foo1foo_bar"
    digest = hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest()
    assert walk.stages == {
        "select": "foo bar foo_bar",
        "format": "foo=1 bar=é & foo_bar=",
        "order": "bar foo foo_bar",
        "join": "baré &foo1foo_bar",
        "wrap": text,
        "key": "app_secret",
        "digest": f"utf8 hmac_sha256 {digest}",
        "encode": digest.upper(),
    }
    assert tuple(walk.stages) == STAGES == tuple(SLOTS)
    assert (walk.string_to_sign, walk.digest, walk.signature) == (text, digest, digest.upper())
    assert walk.selected == walk.formatted == {"foo": "1", "bar": "é &", "foo_bar": ""}
    assert walk.order == ("bar", "foo", "foo_bar")


def test_select_and_format_are_told_apart() -> None:
    recipe = BUSINESS.turned(
        wrong("select", "leave-out:foo", lambda c: lambda p: {n: p[n] for n in p if n != "foo"}),
        wrong("select", "add:x", lambda c: lambda p: {**p, "x": c.app_key}),
        wrong("format", "percent", lambda c: lambda p: {n: quote(v) for n, v in p.items()}),
        wrong("format", "boolean", lambda c: lambda p: {n: v + "!" for n, v in p.items()}),
    )
    walk = walked(recipe)
    assert walk.selected == {"bar": "é &", "foo_bar": "", "x": "12345678"}
    assert walk.formatted == {"bar": "%C3%A9%20%26%21", "foo_bar": "%21", "x": "12345678%21"}
    assert walk.string_to_sign == "bar%C3%A9%20%26%21foo_bar%21x12345678%21"


def test_the_parameters_are_not_changed_and_not_kept() -> None:
    for given in (PARAMS, {"foo": "1"}):
        params = dict(given)
        walk = walked(SYSTEM, params)
        assert params == given
        params["foo"] = "changed"
        assert walk.selected["foo"] == walk.formatted["foo"] == "1"


def test_the_labels_of_a_path_call() -> None:
    assert walked(SYSTEM).segments == (
        Segment("path", PATH),
        Segment("name", "bar", "bar"),
        Segment("value", "é &", "bar"),
        Segment("name", "foo", "foo"),
        Segment("value", "1", "foo"),
        Segment("name", "foo_bar", "foo_bar"),
    )


def test_the_labels_of_separators_and_secrets() -> None:
    recipe = TOP_MD5.turned(PATH_IN_FRONT, joins(NAME, "=", VALUE, "&"))
    assert walked(recipe, {"b": "2", "a": "="}).segments == (
        Segment("secret", SECRET),
        Segment("path", PATH),
        Segment("name", "a", "a"),
        Segment("separator", "="),
        Segment("value", "=", "a"),
        Segment("separator", "&"),
        Segment("name", "b", "b"),
        Segment("separator", "="),
        Segment("value", "2", "b"),
        Segment("secret", SECRET),
    )


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ((NAME, VALUE), "baré &foo1foo_bar"),
        ((NAME, "=", VALUE), "bar=é &foo=1foo_bar="),
        ((NAME, "=", VALUE, "&"), "bar=é &&foo=1&foo_bar="),
        ((NAME, VALUE, "\n"), "baré &\nfoo1\nfoo_bar"),
        ((VALUE,), "é &1"),
        ((VALUE, ","), "é &,1,"),
        ((VALUE, NAME), "é &bar1foofoo_bar"),
    ],
)
@pytest.mark.parametrize(("wrap", "before", "after"), WRAPS)
@pytest.mark.parametrize("spelling", [str, partial(quote, safe="")])
def test_segments_are_the_string_to_sign(
    pattern: tuple[str, ...], text: str, wrap: Turn, before: str, after: str, spelling: Any
) -> None:
    recipe = BUSINESS.turned(joins(*pattern), wrap, wrong("wrap", "spelling", spelling))
    walk = walked(recipe)
    assert walk.string_to_sign == spelling(before + text + after)
    assert joined(walk) == walk.string_to_sign
    assert all(segment.text for segment in walk.segments)
    shown = mask(walk.segments)
    assert shown == walk.string_to_sign.replace(SECRET, "‹app_secret›")


JOINS = [joins(NAME, VALUE), joins(NAME, "=", VALUE, "&"), joins(VALUE), joins(VALUE, "\n")]


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("params", [{}, {"a": "b"}, PARAMS, {"sign": "x", "method": "a.b"}])
def test_segments_and_masks_hold_for_every_recipe(name: str, params: dict[str, str]) -> None:
    for (wrap, _, _), join in itertools.product(WRAPS, JOINS):
        recipe = RECIPES[name].turned(wrap, join)
        for spelled in (recipe, recipe.turned(PERCENT)):
            walk = walked(spelled, params)
            assert joined(walk) == walk.string_to_sign
            assert SECRET not in str(walk.stages) + repr(walk)
            assert {s.kind for s in walk.segments if SECRET in s.text} <= {"secret"}
            assert {s.parameter for s in walk.segments} <= {"", *walk.formatted}


# ---- what never shows


def test_the_stages_of_top_md5_mask_the_secret() -> None:
    walk = walked(TOP_MD5, {"b": "2", "a": "1"})
    assert walk.string_to_sign == "helloworlda1b2helloworld"
    assert walk.stages["wrap"] == "‹app_secret›a1b2‹app_secret›"
    assert walk.stages["join"] == "a1b2"
    assert SECRET not in str(walk.stages) + repr(walk)


def test_a_spelled_secret_is_masked_too() -> None:
    context = Context(Secret("hello world/1"))
    walk = TOP_MD5.turned(PERCENT).signer(context).walk({"a": "b c"})
    assert walk.string_to_sign == "hello%20world%2F1ab%20chello%20world%2F1"
    assert walk.stages["wrap"] == "‹app_secret›ab%20c‹app_secret›"
    assert "world" not in str(walk.stages)


def test_a_signer_tells_nothing_and_is_not_pickled() -> None:
    signer = TOP_MD5.signer(CONTEXT)
    assert f"{signer!r} {signer}" == "<Signer top_md5> <Signer top_md5>"
    assert not hasattr(signer, "__dict__")
    for refused in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="a Signer holds the secret and is not pickled"):
            refused(signer)
    assert SECRET not in repr(CONTEXT)


# ---- odd parameters


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("pattern", [(NAME, VALUE), (NAME, "=", VALUE, "&"), (VALUE,)])
def test_no_parameters(name: str, pattern: tuple[str, ...]) -> None:
    walk = walked(RECIPES[name].turned(joins(*pattern)), {})
    around = {"system": PATH, "aop_hmac_sha1": PATH, "top_md5": SECRET * 2}
    assert walk.string_to_sign == joined(walk) == around.get(name, "")
    assert (walk.order, walk.selected) == ((), {})
    assert walk.stages["join"] == walk.stages["select"] == ""
    assert len(walk.signature) in (32, 40, 64)


def test_one_parameter() -> None:
    signer = BUSINESS.signer(CONTEXT)
    assert signer.walk({"a": "1"}).string_to_sign == "a1"
    assert signer.walk({"a": "2"}).string_to_sign == "a2"
    assert signer.walk({"a": "2"}).segments == (
        Segment("name", "a", "a"),
        Segment("value", "2", "a"),
    )


def test_a_signer_serves_calls_with_other_names_and_other_orders() -> None:
    signer = SYSTEM.signer(CONTEXT)
    for params in (
        {"a": "1", "b": "2"},
        {"b": "3", "a": "4"},
        {"c": "5"},
        {},
        {"a": "6", "b": "7"},
    ):
        text = PATH + "".join(name + params[name] for name in sorted(params))
        digest = hmac.new(SECRET.encode(), text.encode(), "sha256").hexdigest()
        assert signer.walk(params).string_to_sign == text
        assert signer.sign(params) == signer.walk(params).signature == digest.upper()


@pytest.mark.parametrize("name", ["=", "&", NAME, VALUE, "path", ""])
def test_a_parameter_named_like_a_piece_of_the_pattern(name: str) -> None:
    walk = walked(BUSINESS.turned(joins(NAME, "=", VALUE, "&")), {name: VALUE, "\uffff": NAME})
    assert walk.string_to_sign == joined(walk) == f"{name}={VALUE}&\uffff={NAME}"
    assert walk.segments[-7:] == (
        *([Segment("name", name, name)] if name else []),
        Segment("separator", "="),
        Segment("value", VALUE, name),
        Segment("separator", "&"),
        Segment("name", "\uffff", "\uffff"),
        Segment("separator", "="),
        Segment("value", NAME, "\uffff"),
    )


@pytest.mark.parametrize("name", RECIPES)
def test_half_a_surrogate_pair_is_signed_as_its_bytes(name: str) -> None:
    params = {"a\udfff": "\ud83d", "b": "😀"}
    walk = RECIPES[name].signer(Context(Secret("k"), path="/\ud800")).walk(params)
    message = walk.string_to_sign.encode("utf-8", "surrogatepass")
    assert joined(walk) == walk.string_to_sign
    assert "a\udfff\ud83db😀" in walk.string_to_sign
    if name == "top_md5":
        assert walk.signature == hashlib.md5(message).hexdigest().upper()
    else:
        digest = {"top_hmac_md5": "md5", "aop_hmac_sha1": "sha1"}.get(name, "sha256")
        assert walk.signature == hmac.new(b"k", message, digest).hexdigest().upper()
    assert walked(RECIPES[name].turned(PERCENT), params).signature != walk.signature


def test_an_order_by_value() -> None:
    by_value = wrong(
        "order", "order", lambda names, params: sorted(names, key=params.__getitem__), by_value=True
    )
    signer = BUSINESS.turned(by_value).signer(CONTEXT)
    assert signer.walk({"a": "2", "b": "1"}).string_to_sign == "b1a2"
    assert signer.walk({"a": "1", "b": "2"}).string_to_sign == "a1b2"
    assert signer.walk({"a": "1", "b": "2"}).order == ("a", "b")


# ---- recipes and turns


def test_turned_replaces_within_a_slot() -> None:
    other = wrong("order", "order", list)
    turned = BUSINESS.turned(other)
    assert turned.turn_ids["order"] == ("wrong_order",)
    assert BUSINESS.turn_ids["order"] == ("ascii_order",)
    assert len(turned.turns) == len(BUSINESS.turns)
    assert turned.name == "business"
    assert turned.turned(*BUSINESS.turns) == BUSINESS
    assert walked(turned).order == ("foo", "bar", "foo_bar")


def test_turned_keeps_the_order_of_the_slots_whatever_the_order_given() -> None:
    given = [
        Turn(f"{stage} {slot}", stage, slot, None) for stage in STAGES for slot in SLOTS[stage]
    ]
    in_order = {stage: tuple(f"{stage} {slot}" for slot in SLOTS[stage]) for stage in STAGES}
    shuffled = random.Random(1).sample(given, len(given))
    for recipe in (
        BUSINESS.turned(*given),
        BUSINESS.turned(*given[::-1]),
        BUSINESS.turned(*shuffled),
    ):
        assert recipe.turn_ids == in_order
        assert recipe.turns == tuple(given)


def test_turns_of_every_stage_work_together() -> None:
    recipe = BUSINESS.turned(
        replace(UPPER_HEX, run=bytes.hex),
        PERCENT,
        wraps("body", "", "/"),
        joins(NAME, ":", VALUE, ","),
        replace(APP_SECRET, run=lambda context: context.app_key.encode()),
        replace(UTF8, run=partial(str.encode, encoding="utf-16")),
        wrong("select", "add:x", lambda c: lambda p: {**p, "x": "1"}),
    )
    walk = walked(recipe, {"a": "b"})
    assert walk.string_to_sign == "a%3Ab%2Cx%3A1%2F"
    assert walk.signature == (
        hmac.new(b"12345678", walk.string_to_sign.encode("utf-16"), "sha256").hexdigest()
    )


def test_two_leave_outs_stand_side_by_side() -> None:
    def without(name: str) -> Turn:
        run = lambda c: lambda p: {n: p[n] for n in p if n != name}  # noqa: E731
        return wrong("select", f"leave-out:{name}", run)

    assert walked(BUSINESS.turned(without("foo"), without("bar"))).string_to_sign == "foo_bar"


def test_mistakes_are_the_wrong_turns() -> None:
    first, second = joins(NAME, "=", VALUE), wraps("secret", SECRET, "")
    assert BUSINESS.mistakes == ()
    assert BUSINESS.turned(second, first).mistakes == (first, second)
    assert BUSINESS.turned(HMAC_MD5).mistakes == ()


def test_looking_a_turn_up() -> None:
    assert BUSINESS.only("key", "source") is APP_SECRET
    assert BUSINESS.only("key") is APP_SECRET
    assert BUSINESS.slot("key", "source") is APP_SECRET.run
    assert BUSINESS.slot("wrap", "spelling") is None
    assert BUSINESS.runs("format") == ()
    assert len(BUSINESS.runs("wrap")) == 2
    with pytest.raises(StopIteration):
        BUSINESS.only("format")


def test_turns_are_equal_by_name_and_not_by_what_they_run() -> None:
    one, two = wrong("join", "join", (VALUE,)), wrong("join", "join", (NAME,))
    assert one == two
    assert hash(one) == hash(two)
    assert one != wrong("join", "join", (VALUE,), detail="x")


def test_a_recipe_is_pickled_where_its_turns_are_functions_of_a_module() -> None:
    recipe = pickle.loads(pickle.dumps(TOP_MD5))  # noqa: S301
    assert recipe == TOP_MD5
    assert walked(recipe) == walked(TOP_MD5)
    assert recipe.signer(CONTEXT).sign(PARAMS) == TOP_MD5.signer(CONTEXT).sign(PARAMS)


def test_the_repr_of_a_recipe_and_a_walk_shows_no_value() -> None:
    walk = walked(TOP_MD5, {"session": "5000abcd"})
    assert repr(SYSTEM) == "Recipe(name='system')"
    assert repr(walk) == (
        f"Walk(recipe={TOP_MD5!r}, order=('session',), digest={walk.digest!r}, "
        f"signature={walk.signature!r})"
    )
