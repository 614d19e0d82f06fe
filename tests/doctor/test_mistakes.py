"""Every mistake people make is a turn of the engine, and what is told of it is complete."""

import pytest

import alinb
from alinb.doctor.mistakes import turns
from alinb.knowledge import load
from alinb.recipes import RECIPES
from alinb.redact import Secret
from alinb.signing import Interface
from alinb.stages import STAGES, Context

KNOWN = load("mistakes")["mistakes"]
#: No turn makes these: another secret, a string of its own, a clock (see drift), and a fact that
#: only the gateway's answer tells.
WITHOUT_TURN = {"wrong_secret", "aliyun_rpc_string", "timestamp_drift", "empty_values_included"}

PARAMS = {
    "app_key": "500102",
    "timestamp": "1777306720082",
    "sign_method": "sha256",
    "session": "5000abc",
    "method": "aliexpress.ds.product.get",
    "page": "z",
    "pageNo": "1",
    "page_size": "2",
    "title": "é b",
    "ok": "true",
    "data": '{"a":[1,{"b":"c"}]}',
    "empty": "",
}
SECRET = "8B1F6C0A2E9D4735B6C8D0E1F2A3B4C5"


def every_turn():
    for recipe, found, params in (
        ("system", Interface("system", "/auth/token/create"), {"method": ""}),
        ("system", Interface("system_sync", "/auth/token/create"), {}),
        ("business", Interface("business", ""), {}),
        ("top_md5", Interface("top", ""), {}),
        ("top_hmac_md5", Interface("business", ""), {}),
    ):
        held = {**PARAMS, **params}
        if found.kind == "system":
            held.pop("method")
        context = Context(
            Secret(SECRET),
            path=found.path,
            app_key="500102",
            url="https://api-sg.aliexpress.com/sync",
            body="a=b",
        )
        for turn in turns(RECIPES[recipe], found, held, context):
            yield RECIPES[recipe], context, held, turn


TURNS = list(every_turn())


def test_every_known_mistake_of_the_signature_is_a_turn():
    named = {id_ for id_, told in KNOWN.items() if told["where"] == "signature"}
    assert named - {turn.id for *_, turn in TURNS} == WITHOUT_TURN


def test_every_turn_is_known_and_stands_at_its_stage():
    for *_, turn in TURNS:
        assert turn.mistake
        assert KNOWN[turn.id]["where"] == "signature"
        if turn.id != "ad_hoc_string":
            assert KNOWN[turn.id]["stage"] == turn.stage, turn.id


@pytest.mark.parametrize("id_", sorted({turn.id for *_, turn in TURNS}))
def test_a_turn_changes_the_signature_of_some_request(id_):
    changed = [
        recipe.turned(turn).signer(context).sign(params) != recipe.signer(context).sign(params)
        for recipe, context, params, turn in TURNS
        if turn.id == id_
    ]
    assert any(changed)


def test_what_is_told_of_each_mistake_is_complete():
    for id_, told in KNOWN.items():
        assert told["where"] in ("signature", "request"), id_
        assert told["stage"] in (*STAGES, ""), id_
        assert (told["stage"] != "") == (told["where"] == "signature"), id_
        for field in ("name", "looks_like", "why", "cure", "confidence", "source"):
            assert told[field].strip(), (id_, field)
        assert len(told["name"].split()) <= 12, id_


def test_the_right_turns_of_a_recipe_are_no_mistakes_of_it():
    for recipe, *_, turn in TURNS:
        assert turn.id not in {right.id for right in recipe.turns}
    wraps = {turn.id for recipe, *_, turn in TURNS if recipe.name == "top_md5"}
    assert "secret_wrapped" not in wraps
    assert "secret_wrap_missing" in wraps


def test_the_masks_of_a_mistaken_walk_hide_the_secret():
    app = alinb.App("1", SECRET)
    signed = alinb.sign("/a/b", {"x": "1"}, app=app)
    wrong = alinb.mistaken(signed, "secret_wrapped")
    assert SECRET in wrong.string_to_sign
    assert SECRET not in wrong.shown_string + str(wrong.as_dict()) + repr(wrong)
