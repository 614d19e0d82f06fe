"""Every published signature and every captured client request, stage by stage."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from alinb import doctor, signing
from alinb.attempts import Attempt
from alinb.intake import read
from alinb.recipes import RECIPES
from alinb.redact import Secret
from alinb.share import folder
from alinb.stages import Context

PUBLISHED = json.loads((folder("data") / "vectors/published.json").read_text())["vectors"]
CLIENTS = json.loads((folder("data") / "vectors/clients.json").read_text())["requests"]
RIGHT = [request for request in CLIENTS if request["right"]]


def _attempt(request) -> Attempt:
    return read(
        {
            "method": request["method"],
            "url": "https://gateway.example" + request["target"],
            "headers": {"Content-Type": request["content_type"]},
            "body": request["body"],
        }
    )


def _name(case) -> str:
    return case.get("name") or f"{case['client']}-{case['step']}"


@pytest.mark.parametrize("vector", PUBLISHED, ids=_name)
def test_a_published_vector_holds_at_every_stage(vector):
    context = Context(Secret(vector["secret"]), path=vector["path"])
    walk = RECIPES[vector["recipe"]].signer(context).walk(vector["params"])
    stages = vector["stages"]
    assert list(walk.selected) == stages["select"]
    assert list(walk.order) == stages["order"]
    pairs = [s.text for s in walk.segments if s.kind in ("name", "value")]
    assert "".join(pairs) == stages["join"]
    assert walk.string_to_sign == stages["wrap"]
    assert walk.signature == stages["encode"]


@pytest.mark.parametrize("request_", RIGHT, ids=_name)
def test_a_captured_request_holds_at_every_stage(request_):
    checked = signing.check(_attempt(request_), request_["secret"])
    assert checked.walk.recipe.name == request_["recipe"]
    assert checked.interface.path == request_["path"]
    assert list(checked.walk.order) == request_["stages"]["order"]
    assert checked.string_to_sign == request_["stages"]["wrap"]
    assert checked.received == checked.expected == request_["stages"]["encode"]
    assert checked.ok


@pytest.mark.parametrize("request_", CLIENTS, ids=_name)
def test_a_captured_request_is_judged_as_its_client_was_right_or_wrong(request_):
    found = doctor.diagnose(_attempt(request_), secret=request_["secret"])
    assert found.verdict == ("correct" if request_["right"] else "unexplained")


def test_the_clients_cover_every_recipe_but_the_gateway_that_is_gone():
    assert {r["recipe"] for r in RIGHT} == {"system", "business", "top_md5", "top_hmac_md5"}
    assert {v["recipe"] for v in PUBLISHED} == set(RECIPES)
    assert sum(not request["right"] for request in CLIENTS) == 5


FROZEN = Path(__file__).with_name("frozen_vectors.jsonl").read_text("utf-8").splitlines()


def test_240_frozen_vectors_of_odd_texts_hold_at_every_stage():
    """Made once by hashlib and the ten-line reference of test_signing.py, and never renewed."""
    vectors = [json.loads(line) for line in FROZEN]
    assert Counter(vector["recipe"] for vector in vectors) == dict.fromkeys(RECIPES, 48)
    for vector in vectors:
        context = Context(Secret(vector["secret"]), path=vector["path"])
        walk = RECIPES[vector["recipe"]].signer(context).walk(vector["params"])
        assert list(walk.order) == vector["order"], vector
        pairs = [s.text for s in walk.segments if s.kind in ("name", "value")]
        joined = [text for name in vector["order"] for text in (name, vector["params"][name])]
        assert "".join(pairs) == "".join(joined), vector
        assert walk.string_to_sign == vector["string"], vector
        assert walk.signature == vector["signature"], vector


SHARED = Path(os.environ.get("ALINB_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.mark.skipif(not (SHARED / "vectors.json").is_file(), reason="no further vectors here")
def test_further_vectors_hold_too():
    recipes = {"gop_path": "system", "gop_method_prefix": "system"}
    vectors = json.loads((SHARED / "vectors.json").read_text())
    for vector in vectors:
        recipe = RECIPES[recipes.get(vector["style"], vector["style"])]
        context = Context(Secret(vector["secret"]), path=vector["api_path"] or "")
        walk = recipe.signer(context).walk(vector["params"])
        assert (walk.string_to_sign, walk.signature) == (
            vector["string_to_sign"],
            vector["signature"],
        ), vector["name"]
    assert len(vectors) == 30
