"""Each recipe provokes its code, as alinb itself reads the reply."""

import json

import pytest

from alinb import replies
from alinb.gateway.market.placing import UNPAID
from alinb.gateway.market.provoked import PROVOKED, RECIPES, Recipe
from alinb.gateway.methods import ANSWERS, Asked, Market, missing, refused_payload
from alinb.gateway.refusals import Refusal
from alinb.knowledge import load

NOW = 1_800_000_000.0
BUSINESS = [e for e in load("errors")["error"] if e["family"] == "business"]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda each: f"{each.code} {each.method}")
def test_the_recipe_provokes_its_code(recipe: Recipe) -> None:
    market = Market(240)
    params = recipe.params(market, "buyer", NOW)
    assert missing(recipe.method, params) == ""
    try:
        payload = ANSWERS[recipe.method](Asked(market, params, "buyer", NOW))
    except Refusal as refusal:
        code = refusal.code
    else:
        flat = recipe.method.startswith("/")
        whole = payload if flat else {recipe.method.replace(".", "_") + "_response": payload}
        reply = replies.read(200, json.dumps(whole, ensure_ascii=False), recipe.method)
        code = reply.decisive_code or str(payload["result"].get("error_msg"))
        assert reply.ok is (recipe.code in (UNPAID, "405"))
    assert code == recipe.code


def test_every_business_code_of_the_book_has_a_recipe() -> None:
    assert {entry["code"] for entry in BUSINESS} <= set(PROVOKED)
    for code, text in PROVOKED.items():
        methods = {recipe.method for recipe in RECIPES if recipe.code == code}
        assert all(f"{method}: " in text for method in methods)
    assert PROVOKED["404"].count(": ") == 2


def test_a_code_can_also_be_had_by_a_fault() -> None:
    asked = 0
    for entry in BUSINESS:
        names = {recipe.method for recipe in RECIPES if recipe.code == entry["code"]}
        for name in names:
            payload = refused_payload(name, entry["code"])
            assert payload is not None
            root = {name.replace(".", "_") + "_response": payload}
            reply = replies.read(200, json.dumps(root), name)
            assert entry["code"] in (
                reply.decisive_code,
                payload.get("result", {}).get("error_msg"),
            )
            asked += 1
    assert asked >= 30
